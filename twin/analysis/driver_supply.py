"""An overview of a whole range: waiting meals and drivers on the road in each bar, and the range's main figures.

Drivers are short when meals pile up while few drivers are on the road. Both are exact means over time, so that they do not depend
on the length of the range. A bar longer than `PART` shows its worst part, so that forty bad minutes are as visible in a week as
in a day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

PART = 600.0
"""Longest averaging time in seconds: shorter than any shortage worth looking at, longer than the effect of one late driver."""

FINE, TIGHT, SHORT = range(3)

TIGHT_PRESSURE, SHORT_PRESSURE = 1.0, 1.5
"""Waiting meals per driver on the road from which drivers are tight, and short. On an ordinary day it is a third of a meal."""

FEWEST_MEALS = 8.0
"""Fewest waiting meals for either level: two meals and one driver at night are chance rather than a shortage."""

USUAL_FACTOR = 1.5
"""Factor over the usual pressure that counts as tight where drivers are always few (short ways, slow pick-ups)."""


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply of drivers in n bars, (n,) each: `waiting` and `on_road` float64 are means over the bar's worst part, which is
    from `begin` to `end` (data seconds); `level` uint8 is FINE, TIGHT or SHORT.

    Pressure is the number of waiting meals per driver on the road; less than one driver counts as one.
    """

    waiting: Floats
    on_road: Floats
    level: NDArray[np.uint8]
    begin: Floats
    end: Floats


def is_recorded(timeline: Timeline) -> bool:
    """Return whether the data tells of waiting meals and of drives; without either the supply would be a made-up zero.

    A timeline without orders has nothing that could wait, and that is known.
    """
    stays = (_meals(timeline), _drives(timeline))
    return timeline.orders.enter.shape[1] == 0 or all(bool((end > begin).any()) for begin, end in stays)


def supply(timeline: Timeline, edges: Floats, usual: Floats | None = None) -> Supply:
    """Return waiting meals and drivers on the road for the bars between `edges` (n + 1,), ascending data seconds.

    A meal waits from gk_ready (gk_finished where that is missing) until it is picked up or cancelled, at most `STALLED_AFTER`. A
    driver is on the road from pick-up to delivery. `usual` (n,) is the usual pressure per bar, NaN where unknown.
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
    # parts with enough meals rank by pressure, above parts with few meals, which rank by their number
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
    """Return when each meal began and stopped waiting."""
    orders = timeline.orders
    ready = np.where(np.isnan(orders.ready), orders.finished, orders.ready)
    # limited, because otherwise the meal of an abandoned order would wait forever
    gone = np.fmin(np.fmin(orders.enter[OUT_FOR_DELIVERY], orders.cancelled), ready + STALLED_AFTER)
    return ready, gone


def _drives(timeline: Timeline) -> tuple[Floats, Floats]:
    """Return when each drive began and ended."""
    orders = timeline.orders
    out = np.where(np.isfinite(orders.enter[OUT_FOR_DELIVERY]), orders.enter[OUT_FOR_DELIVERY], np.nan)
    home = np.fmin(np.fmin(orders.enter[COMPLETED], orders.cancelled), out + STALLED_AFTER)
    return out, home


def _mean_present(begin: Floats, end: Floats, marks: Floats) -> Floats:
    """Return the mean number of the stays `begin` to `end` (k,) that are present in each interval between `marks` (m + 1,)."""
    valid = end > begin  # false for NaN
    base = float(marks[0])  # sums of seconds since 1970 would lose the fractions
    total = _elapsed(begin[valid] - base, marks - base) - _elapsed(end[valid] - base, marks - base)
    width = np.diff(marks)
    mean = np.zeros(len(width))
    # rounding errors leave about 1e-12 where nothing is present
    np.divide(np.diff(total), width, out=mean, where=width > 0)
    return np.maximum(mean.round(6), 0.0)


def _elapsed(since: Floats, marks: Floats) -> Floats:
    """Return for each mark the sum of the seconds elapsed since all earlier `since`."""
    since = np.sort(since)
    total = np.concatenate(([0.0], np.cumsum(since)))
    before = np.searchsorted(since, marks)
    return before * marks - total[before]


@dataclass(frozen=True, slots=True)
class RangeSummary:
    """The orders begun in a window. Times are in seconds, None without deliveries; `undelivered` includes `cancelled`.

    `delivery_time` and `delivery_p95` are of `timed` orders; `excluded` ones took over `STALLED_AFTER`, or a negative time.
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


def summarise(timeline: Timeline, until: float | None = None) -> RangeSummary:
    """Return the figures of the orders that began in a timeline's window; `until` data seconds only what had happened by then."""
    orders, window = timeline.orders, timeline.window
    now = np.inf if until is None else until
    began = orders.began
    inside = (began >= window.start) & (began < window.end) & (began <= now)
    delivered = np.where(orders.delivered[inside] <= now, orders.delivered[inside], np.nan)
    cancelled = orders.cancelled[inside] <= now
    took = delivered - orders.created[inside]
    took = took[~np.isnan(took)]
    valid = took[(took >= 0) & (took <= STALLED_AFTER)]
    return RangeSummary(
        orders=int(np.count_nonzero(inside)),
        delivered=int(np.count_nonzero(~np.isnan(delivered))),
        cancelled=int(np.count_nonzero(cancelled & np.isnan(delivered))),
        timed=len(valid),
        excluded=len(took) - len(valid),
        delivery_time=float(valid.mean()) if len(valid) else None,
        delivery_p95=float(np.percentile(valid, 95)) if len(valid) else None,
        revenue=float(np.nansum(orders.revenue[inside], dtype=np.float64)),
    )
