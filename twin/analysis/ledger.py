"""The delay ledger: to the minute, what the time of each delivery and its lateness were made of.

The customer's minutes of an order, from its creation to its delivery, are split at its milestones into `PARTS`, which add up to
its delivery time. Milestones are as for stages (`twin.timeline.orders`): a later one that came first stands for those before it.
Where the record lacks a milestone nobody knows what happened in between: the whole gap is `not_recorded`, and never spread over
its neighbours. A driver's minutes overlap the kitchen's; they are a ledger of their own (`DRIVER_PARTS`).

Lateness is what a usual order takes beyond the target, plus what each part took more (or less: negative) than usual at that hour.
Usual are means of the same orders for all parts, because medians do not add. Which part made how many orders late is not
additive; it is shared by the exact Shapley value over all 2⁷ sets of parts: what a part adds, averaged over all orders in which
parts can go from usual to what they were.

Every figure of any orders is a plain sum over rows of these arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import factorial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import SAME_WEEKDAYS, Baseline
from twin.analysis.metrics import WHOLE_MINUTE
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Window
from twin.timeline import events as ev
from twin.timeline.events import MICROSECONDS
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

QUEUE, COOK, PACK, FOOD_WAITS, HAND_OVER, DRIVE, NOT_RECORDED = range(7)
PARTS = ("queue", "cook", "pack", "food_waits", "hand_over", "drive", "not_recorded")
"""The customer's minutes: created → started → finished → packed → driver there → picked up → delivered."""
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "queue": "waiting for the kitchen",
        "cook": "cooking",
        "pack": "packing",
        "food_waits": "food waiting for drivers",
        "hand_over": "hand-over",
        "drive": "driving",
        "not_recorded": "not recorded",
        "usual": "what is usual at that hour",
    }
)
"""The parts in words; `usual` is the lateness of a usual order, where that is over the target."""
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "queue": "Queue",
        "cook": "Cook",
        "pack": "Pack",
        "food_waits": "Food waits",
        "hand_over": "Hand-over",
        "drive": "Drive",
        "not_recorded": "Not recorded",
    }
)
"""The parts as a table names them."""
DRIVER_PARTS = ("driver_waits", "hand_over", "drive")
"""The driver's minutes, from his arrival at the kitchen to the delivery."""

ENOUGH = 50
"""Fewest orders for the mean of an hour; with fewer its neighbours are taken too, then the whole day."""
BAD_HOUR = 1.5
"""An hour of another day whose mean is this many times the middle day's is trouble, and no part of what is usual."""
LEAST_SAMPLE = 3
"""Fewest orders of an hour of a day for that comparison."""
ROUNDING = 1e-6
"""Seconds by which sums of floats may be off: an order that is late by exactly half a minute is late however they are added."""
CHUNK = 8192
"""Orders per step of the Shapley value, so that it takes 8 MB."""

_BOUNDARIES = (
    ev.ORDER_CREATED,
    ev.GK_STARTED,
    ev.GK_FINISHED,
    ev.GK_READY,
    ev.DRIVER_PICKED_UP,
    ev.DELIVERED,
)


