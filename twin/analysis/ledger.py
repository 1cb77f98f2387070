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
from copy import copy
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
        "usual": "a promise shorter than usual",
    }
)
"""The causes of lateness in words; `usual` is the lateness of a usual order, where that is over the target."""
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
MOST_DAYS = 2
"""Days of which what was usual as it was known is stored: that of the playhead and the one before; sessions share them."""
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
_RECORDED = (*_BOUNDARIES, ev.DRIVER_ARRIVED, ev.DRIVER_PING)
"""The milestones that the parts are made of."""


def customer_minutes(milestones: Floats) -> tuple[Floats, Floats]:
    """Return the parts (n, 7) and the totals (n,) of orders with `milestones` (9, n), seconds.

    They are differences of whole microseconds, as a source computes them: seconds since 1970 as floats are a little off. An order
    without creation or delivery, or one delivered before it was created, has no total: NaN, and parts of 0.
    """
    bounds, told, total = _split(milestones)
    counted = np.isfinite(total)
    parts = np.zeros((len(total), len(PARTS)), order="F")
    bounds = _micros(bounds)
    spans = np.diff(bounds, axis=0)  # (5, n)
    arrived = _micros(milestones[ev.DRIVER_ARRIVED])
    waits = np.clip(np.where(told[3] & counted, arrived, 0.0) - bounds[3], 0.0, spans[3])
    for part, span in ((QUEUE, 0), (COOK, 1), (PACK, 2), (DRIVE, 4)):
        parts[:, part] = np.where(told[span], spans[span], 0.0)
    parts[:, FOOD_WAITS] = np.where(told[3], waits, 0.0)
    parts[:, HAND_OVER] = np.where(told[3], spans[3] - waits, 0.0)
    parts[:, NOT_RECORDED] = np.where(told, 0.0, spans).sum(axis=0)
    parts /= MICROSECONDS
    return parts, total


def gaps_of(milestones: Floats) -> list[tuple[float, float]]:
    """Return the stretches [start, end), data seconds, of which the record of one order (9, 1) does not say what happened."""
    bounds, told, total = _split(milestones)
    if np.isnan(total[0]):
        return []
    gaps: list[tuple[float, float]] = []
    for start, end, known in zip(bounds[:-1, 0].tolist(), bounds[1:, 0].tolist(), told[:, 0].tolist(), strict=True):
        if known or end <= start:
            continue
        if gaps and gaps[-1][1] == start:
            gaps[-1] = gaps[-1][0], end
        else:
            gaps.append((start, end))
    return gaps


