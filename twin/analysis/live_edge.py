"""Where "now" is at a kitchen whose record still grows, and the range that is shown while it does.

The live edge is the latest event time that has been read, not a clock: where nothing happens, it stands still. Rows may lie in
the future of the kitchen's clock (a generator writes whole lifecycles at once); they wait until it reaches them.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from twin.foundation.geo import Frame, ground_scale
from twin.foundation.times import HOUR
from twin.foundation.zones import Zone
from twin.sources import time_zones
from twin.sources.base import Location, Volume, Window

AHEAD_S = 120.0
"""Seconds by which an event may lie in the future of the kitchen's clock without waiting: clocks of two machines differ."""
LONGEST_HOURS = 25.0
"""The range that is shown grows to so many hours; then it begins later, at a whole hour of the kitchen's clock."""
SHOWN_HOURS = 24.0
SAME_PLACE_M = 50.0
"""A kitchen whose place follows from its rows moves by metres with each batch: so far it is where it was."""


def wall_clock(place: Location, now: float) -> float:
    """Return what the kitchen's clock shows, in data seconds; `now` is wall time in seconds since 1970.

    Naive times may be the clock of the kitchen's place or UTC, and nothing says which: the later one is taken, so that no row
    waits without need.
    """
    if not place.tz.naive or place.lat is None or place.lon is None:
        return now
    return max(now, Zone(time_zones.zone_at(place.lat, place.lon) or "").local(now))


def live_edge(place: Location, volume: Callable[[], Volume], now: float) -> float:
    """Return the live edge of a location in data seconds; `volume()` returns the location's, `now` is wall time.

    Where rows wait, it is the kitchen's clock, but at most the end of the last hour up to it in which an order began.
    """
    latest = wall_clock(place, now) + AHEAD_S
    if place.end <= latest:
        return place.end
    hours = volume().hour
    begun = hours[hours <= latest]
    return min(latest, float(begun[-1]) + HOUR) if len(begun) else min(place.start, latest)


def settled(place: Location, before: Location) -> Location:
    """Return a location as it is now, at the place where it was before if it has moved no farther than places are uncertain."""
    if place.lat is None or place.lon is None or before.lat is None or before.lon is None:
        return place
    x, y = Frame(before.lat, before.lon).place(np.array([place.lat]), np.array([place.lon]))
    near = np.hypot(x[0], y[0]) * ground_scale(before.lat) <= SAME_PLACE_M  # false for NaN, which is far away
    return replace(place, lat=before.lat, lon=before.lon) if near else place


def live_window(place: Location, edge: float, begin: float) -> Window:
    """Return the range that is shown while the edge moves. It ends with the edge's minute, and begins at `begin` if it can.

    `begin` is where it began before, or where the first view begins. A begin that stays lets charts grow at one end only.
    """
    end = float(np.floor(edge / 60) * 60 + 60)
    if begin < end <= begin + LONGEST_HOURS * HOUR:
        return Window(begin, end)
    hours = place.tz.ticks(end - (SHOWN_HOURS + 2) * HOUR, end - SHOWN_HOURS * HOUR, HOUR)
    return Window(float(hours[-1]), end)
