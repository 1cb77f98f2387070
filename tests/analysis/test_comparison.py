"""Two ranges side by side: what differs is told, what chance explains is not, whichever of them comes first."""

import dataclasses
import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import worlds
from benchmarks.worlds import DAY, HOUR, MONDAY, Plan
from twin.analysis.baseline import History
from twin.analysis.comparison import (
    BLOCK,
    DELIVERY,
    FEWEST_BLOCKS,
    GOOD,
    LABELS,
    LATE,
    ORDERS,
    STAGE_NAMES,
    Comparison,
    Difference,
    Side,
    compare,
    sentence_of,
)
from twin.foundation import event_types as ev
from twin.foundation.stages import COMPLETED, COOKING, CREATED, OUT_FOR_DELIVERY, READY
from twin.foundation.zones import Zone
from twin.sources.base import Window
from twin.timeline.orders import stages_of

TARGET = 1800.0
SEED = 31_000
"""Nothing was tuned on it."""
PLANS: dict[str, Callable[[], Plan]] = {
    "steady": lambda: Plan(days=14),
    "small": lambda: Plan(days=14, orders=60),
    "large": lambda: Plan(days=14, orders=2000),
    "restless": lambda: Plan(days=14, noise=0.25, slow_noise=0.08),
    "wild days": lambda: Plan(days=14, day_noise=0.3),
    "bursts": lambda: Plan(days=14, burst=4),
}


def weeks(name: str, seed: int) -> tuple[Side, Side]:
    """Two equal weeks of one world, one after the other."""
    history = worlds.made_of(name, PLANS[name](), seed).history
    week = 7 * DAY
    return Side(history, Window(MONDAY, MONDAY + week)), Side(history, Window(MONDAY + week, MONDAY + 2 * week))


def slower(side: Side, stage: int, share: float) -> Side:
    """The same orders, a stage of which takes longer, and all that follows comes later."""
    of, inside = side.history.milestones.copy(), side.history.enter[0] >= side.window.start
    begin, end = side.history.enter[stage], side.history.enter[stage + 1]
    ended = np.isfinite(end)
    later = np.zeros_like(end)
    later[ended & inside] = share * (end - np.where(ended, begin, 0.0))[ended & inside]
    moved = {
        CREATED: ev.GK_STARTED,
        COOKING: ev.GK_FINISHED,
        READY: ev.DRIVER_PICKED_UP,
        OUT_FOR_DELIVERY: ev.DELIVERED,
    }
    order = [ev.GK_STARTED, ev.GK_FINISHED, ev.GK_READY, ev.DRIVER_PICKED_UP, ev.DRIVER_PING, ev.DELIVERED]
    of[order[order.index(moved[stage]) :]] += later
    return Side(History(of, stages_of(of, side.history.enter[0])), side.window)


def halves(name: str, seed: int) -> tuple[Side, Side]:
    """The orders of one week, each put on one of two sides by a coin."""
    side, _ = weeks(name, seed)
    of, window = side.history, side.window
    heads = np.random.default_rng(seed).random(len(of)) < 0.5
    one, other = (History(of.milestones[:, mine], of.enter[:, mine], of.tz) for mine in (heads, ~heads))
    return Side(one, window), Side(other, window)


@pytest.mark.parametrize("pairs", [weeks, halves])
def test_of_two_equal_weeks_and_of_halves_of_one_at_most_one_figure_in_twenty_differs(
    pairs: Callable[[str, int], tuple[Side, Side]],
) -> None:
    flagged = [
        bool(one.change)
        for name in PLANS
        for seed in range(8)
        for one in compare(*pairs(name, SEED + seed), TARGET).differences
        if one.low is not None
    ]
    assert len(flagged) > 400
    assert np.mean(flagged) <= 0.05


@pytest.mark.parametrize("stage", [CREATED, COOKING, READY, OUT_FOR_DELIVERY])
def test_a_stage_that_takes_a_tenth_longer_is_found(stage: int) -> None:
    found = []
    for seed in range(20):
        first, second = weeks("steady", SEED + seed)
        found.append(compare(first, slower(second, stage, 0.1), TARGET).of(STAGE_NAMES[stage]).change == "worse")
    assert np.mean(found) >= 0.9


