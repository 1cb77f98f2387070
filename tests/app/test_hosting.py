"""Which address may open the page's WebSocket, as an app and elsewhere."""

import logging

import pytest
from databricks.sdk.errors import PermissionDenied

from twin.hosting import allow_own_host

HOST = "twin-123.aws.databricksapps.com"


def never(name: str) -> str:
    raise AssertionError("the workspace was asked")


def test_an_app_asks_for_its_own_address_and_allows_that_host_alone() -> None:
    environment = {"DATABRICKS_APP_NAME": "twin"}
    allow_own_host(environment, {"twin": f"https://{HOST}"}.__getitem__)
    assert environment["BOKEH_ALLOW_WS_ORIGIN"] == HOST


def test_hosts_that_are_named_already_stand() -> None:
    environment = {"DATABRICKS_APP_NAME": "twin", "BOKEH_ALLOW_WS_ORIGIN": "kiosk.example"}
    allow_own_host(environment, never)
    assert environment["BOKEH_ALLOW_WS_ORIGIN"] == "kiosk.example"


def test_outside_an_app_nothing_is_asked_and_nothing_allowed() -> None:
    environment: dict[str, str] = {}
    allow_own_host(environment, never)
    assert environment == {}


@pytest.mark.parametrize(
    "trouble", [PermissionDenied("secret-token-1 may not"), ValueError("default auth: secret-token-1"), TimeoutError()]
)
def test_a_workspace_that_does_not_tell_is_logged_with_what_to_do_and_without_its_text(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(name: str) -> str:
        raise trouble

    environment = {"DATABRICKS_APP_NAME": "twin"}
    with caplog.at_level(logging.ERROR):
        allow_own_host(environment, ask)
    assert "BOKEH_ALLOW_WS_ORIGIN" not in environment
    assert "Set BOKEH_ALLOW_WS_ORIGIN to the app's host" in caplog.text
    assert "secret-token-1" not in caplog.text


def test_an_app_without_an_address_yet_allows_nobody(caplog: pytest.LogCaptureFixture) -> None:
    environment = {"DATABRICKS_APP_NAME": "twin"}
    allow_own_host(environment, lambda name: "")
    assert "BOKEH_ALLOW_WS_ORIGIN" not in environment
    assert "names no address" in caplog.text
