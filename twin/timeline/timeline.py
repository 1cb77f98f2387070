"""The state of one kitchen as a pure function of time.

`Timeline.load` reads a window of events once and indexes it; `at(t)` then answers for any moment, in any order of asking,
always the same. Nothing is accumulated while a replay plays, so nothing can drift or be wrong after a seek.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.foundation import progress
from twin.foundation.cache import Owner
from twin.foundation.errors import UnknownOrderError
from twin.foundation.geo import Frame
from twin.foundation.stages import OUT_FOR_DELIVERY, STAGES, STALLED_AFTER
from twin.foundation.times import DAY, Time, seconds
from twin.sources import tables
from twin.sources.base import Location, Source, Window
from twin.timeline import events as ev
from twin.timeline import knots, orders
from twin.timeline.events import MICROSECONDS, Events, EventSlice
from twin.timeline.locate import Drivers, locate
from twin.timeline.membership import Members, Membership
from twin.timeline.orders import Item, Orders, left
from twin.timeline.trips import Motion, Trips
from twin.timeline.trips import build as build_trips

READING = 0.6
"""The share of loading that reading the rows is, for those who wait: from files some half of it, from a warehouse more."""


@dataclass(frozen=True)
class Snapshot:
    """One moment of a kitchen.

    counts: orders by state; completed, cancelled and stalled count from the midnight of t's day.
    order (m,) int32, stage (m,) uint8, since (m,) float64: the open orders, the stage of each and when it entered it.
    locate: works out where the drivers are.
    """

    t: float
    counts: dict[str, int]
    order: NDArray[np.int32]
    stage: NDArray[np.uint8]
    since: NDArray[np.float64]
    locate: Callable[[], Drivers] = field(repr=False, compare=False)

    @property
    def open_orders(self) -> Members:
        """The open orders, as `Membership.at` lists them."""
        return Members(self.order, self.stage, self.since)

    @cached_property
    def drivers(self) -> Drivers:
        """Who is on the road and where, worked out when it is first asked for: a page that counts need not."""
        return self.locate()


@dataclass(frozen=True, slots=True)
class Order:
    """One order's whole lifecycle; stages are (key, entered, left) in seconds, left is None while it lasts."""

    id: str
    status: str
    stages: list[tuple[str, float, float | None]]
    events: EventSlice
    items: list[Item]
    address: str
    revenue: float
    created: float | None
    delivered: float | None
    eta_mins: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """What was read for a timeline and what became of it; `flagged` counts what is used although it is odd."""

    read: int
    used: int
    rejected: dict[str, int]
    flagged: dict[str, int]
    cut_orders: int


