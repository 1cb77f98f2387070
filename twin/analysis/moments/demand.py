"""Demand: rushes above the expected orders, silences below them, and the ordinary peak of each meal."""

import math
from collections.abc import Iterator

import numpy as np

from twin.analysis.moments import runs
from twin.analysis.moments.evidence import Evidence, Floats
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import TROUBLE_FROM, count, delivery_figures, minutes
from twin.foundation.times import DAY, HOUR

BIN = 60.0
"""Seconds: start and end of a rush are accurate to a few bins."""
BINS = round(DAY / BIN)
SMOOTH = 30
"""Bins to either side over which other days are averaged: enough for many orders, less than a meal."""
HOUR_BINS = round(HOUR / BIN)
SPIKE, LEAST_SPIKE = 2.5, 1.6
"""Multiples of the expected demand: runs are tested against 2.5, which finds their edges best, and count from 1.6."""
SPIKE_CHANCE = 0.005
"""False rushes accepted per day: with more, users would not trust the true ones."""
LEAST_EXTRA = 8.0
"""Orders of a rush above the expected number, at least."""
LEAST_EXPECTED_DAY = 30.0
"""Prior weight, in orders, of "today is like the other days": a morning alone does not determine the level of a day."""
SILENCE = 14.0
"""Expected orders in a time without any order from which it is an outage: the probability is e^-14."""
PEAK = 1.5
"""Multiple of the day's average demand that the hour of a peak has, at least."""
PEAK_ORDERS = 10
"""Orders in the hour of a peak, at least."""
PEAK_APART = 3 * HOUR_BINS
"""Bins between two peaks of a day, at least."""
PEAKS_A_DAY = 2
"""Lunch and dinner."""
MIDDLE_OF_PEAK = 10
"""Bins over which the time of the highest demand is found."""
LEAST_OF_A_DAY = 0.2
"""Share of the median day's orders below which a day counts as a gap in the record, not as a quiet day."""


def rushes_and_silences(evidence: Evidence) -> list[Moment]:
    """Return the times with more or fewer orders than expected."""
    history = evidence.history.began
    courses = _courses(history)
    found: list[Moment] = []
    for day, orders in _days(evidence):
        expected = _expected(orders, day, courses)
        if expected is not None:
            most, least = expected
            least[: max(0, math.ceil((_record(evidence)[0] - day * DAY) / BIN))] = 0.0
            found += _rushes(evidence, orders, most, day * DAY) + _silences(orders, least, day * DAY)
    return found


def peaks(evidence: Evidence, unusual: list[Moment]) -> list[Moment]:
    """Return the busiest hours of each day that are not among the `unusual` moments."""
    return [moment for day, orders in _days(evidence) for moment in _peaks(evidence, orders, day * DAY, unusual)]


def _record(evidence: Evidence) -> tuple[float, float]:
    """Return the first and the last order: outside them there is no record, so no silence either."""
    began, history = _began(evidence), evidence.history.began
    return min([history[0], *began[:1]]), max([history[-1], *began[-1:]])


