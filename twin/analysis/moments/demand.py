"""Demand: rushes above what the hour and the day let expect, silences below it, and the ordinary peak of each meal."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments import runs
from twin.analysis.moments.evidence import DAY, Scene
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import TROUBLE_FROM, count, delivery_figures, minutes

Floats = NDArray[np.float64]

BIN = 60.0
BINS = round(DAY / BIN)
"""A minute: the edges of a rush are found to a few of them."""
SMOOTH = 30
"""Bins to either side over which other days are averaged: long enough for orders to be many, shorter than a meal."""
HOUR_BINS = 60
SPIKE, LEAST_SPIKE = 2.5, 1.6
"""A rush is tested as 2.5 times the expected demand, which finds its edges best, and counts from 1.6 times on."""
SPIKE_CHANCE = 0.005
"""False rushes a day that are accepted, at most: more, and nobody believes the true ones."""
LEAST_EXTRA = 8.0
"""Orders beyond the expected ones."""
LEAST_EXPECTED_DAY = 30.0
"""Orders of prior weight on "today is as the other days": a morning alone does not tell a day's level."""
SILENCE = 14.0
"""Orders expected in a stretch without a single one that make it an outage: chance e^-14."""
PEAK = 1.5
"""A peak is an hour with 1.5 times the day's average demand,"""
PEAK_ORDERS = 10
"""and that many orders,"""
PEAK_APART = 3 * 60
"""three hours from a higher one, two a day at most: lunch and dinner."""
PEAKS_A_DAY = 2


