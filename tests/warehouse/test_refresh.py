"""A table that grows while the app runs: what is new is found, offered, and read; what is known costs nothing again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.conftest import TABLE, add_orders, tables
from tests.warehouse.double import Warehouse
from twin.foundation.errors import SourceError
from twin.notebook.door import Twin
from twin.notebook.door import open as open_files
from twin.replay.controller import ReplayController
from twin.views.session.session import MINUTE, ReplaySession

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
PLACE = "chicago"
DAY = 86_400.0


@pytest.fixture
def warehouse(demos: Callable[[str], Path], warehouse_of: Start) -> Warehouse:
    return warehouse_of(tables(demos("2025")))


def test_nothing_new_is_one_statement(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    timeline = source.timeline(PLACE)
    asked, as_of = len(warehouse.statements), source.as_of
    assert as_of is not None
    assert source.refresh() is False
    assert warehouse.asked[asked:] == ["SELECT count(*) AS rows_read\nFROM `caspers`.`lakeflow`.`all_events`"]
    assert source.as_of is not None
    assert source.as_of > as_of
    assert source.timeline(PLACE) is timeline


def test_new_orders_are_found_and_what_is_in_use_stays(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    before, place = source.timeline(PLACE), source.location(PLACE)
    orders = source.source.volume(PLACE).orders.sum()
    add_orders(warehouse, PLACE, 48)
    assert source.refresh() is True
    now = source.location(PLACE)
    assert now.end == pytest.approx(place.end + 2 * DAY, abs=1)
    assert now.orders > place.orders
    assert source.source.volume(PLACE).orders.sum() > orders
    assert source.quality().read > before.data_quality.read
    latest = source.timeline(PLACE)
    assert latest.window.end == pytest.approx(before.window.end + 2 * DAY, abs=60)
    assert before.at(before.busiest()).counts, "who looks at the old one still can"


def test_kept_days_are_read_again_only_where_orders_were_added(warehouse: Warehouse, lakehouse: Open) -> None:
    add_orders(warehouse, PLACE, 96)
    source = lakehouse()
    place = source.location(PLACE)
    first = place.start

    def read() -> int:
        asked = len(warehouse.statements)
        return source.source.window(PLACE, first, first + 3600).num_rows + 0 * asked

    def statements(of: Callable[[], int]) -> int:
        before = len(warehouse.statements)
        of()
        return len(warehouse.statements) - before

    rows = read()
    assert statements(read) == 0, "kept"
    add_orders(warehouse, PLACE, 192)
    assert source.refresh() is True
    assert statements(read) == 0, "far from what is new"
    add_orders(warehouse, PLACE, 0.01, f"AND try_cast(ts AS TIMESTAMP) < make_timestamp({int((first + DAY) * 1e6)})")
    assert source.refresh() is True
    assert statements(read) == 1, "a day that got more"
    assert read() > rows


ODD = """CASE hash(order_id) % 3
  WHEN 0 THEN strftime(ts::TIMESTAMP, '%d/%m/%Y %H:%M:%S')
  WHEN 1 THEN '  ' || ts
  ELSE strftime(ts::TIMESTAMP - INTERVAL 1 DAY, '%Y-%m-%d') || ' 24:00:00' END"""


@pytest.mark.slow
def test_rows_that_turn_odd_after_the_opening_are_all_found(
    warehouse: Warehouse, lakehouse: Open, tmp_path: Path
) -> None:
    """The opening found none, so the conditions were plain; the refresh that finds the new rows finds what they need as well."""
    source = lakehouse()
    place = source.location(PLACE)
    noon = place.start // DAY * DAY + 1.5 * DAY
    part = (PLACE, noon, noon + 3600)
    before = source.source.window(*part).num_rows
    assert "RLIKE" not in warehouse.asked[-1].partition("),\n")[0]
    # a day's orders once more: blanks around ids and places, times in another form, and no new order in any hour
    warehouse.connection.execute(
        f"INSERT INTO {TABLE} SELECT * REPLACE (' ' || order_id || ' ' AS order_id, ' {PLACE} ' AS location, {ODD} AS ts, "
        f"'9' || sequence AS sequence) FROM {TABLE} WHERE location = '{PLACE}' AND event_type = 'driver_ping' "
        f"AND try_cast(ts AS TIMESTAMP) >= make_timestamp({int(noon * 1e6)}) AND order_id IS NOT NULL"
    )
    assert source.refresh() is True
    stored = tmp_path / "events.parquet"
    warehouse.connection.execute(f"COPY {TABLE} TO '{stored}' (FORMAT parquet)")
    files = open_files(stored)
    ours, theirs = source.source.window(*part), files.source.window(*part)
    assert ours.num_rows == theirs.num_rows > before
    assert sorted(map(repr, ours.to_pylist())) == sorted(map(repr, theirs.to_pylist()))
    order = ours["order_id"][0].as_py()
    found = source.source.query("find_order", order_id=order, location=PLACE)
    assert found.num_rows == files.source.query("find_order", order_id=order, location=PLACE).num_rows


def test_a_warehouse_that_is_gone_leaves_what_is_known(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    timeline, as_of = source.timeline(PLACE), source.as_of
    warehouse.faults.down = True
    with pytest.raises(SourceError, match="the connection failed"):
        source.refresh()
    assert "the connection failed" in source.stale
    assert source.as_of == as_of
    assert source.timeline(PLACE) is timeline
    warehouse.faults.down = False
    source.source._warehouse._resting_until = 0.0  # type: ignore[attr-defined]
    assert source.refresh() is False
    assert source.stale == ""


def test_what_is_old_is_asked_again_beside_the_work(
    warehouse: Warehouse, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = lakehouse()
    asked = len(warehouse.statements)
    source.freshen()
    assert len(warehouse.statements) == asked, "young enough"
    as_of = source.as_of
    assert as_of is not None
    source.source.as_of = as_of - 3600
    source.freshen()
    deadline = asyncio.run(_until(lambda: source.as_of is not None and source.as_of > as_of))
    assert deadline
    assert len(warehouse.statements) == asked + 1


async def _until(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False


def test_a_session_offers_what_is_newer_and_moves_nothing_by_itself(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    session = ReplaySession(source, ReplayController())
    asyncio.run(session.choose(PLACE))
    shown = session.controller.timeline
    assert shown is not None
    assert source.as_of is not None
    assert session.as_of == source.as_of // MINUTE * MINUTE
    assert asyncio.run(session.check_for_newer()) == "There is nothing newer."
    assert session.newer is None
    add_orders(warehouse, PLACE, 48)
    assert asyncio.run(session.check_for_newer()) == "Newer orders have come in."
    assert session.newer == source.last_hours(PLACE).end
    assert session.controller.timeline is shown
    assert session.place is not None
    assert session.place.end > shown.location.end, "the range picker knows"
    asyncio.run(session.choose(PLACE))
    assert session.newer is None
    assert session.controller.timeline is not None
    assert session.controller.timeline.window.end > shown.window.end


def test_who_looks_at_the_past_is_not_disturbed(warehouse: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    session = ReplaySession(source, ReplayController())
    place = source.location(PLACE)
    asyncio.run(session.choose(PLACE, place.start, place.start + 7200))
    add_orders(warehouse, PLACE, 48)
    assert asyncio.run(session.check_for_newer()) == "More rows have come in, none newer than what is shown."
    assert session.newer is None
