"""What a rule's condition is at the minutes of a kitchen's days: the one evaluation, live and in a backtest.

Each day is judged by itself, with what had happened by then: what is usual comes from the days before it alone, so that the
answer for a minute is the same whether the record ends there or goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from twin.analysis.alerts.demand import Demand, DemandSigns
from twin.analysis.alerts.figures import FIGURES, Record, usual_at
from twin.analysis.alerts.machine import Firing, Machine, Verdict
from twin.analysis.alerts.rules import FigureCondition, Rule, TroubleCondition
from twin.analysis.alerts.signs import DEMAND, HALF, PHASES, Signs, signs_of, stands_still
from twin.analysis.baseline import MOST_DAYS, Baseline, History
from twin.analysis.metrics import COMPLETION_SPAN, MetricIndex
from twin.analysis.moments.evidence import Evidence
from twin.foundation.cache import Owner
from twin.foundation.settings import COLD_AFTER_S, DELIVERY_TARGET_S, LATE_AFTER_S
from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import DAY
from twin.foundation.zones import Zone
from twin.sources.base import Window
from twin.timeline.orders import began
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

STEP_S = 60.0
"""Seconds between two looks."""
LEAD_S = COMPLETION_SPAN[0] + 2 * STALLED_AFTER
"""Seconds before a day whose orders count for its figures."""


@dataclass(frozen=True)
class Promises:
    """What a business promises (seconds), see `Settings`."""

    target: float = DELIVERY_TARGET_S
    late_after: float = LATE_AFTER_S
    cold_after: float = COLD_AFTER_S


@dataclass(frozen=True)
class Looks:
    """A condition at m times `t` of one day.

    verdict: (m,) of `Verdict`; value, usual: (m,) NaN where unknown; text: m sentences, or none.
    """

    t: Floats
    verdict: NDArray[np.uint8]
    value: Floats
    usual: Floats
    text: tuple[str, ...]


class Bare(Owner, SimpleNamespace):
    """What detectors use of a timeline, without events and trips."""


class Evaluation:
    """Judges rules over the orders of one kitchen. Not thread-safe."""

    def __init__(
        self,
        history: History,
        location: str,
        promises: Promises | None = None,
        before: "Evaluation | None" = None,
    ) -> None:
        """`history` has the whole orders of the days judged, and of the 28 days before them as far as there are any.

        What is usual is taken over from the evaluation `before` of the same kitchen, for days whose days before are the same.
        """
        self.location, self._promises = location, promises or Promises()
        self._known = {} if before is None or before._promises != self._promises else before._days
        begins = began(history.created, history.enter[0]) if len(history) else np.empty(0)
        by_time = np.argsort(begins, kind="stable")  # a source may return them in any order
        self._began, self.tz = begins[by_time], history.tz
        self._history = History(history.milestones[:, by_time], history.enter[:, by_time], history.tz)
        self._days: dict[int, _Day] = {}

    def looks(self, rule: Rule, after: float, until: float) -> Iterator[Looks]:
        """Yield what the rule's condition is in (after, until], a day at a time; only what had happened by each time counts."""
        condition = rule.condition
        grid = (np.arange(np.floor(after / STEP_S), np.floor(until / STEP_S)) + 1) * STEP_S
        days = np.asarray(self.tz.day(grid), np.int64)
        for day in np.unique(days).tolist():
            yield self.day(day).looks(condition, grid[days == day])

    def run(self, rule: Rule, machine: Machine, after: float, until: float) -> tuple[Machine, list[Firing]]:
        """Return the machine's state at `until`, and the alerts that began or ended on the way: one that did both comes twice."""
        changes: list[Firing] = []
        for looks in self.looks(rule, after, until):
            machine, more = advance(rule, machine, looks, self.tz)
            changes += more
        return machine, changes

    def day(self, day: int) -> "_Day":
        """Return a day of the kitchen's clock, numbered since 1970; the last two are kept."""
        if day not in self._days:
            for old in sorted(self._days)[:-1]:
                del self._days[old]
            begin = float(self.tz.start_of(day))
            end = float(self.tz.start_of(day + 1))
            self._days[day] = _Day(
                self._before(begin),
                self._between(begin - LEAD_S, end),
                Window(begin, end),
                self.location,
                self._promises,
                self._known.get(day),
            )
        return self._days[day]

    @property
    def nbytes(self) -> int:
        """Bytes of the orders held."""
        return self._history.nbytes + sum(day.nbytes for day in self._days.values())

    def _between(self, start: float, end: float) -> History:
        inside = (self._began >= start) & (self._began < end)
        return History(self._history.milestones[:, inside], self._history.enter[:, inside], self.tz)

    def _before(self, t: float) -> History:
        """Return the orders of the 28 days before t, as far as they had come by then."""
        orders = self._between(t - MOST_DAYS * DAY, t)
        with np.errstate(invalid="ignore"):
            milestones = np.where(orders.milestones <= t, orders.milestones, np.nan)
        return History(milestones, np.where(orders.enter <= t, orders.enter, np.inf), self.tz)


