"""The map's answers about orders: tooltips, the customers of a stage, an order's place. Independent of Panel and Bokeh."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.analysis.wording import brand_names, items_text, minutes_text, short_id
from twin.foundation.stages import COMPLETED, ORDER_LABELS, OUT_FOR_DELIVERY, STAGE_LABELS, STAGES, STATES
from twin.timeline.timeline import Timeline
from twin.views.map import wire

MOST_PINS = 1000
"""Most completed, cancelled or stalled orders pinned at a time, the newest: a large kitchen's day would cover the map."""

ELSEWHERE_M = 100.0
"""Metres, a block of houses, from which on it is said that a driver was shown elsewhere while the kitchen was followed."""
SAYS = {
    "order_created": "the order", "gk_started": "the start", "gk_finished": "the end of cooking", "gk_ready": "the ready meal",
    "driver_arrived": "the driver's arrival", "driver_picked_up": "the pick-up", "driver_ping": "a position",
    "delivered": "the delivery", "order_cancelled": "the cancellation", "other": "an event",
}  # fmt: skip
"""What came late, by the type of its event."""


def describe(timeline: Timeline, order: int, t: float) -> dict[str, Any]:
    """Return the contents of an order's tooltip at t. They are plain text, which the browser never renders as markup."""
    items = timeline.orders.items(order)
    snapshot = timeline.at(t)
    stage = snapshot.stage[snapshot.order == order]
    tooltip: dict[str, Any] = {
        "id": short_id(timeline.orders.ids[order].as_py()),
        "items": items_text(items, ", ".join(brand_names(items))),
        "address": timeline.orders.address(order),
        "stage": STAGE_LABELS[STAGES[int(stage[0])]] if len(stage) else "",
    }
    if len(stage) and int(stage[0]) == OUT_FOR_DELIVERY:
        driver = timeline.drivers(np.array([order], np.int32), t)
        for eta, progress, measured in zip(driver.eta.tolist(), driver.progress, driver.measured, strict=True):
            tooltip |= {
                "progress": round(float(progress) * 100),
                "eta": None if np.isnan(eta) else eta,
                "measured": bool(measured),
            }
    return tooltip | shown_live(timeline, order, t)


def shown_live(timeline: Timeline, order: int, t: float) -> dict[str, Any]:
    """Return how what is known now of an order at t differs from what was shown while the kitchen was followed.

    live: a sentence; live_at: where its driver was shown then, metres from the kitchen, if that is what differs. Nothing of what
    was shown alike, and of times that nobody could follow.
    """
    shown = timeline.shown_live(order, t)
    if shown is None:
        return {}
    kind, behind = max(shown.missing, key=lambda one: one[1], default=("", 0.0))
    why = f": {SAYS[kind]} came in {minutes_text(behind)} late" if kind else ""
    now = timeline.membership.of([order], t)
    state = int(now.state[0]) if len(now) else None
    if state != shown.state:
        was = (
            "did not show it yet"
            if shown.state is None
            else f"showed it as {ORDER_LABELS[STATES[shown.state]].lower()}"
        )
        return {"live": f"Live {was}{why}"}
    driver = timeline.drivers(np.array([order], np.int32), t) if state == OUT_FOR_DELIVERY else None
    if driver is None or not len(driver) or shown.place is None:
        return {}
    x, y = driver.x[0] - (timeline.location.x or 0.0), driver.y[0] - (timeline.location.y or 0.0)
    away = float(np.hypot(x - shown.place[0], y - shown.place[1])) * timeline.trips.scale
    if not away >= ELSEWHERE_M:
        return {}
    return {
        "live": f"Live showed the driver {away / 1000:.1f} km from here{why or ', by a guess'}",
        "live_at": list(shown.place),
    }


def stage_message(timeline: Timeline, state: str, start: float, end: float) -> dict[str, Any]:
    """Return the customers of the orders that are in a state at any time in [start, end], for pins on the map.

    The columns are those of `wire.PINS`. "most" is how many pins are drawn at a time, the newest; null: all. Orders that are
    too old to be drawn at any time are only counted: "hidden" is [[end, number], …].
    """
    orders, most = timeline.orders, MOST_PINS if STATES.index(state) >= COMPLETED else None
    found = timeline.membership.between(start, end, state)
    by_begin = np.argsort(found.begin, kind="stable")
    hidden = by_begin[:0]
    if most is not None:
        before = max(0, int(np.count_nonzero(found.begin <= start)) - most)
        hidden, by_begin = by_begin[:before], by_begin[before:]
    ends, numbers = np.unique(found.end[hidden], return_counts=True)
    rows = found.order[by_begin]
    columns = {
        "begin": found.begin[by_begin],
        "until": found.end[by_begin],
        "order": rows,
        "cx": orders.customer_x[rows],
        "cy": orders.customer_y[rows],
    }
    return {
        "stage": state,
        "from": start,
        "to": end,
        "most": most,
        "hidden": [list(pair) for pair in zip(ends.tolist(), numbers.tolist(), strict=True)],
        **wire.pack(wire.PINS, columns),
    }


def group_message(timeline: Timeline, rows: Sequence[int]) -> dict[str, Any]:
    """Return the customers of some orders, for pins on the map from when each began; the columns are those of `wire.PINS`."""
    orders, row = timeline.orders, np.asarray(rows, np.int32)
    columns = {
        "begin": orders.first[row],
        "until": np.full(len(row), np.inf),
        "order": row,
        "cx": orders.customer_x[row],
        "cy": orders.customer_y[row],
    }
    return wire.pack(wire.PINS, columns)


def place_message(timeline: Timeline, order: int) -> dict[str, Any]:
    """Return what determines an order's place on the map at any time: its customer's place, and when it entered each stage.

    closed: when it was delivered or cancelled; stalls: [[from, to], …]; null: never.
    """
    orders = timeline.orders
    cx, cy = float(orders.customer_x[order]), float(orders.customer_y[order])
    closed = np.fmin(orders.delivered[order], orders.cancelled[order])
    stalled, begin, end = orders.stalls
    return {
        "order": order,
        "id": short_id(orders.ids[order].as_py()),
        "customer": [cx, cy] if np.isfinite(cx) and np.isfinite(cy) else None,
        "enter": [_time(t) for t in orders.enter[:, order]],
        "closed": _time(closed),
        "stalls": [[_time(begin[i]), _time(end[i])] for i in np.flatnonzero(stalled == order)],
    }


def _time(t: float) -> float | None:
    return float(t) if np.isfinite(t) else None
