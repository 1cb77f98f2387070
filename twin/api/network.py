"""All kitchens at one moment: what the network page and `/network` say, each figure from the functions of a kitchen's own page.

What is said of every kitchen at once, by the hour, the source adds up (`twin.analysis.network`). What needs a loaded timeline is
computed kitchen by kitchen, for those that are asked for, and one that fails says so in its own row.

A row is of a whole minute: those are when states are judged, so that no figure beside a state can speak of another time.
"""

import difflib
import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from twin.analysis import brands, first_view
from twin.analysis.driver_supply import drivers_at
from twin.analysis.kitchen_state import BY_HARM, MINUTE, STATES, words
from twin.analysis.limits import LEVELS, WHOLE_MINUTE, Limits, late_level
from twin.analysis.metrics import SERIES_STEP, metrics_of
from twin.analysis.moments.unfolding import GRID_S
from twin.analysis.network import NetworkHours
from twin.analysis.past_states import StateHours, past_states
from twin.analysis.wording import in_minutes
from twin.api import models, parameters
from twin.api.instants import instant, seconds
from twin.api.kitchen_status import timeline_at
from twin.foundation.errors import CancelledError, SourceError, TwinError, UnknownNameError
from twin.foundation.stages import OUT_FOR_DELIVERY, READY, STAGES
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.hub import Hub
from twin.replay.live import place_grows
from twin.sources.base import Location, Volume, Window
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

DAYS = 7
"""Longest range of all kitchens, in days."""
MOST_LIVE = 50
"""Most kitchens that are all loaded, so that their states can rank them; of more, only those that are asked for."""
RANK = {STATES[state]: rank for rank, state in enumerate(BY_HARM)}
"""The states by the harm that they stand for."""
UNRANKED = len(RANK)
"""A kitchen whose state is not known comes after these, one that failed after that."""


class Network:
    """The kitchens of a hub as one: their common range, and their hours, each added up once for a version of the source."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock, self._brands_lock = threading.Lock(), threading.Lock()
        self._made: tuple[int, Window, NetworkHours] | None = None
        self._range: tuple[int, Window] | None = None
        self._carried: tuple[float, dict[str, frozenset[str]]] | None = None
        self._past: dict[str, tuple[float, StateHours]] = {}

    @property
    def tz(self) -> Zone:
        """The clock that all are shown on: the kitchens' own where they have one in common, else UTC."""
        zones = {place.zone for place in self._hub.locations}
        return Zone(zones.pop() or "") if len(zones) == 1 else Zone("UTC")

    @property
    def places(self) -> list[Location]:
        """The kitchens, as they are now."""
        return self._hub.locations

    def window(self) -> Window:
        """Return the last days of the record of all kitchens that are worth seeing, data seconds, from a full hour on.

        By the rule for one kitchen, applied to the orders of all: a straggler of one of them moves nothing.
        """
        version = self._hub.version
        held = self._range
        if held is None or held[0] != version:
            held = self._range = version, self._window()
        return held[1]

    def reach(self) -> tuple[float, float]:
        """Return the first and the last event of all kitchens, data seconds."""
        places = self._hub.locations
        return min(place.start for place in places), max(place.end for place in places)

    def _window(self) -> Window:
        hub, places = self._hub, self._hub.locations
        volumes = [hub.source.volume(place.id) for place in places]
        hour, where = np.unique(np.concatenate([one.hour for one in volumes]), return_inverse=True)
        orders = np.bincount(where, weights=np.concatenate([one.orders for one in volumes])).astype(np.int64)
        start, last = self.reach()
        delivered = [place.last_delivered for place in places if place.last_delivered is not None]
        whole = replace(
            places[0],
            zone=self.tz.name or None,
            orders=int(orders.sum()),
            start=start,
            end=last,
            last_delivered=max(delivered, default=None),
        )
        end = first_view.last_day(whole, Volume(hour, orders)).end
        if hub.as_of is not None:
            end = max(end, *map(hub.edge_of, places))
        return Window(max(np.floor(whole.start / HOUR), np.ceil(end / HOUR) - DAYS * 24) * HOUR, end)

    def hours(self) -> NetworkHours:
        """Return the hours of all kitchens, in the order of `Hub.locations`; asks the source once. Raises `SourceError`."""
        hub, window, version = self._hub, self.window(), self._hub.version
        with self._lock:
            if self._made is not None and self._made[:2] == (version, window):
                return self._made[2]
            late_us = round((hub.settings.delivery_target_s + WHOLE_MINUTE) * 1e6)
            until = float(np.ceil(window.end / HOUR) * HOUR)
            rows = hub.source.query("network", from_ts=window.start, to_ts=until, late_us=late_us)
            made = NetworkHours.of([place.id for place in hub.locations], window, rows)
            self._made = version, window, made
            return made

    def brands(self) -> Mapping[str, frozenset[str]]:
        """Return which kitchens had orders of a brand in the range, by the brand's name. Raises `SourceError`.

        Asked of the source once for the hour in which the range ends.
        """
        hub, window = self._hub, self.window()
        hour = float(np.ceil(window.end / HOUR))
        with self._brands_lock:
            if self._carried is None or self._carried[0] != hour:
                names = hub.source.names("brands")
                found: dict[str, set[str]] = {}
                for row in hub.source.query("carried", from_ts=window.start, to_ts=hour * HOUR).to_pylist():
                    name = names.get(row["brand_id"], f"brand {row['brand_id']}")  # as timelines name it
                    found.setdefault(name, set()).add(row["location"])
                by_name = {name: frozenset(found[name]) for name in sorted(found, key=str.casefold)}
                self._carried = hour, by_name
            return self._carried[1]

    def brand(self, asked: str) -> str:
        """Return the name of a brand, whose capitals may be written otherwise. Raises `UnknownNameError`."""
        names = list(self.brands())
        for name in names:
            if name.casefold() == asked.strip().casefold():
                return name
        near = difflib.get_close_matches(asked, names, 3)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names[:5])}." if names else ""
        message = f"No kitchen has cooked for a brand “{asked[:40]}” in these days. {hint}".strip()
        raise UnknownNameError(message, near or names[:5], bool(near))

    def past_states(self, place: Location) -> StateHours:
        """Return the worst state of a kitchen in each hour of the range, loaded or not. Raises `SourceError`.

        Asked of the source once. Of a kitchen that grows the latest hours are those of its newest timeline: these end when they
        were asked for.
        """
        hub, window = self._hub, self.window()
        begin, held = window.start // HOUR, self._past.get(place.id)
        if held is None or held[0] != begin:
            made = past_states(hub.source, place, _windows(hub, place, window), Limits.of(hub.settings))
            held = self._past[place.id] = begin, made
        return held[1]


