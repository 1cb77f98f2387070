"""The OpenAPI document and the endpoints that it is made from; test_contract_held.py holds the answers against it."""

import inspect

import pytest

from twin.api.endpoints import ENDPOINTS, Endpoint
from twin.api.models import Answer
from twin.api.openapi import document
from twin.api.parameters import Parameters


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_is_what_its_functions_signature_says(endpoint: Endpoint) -> None:
    """The source, then the names in the path in their order, then the query's parameters: nothing else is called for."""
    taken = inspect.signature(endpoint.answer).parameters
    assert list(taken)[1:-1] == endpoint.names
    assert issubclass(endpoint.query, Parameters)
    assert issubclass(endpoint.model, Answer)


@pytest.mark.parametrize("model", ["TimeRange", "KitchenStatus", "OrderLifecycle", "Brands"])
def test_an_answer_with_a_made_up_field_would_be_caught(model: str) -> None:
    """The schemas are closed; else test_contract_held.py could not fail on what it does not know."""
    assert document()["components"]["schemas"][model]["additionalProperties"] is False
