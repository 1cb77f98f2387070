"""The contract computed the slow, obvious way from raw rows, to hold the fast way against."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from tests import hostile_bodies

ORDER = ["created", "cooking", "ready", "out_for_delivery", "completed"]
STAGE_OF = {
    "gk_started": 1,
    "gk_finished": 2,
    "gk_ready": 2,
    "driver_picked_up": 3,
    "driver_ping": 3,
    "delivered": 4,
}
FOUR_HOURS = 4 * 3600

Lifecycles = dict[str, list[tuple[float, str]]]
"""Order id -> its (ts, type) events."""


def when(text: Any) -> float | None:
    """Seconds of a raw `ts`, None where it is no time between 1990 and 2100."""
    try:
        moment = datetime.fromisoformat(str(text) + "+00:00")
    except ValueError:
        return None
    return moment.timestamp() if 1990 <= moment.year < 2100 else None


def reason(row: dict[str, Any]) -> str | None:
    """Why a raw row cannot be used, None where it can (repeats apart)."""
    if not row["order_id"] and not row["event_type"] and when(row["ts"]) is None:
        return "broken line"
    if not row["order_id"]:
        return "no order"
    if not row["event_type"]:
        return "no event type"
    if not row["location"]:
        return "no location"
    if when(row["ts"]) is None:
        return "bad timestamp"
    if row["body"] in (None, "", "{}", "null"):
        return None
    try:
        body = hostile_bodies.read_strictly(row["body"])
    except ValueError:
        return "broken JSON"
    return None if isinstance(body, dict) else "broken JSON"


def judge(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Counter[str]]:
    """The usable rows without their repeats, and the others counted by reason."""
    used, rejected, seen = [], Counter(), set()
    for row in rows:
        why = reason(row)
        key = (row["location"], row["order_id"], row["event_type"], when(row["ts"]), row["sequence"])
        if why is None and key in seen:
            why = "duplicate"
        if why is None:
            seen.add(key)
            used.append(row)
        else:
            rejected[why] += 1
    return used, rejected


def state(events: list[tuple[float, str]], t: float) -> str | None:
    """One order's state at t: the furthest milestone reached, cancelled, stalled, or None before its first event."""
    past = [(ts, kind) for ts, kind in events if ts <= t]
    if not past:
        return None
    stage = max(STAGE_OF.get(kind, 0) for _, kind in past)
    if stage == 4:
        return "completed"
    if any(kind == "order_cancelled" for _, kind in past):
        return "cancelled"
    if t >= max(ts for ts, _ in past) + FOUR_HOURS:
        return "stalled"
    return ORDER[stage]


def lifecycles(used: list[dict[str, Any]], location: str) -> Lifecycles:
    """Order id -> its (ts, type) events."""
    orders: Lifecycles = defaultdict(list)
    for row in used:
        if row["location"] == location:
            orders[row["order_id"]].append((when(row["ts"]) or 0.0, row["event_type"]))
    return orders


def members(orders: Lifecycles, t: float) -> dict[str, set[str]]:
    """The orders in each state at t; completed, cancelled and stalled only where that happened since midnight."""
    midnight = t - t % 86400
    found: dict[str, set[str]] = {name: set() for name in [*ORDER, "cancelled", "stalled"]}
    for order, events in orders.items():
        name = state(events, t)
        if name is None:
            continue
        if name in ("completed", "cancelled"):
            kind = "delivered" if name == "completed" else "order_cancelled"
            since = min(ts for ts, k in events if k == kind)
        elif name == "stalled":
            since = max(ts for ts, _ in events if ts <= t) + FOUR_HOURS
        else:
            since = t
        if since >= midnight:
            found[name].add(order)
    return found


def counts(orders: Lifecycles, t: float) -> dict[str, int]:
    """Orders by state at t, as `members` has them."""
    return {name: len(ids) for name, ids in members(orders, t).items()}
