"""Chooses which drivers the map sends when there are more than a browser can draw one by one.

Above `Settings.dense_from` drivers on the road, a window contains only the selected driver and, if they are few enough, those
who pass through the view. All others are in frames, which contain the number of drivers in each cell of the view.
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
"""Share of `dense_from` up to which the drivers that pass through the view are sent one by one."""
SHORTER = (1.0, 0.5, 0.25)
"""Shares of a window's future part: if too many drivers pass through the view in all of it, a shorter part is tried."""
NO_ORDERS: NDArray[np.int32] = np.empty(0, np.int32)
LEAVE = 0.9
"""Share of `dense_from` below which frames end, so that the map does not flicker between both ways at the limit."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The trips of a window, (n,), None: all; else `crowd` drivers are on the road, and the trips contain all within `within`."""

    trips: NDArray[np.intp] | None
    crowd: int
    within: Box | None
    end: float
    """End of the window, which may be shorter than requested if not all trips are in it."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """What a browser shows when it sends a request: its time, its view (None: not yet), the selected order (-1: none)."""

    t: float
    view: Box | None
    order: int
    crowded: bool
    """Whether it already shows frames."""

    @classmethod
    def of(cls, message: Mapping[str, Any], t: float) -> "Viewed":
        """Parse a request; invalid parts are ignored. `t` is the server's playhead, used if the request has none."""
        order, sent = message.get("order"), message.get("t")
        shown = float(sent) if isinstance(sent, int | float) and np.isfinite(sent) else t
        return cls(
            shown, box_of(message.get("box")), order if isinstance(order, int) else -1, bool(message.get("crowd"))
        )


def choose(
    timeline: Timeline,
    start: float,
    end: float,
    after: float | None,
    viewed: Viewed,
    most: int,
    picked_out: NDArray[np.int32] = NO_ORDERS,
) -> Chosen:
    """Return the trips for a window over [start, end]; with `after`, only those that begin later.

    At most `most` drivers are drawn one by one, beside those of the selected order and of the orders `picked_out`.
    """
    trips = timeline.trips
    moving = fleet.count_on_road(trips, viewed.t) - len(timeline.stalled_trips(viewed.t))
    if moving <= most * (LEAVE if viewed.crowded else 1.0):
        return Chosen(None, 0, None, end)
    picked = _of(trips, np.append(picked_out, np.int32(viewed.order)), start, end)
    if viewed.view is None:
        return Chosen(picked, moving, None, end)
    begin = max(start, viewed.t)
    for share in SHORTER:
        until = begin + share * (end - begin)
        within = fleet.through(trips, viewed.view, start, until)
        if len(within) <= most * FEW:
            if after is not None:
                within = within[trips.start[within] > after]
            return Chosen(np.union1d(within, picked), moving, viewed.view, until)
    return Chosen(picked, moving, None, end)


def box_of(values: Any) -> Box | None:
    """Parse the view of a request; None if it is invalid."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    if not all(isinstance(value, int | float) and np.isfinite(value) for value in values):
        return None
    x0, y0, x1, y1 = (float(value) for value in values)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def few(inside: int, most: int) -> bool:
    """Return whether `inside` drivers in view are certainly few enough to be sent one by one, with those who pass later."""
    return inside <= most * FEW / 3


def _of(trips: Trips, orders: NDArray[np.int32], start: float, end: float) -> NDArray[np.intp]:
    mine = np.flatnonzero(np.isin(trips.order, orders[orders >= 0]))
    return mine[(trips.start[mine] <= end) & (trips.end[mine] >= start)]
