"""The log of a location's events in pages, in the order (ts, sequence, order id, type) that a timeline has, copies left out.

A page is one bounded question to the source, so that neither a week of events nor a slow reader is ever held in memory.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twin.api.position import Position
from twin.sources.base import Source
from twin.timeline import events as ev


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: `at` microseconds since 1970, `position` just after it, `data` JSON text."""

    at: int
    position: Position
    kind: str
    order_id: str
    sequence: float | None
    data: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events count: of these types, of this order; empty means all."""

    types: Sequence[str] = ()
    order_id: str = ""


ALL = Filter()

FIRST_SLICE, SLICE_GROWTH = 3_600_000_000, 4
"""A page of all events is sought in the next hour first (microseconds), then in four times as much, and so on: an engine that
knows the times of its blocks then reads a few of them, not the rest of the log."""


def read(
    source: Source, location: str, after: Position, end: int, most: int, chosen: Filter = ALL
) -> tuple[Iterator[Entry], bool]:
    """Return at most `most` events after a position and before `end` (microseconds), and whether the log ends with them.

    The events come one by one, because thousands of objects that live at once make Python search all its memory for
    garbage, for a third of a second, beside everything else that the process serves.
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
        rows_wanted *= 2  # copies of rows took the place of events


def of_order(rows: pa.Table) -> list[Entry]:
    """Return all events of the answer to `find_order`."""
    events = ev.decode(rows)
    return list(_entries(events, rows, 0, len(events.ts)))


def _entries(events: ev.Events, rows: pa.Table, first: int, last: int) -> Iterator[Entry]:
    ts = events.ts[:last].tolist()
    told = rows.select(["event_type", "order_id", "sequence", "lat", "lon", "progress", "body"]).take(
        pa.array(events.row[first:last])
    )
    columns = [column.to_pylist() for column in told.columns]
    same = 0
    while first - same > 0 and ts[first - same - 1] == ts[min(first, last - 1)]:
        same += 1  # events of the first one's time that stand before this page
    previous = ts[first] if first < last else 0
    for at, kind, order_id, sequence, lat, lon, progress, body in zip(ts[first:], *columns, strict=True):
        same = same + 1 if at == previous else 1
        previous = at
        yield Entry(at, Position(at, same), kind, order_id, sequence, data_json(kind, lat, lon, progress, body))


def data_json(kind: str, lat: float | None, lon: float | None, progress: float | None, body: str | None) -> str:
    """Return an event's data as JSON text on one line; bodies that the source keeps stand as they were written."""
    if body is not None:
        if (
            "NaN" in body or "Infinity" in body or "\n" in body or "\r" in body
        ):  # lax writers; none of it is strict JSON
            return json.dumps(json.loads(body, parse_constant=lambda _: None))
        return body
    if kind == "driver_ping":
        return f'{{"lat":{_number(lat)},"lon":{_number(lon)},"progress_pct":{_number(progress)}}}'
    if kind == "delivered":
        return f'{{"delivered_lat":{_number(lat)},"delivered_lon":{_number(lon)}}}'
    return "{}"


def data_of(entry: Entry) -> dict[str, Any]:
    """Return an event's data parsed."""
    return json.loads(entry.data, parse_constant=lambda _: None)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)
