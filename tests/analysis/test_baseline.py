"""What is usual, held against counts over the orders of other days."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.analysis import baseline as module
from twin.analysis.baseline import Baseline, History
from twin.analysis.metrics import metrics_of
from twin.foundation.times import seconds
from twin.sources.base import Location, Volume, Window
from twin.timeline.orders import stages_of

DAY, HOUR = 86_400.0, 3600.0
THURSDAY = seconds("2025-10-16")
NAMES = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")


def history(rows: list[dict[str, float]]) -> History:
    milestones = np.array([[row.get(name, np.nan) for row in rows] for name in NAMES]).reshape(9, len(rows))
    return History(milestones, stages_of(milestones, np.nanmin(milestones, axis=0) if rows else np.empty(0)))


def steady(days: list[int], minutes: dict[int, float] | None = None, every: float = 600.0) -> list[dict[str, float]]:
    """Orders every ten minutes of whole days (counted from THURSDAY), delivered after 30 minutes or the day's own."""
    return [
        {
            "created": THURSDAY + day * DAY + at,
            "delivered": THURSDAY + day * DAY + at + 60 * (minutes or {}).get(day, 30.0),
        }
        for day in days
        for at in np.arange(0, DAY, every)
    ]


def window(day: int = 0) -> Window:
    return Window(THURSDAY + day * DAY, THURSDAY + (day + 1) * DAY)


def test_a_baseline_that_knows_nothing_says_nothing() -> None:
    none = Baseline.none()
    assert (none.orders_per_hour(THURSDAY), none.delivery_time(THURSDAY), none.stage_time("ready", THURSDAY)) == (
        None, None, None
    )  # fmt: skip
    assert (none.completion_before(THURSDAY), none.days, none.basis(THURSDAY)) == ((None, 0), 0, "")


def test_a_single_day_is_no_measure_of_itself() -> None:
    only = Baseline(history(steady([0])), window())
    assert only.days == 0
    assert only.orders_per_hour(THURSDAY + 12 * HOUR) is None
    assert only.delivery_time(THURSDAY + 12 * HOUR) is None


def test_the_usual_is_the_median_of_the_other_days_and_never_the_day_itself() -> None:
    rows = steady([-3, -2, -1], {-3: 20, -2: 26, -1: 90}) + steady([0], {0: 200}, every=60.0)
    usual = Baseline(history(rows), window())
    t = THURSDAY + 12.3 * HOUR
    assert usual.delivery_time(t) == pytest.approx(26 * 60)
    assert usual.orders_per_hour(t) == 6
    assert usual.stage_time("created", t) == pytest.approx(26 * 60)  # nothing is known between: all of it is in Created
    assert (usual.days, usual.basis(t)) == (3, "12 h on the 3 days before")


def test_three_days_of_the_same_weekday_are_preferred() -> None:
    rows = steady(list(range(-21, 1)), dict.fromkeys((-21, -14, -7), 40.0))
    usual = Baseline(history(rows), window())
    t = THURSDAY + 18.5 * HOUR
    assert usual.delivery_time(t) == pytest.approx(40 * 60)
    assert usual.basis(t) == "Thursdays at 18 h"
    assert usual.delivery_time(t - DAY) == pytest.approx(30 * 60)  # Wednesdays


def test_hours_that_a_cut_day_does_not_cover_do_not_count_as_empty() -> None:
    rows = [row for row in steady([-2, -1, 0]) if row["created"] >= THURSDAY - 2 * DAY + 12 * HOUR]
    usual = Baseline(history(rows), window())
    assert usual.orders_per_hour(THURSDAY + 9 * HOUR) == 6
    assert usual.basis(THURSDAY + 9 * HOUR) == "9 h on the day before"
    assert usual.basis(THURSDAY + 15 * HOUR) == "15 h on the 2 days before"


def test_a_hole_in_the_record_is_no_quiet_day() -> None:
    rows = steady([-4, -3, 0]) + steady([-2, -1], every=20_000.0)
    usual = Baseline(history(rows), window())
    assert usual.orders_per_hour(THURSDAY + 12 * HOUR) == 6


@given(st.lists(st.integers(0, 5 * 1440), min_size=1, max_size=60), st.integers(0, 1440))
def test_orders_per_hour_equals_a_count(minutes: list[int], at: int) -> None:
    rows = [{"created": THURSDAY + 60.0 * minute} for minute in minutes]
    known = history(rows)
    t = THURSDAY + 2 * DAY + 60.0 * at
    counts = []
    for day in known.days.tolist():
        other = t - t // DAY * DAY + day * DAY
        covered = other - HOUR >= min(row["created"] for row in rows) and other <= max(row["created"] for row in rows)
        if day != t // DAY and covered:
            counts.append(sum(other - HOUR < row["created"] <= other for row in rows))
    assert Baseline(known, window(2)).orders_per_hour(t) == (float(np.median(counts)) if counts else None)


def test_completion_before_is_the_metrics_own_figure_of_a_day_ago(demo: Path) -> None:
    opened = twin.open(demo)
    both_days = opened.timeline("sanfrancisco", "2025-10-16", "2025-10-18")
    second = opened.timeline("sanfrancisco", "2025-10-17", "2025-10-18")
    baseline = opened.insights(second).baseline
    for t in second.window.start + np.array([0.0, 5.5, 12.1, 18.75, 23.9]) * HOUR:
        assert baseline.completion_before(float(t)) == metrics_of(both_days).completion(float(t) - DAY)
    assert baseline.completion_before(second.window.end - 1)[1] > 200


def test_completion_is_unknown_where_the_history_does_not_reach() -> None:
    cut = Baseline(history(steady([-2, -1, 0])), window(), reach=THURSDAY - 2 * DAY)
    assert cut.completion_before(THURSDAY - 1) == (None, 0)
    assert cut.completion_before(THURSDAY + 12 * HOUR)[0] == 1.0


class FakeSource:
    """Answers volume alone: `orders` an hour over whole days."""

    def __init__(self, orders: int, days: int) -> None:
        self._volume = Volume(THURSDAY + np.arange(days * 24) * HOUR, np.full(days * 24, orders))

    def volume(self, location: str) -> Volume:
        return self._volume


def place(days: int) -> Location:
    return Location("sf", "SF", None, None, None, 1, THURSDAY, THURSDAY + days * DAY)


def test_the_history_goes_back_four_weeks_and_no_further() -> None:
    reached = module.reach(FakeSource(10, 60), place(60), window(50))
    assert reached == (THURSDAY + 23 * DAY, THURSDAY + 51 * DAY)


def test_later_days_fill_up_where_the_record_begins_late() -> None:
    assert module.reach(FakeSource(10, 7), place(7), window(0)) == (THURSDAY, THURSDAY + 7 * DAY)


def test_a_busy_kitchen_is_known_from_fewer_days() -> None:
    start, end = module.reach(FakeSource(5_000, 60), place(60), window(50))
    assert end == THURSDAY + 51 * DAY
    assert (end - start) / HOUR == module.MOST_ORDERS / 5_000
