"""A timeline with a batch of rows more, made from the one before: only the orders that the batch speaks of are built anew.

A version never changes, whoever reads it, in whatever thread. What it has beside a timeline (`Growth`) is what a row may still
change: the events with all columns, the planned routes, and the rows of orders that have not begun. Orders stay numbered by their
sorted ids, so every version is the timeline that loading all its rows at once makes; the tests hold the two together.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.geo import Frame
from twin.timeline import bodies, trips
from twin.timeline import events as ev
from twin.timeline import orders as od
from twin.timeline.bodies import Routes
from twin.timeline.events import MICROSECONDS, Events
from twin.timeline.growing_log import EMPTY, Chunk, GrowingLog
from twin.timeline.late_events import LateEvents
from twin.timeline.merging import (
    Column,
    Merge,
    Room,
    insertion,
    of_parts,
    places,
    resorted,
    spliced,
    spliced_arrow,
    spliced_dictionary,
)
from twin.timeline.orders import Orders
from twin.timeline.trips import Drawn, Trips

MOST_UNUSED = 100_000
"""Knots of trips that were drawn anew since, beside as many as are in use: then they are let go."""
_numbering = threading.Lock()
"""Held while orders are numbered: two versions may be made from one."""

Route = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A planned route: lat, lon in degrees."""


class OutgrownError(Exception):
    """A batch changes what a version cannot: everything has to be read again."""


@dataclass(frozen=True)
class Growth:
    """What a version of a timeline needs so that the next one can be made from it.

    lower: orders that were last heard of before it (data seconds) do not count. numbers: each order's number in `log` by its id;
    newer versions add theirs, so only those below the number of orders are of this one. routes: of orders by number, in place of
    those in `loaded_routes`. speed, reach: of each trip, as in `Drawn`; speeds: those of finished trips, ascending. odd_items,
    odd_eta: (orders,) the parts of `Orders.odd`. waiting: decoded rows of orders that have not begun by the end. late: the events
    that came in late.
    """

    lower: float
    frame: Frame | None
    brands: Mapping[str, str]
    log: GrowingLog
    numbers: dict[str, int]
    loaded_routes: Routes
    route_of: NDArray[np.int32]
    routes: Mapping[int, Route | None]
    speed: NDArray[np.float64]
    speeds: NDArray[np.float64]
    reach: NDArray[np.float32]
    odd_items: NDArray[np.bool_]
    odd_eta: NDArray[np.bool_]
    waiting: pa.Table
    late: LateEvents
    room: Room | None = None
    """Where the knots of the trips are; None until something is added."""

    @property
    def nbytes(self) -> int:
        """Bytes held, the log's aside."""
        arrays = (
            self.speed,
            self.speeds,
            self.reach,
            self.odd_items,
            self.odd_eta,
            self.route_of,
            self.loaded_routes.lat,
        )
        own = sum(lat.nbytes * 2 for lat, _ in filter(None, self.routes.values()))
        tables = self.late.nbytes + int(self.waiting.nbytes)
        return sum(array.nbytes for array in arrays) + self.loaded_routes.lon.nbytes + own + tables

    def following(self, before: "Growth", ids: pa.StringArray, since: float) -> "Growth":
        """Return this growth, of rows that were all read again, with the late events after `since` of the one before it, whose
        orders had `ids`.

        What came in late with just these rows is not known to be.
        """

        def number_of(number: int) -> int:
            return self.numbers.get(ids[int(before.log.row_of[number])].as_py(), -1)

        return replace(self, late=before.late.renumbered(number_of, since))

    def route(self, number: int) -> Route | None:
        """Return the planned route of an order by its number."""
        if number in self.routes:
            return self.routes[number]
        at = int(self.route_of[number]) if number < len(self.route_of) else -1
        if at < 0:
            return None
        points = slice(int(self.loaded_routes.offsets[at]), int(self.loaded_routes.offsets[at + 1]))
        return self.loaded_routes.lat[points], self.loaded_routes.lon[points]


