"""The options of a show in a URL: locations, speed, range, seconds per scene, loop. Invalid values are left out, and reported.

The URL of a wall screen is often typed on a television: a typing error must not leave the wall dark.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.foundation.address import LONGEST_ID, Address, quoted, with_plus
from twin.foundation.times import parse, seconds
from twin.replay.clock import MAX_SPEED

SPEED = 60.0
SCENE_S = 40.0
SHORTEST_S, LONGEST_S = 4.0, 3600.0
"""Bounds of a scene's seconds: in less than 4 s nobody can read its caption."""
HOURS = 24.0
MOST_DAYS = 31
MOST_HOURS = MOST_DAYS * 24.0
"""A month: the whole range of a tour is loaded into memory."""
FIRST_S, LAST_S = seconds("1990-01-01"), seconds("2100-01-01")
"""Data seconds between which a range lies: no source has rows outside (sources/queries/events.sql)."""
MOST_LOCATIONS = 200
"""Locations that an address may name."""

PANES = ("map", "pipeline", "kpis", "trends", "feed")
"""Names of the panes that a screen can show."""
USUAL_PANES = ("map", "pipeline", "kpis")
"""Panes of a screen whose URL names none."""

NAMES = ("locations", "range", "speed", "seconds", "loop", "panes", "theme", "title", "logo")
"""The parameters of a wall screen's address, without those that its outer page adds."""

SLOWEST = 0.1

_NO = {"0", "no", "false", "off"}
_YES = {"1", "yes", "true", "on"}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([hd])")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that determines the scenes: screens with equal options play the same show.

    locations: ids, empty for all. range: (start, end) in seconds, None for the last `hours` of each location; local: whether
    these are what each kitchen's clock shows, rather than instants. scripted: whether a rehearsed show, if there is one, is
    played in place of the tour.
    """

    locations: tuple[str, ...] = ()
    speed: float = SPEED
    range: tuple[float, float] | None = None
    local: bool = True
    hours: float = HOURS
    scene_s: float = SCENE_S
    loop: bool = True
    scripted: bool = True

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Options":
        """Return the options of a URL's query.

        >>> Options.from_query({"speed": "120", "seconds": "soon", "range": "2d", "loop": "0"})
        Options(locations=(), speed=120.0, range=None, local=True, hours=48.0, scene_s=40.0, loop=False, scripted=False)
        """
        return cls.of(Address(query))

    @classmethod
    def of(cls, address: Address) -> "Options":
        """Return the options of an address; remarks on what makes no sense go to it."""
        scene_s = address.number("seconds", SHORTEST_S, LONGEST_S, nearest=True)
        options = cls(
            locations=_locations(address.text("locations")),
            speed=address.number("speed", SLOWEST, MAX_SPEED, nearest=True) or SPEED,
            scene_s=scene_s or SCENE_S,
            loop=address.one_of("loop", _YES | _NO, lower=True) not in _NO,
            # a URL that specifies a tour gets it even where there is a rehearsed show
            scripted=not any(name in address.query for name in ("locations", "range", "seconds", "speed")),
        )
        return _ranged(options, address)


def panes_in(address: Address) -> tuple[str, ...]:
    """Return the panes that an address names, in its order, the usual ones if it names none; remarks on others go to it."""
    named = address.some_of("panes", PANES, "pane", lower=True)
    return tuple(dict.fromkeys(named)) or USUAL_PANES


def _ranged(options: Options, address: Address) -> Options:
    text = address.text("range")
    if match := _LENGTH.fullmatch(text.lower()):
        hours = float(match[1]) * (24 if match[2] == "d" else 1)
        if hours > MOST_HOURS:
            address.remark(f"A range is {MOST_DAYS} days at most: {quoted(text)} is cut to that.")
        if hours > 0:
            return replace(options, hours=min(hours, MOST_HOURS))
    first, slash, last = text.partition("/")
    first, last = with_plus(first), with_plus(last)
    try:
        start, end = (seconds(first), seconds(last)) if slash else (0.0, 0.0)
        local = bool(slash) and parse(first).tzinfo is None and parse(last).tzinfo is None
    except ValueError:
        start = end = 0.0
        local = True
    if FIRST_S <= start < end <= LAST_S and end - start <= MOST_HOURS * 3600:
        return replace(options, range=(start, end), local=local)
    if text:
        address.remark(
            f"{quoted(text)} is no range: write it like 24h, 7d or 2025-10-16T17:00/2025-10-16T22:00, {MOST_DAYS} days at most."
        )
    return options


def _locations(text: str) -> tuple[str, ...]:
    """Return the ids named, once each: screens that name the same share a show."""
    named = dict.fromkeys(part.strip() for part in text.split(",") if 0 < len(part.strip()) <= LONGEST_ID)
    return tuple(named)[:MOST_LOCATIONS]
