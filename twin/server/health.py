"""Serves /healthz, also under the API: whether pages can be served now. Needs no login, as probes have none; reveals no data."""

import json
from http.client import responses

from tornado.web import RequestHandler

from twin.server.headers import text_headers
from twin.server.process import process
from twin.server.watchdog import HANG_S

PATHS = ("/healthz", "/api/v1/healthz")
"""The second is for programs with a token of Databricks, whose proxy takes tokens for addresses under /api only."""
HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def health() -> tuple[int, dict[str, str]]:
    """Return the status and the answer: 200 {"status": "ok"}, or 503 with the reason. May be called in any thread."""
    watchdog = process.watchdog
    if watchdog is not None and watchdog.silent_s > HANG_S:
        return 503, {"status": "failing", "reason": f"The server has answered nobody for {watchdog.silent_s:.0f} s."}
    if (reason := process.failure) is not None:
        return 503, {"status": "failing", "reason": reason}
    return 200, {"status": "ok"}


def health_response() -> bytes:
    """Return the whole HTTP response to a probe, after which the connection is closed."""
    status, answer = health()
    body = json.dumps(answer).encode()
    headers = {**HEADERS, **text_headers(), "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} {responses[status]}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class HealthHandler(RequestHandler):
    """Answers probes on connections that the event loop serves, as a proxy reuses them; others are answered at the door."""

    async def get(self) -> None:
        """Answer a probe."""
        status, answer = health()
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_status(status)
        self.write(json.dumps(answer))

    head = get
