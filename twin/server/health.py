"""Serves /healthz: whether pages can be served now. Needs no login, because probes have none; it reveals no data."""

import logging

from tornado.web import RequestHandler

from twin.server.process import process

log = logging.getLogger(__name__)


class HealthHandler(RequestHandler):
    """200 {"status": "ok"}, or 503 with the reason."""

    async def get(self) -> None:
        """Answer a probe."""
        reason = process.failure
        self.set_header("Cache-Control", "no-store")
        if reason is not None:
            self.set_status(503)
            self.write({"status": "failing", "reason": reason})
            return
        self.write({"status": "ok"})

    head = get
