"""Plane geometry for the street graph: a local projection, point-in-ring, scanline clipping, crossings.

All functions take NumPy columns in metres east and north of the kitchen. Over the extent of a city, a plane is off by a
few metres, less than the width of a street.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

METRES_PER_DEGREE = 111_195.08
"""Length of a degree of latitude on a sphere of 6,371,008.8 m, the mean radius of the Earth."""

METRES_PER_MILE = 1609.34
"""The value of the real generator; the exact 1,609.344 would change every drive time in the last digits."""


@dataclass(frozen=True, slots=True)
class Projection:
    """An equirectangular plane around one point, degrees; distances within 15 km of it are accurate to about 0.1 %."""

    lat: float
    lon: float

    @property
    def _metres_per_degree_east(self) -> float:
        return METRES_PER_DEGREE * float(np.cos(np.radians(self.lat)))

    def to_plane(self, latlon: Floats) -> Floats:
        """Return (n, 2) [x, y] metres east and north of the centre for (n, 2) [lat, lon] degrees."""
        latlon = np.asarray(latlon, dtype=np.float64).reshape(-1, 2)
        return np.column_stack(
            [(latlon[:, 1] - self.lon) * self._metres_per_degree_east, (latlon[:, 0] - self.lat) * METRES_PER_DEGREE]
        )

    def to_degrees(self, xy: Floats) -> Floats:
        """Return (n, 2) [lat, lon] degrees for (n, 2) [x, y] metres."""
        xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        return np.column_stack(
            [self.lat + xy[:, 1] / METRES_PER_DEGREE, self.lon + xy[:, 0] / self._metres_per_degree_east]
        )


def inside(xy: Floats, ring: Floats) -> Bools:
    """Return (n,) whether each of the (n, 2) points lies in the ring (m, 2), by the even-odd rule."""
    x, y = xy[:, 0], xy[:, 1]
    result = np.zeros(len(xy), dtype=bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        straddles = (y0 > y) != (y1 > y)
        result ^= straddles & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return result


def spans(ring: Floats, y: float) -> list[tuple[float, float]]:
    """Return the parts of the horizontal line at height y inside the ring: [(x_enter, x_leave), …] from west to east."""
    a, b = ring, np.roll(ring, -1, axis=0)
    hit = (a[:, 1] > y) != (b[:, 1] > y)
    a, b = a[hit], b[hit]
    x = np.sort(a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1]))
    return list(zip(x[::2].tolist(), x[1::2].tolist(), strict=True))


def rotate(xy: Floats, degrees: float) -> Floats:
    """Rotate (n, 2) points clockwise about the origin, by degrees as on a compass."""
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return xy @ np.array([[cos, -sin], [sin, cos]])


def distance_to_line(xy: Floats, line: Floats) -> Floats:
    """Return (n,) metres from each point to the nearest place on a polyline (m, 2)."""
    best = np.full(len(xy), np.inf)
    for a, b in pairwise(line):
        along = b - a
        t = np.clip(((xy - a) @ along) / max(float(along @ along), 1e-9), 0.0, 1.0)
        best = np.minimum(best, np.hypot(*(xy - a - t[:, None] * along).T))
    return best


def crossings(start: Floats, end: Floats, excluded: "ExcludedPairs") -> tuple[Ints, Floats]:
    """Return where segments cross, as (segment, fraction along it); each crossing twice, once per segment.

    start, end: (n, 2) metres. Segments must be short (a few hundred metres): candidates are found by the distance of their
    midpoints, so that the work is proportional to the number of segments, not to its square.
    """
    middle, reach = (start + end) / 2, float(np.hypot(*(end - start).T).max())
    pairs = cKDTree(middle).query_pairs(reach, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    may_meet = ~excluded(a, b)
    a, b = a[may_meet], b[may_meet]
    u, v, w = end[a] - start[a], end[b] - start[b], start[b] - start[a]
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / cross
        s = (w[:, 0] * u[:, 1] - w[:, 1] * u[:, 0]) / cross
        hit = (np.abs(cross) > 1e-9) & (t >= 0) & (t <= 1) & (s >= 0) & (s <= 1)
    return np.concatenate([a[hit], b[hit]]).astype(np.int64), np.concatenate([t[hit], s[hit]])


class ExcludedPairs:
    """Pairs of segments that never meet: parts of one street, and a freeway with a local street (no ramp there)."""

    def __init__(self, street: Ints, klass: Ints, *, freeway: int, local: int) -> None:
        self._street, self._klass, self._freeway, self._local = street, klass, freeway, local

    def __call__(self, a: Ints, b: Ints) -> Bools:
        ka, kb = self._klass[a], self._klass[b]
        no_ramp = (np.maximum(ka, kb) == self._freeway) & (np.minimum(ka, kb) == self._local)
        return (self._street[a] == self._street[b]) | no_ramp