def _days(evidence: Evidence) -> Iterator[tuple[int, Floats]]:
    """Yield each day of the window (numbered since 1970) with its orders per bin, up to the end of window and record."""
    began, (first, last) = _began(evidence), _record(evidence)
    for day in range(int(max(evidence.since, first) // DAY), math.ceil(evidence.end / DAY)):
        recorded = min(BINS, int((min(evidence.end, last) - day * DAY) // BIN))
        if recorded > 0:
            yield day, _per_bin(began, day * DAY)[:recorded]


def _began(evidence: Evidence) -> Floats:
    began = evidence.orders.began
    return began[(began >= evidence.since) & (began < evidence.end)]


def _per_bin(began: Floats, midnight: float) -> Floats:
    first, last = began.searchsorted((midnight, midnight + DAY))
    return np.bincount(((began[first:last] - midnight) // BIN).astype(np.int64), minlength=BINS).astype(np.float64)


def _expected(orders: Floats, day: int, courses: dict[int, Floats]) -> tuple[Floats, Floats] | None:
    """Return the most and the least orders expected per bin: the usual course of other days, scaled to the level of this day.

    They are one standard error above and below that course, so that uncertainty about it never causes an alarm.
    """
    others = [course for other, course in courses.items() if other != day]
    if not others:
        return None
    table = np.array(others)
    totals = np.nansum(table, axis=1)
    table = table[totals >= LEAST_OF_A_DAY * np.median(totals)]
    covered = np.isfinite(table).any(axis=0)
    if not covered.all():
        table[:, ~covered] = 0.0
    course = np.nanmedian(table, axis=0)[: len(orders)]
    orders_of_estimate = course * (2 * SMOOTH + 1) * len(table)
    error = 1 + 1 / np.sqrt(np.maximum(orders_of_estimate, 1.0))
    level = _level(orders, course)
    return course * level * error, course * level / error


def _courses(began: Floats) -> dict[int, Floats]:
    """Return the smoothed orders per bin of each day, NaN outside the record, where orders are missing and not zero."""
    days = np.unique((began // DAY).astype(np.int64)).tolist()
    courses = {day: _smooth(_per_bin(began, day * DAY)) for day in days}
    for day in {days[0], days[-1]}:
        at = day * DAY + (np.arange(BINS) + 0.5) * BIN
        courses[day][(at < began[0]) | (at > began[-1])] = np.nan
    return courses


def _smooth(course: Floats) -> Floats:
    """Return the running mean over `SMOOTH` bins to either side, fewer at the edges of the day."""
    total = np.concatenate(([0.0], np.cumsum(course)))
    low = np.maximum(np.arange(len(course)) - SMOOTH, 0)
    high = np.minimum(np.arange(len(course)) + SMOOTH + 1, len(course))
    return (total[high] - total[low]) / (high - low)


def _level(orders: Floats, course: Floats) -> float:
    """Return the level of a day relative to the others: the weighted median of its hours, which a rush does not change."""
    whole = len(orders) // HOUR_BINS * HOUR_BINS
    expected = course[:whole].reshape(-1, HOUR_BINS).sum(axis=1)
    actual = orders[:whole].reshape(-1, HOUR_BINS).sum(axis=1)
    usable = expected > 0
    if not usable.any():
        return 1.0
    ratio, weight = actual[usable] / expected[usable], expected[usable]
    by_ratio = np.argsort(ratio)
    middle = int(np.searchsorted(np.cumsum(weight[by_ratio]), weight.sum() / 2))
    level = float(ratio[by_ratio][min(middle, len(ratio) - 1)])
    trust = weight.sum() / (weight.sum() + LEAST_EXPECTED_DAY)
    return max(0.1, level * trust + 1 - trust)


def _rushes(evidence: Evidence, orders: Floats, expected: Floats, midnight: float) -> list[Moment]:
    # the log likelihood ratio of Poisson counts at SPIKE times the rate: its exponent is 1 by construction
    score = orders * math.log(SPIKE) - (SPIKE - 1) * expected
    found = []
    for first, last in runs.runs(score, math.log(BINS / SPIKE_CHANCE)):
        placed, usually = float(orders[first : last + 1].sum()), float(expected[first : last + 1].sum())
        if placed < LEAST_SPIKE * usually or placed - usually < LEAST_EXTRA:
            continue
        start, end = midnight + first * BIN, midnight + (last + 1) * BIN
        created = evidence.orders.created
        delivery, figures = delivery_figures(evidence, np.flatnonzero((created >= start) & (created < end)))
        times = placed / max(usually, 1.0)
        found.append(
            Moment(
                kind="demand_spike",
                start=start,
                end=end,
                at=_busiest(orders[first : last + 1], start),
                severity=TROUBLE_FROM + 0.3 * (1 - math.exp(-(times - 1))),
                title="A rush of orders",
                sentence=f"{count(round(placed), 'order')} in {minutes(end - start)} min against {usually:.0f} usually{delivery}",
                figures={"orders": placed, "usual_orders": usually, "times": times, **figures},
                stage="created",
            )
        )
    return found


def _busiest(orders: Floats, start: float) -> float:
    """Return the middle of the busiest ten minutes, data seconds."""
    width = min(MIDDLE_OF_PEAK, len(orders))
    total = np.concatenate(([0.0], np.cumsum(orders)))
    return start + (int(np.argmax(total[width:] - total[:-width])) + width / 2) * BIN


def _silences(orders: Floats, expected: Floats, midnight: float) -> list[Moment]:
    with_orders = np.concatenate(([-1], np.flatnonzero(orders), [len(orders)]))
    total = np.concatenate(([0.0], np.cumsum(expected)))
    missing = total[with_orders[1:]] - total[with_orders[:-1] + 1]
    found = []
    for gap in np.flatnonzero(missing >= SILENCE).tolist():
        start, end = midnight + (with_orders[gap] + 1) * BIN, midnight + with_orders[gap + 1] * BIN
        found.append(
            Moment(
                kind="outage",
                start=float(start),
                end=float(end),
                at=float(start + end) / 2,
                severity=TROUBLE_FROM + 0.3 * (1 - math.exp(-missing[gap] / 50)),
                title="No orders come in",
                sentence=f"Not one order in {minutes(end - start)} min, {missing[gap]:.0f} are usual",
                figures={"orders": 0.0, "usual_orders": float(missing[gap]), "minutes": float(end - start) / 60},
                stage="created",
            )
        )
    return found


def _peaks(evidence: Evidence, orders: Floats, midnight: float, unusual: list[Moment]) -> list[Moment]:
    """Return the busiest hours of a day, apart from each other and not where there is a rush or a silence."""
    if len(orders) < HOUR_BINS or not orders.any():
        return []
    total = np.concatenate(([0.0], np.cumsum(orders)))
    hourly = total[HOUR_BINS:] - total[:-HOUR_BINS]
    average = orders.sum() / len(orders) * HOUR_BINS
    found: list[Moment] = []
    free = np.ones(len(hourly), dtype=bool)
    while len(found) < PEAKS_A_DAY and free.any():
        top = int(np.argmax(np.where(free, hourly, -1)))
        placed = float(hourly[top])
        # the declining demand after another peak is no peak: demand must rise towards it
        shoulder = (top > 0 and not free[top - 1]) or (top + 1 < len(free) and not free[top + 1])
        if placed < max(PEAK * average, PEAK_ORDERS):
            break
        free[max(0, top - PEAK_APART) : top + PEAK_APART] = False
        if shoulder:
            continue
        start, end = midnight + top * BIN, midnight + (top + HOUR_BINS) * BIN
        if any(moment.start < end and start < moment.end for moment in unusual):
            continue
        created = evidence.orders.created
        delivery, figures = delivery_figures(evidence, np.flatnonzero((created >= start) & (created < end)))
        found.append(
            Moment(
                kind="peak",
                start=start,
                end=end,
                at=_busiest(orders[top : top + HOUR_BINS], start),
                severity=0.1 + 0.15 * (1 - average / placed),
                title="Busiest hour",
                sentence=f"{count(round(placed), 'order')} in an hour, {placed / average:.1f} times the day's average{delivery}",
                figures={"orders": placed, "times": placed / average, **figures},
                stage="created",
            )
        )
    return found
