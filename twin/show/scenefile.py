"""A rehearsed show: a YAML file of scenes with captions, for a demo or a meeting.

Errors in the file are reported with the number of the scene when the server starts, not on the wall.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from twin.analysis.baseline import MOST_DAYS, History
from twin.analysis.board import MOST as MOST_ON_BOARD
from twin.analysis.board import Board, board_kitchen, minutes_between
from twin.analysis.ghost import day_number
from twin.analysis.limits import WHOLE_MINUTE
from twin.analysis.network import NetworkHours
from twin.analysis.race import FIGURES, Entry, race
from twin.foundation.errors import ConfigError, TwinError
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.replay.clock import MAX_SPEED
from twin.show.deriving import caption
from twin.show.options import LONGEST_S, SCENE_S, SHORTEST_S, SPEED
from twin.show.scene import Scene, Show
from twin.sources.base import Location, Window
from twin.timeline.timeline import Timeline

RACE_SPEED = 600.0
"""Data seconds per second of a race, and of all kitchens, whose entry names none: a working day in a minute and a half."""
MOST_NETWORK_S = 2 * DAY
"""Longest stretch of all kitchens: the browser gets each minute of it."""
ASIDE_S = 6 * 3600.0
"""Seconds loaded before and after the part that a scene plays, so that trailing figures and trends are complete."""
LEAST_ZOOM, MOST_ZOOM = 3.0, 20.0

_LANES = {"place", "day"}
_RACE_KEYS = {"race", "lanes", "time", "speed", "relative", "caption", "detail", "duration"}
_NETWORK_KEYS = {"network", "time", "speed", "caption", "detail", "duration"}
_KEYS = {"place", "time", "speed", "zoom", "order", "caption", "detail", "duration"}


def load(path: str | Path, hub: Hub) -> Show:
    """Return the show of a file. Raises `ConfigError` with one sentence for the first error in it."""
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The scenes {path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}.") from error
    scenes = content.get("scenes") if isinstance(content, Mapping) else None
    if not isinstance(scenes, list) or not scenes:
        raise ConfigError(f"{path} needs a list `scenes` with at least one scene, each with `place` and `time`.")
    if unknown := set(content) - {"scenes", "loop"}:
        raise ConfigError(f"{path}: {_names(unknown)} is not known; beside `scenes` there is `loop`.")
    loop = content.get("loop", True)
    if not isinstance(loop, bool):
        raise ConfigError(f"{path}: loop must be true or false, not {loop!r}.")
    return Show(tuple(_scene(scene, f"{path}, scene {n}", hub) for n, scene in enumerate(scenes, 1)), loop)


def _scene(entry: Any, where: str, hub: Hub) -> Scene:
    if isinstance(entry, Mapping) and "race" in entry:
        return _race(entry, where, hub)
    if isinstance(entry, Mapping) and "network" in entry:
        return _network(entry, where, hub)
    if not isinstance(entry, Mapping) or not {"place", "time"} <= set(entry):
        raise ConfigError(f"{where} needs `place` and `time`.")
    if unknown := set(entry) - _KEYS:
        raise ConfigError(f"{where}: {_names(unknown)} is not known; there are {_names(_KEYS)}.")
    speed = _number(entry.get("speed", SPEED), "speed", 0.1, MAX_SPEED, where)
    duration = _number(entry.get("duration", SCENE_S), "duration", SHORTEST_S, LONGEST_S, where)
    zoom = entry.get("zoom")
    _check_time(entry["time"], where)
    try:
        place = hub.location(str(entry["place"]))
        t = _time(entry["time"], where, place.tz)
        timeline = hub.timeline(place.id, t - ASIDE_S, t + speed * duration + ASIDE_S)
    except ConfigError:  # of its time, which says where
        raise
    except TwinError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not place.start <= t <= place.end:
        raise ConfigError(f"{where}: the data of {place.label} has no {entry['time']}.")
    return Scene(
        location=place.id, name=place.label, start=timeline.window.start, end=timeline.window.end, t=t, speed=speed,
        duration=duration, headline=str(entry.get("caption") or caption(place.label, t, "Orders and drivers", place.tz)),
        detail=str(entry.get("detail") or ""), order=_order(entry.get("order"), timeline, where),
        zoom=None if zoom is None else _number(zoom, "zoom", LEAST_ZOOM, MOST_ZOOM, where),
    )  # fmt: skip


def _race(entry: Mapping[str, Any], where: str, hub: Hub) -> Scene:
    """Return the scene of a race: its lanes begin at the time of day of `time`, each on its own day and clock."""
    if not {"lanes", "time"} <= set(entry):
        raise ConfigError(f"{where}: a race needs `lanes` and `time`.")
    if unknown := set(entry) - _RACE_KEYS:
        raise ConfigError(f"{where}: {_names(unknown)} is not known; of a race there are {_names(_RACE_KEYS)}.")
    speed = _number(entry.get("speed", RACE_SPEED), "speed", 0.1, MAX_SPEED, where)
    duration = _number(entry.get("duration", SCENE_S), "duration", SHORTEST_S, LONGEST_S, where)
    relative, lanes = entry.get("relative", False), entry["lanes"]
    if not isinstance(relative, bool):
        raise ConfigError(f"{where}: relative must be true or false, not {relative!r}.")
    if (
        not isinstance(lanes, list)
        or not all(isinstance(lane, Mapping) and "place" in lane for lane in lanes)
        or not lanes
    ):
        raise ConfigError(
            f"{where}: lanes is a list, each with `place`, and `day` if it is another than that of `time`."
        )
    if unknown := {key for lane in lanes for key in lane} - _LANES:
        raise ConfigError(f"{where}: {_names(unknown)} is not known; of a lane there are {_names(_LANES)}.")
    _check_time(entry["time"], where)
    try:
        entries = [_lane(hub, lane, entry["time"], speed * duration, relative, where) for lane in lanes]
        found = race(entries, hub.settings.delivery_target_s, str(entry["race"]), relative)
        place, window = hub.location(str(lanes[0]["place"])), entries[0].window
        timeline = hub.timeline(place.id, window.start - ASIDE_S, window.end + ASIDE_S)
    except ConfigError:  # of a lane, which says where
        raise
    except (TwinError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
    headline = entry.get("caption") or f"Race: {FIGURES[found.figure].lower()}"
    return Scene(
        location=place.id, name=str(headline), start=timeline.window.start, end=timeline.window.end, t=window.start, speed=speed,
        duration=duration, headline=str(headline), detail=str(entry.get("detail") or ""), race=found,
    )  # fmt: skip


def _network(entry: Mapping[str, Any], where: str, hub: Hub) -> Scene:
    """Return the scene of all kitchens, or of those that it names, on one clock: the first one's."""
    if "time" not in entry:
        raise ConfigError(f"{where}: a network needs `time`.")
    if unknown := set(entry) - _NETWORK_KEYS:
        raise ConfigError(f"{where}: {_names(unknown)} is not known; of a network there are {_names(_NETWORK_KEYS)}.")
    speed = _number(entry.get("speed", RACE_SPEED), "speed", 0.1, MAX_SPEED, where)
    duration = _number(entry.get("duration", SCENE_S), "duration", SHORTEST_S, LONGEST_S, where)
    if speed * duration > MOST_NETWORK_S:
        raise ConfigError(
            f"{where}: speed and duration make {speed * duration / DAY:.1f} days, and a network is of two at most."
        )
    _check_time(entry["time"], where)
    try:
        places = _places(entry["network"], where, hub)
        first = places[0]
        t = _time(entry["time"], where, first.tz)
        if not min(one.start for one in places) <= t <= max(one.end for one in places):
            raise ConfigError(f"{where}: the data of these kitchens has no {entry['time']}.")
        end = t + speed * duration
        if len(places) > MOST_ON_BOARD:
            places = _most_harmed(hub, places, t, end)
        minutes = minutes_between(t, end)
        found = []
        for place in places:
            timeline = hub.timeline(place.id, t - ASIDE_S, end + ASIDE_S)
            states, usual = hub.states(timeline), hub.usual(timeline)
            found.append(board_kitchen(timeline, states, usual, hub.settings.delivery_target_s, minutes))
        timeline = hub.timeline(first.id, t - ASIDE_S, end + ASIDE_S)
    except ConfigError:
        raise
    except (TwinError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
    headline = str(entry.get("caption") or "All kitchens")
    return Scene(
        location=first.id, name=headline, start=timeline.window.start, end=timeline.window.end, t=t, speed=speed,
        duration=duration, headline=headline, detail=str(entry.get("detail") or ""), board=Board(float(minutes[0]), tuple(found)),
    )  # fmt: skip


def _places(value: Any, where: str, hub: Hub) -> list[Location]:
    """Return the kitchens that a network names: `all`, or a list of ids."""
    if value == "all":
        return hub.locations
    if not isinstance(value, list) or not value:
        raise ConfigError(f"{where}: network is `all` or a list of kitchens, not {value!r}.")
    if len(value) > MOST_ON_BOARD:
        raise ConfigError(f"{where}: a network names at most {MOST_ON_BOARD} kitchens, not {len(value)}.")
    if len({str(one) for one in value}) < len(value):
        raise ConfigError(f"{where}: network names a kitchen twice.")
    return [hub.location(str(one)) for one in value]


def _most_harmed(hub: Hub, places: list[Location], start: float, end: float) -> list[Location]:
    """Return the kitchens with most late deliveries in a range, as many as a wall can show."""
    late_us = round((hub.settings.delivery_target_s + WHOLE_MINUTE) * 1e6)
    window = Window(np.floor(start / HOUR) * HOUR, np.ceil(end / HOUR) * HOUR)
    rows = hub.source.query("network", from_ts=window.start, to_ts=window.end, late_us=late_us)
    hours = NetworkHours.of([place.id for place in places], window, rows)
    return [places[number] for number in hours.harmed(start, end, MOST_ON_BOARD)]


def _lane(hub: Hub, lane: Mapping[str, Any], time: Any, length_s: float, relative: bool, where: str) -> Entry:
    """Return who runs in a lane: the orders of a kitchen, from the time of day on, on the lane's day."""
    place = hub.location(str(lane["place"]))
    tz = place.tz
    begin = _time(time, where, tz)
    if "day" in lane:
        clock = float(tz.local(begin)) % DAY
        begin = float(tz.from_local(_day(lane["day"], where) * DAY + clock))
    if not place.start <= begin <= place.end:
        raise ConfigError(f"{where}: the data of {place.label} has no {tz.text(begin)}.")
    end = float(tz.from_local(float(tz.local(begin)) + length_s))
    around = MOST_DAYS * DAY if relative else 0.0
    rows = hub.source.history(place.id, begin - around - STALLED_AFTER, end + around)
    return Entry(f"{place.label}, {tz.date(begin)}", History.from_rows(rows, tz), Window(begin, end))


def _day(value: Any, where: str) -> int:
    number = day_number(str(value))
    if number is None:
        raise ConfigError(f"{where}: day must be a date as 2025-10-16, not {value!r}.")
    return number


def _order(value: Any, timeline: Timeline, where: str) -> str:
    if value is None:
        return ""
    if str(value) not in timeline.orders.row_of:
        raise ConfigError(f"{where}: there is no order {value!r} at that time.")
    return str(value)


def _check_time(value: Any, where: str) -> None:
    if isinstance(value, bool | int | float):  # YAML reads a bare 18:10 as a sexagesimal number
        raise ConfigError(f"{where}: time needs its day, as in 2025-10-16 18:10.")


def _time(value: Any, where: str, tz: Zone) -> float:
    try:
        return tz.seconds(value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _number(value: Any, what: str, least: float, most: float, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(f"{where}: {what} must be a number from {least:g} to {most:g}, not {value!r}.")
    return float(value)


def _names(keys: set[Any]) -> str:
    return ", ".join(sorted(str(key) for key in keys))
