"""Moments that stand out: peaks and troubles of a timeline, detected in its data, ranked, and explained in a sentence.

All detectors compare with the same hour of other days. docs/moments.md has the rules and thresholds.
"""

from twin.analysis.baseline import Baseline
from twin.analysis.moments import demand
from twin.analysis.moments.examination import DETECTORS, UNEXAMINED, Examination, Findings, causes, prepared
from twin.analysis.moments.late_minutes import LateMinutes
from twin.analysis.moments.moment import KINDS, TROUBLES, Moment
from twin.foundation.settings import COLD_AFTER_S, DELIVERY_TARGET_S, LATE_AFTER_S
from twin.timeline.timeline import Timeline

__all__ = ["DETECTORS", "HISTORY", "KINDS", "TROUBLES", "Findings", "Moment", "detect", "find"]

HISTORY = "history"
"""Stands among the failed detectors where the days around the range could not be used."""


def find(timeline: Timeline, baseline: Baseline, late_after: float = LATE_AFTER_S) -> tuple[Moment, ...]:
    """Return the moments of `detect`."""
    return detect(timeline, baseline, late_after).moments


def detect(
    timeline: Timeline,
    baseline: Baseline,
    late_after: float = LATE_AFTER_S,
    cold_after: float = COLD_AFTER_S,
    target: float = DELIVERY_TARGET_S,
) -> Findings:
    """Return the moments of the timeline's window, the most severe first, and which detectors failed.

    Without a history (`Baseline.none()`) usual values come from the other days of the timeline, or from the rest of its only day.
    A driver is late who arrives more than `late_after` seconds after the food was ready, a meal is cold that stood longer than
    `cold_after` seconds, and `target` is the promised delivery time, seconds.
    """
    if not len(timeline.orders):
        return Findings()
    evidence = prepared(timeline, baseline, late_after, cold_after)
    if evidence is None:
        return UNEXAMINED
    examined = Examination(evidence, timeline.location.id)
    troubles = causes(examined)
    unusual = examined.run("demand", demand.rushes_and_lulls)
    busy = unusual + examined.run("peaks", demand.peaks, unusual)
    moments = [evidence.settled(moment, rows) for moment, rows in troubles] + [evidence.settled(one) for one in busy]
    inside = [
        evidence.in_data_time(moment)
        for moment in moments
        if moment.start < evidence.end and moment.end >= evidence.start
    ]
    ranked = sorted(inside, key=lambda moment: (-moment.severity, moment.start))
    return examined.findings(LateMinutes(timeline, baseline, target).said(ranked))
