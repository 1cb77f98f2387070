"""Orders per hour of each kitchen, out of the rows of all: as if each row were compared with each kitchen."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest

from twin.sources import tables
from twin.sources.base import Location

KITCHENS, HOURS = 300, 100


def location(name: str) -> Location:
    return Location(name, name, None, None, None, 0, 0.0, 0.0)


@pytest.mark.parametrize("encoded", [False, True])
def test_every_kitchen_gets_its_own_hours_as_if_compared_with_every_row(encoded: bool) -> None:
    random = np.random.default_rng(3)
    place = random.integers(0, KITCHENS, KITCHENS * HOURS)
    names = np.array([f"kitchen {number}" for number in range(KITCHENS)])
    hours, orders = np.arange(len(place)) * 3600, random.integers(1, 50, len(place))
    column = pa.array(names[place])
    rows = pa.table(
        {
            "location": column.dictionary_encode() if encoded else column,
            "hour": pa.array(hours, pa.timestamp("s")),
            "orders": orders,
        }
    )
    expected = defaultdict[str, list[tuple[float, int]]](list)
    for number, hour, count in zip(place.tolist(), hours.tolist(), orders.tolist(), strict=True):
        expected[names[number]].append((float(hour), count))
    found = tables.volumes(rows, [location(name) for name in [*names.tolist(), "nobody's"]])
    assert {
        name: list(zip(volume.hour.tolist(), volume.orders.tolist(), strict=True)) for name, volume in found.items()
    } == {**expected, "nobody's": []}


def test_no_rows_are_no_hours() -> None:
    rows = pa.table(
        {
            "location": pa.array([], pa.string()),
            "hour": pa.array([], pa.timestamp("s")),
            "orders": pa.array([], pa.int64()),
        }
    )
    assert len(tables.volumes(rows, [location("a")])["a"].hour) == 0
