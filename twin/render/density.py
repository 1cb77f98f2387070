"""Pictures of density, which the map draws between its streets and its drivers.

Pure functions of positions, weights and theme. Datashader adds the weights up on a grid and a Gaussian spreads them over
their neighbourhood. The colour is one hue that nothing else on the map has; density changes lightness and opacity only, so
that it is visible with any kind of colour blindness.
"""

import io
from dataclasses import dataclass

import datashader as ds
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from twin.render.ramp import interpolate
from twin.render.streets import Box

Floats = NDArray[np.floating]
Grid = NDArray[np.float64]
"""(height, width), south row first."""

SPREAD_M = 260.0
"""Standard deviation of one order's spot, Web Mercator metres: some blocks, so that districts are visible and addresses not."""

ROAD_SPREAD_M = 70.0
"""Standard deviation of driven time, Web Mercator metres: the width of a street on the map, and the error of a route."""

LONGEST_PX = 480
"""Longer side of a picture of spots. A pixel is then about 40 m of a city, far below the spread; a finer picture is larger
by half a megabyte and shows no more."""

LONGEST_ROADS_PX = 900
"""Longer side of a picture of driven streets, which are narrower."""

FINEST = 32
"""Pixels per standard deviation at most: a finer picture of a small area would show no more."""

OUTLIERS_PERCENT = 0.5
"""Percentage of positions on each side that do not widen the picture: one distant address would blur the city."""

CURVE = 0.6
"""Exponent from density to tone: below 1, so that ordinary districts stay visible next to the densest."""

FAINTEST = 0.06
"""Tone below which a pixel is transparent, so that the streets stay clear where density is low."""

STRONGEST_ALPHA = 190
"""Of 255: the streets must be visible through the densest district."""

LEVELS = 96
"""Number of tones: more than an eye distinguishes, and few enough for a palette, which halves the size of the picture."""

RAMPS: dict[str, tuple[str, str, str]] = {
    "dark": ("#5b21b6", "#a21caf", "#f5a3ff"),
    "light": ("#c4b5fd", "#a855f7", "#6b21a8"),
}
"""From low to high density. Violet, because blue, green, amber and red already have a meaning on this map."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, transparent where density is low. extent: in the metres of the positions; inside: number of positions it shows."""

    png: bytes
    extent: Box
    inside: int


def spots(x: Floats, y: Floats, theme: str) -> Picture | None:
    """Return the density of positions x, y ((n,) metres, NaN where missing), None if all are missing.

    Raises KeyError for an unknown theme.
    """
    ramp = RAMPS[theme]
    present = np.isfinite(x) & np.isfinite(y)
    if not present.any():
        return None
    x, y = np.asarray(x, np.float64)[present], np.asarray(y, np.float64)[present]
    extent = extent_of(x, y, SPREAD_M)
    grid = spread(x, y, np.ones(len(x)), extent, SPREAD_M, LONGEST_PX)
    x0, y0, x1, y1 = extent
    shown = int(np.count_nonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)))
    return Picture(painted(tones(grid), ramp), extent, shown)


def spread(x: Floats, y: Floats, weight: Floats, extent: Box, metres: float, longest: int) -> Grid:
    """Return the weight of positions per pixel over `extent`.

    `metres` is the standard deviation of the Gaussian, `longest` the number of pixels of the longer side. The sum of the grid is
    the weight inside the extent.
    """
    x0, y0, x1, y1 = extent
    pixel = pixel_of(extent, metres, longest)
    width, height = max(round((x1 - x0) / pixel), 1), max(round((y1 - y0) / pixel), 1)
    canvas = ds.Canvas(plot_width=width, plot_height=height, x_range=(x0, x1), y_range=(y0, y1))
    added = canvas.points(pd.DataFrame({"x": x, "y": y, "w": weight}), "x", "y", ds.sum("w")).to_numpy()
    return np.asarray(gaussian_filter(np.nan_to_num(added.astype(np.float64)), metres / pixel, mode="constant"))


def pixel_of(extent: Box, metres: float, longest: int) -> float:
    """Return metres per pixel of a picture whose positions are spread by `metres`."""
    x0, y0, x1, y1 = extent
    return max(max(x1 - x0, y1 - y0) / longest, metres / FINEST)


def extent_of(x: Floats, y: Floats, metres: float) -> Box:
    """Return a box around all positions but outliers, with a margin for the spread."""
    margin = 4 * metres  # a Gaussian is practically zero there
    (x0, x1), (y0, y1) = (np.percentile(axis, [OUTLIERS_PERCENT, 100 - OUTLIERS_PERCENT]) for axis in (x, y))
    return float(x0 - margin), float(y0 - margin), float(x1 + margin), float(y1 + margin)


def tones(grid: Grid) -> Grid:
    """Return the tone of each pixel, 0 to 1, for densities that differ by a factor of about ten."""
    top = float(grid.max())
    return np.zeros_like(grid) if top <= 0 else (np.maximum(grid, 0) / top) ** CURVE


def wide_tones(grid: Grid, least: float) -> Grid:
    """Return the tone of each pixel, 0 to 1, on a logarithmic scale, for densities from `least` to hundreds of times that."""
    top = float(grid.max())
    if top <= least:
        return np.where(grid > least, 1.0, 0.0)
    return np.clip(np.log(np.maximum(grid, least) / least) / np.log(top / least), 0, 1)


def painted(tones: Grid, ramp: tuple[str, ...]) -> bytes:
    """Return a PNG of tones 0 to 1 in the colours of a ramp."""
    levels = np.linspace(0, 1, LEVELS)
    palette = np.empty((LEVELS, 4), np.uint8)
    palette[:, :3] = interpolate(ramp, LEVELS)
    palette[:, 3] = STRONGEST_ALPHA * np.clip((levels - FAINTEST) / (1 - FAINTEST), 0, 1) ** 0.7
    shown = Image.fromarray(np.round(tones[::-1] * (LEVELS - 1)).astype(np.uint8))  # images start with the north row
    shown.putpalette(palette.tobytes(), "RGBA")
    picture = io.BytesIO()
    shown.save(picture, "PNG")
    return picture.getvalue()
