"""The process's metrics for `/metrics` (Prometheus); none holds user data."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)
