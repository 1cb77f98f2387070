"""The state of one kitchen as a pure function of time.

`Timeline.load` reads a window of events once and indexes it; `at(t)` then returns the state at any time, always the same for the
same time. Nothing accumulates while a replay plays, so nothing can drift or be wrong after a seek.
"""

import threading
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation import progress
from twin.foundation.cache import Owner
from twin.foundation.errors import UnknownOrderError
from twin.foundation.geo import Frame
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import OUT_FOR_DELIVERY, STAGES, STALLED_AFTER, STATES
from twin.foundation.times import DAY, HOUR, Time
from twin.foundation.zones import Zone
from twin.sources import tables
from twin.sources.base import Location, Quality, Source, Window
from twin.timeline import events as ev
from twin.timeline.event_log import EventLog
from twin.timeline.events import EventCodes, Events, EventSlice
from twin.timeline.growing import Growth, OutgrownError, extend
from twin.timeline.growing import begin as growing_of
from twin.timeline.growing_log import GrowingLog
from twin.timeline.locate import Drivers, locate
from twin.timeline.membership import Grown, Members, Membership
from twin.timeline.merging import Merge
from twin.timeline.orders import OrderItem, Orders, left
from twin.timeline.orders import build_parts as build_orders
from twin.timeline.shown_live import Shown, shown_live
from twin.timeline.trips import Motion, Trips, as_trips, draw

if TYPE_CHECKING:
    from twin.timeline import knots
else:
    knots = at_first_use("twin.timeline.knots")

T = TypeVar("T")
READING = 0.6
"""Share of the loading time that is spent on reading rows, for the progress bar: about half from files, more from a warehouse."""
TELLING = 0.2
"""Least share of a window's orders that must have been on the road for drivers to tell when it was busiest."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a kitchen at time t.

    counts: orders by state; completed, cancelled and stalled count from the midnight of t's day.
    order (m,) int32, stage (m,) uint8, since (m,) float64: the open orders, their stages, and when each entered its stage.
    locate: computes the drivers' positions.
    """

    t: float
    counts: dict[str, int]
    order: NDArray[np.int32]
    stage: NDArray[np.uint8]
    since: NDArray[np.float64]
    locate: Callable[[], Drivers] = field(repr=False, compare=False)
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return make(), made once for all who come with this key: all pages that follow a kitchen show one snapshot of it."""
        if key not in self._made:
            self._made[key] = make()
        return cast(T, self._made[key])

    @property
    def open_orders(self) -> Members:
        """The open orders, as `Membership.at` returns them."""
        return Members(self.order, self.stage, self.since)

    @cached_property
    def drivers(self) -> Drivers:
        """The drivers on the road, computed at the first access, because a page that only counts does not need them."""
        return self.locate()


@dataclass(frozen=True, slots=True)
class Order:
    """One order's whole lifecycle; stages are (key, entered, left) in seconds, left is None for a stage not left."""

    id: str
    status: str
    stages: list[tuple[str, float, float | None]]
    events: EventSlice
    items: list[OrderItem]
    address: str
    revenue: float
    created: float | None
    delivered: float | None
    eta_mins: float | None


@dataclass(frozen=True, slots=True)
class DataQuality:
    """The numbers of rows read, used and rejected for a timeline.

    `flagged` counts used rows and orders that look wrong. `left_out` has a sentence for each file of the source that could not be
    read: none of its rows is counted; `assumed` one for each that was read on a guess.
    """

    read: int
    used: int
    rejected: dict[str, int]
    flagged: dict[str, int]
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def kitchen_frame(place: Location) -> Frame | None:
    """Return the frame of a kitchen; None where its place is not known."""
    return None if place.lat is None or place.lon is None else Frame(place.lat, place.lon)


def _amid_customers(events: Events) -> Frame | None:
    created = events.type == ev.ORDER_CREATED
    return Frame.amid(events.lat[created], events.lon[created])


