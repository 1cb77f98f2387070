"""The geometry of the base map: its streets are the routes that drivers took."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twin.foundation.geo import EARTH_RADIUS_M

Floats = NDArray[np.float32]

MAX_ROUTES = 20_000
"""Routes drawn at most: more of them add no visible street, but each costs time in every tile."""

FEW_ROUTES = 300
"""With fewer routes a street is a single line. Those are drawn wider and softer, so that the map does not appear broken."""

TELEPORT_M = 2_000.0
"""Longest plausible step between two neighbouring route points, metres on the ground; GPS jumps are longer."""

_SAME_SPOT_M = 0.5
"""Metres within which points are the same: less than a pixel at zoom 18, more than the rounding of degrees in the data."""

_SHARED = 0.5
"""Ratio of distinct steps to all steps below which the routes follow a road network."""

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1): west, south, east, north in Web Mercator metres."""


@dataclass(frozen=True, eq=False)
class Streets:
    """Routes as polylines: route i has the points offsets[i]:offsets[i + 1].

    x, y: (k,) float64, absolute Web Mercator metres, NaN for a missing point; offsets: (n + 1,) int32.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    offsets: NDArray[np.int32]
    version: str = field(init=False)
    """12 hex digits that change with the data and are the same in every process, for URLs and caches."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or self.offsets[0] != 0 or self.offsets[-1] != len(self.x):
            raise ValueError(
                f"offsets must run from 0 to the number of points: {len(self.x)} x, {len(self.y)} y, "
                f"offsets {self.offsets[0]} to {self.offsets[-1]}"
            )
        digest = hashlib.blake2s(digest_size=6)
        for column in (self.x, self.y, self.offsets):
            digest.update(np.ascontiguousarray(column).tobytes())
        object.__setattr__(self, "version", digest.hexdigest())

    @property
    def routes(self) -> int:
        """Number of routes."""
        return len(self.offsets) - 1

    @property
    def few(self) -> bool:
        """Whether there are too few routes to show a city's streets."""
        return self.routes < FEW_ROUTES

    def sample(self, most: int = MAX_ROUTES) -> "Streets":
        """Return at most `most` routes, evenly spread over their order, so that the choice is reproducible."""
        if self.routes <= most:
            return self
        chosen = np.linspace(0, self.routes - 1, most).astype(np.int64)
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        points = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], lengths)
        return Streets(self.x[points], self.y[points], offsets)


@dataclass(frozen=True, slots=True)
class Strokes:
    """The lines that are drawn: each distinct step between two route points once, with the number of vehicles that made it.

    Routes on a road network repeat a step twenty times and more; drawing it once is faster by that factor. x0, y0, x1, y1,
    count: (k,) float32, metres east and north of `origin`, where single precision is exact to a millimetre within a city.
    """

    origin: tuple[float, float]
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    count: Floats

    @classmethod
    def of(cls, streets: Streets) -> "Strokes":
        """Return the strokes of the routes, without steps that are too long to have been driven."""
        given = streets.sample()
        present = np.isfinite(given.x) & np.isfinite(given.y)
        if not present.any():
            nothing = np.empty(0, np.float32)
            return cls((0.0, 0.0), nothing, nothing, nothing, nothing, nothing)
        origin = (float(np.median(given.x[present])), float(np.median(given.y[present])))
        x, y = np.where(present, given.x, np.nan) - origin[0], np.where(present, given.y, np.nan) - origin[1]
        route = np.repeat(np.arange(given.routes), np.diff(given.offsets))
        length = np.hypot(np.diff(x), np.diff(y))  # NaN next to a missing point: every comparison is false
        # Web Mercator stretches distances by cosh(y / R), the more the farther from the equator.
        longest = TELEPORT_M * np.cosh(origin[1] / EARTH_RADIUS_M)
        step = np.flatnonzero((length > 0) & (length <= longest) & (route[1:] == route[:-1]))
        spot = np.full((len(x), 2), np.int64(0))
        spot[present] = np.rint(np.stack([x[present], y[present]], axis=1) / _SAME_SPOT_M)
        node = pd.factorize((spot[:, 0] << 32) + spot[:, 1])[0].astype(np.int64)
        ends = np.sort(np.stack([node[step], node[step + 1]]), axis=0)  # there and back is one street
        edge, edges = pd.factorize((ends[0] << 32) + ends[1])
        first = np.full(len(edges), -1)
        first[edge[::-1]] = step[::-1]
        count = np.bincount(edge, minlength=len(edges))
        return cls(origin, *(a.astype(np.float32) for a in (x[first], y[first], x[first + 1], y[first + 1], count)))

    def __len__(self) -> int:
        """Return the number of strokes."""
        return len(self.count)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns."""
        return sum(column.nbytes for column in (self.x0, self.y0, self.x1, self.y1, self.count))

    @property
    def extent(self) -> Box | None:
        """The absolute box around all strokes but the outermost; None without any. A single GPS jump does not widen it."""
        if not len(self):
            return None
        x, y = self.middles()
        (west, east), (south, north) = (np.quantile(axis, (0.005, 0.995)).tolist() for axis in (x, y))
        return west, south, east, north

    @property
    def on_roads(self) -> bool:
        """Whether the routes share steps, as routes planned on a road network do, unlike measured traces."""
        return len(self) < _SHARED * float(self.count.sum())

    def middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the absolute midpoints (x, y) of all strokes."""
        x, y = (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2
        return x + np.float64(self.origin[0]), y + np.float64(self.origin[1])

    def within(self, box: Box) -> "Strokes":
        """Return the strokes whose bounding boxes touch `box` (absolute), the only ones that a tile of it has to draw."""
        west, east = box[0] - self.origin[0], box[2] - self.origin[0]
        south, north = box[1] - self.origin[1], box[3] - self.origin[1]
        near = (np.maximum(self.x0, self.x1) >= west) & (np.minimum(self.x0, self.x1) <= east)
        near &= (np.maximum(self.y0, self.y1) >= south) & (np.minimum(self.y0, self.y1) <= north)
        return Strokes(
            self.origin, self.x0[near], self.y0[near], self.x1[near], self.y1[near], self.count[near]
        )  # fmt: skip
