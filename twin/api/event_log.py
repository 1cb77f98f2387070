"""Reads a location's events in pages, without duplicates and in a timeline's order: ts, sequence, order id, type.

A page is one bounded query, so that memory does not grow with the range or with a slow reader.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.api.position import StreamPosition
from twin.foundation import json_names
from twin.sources.base import Source
from twin.sources.queries import json_bodies
from twin.timeline import events as ev


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: `at` in microseconds since 1970, `position` directly after it, `data` as JSON text."""

    at: int
    position: StreamPosition
    kind: str
    order_id: str
    sequence: float | None
    data: str


@dataclass(frozen=True, slots=True)
class Block:
    """Events one after the other as columns, (n,) each: as in `Entry`, `read` the number among the events of that time."""

    at: NDArray[np.int64]
    read: NDArray[np.int64]
    kind: pa.StringArray
    order_id: pa.StringArray
    sequence: pa.DoubleArray
    data: pa.StringArray

    def __len__(self) -> int:
        return len(self.at)

    def entries(self) -> Iterator[Entry]:
        """Yield the events one by one: thousands of live objects at once would trigger a full garbage collection, which stops
        the process for a third of a second."""
        texts = (column.to_pylist() for column in (self.kind, self.order_id, self.sequence, self.data))
        for at, read, *rest in zip(self.at.tolist(), self.read.tolist(), *texts, strict=True):
            yield Entry(at, StreamPosition(at, read), *rest)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which events are read: those of these types and of this order; empty means all."""

    types: Sequence[str] = ()
    order_id: str = ""


ALL = LogFilter()

FIRST_SLICE, SLICE_GROWTH = 3_600_000_000, 4
"""An unfiltered page is searched in the next hour first (microseconds), then in four times as much, and so on: an engine that
indexes its blocks by time then reads a few of them instead of the rest of the log."""


def read(
    source: Source, location: str, after: StreamPosition, end: int, most: int, chosen: LogFilter = ALL
) -> tuple[Iterator[Entry], bool]:
    """Return at most `most` events after a position and before `end` (microseconds), and whether the log ends with them."""
    block, ended = read_block(source, location, after, end, most, chosen)
    return block.entries(), ended


def read_block(
    source: Source, location: str, after: StreamPosition, end: int, most: int, chosen: LogFilter = ALL
) -> tuple[Block, bool]:
    """Return the same as columns."""
    rows_wanted = most + after.read + 1
    until = end if chosen != ALL else min(end, after.at + FIRST_SLICE)
    while True:
        rows = source.query(
            "event_page",
            location=location,
            from_ts=after.at / 1e6,
            to_ts=until / 1e6,
            types=",".join(chosen.types),
            order_id=chosen.order_id,
            most=rows_wanted,
        )
        if len(rows) < rows_wanted and until < end:  # the slice was too short for a page
            until = min(end, after.at + SLICE_GROWTH * (until - after.at))
            continue
        events = ev.decode(rows)
        if not len(rows):
            return _block(events, rows, 0, 0), True
        first = min(after.read, int(np.searchsorted(events.ts, after.at, side="right")))
        whole = len(rows) < rows_wanted
        if whole or len(events.ts) - first > most:
            last = min(first + most, len(events.ts))
            return _block(events, rows, first, last), whole and last == len(events.ts)
        rows_wanted *= 2  # duplicate rows filled the page


def of_rows(rows: pa.Table) -> list[Entry]:
    """Return all events in decoded rows."""
    events = ev.decode(rows)
    return list(_block(events, rows, 0, len(events.ts)).entries())


def _block(events: ev.Events, rows: pa.Table, first: int, last: int) -> Block:
    at, chosen = events.ts[first:last], pa.array(events.row[first:last])
    kind, order_id, body = (
        _column(rows, name, chosen).cast(pa.string()) for name in ("event_type", "order_id", "body")
    )
    sequence, lat, lon, progress = (_column(rows, name, chosen) for name in ("sequence", "lat", "lon", "progress"))
    read = np.arange(first + 1, last + 1) - np.searchsorted(events.ts, at)  # some of its time may lie before the block
    return Block(at, read, kind, order_id, sequence, _data(kind, lat, lon, progress, body))


def _column(rows: pa.Table, name: str, chosen: pa.Array) -> pa.Array:
    return rows[name].take(chosen).combine_chunks()


def _data(kind: pa.Array, lat: pa.Array, lon: pa.Array, progress: pa.Array, body: pa.Array) -> pa.Array:
    """Return the data of events as JSON text on one line: the stored body, which the source has judged, else from the columns."""
    lat, lon = _numbers(lat), _numbers(lon)
    ping = join('{"lat":', lat, ',"lon":', lon, ',"progress_pct":', _numbers(progress), "}")
    delivered = join('{"delivered_lat":', lat, ',"delivered_lon":', lon, "}")
    placed = pc.if_else(pc.equal(kind, "driver_ping"), ping, pc.if_else(pc.equal(kind, "delivered"), delivered, "{}"))
    return pc.coalesce(_on_one_line(_without_repeats(body)), placed)


def _numbers(values: pa.Array) -> pa.Array:
    """Return numbers as JSON has them, null for NULL."""
    return pa.array(["null" if value is None else repr(value) for value in values.to_pylist()], pa.string())


def _on_one_line(bodies: pa.Array) -> pa.Array:
    """Return JSON without line ends, which it has between its tokens only."""
    for end in "\n\r":
        bodies = pc.replace_substring(bodies, end, " ")
    return bodies


def _without_repeats(bodies: pa.Array) -> pa.Array:
    """Return bodies in which no object has a name twice: clients would take the second, where our figures take the first."""
    doubtful = json_bodies.may_repeat(bodies)
    if not doubtful.any():
        return bodies
    texts = bodies.to_pylist()
    for at in np.flatnonzero(doubtful).tolist():
        texts[at] = json_names.without_repeats(texts[at])
    return pa.array(texts, bodies.type)


def join(*parts: pa.Array | str) -> pa.Array:
    """Return texts that are put together of columns of texts, (n,) each, and what stands between them."""
    return pc.binary_join_element_wise(*parts, "")


def data_of(entry: Entry) -> dict[str, Any]:
    """Return an event's data, parsed."""
    return json.loads(entry.data)
