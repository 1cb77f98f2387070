"""Pictures of density: every order counted once, strongest where they are, nothing where nobody ordered."""

import io

import numpy as np
import pytest
from PIL import Image

from twin.render.density import LONGEST_PX, RAMPS, SPREAD_M, Picture, spots, spread


def places(n: int, x: float, y: float, around: float = 100.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.normal(x, around, n), rng.normal(y, around, n)


def pixels(drawn: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(drawn.png)).convert("RGBA"))


def at(drawn: Picture, x: float, y: float) -> np.ndarray:
    """The pixel (r, g, b, a) of a place; pictures begin in the north."""
    picture, (x0, y0, x1, y1) = pixels(drawn), drawn.extent
    height, width = picture.shape[:2]
    return picture[int((y1 - y) / (y1 - y0) * height), int((x - x0) / (x1 - x0) * width)]


def test_every_delivery_is_counted_once():
    x, y = places(500, 0.0, 0.0, 800.0)
    grid = spread(x, y, np.ones(500), (-6000.0, -5000.0, 6000.0, 5000.0), SPREAD_M, LONGEST_PX)
    assert grid.sum() == pytest.approx(500, rel=1e-3)
    assert max(grid.shape) == LONGEST_PX


def test_one_delivery_is_spread_over_its_neighbourhood():
    one = np.zeros(1)
    grid = spread(one, one, one + 1, (-3000.0, -3000.0, 3000.0, 3000.0), SPREAD_M, LONGEST_PX)
    pixel = 6000 / LONGEST_PX
    east = (np.indices(grid.shape)[1] + 0.5) * pixel - 3000
    assert np.sqrt((grid * east**2).sum()) == pytest.approx(SPREAD_M, rel=0.03)


def test_it_is_strongest_where_most_deliveries_went_and_clear_where_none_did():
    many, few = places(900, 2000.0, 1500.0), places(100, -2500.0, -1000.0)
    drawn = spots(np.concatenate([many[0], few[0]]), np.concatenate([many[1], few[1]]), "dark")
    assert drawn.inside == pytest.approx(1000, abs=20)
    strong, weak, none = (at(drawn, *spot)[3] for spot in ((2000.0, 1500.0), (-2500.0, -1000.0), (-200.0, 1500.0)))
    assert strong > weak > 0
    assert none == 0


def test_the_themes_differ_in_colour_only():
    x, y = places(300, 0.0, 0.0, 900.0)
    dark, light = spots(x, y, "dark"), spots(x, y, "light")
    assert dark.extent == light.extent
    assert np.array_equal(pixels(dark)[..., 3], pixels(light)[..., 3])
    assert not np.array_equal(pixels(dark)[..., :3], pixels(light)[..., :3])
    top = [int(RAMPS["dark"][-1][i : i + 2], 16) for i in (1, 3, 5)]
    picture = pixels(dark).reshape(-1, 4)
    assert np.abs(picture[picture[:, 3].argmax(), :3].astype(int) - top).max() <= 4


def test_unknown_places_are_left_out_and_without_any_there_is_nothing():
    x, y = places(50, 0.0, 0.0)
    x[::2] = np.nan
    assert spots(x, y, "light").inside <= 25
    assert spots(np.full(3, np.nan), np.zeros(3), "light") is None


def test_one_stray_address_does_not_widen_the_picture():
    x, y = places(1000, 0.0, 0.0, 500.0)
    x[0] = 150_000.0
    drawn = spots(x, y, "light")
    assert drawn.extent[2] < 5000
    assert drawn.inside < 1000


def test_an_unknown_theme_is_an_error():
    with pytest.raises(KeyError):
        spots(np.zeros(1), np.zeros(1), "sepia")
