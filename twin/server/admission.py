"""Admits sessions up to a number per process and per client, one at a time; who finds no room gets a page that tries again.

A session costs memory until a minute after its page was closed, and a playing one a share of a core, so without a limit one
visitor could take the server from all others.
"""

import asyncio
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
OPENING = "opening_session"
"""Name in the application's settings of the lock under which sessions are opened."""
ROUNDS = 10
"""Rounds of the event loop before an opening: so many a request takes at most that is answered at once."""

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
            reason = _refusal(self._server, request)
        elif session.connection_count >= SESSION_CONNECTIONS:
            reason = "This session has too many connections."
        else:
            reason = ""
        return {"path_kwargs": {"reason": reason, "end": end}} if reason else None


class InTurn(RequestHandler):
    """Opens a session when it is its turn."""

    _is_gone = False

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Answer when it is this request's turn: sessions are opened one at a time, and others are served between two.

        When a server comes back, all its pages do at once. Opened in one go, they would hold up the event loop for seconds, and
        each further step of a page (scripts, WebSocket, document) would wait behind the opening of all others.
        """
        async with self.settings.setdefault(OPENING, asyncio.Lock()):
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
            if self._is_gone:
                return
            server: Any = self.application
            # those before may have taken the last place since this request was admitted
            reason = _refusal(server, self.request) if server.settings.get(LIMITED) else ""
            if reason:
                _refuse(self, reason, SCRIPT if self.request.path.endswith(SCRIPT) else PAGE)
                return
            opening: Any = super().get(*args, **kwargs)
            await opening

    def on_connection_close(self) -> None:
        """Note that nobody waits for the answer any more."""
        self._is_gone = True
        super().on_connection_close()


class FullHandler(RequestHandler):
    """Answers 503 where there is no room for a session; a page says so and tries again by itself."""

    def get(self, reason: str, end: str) -> None:
        """Send the page, or one line where a script or a WebSocket was requested."""
        _refuse(self, reason, end)

    head = get


def _refuse(handler: RequestHandler, reason: str, end: str) -> None:
    counters.REFUSED_SESSIONS.inc()
    handler.set_status(503)
    handler.set_header("Retry-After", str(RETRY_S))
    handler.set_header("Cache-Control", "no-store")
    if end in (SOCKET, SCRIPT):
        handler.set_header("Content-Type", "text/plain; charset=utf-8")
        handler.write(f"{reason} Try again in {RETRY_S} seconds.\n")
        return
    handler.write(PAGES.get_template("full.html").render(reason=reason, seconds=RETRY_S))


def _refusal(server: BokehTornado, request: HTTPServerRequest) -> str:
    """Return why this client gets no further session, "" if it does; note on the request whose the session will be."""
    settings = process.settings_or_default
    client = client_of(request, bool(server.settings.get(TRUSTS_PROXY)))
    request.client = client  # type: ignore[attr-defined]  # the session's context holds the request
    sessions = [session for context in server.applications.values() for session in context.sessions]
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
