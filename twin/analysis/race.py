"""A race: the deliveries of two to six kitchens or days, summed up from the same hour of their clocks on, and who leads when.

What is summed up and how the lead is counted is defined here (docs/figures.md, "Race").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import SAME_WEEKDAYS, History
from twin.analysis.limits import LEAST_ORDERS, WHOLE_MINUTE
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY
from twin.sources.base import Window

Floats = NDArray[np.float64]

ON_TIME, DELIVERED, LATE = "on_time", "delivered", "late"
FIGURES = {ON_TIME: "On-time deliveries", DELIVERED: "Orders delivered", LATE: "Late deliveries"}
"""What can be raced for. Of the first two most is best, of the share of late deliveries least."""
FEWEST, MOST = 2, 6
"""Lanes of a race."""
HOLD_S = 300.0
"""Seconds that a lead must last before it counts: at the start every delivery changes it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who takes part: what it is called, its whole orders (those of other days for what is usual), its range in data seconds."""

    name: str
    history: History
    window: Window


@dataclass(frozen=True, slots=True)
class Lane:
    """What one has done. at: (n,) float64 seconds since the race began, ascending; value: (n,) float64, the figure from then on.

    start: the figure before the first delivery. usual: what the figure was divided by; None: by nothing. The share of late
    deliveries is NaN until there are `LEAST_ORDERS`.
    """

    name: str
    at: Floats
    value: Floats
    start: float
    usual: float | None = None

    def values(self, times: Floats) -> Floats:
        """Return the figure at times (m,), seconds since the race began; NaN where there is none yet."""
        return np.concatenate(([self.start], self.value))[self.at.searchsorted(times, "right")]


@dataclass(frozen=True, slots=True)
class LeadChange:
    """From `at` (seconds since the race began) on the lane `leader` leads, at `value`; `before` led until then, None: nobody."""

    at: float
    leader: int
    before: int | None
    value: float


@dataclass(frozen=True)
class Race:
    """The lanes of a race over `length_s` seconds of the clock, from `starts` on (seconds since midnight)."""

    figure: str
    lanes: tuple[Lane, ...]
    length_s: float
    starts: float
    relative: bool

    def values(self, at: float) -> Floats:
        """Return each lane's figure (k,) at seconds since the race began."""
        return np.concatenate([lane.values(np.array([at])) for lane in self.lanes])

    def ranking(self, at: float) -> list[int]:
        """Return the lanes from first to last at seconds since the race began; equal ones in their own order."""
        values = self.values(at)
        return np.argsort(np.where(np.isnan(values), np.inf, values * self._sign), kind="stable").tolist()

    @property
    def _sign(self) -> float:
        return 1.0 if self.figure == LATE else -1.0

    @cached_property
    def leads(self) -> tuple[LeadChange, ...]:
        """Every change of the lead that lasted for `HOLD_S` (or to the end), in time.

        Who has the lead keeps it in a tie; of several that pass together it is the first in the lanes' order.
        """
        times = np.unique(np.concatenate([lane.at for lane in self.lanes]))
        times = times[times <= self.length_s]
        values = np.stack([lane.values(times) for lane in self.lanes], axis=1) * self._sign
        values = np.where(np.isnan(values), np.inf, values)
        best, nobody = values.min(axis=1, initial=np.inf), 0.0 if self.figure != LATE else np.inf
        first = values.argmin(axis=1)
        spells: list[tuple[float, int]] = []
        leader = -1
        for row, t in enumerate(times.tolist()):
            if best[row] == nobody or (leader >= 0 and values[row, leader] == best[row]):
                continue
            leader = int(first[row])
            spells.append((t, leader))
        found: list[LeadChange] = []
        for number, (t, leader) in enumerate(spells):
            until = spells[number + 1][0] if number + 1 < len(spells) else np.inf
            if until - t < HOLD_S or (found and found[-1].leader == leader):
                continue
            value = float(self.lanes[leader].values(np.array([t]))[0])
            found.append(LeadChange(t, leader, found[-1].leader if found else None, value))
        return tuple(found)

    def leads_known(self, at: float) -> tuple[LeadChange, ...]:
        """Return the changes of the lead that had lasted long enough at seconds since the race began."""
        return tuple(one for one in self.leads if one.at + HOLD_S <= at or (at >= self.length_s and one.at <= at))