def _split(milestones: Floats) -> tuple[Floats, Bools, Floats]:
    """Return when the spans between milestones begin and end (6, n), whether each is recorded (5, n), and the totals (n,)."""
    times = milestones[list(_BOUNDARIES)]
    # a driver whose pick-up is missing is on the road from his first position on
    pinged = np.isnan(times[4])
    times[4, pinged] = milestones[ev.DRIVER_PING, pinged]
    recorded = np.isfinite(times)
    recorded[4] &= ~pinged
    created, delivered = times[0].copy(), times[5]
    total = (_micros(delivered) - _micros(created)) / MICROSECONDS
    total[~(total >= 0)] = np.nan
    counted = np.isfinite(total)
    bounds = np.where(np.isfinite(times), times, np.inf)
    bounds = np.minimum.accumulate(bounds[::-1], axis=0)[::-1]
    bounds = np.where(counted, np.maximum(bounds, created), 0.0)
    told = recorded[:-1] & recorded[1:]
    told[4] |= pinged & np.isfinite(times[4])  # the drive from the first position on
    told[3] &= np.isfinite(milestones[ev.DRIVER_ARRIVED])
    return bounds, told, total


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
    short: float = 0.0
    """Seconds by which the promise was shorter than usual, summed over the orders of which it was."""

    @property
    def steps(self) -> list[tuple[str, float]]:
        """The means from the target to the delivery time, seconds; they add up to the difference.

        First by how much the promise was shorter than usual, of the orders of which it was; then by how much a usual order of the
        others is quicker than promised (negative); then each part beyond its usual.
        """
        if not self.orders:
            return []
        beyond = (self.parts - self.usual) / self.orders
        short = self.short / self.orders
        usual = float(self.usual.sum()) / self.orders - self.target - short
        return [("promise", short), ("usual", usual), *zip(PARTS, beyond.tolist(), strict=True)]

    @property
    def sentence(self) -> str:
        """What the late minutes were made of, in one sentence; in minutes where other parts made some of them up again."""
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
        if sum(share for share, _ in largest) > 1.005:  # a share of more than all would say nothing
            added = [round(share * self.late_s / 60) for share, _ in largest]
            each = [f"{one:,} min {LABELS[name]}" for one, (_, name) in zip(added, largest, strict=True)]
            causes = f"{', '.join(each)}; {sum(added) - minutes:,} min made up elsewhere"
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
        self.parts, self.total = customer_minutes(milestones)
        self.counted: Bools = np.isfinite(self.total) & (self.total <= STALLED_AFTER)
        self._milestones, self.baseline, self._tz = milestones, baseline, tz
        created = milestones[ev.ORDER_CREATED]
        self._own: Bools = (
            np.isfinite(created) if window is None else (created >= window.start) & (created < window.end)
        )
        self._without: _Unlived | None = None
        self._of_days: dict[_Unlived, Ledger] = {}

    def as_known(self, t: float) -> "Ledger":
        """Return the ledger as it was known at t, data seconds: of the deliveries by then, as far as they were recorded by then.

        What is usual comes from other days than that of t, which is not over, as for the cards; where there is no other day, from
        these deliveries. All but the first ledger of a day are cheap, unless there is no other day.
        """
        day = self._of_day(_Unlived.at(t, self._tz))
        known = copy(day)
        known.counted = self.counted & (self._milestones[ev.DELIVERED] <= t)
        later = known.counted & (self._latest > t)
        if later.any():
            known.parts = self.parts.copy(order="F")
            milestones = self._milestones[:, later]
            known.parts[later], _ = customer_minutes(np.where(milestones <= t, milestones, np.nan))
        if later.any() or day.lacks_other_days:
            known._forget("usual", "blame", "_short")
        return known

    def _of_day(self, without: "_Unlived") -> "Ledger":
        """Return the ledger in which what is usual comes from elsewhere than `without`; those of the last days are stored."""
        stored = self._of_days
        made = stored.get(without)
        if made is None:
            made = copy(self)
            made._without, made._of_days = without, {}
            made._days = self._days  # the same sums
            made._forget("usual", "blame", "_short", "_usual_of_other_days", "lacks_other_days")
            if not made.lacks_other_days:
                made.blame  # noqa: B018  # computed here, shared by the copies of `as_known`
            self._of_days = {**dict([*stored.items()][1 - MOST_DAYS :]), without: made}
        return made

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    @cached_property
    def _latest(self) -> Floats:
        """When the last of an order's milestones was recorded, (n,) seconds."""
        latest: Floats = np.fmax.reduce(self._milestones[list(_RECORDED)], axis=0)
        return latest

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
        usual = self._usual_of_other_days
        if not self.lacks_other_days:
            return usual
        usual = usual.copy(order="F")
        usual[~self.counted] = 0.0
        own = self.counted & self._own
        rows = np.flatnonzero(own if own.any() else self.counted)
        if len(rows):
            np.copyto(usual, _middle(self.parts[rows], self.total[rows]), where=np.isnan(usual))
        return usual

    @cached_property
    def lacks_other_days(self) -> bool:
        """Whether no other day says what is usual for some orders: the range's own deliveries do."""
        return bool(np.isnan(self._usual_of_other_days).any())

    @cached_property
    def _usual_of_other_days(self) -> Floats:
        """The usual parts, (n, 7) mean seconds by order; NaN where there is no other day."""
        usual = np.zeros_like(self.parts, order="F")
        rows = np.flatnonzero(self.counted)
        if len(rows):
            hours, inverse = np.unique(
                clock_hours(self._milestones[ev.ORDER_CREATED, rows], self._tz), return_inverse=True
            )
            usual[rows] = self._days.at(hours, self._without)[inverse]
        return usual

    def usual_at(self, created: float) -> Floats | None:
        """Return what each part takes on other days for an order `created` then, (7,) mean seconds; None without other days."""
        if not np.isfinite(created):
            return None
        usual = self._days.at(clock_hours(np.array([created]), self._tz))[0]
        return usual if np.isfinite(usual).all() else None

    @cached_property
    def _days(self) -> "UsualParts":
        history = self.baseline.history
        if history is not None:
            parts, total = customer_minutes(history.milestones)
            rows = np.flatnonzero(np.isfinite(total) & (total <= STALLED_AFTER))
            if len(rows):
                return UsualParts(*_hourly(parts[rows], history.milestones[ev.ORDER_CREATED, rows], self._tz))
        rows = np.flatnonzero(np.isfinite(self.total) & (self.total <= STALLED_AFTER) & self._own)
        return UsualParts(*_hourly(self.parts[rows], self._milestones[ev.ORDER_CREATED, rows], self._tz))

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
            short=float(self._short.take(np.flatnonzero(rows)).sum()),
        )

    @cached_property
    def _short(self) -> Floats:
        """By how many seconds the promise was shorter than usual, (n,); 0 where it was not."""
        short: Floats = np.maximum(self.usual.sum(axis=1) - self.target, 0.0)
        return short

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


