"""The base map's tiles: the right place, no seams, rendered once."""

import itertools
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.render.pictures import KITCHEN, levels, streets_of, wandering
from twin.foundation.geo import project
from twin.render.grid import metres_per_pixel, tile_box
from twin.render.streets import FEW_ROUTES
from twin.render.tiles import TileSet, count_lines, warm
from twin.render.tone import RAMPS


def tile_and_pixel(lat: float, lon: float, z: int) -> tuple[int, int, int, int]:
    """The scheme's published formula, in degrees: tile x, y and pixel column, row in it."""
    x = (lon + 180) / 360 * 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return int(x), int(y), int(x % 1 * 256), int(y % 1 * 256)


@pytest.mark.parametrize(("lat", "lon"), [(37.791, -122.3929), (41.8907, -87.6321), (-33.8688, 151.2093)])
@pytest.mark.parametrize("z", [11, 14, 17])
def test_a_street_lights_up_the_pixel_of_the_tile_where_it_lies(lat: float, lon: float, z: int) -> None:
    x, y = (float(value) for value in project(lat, lon))
    street = streets_of([(x - 500, y), (x, y), (x + 500, y)])
    tile_x, tile_y, column, row = tile_and_pixel(lat, lon, z)

    seen = levels(TileSet(street).tile(z, tile_x, tile_y, "dark"), "dark")

    assert seen[row, column] > 0
    brightest = np.flatnonzero(seen[:, column] == seen[:, column].max())
    assert abs(brightest.mean() - row) <= 1.0
    far = np.abs(np.arange(256) - row) > 30
    assert not seen[far, column].any(), "nothing is drawn where no street is"


@pytest.mark.parametrize("routes", [8, FEW_ROUTES + 100])
@pytest.mark.parametrize("z", [12, 15])
def test_neighbouring_tiles_of_different_blocks_are_halves_of_one_picture(routes: int, z: int) -> None:
    tiles = TileSet(wandering(routes))
    side = metres_per_pixel(z) * 256
    x = int((KITCHEN[0] - tile_box(z, 0, 0)[0]) / side) // 4 * 4 + 3  # its east neighbour belongs to the next block
    y = int((tile_box(z, 0, 0)[3] - KITCHEN[1]) / side)
    west, _, _, _ = box = tile_box(z, x, y)

    whole = levels(tiles.image((west, box[1], west + 2 * side, box[3]), 512, 256, "dark"), "dark")
    halves = [levels(tiles.tile(z, x + i, y, "dark"), "dark") for i in (0, 1)]

    both = np.hstack(halves)
    assert both.any()
    # float rounding may move a value over the border between two neighbouring colours, and no further
    assert np.abs(both - whole).max() <= 1
    assert (both != whole).mean() < 0.001


def test_all_tiles_of_a_zoom_level_share_one_curve_and_others_look_alike() -> None:
    tiles = TileSet(wandering(FEW_ROUTES + 200))
    shares = []
    for z in range(12, 17):
        half = metres_per_pixel(z) * 400
        box = (KITCHEN[0] - half, KITCHEN[1] - half, KITCHEN[0] + half, KITCHEN[1] + half)
        seen = levels(tiles.image(box, 800, 800, "dark"), "dark")
        shares.append(seen[seen > 0].mean())
    steps = np.abs(np.diff(shares)) / np.array(shares[1:])
    assert steps.max() < 0.5, f"brightness jumps between zooms: {shares}"


def test_the_background_is_the_first_colour_of_the_theme() -> None:
    tiles = TileSet(wandering(20))
    for theme in RAMPS:
        assert not levels(tiles.tile(12, 0, 0, theme), theme).any()


def test_both_themes_show_the_same_pixels_in_other_colours() -> None:
    tiles = TileSet(wandering(FEW_ROUTES))
    x, y, _, _ = tile_and_pixel(37.791, -122.3929, 13)
    dark, light = tiles.tile(13, x, y, "dark"), tiles.tile(13, x, y, "light")
    assert dark != light
    assert (levels(dark, "dark") == levels(light, "light")).all()


