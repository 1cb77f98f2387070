"""What came in since a source was opened, as whoever extends what he has read is told of it."""

import pyarrow as pa
import pytest

from twin.sources.arrivals import COLUMNS, Arrivals


def rows(*orders: str, location: str = "sf") -> pa.Table:
    """Return used rows of orders as a refresh finds them."""
    table = pa.Table.from_pylist([{"order_id": order} for order in orders], COLUMNS)
    return table.append_column("location", pa.array([location] * len(orders), pa.string()))


def orders(arrivals: Arrivals, after: int, location: str = "sf") -> list[str] | None:
    """Return the orders of the rows after a mark."""
    found = arrivals.of(location, after)
    return None if found is None else found["order_id"].to_pylist()


def test_what_came_in_after_a_mark_is_told_by_location_and_in_its_columns() -> None:
    arrivals = Arrivals()
    assert (arrivals.mark, orders(arrivals, 0)) == (0, [])
    arrivals.add(pa.concat_tables([rows("A", "B"), rows("C", location="chi")]), read=5)  # two were set aside
    arrivals.add(rows("D"), read=1)
    assert arrivals.mark == 6
    assert (orders(arrivals, 0), orders(arrivals, 5), orders(arrivals, 6)) == (["A", "B", "D"], ["D"], [])
    assert (orders(arrivals, 0, "chi"), orders(arrivals, 5, "chi"), orders(arrivals, 0, "nyc")) == (["C"], [], [])
    found = arrivals.of("sf", 0)
    assert found is not None
    assert found.schema == COLUMNS


def test_nothing_is_told_of_a_mark_that_nobody_was_given_or_before_everything_was_read_again() -> None:
    arrivals = Arrivals()
    arrivals.add(rows("A", "B"), read=2)
    assert orders(arrivals, 1) is None, "half of a batch"
    assert orders(arrivals, 3) is None, "the future"
    arrivals.restart(read=-2)
    assert arrivals.mark == 3, "it grows even if there are fewer rows than before"
    assert (orders(arrivals, 2), orders(arrivals, 3)) == (None, [])


@pytest.mark.parametrize("limit", [{"most_rows": 3}, {"most_bytes": 2 * rows("A").nbytes}])
def test_the_oldest_batches_go_when_there_are_too_many(limit: dict[str, int]) -> None:
    arrivals = Arrivals(**limit)
    for number in range(3):
        arrivals.add(rows(f"{number}"), read=2 if number else 1)
    arrivals.add(rows("3"), read=1)
    first = next(mark for mark in range(6) if arrivals.of("sf", mark) is not None)
    assert first > 0
    assert orders(arrivals, first) == ["1", "2", "3"][-len(orders(arrivals, first) or []) :]
    assert orders(arrivals, 0) is None
    assert arrivals.mark == 6
