"""The base map of a served page: tiles from its own server."""

from twin.server.process import process
from twin.server.tiles import tile_url
from twin.views.map.map import BaseMap


def base_map(location: str) -> BaseMap:
    """Return a location's base map as tile addresses. Raises `UnknownLocationError`."""
    tiles = process.tileset(location)
    return BaseMap(tile_url(location, "{theme}", tiles.version).replace(".png", "{dense}.png"), tiles.routes)
