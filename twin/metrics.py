"""What the business asks of a moment: the KPIs and the time orders spend in each stage, functions of (timeline, t).

Every figure is defined once, here (DESIGN, "Definitions"), so that page, API and notebook cannot disagree. A figure
that has nothing to average is None, never 0 and never NaN. What a figure needs is sorted and summed once per
timeline (`MetricIndex`); at a moment only binary searches and short slices remain.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from twin.stages import COMPLETED, OUT_FOR_DELIVERY, STAGES, STALLED_AFTER

if TYPE_CHECKING:
    from twin.timeline import Snapshot, Timeline

Floats = NDArray[np.float64]

TRAILING = 3600.0
"""Seconds behind the playhead that a "now" figure looks at: the interval (t − 3600, t]."""

DELIVERY_TARGET = 30 * 60.0
"""Seconds from created to delivered that the business promises; a setting of the views."""

COMPLETION_SPAN = (24 * 3600.0, 90 * 60.0)
"""Seconds before t between which an order was created that counts as due at t: later ones may still be on the way."""

SERIES_STEP = 600.0
SERIES_POINTS = 37
"""A sparkline shows the last 6 hours in steps of 10 minutes."""


@dataclass(frozen=True, slots=True)
class Series:
    """A KPI over the last 6 hours.

    `t` (38,) float64 seconds: the 37 full 10-minute marks up to the playhead, then the playhead itself. Marks stand on
    the clock, not on the playhead, so that a drawn line does not tremble while time runs. NaN where there is no value.
    """

    t: Floats
    orders_per_hour: Floats
    delivery_time: Floats


@dataclass(frozen=True, slots=True)
class KpiSet:
    """The KPIs at `t`; times in seconds, shares 0..1, None where there is nothing to count or to average."""

    t: float
    orders_per_hour: int | None
    orders_per_hour_before: int | None
    delivery_time: float | None
    delivery_p50: float | None
    delivery_p95: float | None
    deliveries: int
    deliveries_excluded: int
    target: float
    completion: float | None
    completion_due: int
    active: dict[str, int]

    @property
    def active_total(self) -> int:
        """Orders between their first event and delivery, neither cancelled nor stalled."""
        return sum(self.active.values())

    @property
    def in_kitchen(self) -> int:
        """Active orders that no driver has picked up yet."""
        return self.active_total - self.on_road

    @property
    def on_road(self) -> int:
        """Active orders between pick-up and delivery."""
        return self.active[STAGES[OUT_FOR_DELIVERY]]


@dataclass(frozen=True, slots=True)
class StageFigures:
    """The time orders spend in one stage, seen at one moment; seconds, None where no order is there to tell.

    `service` is the mean time in the stage of the orders that moved on to a later one in the trailing 60 minutes;
    `age` and `oldest` are of the orders in it now, which have not finished yet: under load `age` warns earlier.
    """

    key: str
    service: float | None
    served: int
    excluded: int
    age: float | None
    oldest: float | None
    entered: int


class MetricIndex:
    """Sorted times and running sums of one timeline, from which every figure at any t is a search.

    About 150 bytes per order; made once per timeline by `index_of`.
    """

    def __init__(self, timeline: "Timeline") -> None:
        orders = timeline.orders
        created: Floats = np.asarray(orders.created, np.float64)
        delivered: Floats = np.asarray(orders.delivered, np.float64)

        by_creation = np.argsort(created, kind="stable")[: int(np.isfinite(created).sum())]  # NaN sorts last
        self.created: Floats = created[by_creation]
        # an order that is never delivered is delivered "at infinity": one comparison then answers "by t?"
        self._delivered_by_creation: Floats = np.nan_to_num(delivered[by_creation], nan=np.inf, posinf=np.inf)

        whole = np.flatnonzero(np.isfinite(created) & np.isfinite(delivered))
        whole = whole[np.argsort(delivered[whole], kind="stable")]
        self._deliveries = _Durations(delivered[whole], delivered[whole] - created[whole])

        enter: Floats = np.asarray(orders.enter, np.float64)
        self._stages: list[_Durations] = []
        self._entered: list[Floats] = []
        for stage in range(len(STAGES)):
            following = enter[stage + 1] if stage < COMPLETED else np.full(enter.shape[1], np.inf)
            # a stage whose milestone is missing begins and ends at the same instant: the order was never seen in it
            seen = np.isfinite(enter[stage]) & (following > enter[stage])
            self._entered.append(np.sort(enter[stage][seen]))
            moved = np.flatnonzero(seen & np.isfinite(following))
            moved = moved[np.argsort(following[moved], kind="stable")]
            self._stages.append(_Durations(following[moved], following[moved] - enter[stage][moved]))

    def orders_per_hour(self, t: float) -> int | None:
        """Count the orders created in the 60 minutes to t; None if no order tells when it was created."""
        return _count(self.created, t - TRAILING, t) if len(self.created) else None

    def completion(self, t: float) -> tuple[float | None, int]:
        """Return the delivered share (by t) of the orders that are due at t, and their number."""
        oldest, youngest = COMPLETION_SPAN
        first, last = np.searchsorted(self.created, (t - oldest, t - youngest), side="right")
        due = int(last - first)
        if not due:
            return None, 0
        return int(np.count_nonzero(self._delivered_by_creation[first:last] <= t)) / due, due

    def kpis(self, t: float, counts: dict[str, int], target: float = DELIVERY_TARGET) -> KpiSet:
        """Return the KPIs at t; `counts` are the snapshot's orders per state at the same t."""
        mean, kept, excluded = self._deliveries.mean(t - TRAILING, t)
        p50, p95 = self._deliveries.percentiles(t - TRAILING, t, (0.50, 0.95))
        completion, due = self.completion(t)
        return KpiSet(
            t=t,
            orders_per_hour=self.orders_per_hour(t),
            orders_per_hour_before=self.orders_per_hour(t - TRAILING),
            delivery_time=mean,
            delivery_p50=p50,
            delivery_p95=p95,
            deliveries=kept,
            deliveries_excluded=excluded,
            target=target,
            completion=completion,
            completion_due=due,
            active={key: counts[key] for key in STAGES[:COMPLETED]},
        )

    def series(self, t: float) -> Series:
        """Return the sparklines of the last 6 hours up to t."""
        marks = (np.floor(t / SERIES_STEP) - np.arange(SERIES_POINTS - 1, -1, -1)) * SERIES_STEP
        times = np.append(marks, t)
        ends = np.searchsorted(self.created, times, side="right")
        starts = np.searchsorted(self.created, times - TRAILING, side="right")
        volume = (ends - starts).astype(np.float64) if len(self.created) else np.full(len(times), np.nan)
        return Series(times, volume, self._deliveries.means(times - TRAILING, times))

    def stages(self, snapshot: "Snapshot") -> list[StageFigures]:
        """Return the figures of the five stages at the snapshot's time."""
        t = snapshot.t
        number = np.bincount(snapshot.stage, minlength=len(STAGES))
        age_sum = np.bincount(snapshot.stage, weights=t - snapshot.since, minlength=len(STAGES))
        since = np.full(len(STAGES), np.inf)
        np.minimum.at(since, snapshot.stage, snapshot.since)
        figures = []
        for stage, key in enumerate(STAGES):
            service, served, excluded = self._stages[stage].mean(t - TRAILING, t)
            waiting = number[stage] > 0 and stage < COMPLETED
            figures.append(
                StageFigures(
                    key=key,
                    service=service,
                    served=served,
                    excluded=excluded,
                    age=float(age_sum[stage] / number[stage]) if waiting else None,
                    oldest=float(t - since[stage]) if waiting else None,
                    entered=_count(self._entered[stage], t - TRAILING, t),
                )
            )
        return figures


