"""What a kitchen's card on the first page says of its last day: the state it is in or, of a past day, its worst.

From the same states and moments as the kitchen's own page, so that the two cannot differ.
"""

import time
from dataclasses import asdict, dataclass
from itertools import groupby

from twin.analysis.kitchen_state import BUILDING, CALM, STATES, TROUBLE, Spell
from twin.analysis.moments.demand import BUSIEST
from twin.foundation.times import HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.sources.base import Location

LIVE_S = 2 * HOUR
"""A record that ends so shortly before now is one of today; a longer silence is the past."""
ANY_ZONE_S = 14 * HOUR
"""How far the clock of a kitchen whose zone is unknown may be from UTC."""


@dataclass(frozen=True, slots=True)
class CardState:
    """A state of `STATES`, words for it, and the busiest hour in words; that is empty where the page tells of a rush instead."""

    state: str
    text: str
    busiest: str = ""


def card_state(hub: Hub, location: str, wall: float | None = None, load: bool = True) -> dict[str, str] | None:
    """Return a kitchen's `CardState` as JSON; None where it is not in memory and may not be loaded.

    `wall` is the time now, seconds since 1970. Loads the last day, as its page does. Raises `TwinError`.
    """
    place = hub.location(location)
    timeline = hub.timeline(location) if load else hub.kept(location)
    insights = None if timeline is None else hub.insights(timeline) if load else hub.kept_insights(timeline)
    if timeline is None or insights is None or insights.states is None or not timeline.has_orders:
        return None
    window = timeline.window
    spells = list(insights.states.spells(window.start, window.end))
    live = _is_live(place, time.time() if wall is None else wall)
    state, text = _now(spells, timeline.tz) if live else _worst(spells, timeline.tz)
    busiest = max((one.figures["orders"] for one in insights.moments if one.title == BUSIEST), default=0.0)
    return asdict(CardState(STATES[state], text, f"busiest hour: {busiest:,.0f} orders" if busiest else ""))


def _is_live(place: Location, wall: float) -> bool:
    return abs(wall - place.end) <= LIVE_S + (ANY_ZONE_S if place.tz.naive else 0.0)


def _stretches(spells: list[Spell]) -> list[tuple[int, float, float]]:
    """Return each stretch of one state, whatever was over its limits in it: state, begin, end."""
    grouped = ((state, list(some)) for state, some in groupby(spells, key=lambda spell: spell.state))
    return [(state, some[0].begin, some[-1].end) for state, some in grouped]


def _now(spells: list[Spell], tz: Zone) -> tuple[int, str]:
    state, begin, _ = _stretches(spells)[-1]
    head = spells[-1].head
    return state, "Calm" if state == CALM and not head else f"{head}, since {tz.weekday(begin)[:3]} {tz.clock(begin)}"


def _worst(spells: list[Spell], tz: Zone) -> tuple[int, str]:
    stretches = _stretches(spells)
    for state in (TROUBLE, BUILDING):
        some = [one for one in stretches if one[0] == state]
        if some:
            _, begin, end = max(some, key=lambda one: one[2] - one[1])
            return state, f"Worst: {STATES[state]}, {tz.weekday(begin)[:3]} {tz.clock(begin)}–{tz.clock(end)}"
    return CALM, "Calm on its last day"
