"""Early signs of trouble, minute by minute: orders that are still open count for what they have waited so far.

The moments (twin/analysis/moments) judge an evening; an alert has to come while something can still be done. Per phase of the
orders scores are summed (survival.py) on a grid of times at once, of orders that have left the phase and of those that are in
it, as old as they are: Page's cumulative sum, minute by minute.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.alerts.survival import Survival
from twin.analysis.moments.evidence import REACH, Evidence, Phase, phase_of
from twin.analysis.moments.slowness import LEAST_UNEVEN, LEAST_VERY_SLOW, VERY_SLOW
from twin.foundation import event_types as ev
from twin.foundation.stages import STALLED_AFTER

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PHASES: dict[str, tuple[str, ...]] = {
    "slow_kitchen": ("queue", "cook"),
    "driver_shortage": ("wait",),
    "slow_delivery": ("drive",),
    "outage": ("queue",),
    "demand_spike": (),
}
"""Kind of trouble -> the phases in which it shows: orders wait to be cooked, are cooked, wait for a driver, are driven."""
DEMAND = frozenset({"demand_spike", "outage"})
"""Kinds that show in the orders that come, or do not (demand.py)."""
RECENT_S = 20 * 60.0
"""Seconds for which an order that has left a phase counts among those that were slow in it."""
LEAST_SLOW = 3
"""Orders that are slow now or were so lately, at least."""
LEAST_EXCESS_S, LEAST_EXCESS_SHARE = 150.0, 0.3
"""A slow order takes so much longer than usual (seconds, share): customers hardly notice less."""
ABOVE = 4.0
"""How far beyond its height the sum climbs at most: what is over should be seen to be over."""
HALF = 0.5
"""Share of the height down to which the signs of a trouble go on once it has fired, and over which nothing is left of it where no
order was slow lately: it must climb again."""
MOST_SPREADS = 6.0
"""Spreads beyond the usual that a slow order counts at most in the average."""
STANDS_S = 6 * 60.0
"""Seconds without any order started from which a kitchen stands still, if `LEAST_STANDING` wait and are late for it."""
LEAST_STANDING = 4
LEAD_S = 2 * 3600.0
"""Seconds before the first time from which on evidence is summed: what began before midnight goes on."""


@dataclass(frozen=True)
class Signs:
    """The signs of a phase at m times `t` (m,).

    over: whether it is no chance and worth telling; strength: the sum as a share of the height from which it is no chance;
    slow: orders that are or were lately slow in it; longest: seconds of the slowest of them, 0 without; usually: what is usual
    for it.
    """

    over: Flags
    strength: Floats
    slow: Floats
    longest: Floats
    usually: Floats


def signs_of(evidence: Evidence, name: str, t: Floats) -> Signs:
    """Return the signs of a phase at each of `t` (m,), ascending, by the kitchen's clock; what happened later counts nowhere."""
    phase = _phase(evidence, name)
    centre, spread = evidence.usual(name).at(np.nan_to_num(phase.start))
    milestones, enter = evidence.orders.milestones, evidence.orders.enter[REACH[name]]
    with np.errstate(invalid="ignore"):
        # an order is in the phase until its end, or until something says that it is over
        gone = np.fmin(np.fmin(phase.end, np.where(np.isfinite(enter), enter, np.nan)), milestones[ev.ORDER_CANCELLED])
        usable = np.isfinite(phase.start) & np.isfinite(centre) & ~(gone < phase.start)
    start, centre, spread = phase.start[usable], centre[usable], spread[usable]
    end = np.fmin(np.where(np.isnan(gone[usable]), np.inf, gone[usable]), start + STALLED_AFTER)
    measured = np.isfinite(phase.length[usable]) & (phase.end[usable] <= end)
    worth = centre + np.maximum(np.maximum(LEAST_EXCESS_S, LEAST_EXCESS_SHARE * centre), spread)

    step = t[1] - t[0] if len(t) > 1 else LEAD_S
    grid = np.concatenate((np.arange(t[0] - LEAD_S, t[0], step), t))
    until = np.where(measured, end + RECENT_S, end)
    was_slow = end > start + worth
    rows, place = _spans(grid, np.where(was_slow, start + worth, np.inf), np.where(was_slow, until, -np.inf))
    slow = np.bincount(place, minlength=len(grid)).astype(np.float64)
    longest, usually = np.zeros(len(grid)), np.full(len(grid), np.nan)
    took = np.minimum(grid[place], end[rows]) - start[rows]
    by_time = np.argsort(took, kind="stable")
    longest[place[by_time]], usually[place[by_time]] = took[by_time], centre[rows[by_time]]

    beyond = (end - start - centre) / spread
    by_end = np.flatnonzero(measured)[np.argsort(end[measured], kind="stable")]
    over = end[by_end].searchsorted(grid, "right")
    harm = _Harm.of(start, centre, spread, end, measured, grid)
    strength, sure = np.zeros(len(grid)), np.zeros(len(grid), bool)
    for survival in Survival.of(evidence, name):
        rows, place = _spans(grid, start + centre + survival.begins * spread, end)
        still = survival.still_open((grid[place] - start[rows] - centre[rows]) / spread[rows])
        so_far = np.bincount(place, still, len(grid)) + _summed(survival.left(beyond[by_end]))[over]
        most = np.where(slow > 0, survival.height + ABOVE, HALF * survival.height)
        climbed = _climb(so_far, most)
        sure |= (climbed >= survival.height) & harm.since_zero(climbed)
        strength = np.maximum(strength, climbed / survival.height)
    now = slice(-len(t), None)
    return Signs(sure[now] & (slow[now] >= LEAST_SLOW), strength[now], slow[now], longest[now], usually[now])


