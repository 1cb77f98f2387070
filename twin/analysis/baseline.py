"""What is usual at a kitchen: the same hour on other days, from a limited history of whole orders.

The usual value excludes the day that it is compared with. It is the median over the other days (of the same weekday if there are
three of them), so that a single bad evening does not distort it. See docs/decisions/0004-usual-from-whole-orders.md.
"""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis.metrics import COMPLETION_SPAN, TRAILING, MetricIndex
from twin.foundation.stages import COMPLETED, CREATED, STAGES, STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.sources import tables
from twin.sources.base import Location, Source, Window
from twin.timeline import events as ev
from twin.timeline.orders import began, stages_of
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

MOST_DAYS = 28
"""Four weeks: four days of each weekday, and recent enough to reflect how the kitchen works now."""
MOST_ORDERS = 500_000
"""Most orders read as history, 80 bytes each; a busier kitchen gets fewer days."""
SAME_WEEKDAYS = 3
"""Other days of the same weekday from which on only these are used; the median of fewer depends too much on chance."""
LEAST_SAMPLE = 3
"""Fewest orders that a day must have in the hour for its mean to count."""
INSTANT = 1e-3
"""Seconds before the end of an hour of the clock that belong to it: its end begins the next one."""
HOLE = 0.2
"""A day with less than this share of the median day's orders is a gap in the data, not a quiet day."""

_COLUMNS = ("created", "started", "finished", "ready", "arrived", "picked_up", "pinged", "delivered", "cancelled")


