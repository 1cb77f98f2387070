"""Where deliveries go: a picture of their density, for the map to draw between its streets and its drivers.

A pure function of places and theme. Datashader counts the places on a grid, a Gaussian spreads each over its
neighbourhood (an address is a sample of demand, not a point of it), and one hue that nothing else on the map has grows
stronger with the density.
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

SPREAD_M = 260.0
"""Standard deviation of one delivery's spot, Web Mercator metres: some blocks, so that a district shows and no address does."""

LONGEST_PX = 480
"""Longer side of the picture. A pixel is then some 40 m of a city: far below the spread, and half a megabyte less to send."""

OUTLIERS_PERCENT = 0.5
"""Share of the places on each side that do not widen the picture: one stray address would blur the city."""

CURVE = 0.6
"""Power of the density that gives the tone: below 1, so that ordinary districts do not vanish beside the densest."""

FAINTEST = 0.06
"""Tone below which nothing is drawn; the streets stay clear where hardly anybody ordered."""

STRONGEST_ALPHA = 190
"""Of 255: the streets must be seen through the densest district."""

RAMPS: dict[str, tuple[str, str, str]] = {
    "dark": ("#5b21b6", "#a21caf", "#f5a3ff"),
    "light": ("#c4b5fd", "#a855f7", "#6b21a8"),
}
"""From few deliveries to most. Violet: blue, green, amber and red already mean something on this map."""


@dataclass(frozen=True, slots=True)
class Heat:
    """The picture (PNG, transparent where nobody ordered) over `extent`, in the metres of the places, and how many it shows."""

    png: bytes
    extent: Box
    deliveries: int


def heat(x: Floats, y: Floats, theme: str) -> Heat | None:
    """Return the density of places x, y ((n,) metres, NaN where unknown); None where none is known, KeyError for a theme."""
    ramp = RAMPS[theme]
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return None
    x, y = np.asarray(x, np.float64)[known], np.asarray(y, np.float64)[known]
    extent = _extent(x, y)
    tones = _tones(density(x, y, extent))
    picture = io.BytesIO()
    Image.fromarray(_paint(tones, ramp)).save(picture, "PNG")
    x0, y0, x1, y1 = extent
    shown = int(np.count_nonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)))
    return Heat(picture.getvalue(), extent, shown)


def density(x: Floats, y: Floats, extent: Box) -> NDArray[np.float64]:
    """Return the deliveries per pixel over `extent`, (height, width) float64, south row first; the sum is their number."""
    x0, y0, x1, y1 = extent
    pixel = max(x1 - x0, y1 - y0) / LONGEST_PX
    width, height = max(round((x1 - x0) / pixel), 1), max(round((y1 - y0) / pixel), 1)
    canvas = ds.Canvas(plot_width=width, plot_height=height, x_range=(x0, x1), y_range=(y0, y1))
    counts = canvas.points(pd.DataFrame({"x": x, "y": y}), "x", "y", ds.count()).to_numpy().astype(np.float64)
    return np.asarray(gaussian_filter(counts, SPREAD_M / pixel, mode="constant"), np.float64)


def _extent(x: Floats, y: Floats) -> Box:
    margin = 4 * SPREAD_M  # a Gaussian has faded out there
    (x0, x1), (y0, y1) = (np.percentile(axis, [OUTLIERS_PERCENT, 100 - OUTLIERS_PERCENT]) for axis in (x, y))
    return float(x0 - margin), float(y0 - margin), float(x1 + margin), float(y1 + margin)


def _tones(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    top = float(spread.max())
    return np.zeros_like(spread) if top <= 0 else (np.maximum(spread, 0) / top) ** CURVE


def _paint(tones: NDArray[np.float64], ramp: tuple[str, ...]) -> NDArray[np.uint8]:
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ramp], float)
    at = np.linspace(0, 1, len(ramp))
    painted = np.zeros((*tones.shape, 4), np.uint8)
    for channel in range(3):
        painted[..., channel] = np.interp(tones, at, stops[:, channel])
    painted[..., 3] = STRONGEST_ALPHA * np.clip((tones - FAINTEST) / (1 - FAINTEST), 0, 1) ** 0.7
    return painted[::-1]  # pictures begin in the north
