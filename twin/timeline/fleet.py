"""The positions of all drivers on the road at a time, in one pass, for fleets too large to be sent driver by driver.

`locate` computes everything about some drivers (progress, arrival, measured or not). Here only positions are computed, by the
same rule. Compiled and without the GIL, because one frame may need a million drivers.
"""

from dataclasses import dataclass
from typing import Protocol

import numba
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1: Web Mercator metres east and north of the kitchen."""


class TripKnots(Protocol):
    """The part of `trips.Trips` that is needed here: n trips sorted by start, with k knots in all."""

    @property
    def start(self) -> NDArray[np.float64]: ...
    @property
    def end(self) -> NDArray[np.float64]: ...
    @property
    def knots_from(self) -> NDArray[np.int32]: ...
    @property
    def knots_to(self) -> NDArray[np.int32]: ...
    @property
    def t(self) -> NDArray[np.float32]: ...
    @property
    def x(self) -> NDArray[np.int16]: ...
    @property
    def y(self) -> NDArray[np.int16]: ...
    @property
    def unit(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Fleet:
    """The m drivers on the road at t: trip (m,) int32, x, y (m,) float64, metres east/north of the kitchen."""

    t: float
    trip: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.trip)

    def inside(self, box: Box) -> int:
        """Return the number of drivers in a box, edges included."""
        return int(_inside(self.x, self.y, *box))

    def without(self, trips: NDArray[np.int32]) -> "Fleet":
        """Return the fleet without some trips."""
        if not len(trips):
            return self
        others = ~np.isin(self.trip, trips)
        return Fleet(self.t, self.trip[others], self.x[others], self.y[others])

    def nearest(self, x: float, y: float, reach: float) -> int:
        """Return the trip of the driver nearest to (x, y), at most `reach` metres away; -1 if there is none."""
        position = _nearest(self.x, self.y, x, y, reach)
        return int(self.trip[position]) if position >= 0 else -1


def count_on_road(trips: TripKnots, t: float) -> int:
    """Return the number of drivers on the road at t; each is from the start of the trip until just before its end."""
    begun = int(np.searchsorted(trips.start, t, side="right"))
    return int(np.count_nonzero(trips.end[:begun] > t))


def gather(trips: TripKnots, t: float) -> Fleet:
    """Return all drivers on the road at t with their positions."""
    begun = int(np.searchsorted(trips.start, t, side="right"))
    trip, x, y = np.empty(begun, np.int32), np.empty(begun), np.empty(begun)
    n = _gather(
        trips.knots_from,
        trips.knots_to,
        trips.t,
        trips.x,
        trips.y,
        trips.start,
        trips.end,
        float(trips.unit),
        float(t),
        begun,
        trip,
        x,
        y,
    )
    return Fleet(float(t), trip[:n], x[:n], y[:n])


def through(trips: TripKnots, box: Box, start: float, end: float) -> NDArray[np.intp]:
    """Return the trips (n,) that may be in a box at some time in [start, end]: all that are, and some that only pass near it."""
    begun = int(np.searchsorted(trips.start, end, side="right"))
    passes = np.zeros(begun, np.bool_)
    scaled = np.array(box, np.float64) / trips.unit
    _through(
        trips.knots_from,
        trips.knots_to,
        trips.t,
        trips.x,
        trips.y,
        trips.start,
        trips.end,
        scaled,
        float(start),
        float(end),
        passes,
    )
    return np.flatnonzero(passes)


@numba.njit(cache=True, nogil=True)
def _gather(knots_from, knots_to, knot_t, knot_x, knot_y, start, end, unit, t, begun, trip, x, y):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(begun):
        first, stop = knots_from[i], knots_to[i]
        if end[i] <= t or first == stop:
            continue
        since = t - start[i]
        low, high = first, stop  # binary search: the last knot that is not later is in [low, high)
        while high - low > 1:
            middle = (low + high) // 2
            if knot_t[middle] <= since:
                low = middle
            else:
                high = middle
        east, north = float(knot_x[low]), float(knot_y[low])
        if low + 1 < stop:
            here, after = float(knot_t[low]), float(knot_t[low + 1])
            if here <= since < after and np.isfinite(after):  # a knot at infinity was never reached
                share = (since - here) / (after - here)
                east += share * (float(knot_x[low + 1]) - east)
                north += share * (float(knot_y[low + 1]) - north)
        trip[n], x[n], y[n] = i, east * unit, north * unit
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _inside(x, y, x0, y0, x1, y1):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(len(x)):
        if x0 <= x[i] <= x1 and y0 <= y[i] <= y1:
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _nearest(xs, ys, x, y, reach):  # type: ignore[no-untyped-def]
    best, least = -1, reach * reach
    for i in range(len(xs)):
        dx, dy = xs[i] - x, ys[i] - y
        distance = dx * dx + dy * dy
        if distance <= least:
            best, least = i, distance
    return best


@numba.njit(cache=True, nogil=True)
def _through(knots_from, knots_to, knot_t, knot_x, knot_y, start, end, box, t0, t1, passes):  # type: ignore[no-untyped-def]
    for i in range(len(passes)):
        if end[i] < t0:
            continue
        first, stop = knots_from[i], knots_to[i]
        for k in range(first, stop):
            after = min(k + 1, stop - 1)
            if start[i] + knot_t[after] < t0 and after > k:
                continue
            if start[i] + knot_t[k] > t1 and k > first:
                break
            if (
                max(knot_x[k], knot_x[after]) >= box[0]
                and min(knot_x[k], knot_x[after]) <= box[2]
                and max(knot_y[k], knot_y[after]) >= box[1]
                and min(knot_y[k], knot_y[after]) <= box[3]
            ):
                passes[i] = True
                break
