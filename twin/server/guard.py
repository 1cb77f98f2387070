"""Guards the server that runs our pages: goes through its table of routes, and closes what Bokeh and Panel leave open.

`guard_servers()` does so for every server that this process makes from then on, as for `twin serve` and `panel serve --plugins
twin.api`. Under a plain `panel serve dashboards/*.py` our code runs with the first page only, so the page guards the server that
answers it (`twin.server.attach`); what is open until then stands in docs/security.md.
"""

from collections.abc import Iterator
from typing import Any

import bokeh.server.server
from bokeh.server.tornado import BokehTornado
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from bokeh.server.views.autoload_js_handler import AutoloadJsHandler
from bokeh.server.views.doc_handler import DocHandler
from bokeh.server.views.ico_handler import IcoHandler
from bokeh.server.views.metadata_handler import MetadataHandler
from bokeh.server.views.multi_root_static_handler import MultiRootStaticHandler
from bokeh.server.views.static_handler import StaticHandler
from bokeh.server.views.ws import WSHandler
from bokeh.settings import settings as bokeh_settings
from panel.auth import OAuthProvider
from panel.config import config
from panel.io.server import AuthenticatedStaticFileHandler, ComponentResourceHandler
from panel.io.state import state
from tornado.routing import Router, Rule, RuleRouter
from tornado.web import HTTPError, RequestHandler

from twin.foundation.errors import ConfigError
from twin.server.admission import limit_sessions
from twin.server.embedding import embed_hosts
from twin.server.headers import Headers
from twin.server.hosts import RefusedHost, StrangeHost, allow_origins
from twin.server.login import safe_login, set_safe_cookie
from twin.server.process import process
from twin.server.secrets import COOKIES, SESSIONS, key
from twin.server.sessions import EmbedHandler, PageHandler, SocketHandler
from twin.server.writes import send_all_changes

BROUGHT_BY = ("bokeh", "panel", "tornado")
PUBLIC = (StaticHandler, MultiRootStaticHandler, IcoHandler)
"""Scripts and pictures of Bokeh and Panel, which anybody can install."""

ASK_FOR_LOGIN = (AuthRequestHandler, AuthenticatedStaticFileHandler)


class Closed(RequestHandler):
    """Answers 404, and does nothing else, whatever the address names."""

    def initialize(self, **_: Any) -> None:
        """Take the options of the handler in whose place it is."""

    def prepare(self) -> None:
        """404 for every method."""
        raise HTTPError(404)


CLOSED = (ComponentResourceHandler, MetadataHandler)
"""Routes that our pages do not use. Panel's `/components/MODULE/…` imports whatever module an address names, without a login:
one GET ended the server. Resources that a page declares are therefore served as `twin.server.assets`."""


class GuardedTornado(BokehTornado):
    """Bokeh's server with signed sessions that it names itself, no header of a request in a page, and guarded routes."""

    def __init__(self, *applications: Any, **options: Any) -> None:
        secret = options.get("secret_key") or bokeh_settings.secret_key_bytes() or _key(SESSIONS)
        options |= {"secret_key": secret, "sign_sessions": True, "generate_session_ids": True}
        for what in ("headers", "cookies"):
            if options.get(f"include_{what}") is None:  # what an operator names is let in
                options[f"include_{what}"] = []
                options.pop(f"exclude_{what}", None)
        super().__init__(*applications, **options)
        guard(self)


def guard_servers() -> None:
    """Guard every server that this process makes from now on. Calling it again changes nothing."""
    bokeh.server.server.BokehTornado = GuardedTornado  # type: ignore[misc]


def use_own_keys(given: str | None) -> None:
    """Set the key of login cookies before Panel asks for one, unless the operator gave one."""
    if given is None and not config.cookie_secret:
        config._cookie_secret = _key(COOKIES).decode()


def guard(server: BokehTornado) -> None:
    """Put safe handlers in place of those that Bokeh and Panel brought, give every answer its headers, check under which name a
    request comes, limit sessions, and see to it that a login has its keys.

    Raises `ConfigError` for a login that would write secrets into the page.
    """
    # Panel sets cookies in whichever handler asks for the login
    AuthRequestHandler.set_cookie = set_safe_cookie  # type: ignore[assignment, method-assign]
    send_all_changes()
    for rule in rules(server):
        if isinstance(rule.target, type) and issubclass(rule.target, RequestHandler):
            rule.target = safe(rule.target)
    if Headers not in server.transforms:
        server.transforms.insert(0, Headers)
        server.add_handlers(r".*", [Rule(StrangeHost(server), RefusedHost)])
        limit_sessions(server)
        allow_origins(server)
    server.websocket_origins.update(embed_hosts())
    if server.include_headers is None:
        server._include_headers = []
    if server.include_cookies is None:
        server._include_cookies = []
    provider = server.auth_provider
    if provider.get_user or provider.get_user_async:
        if not server.settings.get("cookie_secret"):
            use_own_keys(None)
            server.settings["cookie_secret"] = config.cookie_secret
        if isinstance(provider, OAuthProvider) and config.oauth_refresh_tokens and state.encryption is None:
            raise ConfigError(
                "With --oauth-refresh-tokens Panel writes the provider's tokens into the page, readable unless there is a key. "
                "Make one with `panel oauth-secret`, and set PANEL_OAUTH_ENCRYPTION to it."
            )


def rules(router: Any) -> Iterator[Rule]:
    """Return the rules of a server, those of routers inside it included, in no particular order."""
    for rule in getattr(router, "default_router", router).rules:
        if isinstance(rule.target, RuleRouter):
            yield from rules(rule.target)
        elif not isinstance(rule.target, Router):
            yield rule


def safe(handler: type[RequestHandler]) -> type[RequestHandler]:
    """Return what answers in place of a handler: itself if it is ours, an operator's, or safe already."""
    if handler.__module__.split(".")[0] not in BROUGHT_BY or issubclass(handler, PUBLIC):
        return handler
    if issubclass(handler, CLOSED):
        return Closed
    if issubclass(handler, AutoloadJsHandler):
        return EmbedHandler
    if issubclass(handler, DocHandler):
        return PageHandler
    if issubclass(handler, WSHandler):
        return SocketHandler
    if login := safe_login(handler):
        return login
    return handler if issubclass(handler, ASK_FOR_LOGIN) else _behind_login(handler)


def _behind_login(handler: type[RequestHandler]) -> type[RequestHandler]:
    """Return the handler, answering only who is logged in: Panel's REST, liveness and static routes ask nobody."""

    async def prepare(self: Any) -> None:
        await AuthRequestHandler.prepare(self)
        if self.current_user is None:
            raise HTTPError(403)
        if (begun := handler.prepare(self)) is not None:
            await begun

    return type(f"Guarded{handler.__name__}", (AuthRequestHandler, handler), {"prepare": prepare})


def _key(purpose: str) -> bytes:
    return key(process.settings_or_default.secrets, purpose)
