"""Telemetry by OTLP: the real exporters send to a small collector on loopback, which reads what they send."""

import itertools
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from bokeh.models.widgets import Div
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

import twin.api as api
from tests.api.serving import fetch, served
from twin.foundation import counters, telemetry
from twin.foundation.settings import Settings
from twin.server import otlp

NEVER_S = 3600.0
SECRET = "eyJhbGciOiJub25lIn0.dXNlcg.c2ln"


@dataclass
class Collector:
    """What was sent, by signal."""

    address: str = ""
    bodies: dict[str, list[bytes]] = field(default_factory=lambda: {"metrics": [], "logs": [], "traces": []})

    @property
    def metrics(self) -> dict[str, Any]:
        """The newest of each metric."""
        sent = [ExportMetricsServiceRequest.FromString(body) for body in self.bodies["metrics"]]
        scopes = [scope for one in sent for resource in one.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    @property
    def logs(self) -> list[str]:
        sent = [ExportLogsServiceRequest.FromString(body) for body in self.bodies["logs"]]
        scopes = [scope for one in sent for resource in one.resource_logs for scope in resource.scope_logs]
        return [record.body.string_value for scope in scopes for record in scope.log_records]

    @property
    def spans(self) -> dict[str, Any]:
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies["traces"]]
        scopes = [scope for one in sent for resource in one.resource_spans for scope in resource.scope_spans]
        return {span.name: span for scope in scopes for span in scope.spans}


@pytest.fixture
def collector() -> Iterator[Collector]:
    held = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/x-protobuf"
            held.bodies[self.path.removeprefix("/v1/")].append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    held.address = f"http://127.0.0.1:{server.server_port}"
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def sending(address: str) -> Iterator[None]:
    """Send what happens within the block; at its end all has been sent."""
    export = otlp.start(Settings(otlp_endpoint=address), NEVER_S)
    assert export is not None
    try:
        yield
    finally:
        export.close()


def test_every_metric_arrives_as_it_is_scraped(collector: Collector) -> None:
    counters.REQUESTS.labels("of a test", "GET", 200).inc(3)
    counters.REQUEST_SECONDS.labels("of a test").observe(0.003)
    counters.REQUEST_SECONDS.labels("of a test").observe(1e6)
    with sending(collector.address):
        pass
    for family in text_string_to_metric_families(counters.exposition().decode()):
        if family.name.endswith("_created") or not family.samples:
            continue
        metric = collector.metrics[family.name]
        assert metric.description == family.documentation
        kind = metric.WhichOneof("data")
        assert kind == {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}[family.type]
        for point in getattr(metric, kind).data_points:
            labels = {one.key: one.value.string_value for one in point.attributes}
            scraped = {
                (sample.name.removeprefix(family.name), sample.labels.get("le", "")): sample.value
                for sample in family.samples
                if {name: value for name, value in sample.labels.items() if name != "le"} == labels
            }
            if kind == "histogram":
                bounds = [*map(float, point.explicit_bounds), float("inf")]
                buckets = sorted((float(le), value) for (name, le), value in scraped.items() if name == "_bucket")
                total, upto = 0, []
                for bound, count in zip(bounds, point.bucket_counts, strict=True):
                    total += count
                    upto.append((bound, total))
                assert (upto, point.count, point.sum) == (buckets, scraped["_count", ""], scraped["_sum", ""])
            else:
                value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
                assert value in (scraped.get(("_total", "")), scraped.get(("", "")))
    assert collector.metrics["twin_requests"].sum.is_monotonic


def test_logs_and_spans_arrive_and_hold_no_secret(collector: Collector) -> None:
    with sending(collector.address), served(lambda doc: doc.add_root(Div()), extra_patterns=api.ROUTES) as address:
        headers = {"X-Forwarded-Access-Token": SECRET, "Authorization": f"Bearer {SECRET}", "Cookie": f"user={SECRET}"}
        headers |= {"X-Forwarded-Email": "maya.okafor@caspers.example", "X-Request-ID": "joined"}
        assert fetch(f"{address}/api/v1/openapi.json", headers).status == 200
        logging.getLogger("twin.tests").warning("the refresh failed")
        logging.getLogger("urllib3").warning("of the sending itself")
    assert "the refresh failed" in collector.logs
    assert "of the sending itself" not in collector.logs
    assert any('"request": "joined"' in line for line in collector.logs)
    span = collector.spans["request openapi"]
    facts = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    assert facts == {"route": "openapi", "method": "GET", "status": 200}
    assert span.end_time_unix_nano > span.start_time_unix_nano
    for body in itertools.chain(*collector.bodies.values()):
        for secret in (SECRET, "maya.okafor"):
            assert secret.encode() not in body


def test_a_query_is_a_part_of_the_request_that_asks(collector: Collector) -> None:
    def request() -> None:
        span = telemetry.begin_span("request brands", current=True)
        with telemetry.query("brands"):
            pass
        span.end(route="brands")

    with sending(collector.address):
        copy_context().run(request)
        with telemetry.query("window"):
            pass
    spans = collector.spans
    assert spans["query brands"].parent_span_id == spans["request brands"].span_id
    assert spans["query brands"].trace_id == spans["request brands"].trace_id
    assert spans["query window"].parent_span_id == b""


def test_nothing_is_sent_or_imported_without_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert otlp.start(Settings.from_environment({})) is None
    assert telemetry.tracing is None
    with telemetry.query("brands"):
        telemetry.begin_span("request brands").end(route="brands")


def test_without_the_packages_it_is_said_and_the_server_starts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = Settings.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert otlp.start(settings) is None
    assert "pip install 'caspers-twin[telemetry]'" in caplog.text


def test_what_was_closed_sends_no_more(collector: Collector) -> None:
    handlers = [list(logger.handlers) for logger in (logging.getLogger(), telemetry.request_logger())]
    with sending(collector.address):
        pass
    sent = {name: len(bodies) for name, bodies in collector.bodies.items()}
    logging.getLogger("twin.tests").warning("afterwards")
    with telemetry.query("brands"):
        pass
    assert {name: len(bodies) for name, bodies in collector.bodies.items()} == sent
    assert [list(logger.handlers) for logger in (logging.getLogger(), telemetry.request_logger())] == handlers
