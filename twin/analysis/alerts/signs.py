"""Early signs of trouble, minute by minute: orders that are still open count for what they have waited so far.

The moments (twin/analysis/moments) judge an evening; an alert has to come while something can still be done. Per phase of the
orders the same scores are summed as there (slowness.py), on a grid of times at once: those of orders that have left the phase as
Page's cumulative sum, in the order in which they left it, and on top those of the orders that are in it, as old as they are.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.days import BIN, BINS, day_of
from twin.analysis.moments.demand import (
    LEAST_DEVIATIONS,
    LEAST_EXTRA,
    LEAST_MISSING,
    LEAST_SPIKE,
    MOST_LULL,
    SILENCE,
)
from twin.analysis.moments.evidence import REACH, Evidence, Phase, phase_of
from twin.analysis.moments.expected import PRIOR_ORDERS, Expected, expected
from twin.analysis.moments.slowness import MOST_SCORE, height_of, score_of
from twin.foundation import event_types as ev
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY

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
"""Kinds that show in the orders that come, or do not."""
RECENT_S = 20 * 60.0
"""Seconds for which an order that has left a phase counts among those that were slow in it."""
LEAST_SLOW = 3
"""Orders that are slow now or were so lately, at least."""
LEAST_EXCESS_S, LEAST_EXCESS_SHARE = 150.0, 0.3
"""A slow order takes so much longer than usual (seconds, share): customers hardly notice less."""
ABOVE = 8.0
"""How far beyond its height the sum of finished orders climbs at most: what is over should be seen to be over."""
STANDS_S = 6 * 60.0
"""Seconds without any order started from which a kitchen stands still, if `LEAST_STANDING` wait and are late for it."""
LEAST_STANDING = 4
LEAST_DAYS = 3
"""Days before from which on it is known how much the demand of a kitchen varies."""
OFTEN = 1.3
"""Factor on the deviations of a rush (demand.py), which is looked for every minute in several windows."""
RUSH_S = (600.0, 1200.0, 2400.0)
SILENCE_S = (900.0, 1800.0, 3600.0, 7200.0)
"""Seconds before a time whose orders are counted, the shortest first: a busy kitchen tells sooner."""


@dataclass(frozen=True)
class Signs:
    """The signs of a phase at m times `t` (m,).

    strength: the sum as a share of the height from which it is no chance; slow: orders that are or were lately slow in it;
    longest: seconds of the slowest of them, 0 without; usually: what is usual for it.
    """

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

    height = height_of(replace(evidence, now=float(t[-1])), name, int(24 * evidence.pace))  # of a usual day's orders
    total = _sum_of_finished(
        end[measured], score_of((end - start)[measured], centre[measured], spread[measured]), height
    )
    strength = total[np.sort(end[measured]).searchsorted(t, "right")]

    begin = start + centre + spread  # from here on an open order is evidence
    rows, place = _spans(t, begin, end)
    strength += np.bincount(place, np.minimum((t[place] - begin[rows]) / spread[rows], MOST_SCORE), len(t))

    until = np.where(measured, end + RECENT_S, end)
    was_slow = end > start + worth
    rows, place = _spans(t, np.where(was_slow, start + worth, np.inf), np.where(was_slow, until, -np.inf))
    slow = np.bincount(place, minlength=len(t)).astype(np.float64)
    longest, usually = np.zeros(len(t)), np.full(len(t), np.nan)
    took = np.minimum(t[place], end[rows]) - start[rows]
    by_time = np.argsort(took, kind="stable")
    longest[place[by_time]], usually[place[by_time]] = took[by_time], centre[rows[by_time]]
    return Signs(strength / height, slow, longest, usually)


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


class Demand:
    """The orders that come on one day against those that are expected, minute by minute; what came later counts nowhere.

    The usual course comes from the days before (expected.py), today's level from its orders so far.
    """

    def __init__(self, evidence: Evidence, midnight: float) -> None:
        """`midnight` begins the day, by the kitchen's clock; `evidence.history` has the days before it."""
        day = int(day_of(np.array(midnight)))
        # three orders at the day's end, of which none is used: without them the record would not reach so far
        until = np.full(3, midnight + DAY - 1.0)
        enough = len(np.unique(day_of(evidence.history.began))) >= LEAST_DAYS
        self._expected = expected(np.concatenate((evidence.history.began, until)), day, day) if enough else None
        self._began = evidence.orders.began
        found = self._expected
        # a kitchen opens at once and may be as busy as it can be by what is known: a rush is one beyond that
        nothing = np.zeros(BINS)
        usual = nothing if found is None else found.usual[0]
        most = nothing if found is None else np.fmax(np.fmax(found.most[0], found.sharp[0]), found.own[0])
        self._before = np.concatenate(([0.0], np.cumsum(np.nan_to_num(usual))))
        self._most_before = np.concatenate(([0.0], np.cumsum(np.nan_to_num(most))))
        self._unknown_before = np.concatenate(([0.0], np.cumsum(np.isnan(usual))))
        self._midnight = midnight

    def signs(self, kind: str, t: Floats) -> list[str]:
        """Return a sentence for each of `t` (m,), full minutes of the day, "" where there is no rush or no silence."""
        found = self._expected
        said = [""] * len(t)
        if found is None:
            return said
        for window in RUSH_S if kind == "demand_spike" else SILENCE_S:
            begin = np.maximum(t - window, self._midnight)
            orders = (self._began.searchsorted(t, "right") - self._began.searchsorted(begin, "right")).astype(
                np.float64
            )
            course = self._most_before if kind == "demand_spike" else self._before
            usual = self._level(begin) * (self._by(t, course) - self._by(begin, course))
            unknown = self._by(t, self._unknown_before) > self._by(begin, self._unknown_before)
            for k in np.flatnonzero((t - begin >= window) & ~unknown).tolist():
                if not said[k] and _is_unusual(found, kind, float(orders[k]), float(usual[k])):
                    said[k] = f"{orders[k]:.0f} orders in {window / 60:.0f} min against {usual[k]:.0f} usually"
        return said

    def _by(self, t: Floats, course: Floats) -> Floats:
        return np.interp(t, self._midnight + np.arange(BINS + 1) * BIN, course)

    def _level(self, t: Floats) -> Floats:
        """Return how many times the usual orders came today by t, drawn to 1 by as many orders as say little."""
        came = self._began.searchsorted(t, "right") - self._began.searchsorted(self._midnight, "left")
        return (came + PRIOR_ORDERS) / (self._by(t, self._before) + PRIOR_ORDERS)


