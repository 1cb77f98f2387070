"""When it is worth a word that no event comes: how often events come to a kitchen, and when silence is usual.

By the kitchen's own last hour, and by the day before at the same time: who closes at eleven is not silent at midnight.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import DAY, HOUR
from twin.timeline.timeline import Timeline

LEAST_EVENTS = 20
"""Events in the last hour without which nothing is said of how often they come."""
MISSED = 10
"""So many events must have been missed before silence is worth a word: far more than chance leaves out."""
LEAST_S = 60.0
PAUSE_S = 30 * 60.0
"""A day before, no event for so long is a kitchen that has closed."""
UNSEEN_S = 2 * HOUR
"""How long silence is worth a word where nothing is known of the day before."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often events come, data seconds. gap: between two of the last hour; silence is worth a word from `after` to `until`.

    Without enough events to say so, gap is NaN and `after` infinite.
    """

    gap: float = math.nan
    after: float = math.inf
    until: float = math.inf

    def is_silent(self, seconds: float) -> bool:
        """Return whether it is worth a word that no event came for so long."""
        return self.after <= seconds < self.until


def rhythm_of(timeline: Timeline) -> Rhythm:
    """Return how often events come at the end of a timeline."""
    hour = timeline.coded(timeline.window.end - 2 * HOUR, timeline.window.end).ts
    if not len(hour):
        return Rhythm()
    last = float(hour[-1])
    before = timeline.coded(last - DAY - HOUR, last - DAY + 2 * UNSEEN_S).ts
    return rhythm(hour[hour > last - HOUR], before + DAY, last)


def rhythm(recent: NDArray[np.float64], day_before: NDArray[np.float64], last: float) -> Rhythm:
    """Return it from the times of the last hour's events, the `last` one's, and those of a day before, put a day later."""
    if len(recent) < LEAST_EVENTS:
        return Rhythm()
    gap = float(last - recent[0]) / (len(recent) - 1)
    after = max(LEAST_S, MISSED * gap)
    if not len(day_before):
        return Rhythm(gap, after, after + UNSEEN_S)
    then = day_before[day_before > last] - last
    if len(then) < MISSED:
        return Rhythm(gap)
    after = max(after, float(then[MISSED - 1]))
    pauses = np.flatnonzero(np.diff(np.concatenate(([0.0], then))) > PAUSE_S)
    until = float(then[pauses[0] - 1]) if len(pauses) and pauses[0] else (0.0 if len(pauses) else math.inf)
    return Rhythm(gap, after, until) if until > after else Rhythm(gap)
