"""How much an order speaks for trouble in a phase, from how long orders usually stay in it: one that is still open counts, too.

A sequential test on survival, as it watches patients after surgery (P. Biswas and J. D. Kalbfleisch, Stat. Med. 27, 2008; A.
Gandy et al., Biometrika 97, 2010). In trouble a share of the orders leaves the phase at a fraction of the usual hazard. The score
of an order is the logarithm of how much likelier that makes what is seen of it: that it is there at its age, or that it left
then. The exponential of a sum of such scores is a martingale while all is usual, so Page's sum of them exceeds h at about exp(−h)
of the orders at most, at whatever moments it is looked at, and whatever the shape of the usual durations.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments import runs
from twin.analysis.moments.days import day_of
from twin.analysis.moments.evidence import REACH, Evidence, phase_of
from twin.foundation import event_types as ev
from twin.foundation.stages import STALLED_AFTER

Floats = NDArray[np.float64]

TROUBLES = ((1.0, 0.15), (0.3, 0.15))
"""What is tested: so large a share of the orders leaves a phase at this fraction of the usual hazard. All are somewhat slower, or
some very much: an oven, a part of the city."""
MOST_HAZARD = 7.0
"""Cumulative hazard from which an order counts no more, e⁻⁷ or one in a thousand: two lost orders must not make a trouble."""
CHANCE = 0.005
"""Days on which chance alone reaches the height of a trouble, at most: it is looked for in four phases, two ways."""
LEAST_DAYS = 5
"""Days from which on the highest climbs of days tell how scores hang together."""
STEP = 0.02
RANGE = (-6.0, 12.0)
"""Step and range (spreads from the usual) of the tables of scores."""


@dataclass(frozen=True)
class Survival:
    """Scores of one of `TROUBLES`, by how many spreads an order is beyond the usual time of its phase.

    begins: spreads from which an open order scores at all; height: sum from which it is no chance.
    """

    _open: Floats
    _left: Floats
    begins: float
    height: float = math.inf

    @classmethod
    def of(cls, evidence: Evidence, name: str) -> "tuple[Survival, ...]":
        """Return the scores of a phase for each of `TROUBLES`, from the history of the evidence; found once."""

        def learn() -> tuple[Survival, ...]:
            start, beyond = _usual(evidence, name)
            measured = np.isfinite(beyond)
            grid = np.arange(*RANGE, STEP)
            hazard = _hazard(np.sort(beyond), grid)
            found = []
            for share, slower in TROUBLES:
                likelier = np.exp((1 - slower) * hazard)
                still = np.log1p(share * (likelier - 1))
                left = np.log(1 - share + share * slower * likelier)
                one = cls(still, left, float(grid[np.argmax(still > STEP)]))
                height = _height(start[measured], one.left(beyond[measured]), 24 * evidence.pace)
                found.append(cls(still, left, one.begins, height))
            return tuple(found)

        return evidence.remembered(("survival", name), learn)

    def still_open(self, beyond: Floats) -> Floats:
        """Return the scores of orders that are still in the phase, so many spreads beyond the usual time; never negative."""
        return self._open[_place(beyond)]

    def left(self, beyond: Floats) -> Floats:
        """Return the scores of orders that left the phase after that time."""
        return self._left[_place(beyond)]


def _height(start: Floats, score: Floats, orders: float) -> float:
    """Return the height that a day of so many orders reaches by chance only `CHANCE` times, from the scores of the history.

    Scores of neighbours hang together: a kitchen is a little slow for an hour on any day. So the highest climbs of days tell, as
    extreme values do (Gumbel): from their median and upper quartile, which a quarter of days in trouble does not move. Few days
    tell little of how days differ.
    """
    by_time = np.argsort(start, kind="stable")
    days, first = np.unique(day_of(start[by_time]), return_index=True)
    height = math.log(max(orders, 1.0) / CHANCE)
    if len(days) >= LEAST_DAYS:
        climbs = [runs.climb(one) for one in np.split(score[by_time], first[1:])]
        middle, upper = np.quantile(climbs, (0.5, 0.75))
        scale = (upper - middle) / (_gumbel(0.75) - _gumbel(0.5))
        height = max(height, middle + scale * (_gumbel(1 - CHANCE) - _gumbel(0.5)))
    return float(height * (1 + 1 / max(len(days), 1)))


def _gumbel(share: float) -> float:
    return -math.log(-math.log(share))


def _usual(evidence: Evidence, name: str) -> tuple[Floats, Floats]:
    """Return when orders of the history began a phase, and how many spreads beyond the usual they left it.

    Infinitely many of those that never left it: where orders get lost every day, one more says little.
    """
    orders, phase = evidence.history, phase_of(evidence.history, name)
    length = phase.length
    until = (orders.began[-1] if len(orders) else np.inf) - STALLED_AFTER
    with np.errstate(invalid="ignore"):
        lost = (
            np.isnan(phase.end)
            & (phase.start < until)
            & ~np.isfinite(orders.enter[REACH[name]])
            & np.isnan(orders.milestones[ev.ORDER_CANCELLED])
        )
    length[lost] = np.inf
    counts = ~np.isnan(length)
    start, length = phase.start[counts], length[counts]
    centre, spread = evidence.usual(name).over_all_days(start)
    beyond = (length - centre) / spread
    known = ~np.isnan(beyond)
    return start[known], beyond[known]


def _hazard(usual: Floats, at: Floats) -> Floats:
    """Return the cumulative hazard, −log of the share of the sorted `usual` that is longer, at each of `at`."""
    longer = (len(usual) - usual.searchsorted(at, "right") + 0.5) / (len(usual) + 1)
    return np.minimum(-np.log(longer), MOST_HAZARD)


def _place(beyond: Floats) -> NDArray[np.intp]:
    last = round((RANGE[1] - RANGE[0]) / STEP) - 1
    return np.clip((beyond - RANGE[0]) / STEP, 0, last).astype(np.intp)