@dataclass(frozen=True)
class Parts:
    """What a timeline is made of, and what it grows from."""

    orders: Orders
    trips: Trips
    merge: Merge
    growth: Growth


def begin(
    events: Events, rows: pa.Table, orders: Orders, routes: Routes, drawn: Drawn | None, odd_items: NDArray[np.bool_],
    lower: float, frame: Frame | None, brands: Mapping[str, str],
) -> Growth:  # fmt: skip
    """Return what the first version of a timeline grows from; `rows` has the events and those of orders that do not count."""
    sequence = ev.sequences(ev.floats(rows["sequence"]))[events.row]
    everything = Chunk(events.ts, sequence, events.type, events.order, events.lat, events.lon, events.progress)
    route_of = np.full(len(orders), -1, np.int32)
    route_of[routes.order] = np.arange(len(routes.order))
    ids, log = events.order_ids, GrowingLog.of(everything, len(orders), events.type_names)
    counted = (
        pc.is_in(rows["order_id"], ids) if len(ids) else pa.chunked_array([pa.array([False] * len(rows), pa.bool_())])
    )
    return Growth(
        lower=lower,
        frame=frame,
        brands=dict(brands),
        log=log,
        numbers={name: number for number, name in enumerate(ids.to_pylist())},
        loaded_routes=routes,
        route_of=route_of,
        routes={},
        speed=np.empty(0) if drawn is None else drawn.speed,
        speeds=np.empty(0) if drawn is None else np.sort(drawn.speed[np.isfinite(drawn.speed)]),
        reach=np.empty(0, np.float32) if drawn is None else drawn.reach,
        odd_items=odd_items,
        odd_eta=orders.odd & ~odd_items,
        waiting=_columns(rows.filter(pc.invert(counted))),
        late=LateEvents(log.latest_ts),
    )


COLUMNS = ("order_id", "event_type", "ts", "sequence", "lat", "lon", "progress", "body")


def _columns(rows: pa.Table) -> pa.Table:
    """Return the columns of decoded rows that matter, in types that any two tables of them share."""
    kinds = [pa.string(), pa.string(), pa.timestamp("us"), *[pa.float64()] * 4, pa.string()]
    return pa.table({name: rows[name].cast(kind) for name, kind in zip(COLUMNS, kinds, strict=True)})


def extend(orders: Orders, before: Trips, growth: Growth, rows: pa.Table, upper: float) -> Parts:
    """Return the parts of the timeline with `rows` in it, which ends at `upper` (data seconds).

    Raises `OutgrownError` where that takes more than the version has.
    """
    batch = _read(orders, growth, _columns(rows), upper)
    built = _build(batch, orders, growth)
    merge = insertion(orders.ids, batch.ids, batch.row)
    number = _numbered(batch, len(orders))
    log = _merged_log(batch, growth.log, merge, number)
    numbers = _numbers(growth.numbers, batch, number, len(orders))
    merged = _merged_orders(orders, built, merge, _RowOf(numbers, log.row_of))
    routes = {int(number[k]): route for k, route in built.fresh_routes.items()}
    after = replace(
        growth,
        log=log,
        numbers=numbers,
        routes={**growth.routes, **routes},
        odd_items=merge.column(growth.odd_items, built.odd_items),
        odd_eta=merge.column(growth.odd_eta, built.odd_eta),
        waiting=batch.waiting,
        late=growth.late.joined(batch.fresh(number), growth.log.latest_ts),
    )
    all_trips, after = _merged_trips(before, merged, built.drawn, merge, after)
    return Parts(merged, all_trips, merge, after)


@dataclass(frozen=True)
class _Batch:
    """What rows mean for the orders that they speak of, k of them that count.

    ids: (k,) sorted; row: (k,) their rows so far, -1 for new ones. events: all their events, whose `row` is below `known` for
    those that were there before, and else `known` more than a row of `rows`. replaced: those of `events`, by position, that take
    the place of a less complete copy. is_new: those that came with `rows` and have no copy. waiting: rows of other orders.
    """

    ids: list[str]
    row: NDArray[np.int64]
    events: Events
    sequence: NDArray[np.float64]
    known: int
    rows: pa.Table
    replaced: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    waiting: pa.Table
    type_names: tuple[str, ...]

    def fresh(self, number: NDArray[np.int32]) -> Events:
        """Return the new events, with the orders' numbers (k,) in place of their positions in the batch."""
        columns = {
            name: getattr(self.events, name)[self.is_new] for name in ("ts", "type", "lat", "lon", "progress", "row")
        }
        return replace(self.events, order=number[self.events.order[self.is_new]], **columns)