def test_a_range_does_not_differ_from_itself() -> None:
    for name in PLANS:
        side, _ = weeks(name, SEED)
        same = compare(side, side, TARGET)
        assert {(one.difference, one.low, one.high, one.change) for one in same.differences} == {(0.0, 0.0, 0.0, "")}
        assert same.left_out == (0, 0)
        assert same.sentence == "No figure of the second differs from the first by more than chance."


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_a_source_returns_them_makes_no_difference(seed: int) -> None:
    side, _ = weeks("steady", SEED)
    order = np.random.default_rng(seed).permutation(len(side.history))
    shuffled = History(side.history.milestones[:, order], side.history.enter[:, order], side.history.tz)
    same = compare(side, Side(shuffled, side.window), TARGET)
    assert {(one.difference, one.low, one.high, one.change) for one in same.differences} == {(0.0, 0.0, 0.0, "")}


OPPOSITE = {"better": "worse", "worse": "better", "more": "less", "less": "more", "": ""}


@given(
    seed=st.integers(0, 10_000),
    start=st.floats(0, 5),
    lengths=st.tuples(st.floats(0.3, 7), st.floats(0.3, 7)),
    later=st.floats(0, 6),
)
def test_the_other_way_round_it_is_the_negative(
    seed: int, start: float, lengths: tuple[float, float], later: float
) -> None:
    history = worlds.made_of("hypothesis", Plan(days=14, orders=40), seed % 20).history
    one, other = (
        Side(history, Window(MONDAY + begin * DAY, MONDAY + (begin + length) * DAY))
        for begin, length in zip((start, start + later), lengths, strict=True)
    )
    try:
        forth = compare(one, other, TARGET)
    except ValueError:
        with pytest.raises(ValueError, match="no half hour"):
            compare(other, one, TARGET)
        return
    back = compare(other, one, TARGET)
    assert (forth.hours, forth.orders, forth.left_out) == (back.hours, back.orders[::-1], back.left_out[::-1])
    for a, b in zip(forth.differences, back.differences, strict=True):
        assert (a.first, a.second, OPPOSITE[a.change]) == (b.second, b.first, b.change)
        for mine, his in ((a.difference, b.difference), (a.low, b.high), (a.high, b.low)):
            assert (mine is None) == (his is None)
            assert mine is None or his is None or mine == pytest.approx(-his, abs=1e-9)


def test_figures_are_those_of_a_slow_count() -> None:
    """Monday of one week against Monday of the next, in the half hours of both: from 10:00 the second has no record."""
    history = worlds.made_of("count", Plan(days=14), SEED).history
    week = 7 * DAY
    one, other = Window(MONDAY, MONDAY + DAY), Window(MONDAY + week, MONDAY + week + 10 * HOUR)
    got = compare(Side(history, one), Side(history, other), TARGET)
    created, delivered = history.milestones[ev.ORDER_CREATED], history.milestones[ev.DELIVERED]
    for window, side in ((Window(MONDAY, MONDAY + 10 * HOUR), "first"), (other, "second")):
        inside = (created >= window.start) & (created < window.end)
        took = (delivered - created)[inside]
        took = took[(took >= 0) & (took <= 4 * HOUR)]
        expected = {
            ORDERS: inside.sum() / 10,
            DELIVERY: took.mean() / 60,
            LATE: 100 * np.mean(took >= TARGET + 30),
            STAGE_NAMES[COOKING]: np.nanmean(
                (history.milestones[ev.GK_FINISHED] - history.milestones[ev.GK_STARTED])[inside]
            )
            / 60,
        }
        for name, value in expected.items():
            assert getattr(got.of(name), side) == pytest.approx(value), (name, side)
    assert got.hours == 10
    assert got.by_weekday
    assert got.left_out == (int(((created >= MONDAY + 10 * HOUR) & (created < MONDAY + DAY)).sum()), 0)


