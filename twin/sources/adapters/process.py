"""Decides which time is which milestone by the order of the process, which names alone cannot tell.

Given are series of times, one value or none per order: the time columns of a wide file, or the first time of each activity in a
long one. Among the assignments of series to milestones, the best has the fewest orders in which a later milestone comes before an
earlier one, durations such as kitchens have, and names that fit. A beam search finds it; what the runners-up say is confidence.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.sources.adapters.mapping import MILESTONES

MOST_SERIES = 16
"""Series that are told apart; those without a fitting name and with the fewest values are left out first."""
BEAM = 1_500
"""Partial assignments that are followed at once: with up to six series nearly all there are."""

VIOLATION = 30.0
"""Weight of the share of orders in which two milestones are the wrong way round: it outweighs any name from a fifth on."""
NAME = 4.0
OTHER_NAME = 3.0
"""Taken off where the name says another milestone."""
NAMELESS = {
    "order_created": 1.2, "gk_started": 0.2, "gk_finished": -0.3, "gk_ready": 0.6, "driver_arrived": -0.3,
    "driver_picked_up": 1.0,
    "delivered": 1.1, "order_cancelled": -4.0,
}  # fmt: skip
"""What a milestone is worth without a name: how usual it is that a record has it."""
EXCLUSIVE = 4.0
"""Weight of the share of cancelled orders that are delivered."""
DURATION = 0.8
DECADES = 0.6
"""Spread of plausible durations in powers of ten."""
FAR = 2.5
"""Greatest deviation from a plausible duration that counts: parcels take days, and all their durations are equally far."""

AFTER_START_MIN = {
    "order_created": 0.0, "gk_started": 2.0, "gk_finished": 12.0, "gk_ready": 14.0, "driver_arrived": 14.0,
    "driver_picked_up": 20.0,
    "delivered": 35.0, "order_cancelled": 15.0,
}  # fmt: skip
"""Minutes after its creation at which an order usually reaches a milestone."""
_MAIN = ("order_created", "gk_started", "gk_finished", "gk_ready", "driver_picked_up", "delivered")


def precedes(first: str, second: str) -> bool:
    """Return whether one milestone always comes before another, or at the same time.

    >>> precedes("order_created", "delivered"), precedes("driver_arrived", "gk_ready"), precedes("driver_arrived", "delivered")
    (True, False, True)
    """
    if first in _MAIN and second in _MAIN:
        return _MAIN.index(first) < _MAIN.index(second)
    if second == "driver_arrived":
        return first == "order_created"
    if first == "driver_arrived":
        return second in ("driver_picked_up", "delivered")
    return first == "order_created" and second == "order_cancelled"


@dataclass(frozen=True, slots=True)
class Series:
    """The times of one column or activity: seconds (n,), NaN where an order has none; how well its name fits each milestone."""

    name: str
    seconds: NDArray[np.float64]
    likeness: Mapping[str, float] = field(default_factory=dict)
    excluded: bool = False
    """The name says that it is no milestone."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The milestone of a series, None for none; `confidence` 0..1, `violations` of `orders` where it contradicts another."""

    milestone: str | None
    confidence: float
    violations: int
    orders: int


@dataclass(frozen=True, slots=True)
class _Pairs:
    """For each two series: orders with both, the share in which the first is later (NaN without any), median seconds between."""

    both: NDArray[np.int64]
    later: NDArray[np.float64]
    gap: NDArray[np.float64]


def assign(series: Sequence[Series]) -> dict[str, Assigned]:
    """Return what each series is."""
    eligible = [one for one in series if not one.excluded and np.isfinite(one.seconds).any()]
    eligible.sort(key=lambda one: (-max(one.likeness.values(), default=0.0), -int(np.isfinite(one.seconds).sum())))
    eligible = eligible[:MOST_SERIES]
    pairs = _pairs([one.seconds for one in eligible])
    ranked = _search(eligible, pairs)
    best = ranked[0][1] if ranked else ()
    weights = np.exp(np.array([score for score, _ in ranked]) - (ranked[0][0] if ranked else 0.0))
    wrong = _violations(eligible, best)
    found = {one.name: Assigned(None, 1.0, 0, 0) for one in series}
    for number, one in enumerate(eligible):
        same = np.array([chosen[number] == best[number] for _, chosen in ranked])
        violations, orders = wrong.get(number, (0, int(np.isfinite(one.seconds).sum())))
        found[one.name] = Assigned(best[number], float(weights[same].sum() / weights.sum()), violations, orders)
    return found


