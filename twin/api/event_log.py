"""Reads a location's events in pages, without duplicates and in a timeline's order: ts, sequence, order id, type.

A page is one bounded query, so that memory does not grow with the range or with a slow reader.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

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
    """Return at most `most` events after a position and before `end` (microseconds), and whether the log ends with them.

    The events are an iterator: thousands of live objects at once would trigger a full garbage collection, which stops the
    process for a third of a second.
    """
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
        if not len(rows):
            return iter(()), True
        events = ev.decode(rows)
        first = min(after.read, int(np.searchsorted(events.ts, after.at, side="right")))
        whole = len(rows) < rows_wanted
        if whole or len(events.ts) - first > most:
            last = min(first + most, len(events.ts))
            return _entries(events, rows, first, last), whole and last == len(events.ts)
        rows_wanted *= 2  # duplicate rows filled the page


def of_rows(rows: pa.Table) -> list[Entry]:
    """Return all events in decoded rows."""
    events = ev.decode(rows)
    return list(_entries(events, rows, 0, len(events.ts)))


def _entries(events: ev.Events, rows: pa.Table, first: int, last: int) -> Iterator[Entry]:
    ts = events.ts[:last].tolist()
    used = rows.select(["event_type", "order_id", "sequence", "lat", "lon", "progress", "body"]).take(
        pa.array(events.row[first:last])
    )
    columns = [column.to_pylist() for column in used.columns]
    columns[-1] = _without_repeats(used["body"], columns[-1])
    same = 0
    while first - same > 0 and ts[first - same - 1] == ts[min(first, last - 1)]:
        same += 1  # events before this page at the time of its first event
    previous = ts[first] if first < last else 0
    for at, kind, order_id, sequence, lat, lon, progress, body in zip(ts[first:], *columns, strict=True):
        same = same + 1 if at == previous else 1
        previous = at
        yield Entry(at, StreamPosition(at, same), kind, order_id, sequence, data_json(kind, lat, lon, progress, body))


def _without_repeats(texts: pa.ChunkedArray, bodies: list[str | None]) -> list[str | None]:
    """Return bodies in which no object has a name twice: clients would take the second, where our figures take the first."""
    for at in np.flatnonzero(json_bodies.may_repeat(texts)).tolist():
        bodies[at] = json_names.without_repeats(bodies[at] or "")
    return bodies


def data_json(kind: str, lat: float | None, lon: float | None, progress: float | None, body: str | None) -> str:
    """Return an event's data as JSON text on one line: the stored body, which the source has judged, else from the columns."""
    if body is not None:
        return body.replace("\n", " ").replace("\r", " ")  # JSON has line ends between its tokens only
    if kind == "driver_ping":
        return f'{{"lat":{_number(lat)},"lon":{_number(lon)},"progress_pct":{_number(progress)}}}'
    if kind == "delivered":
        return f'{{"delivered_lat":{_number(lat)},"delivered_lon":{_number(lon)}}}'
    return "{}"


def data_of(entry: Entry) -> dict[str, Any]:
    """Return an event's data, parsed."""
    return json.loads(entry.data)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)
