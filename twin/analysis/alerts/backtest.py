"""What a rule would have done: the live evaluation on the days that are recorded, beside the moments found in hindsight."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import numpy as np

from twin.analysis.alerts.evaluation import Bare, Evaluation, Promises, advance
from twin.analysis.alerts.machine import Firing, Machine, Verdict
from twin.analysis.alerts.rules import Rule, TroubleCondition
from twin.analysis.baseline import Baseline, History
from twin.analysis.moments import detect
from twin.analysis.moments.moment import TROUBLES, Moment
from twin.foundation.times import DAY
from twin.sources.base import Window
from twin.timeline.timeline import Timeline

MOST_DAYS = 28
"""Days that a backtest goes back at most."""
AFTERMATH_S = 1800.0
"""Seconds after a moment in which its backlog still belongs to it, as in the figures of docs/moments.md."""
FAMILIES = (
    frozenset({"outage", "slow_kitchen", "unusual_deliveries"}),
    frozenset({"driver_shortage", "drivers_late", "food_waiting", "unusual_deliveries"}),
    frozenset({"slow_delivery", "unusual_deliveries"}),
    frozenset({"demand_spike"}),
)
"""Kinds of trouble that hindsight may call by each other's name."""

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have been, and the moment that confirms it in hindsight; None if there is none."""

    firing: Firing
    moment: Moment | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have done in `window` at a location. One that still fires at its end has no duration.

    coverage: share of the looks in the window at which the condition was known; days: how many days there are a record of.
    """

    rule: Rule
    location: str
    window: Window
    days: float
    coverage: float
    fired: tuple[Fired, ...]
    missed: tuple[Moment, ...]
    """Troubles of the rule's kind, for a rule about one, during which it did not fire."""

    @property
    def precision(self) -> float | None:
        """Share of the alerts that a moment confirms; None without any."""
        return sum(one.moment is not None for one in self.fired) / len(self.fired) if self.fired else None

    @property
    def sentence(self) -> str:
        """The result in words."""
        number, days = len(self.fired), f"{self.days:.0f} day{'s' * (round(self.days) != 1)}"
        times = "once" if number == 1 else f"{number} times"
        said = f"Would have fired {times} in the last {days}" if number else f"Would not have fired in the last {days}"
        confirmed = sum(one.moment is not None for one in self.fired)
        return f"{said}, {confirmed} of {number} confirmed in hindsight." if number else f"{said}."


def range_of(first: float, edge: float, days: float = MOST_DAYS) -> Window:
    """Return the range of a backtest: `days` up to the `edge`, as far as the record goes back to `first`."""
    return Window(min(max(first, edge - days * DAY), edge), edge)


def hindsight(history: History, location: str, window: Window, promises: Promises) -> tuple[Moment, ...]:
    """Return the troubles found in hindsight; `history` has the whole orders of the window and those around it."""
    began = history.enter[0]
    inside = (began >= window.start - DAY / 6) & (began < window.end)
    orders = History(history.milestones[:, inside], history.enter[:, inside], history.tz)
    place = SimpleNamespace(id=location)
    timeline = cast("Timeline", Bare(orders=orders, window=window, tz=history.tz, location=place))
    found = detect(timeline, Baseline(history, window), promises.late_after, promises.cold_after, promises.target)
    return tuple(one for one in found.moments if one.kind in TROUBLES)


def backtest(
    evaluation: Evaluation, rule: Rule, window: Window, moments: tuple[Moment, ...], progress: Progress | None = None
) -> Backtest:
    """Return what a rule would have done in a window; `moments` are the troubles of it in hindsight.

    `progress` is called with the share that is done after each day, and may raise to end it.
    """
    machine, changes, looked, known = Machine(), [], 0, 0
    for looks in evaluation.looks(rule, window.start, window.end):
        machine, more = advance(rule, machine, looks, evaluation.tz)
        changes += more
        looked += len(looks.t)
        known += int(np.count_nonzero(looks.verdict != Verdict.UNKNOWN))
        if progress is not None:
            progress((looks.t[-1] - window.start) / (window.end - window.start))
    # one that ended has come when it began, too: the later one says both
    firings = {one.began: one for one in changes}
    if machine.firing is not None:
        firings[machine.firing.began] = machine.firing
    fired = tuple(Fired(one, confirmation(rule, one, window.end, moments)) for one in firings.values())
    missed: tuple[Moment, ...] = ()
    if isinstance(rule.condition, TroubleCondition):
        confirmed = [(one.firing.began, one.firing.ended or window.end) for one in fired]
        missed = tuple(
            moment
            for moment in moments
            if moment.kind == rule.condition.kind
            and not any(begin <= moment.end + AFTERMATH_S and moment.start <= end for begin, end in confirmed)
        )
    covered = known / looked if looked else 0.0
    return Backtest(rule, evaluation.location, window, (window.end - window.start) / DAY, covered, fired, missed)


def confirmation(rule: Rule, firing: Firing, end: float, moments: tuple[Moment, ...]) -> Moment | None:
    """Return the worst moment during which an alert began to hold or fired; of a rule about troubles, one of its family."""
    condition = rule.condition
    kinds = (
        frozenset().union(*(family for family in FAMILIES if condition.kind in family))
        if isinstance(condition, TroubleCondition)
        else TROUBLES
    )
    until = end if firing.ended is None else firing.ended
    for moment in moments:  # the worst first
        if moment.kind in kinds and moment.start <= until and firing.since <= moment.end + AFTERMATH_S:
            return moment
    return None
