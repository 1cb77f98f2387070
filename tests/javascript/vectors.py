"""What Python worked out and JavaScript must reproduce: where a playhead is, where drivers are, what is written.

The browser evaluates the same formulas as the server without asking it, so both are given the same cases. Written at each
run (tests/javascript/test_javascript.py), so that they cannot be older than what they are made from.
"""

import base64
import random
from dataclasses import asdict
from typing import Any

import numpy as np

from twin.analysis.alignment import align
from twin.analysis.event_index import GROUPS, USUAL_GROUPS, EventFilter
from twin.analysis.wording import exact_text, minutes_text, short_id
from twin.foundation.times import DAY
from twin.foundation.zones import Zone
from twin.replay.clock import Anchor
from twin.sources.base import Window
from twin.timeline.timeline import Timeline
from twin.views.map import answers, messages, wire

STARTS = 60
"""Playheads that are followed through commands."""
COMMANDS = 12
WINDOW_S = 300.0
MOMENTS = 7


def clocks(seed: int = 16) -> list[dict[str, Any]]:
    """Return playheads through random commands: each verb as the page gives it, and the anchor that must come of it."""
    random_ = random.Random(seed)
    return [_clock(random_) for _ in range(STARTS)]


def _clock(random_: random.Random) -> dict[str, Any]:
    start = random_.uniform(0, 1e9)
    end = start + random_.choice([0.0, 60.0, 86_400.0, 7 * 86_400.0])
    anchor = Anchor(
        t0=random_.uniform(start, end), wall0=0.0, speed=random_.choice([1.0, 60.0, 1000.0]),
        playing=random_.random() < 0.5, start=start, end=end, loop=random_.random() < 0.5,
        edge=end if end > start and random_.random() < 0.5 else None,
    )  # fmt: skip
    first, wall, steps = _sent(anchor), 0.0, []
    for _ in range(COMMANDS):
        wall += random_.choice([0.0, 0.25, 3.0, 200.0, 5000.0])
        verb, arguments, anchor = _command(random_, anchor, wall, start, end)
        later = wall + random_.choice([0.1, 10.0, 1000.0])
        steps.append(
            {
                "wall": wall, "verb": verb, "arguments": arguments, "anchor": _sent(anchor), "later": later,
                "at": anchor.at(later), "moving": anchor.playing and not anchor.ended(later),
            }
        )  # fmt: skip
    return {"first": {**first, "step": Anchor(start=start, end=end).step_length()}, "steps": steps}


def _sent(anchor: Anchor) -> dict[str, Any]:
    return {name: value for name, value in asdict(anchor).items() if value is not None}


def _command(
    random_: random.Random, anchor: Anchor, wall: float, start: float, end: float
) -> tuple[str, list[Any], Anchor]:
    now, latest = anchor.at(wall), anchor.edge or end
    growing = [] if anchor.edge is None else ["follow", "grow", "grow", "hindsight"]
    match random_.choice(["play", "pause", "stop", "step", "speed", "loop", "seek", "section", *growing]):
        case "follow":
            return "follow", [], anchor.follow(wall, start)
        case "grow":
            edge = latest + random_.choice([0.5, 40.0, 1e6])
            return "grow", [edge], anchor.grow(wall, edge)
        case "hindsight":
            hindsight = random_.random() < 0.5
            return "hindsight", [hindsight], anchor.set_hindsight(hindsight, wall, now)
        case "play":
            return "play", [], anchor.play(wall, now)
        case "pause":
            return "pause", [], anchor.pause(wall, now)
        case "stop":
            return "stop", [], anchor.stop(wall)
        case "step":
            n = random_.choice([-10, -1, 1, 10])
            return "step", [n], anchor.step(wall, n * Anchor(start=start, end=end).step_length(), now)
        case "speed":
            speed = random_.choice([0.5, 1.0, 60.0, 1000.0])
            return "speed", [speed], anchor.set_speed(speed, wall, now)
        case "loop":
            loop = random_.random() < 0.5
            return "loop", [loop], anchor.set_loop(loop, wall, now)
        case "seek":
            t = random_.uniform(start - 100, latest + 100)
            return "seek", [t], anchor.seek(wall, t)
        case _:
            a, b = sorted(random_.uniform(start, latest) for _ in range(2))
            # who plays a part from elsewhere is taken to its start; a range's own verb goes to the nearest end
            confined = anchor.set_range(a, b, wall)
            return "section", [a, b], confined.set_loop(True, wall, now if a <= now <= b else a)


def alignments(seed: int = 23) -> list[dict[str, Any]]:
    """Return pairs of ranges as the browser gets them, and where the second is at times of the first, and back."""
    random_ = random.Random(seed)
    zones = [Zone(), Zone("America/Los_Angeles"), Zone("America/Chicago"), Zone("Europe/Berlin")]
    return [_alignment(random_, *(random_.choice(zones) for _ in range(2))) for _ in range(STARTS)]


