"""Learns what a whole table of raw events holds: one statement, queries/contents.sql, and what follows from its few rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.times import LATEST
from twin.sources import lives, odd_values, queries, tables
from twin.sources.base import Times
from twin.sources.kind_of_times import Kinds
from twin.sources.lives import LongOrders, Reused
from twin.sources.queries import json_bodies, times
from twin.sources.queries.times import Column, Reading

ASIDE = {
    "instants": "time with a zone, most have none: set TWIN_TIMES",
    "naive": "time without a zone, most have one: set TWIN_TIMES",
}
"""Why rows of a kind of times are set aside; as in queries/events.sql."""
FLAGS = {"unknown_type": "unknown type", "missing_coordinate": "missing coordinate", "odd_coordinate": "odd coordinate"}
"""Columns of queries/contents.sql and the flags of queries/events.sql that they count."""
HOUR_US = 3_600_000_000
_COLUMNS = "elsewhere, spelling, odd_time, odd_order, not_plain"
"""What contents.sql reads of the raw rows, besides what is decoded of them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is read of the events, before anything is concluded from it.

    `places` has the columns of queries/locations.sql, and `volume` those of queries/volume.sql, in which later lives of `reused`
    ids are orders of their own.
    """

    quality: Sequence[tables.QualityRow]
    flags: Sequence[tables.FlagRow]
    places: pa.Table
    volume: pa.Table
    long_orders: LongOrders
    reused: Sequence[Reused]
    spellings: Mapping[str, list[str | None]]


def reused_flags(reused: Iterable[Reused], apart: bool) -> list[tables.FlagRow]:
    """Return the counts of later lives of ids by location; `apart`: they are orders of their own."""
    often = Counter(one.location for one in reused)
    flag = lives.FLAG_REUSED if apart else lives.FLAG_MERGED
    return [tables.FlagRow(place, flag, count) for place, count in often.items()]


def statement(bronze: str, column: Column, reading: Reading, query: str = "contents") -> str:
    """Return the statement in Databricks SQL; the parameter of `contents` is `:kinds`. `query` may be another.

    `bronze` is as for `queries.databricks`, with one column more, `elsewhere` (`EventTable.whole`). `reading` reads every form of
    texts, so that one pass finds what other forms there are.
    """
    timed, events = times.timed(column, reading), queries.text("events")
    events = events.replace(json_bodies.CALL, json_bodies.DATABRICKS)
    # the relations between the raw rows and `events` name their columns: these go through all of them
    timed = timed.replace("order_id, sequence, body", f"order_id, sequence, body, {_COLUMNS}")
    events = events.replace("ts, form, unread,", f"ts, form, unread, {_COLUMNS},")
    events = events.replace("    unread,\n", f"    unread, {_COLUMNS},\n")
    raw = f"WITH bronze AS (\nSELECT *,\n  {_of_raw(column)}\nFROM (\n{bronze}\n)\n)"
    return f"{raw},\n{timed},\n{events}{',' if query == 'contents' else ''}\n{queries.text(query)}"


def _of_raw(column: Column) -> str:
    """Return the expressions of `_COLUMNS` over the columns of `bronze`."""
    is_text = column == "text"
    return ",\n  ".join(
        [
            "CASE WHEN NOT elsewhere AND location <> trim(location) THEN location END AS spelling",
            f"{odd_values.odd_time('ts') if is_text else 'FALSE'} AS odd_time",
            f"{odd_values.odd_order('order_id')} AS odd_order",
            f"{times.is_not_plain() if is_text else 'FALSE'} AS not_plain",
        ]
    )


class WholeTable:
    """The rows of queries/contents.sql."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def total(self, column: str) -> int:
        """Return the sum of a column of counts."""
        return int(pc.sum(self.rows[column]).as_py() or 0)

    def kinds(self) -> Kinds:
        """Return how many rows have a usable time of each kind, and how many a text that is still to be read."""
        counts = (self.rows[name].to_pylist() for name in ("kind", "reason", "rows_read", "unread"))
        return Kinds.of(
            (kind, 0 if reason else int(read), int(unread)) for kind, reason, read, unread in zip(*counts, strict=True)
        )

    def facts(self, aside: Times | None) -> Facts:
        """Return what is read of the events; rows with times of the kind `aside` are set aside."""
        other = None if aside is None else aside.removesuffix("s")
        quality, flags = list[tables.QualityRow](), list[tables.FlagRow]()
        spellings: dict[str, list[str | None]] = {}
        used = np.zeros(len(self.rows), np.bool_)
        for row, counts in enumerate(self.rows.drop_columns(["hours", "long_orders"]).to_pylist()):
            place, reason = counts["location"], counts["reason"]
            if reason is None and counts["kind"] == other:
                reason = ASIDE[str(aside)]
            used[row] = reason is None
            quality.append(
                tables.QualityRow(place, reason, int(counts["rows_read"]), int(counts["rows_used"]) if used[row] else 0)
            )
            if place is not None:
                known = spellings.setdefault(place, [place])
                more = [*counts["spellings"], *([None] if counts["elsewhere"] else [])]
                known += [text for text in more if text not in known]
            if used[row]:
                flags += [
                    tables.FlagRow(place, flag, int(counts[name])) for name, flag in FLAGS.items() if counts[name]
                ]
        of_used = self.rows.filter(pa.array(used))
        return _facts(of_used, quality, flags, spellings)