def race(entries: Sequence[Entry], target: float, figure: str = ON_TIME, relative: bool = False) -> Race:
    """Return the race of two to six kitchens or days; they begin together, whatever the date and the zone.

    `target` is the promised delivery time, seconds. With `relative` each lane is divided by what is usual for it: the median over
    its other days of the same figure in the same hours (of the same weekday if there are three), so that 1 is a usual day.

    Raises ValueError for another number of lanes or figure, for ranges that do not begin at the same time of day, and where what
    is usual is not known.
    """
    if not FEWEST <= len(entries) <= MOST:
        raise ValueError(f"A race has {FEWEST} to {MOST} lanes, not {len(entries)}.")
    if figure not in FIGURES:
        raise ValueError(f"There is no figure {figure!r}: choose {', '.join(FIGURES)}.")
    starts = {float(one.history.tz.local(one.window.start)) % DAY for one in entries}
    if max(starts) - min(starts) >= 1.0:
        raise ValueError("The ranges of a race begin at the same time of day.")
    lanes = tuple(_lane(one, target, figure, relative) for one in entries)
    length = max(_length(one) for one in entries)
    return Race(figure, lanes, length, min(starts), relative)


def _length(entry: Entry) -> float:
    tz = entry.history.tz
    return float(tz.local(entry.window.end)) - float(tz.local(entry.window.start))


def _lane(entry: Entry, target: float, figure: str, relative: bool) -> Lane:
    tz = entry.history.tz
    start = float(tz.local(entry.window.start))
    length = _length(entry)
    clock = entry.history.on_clock()
    took = clock.delivered - clock.created
    known = np.isfinite(took) & (took >= 0) & (took <= STALLED_AFTER)
    by_end = np.argsort(clock.delivered[known], kind="stable")
    delivered, late = clock.delivered[known][by_end], took[known][by_end] >= target + WHOLE_MINUTE

    def run(begin: float) -> tuple[Floats, Floats]:
        first, last = delivered.searchsorted([begin, begin + length], "left").tolist()
        return delivered[first:last] - begin, _values(late[first:last], figure)

    at, value = run(start)
    before = np.nan if figure == LATE else 0.0
    if not relative:
        return Lane(entry.name, at, value, before)
    ends = [float(values[-1]) for begin in _other_days(clock, start, length) if len(values := run(begin)[1])]
    ends = [end for end in ends if np.isfinite(end)]
    usual = float(np.median(ends)) if ends else 0.0
    if usual <= 0:
        raise ValueError(f"What is usual for {entry.name} is not known: there are too few other days.")
    return Lane(entry.name, at, value / usual, before, usual)


def _values(late: NDArray[np.bool_], figure: str) -> Floats:
    number = np.arange(1, len(late) + 1, dtype=np.float64)
    if figure == DELIVERED:
        return number
    if figure == ON_TIME:
        return np.cumsum(~late).astype(np.float64)
    share = np.cumsum(late) / number
    share[: LEAST_ORDERS - 1] = np.nan
    return share


def _other_days(clock: History, start: float, length: float) -> list[float]:
    """Return when the same hours began on other days that the history covers, on the kitchen's clock."""
    began = clock.began
    if not len(began):
        return []
    offsets = clock.days - int(start // DAY)
    begins = start + offsets * DAY
    apart = np.abs(begins - start) >= length
    covered = apart & (begins >= np.floor(began[0] / DAY) * DAY) & (begins + length <= began[-1] + DAY)
    alike = covered & (offsets % 7 == 0)
    return begins[alike if np.count_nonzero(alike) >= SAME_WEEKDAYS else covered].tolist()
