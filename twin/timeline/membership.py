"""Which orders a list shows at a moment, and which order comes before or after another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.metrics import TRAILING
from twin.foundation.stages import CANCELLED, COMPLETED, STAGES, STALLED, STATES
from twin.timeline.timeline import Snapshot, Timeline


@dataclass(frozen=True, slots=True)
class Roster:
    """Orders at a moment, (n,) each: `order` row numbers, `state` its number in `STATES`, `since` data seconds, its entry."""

    order: NDArray[np.int32]
    state: NDArray[np.uint8]
    since: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.order)

    def take(self, positions: NDArray[np.intp]) -> "Roster":
        """Return the orders at some positions."""
        return Roster(self.order[positions], self.state[positions], self.since[positions])


def roster(timeline: Timeline, snapshot: Snapshot, state: str = "") -> Roster:
    """Return the open orders at the snapshot's moment, or those in one state.

    Completed and cancelled are lists without an end: of them, those of the trailing 60 minutes, (t − 3600, t].
    """
    if not state:
        return Roster(snapshot.order, snapshot.stage, snapshot.since)
    number = STATES.index(state)
    if number < COMPLETED:
        inside = np.flatnonzero(snapshot.stage == number)
        return Roster(snapshot.order[inside], snapshot.stage[inside], snapshot.since[inside])
    order, since = _beside(timeline, snapshot.t, number)
    return Roster(order.astype(np.int32), np.full(len(order), number, np.uint8), since)


def counts(timeline: Timeline, snapshot: Snapshot) -> dict[str, int]:
    """Return how many orders `roster` lists for each state."""
    inside = np.bincount(snapshot.stage, minlength=len(STAGES)).tolist()
    found = dict(zip(STAGES[:COMPLETED], inside, strict=False))
    for number in (COMPLETED, CANCELLED, STALLED):
        found[STATES[number]] = len(_beside(timeline, snapshot.t, number)[0])
    return found


def began(timeline: Timeline) -> NDArray[np.float64]:
    """Return when each order was created, else first heard of, (n,) data seconds: what orders are lined up by."""
    orders = timeline.orders
    return np.where(np.isnan(orders.created), orders.first, orders.created)


def neighbour(timeline: Timeline, snapshot: Snapshot, row: int, step: int, state: str = "") -> int | None:
    """Return the order created next after (`step` 1) or before (−1) order number `row`; None if there is none.

    Without a state all orders of the window are lined up, with one those that `roster` lists at the snapshot's moment.
    """
    times = began(timeline)
    if state:
        others = roster(timeline, snapshot, state).order.astype(np.intp)
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


def _beside(timeline: Timeline, t: float, number: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the orders in Completed, Cancelled or Stalled that are listed at t, and since when each is."""
    orders = timeline.orders
    if number == STALLED:
        order, start, end = orders.stalls
        now = (start <= t) & (end > t)
        return order[now].astype(np.intp), start[now]
    since = orders.enter[COMPLETED] if number == COMPLETED else orders.cancelled
    recent = (since > t - TRAILING) & (since <= t)
    if number == CANCELLED:
        recent &= ~(orders.enter[COMPLETED] <= t)  # delivered after all
    found = np.flatnonzero(recent)
    return found, since[found]
