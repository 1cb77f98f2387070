"""Tables of all kitchens together, which the source is asked for at once: no kitchen's timeline is loaded for them.

Kitchens whose ranges overlap are read in one statement for each week, so that a long range needs little more memory than its
table. Orders and events are built by the functions that timelines are built by, so that both agree.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation.lazily import at_first_use
from twin.foundation.times import DAY
from twin.notebook import tables
from twin.sources.base import Location, Source, Window
from twin.timeline.event_log import EventLog
from twin.timeline.events import decode
from twin.timeline.orders import Orders, build_begun

if TYPE_CHECKING:
    import pandas as pd
else:  # which only tables need
    pd = at_first_use("pandas")

WEEK = 7 * DAY

Asked = Sequence[tuple[Location, Window]]
"""The kitchens that are asked for, each with its own range."""
OfOrders = Callable[[Location, Orders, NDArray[Any]], "pd.DataFrame"]
"""Makes a table of some orders of a kitchen: those in these rows."""


def orders(place: Location, built: Orders, rows: NDArray[Any]) -> "pd.DataFrame":
    """Return the table of orders."""
    return tables.orders_of(built, place.tz, rows)


def items(_place: Location, built: Orders, rows: NDArray[Any]) -> "pd.DataFrame":
    """Return the table of items."""
    return tables.items_of(built, rows)


def of_orders(source: Source, asked: Asked, *makes: OfOrders) -> "list[pd.DataFrame]":
    """Return a table for each of `makes` of the orders that began in the kitchens' ranges; none where no order did."""
    brands = source.names("brands")
    found: list[list[tuple[Location, pd.DataFrame]]] = [[] for _ in makes]
    for place, part, rows in _by_kitchen(source.begun, asked):
        built = build_begun(rows, brands)
        mine = np.flatnonzero((built.began >= part.start) & (built.began < part.end))
        for parts, make in zip(found, makes, strict=True):
            if len(mine):
                parts.append((place, make(place, built, mine)))
    return [_joined(parts, asked, by_order=True) for parts in found if parts]


def events(source: Source, asked: Asked) -> "list[pd.DataFrame]":
    """Return the table of the events in the kitchens' ranges, in a list; none where nothing happened."""
    found = []
    for place, part, rows in _by_kitchen(lambda start, end: source.query("happened", from_ts=start, to_ts=end), asked):
        decoded = decode(rows)
        some = EventLog.of(decoded).between(part.start, part.end)
        if len(some):
            found.append((place, tables.events_of(decoded.order_ids, place.tz, some)))
    return [_joined(found, asked)] if found else []


def _joined(parts: "list[tuple[Location, pd.DataFrame]]", asked: Asked, by_order: bool = False) -> "pd.DataFrame":
    """Return the parts as one table, kitchen by kitchen; `by_order`: those of a kitchen by order, as its own table has them."""
    whole = []
    for place, _ in asked:
        mine = [table for one, table in parts if one is place]
        if by_order and len(mine) > 1:
            table = pd.concat(mine)
            mine = [table.sort_index(kind="stable") if table.index.name else table.sort_values("order", kind="stable")]
        whole += [(place, table) for table in mine]
    return tables.of_kitchens(whole)


def _by_kitchen(read: Callable[[float, float], pa.Table], asked: Asked) -> Iterator[tuple[Location, Window, pa.Table]]:
    """Yield the rows of the kitchens, a week at a time, each with the part of its range that they may speak of.

    `read(start, end)` returns those of all kitchens.
    """
    for together in _overlapping(asked):
        first, last = min(one.start for _, one in together), max(one.end for _, one in together)
        for start in np.arange(first, last, WEEK).tolist():
            rows = _split(read(start, min(start + WEEK, last)))
            for place, window in together:
                part = Window(max(start, window.start), min(start + WEEK, window.end))
                if part.start < part.end and place.id in rows:
                    yield place, part, rows[place.id]


def _overlapping(asked: Asked) -> list[list[tuple[Location, Window]]]:
    """Return the kitchens in groups: the ranges of one group, one after the other, leave no gap."""
    groups: list[list[tuple[Location, Window]]] = []
    end = -np.inf
    for place, window in sorted(asked, key=lambda one: one[1].start):
        if window.start >= end:
            groups.append([])
        groups[-1].append((place, window))
        end = max(end, window.end)
    return groups


def _split(rows: pa.Table) -> dict[str, pa.Table]:
    """Return the rows by location."""
    codes = rows["location"].combine_chunks().dictionary_encode()
    number = codes.indices.to_numpy(zero_copy_only=False)
    by_place = np.argsort(number, kind="stable")
    names = codes.dictionary.to_pylist()
    edges = np.searchsorted(number[by_place], np.arange(len(names) + 1)).tolist()
    rows = rows.drop_columns("location").take(pa.array(by_place))
    return {name: rows.slice(edges[k], edges[k + 1] - edges[k]) for k, name in enumerate(names)}
