"""Durations sorted by their end, so that the figures of any interval take two binary searches and a short slice."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


class Ended(NamedTuple):
    """The durations (seconds) that ended in an interval: the valid `values`, their number and mean, and the number `excluded`."""

    mean: float | None
    number: int
    excluded: int
    values: Floats


class Durations:
    """Durations sorted by their end, with running sums. Those over 4 h or below 0 are excluded and counted."""

    def __init__(self, end: Floats, duration: Floats) -> None:
        """`end` (n,) and `duration` (n,) are finite seconds, in any order."""
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
        """Return the mean of each interval (after, until], NaN where nothing ended."""
        return self.mean_of(self.position(after), self.position(until))

    def position(self, t: Floats) -> Positions:
        """Return how many durations have ended by each of `t` (n,), which is where those that end later begin."""
        return self._end.searchsorted(t, "right")

    def mean_of(self, first: Positions, last: Positions) -> Floats:
        """Return the mean of each slice [first, last) of positions, NaN where it is empty."""
        mean = np.full(len(first), np.nan)
        np.divide(self._sum[last] - self._sum[first], last - first, out=mean, where=last > first)
        return mean

    def share_at_least(self, limit: float, edges: Floats, least: int) -> float | None:
        """Return the share of what ended in (edges[0], edges[1]] that took at least `limit`; None of fewer than `least`."""
        first, last = self._end.searchsorted(edges, "right").tolist()
        if last - first < least:
            return None
        return int(np.count_nonzero(self._duration[first:last] >= limit)) / (last - first)

    def at_least(self, limit: float, first: Positions, last: Positions) -> Positions:
        """Return how many durations of each slice [first, last) are at least `limit` seconds."""
        total = np.concatenate(([0], np.cumsum(self._duration >= limit)))
        return total[last] - total[first]


def count(times: Floats, edges: Floats) -> int:
    """Return the number of the sorted `times` in (edges[0], edges[1]]."""
    if not len(times):
        return 0
    first, last = times.searchsorted(edges, "right").tolist()
    return int(last - first)


def percentiles(values: Floats, shares: tuple[float, ...]) -> list[float | None]:
    """Return percentiles by linear interpolation, None for each if there are no values.

    For the few deliveries of an hour this takes microseconds, a tenth of the time of `np.percentile`.
    """
    if not len(values):
        return [None] * len(shares)
    ordered = np.sort(values)
    last = len(ordered) - 1
    result: list[float | None] = []
    for share in shares:
        position = share * last
        below = int(position)
        low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
        result.append(low + (high - low) * (position - below))
    return result
