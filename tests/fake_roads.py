"""Drivers on invented roads: what the map reads of a timeline, with positions worked out one by one by `numpy.interp`.

Nothing here shares code with `twin.timeline.timeline` or `twin.timeline.trips`, nor with the browser's interpolation.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from twin.foundation.cache import Owner
from twin.foundation.geo import Frame, project
from twin.sources.base import Location, Window
from twin.timeline.membership import Membership
from twin.timeline.timeline import kitchen_frame

DAY0 = 1_760_572_800.0
KITCHEN = Location("sf", "San Francisco", 37.7910, -122.3929, 5000.0, 0, DAY0, DAY0 + 86_400.0)


@dataclass
class Road:
    """One trip: seconds since `start` and metres from the kitchen at each knot."""

    start: float
    t: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def end(self) -> float:
        return self.start + float(self.t[-1])

    def at(self, t: float) -> tuple[float, float]:
        """Metres east and north of the kitchen at data time t."""
        return float(np.interp(t - self.start, self.t, self.x)), float(np.interp(t - self.start, self.t, self.y))


class RoadOrders(SimpleNamespace):
    """The orders of a `RoadTimeline`: each made a quarter of an hour before its pick-up, delivered at the end of its road."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def row_of(self) -> dict[str, int]:
        return {order: row for row, order in enumerate(self.ids.to_pylist())}


class RoadTimeline(Owner):
    """A timeline with nothing but trips: `drivers` on the road at any moment, each trip `minutes` long."""

    def __init__(
        self, drivers: int, window=(DAY0, DAY0 + 7200.0), minutes: float = 10.0, location=KITCHEN, seed: int = 7
    ) -> None:
        rng = np.random.default_rng(seed)
        self.location = location
        self.window = Window(*window)
        length = minutes * 60.0
        starts = np.arange(window[0] - length, window[1], length / drivers)
        self.roads = [self._road(rng, start, length * rng.uniform(0.8, 1.2)) for start in starts]
        self.item = "Pho & rolls"
        n = len(self.roads)
        ends = [(road.x[-1], road.y[-1]) for road in self.roads]
        self.orders = RoadOrders(
            ids=pa.array([f"R{i:05d}" for i in range(n)]),
            customer_x=np.array([x for x, _ in ends], np.float32),
            customer_y=np.array([y for _, y in ends], np.float32),
            items=lambda order: [SimpleNamespace(name=self.item, brand=self.item, qty=2, price=9.0)],
            address=lambda order: f"{order} Market Street",
            created=starts - 900.0,
            enter=np.array([starts - 900.0, starts - 800.0, starts - 300.0, starts, [road.end for road in self.roads]]),
            delivered=np.array([road.end for road in self.roads]),
            cancelled=np.full(n, np.nan),
            first=starts - 900.0,
            stalls=(np.empty(0, np.int32), np.empty(0), np.empty(0)),
            eta_mins=np.array([road.t[-1] / 60 for road in self.roads], np.float32),
        )
        self.membership = Membership(self.orders)  # type: ignore[arg-type]
        self.unseen: list[tuple[int, float, float]] = []
        """Spells without an observation: order, from and to, seconds since its pick-up."""
        self.questions: list[tuple[float, float, float | None]] = []
        self._trips: SimpleNamespace | None = None

    def _road(self, rng, start: float, length: float) -> Road:
        """A way along a street grid: legs of 100-600 m, turning left or right at random, at its own even pace."""
        legs = rng.integers(12, 24)
        angle = np.cumsum(rng.choice([-1, 0, 1], legs)) * np.pi / 2 * 0.98 + rng.uniform(0, 2 * np.pi)
        step = rng.uniform(100, 600, legs)
        x, y = (np.concatenate([[0.0], np.cumsum(step * f(angle))]) for f in (np.cos, np.sin))
        t = np.concatenate([[0.0], np.cumsum(step)]) / step.sum() * length
        return Road(float(start), t.astype(np.float32), x.astype(np.float32), y.astype(np.float32))

    @property
    def origin(self) -> Frame | None:
        return kitchen_frame(self.location)

    @property
    def kitchen(self) -> tuple[float, float]:
        x, y = project(self.location.lat, self.location.lon)
        return float(x), float(y)

    @property
    def trips(self) -> SimpleNamespace:
        """What the server's own passes over all knots read, in metres."""
        if self._trips is None:
            motion = vars(self.motion(-np.inf, np.inf))
            knots = motion["offsets"]
            self._trips = SimpleNamespace(**motion, knots_from=knots[:-1], knots_to=knots[1:], unit=1.0)
            self.questions.pop()
        return self._trips

    def stalled_trips(self, t: float) -> np.ndarray:
        return np.empty(0, np.int32)

    def truth(self, t: float) -> dict[int, tuple[float, float]]:
        """Order -> Web Mercator metres of every driver on the road at t."""
        kx, ky = self.kitchen
        return {
            i: (kx + road.at(t)[0], ky + road.at(t)[1])
            for i, road in enumerate(self.roads)
            if road.start <= t < road.end
        }

    def motion(self, t0: float, t1: float, after: float | None = None) -> SimpleNamespace:
        self.questions.append((t0, t1, after))
        return self.motion_of([
            i
            for i, road in enumerate(self.roads)
            if (road.end >= t0 and road.start <= t1 if after is None else after < road.start <= t1)
        ])  # fmt: skip

    def motion_of(self, trips) -> SimpleNamespace:
        chosen = [int(trip) for trip in trips]
        roads = [self.roads[i] for i in chosen]
        unseen = [spell for spell in self.unseen if spell[0] in chosen]
        join = lambda name: np.concatenate([np.empty(0, np.float32), *(getattr(road, name) for road in roads)])  # noqa: E731
        return SimpleNamespace(
            order=np.array(chosen, np.int32),
            start=np.array([road.start for road in roads], np.float64),
            end=np.array([road.end for road in roads], np.float64),
            offsets=np.concatenate([[0], np.cumsum([len(road.t) for road in roads])]).astype(np.int32),
            t=join("t"),
            x=join("x"),
            y=join("y"),
            gap_trip=np.array([chosen.index(order) for order, _, _ in unseen], np.int32),
            gap_from=np.array([begin for _, begin, _ in unseen], np.float32),
            gap_to=np.array([end for _, _, end in unseen], np.float32),
        )

    def at(self, t: float) -> SimpleNamespace:
        on = np.array(list(self.truth(t)), np.int32)
        return SimpleNamespace(t=t, order=on, stage=np.full(len(on), 3, np.uint8), drivers=self.drivers(on, t))

    def shown_live(self, order: int, t: float) -> None:
        """Nobody follows it."""

    def drivers(self, orders: np.ndarray, t: float) -> SimpleNamespace:
        roads = [self.roads[i] for i in orders]
        return SimpleNamespace(
            order=orders,
            progress=np.array([(t - road.start) / (road.end - road.start) for road in roads]),
            eta=np.array([road.end for road in roads]),
            measured=np.ones(len(roads), bool),
        )
