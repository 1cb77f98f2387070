"""Find where a part of the orders' lifecycle takes longer than usual, and which orders it met."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments import runs
from twin.analysis.moments.evidence import Scene, spells

Floats = NDArray[np.float64]

ALLOWANCE = 1.0
"""Spreads above the usual that a single order may take without speaking for trouble: the score is (excess in spreads) − 1."""
LEAST_SCORE, MOST_SCORE = -4.0, 3.0
"""One order speaks only so loudly: a lost one must not look like an evening of trouble."""
LEAST_AFFECTED = 5
LEAST_EXCESS, LEAST_EXCESS_SHARE = 120.0, 0.2
"""A run counts if its orders take two minutes and a fifth longer than usual on average: less nobody notices."""
LEAST_MINUTES = 8.0
"""A run shorter than that is a handful of orders that came together, not a state of the kitchen."""


@dataclass(frozen=True)
class Slow:
    """A run of slow orders in one part of the lifecycle.

    rows: the window's orders whose part began in [start, end]; affected: those of them that took unusually long.
    took, usually: mean seconds of the affected; excess: seconds lost in all.
    """

    part: str
    start: float
    end: float
    rows: NDArray[np.intp]
    affected: NDArray[np.intp]
    took: float
    usually: float
    excess: float


def slow(scene: Scene, part: str, without: NDArray[np.intp] | None = None) -> list[Slow]:
    """Return the runs in which `part` takes longer than usual; orders in `without` are explained already and left out."""
    mine, usual = spells(scene.orders, part), scene.usual(part)
    known = np.isfinite(mine.length) & (mine.start >= scene.since) & (mine.start < scene.end)
    if without is not None:
        known[without] = False
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(mine.start[rows], kind="stable")]
    time, length = mine.start[rows], mine.length[rows]
    centre, spread = usual.at(time)
    told = np.isfinite(centre)
    rows, time, length, centre, spread = rows[told], time[told], length[told], centre[told], spread[told]
    score = _score(length, centre, spread)
    found = []
    for first, last in runs.runs(score, _height(scene, part, len(rows))):
        inside = slice(first, last + 1)
        excess = length[inside] - centre[inside]
        bad = score[inside] > 0
        enough = excess.mean() >= max(LEAST_EXCESS, LEAST_EXCESS_SHARE * centre[inside].mean())
        if np.count_nonzero(bad) < LEAST_AFFECTED or not enough or time[last] - time[first] < LEAST_MINUTES * 60:
            continue
        found.append(
            Slow(
                part=part,
                start=float(time[first]),
                end=float(time[last]),
                rows=rows[inside],
                affected=rows[inside][bad],
                took=float(length[inside][bad].mean()),
                usually=float(centre[inside][bad].mean()),
                excess=float(np.maximum(excess, 0).sum()),
            )
        )
    return found


def _score(length: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.clip((length - centre) / spread - ALLOWANCE, LEAST_SCORE, MOST_SCORE)


def _height(scene: Scene, part: str, n: int) -> float:
    """Return how high a sum of scores must climb, from the scores of the history's own orders."""
    theirs = spells(scene.history, part)
    known = np.isfinite(theirs.length)
    score = _score(theirs.length[known], *scene.usual(part).over_all_days(theirs.start[known]))
    return runs.height(score[np.isfinite(score)], n)
