"""The state machine of one rule at one kitchen: it fires once and recovers once, whatever the figure does in between.

Its state is a small value that can be written down between two steps and taken up again by another process.
"""

import math
from dataclasses import dataclass, replace
from enum import IntEnum

from twin.analysis.alerts.rules import Rule


class Verdict(IntEnum):
    """What a condition is at a time: OVER the limit; BETWEEN that and the recovery limit; FINE beyond the latter."""

    UNKNOWN = 0
    FINE = 1
    BETWEEN = 2
    OVER = 3


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert: `began` is when it fired, `ended` when it recovered, None while it fires (data seconds).

    since: since when the condition held; value, usual: the figure (of a trouble its severity) when it fired, NaN where unknown;
    worst: the worst value so far.
    """

    since: float
    began: float
    value: float = math.nan
    usual: float = math.nan
    worst: float = math.nan
    text: str = ""
    ended: float | None = None

    @property
    def duration(self) -> float | None:
        """Seconds that it fired; None while it does."""
        return None if self.ended is None else self.ended - self.began


@dataclass(frozen=True, slots=True)
class Machine:
    """The state after a step at `t`. since: since when it is over the limit, NaN if it is not; fine_since: while firing, since
    when it is fine, NaN if it is not; firing: the alert that goes on.
    """

    t: float = math.nan
    since: float = math.nan
    fine_since: float = math.nan
    firing: Firing | None = None

    def step(
        self,
        rule: Rule,
        t: float,
        verdict: int,
        value: float = math.nan,
        usual: float = math.nan,
        text: str = "",
        quiet: bool = False,
    ) -> tuple["Machine", Firing | None]:
        """Return the state at t, which is after the last step, and the alert that has begun or ended there, if any.

        Where nothing is known, time stands still: it neither fires nor recovers, and what was waited so far counts on.
        """
        passed = 0.0 if math.isnan(self.t) else t - self.t
        if verdict == Verdict.UNKNOWN:
            return replace(self, t=t, since=self.since + passed, fine_since=self.fine_since + passed), None
        if self.firing is None:
            if verdict != Verdict.OVER:
                return Machine(t), None
            since = t if math.isnan(self.since) else self.since
            if quiet or t - since < rule.for_s:
                return Machine(t, since), None
            firing = Firing(since, t, value, usual, value, text)
            return Machine(t, firing=firing), firing
        if verdict != Verdict.FINE:
            firing = replace(self.firing, worst=self._worse(rule, value))
            return Machine(t, firing=firing), None
        fine_since = t if math.isnan(self.fine_since) else self.fine_since
        if t - fine_since < rule.keep_s:
            return replace(self, t=t, fine_since=fine_since), None
        return Machine(t), replace(self.firing, ended=t)

    def _worse(self, rule: Rule, value: float) -> float:
        assert self.firing is not None
        worst = self.firing.worst
        if math.isnan(value) or math.isnan(worst):
            return value if math.isnan(worst) else worst
        return min(worst, value) if getattr(rule.condition, "under", False) else max(worst, value)