def test_drivers_are_those_who_carry_an_order() -> None:
    """One order on the road from 12:15 to 12:45, in a window of two hours: a quarter of a driver."""
    of = np.full((9, 1), np.nan)
    of[ev.ORDER_CREATED], of[ev.DRIVER_PICKED_UP], of[ev.DELIVERED] = (
        MONDAY + 12 * HOUR,
        MONDAY + 12.25 * HOUR,
        MONDAY + 12.75 * HOUR,
    )
    side = Side(History(of, stages_of(of, of[ev.ORDER_CREATED])), Window(MONDAY + 12 * HOUR, MONDAY + 14 * HOUR))
    got = compare(side, side, TARGET)
    assert got.of("drivers_on_road").first == pytest.approx(0.25)
    assert got.of("orders_per_driver_hour").first == pytest.approx(2.0)
    assert got.of("cooking_min").first is None, "nothing tells of cooking"
    assert got.of("orders_per_hour").low is None, "from one half hour nothing can be said"


@pytest.mark.parametrize("change", ["2025-03-30", "2025-10-26"])
def test_a_day_with_another_number_of_hours_is_laid_on_the_clock(change: str) -> None:
    """An order every ten minutes of the clock, in Berlin, over both changes: 23 and 25 hours, the same rate and no difference."""
    tz = Zone("Europe/Berlin", "test")
    midnight = tz.seconds(f"{change}T00:00:00")
    sides = []
    for first in (midnight - 7 * DAY, midnight):
        begin, end = tz.whole_days(first, first)
        created = np.arange(begin, end, 600.0)
        of = np.full((9, len(created)), np.nan)
        of[ev.ORDER_CREATED], of[ev.DELIVERED] = created, created + 1200
        sides.append(Side(History(of, stages_of(of, created), tz), Window(begin, end)))
    before, after = sides
    got = compare(before, after, TARGET)
    assert got.by_weekday
    rate = got.of(ORDERS)
    assert (rate.first, rate.second, rate.change) == (pytest.approx(6), pytest.approx(6), "")
    assert got.hours == (23 if change.startswith("2025-03") else 24)
    assert len(sides[1].history) == (138 if change.startswith("2025-03") else 150)


def local(tz: Zone, t: float) -> tuple[int, int]:
    """Weekday and half hour of a zone's clock, by the standard library."""
    at = dt.datetime.fromtimestamp(t, zoneinfo.ZoneInfo(tz.name))
    return at.weekday(), 2 * at.hour + at.minute // 30


def week_of(tz: Zone, monday: str, seed: int) -> Side:
    """A week of a kitchen whose times are instants: an order every two minutes or so, delivered after some 25 minutes."""
    start, end = tz.seconds(monday), tz.whole_days(tz.seconds(monday), tz.seconds(monday) + 6.5 * DAY)[1]
    rng = np.random.default_rng(seed)
    created = np.sort(rng.uniform(start, end, 5000))
    of = np.full((9, len(created)), np.nan)
    of[ev.ORDER_CREATED], of[ev.DELIVERED] = created, created + rng.normal(1500, 240, len(created))
    return Side(History(of, stages_of(of, created), tz), Window(start, end))


WEEKS_OF_CHANGES = {
    "autumn in both": (("Europe/Berlin", "2025-10-20"), ("America/Los_Angeles", "2025-10-27")),
    "spring in both": (("Europe/Berlin", "2025-03-24"), ("America/Los_Angeles", "2025-03-03")),
    "spring against autumn": (("America/Los_Angeles", "2025-03-03"), ("Europe/Berlin", "2025-10-20")),
    "only the second": (("America/Chicago", "2025-10-06"), ("America/Los_Angeles", "2025-10-27")),
}


