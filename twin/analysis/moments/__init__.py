"""Moments that stand out: peaks and troubles of a timeline, detected in its data, ranked, and explained in a sentence.

All detectors compare with the same hour of other days. docs/moments.md has the rules and thresholds.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from twin.analysis.baseline import Baseline
from twin.analysis.moments import cooking, deliveries, demand, drivers
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.merging import merged
from twin.analysis.moments.moment import KINDS, TROUBLES, Finding, Moment, Rows
from twin.foundation.settings import LATE_AFTER_S
from twin.timeline.timeline import Timeline

__all__ = ["DETECTORS", "HISTORY", "KINDS", "TROUBLES", "Findings", "Moment", "detect", "find"]

log = logging.getLogger(__name__)

DETECTORS: dict[str, str] = {
    "kitchen": "the kitchen's pace",
    "waits": "meals that wait",
    "late_drivers": "late drivers",
    "drives": "drives",
    "uneven_kitchen": "single meals that cook long",
    "uneven_drives": "single drives that take long",
    "deliveries": "delivery times",
    "demand": "rushes and lulls",
    "peaks": "peaks",
}
"""Name of each detector -> what it examines, in words."""

HISTORY = "history"
"""Stands among the failed detectors where the days around the range could not be used."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Findings:
    """Moments, the most severe first, and the `DETECTORS` that failed: what these examine is unknown, not in order."""

    moments: tuple[Moment, ...] = ()
    failed: tuple[str, ...] = ()


def find(timeline: Timeline, baseline: Baseline, late_after: float = LATE_AFTER_S) -> tuple[Moment, ...]:
    """Return the moments of `detect`."""
    return detect(timeline, baseline, late_after).moments


def detect(timeline: Timeline, baseline: Baseline, late_after: float = LATE_AFTER_S) -> Findings:
    """Return the moments of the timeline's window, the most severe first, and which detectors failed.

    Without a history (`Baseline.none()`) usual values come from the other days of the timeline, or from the rest of its only day.
    A driver is late who arrives more than `late_after` seconds after the food was ready.
    """
    if not len(timeline.orders):
        return Findings()
    try:
        evidence = Evidence.of(timeline, baseline, late_after)
    except Exception:  # nothing can be examined, but the replay and the usual values work
        log.exception("moments: the orders of %s cannot be prepared", timeline.location.id)
        return Findings(failed=tuple(DETECTORS))
    examined = _Examination(evidence, timeline.location.id)
    waits = examined.run("waits", drivers.waits)
    causes = merged(
        examined.run("kitchen", cooking.troubles)
        + waits
        + examined.run("late_drivers", drivers.late_drivers, _rows(waits))
        + examined.run("drives", drivers.drives)
        + examined.run("uneven_kitchen", cooking.uneven)
        + examined.run("uneven_drives", drivers.uneven_drives)
    )
    causes += merged(examined.run("deliveries", deliveries.troubles, np.unique(_rows(causes))))
    unusual = examined.run("demand", demand.rushes_and_lulls)
    moments = [moment for moment, _ in causes] + unusual + examined.run("peaks", demand.peaks, unusual)
    inside = [
        evidence.in_data_time(moment)
        for moment in moments
        if moment.start < evidence.end and moment.end >= evidence.start
    ]
    ranked = sorted(inside, key=lambda moment: (-moment.severity, moment.start))
    return Findings(tuple(ranked), tuple(name for name in DETECTORS if name in examined.failed))


@dataclass(frozen=True)
class _Examination:
    """Runs detectors one by one: one that fails finds nothing, is logged, and leaves the others as they are."""

    evidence: Evidence
    location: str
    failed: set[str] = field(default_factory=set)

    def run(
        self, name: str, detector: Callable[Concatenate[Evidence, P], list[R]], *args: P.args, **kwargs: P.kwargs
    ) -> list[R]:
        try:
            return detector(self.evidence, *args, **kwargs)
        except Exception:  # data that nobody foresaw must not take the other moments, the page and the API along
            log.exception("moments: the detector %r failed on %s from %s", name, self.location, self.evidence.start)
            self.failed.add(name)
            return []


def _rows(findings: Iterable[Finding]) -> Rows:
    """Return the orders that findings affected, with repetitions."""
    rows = [rows for _, rows in findings]
    return np.concatenate(rows) if rows else np.empty(0, np.intp)
