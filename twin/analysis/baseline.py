"""What is usual at a kitchen: the same hour on other days, from a bounded history of whole orders.

"Usual" never rests on the day it is compared with. It is the median over the other days (of the same weekday where there
are three of them), so that one bad evening does not become the measure. See docs/decisions/0004-usual-from-whole-orders.md.
"""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis.metrics import COMPLETION_SPAN, TRAILING, MetricIndex
from twin.foundation.stages import COMPLETED, CREATED, STAGES, STALLED_AFTER
from twin.sources.base import Location, Source, Window
from twin.timeline import events as ev
from twin.timeline.orders import began, stages_of
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

DAY = 86_400.0
MOST_DAYS = 28
"""Four weeks: four days of each weekday, and no older than the kitchen's present way of working."""
MOST_ORDERS = 500_000
"""Rows of history that are read; a busier kitchen has its usual from fewer days. 80 bytes each while it is read."""
SAME_WEEKDAYS = 3
"""With so many other days of the same weekday the usual comes from these alone; the median of fewer is one day's luck."""
LEAST_SAMPLE = 3
"""Orders that a day must have in the hour for its mean to count."""
HOLE = 0.2
"""A day inside the history with less than this share of a usual day's orders is a hole in the record, not a quiet day."""

_COLUMNS = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class History:
    """Whole orders as times alone, n of them; milestones and stages as in `orders.Orders`.

    milestones: (9, n) float64 seconds, NaN where missing; enter: (5, n) float64 seconds, inf if never.
    """

    milestones: Floats
    enter: Floats

    @classmethod
    def from_rows(cls, rows: pa.Table) -> "History":
        """Take the answer to a source's `history`."""
        milestones = np.array([_seconds(rows[name]) for name in _COLUMNS]).reshape(len(_COLUMNS), len(rows))
        return cls(milestones, stages_of(milestones, _seconds(rows["first"])))

    @classmethod
    def from_timeline(cls, timeline: Timeline) -> "History":
        """Take the orders of a timeline, where no source can be asked."""
        return cls(timeline.orders.milestones, timeline.orders.enter)

    def __len__(self) -> int:
        return self.milestones.shape[1]

    @property
    def created(self) -> Floats:
        return self.milestones[ev.ORDER_CREATED]

    @property
    def delivered(self) -> Floats:
        return self.milestones[ev.DELIVERED]

    @cached_property
    def began(self) -> Floats:
        """When each order was created, else first heard of: sorted."""
        return np.sort(began(self.created, self.enter[CREATED]))

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """Numbers of the days (since 1970) that have a usual share of orders, or are the first or last: sorted."""
        if not len(self):
            return np.empty(0, np.int64)
        days, orders = np.unique((self.began // DAY).astype(np.int64), return_counts=True)
        whole = orders >= HOLE * np.median(orders)
        whole[[0, -1]] = True  # these may be cut: which of their hours are covered is asked at each t
        return days[whole]


class Baseline:
    """What is usual around a window. Every figure is None where the history is too short to tell it."""

    def __init__(self, history: History | None, window: Window | None = None, reach: float = -np.inf) -> None:
        """Take the orders around `window`; `reach` is since when (seconds) the history is complete."""
        self.history = history if history is not None and len(history) else None
        self._window, self._reach = window, reach
        if self.history is None:
            self._days = np.empty(0, np.int64)
            return
        self._days = self.history.days
        self._first, self._last = float(self.history.began[0]), float(self.history.began[-1])
        self._created = np.sort(self.history.created[np.isfinite(self.history.created)])
        as_timeline = cast("Timeline", SimpleNamespace(orders=self.history))
        self._index = MetricIndex(as_timeline)  # the same code: completion cannot mean two things
        self._deliveries = _Means(self.history.created, self.history.delivered)
        enter = self.history.enter
        self._stage_means = {STAGES[k]: _Means(enter[k], enter[k + 1]) for k in range(COMPLETED)}

    @classmethod
    def none(cls) -> "Baseline":
        """Return a baseline that knows nothing.

        >>> Baseline.none().orders_per_hour(0.0) is None
        True
        """
        return cls(None)

    @classmethod
    def load(cls, source: Source, location: Location, window: Window) -> "Baseline":
        """Ask a source for the orders around a window; see `reach` for which."""
        start, end = reach(source, location, window)
        rows = source.history(location.id, start - STALLED_AFTER, end + STALLED_AFTER)
        complete = -np.inf if start <= location.start else start
        return cls(History.from_rows(rows), window, complete)

    @property
    def days(self) -> int:
        """On how many other days it rests, seen from the middle of the window."""
        if self._window is None:
            return max(0, len(self._days) - 1)
        own = int((self._window.start + self._window.end) / 2 // DAY)
        return int(np.count_nonzero(self._days != own))

    def orders_per_hour(self, t: float) -> float | None:
        """Return the usual number of orders created in the 60 minutes to t."""
        times = self._same_time(t)
        if not len(times) or not len(self._created):
            return None
        counts = self._created.searchsorted(times, "right") - self._created.searchsorted(times - TRAILING, "right")
        return float(np.median(counts))

    def delivery_time(self, t: float) -> float | None:
        """Return the usual mean delivery time (s) of the 60 minutes to t."""
        times = self._same_time(t)
        return self._deliveries.usual(times) if len(times) else None

    def stage_time(self, stage: str, t: float) -> float | None:
        """Return the usual mean time (s) in stage `stage` (a key of `STAGES`) of those that left it in the 60 minutes to t."""
        times = self._same_time(t)
        return self._stage_means[stage].usual(times) if len(times) and stage in self._stage_means else None

    def completion_before(self, t: float) -> tuple[float | None, int]:
        """Return the completion rate as it was 24 hours before t, and the number of orders that were due."""
        before = t - DAY
        if self.history is None or before - COMPLETION_SPAN[0] < self._reach:
            return None, 0
        return self._index.completion(before)

    def words(self, t: float) -> str:
        """Return what the usual at t rests on, as "Thursdays at 18 h" or "18 h on the 6 days before"; empty if on nothing."""
        offsets = np.rint((self._same_time(t) - t) / DAY).astype(np.int64)
        if not len(offsets):
            return ""
        hour = f"{int(t % DAY // 3600)} h"
        if (offsets % 7 == 0).all() and len(offsets) >= SAME_WEEKDAYS:
            return f"{_WEEKDAYS[int(t // DAY + 3) % 7]} at {hour}"  # 1970 began on a Thursday
        count = len(offsets)
        if count == 1:
            return f"{hour} on " + {-1: "the day before", 1: "the day after"}.get(int(offsets[0]), "another day")
        together = set(offsets.tolist()) == set(range(-count, 0))
        return f"{hour} on the {count} days before" if together else f"{hour} on {count} other days"

    def _same_time(self, t: float) -> Floats:
        """Return the same time of day on the other days whose trailing hour is covered, seconds; same weekdays if enough."""
        if self.history is None:
            return np.empty(0)
        offsets = self._days - int(t // DAY)
        times = t + offsets * DAY
        covered = (offsets != 0) & (times - TRAILING >= self._first) & (times <= self._last)
        alike = covered & (offsets % 7 == 0)
        return times[alike if np.count_nonzero(alike) >= SAME_WEEKDAYS else covered]


class _Means:
    """Durations by their end, with running sums: the mean of any hour is two searches."""

    def __init__(self, start: Floats, end: Floats) -> None:
        duration = np.full(len(start), np.nan)
        np.subtract(end, start, out=duration, where=np.isfinite(start) & np.isfinite(end))
        # a stage that begins and ends at one instant was skipped; over 4 h is an anomaly: as in metrics
        kept = np.flatnonzero((duration > 0) & (duration <= STALLED_AFTER))
        kept = kept[np.argsort(end[kept], kind="stable")]
        self._end = end[kept]
        self._sum = np.concatenate(([0.0], np.cumsum(duration[kept])))

    def usual(self, times: Floats) -> float | None:
        """Return the median over `times` of the mean of those that ended in the 60 minutes to each."""
        first, last = self._end.searchsorted(times - TRAILING, "right"), self._end.searchsorted(times, "right")
        enough = last - first >= LEAST_SAMPLE
        if not enough.any():
            return None
        first, last = first[enough], last[enough]
        return float(np.median((self._sum[last] - self._sum[first]) / (last - first)))


def reach(source: Source, location: Location, window: Window) -> tuple[float, float]:
    """Return from when to when (seconds) the history around a window goes.

    It ends with the window and goes back `MOST_DAYS`. Where the source begins later than that, days after the window
    fill up: who replays the first days of a record may know the following ones, and nothing else could say what is usual.
    It is cut to what holds `MOST_ORDERS`, the days nearest to the window's end first.
    """
    start = max(location.start, window.end - MOST_DAYS * DAY)
    end = max(window.end, min(location.end, start + MOST_DAYS * DAY))
    volume = source.volume(location.id)
    inside = (volume.hour >= start - TRAILING) & (volume.hour < end)
    hours, orders = volume.hour[inside], volume.orders[inside]
    if orders.sum() > MOST_ORDERS:
        nearest = np.argsort(np.abs(hours + TRAILING - window.end), kind="stable")
        kept = hours[nearest[np.cumsum(orders[nearest]) <= MOST_ORDERS]]
        if len(kept):
            start, end = max(start, float(kept.min())), min(end, float(kept.max()) + TRAILING)
    return start, end


def _seconds(column: pa.ChunkedArray) -> Floats:
    """Return timestamps as float64 seconds, NaN where NULL."""
    times = column.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(times), np.nan, times.astype(np.int64) / ev.MICROSECONDS)
