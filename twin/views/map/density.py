"""The map's density layers: where orders come from, where drivers wait, which streets are slow, where drivers drove.
Independent of Panel and Bokeh.

Pictures are cached on their timeline, and so shared by all sessions of the process.
"""

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.foundation.cache import ByteCache, one_each
from twin.render import density
from twin.render.streets import Box
from twin.timeline.segments import Segments, driven
from twin.timeline.timeline import Timeline

if TYPE_CHECKING:
    _Usual = tuple[Box, NDArray[np.float64], NDArray[np.float64]]

KINDS = ("orders", "waits", "slow", "ways")
"""The layers: places of orders and of waiting, in the whole range; slow streets and ways driven, in the last minutes."""

MINUTES = (15, 30, 60, 120)
USUAL_MINUTES = 30
FULL, LEAST = 100, 20
"""Strength in percent: fully drawn, and the least that is still visible."""

EVERY_S = 60.0
"""Pictures of the last minutes are drawn for whole minutes of data (as in questions.js), so that sessions share them."""

MOST_PICTURES = 48
"""Pictures in memory per timeline; each is some 100 KB."""

PIECE_M = 60.0
"""Length of the segments into which driven ways are cut: a street's width on the picture."""

STANDS_MPS = 1.0
"""Metres per second below which a driver counts as standing: slower than walking."""

FEWEST_NOW, FEWEST_USUAL = 1.5, 4.0
"""Fewest drivers, in the last minutes and at other times of the range, from which speeds at a place are compared."""

SLOW_FROM, SLOW_FULL = 0.8, 0.4
"""Shares of the usual speed below which a street counts as slow, and at which it is drawn at full strength."""

LEAST_WAIT_S = 30.0
"""Seconds of waiting around a place below which nothing is drawn."""

