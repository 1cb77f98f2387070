"""From counts to colours: what makes a heap of routes look like streets.

Two steps. Local contrast divides each count by its surroundings, so that a street stands out in the busy centre, where
everything is counted, as well as in the suburbs, where little is. Then one curve per zoom level, taken from counts all
over the map (never from one tile: neighbours would differ at their border), spreads the values over the ramp, weighted
by traffic: main roads are bright, and what a few vehicles did once stays near the background.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate, uniform_filter

Floats = NDArray[np.float32]

LEVELS = 36
"""Colours in the palette. Neighbouring ones differ by less than an eye sees; more only make the tiles heavier."""

RAMPS: dict[str, tuple[str, ...]] = {
    "dark": ("#0d131c", "#152031", "#1f304b", "#2e476d", "#46689a", "#6c93c6"),
    "light": ("#f5f7fa", "#e9edf3", "#d9dfe9", "#bfc9d9", "#9eacc3", "#7889a8"),
}
"""Colours from no traffic to most, evenly spaced; the first is the background of the map in that theme."""

SURROUNDINGS_PX = 25
"""Side of the box whose mean counts as the surroundings, in strokes: wider than a street, narrower than a district."""

_KNOTS = 256


def palette(theme: str) -> NDArray[np.uint8]:
    """Return the theme's colours, (LEVELS, 3) uint8 RGB, from no traffic to most; KeyError for an unknown theme."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RAMPS[theme]], float)
    at, given = np.linspace(0, 1, LEVELS), np.linspace(0, 1, len(stops))
    return np.stack([np.interp(at, given, stops[:, c]) for c in range(3)], axis=1).round().astype(np.uint8)


def widen(counts: Floats, width: float) -> Floats:
    """Return the counts as if drawn with a round pen of `width` pixels instead of one.

    Datashader compiles its line code anew for every width (1.5 s each), so everything is drawn with one pixel,
    antialiased, and widened here; along the middle of a street the count stays what it was.
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
    """Return the counts divided by a power of the mean of some `side` pixels around; empty pixels stay empty."""
    around = uniform_filter(uniform_filter(counts, side, mode="constant"), side, mode="constant")
    return counts / np.power(np.maximum(around, 0) + 1, power)


@dataclass(frozen=True, slots=True)
class Look:
    """How routes of one kind are drawn.

    `pen`: pixels at zoom 13; `contrast`: power of the surroundings that is divided away; `traffic`: see `Curve.of`;
    `glow`: pixels.
    """

    pen: float
    contrast: float
    traffic: float
    glow: int = 0


TRACES = Look(pen=1.0, contrast=0.6, traffic=0.75)
"""Measured positions scatter about the street: a fine pen, and traffic decides what is a street and what is noise."""

ROADS = Look(pen=1.8, contrast=0.35, traffic=0.1)
"""Planned routes lie exactly on each other: a wider pen, and a side street driven once is as true as a main road."""

FEW = Look(pen=2.6, contrast=0.0, traffic=0.5, glow=13)
"""A handful of lines."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Monotone map from values to 0..1: `values` and `tones`, both (k,) float64, ascending."""

    values: NDArray[np.float64]
    tones: NDArray[np.float64]

    @classmethod
    def of(cls, pixels: Floats, traffic: float) -> "Curve":
        """Return the curve that spreads the values of these pixels, from all over the map, evenly by weight.

        A pixel's weight is its value to the power `traffic`: 0 ranks pixels (as eq_hist does), 1 ranks vehicles.
        """
        lit = np.sort(pixels[pixels > 0]).astype(np.float64)
        if not len(lit):
            return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        rank = np.cumsum(lit**traffic)
        tones = np.linspace(0, 1, _KNOTS)
        at = lit[np.searchsorted(rank, tones * rank[-1]).clip(0, len(lit) - 1)]
        values = np.unique(at)  # equal counts, many where routes share a street, take the tone of the last of them
        tones = tones[np.searchsorted(at, values, side="right") - 1]
        return cls(np.concatenate([[0.0], values]), np.concatenate([[0.0], tones]))

    def levels(self, values: Floats) -> NDArray[np.uint8]:
        """Return the palette index of every value; 0 for 0."""
        tones = np.interp(values, self.values, self.tones)
        return np.rint(tones * (LEVELS - 1)).astype(np.uint8)
