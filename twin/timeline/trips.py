"""Trips of drivers as knots: where each driver was when, along the route, and how well that is known.

A knot is a moment and a place; between two knots the driver moves in a straight line. Where the order has a route, its
vertices are the knots and what was measured (pick-up, pings, delivery) is pinned onto it; the time of the vertices between
two pins follows the distance. A trip whose pings leave the route (or that has none) is drawn through its pings instead:
what was measured wins over what was planned.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.geo import Frame
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.timeline import events as ev
from twin.timeline.bodies import Routes
from twin.timeline.events import MICROSECONDS, Events
from twin.timeline.knots import weave
from twin.timeline.orders import Orders

MEASURED_GAP = 150.0
"""A position between two observations at most this many seconds apart (pings come every 60) counts as measured, and so does
one within a second of an observation."""
_TRIPS = 4096
"""Trips that are made at a time: some 200,000 knots, so that little is needed besides what is kept."""

_THREADS = 4
"""Most parts at a time; what is compiled works without Python's lock."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Whole trips, n of them with k knots in all; metres are Web Mercator, east/north of the kitchen.

    gap_trip, gap_from, gap_to (g,): spells whose positions are inferred, not measured; the trip's number among these, and
    seconds since its start (inf where nothing was observed any more).
    """

    order: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    offsets: NDArray[np.int32]
    t: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    gap_trip: NDArray[np.int32]
    gap_from: NDArray[np.float32]
    gap_to: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trips:
    """All trips of a timeline, n of them in the order of their start, with k knots.

    Knots are small on purpose (a million events have three million): t (k,) float32 seconds since the trip's start (inf for the
    part of a route that an unfinished trip never reached), x, y (k,) int16 in units of `unit` metres from the kitchen, observed
    (k,) bool. end: when the driver leaves the road. usual_speed: metres per second, the median over finished trips.
    """

    order: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    offsets: NDArray[np.int32]
    t: NDArray[np.float32]
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    observed: NDArray[np.bool_]
    routed: NDArray[np.bool_]
    too_fast: NDArray[np.bool_]
    unit: float
    scale: float
    usual_speed: float

    def __len__(self) -> int:
        return len(self.order)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(getattr(self, name).nbytes for name in self.__slots__ if isinstance(getattr(self, name), np.ndarray))

    def knots(self, trips: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return the positions of all knots of some trips and the offsets (len + 1) of each trip among them."""
        begin, stop = self.offsets[trips].astype(np.int64), self.offsets[trips + 1].astype(np.int64)
        bounds = np.concatenate(([0], np.cumsum(stop - begin)))
        return np.arange(bounds[-1]) + np.repeat(begin - bounds[:-1], stop - begin), bounds

    def gaps(
        self, trips: NDArray[np.intp], knot: NDArray[np.intp], bounds: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """Return the spells in which the positions of some trips are inferred, as in `Motion`; `knot`, `bounds` from `knots`.

        The rule is `locate`'s: two observations too far apart, from a second after the first of them on.
        """
        seen = np.flatnonzero(self.observed[knot])
        trip, t = np.repeat(np.arange(len(trips), dtype=np.int32), np.diff(bounds))[seen], self.t[knot[seen]]
        following = np.full(len(seen), np.inf, np.float32)
        same = trip[1:] == trip[:-1]
        following[:-1][same] = t[1:][same]
        length = (self.end - self.start)[trips]
        inferred = (following - t > MEASURED_GAP) & (t + 1.0 < length[trip])
        return trip[inferred], t[inferred] + np.float32(1.0), following[inferred]

    def between(self, start: float, end: float, after: float | None = None) -> NDArray[np.intp]:
        """Return the trips on the road at some time in [start, end]; with `after` only those that began in (after, end]."""
        begun = np.searchsorted(self.start, end, side="right")
        if after is not None:
            return np.arange(np.searchsorted(self.start, after, side="right"), begun)
        return np.flatnonzero(self.end[:begun] >= start)


def build(events: Events, orders: Orders, routes: Routes, frame: Frame | None) -> Trips:
    """Return the trips of `orders`; without a frame (no kitchen position) there is no place to draw and no trip."""
    start, delivered = orders.enter[OUT_FOR_DELIVERY], orders.enter[COMPLETED]
    end = np.minimum(
        np.where(np.isfinite(delivered), delivered, orders.last + STALLED_AFTER), orders.leave[OUT_FOR_DELIVERY]
    )
    driven = np.flatnonzero(np.isfinite(start) & (end > start))
    if frame is None or not len(driven):
        return _none()
    driven = driven[np.argsort(start[driven], kind="stable")]
    trip_of = np.full(len(orders), -1, dtype=np.int64)
    trip_of[driven] = np.arange(len(driven))
    begin = start[driven]
    arrival = np.where(np.isfinite(delivered[driven]), delivered[driven] - begin, np.nan)
    route, route_trip = _sorted_routes(routes, trip_of)
    ping, ping_trip, ping_t = _sorted_pings(events, trip_of, begin, end[driven])
    goal_x, goal_y = _goals(events, orders, driven, frame)
    work = _Work(routes, route, route_trip, events, ping, ping_trip, ping_t, frame, arrival, goal_x, goal_y)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        parts = list(threads.map(work.part, range(0, len(driven), _TRIPS)))
    count, routed, too_fast, speed = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("count", "routed", "too_fast", "speed")
    )
    drawn = count > 0
    offsets = np.concatenate(([0], np.cumsum(count[drawn]))).astype(np.int32)
    reach = max(1.0, *(float(np.abs(axis).max(initial=0)) for part in parts for axis in (part.x, part.y)))
    unit = max(reach / 32_000, 0.25)  # int16 holds ±32,767
    known = speed[np.isfinite(speed)]
    return Trips(
        order=driven[drawn].astype(np.int32),
        start=begin[drawn],
        end=end[driven][drawn],
        offsets=offsets,
        t=np.concatenate([part.t for part in parts]),
        x=np.concatenate([np.round(part.x / unit).astype(np.int16) for part in parts]),
        y=np.concatenate([np.round(part.y / unit).astype(np.int16) for part in parts]),
        observed=np.concatenate([part.observed for part in parts]),
        routed=routed[drawn],
        too_fast=too_fast[drawn],
        unit=unit,
        scale=frame.scale,
        usual_speed=float(np.median(known)) if len(known) else float("nan"),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The knots of some trips that follow each other, m of them: count, routed, too_fast, speed (m/s, NaN unfinished) (m,);
    t seconds since the trip's start, x, y metres from the kitchen, observed (k,).
    """

    count: NDArray[np.int64]
    routed: NDArray[np.bool_]
    too_fast: NDArray[np.bool_]
    speed: NDArray[np.float64]
    t: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    observed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Work:
    """What the trips are made of, sorted by trip; made in parts, because what a part needs meanwhile fits the caches, and all
    trips at once would need ten times what is kept of them.
    """

    routes: Routes
    route: NDArray[np.intp]
    route_trip: NDArray[np.int64]
    events: Events
    ping: NDArray[np.intp]
    ping_trip: NDArray[np.int64]
    ping_t: NDArray[np.float64]
    frame: Frame
    arrival: NDArray[np.float64]
    goal_x: NDArray[np.float64]
    goal_y: NDArray[np.float64]

    def part(self, begin: int) -> _Part:
        """Return the knots of `_TRIPS` trips from number `begin` on."""
        end, events = min(begin + _TRIPS, len(self.arrival)), self.events
        some = slice(*np.searchsorted(self.route_trip, (begin, end)))
        lengths = np.diff(self.routes.offsets)[self.route[some]]
        path = _offsets(np.repeat(self.route_trip[some] - begin, lengths), end - begin)
        point = np.arange(path[-1]) + np.repeat(
            self.routes.offsets[self.route[some]] - path[self.route_trip[some] - begin], lengths
        )
        some = slice(*np.searchsorted(self.ping_trip, (begin, end)))
        at = self.ping[some]
        return _Part(
            *weave(
                path,
                *self.frame.place(self.routes.lat[point], self.routes.lon[point]),
                _offsets(self.ping_trip[some] - begin, end - begin),
                self.ping_t[some],
                *self.frame.place(events.lat[at], events.lon[at]),
                events.progress[at].astype(np.float64) / 100,
                self.arrival[begin:end],
                self.goal_x[begin:end],
                self.goal_y[begin:end],
                self.frame.scale,
            )
        )


def _offsets(trip: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the offsets (n + 1,) of each of n trips in something that is sorted by trip."""
    return np.concatenate(([0], np.cumsum(np.bincount(trip, minlength=n))))


def _none() -> Trips:
    empty = np.empty(0)
    return Trips(
        order=empty.astype(np.int32), start=empty, end=empty, offsets=np.zeros(1, np.int32), t=empty.astype(np.float32),
        x=empty.astype(np.int16), y=empty.astype(np.int16), observed=empty.astype(bool), routed=empty.astype(bool),
        too_fast=empty.astype(bool), unit=1.0, scale=1.0, usual_speed=np.nan,
    )  # fmt: skip


def _sorted_routes(routes: Routes, trip_of: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the routes of trips in the trips' order, and their trips."""
    trips = trip_of[routes.order]
    by_trip = np.argsort(trips, kind="stable")[int(np.count_nonzero(trips < 0)) :]
    return by_trip, trips[by_trip]


def _sorted_pings(
    events: Events, trip_of: NDArray[np.int64], begin: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
    """Return the pings of trips in the trips' order and in time: their events, their trips, seconds since the trip's start."""
    at = np.flatnonzero(events.type == ev.DRIVER_PING)
    trip = trip_of[events.order[at]]
    at, trip = at[trip >= 0], trip[trip >= 0]
    t = events.ts[at] / MICROSECONDS
    during = (t > begin[trip]) & (t < end[trip])
    at, trip, t = at[during], trip[during], t[during] - begin[trip[during]]
    by_trip = np.argsort(trip, kind="stable")
    return at[by_trip], trip[by_trip], t[by_trip]


def _goals(
    events: Events, orders: Orders, driven: NDArray[np.intp], frame: Frame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each trip ends: the delivered position, else the customer's."""
    x, y = orders.customer_x.astype(np.float64), orders.customer_y.astype(np.float64)
    told = np.flatnonzero((events.type == ev.DELIVERED) & np.isfinite(events.lat) & np.isfinite(events.lon))[::-1]
    x[events.order[told]], y[events.order[told]] = frame.place(events.lat[told], events.lon[told])
    return x[driven], y[driven]
