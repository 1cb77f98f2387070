"""The input of the detectors: the orders of a window, and the orders that usual values are computed from."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History
from twin.analysis.metrics import SERIES_STEP
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.usual import Usual
from twin.foundation import event_types as ev
from twin.foundation.settings import COLD_AFTER_S
from twin.foundation.stages import COMPLETED, COOKING, OUT_FOR_DELIVERY, READY, STALLED_AFTER
from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Window
from twin.timeline.orders import drove_off
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
T = TypeVar("T")

REACH = {
    "queue": COOKING,
    "cook": READY,
    "pack": OUT_FOR_DELIVERY,
    "wait": OUT_FOR_DELIVERY,
    "drive": COMPLETED,
    "total": COMPLETED,
}
"""Phase -> the stage with which it is certainly over, even if its own end is not in the data."""


@dataclass(frozen=True)
class Phase:
    """The same phase of n orders. start, end: (n,) data seconds, NaN where it did not happen or is not in the data."""

    start: Floats
    end: Floats

    @property
    def length(self) -> Floats:
        """(n,) seconds; NaN where negative or over 4 h, which is an anomaly and excluded from all averages."""
        length = self.end - self.start
        return np.where((length >= 0) & (length <= STALLED_AFTER), length, np.nan)


def phase_of(orders: History, name: str) -> Phase:
    """Return a phase of all orders: queue, cook, pack, wait, drive, or total (placed to delivered)."""
    of, enter = orders.milestones, np.where(np.isfinite(orders.enter), orders.enter, np.nan)
    done = np.where(np.isnan(of[ev.GK_FINISHED]), of[ev.GK_READY], of[ev.GK_FINISHED])
    ready = np.where(np.isnan(of[ev.GK_READY]), of[ev.GK_FINISHED], of[ev.GK_READY])
    picked_up, delivered = drove_off(of, orders.enter), enter[COMPLETED]
    return {
        "queue": Phase(of[ev.ORDER_CREATED], of[ev.GK_STARTED]),
        "cook": Phase(of[ev.GK_STARTED], done),
        "pack": Phase(of[ev.GK_FINISHED], of[ev.GK_READY]),
        "wait": Phase(ready, picked_up),
        "drive": Phase(picked_up, delivered),
        "total": Phase(of[ev.ORDER_CREATED], delivered),
    }[name]


@dataclass(frozen=True)
class Evidence:
    """The orders of a window and those of the history, all times by the kitchen's clock, so that every day has 24 hours.

    start, end: the window, seconds; since: the midnight before it, from which on the orders are complete;
    late_after: seconds after the food was ready from which a driver is late; cold_after: seconds that a meal stands until
    it is cold. tz, window: to turn moments into data seconds again.
    now: None with hindsight; else nothing later is in `orders`, and phases that are not over count as long as they last already.
    baseline: what the page calls usual, for the sentences; what is unusual is found by `usual`, which an evening moves less.
    """

    orders: History
    history: History
    since: float
    start: float
    end: float
    late_after: float
    tz: Zone = NAIVE
    window: Window = field(default_factory=lambda: Window(-np.inf, np.inf))
    now: float | None = None
    cold_after: float = COLD_AFTER_S
    baseline: Baseline = field(default_factory=Baseline.none)
    _memo: dict[Hashable, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, timeline: Timeline, baseline: Baseline, late_after: float, cold_after: float) -> "Evidence":
        """Return the evidence of a timeline; without a history, the timeline's own orders are the history."""
        orders = History.from_timeline(timeline)
        history, tz, window = baseline.history or orders, timeline.tz, timeline.window
        start, end = tz.local(window.start), tz.local(window.end)
        on_clock, since = (orders.on_clock(), history.on_clock()), start - start % DAY
        return cls(*on_clock, since, start, end, late_after, tz, window, cold_after=cold_after, baseline=baseline)

    def with_orders(self, orders: History) -> "Evidence":
        """Return the evidence of the same window with other orders (data seconds); what was learned of the history stays."""
        return replace(self, orders=orders.on_clock())

    def in_data_time(self, moment: Moment) -> Moment:
        """Return a moment that was found here in data seconds, limited to the window: orders are examined from midnight on."""
        start, end, at = self.tz.from_local(moment.start), self.tz.from_local(moment.end, later=True), moment.at
        start, end = max(start, self.window.start), min(end, self.window.end)
        at = min(max(self.tz.from_local(at), start), end)
        settled = self.tz.from_local(moment.settled) if np.isfinite(moment.settled) else moment.settled
        return replace(moment, start=start, end=end, at=at, tz=self.tz, settled=settled)

    def settled(self, moment: Moment, rows: NDArray[np.intp] | None = None) -> Moment:
        """Return a moment that says when all of its orders had their end: `rows`, or those made in it."""
        enter = self.orders.enter
        if rows is None:
            created = self.orders.created
            rows = np.flatnonzero((created >= moment.start) & (created < moment.end))
        times = enter[:, rows]
        with np.errstate(invalid="ignore"):
            told = np.isfinite(times) & (times - times[0] <= STALLED_AFTER)  # the others are in no average
        return replace(moment, settled=float(times[told].max()) if told.any() else moment.end)

    def usual(self, name: str) -> Usual:
        """Return the usual duration of a phase."""

        def learn() -> Usual:
            phase = phase_of(self.history, name)
            measured = np.isfinite(phase.length)
            return Usual(phase.start[measured], phase.length[measured])

        return self.remembered(("usual", name), learn)

    def shown_usual(self, stage: str, at: float) -> float | None:
        """Return the usual time in a stage, seconds, that the page shows at `at`: the kitchen's clock."""
        return self.baseline.stage_time(stage, self._data_time(at))

    def shown_usual_delivery(self, at: float) -> float | None:
        """Return the usual delivery time, seconds, that the page shows at `at`: the kitchen's clock."""
        return self.baseline.delivery_time(self._data_time(at) // SERIES_STEP * SERIES_STEP)

    def _data_time(self, at: float) -> float:
        return float(self.tz.from_local(min(max(at, self.start), self.end)))

    def remembered(self, key: Hashable, learn: Callable[[], T]) -> T:
        """Return what `learn` finds in the history, found once for all evidence with the same history."""
        if key not in self._memo:
            self._memo[key] = learn()
        return cast(T, self._memo[key])

    def phase(self, name: str) -> Phase:
        """Return a phase of the window's orders.

        With `now`, one that is not over ends there as soon as it takes longer than usual: it will take that long at least. Before
        that nothing is known of it, and what is over already says more about quick orders than about slow ones.
        """
        phase = phase_of(self.orders, name)
        if self.now is None:
            return phase
        usual, _ = self.usual(name).at(np.nan_to_num(phase.start))
        with np.errstate(invalid="ignore"):
            open_ = (
                np.isnan(phase.end)
                & ~np.isfinite(self.orders.enter[REACH[name]])
                & np.isnan(self.orders.milestones[ev.ORDER_CANCELLED])
                & (self.now - phase.start > usual)
            )
        return Phase(phase.start, np.where(open_, self.now, phase.end))

    def as_known(self, now: float, since: float) -> "Evidence":
        """Return the evidence at `now` (by the kitchen's clock), of the orders since `since`: without whatever happened later."""
        milestones, enter = self.orders.milestones, self.orders.enter
        begun = enter[0] <= now
        with np.errstate(invalid="ignore"):
            milestones = np.where(milestones[:, begun] <= now, milestones[:, begun], np.nan)
        enter = np.where(enter[:, begun] <= now, enter[:, begun], np.inf)
        orders = History(milestones, enter)
        known = replace(self, orders=orders, since=since, end=now, now=now)
        return known if len(self.history) else replace(known, history=orders, _memo={})

    @property
    def pace(self) -> float:
        """Usual orders per hour, averaged over a whole day."""

        def learn() -> float:
            _, orders = np.unique(self.history.began // DAY, return_counts=True)
            return max(float(np.median(orders)) / 24, 1.0) if len(orders) else 1.0

        return self.remembered("pace", learn)

    @property
    def usual_delivery(self) -> float:
        """Usual delivery time over all hours, seconds; half an hour without a history."""

        def learn() -> float:
            total = phase_of(self.history, "total").length
            measured = total[np.isfinite(total)]
            return max(float(np.median(measured)), 60.0) if len(measured) else 1800.0

        return self.remembered("delivery", learn)
