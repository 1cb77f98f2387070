"""Rows as messages to the browser: one column per name, which is shorter than one object per row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.cache import shared

Columns = dict[str, list[Any]]


def columns_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """Return rows, each with one value per name, as columns; `rowsOf` in rows.js is the inverse."""
    listed = list(rows)
    return {name: [row[i] for row in listed] for i, name in enumerate(names)}


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return columns as rows, as the browser reads them."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


Inserted = NDArray[np.intp]
"""The rows of the orders that came into a timeline, (n,) ascending; those that were there moved up by as many as lie before."""


@shared(most=2)
def inserted_rows(before: pa.Array, after: pa.Array) -> Inserted | None:
    """Return the rows of the ids in `after` that are not in `before`; None if the others are not `before`, in its order."""
    if before.equals(after):
        return np.empty(0, np.intp)
    new = pc.invert(pc.is_in(after, value_set=before))
    if len(before) > len(after) or not after.filter(pc.invert(new)).equals(before):
        return None
    return np.flatnonzero(np.asarray(new))


def moved(row: int, inserted: Inserted) -> int:
    """Return the row of an order after others were inserted; -1, for none, stays.

    >>> [moved(row, np.array([0, 3])) for row in (-1, 0, 1, 2)]
    [-1, 1, 2, 4]
    """
    if row < 0:
        return row
    for one in inserted.tolist():
        if one > row:
            break
        row += 1
    return row
