"""The address of two sides: of the first as on the operations page, of the second the same names after `with`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from twin.foundation.address import Address
from twin.foundation.errors import UnknownLocationError
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.pages.ranges import first_choice, second_choice
from twin.replay.controller import ReplayController
from twin.sources.base import Location, Window
from twin.views.session.address import LEAST_SPEED, unknown_kitchen

NAMES = ("location", "start", "end", "with", "with_start", "with_end", "t", "speed", "theme", "tab", "side")
TABS = ("map", "why")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address asks for: of each side a location and its range; t: the playhead on the first side's clock, speed: data
    seconds per second; None: the usual ones."""

    sides: tuple[tuple[str, Window], tuple[str, Window]]
    t: float | None
    speed: float | None


def read(address: Address, hub: Hub) -> Chosen:
    """Return what an address asks for, completed by what is usual; remarks on what makes no sense go to the address."""
    address.only(*NAMES)
    first = _location(address, hub, "location") or hub.locations[0].id
    window = _range(address, hub, first, "start", "end") or first_choice(hub, first)
    second = _location(address, hub, "with")
    other = _range(address, hub, second or first, "with_start", "with_end")
    if second is None and other is None:
        second, other = second_choice(hub, first, window)
    elif other is None:
        assert second is not None
        other = _same_dates(hub, first, window, second) or first_choice(hub, second)
    tz = hub.location(first).tz
    t = address.time("t", tz)
    if t is not None and not window.start <= t <= window.end:
        address.remark(f"{tz.text(t)} is not in the first side’s range: the nearest time in it is shown.")
    speed = address.number("speed", LEAST_SPEED, max(ReplayController.SPEEDS))
    return Chosen(((first, window), (second or first, other)), t, speed)


def write(
    sides: tuple[tuple[Location, Window], tuple[Location, Window]], t: float, speed: float, others: Mapping[str, str]
) -> str:
    """Return the query that comes back to two sides at a moment; `others` are further fields, empty ones left out."""
    fields: dict[str, str] = {}
    for (place, window), prefix, name in zip(sides, ("", "with_"), ("location", "with"), strict=True):
        tz: Zone = place.tz
        fields |= {name: place.id, f"{prefix}start": tz.iso(window.start), f"{prefix}end": tz.iso(window.end)}
    fields |= {"t": sides[0][0].tz.iso(t), "speed": f"{speed:g}"} | {
        key: value for key, value in others.items() if value
    }
    return "?" + urlencode(fields, safe=":,")


def _location(address: Address, hub: Hub, name: str) -> str | None:
    location = address.text(name)
    if not location:
        return None
    try:
        return hub.location(location).id
    except UnknownLocationError as error:
        address.remark(unknown_kitchen(location, error))
        return None


def _range(address: Address, hub: Hub, location: str, first: str, last: str) -> Window | None:
    tz = hub.location(location).tz
    start, end = address.time(first, tz), address.time(last, tz)
    if start is None and end is None:
        return None
    if start is None or end is None or end <= start:
        address.remark(f"A range needs “{first}” and, after it, “{last}”: the usual one is shown.")
        return None
    window = hub.within(location, start, end)
    if window is None:
        place = hub.location(location)
        covered = f"{tz.text(place.start)} to {tz.text(place.end)}"
        address.remark(f"{place.label} has no orders in the range asked for: its data covers {covered}.")
    return window


def _same_dates(hub: Hub, first: str, window: Window, second: str) -> Window | None:
    """Return the second location's range at the dates of the first's, as far as it has data; None: it has none."""
    tz, of = hub.location(second).tz, hub.location(first).tz
    start, end = (tz.from_local(float(of.local(t))) for t in (window.start, window.end))
    return hub.within(second, start, end) if start < end else None
