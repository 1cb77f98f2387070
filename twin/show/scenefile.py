"""A rehearsed show: a YAML file of scenes, for a demo or a meeting where each of them shall be told in its own words.

What is wrong in the file is said with the scene's number when the server starts, not on the wall.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from twin.foundation.errors import ConfigError, TwinError
from twin.foundation.times import seconds
from twin.hub import Hub
from twin.replay.clock import MAX_SPEED
from twin.show.deriving import caption
from twin.show.options import LONGEST_S, SCENE_S, SHORTEST_S, SPEED
from twin.show.scene import Scene, Show
from twin.timeline.timeline import Timeline

ASIDE_S = 6 * 3600.0
"""Seconds loaded before and after what a scene plays, so that its figures of the last hours and its trends are whole."""
LEAST_ZOOM, MOST_ZOOM = 3.0, 20.0

_KEYS = {"place", "time", "speed", "zoom", "order", "caption", "detail", "duration"}


def load(path: str | Path, hub: Hub) -> Show:
    """Return the show that a file tells. Raises `ConfigError` with one sentence for what is wrong in it."""
    try:
        told = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The scenes {path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}.") from error
    scenes = told.get("scenes") if isinstance(told, Mapping) else None
    if not isinstance(scenes, list) or not scenes:
        raise ConfigError(f"{path} needs a list `scenes` with at least one scene, each with `place` and `time`.")
    if unknown := set(told) - {"scenes", "loop"}:
        raise ConfigError(f"{path}: {_names(unknown)} is not known; beside `scenes` there is `loop`.")
    loop = told.get("loop", True)
    if not isinstance(loop, bool):
        raise ConfigError(f"{path}: loop must be true or false, not {loop!r}.")
    return Show(tuple(_scene(scene, f"{path}, scene {n}", hub) for n, scene in enumerate(scenes, 1)), loop)


def _scene(told: Any, where: str, hub: Hub) -> Scene:
    if not isinstance(told, Mapping) or not {"place", "time"} <= set(told):
        raise ConfigError(f"{where} needs `place` and `time`.")
    if unknown := set(told) - _KEYS:
        raise ConfigError(f"{where}: {_names(unknown)} is not known; there are {_names(_KEYS)}.")
    speed = _number(told.get("speed", SPEED), "speed", 0.1, MAX_SPEED, where)
    duration = _number(told.get("duration", SCENE_S), "duration", SHORTEST_S, LONGEST_S, where)
    zoom = told.get("zoom")
    t = _time(told["time"], where)
    try:
        place = hub.location(str(told["place"]))
        timeline = hub.timeline(place.id, t - ASIDE_S, t + speed * duration + ASIDE_S)
    except TwinError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not place.start <= t <= place.end:
        raise ConfigError(f"{where}: the data of {place.display_name} has no {told['time']}.")
    return Scene(
        location=place.id, name=place.display_name, start=timeline.window.start, end=timeline.window.end, t=t, speed=speed,
        duration=duration, headline=str(told.get("caption") or caption(place.display_name, t, "Orders and drivers")),
        detail=str(told.get("detail") or ""), order=_order(told.get("order"), timeline, where),
        zoom=None if zoom is None else _number(zoom, "zoom", LEAST_ZOOM, MOST_ZOOM, where),
    )  # fmt: skip


def _order(told: Any, timeline: Timeline, where: str) -> str:
    if told is None:
        return ""
    if str(told) not in timeline.orders.row_of:
        raise ConfigError(f"{where}: there is no order {told!r} at that time.")
    return str(told)


def _time(told: Any, where: str) -> float:
    if isinstance(told, bool | int | float):  # YAML reads a bare 18:10 as a number of base 60
        raise ConfigError(f"{where}: time needs its day, as in 2025-10-16 18:10.")
    try:
        return seconds(told)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _number(told: Any, what: str, least: float, most: float, where: str) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not least <= told <= most:
        raise ConfigError(f"{where}: {what} must be a number from {least:g} to {most:g}, not {told!r}.")
    return float(told)


def _names(keys: set[Any]) -> str:
    return ", ".join(sorted(str(key) for key in keys))
