"""Which ranges can be put side by side: the last days by name, the week, and those that lie beside another one."""

from dataclasses import dataclass
from typing import Any

from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.sources.base import Window

DAYS = 14
"""Days that are offered by name; others are chosen by their dates."""
WEEK = 7
MOST_KITCHENS = 6
"""Other kitchens that are offered by name; all of them can be chosen on the page of two sides."""
LEAST_S = 6 * HOUR
"""A day that the data covers for less is not offered: it would be compared with next to nothing."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A range to choose, with its name. `group` is the heading that it stands under."""

    group: str
    label: str
    window: Window


def offered(hub: Hub, location: str, other: tuple[Window, Zone] | None = None) -> list[Offer]:
    """Return the ranges of a location to choose from, the newest first; `other` is the range of the other side with its clock.

    What is named by the other side is at its dates: the same, those of a day and of a week before.
    """
    tz = hub.location(location).tz
    days = whole_days(hub, location)
    offers = [] if other is None else _beside(days, tz, *other)
    last = days[-WEEK:]
    for day in reversed(days[-DAYS:]):
        start = float(tz.start_of(day))
        name = f"Last {tz.weekday(start)}" if day in last else f"{tz.weekday(start)} before"
        offers.append(Offer("A day", f"{name}, {tz.date(start)}", _window(tz, day, 1)))
    for n, label in ((1, "Last 7 days"), (2, "The 7 days before")):
        if len(days) >= n * WEEK:
            offers.append(Offer("A week", label, _window(tz, days[-n * WEEK], WEEK)))
    return offers


def beside(hub: Hub, location: str, window: Window) -> list[list[Any]]:
    """Return what a range can be put beside as [group, label, fields]: fields are those of the address of the page of two sides.

    The week and the day before it, other kitchens at its dates, and, whatever it is, each of the last seven days with the one a
    week before that.
    """
    place = hub.location(location)
    tz, days = place.tz, whole_days(hub, location)

    def second(there: Window) -> dict[str, str]:
        return {"with": location, "with_start": tz.iso(there.start), "with_end": tz.iso(there.end)}

    offers: list[list[Any]] = [
        ["Another day of this kitchen", f"{label}, {dates(there, tz)}", second(there)]
        for by, label in ((-WEEK, "The week before"), (-1, "The day before"))
        if (there := moved(days, tz, window, tz, by))
    ]
    others = [one for one in hub.locations if one.id != location][:MOST_KITCHENS]
    offers += [["Another kitchen, the same days", one.label, {"with": one.id}] for one in others]
    for day in reversed(days[-WEEK:]):
        if day - WEEK in days:
            one = _window(tz, day, 1)
            name = f"{tz.weekday(one.start)[:3]} {tz.date(one.start)}"
            fields = {"start": tz.iso(one.start), "end": tz.iso(one.end)} | second(_window(tz, day - WEEK, 1))
            offers.append(["A day and the one a week before", name, fields])
    return offers


def whole_days(hub: Hub, location: str) -> list[int]:
    """Return the days of a location that have enough data to be compared, ascending, by their number since 1970."""
    place, end = hub.location(location), hub.last_day(location).end
    tz = place.tz
    first, last = tz.day(place.start), tz.day(end)
    return [
        day
        for day in range(first, last + 1)
        if min(end, tz.start_of(day + 1)) - max(place.start, tz.start_of(day)) >= LEAST_S
    ]


def first_choice(hub: Hub, location: str) -> Window:
    """Return the day that a side opens on: the last one with enough data, else the last hours of the data."""
    days = whole_days(hub, location)
    return _window(hub.location(location).tz, days[-1], 1) if days else hub.last_hours(location)


def second_choice(hub: Hub, location: str, window: Window) -> tuple[str, Window]:
    """Return what a range is held against if nobody said: a week before, else another kitchen at the same dates, else a day
    before, else itself."""
    tz = hub.location(location).tz
    days = whole_days(hub, location)
    if earlier := moved(days, tz, window, tz, -WEEK):
        return location, earlier
    for place in hub.locations:
        if place.id != location and (there := moved(whole_days(hub, place.id), place.tz, window, tz, 0)):
            return place.id, there
    return location, moved(days, tz, window, tz, -1) or window


def moved(days: list[int], tz: Zone, window: Window, of: Zone, by: int) -> Window | None:
    """Return a range of the clock `of` so many days later (negative: before) on the clock `tz`; None unless there are `days`."""
    first, last = (float(of.local(t)) + by * DAY for t in (window.start, window.end))
    if int(first // DAY) not in days or int((last - 1) // DAY) not in days:
        return None
    start, end = tz.from_local(first), tz.from_local(last)
    return Window(start, end) if start < end else None


def _beside(days: list[int], tz: Zone, window: Window, of: Zone) -> list[Offer]:
    offers = []
    for by, label in ((-WEEK, "The week before"), (-1, "The day before"), (0, "The same dates")):
        if there := moved(days, tz, window, of, by):
            offers.append(Offer("Beside the other side", f"{label}, {dates(there, tz)}", there))
    return offers


def dates(window: Window, tz: Zone) -> str:
    """Return the dates of a range, briefly: 16 Oct, or 10 Oct to 16 Oct."""
    first, last = tz.date(window.start), tz.date(window.end - 1)
    return first if first == last else f"{first} to {last}"


def _window(tz: Zone, day: int, n: int) -> Window:
    return Window(float(tz.start_of(day)), float(tz.start_of(day + n)))
