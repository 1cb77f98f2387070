"""What the browser gets of all kitchens, of their hours, and of one kitchen at a moment."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.analysis.brands import of_brand
from twin.analysis.metrics import metrics_of
from twin.analysis.moments import TROUBLES
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.unfolding import GRID_S
from twin.analysis.network import NetworkHours
from twin.analysis.past_states import StateHours
from twin.api import network
from twin.api.kitchen_status import timeline_at
from twin.foundation.cache import ByteCache, one_each
from twin.foundation.errors import TwinError
from twin.foundation.times import HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.replay.live import place_grows
from twin.sources.base import Location, Window
from twin.timeline.bodies import route_points
from twin.timeline.timeline import Timeline

LISTED = ("id", "name", "qualifier", "region", "lat", "lon")
"""What the browser knows of every kitchen from the start, in this order."""
MOST_MOMENTS = 12
"""Most moments of a kitchen's day that are listed."""
MOST_ROUTES = 80
"""Routes from which the streets around a kitchen are drawn: more make no difference in a map of 300 pixels."""
MOST_STREETS = 200
"""Kitchens whose routes are held."""
STEP_DEG = 1e-4
COARSE = 8
"""Steps of `STEP_DEG` between two points of a line that are drawn, some 90 metres."""
FAR = 900
"""Steps of `STEP_DEG` from the kitchen beyond which nothing is drawn, some ten kilometres."""


def state(places: Sequence[Location], tz: Zone, window: Window, remarks: Sequence[str], many: bool) -> dict[str, Any]:
    """Return the page's state: the kitchens as the JSON text of rows of `LISTED`, which Bokeh would go through one by one."""
    rows = [[one.id, one.display_name, one.qualifier, one.city, one.lat, one.lon] for one in places]
    return {
        "status": "ready",
        "kitchens": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
        "start": window.start,
        "end": window.end,
        "zones": len({one.zone for one in places}) > 1,
        "many": many,
        "remarks": list(remarks),
    }


def hours(made: NetworkHours) -> dict[str, Any]:
    """Return the hours of all kitchens: `levels` a digit for each hour, by kitchen; `late` and `deliveries` of all together."""
    digits = (made.levels + ord("0")).astype(np.uint8)
    return {
        "first": float(made.ends[0] - HOUR) if len(made.ends) else 0.0,
        "levels": [row.tobytes().decode("ascii") for row in digits],
        "late": made.late.sum(axis=0).tolist(),
        "deliveries": made.deliveries.sum(axis=0).tolist(),
    }


def row(hub: Hub, place: Location, t: float, brand: str = "") -> dict[str, Any]:
    """Return what `/network` says of a kitchen at t, and for the page: words for its state, its last hours, its page's range."""
    made = network.kitchen_at(hub, place, t, worst=False, brand=brand)
    found: dict[str, Any] = made.model_dump(mode="json", exclude={"worst", "timestamp", "over_limits", "display_name"})
    found["harm"] = list(network.harm(made))
    found["at"] = t = network.minute_of(hub, place, t)
    if made.problem is not None:
        return found
    timeline = timeline_at(hub, place, t)
    index = of_brand(timeline, brand).index if brand else metrics_of(timeline)
    found["spark"] = [None if np.isnan(one) else int(one) for one in index.series(t).orders_per_hour]
    found["live"] = timeline.grows and place_grows(hub, place)
    found["range"] = None if found["live"] else _range(hub, place, timeline)
    if made.state is not None:
        states = hub.states(timeline)
        found["head"] = states.head(t)
        found["since"] = states.since(t)
        found["states"] = _digits(StateHours.of(states, timeline.window))
    return found


def past(hub: Hub, place: Location) -> dict[str, Any]:
    """Return the worst state of a kitchen in each hour of the range, its days loaded or not."""
    try:
        states = _digits(network.network_of(hub).past_states(place))
    except TwinError as error:  # the day that is shown has them all the same
        network.log.warning("%s has no past states: %s", place.id, error)
        states = None
    return {"location": place.id, "past": states}