def customer_minutes(milestones: Floats) -> tuple[Floats, Floats]:
    """Return the parts (n, 7) and the totals (n,) of orders with `milestones` (9, n), seconds.

    They are differences of whole microseconds, as a source computes them: seconds since 1970 as floats are a little off. An order
    without creation or delivery, or one delivered before it was created, has no total: NaN, and parts of 0.
    """
    times = _micros(milestones[list(_BOUNDARIES)])
    # a driver whose pick-up is missing is on the road from his first position on
    pinged = np.isnan(times[4])
    times[4, pinged] = _micros(milestones[ev.DRIVER_PING, pinged])
    recorded = np.isfinite(times)
    recorded[4] &= ~pinged
    created, delivered = times[0].copy(), times[5]
    total = delivered - created
    total[~(total >= 0)] = np.nan
    counted = np.isfinite(total)
    n = len(total)
    parts = np.zeros((n, len(PARTS)), order="F")
    bounds = np.where(np.isfinite(times), times, np.inf)
    bounds = np.minimum.accumulate(bounds[::-1], axis=0)[::-1]
    bounds = np.where(counted, np.maximum(bounds, created), 0.0)
    spans = np.diff(bounds, axis=0)  # (5, n)
    told = recorded[:-1] & recorded[1:]
    told[4] |= pinged & np.isfinite(times[4])  # the drive from the first position on
    arrived = _micros(milestones[ev.DRIVER_ARRIVED])
    told[3] &= np.isfinite(arrived)
    waits = np.clip(np.where(told[3] & counted, arrived, 0.0) - bounds[3], 0.0, spans[3])
    for part, span in ((QUEUE, 0), (COOK, 1), (PACK, 2), (DRIVE, 4)):
        parts[:, part] = np.where(told[span], spans[span], 0.0)
    parts[:, FOOD_WAITS] = np.where(told[3], waits, 0.0)
    parts[:, HAND_OVER] = np.where(told[3], spans[3] - waits, 0.0)
    parts[:, NOT_RECORDED] = np.where(told, 0.0, spans).sum(axis=0)
    parts /= MICROSECONDS
    total /= MICROSECONDS
    return parts, total


def driver_minutes(milestones: Floats) -> Floats:
    """Return the driver's parts (n, 3), seconds, of orders with `milestones` (9, n); NaN where one of them is missing.

    What he waits for food lies on the order's cooking and packing and is no part of its time.
    """
    ready, arrived = milestones[ev.GK_READY], milestones[ev.DRIVER_ARRIVED]
    picked_up, delivered = milestones[ev.DRIVER_PICKED_UP], milestones[ev.DELIVERED]
    arrived = np.minimum(arrived, picked_up)
    waits = np.maximum(np.minimum(ready, picked_up) - arrived, 0.0)
    parts = np.stack([waits, picked_up - arrived - waits, delivered - picked_up], axis=1)
    parts[~np.isfinite(parts).all(axis=1)] = np.nan
    return parts


@dataclass(frozen=True, slots=True)
class Account:
    """The sums over some orders, in seconds: delivered in time or late, and of what.

    parts, usual: (7,) sums by `PARTS`. causes: (8,) what each part made of the late orders' seconds beyond the target, by `PARTS`
    and last what is usual; they add up to `late_s`. late_by: (8,) the same of the number of late orders.
    alone, needed: (7,) how many orders would have been late if a part alone had not been as usual, and how many would not have
    been late if it had: the range within which ways to share them out differ.
    """

    orders: int
    late: int
    target: float
    total_s: float
    late_s: float
    parts: Floats
    usual: Floats
    causes: Floats
    late_by: Floats
    alone: Floats
    needed: Floats

    @property
    def steps(self) -> list[tuple[str, float]]:
        """The means from the target to the delivery time: what is usual beyond the target, then each part beyond its usual."""
        if not self.orders:
            return []
        beyond = (self.parts - self.usual) / self.orders
        usual = float(self.usual.sum()) / self.orders - self.target
        return [("usual", usual), *zip(PARTS, beyond.tolist(), strict=True)]

    @property
    def sentence(self) -> str:
        """What the late minutes were made of, in one sentence."""
        if not self.orders:
            return "Nothing was delivered here."
        if not self.late:
            one = self.orders == 1
            return "The one delivery was in time." if one else f"None of {self.orders:,} deliveries was late."
        shares = self.causes / self.late_s
        named = [(float(share), name) for share, name in zip(shares, (*PARTS, "usual"), strict=True)]
        largest = [one for one in sorted(named, reverse=True)[:2] if one[0] >= 0.1]
        causes = ", ".join(f"{100 * share:.0f} % {LABELS[name]}" for share, name in largest)
        minutes, orders = round(self.late_s / 60), f"{self.late:,} of {self.orders:,} deliveries"
        return f"{minutes:,} late minutes in {orders}: {causes or 'a little of everything'}"


