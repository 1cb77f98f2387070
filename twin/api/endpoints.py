"""The JSON endpoints: one declaration each, from which the routes, the OpenAPI document and the docs page are made."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast, get_type_hints

from pydantic import BaseModel

from twin.api import answers, network, parameters
from twin.api.answer_cache import AGGREGATES_S, METADATA_S, AnswerCache, Encoded
from twin.api.handler import ApiHandler, Refusal
from twin.api.source import current_source
from twin.foundation.address import LONGEST_ID
from twin.hub import Hub
from twin.server import threads
from twin.server.process import process
from twin.server.threads import Pool

BASE = "/api/v1"


@dataclass(frozen=True)
class Endpoint:
    """One address and the function that computes its answer, called in a worker thread with the hub, the names in the path
    and the parameters. The models of parameters and answer are read from its signature.

    `max_age` is how many seconds an answer may be cached; None: not at all.
    """

    path: str
    answer: Callable[..., BaseModel]
    max_age: int | None
    summary: str
    example: str = ""
    pool: Pool = threads.answers
    """The threads that compute it."""

    @property
    def name(self) -> str:
        """The endpoint's name in the OpenAPI document, the log and the metrics."""
        return self.answer.__name__

    @cached_property
    def query(self) -> type[parameters.Parameters]:
        """The model of the query's parameters."""
        *_, query, _ = get_type_hints(self.answer).values()
        return cast(type[parameters.Parameters], query)

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model of the answer."""
        return cast(type[BaseModel], get_type_hints(self.answer)["return"])

    @property
    def names(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def pattern(self) -> str:
        """The path as Tornado matches it."""
        return re.escape(BASE) + re.sub(r"{\w+}", "([^/]+)", self.path)


_A_DAY = "start=2025-10-17T00:00:00Z&end=2025-10-18T00:00:00Z"

ENDPOINTS = (
    Endpoint("/locations", answers.locations, METADATA_S, "The kitchens in the source"),
    Endpoint(
        "/locations/{location}/time-range",
        answers.time_range,
        AGGREGATES_S,
        "Orders, delivery time, completion and revenue of a range, and their course by hour, day or week",
        f"?{_A_DAY}&granularity=hour",
    ),
    Endpoint(
        "/orders/{order_id}",
        answers.order,
        AGGREGATES_S,
        "One order's whole life: milestones, stages, items and every event",
    ),
    Endpoint(
        "/locations/{location}/kitchen-status",
        answers.kitchen_status,
        AGGREGATES_S,
        "A kitchen at a moment, exactly as the dashboard shows it: stages, open orders, drivers, figures",
        "?at_time=2025-10-17T18:50:00Z",
    ),
    Endpoint(
        "/network",
        network.network,
        AGGREGATES_S,
        "All kitchens at a moment, those with most harm first, each as its page shows it",
        "?at_time=2025-10-17T18:50:00Z",
        threads.insights,
    ),
    Endpoint(
        "/locations/{location}/brands",
        answers.brands,
        AGGREGATES_S,
        "How the brands did in a range: orders, revenue, delivery time, trend",
        f"?{_A_DAY}",
    ),
    Endpoint(
        "/locations/{location}/moments",
        answers.moments,
        AGGREGATES_S,
        "What stands out in a range: peaks and troubles, ranked, in words and figures",
        f"?{_A_DAY}",
        threads.insights,
    ),
    Endpoint(
        "/locations/{location}/ledger",
        answers.ledger,
        AGGREGATES_S,
        "Why the deliveries of a range were late: minutes by cause, in total and by hour, day or brand",
        f"?{_A_DAY}&by=hour",
        threads.insights,
    ),
    Endpoint(
        "/locations/{location}/events",
        answers.events,
        None,
        "The log of events in pages, filtered by range, type and order",
        "?start=2025-10-17T18:00:00Z&type=driver_arrived,delivered&limit=50",
    ),
    Endpoint(
        "/locations/{location}/data-quality",
        answers.data_quality,
        METADATA_S,
        "Every raw row accounted for: read, used, set aside by reason",
    ),
)


class JsonHandler(ApiHandler):
    """Serves one endpoint: parses the query, computes the answer off the event loop or takes it from the cache, and sends it."""

    def initialize(self, **options: Any) -> None:
        """Store the `endpoint` of this route."""
        super().initialize()
        endpoint: Endpoint = options["endpoint"]
        self._endpoint = endpoint
        self.route = endpoint.name

    async def get(self, *names: str) -> None:
        """Answer 200 with JSON, or 304 where the caller's ETag is current; errors are `Problem`s."""
        endpoint = self._endpoint
        for name, value in zip(endpoint.names, names, strict=True):
            if len(value) > LONGEST_ID:
                raise Refusal(404, f"No {name.replace('_', ' ')} has over {LONGEST_ID:,} characters.")
        query = self.parameters(endpoint.query)
        hub = await current_source(self.request)

        async def make() -> Encoded:
            return await endpoint.pool.run(lambda: _encoded(endpoint, hub, names, query))

        if endpoint.max_age is None:
            self.send(await make())
            return
        key = (hub.version, endpoint.name, names, query.model_dump_json())
        answer = await hub.cached(_answer_cache).get(key, endpoint.max_age, make)
        # a browser's cache knows neither who signs in next nor that the source has grown
        differs = process.settings_or_default.on_behalf_of_user or hub.as_of is not None
        self.set_header("Cache-Control", "private, no-cache" if differs else f"private, max-age={endpoint.max_age}")
        self.send(answer)

    head = get

    def send(self, answer: Encoded) -> None:
        """Send an encoded answer, compressed where the client accepts gzip and it pays."""
        self._etag = answer.etag
        self.set_header("Content-Type", "application/json")
        self.add_header("Vary", "Accept-Encoding")
        packed = answer.packed is not None and "gzip" in self.request.headers.get("Accept-Encoding", "")
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.write(answer.packed if packed and answer.packed is not None else answer.body)


def _encoded(endpoint: Endpoint, hub: Hub, names: tuple[str, ...], query: parameters.Parameters) -> Encoded:
    return Encoded.of(endpoint.answer(hub, *names, query).model_dump_json().encode())


def _answer_cache(hub: Hub) -> AnswerCache:
    """Create the answer cache of a hub; it lives as long as the hub."""
    return AnswerCache(budget=hub.budget)


def clear_cache(hub: Hub) -> None:
    """Drop all cached answers of a hub."""
    hub.cached(_answer_cache).clear()
