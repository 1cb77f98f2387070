"""The OpenAPI 3.1 document, generated from the endpoints and the models, so that it cannot disagree with them."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from twin.api import models, parameters
from twin.api.alert_models import ALERT_MODELS
from twin.api.endpoints import BASE, ENDPOINTS, Endpoint
from twin.api.openapi_alerts import alert_paths
from twin.api.openapi_parts import TEXT, answered, path_parameter, query_parameters, ref, refusals

REPLAY = "/locations/{location}/replay"
LIVE = "/locations/{location}/live"
STREAMED = (models.OrderEvent, models.MetricsUpdate, models.ReplayPosition, models.ReplayComplete)
STREAMED_LIVE = (models.LiveEvent, models.MetricsUpdate, models.LivePosition)


@cache
def document() -> dict[str, Any]:
    """Generate the document."""
    answers: list[type[BaseModel]] = [
        *(endpoint.model for endpoint in ENDPOINTS),
        models.Health,
        models.Ready,
        models.Receipt,
        *ALERT_MODELS,
    ]
    documented: list[type[BaseModel]] = [*answers, *STREAMED, *STREAMED_LIVE, models.Problem]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(documented)], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Casper's Kitchens digital twin",
            "version": "1",
            "description": "Replays of delivery operations. Times are UTC, or the kitchen's own clock where `time_zone` of a "
            "location is null; durations minutes, shares percent; null stands where nothing tells.",
        },
        "paths": {
            **{BASE + endpoint.path: {"get": _json(endpoint)} for endpoint in ENDPOINTS},
            BASE + REPLAY: {"get": _replay()},
            BASE + LIVE: {"get": _live()},
            BASE + "/events": {"post": _inbox()},
            **{BASE + path: operations for path, operations in alert_paths().items()},
            BASE + "/healthz": {"get": _probe("healthz", models.Health, "Whether the process answers; needs no login")},
            BASE + "/readyz": {"get": _probe("readyz", models.Ready, "Whether the source answers; needs no login")},
            BASE + "/metrics": {"get": _metrics()},
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _json(endpoint: Endpoint) -> dict[str, Any]:
    """Return the operation of a JSON endpoint: its parameters and responses."""
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [*map(path_parameter, endpoint.names), *query_parameters(endpoint.query)],
        "responses": {
            "200": {
                "description": "OK",
                "headers": dict.fromkeys(("ETag", "Cache-Control", "X-Request-ID"), TEXT),
                "content": {"application/json": {"schema": ref(endpoint.model)}},
            },
            "304": {"description": "Unchanged since the answer whose ETag was sent as If-None-Match."},
            **refusals(),
        },
    }


def _replay() -> dict[str, Any]:
    """Return the operation of the replay stream: its parameters and the messages it sends."""
    return _stream(
        "replay",
        "A range as a stream of server-sent events, paced by the data clock",
        "Events `order_event`, `metrics_update`, `replay_position` and, at the end, `replay_complete`",
        parameters.ReplayQuery,
        "from_time",
        STREAMED,
    )


def _live() -> dict[str, Any]:
    """Return the operation of the live feed: its parameters and the messages it sends."""
    return _stream(
        "live",
        "What happens now, as a stream of server-sent events without an end",
        "Events `order_event` in the order of their arrival, `metrics_update` and `live_position`. The same messages come over a "
        "WebSocket at `/ws/v1/locations/{location}/live`, as JSON objects with `event`, `id` and `data`; give `after` there",
        parameters.LiveQuery,
        "after",
        STREAMED_LIVE,
    )


def _stream(
    name: str,
    summary: str,
    messages: str,
    query: type[parameters.Parameters],
    instead: str,
    models_sent: tuple[type[BaseModel], ...],
) -> dict[str, Any]:
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": f"The id of the last message that was read: the stream goes on after it. Comes before {instead}.",
        **TEXT,
    }
    content = {**TEXT, "x-messages": [ref(model) for model in models_sent]}
    return {
        "operationId": name,
        "summary": summary,
        "description": f"{messages}; each has an id to resume after. Data are "
        + ", ".join(f"`{model.__name__}`" for model in models_sent)
        + ".",
        "parameters": [path_parameter("location"), *query_parameters(query), last],
        "responses": {
            "200": {"description": "The stream.", "content": {"text/event-stream": content}},
            **refusals(),
        },
    }


def _inbox() -> dict[str, Any]:
    """Return the operation that takes events."""
    other = {"_401": "The token is not that of the inbox.", "_404": "This server takes no events.",
             "_413": "Too many events at once.", "_415": "It is compressed.", "_429": "Too many wrong tokens.",
             "_503": "They cannot be kept now, none was taken; Retry-After says when to try again."}  # fmt: skip
    return {
        "operationId": "inbox",
        "summary": "Takes events, JSON lines; 202 once they are on the disk",
        "description": "Each line has `event_type`, `ts`, `order_id`, `location`, and `sequence` and `body` where there are any, "
        "as docs/data.md describes them. Sending them again is harmless. The token of TWIN_INBOX_TOKEN opens it.",
        "parameters": [
            {"name": "Authorization", "in": "header", "required": True, "description": "Bearer and the token.", **TEXT}
        ],
        "requestBody": {"required": True, "content": {"application/x-ndjson": TEXT}},
        "responses": {
            "202": answered(models.Receipt, "What became of them."),
            **refusals(**other),
        },
    }


def _probe(name: str, model: type[BaseModel], summary: str) -> dict[str, Any]:
    """Return the operation of a probe; 503 says why not with the same model."""
    content = {"application/json": {"schema": ref(model)}}
    answers = {"200": "It does.", "503": "It does not, and why."}
    responses = {status: {"description": words, "content": content} for status, words in answers.items()}
    return {"operationId": name, "summary": summary, "parameters": [], "responses": responses}


def _metrics() -> dict[str, Any]:
    """Return the operation of the metrics."""
    text = {"description": "Prometheus text.", "content": {"text/plain": TEXT}}
    summary = "Counters and gauges of the process, for Prometheus"
    return {"operationId": "metrics", "summary": summary, "parameters": [], "responses": {"200": text, **refusals()}}
