"""Under which names a server may be opened: the check of the Host header, and the origins that may open a WebSocket.

A page of another site can point a name of its own at 127.0.0.1 (DNS rebinding); for the browser its requests then go to that
site, so that neither CORS nor cookies hold it back, and a server without a login answers. Only the Host header tells: it is the
name in the browser's address bar, and rebinding needs a name. So a plain address is always answered, a name only if it is
localhost or was given: in TWIN_HOSTS, BOKEH_ALLOW_WS_ORIGIN or `--allow-websocket-origin`. Where there is a login, a stranger's
page has no cookie; a Databricks app is reached through the platform's proxy only.

Tornado accepts a WebSocket whose Origin is the Host. Where a proxy puts another Host in its place, the Origin is compared with
Bokeh's list, which by default holds localhost alone: the same names belong there.
"""

import ipaddress
import logging
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from bokeh.server.auth_provider import AuthProvider
from bokeh.server.tornado import BokehTornado
from bokeh.server.util import check_allowlist, match_host
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from bokeh.settings import settings as bokeh_settings
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.web import HTTPError, RequestHandler

from twin.server import health
from twin.server.process import process

log = logging.getLogger(__name__)

PROBES = (*health.PATHS, "/readyz", "/api/v1/readyz")
"""Answered under any name: they tell nothing, and an orchestrator asks by whatever name it has."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
DEFAULT_PORTS = (":80", ":443")
MOST_LOGGED = 20
"""Names that are logged when they are refused; further ones are a scan."""
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class StrangeHost(Matcher):
    """Matches requests under a name that is not the server's."""

    def __init__(self, server: BokehTornado) -> None:
        self._server = server
        self._probes = tuple(server.prefix + path for path in PROBES)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return no parameters for a request to refuse, None for one to answer."""
        if (
            request.path in self._probes
            or has_login(self._server.auth_provider)
            or process.settings_or_default.app_name
        ):
            return None
        return None if is_allowed(request.host_name, self._server) else {}


class RefusedHost(RequestHandler):
    """Answers any request under a strange name with 403 and the setting that would allow it."""

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        name = re.sub(r"[^\w.:\[\]-]", "?", self.request.host_name)[:253]
        if name not in process.refused_hosts and len(process.refused_hosts) < MOST_LOGGED:
            process.refused_hosts.add(name)
            log.warning("refused a request for %s: name it in TWIN_HOSTS if it is this server's", name)
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(
            f"This server does not answer to the name {name}. If it is its own, start it with TWIN_HOSTS={name} "
            "(docs/hosting.md).\n"
        )


class ConnectionHandler(AuthRequestHandler):
    """GET /connection?origin=…: {"allowed": …}, whether a page from that origin may open a WebSocket.

    A page whose WebSocket is refused asks, because a browser does not tell a page why.
    """

    def get(self) -> None:
        """Answer; 403 without the login that the pages require."""
        if self.current_user is None:
            raise HTTPError(403)
        host = urlsplit(self.get_query_argument("origin", "")).netloc.lower()
        same = host == self.request.host.lower()
        self.set_header("Cache-Control", "no-store")
        self.write({"allowed": bool(host) and (same or check_allowlist(host, websocket_origins(self.application)))})

    head = get


def is_allowed(host: str, server: BokehTornado) -> bool:
    """Return whether a request for this host (without port) is for this server."""
    if host == "localhost" or _is_address(host):
        return True
    allowed = (_without_port(text) for text in (*process.settings_or_default.hosts, *websocket_origins(server)))
    return any(host == name or ("*" in name and match_host(host, name)) for name in allowed)


def has_login(provider: AuthProvider) -> bool:
    """Return whether the server asks who somebody is."""
    return provider.get_user is not None or provider.get_user_async is not None


def allow_origins(server: BokehTornado) -> None:
    """Let pages under the server's own names open WebSockets.

    These are the names of TWIN_HOSTS, the address that the server is bound to, and every loopback name where one of them may.
    """
    named = [_without_default_port(host) for host in process.settings_or_default.hosts]
    own = urlsplit(server.resources(absolute_url=True).root_url or "")
    if own.hostname and _is_address(own.hostname) and not ipaddress.ip_address(own.hostname).is_unspecified:
        named.append(own.netloc)
    server.websocket_origins.update(_with_loopback([*server.websocket_origins, *named]))
    if given := bokeh_settings.allowed_ws_origin():  # comes before the server's own list
        bokeh_settings.allowed_ws_origin = _with_loopback([*given, *named])


def _with_loopback(origins: Iterable[str]) -> list[str]:
    """Add localhost, 127.0.0.1 and ::1 with the ports under which one of them is listed."""
    origins = list(origins)
    ports = [found[2] or "" for found in map(_LOCAL.fullmatch, origins) if found]
    return list(dict.fromkeys([*origins, *(name + port for port in ports for name in LOOPBACK)]))


def websocket_origins(server: Any) -> list[str]:
    """Return the origins whose pages may open a WebSocket, as Bokeh chooses them."""
    return list(bokeh_settings.allowed_ws_origin() or server.websocket_origins)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    return re.sub(r":(\d+|\*)$", "", host.strip().lower())


def _without_default_port(host: str) -> str:
    """A browser's Origin has no default port, and Bokeh takes a name without one for any port."""
    return next((host.removesuffix(port) for port in DEFAULT_PORTS if host.endswith(port)), host)
