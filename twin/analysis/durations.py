"""Durations of many orders, sorted by when they ended, so that any interval's figures are two searches and a short slice."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER

Floats = NDArray[np.float64]


class Ended(NamedTuple):
    """The durations (seconds) that ended in an interval: `values` those that count, `excluded` the number of others."""

    mean: float | None
    kept: int
    excluded: int
    values: Floats


class Durations:
    """Durations in the order of their ends, with running sums; those over 4 h or below 0 are set aside and counted."""

    def __init__(self, end: Floats, duration: Floats) -> None:
        """Take `end` (n,) and `duration` (n,), seconds, in any order; all must be finite."""
        order = np.argsort(end, kind="stable")
        end, duration = end[order], duration[order]
        keep = (duration >= 0) & (duration <= STALLED_AFTER)
        self._end: Floats = end[keep]
        self._duration: Floats = duration[keep]
        self._sum: Floats = np.concatenate(([0.0], np.cumsum(self._duration)))
        self._excluded_end: Floats = end[~keep]

    def ended(self, edges: Floats) -> Ended:
        """Return what ended in (edges[0], edges[1]]."""
        first, last = self._end.searchsorted(edges, "right").tolist()
        mean = float(self._sum[last] - self._sum[first]) / (last - first) if last > first else None
        return Ended(mean, last - first, count(self._excluded_end, edges), self._duration[first:last])

    def means(self, after: Floats, until: Floats) -> Floats:
        """Return the mean per interval (after, until], NaN where nothing ended."""
        first = self._end.searchsorted(after, "right")
        last = self._end.searchsorted(until, "right")
        mean = np.full(len(after), np.nan)
        np.divide(self._sum[last] - self._sum[first], last - first, out=mean, where=last > first)
        return mean


def count(times: Floats, edges: Floats) -> int:
    """Return how many of the sorted `times` lie in (edges[0], edges[1]]."""
    if not len(times):
        return 0
    first, last = times.searchsorted(edges, "right").tolist()
    return int(last - first)


def percentiles(values: Floats, shares: tuple[float, ...]) -> list[float | None]:
    """Return percentiles, linear between neighbours; None of nothing.

    An hour's deliveries are few: sorting them costs microseconds, `np.percentile`'s generality ten times that.
    """
    if not len(values):
        return [None] * len(shares)
    ordered = np.sort(values)
    last = len(ordered) - 1
    result: list[float | None] = []
    for share in shares:
        place = share * last
        below = int(place)
        low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
        result.append(low + (high - low) * (place - below))
    return result
