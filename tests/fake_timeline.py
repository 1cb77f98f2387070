"""A timeline of hand-made orders, without a file, a location or trips: what follows from the orders is the real `Timeline`'s."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import param
import pyarrow as pa
from panel.models.esm import DataEvent

from twin.replay.controller import ReplayController
from twin.sources.base import Location, Window
from twin.timeline import events as ev
from twin.timeline import orders, trips
from twin.timeline.events import MICROSECONDS, Events, EventSlice
from twin.timeline.timeline import Timeline

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


@dataclass(frozen=True)
class FakeItem:
    name: str
    brand: str
    qty: float = 1
    price: float = 0.0


@dataclass
class FakeDataQuality:
    read: int = 0
    used: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


class FakeTimeline(Timeline):
    """Orders given as dicts of milestones (seconds); a missing key is a missing milestone.

    `baskets` are the items of each order that was created; `extra` are further events (seconds, type, order's number, progress);
    `delivered_before` says that the kitchen's record has deliveries before these orders.
    """

    def __init__(
        self,
        rows: list[dict[str, float]],
        ids: list[str] | None = None,
        baskets: Sequence[Sequence[FakeItem]] | None = None,
        extra: Sequence[tuple[float, str, int, float]] = (),
        delivered_before: bool = False,
    ) -> None:
        names = pa.array(ids or [f"{i:06X}" for i in range(len(rows))], pa.string())
        told = [(t, EVENT_OF[m], i, float("nan")) for i, row in enumerate(rows) for m, t in row.items()]
        happened = sorted([*told, *extra], key=lambda event: event[0])
        baskets = baskets or [[] for _ in rows]
        bodies = [json.dumps({"items": [_line(item) for item in basket]}) for basket in baskets]
        types = (*ev.EVENT_TYPES, *sorted({kind for _, kind, _, _ in happened} - set(ev.EVENT_TYPES)))
        order = np.array([number for _, _, number, _ in happened], np.int32)
        events = Events(
            ts=np.round(np.array([t for t, *_ in happened], np.float64) * MICROSECONDS).astype(np.int64),
            type=np.array([types.index(kind) for _, kind, _, _ in happened], np.uint8),
            order=order,
            lat=np.full(len(order), np.nan),
            lon=np.full(len(order), np.nan),
            progress=np.array([progress for *_, progress in happened], np.float32),
            row=np.arange(len(order)),
            order_ids=names,
            type_names=types,
            duplicates=0,
        )
        brands = {item.brand: item.brand for basket in baskets for item in basket}
        table = pa.table({"body": pa.array([bodies[number] for number in order.tolist()], pa.string())})
        built, routes = orders.build(events, table, brands, None)
        times = [t for t, *_ in happened] or [DAY0]
        location = Location("fake", "Fake", None, None, None, len(rows), min(times), max(times))
        if delivered_before:
            location = replace(location, last_delivered=min(times) - HOUR)
        window = Window(min(times), max(times) + 1)
        super().__init__(location, window, events, built, trips.build(events, built, routes, None), FakeDataQuality())  # type: ignore[arg-type]
        self.rows = rows

    def set_orders(self, **columns: Any) -> None:
        """Put other columns in the place of the orders' own."""
        self.orders = replace(self.orders, **columns)

    @staticmethod
    def slice(events) -> EventSlice:
        return EventSlice(
            np.array([e[0] for e in events], np.float64),
            [e[1] for e in events],
            np.array([e[2] for e in events], np.int32),
            np.array([e[3] for e in events], np.float32),
        )


def _line(item: FakeItem) -> dict[str, Any]:
    return {"brand_id": item.brand, "name": item.name, "price": item.price, "qty": item.qty}


def send_message(component, message) -> None:
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
