"""A moment: something that stands out, with a title, a sentence and figures."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.foundation.zones import NAIVE, Zone

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


Rows = NDArray[np.intp]
"""Rows of the evidence's orders."""

Finding = tuple[Moment, Rows]
"""A moment and the orders that it affected."""
