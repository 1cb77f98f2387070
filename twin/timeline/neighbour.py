"""Finds the order before or after another one, for stepping through orders."""

import numpy as np

from twin.timeline.timeline import Timeline


def neighbour(timeline: Timeline, t: float, row: int, step: int, state: str = "") -> int | None:
    """Return the row of the order that began next after (`step` 1) or before (−1) that in `row`; None if there is none.

    The orders are those in `state` at t, or without a state all that began in the window.
    """
    times = timeline.orders.began
    if state:
        others = timeline.membership.at(t, state).order.astype(np.intp)
    else:
        window = timeline.window
        others = np.flatnonzero((times >= window.start) & (times < window.end))
    ahead = (times[others] > times[row]) | ((times[others] == times[row]) & (others > row))
    behind = (times[others] < times[row]) | ((times[others] == times[row]) & (others < row))
    others = others[ahead if step > 0 else behind]
    if not len(others):
        return None
    by_time = np.lexsort((others, times[others]))
    return int(others[by_time[0 if step > 0 else -1]])
