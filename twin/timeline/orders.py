"""Events become orders: milestones, the time each stage was entered and left, items, address, route.

An order's stage at t is the furthest milestone it has reached by t, never its latest event: a driver often arrives before
the food is ready, and `sequence` is not time order. With E(k) = the earliest milestone of stage k or of any later stage, the
stages are the intervals [E(k), E(k+1)): they cannot overlap and leave no gap, whatever is missing or out of order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.geo import Frame
from twin.foundation.stages import COMPLETED, CREATED, OUT_FOR_DELIVERY, READY, STALLED_AFTER
from twin.timeline import events as ev
from twin.timeline.events import MICROSECONDS, Events

_ITEMS = (
    '{"items": [{"brand_id": "VARCHAR", "name": "VARCHAR", "price": "DOUBLE", "qty": "DOUBLE"}], '
    '"customer_addr": "VARCHAR"}'
)
_ROUTE = '{"route_points": [["DOUBLE"]], "eta_mins": "DOUBLE"}'


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order; any of it may be unknown."""

    name: str
    brand: str
    qty: float
    price: float


@dataclass(frozen=True)
class Orders:
    """One row per order, n rows, in the order of their ids. Times are float64 seconds, NaN where the milestone is missing.

    enter: (5, n) float64, when each stage was entered, inf if never.
    stalls: spells without an event for `STALLED_AFTER`, as (order, start, end) arrays; an order is in no stage meanwhile.
    customer_x, customer_y: (n,) float32 Web Mercator metres east/north of the kitchen, NaN where unknown.
    revenue: (n,) float32, price × quantity summed.
    """

    ids: pa.StringArray
    last: NDArray[np.float64]
    milestones: NDArray[np.float64]  # (9, n), a row per known event type
    enter: NDArray[np.float64]
    stalls: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]
    customer_x: NDArray[np.float32]
    customer_y: NDArray[np.float32]
    eta_mins: NDArray[np.float32]
    revenue: NDArray[np.float32]
    addresses: pa.StringArray
    item_offsets: NDArray[np.int32]
    item_names: pa.DictionaryArray
    item_brands: pa.DictionaryArray
    item_qty: NDArray[np.float32]
    item_price: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.last)

    @property
    def first(self) -> NDArray[np.float64]:
        """When each order was first heard of: it is in its first stage from then on."""
        return self.enter[CREATED]

    @property
    def began(self) -> NDArray[np.float64]:
        """When each order began, (n,): its creation, else when it was first heard of."""
        return began(self.created, self.first)

    @property
    def leave(self) -> NDArray[np.float64]:
        """When each stage was left, (5, n) float64, inf if not yet: by the next stage or by being cancelled.

        It is worked out at each access; `left` does it for one order.
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

    def items(self, order: int) -> list[Item]:
        """Return the lines of order number `order`."""
        start, stop = int(self.item_offsets[order]), int(self.item_offsets[order + 1])
        return [
            Item(
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
    def row_of(self) -> dict[str, int]:
        """Order id -> row number."""
        return {order_id: row for row, order_id in enumerate(self.ids.to_pylist())}

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray | pa.Array)]
        return sum(array.nbytes for array in arrays) + sum(array.nbytes for array in self.stalls)


@dataclass(frozen=True, slots=True)
class Routes:
    """Routes as the driver got them: orders (r,) int32, offsets (r+1,) int64 into lat, lon (p,) float64 degrees."""

    order: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


def left(enter: NDArray[np.float64], cancelled: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    """Return when each stage (a row of `enter`) was left, inf if not yet; `cancelled` is NaN where an order was not."""
    leave = np.full_like(enter, np.inf)
    closed = np.where(np.isnan(cancelled), np.inf, cancelled)
    leave[:COMPLETED] = np.minimum(enter[1:], np.maximum(closed, enter[:COMPLETED]))
    return leave


def began(created: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when orders began, (n,): their creation, where it is missing (NaN) when they were first heard of."""
    return np.where(np.isnan(created), first, created)