@dataclass(frozen=True, slots=True)
class Blame:
    """What made late orders late, m of them.

    rows: (m,) their rows in the ledger. late_s: (m,) seconds beyond the target. seconds, shares: (m, 8) what each part made of
    them, and of the order, by `PARTS` and last what is usual. alone, needed: (m, 7) 0 or 1: see `Account`.
    """

    rows: NDArray[np.intp]
    late_s: Floats
    seconds: Floats
    shares: Floats
    alone: Floats
    needed: Floats


class Ledger:
    """The ledger of a timeline's orders, n of them; rows as in `Timeline.orders`.

    parts: (n, 7) seconds by `PARTS`. total: (n,) seconds. counted: (n,) whether an order counts as a delivery: as for the mean
    delivery time, those of more than four hours and negative ones do not.
    """

    def __init__(
        self,
        milestones: Floats,
        baseline: Baseline,
        tz: Zone = NAIVE,
        target: float = DELIVERY_TARGET_S,
        window: Window | None = None,
    ) -> None:
        """`milestones` are (9, n) seconds, `target` is the promised delivery time, seconds.

        Where no other day tells what is usual, the orders created in `window` do, by default all.
        """
        self.target = target
        self._window = window
        self.parts, self.total = customer_minutes(milestones)
        self.counted: Bools = np.isfinite(self.total) & (self.total <= STALLED_AFTER)
        self._milestones, self.baseline, self._tz = milestones, baseline, tz

    @classmethod
    def of_parts(cls, parts: Floats, total: Floats, usual: Floats, target: float) -> "Ledger":
        """Return the ledger of deliveries whose parts, totals and usual parts are known; it knows nothing of their drivers."""
        book = cls(np.full((len(ev.EVENT_TYPES), 0), np.nan), Baseline.none(), target=target)
        book.parts, book.total, book.usual = np.asfortranarray(parts), total, np.asfortranarray(usual)
        book.counted = np.isfinite(total) & (total <= STALLED_AFTER)
        return book

    @cached_property
    def driver(self) -> Floats:
        """The driver's minutes, (n, 3) seconds by `DRIVER_PARTS`, NaN where the record does not tell."""
        return driver_minutes(self._milestones)

    @property
    def late(self) -> Bools:
        """Which orders count as late, (n,): by at least half a minute, as for the delivery time's card."""
        return self.counted & (self.total >= self.target + WHOLE_MINUTE)

    @cached_property
    def usual(self) -> Floats:
        """What each part takes at the hour in which an order was created, (n, 7) mean seconds; 0 for orders that do not count."""
        usual = np.zeros_like(self.parts, order="F")
        rows = np.flatnonzero(self.counted)
        if not len(rows):
            return usual
        created = self._milestones[ev.ORDER_CREATED, rows]
        own = rows
        if self._window is not None:
            inside = (created >= self._window.start) & (created < self._window.end)
            own = rows[inside] if inside.any() else rows
        history = self.baseline.history
        sums = None if history is None else _hourly_of(history.milestones, self._tz)
        if sums is None or not len(sums[0]):
            sums = _hourly(self.parts[own], self._milestones[ev.ORDER_CREATED, own], self._tz)
        hours, inverse = np.unique(clock_hours(created, self._tz), return_inverse=True)
        means = UsualParts(*sums).at(hours)
        means[np.isnan(means[:, 0])] = _middle(self.parts[own], self.total[own])
        usual[rows] = means[inverse]
        return usual

    @cached_property
    def blame(self) -> "Blame":
        """What made each late order late."""
        rows = np.flatnonzero(self.late)
        seconds, shares = (np.empty((len(rows), 8), order="F") for _ in range(2))
        alone, needed = (np.empty((len(rows), 7), order="F") for _ in range(2))
        for at in range(0, len(rows), CHUNK):
            some = slice(at, at + CHUNK)
            beyond = self._sets(rows[some])
            over = (beyond >= WHOLE_MINUTE - ROUNDING).astype(np.float64)
            for result, value in ((seconds, np.maximum(beyond, 0.0)), (shares, over)):
                result[some, :-1] = value @ SHAPLEY
                result[some, -1] = value[:, 0]
            alone[some] = over[:, _ALONE] * (1 - over[:, :1])
            needed[some] = 1 - over[:, _WITHOUT]
        return Blame(rows, self.total[rows] - self.target, seconds, shares, alone, needed)

    def account(self, among: Bools | None = None) -> Account:
        """Return the sums over the delivered orders `among` (n,), by default all."""
        blame = self.blame
        rows = self.counted if among is None else self.counted & among
        late = rows[blame.rows]
        return Account(
            orders=int(np.count_nonzero(rows)),
            late=int(np.count_nonzero(late)),
            target=self.target,
            total_s=float(self.total.take(np.flatnonzero(rows)).sum()),
            late_s=float(blame.late_s[late].sum()),
            parts=_sums(self.parts, rows),
            usual=_sums(self.usual, rows),
            causes=_sums(blame.seconds, late),
            late_by=_sums(blame.shares, late),
            alone=_sums(blame.alone, late),
            needed=_sums(blame.needed, late),
        )

    def _sets(self, rows: NDArray[np.intp]) -> Floats:
        """Return the seconds beyond the target of orders in which only the parts of a set were not usual, (len(rows), 128)."""
        excess = self.parts[rows] - self.usual[rows]
        base = self.usual[rows].sum(axis=1) - self.target
        beyond = base[:, None] + excess @ MEMBERS.T
        beyond[:, _ALL] = self.total[rows] - self.target  # not by a sum of floats, so that what is late is late in both
        return beyond


