"""Data that knows where customers are and not where the kitchen is: they have their places, and nothing is made up for it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.raw_orders import CUSTOMER, NOON, WHOLE, rows_of, timeline_of
from twin.analysis.lifecycle import lifecycle
from twin.foundation.geo import Frame, project
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.map import messages
from twin.views.map.map import NO_PLACE, MapView


def customers(spread: float, **options: Any) -> list[list[dict[str, Any]]]:
    """Five orders without a pick-up, whose customers lie `spread` degrees of longitude apart."""
    orders = []
    for number in range(5):
        rows = rows_of(f"o{number}", {name: at for name, at in WHOLE.items() if name != "picked_up"}, **options)
        body = json.loads(rows[0]["body"])
        if body["customer_lon"] is not None:
            body["customer_lon"] += spread * number
        orders.append([{**rows[0], "body": json.dumps(body)}, *rows[1:]])
    return orders


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return timeline_of(tmp_path, *customers(0.01))


def scene_of(timeline: Timeline) -> tuple[MapView, dict[str, Any]]:
    controller = ReplayController()
    controller.load(timeline, NOON)
    view = MapView(controller)
    return view, view._frame.scene


def test_customers_are_where_the_data_says(timeline: Timeline) -> None:
    assert timeline.location.lat is None
    assert timeline.origin is not None
    assert (timeline.origin.lat, timeline.origin.lon) == pytest.approx((CUSTOMER[0], CUSTOMER[1] + 0.02))
    origin = messages.origin_of(timeline)
    assert origin is not None
    lon = CUSTOMER[1] + 0.01 * np.arange(5)
    np.testing.assert_allclose(timeline.orders.customer_x + origin[0], project(CUSTOMER[0], lon)[0], atol=0.5)
    view, scene = scene_of(timeline)
    assert (view.has_place, scene["known"]) == (True, False)
    assert scene["kitchen"] == origin
    assert "where the kitchen is" in scene["note"]
    x0, _, x1, _ = scene["home"]
    assert x0 < project(CUSTOMER[0], lon[1])[0] < project(CUSTOMER[0], lon[3])[0] < x1


def test_no_way_and_no_distance_begins_at_a_kitchen_that_nobody_knows(timeline: Timeline) -> None:
    assert len(timeline.trips.order) == 0
    assert messages.kitchen_of(timeline) is None
    assert lifecycle(timeline, 0).distance is None


def test_without_any_coordinates_there_is_no_map(tmp_path: Path) -> None:
    timeline = timeline_of(tmp_path, *customers(0.01, places=False))
    view, scene = scene_of(timeline)
    assert (timeline.origin, view.has_place, scene["empty"]) == (None, False, NO_PLACE)


def test_the_midst_of_places_on_both_sides_of_the_antimeridian_is_between_them() -> None:
    frame = Frame.amid(np.array([10.0, 10.0, 11.0, np.nan]), np.array([179.9, -179.9, -179.7, 3.0]))
    assert frame is not None
    assert (frame.lat, frame.lon) == (10.0, pytest.approx(-179.9))
    assert Frame.amid(np.array([np.nan]), np.array([np.nan])) is None
