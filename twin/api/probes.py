"""Routes for operators and developers: readiness (/readyz), metrics (/metrics) and the API's documentation."""

import asyncio
import json
import logging
import time

from bokeh.server.tornado import BokehTornado
from prometheus_client import CONTENT_TYPE_LATEST

from twin.api.answer_cache import METADATA_S
from twin.api.docspage import page
from twin.api.handler import ApiHandler
from twin.api.models import Ready
from twin.api.openapi import document
from twin.foundation import telemetry
from twin.foundation.errors import TwinError
from twin.server import threads
from twin.server.headers import CSP, still_policy
from twin.server.process import process

log = logging.getLogger(__name__)

READY_WITHIN_S = 5.0
"""A source that takes longer to answer counts as not ready."""


class ReadyHandler(ApiHandler):
    """200 with the source's latency, or 503 with the reason. Needs no login, because probes have none; it reveals no data."""

    route = asks_as = "readyz"
    guarded = False

    async def get(self) -> None:
        """Run one small query on the source and report how long it took."""
        try:
            latency = await asyncio.wait_for(asyncio.shield(_latency_now()), READY_WITHIN_S)
            answer = Ready(status="ready", latency_ms=round(1e3 * latency, 2))
        except TwinError as error:
            log.warning("not ready: %s", error)  # only logged: it may name a path or a host, and this route is public
            answer = Ready(
                status="failing", latency_ms=None, reason="The source does not answer; the server's log says why."
            )
        except TimeoutError:
            answer = Ready(status="failing", latency_ms=None, reason=f"No answer within {READY_WITHIN_S:g} s.")
        self.set_status(200 if answer.status == "ready" else 503)
        self.set_header("Content-Type", "application/json")
        self.write(answer.model_dump_json(exclude_none=True))

    head = get


class MetricsHandler(ApiHandler):
    """Prometheus text; requires the login, where there is one, because it reveals how much business there is."""

    route = asks_as = "metrics"

    async def get(self) -> None:
        """Update the gauges of sessions and rejects, and send all metrics."""
        if isinstance(self.application, BokehTornado):
            sessions = [self.application.get_sessions(path) for path in self.application.app_paths]
            telemetry.SESSIONS.set(sum(map(len, sessions)))
        if (
            process.settings_or_default.on_behalf_of_user
        ):  # each user has his own account of rows, and no other's business
            telemetry.REJECTS.clear()
            self._send()
            return
        try:
            quality = await threads.answers.run(lambda: process.hub().quality())
        except TwinError:  # the other metrics do not depend on the source
            telemetry.REJECTS.clear()
        else:
            telemetry.REJECTS.clear()
            for reason, rows in quality.rejected.items():
                telemetry.REJECTS.labels(reason).set(rows)
        self._send()

    head = get

    def _send(self) -> None:
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(telemetry.exposition())


class OpenApiHandler(ApiHandler):
    """The OpenAPI document."""

    route = "openapi"

    def get(self) -> None:
        """Send the document; it changes only with the program's version."""
        self.set_header("Cache-Control", f"private, max-age={METADATA_S}")
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({**document(), "servers": [{"url": self.base_url}]}))

    head = get


class DocsHandler(ApiHandler):
    """The API's documentation as a page."""

    route = "docs"

    def get(self) -> None:
        """Send the page."""
        self.set_header("Cache-Control", f"private, max-age={METADATA_S}")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header(CSP, still_policy(process.settings_or_default))
        self.write(page(self.base_url))

    head = get


def _latency_now() -> "asyncio.Future[float]":
    """Return the source's latency in seconds as of now; probes that come while one is under way share it."""
    global _under_way
    if _under_way is None or _under_way.done():
        _under_way = threads.probes.run(_latency)
    return _under_way


_under_way: "asyncio.Future[float] | None" = None


def _latency() -> float:
    began = time.perf_counter()
    if process.settings_or_default.on_behalf_of_user:  # nobody looks here, and the source is asked by who looks alone
        return time.perf_counter() - began
    process.hub().source.query("ready")
    return time.perf_counter() - began
