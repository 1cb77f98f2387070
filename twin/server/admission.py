"""Admits sessions up to a number per process and per client; who comes then gets a page that tries again by itself.

A session costs memory until a minute after its page was closed, and a playing one a share of a core, so without a limit one
visitor could take the server from all others.
"""

import contextlib
import logging
from typing import Any

from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession
from bokeh.server.tornado import BokehTornado
from bokeh.util.token import get_session_id
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from twin.foundation import counters
from twin.server.clients import client_of
from twin.server.process import process
from twin.server.templates import PAGES

log = logging.getLogger(__name__)

RETRY_S = 10
"""Seconds after which the page that says so tries again."""
SESSION_CONNECTIONS = 20
"""WebSockets of one session: a page has one, and a connection that broke may be held for a while beside its successor."""
LIMITED, TRUSTS_PROXY = "limits_sessions", "trusts_proxy"
"""Names in the application's settings: whether sessions are limited; whether it was started with --use-xheaders."""

PAGE, SOCKET, SCRIPT = "", "/ws", "/autoload.js"
"""Ends of the addresses below a page's that open sessions."""


def limit_sessions(server: BokehTornado) -> None:
    """Have a server admit sessions up to the settings' numbers, before or while it runs; a second call changes nothing."""
    if server.settings.get(LIMITED):
        return
    server.settings[LIMITED] = True
    # its rule comes before those of the pages, whatever handlers they have
    server.add_handlers(".*", [Rule(_NoRoom(server), FullHandler)])


class _NoRoom(Matcher):
    """Matches requests that would open a session, or a further connection of one, beyond the limits."""

    def __init__(self, server: BokehTornado) -> None:
        self._server = server
        self._pages = {
            server.prefix + ("" if path == "/" else path) + end: (context, end)
            for path, context in server.applications.items()
            for end in (PAGE, "/", SOCKET, SCRIPT)
        }

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        context, end = self._pages.get(request.path, (None, PAGE))
        if context is None:
            return None
        session = _requested_session(context, request) if end == SOCKET else None
        if session is None:
            reason = self._refusal(request)
        elif session.connection_count >= SESSION_CONNECTIONS:
            reason = "This session has too many connections."
        else:
            reason = ""
        return {"path_kwargs": {"reason": reason, "end": end}} if reason else None

    def _refusal(self, request: HTTPServerRequest) -> str:
        """Return why this client gets no further session, "" if it does; note on the request whose the session will be."""
        settings = process.settings_or_default
        client = client_of(request, bool(self._server.settings.get(TRUSTS_PROXY)))
        request.client = client  # type: ignore[attr-defined]  # the session's context holds the request
        sessions = [session for context in self._server.applications.values() for session in context.sessions]
        if len(sessions) >= settings.max_sessions:
            log.warning("no room for a session: %d are open (TWIN_MAX_SESSIONS)", len(sessions))
            return "All places on this server are taken."
        if client is None or len(sessions) < settings.client_sessions:
            return ""
        if sum(_client(session) == client for session in sessions) < settings.client_sessions:
            return ""
        log.warning(
            "no room for a further session of one client: it has %d (TWIN_CLIENT_SESSIONS)", settings.client_sessions
        )
        return "Too many pages are open from your address."


class FullHandler(RequestHandler):
    """Answers 503 where there is no room for a session; a page says so and tries again by itself."""

    def get(self, reason: str, end: str) -> None:
        """Send the page, or one line where a script or a WebSocket was requested."""
        counters.REFUSED_SESSIONS.inc()
        self.set_status(503)
        self.set_header("Retry-After", str(RETRY_S))
        self.set_header("Cache-Control", "no-store")
        if end in (SOCKET, SCRIPT):
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.write(f"{reason} Try again in {RETRY_S} seconds.\n")
            return
        self.write(PAGES.get_template("full.html").render(reason=reason, seconds=RETRY_S))

    head = get


def _requested_session(context: ApplicationContext, request: HTTPServerRequest) -> ServerSession | None:
    """Return the open session whose token a WebSocket offers, None if it would open a new one. No other request names one."""
    for token in request.headers.get("Sec-WebSocket-Protocol", "").split(",")[1:]:
        with contextlib.suppress(Exception):  # it may be anything; the WebSocket's handler says what is wrong with it
            wanted = get_session_id(token.strip())
            return next((session for session in context.sessions if session.id == wanted), None)
    return None


def _client(session: ServerSession) -> str | None:
    """Return whose a session is, as `_NoRoom` noted it on the request that opened it."""
    context = session.document.session_context
    return getattr(getattr(context, "request", None), "client", None)
