"""Events in plain words: what a person in the kitchen would say happened, and what makes it remarkable.

A line tells only what was known at the event's own time: a milestone that lies after the event is not used, even though
the timeline holds it, so that the feed reads the same in a live kitchen as in a replay.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.foundation.settings import DELIVERY_TARGET_S, LATE_AFTER_S
from twin.timeline.orders import Orders
from twin.timeline.timeline import EventSlice, Timeline

PACE_TELLS_FROM = 10.0
"""Percent of the way after which a driver's own pace tells the time remaining better than the promise (as in locate.py)."""

SHORT_ID = 6
LONGEST_ID = 10
"""Ids up to 10 characters (A7K2M9, A7K2M9-L1) are shown whole, longer ones (32 hex) by their first 6."""

BRANDS_SHOWN = 2
"""More brand names do not fit a line of the feed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event in words. `icon` and `colour` are keys of the views' icons and tokens; `t` is data time, seconds.

    `title` says what happened, `detail` what makes it remarkable; `problem`: something went wrong. `order` is the row
    number in `timeline.orders`, `type` the raw event type.
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
    """Return whether a driver who comes `waited` seconds (a number or an array) after the food was ready is late."""
    return waited > late_after


def is_over_target(total: Any, target: float) -> Any:
    """Return whether a delivery time in seconds (a number or an array) is over the target.

    Compared in the whole minutes that are shown: "0 over target" would puzzle.
    """
    return np.floor((total - target) / 60 + 0.5) > 0


def short_id(order_id: str) -> str:
    """Return an order id as people read it aloud.

    >>> short_id("A7K2M9-L1"), short_id("0f3c9a55d1e84b27a6c0d1e2f3a4b5c6")
    ('A7K2M9-L1', '0f3c9a')
    """
    return order_id if len(order_id) <= LONGEST_ID else order_id[:SHORT_ID]


def whole_minutes(seconds: float) -> int:
    """Round to minutes, half up, as people do; Python's round would give 2 for 2.5 and 4 for 3.5."""
    return math.floor(seconds / 60 + 0.5)


def minutes_text(seconds: float) -> str:
    """Return a duration in whole minutes, or seconds below one minute.

    >>> minutes_text(40), minutes_text(1260), minutes_text(7500)
    ('40 s', '21 min', '2 h 05 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(whole_minutes(seconds), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def average_text(seconds: float) -> str:
    """Return an average duration in minutes with one decimal, in hours from 100 minutes on.

    >>> average_text(624), average_text(7500)
    ('10.4 min', '2 h 05 min')
    """
    return f"{seconds / 60:.1f} min" if seconds < 100 * 60 else minutes_text(seconds)


def describe(
    timeline: Timeline, events: EventSlice, target: float = DELIVERY_TARGET_S, late_after: float = LATE_AFTER_S
) -> list[EventLine]:
    """Return one line per event, in the order of the events; `target` and `late_after` in seconds, as in `Settings`."""
    orders = timeline.orders
    return [
        _describe_one(_Known(orders, int(order), float(t), target, late_after), kind, float(progress))
        for t, kind, order, progress in zip(events.ts, events.type, events.order, events.progress, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one order at time `t`."""

    orders: Orders
    order: int
    t: float
    target: float
    late_after: float

    def passed(self, milestone: NDArray[np.float64]) -> float | None:
        """Return the seconds since a milestone of this order; None if it had not happened by then."""
        since = self.t - float(milestone[self.order])
        return since if since >= 0 else None  # NaN, a missing milestone, compares False

    def basket(self) -> str:
        """Return "4 items from Pho Real, Green Machine"; empty if no order_created told of items."""
        if self.passed(self.orders.created) is None:
            return ""
        items = self.orders.items(self.order)
        if not items:
            return ""
        number = sum(_quantity(item.qty) for item in items)
        brands = list(dict.fromkeys(item.brand for item in items if item.brand))
        words = _count(number, "item")
        if brands:
            words += " from " + ", ".join(brands[:BRANDS_SHOWN])
        if len(brands) > BRANDS_SHOWN:
            words += f" and {len(brands) - BRANDS_SHOWN} more"
        return words


@dataclass(frozen=True, slots=True)
class _Said:
    """A line before its order is named."""

    icon: str
    colour: str
    title: str
    detail: str = ""
    problem: bool = False


def _created(known: _Known) -> _Said:
    return _Said("plus", "created", "Order created", known.basket())


def _started(known: _Known) -> _Said:
    waited = known.passed(known.orders.created)
    detail = known.basket() or (f"{minutes_text(waited)} after the order" if waited is not None else "")
    return _Said("flame", "cooking", "Cooking started", detail)


