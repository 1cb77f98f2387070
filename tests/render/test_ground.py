"""The ground under the streets: tones where the areas are, in both themes, through the palette of the tiles."""

import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from tests.render.pictures import KITCHEN, levels, streets_of, wandering
from twin.foundation.geo import project
from twin.render.ground import COLOURS, NAMES, PARK, QUARTERS, WATER, Ground, compose, palette
from twin.render.places import RANKS, Places, parse
from twin.render.streets import FEW_ROUTES
from twin.render.tiles import TileSet
from twin.render.tone import LEVELS, RAMPS
from twin.simulator.places import place_file


def demo() -> Places:
    content = place_file(["sanfrancisco", "chicago", "houston"])
    assert content is not None
    return parse(content)


PLACES = demo()
NO_STREETS = TileSet(streets_of([]), places=PLACES)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def pixel(tiles: TileSet, z: int, lat: float, lon: float, theme: str, scale: int = 1) -> tuple[int, ...]:
    """The colour at a place, by the scheme's published formula."""
    x = (lon + 180) / 360 * 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    image = Image.open(io.BytesIO(tiles.tile(z, int(x), int(y), theme, scale))).convert("RGB")
    return tuple(image.getpixel((int(x % 1 * 256 * scale), int(y % 1 * 256 * scale))))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("z", "scale"), [(11, 1), (15, 1), (12, 2)])
def test_the_demos_cities_show_water_land_and_parks_where_they_are(theme: str, z: int, scale: int) -> None:
    known = {
        (37.800, -122.350): WATER[theme],  # San Francisco Bay
        (37.760, -122.600): WATER[theme],  # Pacific Ocean
        (41.900, -87.560): WATER[theme],  # Lake Michigan
        (37.8040, -122.2712): RAMPS[theme][0],  # Oakland
        (37.862, -122.432): RAMPS[theme][0],  # Angel Island
        (41.880, -87.750): RAMPS[theme][0],
        (29.700, -95.500): RAMPS[theme][0],
        (37.7685, -122.490): PARK[theme],  # Golden Gate Park
        (29.765, -95.440): PARK[theme],  # Memorial Park
    }
    for (lat, lon), colour in known.items():
        assert pixel(NO_STREETS, z, lat, lon, theme, scale) == rgb(colour), (lat, lon)


def test_a_shore_has_steps_between_water_and_land() -> None:
    x, y = KITCHEN
    ring = [[-122.5, 37.7], [-122.3, 37.7], [-122.3, 37.9], [-122.5, 37.7]]
    content = json.dumps(
        {"features": [{"properties": {"kind": "water"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}]}
    )
    classes = Ground(parse(content.encode())).classes((x - 9000, y - 9000, x + 9000, y + 9000), 300, 300)
    assert set(np.unique(classes).tolist()) == set(range(QUARTERS + 1))


def test_a_hole_shows_what_is_under_it_and_a_pond_lies_on_its_island() -> None:
    def ring(lon: float, lat: float, side: float) -> list[list[float]]:
        return [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]

    def area(kind: str, *rings: list[list[float]]) -> dict[str, object]:
        return {"properties": {"kind": kind}, "geometry": {"type": "Polygon", "coordinates": list(rings)}}

    features = [
        area("water", ring(2.4, 2.4, 0.2)),
        area("water", ring(0, 0, 5), ring(1, 1, 1)),
        area("land", ring(2.2, 2.2, 0.6)),
    ]
    ground = Ground(parse(json.dumps({"features": features}).encode()))
    west, south = (float(v) for v in project(0, 0))
    east, north = (float(v) for v in project(5, 5))
    classes = ground.classes((west, south, east, north), 500, 500)
    assert not isinstance(classes, int)

    def at(lon: float, lat: float) -> int:
        x, y = (float(v) for v in project(lat, lon))
        return int(classes[int((north - y) / (north - south) * 500), int((x - west) / (east - west) * 500)])

    assert [at(0.5, 0.5), at(1.5, 1.5), at(2.3, 2.3), at(2.5, 2.5), at(4, 4)] == [QUARTERS, 0, 0, QUARTERS, QUARTERS]


def test_where_one_area_covers_everything_nothing_is_drawn() -> None:
    x, y = (float(v) for v in project(43.5, -87.0))
    assert Ground(PLACES).classes((x - 100, y - 100, x + 100, y + 100), 64, 64) == QUARTERS
    x, y = (float(v) for v in project(29.72, -95.48))
    assert Ground(PLACES).classes((x - 10, y - 10, x + 10, y + 10), 64, 64) == 0
    west, north = x - 2 * math.pi * 6_378_137.0, y  # one world west, as for streets beyond the antimeridian
    assert Ground(PLACES).classes((west - 10, north - 10, west + 10, north + 10), 64, 64) == 0


def test_streets_on_land_look_as_without_places() -> None:
    plain, placed = TileSet(wandering(FEW_ROUTES)), TileSet(wandering(FEW_ROUTES), places=PLACES)
    before, after = (levels(tiles.tile(13, 1310, 3166, "dark"), "dark") for tiles in (plain, placed))
    land = after < LEVELS
    assert 0.2 < land.mean() < 1
    assert (before[land] == after[land]).all()
    assert plain.version != placed.version


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_street_on_water_is_seen_as_well_as_on_land(theme: str) -> None:
    colours = palette(theme).astype(int)
    assert len(colours) == COLOURS <= 256
    every = np.arange(LEVELS, dtype=np.uint8)[None]
    land, water = (colours[compose(every, np.full_like(every, ground))][0] for ground in (0, QUARTERS))
    assert tuple(water[0]) == rgb(WATER[theme])
    assert (compose(every, QUARTERS) == compose(every, np.full_like(every, QUARTERS))).all()
    assert np.abs(water[-1] - water[0]).sum() > 0.6 * np.abs(land[-1] - land[0]).sum()


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    channels = [value / 255 for value in rgb(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_name_can_be_read_on_every_ground(theme: str) -> None:
    colours = NAMES[theme]
    for kind in RANKS:
        for ground in (RAMPS[theme][0], WATER[theme], PARK[theme], colours["halo"], colours["shore"]):
            light, dark = sorted((luminance(colours[kind]), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (kind, ground)
