"""One detector that fails takes nothing along; no shape of data makes one fail."""

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.worlds import Bare
from twin.analysis import moments as module
from twin.analysis.baseline import Baseline, History
from twin.analysis.insights import Insights
from twin.analysis.moments import DETECTORS, Findings, cooking, deliveries, demand, detect, drivers
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.known import TroublesAsKnown
from twin.foundation import event_types as ev
from twin.foundation.zones import NAIVE
from twin.sources.base import Window
from twin.timeline.orders import stages_of
from twin.timeline.timeline import Timeline

DAY, HOUR = 86_400.0, 3600.0
FIRST = 20_000 * DAY
MINUTES = np.array([0, 2, 10, 12, 11, 15, 16, 25, np.nan])
"""From creation to each milestone, in the order of `events`; nothing is cancelled."""


def history_of(created: np.ndarray, minutes: np.ndarray = MINUTES) -> History:
    milestones = created + 60 * np.broadcast_to(minutes.reshape(9, -1), (9, len(created)))
    return History(milestones, stages_of(milestones, created))


def timeline_of(history: History, window: Window, margin: float = 4 * HOUR) -> Timeline:
    inside = (history.enter[0] >= window.start - margin) & (history.enter[0] < window.end)
    orders = History(history.milestones[:, inside], history.enter[:, inside])
    return cast("Timeline", Bare(orders=orders, window=window, tz=NAIVE, location=SimpleNamespace(id="kitchen")))


def a_bad_evening() -> tuple[Timeline, Baseline]:
    """Return a week whose fourth day has a rush, and meals that wait for late drivers."""
    rng = np.random.default_rng(7)
    created = [FIRST + day * DAY + rng.uniform(9, 22, 400) * HOUR for day in range(7)]
    created.append(FIRST + 3 * DAY + rng.uniform(14, 15, 150) * HOUR)
    times = np.sort(np.concatenate(created))
    minutes = np.repeat(MINUTES[:, None], len(times), axis=1) + rng.normal(0, 0.2, (9, len(times)))
    evening = (times > FIRST + 3 * DAY + 18 * HOUR) & (times < FIRST + 3 * DAY + 19 * HOUR)
    minutes[4:, evening] += 20
    history = history_of(times, minutes)
    window = Window(FIRST + 3 * DAY, FIRST + 4 * DAY)
    return timeline_of(history, window), Baseline(history, window)


OWNERS: dict[str, tuple[Any, str]] = {
    "kitchen": (cooking, "troubles"),
    "waits": (drivers, "waits"),
    "late_drivers": (drivers, "late_drivers"),
    "drives": (drivers, "drives"),
    "uneven_kitchen": (cooking, "uneven"),
    "uneven_drives": (drivers, "uneven_drives"),
    "deliveries": (deliveries, "troubles"),
    "demand": (demand, "rushes_and_lulls"),
    "peaks": (demand, "peaks"),
}


def broken(*_: object) -> list[object]:
    raise ZeroDivisionError("nobody foresaw this")


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_that_fails_is_named_and_the_others_find_what_they_find(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = detect(*a_bad_evening())
    assert {moment.kind for moment in whole.moments} >= {"driver_shortage", "demand_spike"}
    assert whole.failed == ()
    monkeypatch.setattr(*OWNERS[name], broken)
    with caplog.at_level(logging.ERROR):
        partly = detect(*a_bad_evening())
    assert partly.failed == (name,)
    assert "nobody foresaw this" in caplog.text
    assert "Traceback" in caplog.text
    expected = {"waits": {"driver_shortage"}, "demand": {"demand_spike"}}.get(name, set())
    lost = {moment.kind for moment in whole.moments} - {moment.kind for moment in partly.moments}
    assert lost - {"peak"} <= expected


def test_orders_that_cannot_be_prepared_leave_every_detector_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Evidence, "of", classmethod(broken))
    assert detect(*a_bad_evening()) == Findings(failed=tuple(DETECTORS))