def _facts(
    used: pa.Table,
    quality: list[tables.QualityRow],
    flags: list[tables.FlagRow],
    spellings: Mapping[str, list[str | None]],
) -> Facts:
    places = pa.table(
        {
            "location": used["location"],
            **{name: used[name] for name in ("lat", "lon", "radius_m")},
            **{
                name: used[column].cast(pa.timestamp("us"))
                for name, column in (
                    ("first_ts", "first_at"),
                    ("last_ts", "last_at"),
                    ("last_delivered", "delivered_at"),
                )
            },
        }
    )
    long = _long_orders(used)
    lived = [_Lives.of(order) for order in long.filter(pc.greater(pc.list_value_length(long["begins"]), 0)).to_pylist()]
    reused = [life for order in sorted(lived, key=lambda one: (one.location, one.id)) for life in order.later()]
    apart = len(reused) <= lives.MOST_REUSED
    flags += reused_flags(reused, apart)
    long = long.drop_columns(["begins"])
    changes = Counter[tuple[str, int]]()
    if apart and lived:
        again = {(one.location, one.id) for one in lived}
        once = [
            pair not in again
            for pair in zip(*(long[name].to_pylist() for name in ("location", "order_id")), strict=True)
        ]
        own = [life for order in lived for life in order.long()]
        long = pa.concat_tables([long.filter(pa.array(once)), pa.Table.from_pylist(own, long.schema)])
        for order in lived:
            order.count(changes)
    long = long.sort_by([("location", "ascending"), ("first_ts", "ascending"), ("order_id", "ascending")])
    return Facts(
        quality=quality,
        flags=flags,
        places=places,
        volume=_volume(used, changes),
        long_orders=LongOrders.from_rows(long),
        reused=reused if apart else [],
        spellings=spellings,
    )


def _long_orders(used: pa.Table) -> pa.Table:
    """Return the columns of queries/long_orders.sql, `created_at` (microseconds) and `begins` of each."""
    lists, row = _flat(used["long_orders"])
    orders = {
        name: pc.struct_field(lists, name) for name in ("order_id", "first_at", "last_at", "created_at", "begins")
    }
    return pa.table(
        {
            "location": used["location"].combine_chunks().take(pa.array(row)),
            "order_id": orders["order_id"],
            "first_ts": orders["first_at"].cast(pa.timestamp("us")),
            "last_ts": orders["last_at"].cast(pa.timestamp("us")),
            "created_at": orders["created_at"],
            "begins": orders["begins"],
        }
    )


def _volume(used: pa.Table, changes: Mapping[tuple[str, int], int]) -> pa.Table:
    """Return the columns of queries/volume.sql; `changes` are orders more or less by location and hour since 1970."""
    lists, row = _flat(used["hours"])
    hour, orders = (np.asarray(pc.struct_field(lists, name), np.int64) for name in ("hour", "orders"))
    places = used["location"].to_pylist()
    if changes:
        number = {place: at for at, place in enumerate(places)}
        row = np.append(row, [number[place] for place, _ in changes])
        hour = np.append(hour, [at for _, at in changes])
        orders = np.append(orders, list(changes.values()))
        pairs, which = np.unique(np.stack([row, hour]), axis=1, return_inverse=True)
        summed = np.zeros(pairs.shape[1], np.int64)
        np.add.at(summed, which.reshape(-1), orders)
        (row, hour), orders = pairs[:, summed > 0], summed[summed > 0]
    return pa.table(
        {
            "location": pa.DictionaryArray.from_arrays(pa.array(row, pa.int32()), pa.array(places, pa.string())),
            "hour": pa.array(hour * 3600, pa.timestamp("s")),
            "orders": orders,
        }
    )


def _flat(lists: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the elements of lists (n,), and of each the row whose list it is in."""
    whole = lists.combine_chunks()
    lengths = np.asarray(pc.fill_null(pc.list_value_length(whole), 0), np.int64)
    return whole.flatten(), np.repeat(np.arange(len(whole)), lengths)


@dataclass(frozen=True, slots=True)
class _Lives:
    """The lives of an id that is used again: first and last event of each and when it began, microseconds since 1970."""

    location: str
    id: str
    first: list[int]
    last: list[int]
    began: list[int]
    merged: int
    """When it began if they are taken for one order."""

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> "_Lives":
        begins = sorted((one["begin_at"], one["before_at"]) for one in order["begins"])
        starts = [begin for begin, _ in begins]
        first, last = (int(np.datetime64(order[name], "us").astype(np.int64)) for name in ("first_ts", "last_ts"))
        created = order["created_at"]
        began = created if created < starts[0] else first
        return cls(
            order["location"],
            order["order_id"],
            [first, *starts],
            [*(end for _, end in begins), last],
            [began, *starts],
            created,
        )

    def names(self) -> list[str]:
        return [self.id, *(lives.life_name(self.id, life) for life in range(2, len(self.first) + 1))]

    def later(self) -> list[Reused]:
        ends = [*(first / 1e6 for first in self.first[2:]), LATEST]
        lived = zip(self.names()[1:], self.first[1:], ends, strict=True)
        return [Reused(self.location, self.id, name, first / 1e6, end) for name, first, end in lived]

    def long(self) -> list[dict[str, Any]]:
        """Return the rows of queries/long_orders.sql of these lives."""
        lived = zip(self.names(), self.first, self.last, strict=True)
        return [
            {
                "location": self.location, "order_id": name, "created_at": None,
                "first_ts": np.datetime64(first, "us").item(), "last_ts": np.datetime64(last, "us").item(),
            }
            for name, first, last in lived
            if last - first > lives.LONG_S * 1e6
        ]  # fmt: skip

    def count(self, changes: Counter[tuple[str, int]]) -> None:
        """Count these lives as orders of their own, in place of the one that they were counted as."""
        changes[self.location, self.merged // HOUR_US] -= 1
        for began in self.began:
            changes[self.location, began // HOUR_US] += 1
