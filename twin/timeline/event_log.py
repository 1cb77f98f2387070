"""The events of a timeline in time order: ranges of them, the latest ones, and those of one order."""

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import Time, seconds
from twin.timeline import events as ev
from twin.timeline.events import MICROSECONDS, EventCodes, Events, EventSlice

PACKED = 1e-7
"""Degrees, a centimetre on the ground: in half the width of a double as fine as no phone measures."""
UNKNOWN = np.iinfo(np.int32).min


class EventLog:
    """All events of a timeline, 13 bytes each. Pings are half of them, so only these have columns of progress and position."""

    def __init__(self, events: Events) -> None:
        self._ts, self._type, self._order = events.ts, events.type, events.order
        self._type_names = events.type_names
        pings = np.flatnonzero(events.type == ev.DRIVER_PING)
        self._ping_position, self._ping_progress = pings.astype(np.int32), events.progress[pings]
        self._ping_lat, self._ping_lon = _packed(events.lat[pings]), _packed(events.lon[pings])
        self._without_pings = np.flatnonzero(events.type != ev.DRIVER_PING).astype(np.int32)

    def __len__(self) -> int:
        return len(self._ts)

    def between(self, t0: Time, t1: Time) -> EventSlice:
        """Return the events with t0 <= ts < t1, sorted by time."""
        some = self._between(t0, t1)
        return self._slice(np.arange(some.start, some.stop))

    def coded(self, t0: Time, t1: Time) -> EventCodes:
        """Return the events with t0 <= ts < t1, sorted by time, types as codes."""
        some = self._between(t0, t1)
        progress = np.full(some.stop - some.start, np.nan, dtype=np.float32)
        first, last = self._ping_position.searchsorted((some.start, some.stop))
        progress[self._ping_position[first:last] - some.start] = self._ping_progress[first:last]
        code, names = with_other(self._type[some], self._type_names)
        return EventCodes(self._ts[some] / MICROSECONDS, code, names, self._order[some], progress)

    def _between(self, t0: Time, t1: Time) -> slice:
        first, last = (int(np.searchsorted(self._ts, round(seconds(t) * MICROSECONDS))) for t in (t0, t1))
        return slice(first, max(first, last))

    def latest(self, t: Time, n: int, *, pings: bool = False) -> EventSlice:
        """Return the last `n` events with ts <= t, newest first, with or without pings."""
        stop = int(np.searchsorted(self._ts, round(seconds(t) * MICROSECONDS), side="right"))
        if pings:
            return self._slice(np.arange(max(0, stop - n), stop)[::-1])
        stop = int(np.searchsorted(self._without_pings, stop))
        return self._slice(self._without_pings[max(0, stop - n) : stop][::-1])

    def of_order(self, row: int) -> EventSlice:
        """Return the events of the order in row `row`, sorted by time."""
        return self._slice(np.flatnonzero(self._order == row))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def _slice(self, positions: NDArray[np.intp] | NDArray[np.int32]) -> EventSlice:
        progress = np.full(len(positions), np.nan, dtype=np.float32)
        lat, lon = np.full(len(positions), np.nan), np.full(len(positions), np.nan)
        if len(self._ping_position):
            ping = np.minimum(np.searchsorted(self._ping_position, positions), len(self._ping_position) - 1)
            is_ping = self._ping_position[ping] == positions
            progress[is_ping] = self._ping_progress[ping[is_ping]]
            lat[is_ping], lon[is_ping] = (_degrees(one[ping[is_ping]]) for one in (self._ping_lat, self._ping_lon))
        names = self._type_names
        return EventSlice(
            ts=self._ts[positions] / MICROSECONDS,
            type=[names[code] if code < len(names) else "other" for code in self._type[positions].tolist()],
            order=self._order[positions],
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