@dataclass(frozen=True, slots=True)
class _Unlived:
    """What is not over at a moment: its day, and at night the evening before, whose last orders are still on their way."""

    day: int
    evening: bool

    @classmethod
    def at(cls, t: float, tz: Zone) -> "_Unlived":
        return cls(int(tz.day(t)), t - float(tz.midnight(t)) < STALLED_AFTER)

    def cells(self, days: NDArray[np.int64]) -> Bools:
        """Return which hours of the days (d,) it has, (d, 24)."""
        hours = np.arange(24) >= 24 - STALLED_AFTER / HOUR
        return (days == self.day)[:, None] | ((days == self.day - 1)[:, None] & hours & self.evening)


class UsualParts:
    """The sums of the parts by day and hour of the kitchen's clock, and from them what is usual on other days."""

    def __init__(self, hours: Ints, orders: Floats, sums: Floats) -> None:
        """Take the hours that have deliveries (k,), counted since 1970, their number (k,) and sums by part (k, 7), microseconds.

        Whole microseconds add up exactly in floats, so that the order of rows and who adds them make no difference.
        """
        self.days, day = np.unique(hours // 24, return_inverse=True)
        shape = (len(self.days), 24)
        self._number, self._sums = np.zeros(shape), np.zeros((*shape, len(PARTS)))
        self._number[day, hours % 24], self._sums[day, hours % 24] = orders, sums

    def at(self, hours: Ints, without: _Unlived | None = None) -> Floats:
        """Return the mean parts (n, 7), seconds, on other days of deliveries that began in `hours` (n,), counted since 1970; NaN
        where there is no other day.

        `without`: of these hours nothing is used.
        """
        number, sums = self._good(without)
        lived = np.ones(len(self.days), bool) if without is None else self.days != without.day
        result = np.full((len(hours), len(PARTS)), np.nan)
        for k, (one, of_day) in enumerate(zip((hours // 24).tolist(), (hours % 24).tolist(), strict=True)):
            other = (self.days != one) & lived
            same_weekday = other & ((self.days - one) % 7 == 0)
            alike = [same_weekday, other] if np.count_nonzero(same_weekday) >= SAME_WEEKDAYS else [other]
            near_hours = (slice(of_day, of_day + 1), slice(max(0, of_day - 1), of_day + 2), slice(0, 24))
            for chosen, near in ((days, near) for near in near_hours for days in alike):
                orders = number[chosen, near].sum()
                if orders >= ENOUGH:
                    result[k] = sums[chosen, near].sum(axis=(0, 1)) / orders / MICROSECONDS
                    break
        return result

    def _good(self, without: _Unlived | None) -> tuple[Floats, Floats]:
        """Return the orders (d, 24) and the sums (d, 24, 7) of the hours that were not in trouble."""
        number: Floats = self._number
        if without is not None:
            number = np.where(without.cells(self.days), 0.0, number)
        mean = np.full(number.shape, np.nan)
        np.divide(self._sums.sum(axis=2), number, out=mean, where=number >= LEAST_SAMPLE)
        some = np.isfinite(mean).any(axis=0)
        middle = np.full(24, np.inf)
        middle[some] = np.nanmedian(mean[:, some], axis=0)
        good = ~(mean > BAD_HOUR * middle) & (number > 0)
        return number * good, self._sums * good[:, :, None]


def clock_hours(t: Floats, tz: Zone) -> Ints:
    """Return the hours of the kitchen's clock in which data seconds lie, (n,), counted since 1970."""
    return np.floor(np.asarray(tz.local(t)) / HOUR).astype(np.int64)


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
