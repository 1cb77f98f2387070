"""Which order comes before or after another, as a list or a row of orders is walked."""

import numpy as np

from twin.timeline.timeline import Timeline


def neighbour(timeline: Timeline, t: float, row: int, step: int, state: str = "") -> int | None:
    """Return the order that began next after (`step` 1) or before (−1) order number `row`; None if there is none.

    Without a state all orders that began in the window are lined up, with one those that are in it at t.
    """
    times = timeline.orders.began
    if state:
        others = timeline.membership.at(t, state).order.astype(np.intp)
    else:
        window = timeline.window
        others = np.flatnonzero((times >= window.start) & (times < window.end))
    mine = (times[row], row)
    ahead = (times[others] > mine[0]) | ((times[others] == mine[0]) & (others > row))
    behind = (times[others] < mine[0]) | ((times[others] == mine[0]) & (others < row))
    others = others[ahead if step > 0 else behind]
    if not len(others):
        return None
    lined_up = np.lexsort((others, times[others]))
    return int(others[lined_up[0 if step > 0 else -1]])
