"""The texts that people read: lines about events, durations, items and ids.

A line about an event uses no milestone later than the event, although the timeline has them, so that the feed of a replay reads
like that of a live kitchen.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.foundation.settings import DELIVERY_TARGET_S, LATE_AFTER_S
from twin.timeline.locate import OWN_PACE_FROM, remaining_at_own_pace
from twin.timeline.orders import OrderItem, Orders
from twin.timeline.timeline import EventSlice, Timeline

SHORT_ID = 6
LONGEST_ID = 10
"""Ids of up to 10 characters (A7K2M9, A7K2M9-L1) are shown in full, longer ones (32 hex digits) as their first 6."""
_DRAWN = re.compile(r"(?=[\d-]*[a-fA-F])[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}(?!-?7[0-9a-fA-F]{3}-)[0-9a-fA-F-]{18,}")
"""Ids drawn at random, of hex digits. Others count up (ORDER-2025-000123) or begin with a time (UUIDs of version 7)."""

BRANDS_SHOWN = 2
"""Most brand names in a line; more do not fit, and the rest is counted."""
ENOUGH_LEFT = 3
"""Orders picked up or delivered after which an event type that no order has is one that the source does not record."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """The line about one event. `icon` and `colour` are keys of the views' icons and tokens; `t` is data time, seconds.

    `title` states what happened, `detail` what is notable about it, `problem` whether something went wrong. `order` is the row in
    `timeline.orders`, `type` the raw event type.
    """

    icon: str
    colour: str
    title: str
    detail: str
    t: float
    order_id: str
    order: int
    type: str
    problem: bool = False


def is_late(waited: Any, late_after: float) -> Any:
    """Return whether a driver is late who arrives `waited` seconds (a number or an array) after the food was ready."""
    return waited > late_after


def is_over_target(total: Any, target: float) -> Any:
    """Return whether a delivery time in seconds (a number or an array) is over the target.

    The excess is rounded to whole minutes as it is displayed, because "0 over target" would be confusing.
    """
    return np.floor((total - target) / 60 + 0.5) > 0


def short_id(order_id: str) -> str:
    """Return an order id that is short enough to read aloud.

    One that is not drawn at random begins as its neighbours do: its end tells it apart.

    >>> short_id("A7K2M9-L1"), short_id("0f3c9a55d1e84b27a6c0d1e2f3a4b5c6"), short_id("ORDER-2025-000123")
    ('A7K2M9-L1', '0f3c9a', '…000123')
    """
    if len(order_id) <= LONGEST_ID:
        return order_id
    return order_id[:SHORT_ID] if _DRAWN.match(order_id) else f"…{order_id[-SHORT_ID:]}"


def whole_minutes(seconds: float) -> int:
    """Return minutes rounded half up, as people round; Python's `round` would give 2 for 2.5 and 4 for 3.5."""
    return math.floor(seconds / 60 + 0.5)


