"""The ghost: another day of the same kitchen beside the one that is shown, at the same time on the kitchen's clock.

It is over, so all of it is known: nothing of it lies in the future of the day shown. Which days can be one, which of them is
the best, and what stands beside a moment is defined here (docs/figures.md, "Ghost day").
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twin.analysis.alignment import Alignment, align
from twin.analysis.baseline import HOLE, Baseline, History
from twin.analysis.day_figures import DELIVERY, LATE, ORDERS, figures_of
from twin.analysis.driver_supply import is_recorded, supply
from twin.analysis.metrics import KpiSet, metrics_of
from twin.foundation.stages import CREATED, STAGES
from twin.foundation.times import DAY
from twin.foundation.zones import Zone
from twin.sources.base import Volume, Window
from twin.timeline.orders import began
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

WEEK, BEST, USUAL = "week", "best", "usual"
ENOUGH = 0.5
"""Share of the median day's orders from which on a day can be the best: an empty day is never late."""


@dataclass(frozen=True)
class DayAlignment:
    """Which moment of day `other` stands beside one of `day` (both numbered since 1970): the clock shows the same at both."""

    tz: Zone
    day: int
    other: int

    @cached_property
    def pieces(self) -> Alignment:
        """How the other day lies on this one."""
        return align(*((self._span(day), self.tz) for day in (self.day, self.other)))

    def at(self, t: float) -> float:
        """Return the other day's data seconds beside t; NaN if t is of another day, or the other's clock leaves this hour out.

        Where the other's clock shows an hour twice it is the first of both; where this day's does, the other's is there twice;
        where both do, the first is beside the first.

        >>> zone = Zone("America/Los_Angeles")
        >>> spring, before = (zone.day(zone.seconds(f"2025-03-{day}")) for day in ("09", "02"))
        >>> DayAlignment(zone, spring, before).at(zone.seconds("2025-03-09 18:00")) == zone.seconds("2025-03-02 18:00")
        True
        """
        return next((t + shift for start, end, shift in self.pieces.stretches() if start <= t < end), np.nan)

    def _span(self, day: int) -> Window:
        return Window(float(self.tz.start_of(day)), float(self.tz.start_of(day + 1)))


@dataclass(frozen=True, slots=True)
class Best:
    """The best day: its number, its late share 0..1, and the mean delivery time in seconds."""

    day: int
    late: float
    delivery_s: float


class OtherDays:
    """The days of a kitchen that can be a ghost, as they are seen from one of them."""

    def __init__(self, volume: Volume, history: History | None, tz: Zone, target: float) -> None:
        """`volume` are the kitchen's orders per hour; `history` has whole orders around the range shown, None: not known.

        `target` is the promised delivery time, seconds, by which a day is good.
        """
        self._tz, self._history, self._target = tz, history, target
        days, hour = np.unique(tz.day(volume.hour) if len(volume.hour) else np.empty(0, np.int64), return_inverse=True)
        orders = np.bincount(hour, volume.orders, len(days)).astype(np.int64)
        whole = orders >= max(1.0, HOLE * float(np.median(orders))) if len(days) else np.empty(0, bool)
        self.orders: dict[int, int] = dict(zip(days[whole].tolist(), orders[whole].tolist(), strict=True))
        """Orders by day, without the gaps in the data."""

    def week(self, day: int) -> int | None:
        """Return the same weekday of the week before; None if it has no data."""
        return day - 7 if day - 7 in self.orders else None

    def best(self, day: int) -> Best | None:
        """Return the best other day of the history; None if none can be judged.

        Of the days with at least half the median day's orders it is the one with the smallest share of late deliveries; of equal
        ones that with the shorter mean delivery time, then the later one.
        """
        others = {one: figures for one, figures in self._figures.items() if one != day}
        if not others:
            return None
        enough = ENOUGH * float(np.median([figures[0] for figures in others.values()]))
        able = [(late, delivery, -one) for one, (orders, late, delivery) in others.items() if orders >= enough]
        late, delivery, number = min(able)
        return Best(-number, late, delivery)

    @cached_property
    def _figures(self) -> dict[int, tuple[float, float, float]]:
        """Orders, late share and mean delivery time, seconds, of each day of the history that has deliveries."""
        history = self._history
        if history is None or not len(history):
            return {}
        day_of = self._tz.day(began(history.created, history.enter[CREATED]))
        found = {}
        for day in history.days.tolist():
            one = figures_of(history, day_of == day, self._target)
            orders, late, delivery = one[ORDERS], one[LATE], one[DELIVERY]
            if orders is not None and late is not None and delivery is not None:
                found[day] = orders, late / 100, delivery * 60
        return found

    def of(self, choice: str, day: int) -> int | None:
        """Return the day that a choice means, seen from `day`: "week", "best", or a date as 2025-10-16. None: there is none.

        A day is no ghost of itself.
        """
        if choice == WEEK:
            return self.week(day)
        if choice == BEST:
            best = self.best(day)
            return None if best is None else best.day
        chosen = day_number(choice)
        return chosen if chosen in self.orders and chosen != day else None

    def volume(self, choice: str, edges: Floats, loaded: "Ghost | None" = None) -> list[int | None]:
        """Return the ghost's orders in each bar of a range: edges (n + 1,) data seconds ascending; None where it is not known.

        A bar is of the day in which it begins; a longer one adds up its days.
        """
        history = self._history
        times = np.empty(0) if history is None else history.began
        tz = self._tz
        known: dict[int, DayAlignment | None] = {}

        def align(day: int) -> DayAlignment | None:
            if day not in known:
                other = self.of(choice, day)
                known[day] = None if other is None else DayAlignment(tz, day, other)
            return known[day]

        counts: list[int | None] = []
        for first, last in pairwise(edges.tolist()):
            total: int | None = None
            for day in range(int(tz.day(first)), int(tz.day(np.nextafter(last, -np.inf))) + 1):
                aligned = align(day)
                if aligned is None:
                    continue
                source = times
                if loaded is not None and loaded.align is not None and loaded.align.other == aligned.other:
                    source = loaded.began
                elif not len(times) or not times[0] <= tz.start_of(aligned.other + 1) <= times[-1] + DAY:
                    continue
                for start, end, shift in aligned.pieces.stretches():
                    low, high = max(start, first), min(end, last)
                    if low < high:
                        inside = source.searchsorted([low + shift, high + shift], "left")
                        total = (total or 0) + int(inside[1] - inside[0])
            counts.append(total)
        return counts


