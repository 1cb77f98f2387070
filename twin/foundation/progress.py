"""Something that a user waits for: whoever does it tells how far it is, and stops when nobody wants it any more.

The errand under way is a context variable, which `asyncio.to_thread` hands to the thread that works: between the page that
waits and the source that reads nothing needs to pass it on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from twin.foundation.errors import CancelledError


class Errand:
    """What is being done for one user. Thread-safe.

    >>> told = []
    >>> with Errand(lambda share, words: told.append((share, words))).under_way():
    ...     with current().part(0.0, 0.5):
    ...         current().step(0.5)
    ...     current().say("Waiting for the warehouse")
    >>> told
    [(0.25, ''), (0.25, 'Waiting for the warehouse')]
    """

    def __init__(self, tell: Callable[[float, str], object] = lambda _share, _words: None) -> None:
        """`tell(share, words)` hears how much is done, 0 to 1, and what is waited for ("": the work itself), in any thread."""
        self._tell = tell
        self._share = 0.0
        self._from, self._to = 0.0, 1.0
        self._lock = threading.Lock()
        self._stops: list[Callable[[], object]] = []
        self._cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._cancelled

    def cancel(self) -> None:
        """Let it end soon: what is under way is stopped, and the next `check` or `step` raises. Returns at once."""
        with self._lock:
            self._cancelled = True
            stops, self._stops = self._stops, []
        if stops:  # in a thread: to stop may mean to ask a service
            threading.Thread(target=_call, args=(stops,), name="cancel", daemon=True).start()

    def check(self) -> None:
        """Raise `CancelledError` if nobody waits any more."""
        if self._cancelled:
            raise CancelledError("Nobody waits for this any more.")

    def step(self, share: float) -> None:
        """Tell that so much of the part under way is done; raises `CancelledError` like `check`."""
        self.check()
        self._share = self._from + share * (self._to - self._from)
        self._tell(self._share, "")

    def say(self, words: str) -> None:
        """Tell what is waited for; raises `CancelledError` like `check`."""
        self.check()
        self._tell(self._share, words)

    @contextmanager
    def part(self, start: float, end: float) -> Iterator[None]:
        """Let the steps within count from `start` to `end`, shares of the whole. Parts are not nested."""
        self._from, self._to = start, end
        try:
            yield
        finally:
            self._from, self._to = 0.0, 1.0

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Call `stop` if the errand is cancelled meanwhile; then it raises `CancelledError`, whatever came of the work."""
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
    def under_way(self) -> Iterator[None]:
        """Make it the current errand of this context, and of the threads that take a copy of it."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


def _call(stops: list[Callable[[], object]]) -> None:
    for stop in stops:
        with suppress(Exception):  # what is stopped may just have ended
            stop()


_current: ContextVar[Errand | None] = ContextVar("errand", default=None)


def current() -> Errand:
    """Return the errand under way; one that nobody follows or cancels where there is none."""
    return _current.get() or Errand()