def moments(scene: Scene) -> list[Moment]:
    """Return rushes, silences and peaks."""
    began, theirs = _began(scene), scene.history.began
    # before the first and beyond the last order of all, silence is the record's, not the kitchen's
    record = (min([theirs[0], *began[:1]]), max([theirs[-1], *began[-1:]]))
    courses = _courses(theirs)
    found: list[Moment] = []
    for day in range(int(max(scene.since, record[0]) // DAY), math.ceil(scene.end / DAY)):
        midnight = day * DAY
        orders = _per_bin(began, midnight)
        known = min(BINS, int((min(scene.end, record[1]) - midnight) // BIN))
        if known <= 0:
            continue
        expected = _expected(orders[:known], day, courses)
        special: list[Moment] = []
        if expected is not None:
            most, least = expected
            least[: max(0, math.ceil((record[0] - midnight) / BIN))] = 0.0
            special = _rushes(scene, orders[:known], most, midnight) + _silences(orders[:known], least, midnight)
        found += special + _peaks(scene, orders[:known], midnight, special)
    return found


def _began(scene: Scene) -> Floats:
    began = scene.orders.began
    return began[(began >= scene.since) & (began < scene.end)]


def _per_bin(began: Floats, midnight: float) -> Floats:
    first, last = began.searchsorted((midnight, midnight + DAY))
    return np.bincount(((began[first:last] - midnight) // BIN).astype(np.int64), minlength=BINS).astype(np.float64)


def _expected(orders: Floats, day: int, courses: dict[int, Floats]) -> tuple[Floats, Floats] | None:
    """Return the most and the least orders expected per bin: the other days' usual course, at this day's own level.

    The two are a standard error of that course to either side, so that doubt about the usual never makes an alarm.
    """
    others = [course for other, course in courses.items() if other != day]
    if not others:
        return None
    table = np.array(others)
    totals = np.nansum(table, axis=1)
    table = table[totals >= 0.2 * np.median(totals)]  # a hole in the record is no quiet day
    covered = np.isfinite(table).any(axis=0)
    if not covered.all():
        table[:, ~covered] = 0.0
    course = np.nanmedian(table, axis=0)[: len(orders)]
    behind = course * (2 * SMOOTH + 1) * len(table)  # orders that each estimate rests on
    doubt = 1 + 1 / np.sqrt(np.maximum(behind, 1.0))
    level = _level(orders, course)
    return course * level * doubt, course * level / doubt


def _courses(theirs: Floats) -> dict[int, Floats]:
    """Return each day's smoothed orders per bin, NaN outside the record: what is unknown is not zero."""
    days = np.unique((theirs // DAY).astype(np.int64)).tolist()
    courses = {day: _smooth(_per_bin(theirs, day * DAY)) for day in days}
    for day in {days[0], days[-1]}:
        at = day * DAY + (np.arange(BINS) + 0.5) * BIN
        courses[day][(at < theirs[0]) | (at > theirs[-1])] = np.nan
    return courses


def _smooth(course: Floats) -> Floats:
    """Return the running mean over `SMOOTH` bins to either side, shorter at the day's edges."""
    total = np.concatenate(([0.0], np.cumsum(course)))
    low = np.maximum(np.arange(len(course)) - SMOOTH, 0)
    high = np.minimum(np.arange(len(course)) + SMOOTH + 1, len(course))
    return (total[high] - total[low]) / (high - low)


def _level(orders: Floats, course: Floats) -> float:
    """Return how busy a day is against the others: the weighted median of its hours, which a rush of one hour cannot move."""
    whole = len(orders) // HOUR_BINS * HOUR_BINS
    expected = course[:whole].reshape(-1, HOUR_BINS).sum(axis=1)
    got = orders[:whole].reshape(-1, HOUR_BINS).sum(axis=1)
    usable = expected > 0
    if not usable.any():
        return 1.0
    ratio, weight = got[usable] / expected[usable], expected[usable]
    by_ratio = np.argsort(ratio)
    middle = int(np.searchsorted(np.cumsum(weight[by_ratio]), weight.sum() / 2))
    level = float(ratio[by_ratio][min(middle, len(ratio) - 1)])
    trust = weight.sum() / (weight.sum() + LEAST_EXPECTED_DAY)
    return max(0.1, level * trust + 1 - trust)


def _rushes(scene: Scene, orders: Floats, expected: Floats, midnight: float) -> list[Moment]:
    # the likelihood ratio of Poisson counts at SPIKE times the rate: its exponent is 1 by construction
    score = orders * math.log(SPIKE) - (SPIKE - 1) * expected
    found = []
    for first, last in runs.runs(score, math.log(BINS / SPIKE_CHANCE)):
        got, usually = float(orders[first : last + 1].sum()), float(expected[first : last + 1].sum())
        if got < LEAST_SPIKE * usually or got - usually < LEAST_EXTRA:
            continue
        start, end = midnight + first * BIN, midnight + (last + 1) * BIN
        created = scene.orders.created
        words, figures = delivery_figures(scene, np.flatnonzero((created >= start) & (created < end)))
        times = got / max(usually, 1.0)
        found.append(
            Moment(
                kind="demand_spike",
                start=start,
                end=end,
                at=_height_of(orders[first : last + 1], start),
                severity=TROUBLE_FROM + 0.3 * (1 - math.exp(-(times - 1))),
                title="A rush of orders",
                sentence=f"{count(round(got), 'order')} in {minutes(end - start)} min against {usually:.0f} usually{words}",
                figures={"orders": got, "usual_orders": usually, "times": times, **figures},
                stage="created",
            )
        )
    return found


def _height_of(orders: Floats, start: float) -> float:
    """Return the middle of the busiest ten minutes."""
    width = min(10, len(orders))
    total = np.concatenate(([0.0], np.cumsum(orders)))
    return start + (int(np.argmax(total[width:] - total[:-width])) + width / 2) * BIN


def _silences(orders: Floats, expected: Floats, midnight: float) -> list[Moment]:
    placed = np.concatenate(([-1], np.flatnonzero(orders), [len(orders)]))
    total = np.concatenate(([0.0], np.cumsum(expected)))
    missed = total[placed[1:]] - total[placed[:-1] + 1]
    found = []
    for gap in np.flatnonzero(missed >= SILENCE).tolist():
        start, end = midnight + (placed[gap] + 1) * BIN, midnight + placed[gap + 1] * BIN
        found.append(
            Moment(
                kind="outage",
                start=float(start),
                end=float(end),
                at=float(start + end) / 2,
                severity=TROUBLE_FROM + 0.3 * (1 - math.exp(-missed[gap] / 50)),
                title="No orders come in",
                sentence=f"Not one order in {minutes(end - start)} min, {missed[gap]:.0f} are usual",
                figures={"orders": 0.0, "usual_orders": float(missed[gap]), "minutes": float(end - start) / 60},
                stage="created",
            )
        )
    return found


def _peaks(scene: Scene, orders: Floats, midnight: float, special: list[Moment]) -> list[Moment]:
    """Return the day's busiest hours, apart from each other; not where a rush is told of already."""
    if len(orders) < HOUR_BINS or not orders.any():
        return []
    total = np.concatenate(([0.0], np.cumsum(orders)))
    hourly = total[HOUR_BINS:] - total[:-HOUR_BINS]
    average = orders.sum() / len(orders) * HOUR_BINS
    found: list[Moment] = []
    free = np.ones(len(hourly), dtype=bool)
    while len(found) < PEAKS_A_DAY and free.any():
        top = int(np.argmax(np.where(free, hourly, -1)))
        got = float(hourly[top])
        # a shoulder of the meal before is no meal: the course must rise to it
        shoulder = (top > 0 and not free[top - 1]) or (top + 1 < len(free) and not free[top + 1])
        if got < max(PEAK * average, PEAK_ORDERS):
            break
        free[max(0, top - PEAK_APART) : top + PEAK_APART] = False
        if shoulder:
            continue
        start, end = midnight + top * BIN, midnight + (top + HOUR_BINS) * BIN
        if any(one.start < end and start < one.end for one in special):
            continue
        created = scene.orders.created
        words, figures = delivery_figures(scene, np.flatnonzero((created >= start) & (created < end)))
        found.append(
            Moment(
                kind="peak",
                start=start,
                end=end,
                at=_height_of(orders[top : top + HOUR_BINS], start),
                severity=0.1 + 0.15 * (1 - average / got),
                title="Busiest hour",
                sentence=f"{count(round(got), 'order')} in an hour, {got / average:.1f} times the day's average{words}",
                figures={"orders": got, "times": got / average, **figures},
                stage="created",
            )
        )
    return found
