"""The base map of a served page: tiles from its own server."""

from twin.hub import Hub
from twin.server.process import process
from twin.server.tiles import tile_url
from twin.views.map.map import BaseMap, OwnMap


def base_map(hub: Hub, location: str) -> BaseMap | None:
    """Return a location's base map as tile addresses; None where its routes could not be read. Returns at once."""
    tiles = process.built_tileset(hub, location)
    if tiles is None:
        return None
    url = tile_url(location, "{theme}", tiles.version).replace(".png", "{dense}.png")
    own = process.file_map()  # opened when the tiles were built
    file = None
    if own is not None:
        version = f"{own.version}{tiles.version}"
        address = tile_url(location, "file-{theme}", version).replace(".png", "{dense}.png")
        file = OwnMap(address, own.label, own.credit, tiles.names_of_file)
    problem = " ".join(filter(None, [tiles.places.problem, process.file_map_problem]))
    return BaseMap(url, tiles.routes, names=tiles.names, problem=problem, file=file)
