"""The events of a timeline in time order: ranges of them, the latest ones, and those of one order."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import Time, seconds
from twin.timeline import events as ev
from twin.timeline.events import MICROSECONDS, EventCodes, Events, EventSlice

PACKED = 1e-7
"""Degrees, a centimetre on the ground: in half the width of a double as fine as no phone measures."""
UNKNOWN = np.iinfo(np.int32).min
BLOCK = 4096
"""Events in which pings are counted to find one of them, some microseconds."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """All events of a timeline, 13 bytes each: ts, type, order (n,) as in `Events`.

    Pings are half of them, so only these have columns of progress and position, (p,) each, in their order: ping_lat and ping_lon
    are whole numbers of `PACKED`. pings_before: how many pings come before each `BLOCK` of events, so that a ping's row in these
    columns is found by counting in its block.
    """

    ts: NDArray[np.int64]
    type: NDArray[np.uint8]
    order: NDArray[np.int32]
    type_names: tuple[str, ...]
    ping_progress: NDArray[np.float32]
    ping_lat: NDArray[np.int32]
    ping_lon: NDArray[np.int32]
    pings_before: NDArray[np.int32]

    @classmethod
    def of(cls, events: Events) -> "EventLog":
        """Return the log of events."""
        pings = np.flatnonzero(events.type == ev.DRIVER_PING)
        blocks = np.arange(0, len(events.type), BLOCK)
        return cls(
            ts=events.ts,
            type=events.type,
            order=events.order,
            type_names=events.type_names,
            ping_progress=events.progress[pings],
            ping_lat=_packed(events.lat[pings]),
            ping_lon=_packed(events.lon[pings]),
            pings_before=pings.searchsorted(blocks).astype(np.int32),
        )

    def __len__(self) -> int:
        return len(self.ts)

    def between(self, t0: Time, t1: Time) -> EventSlice:
        """Return the events with t0 <= ts < t1, sorted by time."""
        some = self._between(t0, t1)
        return self._slice(np.arange(some.start, some.stop))

    def coded(self, t0: Time, t1: Time) -> EventCodes:
        """Return the events with t0 <= ts < t1, sorted by time, types as codes."""
        some = self._between(t0, t1)
        progress = np.full(some.stop - some.start, np.nan, dtype=np.float32)
        pings = np.flatnonzero(self.type[some] == ev.DRIVER_PING)
        if len(pings):
            first = int(self._rows_of_pings(some.start + pings[:1])[0])
            progress[pings] = self.ping_progress[first : first + len(pings)]
        code, names = with_other(self.type[some], self.type_names)
        return EventCodes(self.ts[some] / MICROSECONDS, code, names, self.order[some], progress)

    def _between(self, t0: Time, t1: Time) -> slice:
        first, last = (int(np.searchsorted(self.ts, round(seconds(t) * MICROSECONDS))) for t in (t0, t1))
        return slice(first, max(first, last))

    def latest(self, t: Time, n: int, *, pings: bool = False) -> EventSlice:
        """Return the last `n` events with ts <= t, newest first, with or without pings."""
        stop = int(np.searchsorted(self.ts, round(seconds(t) * MICROSECONDS), side="right"))
        if pings:
            return self._slice(np.arange(max(0, stop - n), stop)[::-1])
        reach = 4 * n
        while True:
            start = max(0, stop - reach)
            others = start + np.flatnonzero(self.type[start:stop] != ev.DRIVER_PING)
            if len(others) >= n or not start:
                return self._slice(others[max(0, len(others) - n) :][::-1])
            reach *= 4

    def of_order(self, row: int) -> EventSlice:
        """Return the events of the order in row `row`, sorted by time."""
        return self._slice(np.flatnonzero(self.order == row))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        columns = (getattr(self, one.name) for one in fields(self))
        return sum(column.nbytes for column in columns if isinstance(column, np.ndarray))

    def _slice(self, positions: NDArray[np.intp]) -> EventSlice:
        progress = np.full(len(positions), np.nan, dtype=np.float32)
        lat, lon = np.full(len(positions), np.nan), np.full(len(positions), np.nan)
        is_ping = self.type[positions] == ev.DRIVER_PING
        if is_ping.any():
            row = self._rows_of_pings(positions[is_ping])
            progress[is_ping] = self.ping_progress[row]
            lat[is_ping], lon[is_ping] = _degrees(self.ping_lat[row]), _degrees(self.ping_lon[row])
        names = self.type_names
        return EventSlice(
            ts=self.ts[positions] / MICROSECONDS,
            type=[names[code] if code < len(names) else "other" for code in self.type[positions].tolist()],
            order=self.order[positions],
            progress=progress,
            lat=lat,
            lon=lon,
        )

    def _rows_of_pings(self, positions: NDArray[np.intp]) -> NDArray[np.int32]:
        """Return the rows that the pings at some positions, at least one, have in the columns of pings."""
        block, last = int(positions.min()) // BLOCK, int(positions.max())
        start = block * BLOCK
        counted = np.cumsum(self.type[start : last + 1] == ev.DRIVER_PING, dtype=np.int32)
        return self.pings_before[block] + counted[positions - start] - np.int32(1)


def with_other(code: NDArray[np.uint8], names: tuple[str, ...]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return codes of types, and their names, with one more name for those that have none."""
    if len(names) > np.iinfo(np.uint8).max:  # so many that every code has one
        return code, names
    return np.minimum(code, np.uint8(len(names))), (*names, "other")


def as_packed(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return degrees as this log gives them back, so that other logs give the same."""
    return _degrees(_packed(degrees))


def _packed(degrees: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return degrees as whole numbers of `PACKED`, `UNKNOWN` for NaN."""
    known = np.isfinite(degrees)
    packed = np.full(len(degrees), UNKNOWN, np.int32)
    packed[known] = np.round(degrees[known] / PACKED)
    return packed


def _degrees(packed: NDArray[np.int32]) -> NDArray[np.float64]:
    return np.where(packed == UNKNOWN, np.nan, np.round(packed * PACKED, 7))
