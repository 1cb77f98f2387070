"""The HTTP API: routes that the pages' server also answers.

`ROUTES` is the list of Tornado handlers; `panel serve --plugins twin.api` adds them. Under a plain `panel serve
dashboards/*.py` a page adds them to its server with `mount()`, and learns whether its server answers them: in a notebook or a
saved file none does, and a page must not use the addresses, as Bokeh requests unreachable tiles at every repaint.

A server that is made after this module was imported has its headers and its check of the Host header from the first request on.
"""

from typing import Any

from twin.api.alerts import AlertsHandler
from twin.api.endpoints import BASE, ENDPOINTS, JsonHandler
from twin.api.handler import NothingHere
from twin.api.inbox import InboxHandler
from twin.api.live import LiveHandler, LiveSocket
from twin.api.probes import DocsHandler, MetricsHandler, OpenApiHandler, ReadyHandler
from twin.api.stream import ReplayHandler
from twin.api.user import UserHandler, user_url
from twin.server.assets import AssetHandler
from twin.server.attach import attach
from twin.server.guard import guard_servers
from twin.server.health import HealthHandler
from twin.server.hosts import ConnectionHandler
from twin.server.icon import IconHandler
from twin.server.tiles import TileHandler

__all__ = ["ROUTES", "mount", "user_url"]

ROUTES: list[tuple[str, type, dict[str, Any]]] = [
    (r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/.@]+)(@2x)?\.png", TileHandler, {}),
    (r"/assets/((?:[a-z]+\.)?[0-9a-f]+\.(?:js|woff2))", AssetHandler, {}),
    (r"/healthz", HealthHandler, {}),
    (r"/readyz", ReadyHandler, {}),
    (r"/metrics", MetricsHandler, {}),
    (r"/user", UserHandler, {}),
    (r"/connection", ConnectionHandler, {}),
    (r"/favicon\.ico", IconHandler, {}),
    # once more under the API: a Databricks app's proxy takes tokens of programs there only
    (BASE + r"/healthz", HealthHandler, {}),
    (BASE + r"/readyz", ReadyHandler, {}),
    (BASE + r"/metrics", MetricsHandler, {}),
    *((endpoint.pattern, JsonHandler, {"endpoint": endpoint}) for endpoint in ENDPOINTS),
    (BASE + r"/locations/([^/]+)/replay", ReplayHandler, {}),
    (BASE + r"/locations/([^/]+)/live", LiveHandler, {}),
    (r"/ws/v1/locations/([^/]+)/live", LiveSocket, {}),
    (BASE + r"/events", InboxHandler, {}),
    (BASE + r"/alerts((?:/[A-Za-z0-9_-]{1,64}){0,2})", AlertsHandler, {}),
    (BASE + r"/openapi\.json", OpenApiHandler, {}),
    (BASE + r"/docs", DocsHandler, {}),
    (BASE + r"(?:/.*)?", NothingHere, {}),
]

guard_servers()  # `panel serve` imports its plugins just before it makes its server


def mount() -> bool:
    """Add the routes and compression to the server of the current page; return whether it answers them now.

    Call it from a page's code, on the event loop. In a notebook or a script there is no server, and nothing happens.
    """
    return attach(ROUTES)
