"""The OpenAPI 3.1 document, made from the endpoints and the models, so that it cannot tell anything else than they do."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from twin.api import models
from twin.api import parameters as asked
from twin.api.endpoints import BASE, ENDPOINTS

REPLAY = "/locations/{location}/replay"
STREAMED = (models.OrderEvent, models.MetricsUpdate, models.ReplayPosition, models.ReplayComplete)
_REFUSALS = {
    "400": "The request is not text.",
    "403": "The server asks for a login.",
    "404": "No such location or order; `near` names some like it.",
    "405": "Only GET and HEAD.",
    "422": "A parameter is wrong; `errors` says which and what is allowed.",
    "503": "The source is down, or too many replays are open; Retry-After says when to come again.",
}


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    answers: list[type[BaseModel]] = [*(endpoint.model for endpoint in ENDPOINTS), *STREAMED, models.Problem]
    unique = list(dict.fromkeys(answers))
    _, shared = models_json_schema(
        [(model, "serialization") for model in unique], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {
        BASE + endpoint.path: {
            "get": {
                "operationId": endpoint.name,
                "summary": endpoint.summary,
                "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)],
                "responses": {
                    "200": {
                        "description": "OK",
                        "headers": {
                            name: {"schema": {"type": "string"}} for name in ("ETag", "Cache-Control", "X-Request-ID")
                        },
                        "content": {"application/json": {"schema": _ref(endpoint.model)}},
                    },
                    "304": {"description": "Unchanged since the answer whose ETag was sent as If-None-Match."},
                    **_refusals(),
                },
            }
        }
        for endpoint in ENDPOINTS
    }
    paths[BASE + REPLAY] = {"get": _replay()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Casper's Kitchens digital twin",
            "version": "1",
            "description": "Replays of delivery operations. Times are data time, UTC; durations minutes, shares percent; "
            "null stands where nothing tells.",
        },
        "paths": paths,
        "components": {"schemas": shared["$defs"]},
    }


def _replay() -> dict[str, Any]:
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last message that was read: the stream goes on after it. Comes before from_time.",
        "schema": {"type": "string"},
    }
    return {
        "operationId": "replay",
        "summary": "A range as a stream of server-sent events, paced by the data clock",
        "description": "Events `order_event`, `metrics_update`, `replay_position` and, at the end, `replay_complete`; each has "
        "an id to resume after. Data are " + ", ".join(f"`{model.__name__}`" for model in STREAMED) + ".",
        "parameters": [*_path_parameters(REPLAY), *_query_parameters(asked.Replay), last],
        "responses": {
            "200": {
                "description": "The stream.",
                "content": {
                    "text/event-stream": {
                        "schema": {"type": "string"},
                        "x-messages": [_ref(model) for model in STREAMED],
                    }
                },
            },
            **_refusals(),
        },
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    parameters = []
    for name, field in schema.get("properties", {}).items():
        told = {key: value for key, value in field.items() if key not in ("title", "description")}
        # a parameter that is left out is null in the model, but null cannot be written in a query
        some = [choice for choice in told.pop("anyOf", []) if choice.get("type") != "null"]
        told |= some[0] if some else {}
        if told.get("default", 0) is None:
            del told["default"]
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "description": field.get("description", ""),
                "schema": told,
            }
        )
    return parameters


def _refusals() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref(models.Problem)}}
    told = {status: {"description": why, "content": content} for status, why in _REFUSALS.items()}
    told["503"]["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return told


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
