"""Event rows as they arrive in `all_events`: one kitchen, day by day, in the schema of either generation."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa

from twin.foundation.event_types import (
    DELIVERED,
    DRIVER_ARRIVED,
    DRIVER_PICKED_UP,
    DRIVER_PING,
    EVENT_TYPES,
    GK_FINISHED,
    GK_READY,
    GK_STARTED,
    ORDER_CREATED,
)
from twin.simulator import text
from twin.simulator.addresses import addresses
from twin.simulator.config import KitchenConfig, Nulls
from twin.simulator.demand import created_seconds, orders_of_day
from twin.simulator.geometry import METRES_PER_MILE, Bools, Floats, Ints
from twin.simulator.incidents import Incident, key_of
from twin.simulator.lifecycles import Lifecycles, Pings, drive_minutes, live, pings_of
from twin.simulator.menus import basket_texts, baskets, brand_weights, menu
from twin.simulator.routing import TREES, Routes, customers, grow_trees, routes
from twin.simulator.streets import StreetGraph, street_graph

COLUMNS = {
    "2025": ("body", "event_id", "event_type", "gk_id", "location", "order_id", "sequence", "ts", "_rescued_data"),
    "2026": ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body", "_rescued_data"),
}

BEFORE_THE_DRIVE = (ORDER_CREATED, GK_STARTED, GK_FINISHED, GK_READY, DRIVER_ARRIVED, DRIVER_PICKED_UP)
"""The events that every order has once, in the order of their `sequence` numbers; pings and the delivery follow."""

_CUSTOMERS, _GK_ID, _DEMAND, _EVENTS, _BRANDS = 1, 2, 3, 4, 5
"""Numbers of the kitchen's random streams. They are independent: another draw in one leaves the data of the others as it was."""


def schema(generation: str) -> pa.Schema:
    """Return the schema of a generation. All columns are strings, as Auto Loader infers them from JSON."""
    return pa.schema([(name, pa.string()) for name in COLUMNS[generation]])


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """The orders of a day before their events are written.

    midnight: seconds since 1970; created: (n,) seconds since 1970, ascending; route: (n,) tree number * graph size + customer
    node, which identifies the route of the order.
    """

    date: date
    midnight: float
    created: Floats
    route: Ints


