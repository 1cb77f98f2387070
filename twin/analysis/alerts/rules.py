"""Rules of alerts, and the sentences that say them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis.alerts.figures import FIGURES
from twin.analysis.alerts.signs import LEAST_SLOW, PHASES
from twin.analysis.moments.moment import KINDS
from twin.foundation.errors import TwinError
from twin.foundation.times import DAY
from twin.foundation.zones import Zone

MINUTE = 60.0
FOR_S = 3 * MINUTE
KEEP_S = 10 * MINUTE
LONGEST_S = 12 * 3600.0
"""Longest `for` and keep-firing times; longer ones are slips of the hand."""
LONGEST_NAME = 120
MOST_ORDERS = 10_000


class RuleError(TwinError):
    """A rule that means nothing; the sentence says why."""


@dataclass(frozen=True, slots=True)
class TroubleCondition:
    """A kind of trouble shows in the orders that are open or have just come (signs.py), in at least so many of them.

    A rush and a silence are of all orders, of which `least_orders` says nothing.
    """

    kind: str
    least_orders: int = 3

    def __post_init__(self) -> None:
        if self.kind not in PHASES:
            raise RuleError(f"There is no alert for {self.kind!r}; there are: {', '.join(PHASES)}.")
        if not 1 <= self.least_orders <= MOST_ORDERS:
            raise RuleError(f"A trouble is of 1 to {MOST_ORDERS:,} orders.")

    @property
    def sentence(self) -> str:
        """What is watched for, in words.

        >>> TroubleCondition("driver_shortage").sentence, TroubleCondition("slow_kitchen", 10).sentence
        ('Drivers short', 'Slow kitchen in 10 orders or more')
        """
        least = f" in {self.least_orders} orders or more" if self.least_orders > LEAST_SLOW else ""
        return f"{KINDS[self.kind].capitalize()}{least}"


@dataclass(frozen=True, slots=True)
class FigureCondition:
    """A figure of `FIGURES` is beyond a limit, until it is back on the other side of `recovery`.

    limit, recovery: seconds, shares or numbers as the figure has them; with `of_usual` factors of the usual value, with
    `from_usual` distances from it.
    """

    figure: str
    limit: float
    recovery: float
    under: bool = False
    of_usual: bool = False
    from_usual: bool = False

    def __post_init__(self) -> None:
        if self.figure not in FIGURES:
            raise RuleError(f"There is no figure {self.figure!r}; there are: {', '.join(FIGURES)}.")
        if not (np.isfinite(self.limit) and np.isfinite(self.recovery) and min(self.limit, self.recovery) >= 0):
            raise RuleError("Limits are numbers from 0 on.")
        if self.of_usual and self.from_usual:
            raise RuleError("Limits are factors of what is usual, or how far from it: not both.")
        falls = self.under and not self.from_usual
        if (self.recovery < self.limit) if falls else (self.recovery > self.limit):
            side = "below" if falls else "above"
            raise RuleError(f"The recovery limit must not lie {side} the limit, or it would fire and recover at once.")
        if self.against_usual and FIGURES[self.figure].usual is None:
            raise RuleError(f"{FIGURES[self.figure].label}: nothing is usual of it, give an absolute limit.")

    @property
    def sentence(self) -> str:
        """What is watched for, in words.

        >>> FigureCondition("delivery_time", 2700, 2400).sentence
        'Delivery time over 45 min'
        >>> FigureCondition("orders_per_hour", 0.5, 0.7, under=True, of_usual=True).sentence
        'Orders per hour under 50 % of usual'
        >>> FigureCondition("delivery_time", 600, 300, from_usual=True).sentence
        'Delivery time 10 min over usual'
        """
        return f"{FIGURES[self.figure].label} {self._said(self.limit, 'under' if self.under else 'over')}"

    @property
    def against_usual(self) -> bool:
        """Whether the limits stand against what is usual."""
        return self.of_usual or self.from_usual

    def bound(self, limit: float, usual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a limit as a value of the figure where `usual` (m,) is usual: (m,), NaN where that is unknown."""
        if self.of_usual:
            return limit * usual
        return usual + (-limit if self.under else limit) if self.from_usual else np.full(usual.shape, limit)

    @property
    def back(self) -> str:
        """What has to be for a recovery, in words."""
        if self.from_usual:
            return f"less than {self._said(self.recovery, 'under' if self.under else 'over')}"
        return self._said(self.recovery, "over" if self.under else "under")

    def _said(self, value: float, side: str) -> str:
        if self.of_usual:
            return f"{side} {value:.0%} of usual".replace("%", " %")
        said = FIGURES[self.figure].said(value)
        return f"{said} {side} usual" if self.from_usual else f"{side} {said}"

    def said_value(self, value: float, usual: float) -> str:
        """Return what a figure was, in words; `usual` is NaN where unknown."""
        figure = FIGURES[self.figure]
        said = f"{figure.label} {figure.said(value)}"
        return f"{said} against {figure.said(usual)} usually" if np.isfinite(usual) else said


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the kitchen's clock in which nothing begins to fire: seconds after midnight.

    An `end` before `begin` is on the next day.
    """

    begin: float
    end: float

    def __post_init__(self) -> None:
        if not (0 <= self.begin < DAY and 0 <= self.end <= DAY) or self.begin == self.end:
            raise RuleError("Quiet hours begin and end at two different times of a day.")

    def covers(self, t: NDArray[np.float64], tz: Zone) -> NDArray[np.bool_]:
        """Return whether each of `t` (m,), data seconds, is in the quiet hours."""
        of_day = np.asarray(tz.local(t)) % DAY
        if self.begin < self.end:
            return (of_day >= self.begin) & (of_day < self.end)
        return (of_day >= self.begin) | (of_day < self.end)

    @property
    def sentence(self) -> str:
        """The hours in words."""
        return f"{_clock(self.begin)} to {_clock(self.end)}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What fires an alert.

    for_s: seconds for which the condition must hold before it fires; keep_s: seconds that it must be over before it recovers, so
    that it does not flap; locations: ids of kitchens, empty for all.
    """

    condition: TroubleCondition | FigureCondition
    for_s: float = FOR_S
    keep_s: float = KEEP_S
    quiet: Quiet | None = None
    locations: frozenset[str] = field(default_factory=frozenset)
    name: str = ""
    id: str = ""
    enabled: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.for_s <= LONGEST_S and 0 <= self.keep_s <= LONGEST_S):
            raise RuleError("A rule waits and keeps firing for at most 12 hours.")
        if len(self.name) > LONGEST_NAME:
            raise RuleError(f"A rule's name has at most {LONGEST_NAME} characters.")

    @property
    def sentence(self) -> str:
        """The rule in words.

        >>> Rule(FigureCondition("delivery_time", 2700, 2400), 600, 600).sentence
        'Delivery time over 45 min for 10 min, until it is under 40 min for 10 min'
        >>> Rule(TroubleCondition("outage"), 0, 600, Quiet(22 * 3600, 7 * 3600)).sentence
        'Outage, until it is over for 10 min; quiet from 22:00 to 07:00'
        """
        lasting = f" for {self.for_s / MINUTE:g} min" if self.for_s else ""
        condition = self.condition
        back = condition.back if isinstance(condition, FigureCondition) else "over"
        keep = f" for {self.keep_s / MINUTE:g} min" if self.keep_s else ""
        quiet = f"; quiet from {self.quiet.sentence}" if self.quiet else ""
        return f"{condition.sentence}{lasting}, until it is {back}{keep}{quiet}"

    @property
    def title(self) -> str:
        """Its name, or what it watches."""
        return self.name or self.condition.sentence

    def watches(self, location: str) -> bool:
        """Return whether it is for a kitchen."""
        return self.enabled and (not self.locations or location in self.locations)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, from which `from_json` makes it again."""
        key = "figure" if isinstance(self.condition, FigureCondition) else "trouble"
        return {
            "id": self.id,
            "name": self.name,
            "enabled": self.enabled,
            key: asdict(self.condition),
            "for_s": self.for_s,
            "keep_s": self.keep_s,
            "quiet": None if self.quiet is None else asdict(self.quiet),
            "locations": sorted(self.locations),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Rule":
        """Return a rule from `as_json`. Raises `RuleError`."""
        if given.get("figure") and given.get("trouble"):
            raise RuleError("A rule watches a figure or a trouble, not both.")
        try:
            condition = (
                FigureCondition(**given["figure"]) if given.get("figure") else TroubleCondition(**given["trouble"])
            )
            quiet = Quiet(**given["quiet"]) if given.get("quiet") else None
            return cls(
                condition,
                float(given["for_s"]),
                float(given["keep_s"]),
                quiet,
                frozenset(given["locations"]),
                str(given["name"]),
                str(given["id"]),
                bool(given["enabled"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RuleError(f"This is no rule: {error}") from error


def _clock(of_day: float) -> str:
    return f"{int(of_day // 3600):02d}:{int(of_day // MINUTE % 60):02d}"
