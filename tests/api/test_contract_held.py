"""The OpenAPI document as a contract: whatever schemathesis sends, no answer is a server error or outside its schema.

The stream is left out: it has tests of its own, and does not end for a fuzzer. These tests have a file of their own because
schemathesis and jsonschema take five seconds of CPU to prepare, which the quick run does without.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks

from tests.api.conftest import World
from tests.api.serving import fetch
from twin.alerts.store import Store
from twin.analysis.alerts import FigureCondition, Firing, Machine, Rule
from twin.api.openapi import REPLAY, document
from twin.server.process import process

pytest_plugins = ["schemathesis.pytest.plugin"]
"""Not loaded by itself (pyproject.toml)."""
pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("TWIN_CONTRACT_EXAMPLES", "25"))
"""Requests per endpoint: a few seconds each; a nightly run may ask for more."""

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document()))).exclude(path_regex="(replay|live)$")
HELD = [checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
HELD += [checks.response_schema_conformance, checks.response_headers_conformance]


@pytest.fixture
def server(server: str, demo_world: World, tmp_path: Path) -> Iterator[str]:
    """The demo's server, which has alerts: a rule, and what fired of it."""
    process.alerts = Store(f"sqlite:///{tmp_path / 'alerts.db'}")
    rule = process.alerts.put(Rule(FigureCondition("delivery_time", 2700.0, 2400.0), id="late"), "ada")
    fired = [Firing(0.0, 60.0, 3000.0), Firing(0.0, 60.0, 3000.0, ended=600.0), Firing(900.0, 960.0, 3000.0)]
    process.alerts.advance(rule, demo_world.places[0], Machine(960.0), fired, channels=[])
    yield server
    process.alerts.close()
    process.alerts = None


def places(world: World) -> dict[str, list[str]]:
    """Names that exist, so that the fuzzer comes further than the 404s."""
    names = {"location": world.places, "order_id": [world.events(place)[7][2] for place in world.places]}
    alerts = process.alerts.alerts() if process.alerts is not None else []
    return names | {"rule_id": ["late", "other"], "alert_id": [alert.id for alert in alerts]}


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_contract(case: Any, server: str, demo_world: World) -> None:
    known = places(demo_world)
    for name in case.path_parameters or {}:
        if len(str(case.query or "")) % 4:  # one in four keeps its made-up name
            case.path_parameters[name] = known[name][len(str(case.query)) % len(known[name])]
    case.call_and_validate(base_url=server, checks=HELD, headers={"Connection": "close"})


def test_the_document_itself_is_valid_and_covers_every_parameter() -> None:
    result = document()
    jsonschema.Draft202012Validator.check_schema({"$defs": result["components"]["schemas"]})
    assert len(result["paths"]) == 21
    assert any(path.endswith(REPLAY) for path in result["paths"])
    for operations in result["paths"].values():
        for operation in operations.values():
            assert all(parameter["schema"] for parameter in operation["parameters"])


def test_answers_hold_against_the_document_with_another_validator(server: str, demo_world: World) -> None:
    result = document()
    place = demo_world.places[0]
    for path, operations in result["paths"].items():
        if path.endswith(("replay", "live", "metrics")) or "get" not in operations:
            continue
        filled = path.format(location=place, order_id=demo_world.events(place)[0][2])
        wanted = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        if "alerts" in path:
            assert "late" in fetch(server + filled).body.decode()
        body = json.loads(fetch(server + filled).body)
        jsonschema.Draft202012Validator({**wanted, "components": result["components"]}).validate(body)
