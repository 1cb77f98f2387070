"""How many orders to expect, minute by minute: a usual course by weekday and time of day, at each day's own level.

Counts of a kitchen have a course (two meals), a weekday, a level that differs by day (growth, holidays, weather), variance beyond
Poisson's (groups that order together, demand that wanders for an hour), and holes: before the record begins, after it ends, and
while nothing came in. As in the surveillance of diseases (Farrington et al., J. R. Stat. Soc. A 159, 1996; Noufaily et al.,
Stat. Med. 32, 2013) the reference leaves out what was itself unusual, and over-dispersion is estimated from the data
(quasi-Poisson in time of minutes, negative-binomial in time of hours).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.days import BIN, BINS, HOUR_BINS, HOURS, day_of, midnight_of, orders_per_bin, weekday_of
from twin.foundation.times import HOUR

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SMOOTH = 30
"""Bins to either side over which other days are averaged: enough for many orders, less than a meal."""
STRAGGLERS, APART = 2, 6 * HOUR
"""So many orders at an edge of the record, so long (seconds) apart from the rest, are stragglers and not its begin or end."""
DEAD = 0.25
"""Share of the expected orders below which an hour is dead, and a day's level is no level but a trouble."""
MOSTLY = 0.5
"""Share of the days of a weekday above which an hour that is dead on them is one in which the kitchen is closed."""
DEAD_SURPRISE = 6.0
"""Surprise (see `surprise`) from which an hour is dead: with fewer expected orders an empty hour may be chance."""
PRIOR_ORDERS = 30.0
"""Weight, in orders, of "today is like the other days": a morning alone does not determine the level of a day."""
TRIMMED = 0.2
"""Share of the days dropped at either end of each minute, one of three at least: a bad evening changes no usual course."""
LATELY = 7
"""Days whose level a day that has not begun is expected to have: a week has one of each weekday."""
WEEKDAY_SPREAD = 0.25
"""Relative difference that weekdays have in their courses: how many orders it takes to believe in one follows from it."""
KIN = 0.5
"""How much Saturday counts for Sunday, and Sunday for Saturday, where a weekday has no other day."""
HALF = 0.6745
"""Half of all normal values differ by less than so many standard deviations from their mean."""
LEAST_HOURLY = 4.0
"""Expected orders of an hour from which on it tells how demand varies; fewer are hardly normal."""
MOST_VARIANCE, STEPS = 1.0, 14
"""Largest relative variance of an hour, and how often the range up to it is halved to find it."""
FEW_DAYS = 0.1
"""Relative variance of an hour with one other day to compare with, less with more: nobody knows then how days differ."""
LEAST_VARIANCE = 0.005
"""Relative variance of an hour, at least (7 %): no kitchen is a Poisson process with an exactly known rate."""
PAIRED = 5
"""Bins whose counts are compared with those of the next to measure how orders come in groups."""


@dataclass(frozen=True)
class Expected:
    """Expected orders of consecutive days, n of them, from `first` (number since 1970) on.

    orders: (n, BINS) orders; usual, most, least: (n, BINS) expected orders, and one standard error of the estimate above and
    below, NaN where the record does not cover the minute or no other day does; sharp, own: (n, BINS) the same without
    smoothing, of all other days and of the weekday's; own_days: (n,) how many these are; groups: variance of counts of minutes
    relative to their mean, 1 for independent orders; spread: variance of an hour's demand beyond that, relative to its square;
    wander: the same without what is added for few days.
    """

    first: int
    orders: Floats
    usual: Floats
    most: Floats
    least: Floats
    sharp: Floats
    own: Floats
    own_days: Floats
    groups: float
    spread: float
    wander: float

    def bounds(self, first: int, last: int) -> tuple[float, float]:
        """Return most and least orders to expect in bins first..last of the flat tables, without smoothing.

        A kitchen opens and closes at once, on some weekdays earlier than on others. The weekday's own orders count with two
        standard errors of doubt.
        """
        inside = slice(first, last + 1)
        usual = float(np.nansum(self.sharp.reshape(-1)[inside]))
        days = float(np.repeat(self.own_days, BINS)[inside].min())
        if not days:
            return usual, usual
        own = float(np.nansum(self.own.reshape(-1)[inside]))
        doubt = 2 * float(np.sqrt(self.groups * (own + 1) / days))
        return max(usual, own - doubt), min(usual, own + doubt)

    def deviation(self, expected: float) -> float:
        """Return the standard deviation of a count of which `expected` are expected."""
        return float(np.sqrt(self.groups * expected + self.spread * expected**2))

    def rush_from(self, expected: float, deviations: float) -> float:
        """Return the count that lies so many standard deviations above what is expected.

        Demand that wanders is multiplied, not added to: it is half as high as often as twice. So the deviations of its logarithm
        count as well, which lead further up.
        """
        wandering = expected * float(np.exp(deviations * np.sqrt(np.log1p(self.wander))))
        return max(expected + deviations * self.deviation(expected), wandering)

    def surprise(self, orders: float, expected: float) -> float:
        """Return about −log of the probability of so few orders or fewer; exact for none of a negative-binomial count."""
        poisson = float(surprise(np.array(orders), np.array(expected))) / self.groups
        return float(np.log1p(self.spread * poisson) / self.spread)


