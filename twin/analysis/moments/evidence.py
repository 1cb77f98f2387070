"""The input of the detectors: the orders of a window, and the orders that usual values are computed from."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.usual import Usual
from twin.foundation import event_types as ev
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE, Zone
from twin.sources.base import Window
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]


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
    picked_up, delivered = enter[OUT_FOR_DELIVERY], enter[COMPLETED]
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
    late_after: seconds after the food was ready from which a driver is late. tz, window: to turn moments into data seconds again.
    """

    orders: History
    history: History
    since: float
    start: float
    end: float
    late_after: float
    tz: Zone = NAIVE
    window: Window = field(default_factory=lambda: Window(-np.inf, np.inf))
    _usual: dict[str, Usual] = field(default_factory=dict)

    @classmethod
    def of(cls, timeline: Timeline, baseline: Baseline, late_after: float) -> "Evidence":
        """Return the evidence of a timeline; without a history, the timeline's own orders are the history."""
        orders = History.from_timeline(timeline)
        history, tz, window = baseline.history or orders, timeline.tz, timeline.window
        start, end = tz.local(window.start), tz.local(window.end)
        return cls(orders.on_clock(), history.on_clock(), start - start % DAY, start, end, late_after, tz, window)

    def in_data_time(self, moment: Moment) -> Moment:
        """Return a moment that was found here in data seconds, limited to the window: orders are examined from midnight on."""
        start, end, at = self.tz.from_local(moment.start), self.tz.from_local(moment.end, later=True), moment.at
        start, end = max(start, self.window.start), min(end, self.window.end)
        return replace(moment, start=start, end=end, at=min(max(self.tz.from_local(at), start), end), tz=self.tz)

    def usual(self, name: str) -> Usual:
        """Return the usual duration of a phase."""
        if name not in self._usual:
            phase = phase_of(self.history, name)
            measured = np.isfinite(phase.length)
            self._usual[name] = Usual(phase.start[measured], phase.length[measured])
        return self._usual[name]

    @cached_property
    def pace(self) -> float:
        """Usual orders per hour, averaged over a whole day."""
        _, orders = np.unique(self.history.began // DAY, return_counts=True)
        return max(float(np.median(orders)) / 24, 1.0) if len(orders) else 1.0

    @cached_property
    def usual_delivery(self) -> float:
        """Usual delivery time over all hours, seconds; half an hour without a history."""
        total = phase_of(self.history, "total").length
        measured = total[np.isfinite(total)]
        return max(float(np.median(measured)), 60.0) if len(measured) else 1800.0
