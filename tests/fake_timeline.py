"""A timeline small enough to see through: the attributes that metrics, words and views read, computed row by row.

Nothing here shares code with `twin.timeline.timeline`: a figure that agrees on both was right twice.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import param
import pyarrow as pa
from panel.models.esm import DataEvent

from twin.foundation.cache import Owner
from twin.foundation.stages import STAGES
from twin.replay.controller import ReplayController

HOUR = 3600.0
DAY0 = 1_760_572_800.0
"""2025-10-16 00:00 UTC, a Thursday."""

MILESTONES = ("created", "started", "finished", "ready", "arrived", "picked_up", "delivered", "cancelled")
EVENT_OF = {
    "created": "order_created",
    "started": "gk_started",
    "finished": "gk_finished",
    "ready": "gk_ready",
    "arrived": "driver_arrived",
    "picked_up": "driver_picked_up",
    "delivered": "delivered",
    "cancelled": "order_cancelled",
}
ENTERS = {"created": 0, "arrived": 0, "started": 1, "finished": 2, "ready": 2, "picked_up": 3, "delivered": 4}


@dataclass(frozen=True)
class FakeItem:
    name: str
    brand: str
    qty: int = 1
    price: float = 10.0


@dataclass
class FakeSlice:
    ts: np.ndarray
    type: list[str]
    order: np.ndarray
    progress: np.ndarray


@dataclass
class FakeSnapshot:
    t: float
    counts: dict[str, int]
    order: np.ndarray
    stage: np.ndarray
    since: np.ndarray


@dataclass
class FakeHealth:
    read: int = 0
    used: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    cut_orders: int = 0


@dataclass
class FakeOrders:
    ids: pa.Array
    enter: np.ndarray
    leave: np.ndarray
    baskets: list[list[FakeItem]]
    created: np.ndarray = field(default_factory=lambda: np.empty(0))

    def items(self, order: int) -> list[FakeItem]:
        return self.baskets[order]


class FakeTimeline(Owner):
    """Orders given as dicts of milestones (seconds); a missing key is a missing milestone."""

    def __init__(self, rows: list[dict[str, float]], ids: list[str] | None = None, baskets=None, extra=()) -> None:
        n = len(rows)
        enter = np.full((5, n), np.inf)
        for i, row in enumerate(rows):
            for stage in range(
                5
            ):  # the furthest milestone counts: entered at the first sign of this stage or a later one
                enter[stage, i] = min((t for m, t in row.items() if ENTERS.get(m, -1) >= stage), default=math.inf)
        self.rows = rows
        self.health = FakeHealth()
        self.orders = FakeOrders(
            pa.array(ids or [f"{i:06X}" for i in range(n)], pa.string()),
            enter,
            np.vstack([enter[1:], np.full((1, n), np.inf)]),
            baskets or [[] for _ in range(n)],
        )
        for milestone in MILESTONES:
            setattr(self.orders, milestone, np.array([row.get(milestone, math.nan) for row in rows], np.float64))
        events = [(t, EVENT_OF[m], i, math.nan) for i, row in enumerate(rows) for m, t in row.items()]
        self.events = sorted([*events, *extra], key=lambda event: event[0])

    @property
    def has_orders(self) -> bool:
        return bool(len(self.orders.ids))

    def at(self, t: float) -> FakeSnapshot:
        counts = dict.fromkeys((*STAGES, "cancelled", "stalled"), 0)
        open_orders = []
        midnight = t - t % (24 * HOUR)
        for i, row in enumerate(self.rows):
            entered = [self.orders.enter[stage, i] for stage in range(5)]
            known = [stage for stage in range(5) if entered[stage] <= t]
            if row.get("cancelled", math.inf) <= t:
                counts["cancelled"] += 1
            elif known and known[-1] == 4:
                counts["completed"] += entered[4] >= midnight
            elif known:
                counts[STAGES[known[-1]]] += 1
                open_orders.append((i, known[-1], entered[known[-1]]))
        return FakeSnapshot(
            t,
            counts,
            np.array([o[0] for o in open_orders], np.int32),
            np.array([o[1] for o in open_orders], np.uint8),
            np.array([o[2] for o in open_orders], np.float64),
        )

    def latest(self, t: float, n: int, pings: bool = False) -> FakeSlice:
        events = [e for e in self.events if e[0] <= t and (pings or e[1] != "driver_ping")]
        return self.slice(events[::-1][:n])

    @staticmethod
    def slice(events) -> FakeSlice:
        return FakeSlice(
            np.array([e[0] for e in events], np.float64),
            [e[1] for e in events],
            np.array([e[2] for e in events], np.int32),
            np.array([e[3] for e in events], np.float32),
        )


def say(component, message) -> None:
    """Let the browser side of a component send a message."""
    component._process_event(DataEvent(None, message))


class FakeController(ReplayController):
    """A controller whose timeline is given as it is, without a window."""

    def __init__(self, timeline=None) -> None:
        super().__init__()
        self.take(timeline)

    def take(self, timeline) -> None:
        with param.edit_constant(self):
            self.timeline = timeline
