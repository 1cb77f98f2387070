"""The base map: tiles that Datashader draws from the routes in the data, over the water and parks of a place file, without a
network, a third party or a token.

Rendering a block of tiles takes tens of milliseconds: do it in a thread, never on the event loop. Rendered tiles are kept in a
cache that the maps of a process share.
"""

import math
import threading
from functools import cached_property
from typing import Any

import datashader as ds
import numpy as np
import pandas as pd

from twin.foundation.cache import ByteCache, SingleFlight
from twin.foundation.geo import nearest_copy
from twin.render.grid import MAX_ZOOM, MIN_ZOOM, TILE_PX, is_tile, metres_per_pixel, tile_box
from twin.render.ground import Ground, compose, palette
from twin.render.places import NOTHING, Places
from twin.render.png import encode, repaint
from twin.render.streets import Box, Streets, Strokes
from twin.render.tone import FEW, ROADS, SURROUNDINGS_PX, TRACES, Curve, Floats, contrast, soften, widen

BLOCK = 4
"""Tiles are rendered in blocks of 4 × 4: the margin around a block costs little, around a single tile it doubles the work."""

STYLE_VERSION = 2
"""Increase it with every change to the drawing: browsers cache tiles for a year."""

CACHE_BYTES = 96 * 2**20
"""A city's tiles, zooms 10 to 17, both themes (they share pixels), of some four locations."""

MAX_IMAGE_PX = 4096
"""Longest side of one image: larger ones would take hundreds of megabytes to render."""

_SAMPLE_TILES = 16
"""Tiles from which the curve of a zoom level is computed: a million pixels represent the whole map."""

_PEN_ZOOM = 13
"""Zoom level for which the pen of a style is given. It widens by √2 per level, half as fast as the streets."""

_NAMES_AROUND = 0.75
"""Names are sent of so much more than the streets' extent on each side, because a screen is wider than a city is."""

_FINEST_PX, _WIDEST_PX, _WIDEST_SURROUNDINGS = 1.0, 8.0, 2.5

_compiling = threading.Lock()
"""Datashader's compiled code belongs to the process, so its lock does too."""


