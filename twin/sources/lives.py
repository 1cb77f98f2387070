"""The index of long orders: what has to be read, beside the rows around a range, to have every order in it whole.

Nearly all orders live for less than `LONG_S`, so the rows of a range and of `LONG_S` beyond both its edges have them whole. Those
that live longer are listed once, when a source is opened; their rows are read whatever the distance.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import HOUR, LATEST
from twin.sources import tables
from twin.sources.base import Window

MOST_REUSED = 10_000
"""Most later lives that are sent with a statement to a warehouse; where ids are used again more often, they stay one order."""
FLAG_REUSED, FLAG_MERGED = "order id used again", "order id used again, taken for one order"
APART_S = 12 * HOUR
"""Seconds between an id's event and its next creation from which on it is another order; as in queries/reused.sql. Numbers
that begin anew every morning have a night between them, clocks of several zones in one order differ by less."""
LONG_S = STALLED_AFTER
"""Seconds beyond a range that are read of all orders; queries/long_orders.sql has the same number."""


@dataclass(frozen=True, slots=True)
class Reused:
    """A later life of an id that is used again: its location, id and own name, and [begin, end) in data seconds."""

    location: str
    id: str
    name: str
    begin: float
    end: float

    @classmethod
    def from_rows(cls, rows: pa.Table) -> "list[Reused]":
        """Return the lives from the rows of queries/reused.sql."""
        begin, end = tables.times(rows["began"]), tables.times(rows["next_began"])
        columns = (rows[name].to_pylist() for name in ("location", "order_id", "life"))
        return [
            cls(place, order, life_name(order, life), float(began), LATEST if np.isnan(ended) else float(ended))
            for place, order, life, began, ended in zip(*columns, begin, end, strict=True)
        ]


COLUMNS_OF_REUSED = pa.schema(
    {
        "location": pa.string(), "order_id": pa.string(), "life": pa.int64(), "began": pa.timestamp("us"),
        "next_began": pa.timestamp("us"),
    }
)  # fmt: skip
"""The columns of queries/reused.sql that are read."""


def life_name(order: str, life: int) -> str:
    """Return the id by which a later life of an order id is known.

    >>> life_name("7XK2QD", 2)
    '7XK2QD~2'
    """
    return f"{order}~{life}"


def as_json(reused: Sequence[Reused]) -> str:
    """Return lives as the parameter of queries/told_apart.sql."""
    return json.dumps(
        [
            {
                "place": one.location, "id": one.id, "name": one.name,
                "begin": str(tables.moment(one.begin)).replace("T", " "),
                "end": str(tables.moment(one.end)).replace("T", " "),
            }
            for one in reused
        ]
    )  # fmt: skip


def near(start: float, end: float) -> Window:
    """Return the range whose rows have all orders alive in [start, end) whole, except for the long ones."""
    return Window(start - LONG_S, end + LONG_S)


def bounds(window: Window, prefix: str = "") -> dict[str, float]:
    """Return a range as the parameters of a query.

    >>> bounds(Window(60.0, 120.0), "near_")
    {'near_from_ts': 60.0, 'near_to_ts': 120.0}
    """
    return {f"{prefix}from_ts": window.start, f"{prefix}to_ts": window.end}


@dataclass(frozen=True, slots=True)
class Alive:
    """Long orders that are alive in a range: their ids, and a range [start, end) that has all their rows."""

    ids: list[str]
    reach: Window


def ranges(start: float, end: float, alive: Alive | None) -> dict[str, float]:
    """Return the parameters of queries/long_window.sql and window_size.sql for the range [start, end)."""
    close = near(start, end)
    reach = close if alive is None else alive.reach
    return bounds(Window(start, end)) | bounds(close, "near_") | bounds(reach, "reach_")


@dataclass(frozen=True, slots=True)
class _OfLocation:
    """The long orders of one location, (n,) each: ids, and first and last event in data seconds."""

    ids: list[str]
    first: NDArray[np.float64]
    last: NDArray[np.float64]

    def alive(self, start: float, end: float) -> Alive | None:
        """Return those that are alive in [start, end) seconds; None if there is none."""
        rows = np.flatnonzero((self.first < end) & (self.last >= start))
        if not len(rows):
            return None
        reach = Window(float(self.first[rows].min()), float(self.last[rows].max()) + 1)
        return Alive([self.ids[row] for row in rows], reach)


NONE_LONG = _OfLocation([], np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class LongOrders:
    """The long orders of a source by location."""

    _by_location: dict[str, _OfLocation] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: pa.Table) -> "LongOrders":
        """Return the index from the rows of queries/long_orders.sql."""
        first, last = tables.times(rows["first_ts"]), tables.times(rows["last_ts"])
        ids, rows_of = rows["order_id"].to_pylist(), dict[str, list[int]]()
        for row, place in enumerate(rows["location"].to_pylist()):
            rows_of.setdefault(place, []).append(row)
        return cls(
            {place: _OfLocation([ids[row] for row in own], first[own], last[own]) for place, own in rows_of.items()}
        )

    @property
    def longest(self) -> float:
        """The longest life in seconds, 0 without long orders."""
        return max((float((one.last - one.first).max()) for one in self._by_location.values()), default=0.0)

    def alive(self, location: str | None, start: float, end: float) -> Alive | None:
        """Return the long orders of a location, or of all, that are alive in [start, end) seconds; None if there is none."""
        some = self._by_location.values() if location is None else [self._by_location.get(location, NONE_LONG)]
        found = [alive for one in some if (alive := one.alive(start, end)) is not None]
        if len(found) <= 1:
            return found[0] if found else None
        reach = Window(min(one.reach.start for one in found), max(one.reach.end for one in found))
        return Alive(sorted({order for one in found for order in one.ids}), reach)

    def whole(self, location: str | None, start: float, end: float) -> Window:
        """Return a range whose rows have all orders alive in [start, end) whole."""
        close, alive = near(start, end), self.alive(location, start, end)
        if alive is None:
            return close
        return Window(min(close.start, alive.reach.start), max(close.end, alive.reach.end))
