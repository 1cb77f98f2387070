"""Moments worth a look: peaks and troubles of a timeline, found from its data, ranked, explained in plain words.

Every detector compares with the same hour of other days; the rules and thresholds are told in docs/moments.md.
"""

from dataclasses import replace

import numpy as np

from twin.analysis.baseline import Baseline
from twin.analysis.moments import cooking, deliveries, demand, drivers
from twin.analysis.moments.evidence import Scene
from twin.analysis.moments.merging import merged
from twin.analysis.moments.moment import KINDS, TROUBLES, Moment
from twin.foundation.settings import LATE_AFTER_S
from twin.timeline.timeline import Timeline

__all__ = ["KINDS", "TROUBLES", "Moment", "find"]


def find(timeline: Timeline, baseline: Baseline, late_after: float = LATE_AFTER_S) -> tuple[Moment, ...]:
    """Return what stands out in the timeline's window, the most remarkable first.

    Without a history (`Baseline.none()`) the timeline's other days tell what is usual, or the rest of its only day.
    A driver is late who comes more than `late_after` seconds after the food was ready.
    """
    if not len(timeline.orders):
        return ()
    scene = Scene.of(timeline, baseline, late_after)
    causes = merged(cooking.troubles(scene) + drivers.troubles(scene))
    explained = [rows for _, rows in causes]
    met = np.unique(np.concatenate(explained)) if explained else np.empty(0, np.intp)
    causes += merged(deliveries.troubles(scene, met))
    found = [moment for moment, _ in causes]
    found += demand.moments(scene)
    inside = [_clipped(moment, scene) for moment in found if moment.start < scene.end and moment.end >= scene.start]
    return tuple(sorted(inside, key=lambda moment: (-moment.severity, moment.start)))


def _clipped(moment: Moment, scene: Scene) -> Moment:
    start, end = max(moment.start, scene.start), min(moment.end, scene.end)
    return replace(moment, start=start, end=end, at=min(max(moment.at, start), end))
