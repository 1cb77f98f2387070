"""Trips at many times at once: the positions of every trip in even steps, as `locate` gives them for one time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.timeline.trips import MEASURED_GAP, Trips

Floats = NDArray[np.float64]

APART = 1e7
"""Seconds between the knots of one trip and those of the next on a common axis; no trip takes as long."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Positions of trips, (k,) each, by trip and time: x, y Web Mercator metres from the kitchen, speed metres per second on the
    ground, heading degrees from north (NaN while standing), measured as in `locate`."""

    trip: NDArray[np.intp]
    t: Floats
    x: Floats
    y: Floats
    speed: Floats
    heading: Floats
    measured: NDArray[np.bool_]


def sampled(trips: Trips, start: float, end: float, every: float) -> Sampled:
    """Return the positions of the trips on the road in [start, end]: at begin, end and the multiples of `every` seconds between.

    A trip ends with its last knot that has a time: where a driver was after the last observation of a trip that never ended is
    not known.
    """
    trips = trips.compact()
    knot_t = np.where(np.isfinite(trips.t), trips.t, -1.0).astype(np.float64)
    last = np.maximum.reduceat(knot_t, trips.knots_from) if len(trips) else np.empty(0)
    begin, stop = np.maximum(trips.start, start), np.minimum(np.minimum(trips.start + last, trips.end), end)
    chosen = np.flatnonzero(begin < stop)
    first = np.floor(begin[chosen] / every) + 1  # the multiples within, without the edges
    number = np.maximum(np.ceil(stop[chosen] / every) - first, 0).astype(np.int64) + 2
    ends = np.cumsum(number)
    trip = np.repeat(chosen, number)
    nth = np.arange(len(trip)) - np.repeat(ends - number, number)
    t = (np.repeat(first, number) + nth - 1) * every
    t[ends - number], t[ends - 1] = begin[chosen], stop[chosen]
    return _positions(trips, trip, t)


def _positions(trips: Trips, trip: NDArray[np.intp], t: Floats) -> Sampled:
    since = t - trips.start[trip]
    of_knot = np.repeat(np.arange(len(trips)), trips.knots_to - trips.knots_from)
    timed = np.where(np.isfinite(trips.t), trips.t, APART / 2).astype(np.float64)
    knot = np.searchsorted(of_knot * APART + timed, trip * APART + since, side="right") - 1
    knot = np.maximum(knot, trips.knots_from[trip])  # the first is there from the start
    following = np.minimum(knot + 1, trips.knots_to[trip] - 1)
    span = timed[following] - timed[knot]
    moving = (following > knot) & np.isfinite(trips.t[following]) & (span > 0) & (since >= timed[knot])
    dx, dy = ((one[following].astype(np.float64) - one[knot]) * trips.unit for one in (trips.x, trips.y))
    share = np.divide(since - timed[knot], span, out=np.zeros(len(t)), where=moving)
    metres = np.where(moving, np.hypot(dx, dy), 0.0)
    speed = np.divide(metres * trips.scale, span, out=np.zeros(len(t)), where=moving)
    return Sampled(
        trip=trip,
        t=t,
        x=trips.x[knot] * trips.unit + share * dx,
        y=trips.y[knot] * trips.unit + share * dy,
        speed=speed,
        heading=np.where(metres > 0, np.degrees(np.arctan2(dx, dy)) % 360, np.nan),
        measured=_measured(trips, knot, trip, since),
    )


def _measured(trips: Trips, knot: NDArray[np.intp], trip: NDArray[np.intp], since: Floats) -> NDArray[np.bool_]:
    """Return whether the observations before and after a position are near enough, as `locate` does."""
    n = len(trips.t)
    index = np.arange(n)
    before = np.maximum.accumulate(np.where(trips.observed, index, -1))[knot]
    after = np.append(np.minimum.accumulate(np.where(trips.observed, index, n)[::-1])[::-1], n)[knot + 1]
    seen = np.where(before >= trips.knots_from[trip], trips.t[before], 0.0).astype(np.float64)
    next_seen = np.where(after < trips.knots_to[trip], trips.t[np.minimum(after, n - 1)], np.inf).astype(np.float64)
    return (next_seen - seen <= MEASURED_GAP) | (since - seen < 1.0)