def _finished(known: _Known) -> _Said:
    cooked = known.passed(known.orders.started)
    return _Said("kitchen", "ready", "Cooked", "" if cooked is None else f"Took {minutes_text(cooked)}")


def _ready(known: _Known) -> _Said:
    waiting = known.passed(known.orders.arrived)
    driver = "no driver yet" if waiting is None else f"driver here for {minutes_text(waiting)}"
    return _Said("box", "ready", "Ready", _join(known.basket(), driver))


def _arrived(known: _Known) -> _Said:
    waited = known.passed(known.orders.ready)
    if waited is None:
        told = any(math.isfinite(times[known.order]) for times in (known.orders.started, known.orders.ready))
        # where the kitchen tells nothing of an order, nobody knows whether its food is ready
        return _Said("car", "out_for_delivery", "Driver arrived", "Food not ready yet" if told else "")
    detail = f"{minutes_text(waited)} after the food was ready"
    if is_late(waited, known.late_after):
        return _Said("alert", "bad", "Driver arrived late", detail, problem=True)
    return _Said("car", "out_for_delivery", "Driver arrived", detail)


def _picked_up(known: _Known) -> _Said:
    waited = known.passed(known.orders.ready)
    promised = float(known.orders.eta_mins[known.order]) * 60
    return _Said(
        "arrow",
        "out_for_delivery",
        "Picked up",
        _join(
            "" if waited is None else f"food had waited {minutes_text(waited)}",
            f"expected in {minutes_text(promised)}" if promised > 0 else "",  # NaN, no promise, compares False
        ),
    )


def _pinged(known: _Known, progress: float) -> _Said:
    if math.isnan(progress):
        return _Said("pin", "out_for_delivery", "On the road")
    remaining = _remaining(known, progress)
    detail = f"{progress:.0f} % complete" + ("" if remaining is None else f", {minutes_text(remaining)} remaining")
    return _Said("pin", "out_for_delivery", "On the road", detail)


def _remaining(known: _Known, progress: float) -> float | None:
    """Return the seconds that the rest of the way takes at the pace so far; at the beginning, what is left of the promise."""
    driven = known.passed(known.orders.picked_up)
    if driven is None:
        return None
    if PACE_TELLS_FROM < progress <= 100 and driven > 0:
        return driven * (100 - progress) / progress
    left = float(known.orders.eta_mins[known.order]) * 60 - driven
    return left if left > 0 else None


def _delivered(known: _Known) -> _Said:
    total = known.passed(known.orders.created)
    if total is None:
        return _Said("check", "completed", "Delivered")
    over = bool(is_over_target(total, known.target))
    verdict = f"{whole_minutes(total - known.target)} over target" if over else "within target"
    return _Said("check", "completed", "Delivered", f"Total {minutes_text(total)} · {verdict}", problem=over)


def _cancelled(known: _Known) -> _Said:
    age = known.passed(known.orders.created)
    detail = "" if age is None else f"{minutes_text(age)} after it was made"
    return _Said("close", "bad", "Order cancelled", detail, problem=True)


_WORDS: dict[str, Callable[[_Known], _Said]] = {
    "order_created": _created,
    "gk_started": _started,
    "gk_finished": _finished,
    "gk_ready": _ready,
    "driver_arrived": _arrived,
    "driver_picked_up": _picked_up,
    "delivered": _delivered,
    "order_cancelled": _cancelled,
}


def _describe_one(known: _Known, kind: str, progress: float) -> EventLine:
    if kind == "driver_ping":
        said = _pinged(known, progress)
    elif kind in _WORDS:
        said = _WORDS[kind](known)
    else:
        said = _Said("question", "mute", _unknown(kind), "Unknown event type", problem=True)
    order_id = str(known.orders.ids[known.order].as_py())
    title = f"{said.title} · {short_id(order_id)}"
    return EventLine(
        said.icon, said.colour, title, said.detail, known.t, order_id, known.order, kind, problem=said.problem
    )


def _unknown(kind: str) -> str:
    """Return a raw type as words: "driver_took_break" → "Driver took break"."""
    words = " ".join(kind.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] if words else "Nameless event"


def _quantity(qty: float | None) -> int:
    """Return how many of an item: a missing or odd quantity still means that there is one."""
    return int(qty) if qty is not None and math.isfinite(qty) and qty >= 1 else 1


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _join(*parts: str) -> str:
    words = " · ".join(part for part in parts if part)
    return words[:1].upper() + words[1:]
