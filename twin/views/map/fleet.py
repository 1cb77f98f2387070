"""What the map sends when there are more drivers than a browser draws one by one: frames of all, and those in view alone.

Above `Settings.dense_from` drivers on the road a window holds only those who pass through what the browser looks at, if they
are few enough, and the one who is picked out; the others are in frames that tell how many are in each cell of the view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.timeline import fleet
from twin.timeline.fleet import Box
from twin.timeline.timeline import Timeline
from twin.timeline.trips import Trips

FEW = 0.5
"""Of `dense_from`: so many in view are sent one by one. A window has several times as many who pass through within it."""
SHORTER = (1.0, 0.5, 0.25)
"""Of a window, as far as it lies ahead: where too many pass through the view in all of it, who does in a part of it is told."""
LEAVE = 0.9
"""Of `dense_from`: a crowd is one until it is smaller than this, so that the map does not flicker at the limit."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who is in a window: trips (n,), None: everyone; else `crowd` are on the road, and all of those in `within` are told."""

    trips: NDArray[np.intp] | None
    crowd: int
    within: Box | None
    end: float
    """Until when: a crowd's window may be shorter than what was asked for."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a browser tells with a question: its moment, its view (None: not yet), the order picked out (-1: none)."""

    t: float
    view: Box | None
    order: int
    crowded: bool
    """Whether it shows a crowd already."""

    @classmethod
    def of(cls, message: Mapping[str, Any], t: float) -> "Look":
        """Read a question; what makes no sense in it is left out. `t` is the server's own moment."""
        order, told = message.get("order"), message.get("t")
        moment = float(told) if isinstance(told, int | float) and np.isfinite(told) else t
        return cls(
            moment, box_of(message.get("box")), order if isinstance(order, int) else -1, bool(message.get("crowd"))
        )


def choose(timeline: Timeline, start: float, end: float, after: float | None, look: Look, most: int) -> Chosen:
    """Return whom a window over [start, end] holds, with `after` only of those who begin later than that.

    At most `most` drivers are drawn one by one.
    """
    trips = timeline.trips
    moving = fleet.count_on_road(trips, look.t) - len(timeline.stalled_trips(look.t))
    if moving <= most * (LEAVE if look.crowded else 1.0):
        return Chosen(None, 0, None, end)
    picked = _of(trips, look.order, start, end)
    if look.view is None:
        return Chosen(picked, moving, None, end)
    begin = max(start, look.t)
    for share in SHORTER:
        until = begin + share * (end - begin)
        within = fleet.through(trips, look.view, start, until)
        if len(within) <= most * FEW:
            if after is not None:
                within = within[trips.start[within] > after]
            return Chosen(np.union1d(within, picked), moving, look.view, until)
    return Chosen(picked, moving, None, end)


def box_of(values: Any) -> Box | None:
    """Return what a browser says it looks at, None where it makes no sense."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    if not all(isinstance(value, int | float) and np.isfinite(value) for value in values):
        return None
    x0, y0, x1, y1 = (float(value) for value in values)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def few(inside: int, most: int) -> bool:
    """Return whether so many in view are surely few enough to be sent one by one, with those who pass within a window."""
    return inside <= most * FEW / 3


def _of(trips: Trips, order: int, start: float, end: float) -> NDArray[np.intp]:
    if order < 0:
        return np.empty(0, np.intp)
    mine = np.flatnonzero(trips.order == order)
    return mine[(trips.start[mine] <= end) & (trips.end[mine] >= start)]
