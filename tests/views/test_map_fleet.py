"""Whom a window holds when there are more drivers than are drawn one by one."""

import math

import numpy as np
import pytest

from tests.fake_roads import DAY0, RoadTimeline
from twin.foundation.settings import Settings
from twin.timeline import fleet
from twin.views.map import fleet as mapcrowd
from twin.views.map.fleet import Viewed, choose

T = DAY0 + 1800.0
WINDOW = T - 30.0, T + 60.0
EVERYWHERE = (-50_000.0, -50_000.0, 50_000.0, 50_000.0)
CORNER = (600.0, 600.0, 1100.0, 1100.0)


@pytest.fixture(scope="module")
def roads() -> RoadTimeline:
    return RoadTimeline(300)


@pytest.fixture
def most(roads: RoadTimeline) -> int:
    """Half as many are drawn one by one as there are."""
    return fleet.count_on_road(roads.trips, T) // 2


def viewed(view=EVERYWHERE, order=-1, crowded=False) -> Viewed:
    return Viewed(T, view, order, crowded)


def test_a_city_that_can_be_drawn_is_told_whole(roads) -> None:
    chosen = choose(roads, *WINDOW, None, viewed(), Settings().dense_from)
    assert (chosen.trips, chosen.crowd, chosen.within, chosen.end) == (None, 0, None, WINDOW[1])


def test_of_a_crowd_only_who_is_picked_out_is_told(roads, most) -> None:
    on_the_road = list(roads.truth(T))
    chosen = choose(roads, *WINDOW, None, viewed(), most)
    assert chosen.trips.tolist() == []
    assert (chosen.crowd, chosen.within) == (len(on_the_road), None)
    assert choose(roads, *WINDOW, None, viewed(order=on_the_road[7]), most).trips.tolist() == [on_the_road[7]]
    gone = int(np.argmin(roads.trips.end))
    assert choose(roads, *WINDOW, None, viewed(order=gone), most).trips.tolist() == []
    assert choose(roads, *WINDOW, None, viewed(view=None), most).within is None


def test_where_few_are_seen_all_of_them_are_told(roads, most) -> None:
    chosen = choose(roads, *WINDOW, None, viewed(CORNER), most)
    assert chosen.within == CORNER
    assert 0 < len(chosen.trips) <= most * mapcrowd.FEW
    (kx, ky), (x0, y0, x1, y1) = roads.kitchen, CORNER
    for t in np.linspace(*WINDOW, 31):
        places = roads.truth(t).items()
        seen = {order for order, (x, y) in places if x0 <= x - kx <= x1 and y0 <= y - ky <= y1}
        assert seen <= set(chosen.trips.tolist())


def test_a_further_window_holds_only_who_begins_in_it(roads, most) -> None:
    later = choose(roads, T, T + 300.0, T, viewed(CORNER), most)
    assert later.within == CORNER
    assert len(later.trips) > 0
    assert (roads.trips.start[later.trips] > T).all()


def test_a_crowd_does_not_flicker_at_the_limit(roads) -> None:
    moving = fleet.count_on_road(roads.trips, T)
    assert choose(roads, *WINDOW, None, viewed(crowded=False), moving + 2).crowd == 0
    assert choose(roads, *WINDOW, None, viewed(crowded=True), moving + 2).crowd == moving
    assert choose(roads, *WINDOW, None, viewed(crowded=True), 2 * moving).crowd == 0


def test_who_is_few_enough_in_a_frame_is_few_enough_in_a_window(roads, most) -> None:
    everyone = fleet.gather(roads.trips, T)
    for view in (CORNER, EVERYWHERE, (-300.0, -300.0, 300.0, 300.0)):
        if mapcrowd.few(everyone.inside(view), most):
            assert choose(roads, *WINDOW, None, viewed(view, crowded=True), most).within == view


@pytest.mark.parametrize(
    "box", [None, 7, [], [1, 2, 3], [0, 0, 0, 1], [3, 0, 1, 1], [0, math.nan, 1, 1], ["0", 0, 1, 1]]
)
def test_a_view_that_makes_no_sense_is_none(box) -> None:
    assert mapcrowd.box_of(box) is None
    assert Viewed.of({"box": box, "order": "x", "t": "y"}, 5.0) == Viewed(5.0, None, -1, False)


def test_a_question_tells_where_the_browser_is() -> None:
    message = {"box": [0, 1, 2, 3], "order": 4, "t": 6.5, "crowd": True}
    assert Viewed.of(message, 5.0) == Viewed(6.5, (0.0, 1.0, 2.0, 3.0), 4, True)
