"""Keeps the log readable and bounded, whatever is sent to the server: lines have a longest length, and like ones a rate."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

LONGEST = 2000
"""Characters of a message; Bokeh logs whole messages of a browser that it cannot read."""
LONGEST_TRACEBACK = 8000
BURST, PER_SECOND = 64 * 1024, 1024
"""Characters that one place in the code may log at once, and then each second: at most 90 MB a day."""
MOST_PLACES = 500
OVERHEAD = 80
"""Characters that a handler adds to a message: time, level, name."""


class Allowance:
    """Characters that may be written: `burst` at once, then `per_second`. `clock` is in seconds."""

    __slots__ = ("_at", "_burst", "_clock", "_dropped", "_left", "_per_second")

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._left, self._at, self._dropped = burst, clock(), 0

    def admit(self) -> int | None:
        """Return how many records were dropped since the last one that was admitted; None: this one is dropped, too."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left <= 0:
            self._dropped += 1
            return None
        dropped, self._dropped = self._dropped, 0
        return dropped

    def spend(self, size: int) -> None:
        """Account for an admitted record."""
        self._left -= size


class LogLimit(logging.Filter):
    """Shortens records, and drops those of a place in the code that logs too much; the next one says how many were dropped."""

    def __init__(
        self, burst: float = BURST, per_second: float = PER_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._new = lambda: Allowance(burst, per_second, clock)
        self._places: OrderedDict[tuple[str, int], Allowance] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        key = record.pathname, record.lineno
        allowance = self._places.get(key)
        if allowance is None:
            allowance = self._places[key] = self._new()
            if len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)
        dropped = allowance.admit()
        if dropped is None:
            return False
        allowance.spend(
            _shorten(record, f" ({dropped:,} more like this were not logged)" if dropped else "") + OVERHEAD
        )
        return True


def limit_handlers() -> None:
    """Limit what the handlers of the root logger write. One that is limited already stays as it is."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(other, LogLimit) for other in handler.filters):
            handler.addFilter(LogLimit())


def _shorten(record: logging.LogRecord, more: str) -> int:
    """Shorten a record's message and traceback, add `more` to the message, and return the characters of both."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # wrong arguments, which the handler reports
        return LONGEST
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]}… ({len(message):,} characters)"
    record.msg, record.args = message + more, None
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    trace = record.exc_text or ""
    if len(trace) > LONGEST_TRACEBACK:
        record.exc_text = f"{trace[: LONGEST_TRACEBACK // 2]}\n  …\n{trace[-LONGEST_TRACEBACK // 2 :]}"
    return len(record.msg) + len(record.exc_text or "")
