"""The operations under /alerts of the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

from twin.api.alert_models import (
    Acknowledgement,
    AlertEntry,
    AlertRule,
    AlertRules,
    Alerts,
    AlertsQuery,
    BacktestQuestion,
    BacktestResult,
    GivenRule,
)
from twin.api.alerts import OWN_HEADER
from twin.api.openapi_parts import TEXT, answered, path_parameter, query_parameters, refusals

ALERTS = "/alerts"
RULE = {"figure": {"figure": "delivery_time", "limit": 2700, "recovery": 2400}, "for_s": 600, "name": "Late evenings"}
_OWN = {
    "name": OWN_HEADER,
    "in": "header",
    "required": True,
    "description": "Any value: it shows that no other site's form sent the request.",
    **TEXT,
}
_NONE = {"_404": "This server has no alerts, or none of that id."}
_CHANGES = {
    "_403": f"The server asks for a login, or {OWN_HEADER} is missing.",
    "_413": "The body is too large.",
    **_NONE,
}
_FULL = {**_CHANGES, "_409": "There are as many rules as there may be."}


def alert_paths() -> dict[str, Any]:
    """Return the operations, by their path under the API."""
    lists = {
        "operationId": "alerts",
        "summary": "Alerts that fire, and those that have: where TWIN_ALERTS is set",
        "parameters": query_parameters(AlertsQuery),
        "responses": {"200": answered(Alerts), **refusals(**_NONE)},
    }
    rules = {
        "operationId": "alert_rules",
        "summary": "The rules of alerts",
        "parameters": [],
        "responses": {"200": answered(AlertRules), **refusals(**_NONE)},
    }
    deleted = {
        "operationId": "delete_alert_rule",
        "summary": "Deletes a rule; its alerts stay, and those that fire end",
        "parameters": [path_parameter("rule_id"), _OWN],
        "responses": {"204": {"description": "It is deleted."}, **refusals(**_CHANGES)},
    }
    return {
        ALERTS: {"get": lists},
        f"{ALERTS}/rules": {
            "get": rules,
            "post": _post("add_alert_rule", "Stores a new rule", GivenRule, RULE, "201", AlertRule, _FULL),
        },
        f"{ALERTS}/rules/{{rule_id}}": {
            "put": _post(
                "change_alert_rule",
                "Changes a rule, or brings a deleted one back under its id; what fires of a rule that changes in more than its "
                "name ends",
                GivenRule,
                RULE,
                "200",
                AlertRule,
                _FULL,
                "rule_id",
            ),
            "delete": deleted,
        },
        f"{ALERTS}/backtest": {
            "post": _post(
                "try_alert_rule",
                "What a rule would have done at a kitchen in the last 28 days, as far as the record goes back; changes nothing",
                BacktestQuestion,
                {"rule": RULE, "location": "sanfrancisco"},
                "200",
                BacktestResult,
                _CHANGES,
            )
        },
        f"{ALERTS}/{{alert_id}}/acknowledge": {
            "post": _post(
                "acknowledge_alert",
                "Notes who has seen an alert: the first one stays",
                Acknowledgement,
                {"name": "Ada", "note": "Two drivers are on the way."},
                "200",
                AlertEntry,
                _CHANGES,
                "alert_id",
            )
        },
    }


def _post(
    name: str,
    summary: str,
    body: type[BaseModel],
    example: dict[str, Any],
    status: str,
    answer: type[BaseModel],
    other: dict[str, str],
    *names: str,
) -> dict[str, Any]:
    content = {"application/json": {**answered(body)["content"]["application/json"], "example": example}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*map(path_parameter, names), _OWN],
        "requestBody": {"required": True, "content": content},
        "responses": {status: answered(answer), **refusals(**other)},
    }
