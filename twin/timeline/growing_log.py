"""The events of a timeline that grows: chunks in time order, which versions share as far as a batch does not reach into them.

A chunk never changes. What comes in is merged into the chunks whose times it has, which are written anew: at the end of the log
that is the last one, for a late row the one of its time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import Time, seconds
from twin.timeline import events as ev
from twin.timeline.event_log import as_packed, with_other
from twin.timeline.events import MICROSECONDS, EventCodes, EventSlice

CHUNK = 16_384
"""Events of a full chunk; one of twice as many is split."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Chunk:
    """Events sorted as in `Events`, n rows, with all that tells which of two copies is the better one.

    `order` is the order's number: the orders are numbered as they came in, so that a chunk stays right when others come between.
    `sequence` is inf where there is none.
    """

    ts: NDArray[np.int64]
    sequence: NDArray[np.float64]
    type: NDArray[np.uint8]
    order: Numbers
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    progress: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, positions: NDArray[np.intp] | slice) -> "Chunk":
        """Return the events at some positions."""
        return Chunk(*(getattr(self, one.name)[positions] for one in fields(self)))

    @classmethod
    def joined(cls, chunks: Iterable["Chunk"]) -> "Chunk":
        """Return the events of chunks, one after the other."""
        parts = list(chunks) or [EMPTY]
        return (
            parts[0]
            if len(parts) == 1
            else cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))
        )

    @cached_property
    def without_pings(self) -> NDArray[np.intp]:
        """The positions of all events but pings."""
        return np.flatnonzero(self.type != ev.DRIVER_PING)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(getattr(self, one.name).nbytes for one in fields(self))


EMPTY = Chunk(
    np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8), np.empty(0, np.int32), np.empty(0), np.empty(0),
    np.empty(0, np.float32),
)  # fmt: skip