@dataclass(frozen=True)
class _Harm:
    """Running totals at the times of a grid (m,) of what says whether customers notice: of orders that have left a phase, and
    beside them of those in it that are slow already.

    excess: seconds beyond what is worth telling, summed; uneven: very slow orders beyond the share worth telling; very_slow.
    """

    excess: tuple[Floats, Floats]
    uneven: tuple[Floats, Floats]
    very_slow: tuple[Floats, Floats]

    @classmethod
    def of(cls, start: Floats, centre: Floats, spread: Floats, end: Floats, measured: Flags, grid: Floats) -> "_Harm":
        """Return the totals; the orders' columns are (n,)."""
        least = np.maximum(LEAST_EXCESS_S, LEAST_EXCESS_SHARE * centre)
        very = centre + np.maximum(VERY_SLOW * spread, LEAST_VERY_SLOW)
        most = centre + MOST_SPREADS * spread  # an order that is lost says no more
        by_end = np.flatnonzero(measured)[np.argsort(end[measured], kind="stable")]
        left = end[by_end].searchsorted(grid, "right")
        rows, place = _spans(grid, start + centre + least, end)  # before that nobody knows whether it will be slow

        def totals(value: Callable[[Floats, NDArray[np.intp]], Floats]) -> tuple[Floats, Floats]:
            gone = _summed(value((end - start)[by_end], by_end))[left]
            return gone, np.bincount(place, value(grid[place] - start[rows], rows), len(grid)).astype(np.float64)

        return cls(
            totals(lambda took, of: np.minimum(took, most[of]) - centre[of] - least[of]),
            totals(lambda took, of: (took > very[of]).astype(np.float64) - LEAST_UNEVEN),
            totals(lambda took, of: (took > very[of]).astype(np.float64)),
        )

    def since_zero(self, climbed: Floats) -> Flags:
        """Return where the orders since the sum (m,) was 0 are so slow on average, or so many of them very slow, that it is
        worth telling: the rule by which hindsight tells a moment (slowness.py).
        """
        begin = np.maximum.accumulate(np.where(climbed <= 0, np.arange(len(climbed)), 0))
        excess, uneven, very = (
            gone - gone[begin] + in_it for gone, in_it in (self.excess, self.uneven, self.very_slow)
        )
        return (excess >= 0) | ((uneven >= 0) & (very >= LEAST_SLOW))


def _phase(evidence: Evidence, name: str) -> Phase:
    """Return a phase as it unfolds: where the record has both, a meal is not cooked or ready when only the other says so.

    With hindsight a missing one is replaced by the other; at the time nobody knows that it will not come.
    """
    phase, of = phase_of(evidence.orders, name), evidence.orders.milestones
    if name == "wait" and np.isfinite(evidence.history.milestones[ev.GK_READY]).any():
        return Phase(of[ev.GK_READY], phase.end)
    if name == "cook" and np.isfinite(evidence.history.milestones[ev.GK_FINISHED]).any():
        return Phase(phase.start, of[ev.GK_FINISHED])
    return phase


def stands_still(evidence: Evidence, t: Floats) -> Flags:
    """Return whether orders wait at each of `t` (m,) though none has been started for `STANDS_S`, and longer than is usual."""
    phase = phase_of(evidence.orders, "queue")
    centre, spread = evidence.usual("queue").at(np.nan_to_num(phase.start))
    started = np.sort(phase.end[np.isfinite(phase.end)])
    last = np.concatenate(([-np.inf], started))[started.searchsorted(t, "right")]
    open_ = np.isfinite(phase.start) & np.isfinite(centre)
    gone = np.fmin(phase.end, evidence.orders.milestones[ev.ORDER_CANCELLED])
    gone = np.fmin(gone, np.where(np.isfinite(evidence.orders.enter[REACH["queue"]]), evidence.orders.enter[1], np.nan))
    end = np.fmin(np.where(np.isnan(gone), np.inf, gone), phase.start + STALLED_AFTER)[open_]
    _, place = _spans(t, (phase.start + centre + spread)[open_], end)
    waiting = np.bincount(place, minlength=len(t))
    return (waiting >= LEAST_STANDING) & (t - last >= STANDS_S)


def _summed(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values)))


def _climb(total: Floats, most: Floats) -> Floats:
    """Return Page's sum at m times from the running total of all evidence (m,): never below 0, never over `most` (m,)."""
    climbed, value = [0.0], 0.0
    for step, highest in zip(np.diff(total).tolist(), most[1:].tolist(), strict=True):
        value = min(max(0.0, value + step), highest)
        climbed.append(value)
    return np.array(climbed)


def _spans(t: Floats, begin: Floats, end: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (row, place) of every time `t[place]` in [begin[row], end[row])."""
    first, last = t.searchsorted(begin, "left"), t.searchsorted(end, "left")
    length = np.maximum(last - first, 0)
    rows = np.repeat(np.arange(len(begin)), length)
    before = np.repeat(np.cumsum(length) - length, length)
    return rows, (np.repeat(first, length) + np.arange(len(rows)) - before).astype(np.intp)
