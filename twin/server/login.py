"""The login pages: Panel's login, slowed down and logged, with safe cookies and without requests to another host.

Panel checks passwords as fast as they are sent, logs nothing, sets cookies without Secure and SameSite, forwards to
`next=///another.host`, logs out by a mere GET, and loads its login page's logo from a CDN.
"""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bokeh.server.util import check_allowlist
from bokeh.settings import settings as bokeh_settings
from panel.auth import BasicLoginHandler, LogoutHandler, OAuthLoginHandler, PasswordLoginHandler
from panel.config import config
from panel.io.resources import BASIC_LOGIN_TEMPLATE, ERROR_TEMPLATE, LOGOUT_TEMPLATE
from panel.io.state import state
from tornado.web import HTTPError, RequestHandler

from twin.server.admission import TRUSTS_PROXY
from twin.server.clients import client_of
from twin.server.embedding import embed_origins
from twin.server.templates import PAGES

log = logging.getLogger(__name__)

FREE = 5
"""Wrong passwords in a row that a client may send as fast as a person mistypes."""
LONGEST_S = 60.0
"""Seconds that a client waits at most; the wait doubles with every wrong password."""
FORGET_S = 15 * 60.0
MOST_CLIENTS = 10_000
"""Clients that are remembered; the one whose last wrong password is oldest is forgotten first."""


class Attempts:
    """Counts wrong passwords per client, and says how long a client has to wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Return the seconds for which no password of a client is looked at, not even a right one; 0 if it may try."""
        count, last = self._wrong.get(client, (0, 0.0))
        return max(0.0, last + _pause_s(count) - self._clock())

    def failed(self, client: str) -> int:
        """Count a wrong password; return how many there are in a row."""
        now = self._clock()
        count, last = self._wrong.pop(client, (0, now))
        count = 1 if now - last > FORGET_S else count + 1
        self._wrong[client] = count, now
        if len(self._wrong) > MOST_CLIENTS:
            self._wrong.popitem(last=False)
        return count

    def succeeded(self, client: str) -> None:
        """Forget a client's wrong passwords."""
        self._wrong.pop(client, None)


def _pause_s(count: int) -> float:
    return 0.0 if count < FREE else min(LONGEST_S, 2.0 ** min(count - FREE, 10))


attempts = Attempts()
"""Those of this process."""


def is_local(path: str) -> bool:
    """Return whether a browser that is sent to `path` stays on this server.

    >>> [is_local(path) for path in ("/kiosk?frame=1", "//a.example", "///a.example", "/\\t/a.example", "https://a.example")]
    [True, False, False, False, False]
    """
    if re.search(r"[\x00-\x20\x7f\\]", path) or path.startswith("//"):
        return False
    try:
        parts = urlsplit(path)
    except ValueError:
        return False
    return path.startswith("/") and not parts.scheme and not parts.netloc


def is_from_another_site(handler: Any) -> bool:
    """Return whether a page of another origin made the browser send this request; for programs, which say neither, False."""
    headers = handler.request.headers
    sent = headers.get("Sec-Fetch-Site")  # sent over TLS, and to localhost
    if sent is not None:
        return sent not in ("same-origin", "none")
    if "Origin" not in headers:
        return False
    origin = urlsplit(headers["Origin"]).netloc.lower()
    own = [handler.request.host.lower(), *(bokeh_settings.allowed_ws_origin() or handler.application.websocket_origins)]
    return not origin or not check_allowlist(
        origin, own
    )  # behind a proxy the host may be another: as for the WebSocket


def set_safe_cookie(handler: RequestHandler, name: str, value: str | bytes, *place: Any, **options: Any) -> None:
    """Set a cookie that no script reads, that goes over TLS only where the page came over TLS, and not to us from other sites.

    In a frame on another site, which the settings must allow, the browser sends it only with SameSite=None, over TLS.
    """
    secure = handler.request.protocol == "https"
    framed = secure and bool(embed_origins())
    options |= {"httponly": True, "secure": secure, "samesite": "None" if framed else "Lax"}
    RequestHandler.set_cookie(handler, name, value, *place, **options)


