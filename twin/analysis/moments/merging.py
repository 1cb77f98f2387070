"""One cause, one moment: symptoms of the same trouble that overlap are told once."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.moment import Moment

Found = tuple[Moment, NDArray[np.intp]]

FAMILIES = {
    "outage": "kitchen",
    "slow_kitchen": "kitchen",
    "driver_shortage": "drivers",
    "drivers_late": "drivers",
    "food_waiting": "drivers",
    "slow_delivery": "road",
    "unusual_deliveries": "deliveries",
}
"""Kinds that are told once where they overlap: each is a symptom of the same part of the work."""
NEAR = 15 * 60.0
"""Seconds: two stretches of the same kind that lie closer are one, with a few lucky orders between."""


def merged(found: list[Found]) -> list[Found]:
    """Return the moments with those of one family that overlap (or nearly follow one another, if of one kind) as one.

    The worse one gives its name and words, and keeps its own range unless both are of one kind: then it is theirs together.
    """
    result: list[Found] = []
    for moment, rows in sorted(found, key=_most_serious):
        for place, (kept, theirs) in enumerate(result):
            reach = NEAR if kept.kind == moment.kind else 0.0
            near = moment.start <= kept.end + reach and kept.start <= moment.end + reach
            if near and FAMILIES[kept.kind] == FAMILIES[moment.kind]:
                both = np.union1d(theirs, rows)
                if kept.kind == moment.kind and kept.title == moment.title:
                    kept = replace(kept, start=min(kept.start, moment.start), end=max(kept.end, moment.end))
                result[place] = (kept, both)
                break
        else:
            result.append((moment, rows))
    return result


def _most_serious(one: Found) -> tuple[bool, float, float]:
    """An outage names the trouble even where its backlog cost more than the standstill."""
    moment, _ = one
    return moment.kind != "outage", -moment.severity, moment.start
