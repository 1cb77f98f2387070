"""The sources that every answer is held against, with their raw rows, read without any code of the product."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bokeh.models.widgets import Div

import twin
import twin.api as api
from tests import brute
from tests.api.serving import served
from twin.api.endpoints import clear_cache
from twin.notebook.door import Twin
from twin.server.process import process

FIELDS = ("event_type", "ts", "location", "order_id", "sequence", "body")


@dataclass(eq=False)
class World:
    """A source: opened by the product, and as raw rows judged the slow way."""

    twin: Twin
    rows: list[dict[str, Any]]
    _known: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def judged(self) -> tuple[list[dict[str, Any]], Any]:
        return brute.judge(self.rows)

    @property
    def places(self) -> list[str]:
        return [place.id for place in self.twin.locations]

    def events(self, location: str) -> list[tuple[float, float, str, str, dict[str, Any]]]:
        """The usable events in the log's order: time, sequence, order, type, body."""
        if ("events", location) in self._known:
            return self._known["events", location]
        found = []
        for row in self.judged[0]:
            if row["location"] == location:
                sequence = float(row["sequence"]) if row["sequence"] not in (None, "") else float("inf")
                body = json.loads(row["body"] or "{}")
                found.append((brute.when(row["ts"]) or 0.0, sequence, row["order_id"], row["event_type"], body))
        self._known["events", location] = sorted(found, key=lambda event: event[:4])
        return self._known["events", location]

    def orders(self, location: str) -> dict[str, dict[str, Any]]:
        """Each order's first times and items, gathered event by event."""
        if ("orders", location) in self._known:
            return self._known["orders", location]
        orders: dict[str, dict[str, Any]] = {}
        for ts, _, order_id, kind, body in self.events(location):
            order = orders.setdefault(order_id, {"first": ts, "items": []})
            if kind == "order_created" and kind not in order:
                order["items"] = body.get("items") or []
            order.setdefault(kind, ts)
        for order in orders.values():
            order["began"] = order.get("order_created", order["first"])
            created, delivered = order.get("order_created"), order.get("delivered")
            order["took"] = None if created is None or delivered is None else delivered - created
            order["counts"] = order["took"] is not None and 0 <= order["took"] <= 4 * 3600
            order["revenue"] = sum((item.get("qty") or 0) * (item.get("price") or 0) for item in order["items"])
        self._known["orders", location] = orders
        return orders


def _demo_rows(folder: Path) -> list[dict[str, Any]]:
    answer = duckdb.sql(
        f"SELECT {', '.join(FIELDS)} FROM read_parquet('{folder}/events_*.parquet', union_by_name=true)"
    )
    rows = [dict(zip(FIELDS, row, strict=True)) for row in answer.fetchall()]
    return [row | {"ts": None if row["ts"] is None else str(row["ts"])} for row in rows]


@pytest.fixture(scope="session")
def demo_world(demo: Path) -> World:
    return World(twin.open(demo), _demo_rows(demo))


@pytest.fixture(scope="session", params=["demo", "sample"])
def world(request: pytest.FixtureRequest) -> World:
    """The demo, and the real sample where it is at hand."""
    if request.param == "demo":
        return request.getfixturevalue("demo_world")
    file = request.getfixturevalue("real_data") / "casper_sample_events.csv"
    with file.open() as lines:
        return World(twin.open(file), list(csv.DictReader(lines)))


@pytest.fixture(scope="module")
def routes() -> Iterator[str]:
    """A server with the routes; which source it tells of is set by `process.use`."""
    with served(
        lambda doc: doc.add_root(Div(text="page")), extra_patterns=list(api.ROUTES), prefix="/under"
    ) as address:
        yield address


@pytest.fixture
def server(routes: str, demo_world: World) -> Iterator[str]:
    """The same, telling of the demo."""
    clear_cache(demo_world.twin)
    process.use(demo_world.twin)
    yield routes
    process.use(None)
