"""Sessions that nobody else can choose: a page's address may not name one, and its token holds nothing of the request's headers.

Bokeh takes a session's id from `?bokeh-session-id=`, a token from `?bokeh-token=`. Who sends somebody such a link shares that
visitor's document: he can put a script into it. A signature alone does not help, as everybody gets a signed token with a page of
his own. So only the WebSocket of the page itself takes a token.

Where each reads with his own rights, a page lives as long as they count (`Settings.rights_s`): then its WebSocket is closed and
its session joined by nobody, and the browser opens a new one, with the rights that its user has then.
"""

import logging
from typing import Any

from bokeh.util.token import check_token_signature, get_session_id
from panel.io.server import AutoloadJsHandler, DocHandler, WSHandler
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from twin.foundation.errors import SignInError
from twin.hub import Hub
from twin.server.admission import InTurn
from twin.server.embedding import embed_origins
from twin.server.process import process
from twin.server.templates import PAGES
from twin.server.visitors import Visitor, note_of

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 4 << 20
"""Bytes of a whole message of a page. A message comes in parts, and its first one says how many: there is no end to them."""
TOO_BIG = 1009
"""Code with which a WebSocket is closed for that."""
RIGHTS_ANEW = 4001
"""Code with which a WebSocket is closed when what its user may read is read anew; `connection.js` opens the page again."""
RIGHTS_LOOK_S = 5.0
"""Seconds between two looks whether that is due."""
ARGUMENTS = frozenset({"bokeh-session-id", "bokeh-token"})
HEADER = "Bokeh-Session-Id"


def names_a_session(request: HTTPServerRequest) -> bool:
    """Return whether a request chooses the session that it wants."""
    return bool(ARGUMENTS & request.arguments.keys()) or HEADER in request.headers


class _Unnamed(RequestHandler):
    """Logs a request that names a session without its address: that may be a token which still opens the session."""

    def _log(self) -> None:
        if names_a_session(self.request):
            log.warning("refused a request for %s that names a session", self.request.path)
        else:
            super()._log()


class PageHandler(_Unnamed, InTurn, DocHandler):
    """Answers a page with a session of its own."""

    async def prepare(self) -> None:
        """Refuse a request that names a session, with the way to a page of its own, and one of which it is not known whose
        rights it has.
        """
        if names_a_session(self.request):
            self.set_status(400)
            self.set_header("Cache-Control", "no-store")
            self.finish(PAGES.get_template("refused.html").render(path=self.request.path))
            return
        try:
            process.visitor_of(self.request)
        except SignInError as error:
            self.set_status(401)
            self.set_header("Cache-Control", "no-store")
            self.finish(PAGES.get_template("sign_in.html").render(reason=str(error)))
            return
        await super().prepare()


class SocketHandler(WSHandler):
    """A page's WebSocket: refuses a token that is not ours with 403. Bokeh would answer 500 and log a traceback.

    It also bounds a message as a whole; Tornado bounds each part.
    """

    _received = 0
    _visitor: Visitor | None = None
    _hub: Hub | None = None
    _look: object = None

    def open(self, *args: str, **kwargs: str) -> None:
        """Join the page's session; where its user reads with his own rights, for as long as these count."""
        super().open(*args, **kwargs)
        self._visitor = process.visitor_of(self.request)
        if self._visitor is not None:
            self._look_at_rights()

    def on_close(self) -> None:
        """Look no more."""
        if self._look is not None:
            IOLoop.current().remove_timeout(self._look)
        self._visitor = self._hub = None
        super().on_close()

    def _look_at_rights(self) -> None:
        hub = process.open_hub(self._visitor)
        if self._hub is not None and hub is not self._hub:
            if self.connection is not None:
                process.outlived.add(self.connection.session)
            self.close(RIGHTS_ANEW)
            return
        self._hub = hub
        self._look = IOLoop.current().call_later(RIGHTS_LOOK_S, self._look_at_rights)

    async def prepare(self) -> None:
        """Check the login, then the token in the second of the offered protocols."""
        await super().prepare()
        if not self._finished and not (self._has_our_token() and self._is_visitors_own()):
            self.set_status(403)
            self.finish()

    async def _receive(self, fragment: str | bytes) -> Any:
        """Return a message when its last part has come; close the connection if there are too many."""
        self._received += len(fragment)
        if self._received > LONGEST_MESSAGE:
            self.receiver = None  # frees what it holds
            self.close(TOO_BIG)
            return None
        message = await super()._receive(fragment)
        if message is not None:
            self._received = 0
        return message

    def _is_visitors_own(self) -> bool:
        """Return whether the page's session was opened by who now connects, where each reads with his own rights."""
        try:
            visitor = process.visitor_of(self.request)
        except SignInError:
            return False
        if visitor is None:
            return True
        wanted = get_session_id(self._offered_token())
        mine = next((one for one in self.application_context.sessions if one.id == wanted), None)
        # a session that is gone is made anew, for who connects
        return mine is None or (note_of(mine) is visitor and mine not in process.outlived)

    def _offered_token(self) -> str:
        return self.request.headers.get("Sec-WebSocket-Protocol", "").partition(",")[2].strip()

    def _has_our_token(self) -> bool:
        token = self._offered_token()
        server: Any = self.application
        try:
            return bool(check_token_signature(token, signed=server.sign_sessions, secret_key=server.secret_key))
        except (ValueError, KeyError, TypeError, AssertionError):  # no base64, no JSON, no id in it
            return False


class EmbedHandler(_Unnamed, InTurn, AutoloadJsHandler):
    """`autoload.js`, by which a page of another origin embeds ours: answers origins that the settings name, and 404 to others.

    Bokeh lets every origin read it, with the visitor's cookies: any page, also one on another port of the same host, would get
    the session's token, and whatever the visitor may see and do. A `<script>` names no origin, and would run for anybody.
    """

    def set_default_headers(self) -> None:
        """Let the origin read the answer, if it is named."""
        self.set_header("Vary", "Origin")
        if self._is_named():
            self.set_header("Access-Control-Allow-Origin", self.request.headers["Origin"])
            self.set_header("Access-Control-Allow-Credentials", "true")

    async def prepare(self) -> None:
        """Refuse everybody else, and a request that names a session, before anything is done."""
        if not self._is_named():
            self.send_error(404)
        elif names_a_session(self.request):
            self.send_error(400)
        else:
            await super().prepare()

    async def options(self, *_: str, **__: str) -> None:
        """Answer a preflight request."""
        self.set_header("Access-Control-Allow-Methods", "GET, OPTIONS")
        self.set_status(204)

    def _is_named(self) -> bool:
        return self.request.headers.get("Origin", "") in embed_origins()
