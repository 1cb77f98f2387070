"""Everyone on the road at once: where `Timeline.at` puts each of them, which is where the browser draws them."""

import numpy as np
import pytest

import twin
from tests.fake_roads import DAY0, RoadTimeline
from twin.timeline import fleet


@pytest.fixture(scope="module")
def busy(demo):
    return twin.open(str(demo)).timeline("sanfrancisco")


def test_the_crowd_is_where_a_snapshot_puts_each_driver(busy) -> None:
    middle, compared = busy.busiest(), 0
    kx, ky = busy.location.x, busy.location.y
    for t in middle + np.linspace(-9000, 9000, 41):
        found, drivers = fleet.gather(busy.trips, t), busy.at(t).drivers
        places = dict(zip(busy.trips.order[found.trip].tolist(), zip(found.x, found.y, strict=True), strict=True))
        for order, x, y in zip(drivers.order.tolist(), drivers.x, drivers.y, strict=True):
            assert places[order] == pytest.approx((x - kx, y - ky), abs=1e-6)
            compared += 1
        assert len(found) == fleet.count_on_road(busy.trips, t)
    assert compared > 100


def test_a_crowd_of_roads_is_where_numpy_puts_it() -> None:
    timeline = RoadTimeline(300)
    kx, ky = timeline.kitchen
    for t in (DAY0 + 10.0, DAY0 + 3333.3, DAY0 + 7199.0):
        found, truth = fleet.gather(timeline.trips, t), timeline.truth(t)
        assert found.trip.tolist() == list(truth)
        for trip, x, y in zip(found.trip.tolist(), found.x, found.y, strict=True):
            assert (x + kx, y + ky) == pytest.approx(truth[trip], abs=0.05)


def test_the_nearest_driver_is_the_nearest_and_none_is_out_of_reach() -> None:
    found = fleet.gather(RoadTimeline(300).trips, DAY0 + 3600.0)
    for x, y in np.random.default_rng(5).uniform(-2500, 2500, (60, 2)):
        distance = np.hypot(found.x - x, found.y - y)
        best = int(np.argmin(distance))
        assert found.nearest(x, y, distance[best] + 0.01) == found.trip[best]
        assert found.nearest(x, y, distance[best] - 0.01) == -1


def test_who_is_inside_a_box_is_counted() -> None:
    found = fleet.gather(RoadTimeline(300).trips, DAY0 + 3600.0)
    inside = [(-700 <= x <= 900) and (-1200 <= y <= 400) for x, y in zip(found.x, found.y, strict=True)]
    assert found.inside((-700.0, -1200.0, 900.0, 400.0)) == sum(inside) > 10


def test_nobody_is_on_the_road_before_the_first_and_after_the_last() -> None:
    timeline = RoadTimeline(20)
    for t in (timeline.trips.start[0] - 1, timeline.trips.end.max()):
        assert len(fleet.gather(timeline.trips, t)) == fleet.count_on_road(timeline.trips, t) == 0