class Timeline(Owner):
    """A location over a window, immutable. Times are float64 data seconds; `tz` is the clock that they are shown on."""

    def __init__(
        self,
        location: Location,
        window: Window,
        events: EventLog | GrowingLog,
        orders: Orders,
        trips: Trips,
        data_quality: DataQuality,
        origin: Frame | None = None,
        growth: Growth | None = None,
        grown: "tuple[Timeline, Merge] | None" = None,
    ) -> None:
        """`origin` is where the positions of `orders` count from, by default the kitchen. `growth` lets it be extended; `grown`
        is what it was extended from, and where the orders of that are."""
        self.location = location
        self.origin = origin or kitchen_frame(location)
        """The frame of all positions; None where no coordinates are known."""
        self.window = window
        self.orders = orders
        self.trips = trips
        self.data_quality = data_quality
        self._growth = growth
        self.events = events
        self._trip_of = np.full(len(orders), -1, dtype=np.int32)
        self._trip_of[trips.order] = np.arange(len(trips), dtype=np.int32)
        self.membership: Membership = Membership(orders, location.tz, grown and Grown(grown[0].membership, grown[1]))
        self._grown = grown and (weakref.ref(grown[0]), grown[1])

    @property
    def tz(self) -> Zone:
        """The kitchen's clock."""
        return self.location.tz

    @classmethod
    def load(
        cls,
        source: Source,
        location: str,
        start: Time,
        end: Time,
        *,
        growing: bool = False,
        before: "Timeline | None" = None,
    ) -> "Timeline":
        """Read all events of the orders at `location` that are alive in [start, end) and build their timeline.

        Reads from 24 hours before `start` (from midnight where its day is longer), so that the completion rate and the day's
        completed orders are right from `start` on. No order is clipped at an edge, however long it lives.

        A `growing` one can be `extended`, and takes twice the memory; it goes on counting the late rows of the one `before`.

        Raises `UnknownLocationError`, and ValueError if end is not after start.
        """
        place = tables.find_place(location, source.locations())
        window = Window(place.tz.seconds(start), place.tz.seconds(end))
        if not window.end > window.start:
            raise ValueError(f"The range must end after it starts; it ends {window.start - window.end:.0f} s before.")
        # an order that was last heard of four hours before midnight is stalled today
        lower, upper = min(window.start - DAY, place.tz.midnight(window.start) - STALLED_AFTER), window.end
        task = progress.current()
        threading.Thread(target=lambda: knots.warm(), name="warm-knots").start()  # while the rows are read
        with task.part(0.0, READING):
            # what lies beyond the end will be in it as it grows
            rows = source.window(location, lower, max(upper, place.end + 1) if growing else upper)
        task.step(READING)
        decoded = ev.decode(rows)
        events = _orders_within(decoded, lower, upper)
        task.step((1 + READING) / 2)
        frame = kitchen_frame(place)
        # without the kitchen's place, customers still have theirs; no driver's way can be told that would begin at it
        origin = frame or _amid_customers(events)
        brands = source.names("brands")
        orders, routes, odd_items = build_orders(events, rows, brands, origin)
        kept = rows if growing else None
        del rows, decoded  # their texts take most of the memory, and nothing below needs them
        task.step((3 + READING) / 4)
        drawn = draw(events, orders, routes, frame)
        trips = as_trips(drawn, frame)
        quality = data_quality(source.quality(location), orders, trips)
        if kept is None:
            return cls(place, window, EventLog.of(events), orders, trips, quality, origin)
        growth = growing_of(events, kept, orders, routes, drawn, odd_items, lower, frame, brands)
        if before is not None and before._growth is not None:
            growth = growth.following(before._growth, before.orders.ids, lower)
        return cls(place, window, growth.log, orders, trips, quality, origin, growth)

    def extended(
        self,
        rows: pa.Table,
        end: Time | None = None,
        *,
        quality: Quality | None = None,
        place: Location | None = None,
        brands: Mapping[str, str] | None = None,
    ) -> "Timeline":
        """Return this timeline with `rows` in it, and until `end`: the one that loading all its rows at once makes.

        `rows` have the columns of queries/window.sql, and may come late, again and in any order. `quality` are the counts of the
        location's rows with these, `place` is the location and `brands` the brands' names as they are with them; without, these
        stay. Costs in proportion to `rows` and the orders that they speak of. This timeline stays as it is.

        Raises `OutgrownError` if everything has to be read again: this was not loaded to grow, the kitchen has moved …
        """
        growth, place = self._growth, place or self.location
        upper = self.window.end if end is None else self.tz.seconds(end)
        if growth is None:
            raise OutgrownError("the timeline was not loaded to grow")
        if (place.lat, place.lon, place.zone) != (self.location.lat, self.location.lon, self.location.zone):
            raise OutgrownError("the kitchen has moved")
        if self.origin != kitchen_frame(place):
            raise OutgrownError("positions count from the middle of the customers")
        if brands is not None and brands != growth.brands:
            raise OutgrownError("the brands have other names")
        if upper < self.window.end:
            raise ValueError("A timeline cannot end before it did.")
        parts = extend(self.orders, self.trips, growth, rows, upper)
        if quality is None:
            had = self.data_quality
            quality = Quality(had.read, had.used, had.rejected, had.flagged, had.left_out, had.assumed)
        return Timeline(
            place, Window(self.window.start, upper), parts.growth.log, parts.orders, parts.trips,
            data_quality(quality, parts.orders, parts.trips), self.origin, parts.growth,
            (self, parts.merge),
        )  # fmt: skip

    @property
    def before(self) -> "tuple[Timeline, Merge] | None":
        """What it was extended from, as long as somebody has that, and where the orders of that are in it."""
        before = self._grown and self._grown[0]()
        return None if before is None or self._grown is None else (before, self._grown[1])

    @property
    def grows(self) -> bool:
        """Whether it can be `extended`."""
        return self._growth is not None

    def late(self, behind_s: float = 0.0) -> int:
        """Return how many rows have come in over so many seconds behind the latest event, since this was loaded to grow."""
        return 0 if self._growth is None else int(np.count_nonzero(self._growth.late.behind > behind_s))

    def unknown_at(self, t: float) -> int:
        """Return how many events had happened by t that pages which followed the kitchen did not know then: they came in late."""
        return 0 if self._growth is None else len(self._growth.late.unknown_at(t))

    def corrected(self, behind_s: float) -> NDArray[np.float64]:
        """Return the times, (m, 2) data seconds ascending, of which something was unknown that came over `behind_s` late."""
        return np.empty((0, 2)) if self._growth is None else self._growth.late.spans(behind_s)

    def shown_live(self, order: int, t: float) -> Shown | None:
        """Return what a page that followed the kitchen showed of an order (its row) at t; None where nobody could follow it."""
        return None if self._growth is None else shown_live(self.orders, self._growth, order, t, self.tz)

    def at(self, t: Time) -> Snapshot:
        """Return the kitchen's state at t, including events with ts = t."""
        t = self.tz.seconds(t)
        active = self.membership.at(t)
        order, stage = active.order, active.state
        return Snapshot(
            t, self.counts(t), order, stage, active.since, lambda: self.drivers(order[stage == OUT_FOR_DELIVERY], t)
        )

    def drivers(self, orders: NDArray[np.int32], t: float) -> Drivers:
        """Return the drivers of some orders that are out for delivery at t; orders without a trip are left out."""
        trips = self._trip_of[orders]
        kitchen = self.location.x or 0.0, self.location.y or 0.0
        return locate(self.trips, trips[trips >= 0], self.orders, kitchen, t)

    def stalled_trips(self, t: float) -> NDArray[np.int32]:
        """Return the trips (indices in `trips`) that last at t but whose order is stalled, so that no driver is shown."""
        order, begin, end = self.orders.stalls
        trips = self._trip_of[order[(begin <= t) & (end > t)]]
        trips = trips[trips >= 0]
        return trips[(self.trips.start[trips] <= t) & (self.trips.end[trips] > t)]

    def counts(self, t: float) -> dict[str, int]:
        """Return the number of orders in each state at t; completed, cancelled and stalled since midnight."""
        return self.membership.counts(t)

    def between(self, t0: Time, t1: Time) -> EventSlice:
        """Return the events with t0 <= ts < t1, sorted by time."""
        return self.events.between(t0, t1)

    def coded(self, t0: Time, t1: Time) -> EventCodes:
        """Return the events with t0 <= ts < t1, sorted by time, types as codes."""
        return self.events.coded(t0, t1)

    def latest(self, t: Time, n: int, *, pings: bool = False) -> EventSlice:
        """Return the last `n` events with ts <= t, newest first, with or without pings."""
        return self.events.latest(t, n, pings=pings)

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
        delivered, cancelled = _none_if_nan(self.orders.delivered[row]), _none_if_nan(self.orders.cancelled[row])
        return Order(
            id=order_id,
            status="completed" if delivered is not None else "cancelled" if cancelled is not None else "in_progress",
            stages=stages,
            events=self.events.of_order(row),
            items=self.orders.items(row),
            address=self.orders.address(row),
            revenue=float(self.orders.revenue[row]),
            created=_none_if_nan(self.orders.created[row]),
            delivered=delivered,
            eta_mins=_none_if_nan(self.orders.eta_mins[row]),
        )

    def motion(self, t0: float, t1: float, after: float | None = None) -> Motion:
        """Return the trips on the road at some time in [t0, t1], or with `after` those that begin in (after, t1]."""
        return self.motion_of(self.trips.between(t0, t1, after))

    def motion_of(self, chosen: NDArray[np.intp]) -> Motion:
        """Return the trips `chosen`, (n,) ascending indices in `trips`."""
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
        """Return edges (n + 1,) and the number of orders begun in each bucket of `bucket` seconds over the window.

        Inner edges are multiples of the bucket on the kitchen's clock (13:50, 14:00), so the first and the last bucket may be
        shorter, as may those in which that clock is put forward or back.
        """
        start, end = self.window.start, self.window.end
        inner = self.tz.ticks(start, end, bucket)
        edges = np.concatenate(([start], inner[(inner > start) & (inner < end)], [end]))
        began = self.orders.began
        inside = began[(began >= self.window.start) & (began < self.window.end)]
        return edges, np.histogram(inside, edges)[0]

    def busiest(self) -> float:
        """Return the time in the window with most drivers on the road; or, if few orders were on it, with most open orders.

        Where few orders have more than one event, it is the end of the 60 minutes in which most orders began.
        """
        orders, window = self.orders, self.window
        inside = (orders.first < window.end) & (orders.last >= window.start)
        on_road = inside & (orders.enter[OUT_FOR_DELIVERY] < orders.enter[OUT_FOR_DELIVERY + 1])
        lasting = inside & (orders.last > orders.first)
        least = TELLING * np.count_nonzero(inside)
        if (
            np.count_nonzero(on_road) >= least
            and (enter := self._in_window(orders.enter[OUT_FOR_DELIVERY][on_road])).size
        ):
            load = self.membership.in_stage(OUT_FOR_DELIVERY, enter)
        elif np.count_nonzero(lasting) >= least and (enter := self._in_window(orders.first[lasting])).size:
            first, last = np.sort(orders.first[inside]), np.sort(orders.last[inside])
            load = first.searchsorted(enter, "right") - last.searchsorted(enter, "right")
        elif (enter := self._in_window(orders.began)).size:
            load = enter.searchsorted(enter, "right") - enter.searchsorted(enter - HOUR, "right")
        else:
            return window.start
        return float(enter[int(np.argmax(load))])

    def _in_window(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the times that lie in the window, sorted."""
        return np.sort(times[(times >= self.window.start) & (times < self.window.end)])

    @property
    def has_orders(self) -> bool:
        """Whether any order begins in the window or is open in it."""
        start, end = self.window.start, self.window.end
        if not ((self.orders.first < end) & (self.orders.last >= start)).any():
            return False
        if len(self._in_window(self.orders.began)):
            return True
        # an order that lives for days may have stalled throughout
        return any(len(self.membership.between(start, end, state)) for state in STATES)

    @property
    def event_count(self) -> int:
        """The number of events, including those read beyond the window."""
        return len(self.events)

    @property
    def nbytes(self) -> int:
        """Bytes held in all columns and indexes."""
        columns = (self.events, self.membership, self.orders, self.trips, self._trip_of)
        return sum(column.nbytes for column in columns) + (0 if self._growth is None else self._growth.nbytes)


def _orders_within(events: Events, lower: float, upper: float) -> Events:
    """Return the events of the orders that are alive in [lower, upper): that have an event in it or span it."""
    first, last = ev.extremes(events)
    return ev.of_orders(events, (first < upper) & (last >= lower))


def data_quality(quality: Quality, orders: Orders, trips: Trips) -> DataQuality:
    """Return the counts of the location's rows, with flags that need whole orders."""
    of_orders = {
        "lifecycle over 4 h": int(np.count_nonzero(orders.last - orders.first > STALLED_AFTER)),
        "impossible speed": int(np.count_nonzero(trips.too_fast)),
        "odd number": int(np.count_nonzero(orders.odd)),
    }
    flagged = dict(quality.flagged) | {name: count for name, count in of_orders.items() if count}
    return DataQuality(quality.read, quality.used, dict(quality.rejected), flagged, quality.left_out, quality.assumed)


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