class _Day:
    """One day of a kitchen: its orders, and what was usual before it."""

    def __init__(
        self, before: History, orders: History, window: Window, location: str, promises: Promises, known: "_Day | None"
    ) -> None:
        """What is usual is taken over from `known`, the same day with fewer orders, if the days before are the same."""
        self._before, self._orders, self._window, self._promises = before, orders, window, promises
        if known is not None and not known._before.equals(before):
            known = None
        self._baseline: Baseline = Baseline(before, window) if known is None else known._baseline
        # not `known` itself, which would hold the one before it, and so on
        self._learned: Evidence | None = None if known is None else known._evidence or known._learned
        self._as_timeline = cast(
            "Timeline",
            Bare(orders=orders, window=window, tz=orders.tz, location=SimpleNamespace(id=location)),
        )
        self._record: Record | None = None
        self._evidence: Evidence | None = None
        self._signs: dict[str, Signs] = {}
        self._demand: Demand | None = None
        self._demand_signs: dict[str, DemandSigns] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the orders held."""
        return self._before.nbytes + self._orders.nbytes

    def looks(self, condition: FigureCondition | TroubleCondition, t: Floats) -> Looks:
        """Return what a condition is at times of this day."""
        if isinstance(condition, FigureCondition):
            return self._of_figure(condition, t)
        return self._of_trouble(condition, t)

    def _of_figure(self, condition: FigureCondition, t: Floats) -> Looks:
        figure, record = FIGURES[condition.figure], self._recorded()
        value = figure.at(record, t)
        unknown = np.full(len(t), np.nan)
        usual = usual_at(figure, self._baseline, t, self._promises.target) if condition.against_usual else unknown
        limit, recovery = condition.bound(condition.limit, usual), condition.bound(condition.recovery, usual)
        sign = -1.0 if condition.under else 1.0
        with np.errstate(invalid="ignore"):
            over, fine = sign * value > sign * limit, sign * value <= sign * recovery
        known = np.isfinite(value) & np.isfinite(limit)
        verdict = np.where(over, Verdict.OVER, np.where(fine, Verdict.FINE, Verdict.BETWEEN))
        return Looks(t, np.where(known, verdict, Verdict.UNKNOWN).astype(np.uint8), value, usual, ())

    def _recorded(self) -> Record:
        if self._record is None:
            self._record = Record(self._orders, MetricIndex(self._as_timeline), self._promises.target)
        return self._record

    def _of_trouble(self, condition: TroubleCondition, t: Floats) -> Looks:
        if self._baseline.history is None:  # the first day of a record: nothing is usual
            unknown = np.full(len(t), np.nan)
            return Looks(t, np.zeros(len(t), np.uint8), unknown, unknown, ())
        local = np.asarray(self._orders.tz.local(t), np.float64)
        evidence, heard = self._examined(), self._recorded().known(t)
        over, between = np.zeros((2, len(t)), bool)
        value, text = np.zeros(len(t)), [""] * len(t)
        for phase in PHASES[condition.kind]:
            signs = self._signs_of(evidence, phase)
            place = np.asarray(np.round((t - self._window.start) / STEP_S), np.intp)
            strength, slow, longest, usually = (
                part[place] for part in (signs.strength, signs.slow, signs.longest, signs.usually)
            )
            here = heard & signs.over[place] & (slow >= condition.least_orders)
            goes_on = (strength >= HALF) & (slow > 0)
            if condition.kind == "outage":
                here &= stands_still(evidence, local)
                goes_on &= stands_still(evidence, local)
            for k in np.flatnonzero(here & ~over).tolist():
                value[k], text[k] = slow[k], _said(phase, slow[k], longest[k], usually[k])
            over, between = over | here, between | goes_on
        known = heard | over
        if condition.kind in DEMAND:
            demand = self._of_demand(evidence, condition.kind)
            place = np.asarray(np.round((t - self._window.start) / STEP_S), np.intp)
            for k in np.flatnonzero(demand.over[place] & ~over).tolist():
                text[k] = demand.said(int(place[k]))
            over, between = over | demand.over[place], between | demand.goes_on[place]
            known = over | between | (heard & demand.known[place])
        verdict = np.where(over, Verdict.OVER, np.where(between, Verdict.BETWEEN, Verdict.FINE))
        # a kitchen of which nothing is heard is not known to be fine
        verdict = np.where(known, verdict, Verdict.UNKNOWN).astype(np.uint8)
        return Looks(t, verdict, value, np.full(len(t), np.nan), tuple(text))

    def _examined(self) -> Evidence:
        if self._evidence is None:
            promises = self._promises
            if self._learned is not None and self._baseline.history is not None:
                self._evidence = self._learned.with_orders(self._orders)
            else:
                self._evidence = Evidence.of(
                    self._as_timeline, self._baseline, promises.late_after, promises.cold_after
                )
        return self._evidence

    def _signs_of(self, evidence: Evidence, phase: str) -> Signs:
        """Return the signs of a phase on the grid of the whole day, computed once: at each time of what happened by then."""
        if phase not in self._signs:
            self._signs[phase] = signs_of(evidence, phase, self._grid(evidence))
        return self._signs[phase]

    def _of_demand(self, evidence: Evidence, kind: str) -> DemandSigns:
        """Return the signs of a rush or a silence on the grid of the whole day, computed once."""
        if self._demand is None:
            self._demand = Demand(evidence, evidence.start, evidence.start - LEAD_S)
        if kind not in self._demand_signs:
            self._demand_signs[kind] = self._demand.signs(kind, self._grid(evidence))
        return self._demand_signs[kind]

    def _grid(self, evidence: Evidence) -> Floats:
        """Return the minutes of the day by the kitchen's clock."""
        return np.asarray(evidence.tz.local(np.arange(self._window.start, self._window.end, STEP_S)), np.float64)