@dataclass(frozen=True)
class GrowingLog:
    """All events of a version of a timeline; it answers what an `EventLog` answers.

    chunks: their ranges of time do not overlap, so that copies and events of one time are in one chunk. row_of: (orders,) the row
    of each order by its number; number_of: the number of each by its row.
    """

    chunks: tuple[Chunk, ...]
    row_of: Numbers
    number_of: Numbers
    type_names: tuple[str, ...]

    @classmethod
    def of(cls, events: Chunk, orders: int, type_names: tuple[str, ...]) -> "GrowingLog":
        """Return the log of sorted events whose orders are numbered by their rows."""
        rows = np.arange(orders, dtype=np.int32)
        return cls(tuple(_split(events)), rows, rows, type_names)

    def __len__(self) -> int:
        return sum(map(len, self.chunks))

    @property
    def latest_ts(self) -> float:
        """The time of the last event in data seconds, -inf without one."""
        return float(self.chunks[-1].ts[-1]) / MICROSECONDS if self.chunks else -np.inf

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(chunk.nbytes for chunk in self.chunks) + self.row_of.nbytes + self.number_of.nbytes

    # -- what an EventLog answers ------------------------------------------------------------------------------------------
    def between(self, t0: Time, t1: Time) -> EventSlice:
        """Return the events with t0 <= ts < t1, sorted by time."""
        return self._slice(self._between(t0, t1))

    def coded(self, t0: Time, t1: Time) -> EventCodes:
        """Return the events with t0 <= ts < t1, sorted by time, types as codes."""
        chunks = list(self._between(t0, t1)) or [EMPTY]
        ts, kind, order, progress = (
            np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ("ts", "type", "order", "progress")
        )
        progress[kind != ev.DRIVER_PING] = np.nan
        code, names = with_other(kind, self.type_names)
        return EventCodes(ts / MICROSECONDS, code, names, self.row_of[order], progress)

    def _between(self, t0: Time, t1: Time) -> Iterator[Chunk]:
        first, last = (round(seconds(t) * MICROSECONDS) for t in (t0, t1))
        return (
            chunk.take(slice(int(chunk.ts.searchsorted(first)), int(chunk.ts.searchsorted(last))))
            for chunk in self._overlapping(first, last)
        )

    def latest(self, t: Time, n: int, *, pings: bool = False) -> EventSlice:
        """Return the last `n` events with ts <= t, newest first, with or without pings."""
        until, found, missing = round(seconds(t) * MICROSECONDS), list[Chunk](), max(0, n)
        for chunk in reversed(self.chunks):
            if not missing:
                break
            stop = int(chunk.ts.searchsorted(until, side="right"))
            positions = np.arange(stop) if pings else chunk.without_pings[: chunk.without_pings.searchsorted(stop)]
            found.append(chunk.take(positions[max(0, len(positions) - missing) :][::-1]))
            missing -= len(found[-1])
        return self._slice(found)

    def of_order(self, row: int) -> EventSlice:
        """Return the events of the order in row `row`, sorted by time."""
        number = self.number_of[row]
        return self._slice(chunk.take(np.flatnonzero(chunk.order == number)) for chunk in self.chunks)

    def _slice(self, chunks: Iterable[Chunk]) -> EventSlice:
        events, names = Chunk.joined(chunks), self.type_names
        pinged = events.type == ev.DRIVER_PING
        return EventSlice(
            ts=events.ts / MICROSECONDS,
            type=[names[code] if code < len(names) else "other" for code in events.type.tolist()],
            order=self.row_of[events.order],
            progress=np.where(pinged, events.progress, np.float32(np.nan)),
            lat=as_packed(np.where(pinged, events.lat, np.nan)),
            lon=as_packed(np.where(pinged, events.lon, np.nan)),
        )

    def _overlapping(self, first: float, last: float) -> Iterator[Chunk]:
        """Yield the chunks with events in [first, last], microseconds."""
        return (chunk for chunk in self.chunks if chunk.ts[0] <= last and chunk.ts[-1] >= first)

    # -- growth ------------------------------------------------------------------------------------------------------------
    def of_orders(self, numbers: Numbers, first: float, last: float) -> Chunk:
        """Return the events of some orders, which all lie in [first, last] (data seconds), sorted."""
        mine = np.zeros(len(self.row_of), np.bool_)
        mine[numbers] = True
        near = self._overlapping(first * MICROSECONDS - 1, last * MICROSECONDS + 1)
        return Chunk.joined([chunk.take(np.flatnonzero(mine[chunk.order])) for chunk in near])

    def grown(self, fresh: Chunk, replaced: Chunk, row_of: Numbers, number_of: Numbers) -> "GrowingLog":
        """Return the log with the events `fresh` in it, and `replaced` in place of their copies.

        row_of and number_of are of the orders with those that came in; the others keep their order.
        """
        chunks, more = list(self.chunks), list[Chunk]()
        ends = np.array([chunk.ts[-1] for chunk in chunks], np.int64)
        begin_at, replace_at = (
            np.minimum(ends.searchsorted(events.ts), max(0, len(ends) - 1)) for events in (fresh, replaced)
        )
        touched = set(begin_at.tolist()) | set(replace_at.tolist())
        for number, chunk in enumerate(chunks or [EMPTY]):
            if number not in touched:
                more += [chunk] if len(chunk) else []
                continue
            out, new = (
                replaced.take(np.flatnonzero(replace_at == number)),
                fresh.take(np.flatnonzero(begin_at == number)),
            )
            more.extend(_split(_merged(_without(chunk, out), Chunk.joined([out, new]), row_of)))
        return GrowingLog(tuple(more), row_of, number_of, self.type_names)

    def renamed(self, type_names: tuple[str, ...]) -> "GrowingLog":
        """Return the log with other codes for its types; `type_names` has all names that it had."""
        if type_names == self.type_names:
            return self
        code = np.arange(256, dtype=np.uint8)
        code[: len(self.type_names)] = [type_names.index(name) for name in self.type_names]
        chunks = tuple(Chunk(c.ts, c.sequence, code[c.type], c.order, c.lat, c.lon, c.progress) for c in self.chunks)
        return GrowingLog(chunks, self.row_of, self.number_of, type_names)


def _without(chunk: Chunk, copies: Chunk) -> Chunk:
    """Return a chunk without the events of which there are copies, each of which it has."""
    if not len(copies):
        return chunk
    keep = np.ones(len(chunk), np.bool_)
    for ts, sequence, kind, order in zip(copies.ts, copies.sequence, copies.type, copies.order, strict=True):
        same = slice(int(chunk.ts.searchsorted(ts)), int(chunk.ts.searchsorted(ts, "right")))
        keep[same] &= (chunk.sequence[same] != sequence) | (chunk.type[same] != kind) | (chunk.order[same] != order)
    return chunk.take(np.flatnonzero(keep))


def _merged(chunk: Chunk, more: Chunk, row_of: Numbers) -> Chunk:
    """Return the events of both, sorted."""
    both = Chunk.joined([chunk, more])
    return both.take(ev.time_order(both.ts, both.sequence, row_of[both.order], both.type))


def _split(events: Chunk) -> Iterator[Chunk]:
    """Yield sorted events in chunks; events of one time stay together."""
    begin, n = 0, len(events)
    while begin < n:
        stop = n
        if n - begin > 2 * CHUNK:
            stop = int(events.ts.searchsorted(events.ts[begin + CHUNK], "right"))
        yield events if (begin, stop) == (0, n) else events.take(slice(begin, stop))
        begin = stop
