"""All kitchens on a wall: their states and figures at each whole minute of a stretch, and who stands above whom.

Each figure is what a kitchen's row says at that minute (`twin.api.network`), computed for all minutes at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline
from twin.analysis.durations import Durations
from twin.analysis.kitchen_state import BY_HARM, MINUTE, STATES, StateLog
from twin.analysis.limits import WHOLE_MINUTE, late_level
from twin.analysis.metrics import SERIES_STEP, TRAILING, metrics_of
from twin.foundation.stages import OUT_FOR_DELIVERY, READY
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

MOST = 8
"""Most kitchens on a board: more cannot be read from five metres."""
RANKS = {STATES[state]: rank for rank, state in enumerate(BY_HARM)}


@dataclass(frozen=True)
class BoardKitchen:
    """A kitchen at m whole minutes, (m,) each; a figure that its data does not tell is NaN throughout.

    state: names of `STATES`; head: the state in words, empty for a calm one with nothing over. orders, usual: per hour;
    deliveries, late: of the last 60 minutes, level: of the late ones; took: their mean, s; waiting, on_road: meals, drivers.
    """

    name: str
    state: list[str]
    head: list[str]
    orders: Floats
    usual: Floats
    deliveries: Floats
    late: Floats
    level: NDArray[np.uint8]
    took: Floats
    waiting: Floats
    on_road: Floats

    def harm(self, at: int) -> tuple[int, float, float]:
        """Return what the board is sorted by at minute `at`, the worst first, as the rows of the network are."""
        late, waiting = (0.0 if np.isnan(one) else float(one) for one in (self.late[at], self.waiting[at]))
        return RANKS[self.state[at]], -late, -waiting


@dataclass(frozen=True)
class Board:
    """Some kitchens from the minute `start` on, data seconds."""

    start: float
    kitchens: tuple[BoardKitchen, ...]

    @property
    def minutes(self) -> int:
        """How many there are."""
        return len(self.kitchens[0].orders)

    def ranking(self, at: int) -> list[int]:
        """Return the kitchens' places at minute `at`, the one with most harm first; equal ones as they were given."""
        return sorted(range(len(self.kitchens)), key=lambda place: self.kitchens[place].harm(at))


def minutes_between(start: float, end: float) -> Floats:
    """Return the whole minutes of [start, end], the one that has begun at `start` first, data seconds."""
    return np.arange(np.floor(start / MINUTE), np.floor(end / MINUTE) + 1) * MINUTE


def board_kitchen(timeline: Timeline, states: StateLog, usual: Baseline, target: float, t: Floats) -> BoardKitchen:
    """Return a kitchen at the whole minutes `t` (m,), which its timeline contains; `target`, promised seconds."""
    index, unknown = metrics_of(timeline), np.full(len(t), np.nan)
    first, last = _trailing(index.deliveries, t)
    number = (last - first).astype(np.float64)
    late = index.deliveries.at_least(target + WHOLE_MINUTE, first, last).astype(np.float64)
    created = index.created.searchsorted(t, "right") - index.created.searchsorted(t - TRAILING, "right")
    marks, place = np.unique(t // SERIES_STEP * SERIES_STEP, return_inverse=True)
    per_hour = [usual.orders_per_hour(mark) for mark in marks.tolist()]
    waiting, on_road = (
        timeline.membership.in_stage(stage, t).astype(np.float64) for stage in (READY, OUT_FOR_DELIVERY)
    )
    return BoardKitchen(
        name=timeline.location.label,
        state=[STATES[states.at(one)[0]] for one in t.tolist()],
        head=[states.head(one) for one in t.tolist()],
        orders=created.astype(np.float64) if len(index.created) else unknown,
        usual=np.array([np.nan if one is None else one for one in per_hour])[place],
        deliveries=number if index.delivers else unknown,
        late=late if index.delivers else unknown,
        level=late_level(late, number),
        took=index.deliveries.mean_of(first, last),
        waiting=waiting if index.recorded[READY] else unknown,
        on_road=on_road if index.recorded[READY] and index.recorded[OUT_FOR_DELIVERY] else unknown,
    )


def _trailing(times: Durations, t: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return times.position(t - TRAILING), times.position(t)
