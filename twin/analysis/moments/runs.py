"""Find runs of unusual values in a sequence, with a bound on false alarms.

A score is positive if a value is evidence of trouble and negative if it is evidence against it. Page's cumulative sum,
S = max(0, S + score), stays near 0 while values are usual and climbs while they are not; a run goes from where S left 0 to
its maximum (E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954). By chance S reaches h in n values about
n·exp(−θh) times, where θ > 0 solves mean(exp(θ·score)) = 1 over usual values (Karlin and Altschul, PNAS 87, 1990).
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CHANCE = 0.01
"""False runs accepted per sequence, before small runs are dropped: one in a hundred windows and signals."""
WORST_EXPONENT, BEST_EXPONENT = 0.25, 2.0
"""Bounds of θ: a history full of trouble must not hide the next one, a perfect one must not raise an alarm for two orders."""
CALIBRATION_POINTS = 2_000
"""Quantiles of the usual scores from which θ is computed; more change its second digit only."""


def runs(score: Floats, height: float) -> list[tuple[int, int]]:
    """Return the runs (first, last), both inclusive, in which the sum of `score` (n,) climbs to at least `height`.

    A run ends at its maximum once the sum has fallen by `height` from there; a later climb is another run.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    while begin < len(score):
        total = np.concatenate(([0.0], np.cumsum(score[begin:])))
        floor = np.minimum.accumulate(total)
        alarms = total - floor >= height
        alarm = int(np.argmax(alarms))
        if not alarms[alarm]:
            break
        # the run starts after the last minimum of the sum
        first = int(np.flatnonzero(total[: alarm + 1] == floor[alarm])[-1])
        climb = total[alarm:]
        fallen = np.maximum.accumulate(climb) - climb >= height
        until = int(np.argmax(fallen)) if fallen.any() else len(climb)
        last = alarm + int(np.argmax(climb[:until])) - 1
        found.append((begin + first, begin + last))
        begin += last + 1
    return found


def climb(score: Floats) -> float:
    """Return the highest climb of the sum of `score` (n,)."""
    total = np.concatenate(([0.0], np.cumsum(score)))
    return float((total - np.minimum.accumulate(total)).max())


def height(exponent: float, n: int) -> float:
    """Return the height that the sum of `n` scores reaches by chance only `CHANCE` times, given the usual scores' `exponent`."""
    return math.log(max(n, 1) / CHANCE) / exponent


def exponent(usual: Floats) -> float:
    """Return θ > 0 with mean(exp(θ·usual)) = 1, within its bounds. It exists only if the mean score is negative."""
    if len(usual) > CALIBRATION_POINTS:
        places = (np.arange(CALIBRATION_POINTS) + 0.5) * len(usual) / CALIBRATION_POINTS
        usual = np.sort(usual)[places.astype(np.int64)]
    low, high = WORST_EXPONENT, BEST_EXPONENT
    if not len(usual) or np.mean(np.exp(high * usual)) <= 1:
        return high
    if np.mean(np.exp(low * usual)) >= 1:
        return low
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(np.exp(middle * usual)) < 1 else (low, middle)
    return low
