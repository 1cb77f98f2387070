"""Serves the base map's tiles: /tiles/{location}/{dark|light}/{z}/{x}/{y}.png, with @2x before .png for dense displays.

Those of the user's own map (`TWIN_TILES=city.pmtiles`) are at file-dark and file-light, whatever kind of picture they are; where
it has none, the tile of the streets is served.

Panel's login protects its own pages only. The tiles show where deliveries went, so the handler requires the same login.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from bokeh.server.views.auth_request_handler import AuthRequestHandler
from tornado.web import HTTPError

from twin.foundation import errand
from twin.foundation.errors import SignInError, UnknownLocationError
from twin.hub import Hub
from twin.render.filemap import FileMap
from twin.render.grid import is_tile
from twin.render.tiles import TileSet
from twin.render.tone import RAMPS
from twin.server.process import process

log = logging.getLogger(__name__)

OWN = "file-"
"""What the theme in the address of a tile of the user's own map begins with."""

RENDER_THREADS = 3
"""Rendering mostly runs without the interpreter lock; one thread more than cores leaves room for cached tiles."""

YEAR_S = 31_536_000

READ_THREADS = 8
"""Locations whose routes are read at once, without computing anything."""

_renderers = ThreadPoolExecutor(RENDER_THREADS, thread_name_prefix="tiles")
_readers = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="routes")


def tile_url(location: str, theme: str, version: str, dense: bool = False) -> str:
    """Return the address of a location's tiles for a tile source, relative to the page, with {Z}, {X} and {Y}.

    It contains the version of the data, so that a browser caches tiles without revalidation and never shows old ones.
    """
    return f"tiles/{quote(location, safe='')}/{theme}/{{Z}}/{{X}}/{{Y}}{'@2x' if dense else ''}.png?v={version}"


class TileHandler(AuthRequestHandler):
    """Serves one tile; rendered in a worker thread, so that the event loop goes on serving sessions."""

    _etag: str | None = None

    async def get(self, location: str, theme: str, z: str, x: str, y: str, dense: str | None = None) -> None:
        """404 for an unknown location, 400 for an invalid tile or theme, 403 without the login that the pages require."""
        if self.current_user is None:
            raise HTTPError(403)
        own, theme = theme.startswith(OWN), theme.removeprefix(OWN)
        if theme not in RAMPS:
            raise HTTPError(400, f"theme must be one of {', '.join(RAMPS)}")
        tile = _whole(z), _whole(x), _whole(y)
        if not is_tile(*tile):
            raise HTTPError(400, "no such tile")
        work = asyncio.get_running_loop().run_in_executor
        try:
            hub = await process.hub_of(self.request)
            tiles = (
                await work(_renderers, process.tileset, hub, location)
                if process.has_tileset(hub, location)
                else await _read(hub, location)
            )
        except UnknownLocationError as error:
            raise HTTPError(404, "unknown location") from error
        except SignInError as error:
            raise HTTPError(401) from error
        file = await work(_renderers, process.file_map) if own else None
        if own and file is None:
            raise HTTPError(404, "no map of a file")
        version = tiles.version if file is None else f"{file.version}{tiles.version}"
        self._etag = f'"{version}"'
        current = self.get_query_argument("v", "") == version
        self.set_header("Cache-Control", f"private, max-age={YEAR_S}, immutable" if current else "private, no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(304)
            return
        scale = 2 if dense else 1
        if file is None:
            picture, kind = await work(_renderers, tiles.tile, *tile, theme, scale), "image/png"
        else:
            picture, kind = await work(_renderers, _of_file, file, tiles, tile, theme, scale)
        self.set_header("Content-Type", kind)
        self.write(picture)

    def compute_etag(self) -> str | None:
        """Return the version of the data: address and version determine a tile's bytes, which need not be hashed."""
        return self._etag


def _of_file(file: FileMap, tiles: TileSet, tile: tuple[int, int, int], theme: str, scale: int) -> tuple[bytes, str]:
    """Return a tile of the user's own map and its type; that of the streets where the file has none, or a damaged one."""
    try:
        found = file.tile(*tile, theme, scale)
    except ValueError as error:
        log.warning("the streets are shown instead of a tile: %s", error)
        found = None
    return found or (tiles.tile(*tile, theme, scale), "image/png")


async def _read(hub: Hub, location: str) -> TileSet:
    """Return a location's base map when its routes are read, which may take long: all its tiles wait in one thread for that, so
    that those of other locations have threads of their own."""
    loop = asyncio.get_running_loop()
    key = (loop, hub, location)
    reading = _reading.get(key)
    if reading is None:
        reading = _reading[key] = loop.run_in_executor(_readers, _tileset, hub, location)
        reading.add_done_callback(lambda _: _reading.pop(key))
    return await asyncio.shield(reading)


def _tileset(hub: Hub, location: str) -> TileSet:
    with errand.on(page="tiles"):
        return process.tileset(hub, location)


_reading: dict[tuple[asyncio.AbstractEventLoop, Hub, str], asyncio.Future[TileSet]] = {}


def _whole(text: str) -> int:
    """Parse a non-negative decimal of at most 8 digits (zoom 20 has seven); -1, which is no tile, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 8 else -1
