"""A table that grows while somebody follows a kitchen: its latest rows are read, not all, and the rest adds up."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.warehouse.conftest import FORMS, TABLE, tables
from tests.warehouse.double import Warehouse
from twin.notebook.door import Twin
from twin.sources.base import Location, Source

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
MINUTE = 60.0


@pytest.fixture(params=FORMS)
def warehouse(
    request: pytest.FixtureRequest,
    demos: Callable[[str], Path],
    warehouse_of: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> Warehouse:
    monkeypatch.setenv("TWIN_LATE_ROWS_S", "7200")  # the kitchens' last orders are created long before their last rows
    return warehouse_of(tables(demos(request.param), request.param))


def insert(warehouse: Warehouse, seconds: float, name: str, minutes: int = 50, like: str = "TRUE") -> int:
    """Let the orders of the last minutes come in once more, so much later and by other names; return how many rows."""
    is_text = warehouse.connection.execute(f"SELECT typeof(ts) FROM {TABLE} LIMIT 1").fetchall()[0][0] == "VARCHAR"
    moved = f"try_cast(ts AS TIMESTAMP) + to_microseconds({round(seconds * 1e6)})"
    written = f"strftime({moved}, '%Y-%m-%d %H:%M:%S.%f')" if is_text else moved
    own = "order_id NOT LIKE '%+%' AND try_cast(ts AS TIMESTAMP) < '2030-01-01'"
    last = f"(SELECT max(try_cast(ts AS TIMESTAMP)) FROM {TABLE} WHERE {own} AND event_type = 'order_created')"
    return warehouse.connection.execute(
        f"INSERT INTO {TABLE} SELECT * REPLACE (order_id || '{name}' AS order_id, {written} AS ts) FROM {TABLE} "
        f"WHERE {own} AND ({like}) AND order_id IN (SELECT order_id FROM {TABLE} WHERE {own} "
        f"AND event_type = 'order_created' AND try_cast(ts AS TIMESTAMP) >= {last} - INTERVAL {minutes} MINUTE)"
    ).fetchall()[0][0]


def rows_in(table: pa.Table) -> Counter[str]:
    """Return rows with how often each is there."""
    names = sorted(table.column_names)
    return Counter(repr([one[name] for name in names]) for one in table.to_pylist())


def told(place: Location) -> tuple[Any, ...]:
    """Return what of a kitchen is exact at once."""
    return place.id, place.display_name, place.orders, place.start, place.end, place.last_delivered


def same_as_afresh(source: Source, afresh: Source) -> None:
    """Check that a source answers what another does that was opened now."""
    assert [told(place) for place in source.locations()] == [told(place) for place in afresh.locations()]
    for place in [None, *(place.id for place in afresh.locations())]:
        assert source.quality(place) == afresh.quality(place)
        assert (quality := source.quality(place)).used + sum(quality.rejected.values()) == quality.read
    kitchen = afresh.locations()[0].id
    volume, expected = source.volume(kitchen), afresh.volume(kitchen)
    assert (volume.hour.tolist(), volume.orders.tolist()) == (expected.hour.tolist(), expected.orders.tolist())
    place = afresh.locations()[0]
    last = place.end - 3600, place.end + 1
    assert rows_in(source.window(kitchen, *last)) == rows_in(afresh.window(kitchen, *last))


def purposes(warehouse: Warehouse, asked: int) -> list[str]:
    """Return what the statements since a number of them were for."""
    found = []
    for one in warehouse.asked[asked:]:
        counts = one.startswith("SELECT count(*)")
        found.append("count" if counts else "arrived" if "ts >= :from_ts" in one else "all")
    return found


def test_who_follows_a_kitchen_is_told_the_new_rows_by_two_statements(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse().source
    kitchen = source.locations()[0].id
    before = source.window(kitchen, *_last(source))
    assert source.arrived(kitchen, 0).num_rows == 0  # type: ignore[union-attr]
    added = insert(warehouse, 7200, "+1")
    added += insert(warehouse, 7200, "+1", like="event_type = 'gk_ready'")  # the same once more: copies
    asked = len(warehouse.statements)
    assert source.refresh() is True
    assert purposes(warehouse, asked) == ["count", "arrived"]
    assert source.mark == added
    new = source.arrived(kitchen, 0)
    assert new is not None
    start = source.locations()[0].end - 3600
    assert set(new["order_id"].to_pylist()) == {
        one for one in source.window(kitchen, start - 7200, start + 7200)["order_id"].to_pylist() if one.endswith("+1")
    }
    assert not set(new["order_id"].to_pylist()) & set(before["order_id"].to_pylist())
    same_as_afresh(source, lakehouse().source)
    # what was among them a moment ago is not told twice, and late ones are told
    mark, late = source.mark, insert(warehouse, 7200 - 2 * MINUTE, "+2", minutes=12)
    asked = len(warehouse.statements)
    assert source.refresh() is True
    assert purposes(warehouse, asked) == ["count", "arrived"]
    assert source.mark == mark + late
    found = [source.arrived(place.id, mark) for place in source.locations()]
    ids = [one for rows in found if rows is not None for one in rows["order_id"].to_pylist()]
    assert (len(found), {one[-2:] for one in ids}) == (len([rows for rows in found if rows is not None]), {"+2"})
    same_as_afresh(source, lakehouse().source)


def _last(source: Source) -> tuple[float, float]:
    end = source.locations()[0].end
    return end - 3600, end + 1


def test_what_comes_too_late_has_everything_read_again(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse().source
    kitchen = source.locations()[0].id
    source.arrived(kitchen, 0)
    insert(warehouse, -24 * 3600, "+3")
    asked = len(warehouse.statements)
    assert source.refresh() is True
    assert "all" in purposes(warehouse, asked)
    assert source.arrived(kitchen, 0) is None
    mark = source.mark
    same_as_afresh(source, lakehouse().source)
    added = insert(warehouse, 60, "+4", minutes=10)
    asked = len(warehouse.statements)
    assert source.refresh() is True
    assert purposes(warehouse, asked) == ["count", "arrived"], "what was there is known now"
    assert source.mark == mark + added
    assert source.arrived(kitchen, mark) is not None


def test_nobody_pays_for_what_nobody_follows(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse().source
    kitchen = source.locations()[0].id
    insert(warehouse, 3600, "+5")
    asked = len(warehouse.statements)
    assert source.refresh() is True
    assert "arrived" not in purposes(warehouse, asked)
    assert source.arrived(kitchen, 0) is None
