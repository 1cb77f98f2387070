"""Late minutes by hour and cause, over all of a timeline: where in it to look for what."""

from dataclasses import dataclass

import numpy as np

from twin.analysis.ledger import PARTS, Floats, Ledger
from twin.foundation.times import HOUR
from twin.timeline.timeline import Timeline

CAUSES = (*PARTS, "usual")
"""What `LateHours.seconds` has a column for: the parts, and last a promise that is shorter than usual."""


@dataclass(frozen=True, slots=True)
class LateHours:
    """edges: (h + 1,) data seconds, the hours of the kitchen's clock; seconds: (h, 8) late seconds by `CAUSES`.

    An order counts for the hour (a, b] in which it was delivered, so that an hour is what the last 60 minutes are at its end.
    """

    edges: Floats
    seconds: Floats


def late_hours(timeline: Timeline, ledger: Ledger) -> LateHours:
    """Return the late seconds of each hour of the timeline's window; milliseconds, once the ledger's `blame` is computed."""
    window = timeline.window
    first = window.start - float(timeline.tz.local(window.start)) % HOUR
    edges = np.arange(first, window.end + HOUR, HOUR)
    if edges[-2] >= window.end:
        edges = edges[:-1]
    blame = ledger.blame
    hours = len(edges) - 1
    hour = edges.searchsorted(timeline.orders.delivered[blame.rows], "left") - 1
    inside = (hour >= 0) & (hour < hours)
    seconds = [np.bincount(hour[inside], values[inside], hours) for values in blame.seconds.T]
    return LateHours(edges, np.stack(seconds, axis=1))
