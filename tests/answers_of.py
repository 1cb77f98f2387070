"""All that a timeline answers, as one hash: two timelines that agree on it cannot be told apart."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twin.analysis.metrics import metrics_of
from twin.foundation.stages import STATES
from twin.timeline.events import EventCodes, EventSlice
from twin.timeline.timeline import Timeline

TRIPS = ("order", "start", "end", "routed", "too_fast", "unit", "scale", "usual_speed")
"""The columns of trips; where their knots lie is not an answer."""
METRICS = ("created", "_delivered_by_creation", "_cancelled_by_creation", "_revenue", "_unpriced", "_undated",
           "_undated_deliveries", "_entered", "recorded", "delivers")  # fmt: skip
"""What the index of figures is made of, beside durations."""


def moments_of(timeline: Timeline, most: int = 8) -> list[float]:
    """Times at which something happens, spread over all events, and the window's edges."""
    ts = timeline.between(0.0, 4e9).ts
    chosen = ts[np.linspace(0, len(ts) - 1, min(most, len(ts))).astype(int)] if len(ts) else ts
    window = timeline.window
    return [*chosen.tolist(), *(chosen + 7.25).tolist(), window.start, window.end - 1, (window.start + window.end) / 2]


def answers(timeline: Timeline, moments: Iterable[float] | None = None) -> dict[str, Any]:
    """The answers by what was asked; rows of orders are part of them, for a list is in their order."""
    orders, trips, index = timeline.orders, timeline.trips, metrics_of(timeline)
    at = list(moments_of(timeline) if moments is None else moments)
    found: dict[str, Any] = {
        "window": timeline.window,
        "ids": orders.ids.to_pylist(),
        "rows": dict(orders.row_of),
        "quality": timeline.data_quality,
        "busiest": timeline.busiest(),
        "has orders": timeline.has_orders,
        "events": timeline.event_count,
        "log": timeline.between(0.0, 4e9),
        "codes": _named(timeline.coded(0.0, 4e9)),
        "metrics": [getattr(index, name) for name in METRICS],
        "durations": [vars(one) for one in (index.deliveries, *index.stage_times)],
        "milestones": orders.milestones,
        "enter": orders.enter,
        "last": orders.last,
        "stalls": orders.stalls,
        "items": [orders.items(row) for row in range(len(orders))],
        "quantity": orders.quantity,
        "addresses": orders.addresses.to_pylist(),
        "figures": (orders.revenue, orders.odd, orders.eta_mins, orders.customer_x, orders.customer_y),
        "volume": [timeline.volume(bucket) for bucket in (60.0, 900.0, 3600.0)],
        "trips": [getattr(trips, name) for name in TRIPS],
        "motion": timeline.motion_of(np.arange(len(trips))),
        "orders": {name: timeline.order(name) for name in orders.ids.to_pylist()},
    }
    for t in at:
        snapshot = timeline.at(t)
        found[f"at {t}"] = (snapshot.counts, snapshot.open_orders, snapshot.drivers)
        found[f"lists at {t}"] = [timeline.membership.at(t, state) for state in STATES]
        found[f"of at {t}"] = timeline.membership.of(np.arange(len(orders)), t)
        found[f"spells at {t}"] = timeline.membership.between(t - 1800, t)
        found[f"stalled at {t}"] = timeline.stalled_trips(t)
        found[f"motion at {t}"] = (timeline.motion(t, t + 600), timeline.motion(t, t + 600, t))
        found[f"latest at {t}"] = [
            timeline.latest(t, n, pings=pings) for n in (1, 7, 10_000) for pings in (True, False)
        ]
        found[f"between {t}"] = timeline.between(t - 900, t)
    for stage in range(4):
        found[f"in stage {stage}"] = timeline.membership.in_stage(stage, np.array(at))
    return found


def _named(events: EventCodes) -> EventSlice:
    return EventSlice(events.ts, [events.names[code] for code in events.code.tolist()], events.order, events.progress)


def differences(one: Timeline, other: Timeline) -> list[str]:
    """What two timelines answer differently, at the moments of both."""
    at = [*moments_of(one), *moments_of(other)]
    a, b = answers(one, at), answers(other, at)
    return [name for name in a if digest(a[name]) != digest(b[name])]


def digest(value: Any) -> str:
    """A hash of nested answers; NaN equals NaN."""
    found = hashlib.blake2b(digest_size=16)
    _feed(found, value)
    return found.hexdigest()


def _feed(found: Any, value: Any) -> None:
    if isinstance(value, str | int | float | None):
        found.update(repr(value).encode())
    elif isinstance(value, np.ndarray):
        found.update(f"{value.dtype.char}{value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, pa.Array):
        _feed(found, value.to_pylist())
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            if not callable(getattr(value, one.name)):
                _feed(found, (one.name, getattr(value, one.name)))
    elif isinstance(value, Mapping):
        _feed(found, sorted(value.items()))
    elif isinstance(value, list | tuple):
        found.update(f"[{len(value)}".encode())
        for part in value:
            _feed(found, part)
    else:
        found.update(repr(value).encode())
