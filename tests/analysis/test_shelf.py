"""The shelf clock: until the pick-up or the playhead and never later, by a count by hand, per brand, and silent without data."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import worlds
from tests.fake_timeline import DAY0, HOUR, FakeItem, FakeTimeline
from twin.analysis.metrics import MetricIndex
from twin.analysis.moments import detect, find
from twin.analysis.shelf import ShelfClock, by_brand
from twin.foundation import event_types as ev

MINUTE = 60.0
NEVER = float("inf")


def timeline_of(*rows: dict[str, float], **how: Any) -> FakeTimeline:
    """A timeline of orders given as minutes after midnight by milestone."""
    return FakeTimeline([{name: DAY0 + at * MINUTE for name, at in row.items()} for row in rows], **how)


def stood(row: dict[str, float], t: float = NEVER) -> float | None:
    """The minutes that the order's meal had stood by minute t."""
    (found,) = (ShelfClock(timeline_of(row).orders).stood(DAY0 + t * MINUTE) / MINUTE).tolist()
    return None if np.isnan(found) else found


WHOLE = {"created": 0, "started": 2, "finished": 12, "ready": 14, "arrived": 20, "picked_up": 30, "delivered": 40}


@pytest.mark.parametrize(
    ("row", "t", "expected"),
    [
        (WHOLE, NEVER, 18),
        (WHOLE, 11, None),  # not finished yet
        (WHOLE, 12, 0),
        (WHOLE, 20, 8),  # still standing
        (WHOLE, 35, 18),
        ({**WHOLE, "finished": np.nan}, NEVER, 16),
        ({"created": 0, "started": 2, "picked_up": 30, "delivered": 40}, NEVER, None),  # no ready event
        ({"created": 0, "ready": 31, "picked_up": 30}, NEVER, None),  # a ready event after the pick-up says nothing
        ({"created": 0, "finished": 12, "delivered": 40}, 39, 27),  # who knows that its pick-up will not be recorded?
        ({"created": 0, "finished": 12, "delivered": 40}, 40, None),
        ({"created": 0, "finished": 12, "picked_up": 50, "delivered": 40}, 60, None),  # nor does one that came too late
        ({"created": 0, "finished": 12, "cancelled": 20}, 19, 7),
        ({"created": 0, "finished": 12, "cancelled": 20}, 20, None),
        ({"created": 0, "finished": 12}, 251, 239),
        ({"created": 0, "finished": 12}, NEVER, None),  # over four hours: forgotten by the record
    ],
)
def test_a_meal_stands_until_its_pick_up_or_until_now(row: dict[str, float], t: float, expected: float | None) -> None:
    assert stood({name: at for name, at in row.items() if not np.isnan(at)}, t) == expected


times = st.fixed_dictionaries(
    {"created": st.integers(0, 30)},
    optional={name: st.integers(0, 300) for name in ("finished", "ready", "picked_up", "delivered", "cancelled")},
)


@settings(deadline=None, max_examples=25)
@given(st.lists(times, min_size=1, max_size=12), st.integers(0, 320))
def test_nothing_later_than_the_playhead_is_used(rows: list[dict[str, int]], t: int) -> None:
    whole = ShelfClock(timeline_of(*rows).orders).stood(DAY0 + t * MINUTE)
    past = [{name: at for name, at in row.items() if at <= t} for row in rows]
    begun = [k for k, row in enumerate(past) if row]
    if begun:
        cut = ShelfClock(timeline_of(*(past[k] for k in begun)).orders).stood(DAY0 + t * MINUTE)
        np.testing.assert_array_equal(whole[begun], cut)
    assert np.isnan(np.delete(whole, begun)).all()


def test_it_is_the_age_that_the_pipeline_shows_and_the_time_that_ready_took() -> None:
    timeline = timeline_of(*({k: at + 7 * n for k, at in WHOLE.items()} for n in range(9)))
    clock, t = ShelfClock(timeline.orders), DAY0 + 50 * MINUTE
    snapshot = timeline.at(t)
    ready = snapshot.stage == 2
    assert ready.sum() > 1
    np.testing.assert_array_equal(clock.stood(t)[snapshot.order[ready]], t - snapshot.since[ready])
    assert MetricIndex(timeline).stages(timeline.at(DAY0 + HOUR))[2].service == clock.stood().mean() == 18 * MINUTE


def test_cold_is_longer_than_the_setting_and_every_brand_has_its_own_share() -> None:
    rows = [{**WHOLE, "picked_up": 12 + k, "delivered": 40 + k} for k in (14, 15, 16, 30)]
    baskets = [[FakeItem("Soup", "Soup")], [FakeItem("Pho", "Pho")], [FakeItem("Pho", "Pho")], []]
    baskets[3] = [*baskets[0], *baskets[1]]
    timeline = timeline_of(*rows, baskets=baskets)
    assert ShelfClock(timeline.orders).is_cold().tolist() == [False, False, True, True]
    shelves = by_brand(timeline)
    assert {name: (shelf.meals, shelf.cold) for name, shelf in shelves.items()} == {"Soup": (2, 1), "Pho": (3, 2)}
    assert shelves["Pho"].median == 16 * MINUTE
    assert by_brand(timeline, cold_after=20 * MINUTE)["Pho"].cold_share == pytest.approx(1 / 3)
    assert by_brand(timeline, DAY0 + HOUR, DAY0 + 2 * HOUR) == {}


def test_a_record_without_a_ready_event_has_no_shelf_clock() -> None:
    timeline = timeline_of({"created": 0, "picked_up": 20, "delivered": 40}, baskets=[[FakeItem("Pho", "Pho")]])
    clock = ShelfClock(timeline.orders)
    assert (clock.recorded, clock.shelf().meals, clock.shelf().cold_share, clock.shelf().median) == (
        False,
        0,
        None,
        None,
    )
    assert by_brand(timeline)["Pho"].cold_share is None


def test_a_moment_of_waiting_food_says_how_many_meals_were_cold() -> None:
    world = worlds.with_incident("drivers short", 3_001)
    timeline = world.timeline()
    finished, out = (timeline.orders.milestones[kind] for kind in (ev.GK_FINISHED, ev.DRIVER_PICKED_UP))
    (planted,) = world.planted
    (waiting,) = [one for one in find(timeline, world.baseline()) if one.kind == "driver_shortage"]
    found = re.search(r" min usually \((\d+) were cold\)", waiting.sentence)
    assert found
    assert int(found[1]) == waiting.figures["cold"]
    within = (finished >= planted.start - HOUR) & (finished <= planted.end + HOUR)
    assert 0 < waiting.figures["cold"] <= np.count_nonzero(out[within] - finished[within] > 15 * MINUTE)
    strict = detect(timeline, world.baseline(), cold_after=4 * HOUR).moments
    assert all("cold" not in one.sentence for one in strict)
