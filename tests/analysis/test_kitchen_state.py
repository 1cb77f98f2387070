"""One state per kitchen and minute: the limits that colour the figures make it, nothing later counts, and it does not flicker."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, HOUR, FakeTimeline
from twin.analysis.baseline import Baseline, History
from twin.analysis.kitchen_state import (
    CALM,
    HOLD,
    RECOVERING,
    RECOVERY,
    STATES,
    TROUBLE,
    StateLog,
    follow,
    states_of,
)
from twin.analysis.limits import (
    AMBER,
    FINE,
    RED,
    Limits,
    age_level,
    late_level,
    level,
    service_level,
    stage_limits,
)
from twin.analysis.metrics import metrics_of
from twin.foundation.stages import COMPLETED
from twin.simulator import write_demo
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

MINUTE = 60.0
LIMITS = Limits()


def levels_of(*stretches: tuple[int, int]) -> np.ndarray:
    """Levels over time: (level, minutes) one after the other."""
    return np.concatenate([np.full(minutes, level, np.uint8) for level, minutes in stretches])


def names(states: np.ndarray) -> list[tuple[str, int]]:
    """Each state with the minutes that it lasts."""
    return [(STATES[state], len(list(minutes))) for state, minutes in groupby(states.tolist())]


def test_a_trouble_builds_lasts_recovers_and_is_over():
    shown = levels_of((FINE, 30), (AMBER, 15), (RED, 90), (AMBER, 20), (FINE, 60))
    now = levels_of((FINE, 30), (AMBER, 15), (RED, 40), (FINE, 130))
    assert names(follow(shown, now)) == [
        ("calm", 30),
        ("building", 15),
        ("trouble", 40 + HOLD - 1),
        ("recovering", 50 + 20),
        ("calm", 60 - HOLD + 1),
    ]


LEVELS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=40)


@given(LEVELS)
def test_a_state_gets_better_only_after_a_while_and_never_hides_what_is_over_its_limit(stretches):
    shown = levels_of(*((figure, minutes) for figure, _, minutes in stretches))
    now = levels_of(*((live, minutes) for _, live, minutes in stretches))
    states = follow(shown, now)
    assert not (states[shown >= AMBER] == CALM).any()
    both = (shown == RED) & (now == RED)
    assert (states[both] == TROUBLE).all()
    begin = 0
    for place in np.flatnonzero(np.diff(states)) + 1:
        before, after = states[place - 1], states[place]
        if after == CALM or (before == TROUBLE and after == RECOVERING):
            assert place - begin >= HOLD or begin == 0, f"{STATES[before]} for {place - begin} minutes"
        begin = place
    lasts = [minutes for name, minutes in names(states) if name == "recovering"]
    assert max(lasts, default=0) <= RECOVERY


@given(LEVELS, st.integers(1, 200))
def test_what_comes_later_changes_no_state(stretches, until):
    shown = levels_of(*((figure, minutes) for figure, _, minutes in stretches))
    now = levels_of(*((live, minutes) for _, live, minutes in stretches))
    np.testing.assert_array_equal(follow(shown, now)[:until], follow(shown[:until], now[:until]))


def jam(rows: int = 160) -> list[dict[str, float]]:
    """An order every minute; from the 20th on nobody picks them up for half an hour, then all at once."""
    orders = []
    for k in range(rows):
        at = DAY0 + MINUTE * k
        ready = at + 12 * MINUTE
        picked_up = ready + 4 * MINUTE if k < 20 else max(ready + 4 * MINUTE, DAY0 + 70 * MINUTE)
        orders.append(
            {"created": at, "started": at + 120, "finished": ready, "ready": ready, "arrived": picked_up - 30}
            | {"picked_up": picked_up, "delivered": picked_up + 8 * MINUTE}
        )
    return orders


def log_of(rows: list[dict[str, float]]) -> StateLog:
    return states_of(FakeTimeline(rows), Baseline.none(), LIMITS)


def test_a_jam_is_calm_first_then_trouble_then_recovering():
    log = log_of(jam())
    told = dict.fromkeys(STATES[state] for state, _ in (log.at(DAY0 + MINUTE * m) for m in range(150)))
    assert list(told) == ["calm", "trouble", "recovering"]
    state, over = log.at(DAY0 + 60 * MINUTE)
    assert (STATES[state], dict(over)) == ("trouble", {"ready": AMBER, "drivers": RED})


def test_a_state_is_known_without_what_comes_later():
    """The orders as far as they had come by t have the same states up to t."""
    rows = jam()
    whole = log_of(rows)
    for t in (DAY0 + 45 * MINUTE, DAY0 + 75 * MINUTE):
        known = [{name: at for name, at in row.items() if at <= t} for row in rows if row["created"] <= t]
        so_far = log_of(known)
        for minute in np.arange(DAY0, t, MINUTE):
            assert so_far.at(minute) == whole.at(minute)


def test_one_forgotten_order_is_no_trouble_of_its_stage():
    rows = [{"created": DAY0, "started": DAY0 + MINUTE}]
    rows += [{"created": DAY0 + MINUTE * k, "started": DAY0 + MINUTE * k + 30} for k in range(100, 110)]
    rows.append({"created": DAY0, "finished": DAY0 + MINUTE, "delivered": DAY0 + 2 * MINUTE})
    assert log_of(rows).at(DAY0 + 109 * MINUTE) == (CALM, ())


def test_nothing_is_calm_and_a_range_without_orders_has_no_spells_but_one():
    log = log_of([])
    assert log.at(DAY0) == (CALM, ())
    (spell,) = log.spells(DAY0, DAY0 + 1)
    assert (spell.state, spell.over) == (CALM, ())


def test_what_is_always_so_is_no_trouble_of_today_but_told():
    """Every order takes 40 minutes on every day: over the target, and as usual."""
    rows = []
    for day in range(5):
        for k in range(96):
            at = DAY0 + day * 24 * HOUR + k * 900
            rows.append(
                {"created": at, "started": at + 60, "ready": at + 900, "picked_up": at + 1200, "delivered": at + 2400}
            )
    timeline = FakeTimeline(rows)
    usual = Baseline(History.from_timeline(timeline))
    t = DAY0 + 3 * 24 * HOUR + 12 * HOUR
    assert states_of(timeline, usual, LIMITS).at(t) == (CALM, (("delivery", RED),))
    assert states_of(timeline, Baseline.none(), LIMITS).at(t)[0] == TROUBLE


STEPS = {"created": 0, "started": 2, "finished": 12, "ready": 14, "picked_up": 20, "delivered": 26}


@pytest.mark.parametrize("steps", range(1, len(STEPS) + 1))
def test_no_trouble_is_made_of_a_stage_whose_end_nothing_tells(steps: int) -> None:
    """A display of the kitchen knows when meals are ready, and never when they are gone."""
    known = dict(list(STEPS.items())[:steps])
    orders = [{name: DAY0 + MINUTE * (8 * n + at) for name, at in known.items()} for n in range(60)]
    log = states_of(FakeTimeline(orders), Baseline.none(), LIMITS)
    assert set(log.state.tolist()) == {CALM}
    assert not log.levels.any()


def test_who_stops_delivering_is_in_trouble_all_the_same() -> None:
    """No delivery in what is loaded, but the kitchen's record has some."""
    orders = [{"created": DAY0 + MINUTE * n, "ready": DAY0 + MINUTE * (n + 9)} for n in range(90)]
    timeline = FakeTimeline(orders, delivered_before=True)
    assert states_of(timeline, Baseline.none(), LIMITS).at(DAY0 + 2 * HOUR)[0] == TROUBLE


