"""The orders that come on one day against those that are expected, minute by minute; what came later counts nowhere.

The usual course comes from the days before (moments/expected.py), today's level from its orders so far. How many orders a
stretch may have is a negative-binomial count: orders that come in groups, demand that wanders, and a level that is not known well
yet make it vary more than independent orders would, and single groups at a quiet hour are nothing unusual.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.days import BIN, BINS, HOUR_BINS, HOURS, day_of, orders_per_bin, weekday_of
from twin.analysis.moments.demand import (
    LEAST_DEVIATIONS,
    LEAST_EXTRA,
    LEAST_MISSING,
    LEAST_SPIKE,
    MOST_LULL,
    SILENCE,
    SPIKE,
)
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.expected import DEAD, PRIOR_ORDERS, SMOOTH, Expected, expected, surprise
from twin.foundation.lazily import at_first_use

if TYPE_CHECKING:
    from scipy import special
else:
    special = at_first_use("scipy.special")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RUSH_S = (600.0, 1200.0, 2400.0, 3600.0)
SILENCE_S = (900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0)
"""Seconds before a time whose orders are counted, the shortest first: a busy kitchen tells sooner."""
RUSH = 13.0
"""Surprise (−log of the probability of so many orders or more) from which a rush is told in the shortest stretch. A stretch that
is twice as long has half as many others beside it in which chance might do it, and needs log 2 less."""
LEAST_DAYS = 1
"""Days before without which nothing is expected."""
DEAD_SURPRISE = 4.0
"""Surprise from which an hour without orders does not count for the level of the day."""
ENOUGH = 8.0
"""Expected orders of the stretch whose orders tell whether a rush or a silence goes on."""
GOES_ON = {"demand_spike": 1.3, "outage": 0.5}
"""Share of the expected orders down to which a rush goes on, and up to which a silence does."""
LEAD_S = 2 * 3600.0
"""Seconds before midnight from which on it is known when all was well."""
WEEKEND = 5
SHIFTS = (-3600.0, -1800.0, 1800.0, 3600.0)
"""Seconds by which the meals of the first weekend of a record may be earlier or later than those of its other days."""
LEAST_CHANCE = 1e-300


@dataclass(frozen=True)
class DemandSigns:
    """Signs in the orders of a day, at each of its minutes, (m,) each.

    over: whether there are far too many or too few; goes_on: whether what was so is not over; known: whether anything is
    expected; window: seconds in which `orders` came against `usual`.
    """

    over: Flags
    goes_on: Flags
    known: Flags
    window: Floats
    orders: Floats
    usual: Floats

    def said(self, k: int) -> str:
        """Return the signs at minute k in words."""
        return f"{self.orders[k]:.0f} orders in {self.window[k] / 60:.0f} min against {self.usual[k]:.0f} usually"


class Demand:
    """Judges the demand of one day."""

    def __init__(self, evidence: Evidence, midnight: float, since: float) -> None:
        """`midnight` begins the day, by the kitchen's clock; `evidence.history` has the days before it; its orders are complete
        from `since` on.
        """
        day = int(day_of(np.array(midnight)))
        history = evidence.history.began
        self._days = len(np.unique(day_of(history)))
        enough = self._days >= LEAST_DAYS
        # the evening before, too: what began there goes on over midnight
        self._expected = (
            evidence.remembered(("expected", day), lambda: expected(history, day - 1, day, ahead=True))
            if enough
            else None
        )
        self._began, self._midnight, self._since = evidence.orders.began, midnight, since
        if self._expected is not None:
            self._courses = {
                name: _summed(getattr(self._expected, name)) for name in ("usual", "most", "least", "sharp", "own")
            }
            self._unknown = _summed(np.isnan(self._expected.usual).astype(np.float64))
            self._level, self._doubt = self._levels(self._expected, day)
            weekend = weekday_of(np.array(day)) >= WEEKEND
            self._shifts = SHIFTS if weekend and not self._expected.own_days[-1] else (0.0,)

    def signs(self, kind: str, t: Floats) -> DemandSigns:
        """Return the signs of a rush or of a silence at each of `t` (m,), all full minutes of the day."""
        found = self._expected
        if found is None:
            nothing, zero = np.zeros(len(t), bool), np.zeros(len(t))
            return DemandSigns(nothing, nothing, nothing, zero, zero, zero)
        grid = np.concatenate((np.arange(t[0] - LEAD_S, t[0], BIN), t))
        rush = kind == "demand_spike"
        lengths = RUSH_S if rush else SILENCE_S
        stretches = [self._stretch(found, grid, length, rush=rush) for length in lengths]
        tells, goes_on = np.full(len(grid), lengths[-1]), np.zeros(len(grid), bool)
        settled = np.zeros(len(grid), bool)
        for length, (known, orders, _, bound, _) in zip(lengths, stretches, strict=True):
            # the shortest stretch in which enough are expected tells whether it goes on
            new = known & ~settled & ((bound >= ENOUGH) | (length == lengths[-1]))
            settled |= new
            tells[new] = length
            share = GOES_ON[kind] * bound
            goes_on |= new & ((orders > share) if rush else (orders < share))
        # after all was well nothing from before counts: what was told once is not told again
        well = np.maximum.accumulate(np.where(settled & ~goes_on, grid - tells, -np.inf))
        over, any_known = np.zeros((2, len(grid)), bool)
        window, placed, usually = np.zeros((3, len(grid)))
        for length, (known, orders, usual, bound, variance) in zip(lengths, stretches, strict=True):
            judge = partial(_is_rush, length=length) if rush else _is_silence
            unusual = judge(found, orders, bound, variance)
            new = known & unusual & goes_on & (grid - length >= well) & ~over
            over |= new
            any_known |= known
            window[new], placed[new], usually[new] = length, orders[new], usual[new]
        now = slice(-len(t), None)
        return DemandSigns(over[now], goes_on[now], any_known[now], window[now], placed[now], usually[now])

    def _stretch(
        self, found: Expected, t: Floats, length: float, *, rush: bool
    ) -> tuple[Flags, Floats, Floats, Floats, Floats]:
        """Return of the stretches before `t` (m,): whether orders are expected there, how many came, the usual number, the most
        (for a rush) or the least to expect, and the variance of that.
        """
        begin = t - length
        known = (self._by(self._unknown, t) - self._by(self._unknown, begin) < 0.5) & (begin >= self._since)
        orders = self._began.searchsorted(t, "right") - self._began.searchsorted(begin, "right")
        usual, bound, doubt = self._counts(found, begin, t, 0.0, rush=rush)
        for shift in self._shifts:
            _, other, _ = self._counts(found, begin + shift, t + shift, -shift, rush=rush)
            bound = np.maximum(bound, other) if rush else np.minimum(bound, other)
        if rush:  # where nobody has come at this hour yet, somebody will
            bound = np.maximum(bound, found.groups * length / ((2 * SMOOTH + 1) * BIN * self._days))
        return known, orders.astype(np.float64), usual, bound, found.groups * bound + (found.spread + doubt) * bound**2

    def _by(self, course: Floats, t: Floats) -> Floats:
        return np.interp(t, self._midnight - BINS * BIN + np.arange(2 * BINS + 1) * BIN, course)

    def _counts(
        self, found: Expected, begin: Floats, t: Floats, now: float, *, rush: bool
    ) -> tuple[Floats, Floats, Floats]:
        """Return of stretches (m,): the usual orders, the most or the least to expect, and the relative variance of that, as
        far as neither the day's level nor its course are known well. `now`: seconds by which it is later than the stretches say.

        As in hindsight (`Expected.bounds`): a kitchen opens and closes at once, on some weekdays earlier than on others.
        """
        hour = np.clip((begin + now - self._midnight) // (HOUR_BINS * BIN), 0, HOURS).astype(np.intp)
        level, doubt = self._level[hour], self._doubt[hour]
        middle = np.clip(self._midnight, begin, t)

        def sum_of(name: str) -> Floats:
            course = self._courses[name]
            before = self._by(course, middle) - self._by(course, begin)
            return before + level * (self._by(course, t) - self._by(course, middle))

        usual, most, sharp, own = sum_of("usual"), sum_of("most"), sum_of("sharp"), sum_of("own")
        days = float(found.own_days[-1])
        width = 2 * np.sqrt(found.groups * (own + 1) / days) if days else np.zeros(len(t))
        if rush:
            bound = np.maximum(np.maximum(most, sharp), own - width if days else 0.0)
        else:
            bound = np.minimum(np.minimum(sum_of("least"), sharp), own + width if days else np.inf)
        return usual, bound, doubt + (most / np.maximum(usual, 1e-9) - 1) ** 2

    def _levels(self, found: Expected, day: int) -> tuple[Floats, Floats]:
        """Return how many times the usual orders came today by each full hour, (HOURS + 1,), and the relative variance of that.

        Drawn to 1 by as many orders as say little. Dead hours do not count, nor what a rush has beyond the most.
        """
        usual = np.nan_to_num(found.usual[-1]).reshape(HOURS, HOUR_BINS).sum(axis=1)
        orders = orders_per_bin(self._began, day, day).reshape(HOURS, HOUR_BINS).sum(axis=1)
        live = ~((orders <= DEAD * usual) & (surprise(orders, usual) >= DEAD_SURPRISE))
        came = np.minimum(orders, SPIKE * usual + LEAST_EXTRA)
        came, of = (np.concatenate(([0.0], np.cumsum(np.where(live, one, 0.0)))) for one in (came, usual))
        return (
            (came + PRIOR_ORDERS) / (of + PRIOR_ORDERS),
            (found.groups * of + PRIOR_ORDERS) / (of + PRIOR_ORDERS) ** 2,
        )


def _summed(table: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(np.nan_to_num(table.reshape(-1)))))


def _is_rush(found: Expected, orders: Floats, most: Floats, variance: Floats, length: float) -> Flags:
    # demand that wanders is multiplied, not added to (`Expected.rush_from`)
    least = np.maximum(LEAST_SPIKE, np.exp(LEAST_DEVIATIONS * np.sqrt(np.log1p(found.wander)))) * most
    enough = (orders >= least) & (orders - most >= LEAST_EXTRA)
    return enough & (surprise_of_more(orders, most, variance) >= RUSH - math.log(length / RUSH_S[0]))


def _is_silence(found: Expected, orders: Floats, least: Floats, variance: Floats) -> Flags:
    enough = (least - orders >= LEAST_MISSING) & (orders <= MOST_LULL * least)
    return enough & (surprise_of_fewer(orders, least, variance) >= SILENCE)


def surprise_of_more(orders: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return −log of the probability of so many orders or more, negative-binomial, elementwise.

    >>> surprise_of_more(np.array([0.0, 5.0, 20.0]), np.full(3, 5.0), np.full(3, 5.0)).round(1).tolist()
    [0.0, 0.6, 14.9]
    """
    size, share = _shape(mean, variance)
    return -np.log(np.maximum(special.betainc(np.maximum(orders, 1e-9), size, 1 - share), LEAST_CHANCE))


def surprise_of_fewer(orders: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return −log of the probability of so few orders or fewer, negative-binomial, elementwise.

    >>> surprise_of_fewer(np.zeros(2), np.full(2, 14.0), np.array([14.0, 28.0])).round(1).tolist()
    [14.0, 9.7]
    """
    size, share = _shape(mean, variance)
    return -np.log(np.maximum(special.betainc(size, orders + 1, share), LEAST_CHANCE))


def _shape(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return size and success share of negative-binomial counts; of a variance near the mean they are Poisson's."""
    mean = np.maximum(mean, 1e-9)
    size = mean**2 / np.maximum(variance - mean, 1e-4 * mean)
    return size, size / (size + mean)
