"""Routes for operators and developers: readiness (/readyz), metrics (/metrics) and the API's documentation."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from bokeh.server.tornado import BokehTornado
from prometheus_client import CONTENT_TYPE_LATEST

from twin.api.answer_cache import METADATA_S
from twin.api.docspage import page
from twin.api.handler import ApiHandler
from twin.api.models import Ready
from twin.api.openapi import document
from twin.foundation import counters
from twin.foundation.errors import TwinError
from twin.server import threads
from twin.server.headers import CSP, still_policy
from twin.server.process import process

log = logging.getLogger(__name__)

READY_WITHIN_S = 5.0
"""A source that takes longer to answer counts as not ready."""
COUNTED_WITHIN_S = 1.0
"""A source that takes longer to count its rows is left out of the metrics."""
Result = TypeVar("Result")


class ReadyHandler(ApiHandler):
    """200 with the source's latency, or 503 with the reason. Needs no login, because probes have none; it reveals no data."""

    route = asks_as = "readyz"
    guarded = False

    async def get(self) -> None:
        """Run one small query on the source and report how long it took."""
        try:
            latency = await asyncio.wait_for(_ready(), READY_WITHIN_S)
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
            counters.SESSIONS.set(sum(map(len, sessions)))
        counters.REJECTS.clear()
        with contextlib.suppress(TwinError, TimeoutError):  # the other metrics do not wait for the source
            if process.is_open:
                quality = await asyncio.wait_for(asyncio.shield(_rows.now()), COUNTED_WITHIN_S)
                for reason, rows in quality.rejected.items():
                    counters.REJECTS.labels(reason).set(rows)
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(counters.exposition())

    head = get


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


class _Shared(Generic[Result]):
    """A question of probes: those that come while one is under way share its answer."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._under_way: asyncio.Future[Result] | None = None

    def now(self) -> "asyncio.Future[Result]":
        """Return the answer as of now; one who gives up must not cancel it for the others (`asyncio.shield`)."""
        if self._under_way is None or self._under_way.done():
            self._under_way = threads.probes.run(self._work)
        return self._under_way


async def _ready() -> float:
    """Return the source's latency in seconds; none where only who looks may ask it, as nobody looks here."""
    if process.settings_or_default.on_behalf_of_user:
        return 0.0
    if not process.is_open:
        await asyncio.wrap_future(process.begin_opening())
    return await asyncio.shield(_latencies.now())


def _latency() -> float:
    began = time.perf_counter()
    process.hub().source.query("ready")
    return time.perf_counter() - began


_latencies = _Shared(_latency)
_rows = _Shared(lambda: process.hub().quality())
