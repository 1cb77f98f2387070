"""Find when a phase of the orders takes longer than usual, and which orders are affected."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments import runs
from twin.analysis.moments.days import day_of
from twin.analysis.moments.evidence import Evidence, Floats, Phase, phase_of
from twin.analysis.moments.moment import Rows

ALLOWANCE = 1.0
"""Spreads above the usual that a single order may take without being evidence of trouble: score = excess in spreads − 1."""
LEAST_SCORE, MOST_SCORE = -4.0, 3.0
"""Bounds of the score of one order: a single lost order must not make an evening of trouble."""
LEAST_AFFECTED = 5
"""Unusually slow orders of a run, at least."""
LEAST_EXCESS, LEAST_EXCESS_SHARE = 150.0, 0.3
"""A run counts if its orders take two and a half minutes and 30 % longer than usual on average: customers hardly notice less."""
LEAST_DAYS = 3
"""Days from which on the median day tells how scores hang together."""
LOOKED_AT_OFTEN = 1.4
"""Factor on the height of a climb where it is looked for at every moment anew, and chance has as many tries."""
VERY_SLOW, LEAST_VERY_SLOW = 3.0, 240.0
"""Spreads, and seconds, above the usual from which a single order is very slow."""
LEAST_USUAL_SHARE, TIMES_SHARE, LEAST_UNEVEN, MOST_UNEVEN = 0.01, 3.0, 0.15, 0.6
"""A usual share of very slow orders below 1 % is taken as 1 %. A run is tested against three times the usual share, 15 % at
least; where that is 60 % or more, very slow orders are nothing unusual here."""
INDEPENDENT = 0.8
"""Highest climb of a day of independent scores, as a share of ln(n) / θ: the median of simulated days."""
LEAST_SHARE = 0.05
"""Time that customers lost in a run, as a share of the delivery times of a usual hour, below which it is not worth telling."""
LEAST_MINUTES = 8.0
"""A shorter run is a few orders placed together, not a state of the kitchen."""


@dataclass(frozen=True)
class SlowRun:
    """A run of orders that are slow in one phase.

    rows: the window's orders whose phase began in [start, end]; affected: those of them that took unusually long; took,
    usually: mean seconds of the affected orders; excess: seconds lost by all orders together; of: orders of the run, the
    unaffected ones included, where only some are slow.
    """

    phase: str
    start: float
    end: float
    rows: Rows
    affected: Rows
    took: float
    usually: float
    excess: float
    of: int = 0


def slow_runs(evidence: Evidence, phase: str, without: Rows | None = None) -> list[SlowRun]:
    """Return the runs in which a phase takes longer than usual. Orders in `without` are excluded: they are explained already."""
    times, usual = evidence.phase(phase), evidence.usual(phase)
    rows = _in_order(times, evidence, without)
    centre, spread = usual.at(times.start[rows])
    comparable = np.isfinite(centre)
    rows, centre, spread = rows[comparable], centre[comparable], spread[comparable]
    start, length = times.start[rows], times.length[rows]
    score = score_of(length, centre, spread)
    found = []
    for first, last in runs.runs(score, height_of(evidence, phase, len(rows))):
        inside = slice(first, last + 1)
        excess = length[inside] - centre[inside]
        bad = score[inside] > 0
        enough = excess.mean() >= max(LEAST_EXCESS, LEAST_EXCESS_SHARE * centre[inside].mean())
        lost = float(np.maximum(excess, 0).sum())
        enough &= lost >= LEAST_SHARE * evidence.usual_delivery * evidence.pace
        if np.count_nonzero(bad) < LEAST_AFFECTED or not enough or start[last] - start[first] < LEAST_MINUTES * 60:
            continue
        found.append(
            SlowRun(
                phase=phase,
                start=float(start[first]),
                end=float(start[last]),
                rows=rows[inside],
                affected=rows[inside][bad],
                took=float(length[inside][bad].mean()),
                usually=float(centre[inside][bad].mean()),
                excess=lost,
            )
        )
    return found


def uneven_runs(evidence: Evidence, phase: str) -> list[SlowRun]:
    """Return the runs in which more orders than usual take very long in a phase, although the others do not.

    As when one brand's oven or one part of the city is slow: the many punctual orders hide it from `slow_runs`. `rows` has the
    slow ones only.
    """
    times = evidence.phase(phase)
    rows = _in_order(times, evidence)
    centre, spread = evidence.usual(phase).at(times.start[rows])
    start, length = times.start[rows], times.length[rows]
    slow = _is_very_slow(length, centre, spread)
    usual_share = evidence.remembered(("very slow", phase), lambda: _usual_share(evidence, phase))
    tested = max(TIMES_SHARE * usual_share, LEAST_UNEVEN)
    if tested >= MOST_UNEVEN or not len(rows):
        return []
    # Wald's likelihood ratio of a very slow and another order: its exponent is 1 by construction
    score = np.where(slow, math.log(tested / usual_share), math.log((1 - tested) / (1 - usual_share)))
    found = []
    for first, last in runs.runs(score, math.log(len(rows) / runs.CHANCE)):
        inside = np.flatnonzero(slow[first : last + 1]) + first
        lost = float((length[inside] - centre[inside]).sum())
        worth = lost >= LEAST_SHARE * evidence.usual_delivery * evidence.pace
        if len(inside) < LEAST_AFFECTED or not worth or start[last] - start[first] < LEAST_MINUTES * 60:
            continue
        found.append(
            SlowRun(
                phase=phase,
                start=float(start[first]),
                end=float(start[last]),
                rows=rows[inside],
                affected=rows[inside],
                took=float(length[inside].mean()),
                usually=float(centre[inside].mean()),
                excess=lost,
                of=last + 1 - first,
            )
        )
    return found


def _usual_share(evidence: Evidence, phase: str) -> float:
    """Return the share of very slow orders in the history; 1 without any."""
    history = phase_of(evidence.history, phase)
    measured = np.isfinite(history.length)
    if not measured.any():
        return 1.0
    usual = evidence.usual(phase).over_all_days(history.start[measured])
    return max(float(_is_very_slow(history.length[measured], *usual).mean()), LEAST_USUAL_SHARE)


def _in_order(times: Phase, evidence: Evidence, without: Rows | None = None) -> Rows:
    """Return the orders whose phase is measured and begins in the window, in the order in which it begins."""
    usable = np.isfinite(times.length) & (times.start >= evidence.since) & (times.start < evidence.end)
    if without is not None:
        usable[without] = False
    rows = np.flatnonzero(usable)
    return rows[np.argsort(times.start[rows], kind="stable")]


def scores(evidence: Evidence, phase: str, rows: Rows) -> Floats:
    """Return (k,) how much each of the orders `rows` is evidence of trouble in a phase; NaN where it is not measured."""
    times = evidence.phase(phase)
    return score_of(times.length[rows], *evidence.usual(phase).at(np.nan_to_num(times.start[rows])))


def _is_very_slow(length: Floats, centre: Floats, spread: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return length - centre > np.maximum(VERY_SLOW * spread, LEAST_VERY_SLOW)


def score_of(length: Floats, centre: Floats, spread: Floats) -> Floats:
    """Return how much durations are evidence of trouble; NaN where nothing is usual."""
    return np.clip((length - centre) / spread - ALLOWANCE, LEAST_SCORE, MOST_SCORE)


def height_of(evidence: Evidence, phase: str, n: int) -> float:
    """Return the height of a significant climb, calibrated on the scores of the history's own orders.

    Scores of neighbours are not independent: the kitchen is a little slow for an hour on any day. So the height grows with what
    the median day climbs beyond what independent scores would.
    """

    def learn() -> tuple[float, float]:
        times = phase_of(evidence.history, phase)
        measured = np.isfinite(times.length)
        start = times.start[measured]
        score = score_of(times.length[measured], *evidence.usual(phase).over_all_days(start))
        known = np.isfinite(score)
        start, score = start[known], score[known]
        return runs.exponent(score), _wandering(start, score)

    exponent, wandering = evidence.remembered(("height", phase), learn)
    return runs.height(exponent, n) * wandering * (1.0 if evidence.now is None else LOOKED_AT_OFTEN)


def _wandering(start: Floats, score: Floats) -> float:
    """Return how many times higher the scores of the median day climb than independent ones would; 1 at least."""
    if not len(score):
        return 1.0
    by_time = np.argsort(start, kind="stable")
    days, first = np.unique(day_of(start[by_time]), return_index=True)
    expected = INDEPENDENT / runs.exponent(score)
    climbs = [
        runs.climb(scores) / (expected * np.log(max(len(scores), 3))) for scores in np.split(score[by_time], first[1:])
    ]
    return max(1.0, float(np.median(climbs))) if len(days) >= LEAST_DAYS else 1.0
