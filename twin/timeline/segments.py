"""Trips cut into short segments of a time range, each with its place, duration and length. For density pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.timeline.trips import Trips

Floats = NDArray[np.float64]

STEP_S = 30.0
"""Longest segment, seconds: this limits the segments of a standing driver, the length in metres those of a driving one."""

MOST_SEGMENTS = 2_000_000
"""Above this number segments get longer; a range that long is drawn with larger pixels."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of trips, n of them: x, y are the middle of each in metres (Web Mercator) east and north of the kitchen.

    seconds, metres: the duration and the length on the map (Mercator, as x and y). trip: the trip's number. measured: whether the
    segment lies between two observations that are close enough for its speed to be reliable.
    """

    x: Floats
    y: Floats
    seconds: Floats
    metres: Floats
    trip: NDArray[np.int32]
    measured: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)


def driven(trips: Trips, start: float, end: float, longest: float) -> Segments:
    """Return the segments of trips whose middle is in [start, end), each at most `longest` metres."""
    chosen = trips.between(start, end)
    knot, bounds = trips.knots(chosen)
    trip = np.repeat(np.arange(len(chosen), dtype=np.int32), np.diff(bounds))
    t = trips.t[knot].astype(np.float64)
    first = np.flatnonzero((trip[1:] == trip[:-1]) & np.isfinite(t[1:])) if len(knot) else np.empty(0, np.intp)
    began = trips.start[chosen][trip[first]]
    near = (began + t[first] < end) & (began + t[first + 1] >= start)
    first, began = first[near], began[near]
    x, y = (axis[knot].astype(np.float64) * trips.unit for axis in (trips.x, trips.y))
    east, north, spent = (axis[first + 1] - axis[first] for axis in (x, y, t))
    long = np.hypot(east, north)
    longest = max(longest, float(long.sum()) / MOST_SEGMENTS, 1e-9)
    pieces = np.maximum(np.ceil(np.maximum(long / longest, spent / STEP_S)), 1).astype(np.int64)
    offsets = np.cumsum(pieces) - pieces
    of = np.repeat(np.arange(len(first)), pieces)
    share = (np.arange(len(of)) - offsets[of] + 0.5) / pieces[of]
    since = t[first][of] + share * spent[of]
    at = began[of] + since
    inside = (at >= start) & (at < end) & (at < trips.end[chosen][trip[first]][of])
    of, share, since = of[inside], share[inside], since[inside]
    own = trip[first][of]
    return Segments(
        x[first][of] + share * east[of], y[first][of] + share * north[of], (spent / pieces)[of], (long / pieces)[of],
        chosen.astype(np.int32)[own], ~_inferred(trips, chosen, knot, bounds, own, since),
    )  # fmt: skip


def _inferred(
    trips: Trips, chosen: NDArray[np.intp], knot: NDArray[np.intp], bounds: NDArray[np.int64],
    trip: NDArray[np.int32], since: Floats,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return whether times, in seconds since the start of their trip, lie in a gap between observations."""
    number, begin, until = trips.gaps(chosen, knot, bounds)
    if not len(number):
        return np.zeros(len(trip), np.bool_)
    # the gaps of a trip do not overlap: only the last one that has begun can contain the time
    span = float(max(since.max(initial=0.0), begin.max())) + 1.0
    last = np.searchsorted(number * span + begin, trip * span + since, side="right") - 1
    found = np.maximum(last, 0)
    return (last >= 0) & (number[found] == trip) & (since < until[found])
