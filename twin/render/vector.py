"""Draws the vector tiles of a PMTiles file (Protomaps' basemap schema) as our own map is drawn: the same tones and themes.

Water and parks are the classes of `twin.render.ground`, roads are levels of its palette by their class, and names go to the
browser like those of a place file.
"""

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from cachetools import LRUCache
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from twin.foundation.cache import ByteCache, SingleFlight
from twin.foundation.errors import ConfigError
from twin.foundation.geo import HALF_WORLD_M
from twin.render.grid import TILE_PX, tile_box
from twin.render.ground import HALVES, QUARTERS, compose, palette
from twin.render.mvt import LINE, POINT, POLYGON, Feature, Layer, decode
from twin.render.places import MAX_NAMES, Name, clean
from twin.render.png import encode, repaint
from twin.render.streets import Box
from twin.render.tilefile import TileFile
from twin.render.tone import LEVELS

STYLE_VERSION = 1
"""Increase it with every change to the drawing."""

DRAWN = ("water", "landuse", "natural", "roads")
NAMED = ("places", "water", "roads")
GREEN = frozenset(
    {
        "park", "forest", "wood", "nature_reserve", "national_park", "protected_area", "golf_course", "cemetery", "garden",
        "recreation_ground",
    }
)  # fmt: skip

ROADS: dict[str, tuple[int, float, int]] = {
    "rail": (7, 0.7, 12), "minor": (9, 0.8, 12), "medium": (17, 1.3, 10), "major": (24, 1.8, 0), "highway": (31, 2.6, 0),
}  # fmt: skip
"""Classes of roads as they are drawn, one over the other: level of the palette, pixels at zoom 13, first zoom."""

_MEDIUM = frozenset({"secondary", "secondary_link", "tertiary", "tertiary_link"})
_STEP = 250 // LEVELS
"""Grey values per level while roads are drawn."""
_MAX_NAME_TILES = 64
_LEAST_STREET_M = 250.0
"""Shortest street with a name, Web Mercator metres."""


