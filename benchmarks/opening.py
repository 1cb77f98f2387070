"""What opening a lakehouse of many kitchens costs here, beside its warehouse: orders per hour taken apart by kitchen."""

import functools
import statistics

import numpy as np
import pyarrow as pa

from benchmarks.table import Row, exponent, spread
from benchmarks.timing import milliseconds
from twin.sources import tables
from twin.sources.base import Location

KITCHENS = 300
HOURS = (263, 2_630, 26_300)
"""Hours of each kitchen: three years are 7.9 million rows; these are a hundredth, a tenth and all of it."""


def measure(quick: bool) -> list[Row]:
    """Return a row per number of hours, with the exponent by which the time grows."""
    rows, work, cost = list[Row](), list[float](), list[float]()
    for hours in HOURS[: 2 if quick else None]:
        names = pa.array([f"kitchen-{number}" for number in range(KITCHENS)])
        places = [Location(name, name, None, None, None, 0, 0.0, 0.0) for name in names.to_pylist()]
        of_row = pa.array(np.repeat(np.arange(KITCHENS, dtype=np.int32), hours))
        volume = pa.table(
            {
                "location": pa.DictionaryArray.from_arrays(of_row, names),
                "hour": pa.array(np.tile(np.arange(hours) * 3600, KITCHENS), pa.timestamp("s")),
                "orders": np.ones(KITCHENS * hours, np.int64),
            }
        )
        took = milliseconds(functools.partial(_apart, volume, places), [0.0, 1.0, 2.0])
        work.append(KITCHENS * hours)
        cost.append(statistics.median(took))
        grows = f", rows^{exponent(work, cost):.2f}" if len(work) > 1 else ""
        what = f"orders per hour, {KITCHENS} kitchens, {KITCHENS * hours:,} rows"
        rows.append(Row(what, "–", spread(took, "ms", 1) + grows, value=cost[-1]))
    return rows


def _apart(volume: pa.Table, places: list[Location], _: float) -> None:
    tables.volumes(volume, places)
