"""Trips of drivers as knots: where each driver was at which time, and whether that was observed or inferred.

A knot is a time and a place; between two knots the driver moves in a straight line. Where the order has a route, the knots are
its vertices, and the observations (pick-up, pings, delivery) are pinned onto it; the vertices between two pins are timed by
distance. A trip that has no route, or whose pings leave it, is drawn through its pings instead: observations take precedence
over the plan.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.foundation.geo import Frame
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.timeline import events as ev
from twin.timeline.bodies import Routes
from twin.timeline.events import MICROSECONDS, Events
from twin.timeline.orders import Orders

if TYPE_CHECKING:
    from twin.timeline import knots as weaving
    from twin.timeline.knots import Goals, Knots, Paths, Pings
else:
    weaving = at_first_use("twin.timeline.knots")

MEASURED_GAP = 150.0
"""A position counts as measured between two observations at most this many seconds apart (pings come every 60), and within a
second after any observation."""

_BATCH = 4096
"""Trips computed at a time: some 200,000 knots, which bounds the temporary memory."""

_THREADS = 4
"""Most batches at a time; the compiled code runs without the GIL."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Whole trips, n of them with k knots in all; metres are Web Mercator, east/north of the kitchen.

    gap_trip, gap_from, gap_to (g,): gaps, in which positions are inferred rather than measured: the trip's number among these
    trips, and seconds since its start (gap_to is inf where no further observation follows).
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
    """All trips of a timeline, n of them sorted by start, with k knots in all.

    Knots use small types because a million events have three million of them: t (k,) float32 seconds since the trip's start (inf
    on the part of a route that an unfinished trip never reached), x, y (k,) int16 in units of `unit` metres from the kitchen,
    observed (k,) bool. Trip i has the knots from knots_from[i] to knots_to[i]; there may be others that no trip has. end: when
    the driver leaves the road. usual_speed: metres per second, the median over finished trips.
    """

    order: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    knots_from: NDArray[np.int32]
    knots_to: NDArray[np.int32]
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
        """Return the indices of all knots of some trips, and the offsets (len + 1,) of each trip among them."""
        begin, stop = self.knots_from[trips].astype(np.int64), self.knots_to[trips].astype(np.int64)
        bounds = np.concatenate(([0], np.cumsum(stop - begin)))
        return np.arange(bounds[-1]) + np.repeat(begin - bounds[:-1], stop - begin), bounds

    def compact(self) -> "Trips":
        """Return the same trips without knots that none of them has."""
        knot, bounds = self.knots(np.arange(len(self)))
        columns = {name: getattr(self, name)[knot] for name in ("t", "x", "y", "observed")}
        offsets = bounds.astype(np.int32)
        return replace(self, knots_from=offsets[:-1], knots_to=offsets[1:], **columns)

    def gaps(
        self, trips: NDArray[np.intp], knot: NDArray[np.intp], bounds: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """Return the gaps in which positions of some trips are inferred, as in `Motion`; `knot`, `bounds` are from `knots`.

        The rule is that of `locate`: two observations are too far apart, and the gap begins one second after the first.
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
    """Return the trips of `orders`; none without a frame, because no kitchen position means no coordinates."""
    return as_trips(draw(events, orders, routes, frame), frame)


def as_trips(drawn: "Drawn | None", frame: Frame | None) -> Trips:
    """Return all trips of a timeline, as `draw` returns them."""
    return (
        none()
        if frame is None or drawn is None or not len(drawn.order)
        else drawn.trips(drawn.unit, frame.scale, usual_speed(drawn.speed))
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """Trips that have knots, sorted by start, n of them with k knots in all, before their positions are rounded.

    order, start, end, routed and too_fast are as in `Trips`; count (n,) is each trip's number of knots, speed (n,) m/s as in
    `Knots`. t, x, y and observed are (k,), x and y float32 metres.
    """

    order: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    count: NDArray[np.int64]
    routed: NDArray[np.bool_]
    too_fast: NDArray[np.bool_]
    speed: NDArray[np.float64]
    t: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    observed: NDArray[np.bool_]

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Where the knots of each trip begin, (n + 1,)."""
        return np.concatenate(([0], np.cumsum(self.count))).astype(np.int32)

    @property
    def reach(self) -> NDArray[np.float32]:
        """How far each trip comes from the kitchen to the east, west, north or south, (n,) metres."""
        if not len(self.count):
            return np.empty(0, np.float32)
        far = np.maximum(np.abs(self.x), np.abs(self.y))
        return np.maximum.reduceat(far, self.offsets[:-1])

    @property
    def unit(self) -> float:
        """The unit of their rounded positions."""
        return unit_of(float(np.maximum(np.abs(self.x), np.abs(self.y)).max(initial=0)))

    def trips(self, unit: float, scale: float, speed: float) -> Trips:
        """Return the trips with positions in `unit` metres; `speed` is the usual one."""
        return Trips(
            order=self.order,
            start=self.start,
            end=self.end,
            knots_from=self.offsets[:-1],
            knots_to=self.offsets[1:],
            t=self.t,
            x=rounded(self.x, unit),
            y=rounded(self.y, unit),
            observed=self.observed,
            routed=self.routed,
            too_fast=self.too_fast,
            unit=unit,
            scale=scale,
            usual_speed=speed,
        )


NOTHING_DRAWN = Drawn(*(np.empty(0, kind) for kind in ("i4", "f8", "f8", "i8", "?", "?", "f8", "f4", "f4", "f4", "?")))


def unit_of(reach: float) -> float:
    """Return the unit of positions at most `reach` metres away, such that they fit int16, which holds ±32,767."""
    return max(max(1.0, reach) / 32_000, 0.25)


def rounded(metres: NDArray[np.float32], unit: float) -> NDArray[np.int16]:
    """Return positions in units."""
    return np.round(metres / unit).astype(np.int16)


def usual_speed(speed: NDArray[np.float64]) -> float:
    """Return the median of the speeds of finished trips, NaN without any."""
    return median_of_sorted(np.sort(speed[np.isfinite(speed)]))


def median_of_sorted(values: NDArray[np.float64]) -> float:
    """Return the median of ascending values, NaN without any."""
    middle = len(values) // 2
    return float(np.mean(values[middle - 1 + len(values) % 2 : middle + 1])) if len(values) else float("nan")


def draw(events: Events, orders: Orders, routes: Routes, frame: Frame | None) -> Drawn | None:
    """Return the trips of `orders` that can be drawn; None where no order was on the road, and without a frame."""
    start, delivered = orders.enter[OUT_FOR_DELIVERY], orders.enter[COMPLETED]
    end = np.minimum(
        np.where(np.isfinite(delivered), delivered, orders.last + STALLED_AFTER), orders.leave[OUT_FOR_DELIVERY]
    )
    driven = np.flatnonzero(np.isfinite(start) & (end > start))
    if frame is None or not len(driven):
        return None
    driven = driven[np.argsort(start[driven], kind="stable")]
    trip_of = np.full(len(orders), -1, dtype=np.int64)
    trip_of[driven] = np.arange(len(driven))
    begin = start[driven]
    arrival = np.where(np.isfinite(delivered[driven]), delivered[driven] - begin, np.nan)
    route, route_trip = _sorted_routes(routes, trip_of)
    ping, ping_trip, ping_t = _sorted_pings(events, trip_of, begin, end[driven])
    goals = weaving.Goals(arrival, *_goals(events, orders, driven, frame))
    observations = _Observations(routes, route, route_trip, events, ping, ping_trip, ping_t, frame, goals)
    batches = range(0, len(driven), _BATCH)
    if len(batches) == 1:  # threads would take longer than the work
        parts = [observations.knots(0)]
    else:
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
            parts = list(threads.map(observations.knots, batches))
    per_trip, routed, too_fast, speed, t, x, y, observed = (
        np.concatenate([getattr(part, name) for part in parts]) for name in weaving.Knots._fields
    )
    drawn = per_trip > 0
    return Drawn(
        driven[drawn].astype(np.int32), begin[drawn], end[driven][drawn], per_trip[drawn], routed[drawn], too_fast[drawn],
        speed[drawn], t, x, y, observed,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Observations:
    """The routes and observations of all trips, sorted by trip.

    Knots are computed in batches: the temporary arrays of one batch fit the CPU's caches, while those of all trips would take ten
    times the memory of the result.
    """

    routes: Routes
    route: NDArray[np.intp]
    route_trip: NDArray[np.int64]
    events: Events
    ping: NDArray[np.intp]
    ping_trip: NDArray[np.int64]
    ping_t: NDArray[np.float64]
    frame: Frame
    goals: "Goals"

    def knots(self, begin: int) -> "Knots":
        """Return the knots of `_BATCH` trips from number `begin` on."""
        end = min(begin + _BATCH, len(self.goals.arrival))
        goals = weaving.Goals(*(column[begin:end] for column in self.goals))
        return weaving.weave(self._paths(begin, end), self._pings(begin, end), goals, self.frame.scale)

    def _paths(self, begin: int, end: int) -> "Paths":
        batch = slice(*np.searchsorted(self.route_trip, (begin, end)))
        route, trip = self.route[batch], self.route_trip[batch] - begin
        lengths = np.diff(self.routes.offsets)[route]
        offsets = _offsets(np.repeat(trip, lengths), end - begin)
        point = np.arange(offsets[-1]) + np.repeat(self.routes.offsets[route] - offsets[trip], lengths)
        return weaving.Paths(offsets, *self.frame.place(self.routes.lat[point], self.routes.lon[point]))

    def _pings(self, begin: int, end: int) -> "Pings":
        batch = slice(*np.searchsorted(self.ping_trip, (begin, end)))
        event, offsets = self.ping[batch], _offsets(self.ping_trip[batch] - begin, end - begin)
        x, y = self.frame.place(self.events.lat[event], self.events.lon[event])
        return weaving.Pings(offsets, self.ping_t[batch], x, y, self.events.progress[event].astype(np.float64) / 100)


def _offsets(trip: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the offsets (n + 1,) of n trips in rows sorted by trip; `trip` is each row's trip number."""
    return np.concatenate(([0], np.cumsum(np.bincount(trip, minlength=n))))


def none() -> Trips:
    """Return no trips."""
    empty = np.empty(0)
    return Trips(
        order=empty.astype(np.int32), start=empty, end=empty, knots_from=empty.astype(np.int32),
        knots_to=empty.astype(np.int32), t=empty.astype(np.float32),
        x=empty.astype(np.int16), y=empty.astype(np.int16), observed=empty.astype(bool), routed=empty.astype(bool),
        too_fast=empty.astype(bool), unit=1.0, scale=1.0, usual_speed=np.nan,
    )  # fmt: skip


def _sorted_routes(routes: Routes, trip_of: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the routes that belong to a trip, sorted by trip, and each route's trip."""
    trips = trip_of[routes.order]
    by_trip = np.argsort(trips, kind="stable")[int(np.count_nonzero(trips < 0)) :]
    return by_trip, trips[by_trip]


def _sorted_pings(
    events: Events, trip_of: NDArray[np.int64], begin: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
    """Return the pings sorted by trip and time: event, trip and seconds since the trip's start of each."""
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
    """Return where each trip ends: the position of the delivery, or the customer's where that is missing."""
    x, y = orders.customer_x.astype(np.float64), orders.customer_y.astype(np.float64)
    located = np.flatnonzero((events.type == ev.DELIVERED) & np.isfinite(events.lat) & np.isfinite(events.lon))[::-1]
    x[events.order[located]], y[events.order[located]] = frame.place(events.lat[located], events.lon[located])
    return x[driven], y[driven]