class SimulatedKitchen:
    """The whole demo of one kitchen.

    All days are planned first, because that decides which routes are needed; then events are made one day at a time, so that
    a long demo does not have to fit in memory.
    """

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
        """Plan the days. `first_order` is the number of orders in the kitchens before this one: ids count on from there."""
        self.config, self.generation, self._first_order = config, generation, first_order
        self._incidents = [incident for incident in incidents if incident.location == config.location_name]
        self._nulls = {event: {**config.dq.get(event, {}), **nulls.get(event, {})} for event in {*config.dq, *nulls}}
        self._seed = [seed if config.random_seed is None else config.random_seed, key_of(config.location_name)]
        half_side = config.radius_mi * METRES_PER_MILE
        self.graph: StreetGraph = street_graph(config.city, config.lat, config.lon, half_side)
        trees = grow_trees(self.graph)
        people = customers(self.graph, trees, half_side, np.random.default_rng([*self._seed, _CUSTOMERS]))
        self._gk_id = text.hex_ids(1, np.random.default_rng([*self._seed, _GK_ID]))[0].as_py()
        self.days: list[PlannedDay] = []
        for index, day in enumerate(days):
            rng = self._stream(day, _DEMAND)
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
            expected = orders_of_day(config, day, index, len(days), scale, rng)
            created = midnight + created_seconds(expected, self._incidents, midnight, rng)
            tree = rng.integers(0, TREES, len(created))
            customer = rng.choice(people, len(created))
            self.days.append(PlannedDay(day, midnight, created, tree * self.graph.size + customer))
        self._route_keys = np.unique(np.concatenate([day.route for day in self.days]))
        tree, customer = np.divmod(self._route_keys, self.graph.size)
        self.routes: Routes = routes(self.graph, trees, tree, customer)
        self._render_places()

    @property
    def orders(self) -> int:
        """Number of orders on all days."""
        return sum(len(day.created) for day in self.days)

    def _stream(self, day: date, purpose: int) -> np.random.Generator:
        return np.random.default_rng([*self._seed, day.toordinal(), purpose])

    def _render_places(self) -> None:
        """Render the JSON of coordinates, routes and addresses once for all days: they are most of a body and repeat."""
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
        """Return the events of the orders of one day in time order.

        Lifecycles are whole: the last events of orders placed late in the evening lie after midnight.
        """
        day = self.days[number]
        route = np.searchsorted(self._route_keys, day.route)
        rng = self._stream(day.date, _EVENTS)
        drive = drive_minutes(self.routes.metres[route], self.config.driver_mph)
        lives = live(self.config, day.created, drive, self._incidents, rng)
        pings = pings_of(drive, self.config.ping_sec)
        order, event_type, sequence, times = self._rows(lives, pings)
        bodies = self._bodies(number, route, lives, pings, rng)
        by_time = np.lexsort((sequence, order, times))
        canonical = self.generation == "2026"
        total = len(by_time)
        order_ids = self._order_ids(number, rng)
        columns: dict[str, pa.Array] = {
            "event_id": text.uuids(total, rng) if canonical else text.hex_ids(total, rng),
            "event_type": pa.array(EVENT_TYPES).take(pa.array(event_type[by_time])),
            "ts": text.timestamps(times[by_time], whole_seconds=canonical),
            "gk_id": pa.repeat(pa.scalar(self._gk_id), total),
            "location": pa.repeat(pa.scalar(self.config.location_name), total),
            "location_id": pa.repeat(pa.scalar(str(self.config.location_id)), total),
            "order_id": order_ids.take(pa.array(order[by_time])),
            "sequence": text.integers(sequence[by_time]),
            "body": bodies.take(pa.array(by_time)),
            "_rescued_data": pa.nulls(total, pa.string()),
        }
        return pa.table({name: columns[name] for name in COLUMNS[self.generation]}, schema=schema(self.generation))

    def _rows(self, lives: Lifecycles, pings: Pings) -> tuple[Ints, Ints, Ints, Floats]:
        """Return order, event type code, sequence and time (seconds) of every event, grouped by event type."""
        n, trips = len(lives.created), len(pings.order)
        every, pings_per_order = np.arange(n), np.bincount(pings.order, minlength=n)
        once = len(BEFORE_THE_DRIVE)
        order = np.concatenate([every] * once + [pings.order, every])
        event_type = np.repeat([*BEFORE_THE_DRIVE, DRIVER_PING, DELIVERED], [n] * once + [trips, n])
        last = once - 1
        sequence = np.concatenate(
            [np.full(n, place) for place in range(once)] + [last + pings.number, once + pings_per_order]
        )
        times = np.concatenate(
            [
                lives.created,
                lives.started,
                lives.finished,
                lives.ready,
                lives.arrived,
                lives.picked_up,
                lives.picked_up[pings.order] + pings.number * float(self.config.ping_sec),
                lives.delivered,
            ]
        )
        return order, event_type, sequence, times

    def _bodies(self, number: int, route: Ints, lives: Lifecycles, pings: Pings, rng: np.random.Generator) -> pa.Array:
        """Return the JSON body of every event, in the order of `_rows`."""
        n = len(route)
        points = np.diff(self.routes.offsets)[route[pings.order]]
        covered = ((pings.number / pings.hops) * (points - 1)).astype(np.int64)
        at = self._vertex[self.routes.offsets[route[pings.order]] + covered]
        return pa.concat_arrays(
            [
                self._created_bodies(route, number, rng),
                pa.repeat(pa.scalar("{}"), (DRIVER_ARRIVED - ORDER_CREATED) * n),
                self._picked_up_bodies(lives, route, rng),
                self._ping_bodies(pings, at, rng),
                self._delivered_bodies(self._home[route], rng),
            ]
        )

    def _order_ids(self, number: int, rng: np.random.Generator) -> pa.Array:
        n = len(self.days[number].created)
        if self.generation != "2026":
            return text.hex_ids(n, rng)
        earlier = sum(len(day.created) for day in self.days[:number])
        return text.order_ids(self._first_order + earlier, n, self._seed[0])

    def _field(self, event: str, name: str, values: pa.Array, rng: np.random.Generator) -> text.Field:
        """Return a field of a body, null with the probability that was configured for it."""
        p = self._nulls.get(event, {}).get(name, 0.0)
        null: Bools | None = rng.random(len(values)) < p if p else None
        return text.Field(name, values, null)

    def _created_bodies(self, route: Ints, day: int, rng: np.random.Generator) -> pa.Array:
        n, food = len(route), menu(self.generation)
        weights = brand_weights(self.config, len(food.brand_items), day, np.random.default_rng([*self._seed, _BRANDS]))
        items = pa.array(basket_texts(food, n, *baskets(food, n, weights, rng)), pa.string())
        home = pa.array(self._home[route])
        values = {
            "customer_lat": self._lat.take(home),
            "customer_lon": self._lon.take(home),
            "customer_addr": self._address.take(pa.array(route)),
            "items": items,
        }
        return text.body([self._field("order_created", name, column, rng) for name, column in values.items()])

    def _picked_up_bodies(self, lives: Lifecycles, route: Ints, rng: np.random.Generator) -> pa.Array:
        fields = [self._field("driver_picked_up", "route_points", self._route_text.take(pa.array(route)), rng)]
        if self.generation == "2025":
            eta = text.numbers(np.round(lives.drive, 1))
            fields.append(self._field("driver_picked_up", "eta_mins", eta, rng))
        return text.body(fields)

    def _ping_bodies(self, pings: Pings, vertex: Ints, rng: np.random.Generator) -> pa.Array:
        places = pa.array(vertex)
        values = {
            "progress_pct": text.numbers(_percent(pings)),
            "loc_lat": self._lat.take(places),
            "loc_lon": self._lon.take(places),
        }
        return text.body([self._field("driver_ping", name, column, rng) for name, column in values.items()])

    def _delivered_bodies(self, vertex: Ints, rng: np.random.Generator) -> pa.Array:
        places = pa.array(vertex)
        values = {"delivered_lat": self._lat.take(places), "delivered_lon": self._lon.take(places)}
        return text.body([self._field("delivered", name, column, rng) for name, column in values.items()])


def _percent(pings: Pings) -> Floats:
    """Return the progress of each ping in percent, to one decimal.

    Python's `round` is exact where NumPy's may be off in the last place. Distinct (number, hops) pairs are few, so only those
    are rounded.
    """
    code, index = np.unique(pings.number * 100_000 + pings.hops, return_inverse=True)
    number, hops = np.divmod(code, 100_000)
    rounded = [round(a / b * 100, 1) for a, b in zip(number.tolist(), hops.tolist(), strict=True)]
    return np.array(rounded, dtype=np.float64)[index.ravel()]
