"""What was driven in a stretch of time, in small pieces: where, when, how long and how far. For pictures of density."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.timeline.trips import Trips

Floats = NDArray[np.float64]

STEP_S = 30.0
"""Seconds of a piece at most: a driver who stands is cut in time, one who drives in space."""

MOST_PIECES = 2_000_000
"""More than this, and the pieces get longer: a picture's pixels are."""


@dataclass(frozen=True, slots=True)
class Driven:
    """Pieces of trips, n of them: x, y metres (Web Mercator) east and north of the kitchen, at the middle of each.

    seconds, metres: how long a piece took and how far it goes on the map (Mercator, as x and y). trip: its number. measured:
    whether it lies between two observations that are close enough to tell its speed.
    """

    x: Floats
    y: Floats
    seconds: Floats
    metres: Floats
    trip: NDArray[np.int32]
    measured: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)


def driven(trips: Trips, start: float, end: float, longest: float) -> Driven:
    """Return what was driven in [start, end), in pieces of at most `longest` metres; a piece counts by its middle's time."""
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
    longest = max(longest, float(long.sum()) / MOST_PIECES, 1e-9)
    pieces = np.maximum(np.ceil(np.maximum(long / longest, spent / STEP_S)), 1).astype(np.int64)
    offsets = np.cumsum(pieces) - pieces
    of = np.repeat(np.arange(len(first)), pieces)
    share = (np.arange(len(of)) - offsets[of] + 0.5) / pieces[of]
    since = t[first][of] + share * spent[of]
    at = began[of] + since
    inside = (at >= start) & (at < end) & (at < trips.end[chosen][trip[first]][of])
    of, share, since = of[inside], share[inside], since[inside]
    own = trip[first][of]
    return Driven(
        x[first][of] + share * east[of], y[first][of] + share * north[of], (spent / pieces)[of], (long / pieces)[of],
        chosen.astype(np.int32)[own], ~_inferred(trips, chosen, knot, bounds, own, since),
    )  # fmt: skip


def _inferred(
    trips: Trips, chosen: NDArray[np.intp], knot: NDArray[np.intp], bounds: NDArray[np.int64],
    trip: NDArray[np.int32], since: Floats,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return whether moments, seconds since the start of each one's trip, lie in a spell without observations."""
    number, begin, until = trips.gaps(chosen, knot, bounds)
    if not len(number):
        return np.zeros(len(trip), np.bool_)
    # spells of a trip follow each other: the last one that has begun is the only one that can hold a moment
    span = float(max(since.max(initial=0.0), begin.max())) + 1.0
    last = np.searchsorted(number * span + begin, trip * span + since, side="right") - 1
    found = np.maximum(last, 0)
    return (last >= 0) & (number[found] == trip) & (since < until[found])
