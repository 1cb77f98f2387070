"""The KPIs and the times that orders spend in each stage, as functions of (timeline, t).

Every figure is defined here and only here (docs/figures.md explains them), so that page, API and notebook agree. A figure with
nothing to average is None, never 0 or NaN. Times are sorted and summed once per timeline (`MetricIndex`), so that a figure at any
t takes only binary searches and short slices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.durations import Durations, count, percentiles
from twin.analysis.limits import LEAST_ORDERS, WHOLE_MINUTE
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STAGES
from twin.foundation.times import DAY
from twin.timeline.merging import Merge, sorted_rows
from twin.timeline.timeline import Snapshot, Timeline

Floats = NDArray[np.float64]

TRAILING = 3600.0
"""Seconds before the playhead that a current figure covers: the interval (t − 3600, t]."""

COMPLETION_SPAN = (DAY, 90 * 60.0)
"""An order counts as due at t if it was created between these seconds before t; later ones may still be on the way."""

SERIES_STEP = 600.0
SERIES_POINTS = 37
"""A sparkline shows the last 6 hours in steps of 10 minutes."""

BIN = 300.0
BINS = 13
"""Delivery times are counted in bins of 5 minutes; the last bin is for an hour and more."""

TREND = 1200.0
"""Seconds between the two late shares that tell whether it worsens: long enough for some other deliveries to count."""

_TRAILING_EDGES = np.array([TRAILING, 0.0])
_CREATED_EDGES = np.array([*COMPLETION_SPAN, 2 * TRAILING, TRAILING, 0.0])


@dataclass(frozen=True, slots=True)
class Series:
    """Two KPIs over the last 6 hours at `t` (37,) float64 seconds, NaN where there is no value.

    The times are full 10 minutes of the clock rather than relative to the playhead, so that the drawn line does not jitter.
    """

    t: Floats
    orders_per_hour: Floats
    delivery_time: Floats


@dataclass(frozen=True, slots=True)
class KpiSet:
    """The KPIs at `t`; times in seconds, shares 0..1, None where there is nothing to count or to average.

    What a figure leaves out is counted, too: `orders_undated` and `deliveries_undated` have no creation in the data,
    `deliveries_excluded` took over 4 h or a negative time; of the `completion_due` orders some are delivered, some cancelled, the
    others open or stalled; `not_due` orders are too recent for the completion rate, and `unpriced` orders have no price.
    `late_before` is the late share of the hour that ended `TREND` before t. `delivery_bins` counts the deliveries per `BIN`
    seconds.
    """

    t: float
    orders_per_hour: int | None
    orders_per_hour_before: int | None
    orders_undated: int
    delivery_time: float | None
    delivery_p50: float | None
    delivery_p75: float | None
    delivery_p95: float | None
    delivery_bins: list[int]
    deliveries: int
    deliveries_over: int
    late_before: float | None
    deliveries_excluded: int
    deliveries_undated: int
    target: float
    completion: float | None
    completion_due: int
    completion_delivered: int
    completion_cancelled: int
    not_due: int
    revenue: float | None
    unpriced: int
    revenue_today: float | None
    unpriced_today: int
    active: dict[str, int]

    @property
    def active_total(self) -> int:
        """Orders between their first event and their delivery that are neither cancelled nor stalled."""
        return sum(self.active.values())

    @property
    def in_kitchen(self) -> int:
        """Active orders that have not been picked up."""
        return self.active_total - self.on_road

    @property
    def on_road(self) -> int:
        """Active orders between pick-up and delivery."""
        return self.active[STAGES[OUT_FOR_DELIVERY]]


@dataclass(frozen=True, slots=True)
class StageFigures:
    """The times of orders in one stage at t, in seconds, None where there are no such orders.

    `service` is the mean time in the stage of orders that moved on to a later one in the trailing 60 minutes. `age` and `oldest`
    are of the orders in the stage now; under load `age` rises before `service` does.
    """

    key: str
    service: float | None
    served: int
    excluded: int
    age: float | None
    oldest: float | None
    entered: int


class MetricIndex:
    """Sorted times and running sums of one timeline, in which any figure at any t takes a binary search.

    About 170 bytes per order; `metrics_of` returns the one that all users of a timeline share.
    """

    def __init__(self, timeline: Timeline, before: "tuple[MetricIndex, Merge] | None" = None) -> None:
        """`before` is the index of what the timeline was extended from: then little has to be sorted anew."""
        orders, self._tz = timeline.orders, timeline.tz
        created: Floats = np.asarray(orders.created, np.float64)
        delivered: Floats = np.asarray(orders.delivered, np.float64)
        enter: Floats = np.asarray(orders.enter, np.float64)
        sort = _Sorting(before)
        by_creation, by_delivery, *by_stage = (sort(times) for times in (created, delivered, *enter))
        self._sorted = sort.rows if getattr(timeline, "grows", False) else []

        self.created: Floats = created[by_creation]
        # inf for orders never delivered, so that a single comparison tests for delivery by t
        self._delivered_by_creation: Floats = np.nan_to_num(delivered[by_creation], nan=np.inf, posinf=np.inf)
        cancelled = np.asarray(getattr(orders, "cancelled", np.full(len(created), np.nan)), np.float64)
        self._cancelled_by_creation: Floats = np.nan_to_num(cancelled[by_creation], nan=np.inf, posinf=np.inf)
        self.delivers = bool(np.isfinite(delivered).any()) or _delivers(timeline)
        """Whether the data records deliveries at all: if it never does, a completion of 0 % would be made up."""
        undated = np.isnan(created)
        self._undated: Floats = np.sort(enter[0][undated])
        self._undated_deliveries: Floats = np.sort(delivered[undated & np.isfinite(delivered)])
        # a history of times alone, such as the baseline's, has no prices
        revenue = np.asarray(getattr(orders, "revenue", np.zeros(len(created))), np.float64)[by_creation]
        priced = revenue != 0  # what was given back counts, as in every other sum
        self._any_price = bool(priced.any())
        self._revenue: Floats = np.concatenate(([0.0], np.cumsum(np.where(priced, revenue, 0.0))))
        self._unpriced: NDArray[np.int64] = np.concatenate(([0], np.cumsum(~priced)))

        whole = by_delivery[np.isfinite(created[by_delivery])]
        self.deliveries = Durations(delivered[whole], delivered[whole] - created[whole])
        self.stage_times: list[Durations] = []
        self._entered: list[Floats] = []
        for stage, entered in enumerate(by_stage):
            # a stage whose milestone is missing begins and ends at the same time and does not count
            seen = entered if stage == COMPLETED else entered[enter[stage + 1, entered] > enter[stage, entered]]
            self._entered.append(enter[stage, seen])
            moved = by_stage[stage + 1] if stage < COMPLETED else entered[:0]
            moved = moved[enter[stage + 1, moved] > enter[stage, moved]] if stage < COMPLETED else moved
            moved = moved[np.isfinite(enter[stage, moved])]
            following = enter[min(stage + 1, COMPLETED), moved]
            self.stage_times.append(Durations(following, following - enter[stage, moved]))
        self.recorded: tuple[bool, ...] = tuple(len(times) > 0 or not enter.shape[1] for times in self._entered)
        """Per stage, whether the data records it: if no order was ever in a stage, its number is unknown rather than 0."""
        following = [self.recorded[stage + 1 :] for stage in range(COMPLETED)]
        self.ends: tuple[bool, ...] = tuple(later[0] or (self.delivers and not any(later)) for later in following)
        """Per stage but Completed, whether the data tells when an order leaves it: it has the next stage, or none of the later
        ones in this window but deliveries elsewhere. A kitchen's display tells when meals are ready, never when they go."""

    def orders_per_hour(self, t: float) -> int | None:
        """Return the number of orders created in the 60 minutes to t; None if no order has a creation time."""
        return count(self.created, t - _TRAILING_EDGES) if len(self.created) else None

    def completion(self, t: float) -> tuple[float | None, int]:
        """Return the share delivered by t of the orders due at t, and the number of orders due.

        The share is None where none is due, or where the kitchen's data never records a delivery.
        """
        first, last = self.created.searchsorted(t - _CREATED_EDGES[:2], "right").tolist()
        return self._share(first, last, t)

    def kpis(self, t: float, counts: dict[str, int], target: float) -> KpiSet:
        """Return the KPIs at t; `counts` are the snapshot's at the same t, `target` the promised delivery time in seconds."""
        edges = t - _TRAILING_EDGES
        day_ago, due, two_hours, hour, now = self.created.searchsorted(t - _CREATED_EDGES, "right").tolist()
        today = min(int(self.created.searchsorted(self._tz.midnight(t), "left")), now)
        completion, number_due = self._share(day_ago, due, t)
        ended = self.deliveries.ended(edges)
        p50, p75, p95 = percentiles(ended.values, (0.50, 0.75, 0.95))
        dated = len(self.created) > 0
        return KpiSet(
            t=t,
            orders_per_hour=now - hour if dated else None,
            orders_per_hour_before=hour - two_hours if dated else None,
            orders_undated=count(self._undated, edges),
            delivery_time=ended.mean,
            delivery_p50=p50,
            delivery_p75=p75,
            delivery_p95=p95,
            delivery_bins=np.bincount(
                np.minimum(ended.values // BIN, BINS - 1).astype(np.intp), minlength=BINS
            ).tolist(),
            deliveries=ended.number,
            deliveries_over=int(np.count_nonzero(ended.values >= target + WHOLE_MINUTE)),
            late_before=self.deliveries.share_at_least(target + WHOLE_MINUTE, edges - TREND, LEAST_ORDERS),
            deliveries_excluded=ended.excluded,
            deliveries_undated=count(self._undated_deliveries, edges),
            target=target,
            completion=completion,
            completion_due=number_due,
            completion_delivered=self._ended_by(self._delivered_by_creation, day_ago, due, t),
            completion_cancelled=self._cancelled_by(day_ago, due, t),
            not_due=now - due,
            revenue=self._sum(hour, now),
            unpriced=int(self._unpriced[now] - self._unpriced[hour]),
            revenue_today=self._sum(today, now),
            unpriced_today=int(self._unpriced[now] - self._unpriced[today]),
            active={key: counts[key] for key in STAGES[:COMPLETED]},
        )

    def entered(self, stage: int, t: float) -> int:
        """Return how many orders entered a stage in the 60 minutes to t."""
        return count(self._entered[stage], t - _TRAILING_EDGES)

    def entered_today(self, stage: int, t: float) -> int:
        """Return how many orders entered a stage since midnight of the kitchen's day, until t."""
        entered = self._entered[stage]
        return max(0, int(entered.searchsorted(t, "right") - entered.searchsorted(self._tz.midnight(t), "left")))

    def series(self, t: float) -> Series:
        """Return the sparklines of the 6 hours to the last full 10 minutes at or before t."""
        times = (np.floor(t / SERIES_STEP) - np.arange(SERIES_POINTS - 1, -1, -1)) * SERIES_STEP
        volume = np.full(len(times), np.nan)
        if len(self.created):
            volume[:] = self.created.searchsorted(times, "right")
            volume -= self.created.searchsorted(times - TRAILING, "right")
        return Series(times, volume, self.deliveries.means(times - TRAILING, times))

    def stages(self, snapshot: Snapshot) -> list[StageFigures]:
        """Return the figures of the five stages at the snapshot's time."""
        t, edges = snapshot.t, snapshot.t - _TRAILING_EDGES
        number = np.bincount(snapshot.stage, minlength=len(STAGES)).tolist()
        age_sum = np.bincount(snapshot.stage, weights=t - snapshot.since, minlength=len(STAGES)).tolist()
        since = np.full(len(STAGES), np.inf)
        np.minimum.at(since, snapshot.stage, snapshot.since)
        figures = []
        for stage, key in enumerate(STAGES):
            ended = self.stage_times[stage].ended(edges)
            waiting = number[stage] > 0 and stage < COMPLETED
            figures.append(
                StageFigures(
                    key=key,
                    service=ended.mean,
                    served=ended.number,
                    excluded=ended.excluded,
                    age=age_sum[stage] / number[stage] if waiting else None,
                    oldest=float(t - since[stage]) if waiting else None,
                    entered=self.entered(stage, t),
                )
            )
        return figures

    def _share(self, first: int, last: int, t: float) -> tuple[float | None, int]:
        if last <= first or not self.delivers:
            return None, max(0, last - first)
        return self._ended_by(self._delivered_by_creation, first, last, t) / (last - first), last - first

    def _ended_by(self, ends: Floats, first: int, last: int, t: float) -> int:
        """Return how many of the orders first..last, by creation, ended by t."""
        return int(np.count_nonzero(ends[first:last] <= t))

    def _cancelled_by(self, first: int, last: int, t: float) -> int:
        """Return how many of them are cancelled at t: not those that were delivered after all."""
        cancelled = self._cancelled_by_creation[first:last] <= t
        return int(np.count_nonzero(cancelled & ~(self._delivered_by_creation[first:last] <= t)))

    def _sum(self, first: int, last: int) -> float | None:
        return float(self._revenue[last] - self._revenue[first]) if self._any_price else None


def _delivers(timeline: Timeline) -> bool:
    """Return whether the kitchen's whole record has a delivery, which a loaded window may not."""
    place = getattr(timeline, "location", None)  # a history of times alone, such as the baseline's, has none
    return getattr(place, "last_delivered", None) is not None


def metrics_of(timeline: Timeline) -> MetricIndex:
    """Return the timeline's index, which is created at the first call and freed with the timeline."""
    return timeline.cached(_index)


def _index(timeline: Timeline) -> MetricIndex:
    grown = getattr(timeline, "before", None)  # what only looks like a timeline has none
    before = None if grown is None else grown[0].made(_index)
    return MetricIndex(timeline, None if grown is None or before is None else (before, grown[1]))


class _Sorting:
    """Sorts one column of times after the other; `rows` are the sorted rows of each."""

    def __init__(self, before: tuple[MetricIndex, Merge] | None) -> None:
        self._before = [] if before is None else before[0]._sorted
        self._merge = None if before is None else before[1]
        self.rows: list[NDArray[np.int32]] = []

    def __call__(self, times: Floats) -> NDArray[np.int32]:
        before = self._before[len(self.rows)] if self._before else None
        self.rows.append(sorted_rows(times, before, self._merge))
        return self.rows[-1]


def kpis(timeline: Timeline, t: float, target: float = DELIVERY_TARGET_S) -> KpiSet:
    """Return the KPIs of a timeline at t."""
    return metrics_of(timeline).kpis(t, timeline.at(t).counts, target)
