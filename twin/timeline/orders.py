"""Events become orders: milestones, the times when each stage was entered and left, items, address, route.

An order's stage at t is the furthest milestone it has reached by t, never its latest event: a driver often arrives before
the food is ready, and `sequence` is not time order. With E(k) = the earliest milestone of stage k or of any later stage, the
stages are the intervals [E(k), E(k+1)): they cannot overlap and leave no gap, whatever is missing or out of order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation.geo import Frame
from twin.foundation.stages import COMPLETED, COOKING, CREATED, OUT_FOR_DELIVERY, READY, STALLED_AFTER
from twin.sources.tables import times
from twin.timeline import bodies
from twin.timeline import events as ev
from twin.timeline.bodies import Routes
from twin.timeline.events import MICROSECONDS, Events


@dataclass(frozen=True, slots=True)
class OrderItem:
    """An item of an order; texts are empty where the data has none."""

    name: str
    brand: str
    qty: float
    price: float


@dataclass(frozen=True)
class Orders:
    """One row per order, n rows, sorted by id. Times are float64 seconds, NaN where the milestone is missing.

    enter: (5, n) float64, when each stage was entered, inf if never.
    stalls: spells from `STALLED_AFTER` after an event to the next one, as (order, start, end) arrays; the order is in no stage.
    customer_x, customer_y: (n,) float32 Web Mercator metres east/north of the kitchen, NaN where unknown.
    revenue: (n,) float32, the sum of price × quantity.
    odd: (n,) bool, whether a price, a quantity or the promised minutes were beyond what is plausible, and so left out.
    """

    ids: pa.StringArray
    last: NDArray[np.float64]
    milestones: NDArray[np.float64]  # (9, n), a row per recognised event type
    enter: NDArray[np.float64]
    stalls: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]
    customer_x: NDArray[np.float32]
    customer_y: NDArray[np.float32]
    eta_mins: NDArray[np.float32]
    revenue: NDArray[np.float32]
    odd: NDArray[np.bool_]
    addresses: pa.StringArray
    item_offsets: NDArray[np.int32]
    item_names: pa.DictionaryArray
    item_brands: pa.DictionaryArray
    item_qty: NDArray[np.float32]
    item_price: NDArray[np.float32]
    rows_by_id: Mapping[str, int] | None = None
    """`row_of` where it is there already."""

    def __len__(self) -> int:
        return len(self.last)

    @property
    def first(self) -> NDArray[np.float64]:
        """When each order had its first event, which is when it entered its first stage."""
        return self.enter[CREATED]

    @property
    def began(self) -> NDArray[np.float64]:
        """When each order began, (n,): its creation, or its first event where the creation is missing."""
        return began(self.created, self.first)

    @property
    def leave(self) -> NDArray[np.float64]:
        """When each stage was left, (5, n) float64, inf if never: on entering the next stage or on being cancelled.

        Computed at each access; `left` computes it for one order.
        """
        return left(self.enter, self.cancelled)

    @property
    def created(self) -> NDArray[np.float64]:
        return self.milestones[ev.ORDER_CREATED]

    @property
    def started(self) -> NDArray[np.float64]:
        return self.milestones[ev.GK_STARTED]

    @property
    def finished(self) -> NDArray[np.float64]:
        return self.milestones[ev.GK_FINISHED]

    @property
    def ready(self) -> NDArray[np.float64]:
        return self.milestones[ev.GK_READY]

    @property
    def arrived(self) -> NDArray[np.float64]:
        return self.milestones[ev.DRIVER_ARRIVED]

    @property
    def picked_up(self) -> NDArray[np.float64]:
        return self.milestones[ev.DRIVER_PICKED_UP]

    @property
    def delivered(self) -> NDArray[np.float64]:
        return self.milestones[ev.DELIVERED]

    @property
    def cancelled(self) -> NDArray[np.float64]:
        return self.milestones[ev.ORDER_CANCELLED]

    @property
    def quantity(self) -> NDArray[np.float64]:
        """How many items each order has, (n,); 0 where the data has none. Computed at each access."""
        order = np.repeat(np.arange(len(self)), np.diff(self.item_offsets))
        return np.bincount(order, np.nan_to_num(self.item_qty), len(self)).astype(np.float64)

    def items(self, order: int) -> list[OrderItem]:
        """Return the items of the order in row `order`."""
        start, stop = int(self.item_offsets[order]), int(self.item_offsets[order + 1])
        return [
            OrderItem(
                self.item_names[i].as_py() or "",
                self.item_brands[i].as_py() or "",
                float(self.item_qty[i]),
                float(self.item_price[i]),
            )
            for i in range(start, stop)
        ]

    def address(self, order: int) -> str:
        """Return the customer's address, empty where unknown."""
        return self.addresses[order].as_py() or ""

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Order id -> row number."""
        return (
            self.rows_by_id
            if self.rows_by_id is not None
            else {order_id: row for row, order_id in enumerate(self.ids.to_pylist())}
        )

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray | pa.Array)]
        return sum(array.nbytes for array in arrays) + sum(array.nbytes for array in self.stalls)


def left(enter: NDArray[np.float64], cancelled: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Return when each stage (a row of `enter`) was left, inf if never; `cancelled` is NaN for orders not cancelled."""
    leave = np.full_like(enter, np.inf)
    closed = np.where(np.isnan(cancelled), np.inf, cancelled)
    leave[:COMPLETED] = np.minimum(enter[1:], np.maximum(closed, enter[:COMPLETED]))
    return leave


