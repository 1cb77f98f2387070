"""What the map answers about orders: a tooltip's words, the customers of a stage, where an order belongs. No Panel, no Bokeh."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis.wording import short_id
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STAGE_LABELS, STAGES
from twin.timeline.timeline import Timeline
from twin.views.map.messages import packed

RECENT_S = 1800.0
"""Completed orders are pinned for half an hour: the deliveries of a day would cover the map."""


def describe(timeline: Timeline, order: int, t: float) -> dict[str, Any]:
    """Return what a tooltip says of an order at t: plain texts; the browser puts them in as text, never as markup."""
    items = timeline.orders.items(order)
    brands = ", ".join(dict.fromkeys(item.brand for item in items if item.brand))
    count = int(sum(item.qty for item in items))
    snapshot = timeline.at(t)
    stage = snapshot.stage[snapshot.order == order]
    told: dict[str, Any] = {
        "id": short_id(timeline.orders.ids[order].as_py()),
        "items": f"{count} item{'s' * (count != 1)}{f' from {brands}' if brands else ''}" if count else "",
        "address": timeline.orders.address(order),
        "stage": STAGE_LABELS[STAGES[int(stage[0])]] if len(stage) else "",
    }
    if len(stage) and int(stage[0]) == OUT_FOR_DELIVERY:
        driver = timeline.drivers(np.array([order], np.int32), t)
        for eta, progress, measured in zip(driver.eta.tolist(), driver.progress, driver.measured, strict=True):
            told |= {
                "progress": round(float(progress) * 100),
                "eta": None if np.isnan(eta) else eta,
                "measured": bool(measured),
            }
    return told


def stage_message(timeline: Timeline, stage: str, start: float, end: float) -> dict[str, Any]:
    """Return the customers of the orders in a stage at some time in [start, end], for pins on the map.

    Completed and cancelled orders count for half an hour after the fact. One buffer, for n pins: begin, end float64 (n,)
    seconds, when each is in the stage; order int32 (n,); cx, cy float32 (n,) metres east/north of the kitchen, NaN if unknown.
    """
    orders = timeline.orders
    rows: NDArray[np.integer[Any]]
    if stage in ("completed", "cancelled"):
        enter = orders.enter[COMPLETED] if stage == "completed" else np.where(
            np.isnan(orders.cancelled), np.inf, orders.cancelled
        )  # fmt: skip
        leave = enter + RECENT_S
        rows = np.flatnonzero((enter <= end) & (leave > start))
        begin, until = enter[rows], leave[rows]
    elif stage == "stalled":
        order, stalled, back = orders.stalls
        some = np.flatnonzero((stalled <= end) & (back > start))
        rows, begin, until = order[some], stalled[some], back[some]
    else:
        number = STAGES.index(stage)
        rows = np.flatnonzero((orders.enter[number] <= end) & (orders.leave[number] > start))
        begin, until = orders.enter[number, rows], orders.leave[number, rows]
        waits = until > begin
        rows, begin, until = rows[waits], begin[waits], until[waits]
    columns: list[tuple[Any, str]] = [
        (begin, "<f8"), (until, "<f8"), (rows, "<i4"), (orders.customer_x[rows], "<f4"), (orders.customer_y[rows], "<f4"),
    ]  # fmt: skip
    return {"stage": stage, "from": start, "to": end, "pins": len(rows), "packed": packed(columns)}


def place_message(timeline: Timeline, order: int) -> dict[str, Any]:
    """Return where an order belongs on the map at any time: its id, its customer's place, when it entered each stage."""
    orders = timeline.orders
    cx, cy = float(orders.customer_x[order]), float(orders.customer_y[order])
    closed = np.fmin(orders.delivered[order], orders.cancelled[order])
    return {
        "order": order,
        "id": short_id(orders.ids[order].as_py()),
        "customer": [cx, cy] if np.isfinite(cx) and np.isfinite(cy) else None,
        "enter": [_time(t) for t in orders.enter[:, order]],
        "closed": _time(closed),
    }


def _time(t: float) -> float | None:
    return float(t) if np.isfinite(t) else None
