"""The orders that are expected: neither silence outside the record nor a bad day moves them, and little is not told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import worlds
from tests.analysis.test_detectors import DAY, HOUR, history_of, timeline_of
from twin.analysis.baseline import Baseline
from twin.analysis.moments import TROUBLES, Moment, find
from twin.analysis.moments.days import BIN, BINS, midnight_of
from twin.analysis.moments.expected import edges, expected, surprise
from twin.sources.base import Window

MONDAY = 20_248 * DAY
DAY_OF_MONDAY = 20_248
COURSE = (
    0.3
    + np.exp(-(((np.arange(BINS) / 60 - 12.3) / 0.9) ** 2))
    + 1.6 * np.exp(-(((np.arange(BINS) / 60 - 18.7) / 1.2) ** 2))
)
LATE = np.roll(COURSE, 60)


def orders(
    days: int, a_day: float, seed: int = 1, weekend: float = 1.0, course_of_weekend: np.ndarray = COURSE
) -> np.ndarray:
    """Return sorted times of orders; the level of a day differs by 5 % or so."""
    rng = np.random.default_rng(seed)
    parts = []
    for day in range(days):
        course, factor = (course_of_weekend, weekend) if day % 7 >= 5 else (COURSE, 1.0)
        rate = a_day * factor * rng.normal(1, 0.05) * course / COURSE.sum()
        minute = np.repeat(np.arange(BINS), rng.poisson(rate))
        parts.append(MONDAY + day * DAY + (minute + rng.random(len(minute))) * BIN)
    return np.sort(np.concatenate(parts))


def between(times: np.ndarray, start: float, end: float) -> np.ndarray:
    """Whether times lie in hours start..end after the first midnight."""
    return (times >= MONDAY + start * HOUR) & (times < MONDAY + end * HOUR)


def troubles(times: np.ndarray, first: int, last: int) -> list[Moment]:
    """Return the troubles of days first..last (exclusive)."""
    history, window = history_of(times), Window(MONDAY + first * DAY, MONDAY + last * DAY)
    return [m for m in find(timeline_of(history, window), Baseline(history, window)) if m.kind in TROUBLES]


@pytest.mark.slow
@pytest.mark.parametrize("begin", [6, 9, 15, 18, 21])
@pytest.mark.parametrize("days", [2, 3, 7])
def test_a_record_that_begins_and_ends_at_any_hour_has_neither_rush_nor_outage(begin: int, days: int) -> None:
    times = orders(days, 500, seed=begin)
    for cut in (times[between(times, begin, 999)], times[between(times, 0, days * 24 - begin)]):
        assert troubles(cut, 0, days) == []


@pytest.mark.parametrize("last", [4, 6])
def test_half_a_day_of_outage_is_an_outage_with_its_loss_and_no_rush_in_the_other_half(last: int) -> None:
    times = orders(7, 900)
    gone = between(times, last * 24, last * 24 + 15) if last == 6 else between(times, last * 24 + 14.5, last * 24 + 24)
    (found,) = troubles(times[~gone], last, last + 1)
    assert (found.kind, found.title, found.figures["orders"]) == ("outage", "No orders come in", 0)
    assert found.figures["usual_orders"] == pytest.approx(np.count_nonzero(gone), rel=0.15)
    assert f"{found.figures['usual_orders']:.0f} are usual" in found.sentence


@pytest.mark.parametrize("days", [3, 7, 21])
@pytest.mark.parametrize("dead", [-1, -2])
def test_a_day_dead_but_for_five_orders_is_told(days: int, dead: int) -> None:
    times = orders(days, 700)
    day = days + dead
    lone = MONDAY + day * DAY + np.array([8, 11.4, 13.1, 17.2, 20.6]) * HOUR
    lively = np.sort(np.concatenate((times[~between(times, day * 24, day * 24 + 24)], lone)))
    (found,) = [m for m in troubles(lively, day, day + 1) if m.kind != "peak"]
    assert (found.kind, found.title) == ("outage", "Hardly any orders come in")
    assert found.figures["usual_orders"] - found.figures["orders"] == pytest.approx(
        700, rel=0.25 if dead == -2 else 0.45
    )
    assert found.severity > 0.9


def test_an_outage_over_midnight_is_one_moment() -> None:
    times = orders(7, 900)
    gone = between(times, 3 * 24 + 17, 4 * 24 + 13)
    (found,) = troubles(times[~gone], 0, 7)
    assert found.start == pytest.approx(MONDAY + (3 * 24 + 17) * HOUR, abs=180)
    assert found.end == pytest.approx(MONDAY + (4 * 24 + 13) * HOUR, abs=180)


@pytest.mark.slow
def test_a_gap_of_minutes_is_no_outage_however_busy_the_kitchen() -> None:
    times = orders(3, 60_000)
    calm = troubles(times, 0, 3)
    gone = between(times, 42.5, 42.5 + 4 / 60)
    assert np.count_nonzero(gone) > 200
    assert troubles(times[~gone], 0, 3) == calm == []


@pytest.mark.slow
def test_a_weekend_is_no_rush_once_there_are_two_of_it() -> None:
    times = orders(14, 8_000, weekend=1.8, course_of_weekend=LATE)
    assert troubles(times, 11, 14) == []
    assert troubles(times, 4, 7) == []


def test_weekdays_without_late_orders_are_no_outage_once_there_are_two_of_them() -> None:
    early = np.where(np.arange(BINS) > 20 * 60, 0.0, COURSE)
    assert troubles(orders(14, 2_000, course_of_weekend=early), 11, 14) == []


def test_a_straggler_far_from_the_record_is_not_its_edge() -> None:
    times = orders(7, 500)
    for lone in ([MONDAY - 40 * HOUR], [MONDAY + 9 * DAY], [MONDAY - 40 * HOUR, MONDAY + 9 * DAY, MONDAY + 9.4 * DAY]):
        assert troubles(np.sort(np.concatenate((times, lone))), -3, 11) == []
    assert edges(np.sort(np.append(times, MONDAY - 40 * HOUR)))[0] == times[0]


def test_a_rush_is_told_on_a_busy_weekend_too() -> None:
    times = orders(21, 900, weekend=1.6, course_of_weekend=LATE)
    rush = MONDAY + 19 * DAY + np.random.default_rng(1).uniform(15, 15.7, 90) * HOUR
    (found,) = troubles(np.sort(np.concatenate((times, rush))), 19, 20)
    assert found.kind == "demand_spike"
    assert found.figures["orders"] - found.figures["usual_orders"] == pytest.approx(90, abs=20)


def test_groups_that_order_together_are_no_rush() -> None:
    kinds = []
    for seed in range(5):
        times = np.repeat(orders(7, 150, seed), 4)
        late = np.random.default_rng(seed).exponential(40, len(times))
        kinds += [moment.kind for moment in troubles(np.sort(times + late), 0, 7)]
    assert kinds.count("demand_spike") == 0
    assert len(kinds) <= 2  # true gaps of hours: there are few groups


@pytest.mark.parametrize("orders_a_day", [400.0, 2_000.0])
def test_how_demand_wanders_is_measured_in_small_kitchens_too(orders_a_day: float) -> None:
    """By its standard deviation over hours: some of it is the day's level, and an hour evens out what wanders within it."""
    shares = []
    for seed in range(7_000, 7_008):
        plan = worlds.Plan(orders=orders_a_day, noise=0.25, slow_noise=0.08)
        began = worlds.made_of("wandering", plan, seed).history.began
        first = int(worlds.MONDAY // DAY)
        found = expected(began, first, first + plan.days - 1)
        assert found is not None
        shares.append(np.sqrt(found.wander) / plan.noise)
    assert 0.55 <= np.median(shares) <= 1.0
    steady = worlds.made_of("steady", worlds.Plan(orders=orders_a_day, noise=0.02, day_noise=0.0), 7_000).history.began
    calm = expected(steady, first, first + 27)
    assert calm is not None
    assert calm.wander == pytest.approx(0.005)


def test_nothing_is_expected_without_another_day() -> None:
    assert expected(orders(1, 500), DAY_OF_MONDAY, DAY_OF_MONDAY) is None


def test_what_nothing_is_known_of_is_not_expected() -> None:
    times = orders(2, 500)
    times = times[between(times, 15, 40)]  # nine hours of the first day, sixteen of the second, one of them in common
    demand = expected(times, DAY_OF_MONDAY, DAY_OF_MONDAY + 1)
    assert demand is not None
    hours = np.isfinite(demand.usual).reshape(2, 24, 60).mean(axis=2)
    assert hours[0, :15].max() == 0
    assert hours[1, 16:].max() == 0
    assert hours[:, 15].min() > 0.8


def test_what_is_expected_is_what_comes_on_average() -> None:
    times = orders(28, 600, weekend=1.5, course_of_weekend=LATE)
    demand = expected(times, DAY_OF_MONDAY, DAY_OF_MONDAY + 27)
    assert demand is not None
    whole = np.isfinite(demand.usual)
    assert demand.usual[whole].sum() == pytest.approx(demand.orders[whole].sum(), rel=0.05)
    hourly, usual = (
        np.where(whole, table, 0).reshape(28, 24, 60).sum(axis=(0, 2)) for table in (demand.orders, demand.usual)
    )
    assert usual == pytest.approx(hourly, rel=0.2)
    assert (demand.least[whole] <= demand.most[whole]).all()
    assert demand.groups < 1.2
    assert demand.spread < 0.03


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 6), st.integers(2, 5))
def test_a_day_sets_its_level_but_not_its_course(day: int, times_as_many: int) -> None:
    times = orders(7, 900)
    own = between(times, day * 24, day * 24 + 24)
    shuffled = np.concatenate((times[~own], np.tile(MONDAY + day * DAY + (times[own] * 7.3) % DAY, 1)))
    more = np.concatenate((times[~own], np.repeat(times[own], times_as_many)))
    usual = [
        expected(np.sort(one), DAY_OF_MONDAY + day, DAY_OF_MONDAY + day).usual[0]  # type: ignore[union-attr]
        for one in (times, more, shuffled)
    ]
    inside = np.isfinite(usual[0]) & (usual[0] > 0)
    assert np.ptp(usual[1][inside] / usual[0][inside]) < 0.2
    assert np.median(usual[1][inside] / usual[0][inside]) == pytest.approx(times_as_many, rel=0.05)
    both = inside & np.isfinite(usual[2]) & (usual[2] > 0)
    assert np.ptp(usual[2][both] / usual[0][both]) < 0.2


@given(st.integers(0, 200), st.floats(0.01, 200))
def test_the_surprise_of_nothing_is_what_was_expected(orders_placed: int, mean: float) -> None:
    assert float(surprise(np.array(0.0), np.array(mean))) == pytest.approx(mean)
    assert float(surprise(np.array(float(orders_placed)), np.array(mean))) >= -1e-9
    assert float(surprise(np.array(mean), np.array(mean))) == pytest.approx(0, abs=1e-6)


def test_midnight_begins_a_day() -> None:
    assert midnight_of(DAY_OF_MONDAY) == MONDAY
