"""What early signs rest on: scores that mean nothing on average while all is usual, and counts of orders as they vary."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import worlds
from benchmarks.alerts import recorded
from benchmarks.worlds import DAY, HOUR
from twin.analysis.alerts import Evaluation, Rule, TroubleCondition
from twin.analysis.alerts.backtest import backtest
from twin.analysis.alerts.demand import Demand, surprise_of_fewer, surprise_of_more
from twin.analysis.alerts.machine import Firing
from twin.analysis.alerts.survival import Survival
from twin.analysis.baseline import Baseline, History
from twin.analysis.moments.evidence import Evidence, phase_of
from twin.sources.base import Window

SEED = 5_100


def fired(history: History, kind: str, window: Window) -> list[Firing]:
    result = backtest(Evaluation(history, "x"), Rule(TroubleCondition(kind), 0.0), window, ())
    return [one.firing for one in result.fired]


def without(history: History, start: float, end: float) -> History:
    """Return a record without the orders of a stretch."""
    other = ~((history.enter[0] >= start) & (history.enter[0] < end))
    return History(history.milestones[:, other], history.enter[:, other])


def evidence_of(made: worlds.World, window: Window) -> Evidence:
    return Evidence.of(replace(made, window=window).timeline(), Baseline(made.history, window), 300.0, 600.0)


@pytest.mark.parametrize("phase", ["queue", "cook", "wait", "drive"])
def test_what_is_seen_of_usual_orders_at_any_age_is_as_likely_as_ever(phase: str) -> None:
    """The mean of exp(score) over the history's own orders is 1, of those still open and those that left together."""
    made = worlds.made_of("steady", worlds.Plan(days=7), SEED)
    evidence = evidence_of(made, Window(made.window.end, made.window.end + DAY))
    times = phase_of(evidence.history, phase)
    measured = np.isfinite(times.length)
    centre, spread = evidence.usual(phase).over_all_days(times.start[measured])
    beyond = (times.length[measured] - centre) / spread
    for scores in Survival.of(evidence, phase):
        for age in np.linspace(-1.0, 3.0, 9):
            seen = np.where(beyond > age, scores.still_open(np.full(len(beyond), age)), scores.left(beyond))
            assert np.exp(seen).mean() <= 1.01  # less where the most that an order counts cuts it off
            assert age > 2.0 or np.exp(seen).mean() >= 0.97
        assert (scores.still_open(np.linspace(-9, 99, 50)) >= 0).all()
        assert 2 * scores.still_open(np.array([99.0])) < scores.height  # two orders that are lost are no trouble


@given(st.integers(0, 30), st.floats(0.2, 20.0), st.floats(1.05, 9.0))
def test_counts_of_groups_are_negative_binomial(orders: int, mean: float, groups: float) -> None:
    size = mean / (groups - 1)
    log = [
        math.lgamma(k + size)
        - math.lgamma(size)
        - math.lgamma(k + 1)
        + size * math.log(1 / groups)
        + k * math.log(1 - 1 / groups)
        for k in range(3_000)
    ]
    fewer, more = (math.fsum(map(math.exp, part)) for part in (log[: orders + 1], log[orders:]))
    given_counts = np.array([float(orders)]), np.array([mean]), np.array([groups * mean])
    assert surprise_of_fewer(*given_counts)[0] == pytest.approx(-math.log(fewer), abs=1e-6)
    assert surprise_of_more(*given_counts)[0] == pytest.approx(-math.log(more), abs=1e-6)


@pytest.mark.parametrize("orders", [60.0, 400.0])
def test_a_day_that_begins_is_expected_as_those_before_it_however_small_the_kitchen(orders: float) -> None:
    made = worlds.made_of("steady", worlds.Plan(days=15, orders=orders, day_noise=0.0), SEED)
    day = made.window.end - DAY
    before = without(made.history, day, np.inf)
    evidence = evidence_of(replace(made, history=before), Window(day, day + DAY))
    found = Demand(evidence, day, day)._expected
    assert found is not None
    assert np.nansum(found.usual[-1]) == pytest.approx(orders, rel=0.12)


@pytest.mark.slow
def test_groups_of_friends_at_a_quiet_hour_are_no_rush() -> None:
    for seed in range(SEED, SEED + 3):
        made = worlds.made_of("bursts", worlds.Plan(burst=5.0), seed)
        assert fired(made.history, "demand_spike", recorded(made)) == []


@pytest.mark.slow
def test_a_kitchen_that_wakes_up_after_half_a_day_is_silent_once_and_has_no_rush() -> None:
    made = worlds.made_of("steady", worlds.Plan(days=10), SEED)
    day = made.window.end - DAY
    asleep = without(made.history, day, day + 14 * HOUR)
    window = Window(day - DAY, made.window.end - HOUR)
    assert fired(asleep, "demand_spike", window) == []
    (silence,) = fired(asleep, "outage", window)
    assert silence.ended is not None
    assert day + 13 * HOUR <= silence.ended <= day + 15.5 * HOUR


@pytest.mark.slow
def test_a_silence_over_midnight_is_one() -> None:
    made = worlds.made_of("steady", worlds.Plan(days=10, orders=900.0), SEED)
    midnight = made.window.end - DAY
    silent = without(made.history, midnight - 4 * HOUR, midnight + 9 * HOUR)
    (silence,) = fired(silent, "outage", Window(midnight - DAY, midnight + 12 * HOUR))
    assert silence.began < midnight - 3 * HOUR
    assert silence.ended is not None
    assert silence.ended > midnight + 8 * HOUR