def _windows(hub: Hub, place: Location, window: Window) -> list[Window]:
    """Return the ranges by which a kitchen's page shows the hours of a window: days, then its last 24 hours."""
    last, (first, _) = hub.last_hours(place.id), place.tz.whole_days(window.start, window.start)
    days = [place.tz.whole_days(day, day) for day in place.tz.ticks(first, min(last.start, window.end), DAY)]
    return [*(Window(*day) for day in days), last]


def network_of(hub: Hub) -> Network:
    """Return the hub's network, made at the first call."""
    return hub.cached(Network)


def minute_of(hub: Hub, place: Location, t: float) -> float:
    """Return the whole minute that a kitchen's row is of: the last one up to t; of one that grows, up to its latest event."""
    edge = hub.edge_of(place) if place_grows(hub, place) else t
    return float(np.floor((edge if edge < t <= edge + DAY else t) / MINUTE) * MINUTE)


def kitchen_at(hub: Hub, place: Location, t: float, worst: bool = True, brand: str = "") -> models.NetworkKitchen:
    """Return a row: what a kitchen's page says of it at t (data seconds); where that fails, why. Raises `CancelledError` only.

    Without `worst` its trouble is left out, which takes as long as all else. With `brand` (a name of `Network.brands`) orders,
    deliveries, meals and drivers are those of that brand's orders; the state stays the kitchen's.
    """
    t = minute_of(hub, place, t)
    try:
        return _row(hub, place, timeline_at(hub, place, t), t, worst, brand)
    except CancelledError:
        raise
    except TwinError as error:
        problem = str(error)
    except Exception as error:  # whatever it is, the other kitchens stand
        log.exception("the network has no figures of %s", place.id)
        problem = f"This kitchen failed ({type(error).__name__}): see the server’s log."
    unknown: dict[str, Any] = dict.fromkeys(models.NetworkKitchen.model_fields)
    known = {"location": place.id, "display_name": place.label, "timestamp": instant(t), "over_limits": []}
    return models.NetworkKitchen(**unknown | known | {"problem": problem})


