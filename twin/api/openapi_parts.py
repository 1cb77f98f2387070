"""What the operations of the OpenAPI document are put together from."""

from typing import Any

from pydantic import BaseModel

from twin.api import models, parameters

TEXT = {"schema": {"type": "string"}}
_REFUSALS = {
    "400": "The request is not text.",
    "403": "The server asks for a login.",
    "404": "No such location or order; `near` names some like it.",
    "405": "Another method; Allow says which there are.",
    "422": "A parameter is wrong; `errors` says which and what is allowed.",
    "503": "The source is down, or too many streams are open; Retry-After says when to come again.",
}


def path_parameter(name: str) -> dict[str, Any]:
    """Return a name in the path."""
    return {"name": name, "in": "path", "required": True, **TEXT}


def query_parameters(model: type[parameters.Parameters]) -> list[dict[str, Any]]:
    """Return the parameters of a query."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": field.get("description", ""),
            "schema": _writable(field),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _writable(field: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema without null: an omitted parameter is null in the model, but a query cannot contain null."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    left_out = {"title", "description", "anyOf"} | ({"default"} if field.get("default", 0) is None else set())
    return {key: value for key, value in field.items() if key not in left_out} | (choices[0] if choices else {})


def refusals(**other: str) -> dict[str, Any]:
    """Return the responses that refuse; `other` describes further ones, or differently, as `_409`."""
    content = {"application/problem+json": {"schema": ref(models.Problem)}}
    words = _REFUSALS | {status.removeprefix("_"): why for status, why in other.items()}
    answers = {status: {"description": why, "content": content} for status, why in sorted(words.items())}
    answers["503"]["headers"] = {"Retry-After": TEXT}
    return answers


def answered(model: type[BaseModel], description: str = "OK") -> dict[str, Any]:
    """Return the response that is JSON of a model."""
    return {"description": description, "content": {"application/json": {"schema": ref(model)}}}


def ref(model: type[BaseModel]) -> dict[str, str]:
    """Return the reference to a model's schema."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}
