"""The app as the platform starts it: app.yaml's own command, word for word, behind a proxy's headers, in a real browser."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from bokeh.util.token import get_session_id, get_token_payload
from playwright.sync_api import Browser, Page, expect

from tests.api.serving import fetch
from tests.app.files import ROOT, app_environment, app_yaml
from tests.browser.app import free_port, wait_for_health
from tests.browser.operations import CLOCK, by_id, choose, clock, until
from tests.warehouse.conftest import add_orders, tables
from tests.warehouse.double import CLIENT_SECRET, TOKEN, WAREHOUSE, Warehouse, filled, running

pytestmark = pytest.mark.browser

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
SECRET = CLIENT_SECRET

MOST_STATEMENTS = 20
"""For opening the source, the kitchens' list and one kitchen's day; what an aggregate reads from is asked once beside."""

SOON_S = 120
"""Seconds within which the app does something by itself, on a busy machine, too."""

STOP_S = 15
"""Seconds between the platform's SIGTERM and its SIGKILL."""


@dataclass(frozen=True)
class App:
    """A running app: where it answers and what it has written."""

    address: str
    log: Path


@pytest.fixture(scope="module")
def warehouse(demo: Path) -> Iterator[Warehouse]:
    """The workspace's SQL warehouse and login, with the demo's events in its tables. It starts until `awake` says otherwise."""
    with running(filled(tables(demo))) as double:
        double.faults.starting_s = 3600.0
        yield double


@pytest.fixture(autouse=True)
def awake(request: pytest.FixtureRequest, warehouse: Warehouse) -> None:
    """Let the warehouse have started, but for the test that looks at that."""
    if request.function is not test_the_page_opens_and_plays:
        warehouse.faults.starting_s = 0.0


