"""The memory that the rows of a range take while its timeline is built: one definition for all sources.

A source counts the rows before it reads them, and refuses a range that has too many for the memory there is.
"""

import threading
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from twin.foundation import memory
from twin.foundation.errors import UnknownTimeError
from twin.foundation.times import DAY, HOUR
from twin.sources.base import Volume, Window

SHARE = 1 / 3
"""Share of the process's memory that the rows of one range take while its timeline is built."""
ROW_BYTES = 420
"""Bytes that a row takes at the peak, without its body: texts and numbers in Arrow (100, with ids of 32 characters), then sorted
columns of them, and the timeline (60). Measured from 385 to 445 with a million events of 120 to 540 bytes of body each."""
BODY_BYTES = 155
"""Bytes of bodies that a row of the feed has on average, where nothing counted them: most have none, a route has 1,200."""
EVENTS_OF_ORDER = 15
"""Events that an order of the feed has on average, most of them pings."""
AROUND_S = 36 * HOUR
"""Seconds that are read beside the range which was chosen: a day before it, and four hours at both edges; at most as long."""

ROUTES_SHARE = 1 / 32
"""Share of the process's memory that the routes of a base map have as text; while they are read they take four times as much."""


@dataclass(frozen=True, slots=True)
class Size:
    """Rows, and the bytes of their bodies."""

    rows: int
    bodies: int

    @classmethod
    def of(cls, rows: pa.Table) -> "Size":
        """Return the size of decoded rows."""
        return cls(len(rows), pc.sum(pc.binary_length(rows["body"])).as_py() or 0)

    @classmethod
    def guessed(cls, rows: int) -> "Size":
        """Return the size of so many rows with the bodies that they usually have."""
        return cls(rows, rows * BODY_BYTES)

    def __add__(self, other: "Size") -> "Size":
        return Size(self.rows + other.rows, self.bodies + other.bodies)

    @property
    def bytes(self) -> int:
        """Bytes that the rows take at the peak."""
        return self.rows * ROW_BYTES + self.bodies


def expected(volume: Volume, window: Window) -> Size:
    """Return the size that a range, with what is read around it, probably has: by its orders, before anything is asked."""
    near = (volume.hour >= window.start - AROUND_S) & (volume.hour < window.end)
    return Size.guessed(int(volume.orders[near].sum()) * EVENTS_OF_ORDER)


def most(memory_bytes: int) -> int:
    """Return the bytes that a range may take, of those that the process may."""
    return int(memory_bytes * SHARE)


def most_routes(memory_bytes: int) -> int:
    """Return the bytes that the routes of a base map may have: 20,000 have 24 MB in the feed, but each may have 256 KB."""
    return int(memory_bytes * ROUTES_SHARE)


def check(size: Size, window: Window, memory_bytes: int) -> None:
    """Raise `UnknownTimeError` if rows are too many for the memory; `window` is all that is read for a range."""
    if size.bytes > most(memory_bytes):
        raise UnknownTimeError(
            f"This range and the hours around it have {size.rows:,} events, which take {memory.words(size.bytes)} of memory, "
            f"and a range may take {memory.words(most(memory_bytes))}: choose {_shorter(size, window, memory_bytes)}, "
            "or raise TWIN_MEMORY."
        )


def _shorter(size: Size, window: Window, memory_bytes: int) -> str:
    """Return in words which range would fit, if its rows were as dense."""
    fits = (window.end - window.start) * most(memory_bytes) / size.bytes - AROUND_S
    for unit, name in ((DAY, "day"), (HOUR, "hour")):
        if fits >= unit:
            return f"one of at most {fits // unit:.0f} {name}{'s' * (fits >= 2 * unit)}"
    return "a shorter one"


class Budget:
    """Adds up what is read for a range in parts, so that nothing more is read after too much. Thread-safe."""

    def __init__(self, window: Window, memory_bytes: int) -> None:
        self._window = window
        self._memory_bytes = memory_bytes
        self._size = Size(0, 0)
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise `UnknownTimeError` if the parts so far are too large."""
        check(self._size, self._window, self._memory_bytes)

    def add(self, rows: pa.Table) -> pa.Table:
        """Return rows that were read. Raises `UnknownTimeError` if they are too many with those before."""
        size = Size.of(rows)
        with self._lock:
            self._size += size
        self.check()
        return rows