def build(events: Events, rows: pa.Table, brand_names: Mapping[str, str], frame: Frame | None) -> tuple[Orders, Routes]:
    """Return the orders of `events` and their routes.

    `rows` is the table that the events were decoded from (for its bodies); `frame` places customers, None where the kitchen's
    position is unknown.
    """
    n = len(events.order_ids)
    ts = events.ts / MICROSECONDS
    milestones = _milestones(events, ts, n)
    first, last = ev.extremes(events)
    enter = stages_of(milestones, first)
    item_columns, addresses = _items(events, rows, brand_names, n)
    routes, eta_mins = _routes(events, rows, n)
    x, y = _customers(events, frame, n)
    orders = Orders(
        ids=events.order_ids,
        last=last,
        milestones=milestones,
        enter=enter,
        stalls=_stalls(events, ts, milestones, last - first),
        customer_x=x,
        customer_y=y,
        eta_mins=eta_mins,
        addresses=addresses,
        **item_columns,
    )
    return orders, routes


def _customers(events: Events, frame: Frame | None, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x, y = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if frame is not None:
        created = np.flatnonzero(events.type == ev.ORDER_CREATED)[::-1]  # backwards: the first one is written last
        x[events.order[created]], y[events.order[created]] = frame.place(events.lat[created], events.lon[created])
    return x, y


def _milestones(events: Events, ts: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the first time of each known event type by order, (9, n), NaN where there is none."""
    milestones = np.full((len(ev.EVENT_TYPES), n), np.nan)
    known = np.flatnonzero(events.type < len(ev.EVENT_TYPES))[::-1]  # backwards: the earliest is written last
    milestones[events.type[known], events.order[known]] = ts[known]
    return milestones


def stages_of(milestones: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when each stage was entered, (5, n); see the module's docstring for the rule."""
    enter = np.full((5, len(first)), np.inf)
    reached = np.where(np.isnan(milestones), np.inf, milestones)
    enter[COMPLETED] = reached[ev.DELIVERED]
    enter[OUT_FOR_DELIVERY] = np.minimum.reduce(
        [reached[ev.DRIVER_PICKED_UP], reached[ev.DRIVER_PING], enter[COMPLETED]]
    )
    enter[READY] = np.minimum.reduce([reached[ev.GK_FINISHED], reached[ev.GK_READY], enter[OUT_FOR_DELIVERY]])
    enter[1] = np.minimum(reached[ev.GK_STARTED], enter[READY])
    enter[CREATED] = first
    return enter


def _stalls(
    events: Events, ts: NDArray[np.float64], milestones: NDArray[np.float64], life: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the spells in which an open order had no event for `STALLED_AFTER`: order, start, end (inf if for good).

    Only an order that never ended, or whose `life` (n,) from its first event to its last is longer, can have one: few.
    """
    ended = np.fmin(milestones[ev.DELIVERED], milestones[ev.ORDER_CANCELLED])
    looked_at = np.flatnonzero((np.isnan(ended) | (life > STALLED_AFTER))[events.order])
    by_order = looked_at[np.argsort(events.order[looked_at], kind="stable")]
    order, when = events.order[by_order], ts[by_order]
    following = np.full(len(when), np.inf)
    same = order[1:] == order[:-1]
    following[:-1][same] = when[1:][same]
    open_still = ~(when >= ended[order])  # NaN compares false: never ended
    stalled = np.flatnonzero((following - when > STALLED_AFTER) & open_still)
    return order[stalled], when[stalled] + STALLED_AFTER, following[stalled]


def _bodies(events: Events, rows: pa.Table, kind: int) -> tuple[NDArray[np.int32], pa.Table]:
    """Return the orders that have an event of type `kind` and a table that says which bodies (its first one each) are meant.

    Both are in the order of `rows`, whose bodies are not copied: they are most of what is in memory.
    """
    positions = np.flatnonzero(events.type == kind)
    _, firsts = np.unique(events.order[positions], return_index=True)
    positions = positions[firsts]
    positions = positions[np.argsort(events.row[positions])]
    wanted = np.zeros(len(rows), dtype=bool)
    wanted[events.row[positions]] = True
    return events.order[positions], pa.table({"body": rows["body"], "wanted": wanted})


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Return an empty database to parse with: opening one takes longer than an order's bodies do."""
    return duckdb.connect()


def _parse(bodies: pa.Table, structure: str) -> pa.StructArray:
    """Return JSON bodies as typed structs, all or those `wanted`; what does not fit the structure is NULL, never an error."""
    some = " WHERE wanted" if "wanted" in bodies.column_names else ""
    with _engine().cursor() as connection:
        connection.register("bodies", bodies)
        query = f"SELECT json_transform(body, '{structure}') AS value FROM bodies{some}"
        return connection.sql(query).to_arrow_table()["value"].combine_chunks()


def _items(
    events: Events, rows: pa.Table, brand_names: Mapping[str, str], n: int
) -> tuple[dict[str, Any], pa.StringArray]:
    order, bodies = _bodies(events, rows, ev.ORDER_CREATED)
    by_order = np.argsort(order)
    order, parsed = order[by_order], _parse(bodies, _ITEMS).take(pa.array(by_order))
    lines = pc.fill_null(pc.list_value_length(pc.struct_field(parsed, "items")), 0).to_numpy().astype(np.int64)
    counts = np.zeros(n, dtype=np.int64)
    counts[order] = lines
    item_offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    flat = pc.list_flatten(pc.struct_field(parsed, "items"))
    qty = np.asarray(pc.fill_null(pc.struct_field(flat, "qty"), 1).to_numpy(zero_copy_only=False), np.float32)
    price = np.asarray(pc.fill_null(pc.struct_field(flat, "price"), 0).to_numpy(zero_copy_only=False), np.float32)
    revenue = np.bincount(np.repeat(order, lines), weights=qty * price, minlength=n)
    brands = pc.dictionary_encode(pc.struct_field(flat, "brand_id").cast(pa.string()))
    named = [brand_names.get(brand, f"brand {brand}") for brand in brands.dictionary.to_pylist()]
    addresses = np.full(n, None, dtype=object)
    addresses[order] = pc.struct_field(parsed, "customer_addr").to_numpy(zero_copy_only=False)
    columns = {
        "item_offsets": item_offsets,
        "item_names": _small(pc.dictionary_encode(pc.struct_field(flat, "name").cast(pa.string()))),
        "item_brands": _small(pa.DictionaryArray.from_arrays(brands.indices, pa.array(named, pa.string()))),
        "item_qty": qty,
        "item_price": price,
        "revenue": revenue.astype(np.float32),
    }
    return columns, pa.array(addresses, pa.string())


def _small(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return the same texts with 16-bit codes where these suffice: a menu has some hundred names."""
    if len(texts.dictionary) > np.iinfo(np.int16).max:
        return texts
    return pa.DictionaryArray.from_arrays(texts.indices.cast(pa.int16()), texts.dictionary)


def _routes(events: Events, rows: pa.Table, n: int) -> tuple[Routes, NDArray[np.float32]]:
    order, bodies = _bodies(events, rows, ev.DRIVER_PICKED_UP)
    route, lat, lon, minutes = route_points(bodies)
    eta_mins = np.full(n, np.nan, np.float32)
    eta_mins[order] = minutes
    counts = np.bincount(route, minlength=len(order))
    kept = counts >= 2  # one point is no route
    if not kept.all():
        lat, lon = lat[kept[route]], lon[kept[route]]
    offsets = np.concatenate(([0], np.cumsum(counts[kept]))).astype(np.int64)
    return Routes(order[kept].astype(np.int32), offsets, lat, lon), eta_mins


def route_points(
    bodies: pa.Table,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Return the routes in texts of driver_picked_up (column `body`; all, or those with `wanted`): each point's number among
    these bodies, lat, lon; and each body's eta_mins.
    """
    parsed = _parse(bodies, _ROUTE)
    minutes = pc.struct_field(parsed, "eta_mins").to_numpy(zero_copy_only=False).astype(np.float32)
    points = pc.struct_field(parsed, "route_points")
    lengths = pc.fill_null(pc.list_value_length(points), 0).to_numpy().astype(np.int64)
    lat, lon = _pairs(pc.list_flatten(points))
    body = np.repeat(np.arange(len(lengths)), lengths)
    good = (np.abs(lat) <= 85.05) & (np.abs(lon) <= 180) & ~((lat == 0) & (lon == 0))
    if not good.all():
        body, lat, lon = body[good], lat[good], lon[good]
    return body, lat, lon, minutes


def _pairs(points: pa.ListArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first two numbers of each list, NaN where there are fewer."""
    if not len(points):
        return np.empty(0), np.empty(0)
    lengths = pc.fill_null(pc.list_value_length(points), 0).to_numpy().astype(np.int64)
    values = np.asarray(pc.list_flatten(points).to_numpy(zero_copy_only=False), dtype=np.float64)
    if (lengths == 2).all():
        return values[::2], values[1::2]
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    whole = lengths >= 2
    lat, lon = np.full(len(lengths), np.nan), np.full(len(lengths), np.nan)
    lat[whole], lon[whole] = values[starts[whole]], values[starts[whole] + 1]
    return lat, lon
