"""What a moment is: something in a range that stands out, in words and figures."""

from dataclasses import dataclass, field

from twin.foundation.times import text

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
"""Kinds that something is wrong in; a peak is only busy."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that stands out. start, end, at: data seconds; `at` is when it is worst, the moment to jump to.

    severity 0..1 ranks; `figures` are the numbers of the sentence and some more (minutes, counts, shares: the key says);
    `stage` is the stage it shows in, "" if none.

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

    @property
    def label(self) -> str:
        """The kind in one or two words."""
        return KINDS[self.kind]

    @property
    def when(self) -> str:
        """The range as people say it; the second day is told where it is another."""
        same = self.start // _DAY == self.end // _DAY
        return f"{_clock(self.start)}–{_clock(self.end, day=not same)}"


def _clock(t: float, *, day: bool = True) -> str:
    weekday = _WEEKDAYS[int(t // _DAY + 3) % 7]  # 1970 began on a Thursday
    clock = text(t)[11:16]
    return f"{weekday} {clock}" if day else clock
