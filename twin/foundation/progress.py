"""Progress and cancellation of a long task, such as loading a timeline.

The current task is a context variable, which `asyncio.to_thread` copies into its worker thread: the page that waits and the
source that reads share it without any function between them passing it on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from twin.foundation.errors import CancelledError


class Task:
    """A long task done for one user, who sees its progress and may cancel it. Thread-safe.

    >>> reports = []
    >>> with Task(lambda share, message: reports.append((share, message))).as_current():
    ...     with current().part(0.0, 0.5):
    ...         current().step(0.5)
    ...     current().waiting("Waiting for the warehouse")
    >>> reports
    [(0.25, ''), (0.25, 'Waiting for the warehouse')]
    """

    def __init__(self, report: Callable[[float, str], object] = lambda _share, _message: None) -> None:
        """Call `report(share, message)`, from any thread, with the share done (0 to 1) and what the task waits for.

        The message is empty while the task does its own work.
        """
        self._report = report
        self._share = 0.0
        self._from, self._to = 0.0, 1.0
        self._lock = threading.Lock()
        self._stops: list[Callable[[], object]] = []
        self._cancelled = False

    def cancel(self) -> None:
        """Cancel the task and return at once: running work is stopped, and the next `check` or `step` raises."""
        with self._lock:
            self._cancelled = True
            stops, self._stops = self._stops, []
        if stops:  # in a thread, because stopping may need a request to a service
            threading.Thread(target=_call, args=(stops,), name="cancel", daemon=True).start()

    def check(self) -> None:
        """Raise `CancelledError` if the task has been cancelled."""
        if self._cancelled:
            raise CancelledError("Nobody waits for this any more.")

    def step(self, share: float) -> None:
        """Report the share done of the current part; raises `CancelledError` like `check`."""
        self.check()
        self._share = self._from + share * (self._to - self._from)
        self._report(self._share, "")

    def waiting(self, message: str) -> None:
        """Report what the task waits for; raises `CancelledError` like `check`."""
        self.check()
        self._report(self._share, message)

    @contextmanager
    def part(self, start: float, end: float) -> Iterator[None]:
        """Map the steps within to `start`..`end`, shares of the whole task. Parts do not nest."""
        self._from, self._to = start, end
        try:
            yield
        finally:
            self._from, self._to = 0.0, 1.0

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call `stop` if the task is cancelled during the block, which then raises `CancelledError` whatever its outcome."""
        self.check()
        with self._lock:
            self._stops.append(stop)
        try:
            yield
        except Exception:
            self.check()  # it failed because it was stopped
            raise
        else:
            self.check()
        finally:
            with self._lock, suppress(ValueError):
                self._stops.remove(stop)

    @contextmanager
    def as_current(self) -> Iterator[None]:
        """Make this the current task of the context, and of the threads that run in a copy of it."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def _call(stops: list[Callable[[], object]]) -> None:
    for stop in stops:
        with suppress(Exception):  # the work may have ended meanwhile
            stop()


_current: ContextVar[Task | None] = ContextVar("task", default=None)


def current() -> Task:
    """Return the current task; where there is none, one that reports nowhere and is never cancelled."""
    return _current.get() or Task()