def surprise(orders: Floats, expected: Floats) -> Floats:
    """Return half the Poisson deviance of counts, elementwise; 0 where nothing is expected."""
    safe = np.maximum(orders, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = expected - orders + orders * np.log(safe / expected)
    return np.where(expected > 0, value, 0.0)


def edges(began: Floats) -> tuple[float, float]:
    """Return begin and end of the record (seconds) of sorted orders, without stragglers far from the rest at either edge."""
    gaps = np.diff(began)
    low, high = 0, len(began) - 1
    if len(began) > 10 * STRAGGLERS:
        early, late = np.flatnonzero(gaps[:STRAGGLERS] > APART), np.flatnonzero(gaps[-STRAGGLERS:] > APART)
        low = int(early[-1]) + 1 if len(early) else low
        high = len(gaps) - min(STRAGGLERS, len(gaps)) + int(late[0]) if len(late) else high
    return float(began[low]), float(began[high])


def expected(began: Floats, first: int, last: int, now: float | None = None, *, ahead: bool = False) -> Expected | None:
    """Return what to expect on the days first..last (numbers, inclusive) from all days of `began` (sorted seconds).

    A day's own orders have no part in its expected course, only in its level. None where there is no other day. The rest of the
    day of `now` (seconds) is not covered. With `ahead` the last day is after the record: all of it is expected, at the level of
    the week before it.
    """
    start, end = edges(began)
    begin, until = (int(day) for day in day_of(np.array([start, end])))
    if ahead:
        until, end = max(until, last), max(end, float(midnight_of(last)))
    if begin == until:
        return None
    counts = orders_per_bin(began, begin, until)
    at = midnight_of(begin) + np.arange(counts.size).reshape(counts.shape) * BIN
    covered = (at >= start) & (at + BIN <= end)
    if now is not None:
        covered &= (at + BIN <= now) | (at >= midnight_of(int(day_of(np.array(now))) + 1))
    history = _History.of(counts, covered, weekday_of(np.arange(begin, until + 1)))
    usual, error, ceiling, sharp, own = (np.full((last - first + 1, BINS), np.nan) for _ in range(5))
    own_days = np.zeros(last - first + 1)
    for day in range(max(first, begin), min(last, until) + 1):
        row = day - first
        tables, own_days[row] = history.day(day - begin, ahead=ahead and day == last)
        usual[row], error[row], ceiling[row], sharp[row], own[row] = tables
    return Expected(
        first=first,
        orders=orders_per_bin(began, first, last),
        usual=usual,
        most=usual * (1 + error),
        least=np.minimum(usual / (1 + error), ceiling),
        sharp=sharp,
        own=own,
        own_days=own_days,
        groups=history.groups,
        spread=history.spread + FEW_DAYS / max(len(counts) - 1, 1),
        wander=history.spread,
    )


@dataclass(frozen=True)
class _History:
    """The days of a record: counts (d, BINS), covered (d, BINS), weekdays (d,); levels (d,) relative to the median day's.

    courses: (d, BINS) smoothed orders per bin of a day of level 1, NaN where not covered or dead; sharp: the same without
    smoothing; groups: see `Expected`, and spread, which is its `wander`.
    """

    counts: Floats
    covered: Mask
    weekdays: NDArray[np.int64]
    levels: Floats
    courses: Floats
    sharp: Floats
    groups: float
    spread: float

    @classmethod
    def of(cls, counts: Floats, covered: Mask, weekdays: NDArray[np.int64]) -> "_History":
        hourly = _by_hour(counts * covered)
        share = _by_hour(covered.astype(np.float64)) / HOUR_BINS
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = np.where(share >= 0.5, hourly / share, np.nan)
        reference = _trimmed_mean(rates)
        levels = np.ones(len(counts))
        dead = np.zeros(hourly.shape, dtype=bool)
        for _ in range(2):  # the second time with levels of the other days, to compare each with
            for day in range(len(counts)):
                prior = float(np.median(np.delete(levels, day)))
                levels[day], dead[day] = _level(hourly[day], reference * share[day], prior)
            with np.errstate(invalid="ignore"):
                reference = _trimmed_mean(np.where(dead, np.nan, rates / levels[:, None]))
        usable = covered & ~np.repeat(dead & ~_closed(dead, weekdays), HOUR_BINS, axis=1)
        courses = _smooth(counts, usable) / levels[:, None]
        sharp = np.where(usable, counts, np.nan) / levels[:, None]
        groups = _groups(counts, covered)
        spread = _spread(hourly, np.nan_to_num(reference) * share * levels[:, None], groups, dead)
        return cls(counts, covered, weekdays, levels, courses, sharp, groups, spread)

    def day(self, day: int, *, ahead: bool = False) -> tuple[tuple[Floats, ...], int]:
        """Return of one day, (BINS,) each: expected orders, their relative error, and most orders that its weekday allows, then
        the unsmoothed means of all other days and of its weekday's; and how many these are. `ahead`: nothing of it has come.

        The weekday's own course counts as soon as there is another day of it, the more so the more orders it is made of; the last
        one is infinite where there is none.
        """
        others = np.arange(len(self.counts)) != day
        course = _trimmed_mean(self.courses[others])
        width = 2 * SMOOTH + 1
        orders = course * width * np.nansum(self.levels[others])
        same = others & (self.weekdays == self.weekdays[day])
        kin = others & ~same & (self.weekdays >= 5) & bool(self.weekdays[day] >= 5)
        own = (
            _trimmed_mean(self.courses[same if same.any() else kin])
            if same.any() or kin.any()
            else np.full(BINS, np.nan)
        )
        weight = float(np.count_nonzero(same)) or KIN * np.count_nonzero(kin)
        own_orders = course * width * weight * float(np.median(self.levels))
        variance = WEEKDAY_SPREAD**2
        with np.errstate(invalid="ignore", divide="ignore"):
            trust = weight / (weight + 1) * variance / (variance + 1 / own_orders)
        trust = np.where(np.isfinite(own) & np.isfinite(trust), trust, 0.0)
        usual = course + trust * (np.nan_to_num(own) - course)
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(
                self.groups * ((1 - trust) ** 2 / np.maximum(orders, 1) + trust**2 / np.maximum(own_orders, 1))
            )
        if ahead:
            level = float(np.median(self.levels[others][-LATELY:]))
        else:
            usual[~self.covered[day]] = np.nan
            hourly, course_by_hour = (
                _by_hour(row[None])[0] for row in (self.counts[day] * np.isfinite(usual), np.nan_to_num(usual))
            )
            level, _ = _level(hourly, course_by_hour, float(np.median(self.levels[others])))
        ceiling = np.where(np.isfinite(own), own * level * (1 + error), np.inf) if same.any() else np.full(BINS, np.inf)
        sharp, own_sharp = _mean(self.sharp[others]) * level, _mean(self.sharp[same]) * level
        return (usual * level, error, ceiling, sharp, own_sharp), int(np.count_nonzero(same))


def _closed(dead: Mask, weekdays: NDArray[np.int64]) -> Mask:
    """Return the dead hours (d, HOURS) that are so on most days of that weekday, two at least: then the kitchen is closed."""
    closed = np.zeros_like(dead)
    for weekday in np.unique(weekdays):
        days = weekdays == weekday
        closed[days] = (dead[days].sum(axis=0) >= 2) & (dead[days].mean(axis=0) > MOSTLY)
    return closed


def _level(hourly: Floats, usual: Floats, prior: float) -> tuple[float, Mask]:
    """Return the level of a day and which of its hours are dead.

    hourly, usual: (HOURS,) orders, and those expected at level 1, in what the record covers; prior: the level of other days. The
    level is the weighted median of the live hours, so that neither a rush nor an outage of hours changes it.
    """
    usual = np.nan_to_num(usual)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = hourly / usual
    upper = _weighted_quantile(ratio, usual, 0.75)
    guess = prior if not np.isfinite(upper) or upper < DEAD * prior else upper
    for _ in range(2):
        guess = max(guess, DEAD * prior)
        dead = (hourly <= DEAD * guess * usual) & (surprise(hourly, guess * usual) >= DEAD_SURPRISE)
        weight = np.where(dead, 0.0, usual)
        middle = _weighted_quantile(ratio, weight, 0.5)
        trust = weight.sum() / (weight.sum() + PRIOR_ORDERS)
        guess = (middle * trust if np.isfinite(middle) else 0.0) + prior * (1 - (trust if np.isfinite(middle) else 0.0))
    return max(guess, DEAD * prior, 1e-3), dead


def _weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    usable = (weights > 0) & np.isfinite(values)
    if not usable.any():
        return np.nan
    values, weights = values[usable], weights[usable]
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, share * total[-1])), len(values) - 1)])


