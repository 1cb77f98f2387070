"""Usual values and spreads of a duration by hour of the day, from other days."""

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import DAY, HOUR

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
SHARE_ABOVE = 0.84
"""The upper spread goes from the median to this share: one standard deviation where durations are normal."""


class Usual:
    """Usual values of one duration by day and hour, computed on first use.

    They are computed from the values of the same hour and its two neighbours on all other days or, if there are no other
    days, from all hours of the same day. An evening of trouble on another day has little effect on medians and quantiles.
    """

    def __init__(self, time: Floats, value: Floats) -> None:
        """Prepare the reference. time: (m,) data seconds when the phases began, in any order; value: (m,) seconds; all finite."""
        self._day = (time // DAY).astype(np.int64)
        self._value = value
        slot = (time % DAY // HOUR).astype(np.int64)
        hours = [np.flatnonzero(slot == hour) for hour in range(SLOTS)]
        self._pools = [
            _thinned(np.concatenate((hours[hour - 1], hours[hour], hours[(hour + 1) % SLOTS]))) for hour in range(SLOTS)
        ]
        self._all = _thinned(np.arange(len(value)))
        self._computed: dict[tuple[int, int], tuple[float, float]] = {}

    def at(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the usual value and its upper spread for each `time` (n,), NaN where there are too few orders."""
        day, slot = (time // DAY).astype(np.int64), (time % DAY // HOUR).astype(np.int64)
        keys, which = np.unique(day * SLOTS + slot, return_inverse=True)
        values = [self._of(key // SLOTS, key % SLOTS) for key in keys.tolist()]
        table = np.array(values, dtype=np.float64).reshape(-1, 2)
        return table[which, 0], table[which, 1]

    def over_all_days(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the same for each time of day without leaving out its day, to compare the reference with itself."""
        return self.at(time % DAY)  # no day of the reference is 1 January 1970

    def _of(self, day: int, hour: int) -> tuple[float, float]:
        if (day, hour) not in self._computed:
            pool, everything = self._pools[hour], self._all
            pool, others = pool[self._day[pool] != day], everything[self._day[everything] != day]
            if len(others) < LEAST_OVERALL:  # the only day: trouble may fill some hours, but not the whole day
                pool, others = others[:0], everything
            rows = pool if len(pool) >= LEAST else others
            self._computed[day, hour] = _centre_and_spread(self._value[rows])
        return self._computed[day, hour]


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: max(1, len(rows) // MOST)]


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    if len(values) < LEAST_OVERALL:
        return np.nan, np.nan
    centre, above = np.quantile(values, (0.5, SHARE_ABOVE))
    return float(centre), max(float(above - centre), NARROWEST)