def _read(orders: Orders, growth: Growth, fresh: pa.Table, upper: float) -> _Batch:
    """Return what decoded rows mean, together with those that waited."""
    rows = pa.concat_tables([growth.waiting, fresh]).combine_chunks()
    ids, code = ev.codes(rows["order_id"], ordered=True)
    names = ids.to_pylist()
    kinds, kind_code = ev.codes(rows["event_type"], ordered=True)
    type_names = _type_names(growth.log.type_names, kinds.to_pylist())
    log = growth.log.renamed(type_names)
    number = np.array([growth.numbers.get(name, -1) for name in names], np.int32)
    number[number >= len(orders)] = -1  # of a newer version
    has_row = number >= 0
    row = np.where(has_row, log.row_of[number] if len(orders) else -1, -1).astype(np.int64)

    there = row[has_row]
    old = (
        log.of_orders(number[has_row], float(orders.first[there].min()), float(orders.last[there].max()))
        if len(there)
        else EMPTY
    )
    place = np.full(len(orders) + 1, -1, np.int32)
    place[number[has_row]] = np.flatnonzero(has_row)
    lat, lon, progress = (ev.floats(rows[name]) for name in ("lat", "lon", "progress"))
    if growth.frame is None and np.isfinite(lat).any():
        raise OutgrownError("the kitchen's place is not known, and its customers' say where positions count from")
    everything = Chunk(
        np.concatenate((old.ts, ev.microseconds(rows["ts"]))),
        np.concatenate((old.sequence, ev.sequences(ev.floats(rows["sequence"])))),
        np.concatenate((old.type, ev.codes_of_types(kinds.to_pylist(), type_names)[kind_code])),
        np.concatenate((place[old.order], code)).astype(np.int32),
        np.concatenate((old.lat, lat)),
        np.concatenate((old.lon, lon)),
        np.concatenate((old.progress, progress.astype(np.float32))),
    )
    by_time, duplicates = ev.distinct(
        everything.ts,
        everything.sequence,
        everything.order,
        everything.type,
        everything.lat,
        everything.progress.astype(np.float64),
    )
    some = everything.take(by_time)
    events = Events(
        some.ts, some.type, some.order, some.lat, some.lon, some.progress, by_time, ids, type_names, duplicates
    )
    first, last = ev.extremes(events)
    counts = (first < upper) & (last >= growth.lower)
    kept = ev.of_orders(events, counts)
    replaced = _replacing(kept, everything, len(old))
    return _Batch(
        ids=[name for name, counted in zip(names, counts.tolist(), strict=True) if counted],
        row=row[counts],
        events=kept,
        sequence=everything.sequence[kept.row],
        known=len(old),
        rows=rows,
        replaced=replaced,
        is_new=(kept.row >= len(old) + len(growth.waiting)) & ~replaced,
        waiting=rows.filter(pa.array(~counts[code])),
        type_names=type_names,
    )


