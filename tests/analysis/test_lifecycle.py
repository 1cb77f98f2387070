"""The story of an order against the raw rows, counted by hand."""

from itertools import pairwise

import numpy as np
import pytest

from tests.raw_orders import CUSTOMER, KITCHEN, MINUTE, NOON, ROUTE, WHOLE, ground_metres, rows_of, timeline_of
from twin.analysis.lifecycle import PINGS, STRAIGHT, lifecycle
from twin.analysis.lifecycle import ROUTE as BY_ROUTE


def lifecycle_of(folder, minutes, **how):
    return lifecycle(timeline_of(folder, rows_of("A1", minutes, **how)), 0)


def minutes_after_noon(t):
    return None if t is None else (t - NOON) / MINUTE


def test_stages_run_from_milestone_to_milestone(tmp_path):
    story = lifecycle_of(tmp_path, WHOLE)

    assert [(s.key, minutes_after_noon(s.start), minutes_after_noon(s.end)) for s in story.stages] == [
        ("created", 0, 2),
        ("cooking", 2, 12),
        ("ready", 12, 32),
        ("out_for_delivery", 32, 43),
    ]
    assert (story.total, story.drive) == (43 * MINUTE, 11 * MINUTE)
    assert (story.food_waited, story.driver_waited) == (16 * MINUTE, None)
    assert story.promise == NOON + 42 * MINUTE
    assert minutes_after_noon(story.closed) == 43


def test_a_driver_who_comes_before_the_food_waits_for_it(tmp_path):
    story = lifecycle_of(tmp_path, WHOLE | {"arrived": 9})

    assert (story.food_waited, story.driver_waited) == (None, 5 * MINUTE)


def test_a_cancelled_order_ends_its_stage_and_has_no_delivery_time(tmp_path):
    story = lifecycle_of(tmp_path, {"created": 0, "started": 2, "cancelled": 8})

    assert [(s.key, minutes_after_noon(s.end)) for s in story.stages] == [("created", 2), ("cooking", 8)]
    assert (minutes_after_noon(story.closed), story.total, story.drive, story.food_waited) == (8, None, None, None)


def test_an_order_without_its_creation_begins_with_what_is_known(tmp_path):
    story = lifecycle_of(tmp_path, {name: at for name, at in WHOLE.items() if name != "created"})

    assert (story.order.created, story.total, minutes_after_noon(story.first)) == (None, None, 2)
    assert story.stages[0].key == "cooking"
    assert story.drive == 11 * MINUTE


def test_an_order_that_only_pings_is_on_the_road_and_nothing_more(tmp_path):
    other = rows_of("B2", WHOLE)
    timeline = timeline_of(tmp_path, rows_of("A1", {}, pings={5.0: 10.0, 6.0: 20.0, 7.0: 30.0}), other)

    story = lifecycle(timeline, timeline.orders.row_of["A1"])

    assert [(s.key, s.end) for s in story.stages] == [("out_for_delivery", None)]
    assert story.pings == tuple(NOON + minutes * MINUTE for minutes in (5, 6, 7))
    assert (story.promise, story.drive, story.total, story.distance) == (None, None, None, None)


def test_without_an_eta_nothing_was_promised(tmp_path):
    assert lifecycle_of(tmp_path, WHOLE, eta=None).promise is None


def test_the_distance_is_the_routes_length_on_the_ground(tmp_path):
    story = lifecycle_of(tmp_path, WHOLE)

    truth = sum(ground_metres(a, b) for a, b in pairwise(ROUTE))
    assert story.distance.how == BY_ROUTE
    assert story.distance.metres == pytest.approx(truth, rel=2e-3)


def test_before_there_is_a_route_the_distance_is_the_straight_line(tmp_path):
    timeline = timeline_of(tmp_path, rows_of("A1", {"created": 0, "started": 2}), rows_of("B2", WHOLE))

    story = lifecycle(timeline, timeline.orders.row_of["A1"])

    assert story.distance.how == STRAIGHT
    assert story.distance.metres == pytest.approx(ground_metres(KITCHEN, CUSTOMER), rel=2e-3)


def test_a_trip_without_a_route_is_as_long_as_it_was_driven(tmp_path):
    timeline = timeline_of(tmp_path, rows_of("A1", WHOLE, route=None), rows_of("B2", WHOLE))

    story = lifecycle(timeline, timeline.orders.row_of["A1"])

    assert story.distance.how == PINGS
    assert story.distance.metres == pytest.approx(ground_metres(KITCHEN, CUSTOMER), rel=2e-3)


def test_without_any_coordinate_there_is_no_distance_and_no_estimate(tmp_path):
    story = lifecycle_of(tmp_path, WHOLE, places=False)

    assert (story.distance, story.arrivals) == (None, [])
    assert story.drive == 11 * MINUTE


def test_the_estimates_are_those_that_the_snapshots_gave_at_the_time(tmp_path):
    pings = {32.0 + minute: 9.0 * minute for minute in range(1, 11)}
    timeline = timeline_of(tmp_path, rows_of("A1", WHOLE, pings=pings))
    story = lifecycle(timeline, 0)

    assert len(story.arrivals) > 2
    for t in np.linspace(NOON + 32.1 * MINUTE, NOON + 42.9 * MINUTE, 60):
        known = [eta for since, eta in story.arrivals if since <= t]
        assert max(known[-1], t) == pytest.approx(float(timeline.at(t).drivers.eta[0]), abs=1.5)


def test_an_order_that_falls_silent_is_told_to_stall_after_four_hours(tmp_path):
    story = lifecycle_of(tmp_path, {"created": 0, "started": 2, "finished": 400})

    assert [(minutes_after_noon(a), minutes_after_noon(b)) for a, b in story.stalls if b] == [(242, 400)]
    assert [(minutes_after_noon(a), b) for a, b in story.stalls if b is None] == [(640, None)]
