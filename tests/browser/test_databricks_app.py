"""The app as the platform starts it: app.yaml's own command, word for word, behind a proxy's headers, in a real browser."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import pytest
from bokeh.util.token import get_token_payload
from playwright.sync_api import Browser, Page, expect

from tests.app.files import ROOT, app_environment, app_yaml
from tests.browser.app import free_port, wait_for_health

ACCESS_TOKEN = "eyJhbGciOiJub25lIn0.dXNlci1hY2Nlc3MtdG9rZW4.c2lnbmF0dXJl"

FORWARDED = {
    "X-Forwarded-Access-Token": ACCESS_TOKEN,
    "X-Forwarded-Email": "maya.okafor@caspers.example",
    "X-Forwarded-User": "7301846655209@1048576",
    "X-Forwarded-Preferred-Username": "Maya-Okafor",
    "X-Real-Ip": "203.0.113.77",
    "X-Request-Id": "0d9a52f1-9c0f-4d8a-b7c4-7c6f6d3f1f55",
}
"""What the platform's proxy adds to every request of a signed-in user, with values that occur nowhere else."""

COOKIE = ("__Host-databricksapps", "c29tZS1zZWFsZWQtY29va2ll")
SECRET = "the-client-secret-of-the-app"

STOP_S = 15
"""Seconds between the platform's SIGTERM and its SIGKILL."""


@dataclass(frozen=True)
class App:
    """A running app: where it answers and what it has written."""

    address: str
    log: Path


@pytest.fixture(scope="module")
def app(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The command of app.yaml in the environment that the platform makes for it; the events are the demo's."""
    port = free_port()
    # the platform replaces this one name; nothing else stands for anything else
    command = [word.replace("$DATABRICKS_APP_PORT", str(port)) for word in app_yaml()["command"]]
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "DATABRICKS_APP_PORT": str(port),
        "DATABRICKS_APP_NAME": "caspers-digital-twin",
        "DATABRICKS_HOST": "https://workspace.invalid",
        "DATABRICKS_CLIENT_ID": "app-client",
        "DATABRICKS_CLIENT_SECRET": SECRET,
        **app_environment("warehouse-1"),
        "BOKEH_ALLOW_WS_ORIGIN": f"127.0.0.1:{port}",  # as the stage sets it on deployment
        "TWIN_SOURCE": "demo",
        "TWIN_DEMO": str(demo),
    }
    log = tmp_path_factory.mktemp("app") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for_health(address, process, log)
            yield App(address, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_S) in (0, -signal.SIGTERM)  # the platform would kill it
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture
def signed_in(app: App, browser: Browser) -> Iterator[Page]:
    """The page as a signed-in user has it, behind the proxy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, extra_http_headers=FORWARDED)
    context.add_cookies([{"name": COOKIE[0].removeprefix("__Host-"), "value": COOKIE[1], "url": app.address}])
    page = context.new_page()
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(app.address)
    yield page
    context.close()
    assert problems == []


def token_of(html: str) -> str:
    """The session token that Bokeh writes into the page."""
    found = re.search(r'"token":\s*"([^"]+)"', html)
    assert found is not None
    return found.group(1)


def opened(app: App) -> str:
    """The page's source, asked for as the proxy does for a signed-in user."""
    headers = {**FORWARDED, "Cookie": f"{COOKIE[0]}={COOKIE[1]}", "Authorization": f"Bearer {ACCESS_TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(f"{app.address}/operations", headers=headers)) as answer:
        return answer.read().decode()


def test_the_page_opens_and_comes_alive(signed_in: Page) -> None:
    expect(signed_in.get_by_text("San Francisco").first).to_be_visible(timeout=30_000)
    signed_in.wait_for_function(
        "() => [...(globalThis.__twin?.clocks?.values() ?? [])].some((clock) => clock.anchor?.end > clock.anchor?.start)"
    )


def test_neither_the_page_nor_its_session_token_has_a_token_a_cookie_or_a_forwarded_header(app: App) -> None:
    html = opened(app)
    payload = get_token_payload(token_of(html))
    assert payload["headers"] == {}
    assert payload["cookies"] == {}
    for told in (html, json.dumps(payload)):
        for secret in (*FORWARDED.values(), COOKIE[1], SECRET):
            assert secret not in told


def test_the_log_has_no_token_and_no_user(app: App) -> None:
    opened(app)
    text = app.log.read_text()
    for secret in (*FORWARDED.values(), COOKIE[1], SECRET):
        assert secret not in text


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1"])
def test_a_page_from_another_address_may_not_open_the_websocket(app: App, origin: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(websocket(app, origin))
    assert refused.value.code == 403


def test_the_apps_own_page_may(app: App) -> None:
    with pytest.raises(HTTPError) as switched:  # urllib knows no "switching protocols"
        urllib.request.urlopen(websocket(app, app.address))
    assert switched.value.code == 101


def websocket(app: App, origin: str) -> urllib.request.Request:
    """The opening request of the page's WebSocket as a browser at `origin` sends it."""
    return urllib.request.Request(
        f"{app.address}/operations/ws",
        headers={
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Origin": origin,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": f"bokeh, {token_of(opened(app))}",
        },
    )
