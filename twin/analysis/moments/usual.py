"""What a duration usually is at an hour of the day, from other days, and how far it usually strays from that."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAY, HOUR = 86_400.0, 3600.0
SLOTS = 24
LEAST = 30
"""Orders that an hour (with its neighbours) must have on other days; fewer say too little and all hours are taken together."""
LEAST_OVERALL = 12
"""Orders below which nothing at all is called usual."""
NARROWEST = 30.0
"""Seconds: a spread below this is a clock's resolution, not a kitchen's."""
MOST = 2_000
"""Orders of a pool that its median and spread are taken from: every so-manieth of more is as good (error 3 % of a spread)."""
SHARE_ABOVE = 0.84
"""The upper spread goes from the median to this share: one standard deviation where durations are normal."""


class Usual:
    """Usual values of one duration, by day and hour, each worked out when it is first asked for.

    The reference is every value of the same hour and its neighbours on other days than the one asked about; where there are
    no other days, all hours of its own. Medians and quantiles: an evening of trouble among other days moves them little.
    """

    def __init__(self, time: Floats, value: Floats) -> None:
        """Take when (seconds, any order) the reference's parts began, and how long they took; (m,) each, all finite."""
        self._day = (time // DAY).astype(np.int64)
        self._value = value
        slot = (time % DAY // HOUR).astype(np.int64)
        hours = [np.flatnonzero(slot == hour) for hour in range(SLOTS)]
        self._pools = [
            _thinned(np.concatenate((hours[hour - 1], hours[hour], hours[(hour + 1) % SLOTS]))) for hour in range(SLOTS)
        ]
        self._all = _thinned(np.arange(len(value)))
        self._known: dict[tuple[int, int], tuple[float, float]] = {}

    def at(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the usual value and its upper spread for each `time` (n,), NaN where too little is known."""
        day, slot = (time // DAY).astype(np.int64), (time % DAY // HOUR).astype(np.int64)
        keys, which = np.unique(day * SLOTS + slot, return_inverse=True)
        told = [self._of(key // SLOTS, key % SLOTS) for key in keys.tolist()]
        table = np.array(told, dtype=np.float64).reshape(-1, 2)
        return table[which, 0], table[which, 1]

    def over_all_days(self, time: Floats) -> tuple[Floats, Floats]:
        """Return the same for each time of day, whichever its day: the reference as it looks to itself."""
        return self.at(time % DAY)  # no day of the reference is 1 January 1970

    def _of(self, day: int, hour: int) -> tuple[float, float]:
        if (day, hour) not in self._known:
            pool, everything = self._pools[hour], self._all
            pool, others = pool[self._day[pool] != day], everything[self._day[everything] != day]
            if len(others) < LEAST_OVERALL:  # an only day: trouble may fill its own hours, but not the whole day
                pool, others = others[:0], everything
            rows = pool if len(pool) >= LEAST else others
            self._known[day, hour] = _centre_and_spread(self._value[rows])
        return self._known[day, hour]


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[:: max(1, len(rows) // MOST)]


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    if len(values) < LEAST_OVERALL:
        return np.nan, np.nan
    centre, above = np.quantile(values, (0.5, SHARE_ABOVE))
    return float(centre), max(float(above - centre), NARROWEST)