def _pairs(columns: Sequence[NDArray[np.float64]]) -> _Pairs:
    n = len(columns)
    both, later, gap = np.zeros((n, n), np.int64), np.full((n, n), np.nan), np.full((n, n), np.nan)
    for a in range(n):
        for b in range(n):
            if a == b:
                continue
            between = columns[b] - columns[a]
            between = between[np.isfinite(between)]
            both[a, b] = len(between)
            if len(between):
                later[a, b] = float((between < 0).mean())
                gap[a, b] = float(np.median(between))
    return _Pairs(both, later, gap)


def _search(series: Sequence[Series], pairs: _Pairs) -> list[tuple[float, tuple[str | None, ...]]]:
    """Return the best assignments with their scores, the best first."""
    beam: list[tuple[float, tuple[str | None, ...]]] = [(0.0, ())]
    for number, one in enumerate(series):
        grown = []
        for score, chosen in beam:
            grown.append((score, (*chosen, None)))
            for milestone in MILESTONES:
                if milestone not in chosen:
                    gained = _name_score(one, milestone) + _order_score(number, milestone, chosen, pairs)
                    grown.append((score + gained, (*chosen, milestone)))
        grown.sort(key=lambda item: -item[0])
        beam = grown[:BEAM]
    rated = [(score + _duration_score(chosen, pairs), chosen) for score, chosen in beam]
    return sorted(rated, key=lambda item: -item[0])


def _name_score(one: Series, milestone: str) -> float:
    fits = one.likeness.get(milestone, 0.0)
    best = max(one.likeness.values(), default=0.0)
    if fits:
        return NAME * (fits - (best - fits))
    return NAMELESS[milestone] - (OTHER_NAME * best if best else 0.0)


def _order_score(number: int, milestone: str, chosen: tuple[str | None, ...], pairs: _Pairs) -> float:
    total = 0.0
    for other, its in enumerate(chosen):
        if its is None or not pairs.both[number, other]:
            continue
        if precedes(milestone, its):
            total -= VIOLATION * pairs.later[number, other]
        elif precedes(its, milestone):
            total -= VIOLATION * pairs.later[other, number]
        elif {milestone, its} == {"delivered", "order_cancelled"}:
            total -= EXCLUSIVE
    return total


def _duration_score(chosen: tuple[str | None, ...], pairs: _Pairs) -> float:
    """Return how plausible the durations between milestones are that follow each other."""
    placed = sorted(
        (AFTER_START_MIN[milestone], number, milestone)
        for number, milestone in enumerate(chosen)
        if milestone is not None and milestone in _MAIN
    )
    total = 0.0
    for (began, first, _), (ended, second, _) in itertools.pairwise(placed):
        gap = pairs.gap[first, second]
        if not gap > 0:
            continue
        away = (math.log10(gap / 60) - math.log10(ended - began)) / DECADES
        total -= DURATION * min(0.5 * away * away, FAR)
    return total


def _violations(series: Sequence[Series], chosen: tuple[str | None, ...]) -> dict[int, tuple[int, int]]:
    """Return for each series with a milestone: in how many orders it contradicts another, and how many have it."""
    found = {}
    for number, milestone in enumerate(chosen):
        if milestone is None:
            continue
        mine = series[number].seconds
        wrong = np.zeros(len(mine), dtype=bool)
        for other, its in enumerate(chosen):
            if its is not None and precedes(milestone, its):
                wrong |= mine > series[other].seconds
            elif its is not None and precedes(its, milestone):
                wrong |= mine < series[other].seconds
        found[number] = int(wrong.sum()), int(np.isfinite(mine).sum())
    return found
