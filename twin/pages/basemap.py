"""The base map of a served page: tiles from its own server."""

from twin.hub import Hub
from twin.server.process import process
from twin.server.tiles import tile_url
from twin.views.map.map import BaseMap


def base_map(hub: Hub, location: str) -> BaseMap | None:
    """Return a location's base map as tile addresses; None where its routes could not be read. Returns at once."""
    tiles = process.built_tileset(hub, location)
    if tiles is None:
        return None
    url = tile_url(location, "{theme}", tiles.version).replace(".png", "{dense}.png")
    names = [name.as_json() for name in tiles.names]
    return BaseMap(url, tiles.routes, names=names, problem=tiles.places.problem)
