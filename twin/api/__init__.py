"""HTTP routes served beside the dashboards, under the server's prefix: `panel serve --plugins twin.api`.

`ROUTES` is the list of Tornado handlers. It comes into being when a server asks for it, and asking is taken as mounting: a
page then knows from `is_serving()` whether it may point the browser to these addresses, or whether it runs under a plain
`panel serve dashboards/*.py`, in a notebook or in a saved file, where nobody would answer (and Bokeh asks an unreachable
tile server again at every repaint).
"""

from typing import Any

from twin.api.health import HealthHandler, set_health
from twin.api.tiles import TileHandler, set_tilesets, tile_url

__all__ = ["HealthHandler", "TileHandler", "is_serving", "set_health", "set_tilesets", "tile_url"]

_ROUTES: list[tuple[str, type, dict[str, Any]]] = [
    (r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/.@]+)(@2x)?\.png", TileHandler, {}),
    (r"/healthz", HealthHandler, {}),
]
_mounted = False


def __getattr__(name: str) -> Any:
    if name != "ROUTES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    global _mounted
    _mounted = True
    return list(_ROUTES)


def is_serving() -> bool:
    """Return whether a server of this process has taken `ROUTES`."""
    return _mounted