def drove_off(milestones: NDArray[np.float64], enter: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when each order's driver drove off, (n,): its pick-up or first position.

    NaN where the record has neither by its delivery: such an order leaves Ready when it is delivered, and nobody knows how long
    of that its meal stood.
    """
    left = np.fmin(milestones[ev.DRIVER_PICKED_UP], milestones[ev.DRIVER_PING])
    return np.where(left <= enter[OUT_FOR_DELIVERY], left, np.nan)


def began(created: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when orders began, (n,): their creation, or their first event where the creation is missing (NaN)."""
    return np.where(np.isnan(created), first, created)


def build(events: Events, rows: pa.Table, brand_names: Mapping[str, str], frame: Frame | None) -> tuple[Orders, Routes]:
    """Return the orders of `events` and their routes.

    `rows` is the table that the events were decoded from, which holds the bodies. `frame` locates the customers; it is None where
    the kitchen's position is unknown.
    """
    orders, routes, _ = build_parts(events, rows, brand_names, frame)
    return orders, routes


def build_parts(
    events: Events, rows: pa.Table, brand_names: Mapping[str, str], frame: Frame | None
) -> tuple[Orders, Routes, NDArray[np.bool_]]:
    """Return what `build` returns, and whether the items of each order have an odd number, (n,)."""
    n = len(events.order_ids)
    ts = events.ts / MICROSECONDS
    milestones = milestones_of(events, ts, n)
    first, last = ev.extremes(events)
    enter = stages_of(milestones, first)
    item_columns, addresses = bodies.items(events, rows, brand_names, n)
    routes, eta_mins, odd = bodies.routes(events, rows, n)
    odd_items = item_columns["odd"]
    item_columns["odd"] = odd_items | odd
    x, y = customers_of(events, frame, n)
    orders = Orders(
        ids=events.order_ids,
        last=last,
        milestones=milestones,
        enter=enter,
        stalls=stalls_of(events, ts, milestones, last - first),
        customer_x=x,
        customer_y=y,
        eta_mins=eta_mins,
        addresses=addresses,
        **item_columns,
    )
    return orders, routes, odd_items


BEGUN = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")
"""The milestones in queries/begun.sql, in the order of the event types."""


def build_begun(rows: pa.Table, brand_names: Mapping[str, str]) -> Orders:
    """Return orders of one location of which there is a row each (queries/begun.sql), not all their events.

    They have their milestones, stages, items and addresses; no stalls, no place and no promise, which the rows do not have.
    """
    rows = rows.sort_by("order_id")
    n, ids = len(rows), rows["order_id"].cast(pa.string()).combine_chunks()
    milestones = np.stack([times(rows[name]) for name in BEGUN])
    made = np.flatnonzero(np.isfinite(milestones[ev.ORDER_CREATED]))
    nowhere = np.full(len(made), np.nan)
    created = Events(  # of the bodies that are read
        ts=np.zeros(len(made), np.int64), type=np.full(len(made), ev.ORDER_CREATED, np.uint8),
        order=made.astype(np.int32), lat=nowhere, lon=nowhere, progress=nowhere.astype(np.float32), row=made,
        order_ids=ids, type_names=ev.EVENT_TYPES, duplicates=0,
    )  # fmt: skip
    item_columns, addresses = bodies.items(created, rows, brand_names, n)
    unknown, none = np.full(n, np.nan, np.float32), np.empty(0)
    return Orders(
        ids=ids,
        last=times(rows["last"]),
        milestones=milestones,
        enter=stages_of(milestones, times(rows["first"])),
        stalls=(none.astype(np.int32), none, none),
        customer_x=unknown,
        customer_y=unknown,
        eta_mins=unknown,
        addresses=addresses,
        **item_columns,
    )


def customers_of(events: Events, frame: Frame | None, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x, y = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if frame is not None:
        created = np.flatnonzero(events.type == ev.ORDER_CREATED)[::-1]  # backwards: the first one is written last
        x[events.order[created]], y[events.order[created]] = frame.place(events.lat[created], events.lon[created])
    return x, y


def milestones_of(events: Events, ts: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the first time of each recognised event type per order, (9, n), NaN where there is none."""
    milestones = np.full((len(ev.EVENT_TYPES), n), np.nan)
    recognised = np.flatnonzero(events.type < len(ev.EVENT_TYPES))[::-1]  # backwards: the earliest is written last
    milestones[events.type[recognised], events.order[recognised]] = ts[recognised]
    return milestones


def stages_of(milestones: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when each stage was entered, (5, n), by the rule in the module's docstring."""
    enter = np.full((5, len(first)), np.inf)
    reached = np.where(np.isnan(milestones), np.inf, milestones)
    enter[COMPLETED] = reached[ev.DELIVERED]
    enter[OUT_FOR_DELIVERY] = np.minimum.reduce(
        [reached[ev.DRIVER_PICKED_UP], reached[ev.DRIVER_PING], enter[COMPLETED]]
    )
    enter[READY] = np.minimum.reduce([reached[ev.GK_FINISHED], reached[ev.GK_READY], enter[OUT_FOR_DELIVERY]])
    enter[COOKING] = np.minimum(reached[ev.GK_STARTED], enter[READY])
    enter[CREATED] = first
    return enter


def stalls_of(
    events: Events, ts: NDArray[np.float64], milestones: NDArray[np.float64], life: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the spells in which open orders were stalled: order, start, end (inf where no further event came).

    Only orders that never ended, or whose `life` (n,) from first to last event exceeds `STALLED_AFTER`, can be stalled: few.
    """
    ended = np.fmin(milestones[ev.DELIVERED], milestones[ev.ORDER_CANCELLED])
    candidates = np.flatnonzero((np.isnan(ended) | (life > STALLED_AFTER))[events.order])
    by_order = candidates[np.argsort(events.order[candidates], kind="stable")]
    order, when = events.order[by_order], ts[by_order]
    following = np.full(len(when), np.inf)
    same = order[1:] == order[:-1]
    following[:-1][same] = when[1:][same]
    open_still = ~(when >= ended[order])  # NaN compares false: never ended
    stalled = np.flatnonzero((following - when > STALLED_AFTER) & open_still)
    return order[stalled], when[stalled] + STALLED_AFTER, following[stalled]