def _said(phase: str, slow: float, longest: float, usually: float) -> str:
    """Return the signs of a phase in words.

    >>> _said("queue", 4, 720.0, 120.0)
    '4 orders wait or waited long to be cooked: up to 12 min, usually 2 min'
    """
    what = {
        "queue": "orders wait or waited long to be cooked",
        "cook": "meals cook or cooked long",
        "wait": "meals wait or waited long for a driver",
        "drive": "drives take or took long",
    }[phase]
    return f"{slow:.0f} {what}: up to {longest / 60:.0f} min, usually {usually / 60:.0f} min"


def advance(rule: Rule, machine: Machine, looks: Looks, tz: Zone) -> tuple[Machine, list[Firing]]:
    """Return the machine after some looks, and the alerts that began or ended."""
    changes = []
    quiet = np.zeros(len(looks.t), bool) if rule.quiet is None else rule.quiet.covers(looks.t, tz)
    texts = looks.text or ("",) * len(looks.t)
    for t, verdict, value, usual, text, silent in zip(
        looks.t.tolist(), looks.verdict.tolist(), looks.value.tolist(), looks.usual.tolist(), texts, quiet.tolist(),
        strict=True,
    ):  # fmt: skip
        machine, change = machine.step(rule, t, verdict, value, usual, text, silent)
        if change is not None:
            changes.append(change)
    return machine, changes