def _type_names(names: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """Return the names by code with `more` among them. Raises `OutgrownError` if there are too many to tell them apart."""
    distinct = {*names, *more}
    if len(distinct) > ev.MOST_TYPES:
        raise OutgrownError("there are more types of events than are told apart")
    return ev.names_of_types(distinct)


def _replacing(events: Events, everything: Chunk, known: int) -> NDArray[np.bool_]:
    """Return which of the events, one of each copies, take the place of one that was there; those are the first `known`."""
    is_there = np.zeros(known, np.bool_)
    is_there[events.row[events.row < known]] = True
    gone = np.flatnonzero(~is_there)
    replaced = np.zeros(len(events.ts), np.bool_)
    if not len(gone):
        return replaced

    def key(position: int) -> tuple[int, float, int, int]:
        columns = everything.ts, everything.sequence, everything.type, everything.order
        return tuple(column[position].item() for column in columns)

    keys = {key(position) for position in gone.tolist()}
    for at in np.flatnonzero(events.row >= known).tolist():
        replaced[at] = key(int(events.row[at])) in keys
    return replaced


@dataclass(frozen=True)
class _Built:
    """The orders of a batch as they are with it, k of them, and their trips.

    `has_items` (k,) is whether the items and the address of `orders` are the batch's, and not those that the order had.
    """

    orders: Orders
    drawn: Drawn | None
    has_items: NDArray[np.bool_]
    odd_items: NDArray[np.bool_]
    odd_eta: NDArray[np.bool_]
    fresh_routes: dict[int, Route | None]


def _build(batch: _Batch, orders: Orders, growth: Growth) -> _Built:
    """Return the orders of a batch, built from all their events as at a load; what their bodies said is taken over."""
    events, n = batch.events, len(batch.ids)
    ts = events.ts / MICROSECONDS
    milestones = od.milestones_of(events, ts, n)
    first, last = ev.extremes(events)
    created, picked_up = (_fresh_firsts(batch, kind) for kind in (ev.ORDER_CREATED, ev.DRIVER_PICKED_UP))
    items, addresses = bodies.items(created, batch.rows, growth.brands, n)
    routes, eta_mins, odd_eta = bodies.routes(picked_up, batch.rows, n)
    has_items, has_eta = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    has_items[created.order], has_eta[picked_up.order] = True, True
    odd_items = items["odd"]
    for had, new, column in (
        (has_items, odd_items, growth.odd_items), (has_items, items["revenue"], orders.revenue),
        (has_eta, odd_eta, growth.odd_eta), (has_eta, eta_mins, orders.eta_mins),
    ):  # fmt: skip
        as_before = ~had & (batch.row >= 0)
        new[as_before] = column[batch.row[as_before]]
    items["odd"] = odd_items | odd_eta
    fresh = {int(k): None for k in picked_up.order} | {
        int(order): (routes.lat[a:b], routes.lon[a:b])
        for order, a, b in zip(routes.order, routes.offsets[:-1], routes.offsets[1:], strict=True)
    }
    x, y = od.customers_of(events, growth.frame, n)
    built = Orders(
        ids=pa.array(batch.ids, pa.string()),
        last=last,
        milestones=milestones,
        enter=od.stages_of(milestones, first),
        stalls=od.stalls_of(events, ts, milestones, last - first),
        customer_x=x,
        customer_y=y,
        eta_mins=eta_mins,
        addresses=addresses,
        **items,
    )
    drawn = trips.draw(events, built, _routes(batch, growth, fresh), growth.frame)
    return _Built(built, drawn, has_items, odd_items, odd_eta, fresh)


def _fresh_firsts(batch: _Batch, kind: int) -> Events:
    """Return each order's first event of a type, of those orders whose first one is new; rows are those of the batch."""
    events = batch.events
    at = np.flatnonzero(events.type == kind)
    at = at[np.unique(events.order[at], return_index=True)[1]]
    at = at[events.row[at] >= batch.known]
    return Events(
        events.ts[at], events.type[at], events.order[at], events.lat[at], events.lon[at], events.progress[at],
        events.row[at] - batch.known, events.order_ids, events.type_names, 0,
    )  # fmt: skip


def _routes(batch: _Batch, growth: Growth, fresh: Mapping[int, Route | None]) -> Routes:
    """Return the planned routes of a batch's orders: those that came with it, and those that were there."""
    found = dict[int, Route]()
    for k, row in enumerate(batch.row.tolist()):
        route = fresh[k] if k in fresh else growth.route(int(growth.log.number_of[row])) if row >= 0 else None
        if route is not None:
            found[k] = route
    return _as_routes(found)


def _as_routes(found: Mapping[int, Route]) -> Routes:
    lengths = [len(lat) for lat, _ in found.values()]
    none = np.empty(0)
    return Routes(
        np.array(list(found), np.int32),
        np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        np.concatenate([none, *(lat for lat, _ in found.values())]),
        np.concatenate([none, *(lon for _, lon in found.values())]),
    )


def _numbered(batch: _Batch, orders: int) -> NDArray[np.int32]:
    """Return the numbers of a batch's new orders, (k,), those after the `orders` that there are; -1 for the others."""
    new = batch.row < 0
    return np.where(new, orders + np.cumsum(new) - 1, -1).astype(np.int32)


def _numbers(numbers: dict[str, int], batch: _Batch, number: NDArray[np.int32], orders: int) -> dict[str, int]:
    """Return the numbers by id with a batch's new orders; in the same mapping, unless another version has gone on from it."""
    with _numbering:
        if len(numbers) != orders:
            numbers = {name: k for name, k in numbers.items() if k < orders}
        numbers.update((name, k) for name, k in zip(batch.ids, number.tolist(), strict=True) if k >= 0)
    return numbers


def _merged_log(batch: _Batch, log: GrowingLog, merge: Merge, number: NDArray[np.int32]) -> GrowingLog:
    """Return the log with a batch's events. `number` is of the new orders, and gets those of the others."""
    log = log.renamed(batch.type_names)
    there = batch.row >= 0
    number[there] = log.number_of[batch.row[there]]
    number_of = merge.column(log.number_of, number)
    row_of = np.empty_like(number_of)
    row_of[number_of] = np.arange(merge.size, dtype=np.int32)
    events = batch.events
    everything = Chunk(
        events.ts, batch.sequence, events.type, number[events.order], events.lat, events.lon, events.progress
    )
    is_new = (events.row >= batch.known) & ~batch.replaced
    return log.grown(
        everything.take(np.flatnonzero(is_new)), everything.take(np.flatnonzero(batch.replaced)), row_of, number_of
    )


class _RowOf(Mapping[str, int]):
    """The rows of a version's orders by id, without a mapping of its own for each version."""

    def __init__(self, numbers: Mapping[str, int], row_of: NDArray[np.int32]) -> None:
        self._numbers, self._row_of = numbers, row_of

    def __getitem__(self, name: str) -> int:
        number = self._numbers[name]
        if number >= len(self._row_of):  # of a newer version
            raise KeyError(name)
        return int(self._row_of[number])

    def __iter__(self) -> Iterator[str]:
        return (name for name, number in list(self._numbers.items()) if number < len(self._row_of))

    def __len__(self) -> int:
        return len(self._row_of)


def _merged_orders(old: Orders, built: _Built, merge: Merge, row_of: Mapping[str, int]) -> Orders:
    """Return all orders, with those of a batch as they are now."""
    new = built.orders
    edits = merge.edits(built.has_items)
    lines = of_parts(edits, old.item_offsets, new.item_offsets)
    old_lines, new_lines = np.diff(old.item_offsets), np.diff(new.item_offsets)
    had = merge.changed & ~built.has_items
    new_lines[had] = old_lines[merge.before[had]]
    untouched = ~merge.touched[old.stalls[0]]
    stalled = np.concatenate((merge.moved[old.stalls[0][untouched]], merge.rows[new.stalls[0]])).astype(np.int32)
    begin = np.concatenate((old.stalls[1][untouched], new.stalls[1]))
    end = np.concatenate((old.stalls[2][untouched], new.stalls[2]))
    by_order = np.lexsort((begin, stalled))
    return Orders(
        ids=spliced_arrow(old.ids, new.ids, merge.edits(np.zeros(len(merge.rows), np.bool_))),
        last=merge.column(old.last, new.last),
        milestones=merge.column(old.milestones, new.milestones),
        enter=merge.column(old.enter, new.enter),
        stalls=(stalled[by_order], begin[by_order], end[by_order]),
        customer_x=merge.column(old.customer_x, new.customer_x),
        customer_y=merge.column(old.customer_y, new.customer_y),
        eta_mins=merge.column(old.eta_mins, new.eta_mins),
        revenue=merge.column(old.revenue, new.revenue),
        odd=merge.column(old.odd, new.odd),
        addresses=spliced_arrow(old.addresses, new.addresses, edits),
        item_offsets=np.concatenate(([0], np.cumsum(merge.column(old_lines, new_lines)))).astype(np.int32),
        item_names=spliced_dictionary(old.item_names, new.item_names, lines),
        item_brands=spliced_dictionary(old.item_brands, new.item_brands, lines),
        item_qty=spliced(old.item_qty, new.item_qty, lines),
        item_price=spliced(old.item_price, new.item_price, lines),
        rows_by_id=row_of,
    )


def _merged_trips(
    old: Trips, orders: Orders, drawn: Drawn | None, merge: Merge, growth: Growth
) -> tuple[Trips, Growth]:
    """Return all trips, with those of a batch as they are now, and what is needed for the next ones."""
    frame = growth.frame
    if frame is None:
        return old, growth
    drawn = drawn or trips.NOTHING_DRAWN
    gone, own = merge.touched[old.order], merge.rows[drawn.order].astype(np.int32)
    order = merge.moved[old.order].astype(np.int32)
    # what comes in is late in the day: all trips before it stay as they are
    firsts = [*np.flatnonzero(gone)[:1].tolist(), *old.start.searchsorted(drawn.start[:1]).tolist()]
    same = min(firsts, default=len(old))
    kept = same + np.flatnonzero(~gone[same:])
    at = places(
        old.start[kept], order[kept], drawn.start, own
    )  # of trips that start at one time the first order is first

    def put(column: NDArray[Column], new: NDArray[Column]) -> NDArray[Column]:
        return np.concatenate((column[:same], np.insert(column[kept], at, new)))

    was = growth.speed[gone]
    speeds = resorted(growth.speeds, was[np.isfinite(was)], drawn.speed[np.isfinite(drawn.speed)])
    speed, reach = put(growth.speed, drawn.speed), put(growth.reach, drawn.reach)
    growth = replace(growth, speed=speed, speeds=speeds, reach=reach)
    if not len(speed):
        return trips.none(), replace(growth, room=None)
    unit = trips.unit_of(float(reach.max()))
    if unit != old.unit and not gone.all():
        return _redrawn(orders, growth), replace(growth, room=None)
    new, used = drawn.trips(unit, frame.scale, np.nan), len(old.t)
    room, knots = (growth.room or Room(_knots(old))).appended(used, _knots(new))
    merged = Trips(
        order=put(order, own),
        start=put(old.start, drawn.start),
        end=put(old.end, drawn.end),
        knots_from=put(old.knots_from, used + new.knots_from),
        knots_to=put(old.knots_to, used + new.knots_to),
        t=knots[0],
        x=knots[1],
        y=knots[2],
        observed=knots[3],
        routed=put(old.routed, drawn.routed),
        too_fast=put(old.too_fast, drawn.too_fast),
        unit=unit,
        scale=frame.scale,
        usual_speed=trips.median_of_sorted(speeds),
    )
    live = int((merged.knots_to - merged.knots_from).sum())
    if len(merged.t) > 2 * live + MOST_UNUSED:
        return merged.compact(), replace(growth, room=None)
    return merged, replace(growth, room=room)


def _knots(one: Trips) -> tuple[NDArray[Any], ...]:
    return one.t, one.x, one.y, one.observed


def _redrawn(orders: Orders, growth: Growth) -> Trips:
    """Return all trips drawn anew, in the unit that they need now: a driver has come farther than any before, or none so far."""
    log = growth.log
    events = Chunk.joined(log.chunks)
    routes = {row: growth.route(number) for row, number in enumerate(log.number_of.tolist())}
    everything = Events(
        events.ts, events.type, log.row_of[events.order], events.lat, events.lon, events.progress,
        np.arange(len(events)), orders.ids, log.type_names, 0,
    )  # fmt: skip
    return trips.build(everything, orders, _as_routes({k: r for k, r in routes.items() if r is not None}), growth.frame)
