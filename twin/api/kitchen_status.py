"""A kitchen's state at one time, computed from the same timeline, snapshot and figures as the dashboard's."""

import logging
import time
from typing import Any

import numpy as np

from twin.analysis import first_view, live_edge
from twin.analysis.driver_supply import drivers_at
from twin.analysis.kitchen_state import STATES as KITCHEN_STATES
from twin.analysis.kitchen_state import words
from twin.analysis.limits import LEVELS
from twin.analysis.metrics import StageFigures, metrics_of
from twin.analysis.wording import in_minutes
from twin.api import models
from twin.api.instants import instant, optional_instant, write
from twin.foundation.errors import SourceError, UnknownTimeError
from twin.foundation.stages import CANCELLED, COMPLETED, COOKING, READY, STAGES, STALLED, STATES
from twin.foundation.times import HOUR
from twin.hub import Hub
from twin.sources.base import Location
from twin.timeline.timeline import Snapshot, Timeline

log = logging.getLogger(__name__)

CAPACITY_S = 900.0
"""Seconds for which an observed capacity is cached: it is metadata, which may be 15 minutes old (docs/api.md)."""


class _ObservedCapacity:
    """The most orders that each kitchen of a hub has cooked at once, and the monotonic second when that was queried."""

    def __init__(self, _: Hub) -> None:
        self.by_location: dict[str, tuple[float, int | None]] = {}


def now_at(hub: Hub, location: str) -> float:
    """Return the moment that is meant where none is given, in data seconds.

    Of a source that grows it is the live edge, unless stragglers long after the record are all that is there; else the end of the
    last 24 hours that are worth seeing, as the dashboard opens.
    """
    end, edge = hub.last_hours(location).end, hub.edge(location)
    return edge if hub.as_of is not None and edge - end < first_view.MOST_HOURS / 2 * HOUR else end


def timeline_at(hub: Hub, place: Location, t: float) -> Timeline:
    """Return a timeline that contains `t`: the newest, with which the dashboard opens, else that of t's day.

    Raises `UnknownTimeError` for days outside the location's data.
    """
    # the newest is loaded only for a moment that it may contain
    if hub.as_of is not None and t >= hub.edge(place.id) - live_edge.LONGEST_HOURS * HOUR:
        newest = hub.newest(place.id)
        if newest.window.start <= t <= newest.window.end:
            return newest
    window = hub.last_hours(place.id)
    if window.start <= t <= window.end:
        return hub.timeline(place.id)
    first, last = place.tz.whole_days(place.start, place.end)
    if not first <= t < last:
        reach = f"{write(instant(place.start))} to {write(instant(place.end))}"
        raise UnknownTimeError(f"No data of {place.id} at this time: it reaches from {reach}.")
    return hub.timeline(place.id, *place.tz.whole_days(t, t))


def status(hub: Hub, place: Location, t: float) -> models.KitchenStatus:
    """Return the complete state of a kitchen at t."""
    timeline = timeline_at(hub, place, t)
    snapshot = timeline.at(t)
    return models.KitchenStatus(
        **_metrics(hub, timeline, snapshot),
        active_orders=_active(timeline, snapshot),
        drivers=_drivers(timeline, snapshot),
    )


def update(hub: Hub, place: Location, t: float, orders: bool) -> models.MetricsUpdate:
    """Return a kitchen's metrics at t for a replay stream, with its open orders if `orders` is true."""
    timeline = timeline_at(hub, place, t)
    snapshot = timeline.at(t)
    metrics = _metrics(hub, timeline, snapshot)
    return models.MetricsUpdate(
        **metrics,
        throughput=metrics["throughput_per_hour"],
        active_orders=_active(timeline, snapshot) if orders else None,
    )


def capacity(hub: Hub, location: str) -> tuple[int | None, str | None]:
    """Return how many orders a kitchen can cook at once, and whether that is "configured" or "observed"; None: unknown."""
    configured = hub.settings.capacity.get(location)
    if configured is not None:
        return configured, "configured"
    observed = hub.cached(_ObservedCapacity).by_location
    queried_at, most = observed.get(location, (-CAPACITY_S, None))
    if time.monotonic() - queried_at >= CAPACITY_S:
        answer = hub.source.query("capacity", location=location)["most"][0].as_py()
        most = int(answer) if answer else None
        observed[location] = (time.monotonic(), most)
    return (most, "observed") if most else (None, None)


