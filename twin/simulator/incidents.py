"""The incidents of the demo, so that there is something to find. There are four kinds:

driver_shortage  meals ready in the window wait 15–25 minutes, and their drivers arrive late
slow_oven        cooking that starts in the window takes 1.8 times as long
demand_spike     2.5 times the usual orders are placed in the window
outage           nothing is started in the window; afterwards the backlog is started one order every 20 seconds

By default San Francisco is short of drivers on the evening before the last (Thursday 16 October, 18:10–18:50). On the
last day San Francisco has a rush at dinner, Chicago's oven is slow from lunch, Houston Fondren has an outage before
dinner and Houston Westheimer is short of drivers. Each earlier day has one incident somewhere, drawn from the seed.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

KINDS = ("driver_shortage", "slow_oven", "demand_spike", "outage")
SHORTAGE_WAIT = (15.0, 25.0)
"""Minutes that a ready meal waits for its driver during a shortage."""
OVEN_FACTOR = 1.8
SPIKE_FACTOR = 2.5
BACKLOG_STEP = 20.0
"""Seconds between two starts while a kitchen works off the backlog of an outage."""

_STREAM = 31
"""Number of the random stream that draws the incidents of earlier days."""

_MINUTES = {"driver_shortage": 40, "slow_oven": 90, "demand_spike": 40, "outage": 30}
_TITLES = {
    "driver_shortage": "Drivers are short: ready meals wait 15 to 25 minutes",
    "slow_oven": "An oven is slow: cooking takes 1.8 times as long",
    "demand_spike": "A rush: 2.5 times the usual orders",
    "outage": "The kitchen stands still: nothing is started, then a backlog",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. start, end: seconds since 1970, naive UTC."""

    kind: str
    location: str
    start: float
    end: float
    title: str


def plan(locations: Sequence[str], end: date, days: int, seed: int) -> list[Incident]:
    """Return all incidents of a demo whose last whole day is `end`, by time. `locations` are location names."""
    first = end - timedelta(days=days - 1)
    # (index of the location, days before the end, kind, time of day)
    story = [
        (0, 1, "driver_shortage", "18:10"),
        (0, 0, "demand_spike", "18:20"),
        (1, 0, "slow_oven", "11:45"),
        (2, 0, "outage", "17:25"),
        (3, 0, "driver_shortage", "18:35"),
    ]
    incidents = [
        _incident(kind, locations[place], end - timedelta(days=back), clock)
        for place, back, kind, clock in story
        if place < len(locations) and back < days
    ]
    for back in range(2, days):
        day = end - timedelta(days=back)
        rng = np.random.default_rng([seed, day.toordinal(), _STREAM])
        kind = KINDS[int(rng.integers(len(KINDS)))]
        # An incident is visible only where there are orders: around lunch or dinner.
        minute = int(rng.choice([11, 12, 17, 18, 19])) * 60 + int(rng.integers(0, 12)) * 5
        location = locations[int(rng.integers(len(locations)))]
        incidents.append(_incident(kind, location, day, f"{minute // 60:02d}:{minute % 60:02d}"))
    return sorted(
        (item for item in incidents if item.start >= _midnight(first)), key=lambda item: (item.start, item.location)
    )


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _incident(kind: str, location: str, day: date, clock: str) -> Incident:
    hour, minute = clock.split(":")
    start = _midnight(day) + int(hour) * 3600 + int(minute) * 60
    return Incident(kind, location, start, start + _MINUTES[kind] * 60.0, _TITLES[kind])


def key_of(location: str) -> int:
    """Return a number to seed a location's random streams with: the same in every process, unlike `hash`."""
    return zlib.crc32(location.encode())