@dataclass(frozen=True)
class History:
    """The times of whole orders, n of them; milestones and stages as in `orders.Orders`.

    milestones: (9, n) float64 seconds, NaN where missing; enter: (5, n) float64 seconds, inf if never.
    """

    milestones: Floats
    enter: Floats
    tz: Zone = NAIVE
    """The kitchen's clock."""

    @classmethod
    def from_rows(cls, rows: pa.Table, tz: Zone = NAIVE) -> "History":
        """Return the history from the result of `Source.history`."""
        milestones = np.array([tables.times(rows[name]) for name in _COLUMNS]).reshape(len(_COLUMNS), len(rows))
        return cls(milestones, stages_of(milestones, tables.times(rows["first"])), tz)

    @classmethod
    def from_timeline(cls, timeline: Timeline) -> "History":
        """Return the orders of a timeline as history."""
        return cls(timeline.orders.milestones, timeline.orders.enter, timeline.tz)

    def on_clock(self) -> "History":
        """Return the orders by what the kitchen's clock shows, as naive times.

        All times of an order are shifted alike, by what the clock is ahead when it begins: durations stay, also over a change of
        the clock.
        """
        if self.tz.naive:
            return self
        start = began(self.created, self.enter[CREATED])
        known = np.isfinite(start)
        ahead = np.zeros(len(self))
        ahead[known] = self.tz.local(start[known]) - start[known]
        return History(self.milestones + ahead, self.enter + ahead)

    def __len__(self) -> int:
        return self.milestones.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes of the times."""
        return self.milestones.nbytes + self.enter.nbytes

    def equals(self, other: "History") -> bool:
        """Return whether another history has the same orders, in the same sequence, on the same clock."""
        return (
            self.tz == other.tz
            and np.array_equal(self.milestones, other.milestones, equal_nan=True)
            and np.array_equal(self.enter, other.enter)
        )

    @property
    def created(self) -> Floats:
        return self.milestones[ev.ORDER_CREATED]

    @property
    def delivered(self) -> Floats:
        return self.milestones[ev.DELIVERED]

    @cached_property
    def began(self) -> Floats:
        """When each order began, sorted: its creation, or its first event where the creation is missing."""
        return np.sort(began(self.created, self.enter[CREATED]))

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """The days (numbered since 1970, sorted) without the gaps in the data; the first and the last are always included."""
        if not len(self):
            return np.empty(0, np.int64)
        days, orders = np.unique(self.tz.day(self.began), return_counts=True)
        whole = orders >= HOLE * np.median(orders)
        whole[[0, -1]] = True  # these may be partial; which of their hours are covered is checked for each t
        return days[whole]


class Baseline:
    """What is usual around a window. Every figure is None where the history is too short for it."""

    def __init__(self, history: History | None, window: Window | None = None, reach: float = -np.inf) -> None:
        """`history` has the orders around `window`; it is complete from `reach` on (seconds)."""
        self.history = history if history is not None and len(history) else None
        self._window, self._reach = window, reach
        self._tz = NAIVE if history is None else history.tz
        if self.history is None:
            self._days = np.empty(0, np.int64)
            return
        self._days = self.history.days
        self._first, self._last = float(self.history.began[0]), float(self.history.began[-1])
        self._created = np.sort(self.history.created[np.isfinite(self.history.created)])
        as_timeline = cast("Timeline", SimpleNamespace(orders=self.history, tz=self.history.tz))
        self._index = MetricIndex(as_timeline)  # the same code, so that completion has one definition
        self._deliveries = _Means(self.history.created, self.history.delivered)
        enter = self.history.enter
        self._stage_means = {STAGES[k]: _Means(enter[k], enter[k + 1]) for k in range(COMPLETED)}

    @classmethod
    def none(cls) -> "Baseline":
        """Return a baseline without history.

        >>> Baseline.none().orders_per_hour(0.0) is None
        True
        """
        return cls(None)

    @classmethod
    def load(cls, source: Source, location: Location, window: Window) -> "Baseline":
        """Read the orders around a window from a source; see `reach` for the range."""
        start, end = reach(source, location, window)
        rows = source.history(location.id, start - STALLED_AFTER, end + STALLED_AFTER)
        complete = -np.inf if start <= location.start else start
        return cls(History.from_rows(rows, location.tz), window, complete)

    @property
    def days(self) -> int:
        """The number of other days that it is based on, for the middle of the window."""
        if self._window is None:
            return max(0, len(self._days) - 1)
        own = self._tz.day((self._window.start + self._window.end) / 2)
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

    def late_share(self, late_from: float, t: float) -> float | None:
        """Return the usual share of the deliveries of the 60 minutes to t that took at least `late_from` seconds."""
        times = self._same_time(t)
        return self._deliveries.usual_share(times, late_from) if len(times) else None

    def stage_time(self, stage: str, t: float) -> float | None:
        """Return the usual mean time (s) in `stage` (a key of `STAGES`) of orders that leave it in the hour of the clock of t.

        One for each stage and hour: pipeline, trends and the panel of an order speak of one wait with one number, although each
        asks for another second of the hour.
        """
        times = self._same_time(self.hour(t)[1] - INSTANT)
        return self._stage_means[stage].usual(times) if len(times) and stage in self._stage_means else None

    def entered_today(self, stage: int, t: float) -> float | None:
        """Return the usual number of orders that entered a stage (its number) from midnight to t.

        The first recorded day, which may begin at any hour, counts only where there is no other.
        """
        times = self._same_time(t)
        whole = times[self._tz.day(times) != self._days[0]] if len(times) else times
        times = whole if len(whole) else times
        if not len(times) or not self._index.recorded[stage]:
            return None
        return float(np.median([self._index.entered_today(stage, one) for one in times.tolist()]))

    def hour(self, t: float) -> tuple[float, float]:
        """Return the hour [start, end) of the kitchen's clock around t, data seconds."""
        start = t - float(self._tz.local(t)) % HOUR
        return start, start + HOUR

    def hours(self, t: Floats) -> Floats:
        """Return when the hour of the kitchen's clock around each of `t` (n,) begins, data seconds."""
        return t - self._tz.local(t) % HOUR

    def completion_before(self, t: float) -> tuple[float | None, int]:
        """Return the completion rate 24 hours before t, and the number of orders then due."""
        before = t - DAY
        if self.history is None or before - COMPLETION_SPAN[0] < self._reach:
            return None, 0
        return self._index.completion(before)

    def basis(self, t: float) -> str:
        """Return what the usual at t is based on, as "Thursdays at 18 h" or "18 h on the 6 days before"; "" if on nothing."""
        offsets = self._tz.day(self._same_time(t)) - self._tz.day(t)
        if not len(offsets):
            return ""
        hour = f"{self._tz.hour(t)} h"
        if (offsets % 7 == 0).all() and len(offsets) >= SAME_WEEKDAYS:
            return f"{self._tz.weekday(t)}s at {hour}"
        count = len(offsets)
        if count == 1:
            return f"{hour} on " + {-1: "the day before", 1: "the day after"}.get(int(offsets[0]), "another day")
        consecutive = set(offsets.tolist()) == set(range(-count, 0))
        return f"{hour} on the {count} days before" if consecutive else f"{hour} on {count} other days"

    def _same_time(self, t: float) -> Floats:
        """Return the same time of day (seconds) on other days that cover its trailing hour, of the same weekday if enough do."""
        if self.history is None:
            return np.empty(0)
        offsets = self._days - self._tz.day(t)
        times = self._tz.days_later(t, offsets)
        covered = (offsets != 0) & (times - TRAILING >= self._first) & (times <= self._last)
        same_weekday = covered & (offsets % 7 == 0)
        return times[same_weekday if np.count_nonzero(same_weekday) >= SAME_WEEKDAYS else covered]


