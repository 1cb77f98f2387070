"""HTTP routes served beside the dashboards, under the server's prefix: `panel serve --plugins twin.api`.

`ROUTES` is the list of Tornado handlers. It comes into being when a server asks for it, and asking is taken as mounting; a
page under a plain `panel serve dashboards/*.py` mounts them itself with `mount()`. Either way it knows whether it may point
the browser to these addresses, or whether it runs in a notebook or a saved file, where nobody would answer (and Bokeh asks
an unreachable tile server again at every repaint).
"""

from typing import Any

from twin.api.assets import AssetHandler, publish
from twin.api.attach import attach, is_answering
from twin.api.endpoints import BASE, ENDPOINTS, JsonHandler
from twin.api.handler import NothingHere
from twin.api.health import HealthHandler, set_health
from twin.api.probes import DocsHandler, MetricsHandler, OpenApiHandler, ReadyHandler
from twin.api.replay import ReplayHandler
from twin.api.source import set_source
from twin.api.tiles import TileHandler, set_tilesets, tile_url
from twin.api.user import UserHandler, user_url

__all__ = [
    "HealthHandler",
    "TileHandler",
    "is_answering",
    "is_serving",
    "mount",
    "publish",
    "set_health",
    "set_source",
    "set_tilesets",
    "tile_url",
    "user_url",
]

_ROUTES: list[tuple[str, type, dict[str, Any]]] = [
    (r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/.@]+)(@2x)?\.png", TileHandler, {}),
    (r"/assets/([0-9a-f]+)\.js", AssetHandler, {}),
    (r"/healthz", HealthHandler, {}),
    (r"/readyz", ReadyHandler, {}),
    (r"/metrics", MetricsHandler, {}),
    (r"/user", UserHandler, {}),
    *((endpoint.pattern, JsonHandler, {"endpoint": endpoint}) for endpoint in ENDPOINTS),
    (BASE + r"/locations/([^/]+)/replay", ReplayHandler, {}),
    (BASE + r"/openapi\.json", OpenApiHandler, {}),
    (BASE + r"/docs", DocsHandler, {}),
    (BASE + r"(?:/.*)?", NothingHere, {}),
]
_mounted = False


def __getattr__(name: str) -> Any:
    if name != "ROUTES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    global _mounted
    _mounted = True
    return list(_ROUTES)


def is_serving() -> bool:
    """Return whether a server of this process was given `ROUTES`, or the current page's server `mount()`."""
    return _mounted


def mount() -> bool:
    """Add the routes, and compression, to the server that runs the current page; return whether it answers them now.

    Call it from a page's code, on the event loop; in a notebook or a script there is no server, and nothing happens.
    """
    global _mounted
    answers = attach(_ROUTES)
    _mounted = _mounted or answers
    return answers