class _Durations:
    """Durations in the order of their ends, with running sums, so that the mean over any interval is two searches."""

    def __init__(self, end: Floats, duration: Floats) -> None:
        """Take `end` (n,) sorted seconds and `duration` (n,) seconds; durations over 4 h or below 0 are set aside."""
        keep = (duration >= 0) & (duration <= STALLED_AFTER)
        self._end: Floats = end[keep]
        self._duration: Floats = duration[keep]
        self._sum: Floats = np.concatenate(([0.0], np.cumsum(self._duration)))
        self._excluded_end: Floats = end[~keep]

    def mean(self, after: float, until: float) -> tuple[float | None, int, int]:
        """Return mean, number kept and number excluded of those that ended in (after, until]."""
        first, last = np.searchsorted(self._end, (after, until), side="right")
        kept = int(last - first)
        mean = float(self._sum[last] - self._sum[first]) / kept if kept else None
        return mean, kept, _count(self._excluded_end, after, until)

    def means(self, after: Floats, until: Floats) -> Floats:
        """Return the mean per interval (after, until], NaN where nothing ended."""
        first = np.searchsorted(self._end, after, side="right")
        last = np.searchsorted(self._end, until, side="right")
        mean = np.full(len(after), np.nan)
        np.divide(self._sum[last] - self._sum[first], last - first, out=mean, where=last > first)
        return mean

    def percentiles(self, after: float, until: float, shares: tuple[float, ...]) -> list[float | None]:
        """Return percentiles, linear between neighbours, of those that ended in (after, until]."""
        first, last = np.searchsorted(self._end, (after, until), side="right")
        if first == last:
            return [None] * len(shares)
        # an hour's deliveries are few: sorting them costs microseconds, np.percentile's generality ten times that
        ordered = np.sort(self._duration[first:last])
        result: list[float | None] = []
        for share in shares:
            place = share * (len(ordered) - 1)
            below = int(place)
            above = min(below + 1, len(ordered) - 1)
            result.append(float(ordered[below] + (ordered[above] - ordered[below]) * (place - below)))
        return result


def _count(times: Floats, after: float, until: float) -> int:
    first, last = np.searchsorted(times, (after, until), side="right")
    return int(last - first)


_indexes: WeakKeyDictionary["Timeline", MetricIndex] = WeakKeyDictionary()


def index_of(timeline: "Timeline") -> MetricIndex:
    """Return the timeline's index, made at the first question and dropped together with the timeline."""
    index = _indexes.get(timeline)
    if index is None:
        index = _indexes[timeline] = MetricIndex(timeline)
    return index


def kpis(timeline: "Timeline", t: float, target: float = DELIVERY_TARGET) -> KpiSet:
    """Return the KPIs of a timeline at t."""
    return index_of(timeline).kpis(t, timeline.at(t).counts, target)


def stage_means(timeline: "Timeline", t: float) -> list[StageFigures]:
    """Return the mean time in each of the five stages at t."""
    return index_of(timeline).stages(timeline.at(t))