class VectorMap:
    """The drawn tiles of one file, and its names; safe to use from any number of threads."""

    def __init__(self, file: TileFile, rendered: ByteCache[bytes]) -> None:
        """Tiles are cached in `rendered`. Raises ConfigError for a file whose layers say nothing to us."""
        if file.layers and not file.layers & {*DRAWN, *NAMED}:
            layers = ", ".join(sorted(map(clean, file.layers))[:5])
            raise ConfigError(
                f"The map {file.name} has other layers than Protomaps' basemap ({layers}): it cannot be drawn."
            )
        self._file = file
        self._rendered = rendered
        self._flights: SingleFlight[bytes | None] = SingleFlight()
        self._recent: LRUCache[bytes, dict[str, Layer]] = LRUCache(8)
        self._lock = threading.Lock()
        self._version = f"{file.version}{STYLE_VERSION}"

    def tile(self, z: int, x: int, y: int, theme: str, scale: int) -> bytes | None:
        """Return a tile as PNG of 256 pixels, or 512 at scale 2; None where the file has none. Raises ValueError if damaged."""
        key = (self._version, scale, z, x, y)
        pixels = self._rendered.get(key)
        if pixels is None:
            pixels = self._flights.run(key, lambda: self._draw(z, x, y, scale))
            if pixels is None:
                return None
            self._rendered.put(key, pixels)
        return repaint(pixels, palette(theme))

    def _draw(self, z: int, x: int, y: int, scale: int) -> bytes | None:
        found = self._file.nearest(z, x, y)
        if found is None:
            return None
        up, content = found
        layers = self._decoded(content)
        finer = 4 // scale  # drawn on a finer grid, so that edges are smooth
        side = TILE_PX * scale * finer
        place = _Place(side * 2**up, (x % 2**up) * side, (y % 2**up) * side)
        water = _areas(layers.get("water"), place, side, z, finer * scale, None)
        green = [_areas(layers.get(name), place, side, z, finer * scale, GREEN) for name in ("landuse", "natural")]
        roads = _roads(layers.get("roads"), place, side, z, finer * scale)
        levels, wet, *parks = (np.asarray(one.reduce(finer), np.uint16) for one in (roads, water, *green))
        classes = (wet * QUARTERS + 127) // 255
        park = np.maximum(*parks) * HALVES // 255
        classes = np.where((classes == 0) & (park > 0), park + QUARTERS, classes)
        level = np.minimum(np.rint(levels / _STEP), LEVELS - 1).astype(np.uint8)
        return encode(compose(level, classes.astype(np.uint8)), palette("dark"))

    def _decoded(self, content: bytes) -> dict[str, Layer]:
        """Return a tile's layers; beyond the last level several tiles are drawn from one."""
        with self._lock:
            known = self._recent.get(content)
        if known is None:
            known = decode(content, DRAWN)
            with self._lock:
                self._recent[content] = known
        return known

    def names(self, box: Box) -> list[Name]:
        """Return the names in a box (Web Mercator metres), the most important first; none where tiles are damaged."""
        found: list[Name] = []
        lines: dict[tuple[str, int], list[Any]] = {}
        for place in _tiles_of(self._file, box):
            z, x, y = place
            try:
                content = self._file.raw(z, x, y)
                layers = decode(content, NAMED) if content else {}
                for layer in layers.values():
                    for feature in layer.features:
                        text = feature.properties.get("name")
                        if isinstance(text, str) and (text := clean(text)):
                            _collect(layer, feature, text, tile_box(z, x, y), found, lines)
            except ValueError:
                continue
        for (text, rank), pieces in lines.items():
            merged = shapely.line_merge(shapely.union_all(pieces))
            longest = max(shapely.get_parts(merged), key=lambda one: one.length)
            if longest.length >= _LEAST_STREET_M:
                at = shapely.get_coordinates(shapely.simplify(longest, 15))
                found.append(Name(text, "street", rank, at[:, 0], at[:, 1]))
        once: dict[tuple[object, ...], Name] = {}
        for name in found:
            where = (round(float(name.x[0]) / 100), round(float(name.y[0]) / 100)) if len(name.x) == 1 else ()
            once.setdefault((name.text, name.kind, *where), name)
        return sorted((name for name in once.values() if name.touches(box)), key=lambda name: name.rank)[:MAX_NAMES]


class _Place:
    """Where a tile's features lie on the picture: its width there, and what is cut off at the left and top, pixels."""

    def __init__(self, width: int, left: int, top: int) -> None:
        self.width, self.offset = width, np.array([left, top], float)

    def of(self, part: NDArray[np.float64], extent: int) -> list[tuple[float, float]]:
        return [tuple(at) for at in (part * (self.width / extent) - self.offset - 0.5).tolist()]


def _areas(
    layer: Layer | None, place: _Place, side: int, z: int, pixel: int, kinds: frozenset[str] | None
) -> Image.Image:
    """Return where the areas of a layer are (255), and its lines as wide as rivers."""
    image = Image.new("L", (side, side))
    if layer is None:
        return image
    draw = ImageDraw.Draw(image)
    for feature in layer.features:
        if kinds is not None and _kind(feature) not in kinds:
            continue
        if feature.kind == POLYGON:
            outer = 0.0
            for ring in feature.parts:
                area = _signed_area(ring)
                outer = outer or area  # the first ring is an exterior; what runs the other way is a hole
                if len(ring) > 2 and area:
                    draw.polygon(place.of(ring, layer.extent), fill=255 if area * outer > 0 else 0)
        elif feature.kind == LINE and kinds is None:
            wide = max(1, round((2.0 if _kind(feature) == "river" else 1.0) * 2 ** ((z - 13) / 2) * pixel))
            for line in feature.parts:
                draw.line(place.of(line, layer.extent), fill=255, width=wide)
    return image