class Timeline(Owner):
    """A location over a window, immutable. Times are float64 seconds since 1970 (naive UTC)."""

    def __init__(
        self, location: Location, window: Window, events: Events, built: Orders, trips: Trips, health: Health
    ) -> None:
        self.location = location
        self.window = window
        self.orders = built
        self.trips = trips
        self.health = health
        self._ts, self._type, self._order = events.ts, events.type, events.order
        self._type_names = events.type_names
        pings = np.flatnonzero(events.type == ev.DRIVER_PING)
        self._ping_row, self._ping_progress = pings.astype(np.int32), events.progress[pings]
        self._trip_of = np.full(len(built), -1, dtype=np.int32)
        self._trip_of[trips.order] = np.arange(len(trips), dtype=np.int32)
        self._told = np.flatnonzero(events.type != ev.DRIVER_PING).astype(np.int32)
        self.membership = Membership(built)

    @classmethod
    def load(cls, source: Source, location: str, start: Time, end: Time) -> "Timeline":
        """Read the events of `location` whose orders live in [start, end) and build their timeline.

        Reads from 24 hours before `start` (so that the completion rate and the day's Completed are whole from the first moment
        on) and `STALLED_AFTER` beyond both edges (so that lifecycles are whole). Raises `UnknownLocationError`; ValueError where
        end is not after start.
        """
        place = tables.find_place(location, source.locations())
        window = Window(seconds(start), seconds(end))
        if not window.end > window.start:
            raise ValueError(f"The range must end after it starts; it ends {window.start - window.end:.0f} s before.")
        lower, upper = window.start - DAY, window.end
        under_way = progress.current()
        threading.Thread(target=knots.warm, name="warm-knots").start()  # beside the reading
        with under_way.part(0.0, READING):
            rows = source.window(location, lower - STALLED_AFTER, upper + STALLED_AFTER)
        under_way.step(READING)
        decoded = ev.decode(rows)
        events, cut = _alive(decoded, lower, upper, place)
        under_way.step((1 + READING) / 2)
        frame = None if place.lat is None or place.lon is None else Frame(place.lat, place.lon)
        built, routes = orders.build(events, rows, source.names("brands"), frame)
        del rows, decoded  # their texts are most of what is in memory; nothing below reads them
        under_way.step((3 + READING) / 4)
        trips = build_trips(events, built, routes, frame)
        return cls(place, window, events, built, trips, _health(source, location, built, trips, cut))

    # -- the questions ---------------------------------------------------------------------------------------------------
    def at(self, t: Time) -> Snapshot:
        """Return the kitchen's state at t; events with ts = t have happened."""
        t = seconds(t)
        active = self.membership.at(t)
        order, stage = active.order, active.state
        return Snapshot(
            t, self.counts(t), order, stage, active.since, lambda: self.drivers(order[stage == OUT_FOR_DELIVERY], t)
        )

    def drivers(self, orders: NDArray[np.int32], t: float) -> Drivers:
        """Return where the drivers of some orders are, which are out for delivery at t; those without a trip are left out."""
        trips = self._trip_of[orders]
        kitchen = self.location.x or 0.0, self.location.y or 0.0
        return locate(self.trips, trips[trips >= 0], self.orders, kitchen, t)

    def stalled_trips(self, t: float) -> NDArray[np.int32]:
        """Return the trips (numbers in `trips`) whose drivers are on no road at t, as their order has stalled meanwhile."""
        order, begin, end = self.orders.stalls
        trips = self._trip_of[order[(begin <= t) & (end > t)]]
        trips = trips[trips >= 0]
        return trips[(self.trips.start[trips] <= t) & (self.trips.end[trips] > t)]

    def counts(self, t: float) -> dict[str, int]:
        """Return the number of orders in each state at t; completed, cancelled and stalled since midnight."""
        return self.membership.counts(t)

    def between(self, t0: Time, t1: Time) -> EventSlice:
        """Return the events with t0 <= ts < t1, in the order of time."""
        first, last = (int(np.searchsorted(self._ts, round(seconds(t) * MICROSECONDS))) for t in (t0, t1))
        return self._slice(np.arange(first, last))

    def latest(self, t: Time, n: int, *, pings: bool = False) -> EventSlice:
        """Return the last `n` events with ts <= t, newest first; pings only when asked for."""
        stop = int(np.searchsorted(self._ts, round(seconds(t) * MICROSECONDS), side="right"))
        if pings:
            return self._slice(np.arange(max(0, stop - n), stop)[::-1])
        stop = int(np.searchsorted(self._told, stop))
        return self._slice(self._told[max(0, stop - n) : stop][::-1])

    def order(self, order_id: str) -> Order:
        """Return an order's whole lifecycle. Raises `UnknownOrderError`."""
        row = self.orders.row_of.get(order_id)
        if row is None:
            raise UnknownOrderError(
                f"No order {order_id!r} between the edges of this timeline: check the id or widen the range."
            )
        enter = self.orders.enter[:, row]
        leave = left(enter, self.orders.cancelled[row])
        stages = [
            (name, float(enter[k]), float(leave[k]) if np.isfinite(leave[k]) else None)
            for k, name in enumerate(STAGES)
            if np.isfinite(enter[k]) and leave[k] > enter[k]
        ]
        eta = float(self.orders.eta_mins[row])
        positions = np.flatnonzero(self._order == row)
        delivered, cancelled = _maybe(self.orders.delivered[row]), _maybe(self.orders.cancelled[row])
        return Order(
            id=order_id,
            status="completed" if delivered is not None else "cancelled" if cancelled is not None else "in_progress",
            stages=stages,
            events=self._slice(positions),
            items=self.orders.items(row),
            address=self.orders.address(row),
            revenue=float(self.orders.revenue[row]),
            created=_maybe(self.orders.created[row]),
            delivered=delivered,
            eta_mins=None if np.isnan(eta) else eta,
        )

    def motion(self, t0: float, t1: float, after: float | None = None) -> Motion:
        """Return the trips on the road at some time in [t0, t1]; with `after` only those that begin in (after, t1]."""
        return self.motion_of(self.trips.between(t0, t1, after))

    def motion_of(self, chosen: NDArray[np.intp]) -> Motion:
        """Return some trips, (n,) their numbers in `trips`, ascending."""
        knot, bounds = self.trips.knots(chosen)
        gap_trip, gap_from, gap_to = self.trips.gaps(chosen, knot, bounds)
        return Motion(
            order=self.trips.order[chosen],
            start=self.trips.start[chosen],
            end=self.trips.end[chosen],
            offsets=bounds.astype(np.int32),
            t=self.trips.t[knot],
            x=(self.trips.x[knot] * self.trips.unit).astype(np.float32),
            y=(self.trips.y[knot] * self.trips.unit).astype(np.float32),
            gap_trip=gap_trip,
            gap_from=gap_from,
            gap_to=gap_to,
        )

    def volume(self, bucket: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return edges (n + 1,) and the orders created in each bucket of `bucket` seconds over the window.

        Inner edges are multiples of the bucket (13:50, 14:00), so the first and the last bucket may be shorter.
        """
        first = (self.window.start // bucket + 1) * bucket
        edges = np.concatenate(([self.window.start], np.arange(first, self.window.end, bucket), [self.window.end]))
        began = self.orders.began
        inside = began[(began >= self.window.start) & (began < self.window.end)]
        return edges, np.histogram(inside, edges)[0]

    def busiest(self) -> float:
        """Return the moment in the window with the most drivers on the road (else open orders); the start where it is empty."""
        enter = np.sort(self.orders.enter[OUT_FOR_DELIVERY])
        driven = bool(np.isfinite(enter).any())
        enter = enter if driven else np.sort(self.orders.first)
        begins = enter[(enter >= self.window.start) & (enter < self.window.end)]
        if not len(begins):
            return self.window.start
        if driven:
            load = self.membership.in_stage(OUT_FOR_DELIVERY, begins)
        else:
            load = np.searchsorted(enter, begins, "right") - np.searchsorted(np.sort(self.orders.last), begins, "right")
        return float(begins[int(np.argmax(load))])

    @property
    def has_orders(self) -> bool:
        """Whether any order begins in the window or is open in it."""
        return bool(((self.orders.first < self.window.end) & (self.orders.last >= self.window.start)).any())

    @property
    def event_count(self) -> int:
        """Events held."""
        return len(self._ts)

    @property
    def nbytes(self) -> int:
        """Bytes held, all columns and indexes."""
        mine = sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
        return mine + self.membership.nbytes + self.orders.nbytes + self.trips.nbytes

    def _slice(self, positions: NDArray[np.intp] | NDArray[np.int32]) -> EventSlice:
        progress = np.full(len(positions), np.nan, dtype=np.float32)
        if len(self._ping_row):
            ping = np.minimum(np.searchsorted(self._ping_row, positions), len(self._ping_row) - 1)
            is_ping = self._ping_row[ping] == positions
            progress[is_ping] = self._ping_progress[ping[is_ping]]
        names = self._type_names
        return EventSlice(
            ts=self._ts[positions] / MICROSECONDS,
            type=[names[code] if code < len(names) else "other" for code in self._type[positions].tolist()],
            order=self._order[positions],
            progress=progress,
        )


def _alive(events: Events, lower: float, upper: float, place: Location) -> tuple[Events, int]:
    """Drop the orders that neither live nor end in [lower, upper); count those still cut at an edge of what was read."""
    n = len(events.order_ids)
    first, last = ev.extremes(events)
    alive = (first < upper) & (last >= lower)
    kinds = np.zeros((2, n), dtype=bool)
    kinds[0, events.order[events.type == ev.ORDER_CREATED]] = True
    kinds[1, events.order[(events.type == ev.DELIVERED) | (events.type == ev.ORDER_CANCELLED)]] = True
    # the source goes on beyond what was read, and the order's beginning or end is not in it
    cut_early = ~kinds[0] & (first < lower) & (place.start < lower - STALLED_AFTER)
    cut_late = ~kinds[1] & (last >= upper) & (place.end >= upper + STALLED_AFTER)
    cut = int(np.count_nonzero(alive & (cut_early | cut_late)))
    if alive.all():
        return events, cut
    keep = alive[events.order]
    number = np.cumsum(alive, dtype=np.int32) - np.int32(1)
    kept = {name: getattr(events, name)[keep] for name in ("ts", "type", "lat", "lon", "progress", "row")}
    ids = events.order_ids.filter(np.asarray(alive))
    return replace(events, order=number[events.order[keep]], order_ids=ids, **kept), cut


def _health(source: Source, location: str, built: Orders, trips: Trips, cut: int) -> Health:
    """Return the account of the location's rows, with what only whole orders tell."""
    quality = source.quality(location)
    of_orders = {
        "lifecycle over 4 h": int(np.count_nonzero(built.last - built.first > STALLED_AFTER)),
        "impossible speed": int(np.count_nonzero(trips.too_fast)),
    }
    flagged = dict(quality.flagged) | {name: count for name, count in of_orders.items() if count}
    return Health(quality.read, quality.used, dict(quality.rejected), flagged, cut)


def _maybe(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