def _is_unusual(found: Expected, kind: str, orders: float, usual: float) -> bool:
    if kind == "demand_spike":
        enough = orders - usual >= LEAST_EXTRA and orders >= LEAST_SPIKE * usual
        return enough and orders >= found.rush_from(usual, LEAST_DEVIATIONS * OFTEN)
    enough = usual - orders >= LEAST_MISSING and orders <= MOST_LULL * usual
    return enough and found.surprise(orders, usual) >= SILENCE


def _sum_of_finished(end: Floats, score: Floats, height: float) -> Floats:
    """Return (n + 1,) the cumulative sum before and after each order, in the order of their ends; never over height + `ABOVE`."""
    total, most = [0.0], height + ABOVE
    for one in score[np.argsort(end, kind="stable")].tolist():
        total.append(min(max(0.0, total[-1] + one), most))
    return np.array(total)


def _spans(t: Floats, begin: Floats, end: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (row, place) of every time `t[place]` in [begin[row], end[row])."""
    first, last = t.searchsorted(begin, "left"), t.searchsorted(end, "left")
    length = np.maximum(last - first, 0)
    rows = np.repeat(np.arange(len(begin)), length)
    before = np.repeat(np.cumsum(length) - length, length)
    return rows, (np.repeat(first, length) + np.arange(len(rows)) - before).astype(np.intp)