class _Means:
    """Durations sorted by end, with running sums, so that the mean of any hour takes two binary searches."""

    def __init__(self, start: Floats, end: Floats) -> None:
        duration = np.full(len(start), np.nan)
        np.subtract(end, start, out=duration, where=np.isfinite(start) & np.isfinite(end))
        # as in metrics: a stage that begins and ends at the same time was skipped, and over 4 h is an anomaly
        valid = np.flatnonzero((duration > 0) & (duration <= STALLED_AFTER))
        by_end = valid[np.argsort(end[valid], kind="stable")]
        self._end = end[by_end]
        self._duration = duration[by_end]
        self._sum = np.concatenate(([0.0], np.cumsum(self._duration)))
        self._at_least: tuple[float, NDArray[np.int64]] = np.nan, np.zeros(1, np.int64)

    def usual(self, times: Floats) -> float | None:
        """Return the median over `times` of the mean duration of what ended in the 60 minutes to each."""
        return self._median(self._sum, times)

    def usual_share(self, times: Floats, limit: float) -> float | None:
        """Return the median over `times` of the share that took at least `limit` seconds."""
        if self._at_least[0] != limit:
            self._at_least = limit, np.concatenate(([0], np.cumsum(self._duration >= limit)))
        return self._median(self._at_least[1], times)

    def _median(self, total: NDArray[Any], times: Floats) -> float | None:
        first, last = self._end.searchsorted(times - TRAILING, "right"), self._end.searchsorted(times, "right")
        enough = last - first >= LEAST_SAMPLE
        if not enough.any():
            return None
        first, last = first[enough], last[enough]
        return float(np.median((total[last] - total[first]) / (last - first)))


def reach(source: Source, location: Location, window: Window) -> tuple[float, float]:
    """Return the start and end (seconds) of the history around a window.

    It covers `MOST_DAYS` up to the end of the window. If the source begins later than that, days after the window are added: for
    the first days of a record nothing else could define what is usual. The hours nearest to the window's end are taken until
    `MOST_ORDERS` is reached.
    """
    start = max(location.start, window.end - MOST_DAYS * DAY)
    end = max(window.end, min(location.end, start + MOST_DAYS * DAY))
    volume = source.volume(location.id)
    inside = (volume.hour >= start - TRAILING) & (volume.hour < end)
    hours, orders = volume.hour[inside], volume.orders[inside]
    if orders.sum() > MOST_ORDERS:
        nearest = np.argsort(np.abs(hours + TRAILING - window.end), kind="stable")
        within = hours[nearest[np.cumsum(orders[nearest]) <= MOST_ORDERS]]
        if len(within):
            start, end = max(start, float(within.min())), min(end, float(within.max()) + TRAILING)
    return start, end
