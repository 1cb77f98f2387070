"""The ground of the base map: water and parks as flat tones under the streets.

A pixel's ground is one of a few classes, quarters of water at a shore included, which together with the street's level
choose its colour in one palette. So a tile stays one small palette PNG that both themes share.
"""

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from twin.foundation.geo import HALF_WORLD_M
from twin.render.places import Area, Places
from twin.render.ramp import interpolate
from twin.render.streets import Box
from twin.render.tone import LEVELS, RAMPS

Classes = NDArray[np.uint8]

WATER = {"dark": "#0d2436", "light": "#cfe0ee"}
PARK = {"dark": "#111d1d", "light": "#e4efe2"}
"""Flat tones, by theme."""

NAMES = {
    "dark": {
        "city": "#d3dded", "district": "#b4c2d6", "street": "#a9b8ce", "water": "#8dbfe3", "river": "#8dbfe3", "park": "#93bfa4",
        "land": "#b4c2d6", "halo": RAMPS["dark"][0], "shore": WATER["dark"],
    },
    "light": {
        "city": "#202b40", "district": "#3a475e", "street": "#455269", "water": "#28587f", "river": "#28587f", "park": "#2f5f3a",
        "land": "#3a475e", "halo": RAMPS["light"][0], "shore": WATER["light"],
    },
}  # fmt: skip
"""Colours of the names of each kind, which the browser writes, and of what surrounds their letters on land and on water."""

QUARTERS, HALVES = 4, 2
"""Steps from land to water and to park, for edges that are not jagged."""

FEWER = 12
"""Street tones on each other ground than land, where there are few streets."""

_SHORE_CONTRAST = 0.9
"""How much of the ground's tone the brightest street on it has lost."""

_MIXES = [("water", step / QUARTERS) for step in range(1, QUARTERS + 1)] + [
    ("park", step / HALVES) for step in range(1, HALVES + 1)
]
"""The classes of ground after land, which is 0: 1 to 4 quarters of water, 5 and 6 halves of park."""

COLOURS = LEVELS + FEWER * len(_MIXES)
"""Colours in a palette."""


def palette(theme: str) -> NDArray[np.uint8]:
    """Return the theme's colours, (COLOURS, 3) uint8 RGB: the streets' on land first, then those on each other ground.

    Raises KeyError for an unknown theme.
    """
    streets = interpolate(RAMPS[theme], LEVELS)
    tones = {"water": _rgb(WATER[theme]), "park": _rgb(PARK[theme])}
    share = np.linspace(0, 1, FEWER)
    on_street = np.stack([np.interp(share, np.linspace(0, 1, LEVELS), streets[:, c]) for c in range(3)], axis=1)
    fading = (1 - _SHORE_CONTRAST * share)[:, None]
    parts = [streets]
    parts += [on_street + fading * mix * (tones[kind] - streets[0]) for kind, mix in _MIXES]
    return np.concatenate(parts).clip(0, 255).round().astype(np.uint8)


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def _table() -> bytes:
    """Return the palette index by class and level, as a table of bytes: class · LEVELS + level fits into one."""
    classes, level = np.divmod(np.arange(256), LEVELS)
    fewer = np.rint(level * (FEWER - 1) / (LEVELS - 1)).astype(int)
    return np.where(classes == 0, level, LEVELS + FEWER * (classes - 1) + fewer).clip(0, 255).astype(np.uint8).tobytes()


_TABLE = _table()


def _classes_of(steps: int, before: int) -> bytes:
    """Return the class of each coverage from 0 to 255, in `steps` steps, as a table of bytes; `before`: the classes before."""
    step = [round(covered * steps / 255) for covered in range(256)]
    return bytes(before + one if one else 0 for one in step)


_WATER, _GREEN = _classes_of(QUARTERS, 0), _classes_of(HALVES, QUARTERS)


def compose(levels: Classes, classes: Classes | int) -> Classes:
    """Return palette indices from the street levels (height, width), and the classes of ground, of their shape or one for all."""
    if isinstance(classes, int) and classes == 0:
        return levels
    both = np.uint8(LEVELS) * classes + levels
    return np.frombuffer(both.tobytes().translate(_TABLE), np.uint8).reshape(levels.shape)