def _metrics(hub: Hub, timeline: Timeline, snapshot: Snapshot) -> dict[str, Any]:
    index = metrics_of(timeline)
    kpis = index.kpis(snapshot.t, snapshot.counts, hub.settings.delivery_target_s)
    figures = index.stages(snapshot)
    orders, source = capacity(hub, timeline.location.id)
    counts = snapshot.counts
    return {
        "location": timeline.location.id,
        "timestamp": instant(snapshot.t),
        "orders_by_stage": models.StageCounts(**{stage: counts[stage] for stage in STAGES}),
        "cancelled": counts[STATES[CANCELLED]],
        "stalled": counts[STATES[STALLED]],
        "throughput_per_hour": kpis.orders_per_hour,
        "avg_service_time_min": in_minutes(figures[COOKING].service),
        "avg_delivery_time_min": in_minutes(kpis.delivery_time),
        "completion_rate_pct": None if kpis.completion is None else 100 * kpis.completion,
        "capacity_utilization_pct": 100 * counts[STAGES[COOKING]] / orders if orders else None,
        "capacity_orders": orders,
        "capacity_source": source,
        "stages": [_stage(figure) for figure in figures[:COMPLETED]],
        "cold_meals": _cold(snapshot, hub.settings.cold_after_s)
        if index.recorded[READY] and index.ends[READY]
        else None,
        "driver_supply": _driver_supply(timeline, snapshot.t),
        **_state(hub, timeline, snapshot.t),
    }


def _state(hub: Hub, timeline: Timeline, t: float) -> dict[str, Any]:
    """Return the kitchen's state and what is over its limits; unknown where the days around it cannot be read."""
    try:
        state, over = hub.states(timeline).at(t)
    except SourceError as error:  # the figures are worth having without
        log.warning("no state of %s: %s", timeline.location.id, error)
        return {"state": None, "over_limits": []}
    limits = [
        models.OverLimit(signal=signal, level=LEVELS[level], words=words(signal, level)) for signal, level in over
    ]
    return {"state": KITCHEN_STATES[state], "over_limits": limits}


def _cold(snapshot: Snapshot, cold_after: float) -> int:
    """Return how many meals in Ready have stood too long: their age there is the shelf clock's (`twin.analysis.shelf`)."""
    return int(np.count_nonzero(snapshot.t - snapshot.since[snapshot.stage == READY] > cold_after))


def _driver_supply(timeline: Timeline, t: float) -> models.DriverSupply | None:
    drivers = drivers_at(timeline, t)
    if drivers is None:
        return None
    return models.DriverSupply(
        on_road=drivers.on_road,
        waiting_at_kitchen=drivers.waiting,
        ready_per_hour=drivers.ready,
        picked_up_per_hour=drivers.picked_up,
        gap_per_hour=drivers.gap,
    )


def _stage(figure: StageFigures) -> models.StageTimes:
    return models.StageTimes(
        stage=figure.key,
        service_time_min=in_minutes(figure.service),
        served=figure.served,
        avg_age_min=in_minutes(figure.age),
        oldest_min=in_minutes(figure.oldest),
        entered=figure.entered,
    )


def _active(timeline: Timeline, snapshot: Snapshot) -> list[models.ActiveOrder]:
    ids = timeline.orders.ids
    rows = zip(snapshot.order.tolist(), snapshot.stage.tolist(), snapshot.since.tolist(), strict=True)
    return [
        models.ActiveOrder(
            order_id=ids[row].as_py(),
            stage=STAGES[stage],
            time_in_stage_min=(snapshot.t - since) / 60,
            since=instant(since),
        )
        for row, stage, since in rows
    ]


def _drivers(timeline: Timeline, snapshot: Snapshot) -> list[models.DriverPosition]:
    drivers, ids, now = snapshot.drivers, timeline.orders.ids, instant(snapshot.t)
    return [
        models.DriverPosition(
            order_id=ids[int(drivers.order[i])].as_py(),
            timestamp=now,
            lat=none_if_nan(drivers.lat[i]) if timeline.location.lat is not None else None,
            lon=none_if_nan(drivers.lon[i]) if timeline.location.lat is not None else None,
            heading=none_if_nan(drivers.heading[i]),
            progress_pct=100 * float(drivers.progress[i]),
            estimated_arrival=optional_instant(float(drivers.eta[i])),
            measured=bool(drivers.measured[i]),
        )
        for i in range(len(drivers))
    ]


def none_if_nan(value: float | np.floating[Any]) -> float | None:
    """Return a float, None for NaN."""
    return None if np.isnan(value) else float(value)
