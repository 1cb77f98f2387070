"""What a browser plays of the troubles: at any time what was known at the last look, and nothing of what comes later."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks import worlds
from benchmarks.worlds import HOUR, MINUTE
from tests.analysis.test_known import UNSEEN, changed_after, known
from twin.analysis.moments.unfolding import BLOCK_S, GRID_S, KnownFrom, Unfolding, block_of

SHAPE = "standstill"


def unfolding_of(world: worlds.World) -> Unfolding:
    """Return how the world's trouble unfolded, over the two hours around it."""
    (planted,) = world.planted
    troubles = known(world)
    troubles.window = worlds.Window(planted.start - 20 * MINUTE, planted.start + 100 * MINUTE)
    return Unfolding(troubles)


def played(unfolding: Unfolding, t: float) -> KnownFrom:
    """Return what a browser shows at t."""
    return [known for known in unfolding.block(block_of(t)) if known.t <= t][-1]


@pytest.fixture(scope="module")
def world() -> worlds.World:
    return worlds.with_incident(SHAPE, UNSEEN)


@pytest.fixture(scope="module")
def unfolding(world: worlds.World) -> Unfolding:
    return unfolding_of(world)


def test_at_every_look_it_says_what_was_known_then(world: worlds.World, unfolding: Unfolding) -> None:
    (planted,) = world.planted
    troubles = known(world)
    first = planted.start // GRID_S * GRID_S
    times = np.arange(first, first + 100 * MINUTE, GRID_S).tolist()
    told = [played(unfolding, t).findings for t in times]
    assert told == [troubles.at(t) for t in times]
    assert any(findings.moments for findings in told)
    assert not all(findings.moments for findings in told)


def test_between_two_looks_nothing_of_the_next_one_is_known(world: worlds.World, unfolding: Unfolding) -> None:
    (planted,) = world.planted
    for t in (planted.start + 22 * MINUTE, planted.end - MINUTE):
        shown = played(unfolding, t)
        assert shown.t <= t < shown.t + GRID_S
        assert shown.findings.moments
        assert shown.findings == known(changed_after(world, t)).at(shown.t)


def test_the_first_look_is_at_the_begin_of_the_range_and_none_is_outside_of_it(world: worlds.World) -> None:
    troubles = known(world)
    window = troubles.window = worlds.Window(world.window.start + 17 * MINUTE + 3, world.window.start + HOUR)
    unfolding = Unfolding(troubles)
    first = block_of(window.start)
    assert unfolding.block(first)[0].t == window.start
    assert unfolding.block(first - 1) == unfolding.block(first + 2) == ()
    looks = unfolding._looks(first)
    assert all(window.start <= t <= window.end for t in looks)
    assert [t for t in looks[1:] if t % GRID_S] == []


def test_the_last_moment_of_a_range_is_looked_at(world: worlds.World) -> None:
    troubles = known(world)
    end = (block_of(world.window.start) + 1) * BLOCK_S
    troubles.window = worlds.Window(end - HOUR, end)
    assert [known.t for known in Unfolding(troubles).block(block_of(end))] == [end]


def test_many_who_want_the_same_hours_get_what_was_computed_once(world: worlds.World) -> None:
    unfolding, number = unfolding_of(world), block_of(world.planted[0].start)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(unfolding.block, [number] * 4))
    assert all(one is found[0] for one in found)