class Ground:
    """The areas of places, indexed by where they are."""

    def __init__(self, places: Places) -> None:
        self._areas = [area for area in places.areas if area.kind != "park"]
        self._parks = [area for area in places.areas if area.kind == "park"]
        self._trees = [STRtree([area.shape for area in kind]) for kind in (self._areas, self._parks)]
        for area in places.areas:
            shapely.prepare(area.shape)

    def classes(self, box: Box, width: int, height: int) -> Classes | int:
        """Return the class of ground of each pixel of a box (Web Mercator metres), (height, width), or one for all of them."""
        turn = 2 * HALF_WORLD_M * round((box[0] + box[2]) / 4 / HALF_WORLD_M)  # beyond the antimeridian
        box = (box[0] - turn, box[1], box[2] - turn, box[3])
        wet = self._coverage(0, self._areas, box, width, height, _WATER)
        if isinstance(wet, int) and wet:
            return wet
        green = self._coverage(1, self._parks, box, width, height, _GREEN)
        if isinstance(wet, int) or (isinstance(green, int) and not green):
            return green if isinstance(wet, int) else wet
        return wet + green * (wet == 0)  # water lies over parks; without branches, as these are millions of pixels

    def _coverage(self, tree: int, areas: list[Area], box: Box, width: int, height: int, table: bytes) -> Classes | int:
        """Return the class of each pixel by how much of it is covered (`table`, 256 bytes) by what is drawn last."""
        frame = shapely.box(*box)
        found = np.sort(self._trees[tree].query(frame, predicate="intersects"))
        covering = [i for i in found.tolist() if areas[i].shape.covers(frame)]
        base = 0
        if covering:  # what lies under an area that covers everything is not seen
            base = 0 if areas[covering[-1]].kind == "land" else table[255]
            found = found[found > covering[-1]]
        if not len(found):
            return base
        scale = np.array([2 * width / (box[2] - box[0]), -2 * height / (box[3] - box[1])])
        margin = 4 / scale[0]
        clip = (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
        clipped = [
            shapely.simplify(shapely.clip_by_rect(areas[i].shape, *clip), 0.5 / scale[0]) for i in found.tolist()
        ]
        # Only the window of the picture that they lie in is drawn: a park in a corner costs little.
        bounds = shapely.total_bounds(clipped)
        if np.isnan(bounds).any():
            return base
        corners = (bounds.reshape(2, 2) - (box[0], box[3])) * scale / 2
        left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, (width, height)).tolist()
        right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 0, (width, height)).tolist()
        if right <= left or bottom <= top:
            return base
        image = Image.new("L", (2 * (right - left), 2 * (bottom - top)), 255 if base else 0)
        for i, shape in zip(found.tolist(), clipped, strict=True):
            _fill(image, shape, 0 if areas[i].kind == "land" else 255, (box[0], box[3]), scale, (2 * left, 2 * top))
        covered = image.reduce(2).tobytes().translate(table)
        drawn = np.frombuffer(covered, np.uint8).reshape(bottom - top, right - left)
        if drawn.shape == (height, width):
            return drawn
        whole = np.full((height, width), base, np.uint8)
        whole[top:bottom, left:right] = drawn
        return whole


def _fill(
    image: Image.Image,
    shape: BaseGeometry,
    tone: int,
    origin: tuple[float, float],
    scale: NDArray[np.float64],
    offset: tuple[int, int],
) -> None:
    """Draw a shape's polygons; in their holes stays what was there. offset: pixels that are cut off at the left and top."""
    draw = ImageDraw.Draw(image)
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon":
            continue
        outer, *holes = (
            [tuple(at) for at in (shapely.get_coordinates(ring) - origin) * scale - offset - 0.5]
            for ring in (part.exterior, *part.interiors)
        )
        under = image.copy() if holes else None
        draw.polygon(outer, fill=tone)
        if under is not None:
            mask = Image.new("1", image.size)
            pen = ImageDraw.Draw(mask)
            for hole in holes:
                pen.polygon(hole, fill=1)
            image.paste(under, mask=mask)
