"""What a page that followed a kitchen showed of an order at a time, for whom looks at that time later.

Later, two things are known that were not known then: rows that came in late, and where a driver was at his next ping. What was
shown is computed from the events that had come in by then, by the same rules; nothing has to be recorded while it is shown.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twin.foundation import event_types
from twin.foundation.zones import Zone
from twin.timeline import events as ev
from twin.timeline import orders as od
from twin.timeline import trips
from twin.timeline.bodies import Routes
from twin.timeline.events import MICROSECONDS, Events
from twin.timeline.growing import Growth
from twin.timeline.late_events import OTHER
from twin.timeline.locate import OWN_PACE_FROM
from twin.timeline.membership import Membership
from twin.timeline.orders import Orders
from twin.timeline.trips import Trips

OWN_PACE_S = 60.0
"""Seconds on the road from which on a driver's own pace is gone by, as in twin/views/map/motion.js, which draws the guess."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown of one order at a time.

    state: its number among `STATES`, None before its first event was known; place: where its driver was, Web Mercator metres east
    and north of the kitchen, None where none was shown. missing: of the events of then that came later, the type of each
    ("other": none that is recognised) and by how many seconds it came in late.
    """

    state: int | None
    place: tuple[float, float] | None
    missing: tuple[tuple[str, float], ...]


def shown_live(orders: Orders, growth: Growth, row: int, t: float, tz: Zone) -> Shown | None:
    """Return what a page that followed the kitchen showed of the order in `row` at t; None where nobody knows what came late."""
    late = growth.late
    if not late.since <= t <= growth.log.latest_ts:
        return None
    number = int(growth.log.number_of[row])
    events = growth.log.of_orders(
        np.array([number], np.int32), float(orders.first[row]), min(t, float(orders.last[row]))
    )
    unknown = late.unknown_at(t)
    unknown = unknown[late.number[unknown] == number]
    then = events.ts <= t * MICROSECONDS
    for ts, kind in zip(late.ts[unknown].tolist(), late.type[unknown].tolist(), strict=True):
        then &= (events.ts != ts) | (np.minimum(events.type, OTHER) != kind)
    missing = tuple(
        (event_types.EVENT_TYPES[kind] if kind < OTHER else "other", behind)
        for kind, behind in zip(late.type[unknown].tolist(), late.behind[unknown].tolist(), strict=True)
    )
    known = events.take(np.flatnonzero(then))
    if not len(known):
        return Shown(None, None, missing)
    one = Events(
        known.ts, known.type, np.zeros(len(known), np.int32), known.lat, known.lon, known.progress,
        np.arange(len(known)), pa.array([orders.ids[row].as_py()], pa.string()), growth.log.type_names, 0,
    )  # fmt: skip
    as_known = _as_known(orders, row, one)
    state = Membership(as_known, tz).of([0], t)
    return Shown(int(state.state[0]) if len(state) else None, _place(as_known, one, growth, number, t), missing)


def _as_known(orders: Orders, row: int, events: Events) -> Orders:
    """Return one order by some of its events; its items, which say nothing of its way, are left out."""
    milestones = od.milestones_of(events, events.ts / MICROSECONDS, 1)
    first, last = ev.extremes(events)
    nothing, no_texts = np.zeros(0, np.float32), pa.array([], pa.string()).dictionary_encode()
    return Orders(
        ids=events.order_ids,
        last=last,
        milestones=milestones,
        enter=od.stages_of(milestones, first),
        stalls=od.stalls_of(events, events.ts / MICROSECONDS, milestones, last - first),
        customer_x=orders.customer_x[[row]],
        customer_y=orders.customer_y[[row]],
        eta_mins=orders.eta_mins[[row]],
        revenue=np.zeros(1, np.float32),
        odd=np.zeros(1, np.bool_),
        addresses=pa.array([None], pa.string()),
        item_offsets=np.zeros(2, np.int32),
        item_names=no_texts,
        item_brands=no_texts,
        item_qty=nothing,
        item_price=nothing,
    )


def _place(order: Orders, events: Events, growth: Growth, number: int, t: float) -> tuple[float, float] | None:
    """Return where the driver of one order was shown at t."""
    route = growth.route(number) if np.isfinite(order.picked_up[0]) else None
    lat, lon = (np.empty(0), np.empty(0)) if route is None else route
    routes = Routes(np.zeros(0 if route is None else 1, np.int32), np.array([0, len(lat)]), lat, lon)
    way = trips.build(events, order, routes, growth.frame)
    if not len(way) or not way.start[0] <= t < way.end[0]:
        return None
    return foreseen(way, 0, 60.0 * float(order.eta_mins[0]), t)


def foreseen(way: Trips, trip: int, promised: float, t: float) -> tuple[float, float]:
    """Return where the driver of a trip is drawn at t, metres from the kitchen: at the last known place, or, on a planned route,
    so far along it as his own pace, or `promised` (seconds for the whole), takes him. `Trip.foresee` in motion.js says the same.
    """
    first, stop = int(way.knots_from[trip]), int(way.knots_to[trip])
    since = t - float(way.start[trip])
    times = way.t[first:stop].astype(np.float64)
    x, y = (axis[first:stop].astype(np.float64) * way.unit for axis in (way.x, way.y))
    here = max(int(times.searchsorted(since, "right")) - 1, 0)
    if here + 1 == len(times):
        return float(x[here]), float(y[here])
    if np.isfinite(times[here + 1]):  # between two known places
        share = (since - times[here]) / (times[here + 1] - times[here])
        return float(x[here] + share * (x[here + 1] - x[here])), float(y[here] + share * (y[here + 1] - y[here]))
    along = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))))
    own = times[here] >= OWN_PACE_S and along[here] >= OWN_PACE_FROM * along[-1]
    pace = along[here] / times[here] if own else along[-1] / promised if promised > 0 else np.nan
    there = min(along[here] + pace * (since - times[here]), along[-1]) if 0 < pace < np.inf else along[here]
    return float(np.interp(there, along, x)), float(np.interp(there, along, y))
