"""Event rows as they land in `all_events`: one kitchen, day by day, in either generation's schema."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa

from twin.simulator import text
from twin.simulator.addresses import addresses
from twin.simulator.config import KitchenConfig, Nulls
from twin.simulator.demand import created_seconds, orders_of_day
from twin.simulator.geometry import METRES_PER_MILE, Bools, Floats, Ints
from twin.simulator.incidents import Incident, key_of
from twin.simulator.lifecycles import Lifecycles, drive_minutes, live, pings
from twin.simulator.menus import basket_texts, baskets, brand_weights, menu
from twin.simulator.routing import TREES, Routes, customers, grow_trees, routes
from twin.simulator.streets import StreetGraph, street_graph

COLUMNS = {
    "2025": ("body", "event_id", "event_type", "gk_id", "location", "order_id", "sequence", "ts", "_rescued_data"),
    "2026": ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body", "_rescued_data"),
}
TYPES = (
    "order_created",
    "gk_started",
    "gk_finished",
    "gk_ready",
    "driver_arrived",
    "driver_picked_up",
    "driver_ping",
    "delivered",
)


def schema(generation: str) -> pa.Schema:
    """All columns are strings, as Auto Loader leaves them without a schema."""
    return pa.schema([(name, pa.string()) for name in COLUMNS[generation]])


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day before its events are written: orders by time, and who ordered."""

    date: date
    midnight: float
    created: Floats
    route: Ints


