"""The hub of a kitchen whose record grows: one newest timeline for all who ask, and a call when there is another."""

import json
import threading
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from tests.answers_of import answers, differences, digest
from tests.memory_source import MemorySource, row, table
from tests.raw_orders import WHOLE, rows_of
from twin.analysis.baseline import Baseline
from twin.analysis.live_edge import LONGEST_HOURS
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub, open_source
from twin.replay.clock import LAG_S
from twin.replay.controller import ReplayController
from twin.sources.base import Source, Window
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

NOON = 1_760_572_800.0 + 12 * HOUR
"""2025-10-16 12:00."""


def order(name: str, t: float) -> list[dict[str, object]]:
    """An order that is created at t and delivered half an hour later."""
    return [row(name, "order_created", t), row(name, "delivered", t + 1800, 1.0)]


@pytest.fixture
def source() -> MemorySource:
    return MemorySource(table([*order("A", NOON), *order("B", NOON + 300)]))


def hub_of(source: MemorySource, now: float = NOON + 100 * DAY) -> Hub:
    return Hub(cast(Source, source), clock=lambda: now)


def test_who_asks_for_the_newest_timeline_gets_the_same_until_rows_come_in(source: MemorySource) -> None:
    hub = hub_of(source)
    first = hub.newest("sf")
    assert hub.newest("sf") is first
    assert first.at(hub.edge("sf")).counts["completed"] == 2
    assert hub.refresh() is False
    assert hub.newest("sf") is first
    source.send(table(order("C", NOON + 1800)))
    assert hub.refresh() is True
    second = hub.newest("sf")
    assert second is hub.newest("sf") is not first
    assert (len(first.orders), len(second.orders)) == (2, 3)


def test_the_range_begins_where_it_began_and_ends_with_the_minute_of_the_edge(source: MemorySource) -> None:
    hub = hub_of(source)
    window = hub.newest("sf").window
    assert window == hub.last_hours("sf")
    assert hub.edge("sf") == NOON + 2100
    source.send(table([row("C", "order_created", NOON + 2460)]))
    hub.refresh()
    assert hub.edge("sf") == NOON + 2460
    assert hub.newest("sf").window == Window(window.start, NOON + 2520)


