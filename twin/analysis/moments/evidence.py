"""What the detectors look at: the orders of a window, and the orders that tell what is usual."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History
from twin.analysis.moments.usual import Usual
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, STALLED_AFTER
from twin.timeline import events as ev
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
DAY = 86_400.0


@dataclass(frozen=True)
class Spells:
    """A part of the lifecycle of each of n orders: (n,) start and end in seconds, NaN where it did not happen or is unknown."""

    start: Floats
    end: Floats

    @property
    def length(self) -> Floats:
        """Seconds; NaN where below 0 or over 4 h (an anomaly, left out of every average)."""
        length = self.end - self.start
        return np.where((length >= 0) & (length <= STALLED_AFTER), length, np.nan)


def spells(orders: History, part: str) -> Spells:
    """Return a part of every order's lifecycle: queue, cook, pack, wait, drive or total."""
    of, enter = orders.milestones, np.where(np.isfinite(orders.enter), orders.enter, np.nan)
    done = np.where(np.isnan(of[ev.GK_FINISHED]), of[ev.GK_READY], of[ev.GK_FINISHED])
    ready = np.where(np.isnan(of[ev.GK_READY]), of[ev.GK_FINISHED], of[ev.GK_READY])
    picked_up, delivered = enter[OUT_FOR_DELIVERY], enter[COMPLETED]
    return {
        "queue": Spells(of[ev.ORDER_CREATED], of[ev.GK_STARTED]),
        "cook": Spells(of[ev.GK_STARTED], done),
        "pack": Spells(of[ev.GK_FINISHED], of[ev.GK_READY]),
        "wait": Spells(ready, picked_up),
        "drive": Spells(picked_up, delivered),
        "total": Spells(of[ev.ORDER_CREATED], delivered),
    }[part]


@dataclass(frozen=True)
class Scene:
    """The orders of a window and those of the history, with the window's edges in seconds.

    `since` is where the orders are complete from: the midnight before the window; `late_after` the seconds after the food was
    ready from which a driver is late.
    """

    orders: History
    history: History
    since: float
    start: float
    end: float
    late_after: float
    _usual: dict[str, Usual] = field(default_factory=dict)

    @classmethod
    def of(cls, timeline: Timeline, baseline: Baseline, late_after: float) -> "Scene":
        """Take a timeline; without a history its own other days tell what is usual."""
        orders = History.from_timeline(timeline)
        window = timeline.window
        since = window.start - window.start % DAY
        return cls(orders, baseline.history or orders, since, window.start, window.end, late_after)

    def usual(self, part: str) -> Usual:
        """Return what a part of the lifecycle usually takes."""
        if part not in self._usual:
            theirs = spells(self.history, part)
            known = np.isfinite(theirs.length)
            self._usual[part] = Usual(theirs.start[known], theirs.length[known])
        return self._usual[part]

    @cached_property
    def pace(self) -> float:
        """Usual orders per hour, over a whole day."""
        _, orders = np.unique(self.history.began // DAY, return_counts=True)
        return max(float(np.median(orders)) / 24, 1.0) if len(orders) else 1.0

    @cached_property
    def usual_delivery(self) -> float:
        """Usual delivery time over all hours, seconds."""
        total = spells(self.history, "total").length
        known = total[np.isfinite(total)]
        return max(float(np.median(known)), 60.0) if len(known) else 1800.0
