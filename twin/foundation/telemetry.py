"""The process's metrics for `/metrics` (Prometheus) and its request log; neither holds user data."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
"""Separate from the default registry, which other libraries write to and which exists once per process."""

REQUESTS = Counter("twin_requests", "Requests answered.", ["route", "method", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram("twin_request_seconds", "Seconds to answer a request.", ["route"], registry=REGISTRY)
QUERIES = Counter("twin_queries", "Questions to the source.", ["query"], registry=REGISTRY)
QUERY_SECONDS = Histogram("twin_query_seconds", "Seconds of a question to the source.", ["query"], registry=REGISTRY)
TICKS = Counter("twin_ticks", "Ticks of dashboard sessions that showed a moment.", registry=REGISTRY)
SESSIONS = Gauge("twin_sessions", "Dashboard sessions held now.", registry=REGISTRY)
STREAMS = Gauge("twin_streams", "Replay streams open now.", registry=REGISTRY)
STREAMED = Counter("twin_streamed_events", "Order events sent in replay streams.", registry=REGISTRY)
REJECTS = Gauge("twin_rejected_rows", "Raw rows set aside, by reason.", ["reason"], registry=REGISTRY)

_log = logging.getLogger("twin.requests")


@contextmanager
def query(name: str) -> Iterator[None]:
    """Count and time one query to the source."""
    began = time.perf_counter()
    try:
        yield
    finally:
        QUERIES.labels(name).inc()
        QUERY_SECONDS.labels(name).observe(time.perf_counter() - began)


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)


def log_request(**facts: Any) -> None:
    """Write one line of JSON to the logger `twin.requests`."""
    if not _log.handlers:
        # a handler of its own, because the prefix of the server's log format would break the JSON
        _log.addHandler(logging.StreamHandler(sys.stderr))
        _log.setLevel(logging.INFO)
        _log.propagate = False
    _log.info(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **facts}))