def _row(hub: Hub, place: Location, timeline: Timeline, t: float, worst: bool, brand: str) -> models.NetworkKitchen:
    whole, snapshot = metrics_of(timeline), timeline.at(t)
    index, counts, drivers = whole, snapshot.counts, drivers_at(timeline, t)
    against = _against_other_days(hub, timeline, t)
    if brand:
        of_brand = brands.of_brand(timeline, brand)
        index, counts = of_brand.index, of_brand.counts(snapshot)
        against |= {"usual_per_hour": None, "usual_late_pct": None}  # other days are known of all brands together
    kpis = index.kpis(t, counts, hub.settings.delivery_target_s)
    return models.NetworkKitchen(
        location=place.id,
        display_name=place.label,
        timestamp=instant(t),
        problem=None,
        **against,
        throughput_per_hour=0 if brand and kpis.orders_per_hour is None else kpis.orders_per_hour,
        avg_delivery_time_min=in_minutes(kpis.delivery_time),
        deliveries=kpis.deliveries if whole.delivers else None,
        late_deliveries=kpis.deliveries_over if whole.delivers else None,
        late_pct=100 * kpis.deliveries_over / kpis.deliveries if kpis.deliveries else None,
        late_level=LEVELS[int(late_level(kpis.deliveries_over, kpis.deliveries))] if kpis.deliveries else None,
        meals_waiting=counts[STAGES[READY]] if whole.recorded[READY] else None,
        drivers_on_road=None if drivers is None else counts[STAGES[OUT_FOR_DELIVERY]],
        active_orders=kpis.active_total,
        worst=_worst(hub, timeline, t) if worst else None,
    )


def _against_other_days(hub: Hub, timeline: Timeline, t: float) -> dict[str, Any]:
    """Return the state and the usual orders; unknown where the days around cannot be read."""
    try:
        states, usual = hub.states(timeline), hub.usual(timeline)
    except SourceError as error:  # the figures are worth having without
        log.warning("no state of %s: %s", timeline.location.id, error)
        return {"state": None, "state_since": None, "over_limits": [], "usual_per_hour": None, "usual_late_pct": None}
    state, over = states.at(t)
    mark = t // SERIES_STEP * SERIES_STEP  # as the page's card, and the state
    late = usual.late_share(hub.settings.delivery_target_s + WHOLE_MINUTE, mark)
    return {
        "state": STATES[state],
        "state_since": instant(states.since(t)),
        "over_limits": [models.OverLimit(signal=one, level=LEVELS[at], words=words(one, at)) for one, at in over],
        "usual_per_hour": usual.orders_per_hour(mark),
        "usual_late_pct": None if late is None else 100 * late,
    }


def _worst(hub: Hub, timeline: Timeline, t: float) -> models.NetworkTrouble | None:
    """Return the worst trouble as it was known at the last fifth minute, as the page has it; None without one."""
    look = max(timeline.window.start, t // GRID_S * GRID_S)
    try:
        known = hub.troubles_at(timeline, look).moments
    except SourceError:
        return None
    if not known:
        return None
    worst = known[0]
    return models.NetworkTrouble(
        kind=worst.kind,
        title=worst.title,
        sentence=worst.sentence,
        start=instant(worst.start),
        end=instant(worst.end),
        at=instant(worst.at),
        severity=worst.severity,
    )


def harm(row: models.NetworkKitchen) -> tuple[int, int, int]:
    """Return what rows are sorted by, the worst first: the state, then the late deliveries, then the meals that wait."""
    rank = UNRANKED if row.state is None else RANK[row.state]
    return UNRANKED + 1 if row.problem else rank, -(row.late_deliveries or 0), -(row.meals_waiting or 0)


def network(hub: Hub, query: parameters.NetworkQuery) -> models.Network:
    """Return the kitchens at a time, by default the end of their range, those with most harm first. Raises `UnknownNameError`."""
    t = network_of(hub).window().end if query.at_time is None else seconds(query.at_time)
    brand, places = "", hub.locations
    if query.brand:
        brand = network_of(hub).brand(query.brand)
        carry = network_of(hub).brands()[brand]
        places = [place for place in places if place.id in carry]
    asked = slice(query.offset, query.offset + query.limit)
    if len(hub.locations) <= MOST_LIVE:
        rows = sorted((kitchen_at(hub, place, t, brand=brand) for place in places), key=harm)[asked]
    else:
        every, some = hub.locations, {place.id for place in places}
        order = [every[number] for number in network_of(hub).hours().by_harm(t)]
        rows = [kitchen_at(hub, place, t, brand=brand) for place in [one for one in order if one.id in some][asked]]
    following = query.offset + len(rows)
    return models.Network(
        timestamp=instant(t),
        brand=brand or None,
        total_kitchens=len(places),
        ordered_by="state" if len(hub.locations) <= MOST_LIVE else "late_deliveries_of_the_last_full_hour",
        kitchens=rows,
        next_offset=following if rows and following < len(places) else None,
    )