def streets(hub: Hub, place: Location) -> dict[str, Any]:
    """Return routes near a kitchen, for its map: each [lat, lon, lat, …], in `STEP_DEG` from the kitchen."""
    try:
        return {"location": place.id, "streets": hub.cached(_Streets).near(place)}
    except TwinError as error:  # a map is worth having without
        network.log.warning("%s has no streets in the network: %s", place.id, error)
        return {"location": place.id, "streets": []}


class _Streets:
    """The routes that were drawn of each kitchen."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._made: ByteCache[list[list[int]]] = ByteCache(MOST_STREETS, one_each)

    def near(self, place: Location) -> list[list[int]]:
        return self._made.load(place.id, lambda: self._read(place))

    def _read(self, place: Location) -> list[list[int]]:
        if place.lat is None or place.lon is None:
            return []
        route, lat, lon, _ = route_points(self._hub.source.routes(place.id, MOST_ROUTES))
        away = np.round(np.column_stack([lat - place.lat, lon - place.lon]) / STEP_DEG).astype(np.int64)
        lines = []
        for one in np.split(away, np.flatnonzero(np.diff(route)) + 1) if len(route) else ():
            step = np.concatenate(([0], np.cumsum(np.abs(np.diff(one, axis=0)).max(axis=1, initial=0))))
            _, some = np.unique(step // COARSE, return_index=True)
            line = one[np.append(some, len(one) - 1)]
            lines.append(line[np.abs(line).max(axis=1) <= FAR].ravel().tolist())
        return [line for line in lines if len(line) > 2]


class _Told:
    """What was told last of a timeline: it stays the same for five minutes, and sessions share it."""

    def __init__(self, _: Timeline) -> None:
        self.last: tuple[float, dict[str, Any]] | None = None


def trouble(hub: Hub, place: Location, t: float) -> dict[str, Any]:
    """Return the moments of a kitchen's day: those known at t, and what is known of the others when they are over."""
    found: dict[str, Any] = {"location": place.id, "worst": None, "moments": []}
    t = network.minute_of(hub, place, t)
    try:
        timeline = timeline_at(hub, place, t)
        look = max(timeline.window.start, t // GRID_S * GRID_S)
        told = timeline.cached(_Told)
        if (last := told.last) is None or last[0] != look:
            last = told.last = look, _moments(hub, place, timeline, look)
        return last[1]
    except TwinError:  # its row says why
        return found
    except Exception as error:  # whatever it is, the other kitchens stand
        network.log.error("%s has no moments in the network", place.id, exc_info=error)
        return found


def _moments(hub: Hub, place: Location, timeline: Timeline, look: float) -> dict[str, Any]:
    known = hub.troubles_at(timeline, look).moments
    later = [one for one in hub.insights(timeline).moments if one.kind in TROUBLES and not _among(one, known)]
    told = [_moment(one, True) for one in known] + [_moment(one, False) for one in later]
    return {"location": place.id, "worst": told[0] if known else None, "moments": told[:MOST_MOMENTS]}


def _among(one: Moment, known: Sequence[Moment]) -> bool:
    return any(one.kind == other.kind and one.start <= other.end and other.start <= one.end for other in known)


def _moment(one: Moment, now: bool) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "title": one.title,
        "sentence": one.sentence,
        "start": one.start,
        "end": one.end,
        "at": one.at,
        "known": one.start if now else max(one.end, one.settled),
        "now": now,
        "severity": one.severity,
        "when": one.when,
    }


def _range(hub: Hub, place: Location, timeline: Timeline) -> list[str] | None:
    """Return the range that a link to the kitchen's page names, None: the one with which it opens."""
    window = timeline.window
    if window == hub.last_hours(place.id):
        return None
    return [place.tz.iso(window.start), place.tz.iso(window.end)]


def _digits(hours: StateHours) -> dict[str, Any]:
    """Return hours for the browser: `first`, data seconds, and a digit of `HARM` for each, 9 where none is known."""
    return {"first": hours.first, "digits": (hours.harm + ord("0")).tobytes().decode("ascii")}
