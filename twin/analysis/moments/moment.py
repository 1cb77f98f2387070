"""A moment: something that stands out, with a title, a sentence and figures."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE, Zone

WEEK = 7 * DAY
"""Seconds of a range in which a weekday names one day."""

KINDS: dict[str, str] = {
    "driver_shortage": "drivers short",
    "drivers_late": "drivers late",
    "food_waiting": "food waiting",
    "slow_kitchen": "slow kitchen",
    "outage": "outage",
    "demand_spike": "demand spike",
    "slow_delivery": "slow driving",
    "unusual_deliveries": "slow deliveries",
    "peak": "peak",
}
"""Kind -> short label, the most serious first."""

TROUBLES = frozenset(KINDS) - {"peak"}
"""Kinds in which something goes wrong; a peak is only busy."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that stands out. start, end, at: data seconds; `at` is when it is worst, the time to jump to.

    severity: 0..1, for ranking; figures: the numbers of the sentence and some more (minutes, counts or shares, by key); stage:
    the stage in which it is visible, "" if none.

    >>> Moment("peak", 1760638200.0, 1760640600.0, 1760639400.0, 0.1, "Peak", "60 orders an hour").when
    'Thu 18:10–18:50'
    """

    kind: str
    start: float
    end: float
    at: float
    severity: float
    title: str
    sentence: str
    figures: dict[str, float] = field(default_factory=dict)
    stage: str = ""
    tz: Zone = NAIVE
    """The kitchen's clock, for texts."""
    settled: float = -math.inf
    """When the last of the orders that its sentence counts was delivered: before that, its figures were not known."""
    why: str = ""
    """What the late minutes of the orders that began then were made of (`Account.sentence`); empty where none was late."""

    @property
    def label(self) -> str:
        """The kind in one or two words."""
        return KINDS[self.kind]

    @property
    def when(self) -> str:
        """The range in short; the weekday of the end is left out if it is the same."""
        same = self.tz.day(self.start) == self.tz.day(self.end)
        return f"{self._clock(self.start)}–{self._clock(self.end, day=not same)}"

    def _clock(self, t: float, *, day: bool = True) -> str:
        return f"{self.tz.weekday(t)[:3]} {self.tz.clock(t)}" if day else self.tz.clock(t)


def when_in(moment: Moment, window: float) -> str:
    """Return a moment's `when` for a range of `window` seconds: beyond a week each weekday comes again, and has its date.

    >>> moment = Moment("peak", 1760638200.0, 1760640600.0, 1760639400.0, 0.1, "Peak", "60 orders an hour")
    >>> when_in(moment, 7 * DAY), when_in(moment, 31 * DAY)
    ('Thu 18:10–18:50', 'Thu 16 Oct 18:10–18:50')
    """
    if window <= WEEK:
        return moment.when
    tz = moment.tz

    def dated(t: float) -> str:
        return f"{tz.weekday(t)[:3]} {tz.date(t)} {tz.clock(t)}"

    same = tz.day(moment.start) == tz.day(moment.end)
    return f"{dated(moment.start)}–{tz.clock(moment.end) if same else dated(moment.end)}"


Rows = NDArray[np.intp]
"""Rows of the evidence's orders."""

Finding = tuple[Moment, Rows]
"""A moment and the orders that it affected."""
