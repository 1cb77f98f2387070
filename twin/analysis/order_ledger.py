"""The ledger of one order as it was known from each of its turns on: what its time so far was made of, to the second.

The parts are those of `twin.analysis.ledger`, of the milestones that had happened by then and of no later one: a part that goes
on has lasted until now, and a gap that nobody had recorded becomes "not recorded" only when the next milestone tells of it.
Parts and what goes on add up to the time since the order was created; once it is delivered, to its delivery time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.ledger import (
    COOK,
    DRIVE,
    FOOD_WAITS,
    HAND_OVER,
    NAMES,
    PACK,
    PARTS,
    QUEUE,
    customer_minutes,
    gaps_of,
)
from twin.timeline import events as ev
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

_REACHED = (ev.ORDER_CREATED, ev.GK_STARTED, ev.GK_FINISHED, ev.GK_READY, ev.DRIVER_PICKED_UP)
_GOES_ON = (QUEUE, COOK, PACK, FOOD_WAITS, DRIVE)
"""What goes on after each of these milestones until the next."""

PART_NAMES = [NAMES[part] for part in PARTS]
"""The parts as a table names them, by `PARTS`."""

DELIVERED, CANCELLED, STALLED = "delivered", "cancelled", "stalled"


@dataclass(frozen=True, slots=True)
class OrderLedger:
    """What an order's time was made of, as known from data second `known` on, until the next one's.

    parts: (7,) seconds by `PARTS`, of what is over. going_on: the part (a number) that lasts since data second `since`; None
    where the order has ended then, by being `ended`: delivered, cancelled, or stalled ("" while it goes on). gaps: [start, end)
    of what is not recorded.
    """

    known: float
    parts: Floats
    going_on: int | None
    since: float
    ended: str
    gaps: list[tuple[float, float]]

    def total(self, now: float) -> float:
        """Return the seconds from creation until the end or, of an order that goes on, until `now`."""
        return float(self.parts.sum()) + (0.0 if self.going_on is None else max(0.0, now - self.since))


def order_ledgers(timeline: Timeline, row: int) -> list[OrderLedger]:
    """Return the ledgers of the order in row `row`, by the time from which each was known; none where its creation is unknown."""
    orders = timeline.orders
    stalled, begins, ends = orders.stalls
    mine = stalled == row
    stalls = list(zip(begins[mine].tolist(), ends[mine].tolist(), strict=True))
    return ledgers_of(orders.milestones[:, row], stalls)


def ledgers_of(milestones: Floats, stalls: list[tuple[float, float]]) -> list[OrderLedger]:
    """Return the ledgers of an order with `milestones` (9,) and spells [start, end) in which it was stalled."""
    created = float(milestones[ev.ORDER_CREATED])
    if not np.isfinite(created):
        return []
    turns = {t for t in (*milestones.tolist(), *(t for spell in stalls for t in spell)) if np.isfinite(t)}
    known = sorted({max(created, t) for t in turns})
    return [_known_at(milestones, t, stalls) for t in known]


def _known_at(milestones: Floats, t: float, stalls: list[tuple[float, float]]) -> OrderLedger:
    with np.errstate(invalid="ignore"):
        past = np.where(milestones <= t, milestones, np.nan)[:, None]
    created, delivered = float(past[ev.ORDER_CREATED, 0]), float(past[ev.DELIVERED, 0])
    if delivered >= created:
        parts, _ = customer_minutes(past)
        return OrderLedger(t, parts[0], None, delivered, DELIVERED, gaps_of(past))
    reached = past[list(_REACHED), 0]
    if np.isnan(reached[-1]):
        reached[-1] = past[ev.DRIVER_PING, 0]
    furthest = int(np.flatnonzero(np.isfinite(reached))[-1])
    since = max(created, float(reached[furthest]))
    past[ev.DELIVERED] = since  # as if it ended here: what is over is split as if nothing else were to come
    parts, _ = customer_minutes(past)
    done, going_on, arrived = parts[0], _GOES_ON[furthest], float(past[ev.DRIVER_ARRIVED, 0])
    if going_on == FOOD_WAITS and np.isfinite(arrived):
        done[FOOD_WAITS] += max(0.0, arrived - since)
        going_on, since = HAND_OVER, max(since, arrived)
    gaps = gaps_of(past)
    stall = next((start for start, end in stalls if start <= t < end), np.inf)
    cancelled = float(past[ev.ORDER_CANCELLED, 0])
    end, ended = (cancelled, CANCELLED) if np.isfinite(cancelled) else (stall, STALLED)
    if np.isfinite(end):
        done[going_on] += max(0.0, end - since)
        return OrderLedger(t, done, None, max(since, end), ended, gaps)
    return OrderLedger(t, done, going_on, since, "", gaps)
