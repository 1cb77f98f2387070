"""Times of queries, the request log, and spans for who sends traces; none holds user data."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from twin.foundation.lazily import at_first_use
from twin.foundation.loglimit import Allowance

if TYPE_CHECKING:
    from twin.foundation import counters
else:
    counters = at_first_use("twin.foundation.counters")

LONGEST_TEXT = 500
"""Characters of one field of the request log."""


class Span(Protocol):
    """A stretch of work that is traced."""

    def end(self, **facts: str | int) -> None:
        """End it, with what is to be said about it."""


class Tracing(Protocol):
    """Begins spans."""

    def __call__(self, name: str, current: bool) -> Span:
        """Begin one; if `current`, those that begin in this context from now on are its parts."""


class _NoSpan:
    def end(self, **facts: str | int) -> None:
        """Nobody traces."""


tracing: Tracing | None = None
"""What takes spans; None: nobody does."""

_log = logging.getLogger("twin.requests")
_allowance = Allowance(burst=1 << 20, per_second=20_000)
"""Of the request log: some 80 lines a second in the long run."""


@contextmanager
def query(name: str) -> Iterator[None]:
    """Count and time one query to the source."""
    began, span = time.perf_counter(), begin_span(f"query {name}")
    try:
        yield
    finally:
        span.end(query=name)
        counters.QUERIES.labels(name).inc()
        counters.QUERY_SECONDS.labels(name).observe(time.perf_counter() - began)


def begin_span(name: str, current: bool = False) -> Span:
    """Begin a stretch of work for who traces; see `Tracing`."""
    return _NoSpan() if tracing is None else tracing(name, current)


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is now: a kernel or a test may have put another there, and closed the one that was."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def request_logger() -> logging.Logger:
    """Return the logger of requests, which writes to stderr."""
    if not any(isinstance(handler, _ToStderr) for handler in _log.handlers):
        # a handler of its own, because the prefix of the server's log format would break the JSON
        _log.addHandler(_ToStderr())
        _log.setLevel(logging.INFO)
        _log.propagate = False
    return _log


def log_request(**facts: Any) -> None:
    """Write one line of JSON to the logger `twin.requests`; under a flood not all, and `dropped` says how many are missing."""
    dropped = _allowance.admit()
    if dropped is None:
        return
    request_logger()
    facts = {name: fact[:LONGEST_TEXT] if isinstance(fact, str) else fact for name, fact in facts.items()}
    time_text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = json.dumps({"time": time_text, **facts, **({"dropped": dropped} if dropped else {})})
    _allowance.spend(len(line))
    _log.info(line)
