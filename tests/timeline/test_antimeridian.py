"""A kitchen on one side of the antimeridian, its customers on the other: all is as anywhere else on its parallel."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.raw_orders import CUSTOMER, KITCHEN, NOON, ROUTE, WHOLE, rows_of
from twin.foundation.geo import HALF_WORLD_M, nearest_copy, project, unproject
from twin.hub import Hub
from twin.render.grid import tile_box
from twin.render.streets import Streets
from twin.render.tiles import TileSet
from twin.sources.files import FileSource
from twin.views.map import messages

WEST = 57.6
"""Degrees by which the kitchen of the other tests is moved: it comes to lie just east of the line, its customers west of it."""
PLACES = ("customer_lon", "delivered_lon", "loc_lon")


def moved(lon: float) -> float:
    return (lon - WEST + 180) % 360 - 180


def elsewhere(row: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(row["body"])
    body |= {name: moved(body[name]) for name in PLACES if body.get(name) is not None}
    if body.get("route_points"):
        body["route_points"] = [[lat, moved(lon)] for lat, lon in body["route_points"]]
    return {**row, "body": json.dumps(body)}


def hub_of(path: Path, rows: list[dict[str, Any]]) -> Hub:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Hub(FileSource(path))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hub, Hub]:
    """The same orders at home, and where the customers are across the antimeridian from the kitchen."""
    folder, rows = tmp_path_factory.mktemp("line"), []
    for number in range(6):
        rows += rows_of(f"o{number}", {name: at + number for name, at in WHOLE.items()}, pings={36: 40, 39: 70})
    return hub_of(folder / "home.jsonl", rows), hub_of(folder / "line.jsonl", [elsewhere(row) for row in rows])


def test_the_kitchen_and_its_customers_are_on_either_side(both: tuple[Hub, Hub]) -> None:
    here, there = (hub.location("sf") for hub in both)
    assert there.lon == pytest.approx(moved(KITCHEN[1]))
    assert moved(CUSTOMER[1]) * moved(KITCHEN[1]) < 0, "the line is between them"
    assert there.radius_m == pytest.approx(here.radius_m, abs=0.5)


def test_distances_trips_and_drivers_are_those_of_any_other_place(both: tuple[Hub, Hub]) -> None:
    here, there = (hub.timeline("sf") for hub in both)
    assert there.data_quality.flagged == here.data_quality.flagged
    np.testing.assert_allclose(there.orders.customer_x, here.orders.customer_x, atol=0.1)
    np.testing.assert_allclose(there.trips.x, here.trips.x, atol=1)
    t = NOON + 38 * 60
    mine, theirs = here.at(t).drivers, there.at(t).drivers
    assert len(theirs) == len(mine) > 0
    np.testing.assert_allclose(theirs.lon, [moved(lon) for lon in mine.lon], atol=1e-5)
    assert np.abs(theirs.lon).max() <= 180
    homes = [(messages.kitchen_of(one), one) for one in (here, there)]
    views = [np.array(messages.first_view(one, at)) - np.tile(at, 2) for at, one in homes if at is not None]
    np.testing.assert_allclose(views[1], views[0], atol=0.1)


def test_the_address_of_a_view_beyond_the_line_is_on_earth() -> None:
    east = float(project(0.0, moved(KITCHEN[1]))[0]) + math.copysign(3000.0, moved(KITCHEN[1]))
    lon, _, _ = messages.to_viewport(east, 0.0, 10.0)
    assert abs(lon) <= 180
    assert float(nearest_copy(project(0.0, lon)[0], east)) == pytest.approx(east)


@pytest.mark.slow
def test_streets_across_the_line_are_whole_and_lie_in_the_tiles_of_both_sides(both: tuple[Hub, Hub]) -> None:
    (x, y, offsets), (x_there, _, _) = (hub.streets("sf") for hub in both)
    assert np.ptp(x_there) == pytest.approx(np.ptp(x), abs=0.1)
    tiles, z = TileSet(Streets(x_there, y, offsets)), 15
    background = TileSet(Streets(np.zeros(0), np.zeros(0), np.zeros(1, np.int32))).tile(z, 0, 0, "dark")
    row = next(n for n in range(2**z) if tile_box(z, 0, n)[1] <= project(*ROUTE[1])[1] < tile_box(z, 0, n)[3])
    for column in (0, 2**z - 1):
        assert tiles.tile(z, column, row, "dark") != background


def test_the_copy_of_a_place_is_the_nearest_one() -> None:
    line = HALF_WORLD_M
    assert nearest_copy([-line + 5, line - 5, 0.0], line - 10).tolist() == pytest.approx([line + 5, line - 5, 0.0])
    assert nearest_copy([line - 5], -line + 10).tolist() == pytest.approx([-line - 5])
    assert unproject([line + 5.0, -line - 5.0], [0.0, 0.0])[1] == pytest.approx([-179.999955, 179.999955], abs=1e-6)
