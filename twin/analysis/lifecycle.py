"""One order from its first event to its last: its milestones, the duration of each stage, and the distance.

This includes facts later than the playhead, each with its time, so that a view can separate what had happened by then from what
came later. Estimated arrivals are those made at the time.
"""

from dataclasses import dataclass

import numpy as np

from twin.foundation.geo import ground_scale
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STAGES
from twin.timeline import events as ev
from twin.timeline.locate import locate
from twin.timeline.timeline import Order, Timeline

AT_ONCE = 1e-3
"""Seconds after an observation at which its estimate is computed, because the float32 times of knots are not exact."""

ROUTE, PINGS, STRAIGHT = "route", "pings", "straight"
"""The basis of a distance: the planned route, the line through the pings, or the straight line to the customer."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in a stage, data seconds: `end` is None if it has not ended."""

    key: str
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Distance:
    """Metres on the ground from the kitchen to the customer, and their basis (ROUTE, PINGS or STRAIGHT)."""

    metres: float
    how: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The lifecycle of an order; times are data seconds, None where the data has none.

    stages: the spans of the stages before Completed. stalls: spells in which the order was stalled, (start, end or None).
    arrivals: (time of the estimate, estimated arrival) while on the road, sorted by time. pings: their times. straight: the
    straight distance, all that is known of the way before there is a route; None without the customer's place.
    """

    order: Order
    row: int
    first: float
    last: float
    stages: list[Span]
    stalls: list[tuple[float, float | None]]
    ready: float | None
    arrived: float | None
    picked_up: float | None
    delivered: float | None
    cancelled: float | None
    distance: Distance | None
    straight: Distance | None
    arrivals: list[tuple[float, float]]
    pings: tuple[float, ...]

    @property
    def closed(self) -> float | None:
        """When the order was delivered, else cancelled."""
        return self.cancelled if self.delivered is None else self.delivered

    @property
    def total(self) -> float | None:
        """Seconds from created to delivered."""
        created, delivered = self.order.created, self.delivered
        return None if created is None or delivered is None else delivered - created

    @property
    def road(self) -> Span | None:
        """The time on the road; None if the order was never there."""
        return next((span for span in self.stages if span.key == STAGES[OUT_FOR_DELIVERY]), None)

    @property
    def drive(self) -> float | None:
        """Seconds on the road of an order that was delivered."""
        road = self.road
        return None if road is None or self.delivered is None else self.delivered - road.start

    @property
    def promise(self) -> float | None:
        """The arrival promised at pick-up, which only the first generation of the data has."""
        eta = self.order.eta_mins
        return None if eta is None or self.picked_up is None else self.picked_up + eta * 60

    @property
    def food_waited(self) -> float | None:
        """Seconds that the ready food waited for its driver; None if the driver arrived first, or never arrived."""
        gap = self._gap
        return gap if gap is not None and gap >= 0 else None

    @property
    def driver_waited(self) -> float | None:
        """Seconds that the driver waited for the food; None if the food was ready first."""
        gap = self._gap
        return -gap if gap is not None and gap < 0 else None

    @property
    def _gap(self) -> float | None:
        return None if self.ready is None or self.arrived is None else self.arrived - self.ready


def lifecycle(timeline: Timeline, row: int) -> Lifecycle:
    """Return the lifecycle of the order in row `row`."""
    orders = timeline.orders
    order = timeline.order(str(orders.ids[row].as_py()))
    stages = [Span(key, start, end) for key, start, end in order.stages if key != STAGES[COMPLETED]]
    stalled, begins, ends = orders.stalls
    stalls = [
        (float(begins[i]), float(ends[i]) if np.isfinite(ends[i]) else None) for i in np.flatnonzero(stalled == row)
    ]
    pinged = order.events.ts[[kind == "driver_ping" for kind in order.events.type]]
    trip = _trip(timeline, row)

    def time_of(milestone: int) -> float | None:
        value = float(orders.milestones[milestone, row])
        return None if np.isnan(value) else value

    return Lifecycle(
        order=order,
        row=row,
        first=float(orders.first[row]),
        last=float(orders.last[row]),
        stages=stages,
        stalls=stalls,
        ready=time_of(ev.GK_READY),
        arrived=time_of(ev.DRIVER_ARRIVED),
        picked_up=time_of(ev.DRIVER_PICKED_UP),
        delivered=order.delivered,
        cancelled=time_of(ev.ORDER_CANCELLED),
        distance=_distance(timeline, row, trip),
        straight=_straight(timeline, row),
        arrivals=[] if trip is None else _arrivals(timeline, trip),
        pings=tuple(pinged.tolist()),
    )


def _trip(timeline: Timeline, row: int) -> int | None:
    found = np.flatnonzero(timeline.trips.order == row)
    return int(found[0]) if len(found) else None


def _distance(timeline: Timeline, row: int, trip: int | None) -> Distance | None:
    trips, orders = timeline.trips, timeline.orders
    if trip is not None and trips.routed[trip]:
        return Distance(_length(timeline, trip), ROUTE)
    # the line through the pings is the whole way only if the trip was finished
    if trip is not None and np.isfinite(orders.enter[COMPLETED, row]) and _length(timeline, trip) > 0:
        return Distance(_length(timeline, trip), PINGS)
    return _straight(timeline, row)


def _straight(timeline: Timeline, row: int) -> Distance | None:
    orders = timeline.orders
    if timeline.location.lat is None:  # the customer's place counts from elsewhere
        return None
    air = float(np.hypot(orders.customer_x[row], orders.customer_y[row])) * _scale(timeline)
    return Distance(air, STRAIGHT) if np.isfinite(air) else None


def _length(timeline: Timeline, trip: int) -> float:
    """Return the length of a trip in metres on the ground."""
    trips = timeline.trips
    knots = slice(int(trips.knots_from[trip]), int(trips.knots_to[trip]))
    x, y = trips.x[knots].astype(np.float64), trips.y[knots].astype(np.float64)
    return float(np.hypot(np.diff(x), np.diff(y)).sum()) * trips.unit * _scale(timeline)


def _scale(timeline: Timeline) -> float:
    """Return true metres per Web Mercator metre at the kitchen."""
    lat = timeline.location.lat
    return 1.0 if lat is None else ground_scale(lat)


def _arrivals(timeline: Timeline, trip: int) -> list[tuple[float, float]]:
    """Return the estimates of a trip, one per observation; each holds until the next."""
    trips, orders = timeline.trips, timeline.orders
    knots = slice(int(trips.knots_from[trip]), int(trips.knots_to[trip]))
    seen = trips.t[knots][trips.observed[knots]]
    begin, end = float(trips.start[trip]), float(trips.end[trip])
    moments = np.unique(np.concatenate(([0.0], seen[np.isfinite(seen)].astype(np.float64)))) + begin
    kitchen = (timeline.location.x or 0.0, timeline.location.y or 0.0)
    found: list[tuple[float, float]] = []
    for moment in moments[moments < end - AT_ONCE].tolist():
        one = np.array([trip], np.int32)
        eta = float(locate(trips, one, orders, kitchen, moment + AT_ONCE).eta[0])
        if np.isfinite(eta) and (not found or abs(found[-1][1] - eta) > 1.0):
            found.append((moment, eta))
    return found