def _alignment(random_: random.Random, tz: Zone, other_tz: Zone) -> dict[str, Any]:
    near = 1_762_041_600.0 + random_.choice([0, 1, 2]) * 7 * DAY  # the change of 2 November 2025 is close
    window, other = (
        Window(start, zone.start_of(zone.day(start) + random_.choice([1, 1, 2, 7])) - random_.choice([0.0, 5000.0]))
        for zone in (tz, other_tz)
        for start in [zone.start_of(zone.day(near + random_.randrange(-9, 2) * DAY)) + random_.choice([0.0, 40_000.0])]
    )
    pieces = align((window, tz), (other, other_tz))
    times = [random_.uniform(window.start, window.end) for _ in range(MOMENTS)] + [window.start, window.end]
    others = [random_.uniform(other.start - 100, other.end + 100) for _ in range(MOMENTS)]
    return {
        "sent": pieces.to_browser(),
        "second": [[t, pieces.second(t)] for t in times],
        "first": [[t, at, pieces.first(t, at)] for t in others for at in times],
    }


def windows(timeline: Timeline) -> list[dict[str, Any]]:
    """Return windows of trips as the map sends them, and where the timeline has the drivers at moments of each."""
    busiest = timeline.busiest()
    return [_window(timeline, busiest + shift) for shift in (-7200.0, 0.0, 5400.0)]


def _window(timeline: Timeline, start: float) -> dict[str, Any]:
    end = start + WINDOW_S
    message = messages.window_message(timeline.motion(start, end), timeline.orders, speed=1.0)
    kitchen = messages.kitchen_of(timeline)
    assert kitchen is not None
    moments = []
    for t in np.linspace(start, end, MOMENTS).tolist():
        drivers = timeline.at(t).drivers
        places = zip(drivers.order.tolist(), drivers.x - kitchen[0], drivers.y - kitchen[1], strict=True)
        # a driver whose place the data does not tell is nowhere on either side
        moments.append({"t": t, "drivers": [[order, float(x), float(y)] for order, x, y in places if np.isfinite(x)]})
    return {"from": start, "to": end, "message": _plain(message), "tolerance": messages.FINE_M, "moments": moments}


def pins(timeline: Timeline) -> dict[str, Any]:
    """Return the pins of a stage as the map sends them, and as they are read in Python."""
    t = timeline.busiest()
    message = answers.stage_message(timeline, "cooking", t, t + 600)
    columns = {name: [_number(value) for value in column.tolist()] for name, column in wire.unpack(message).items()}
    return {"message": _plain(message), "columns": columns}


def texts() -> dict[str, list[list[Any]]]:
    """Return durations in words and the short forms of ids, as both sides write them."""
    ids = [
        "A7K2M9-L1", "0f3c9a55d1e84b27a6c0d1e2f3a4b5c6", "0F3C9A55D1E84B27A6C0D1E2F3A4B5C6~2", "ORDER-2025-000123",
        "202510171830000042", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "018f4e2a-7c31-7d5b-a0c1-5e8f9b3c2d41",
        "طلب-000123-٤٥٦", "🍕" * 11, "",
    ]  # fmt: skip
    seconds = [0.0, 29.9, 59.4, 59.5, 60.0, 89.9, 90.0, 150.0, 3569.9, 3570.0, 3599.0, 3600.0, 5999.0, 6000.0, 7530.0]
    return {
        "minutes": [[s, minutes_text(s)] for s in seconds],
        "exact": [[s, exact_text(s)] for s in seconds],
        "ids": [[one, short_id(one)] for one in ids],
    }


def zones(seed: int = 7) -> list[dict[str, Any]]:
    """Return zones as the browser gets them, with what their clocks show at moments around their changes."""
    random_ = random.Random(seed)
    found = []
    for name in ("", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana", "Asia/Beirut"):
        zone = Zone(name, "as configured")
        start = 1_735_700_000.0
        end = start + 400 * DAY
        sent = zone.to_browser(start, end)
        near = [at for at, _, _ in sent.get("changes", ())[1:]] or [start + DAY]
        moments = [random_.choice(near) + random_.randrange(-100_000, 100_000) / 4 for _ in range(60)]
        moments += [at + shift for at in near for shift in (-1.0, 0.0, 1.0, 1800.0, -1800.0)]
        walls = [zone.local(t) + shift for t in moments for shift in (0.0, 3600.0)]
        found.append(
            {
                "sent": sent,
                "moments": [
                    {
                        "t": t, "text": zone.text(t), "label": zone.label(t), "midnight": zone.midnight(t),
                        "next": zone.next_midnight(t), "iso": zone.iso(t), "wall": zone.local(t),
                    }
                    for t in moments
                ],
                "walls": [[wall, zone.from_local(wall), zone.from_local(wall, later=True)] for wall in walls],
            }
        )  # fmt: skip
    return found


def filters() -> dict[str, Any]:
    """Return queries of the feed, and what both sides must read in them and write for them."""
    queries = [
        "", "types=problem", "types=", "only", "types=driver,problem,nonsense;only;text=pho; real", "text=types=ping;only",
        "types=ping,order,kitchen,driver,delivery,problem", "nothing=else;only",
    ]  # fmt: skip
    read = [EventFilter.parse(query) for query in queries]
    return {
        "groups": list(GROUPS),
        "usual": [group for group in GROUPS if group in USUAL_GROUPS],
        "cases": [
            {"query": query, "groups": sorted(one.groups), "only": one.only, "text": one.text, "written": str(one)}
            for query, one in zip(queries, read, strict=True)
        ],
    }


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "packed": base64.b64encode(message["packed"].tobytes()).decode()}


def _number(value: float) -> float | None:
    return None if value != value else value
