"""The options of a show in a URL: locations, speed, range, seconds per scene, loop. Invalid values are ignored.

The URL of a wall screen is often typed on a television: a typing error must not leave the wall dark.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.foundation.times import seconds
from twin.replay.clock import MAX_SPEED

SPEED = 60.0
SCENE_S = 40.0
SHORTEST_S, LONGEST_S = 4.0, 3600.0
"""Bounds of a scene's seconds: in less than 4 s nobody can read its caption."""
HOURS = 24.0
MOST_HOURS = 31 * 24.0
"""A month: the whole range of a tour is loaded into memory."""
FIRST_S, LAST_S = seconds("1990-01-01"), seconds("2100-01-01")
"""Data seconds between which a range lies: no source has rows outside (sources/queries/events.sql)."""
MOST_LOCATIONS, LONGEST_ID = 200, 200
"""Locations that an address may name, and characters of an id; real ones have 32."""

PANES = ("map", "pipeline", "kpis", "trends", "feed")
"""Names of the panes that a screen can show."""
USUAL_PANES = ("map", "pipeline", "kpis")
"""Panes of a screen whose URL names none."""

_NO = {"0", "no", "false", "off"}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([hd])")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that determines the scenes: screens with equal options play the same show.

    locations: ids, empty for all. range: (start, end) in data seconds, None for the last `hours` of each location. scripted:
    whether a rehearsed show, if there is one, is played in place of the tour.
    """

    locations: tuple[str, ...] = ()
    speed: float = SPEED
    range: tuple[float, float] | None = None
    hours: float = HOURS
    scene_s: float = SCENE_S
    loop: bool = True
    scripted: bool = True

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Options":
        """Return the options of a URL's query.

        >>> Options.from_query({"speed": "120", "seconds": "soon", "range": "2d", "loop": "0"})
        Options(locations=(), speed=120.0, range=None, hours=48.0, scene_s=40.0, loop=False, scripted=False)
        """
        options = cls(
            locations=_locations(query.get("locations", "")),
            speed=_number(query.get("speed"), SPEED, 0.1, MAX_SPEED),
            scene_s=_number(query.get("seconds"), SCENE_S, SHORTEST_S, LONGEST_S),
            loop=query.get("loop", "1").strip().lower() not in _NO,
            # a URL that specifies a tour gets it even where there is a rehearsed show
            scripted=not any(name in query for name in ("locations", "range", "seconds", "speed")),
        )
        return _ranged(options, query.get("range", "").strip())


def panes_of(text: str | None) -> tuple[str, ...]:
    """Return the panes that a URL names, in its order; the usual ones if it names no valid one."""
    named = tuple(dict.fromkeys(part.strip().lower() for part in (text or "").split(",")))
    return tuple(pane for pane in named if pane in PANES) or USUAL_PANES


def _ranged(options: Options, text: str) -> Options:
    if match := _LENGTH.fullmatch(text.lower()):
        hours = float(match[1]) * (24 if match[2] == "d" else 1)
        return replace(options, hours=min(hours, MOST_HOURS)) if hours > 0 else options
    first, slash, last = text.partition("/")
    if not slash:
        return options
    try:
        start, end = seconds(first), seconds(last)
    except ValueError:
        return options
    possible = FIRST_S <= start < end <= LAST_S and end - start <= MOST_HOURS * 3600
    return replace(options, range=(start, end)) if possible else options


def _locations(text: str) -> tuple[str, ...]:
    """Return the ids named, once each: screens that name the same share a show."""
    named = dict.fromkeys(part.strip() for part in text.split(",") if 0 < len(part.strip()) <= LONGEST_ID)
    return tuple(named)[:MOST_LOCATIONS]


def _number(text: str | None, default: float, least: float, most: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return min(max(value, least), most) if math.isfinite(value) else default
