"""A whole range at a glance: meals that wait against drivers on the road, bar by bar, and the range in four figures.

A shortage shows as meals that pile up while few drivers are out. Both are counted as time means, exactly, so that a short
range and a long one tell the same; of a bar longer than `PART` the worst part speaks, so that forty bad minutes are as
visible in a week as in a day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

PART = 600.0
"""Seconds over which is averaged, at most: shorter than any shortage worth a visit, longer than one late driver."""

FINE, TIGHT, SHORT = range(3)

TIGHT_PRESSURE, SHORT_PRESSURE = 1.0, 1.5
"""Waiting meals per driver on the road from which drivers are tight, and short. The ordinary day has a third of a meal."""

FEWEST_MEALS = 8.0
"""Waiting meals below which it is neither: two meals and one driver at night are nobody's shortage, and come by chance."""

USUAL_FACTOR = 1.5
"""Where drivers are always few (short ways, slow pick-ups), only that many times the usual pressure counts as tight."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Per bar, each (n,): `waiting` and `on_road` float64, means over the bar's worst part; `level` uint8 FINE, TIGHT or SHORT.

    `begin`, `end`: that part, data seconds. Pressure is waiting meals per driver on the road; less than one driver counts as one.
    """

    waiting: Floats
    on_road: Floats
    level: NDArray[np.uint8]
    begin: Floats
    end: Floats


def supply(timeline: Timeline, edges: Floats, usual: Floats | None = None) -> Supply:
    """Return meals waiting and drivers on the road for the bars between `edges` (n + 1,), ascending data seconds.

    A meal waits from gk_ready (gk_finished where that is missing) until it is picked up, cancelled, or given up for lost
    (`STALLED_AFTER` without an event). A driver is on the road from pick-up to delivery. `usual` (n,) is the usual pressure
    per bar, NaN where unknown.
    """
    n = len(edges) - 1
    if n < 1:
        none = np.empty(0)
        return Supply(none, none, np.empty(0, np.uint8), none, none)
    parts = max(1, int(np.ceil(float(np.diff(edges).max()) / PART)))
    begin = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(parts) / parts)
    marks = np.append(begin.ravel(), edges[-1])
    waiting = _mean_present(*_meals(timeline), marks).reshape(n, parts)
    on_road = _mean_present(*_drives(timeline), marks).reshape(n, parts)
    # many meals compete by how few drivers there are, few meals by their number, and lose against many
    pressure = waiting / np.maximum(on_road, 1.0)
    worst = np.argmax(np.where(waiting >= FEWEST_MEALS, 1.0 + pressure, waiting / FEWEST_MEALS), axis=1)
    bar = np.arange(n)
    waiting, on_road = waiting[bar, worst], on_road[bar, worst]
    level = _level(waiting, on_road, usual)
    return Supply(waiting, on_road, level, begin[bar, worst], marks[1:].reshape(n, parts)[bar, worst])


def _level(waiting: Floats, on_road: Floats, usual: Floats | None) -> NDArray[np.uint8]:
    pressure = waiting / np.maximum(on_road, 1.0)
    if usual is not None:
        pressure = pressure / np.fmax(USUAL_FACTOR * usual / TIGHT_PRESSURE, 1.0)  # fmax: 1 where NaN
    level = (pressure >= TIGHT_PRESSURE).astype(np.uint8) + (pressure >= SHORT_PRESSURE).astype(np.uint8)
    return np.where(waiting >= FEWEST_MEALS, level, FINE).astype(np.uint8)


def _meals(timeline: Timeline) -> tuple[Floats, Floats]:
    """Return when each meal began and ceased to wait."""
    orders = timeline.orders
    ready = np.where(np.isnan(orders.ready), orders.finished, orders.ready)
    # an order that never goes on is no meal on the counter for ever
    gone = np.fmin(np.fmin(orders.enter[OUT_FOR_DELIVERY], orders.cancelled), ready + STALLED_AFTER)
    return ready, gone


def _drives(timeline: Timeline) -> tuple[Floats, Floats]:
    """Return when each drive began and ended."""
    orders = timeline.orders
    out = np.where(np.isfinite(orders.enter[OUT_FOR_DELIVERY]), orders.enter[OUT_FOR_DELIVERY], np.nan)
    home = np.fmin(np.fmin(orders.enter[COMPLETED], orders.cancelled), out + STALLED_AFTER)
    return out, home


def _mean_present(begin: Floats, end: Floats, marks: Floats) -> Floats:
    """Return the mean number present in each interval between `marks` (m + 1,), of spells from `begin` to `end` (k,)."""
    real = end > begin  # false for NaN
    base = float(marks[0])  # sums of seconds since 1970 would lose the fractions
    total = _elapsed(begin[real] - base, marks - base) - _elapsed(end[real] - base, marks - base)
    width = np.diff(marks)
    mean = np.zeros(len(width))
    # rounding leaves some 1e-12 where nobody is
    np.divide(np.diff(total), width, out=mean, where=width > 0)
    return np.maximum(mean.round(6), 0.0)


def _elapsed(since: Floats, marks: Floats) -> Floats:
    """Return for each mark the seconds that have passed since all earlier `since`, summed."""
    since = np.sort(since)
    total = np.concatenate(([0.0], np.cumsum(since)))
    before = np.searchsorted(since, marks)
    return before * marks - total[before]


@dataclass(frozen=True, slots=True)
class RangeSummary:
    """The orders created in a window. Times in seconds, None where nothing tells; `undelivered` includes `cancelled`.

    `delivery_time` and `delivery_p95` are over `timed` orders; `excluded` took over `STALLED_AFTER` (or less than nothing).
    """

    orders: int
    delivered: int
    cancelled: int
    timed: int
    excluded: int
    delivery_time: float | None
    delivery_p95: float | None
    revenue: float

    @property
    def undelivered(self) -> int:
        return self.orders - self.delivered


def summarise(timeline: Timeline) -> RangeSummary:
    """Return the figures of a timeline's whole window; an order belongs to it by its order_created, else its first event."""
    orders, window = timeline.orders, timeline.window
    began = orders.began
    inside = (began >= window.start) & (began < window.end)
    took = (orders.delivered - orders.created)[inside]
    took = took[~np.isnan(took)]
    kept = took[(took >= 0) & (took <= STALLED_AFTER)]
    delivered = ~np.isnan(orders.delivered[inside])
    return RangeSummary(
        orders=int(np.count_nonzero(inside)),
        delivered=int(np.count_nonzero(delivered)),
        cancelled=int(np.count_nonzero(~np.isnan(orders.cancelled[inside]) & ~delivered)),
        timed=len(kept),
        excluded=len(took) - len(kept),
        delivery_time=float(kept.mean()) if len(kept) else None,
        delivery_p95=float(np.percentile(kept, 95)) if len(kept) else None,
        revenue=float(np.nansum(orders.revenue[inside], dtype=np.float64)),
    )