def _by_hour(bins: Floats) -> Floats:
    return bins.reshape(len(bins), HOURS, HOUR_BINS).sum(axis=2)


def _trimmed_mean(table: Floats) -> Floats:
    """Return the mean of each column without its extremes (`TRIMMED`); NaN where a column has no value."""
    ordered = np.sort(table, axis=0)  # NaN last
    n = np.count_nonzero(np.isfinite(table), axis=0)
    drop = np.where(n >= 3, np.maximum((TRIMMED * n).astype(np.int64), 1), 0)
    total = np.concatenate((np.zeros((1, table.shape[1])), np.nancumsum(ordered, axis=0)))
    columns = np.arange(table.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total[n - drop, columns] - total[drop, columns]) / (n - 2 * drop)


def _mean(table: Floats) -> Floats:
    """Return the mean of each column without NaN; 0 where there is no other."""
    known = np.isfinite(table)
    return np.where(known, table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _smooth(counts: Floats, usable: Mask) -> Floats:
    """Return the running mean of usable bins over `SMOOTH` bins to either side; NaN where a third of them is not usable."""
    pad = ((0, 0), (1, 0))
    total = np.pad(np.cumsum(counts * usable, axis=1), pad)
    number = np.pad(np.cumsum(usable, axis=1), pad).astype(np.float64)
    low = np.maximum(np.arange(BINS) - SMOOTH, 0)
    high = np.minimum(np.arange(BINS) + SMOOTH + 1, BINS)
    usable_bins = number[:, high] - number[:, low]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (total[:, high] - total[:, low]) / usable_bins
    return np.where(usable_bins >= (high - low) / 3, mean, np.nan)


def _groups(counts: Floats, covered: Mask) -> float:
    """Return the variance of counts relative to their mean, from neighbouring bins, between which demand hardly changes."""
    few = np.where(covered, counts, 0.0).reshape(len(counts), -1, 2, PAIRED).sum(axis=3)
    difference, total = ((few[:, :, 0] - few[:, :, 1]) ** 2).sum(axis=1), few.sum(axis=(1, 2))
    days = total > 0
    return max(1.0, float(np.median(difference[days] / total[days]))) if days.any() else 1.0


def _spread(hourly: Floats, usual: Floats, groups: float, dead: Mask) -> float:
    """Return the relative variance of hours beyond the mean's own.

    With it half of the orders of the median day lie in hours that differ from the expected by no more than they should.
    So robust a measure is changed little by hours of trouble and by days of another course, and it is not too small where an hour
    has few orders.
    """
    weight = np.where(~dead & (usual >= LEAST_HOURLY), usual, 0.0)
    days = weight.any(axis=1)
    if not days.any():
        return LEAST_VARIANCE
    difference, weight = np.abs(hourly - usual)[days], weight[days]
    low, high = 0.0, MOST_VARIANCE
    for _ in range(STEPS):
        middle = (low + high) / 2
        ratio = difference / np.sqrt(groups * np.maximum(weight, 1) + middle * weight**2)
        half = np.median([_weighted_quantile(*one, 0.5) for one in zip(ratio, weight, strict=True)])
        low, high = (middle, high) if half > HALF else (low, middle)
    return max(high, LEAST_VARIANCE)