@pytest.fixture(scope="module")
def app(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The command of app.yaml, word for word, in the environment that the platform makes for it, on a warehouse."""
    port = free_port()
    # the platform replaces this one name; nothing else stands for anything else
    command = [word.replace("$DATABRICKS_APP_PORT", str(port)) for word in app_yaml()["command"]]
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "DATABRICKS_APP_PORT": str(port),
        "DATABRICKS_APP_NAME": "caspers-digital-twin",
        "DATABRICKS_HOST": warehouse.address,
        "DATABRICKS_CLIENT_ID": "app-client",
        "DATABRICKS_CLIENT_SECRET": SECRET,
        **app_environment(WAREHOUSE),
        "CATALOG": "caspers",  # the double's
        "BOKEH_ALLOW_WS_ORIGIN": f"127.0.0.1:{port}",  # as the stage sets it on deployment
        "TWIN_CACHE": str(tmp_path_factory.mktemp("cache")),
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


def test_the_page_opens_and_plays(app: App, signed_in: Page, warehouse: Warehouse) -> None:
    deadline = time.monotonic() + SOON_S
    while "Starting the SQL warehouse, " not in app.log.read_text():
        assert time.monotonic() < deadline, "the tables are opened before anybody looks"
        time.sleep(0.1)
    signed_in.goto(app.address)
    expect(by_id(signed_in, "welcome")).to_contain_text(re.compile(r"Starting the SQL warehouse, \d+ s so far"))
    with urllib.request.urlopen(f"{app.address}/api/v1/openapi.json", timeout=2) as other:
        assert other.status == HTTPStatus.OK, "the process serves others meanwhile"
    warehouse.faults.starting_s = 0.0
    expect(by_id(signed_in, "welcome")).to_contain_text("Choose one of", timeout=120_000)
    choose(signed_in, app.address, "sanfrancisco")
    before = clock(signed_in)
    signed_in.keyboard.press("Space")
    signed_in.wait_for_function(f"(before) => ({CLOCK})() > before", arg=before)
    expect(by_id(signed_in, "user")).to_have_text(FORWARDED["X-Forwarded-Preferred-Username"])
    assert warehouse.logins == 1, "as the app's service principal"
    asked = len(warehouse.statements)
    signed_in.wait_for_timeout(1500)  # several ticks
    assert len(warehouse.statements) == asked, "playing asks nothing"
    assert asked <= MOST_STATEMENTS


def test_who_does_not_want_to_wait_stays_where_they_are(app: App, signed_in: Page, warehouse: Warehouse) -> None:
    signed_in.goto(f"{app.address}/operations?location=sanfrancisco")
    expect(by_id(signed_in, "legend")).to_contain_text("Orders per", timeout=60_000)
    kitchens = signed_in.get_by_role("combobox", name="Kitchen", exact=True)
    before, cancelled = clock(signed_in), warehouse.cancelled
    warehouse.faults.hold = threading.Event()
    try:
        kitchens.select_option("Chicago")
        expect(by_id(signed_in, "skeleton")).to_contain_text("Loading Chicago")
        expect(by_id(signed_in, "skeleton-cancel")).to_be_visible()
        by_id(signed_in, "skeleton-cancel").click()
        expect(by_id(signed_in, "skeleton")).to_be_hidden()
        expect(kitchens).to_have_value("sanfrancisco")
        assert clock(signed_in) == before
        until(signed_in, lambda: warehouse.cancelled > cancelled, "the warehouse is told")
    finally:
        warehouse.faults.hold = None
    kitchens.select_option("Chicago")
    signed_in.wait_for_url(re.compile("location=chicago"), timeout=60_000)
    expect(by_id(signed_in, "skeleton")).to_be_hidden()


def test_orders_that_come_in_while_the_page_is_open_are_offered(
    app: App, signed_in: Page, warehouse: Warehouse
) -> None:
    signed_in.goto(f"{app.address}/operations?location=chicago")
    expect(by_id(signed_in, "legend")).to_contain_text("Orders per", timeout=60_000)
    before = clock(signed_in)
    by_id(signed_in, "health").click()
    expect(by_id(signed_in, "health-age")).to_contain_text(re.compile(r"As of \w{3} \d+ \w{3} \d\d:\d\d UTC"))
    by_id(signed_in, "health-look").click()
    expect(by_id(signed_in, "health-note")).to_have_text("There is nothing newer.")
    expect(by_id(signed_in, "banner")).to_be_hidden()
    add_orders(warehouse, "chicago", 7 * 24)
    by_id(signed_in, "health-look").click()
    expect(by_id(signed_in, "health-note")).to_have_text("Newer orders have come in.")
    expect(by_id(signed_in, "banner")).to_contain_text("New orders have come in, until 2025-10-")
    assert clock(signed_in) == before, "nothing moves by itself"
    signed_in.keyboard.press("Escape")
    signed_in.get_by_role("button", name="Show the latest").click()
    signed_in.wait_for_function(f"(before) => ({CLOCK})() > before + 6 * 86400", arg=before, timeout=60_000)
    expect(by_id(signed_in, "banner")).to_be_hidden()


def test_neither_the_page_nor_its_session_token_has_a_token_a_cookie_or_a_forwarded_header(app: App) -> None:
    html = opened(app)
    payload = get_token_payload(token_of(html))
    assert payload["headers"] == {}
    assert payload["cookies"] == {}
    for told in (html, json.dumps(payload)):
        for secret in (*FORWARDED.values(), COOKIE[1], SECRET, TOKEN):
            assert secret not in told


def test_nobody_chooses_a_session_in_the_app(app: App) -> None:
    token = token_of(opened(app))
    assert token.count(".") == 1, "signed"
    for query in (f"bokeh-token={token}", f"bokeh-session-id={get_session_id(token)}"):
        assert fetch(f"{app.address}/operations?{query}").status == HTTPStatus.BAD_REQUEST
    assert fetch(f"{app.address}/components/this/x/_css/y").status == HTTPStatus.NOT_FOUND


def test_the_log_has_no_token_and_no_user(app: App) -> None:
    opened(app)
    text = app.log.read_text()
    told = {name: value for name, value in FORWARDED.items() if name != "X-Request-Id"}  # by which a request is found
    for secret in (*told.values(), COOKIE[1], SECRET, TOKEN):
        assert secret not in text


def handshake(app: App, origin: str) -> int:
    """The answer to the opening request of the page's WebSocket, as a browser at `origin` sends it."""
    connection = http.client.HTTPConnection(app.address.removeprefix("http://"), timeout=30)
    with closing(connection):
        connection.request(
            "GET",
            "/operations/ws",
            headers={
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Origin": origin,
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                "Sec-WebSocket-Protocol": f"bokeh, {token_of(opened(app))}",
            },
        )
        return connection.getresponse().status


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1"])
def test_a_page_from_another_address_may_not_open_the_websocket(app: App, origin: str) -> None:
    assert handshake(app, origin) == HTTPStatus.FORBIDDEN


def test_the_apps_own_page_may(app: App) -> None:
    assert handshake(app, app.address) == HTTPStatus.SWITCHING_PROTOCOLS
