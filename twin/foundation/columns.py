"""Columns of Arrow as NumPy arrays, for who may do without pandas: pyarrow's own `to_numpy` loads it, which takes 0.2 s."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return the numbers of a column without NULLs, (n,); read-only, and not a copy if the column has one part.

    >>> numbers(pa.chunked_array([[1, 2], [3]]))
    array([1, 2, 3])
    """
    parts = [np.from_dlpack(part) for part in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, column.type.to_pandas_dtype())