class _Safe(RequestHandler):
    """What all login pages have in common."""

    def set_cookie(self, name: str, value: str | bytes, *place: Any, **options: Any) -> None:
        set_safe_cookie(self, name, value, *place, **options)

    def clear_cookie(self, name: str, **options: Any) -> None:
        """Remove a cookie where Panel sets it: on the configured path."""
        super().clear_cookie(name, **{"path": config.cookie_path, **options})

    def set_default_headers(self) -> None:
        """Keep answers out of caches. The browser has to name the form's origin, so that ours is told from another site's."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-Content-Type-Options", "nosniff")

    def get_argument(self, name: str, *default: Any, **options: Any) -> Any:
        """Return an argument; the page to go to, `next`, only if it is one of ours."""
        value = super().get_argument(name, *default, **options)
        if name == "next" and value and not is_local(value):
            return default[0] if default else options.get("default", "")
        return value

    def get_cookie(self, name: str, default: Any = None) -> Any:
        """Return a cookie; that for the page to go to only if it is one of ours."""
        value = super().get_cookie(name, default)
        return default if name == "next_url" and value and not is_local(value) else value

    def prefer(self, template: str, given: Any, panels: Any) -> Any:
        """Return the operator's template; if it is Panel's, which loads from a CDN, ours."""
        return PAGES.get_template(template) if given is panels else given


class _Slow(_Safe):
    """A login page that takes a password."""

    async def post(self) -> None:
        """Look at the password: 403 from a page of another site, 429 while the client has to wait, 401 if it is wrong."""
        trusts_proxy = bool(self.settings.get(TRUSTS_PROXY))
        client = client_of(self.request, trusts_proxy) or "behind a proxy"  # whom nobody can tell apart wait together
        if is_from_another_site(self):
            self._again(403, "Log in on this page; a login that another site sends is not taken.")
            return
        if wait := attempts.wait_s(client):
            self.set_header("Retry-After", str(int(wait) + 1))
            self._again(429, f"Too many wrong passwords. Try again in {int(wait) + 1} s.")
            return
        if await self._is_right():
            attempts.succeeded(client)
            return
        count = attempts.failed(client)
        log.warning("login: wrong password from %s, %d in a row, next try in %.0f s", client, count, _pause_s(count))
        self._again(401, "Wrong name or password.")

    async def _is_right(self) -> bool:
        raise NotImplementedError

    def _again(self, status: int, message: str) -> None:
        self.set_status(status)
        self._show(message)

    def _show(self, message: str = "") -> None:
        template = self.prefer("login.html", self._login_template, BASIC_LOGIN_TEMPLATE)  # type: ignore[attr-defined]
        self.finish(
            template.render(
                errormessage=message,
                username=self.get_body_argument("username", ""),
                login_endpoint=getattr(self, "_login_endpoint", "/login"),
                xsrf=self.xsrf_form_html() if self.settings.get("xsrf_cookies") else "",
                PANEL_CDN="",
            )
        )

    def get(self) -> Any:
        """Show the form."""
        self._show()


class _BasicLogin(_Slow, BasicLoginHandler):
    """Panel's `--basic-auth`, and PAM."""

    async def _is_right(self) -> bool:
        name = self.get_argument("username", "")
        if not name or not self._validate(name, self.get_argument("password", "")):  # the cookie of the login is a name
            return False
        self.set_current_user(name)
        home = str(state.base_url if state.base_url != "/" else f"{getattr(self.application, 'prefix', '')}/")
        there = self.get_argument("next", home)
        self.redirect(there if there.startswith(home) else home.rstrip("/") + there)
        return True


class _PasswordLogin(_Slow, PasswordLoginHandler):
    """A name and a password that an OAuth provider checks."""

    async def get(self) -> None:
        """Show the form, and remember where to go from it."""
        if there := self.get_argument("next", ""):
            self.set_cookie("next_url", there)
        self._show()

    async def _is_right(self) -> bool:
        try:
            await PasswordLoginHandler.post(self)
        except HTTPError as error:
            if error.status_code >= 500:
                raise
            return False
        return "user" in getattr(self, "_new_cookie", {})


class _OAuthLogin(_Safe, OAuthLoginHandler):
    """A login at the provider's own page."""


class _Logout(_Safe, LogoutHandler):
    """Logs out by POST: a picture on another site cannot."""

    def get(self) -> None:
        """Ask whether to log out."""
        self.finish(PAGES.get_template("logout.html").render(done=False, xsrf=self._field()))

    def post(self) -> None:
        """Log out, unless a page of another site wants it."""
        if is_from_another_site(self):
            self.set_status(403)
            self.get()
            return
        self._logout_template = self.prefer("logout.html", self._logout_template, LOGOUT_TEMPLATE)
        super().get()

    def _field(self) -> str:
        return self.xsrf_form_html() if self.settings.get("xsrf_cookies") else ""


def safe_login(handler: type[RequestHandler]) -> type[RequestHandler] | None:
    """Return what answers in place of one of Panel's login and logout pages; None if it is neither."""
    safe: type[RequestHandler]
    if issubclass(handler, _Safe):
        return handler
    if issubclass(handler, LogoutHandler):
        safe = _Logout
    elif issubclass(handler, BasicLoginHandler):
        safe = _BasicLogin
    elif issubclass(handler, PasswordLoginHandler):
        safe = _PasswordLogin
    elif issubclass(handler, OAuthLoginHandler):
        safe = _OAuthLogin
    else:
        return None
    own = {"_error_template": PAGES.get_template("error.html")}
    panels = getattr(handler, "_error_template", None) is ERROR_TEMPLATE
    return type(f"Safe{handler.__name__}", (safe, handler), own if panels else {})
