"""Serves /healthz: whether the page can be served now. Open to all, as probes do not log in; it tells no data."""

import asyncio
import logging
from collections.abc import Callable

from tornado.web import RequestHandler

log = logging.getLogger(__name__)

_check: Callable[[], str | None] | None = None


def set_health(check: Callable[[], str | None] | None) -> None:
    """Let `check` tell what keeps the page from being served, in one sentence fit for anyone's eyes, or None.

    It is called in a worker thread at every probe. Without one, a server that answers counts as healthy.
    """
    global _check
    _check = check


class HealthHandler(RequestHandler):
    """200 {"status": "ok"}, or 503 with the reason."""

    async def get(self) -> None:
        """Answer a probe."""
        reason = await asyncio.get_running_loop().run_in_executor(None, _reason)
        self.set_header("Cache-Control", "no-store")
        if reason is not None:
            self.set_status(503)
            self.write({"status": "failing", "reason": reason})
            return
        self.write({"status": "ok"})

    head = get


def _reason() -> str | None:
    if _check is None:
        return None
    try:
        return _check()
    except Exception:  # whatever breaks in the check is the answer to the probe: this page cannot be trusted now
        log.exception("health check failed")
        return "The health check itself failed; see the server's log."
