"""Which address may open the page's WebSocket, as an app and elsewhere."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from twin.server.hosting import allow_own_host, own_address

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


def forbidden() -> Exception:
    from databricks.sdk.errors import PermissionDenied  # which imports all of the SDK

    return PermissionDenied("secret-token-1 may not")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(forbidden, marks=pytest.mark.slow),
        lambda: ValueError("default auth: secret-token-1"),
        TimeoutError,
    ],
)
def test_a_workspace_that_does_not_tell_is_logged_with_what_to_do_and_without_its_text(
    trouble: Callable[[], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def ask(name: str) -> str:
        raise trouble()

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


class Answers(BaseHTTPRequestHandler):
    """A workspace that knows one app, and whoever brings the right token."""

    def do_GET(self) -> None:
        known = self.path == "/api/2.0/apps/twin"
        allowed = self.headers["Authorization"] == "Bearer right"
        status, body = (
            (200, {"name": "twin", "url": f"https://{HOST}"}) if known else (404, {"error_code": "NOT_FOUND"})
        )
        if known and not allowed:
            status, body = 403, {"error_code": "PERMISSION_DENIED", "message": "no"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The SDK's environment, pointing to a workspace on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "right")
    yield monkeypatch
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.usefixtures("workspace")
def test_the_workspace_is_asked_through_the_real_sdk() -> None:
    assert own_address("twin") == f"https://{HOST}"


@pytest.mark.slow
def test_a_workspace_that_forbids_it_leaves_the_origin_unset(
    workspace: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workspace.setenv("DATABRICKS_TOKEN", "wrong")
    environment = {"DATABRICKS_APP_NAME": "twin"}
    allow_own_host(environment)
    assert "BOKEH_ALLOW_WS_ORIGIN" not in environment
    assert "PermissionDenied" in caplog.text
