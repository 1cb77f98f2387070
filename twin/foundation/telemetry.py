"""The process's metrics for `/metrics` (Prometheus), its request log, and spans for who sends traces; none holds user data."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from twin.foundation.loglimit import Allowance

REGISTRY = CollectorRegistry()
"""Separate from the default registry, which other libraries write to and which exists once per process."""

REQUESTS = Counter("twin_requests", "Requests answered.", ["route", "method", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram("twin_request_seconds", "Seconds to answer a request.", ["route"], registry=REGISTRY)
QUERIES = Counter("twin_queries", "Questions to the source.", ["query"], registry=REGISTRY)
QUERY_SECONDS = Histogram("twin_query_seconds", "Seconds of a question to the source.", ["query"], registry=REGISTRY)
TICKS = Counter("twin_ticks", "Ticks of dashboard sessions that showed a moment.", registry=REGISTRY)
SESSIONS = Gauge("twin_sessions", "Dashboard sessions held now.", registry=REGISTRY)
REFUSED_SESSIONS = Counter("twin_refused_sessions", "Sessions that were refused for lack of room.", registry=REGISTRY)
STREAMS = Gauge("twin_streams", "Replay streams open now.", registry=REGISTRY)
STUCK_STREAMS = Counter("twin_stuck_streams", "Replay streams closed because nobody read them.", registry=REGISTRY)
STREAMED = Counter("twin_streamed_events", "Order events sent in replay streams.", registry=REGISTRY)
LOOP_LAG_SECONDS = Histogram(
    "twin_loop_lag_seconds", "Seconds by which the event loop, which serves every session, runs its timers late.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0), registry=REGISTRY,
)  # fmt: skip
LOOP_STALLS = Counter("twin_loop_stalls", "Times that the event loop was held up for over 0.2 s.", registry=REGISTRY)
REJECTS = Gauge("twin_rejected_rows", "Raw rows set aside, by reason.", ["reason"], registry=REGISTRY)

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
        QUERIES.labels(name).inc()
        QUERY_SECONDS.labels(name).observe(time.perf_counter() - began)


def begin_span(name: str, current: bool = False) -> Span:
    """Begin a stretch of work for who traces; see `Tracing`."""
    return _NoSpan() if tracing is None else tracing(name, current)


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)


def request_logger() -> logging.Logger:
    """Return the logger of requests, which writes to stderr."""
    if not any(type(handler) is logging.StreamHandler for handler in _log.handlers):
        # a handler of its own, because the prefix of the server's log format would break the JSON
        _log.addHandler(logging.StreamHandler(sys.stderr))
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