class _Made:
    """The ledger of a timeline, made at first and again for another baseline or target."""

    def __init__(self, _: Timeline) -> None:
        self._made: Ledger | None = None

    def of(self, timeline: Timeline, baseline: Baseline, target: float) -> Ledger:
        made = self._made
        if made is None or made.baseline is not baseline or made.target != target:
            made = self._made = Ledger(timeline.orders.milestones, baseline, timeline.tz, target, timeline.window)
        return made


def ledger_of(timeline: Timeline, baseline: Baseline, target: float = DELIVERY_TARGET_S) -> Ledger:
    """Return the timeline's ledger, which is created at the first call and freed with the timeline."""
    return timeline.cached(_Made).of(timeline, baseline, target)


class UsualParts:
    """The mean parts by hour of the kitchen's clock, without the day that is compared with them."""

    def __init__(self, hours: Ints, orders: Floats, sums: Floats) -> None:
        """Take the hours that have deliveries (k,), counted since 1970, their number (k,) and sums by part (k, 7), microseconds.

        Whole microseconds add up exactly in floats, so that the order of rows and who adds them make no difference.
        """
        self._days, day = np.unique(hours // 24, return_inverse=True)
        shape = (len(self._days), 24)
        number, parts = np.zeros(shape), np.zeros((*shape, len(PARTS)))
        number[day, hours % 24], parts[day, hours % 24] = orders, sums
        mean = np.full(shape, np.nan)
        np.divide(parts.sum(axis=2), number, out=mean, where=number >= LEAST_SAMPLE)
        some = np.isfinite(mean).any(axis=0)
        middle = np.full(24, np.inf)
        middle[some] = np.nanmedian(mean[:, some], axis=0)
        good = ~(mean > BAD_HOUR * middle)
        self._number, self._sums = number * good, parts * good[:, :, None]

    @property
    def days(self) -> Ints:
        """The days that have deliveries, counted since 1970, ascending."""
        return self._days

    def at(self, hours: Ints) -> Floats:
        """Return the mean parts (n, 7), seconds, of deliveries that began in `hours` (n,); NaN where no other day tells."""
        result = np.full((len(hours), len(PARTS)), np.nan)
        for k, (one, of_day) in enumerate(zip((hours // 24).tolist(), (hours % 24).tolist(), strict=True)):
            other = self._days != one
            same_weekday = other & ((self._days - one) % 7 == 0)
            alike = [same_weekday, other] if np.count_nonzero(same_weekday) >= SAME_WEEKDAYS else [other]
            near_hours = (slice(of_day, of_day + 1), slice(max(0, of_day - 1), of_day + 2), slice(0, 24))
            for chosen, near in ((days, near) for near in near_hours for days in alike):
                number = self._number[chosen, near].sum()
                if number >= ENOUGH:
                    result[k] = self._sums[chosen, near].sum(axis=(0, 1)) / number / MICROSECONDS
                    break
        return result


def clock_hours(t: Floats, tz: Zone) -> Ints:
    """Return the hours of the kitchen's clock in which data seconds lie, (n,), counted since 1970."""
    return np.floor(np.asarray(tz.local(t)) / HOUR).astype(np.int64)


def _hourly_of(milestones: Floats, tz: Zone) -> tuple[Ints, Floats, Floats]:
    parts, total = customer_minutes(milestones)
    counted = np.flatnonzero(np.isfinite(total) & (total <= STALLED_AFTER))
    return _hourly(parts[counted], milestones[ev.ORDER_CREATED, counted], tz)


def _hourly(parts: Floats, created: Floats, tz: Zone) -> tuple[Ints, Floats, Floats]:
    """Return what `UsualParts` takes, from orders."""
    hours, cell = np.unique(clock_hours(created, tz), return_inverse=True)
    micros = np.rint(parts * MICROSECONDS)
    sums = np.stack([np.bincount(cell, micros[:, k], len(hours)) for k in range(len(PARTS))], axis=1)
    return hours, np.bincount(cell, minlength=len(hours)).astype(np.float64), sums.astype(np.float64)


def _middle(parts: Floats, total: Floats) -> Floats:
    """Return the mean parts (7,) of the middle half of deliveries by their time, and of those that took as long as its ends."""
    ends = np.sort(total)[[len(total) // 4, len(total) - len(total) // 4 - 1]]
    return np.asarray(parts[(total >= ends[0]) & (total <= ends[1])].mean(axis=0))


def _micros(t: Floats) -> Floats:
    """Return data seconds in whole microseconds."""
    return np.rint(t * MICROSECONDS)


_ALL = (1 << len(PARTS)) - 1
MEMBERS = (np.arange(_ALL + 1)[:, None] >> np.arange(len(PARTS)) & 1).astype(np.float64)
"""(128, 7): which parts each set has."""


_ALONE = [1 << part for part in range(len(PARTS))]
_WITHOUT = [_ALL ^ 1 << part for part in range(len(PARTS))]


def _sums(values: Floats, rows: Bools) -> Floats:
    """Return the sums (k,) of some rows of (n, k), which lies in memory by columns; by number is faster than by mask."""
    chosen = np.flatnonzero(rows)
    return np.array([column.take(chosen).sum() for column in values.T])


def _shapley() -> Floats:
    """Return (128, 7): the weight of the value of each set in the Shapley value of each part."""
    players = len(PARTS)
    size = MEMBERS.sum(axis=1).astype(int).tolist()
    joins = [factorial(max(0, n - 1)) * factorial(players - n) / factorial(players) for n in size]
    stays = [factorial(n) * factorial(max(0, players - n - 1)) / factorial(players) for n in size]
    return np.where(MEMBERS > 0, np.array(joins)[:, None], -np.array(stays)[:, None])


SHAPLEY = _shapley()
