"""Demand: rushes above the expected orders, times with none or hardly any, and the ordinary peak of each meal."""

import math
from collections.abc import Iterator

import numpy as np

from twin.analysis.moments import runs
from twin.analysis.moments.days import BIN, BINS, HOUR_BINS, day_of, midnight_of, orders_per_bin
from twin.analysis.moments.evidence import Evidence, Floats
from twin.analysis.moments.expected import Expected, edges, expected
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import TROUBLE_FROM, count, delivery_figures, minutes, severity
from twin.analysis.wording import minutes_text

SPIKE, LEAST_SPIKE = 2.5, 1.6
"""Multiples of the expected demand: runs are tested against 2.5, which finds their edges best, and count from 1.6."""
SPIKE_CHANCE = 0.005
"""False rushes accepted per day: with more, users would not trust the true ones."""
LEAST_DEVIATIONS = 4.5
"""Standard deviations of the kitchen's own demand that a rush lies above the expected orders, at least."""
LEAST_EXTRA = 8.0
"""Orders of a rush above the expected number, at least."""
LEAST_MINUTES = 10.0
"""A shorter rush or silence is not worth telling, however certain it is in a kitchen with orders every second."""
LULL, MOST_LULL = 0.2, 0.25
"""Shares of the expected demand: runs are tested against 0.2, and count as one without orders up to 0.25."""
LEAST_MISSING = 14.0
"""Orders that are missing in a lull, at least."""
SILENCE = 11.0
"""Surprise (−log of the probability) from which a lull is told, in a kitchen whose demand varies as this one's does."""
EMPTY = 0.8
"""Share of the orders missing in a lull that lie in one part without any, from which only that part is told."""
UNCOVERED = -1e3
"""Score of a minute that nothing is expected of, because the record or the other days do not cover it: it ends a run."""
PEAK = 1.5
"""Multiple of the day's average demand that the hour of a peak has, at least."""
PEAK_ORDERS = 10
"""Orders in the hour of a peak, at least."""
PEAK_APART = 3 * HOUR_BINS
"""Bins between two peaks of a day, at least."""
PEAKS_A_DAY = 2
"""Lunch and dinner."""
BUSIEST, FURTHER_PEAK = "Busiest hour", "Another peak"
"""A day has one busiest hour. Where that is within a rush or a trouble, no peak is called so."""
MIDDLE_OF_PEAK = 10
"""Bins over which the time of the highest demand is found."""


def rushes_and_lulls(evidence: Evidence) -> list[Moment]:
    """Return the times with many more, and those with hardly any, of the orders that are expected."""
    began = _began(evidence)
    if not len(began):
        return []
    first, last = (int(day) for day in day_of(np.array([evidence.since, np.nextafter(evidence.end, 0)])))
    demand = expected(began, first, last, evidence.now)
    if demand is None:
        return []
    tested = max(0, math.ceil((evidence.end - midnight_of(first)) / BIN))
    return _rushes(evidence, demand, tested) + _lulls(evidence, demand, tested)


def peaks(evidence: Evidence, unusual: list[Moment]) -> list[Moment]:
    """Return the busiest hours of each day that are not among the `unusual` moments."""
    return [moment for start, orders in _days(evidence) for moment in _peaks(evidence, orders, start, unusual)]


def _began(evidence: Evidence) -> Floats:
    """Return when orders began, sorted: the window's, and those of the history outside it."""
    history, own = evidence.history.began, evidence.orders.began
    before, after = history.searchsorted((evidence.since, evidence.end))
    inside = own[slice(*own.searchsorted((evidence.since, evidence.end)))]
    if evidence.now is not None:  # nothing of today that is still to come; other days are what is usual
        after = history.searchsorted(midnight_of(int(day_of(np.array(evidence.now))) + 1))
    return np.concatenate((history[:before], inside, history[after:]))