def test_a_dense_display_gets_twice_the_pixels_of_the_same_map() -> None:
    tiles = TileSet(wandering(FEW_ROUTES + 100))
    x, y, _, _ = tile_and_pixel(37.791, -122.3929, 14)
    single = levels(tiles.tile(14, x, y, "light"), "light")
    double = levels(tiles.tile(14, x, y, "light", scale=2), "light")
    assert double.shape == (512, 512)
    shrunk = double.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert np.corrcoef(shrunk.ravel(), single.ravel())[0, 1] > 0.9


def test_a_teleport_is_not_drawn_but_the_route_around_it_is() -> None:
    x, y = KITCHEN
    ground = math.cos(math.radians(37.79))
    near, far = 1_900 / ground, 2_100 / ground  # metres on the map for metres on the ground
    believable = TileSet(streets_of([(x, y), (x + near, y)]))._strokes
    jump = TileSet(streets_of([(x, y), (x + 100, y), (x + 100 + far, y), (x + 200 + far, y)]))._strokes
    assert len(believable) == 1
    assert sorted((jump.x1 - jump.x0).round().tolist()) == [100, 100]


def test_routes_are_not_joined_to_each_other_nor_across_an_unknown_point() -> None:
    x, y = KITCHEN
    strokes = TileSet(streets_of([(x, y), (x + 50, y)], [(x + 60, y), (math.nan, math.nan), (x + 90, y)]))._strokes
    assert (strokes.x1 - strokes.x0).round().tolist() == [50]


def test_a_step_made_by_many_is_drawn_once_and_counts_for_all_of_them() -> None:
    x, y = KITCHEN
    there, back = [(x, y), (x + 400, y)], [(x + 400, y), (x, y)]
    together = TileSet(streets_of(there, back, there))._strokes
    assert len(together) == 1
    assert together.count.tolist() == [3]


def test_a_street_in_pieces_counts_the_same_all_along() -> None:
    """No bead where strokes meet: a line of many short strokes equals one long stroke."""
    x, y = KITCHEN
    slope = [(x + 7.3 * i, y + 4.1 * i) for i in range(101)]
    box = (x - 50, y - 50, x + 800, y + 500)
    pieces = count_lines(TileSet(streets_of(slope))._strokes, box, 340, 220)
    whole = count_lines(TileSet(streets_of([slope[0], slope[-1]]))._strokes, box, 340, 220)
    assert whole.max() == pytest.approx(1, abs=0.01)
    assert np.abs(pieces - whole).max() < 0.16


def test_a_map_without_routes_is_plain_background() -> None:
    nothing = TileSet(streets_of([]))
    assert not levels(nothing.tile(13, 1310, 3166, "dark"), "dark").any()
    assert not levels(nothing.image((0, 0, 1000, 1000), 64, 32, "light"), "light").any()


@pytest.mark.parametrize("tile", [(-1, 0, 0), (21, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_a_tile_outside_the_scheme_is_refused(tile: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no tile"):
        TileSet(wandering(5)).tile(*tile, "dark")


def test_the_whole_world_is_one_tile_at_zoom_0() -> None:
    assert levels(TileSet(wandering(5)).tile(0, 0, 0, "dark"), "dark").any()


def test_a_block_asked_for_by_many_at_once_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    warm()
    tiles = TileSet(wandering(FEW_ROUTES))
    tiles._curve(14)
    together, calls = threading.Barrier(8), []
    values = tiles._values

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        return values(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tiles, "_values", counted)
    x, y, _, _ = tile_and_pixel(37.791, -122.3929, 14)
    places = list(
        itertools.islice(itertools.product(range(x // 4 * 4, x // 4 * 4 + 4), [y // 4 * 4, y // 4 * 4 + 1]), 8)
    )

    def ask(place: tuple[int, int]) -> bytes:
        together.wait()
        return tiles.tile(14, *place, "dark")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, places))

    assert len(calls) == 1
    assert answers == [TileSet(wandering(FEW_ROUTES)).tile(14, *place, "dark") for place in places]


def test_equal_data_share_their_version_and_other_data_do_not() -> None:
    assert TileSet(wandering(9)).version == TileSet(wandering(9)).version != TileSet(wandering(9, seed=1)).version
