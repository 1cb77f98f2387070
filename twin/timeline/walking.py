"""Where the drivers of some trips are at a time, trip by trip, in compiled code."""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Walk(NamedTuple):
    """The state of n trips at a time, (n,) float64 each: distances in knot units, times in seconds since the trip's start."""

    x: Floats
    y: Floats
    east: Floats
    """Direction of driving; zero before the first knot and after the last."""
    north: Floats
    driven: Floats
    length: Floats
    seen_t: Floats
    """The last observation: its time, its distance along the way, and its position."""
    seen_way: Floats
    seen_x: Floats
    seen_y: Floats
    next_t: Floats
    """The time of the next observation, inf if there is none."""


@numba.njit(cache=True, nogil=True)
def walk(
    knots_from: NDArray[np.int32],
    knots_to: NDArray[np.int32],
    knot_t: NDArray[np.float32],
    knot_x: NDArray[np.int16],
    knot_y: NDArray[np.int16],
    observed: NDArray[np.bool_],
    start: NDArray[np.float64],
    active: NDArray[np.int32],
    t: float,
    unit: float,
) -> Walk:
    """Return the state of each active trip at t.

    Compiled, because a snapshot visits thousands of knots and must not take longer than a frame.
    """
    n = len(active)
    x, y, east, north = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    driven, length = np.zeros(n), np.zeros(n)
    seen_t, seen_way, seen_x, seen_y = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    next_t = np.full(n, np.inf)
    for i in range(n):
        trip = active[i]
        first, stop = knots_from[trip], knots_to[trip]
        since = t - start[trip]
        way = 0.0
        x[i], y[i] = knot_x[first], knot_y[first]
        seen_x[i], seen_y[i] = knot_x[first], knot_y[first]
        for k in range(first, stop):
            here = knot_t[k]
            if here <= since:
                x[i], y[i], driven[i] = knot_x[k], knot_y[k], way
                if observed[k]:
                    seen_t[i], seen_way[i], seen_x[i], seen_y[i] = here, way, knot_x[k], knot_y[k]
            elif observed[k] and here < next_t[i]:
                next_t[i] = here
            if k + 1 < stop:
                dx, dy = float(knot_x[k + 1]) - knot_x[k], float(knot_y[k + 1]) - knot_y[k]
                step = np.sqrt(dx * dx + dy * dy)
                after = knot_t[k + 1]
                if here <= since < after and np.isfinite(after):
                    share = (since - here) / (after - here)
                    x[i], y[i] = knot_x[k] + share * dx, knot_y[k] + share * dy
                    east[i], north[i] = dx, dy
                    driven[i] = way + share * step
                way += step
        length[i] = way
        # to metres only now: up to here the arithmetic is of whole knot units
        x[i], y[i], east[i], north[i] = x[i] * unit, y[i] * unit, east[i] * unit, north[i] * unit
        driven[i], length[i] = driven[i] * unit, length[i] * unit
        seen_way[i], seen_x[i], seen_y[i] = seen_way[i] * unit, seen_x[i] * unit, seen_y[i] * unit
    return Walk(x, y, east, north, driven, length, seen_t, seen_way, seen_x, seen_y, next_t)
