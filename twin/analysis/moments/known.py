"""Troubles as they were known at a time: found in what had happened by then, whatever came later."""

from dataclasses import replace

import numpy as np

from twin.analysis.baseline import Baseline, History
from twin.analysis.moments import demand
from twin.analysis.moments.days import day_of, midnight_of
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.examination import UNEXAMINED, Examination, Findings, causes, prepared
from twin.analysis.moments.late_minutes import LateMinutes
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.slowness import scores
from twin.foundation.cache import Owner
from twin.foundation.settings import COLD_AFTER_S, DELIVERY_TARGET_S, LATE_AFTER_S
from twin.foundation.times import DAY, HOUR
from twin.timeline.timeline import Timeline

BACK = 8 * HOUR
"""Seconds before a time whose orders are examined for it: longer than a trouble that one would call one."""
RECOVERED = 8.0
"""Score (see slowness.py) that later orders lose from which a trouble is over: eight that take as long as usual."""
QUIET_S = HOUR
"""Seconds without a later order after which a trouble is over: nobody is left whom it could keep waiting."""
JUST_ENDED = 10 * 60.0
"""Seconds for which a trouble is still told after its end, for somebody who arrives slightly late."""
EDGE_S = 3 * 60.0
"""A rush or a lull whose end is so near (seconds) is not over: a minute more or less is chance."""


class TroublesAsKnown(Owner):
    """The troubles of a timeline as they were known at any time of it.

    What is usual comes from other days, also later ones, as everywhere (docs/decisions), but never from the same day: of it, only
    what had happened. In a record of one day usual values come from its own orders so far.
    """

    def __init__(
        self,
        timeline: Timeline,
        baseline: Baseline,
        late_after: float = LATE_AFTER_S,
        cold_after: float = COLD_AFTER_S,
        target: float = DELIVERY_TARGET_S,
    ) -> None:
        """`late_after`, `cold_after` and `target` are seconds, see `detect`. Refers to no timeline."""
        self._evidence = prepared(timeline, baseline, late_after, cold_after)
        self._late = None if self._evidence is None else LateMinutes(timeline, baseline, target)
        self._location = timeline.location.id
        self.window = timeline.window
        self._of_day: tuple[int, Evidence] | None = None

    def at(self, t: float) -> Findings:
        """Return the troubles known at t (data seconds) that are going on, or ended up to `JUST_ENDED` before, worst first.

        One that is going on ends at t. Figures and sentences count what had happened by t.
        """
        if self._evidence is None or self._late is None:
            return UNEXAMINED
        now = float(self._evidence.tz.local(t))
        evidence = self._without_day(self._evidence, int(day_of(np.array(now)))).as_known(now, now - BACK)
        if not len(evidence.orders):
            return Findings()
        examined = Examination(evidence, self._location)
        moments = [moment for moment, _ in causes(examined)] + examined.run("demand", demand.rushes_and_lulls)
        ranked = []
        for moment in moments:
            going_on = _is_going_on(evidence, moment)
            if not going_on and moment.end < now - JUST_ENDED:
                continue
            if going_on:
                moment = replace(moment, end=now, at=min(moment.at, now), sentence=_so_far(moment.sentence))
            ranked.append((not going_on, -moment.severity, moment.start, moment))
        ranked.sort(key=lambda one: one[:3])
        return examined.findings(self._late.said([evidence.in_data_time(moment) for *_, moment in ranked], t))

    def _without_day(self, evidence: Evidence, day: int) -> Evidence:
        """Return the evidence whose history is without a day; that of the last one asked for is kept."""
        held = self._of_day  # another thread may be on another day
        if held is None or held[0] != day:
            history = evidence.history
            start, end = midnight_of(day), midnight_of(day) + DAY
            first = np.where(np.isfinite(history.enter[0]), history.enter[0], history.created)
            other = ~((first >= start) & (first < end))
            rest = History(history.milestones[:, other], history.enter[:, other])
            held = self._of_day = day, replace(evidence, history=rest, _memo={})
        return held[1]


_PHASES = {
    "driver_shortage": "wait",
    "drivers_late": "wait",
    "food_waiting": "wait",
    "outage": "queue",
    "slow_delivery": "drive",
    "unusual_deliveries": "total",
}
_PHASES_OF_KITCHEN = {"created": "queue", "cooking": "cook", "ready": "pack"}


def _is_going_on(evidence: Evidence, moment: Moment) -> bool:
    """Return whether a trouble is not over at the evidence's `now`, as far as can be told then."""
    assert evidence.now is not None
    if moment.kind == "demand_spike" or moment.kind == "outage":
        return moment.end >= evidence.now - EDGE_S
    name = _PHASES.get(moment.kind) or _PHASES_OF_KITCHEN[moment.stage]
    start = evidence.phase(name).start
    with np.errstate(invalid="ignore"):
        later = np.flatnonzero(start > moment.end)
    recovered = -float(np.nansum(scores(evidence, name, later))) >= RECOVERED
    return not recovered and evidence.now - moment.end < QUIET_S


def _so_far(sentence: str) -> str:
    """Return a moment's sentence for one that is not over.

    >>> _so_far("Cooking took 21 min against 11 min usually"), _so_far("9 meals waited 12 min")
    ('So far cooking took 21 min against 11 min usually', 'So far 9 meals waited 12 min')
    """
    return f"So far {sentence[0].lower()}{sentence[1:]}"