def shown_levels(timeline: Timeline, t: float) -> np.ndarray:
    """The levels at t from the figures that views show, for `SIGNALS` but the drivers."""
    index, snapshot = metrics_of(timeline), timeline.at(t)
    kpis = index.kpis(t, snapshot.counts, LIMITS.delivery)
    levels = [int(late_level(kpis.deliveries_over, kpis.deliveries))]
    for number, figures in enumerate(index.stages(snapshot)[:COMPLETED]):
        amber, red = stage_limits(index.ends, number, LIMITS)
        ages = level(t - snapshot.since[snapshot.stage == number], amber, red)
        aged = age_level(np.count_nonzero(ages >= AMBER), np.count_nonzero(ages >= RED), len(ages))
        levels.append(max(int(aged), int(service_level(figures.service, None, figures.served, amber, red))))
    return np.array(levels)


def with_holes() -> FakeTimeline:
    """A day of orders of which every third milestone is missing, and the food's readiness in the whole record."""
    random = np.random.default_rng(5)
    rows = []
    for at in np.sort(random.uniform(DAY0, DAY0 + 12 * HOUR, 150)):
        times = at + np.cumsum(np.append(0, random.uniform(60, 900, 5)))
        named = zip(
            ("created", "started", "finished", "arrived", "picked_up", "delivered"), times.tolist(), strict=True
        )
        rows.append({name: t for name, t in named if random.random() > 0.3} or {"created": float(at)})
    return FakeTimeline(rows)


@pytest.fixture(params=["demo", "2026", "casper_sample_events.csv", "holes", "sf_cabs_2008-05-24.csv.gz"])
def record(request: pytest.FixtureRequest, made_once: Callable[..., Path]) -> Timeline:
    """A kitchen of the demo in both generations of the schema, one with holes, and those of the real samples."""
    if request.param == "holes":
        return with_holes()
    if request.param == "demo":
        source = FileSource(request.getfixturevalue("demo"))
    elif request.param == "2026":
        source = FileSource(
            made_once("day-2026", lambda folder: write_demo(folder, generation="2026", days=1, scale=0.3, seed=3))
        )
    else:
        source = FileSource(request.getfixturevalue("real_data") / request.param)
    place = source.locations()[0]
    return Timeline.load(source, place.id, max(place.start, place.end - 86_400), place.end)


@pytest.mark.slow
def test_the_levels_of_a_state_are_those_of_the_figures(record):
    log = states_of(record, Baseline.none(), LIMITS)
    window = record.window
    minutes = np.ceil(np.random.default_rng(3).uniform(window.start, window.end - 60, 40) / MINUTE) * MINUTE
    for t in minutes:
        place = int(log.t.searchsorted(t))
        assert log.t[place] == t
        np.testing.assert_array_equal(log.levels[:-1, place], shown_levels(record, float(t)))
        state, over = log.at(float(t))
        assert (state != CALM) or not over, "without what is usual, calm is nothing over its limit"