def test_a_range_that_has_grown_to_25_hours_begins_later_at_a_whole_hour(source: MemorySource) -> None:
    hub = hub_of(source)
    begin = hub.newest("sf").window.start
    starts = []
    for quarter in range(1, 120, 3):
        source.send(table([row(f"D{quarter}", "order_created", NOON + 2100 + quarter * 900)]))
        hub.refresh()
        window = hub.newest("sf").window
        assert 24 * HOUR <= window.end - window.start <= LONGEST_HOURS * HOUR
        assert window.end - 60 <= hub.edge("sf") < window.end
        starts.append(window.start)
    assert starts == sorted(starts)
    assert starts[0] == begin
    assert all(start % HOUR == 0 for start in starts if start != begin)
    assert len(set(starts)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("night", ["2025-11-02", "2026-03-08"])
def test_midnight_and_a_change_of_the_clock_pass_unnoticed(night: str) -> None:
    """From the evening before to the morning after, a batch every 20 minutes; the kitchen's clock is put back, or forward.

    Every version is what loading all its rows makes, nothing is read again but where the range begins later, and a page that
    follows goes along evenly: never back, and never farther than events have come.
    """
    zone = Zone("America/Los_Angeles")
    begin, batches = zone.seconds(f"{night} 00:00") - 2 * HOUR, 24
    source = MemorySource(
        table([one for k in range(8) for one in order(f"A{k}", begin - 900 * (10 - k))]), zone=zone.name
    )
    hub, wall = hub_of(source, begin + 100 * DAY), 0.0
    controller = ReplayController(wall=lambda: wall)
    first, edge = hub.newest("sf"), hub.edge("sf")
    controller.load(first, edge, edge)
    controller.follow()
    since_midnight, starts = list[int](), {first.window.start}
    for number in range(batches):
        t = begin + 1200 * number
        source.send(table([row(f"B{number}", "order_created", t), row(f"B{number}", "delivered", t + 600, 1.0)]))
        hub.refresh()
        newest = hub.newest("sf")
        if number % 6 == 5:
            whole = Timeline.load(cast(Source, source), "sf", newest.window.start, newest.window.end)
            assert differences(newest, whole) == []
        starts.add(newest.window.start)
        before, wall = controller.now(), wall + 20.0  # a demonstration at sixty times life
        controller.extend(newest, hub.edge("sf"))
        assert before <= controller.now() <= hub.edge("sf")
        assert controller.state == "live"
        wall += LAG_S
        assert controller.now() == hub.edge("sf") == t + 600
        since_midnight.append(newest.at(controller.now()).counts["completed"])
    day = zone.day(begin + 7 * HOUR)
    of_the_day = [zone.day(begin + 1200 * number + 600) == day for number in range(batches)]
    assert since_midnight[of_the_day.index(True) :] == list(range(1, 1 + sum(of_the_day)))
    assert source.windows_read == len(starts) + batches // 6, "those of this test aside"


def test_rows_in_the_future_of_the_kitchens_clock_wait(source: MemorySource) -> None:
    source.send(table(order("F", NOON + 5 * DAY)))
    now = [NOON + HOUR]
    hub = Hub(
        cast(Source, MemorySource(pa.concat_tables([source.rows, *source.waiting]), at=None)), clock=lambda: now[0]
    )
    assert hub.edge("sf") == NOON + HOUR, "the end of the hour in which the last order began"
    assert hub.newest("sf").window.end == NOON + HOUR + 60
    assert len(hub.newest("sf").orders) == 2
    now[0] = NOON + 5 * DAY + 2000
    assert hub.edge("sf") == NOON + 5 * DAY + 1800
    assert hub.newest("sf").at(hub.edge("sf")).counts["completed"] == 1


def test_the_clock_of_naive_times_is_the_later_of_utc_and_the_kitchens_place(source: MemorySource) -> None:
    source.send(table(order("F", NOON + 5 * HOUR)))
    source.refresh()
    assert hub_of(MemorySource(source.rows, at=(28.6, 77.2)), NOON).edge("sf") == NOON + 5.5 * HOUR
    assert hub_of(source, NOON + 5.5 * HOUR).edge("sf") == NOON + 5.5 * HOUR


def test_what_comes_in_is_put_into_the_newest_timeline_and_nothing_is_read_again(source: MemorySource) -> None:
    hub = hub_of(source)
    first = hub.newest("sf")
    before = digest(answers(first))
    for number in range(4):
        source.send(table([*order(f"C{number}", NOON + 2000 + 60 * number), row("A", "gk_ready", NOON + 60 * number)]))
        hub.refresh()
        newest = hub.newest("sf")
        whole = Timeline.load(cast(Source, MemorySource(source.rows)), "sf", newest.window.start, newest.window.end)
        assert differences(newest, whole) == []
    assert source.windows_read == 1
    assert newest.late() > 0
    assert digest(answers(first)) == before


def test_a_file_that_grows_is_put_into_the_newest_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, loads = tmp_path / "events.jsonl", list[bool]()
    load = Timeline.load

    def counted(*arguments: Any, **options: Any) -> Timeline:
        loads.append(options.get("growing", False))
        return load(*arguments, **options)

    monkeypatch.setattr("twin.hub.Timeline.load", counted)
    orders = [
        rows_of(f"A{k}", {name: at + 4 * k for name, at in WHOLE.items()}, pings={36.0 + 4 * k: 40.0}) for k in range(8)
    ]
    rows = sorted((one for order in orders for one in order), key=lambda one: one["ts"])
    late = rows.pop(30)
    batches = [rows[:40], [*rows[35:50], late], rows[50:]]  # the first has pick-ups, which tell where the kitchen is
    path.write_text("")
    hub: Hub | None = None
    for batch in batches:
        with path.open("a") as file:
            file.writelines(f"{json.dumps(one)}\n" for one in batch)
        hub = hub or Hub(open_source(path, Settings()))
        hub.refresh()
        newest = hub.newest("sf")
        whole = load(FileSource(path), "sf", newest.window.start, newest.window.end)
        assert differences(newest, whole) == []
    assert loads == [True], "read as a whole once, then extended"


@pytest.mark.parametrize(("north", "reads"), [(0.0001, 1), (0.01, 2)])
def test_a_kitchen_that_moves_by_metres_is_not_read_again(source: MemorySource, north: float, reads: int) -> None:
    hub = hub_of(source)
    hub.newest("sf")
    lat, lon = source.at or (0.0, 0.0)
    source.at = lat + north, lon
    source.send(table(order("C", NOON + 1800)))
    hub.refresh()
    assert len(hub.newest("sf").orders) == 3
    assert hub.newest("sf").location.lat == pytest.approx(lat if reads == 1 else lat + north)
    assert source.windows_read == reads


def test_where_the_source_cannot_tell_what_came_in_everything_is_read_again(
    source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_of(source)
    hub.newest("sf")
    monkeypatch.setattr(source, "arrived", lambda location, after: None)
    source.send(table(order("C", NOON + 1800)))
    hub.refresh()
    assert len(hub.newest("sf").orders) == 3
    assert source.windows_read == 2


def test_rows_of_the_future_come_in_when_their_time_has_come(source: MemorySource) -> None:
    now = [NOON + 3000.0]
    source.send(table([one for k in range(20) for one in order(f"F{k}", NOON + 3600 * k)]))
    source.refresh()
    hub = Hub(cast(Source, source), clock=lambda: now[0])
    for hour in (0, 1, 8, 17):
        now[0] = NOON + 3600 * hour + 3000
        newest = hub.newest("sf")
        whole = Timeline.load(cast(Source, source), "sf", newest.window.start, newest.window.end)
        assert differences(newest, whole) == []
        assert len(newest.orders) == 3 + hour


def test_memory_stays_flat_over_days_of_a_live_kitchen() -> None:
    source = MemorySource(table(order("first", NOON)))
    hub, sizes, t = hub_of(source), list[tuple[int, int]](), NOON
    for _ in range(60):
        batch = [one for k in range(5) for one in order(f"{t}-{k}", t + 1200 * k)]
        source.send(table(batch))
        hub.refresh()
        newest = hub.newest("sf")
        sizes.append((newest.event_count, newest.nbytes))
        t += 2 * HOUR
    assert newest.window.start > NOON + 3 * DAY
    events, held = (max(one) for one in zip(*sizes[36:], strict=True))
    assert events <= max(one for one, _ in sizes[:36])
    assert held <= 1.1 * max(one for _, one in sizes[:36])


def test_what_is_usual_is_asked_once_an_hour_and_not_for_every_batch(
    source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = list[Window]()

    def load(_: object, __: object, window: Window) -> Baseline:
        loads.append(window)
        return Baseline.none()

    monkeypatch.setattr("twin.hub.Baseline.load", load)
    hub, held = hub_of(source), list[Timeline]()
    for minute in range(12):
        source.send(table([row(f"C{minute}", "order_created", NOON + 2000 + 600 * minute)]))
        hub.refresh()
        held.append(hub.newest("sf"))
        assert hub.insights(held[-1]).timeline is held[-1]
        hub.ledger(held[-1])
    assert len(loads) == len({one.window.start for one in held}) < 5


def test_all_who_ask_at_once_wait_for_one_load(source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_of(source)
    gate, got = threading.Event(), list[Timeline]()
    window = source.window

    def gated(location: str, start: float, end: float) -> pa.Table:
        assert gate.wait(20)
        return window(location, start, end)

    monkeypatch.setattr(source, "window", gated)
    readers = [threading.Thread(target=lambda: got.append(hub.newest("sf"))) for _ in range(6)]
    for reader in readers:
        reader.start()
    gate.set()
    for reader in readers:
        reader.join(20)
    assert len(got) == 6
    assert all(one is got[0] for one in got)
    assert source.windows_read == 1


def test_every_change_calls_all_who_want_it_whatever_one_of_them_raises(
    source: MemorySource, caplog: pytest.LogCaptureFixture
) -> None:
    hub, seen = hub_of(source), list[tuple[str, int, int]]()

    def broken() -> None:
        raise RuntimeError("a session that is gone")

    end_broken = hub.on_change(broken)
    ends = [hub.on_change(lambda n=name: seen.append((n, hub.version, len(hub.newest("sf").orders)))) for name in "ab"]
    hub.refresh()
    assert seen == []
    source.send(table(order("C", NOON + 1800)))
    hub.refresh()
    assert seen == [("a", 1, 3), ("b", 1, 3)]
    assert caplog.messages == ["what was to be done after a change failed"]
    ends[0]()
    ends[0]()
    end_broken()
    source.send(table(order("D", NOON + 2400)))
    hub.refresh()
    assert seen[2:] == [("b", 2, 4)]
    source.failing = True
    with pytest.raises(SourceError):
        hub.refresh()
    assert len(seen) == 3


def test_one_function_may_be_given_twice_and_is_ended_once(source: MemorySource) -> None:
    hub, seen = hub_of(source), list[int]()
    note = lambda: seen.append(hub.version)  # noqa: E731

    ends = [hub.on_change(note), hub.on_change(note)]
    ends[0]()
    source.send(table(order("C", NOON + 1800)))
    hub.refresh()
    assert seen == [1]
