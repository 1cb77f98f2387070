"""Room for work that takes much memory: what is under way at once fits into a budget, and the rest waits for its turn.

A range is refused if it alone is too large for the process (`twin.sources.window_sizes`); several that each fit would still take
all of its memory together.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from twin.foundation import progress

LOOK_EVERY_S = 0.2
"""Seconds between two looks of one who waits whether he has given up meanwhile."""
SMALL = 1 / 16
"""Share of the budget below which work neither waits nor counts: nobody waits for a kitchen's day."""
WAITING = "Waiting until other large ranges are loaded"


class Room:
    """Bytes that are taken while work goes on, in the order in which they were asked for. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes that are taken now."""
        return self._held

    @contextmanager
    def taken(self, size: float, most: float) -> Iterator[None]:
        """Take `size` bytes of a budget of `most` while the block runs; waits until they are free. One alone always gets in.

        Raises `CancelledError` if the current task is cancelled while it waits.
        """
        if size <= most * SMALL:
            yield
            return
        self._enter(int(size), most)
        try:
            yield
        finally:
            with self._changed:
                self._held -= int(size)
                self._changed.notify_all()

    def _enter(self, size: int, most: float) -> None:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while self._queue[0] is not ticket or (self._held and self._held + size > most):
                    progress.current().waiting(WAITING)
                    self._changed.wait(LOOK_EVERY_S)
                self._held += size
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
