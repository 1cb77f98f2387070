"""Reads the address of the operations page: what it asks for, as far as the source has it, and a sentence for everything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from twin.foundation.address import LONGEST_ID, MOST_COUNTED, Address, quoted, with_plus
from twin.foundation.errors import UnknownLocationError
from twin.foundation.stages import STATES
from twin.foundation.times import UTC
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.sources.similar_orders import similar_orders

Follow = Literal["", "live", "behind"]
"""Whether a kitchen's newest events are followed, from the latest on or from another playhead; empty: a range is loaded."""
LoadRequest = tuple[str, float | None, float | None, float | None, float | None, Follow]
"""What is to be loaded: location, start, end, playhead, speed, follow; None: the default, see `ReplaySession.choose`."""

NAMES = ("location", "start", "end", "t", "speed", "view", "order", "stage", "loop", "hindsight", "theme", "live")
"""The parameters of the operations page, beside those that its views save."""

LEAST_SPEED = 0.001
LATEST = "The last 24 hours are shown."


@dataclass(frozen=True, slots=True)
class Wish:
    """What an address asks for. viewport: [lon, lat, zoom], empty: none; order, stage: empty: none; loop: play in a loop;
    hindsight: show what lies after the playhead, too; section: only this part of the range, data seconds; None: all of it."""

    load: LoadRequest
    viewport: list[float]
    order: str
    stage: str
    loop: bool
    hindsight: bool
    section: tuple[float, float] | None = None


def read(address: Address, hub: Hub) -> Wish | None:
    """Return what an address asks for, None without a location of the source; remarks on the rest go to the address."""
    location = address.text("location")
    if not location:
        return None
    try:
        tz = hub.location(location).tz
    except UnknownLocationError as error:
        address.remark(unknown_kitchen(location, error))
        return None
    follow = _follow(address, hub, location)
    start, end = (None, None) if follow else _range(address, hub, location)
    latest = hub.last_hours(location)
    if follow:
        latest = Window(latest.start, max(latest.end, hub.edge(location)))
    at = address.time("t", tz)
    first, last = (latest.start, latest.end) if start is None or end is None else (start, end)
    if at is not None and not first <= at <= last:
        address.remark(f"{tz.text(at)} is not in the range shown: the nearest time in it is.")
    loop, section = _loop(address, tz, first, last)
    return Wish(
        (location, start, end, at, address.number("speed", LEAST_SPEED, max(ReplayController.SPEEDS)), follow),
        _viewport(address),
        address.text("order")[:LONGEST_ID],
        address.one_of("stage", STATES) or "",
        loop,
        address.one_of("hindsight", ("0", "1")) == "1",
        section,
    )


def _follow(address: Address, hub: Hub, location: str) -> Follow:
    """Return what an address says with `live`: 1 follows the latest events, 0 is behind them at its t."""
    value = address.one_of("live", ("0", "1"))
    if value is None:
        return ""
    if hub.as_of is None:
        address.remark("Nothing newer comes from this source, so nothing can be followed live.")
        return ""
    return "live" if value == "1" else "behind"


def loop_text(section: tuple[float, float] | None, tz: Zone) -> str:
    """Return how an address says that all of the range is played in a loop, or a part of it."""
    return "1" if section is None else ",".join(map(tz.iso, section))


def _loop(address: Address, tz: Zone, first: float, last: float) -> tuple[bool, tuple[float, float] | None]:
    """Return whether an address asks for a loop, and the part of [first, last] that it is of, None: of all."""
    value = address.text("loop")
    if value in ("", "0", "1"):
        return value == "1", None
    try:
        start, end = (tz.seconds(with_plus(part)) for part in value.split(","))
    except ValueError:
        address.remark(f"{quoted(value)} for “loop” is neither 0, 1 nor two times with a comma between them.")
        return False, None
    if not first <= start < end <= last:
        address.remark("The loop is not a part of the range shown: all of it is played in a loop.")
        return True, None
    return True, (start, end)


def unknown_kitchen(location: str, error: UnknownLocationError) -> str:
    """Return the sentence for a location that an address names in vain: pages and wall screens say the same."""
    names = [quoted(name) for name in error.near]
    hint = f"Did you mean {names[0]}?" if error.similar and names else f"There are {', '.join(names)}."
    return f"There is no kitchen {quoted(location)}. {hint}"


def unknown_kitchens(hub: Hub, locations: Sequence[str]) -> list[str]:
    """Return that sentence for each of these that the source does not have, `MOST_COUNTED` at most."""
    sentences: list[str] = []
    for location in locations:
        try:
            hub.location(location)
        except UnknownLocationError as error:
            sentences.append(unknown_kitchen(location, error))
        if len(sentences) == MOST_COUNTED:
            break
    return sentences


def cut(window: Window, tz: Zone) -> str:
    """Return a sentence for a range that was cut to what can be chosen."""
    return f"The range was cut to the days with data, {tz.text(window.start)} to {tz.text(window.end)}."


def missing_order(hub: Hub, order: str, location: str = "") -> str:
    """Return a sentence for an order that is not in the timeline: where and when it is, or which ids are similar, at the location
    if there is any."""
    rows = hub.source.query("find_order", order_id=order, location="")
    if len(rows):
        row = min(rows.select(["ts", "location"]).to_pylist(), key=lambda one: one["ts"])
        place = hub.location(row["location"])
        t = row["ts"].replace(tzinfo=UTC).timestamp()
        at = f"{place.tz.text(t)[:10]} {place.tz.clock(t)}"
        return f"The order {quoted(order)} is not in this range: it is of {place.label}, {at}."
    near = similar_orders(hub.source, order, 1, location)
    return f"There is no order {quoted(order)}." + (f" Did you mean {quoted(near[0])}?" if near else "")


def _range(address: Address, hub: Hub, location: str) -> tuple[float | None, float | None]:
    """Return the range that an address asks for, cut to what can be chosen; None, None: the default."""
    place = hub.location(location)
    tz = place.tz
    start, end = address.time("start", tz), address.time("end", tz)
    if start is None or end is None:
        if start is not None or end is not None:
            address.remark(f"A range needs both a start and an end. {LATEST}")
        return None, None
    if end <= start:
        address.remark(f"The end of the range is not after its start. {LATEST}")
        return None, None
    window = hub.within(location, start, end)
    if window is None:
        covered = f"{tz.text(place.start)} to {tz.text(place.end)}"
        address.remark(f"No orders in this range: the data covers {covered}. {LATEST}")
        return None, None
    if (window.start, window.end) != (start, end):
        address.remark(cut(window, tz))
    return window.start, window.end


def _viewport(address: Address) -> list[float]:
    value = address.text("view")
    try:
        lon, lat, zoom = (float(part) for part in value.split(","))
        inside = abs(lon) <= 180 and abs(lat) <= 85 and 0 <= zoom <= 24  # false for NaN
    except ValueError:
        inside = False
    if value and not inside:
        address.remark(f"{quoted(value)} is no view of the map: give longitude,latitude,zoom.")
    return [lon, lat, zoom] if inside else []
