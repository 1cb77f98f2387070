"""The ghost of another day: its moment by brute force over the clock, leads and bars by counting, the best day by its rule."""

import datetime as dt
import zoneinfo
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, FakeTimeline
from twin.analysis.baseline import Baseline, History
from twin.analysis.ghost import DayAlignment, Ghost, OtherDays, date_text, day_number, usual_volume
from twin.foundation.stages import STAGES
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.hub import Hub
from twin.sources.base import Volume, Window
from twin.sources.files import FileSource
from twin.timeline.orders import stages_of

NAMES = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")
TARGET = 1800.0
DAY_0 = int(DAY0 // DAY)

PAIRS = [
    ("America/Los_Angeles", "2025-03-09", "2025-03-02"),  # this day leaves an hour out
    ("America/Los_Angeles", "2025-03-16", "2025-03-09"),  # the other does
    ("America/Los_Angeles", "2025-11-02", "2025-10-26"),  # this day has one twice
    ("America/Los_Angeles", "2025-11-09", "2025-11-02"),  # the other has
    ("America/Los_Angeles", "2025-11-02", "2025-03-09"),  # both
    ("Australia/Lord_Howe", "2025-04-06", "2025-10-05"),  # by half an hour
    ("Asia/Beirut", "2025-03-30", "2025-03-23"),  # midnight itself is left out
    ("Asia/Kathmandu", "2025-11-02", "2025-10-26"),
]


def brute_moments(zone: str, day: str, other: str) -> dict[float, float]:
    """Data seconds of each fifth minute of a day, and the first one of the other at which the clock shows the same."""
    tz = zoneinfo.ZoneInfo(zone)

    def minutes(text: str) -> list[tuple[float, str]]:
        noon = dt.datetime.fromisoformat(f"{text} 12:00").replace(tzinfo=dt.UTC).timestamp()
        found = []
        for t in np.arange(noon - 30 * HOUR, noon + 30 * HOUR, 300.0).tolist():
            here = dt.datetime.fromtimestamp(t, tz)
            if here.date().isoformat() == text:
                found.append((t, here.strftime("%H:%M")))
        return found

    first: dict[str, float] = {}
    for t, clock in minutes(other):
        first.setdefault(clock, t)
    return {t: first.get(clock, np.nan) for t, clock in minutes(day)}


@pytest.mark.parametrize(("zone", "day", "other"), PAIRS)
def test_the_other_day_stands_where_its_clock_shows_the_same(zone: str, day: str, other: str) -> None:
    aligned = DayAlignment(Zone(zone), day_number(day), day_number(other))
    expected = brute_moments(zone, day, other)
    assert len(expected) >= 23 * 12
    pieces = aligned.pieces.stretches()
    for t, there in expected.items():
        assert aligned.at(t) == pytest.approx(there, nan_ok=True)
        shifts = [shift for start, end, shift in pieces if start <= t < end]
        assert len(shifts) == (0 if np.isnan(there) else 1)
        if shifts:
            assert t + shifts[0] == there
    assert all(a[1] <= b[0] for a, b in pairwise(pieces))


def test_of_two_days_with_a_doubled_hour_the_first_is_beside_the_first() -> None:
    tz = Zone("America/Los_Angeles")
    aligned = DayAlignment(tz, day_number("2025-11-02"), day_number("2024-11-03"))
    for zone in ("-07:00", "-08:00"):
        for clock in ("01:10", "01:50"):
            assert aligned.at(tz.seconds(f"2025-11-02T{clock}{zone}")) == tz.seconds(f"2024-11-03T{clock}{zone}")


@given(
    st.integers(-400, 400),
    st.floats(0, DAY - 1),
    st.sampled_from(["", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"]),
)
def test_pieces_say_what_each_moment_says(apart: int, into: float, zone: str) -> None:
    tz = Zone(zone)
    aligned = DayAlignment(tz, DAY_0, DAY_0 + apart)
    t = float(tz.start_of(DAY_0)) + into
    shifts = [shift for start, end, shift in aligned.pieces.stretches() if start <= t < end]
    there = aligned.at(t)
    if shifts:
        assert t + shifts[0] == pytest.approx(there, abs=1e-3)
        assert float(tz.local(there)) % DAY == pytest.approx(float(tz.local(t)) % DAY, abs=1e-3)
    else:
        assert np.isnan(there)
    assert np.isnan(aligned.at(float(tz.start_of(DAY_0)) - 1.0)), "another day has another ghost"


# -- orders --------------------------------------------------------------------------------------------------------------------
STEPS = ("created", "started", "finished", "ready", "picked_up", "delivered")
orders = st.lists(
    st.tuples(st.integers(0, 86_399), st.lists(st.integers(60, 1800), min_size=5, max_size=5), st.integers(1, 6)),
    max_size=25,
)


def rows_of(drawn: list, midnight: float) -> list[dict[str, float]]:
    rows = []
    for begin, gaps, steps in drawn:
        times = midnight + begin + np.concatenate(([0], np.cumsum(gaps)))
        rows.append({name: float(t) for name, t in zip(STEPS[:steps], times, strict=False)})
    return rows


@given(orders, orders, st.integers(0, 86_399))
def test_a_lead_is_the_difference_of_what_entered_since_midnight(own: list, other: list, into: float) -> None:
    here, there = rows_of(own, DAY0), rows_of(other, DAY0 - 7 * DAY)
    ghost = Ghost("week", DayAlignment(NAIVE, DAY_0, DAY_0 - 7), FakeTimeline(there))
    timeline, t = FakeTimeline(here), DAY0 + into
    leads = ghost.leads(timeline, t)
    # created, cooking, ready, on the road, delivered
    begins = ("created", "started", "finished", "picked_up", "delivered")

    def entered(rows: list[dict[str, float]], milestone: str, midnight: float) -> int:
        return sum(midnight <= row[milestone] <= midnight + into for row in rows if milestone in row)

    for stage, milestone in enumerate(begins):
        told = all(any(milestone in row for row in rows) or not rows for rows in (here, there))
        expected = entered(here, milestone, DAY0) - entered(there, milestone, DAY0 - 7 * DAY)
        assert leads[stage] == (expected if told else None), STAGES[stage]


def test_nobody_leads_a_ghost_that_is_the_same_day() -> None:
    drawn = [(3600.0 * k, [300] * 5, 6) for k in range(8, 20)]
    ghost = Ghost("week", DayAlignment(NAIVE, DAY_0, DAY_0 - 7), FakeTimeline(rows_of(drawn, DAY0 - 7 * DAY)))
    timeline = FakeTimeline(rows_of(drawn, DAY0))
    for t in DAY0 + np.arange(0, DAY, 977.0):
        assert ghost.leads(timeline, t) == [0] * 5
        mine, other = ghost.kpis(t, TARGET), Ghost("", DayAlignment(NAIVE, DAY_0, DAY_0), timeline).kpis(t, TARGET)
        assert mine is not None
        assert other is not None
        assert (mine.orders_per_hour, mine.delivery_time, mine.completion_due) == (
            other.orders_per_hour, other.delivery_time, other.completion_due
        )  # fmt: skip
    assert ghost.kpis(DAY0 + DAY + 1, TARGET) is None


def history(days: dict[int, tuple[int, list[float]]], tz: Zone = NAIVE) -> History:
    """Days (counted from DAY_0) of orders and the minutes of each, from ten o'clock on, every two minutes."""
    milestones = [
        {
            "created": float(tz.start_of(DAY_0 + day)) + 36_000 + 120.0 * k,
            "delivered": float(tz.start_of(DAY_0 + day)) + 36_000 + 120 * k + 60 * m,
        }
        for day, (n, minutes) in days.items()
        for k, m in zip(range(n), minutes * n, strict=False)
    ]
    columns = np.array([[row.get(name, np.nan) for row in milestones] for name in NAMES]).reshape(9, len(milestones))
    return History(columns, stages_of(columns, columns[0]), tz)


def volume_of(past: History) -> Volume:
    hour, orders = np.unique(past.began // HOUR * HOUR, return_counts=True)
    return Volume(hour, orders.astype(np.int64))


def test_the_best_day_is_never_late_and_not_empty() -> None:
    days = {
        -6: (100, [25.0, 40.0]),  # half of them late
        -5: (40, [10.0]),  # none late, but hardly an order
        -4: (90, [28.0]),
        -3: (95, [22.0]),  # as little late, and faster
        -2: (100, [22.0] * 9 + [50.0]),
        -1: (105, [22.0]),  # as good in both: the later one
        0: (100, [5.0]),  # the day shown
    }
    past = history(days)
    others = OtherDays(volume_of(past), past, NAIVE, TARGET)
    best = others.best(DAY_0)
    assert best is not None
    assert (best.day, best.late, best.delivery_s) == (DAY_0 - 1, 0.0, 22 * 60.0)
    assert others.of("best", DAY_0) == DAY_0 - 1
    assert others.of("best", DAY_0 - 1) == DAY_0, "seen from another day, this one may be the best"
    without = OtherDays(volume_of(past), history({-5: (40, [10.0]), 0: (100, [5.0])}), NAIVE, TARGET)
    assert without.of("best", DAY_0) == DAY_0 - 5, "all other days are half of their own median"
    alone = OtherDays(volume_of(past), history({0: (100, [5.0])}), NAIVE, TARGET)
    assert alone.best(DAY_0) is None


def test_what_a_choice_means_follows_the_day_that_is_shown() -> None:
    past = history({day: (100, [20.0]) for day in range(-9, 1)} | {-8: (3, [20.0])})
    others = OtherDays(volume_of(past), past, NAIVE, TARGET)
    assert DAY_0 - 8 not in others.orders, "a gap in the data is no day"
    assert others.of("week", DAY_0) == DAY_0 - 7
    assert others.of("week", DAY_0 - 1) is None
    assert others.of("week", DAY_0 - 4) is None
    assert others.of(date_text(DAY_0 - 2), DAY_0) == DAY_0 - 2
    assert others.of(date_text(DAY_0), DAY_0) is None, "no day is its own ghost"
    for nothing in ("", "usual", "worst", "2025-02-30", "1999-01-01"):
        assert others.of(nothing, DAY_0) is None
    empty = OtherDays(Volume(np.empty(0), np.empty(0, np.int64)), None, NAIVE, TARGET)
    assert (empty.orders, empty.best(DAY_0), empty.of("week", DAY_0)) == ({}, None, None)


@pytest.mark.parametrize("zone", ["", "America/Los_Angeles"])
def test_bars_count_the_orders_of_the_same_stretch_of_the_other_day(zone: str) -> None:
    tz = Zone(zone)
    rng = np.random.default_rng(23)
    past = history({day: (int(rng.integers(80, 200)), [20.0]) for day in range(-9, 3)}, tz)
    others = OtherDays(volume_of(past), past, tz, TARGET)
    start, end = float(tz.start_of(DAY_0 - 1)) + 7 * HOUR, float(tz.start_of(DAY_0 + 1)) + 7 * HOUR
    edges = np.arange(start, end + 1, 1200.0)
    counts = others.volume("week", edges)
    expected = [
        int(np.count_nonzero((past.began >= a - 7 * DAY) & (past.began < b - 7 * DAY))) for a, b in pairwise(edges)
    ]
    assert counts == expected
    assert sum(counts) > 100
    chosen = others.volume(date_text(DAY_0 - 1), edges)
    same_day = np.array([tz.day(edge) == DAY_0 - 1 for edge in edges[:-1].tolist()])
    assert all((count is None) == own for count, own in zip(chosen, same_day, strict=True)), "no day is its own ghost"


def test_usual_bars_are_the_usual_of_their_hour() -> None:
    past = history({day: (300, [20.0]) for day in range(-6, 1)})
    baseline = Baseline(past, Window(DAY0, DAY0 + DAY))
    edges = DAY0 + np.arange(0, DAY + 1, HOUR)
    bars = usual_volume(baseline, edges)
    assert bars[12] == 30.0, "an order every two minutes"
    assert bars[3] == 0.0
    leads = Ghost("usual", baseline=baseline).leads(FakeTimeline([{"created": DAY0 + 36_000.0}]), DAY0 + 11 * HOUR)
    assert leads[0] == 1 - 31
    assert Ghost("usual", baseline=baseline).kpis(DAY0, TARGET) is None


def test_the_history_and_a_loaded_day_count_alike(demo: Path) -> None:
    hub = Hub(FileSource(demo))
    window = hub.last_hours("chicago")
    baseline = Baseline.load(hub.source, hub.location("chicago"), window)
    others = OtherDays(hub.source.volume("chicago"), baseline.history, NAIVE, TARGET)
    day = int(window.start // DAY)
    other = others.best(day)
    assert other is not None
    aligned = DayAlignment(NAIVE, day, other.day)
    loaded = Ghost("best", aligned, hub.timeline("chicago", other.day * DAY, (other.day + 1) * DAY))
    edges = np.arange(day * DAY, (day + 1) * DAY + 1, 600.0)
    counts = others.volume(date_text(other.day), edges)
    assert counts == others.volume(date_text(other.day), edges, loaded)
    assert sum(count or 0 for count in counts) > 100
