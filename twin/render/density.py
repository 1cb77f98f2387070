"""Pictures of density for the map to draw between its streets and its drivers: where there is much of something.

Pure functions of places, weights and theme. Datashader adds the weights up on a grid, a Gaussian spreads each over its
neighbourhood, and one hue that nothing else on the map has grows stronger with the density: by lightness and opacity alone,
so that no kind of colour blindness takes it away.
"""

import io
from dataclasses import dataclass

import datashader as ds
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from twin.render.streets import Box

Floats = NDArray[np.floating]
Grid = NDArray[np.float64]
"""(height, width), south row first."""

SPREAD_M = 260.0
"""Standard deviation of one order's spot, Web Mercator metres: some blocks, so that a district shows and no address does."""

ROAD_SPREAD_M = 70.0
"""Standard deviation of what was driven: the width of a street on the map, and of a route's error."""

LONGEST_PX = 480
"""Longer side of a picture of places. A pixel is then some 40 m of a city: far below the spread, and half a megabyte less."""

LONGEST_ROADS_PX = 900
"""Longer side of a picture of streets, which are narrower."""

FINEST = 32
"""Pixels to a spread at most: a finer picture of a small place would show nothing more."""

OUTLIERS_PERCENT = 0.5
"""Share of the places on each side that do not widen the picture: one stray address would blur the city."""

CURVE = 0.6
"""Power of the density that gives the tone: below 1, so that ordinary districts do not vanish beside the densest."""

FAINTEST = 0.06
"""Tone below which nothing is drawn; the streets stay clear where hardly anything is."""

STRONGEST_ALPHA = 190
"""Of 255: the streets must be seen through the densest district."""

LEVELS = 96
"""Tones that are told apart: more than an eye can, and few enough for a palette, which halves the picture's bytes."""

RAMPS: dict[str, tuple[str, str, str]] = {
    "dark": ("#5b21b6", "#a21caf", "#f5a3ff"),
    "light": ("#c4b5fd", "#a855f7", "#6b21a8"),
}
"""From little to most. Violet: blue, green, amber and red already mean something on this map."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, transparent where there is nothing, over `extent`, in the metres of the places; `inside`: how many it shows."""

    png: bytes
    extent: Box
    inside: int


def spots(x: Floats, y: Floats, theme: str) -> Picture | None:
    """Return the density of places x, y ((n,) metres, NaN where unknown); None where none is known, KeyError for a theme."""
    ramp = RAMPS[theme]
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return None
    x, y = np.asarray(x, np.float64)[known], np.asarray(y, np.float64)[known]
    extent = extent_of(x, y, SPREAD_M)
    grid = spread(x, y, np.ones(len(x)), extent, SPREAD_M, LONGEST_PX)
    x0, y0, x1, y1 = extent
    shown = int(np.count_nonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)))
    return Picture(painted(tones(grid), ramp), extent, shown)


def spread(x: Floats, y: Floats, weight: Floats, extent: Box, metres: float, longest: int) -> Grid:
    """Return the weight of places per pixel over `extent`, each spread by `metres`; the sum is the weight inside."""
    x0, y0, x1, y1 = extent
    pixel = pixel_of(extent, metres, longest)
    width, height = max(round((x1 - x0) / pixel), 1), max(round((y1 - y0) / pixel), 1)
    canvas = ds.Canvas(plot_width=width, plot_height=height, x_range=(x0, x1), y_range=(y0, y1))
    added = canvas.points(pd.DataFrame({"x": x, "y": y, "w": weight}), "x", "y", ds.sum("w")).to_numpy()
    return np.asarray(gaussian_filter(np.nan_to_num(added.astype(np.float64)), metres / pixel, mode="constant"))


def pixel_of(extent: Box, metres: float, longest: int) -> float:
    """Return the metres to a pixel of a picture whose places are spread by `metres`."""
    x0, y0, x1, y1 = extent
    return max(max(x1 - x0, y1 - y0) / longest, metres / FINEST)


def extent_of(x: Floats, y: Floats, metres: float) -> Box:
    """Return the box of nearly all of some places, with room for what each is spread by."""
    margin = 4 * metres  # a Gaussian has faded out there
    (x0, x1), (y0, y1) = (np.percentile(axis, [OUTLIERS_PERCENT, 100 - OUTLIERS_PERCENT]) for axis in (x, y))
    return float(x0 - margin), float(y0 - margin), float(x1 + margin), float(y1 + margin)


def tones(grid: Grid) -> Grid:
    """Return how strongly each pixel is drawn, 0 to 1, for densities that differ by some ten times."""
    top = float(grid.max())
    return np.zeros_like(grid) if top <= 0 else (np.maximum(grid, 0) / top) ** CURVE


def wide_tones(grid: Grid, least: float) -> Grid:
    """Return how strongly each pixel is drawn, 0 to 1, for densities from `least` to hundreds of times as much: by logarithm."""
    top = float(grid.max())
    if top <= least:
        return np.where(grid > least, 1.0, 0.0)
    return np.clip(np.log(np.maximum(grid, least) / least) / np.log(top / least), 0, 1)


def painted(tones: Grid, ramp: tuple[str, ...]) -> bytes:
    """Return a PNG of tones 0 to 1 in a ramp's colours."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ramp], float)
    levels = np.linspace(0, 1, LEVELS)
    palette = np.empty((LEVELS, 4), np.uint8)
    for channel in range(3):
        palette[:, channel] = np.interp(levels, np.linspace(0, 1, len(ramp)), stops[:, channel])
    palette[:, 3] = STRONGEST_ALPHA * np.clip((levels - FAINTEST) / (1 - FAINTEST), 0, 1) ** 0.7
    shown = Image.fromarray(np.round(tones[::-1] * (LEVELS - 1)).astype(np.uint8))  # pictures begin in the north
    shown.putpalette(palette.tobytes(), "RGBA")
    picture = io.BytesIO()
    shown.save(picture, "PNG")
    return picture.getvalue()
