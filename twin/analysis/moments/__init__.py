"""Moments that stand out: peaks and troubles of a timeline, detected in its data, ranked, and explained in a sentence.

All detectors compare with the same hour of other days. docs/moments.md has the rules and thresholds.
"""

import numpy as np

from twin.analysis.baseline import Baseline
from twin.analysis.moments import cooking, deliveries, demand, drivers
from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.merging import merged
from twin.analysis.moments.moment import KINDS, TROUBLES, Moment
from twin.foundation.settings import LATE_AFTER_S
from twin.timeline.timeline import Timeline

__all__ = ["KINDS", "TROUBLES", "Moment", "find"]


def find(timeline: Timeline, baseline: Baseline, late_after: float = LATE_AFTER_S) -> tuple[Moment, ...]:
    """Return the moments of the timeline's window, the most severe first.

    Without a history (`Baseline.none()`) usual values come from the other days of the timeline, or from the rest of its only day.
    A driver is late who arrives more than `late_after` seconds after the food was ready.
    """
    if not len(timeline.orders):
        return ()
    evidence = Evidence.of(timeline, baseline, late_after)
    causes = merged(cooking.troubles(evidence) + drivers.troubles(evidence))
    explained = [rows for _, rows in causes]
    affected = np.unique(np.concatenate(explained)) if explained else np.empty(0, np.intp)
    causes += merged(deliveries.troubles(evidence, affected))
    moments = [moment for moment, _ in causes]
    moments += demand.moments(evidence)
    inside = [
        evidence.in_data_time(moment)
        for moment in moments
        if moment.start < evidence.end and moment.end >= evidence.start
    ]
    return tuple(sorted(inside, key=lambda moment: (-moment.severity, moment.start)))