def _roads(layer: Layer | None, place: _Place, side: int, z: int, pixel: int) -> Image.Image:
    image = Image.new("L", (side, side))
    if layer is None:
        return image
    draw = ImageDraw.Draw(image)
    of_class: dict[str, list[Feature]] = {name: [] for name in ROADS}
    for feature in layer.features:
        if feature.kind == LINE and (name := _road(feature)) in of_class:
            of_class[name].append(feature)
    for name, (level, pen, first) in ROADS.items():
        if z < first:
            continue
        width = max(1, round(min(pen * 2 ** ((z - 13) / 2), 9.0) * pixel))
        for feature in of_class[name]:
            for line in feature.parts:
                draw.line(place.of(line, layer.extent), fill=level * _STEP, width=width)
    return image


def _kind(feature: Feature) -> str:
    """Return the kind of a feature; the schema called it otherwise until its version 3."""
    kind = feature.properties.get("kind", feature.properties.get("pmap:kind"))
    return kind if isinstance(kind, str) else ""


def _road(feature: Feature) -> str:
    kind, detail = _kind(feature), feature.properties.get("kind_detail", feature.properties.get("pmap:kind_detail"))
    if kind == "major_road" and isinstance(detail, str) and detail in _MEDIUM:
        return "medium"
    return kind.removesuffix("_road")


def _signed_area(ring: NDArray[np.float64]) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _tiles_of(file: TileFile, box: Box) -> Iterable[tuple[int, int, int]]:
    """Return the tiles that cover a box, of the finest zoom up to 14 at which they are not too many."""
    box = (max(box[0], file.box[0]), max(box[1], file.box[1]), min(box[2], file.box[2]), min(box[3], file.box[3]))
    if box[0] >= box[2] or box[1] >= box[3]:
        return []
    for z in range(min(14, file.zooms[1]), file.zooms[0] - 1, -1):
        side = 2 * HALF_WORLD_M / 2**z
        columns, rows = (
            range(int((low + HALF_WORLD_M) // side), int((high + HALF_WORLD_M) // side) + 1)
            for low, high in ((box[0], box[2]), (-box[3], -box[1]))
        )
        if len(columns) * len(rows) <= _MAX_NAME_TILES:
            return [(z, x, y) for x in columns for y in rows if 0 <= x < 2**z and 0 <= y < 2**z]
    return []


def _collect(
    layer: Layer, feature: Feature, text: str, box: Box, found: list[Name], lines: dict[tuple[str, int], list[Any]]
) -> None:
    """Add what a feature names: a place or a water at its point, a street to the pieces of its line."""
    scale = (box[2] - box[0]) / layer.extent

    def parts() -> list[NDArray[np.float64]]:
        return [np.array([box[0], box[3]]) + part * [scale, -scale] for part in feature.parts]

    if layer.name == "roads" and feature.kind == LINE:
        rank = {"highway": 3, "major": 3, "medium": 5}.get(_road(feature))
        if rank is not None:
            lines.setdefault((text, rank), []).extend(shapely.LineString(part) for part in parts() if len(part) > 1)
    elif layer.name != "roads" and feature.kind == POINT:
        rank, kind = _ranked(layer.name, feature)
        if rank and (at := parts()):
            found.append(Name(text, kind, rank, at[0][:1, 0], at[0][:1, 1]))


_PLACES = {
    "locality": ("city", 2), "city": ("city", 1), "town": ("city", 2), "village": ("city", 3), "borough": ("district", 2),
    "macrohood": ("district", 3), "neighbourhood": ("district", 3), "suburb": ("district", 3), "quarter": ("district", 4),
}  # fmt: skip


def _ranked(layer: str, feature: Feature) -> tuple[int, str]:
    """Return the rank and kind of a name; rank 0 for what is not written, such as a country."""
    if layer == "water":
        return (2 if _kind(feature) in ("ocean", "sea", "bay", "strait") else 4), "water"
    kind, rank = _PLACES.get(_kind(feature), ("", 0))
    people = feature.properties.get("population_rank")
    if kind == "city" and _kind(feature) == "locality" and isinstance(people, int | float):
        rank = 1 if people >= 11 else 2 if people >= 8 else 3
    return rank, kind