def _days(evidence: Evidence) -> Iterator[tuple[float, Floats]]:
    """Yield the part of each day of the window that the record covers: its begin (data seconds) and its orders per bin."""
    began = _began(evidence)
    if not len(began):
        return
    start, end = edges(began)
    start, end = max(evidence.since, start), min(evidence.end, end)
    first, last = (int(day) for day in day_of(np.array([start, end])))
    for day in range(first, last + 1):
        midnight = midnight_of(day)
        low = max(0, int((start - midnight) // BIN))
        high = min(BINS, int((end - midnight) // BIN))
        if low < high:
            yield midnight + low * BIN, orders_per_bin(began, day, day)[0, low:high]


def _rushes(evidence: Evidence, demand: Expected, tested: int) -> list[Moment]:
    # the log likelihood ratio of Poisson counts at SPIKE times the rate: its exponent is 1 by construction
    orders, most, usual = (table.reshape(-1)[:tested] for table in (demand.orders, demand.most, demand.usual))
    score = (orders * math.log(SPIKE) - (SPIKE - 1) * most) / demand.groups
    found = []
    for first, last in runs.runs(np.where(np.isfinite(score), score, UNCOVERED), math.log(BINS / SPIKE_CHANCE)):
        inside = slice(first, last + 1)
        placed, at_most, usually = (float(values[inside].sum()) for values in (orders, most, usual))
        at_most = max(at_most, demand.bounds(first, last)[0])
        sure = placed >= max(at_most + LEAST_EXTRA, demand.rush_from(at_most, LEAST_DEVIATIONS))
        if placed < LEAST_SPIKE * at_most or not sure or last + 1 - first < LEAST_MINUTES * 60 / BIN:
            continue
        start = midnight_of(demand.first) + first * BIN
        end = start + (last + 1 - first) * BIN
        created = evidence.orders.created
        at = _busiest(orders[inside], start)
        delivery, figures = delivery_figures(evidence, np.flatnonzero((created >= start) & (created < end)), at)
        times = placed / max(usually, 1.0)
        found.append(
            Moment(
                kind="demand_spike",
                start=start,
                end=end,
                at=at,
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


def _lulls(evidence: Evidence, demand: Expected, tested: int) -> list[Moment]:
    orders, least, usual = (table.reshape(-1)[:tested] for table in (demand.orders, demand.least, demand.usual))
    # the log likelihood ratio of Poisson counts at LULL times the rate
    score = (orders * math.log(LULL) + (1 - LULL) * least) / demand.groups
    found = []
    for first, last in runs.runs(np.where(np.isfinite(score), score, UNCOVERED), (1 - LULL) * SILENCE):
        first, last = _empty_part(orders, usual, first, last)
        inside = slice(first, last + 1)
        placed, at_least, usually = (float(values[inside].sum()) for values in (orders, least, usual))
        at_least = min(at_least, demand.bounds(first, last)[1])
        missing = usually - placed
        sure = at_least - placed >= LEAST_MISSING and demand.surprise(placed, at_least) >= SILENCE
        if placed > MOST_LULL * at_least or not sure or last + 1 - first < LEAST_MINUTES * 60 / BIN:
            continue
        start = midnight_of(demand.first) + first * BIN
        end = start + (last + 1 - first) * BIN
        length, orders_text = minutes_text(end - start), count(round(placed), "order")
        found.append(
            Moment(
                kind="outage",
                start=start,
                end=end,
                at=(start + end) / 2,
                severity=severity(evidence, missing * evidence.usual_delivery),
                title="Hardly any orders come in" if placed else "No orders come in",
                sentence=f"{f'Only {orders_text}' if placed else 'Not one order'} in {length}, {usually:.0f} are usual",
                figures={"orders": placed, "usual_orders": usually, "minutes": (end - start) / 60},
                stage="created",
            )
        )
    return found


def _empty_part(orders: Floats, usual: Floats, first: int, last: int) -> tuple[int, int]:
    """Return the longest part of a lull (first and last bin) without any order if nearly all that is missing is missing there."""
    taken = np.concatenate(([first - 1], first + np.flatnonzero(orders[first : last + 1]), [last + 1]))
    total = np.concatenate(([0.0], np.cumsum(usual[first : last + 1])))
    missing = total[taken[1:] - first] - total[taken[:-1] + 1 - first]
    most = int(np.argmax(missing))
    if missing[most] < EMPTY * total[-1]:
        return first, last
    return int(taken[most]) + 1, int(taken[most + 1]) - 1


def _peaks(evidence: Evidence, orders: Floats, begin: float, unusual: list[Moment]) -> list[Moment]:
    """Return the busiest hours of a day, apart from each other and not where there is a rush or a silence."""
    if len(orders) < HOUR_BINS or not orders.any():
        return []
    total = np.concatenate(([0.0], np.cumsum(orders)))
    hourly = total[HOUR_BINS:] - total[:-HOUR_BINS]
    average = orders.sum() / len(orders) * HOUR_BINS
    found: list[Moment] = []
    busiest = hourly.max()
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
        start, end = begin + top * BIN, begin + (top + HOUR_BINS) * BIN
        if any(moment.start < end and start < moment.end for moment in unusual):
            continue
        created = evidence.orders.created
        at = _busiest(orders[top : top + HOUR_BINS], start)
        delivery, figures = delivery_figures(evidence, np.flatnonzero((created >= start) & (created < end)), at)
        found.append(
            Moment(
                kind="peak",
                start=start,
                end=end,
                at=at,
                severity=0.1 + 0.15 * (1 - average / placed),
                title=BUSIEST if placed == busiest and not found else FURTHER_PEAK,
                sentence=f"{count(round(placed), 'order')} in an hour, {placed / average:.1f} times the day's average{delivery}",
                figures={"orders": placed, "times": placed / average, **figures},
                stage="created",
            )
        )
    return found
