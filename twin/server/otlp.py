"""Sends the process's metrics, logs and traces to an OpenTelemetry collector by OTLP over HTTP.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT names a collector, as it does in a Databricks app whose telemetry is switched on: there
nobody can scrape `/metrics`. What is sent is what `/metrics` and the log have anyway, and a span for each request of the API and
each query of the source: the names of routes and queries, durations, and no user, no kitchen, no parameter. A collector that
does not answer costs nothing but what it misses.
"""

import atexit
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import Metric
from prometheus_client.samples import Sample

from twin.foundation import counters, telemetry
from twin.foundation.loglimit import LogLimit
from twin.foundation.settings import Settings
from twin.foundation.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

SERVICE = "caspers-twin"
METRICS_S = 60.0
"""Seconds between two sets of metrics: the usual interval of OpenTelemetry."""
TIMEOUT_S = 10.0
OWN = ("opentelemetry", "urllib3", "requests")
"""Loggers of what sends: a log line about a failed sending must not be sent."""
NO_PACKAGES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send telemetry are not installed: "
    "pip install 'caspers-twin[telemetry]'."
)


def start(settings: Settings, metrics_s: float = METRICS_S) -> "Export | None":
    """Begin to send, if a collector is named and the packages are there; return what can be closed."""
    if not settings.otlp_endpoint:
        return None
    try:
        return Export(settings.otlp_endpoint, metrics_s)
    except ImportError:
        log.warning(NO_PACKAGES)
        return None


class Export:
    """What is sent to a collector until it is closed, at the latest when the process ends. Raises ImportError."""

    def __init__(self, endpoint: str, metrics_s: float) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415  # optional packages
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler  # noqa: PLC0415
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        base = endpoint.rstrip("/")
        self._resource = Resource.create({"service.name": SERVICE, "service.version": VERSION})
        self._metrics = OTLPMetricExporter(f"{base}/v1/metrics", timeout=TIMEOUT_S)
        self._traces = TracerProvider(resource=self._resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=TIMEOUT_S)))
        self._logs = LoggerProvider(resource=self._resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(f"{base}/v1/logs", timeout=TIMEOUT_S))
        )
        self._handler = LoggingHandler(logging.INFO, self._logs)
        self._handler.addFilter(lambda record: not record.name.startswith(OWN))
        self._handler.addFilter(LogLimit())
        self._loggers = (logging.getLogger(), telemetry.request_logger())
        for logger in self._loggers:
            logger.addHandler(self._handler)
        self._tracing = _Tracing(self._traces.get_tracer(SERVICE, VERSION))
        telemetry.tracing = self._tracing
        self._began_ns = time.time_ns()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._send_metrics, args=(metrics_s,), name="otlp", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Send what is left, and send nothing more."""
        if self._closing.is_set():
            return
        self._closing.set()
        atexit.unregister(self.close)
        for logger in self._loggers:
            logger.removeHandler(self._handler)
        if telemetry.tracing is self._tracing:
            telemetry.tracing = None
        self._thread.join(2 * TIMEOUT_S)
        self._traces.shutdown()
        self._logs.shutdown()
        self._metrics.shutdown()

    def _send_metrics(self, every_s: float) -> None:
        while not self._closing.wait(every_s):
            self._metrics.export(self._now())
        self._metrics.export(self._now())

    def _now(self) -> "MetricsData":
        """Return all metrics as they are now."""
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics  # noqa: PLC0415
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415

        span = self._began_ns, time.time_ns()
        metrics = [_as_otel(family, span) for family in counters.REGISTRY.collect() if family.samples]
        scope = ScopeMetrics(InstrumentationScope(SERVICE, VERSION), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


class _Tracing:
    """Makes spans for `twin.foundation.telemetry`."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    def __call__(self, name: str, current: bool) -> "_Span":
        from opentelemetry import context, trace  # noqa: PLC0415

        span = self._tracer.start_span(name)
        if current:  # to the end of the task, whose context nobody uses afterwards
            context.attach(trace.set_span_in_context(span))
        return _Span(span)


class _Span:
    def __init__(self, span: Any) -> None:
        self._span = span

    def end(self, **facts: str | int) -> None:
        self._span.set_attributes(facts)
        self._span.end()


def _as_otel(family: Metric, span: tuple[int, int]) -> Any:
    """Return a metric of Prometheus as one of OpenTelemetry; `span` is since when it counts, and now, in ns."""
    from opentelemetry.sdk.metrics import export as otel  # noqa: PLC0415

    counts = otel.AggregationTemporality.CUMULATIVE
    data: Any
    if family.type == "histogram":
        data = otel.Histogram(_histogram_points(family.samples, span), counts)
    else:
        samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        points = [otel.NumberDataPoint(sample.labels, *span, sample.value) for sample in samples]
        data = otel.Sum(points, counts, True) if family.type == "counter" else otel.Gauge(points)
    return otel.Metric(family.name, family.documentation, "s" if family.name.endswith("_seconds") else "1", data)


def _histogram_points(samples: Iterable[Sample], span: tuple[int, int]) -> list[Any]:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint  # noqa: PLC0415

    groups: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        groups[tuple(sorted(labels.items()))].append(sample)
    points = []
    for group, inside in groups.items():
        upto = sorted((float(one.labels["le"]), int(one.value)) for one in inside if one.name.endswith("_bucket"))
        total = next(one.value for one in inside if one.name.endswith("_sum"))
        counts = [high - low for (_, high), (_, low) in zip(upto, [(0.0, 0), *upto], strict=False)]
        bounds = [bound for bound, _ in upto[:-1]]  # the last one is infinite
        points.append(HistogramDataPoint(dict(group), *span, upto[-1][1], total, counts, bounds, 0.0, 0.0))
    return points
