"""Every route of the running server, ours, Panel's and Bokeh's, from its own table, and who is answered on it.

A route that an update or a change of ours brings fails here until it is entered, with what it asks of a visitor.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from bokeh.util.token import get_token_payload

from tests.api.serving import Answer, fetch
from tests.browser.prepared import Prepared
from tests.server.open_servers import handshake, token_in
from tests.server.test_sessions import PAYLOAD
from tests.sources.test_files import ROWS, write_csv

pytestmark = pytest.mark.slow

LOGIN, EVERYBODY, NOBODY, WEBSOCKET = "who is logged in", "everybody", "nobody", "who is logged in, with a page's token"
TOKEN = "nobody by GET, and by POST who has a token of its own: tests/api/test_inbox.py"
API = "/api/v1/locations/([^/]+)"


class Route(NamedTuple):
    """Who is answered, and an address on the route that has an answer."""

    who: str
    example: str


PAGES = {
    f"{page}{path}": Route(who, f"{page}{example}")
    for page in ("", "/operations", "/compare", "/kiosk", "/adapt", "/network")
    for path, who, example in (
        ("/?", LOGIN, "/" if page == "" else ""),
        ("/ws", WEBSOCKET, "/ws"),
        ("/metadata", NOBODY, "/metadata"),
        ("/autoload.js", NOBODY, "/autoload.js?bokeh-autoload-element=x"),
        ("/static/(?!extensions/)(.*)" if page == "" else "/static/(.*)", EVERYBODY, "/static/js/bokeh.min.js"),
    )
}
ROUTES = {
    **PAGES,
    "/static/(.*)": Route(EVERYBODY, "/static/js/bokeh.min.js"),
    "/static/extensions/(.*)": Route(EVERYBODY, "/static/extensions/panel/panel.min.js"),
    "/favicon.ico": Route(EVERYBODY, "/favicon.ico"),
    r"/favicon\.ico": Route(EVERYBODY, "/favicon.ico"),
    "/components/(.*)": Route(NOBODY, "/components/panel.template.base/BaseTemplate/_css/loading.css"),
    r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/.@]+)(@2x)?\.png": Route(LOGIN, "/tiles/sf/dark/0/0/0.png"),
    r"/assets/((?:[a-z]+\.)?[0-9a-f]+\.(?:js|woff2))": Route(LOGIN, "/assets/0123456789abcdef0123.js"),
    "/healthz": Route(EVERYBODY, "/healthz"),
    "/readyz": Route(EVERYBODY, "/readyz"),
    "/metrics": Route(LOGIN, "/metrics"),
    "/user": Route(LOGIN, "/user"),
    "/connection": Route(LOGIN, "/connection"),
    "/api/v1/locations": Route(LOGIN, "/api/v1/locations"),
    f"{API}/time-range": Route(LOGIN, "/api/v1/locations/sf/time-range"),
    "/api/v1/orders/([^/]+)": Route(LOGIN, "/api/v1/orders/none"),
    f"{API}/kitchen-status": Route(LOGIN, "/api/v1/locations/sf/kitchen-status"),
    "/api/v1/network": Route(LOGIN, "/api/v1/network"),
    f"{API}/brands": Route(LOGIN, "/api/v1/locations/sf/brands"),
    f"{API}/moments": Route(LOGIN, "/api/v1/locations/sf/moments"),
    f"{API}/ledger": Route(LOGIN, "/api/v1/locations/sf/ledger"),
    f"{API}/events": Route(LOGIN, "/api/v1/locations/sf/events"),
    f"{API}/data-quality": Route(LOGIN, "/api/v1/locations/sf/data-quality"),
    f"{API}/replay": Route(LOGIN, "/api/v1/locations/none/replay"),
    f"{API}/live": Route(LOGIN, "/api/v1/locations/none/live"),
    "/ws/v1/locations/([^/]+)/live": Route(LOGIN, "/ws/v1/locations/none/live"),
    "/api/v1/healthz": Route(EVERYBODY, "/api/v1/healthz"),
    "/api/v1/readyz": Route(EVERYBODY, "/api/v1/readyz"),
    "/api/v1/metrics": Route(LOGIN, "/api/v1/metrics"),
    "/api/v1/events": Route(TOKEN, "/api/v1/events"),
    r"/api/v1/alerts((?:/[A-Za-z0-9_-]{1,64}){0,2})": Route(LOGIN, "/api/v1/alerts"),
    r"/api/v1/openapi\.json": Route(LOGIN, "/api/v1/openapi.json"),
    "/api/v1/docs": Route(LOGIN, "/api/v1/docs"),
    "/api/v1(?:/.*)?": Route(LOGIN, "/api/v1/nothing"),
}
REFUSE = {"StrangeHost", "_NoRoom"}
"""Rules that match no address, but refuse requests on all: see test_hosts.py and test_limits.py."""
OF_A_LOGIN = {"/login": Route(EVERYBODY, "/login"), "/logout": Route(EVERYBODY, "/logout")}
PASSWORD = "open sesame"


class Running(NamedTuple):
    """A `twin serve` of its own process."""

    address: str
    table: dict[str, list[str]]
    """Modules and names of the handlers of each route."""


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Running]:
    source = write_csv(folder / "events.csv", ROWS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = folder / "routes.json"
    arguments = ["serve", "--source", str(source), "--port", str(port), *options]
    environment = {
        **os.environ,
        "ROUTES_FILE": str(told),
        "TWIN_SECRETS": str(folder / "secrets"),
        "TWIN_ALERTS": f"sqlite:///{folder / 'alerts.db'}",
    }
    process = Prepared("tests.server.tell_routes", arguments, environment, folder / "log")
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(1200):
            assert process.poll() is None, (folder / "log").read_text()
            try:
                if fetch(f"{address}/healthz").status == 200 and told.exists():  # probes are answered from the start
                    break
            except OSError:
                pass
            time.sleep(0.1)
        table: dict[str, list[str]] = {}
        for pattern, module, name in json.loads(told.read_text()):
            table.setdefault(pattern, []).append(f"{module}.{name}")
        yield Running(address, table)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("routes"), "--basic-auth", PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def logged_in(server: Running) -> dict[str, str]:
    body = urlencode({"username": "mira", "password": PASSWORD}).encode()
    return {"Cookie": "; ".join(fetch(f"{server.address}/login", method="POST", data=body).cookies)}


def test_every_route_is_entered_here(server: Running) -> None:
    assert set(server.table) == set(ROUTES | OF_A_LOGIN) | REFUSE


@pytest.mark.parametrize("pattern", ROUTES | OF_A_LOGIN)
def test_who_is_answered(server: Running, logged_in: dict[str, str], pattern: str) -> None:
    who, example = (ROUTES | OF_A_LOGIN)[pattern]
    address = server.address + example

    def ask(headers: dict[str, str]) -> Answer:
        if who != WEBSOCKET:
            return fetch(address, headers)
        page = address.removesuffix("/ws")
        token = token_in(fetch(page + ("?frame=1" if page.endswith("/kiosk") else ""), logged_in).body)
        return Answer(handshake(page, token, **headers), b"", {}, [])

    stranger, guest = ask({}), ask(logged_in)
    assert ask({"Cookie": "user=mira; id_token=mira"}).status == stranger.status, "a made-up cookie is no login"
    if who == EVERYBODY:
        assert (stranger.status, guest.status) == (200, 200)
    elif who == NOBODY:
        assert (stranger.status, guest.status) == (404, 404)
    elif who == TOKEN:
        assert (stranger.status, guest.status) == (405, 405)
        assert fetch(address, logged_in, "POST", b"{}").status == 404, "no inbox is set"
    elif who == WEBSOCKET:
        assert (stranger.status, guest.status) == (403, 101)
    else:
        assert stranger.status in (302, 403)
        assert stranger.headers.get("location", "./login").startswith("./login")
        assert guest.status not in (302, 403)


# the kiosk's session is in its frame
@pytest.mark.parametrize("page", ["/", "/operations", "/compare", "/kiosk", "/adapt", "/network"])
def test_a_pages_token_holds_the_address_and_nothing_else(
    server: Running, logged_in: dict[str, str], page: str
) -> None:
    told = {**logged_in, "X-Forwarded-Email": "mira@example.com", "Authorization": "Bearer confidential"}
    name, value = ("frame", "1") if page == "/kiosk" else ("location", "sf")
    body = fetch(f"{server.address}{page}?{name}={value}", told).body
    payload = get_token_payload(token_in(body))
    assert set(payload) == PAYLOAD
    assert (payload["headers"], payload["cookies"], payload["arguments"]) == ({}, {}, {name: [value.encode()]})
    for confidential in ("mira@example.com", "confidential", *logged_in["Cookie"].split("; ")):
        assert confidential.encode() not in body


def test_without_a_login_the_same_routes_are_there_and_the_closed_ones_closed(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert set(server.table) == set(ROUTES) | REFUSE
        for who, example in ROUTES.values():
            if who != WEBSOCKET:
                status = fetch(server.address + example).status
                assert (status == 404) == (who == NOBODY or example in NOTHING_THERE), example
        assert fetch(f"{server.address}/components/antigravity/x/_css/y").status == 404


NOTHING_THERE = {
    "/api/v1/locations/none/live",
    "/ws/v1/locations/none/live",
    "/assets/0123456789abcdef0123.js", "/api/v1/orders/none", "/api/v1/nothing",
}  # fmt: skip
"""Examples of names that do not exist, which who may ask is told."""