class Kitchen:
    """One kitchen's whole demo. Days are drawn first (which routes are needed?), then written one at a time."""

    def __init__(
        self,
        config: KitchenConfig,
        days: list[date],
        incidents: list[Incident],
        *,
        generation: str,
        seed: int,
        scale: float,
        nulls: Nulls,
        first_order: int,
    ) -> None:
        self.config, self.generation, self._first = config, generation, first_order
        self._incidents = [item for item in incidents if item.location == config.location_name]
        self._nulls = {event: {**config.dq.get(event, {}), **nulls.get(event, {})} for event in {*config.dq, *nulls}}
        self._seed = [seed if config.random_seed is None else config.random_seed, key_of(config.location_name)]
        half_side = config.radius_mi * METRES_PER_MILE
        self.graph: StreetGraph = street_graph(config.city, config.lat, config.lon, half_side)
        trees = grow_trees(self.graph)
        people = customers(self.graph, trees, half_side, np.random.default_rng([*self._seed, 1]))
        self._gk_id = text.hex_ids(1, np.random.default_rng([*self._seed, 2]))[0].as_py()
        self.days: list[Day] = []
        for index, day in enumerate(days):
            rng = self._stream(day, 3)
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
            expected = orders_of_day(config, day, index, len(days), scale, rng)
            created = midnight + created_seconds(expected, self._incidents, midnight, rng)
            tree = rng.integers(0, TREES, len(created))
            customer = rng.choice(people, len(created))
            self.days.append(Day(day, midnight, created, tree * self.graph.size + customer))
        self._keys = np.unique(np.concatenate([day.route for day in self.days]))
        self.routes: Routes = routes(self.graph, trees, self._keys // self.graph.size, self._keys % self.graph.size)
        self._write_texts()

    @property
    def orders(self) -> int:
        return sum(len(day.created) for day in self.days)

    def _stream(self, day: date, purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self._seed, day.toordinal(), purpose])

    def _write_texts(self) -> None:
        """The JSON of everything that repeats: coordinates, routes, addresses. Made once per kitchen."""
        used, index = np.unique(self.routes.nodes, return_inverse=True)
        lat, lon = self.graph.latlon[used].T
        self._lat, self._lon = text.numbers(lat), text.numbers(lon)
        pair = [f"[{a}, {b}]" for a, b in zip(self._lat.to_pylist(), self._lon.to_pylist(), strict=True)]
        point = [pair[i] for i in index.tolist()]
        ends = self.routes.offsets.tolist()
        self._route_text = pa.array([f"[{', '.join(point[a:b])}]" for a, b in pairwise(ends)], pa.string())
        self._vertex = index.astype(np.int64)
        last = self.routes.offsets[1:] - 1
        self._home = self._vertex[last]
        self._address = pa.array(addresses(self.graph, self.config.city, self.routes.nodes[last]), pa.string())

    def events(self, number: int) -> pa.Table:
        """The events of the orders of one day, by time; whole lifecycles, so a few lie after midnight."""
        day = self.days[number]
        route = np.searchsorted(self._keys, day.route)
        rng = self._stream(day.date, 4)
        drive = drive_minutes(self.routes.metres[route], self.config.driver_mph)
        lives = live(self.config, day.created, drive, self._incidents, rng)
        ping_order, h, hops = pings(drive, self.config.ping_sec)
        n, trips = len(day.created), len(ping_order)
        size = np.diff(self.routes.offsets)[route[ping_order]]
        vertex = self._vertex[self.routes.offsets[route[ping_order]] + ((h / hops) * (size - 1)).astype(np.int64)]
        every = np.arange(n)
        count = np.bincount(ping_order, minlength=n)
        order = np.concatenate([every] * 6 + [ping_order, every])
        kind = np.repeat(np.arange(8), [n] * 6 + [trips, n])
        sequence = np.concatenate([np.full(n, k) for k in range(6)] + [5 + h, 6 + count])
        ping_time = lives.picked_up[ping_order] + h * float(self.config.ping_sec)
        times = np.concatenate(
            [
                lives.created,
                lives.started,
                lives.finished,
                lives.ready,
                lives.arrived,
                lives.picked_up,
                ping_time,
                lives.delivered,
            ]
        )
        bodies = pa.concat_arrays(
            [
                self._created(n, route, index=number, rng=rng),
                pa.repeat(pa.scalar("{}"), 4 * n),
                self._picked_up(lives, route, rng),
                self._pings(
                    np.array([round(a / b * 100, 1) for a, b in _pairs(h, hops)[0]] or [0.0]), h, hops, vertex, rng
                ),
                self._places("delivered", "delivered_lat", "delivered_lon", self._home[route], rng),
            ]
        )
        by_time = np.lexsort((sequence, order, times))
        canonical = self.generation == "2026"
        total = len(by_time)
        orders = (
            text.order_ids(self._first + self._before(number), n, self._seed[0]) if canonical else text.hex_ids(n, rng)
        )
        columns: dict[str, pa.Array] = {
            "event_id": text.uuids(total, rng) if canonical else text.hex_ids(total, rng),
            "event_type": pa.array(TYPES).take(pa.array(kind[by_time])),
            "ts": text.timestamps(times[by_time], whole_seconds=canonical),
            "gk_id": pa.repeat(pa.scalar(self._gk_id), total),
            "location": pa.repeat(pa.scalar(self.config.location_name), total),
            "location_id": pa.repeat(pa.scalar(str(self.config.location_id)), total),
            "order_id": orders.take(pa.array(order[by_time])),
            "sequence": text.integers(sequence[by_time]),
            "body": bodies.take(pa.array(by_time)),
            "_rescued_data": pa.nulls(total, pa.string()),
        }
        return pa.table({name: columns[name] for name in COLUMNS[self.generation]}, schema=schema(self.generation))

    def _before(self, number: int) -> int:
        return sum(len(day.created) for day in self.days[:number])

    def _null(self, event: str, name: str, n: int, rng: np.random.Generator) -> Bools | None:
        p = self._nulls.get(event, {}).get(name, 0.0)
        return rng.random(n) < p if p else None

    def _created(self, n: int, route: Ints, *, index: int, rng: np.random.Generator) -> pa.Array:
        food = menu(self.generation)
        weights = brand_weights(self.config, len(food.brand_items), index, np.random.default_rng([*self._seed, 5]))
        items = pa.array(basket_texts(food, n, *baskets(food, n, weights, rng)), pa.string())
        home = pa.array(self._home[route])
        values = {
            "customer_lat": self._lat.take(home),
            "customer_lon": self._lon.take(home),
            "customer_addr": self._address.take(pa.array(route)),
            "items": items,
        }
        return text.body([(name, column, self._null("order_created", name, n, rng)) for name, column in values.items()])

    def _picked_up(self, lives: Lifecycles, route: Ints, rng: np.random.Generator) -> pa.Array:
        n = len(route)
        fields = [
            (
                "route_points",
                self._route_text.take(pa.array(route)),
                self._null("driver_picked_up", "route_points", n, rng),
            )
        ]
        if self.generation == "2025":
            eta = text.numbers(np.round(lives.drive, 1))
            fields.append(("eta_mins", eta, self._null("driver_picked_up", "eta_mins", n, rng)))
        return text.body(fields)

    def _pings(self, percents: Floats, h: Ints, hops: Ints, vertex: Ints, rng: np.random.Generator) -> pa.Array:
        n = len(h)
        percent = text.numbers(percents[_pairs(h, hops)[1]])
        places = pa.array(vertex)
        return text.body(
            [
                ("progress_pct", percent, self._null("driver_ping", "progress_pct", n, rng)),
                ("loc_lat", self._lat.take(places), self._null("driver_ping", "loc_lat", n, rng)),
                ("loc_lon", self._lon.take(places), self._null("driver_ping", "loc_lon", n, rng)),
            ]
        )

    def _places(self, event: str, lat: str, lon: str, vertex: Ints, rng: np.random.Generator) -> pa.Array:
        places, n = pa.array(vertex), len(vertex)
        return text.body(
            [
                (lat, self._lat.take(places), self._null(event, lat, n, rng)),
                (lon, self._lon.take(places), self._null(event, lon, n, rng)),
            ]
        )


def _pairs(h: Ints, hops: Ints) -> tuple[list[tuple[int, int]], Ints]:
    """The distinct (h, hops) pairs, and which of them each ping has."""
    code, index = np.unique(h * 100_000 + hops, return_inverse=True)
    return list(zip((code // 100_000).tolist(), (code % 100_000).tolist(), strict=True)), index.ravel()