def minutes_text(seconds: float) -> str:
    """Return a duration in whole minutes, half up, or seconds below one minute.

    Every duration is written so, an average or an age as much as a single wait (in the browser: `minutesText` in numbers.js):
    "2.0" beside "1" would be two roundings of one wait.

    >>> minutes_text(40), minutes_text(1260), minutes_text(7500)
    ('40 s', '21 min', '2 h 05')
    """
    if seconds < 59.5:
        return f"{math.floor(seconds + 0.5)} s"
    hours, minutes = divmod(whole_minutes(seconds), 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"


def exact_text(seconds: float) -> str:
    """Return a duration to the second, where parts must add up to their whole (in the browser: `exactText` in times.js).

    >>> exact_text(40), exact_text(1260), exact_text(7505)
    ('40 s', '21 min', '125 min 5 s')
    """
    minutes, rest = divmod(math.floor(max(0.0, seconds) + 0.5), 60)
    parts = [f"{minutes} min"] * (minutes > 0) + [f"{rest} s"] * (rest > 0 or not minutes)
    return " ".join(parts)


def in_minutes(seconds: float | None) -> float | None:
    """Return a duration in minutes; None stays None."""
    return None if seconds is None else seconds / 60


def brand_names(items: Iterable[OrderItem]) -> list[str]:
    """Return the distinct brands of an order's items, in the order of the items."""
    return list(dict.fromkeys(item.brand for item in items if item.brand))


def brands_text(brands: Sequence[str], rest: str = " and {} more") -> str:
    """Return the first brands and, as `rest`, the number of the others.

    >>> brands_text(["Pho Real", "Green Machine", "Seoul Food"]), brands_text(["Pho Real"])
    ('Pho Real, Green Machine and 1 more', 'Pho Real')
    """
    more = rest.format(len(brands) - BRANDS_SHOWN) if len(brands) > BRANDS_SHOWN else ""
    return ", ".join(brands[:BRANDS_SHOWN]) + more


def items_text(items: Sequence[OrderItem], brands: str) -> str:
    """Return the number of an order's items and the text of its brands, "" without items.

    Quantities may be fractions. A quantity that is missing, or not positive, counts as one.

    >>> items_text([OrderItem("Rice", "Pho Real", 1.5, 4.0)], "Pho Real")
    '1.5 items from Pho Real'
    """
    if not items:
        return ""
    number = sum(_quantity(item.qty) for item in items)
    return _count(number, "item") + (f" from {brands}" if brands else "")


def describe(
    timeline: Timeline, events: EventSlice, target: float = DELIVERY_TARGET_S, late_after: float = LATE_AFTER_S
) -> list[EventLine]:
    """Return one line per event, in the order of the events; `target` and `late_after` are in seconds, as in `Settings`."""
    orders = timeline.orders
    known = _Recorded.of(orders)
    return [
        _describe_one(_OrderAt(orders, int(order), float(t), target, late_after, known), kind, float(progress))
        for t, kind, order, progress in zip(events.ts, events.type, events.order, events.progress, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Whether the timeline records gk_ready, and driver_arrived, at all: if not, the absence of one says nothing."""

    ready: bool
    arrived: bool

    @classmethod
    def of(cls, orders: Orders) -> "_Recorded":
        left = np.count_nonzero(np.isfinite(orders.picked_up) | np.isfinite(orders.delivered))
        ready, arrived = (bool(np.isfinite(times).any()) for times in (orders.ready, orders.arrived))
        few = bool(left < ENOUGH_LEFT)
        return cls(ready or few, arrived or few)


@dataclass(frozen=True, slots=True)
class _OrderAt:
    """One order at time `t`, without what happens to it later."""

    orders: Orders
    order: int
    t: float
    target: float
    late_after: float
    known: _Recorded

    def passed(self, milestone: NDArray[np.float64]) -> float | None:
        """Return the seconds since a milestone of the order; None if it lies after `t` or is missing."""
        since = self.t - float(milestone[self.order])
        return since if since >= 0 else None  # NaN, a missing milestone, compares False

    def basket(self) -> str:
        """Return "4 items from Pho Real, Green Machine"; empty before order_created, and if that has no items."""
        if self.passed(self.orders.created) is None:
            return ""
        items = self.orders.items(self.order)
        return items_text(items, brands_text(brand_names(items)))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A line without its order."""

    icon: str
    colour: str
    title: str
    detail: str = ""
    problem: bool = False


def _created(at: _OrderAt) -> _Draft:
    return _Draft("plus", "created", "Order created", at.basket())


def _started(at: _OrderAt) -> _Draft:
    waited = at.passed(at.orders.created)
    detail = at.basket() or (f"{minutes_text(waited)} after the order" if waited is not None else "")
    return _Draft("flame", "cooking", "Cooking started", detail)


def _finished(at: _OrderAt) -> _Draft:
    cooked = at.passed(at.orders.started)
    return _Draft("kitchen", "ready", "Cooked", "" if cooked is None else f"Took {minutes_text(cooked)}")


def _ready(at: _OrderAt) -> _Draft:
    waiting = at.passed(at.orders.arrived)
    driver = f"driver here for {minutes_text(waiting)}" if waiting is not None else ""
    if waiting is None and at.known.arrived:
        driver = "no driver yet"
    return _Draft("box", "ready", "Ready", _join(at.basket(), driver))


def _arrived(at: _OrderAt) -> _Draft:
    waited = at.passed(at.orders.ready)
    if waited is None:
        # in an order that begins with its driver gk_ready is not late but missing
        begun = any(at.passed(times) is not None for times in (at.orders.created, at.orders.started))
        pending = begun and at.known.ready
        return _Draft("car", "out_for_delivery", "Driver arrived", "Food not ready yet" if pending else "")
    detail = f"{minutes_text(waited)} after the food was ready"
    if is_late(waited, at.late_after):
        return _Draft("alert", "bad", "Driver arrived late", detail, problem=True)
    return _Draft("car", "out_for_delivery", "Driver arrived", detail)


def _picked_up(at: _OrderAt) -> _Draft:
    waited = at.passed(at.orders.ready)
    promised = float(at.orders.eta_mins[at.order]) * 60
    return _Draft(
        "arrow",
        "out_for_delivery",
        "Picked up",
        _join(
            "" if waited is None else f"{minutes_text(waited)} after the food was ready",
            f"expected in {minutes_text(promised)}" if promised > 0 else "",  # NaN, no promise, compares False
        ),
    )


def _pinged(at: _OrderAt, progress: float) -> _Draft:
    if math.isnan(progress):
        return _Draft("pin", "out_for_delivery", "On the road")
    remaining = _remaining(at, progress)
    detail = f"{progress:.0f} % complete" + ("" if remaining is None else f", {minutes_text(remaining)} remaining")
    return _Draft("pin", "out_for_delivery", "On the road", detail)


def _remaining(at: _OrderAt, progress: float) -> float | None:
    """Return the seconds remaining at the driver's own pace or, at the start of the trip, of the promise."""
    driven = at.passed(at.orders.picked_up)
    if driven is None:
        return None
    if 100 * OWN_PACE_FROM < progress <= 100 and driven > 0:
        return float(remaining_at_own_pace(driven, progress, 100.0))
    left = float(at.orders.eta_mins[at.order]) * 60 - driven
    return left if left > 0 else None


def _delivered(at: _OrderAt) -> _Draft:
    total = at.passed(at.orders.created)
    if total is None:
        return _Draft("check", "completed", "Delivered")
    over = bool(is_over_target(total, at.target))
    verdict = f"{whole_minutes(total - at.target)} min over target" if over else "within target"
    return _Draft("check", "completed", "Delivered", f"Total {minutes_text(total)} · {verdict}", problem=over)


def _cancelled(at: _OrderAt) -> _Draft:
    age = at.passed(at.orders.created)
    detail = "" if age is None else f"{minutes_text(age)} after it was made"
    return _Draft("close", "bad", "Order cancelled", detail, problem=True)


_DRAFTS: dict[str, Callable[[_OrderAt], _Draft]] = {
    "order_created": _created,
    "gk_started": _started,
    "gk_finished": _finished,
    "gk_ready": _ready,
    "driver_arrived": _arrived,
    "driver_picked_up": _picked_up,
    "delivered": _delivered,
    "order_cancelled": _cancelled,
}


def _describe_one(at: _OrderAt, kind: str, progress: float) -> EventLine:
    if kind == "driver_ping":
        draft = _pinged(at, progress)
    elif kind in _DRAFTS:
        draft = _DRAFTS[kind](at)
    else:
        draft = _Draft("question", "mute", _unknown(kind), "Unknown event type", problem=True)
    order_id = str(at.orders.ids[at.order].as_py())
    title = f"{draft.title} · {short_id(order_id)}"
    return EventLine(
        draft.icon, draft.colour, title, draft.detail, at.t, order_id, at.order, kind, problem=draft.problem
    )


def _unknown(kind: str) -> str:
    """Return the title for an unrecognised type: "driver_took_break" → "Driver took break"."""
    title = " ".join(kind.replace("_", " ").replace("-", " ").split())
    return title[:1].upper() + title[1:] if title else "Nameless event"


def _quantity(qty: float | None) -> float:
    return qty if qty is not None and math.isfinite(qty) and qty > 0 else 1.0


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _join(*parts: str) -> str:
    text = " · ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]
