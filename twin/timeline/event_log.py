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


@dataclass(frozen=True, slots=True)
class EventLog:
    """All events of a timeline, 13 bytes each: ts, type, order (n,) as in `Events`.

    Pings are half of them, so only these have columns of progress and position, (p,) each: ping_position are their places among
    all events, ping_lat and ping_lon whole numbers of `PACKED`. without_pings: (n - p,) the places of the others.
    """

    ts: NDArray[np.int64]
    type: NDArray[np.uint8]
    order: NDArray[np.int32]
    type_names: tuple[str, ...]
    ping_position: NDArray[np.int32]
    ping_progress: NDArray[np.float32]
    ping_lat: NDArray[np.int32]
    ping_lon: NDArray[np.int32]
    without_pings: NDArray[np.int32]

    @classmethod
    def of(cls, events: Events) -> "EventLog":
        """Return the log of events."""
        pings = np.flatnonzero(events.type == ev.DRIVER_PING)
        return cls(
            ts=events.ts,
            type=events.type,
            order=events.order,
            type_names=events.type_names,
            ping_position=pings.astype(np.int32),
            ping_progress=events.progress[pings],
            ping_lat=_packed(events.lat[pings]),
            ping_lon=_packed(events.lon[pings]),
            without_pings=np.flatnonzero(events.type != ev.DRIVER_PING).astype(np.int32),
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
        first, last = self.ping_position.searchsorted((some.start, some.stop))
        progress[self.ping_position[first:last] - some.start] = self.ping_progress[first:last]
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
        stop = int(np.searchsorted(self.without_pings, stop))
        return self._slice(self.without_pings[max(0, stop - n) : stop][::-1])

    def of_order(self, row: int) -> EventSlice:
        """Return the events of the order in row `row`, sorted by time."""
        return self._slice(np.flatnonzero(self.order == row))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        columns = (getattr(self, one.name) for one in fields(self))
        return sum(column.nbytes for column in columns if isinstance(column, np.ndarray))

    def _slice(self, positions: NDArray[np.intp] | NDArray[np.int32]) -> EventSlice:
        progress = np.full(len(positions), np.nan, dtype=np.float32)
        lat, lon = np.full(len(positions), np.nan), np.full(len(positions), np.nan)
        if len(self.ping_position):
            ping = np.minimum(np.searchsorted(self.ping_position, positions), len(self.ping_position) - 1)
            is_ping = self.ping_position[ping] == positions
            progress[is_ping] = self.ping_progress[ping[is_ping]]
            lat[is_ping], lon[is_ping] = (_degrees(one[ping[is_ping]]) for one in (self.ping_lat, self.ping_lon))
        names = self.type_names
        return EventSlice(
            ts=self.ts[positions] / MICROSECONDS,
            type=[names[code] if code < len(names) else "other" for code in self.type[positions].tolist()],
            order=self.order[positions],
            progress=progress,
            lat=lat,
            lon=lon,
        )


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
