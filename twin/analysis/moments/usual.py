"""Usual values and spreads of a duration by hour of the day, from other days."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.days import Days, day_of, hour_of

Floats = NDArray[np.float64]

SLOTS = 24
"""Hours of the day."""
LEAST = 30
"""Orders that an hour and its two neighbours must have on other days; with fewer, all hours are pooled."""
LEAST_OVERALL = 12
"""Orders below which there is no usual value."""
NARROWEST = 30.0
"""Seconds: a spread below this is the resolution of a clock, not the variation of a kitchen."""
MOST = 2_000
"""Orders from which median and spread are computed. Larger pools are sampled evenly, with an error of 3 % of a spread."""
MOST_FOR_TREND = 8_000
"""Orders from which the trend is computed."""
LEAST_DAYS = 14
"""Days from which on there is a trend: in a single week it would be the weekend."""
EVERY_DAY = -1
"""Stands for a day that the reference does not have, so that none is left out."""
SHARE_ABOVE = 0.84
"""The upper spread goes from the median to this share: one standard deviation where durations are normal."""


class Usual:
    """Usual values of one duration by day and hour, computed on first use.

    They are computed from the values of the same hour and its two neighbours on all other days or, if there are no other
    days, from all hours of the same day. An evening of trouble on another day has little effect on medians and quantiles.
    """

    def __init__(self, time: Floats, value: Floats) -> None:
        """Prepare the reference. time: (m,) data seconds when the phases began, in any order; value: (m,) seconds; all finite."""
        self._day = day_of(time)
        self._days = np.unique(self._day)
        self._trend, self._middle = _trend(self._day, value)
        self._value = value - self._trend * (self._day - self._middle)
        slot = hour_of(time)
        hours = [np.flatnonzero(slot == hour) for hour in range(SLOTS)]
        self._pools = [
            _thinned(np.concatenate((hours[hour - 1], hours[hour], hours[(hour + 1) % SLOTS]))) for hour in range(SLOTS)
        ]
        self._all = _thinned(np.arange(len(value)))
        self._computed: dict[tuple[int, int], tuple[float, float]] = {}

    def at(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the usual value and its upper spread for each `time` (n,), NaN where there are too few orders."""
        return self._at(day_of(time), hour_of(time), day_of(time))

    def over_all_days(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the same for each time of day without leaving out its day, to compare the reference with itself."""
        day = day_of(time)
        return self._at(np.full(len(day), EVERY_DAY), hour_of(time), day)

    def _at(self, left_out: Days, slot: Days, day: Days) -> tuple[Floats, Floats]:
        # a day that is not in the reference leaves nothing out: one value for all such days
        left_out = np.where(np.isin(left_out, self._days), left_out, EVERY_DAY)
        keys, which = np.unique(left_out * SLOTS + slot, return_inverse=True)
        values = [self._of(key // SLOTS, key % SLOTS) for key in keys.tolist()]
        table = np.array(values, dtype=np.float64).reshape(-1, 2)
        return table[which, 0] + self._trend * (day - self._middle), table[which, 1]

    def _of(self, day: int, hour: int) -> tuple[float, float]:
        if (day, hour) not in self._computed:
            pool, everything = self._pools[hour], self._all
            pool, others = pool[self._day[pool] != day], everything[self._day[everything] != day]
            if len(others) < LEAST_OVERALL:  # the only day: trouble may fill some hours, but not the whole day
                pool, others = others[:0], everything
            rows = pool if len(pool) >= LEAST else others
            self._computed[day, hour] = _centre_and_spread(self._value[rows])
        return self._computed[day, hour]


def _trend(day: Days, value: Floats) -> tuple[float, float]:
    """Return the change of the value per day (seconds) and the day from which it is counted; 0 with too few days.

    The median of the slopes between the medians of any two days (H. Theil 1950, P. K. Sen 1968), which a bad day hardly changes.
    """
    rows = slice(None, None, max(1, len(value) // MOST_FOR_TREND))
    day, value = day[rows], value[rows]
    by_day = np.argsort(day, kind="stable")
    days, first, number = np.unique(day[by_day], return_index=True, return_counts=True)
    if np.count_nonzero(number >= LEAST_OVERALL) < LEAST_DAYS:
        return 0.0, 0.0
    groups = np.split(value[by_day], first[1:])
    medians = np.array([np.median(group) for group in groups])[number >= LEAST_OVERALL]
    days = days[number >= LEAST_OVERALL]
    i, j = np.triu_indices(len(days), 1)
    return float(np.median((medians[j] - medians[i]) / (days[j] - days[i]))), float(np.median(days))


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: max(1, len(rows) // MOST)]


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    if len(values) < LEAST_OVERALL:
        return np.nan, np.nan
    centre, above = np.quantile(values, (0.5, SHARE_ABOVE))
    return float(centre), max(float(above - centre), NARROWEST)