@pytest.mark.parametrize("name", WEEKS_OF_CHANGES)
def test_two_zones_are_compared_by_their_own_clocks_on_days_of_changes(name: str) -> None:
    """Each half hour of the week against the same one of the other's clock, counted minute by minute."""
    sides = [week_of(Zone(zone), monday, seed) for seed, (zone, monday) in enumerate(WEEKS_OF_CHANGES[name])]
    hours, orders, took = [], [], []
    for side in sides:
        created, delivered = side.history.milestones[ev.ORDER_CREATED], side.history.milestones[ev.DELIVERED]
        tz, minutes = side.history.tz, np.arange(side.window.start, side.window.end, 60.0)
        hours.append(Counter(local(tz, t) for t in minutes.tolist()))
        cells = [local(tz, t) for t in created.tolist()]
        orders.append(Counter(cells))
        took.append([(cell, minutes) for cell, minutes in zip(cells, (delivered - created) / 60, strict=True)])
    shared = set(hours[0]) & set(hours[1])
    got = compare(sides[0], sides[1], TARGET)
    assert got.by_weekday
    assert got.hours == sum(min(hours[0][cell], hours[1][cell]) for cell in shared) / 60
    assert got.left_out == tuple(sum(n for cell, n in one.items() if cell not in shared) for one in orders)
    for k, which in enumerate(("first", "second")):
        rate = sum(orders[k][cell] for cell in shared) / (sum(hours[k][cell] for cell in shared) / 60)
        assert getattr(got.of(ORDERS), which) == pytest.approx(rate)
        mean = np.mean([minutes for cell, minutes in took[k] if cell in shared])
        assert getattr(got.of(DELIVERY), which) == pytest.approx(mean)
    assert got.of(DELIVERY).change == "", "both take as long"
    back = compare(sides[1], sides[0], TARGET)
    assert back.of(ORDERS).difference == pytest.approx(-(got.of(ORDERS).difference or 0.0))
    same = compare(sides[0], sides[0], TARGET)
    assert {one.difference for one in same.differences if one.first is not None} == {0.0}
    assert {one.change for one in same.differences} == {""}


def test_ranges_without_a_common_half_hour_are_refused() -> None:
    history = worlds.made_of("none", Plan(days=14, orders=60), SEED).history
    morning, evening = (Window(MONDAY + hour * HOUR, MONDAY + hour * HOUR + 2 * HOUR) for hour in (8, 18))
    with pytest.raises(ValueError, match="no half hour of the day in common"):
        compare(Side(history, morning), Side(history, evening), TARGET)


def some(**values: tuple[float | None, float | None, str | None]) -> tuple[Difference, ...]:
    """Differences of some figures as (first, second, change); a change of None: there is no interval."""
    found = []
    for name, label in LABELS.items():
        first, second, change = values.get(name, (None, None, None))
        known = change is not None
        found.append(
            Difference(name, label, first, second, None, -1.0 if known else None, 1.0 if known else None, change or "")
        )
    return tuple(found)


@pytest.mark.parametrize(
    ("differences", "sentence"),
    [
        (
            some(delivery_min=(24.12, 31.25, "worse"), orders_per_hour=(9.0, 9.1, ""), late_pct=(3.0, 4.0, "")),
            "B against A: delivery time (min) 31.3 against 24.1 (worse); 2 other figures do not differ by more than chance.",
        ),
        # what only one of them tells, or what has no interval, is not said to be alike
        (
            some(delivery_min=(0.953, 1.04, "worse"), late_pct=(3.0, None, None), cooking_min=(5.0, 6.0, None)),
            "B against A: delivery time (min) 1.04 against 0.95 (worse); of 2 figures there is too little to tell.",
        ),
        (
            some(orders_per_hour=(1234.4, 999.6, "less"), late_pct=(3.0, 3.1, ""), cooking_min=(5.0, 6.0, None)),
            "B against A: orders per hour 1,000 against 1,234 (less); one other figure does not differ by more than chance; "
            "of one there is too little to tell.",
        ),
        (some(late_pct=(3.0, 3.1, "")), "No figure of B differs from A by more than chance."),
        (
            some(late_pct=(3.0, 3.1, ""), cooking_min=(5.0, 6.0, None)),
            "No figure of B differs from A by more than chance; of one there is too little to tell.",
        ),
        (some(cooking_min=(5.0, 6.0, None)), "There is too little to tell whether B differs from A."),
    ],
)
def test_the_sentence_says_of_each_figure_what_its_row_says(differences: tuple[Difference, ...], sentence: str) -> None:
    assert sentence_of(differences, ("A", "B")) == sentence


def test_the_sentence_begins_with_what_customers_feel() -> None:
    first, second = weeks("steady", SEED)
    got: Comparison = compare(first, slower(second, OUT_FOR_DELIVERY, 0.5), TARGET, ("last week", "this week"))
    assert got.sentence.startswith("This week against last week: delivery time (min) ")
    assert "(worse)" in got.sentence
    assert "on the road (min)" in got.sentence
    assert set(GOOD) < set(LABELS)
    assert FEWEST_BLOCKS * BLOCK == 4 * HOUR
    assert dataclasses.asdict(got)["by_weekday"]
    assert COMPLETED == 4
