"""Runs the detectors one by one, so that one which fails takes no other along."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from twin.analysis.baseline import Baseline
from twin.analysis.moments import cooking, deliveries, drivers
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.merging import merged
from twin.analysis.moments.moment import Finding, Moment, Rows
from twin.timeline.timeline import Timeline

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

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Findings:
    """Moments, the most severe first, and the `DETECTORS` that failed: what these examine is unknown, not in order."""

    moments: tuple[Moment, ...] = ()
    failed: tuple[str, ...] = ()


UNEXAMINED = Findings(failed=tuple(DETECTORS))
"""What is found where the orders themselves cannot be prepared."""


def prepared(timeline: Timeline, baseline: Baseline, late_after: float, cold_after: float) -> Evidence | None:
    """Return the evidence of a timeline; None, and its reason in the log, if it cannot be prepared: the replay works without."""
    try:
        return Evidence.of(timeline, baseline, late_after, cold_after)
    except Exception:  # nothing can be examined, but the usual values are there
        log.exception("moments: the orders of %s cannot be prepared", timeline.location.id)
        return None


@dataclass(frozen=True)
class Examination:
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

    def findings(self, moments: Iterable[Moment]) -> Findings:
        """Return ranked moments with the detectors that failed."""
        return Findings(tuple(moments), tuple(name for name in DETECTORS if name in self.failed))


def causes(examined: Examination) -> list[Finding]:
    """Return the troubles of kitchen, drivers and road with the orders that they affected: one cause, one moment."""
    waits = examined.run("waits", drivers.waits)
    found = merged(
        examined.run("kitchen", cooking.troubles)
        + waits
        + examined.run("late_drivers", drivers.late_drivers, _rows(waits))
        + examined.run("drives", drivers.drives)
        + examined.run("uneven_kitchen", cooking.uneven)
        + examined.run("uneven_drives", drivers.uneven_drives)
    )
    return found + merged(examined.run("deliveries", deliveries.troubles, np.unique(_rows(found))))


def _rows(findings: Iterable[Finding]) -> Rows:
    """Return the orders that findings affected, with repetitions."""
    rows = [rows for _, rows in findings]
    return np.concatenate(rows) if rows else np.empty(0, np.intp)
