"""Troubles as they were known: nothing later counts, what lasts is seen while it lasts, and calm weeks stay calm."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import worlds
from benchmarks.worlds import HOUR, MINUTE, World
from twin.analysis.baseline import Baseline, History
from twin.analysis.moments import detect
from twin.analysis.moments.known import JUST_ENDED, TroublesAsKnown
from twin.foundation import event_types as ev
from twin.foundation.times import DAY

UNSEEN = 2_000
"""A seed that nothing was tuned on."""


def known(world: World) -> TroublesAsKnown:
    return TroublesAsKnown(world.timeline(), world.baseline())


def told(troubles: TroublesAsKnown, t: float) -> list[tuple[object, ...]]:
    return [
        (one.kind, one.start, one.end, one.at, one.severity, one.sentence, one.why) for one in troubles.at(t).moments
    ]


def changed_after(world: World, t: float) -> World:
    """Return the world with another rest of the day: nothing of it happens, or all of it at once."""
    history = world.history
    milestones = history.milestones.copy()
    midnight = t // DAY * DAY + DAY
    later = (milestones > t) & (milestones < midnight + 6 * HOUR) & (history.enter[0] < midnight)
    milestones[later] = np.where(np.arange(milestones.shape[1]) % 2, np.nan, midnight - 1)[np.nonzero(later)[1]]
    enter = np.where((history.enter > t) & (history.enter[0] < midnight), np.inf, history.enter)
    stays = ~((history.enter[0] > t) & (history.enter[0] < midnight))
    return replace(world, history=History(milestones[:, stays], enter[:, stays]))


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["standstill", "drivers short", "slow evening", "rush", "silence", "slow roads"])
def test_what_comes_later_changes_nothing_and_a_trouble_is_told_while_it_lasts(shape: str) -> None:
    world = worlds.with_incident(shape, UNSEEN)
    (planted,) = world.planted
    troubles = known(world)
    during = np.arange(planted.start, planted.end + 10 * MINUTE, 5 * MINUTE)
    going_on = [any(one.end == t for one in troubles.at(float(t)).moments) for t in during]
    assert any(going_on), "nobody was told while it lasted"
    kinds = {one.kind for t in during for one in troubles.at(float(t)).moments if one.end == t}
    assert kinds & worlds.FITTING[shape]
    t = float(during[int(np.argmax(going_on))])
    assert told(known(changed_after(world, t)), t) == told(troubles, t)


@pytest.mark.parametrize(
    ("shape", "since", "until"),
    [
        ("drivers short", ev.GK_READY, ev.DRIVER_PICKED_UP),
        pytest.param("slow roads", ev.DRIVER_PICKED_UP, ev.DELIVERED, marks=pytest.mark.slow),
    ],
)
def test_a_sentence_says_how_many_of_those_it_counts_are_still_in_it(shape: str, since: int, until: int) -> None:
    """The pipeline's average is of those that moved on: without these words the two seem to contradict each other."""
    world = worlds.with_incident(shape, UNSEEN)
    (planted,) = world.planted
    troubles = known(world)
    begin, end = world.history.milestones[[since, until]]
    found = []
    for t in np.arange(planted.start, planted.end + HOUR, 5 * MINUTE):
        for one in troubles.at(float(t)).moments:
            if one.kind in worlds.FITTING[shape] and one.end == t:
                words = (
                    r"So far (\d+) .*?(?:, (all|\d+) of them still .*?)?(?:, (?:their|the (\d+|one) delivered took)|$)"
                )
                of, still, delivered = re.match(words, one.sentence).groups()  # type: ignore[union-attr]
                delivered = {None: 0, "one": 1}.get(delivered, delivered)
                assert int(delivered) + (int(of) if still == "all" else int(still or 0)) <= int(of), one.sentence
                inside = np.count_nonzero((begin <= t) & ~(end <= t))
                found.append(int(of) if still == "all" else int(still or 0))
                assert found[-1] <= min(inside, int(of)), one.sentence
    assert max(found) >= 3
    with_hindsight = detect(world.timeline(), world.baseline()).moments
    assert with_hindsight
    assert not any("still" in one.sentence for one in with_hindsight)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["steady", "bursts", "closed at night", "partial record", "two days"])
def test_a_calm_week_stays_calm(name: str) -> None:
    world = worlds.world(name, UNSEEN)
    troubles = known(world)
    times = np.arange(world.window.start, world.window.end, 1.3 * HOUR)
    assert sum(any(one.end == t for one in troubles.at(float(t)).moments) for t in times) == 0


def test_a_trouble_ends_for_those_who_are_told() -> None:
    world = worlds.with_incident("standstill", UNSEEN)
    (planted,) = world.planted
    troubles = known(world)
    after = [troubles.at(planted.end + minutes * MINUTE).moments for minutes in range(0, 180, 10)]
    assert after[0]
    assert not after[-1]
    for minutes, moments in zip(range(0, 180, 10), after, strict=True):
        for one in moments:
            assert planted.end + minutes * MINUTE - one.end <= JUST_ENDED


def test_meals_that_nobody_has_started_yet_count_as_long_as_they_wait() -> None:
    """By hand: three days with an order every four minutes, started after two; then nothing is started from 12:00 on."""
    created = np.arange(0, 4 * DAY, 4 * MINUTE) + 20_000 * DAY
    milestones = np.full((9, len(created)), np.nan)
    milestones[ev.ORDER_CREATED] = created
    noise = np.random.default_rng(UNSEEN).uniform(-60, 60, len(created))
    for event, minutes in (
        (ev.GK_STARTED, 2),
        (ev.GK_FINISHED, 12),
        (ev.GK_READY, 13),
        (ev.DRIVER_PICKED_UP, 18),
        (ev.DELIVERED, 30),
    ):
        milestones[event] = created + minutes * MINUTE + noise
    noon = 20_003 * DAY + 12 * HOUR
    milestones[ev.GK_STARTED : ev.DELIVERED + 1, created >= noon] = np.nan
    enter = worlds.stages_of(milestones, created)
    history = History(milestones, enter)
    world = World("by hand", history, worlds.Window(20_003 * DAY, 20_004 * DAY), ())
    troubles = TroublesAsKnown(world.timeline(), Baseline(history, world.window))
    assert troubles.at(noon + 4 * MINUTE).moments == ()
    (trouble,) = troubles.at(noon + 40 * MINUTE).moments
    assert (trouble.kind, trouble.end) == ("outage", noon + 40 * MINUTE)
    assert trouble.sentence.startswith("So far nothing was started for 4")


def test_a_kitchen_without_orders_has_no_troubles() -> None:
    nothing = worlds.Bare(
        orders=History(np.empty((9, 0)), np.empty((5, 0))),
        window=worlds.Window(0.0, DAY),
        tz=worlds.NAIVE,
        location=SimpleNamespace(id="x"),
    )
    assert TroublesAsKnown(nothing, Baseline.none()).at(HOUR).moments == ()  # type: ignore[arg-type]