def usual_volume(baseline: Baseline, edges: Floats) -> list[float | None]:
    """Return the usual number of orders in each bar, from the usual orders per hour at its middle; None where it is unknown."""
    counts: list[float | None] = []
    for first, last in pairwise(edges.tolist()):
        hours = max(1, round((last - first) / 3600))
        at = first + (last - first) * (np.arange(hours) + 0.5) / hours
        rates = [baseline.orders_per_hour(t + 1800) for t in at.tolist()]  # of the hour around it
        known = [rate for rate in rates if rate is not None]
        counts.append(round(float(np.mean(known)) * (last - first) / 3600, 1) if known else None)
    return counts


@dataclass(frozen=True)
class Ghost:
    """What is chosen to stand beside the day shown; made anew when the playhead comes to another day.

    `choice`: "week", "best", "usual" or a date. `align` and `timeline` are None for the usual, which is no day and so has no
    drivers, and where there is no such day; `problem` then says why.
    """

    choice: str
    align: DayAlignment | None = None
    timeline: Timeline | None = None
    baseline: Baseline | None = None
    """What is usual, if that was chosen."""
    label: str = ""
    """What it is, as "Best day, Thu 16 Oct"."""
    problem: str = ""
    days: OtherDays | None = None

    @cached_property
    def began(self) -> Floats:
        """When the orders of its timeline began, sorted."""
        return np.empty(0) if self.timeline is None else np.sort(self.timeline.orders.began)

    def at(self, t: float) -> float:
        """Return the ghost's moment beside t, data seconds; NaN: none."""
        return np.nan if self.align is None else self.align.at(t)

    def volume(self, edges: Floats) -> list[float | None]:
        """Return its orders in each bar of a range: edges (n + 1,) data seconds ascending; None where it is not known."""
        if self.baseline is not None:
            return usual_volume(self.baseline, edges)
        return [] if self.days is None else [*self.days.volume(self.choice, edges, self)]

    def supply(self, edges: Floats) -> tuple[list[float | None], list[float | None]]:
        """Return meals waiting and drivers on the road of its own day in each bar, as `driver_supply`; None elsewhere.

        Only bars that lie within one stretch of the clock have them.
        """
        n = len(edges) - 1
        waiting: list[float | None] = [None] * n
        road: list[float | None] = [None] * n
        if self.align is None or self.timeline is None or not is_recorded(self.timeline):
            return waiting, road
        for start, end, shift in self.align.pieces.stretches():
            inside = np.flatnonzero((edges[:-1] >= start) & (edges[1:] <= end))
            if not len(inside):
                continue
            found = supply(self.timeline, edges[inside[0] : inside[-1] + 2] + shift)
            waiting[inside[0] : inside[-1] + 1] = found.waiting.round(1).tolist()
            road[inside[0] : inside[-1] + 1] = found.on_road.round(1).tolist()
        return waiting, road

    def kpis(self, t: float, target: float) -> KpiSet | None:
        """Return the KPIs of the ghost's day at the same time of day; None without one."""
        then = self.at(t)
        if self.timeline is None or np.isnan(then):
            return None
        return metrics_of(self.timeline).kpis(then, self.timeline.counts(then), target)

    def leads(self, timeline: Timeline, t: float) -> list[int | None]:
        """Return by how many orders `timeline` leads the ghost in each of the five stages at t; negative: it is behind.

        Compared are the orders that have entered a stage since midnight. None where either does not tell.
        """
        then, own = self.at(t), metrics_of(timeline)
        ghost = None if self.timeline is None or np.isnan(then) else metrics_of(self.timeline)
        found: list[int | None] = []
        for stage in range(len(STAGES)):
            if ghost is not None:
                other = float(ghost.entered_today(stage, then)) if ghost.recorded[stage] else None
            else:
                other = None if self.baseline is None else self.baseline.entered_today(stage, t)
            known = own.recorded[stage] and other is not None
            found.append(own.entered_today(stage, t) - round(other) if known and other is not None else None)
        return found


def day_number(text: str) -> int | None:
    """Return the number since 1970 of a date as 2025-10-16; None if it is none.

    >>> day_number("1970-01-02"), day_number("yesterday"), day_number("2025-02-30")
    (1, None, None)
    """
    try:
        return int(np.datetime64(text, "D").astype(int)) if len(text) == 10 else None
    except ValueError:
        return None


def date_text(day: int) -> str:
    """Return the date of a day's number.

    >>> date_text(1)
    '1970-01-02'
    """
    return str(np.datetime64(day, "D"))
