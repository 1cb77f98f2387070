"""From counts to colours, so that many routes appear as streets.

There are two steps. Local contrast divides each count by its surroundings, so that a street stands out in the busy centre
as well as in a suburb with few routes. Then a curve spreads the values over the ramp, weighted by traffic: main roads are
bright, and streets that few vehicles used are close to the background. There is one curve per zoom level, computed from
the whole map, because with a curve per tile neighbouring tiles would differ at their border.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate, uniform_filter

Floats = NDArray[np.float32]

LEVELS = 36
"""Tones of streets. An eye cannot distinguish neighbouring ones; more would only make the tiles larger."""

RAMPS: dict[str, tuple[str, ...]] = {
    "dark": ("#0d131c", "#152031", "#1f304b", "#2e476d", "#46689a", "#6c93c6"),
    "light": ("#f5f7fa", "#e9edf3", "#d9dfe9", "#bfc9d9", "#9eacc3", "#7889a8"),
}
"""Colours from no traffic to most, evenly spaced; the first is the background of the map in that theme."""

SURROUNDINGS_PX = 25
"""Side of the box around a pixel whose mean is its surroundings: wider than a street, narrower than a district."""

_KNOTS = 256
"""Points of a curve."""


def widen(counts: Floats, width: float) -> Floats:
    """Return the counts as if drawn with a round pen of `width` pixels instead of one.

    Datashader compiles its line code for every width (1.5 s each). Lines are therefore drawn one pixel wide, antialiased, and
    widened here. The count in the middle of a street does not change.
    """
    reach = int(np.ceil(width / 2 - 0.5))
    if reach < 1:
        return counts
    across = np.arange(-reach, reach + 1)
    pen = np.clip(width / 2 + 0.5 - np.hypot(across[:, None], across[None, :]), 0, 1).astype(np.float32)
    return correlate(counts, pen / pen[reach].sum(), mode="constant")


def soften(counts: Floats, reach: int) -> Floats:
    """Return the counts with a faint glow of `reach` pixels around them, for maps of few routes."""
    glow = uniform_filter(uniform_filter(counts, reach, mode="constant"), reach, mode="constant")
    return counts + np.maximum(glow, 0)


def contrast(counts: Floats, side: int, power: float) -> Floats:
    """Return the counts divided by a power of the mean within about `side` pixels; empty pixels stay empty."""
    around = uniform_filter(uniform_filter(counts, side, mode="constant"), side, mode="constant")
    return counts / np.power(np.maximum(around, 0) + 1, power)


@dataclass(frozen=True, slots=True)
class RouteStyle:
    """How routes of one kind are drawn.

    pen: pixels at zoom 13; contrast: exponent of the surroundings in `contrast()`; traffic: see `Curve.of`; glow: pixels.
    """

    pen: float
    contrast: float
    traffic: float
    glow: int = 0


TRACES = RouteStyle(pen=1.0, contrast=0.6, traffic=0.75)
"""Measured positions scatter around the street: the pen is fine, and traffic separates streets from noise."""

ROADS = RouteStyle(pen=1.8, contrast=0.35, traffic=0.1)
"""Planned routes coincide exactly: the pen is wider, and a side street used once is as certain as a main road."""

FEW = RouteStyle(pen=2.6, contrast=0.0, traffic=0.5, glow=13)
"""Too few routes to form streets, see `Streets.few`."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A monotone function from values to tones 0..1; values, tones: (k,) float64, ascending."""

    values: NDArray[np.float64]
    tones: NDArray[np.float64]

    @classmethod
    def of(cls, pixels: Floats, traffic: float) -> "Curve":
        """Return the curve that distributes the weight of these pixels, sampled from the whole map, evenly over the tones.

        The weight of a pixel is its value to the power `traffic`: with 0 pixels are ranked (as by eq_hist), with 1 vehicles.
        """
        lit = np.sort(pixels[pixels > 0]).astype(np.float64)
        if not len(lit):
            return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        rank = np.cumsum(lit**traffic)
        tones = np.linspace(0, 1, _KNOTS)
        at = lit[np.searchsorted(rank, tones * rank[-1]).clip(0, len(lit) - 1)]
        values = np.unique(at)  # equal counts, frequent where routes share a street, get the tone of the last one
        tones = tones[np.searchsorted(at, values, side="right") - 1]
        return cls(np.concatenate([[0.0], values]), np.concatenate([[0.0], tones]))

    def levels(self, values: Floats) -> NDArray[np.uint8]:
        """Return the palette index of every value; 0 for 0."""
        tones = np.interp(values, self.values, self.tones)
        return np.rint(tones * (LEVELS - 1)).astype(np.uint8)