_LEGENDS = {
    "orders": "Orders, few to many", "waits": "Waiting, little to much", "slow": "Slower than usual",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Density:
    """A density layer as saved in an address: kind ("": none), minutes for layers of the last minutes, strength in percent."""

    kind: str = ""
    minutes: int = USUAL_MINUTES
    strength: int = FULL

    @classmethod
    def of(cls, text: str) -> "Density":
        """Parse the text of an address; invalid parts get their defaults.

        >>> Density.of("slow,60,70").text, Density.of("<b>").text, Density.of("orders,7,900").text
        ('slow,60,70', '', 'orders')
        """
        kind, *numbers = text.split(",")
        minutes, strength = (int(one) if one.isdecimal() and len(one) < 4 else 0 for one in [*numbers, "", ""][:2])
        return cls(
            kind if kind in KINDS else "", minutes if minutes in MINUTES else USUAL_MINUTES,
            strength if LEAST <= strength <= FULL else FULL,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The shortest text that `of` parses to this layer."""
        if not self.kind:
            return ""
        parts = [self.kind, str(self.minutes), str(self.strength)]
        if self.strength == FULL:
            parts.pop()
            if self.minutes == USUAL_MINUTES:
                parts.pop()
        return ",".join(parts)


class _Pictures:
    """The pictures of one timeline, and the usual speeds they need, for all sessions."""

    def __init__(self, timeline: Timeline) -> None:
        self.drawn: ByteCache[dict[str, Any]] = ByteCache(MOST_PICTURES, one_each)
        self.usual: ByteCache[_Usual] = ByteCache(1, one_each)


def message(timeline: Timeline, kind: str, minutes: int, t: float, theme: str) -> dict[str, Any]:
    """Return a layer at t for the map: a picture (data URL) over its extent, its colours, and the texts of its legend.

    `until` is the data time that it shows. Raises KeyError for an unknown kind or theme.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    recent = kind in ("slow", "ways")
    until = math.floor(t / EVERY_S) * EVERY_S if recent else timeline.window.end
    key = (kind, minutes if recent else 0, until, theme)
    pictures = timeline.cached(_Pictures)
    drawn = pictures.drawn.load(key, lambda: _drawn(timeline, pictures, kind, minutes, until, theme))
    return {"kind": kind, "minutes": minutes, "until": until if recent else None, **drawn}


def _drawn(
    timeline: Timeline, pictures: _Pictures, kind: str, minutes: int, until: float, theme: str
) -> dict[str, Any]:
    ramp = density.RAMPS[theme]
    if kind == "orders":
        x, y = ordered_places(timeline)
        found = density.spots(x, y, theme)
        placed = int(np.count_nonzero(np.isfinite(x)))
        title = f"Where {placed:,} of the {len(x):,} orders of the whole range went, also those after the playhead"
        picture = None if found is None else (found.png, found.extent)
        return _layer(_LEGENDS[kind], title, ramp, picture, "No order of the range has a place")
    if kind == "waits":
        return _waits(timeline, theme)
    part = driven(timeline.trips, until - 60.0 * minutes, until, PIECE_M)
    title = f"The last {minutes} min"
    if not len(part):
        return _layer("", title, ramp, None, f"Nobody drove in the last {minutes} min")
    extent, seconds, metres = pictures.usual.load("usual", lambda: _usual(timeline))
    pixel = density.pixel_of(extent, density.ROAD_SPREAD_M, density.LONGEST_ROADS_PX)
    across = density.ROAD_SPREAD_M / pixel * math.sqrt(2 * math.pi)
    passed = _grid(part, part.metres, extent) / pixel * across  # 1 in the middle of a street that was driven along once
    if kind == "ways":
        drivers = len(np.unique(part.trip))
        title = f"Where {drivers:,} driver{'s' * (drivers != 1)} drove in the last {minutes} min"
        return _layer(
            f"Driven in {minutes} min, once to often",
            title,
            ramp,
            (density.painted(density.wide_tones(passed, 0.3), ramp), extent),
            "",
        )
    now = part.measured
    slow = _slowness(
        _grid(part, part.seconds * now, extent), _grid(part, part.metres * now, extent), seconds, metres, across / pixel
    )
    title = (
        f"Streets where drivers were slower in the last {minutes} min than there at the other times of the range: "
        f"faintest at {100 * (1 - SLOW_FROM):.0f} % slower, strongest at {100 * (1 - SLOW_FULL):.0f} %. Only where at least two "
        "drivers were measured"
    )  # fmt: skip
    picture = (density.painted(slow, ramp), extent) if slow.any() else None
    return _layer(_LEGENDS[kind], title, ramp, picture, f"No street was slower than usual in the last {minutes} min")


def _slowness(
    seconds: NDArray[np.float64], metres: NDArray[np.float64], all_seconds: NDArray[np.float64],
    all_metres: NDArray[np.float64], passes: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Return how slow each place is compared with the other times of the range: 0 not slow or unknown, 1 at `SLOW_FULL`.

    Metres driven times `passes` is the number of drivers that passed.
    """
    other_seconds, other_metres = np.maximum(all_seconds - seconds, 0), np.maximum(all_metres - metres, 0)
    compared = (metres * passes >= FEWEST_NOW) & (other_metres * passes >= FEWEST_USUAL)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(compared, (metres / seconds) / (other_metres / other_seconds), 1.0)
    tone = (SLOW_FROM - np.nan_to_num(ratio, nan=1.0)) / (SLOW_FROM - SLOW_FULL)
    return np.where(tone > 0, 0.5 + 0.5 * np.clip(tone, 0, 1), 0.0)  # at least half, so that the faintest is visible


def _usual(timeline: Timeline) -> "_Usual":
    """Return the box of all loaded trips (at least one), and the measured seconds and metres in each of its pixels."""
    every = driven(timeline.trips, -np.inf, np.inf, PIECE_M)
    extent = density.extent_of(every.x, every.y, density.ROAD_SPREAD_M)
    return (
        extent, _grid(every, every.seconds * every.measured, extent), _grid(every, every.metres * every.measured, extent),
    )  # fmt: skip


def _grid(part: Segments, weight: NDArray[np.float64], extent: Box) -> NDArray[np.float64]:
    return density.spread(part.x, part.y, weight, extent, density.ROAD_SPREAD_M, density.LONGEST_ROADS_PX)


def _waits(timeline: Timeline, theme: str) -> dict[str, Any]:
    # waits at a kitchen whose place is unknown are nowhere on the map
    part, kitchen = standing(timeline), kitchen_waits(timeline) if timeline.location.lat is not None else 0.0
    x, y = np.append(part.x, 0.0), np.append(part.y, 0.0)
    weight = np.append(part.seconds, kitchen)
    ramp, road = density.RAMPS[theme], float(part.seconds.sum())
    title = (
        f"Drivers of the whole range waited {_hours(kitchen)} at the kitchen between arrival and pick-up, and stood "
        f"{_hours(road)} on the road, slower than {STANDS_MPS:g} m/s between two measurements"
    )
    if weight.sum() <= 0:
        return _layer(_LEGENDS["waits"], title, ramp, None, "No driver waited in the range")
    extent = density.extent_of(x, y, density.SPREAD_M)
    grid = density.spread(x, y, weight, extent, density.ROAD_SPREAD_M, density.LONGEST_ROADS_PX)
    pixel = density.pixel_of(extent, density.ROAD_SPREAD_M, density.LONGEST_ROADS_PX)
    # the peak of such a wait at a single place
    least = LEAST_WAIT_S * pixel**2 / (2 * math.pi * density.ROAD_SPREAD_M**2)
    return _layer(_LEGENDS["waits"], title, ramp, (density.painted(density.wide_tones(grid, least), ramp), extent), "")


def ordered_places(timeline: Timeline) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the customers' places of all orders of the range, two (n,) arrays, metres east/north of the kitchen, NaN unknown."""
    began = timeline.orders.began
    inside = (began >= timeline.window.start) & (began < timeline.window.end)
    return timeline.orders.customer_x[inside], timeline.orders.customer_y[inside]


def standing(timeline: Timeline) -> Segments:
    """Return the segments of the range's trips in which drivers stood, as measured."""
    part = driven(timeline.trips, timeline.window.start, timeline.window.end, PIECE_M)
    still = part.measured & (part.metres * timeline.trips.scale < STANDS_MPS * part.seconds)
    return Segments(*(getattr(part, name)[still] for name in Segments.__slots__))


def kitchen_waits(timeline: Timeline) -> float:
    """Return the seconds that drivers waited at the kitchen in the range, from arrival to pick-up."""
    start, end = timeline.window.start, timeline.window.end
    spent = np.clip(timeline.orders.picked_up, start, end) - np.clip(timeline.orders.arrived, start, end)
    return float(np.nansum(np.maximum(spent, 0)))


def _layer(
    label: str, title: str, ramp: tuple[str, ...], picture: tuple[bytes, Box] | None, empty: str
) -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(picture[0]).decode()}" if picture else ""
    return {
        "url": url, "extent": picture[1] if picture else None, "colours": list(ramp), "label": label if picture else empty,
        "title": title,
    }  # fmt: skip


def _hours(seconds: float) -> str:
    """Return a duration as text.

    >>> _hours(5400), _hours(90)
    ('1.5 h', '2 min')
    """
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