class TileSet:
    """The base map of one set of streets; safe to use from any number of threads."""

    def __init__(self, streets: Streets, rendered: ByteCache[bytes] | None = None, places: Places = NOTHING) -> None:
        """Prepare the strokes. Tiles are drawn on request and cached in `rendered`, which several maps may share."""
        self._rendered: ByteCache[bytes] = ByteCache(CACHE_BYTES) if rendered is None else rendered
        self._blocks: SingleFlight[dict[tuple[int, int], bytes]] = SingleFlight()
        self._curves: SingleFlight[Curve] = SingleFlight()
        self.version = f"{streets.version}{STYLE_VERSION}{places.version}"
        """Changes with the data and with their style; part of the tiles' URLs."""
        self.routes = streets.routes
        """Number of routes that it is drawn from."""
        self.places = places
        self.names_of_file: list[dict[str, Any]] = []
        """The names around these streets in the user's own map, if there is one (`twin.render.filemap`), as `names`."""
        self._ground = Ground(places)
        self._strokes = Strokes.of(streets)
        self._style = FEW if streets.few else ROADS if self._strokes.on_roads else TRACES
        self._tones: dict[int, Curve] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the streets and places, without tiles."""
        return self._strokes.nbytes + self.places.nbytes

    @property
    def surroundings(self) -> Box | None:
        """The box in which names are written: the streets and what is around them; None without streets."""
        box = self._strokes.extent
        if box is None:
            return None
        wide, high = (box[2] - box[0]) * _NAMES_AROUND, (box[3] - box[1]) * _NAMES_AROUND
        return box[0] - wide, box[1] - high, box[2] + wide, box[3] + high

    @cached_property
    def names(self) -> list[dict[str, Any]]:
        """The names to write on the map, in and around the streets, as the browser gets them: `Name.as_json`."""
        box = self.surroundings
        return [] if box is None else [name.as_json() for name in self.places.names_in(box)]

    def tile(self, z: int, x: int, y: int, theme: str, scale: int = 1) -> bytes:
        """Return a tile as PNG of 256 pixels, or 512 at scale 2, for high-density displays.

        Raises ValueError for a tile outside the scheme, KeyError for an unknown theme.
        """
        colours = palette(theme)
        if not is_tile(z, x, y) or scale not in (1, 2):
            raise ValueError(f"There is no tile {z}/{x}/{y} at scale {scale}.")
        key = (self.version, scale, z, x, y)
        pixels = self._rendered.get(key)
        if pixels is None:
            column, row = x // BLOCK * BLOCK, y // BLOCK * BLOCK
            block = self._blocks.run((scale, z, column, row), lambda: self._block(z, column, row, scale))
            pixels = block[x - column, y - row]
        return repaint(pixels, colours)

    def image(self, extent: Box, width: int, height: int, theme: str) -> bytes:
        """Return the map of `extent` as one PNG of `width` × `height` pixels, for pages without a server.

        Raises ValueError for an image larger than `MAX_IMAGE_PX`, KeyError for an unknown theme.
        """
        if not (0 < width <= MAX_IMAGE_PX and 0 < height <= MAX_IMAGE_PX):
            raise ValueError(f"An image has 1 to {MAX_IMAGE_PX} pixels a side, not {width} × {height}.")
        zoom = math.log2(metres_per_pixel(0) * width / (extent[2] - extent[0]))
        curve = self._curve(round(min(max(zoom, MIN_ZOOM), MAX_ZOOM)))
        levels = curve.levels(self._values(extent, width, height, zoom))
        return encode(compose(levels, self._ground.classes(extent, width, height)), palette(theme))

    def _block(self, z: int, x: int, y: int, scale: int) -> dict[tuple[int, int], bytes]:
        """Render the block whose north-west tile is x, y: PNGs by (column, row) within it, in the dark palette."""
        across = min(BLOCK, 2**z)
        keys = {(i, j): (self.version, scale, z, x + i, y + j) for j in range(across) for i in range(across)}
        cached = {place: png for place, key in keys.items() if (png := self._rendered.get(key)) is not None}
        if len(cached) == len(keys):  # another thread has finished the block since we looked into the cache
            return cached
        side = TILE_PX * scale
        box = tile_box(z, x, y, across)
        values = self._values(box, side * across, side * across, z, scale)
        levels = compose(self._curve(z).levels(values), self._ground.classes(box, side * across, side * across))
        colours = palette("dark")
        made: dict[tuple[int, int], bytes] = {}
        for (i, j), key in keys.items():
            made[i, j] = encode(levels[j * side : (j + 1) * side, i * side : (i + 1) * side], colours)
            self._rendered.put(key, made[i, j])
        return made

    def _curve(self, z: int) -> Curve:
        """Return the curve of a zoom level, which is the same for all its tiles and scales."""
        if z not in self._tones:
            self._tones[z] = self._curves.run(z, lambda: self._make_curve(z))
        return self._tones[z]

    def _make_curve(self, z: int) -> Curve:
        x, y = self._strokes.middles()
        side = metres_per_pixel(z) * TILE_PX
        west, south, _, _ = tile_box(z, 0, 2**z - 1)
        column, row = ((x - west) // side).astype(np.int64), ((y - south) // side).astype(np.int64)
        occupied = np.unique(row * 2**z + column % 2**z)  # streets may lie beyond the antimeridian
        chosen = occupied[np.linspace(0, len(occupied) - 1, min(_SAMPLE_TILES, len(occupied))).astype(np.int64)]
        lit = [np.zeros(0, np.float32)]
        for tile in chosen.tolist():
            box = tile_box(z, tile % 2**z, 2**z - 1 - tile // 2**z)
            values = self._values(box, TILE_PX, TILE_PX, z)
            lit.append(values[values > 0])
        return Curve.of(np.concatenate(lit), self._style.traffic)

    def _values(self, box: Box, width: int, height: int, zoom: float, scale: int = 1) -> Floats:
        """Return the values that the curve turns into tones, (height, width) float32, north row first."""
        middle = (box[0] + box[2]) / 2
        shift = float(nearest_copy(middle, self._strokes.origin[0])) - middle
        box = (box[0] + shift, box[1], box[2] + shift, box[3])
        style, wider = self._style, 2 ** ((zoom - _PEN_ZOOM) / 2)
        pen = min(max(style.pen * wider, _FINEST_PX), _WIDEST_PX) * scale
        around = round(SURROUNDINGS_PX * min(max(wider, 1), _WIDEST_SURROUNDINGS)) * scale
        # The margin is the reach of the two boxes of surroundings (a glow reaches less far) and of the pen.
        margin = around + 10 * scale
        dx, dy = (box[2] - box[0]) / width * margin, (box[3] - box[1]) / height * margin
        wide = (box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy)
        values = count_lines(self._strokes.within(wide), wide, width + 2 * margin, height + 2 * margin)
        if values.any():
            values = widen(values, pen)
            if style.glow:
                values = soften(values, style.glow * scale)
            if style.contrast:
                values = contrast(values, around, style.contrast)
        return values[margin:-margin, margin:-margin]


def count_lines(strokes: Strokes, box: Box, width: int, height: int) -> Floats:
    """Return the number of vehicles that crossed each pixel of `box`, antialiased: (height, width) float32, north row first.

    Datashader ends an antialiased line with a cap that fades out over one pixel. Strokes are therefore drawn half a pixel
    shorter at either end: where two meet, the caps add up to exactly one line instead of a bead.
    """
    if not len(strokes):
        return np.zeros((height, width), np.float32)
    east, north = strokes.origin
    pixel_x, pixel_y = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    dx, dy = strokes.x1 - strokes.x0, strokes.y1 - strokes.y0
    pixels = np.hypot(dx / pixel_x, dy / pixel_y)
    # A stroke shorter than a pixel is drawn at a twentieth of its length and weighted by the part of a pixel that it crosses.
    cut = np.minimum(0.5 / pixels, 0.475).astype(np.float32)
    lines = pd.DataFrame(
        {
            "x0": strokes.x0 + cut * dx,
            "x1": strokes.x1 - cut * dx,
            "y0": strokes.y0 + cut * dy,
            "y1": strokes.y1 - cut * dy,
            "count": strokes.count * np.minimum(pixels, 1).astype(np.float32),
        },
        copy=False,
    )
    canvas = ds.Canvas(width, height, (box[0] - east, box[2] - east), (box[1] - north, box[3] - north))
    drawn = canvas.line(lines, ["x0", "x1"], ["y0", "y1"], axis=1, agg=ds.sum("count"), line_width=1)
    return np.nan_to_num(drawn.values[::-1]).astype(np.float32, copy=False)


def warm() -> None:
    """Compile Datashader's line code, which takes seconds once per process, so that no request has to wait for it."""
    with _compiling:
        # Three strokes, because arrays of one row are contiguous in both directions and would compile other code.
        zero, one = np.zeros(3, np.float32), np.ones(3, np.float32)
        count_lines(Strokes((0.0, 0.0), zero, zero, one, one, one), (0.0, 0.0, 1.0, 1.0), 2, 2)
