"""The map of a kitchen at a few times, as pictures that need no page: the streets of the base map, and who drives where."""

import base64
import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

from twin.foundation.cache import SingleFlight
from twin.foundation.geo import project
from twin.foundation.stages import SHORT_LABELS
from twin.hub import Hub
from twin.render import places
from twin.render.streets import Box, Streets
from twin.render.tiles import TileSet
from twin.timeline.timeline import Timeline

WIDTH, HEIGHT = 332, 249
"""Pixels of a frame: a quarter of an A4 page's width, twice over for print."""
SHARP = 4
"""Dots are drawn so many times larger and made smaller again, which smooths their edges."""
DOT_PX, KITCHEN_PX = 4.5, 7.0
ON_THE_ROAD, LATE, KITCHEN, RIM = "#1d4ed8", "#c1121f", "#101828", "#ffffff"
STREETS = "light"
MARGIN = 0.08
SHOWN = ("cooking", "ready", "out_for_delivery")
"""The stages that a frame's caption counts."""


@dataclass(frozen=True)
class Frame:
    """The map at `t` (data seconds). clock: that time in words; caption: the orders in some stages; picture: a PNG, or b"" for a
    kitchen without a place on the map."""

    t: float
    clock: str
    caption: str
    picture: bytes

    @cached_property
    def address(self) -> str:
        """The picture as a `data:` address; empty without one."""
        return f"data:image/png;base64,{base64.b64encode(self.picture).decode()}" if self.picture else ""


def frames(
    hub: Hub, timeline: Timeline, times: list[float], target: float, tiles: TileSet | None = None
) -> list[Frame]:
    """Return a frame for each time, all of the same part of the map.

    `target` is the promised delivery time, seconds: a driver whose order is older is late, as on the page's map. `tiles` is the
    base map, if there is one already.
    """
    kitchen = _kitchen(timeline)
    ground = None
    if kitchen is not None:
        extent = _extent(timeline, kitchen)
        shown = tiles or hub.cached(_BaseMaps).of(hub, timeline.location.id)
        ground = Image.open(io.BytesIO(shown.image(extent, WIDTH, HEIGHT, STREETS))).convert("RGB")
    made = []
    for t in times:
        snapshot = timeline.at(t)
        caption = " · ".join(f"{snapshot.counts[stage]:,} {SHORT_LABELS[stage].lower()}" for stage in SHOWN)
        picture = b""
        if ground is not None and kitchen is not None:
            drivers = snapshot.drivers
            late = t - timeline.orders.created[drivers.order] > target
            picture = _drawn(ground, extent, kitchen, np.stack([drivers.x, drivers.y], axis=1), late)
        made.append(Frame(t, timeline.tz.clock(t), caption, picture))
    return made


class _BaseMaps:
    """The base maps of a hub's kitchens where no server has them, each made once."""

    def __init__(self, _: Hub) -> None:
        self._made: dict[str, TileSet] = {}
        self._making: SingleFlight[TileSet] = SingleFlight()

    def of(self, hub: Hub, location: str) -> TileSet:
        if location not in self._made:
            self._made[location] = self._making.run(location, lambda: _tileset(hub, location))
        return self._made[location]


def _tileset(hub: Hub, location: str) -> TileSet:
    return TileSet(Streets(*hub.streets(location)), places=places.find(hub.settings.places, hub.source.name))


def _kitchen(timeline: Timeline) -> tuple[float, float] | None:
    place = timeline.location
    if place.lat is None or place.lon is None:
        return None
    x, y = project(place.lat, place.lon)
    return float(x), float(y)


def _extent(timeline: Timeline, kitchen: tuple[float, float]) -> Box:
    """Return the part of the map that is drawn, Web Mercator metres, in a frame's shape: the kitchen and nearly all customers."""
    x, y = np.asarray(timeline.orders.customer_x, float), np.asarray(timeline.orders.customer_y, float)
    placed = np.isfinite(x) & np.isfinite(y)
    if placed.any():
        x0, x1 = np.percentile(x[placed], (5, 95)).tolist()
        y0, y1 = np.percentile(y[placed], (5, 95)).tolist()
    else:
        x0 = x1 = y0 = y1 = 0.0
    x0, x1, y0, y1 = min(x0, 0.0), max(x1, 0.0), min(y0, 0.0), max(y1, 0.0)
    wide, high = max(x1 - x0, 500.0) * (1 + 2 * MARGIN), max(y1 - y0, 500.0) * (1 + 2 * MARGIN)
    wide, high = max(wide, high * WIDTH / HEIGHT), max(high, wide * HEIGHT / WIDTH)
    middle_x, middle_y = kitchen[0] + (x0 + x1) / 2, kitchen[1] + (y0 + y1) / 2
    return middle_x - wide / 2, middle_y - high / 2, middle_x + wide / 2, middle_y + high / 2


def _drawn(
    ground: Image.Image,
    extent: Box,
    kitchen: tuple[float, float],
    drivers: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    late: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> bytes:
    x0, y0, x1, y1 = extent
    scale_x, scale_y = WIDTH / (x1 - x0), HEIGHT / (y1 - y0)
    frame = ground.copy()

    def spot(x: float, y: float) -> tuple[float, float]:
        return (x - x0) * scale_x, (y1 - y) * scale_y

    def paint(marks: list[tuple[float, float]], radius: float, colour: str, square: bool = False) -> None:
        mask = Image.new("L", (WIDTH * SHARP, HEIGHT * SHARP))
        pen = ImageDraw.Draw(mask)
        for x, y in marks:
            box = tuple(SHARP * side for side in (x - radius, y - radius, x + radius, y + radius))
            (pen.rectangle if square else pen.ellipse)(box, fill=255)
        frame.paste(colour, (0, 0), mask.resize((WIDTH, HEIGHT), Image.Resampling.BOX))

    known = np.isfinite(drivers).all(axis=1)
    for some, colour in ((known & ~late, ON_THE_ROAD), (known & late, LATE)):  # the late ones on top
        marks = [spot(x, y) for x, y in drivers[some].tolist()]
        if marks:
            paint(marks, DOT_PX + 1.5, RIM)
            paint(marks, DOT_PX, colour)
    paint([spot(*kitchen)], KITCHEN_PX + 1.5, RIM, square=True)
    paint([spot(*kitchen)], KITCHEN_PX, KITCHEN, square=True)
    written = io.BytesIO()
    frame.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(written, "PNG")
    return written.getvalue()
