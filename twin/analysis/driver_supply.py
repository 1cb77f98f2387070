"""An overview of a whole range: waiting meals and drivers on the road in each bar, and the range's main figures.

Drivers are short when meals pile up while few drivers are on the road. Both are exact means over time, so that they do not depend
on the length of the range. A bar longer than `PART` shows its worst part, so that forty bad minutes are as visible in a week as
in a day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.limits import FEWEST_MEALS, pressure_level
from twin.analysis.metrics import metrics_of
from twin.foundation.stages import OUT_FOR_DELIVERY, READY, STAGES, STALLED_AFTER
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

MINUTE = 60.0
PART = 600.0
"""Longest averaging time in seconds: shorter than any shortage worth looking at, longer than the effect of one late driver."""
_SAMPLES = np.arange(PART / MINUTE) * MINUTE


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply of drivers in n bars, (n,) each: `waiting` and `on_road` float64 are means over the bar's worst part, which is
    from `begin` to `end` (data seconds).

    Pressure is the number of waiting meals per driver on the road; less than one driver counts as one. When it is so high that
    it is a trouble, the moments say: they alone do, so that no two places name two beginnings of one shortage.
    """

    waiting: Floats
    on_road: Floats
    begin: Floats
    end: Floats


def is_recorded(timeline: Timeline) -> bool:
    """Return whether the data tells of waiting meals and of drives; without either the supply would be a made-up zero.

    A timeline without orders has nothing that could wait, and that is known.
    """
    recorded = metrics_of(timeline).recorded
    return recorded[READY] and recorded[OUT_FOR_DELIVERY]


@dataclass(frozen=True, slots=True)
class DriversNow:
    """The drivers of a kitchen at one time. None where the data does not tell.

    `on_road` have an order between pick-up and delivery; `waiting` have arrived for a meal that they have not picked up. In the
    last 60 minutes `ready` meals became ready and `picked_up` ones were picked up. `level` is that of meals waiting per driver
    (limits.py). Who is free the data never tells: it names no drivers, so one is seen with an order only.
    """

    on_road: int
    waiting: int | None
    ready: int
    picked_up: int
    level: int

    @property
    def gap(self) -> int:
        """Meals of the last 60 minutes that nobody has picked up: how many pick-ups were short; negative while catching up."""
        return self.ready - self.picked_up


def drivers_at(timeline: Timeline, t: float, usual: float | None = None) -> DriversNow | None:
    """Return the drivers at t; None where the data does not tell of waiting meals and drives. `usual` is the usual pressure."""
    index = metrics_of(timeline)
    if not (is_recorded(timeline) and len(timeline.orders)):
        return None
    waiting, on_road = (timeline.membership.in_stage(stage, t - _SAMPLES) for stage in (READY, OUT_FOR_DELIVERY))
    return DriversNow(
        on_road=int(on_road[0]),
        waiting=timeline.cached(_Arrivals).waiting(t),
        ready=index.entered(READY, t),
        picked_up=index.entered(OUT_FOR_DELIVERY, t),
        level=int(pressure_level(waiting.mean(), on_road.mean(), usual)),
    )


class _Arrivals:
    """When drivers arrived, and left with an order, sorted."""

    def __init__(self, timeline: Timeline) -> None:
        orders = timeline.orders
        here = np.isfinite(orders.arrived)
        # limited, because otherwise the driver of an abandoned order would wait forever
        gone = np.fmin(np.fmin(orders.enter[OUT_FOR_DELIVERY], orders.cancelled), orders.arrived + STALLED_AFTER)
        here &= gone > orders.arrived
        self._arrived, self._gone = np.sort(orders.arrived[here]), np.sort(gone[here])

    def waiting(self, t: float) -> int | None:
        """Return how many drivers wait at the kitchen at t; None where no arrival is recorded."""
        if not len(self._arrived):
            return None
        return int(self._arrived.searchsorted(t, "right") - self._gone.searchsorted(t, "right"))


def recent_supply(timeline: Timeline, t: Floats) -> tuple[Floats, Floats]:
    """Return the meals that waited and the drivers on the road, (n,) each: means of the ten whole minutes to each of `t`."""
    waiting, on_road = (
        timeline.membership.in_stage(stage, t[:, None] - _SAMPLES) for stage in (READY, OUT_FOR_DELIVERY)
    )
    return waiting.mean(axis=1), on_road.mean(axis=1)


def supply(timeline: Timeline, edges: Floats) -> Supply:
    """Return waiting meals and drivers on the road for the bars between `edges` (n + 1,), ascending data seconds.

    Meals that wait are the orders in Ready, drivers on the road those out for delivery, as the pipeline counts them.
    """
    n = len(edges) - 1
    if n < 1:
        none = np.empty(0)
        return Supply(none, none, none, none)
    parts = max(1, int(np.ceil(float(np.diff(edges).max()) / PART)))
    begin = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(parts) / parts)
    marks = np.append(begin.ravel(), edges[-1])
    waiting = _mean_present(*_stays(timeline, READY), marks).reshape(n, parts)
    on_road = _mean_present(*_stays(timeline, OUT_FOR_DELIVERY), marks).reshape(n, parts)
    # parts with enough meals rank by pressure, above parts with few meals, which rank by their number
    pressure = waiting / np.maximum(on_road, 1.0)
    worst = np.argmax(np.where(waiting >= FEWEST_MEALS, 1.0 + pressure, waiting / FEWEST_MEALS), axis=1)
    bar = np.arange(n)
    waiting, on_road = waiting[bar, worst], on_road[bar, worst]
    return Supply(waiting, on_road, begin[bar, worst], marks[1:].reshape(n, parts)[bar, worst])


def _stays(timeline: Timeline, stage: int) -> tuple[Floats, Floats]:
    """Return when orders entered and left a stage: the spells that the pipeline counts, so that the two cannot differ."""
    spells = timeline.membership.between(-np.inf, np.inf, STAGES[stage])
    return spells.begin, spells.end


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
    `earlier` have begun before the window, and are open or were closed since midnight: with `orders` they are all that the page
    counts then. None where it cannot be said: a range that began on an earlier day has more orders than were closed today.
    """

    orders: int
    delivered: int
    cancelled: int
    timed: int
    excluded: int
    delivery_time: float | None
    delivery_p95: float | None
    revenue: float
    earlier: int | None = None

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
    number = int(np.count_nonzero(inside))
    today = until is not None and timeline.tz.midnight(until) <= window.start <= until < window.end
    return RangeSummary(
        orders=number,
        delivered=int(np.count_nonzero(~np.isnan(delivered))),
        cancelled=int(np.count_nonzero(cancelled & np.isnan(delivered))),
        timed=len(valid),
        excluded=len(took) - len(valid),
        delivery_time=float(valid.mean()) if len(valid) else None,
        delivery_p95=float(np.percentile(valid, 95)) if len(valid) else None,
        revenue=float(np.nansum(orders.revenue[inside], dtype=np.float64)),
        earlier=sum(timeline.counts(until).values()) - number if today and until is not None else None,
    )