def test_insights_say_in_words_what_was_not_examined() -> None:
    timeline, baseline = a_bad_evening()
    insights = Insights(timeline, baseline, (), ("drives", module.HISTORY))
    assert insights.unexamined == ["drives", "the days around it"]


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all": lambda t: t,
    "a day without orders": lambda t: t[t // DAY != FIRST // DAY + 3],
    "two days without orders": lambda t: t[~np.isin(t // DAY, FIRST // DAY + np.array([3, 4]))],
    "a day of one order": lambda t: np.concatenate([t[t // DAY != FIRST // DAY + 3], [FIRST + 3.5 * DAY]]),
    "empty hours": lambda t: t[(t % DAY // HOUR).astype(int) % 3 != 0],
    "one order": lambda t: t[:1],
    "two orders, a week apart": lambda t: t[[0, -1]],
    "many at one time": lambda t: np.repeat(t[:3], 500),
}
MISSING: dict[str, list[int]] = {
    "nothing": [],
    "order_created": [0],
    "delivered": [7],
    "all but created": [1, 2, 3, 4, 5, 6, 7],
    "all but delivered": [0, 1, 2, 3, 4, 5, 6],
    "every milestone": list(range(9)),
}
RANGES = [(0, 7), (3, 4), (2, 4), (3, 5), (2.5, 4.2), (3.1, 3.2), (-3, 2), (5, 10), (9, 10)]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("missing", MISSING)
def test_no_detector_fails_whatever_is_missing(shape: str, missing: str) -> None:
    rng = np.random.default_rng(3)
    times = np.sort(np.concatenate([FIRST + day * DAY + rng.uniform(8, 22, 200) * HOUR for day in range(7)]))
    whole = history_of(np.sort(SHAPES[shape](times)))
    milestones = whole.milestones.copy()
    milestones[MISSING[missing]] = np.nan
    history = History(milestones, stages_of(milestones, whole.created))
    for first, last in RANGES:
        window = Window(FIRST + first * DAY, FIRST + last * DAY)
        timeline = timeline_of(history, window)
        for baseline in (Baseline(history, window), Baseline.none()):
            assert detect(timeline, baseline).failed == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_detector_fails_on_random_records(seed: int) -> None:
    """Days and milestones missing at random, jumps back in time, several orders of magnitude of orders, any range."""
    rng = np.random.default_rng(seed)
    days = np.flatnonzero(rng.random(rng.integers(1, 9)) < 0.6)
    opens = rng.uniform(0, 23, len(days))
    counts = rng.choice([1, 3, 30, 300, 1000], len(days))
    parts = [
        FIRST + day * DAY + HOUR * rng.uniform(start, start + rng.uniform(0.01, 24 - start), count)
        for day, start, count in zip(days, opens, counts, strict=True)
    ]
    times = np.sort(np.concatenate([*parts, [FIRST + 3.5 * DAY]]))
    steps = rng.exponential(10, (9, len(times))) * rng.choice([0, 1, 10, -0.1], (9, len(times)), p=[0.1, 0.7, 0.1, 0.1])
    steps[0] = 0
    milestones = times + 60 * np.cumsum(steps, axis=0)
    milestones[rng.random(milestones.shape) < rng.choice([0, 0.1, 0.5])] = np.nan
    milestones[rng.random(9) < 0.2] = np.nan
    history = History(milestones, stages_of(milestones, times))
    start = rng.uniform(-2, 9)
    window = Window(FIRST + start * DAY, FIRST + (start + rng.exponential(2) + 1e-3) * DAY)
    around = History(milestones[:, : len(times) // 2], history.enter[:, : len(times) // 2])
    for known in (history, around, None):
        assert detect(timeline_of(history, window), Baseline(known, window)).failed == ()


def test_where_no_pick_up_is_recorded_no_meal_waits_for_one() -> None:
    """From ready to delivered is a drive, too: nobody knows how long of it the food stood."""
    timeline, baseline = a_bad_evening()
    assert "driver_shortage" in {one.kind for one in detect(timeline, baseline).moments}
    milestones = baseline.history.milestones.copy()
    milestones[[ev.DRIVER_ARRIVED, ev.DRIVER_PICKED_UP, ev.DRIVER_PING]] = np.nan
    history = History(milestones, stages_of(milestones, milestones[ev.ORDER_CREATED]))
    window = timeline.window
    silent, usual = timeline_of(history, window), Baseline(history, window)
    told = detect(silent, usual).moments
    assert {one.stage for one in told} <= {"created", "cooking", ""}
    assert not any("pick-up" in one.sentence or "cold" in one.sentence for one in told)
    troubles = TroublesAsKnown(silent, usual)
    for t in np.arange(window.start + 17.5 * HOUR, window.start + 21 * HOUR, 1200.0):
        assert not any(one.stage == "ready" for one in troubles.at(t).moments)
