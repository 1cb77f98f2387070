"""What every route tells the browser: one table of all of them, those of Panel and Bokeh included."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from bokeh.models.widgets import Div
from tornado.web import RequestHandler

import twin.api as api
from tests.api.serving import Answer, fetch, served
from tests.browser.app import free_port, running
from twin.foundation.settings import Settings
from twin.server.process import process

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    "fullscreen=(self), screen-wake-lock=(self)",
}
REFERRER = {"strict-origin-when-cross-origin", "same-origin"}
"""The second on the pages of the login."""
FRAMES = "object-src 'none'; base-uri 'none'; form-action {}; frame-ancestors 'self'"
NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; " + FRAMES.format("'none'")
NOT_OURS = FRAMES.format("'self'")
"""Of a page that decides itself what runs in it, such as that of a login."""
TILES = "https://c.tile.openstreetmap.org https://server.arcgisonline.com"
PAGE = (
    "default-src 'none'; script-src 'self' 'nonce-NONCE'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:{}; "
    f"font-src 'self' data:; connect-src 'self' blob:; manifest-src 'self'; frame-src 'self'; {NOT_OURS}"
)
OPERATIONS, OUTER = PAGE.format(f" {TILES}"), PAGE.format("")

TABLE = {
    "/": (200, OPERATIONS),
    "/operations": (200, OPERATIONS),
    "/operations?location=sanfrancisco": (200, OPERATIONS),
    "/kiosk": (200, OUTER),
    "/kiosk?frame=1": (200, OPERATIONS),
    "/operations/autoload.js": (404, NOTHING_RUNS),
    "/operations/metadata": (404, NOTHING_RUNS),
    "/operations/ws": (403, NOTHING_RUNS),
    "/operations/static/nothing.js": (404, NOTHING_RUNS),
    "/static/js/bokeh.min.js": (200, NOTHING_RUNS),
    "/static/js/nothing.js": (404, NOTHING_RUNS),
    "/static/extensions/panel/panel.min.js": (200, NOTHING_RUNS),
    "/components/json/JSONDecoder/_css/x": (404, NOTHING_RUNS),
    "/login": (200, NOT_OURS),
    "/logout": (200, NOT_OURS),
    "/favicon.ico": (200, NOTHING_RUNS),
    "/healthz": (200, NOTHING_RUNS),
    "/readyz": (200, NOTHING_RUNS),
    "/metrics": (200, NOTHING_RUNS),
    "/user": (200, NOTHING_RUNS),
    "/connection?origin=http://localhost": (200, NOTHING_RUNS),
    "/assets/00.js": (404, NOTHING_RUNS),
    "/tiles/sanfrancisco/dark/13/1310/3166.png": (200, NOTHING_RUNS),
    "/tiles/nowhere/dark/13/1310/3166.png": (404, NOTHING_RUNS),
    "/api/v1/locations": (200, NOTHING_RUNS),
    "/api/v1/locations/nowhere/kitchen-status": (404, NOTHING_RUNS),
    "/api/v1/locations/sanfrancisco/replay?speed=-1": (422, NOTHING_RUNS),
    "/api/v1/openapi.json": (200, NOTHING_RUNS),
    "/api/v1/docs": (200, NOTHING_RUNS),
    "/api/v1/healthz": (200, NOTHING_RUNS),
    "/api/v1/readyz": (200, NOTHING_RUNS),
    "/api/v1/metrics": (200, NOTHING_RUNS),
    "/api/v1/nothing": (404, NOTHING_RUNS),
    "/nothing": (404, NOTHING_RUNS),
}
"""Status (None: whatever it is) and policy of every kind of route, to somebody who is logged in."""


def assert_headers(answer: Answer, policy: str) -> None:
    headers = answer.headers
    assert {name: headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert headers.get("referrer-policy") in REFERRER
    assert re.sub(r"'nonce-[\w-]{22}'", "'nonce-NONCE'", headers.get("content-security-policy", "")) == policy
    assert "unsafe-eval" not in headers["content-security-policy"]


@pytest.fixture(scope="module")
def guarded(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, folder = free_port(), tmp_path_factory.mktemp("headers")
    command = ["twin.cli", "serve", "--source", str(demo), "--port", str(port), "--prefix", "under"]
    command += ["--basic-auth", "open sesame", "--cookie-secret", "of a test"]
    with running(command, port, folder / "log", healthz="/under/healthz") as address:
        yield f"{address}/under"


@pytest.fixture(scope="module")
def logged_in(guarded: str) -> dict[str, str]:
    fields = urlencode({"username": "mira", "password": "open sesame"}).encode()
    answer = fetch(f"{guarded}/login", method="POST", data=fields)
    return {"Cookie": "; ".join(answer.cookies)}


@pytest.mark.slow
@pytest.mark.parametrize("path", TABLE)
def test_every_route_has_its_headers(guarded: str, logged_in: dict[str, str], path: str) -> None:
    status, policy = TABLE[path]
    answer = fetch(guarded + path, logged_in)
    assert status is None or answer.status == status
    assert_headers(answer, policy)


@pytest.mark.slow
def test_what_is_refused_without_a_login_has_them_too(guarded: str) -> None:
    for path in TABLE:
        answer = fetch(guarded + path)
        policy = NOT_OURS if answer.status == 302 or path in ("/login", "/logout") else NOTHING_RUNS
        assert_headers(answer, policy)


@pytest.mark.slow
def test_every_script_in_a_page_has_its_nonce_and_no_two_pages_the_same(
    guarded: str, logged_in: dict[str, str]
) -> None:
    seen = set()
    for path in ("/operations", "/operations", "/kiosk", "/kiosk?frame=1"):
        answer = fetch(guarded + path, logged_in)
        (nonce,) = re.findall(r"'nonce-([\w-]+)'", answer.headers["content-security-policy"])
        tags = re.findall(r"<script\b[^>]*>", answer.body.decode())
        tags = [tag for tag in tags if 'type="application/json"' not in tag]  # data, which nothing runs
        assert len(tags) > 1
        assert all(f'nonce="{nonce}"' in tag for tag in tags)
        seen.add(nonce)
    assert len(seen) == 4


@pytest.mark.slow
def test_the_page_loads_its_modules_without_a_polyfill(guarded: str, logged_in: dict[str, str]) -> None:
    page = fetch(f"{guarded}/operations", logged_in).body.decode()
    scripts = re.findall(r'src="([^"]*)"', page)
    assert [name for name in scripts if "bokeh" in name or "panel" in name], "Panel's own scripts stay"
    assert [name for name in scripts if "es-module-shims" in name] == []
    assert "importShim = " in page


class Fails(RequestHandler):
    def get(self) -> None:
        raise RuntimeError("secret-in-a-traceback")


@pytest.fixture
def server() -> Iterator[str]:
    before = process._settings
    routes: list[Any] = [*api.ROUTES, ("/fails", Fails)]
    with served(lambda doc: doc.add_root(Div(text="page")), extra_patterns=routes, prefix="/under") as address:
        yield address
    process._settings = before


def test_errors_redirections_and_refused_sockets_have_them(server: str) -> None:
    upgrade = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x",
        "Origin": "https://evil.example",
    }  # fmt: skip
    strange = {"Host": "evil.example"}
    for path, status, headers in (
        ("/fails", 500, {}), ("/page/ws", 403, upgrade), ("/page", 403, strange), ("/page/ws", 403, strange),
    ):  # fmt: skip
        with httpx.Client(trust_env=False) as client:  # urllib does not let a request ask for an upgrade
            got = client.get(server + path, headers=headers)
        answer = Answer(got.status_code, got.content, dict(got.headers), [])
        assert answer.status == status
        assert_headers(answer, NOTHING_RUNS)
        assert b"secret-in-a-traceback" not in answer.body
    assert_headers(fetch(server + "/page"), NOT_OURS)
    assert_headers(fetch(server + "/page", method="HEAD"), NOTHING_RUNS)
    unchanged = fetch(
        server + "/static/js/bokeh.min.js", {"If-None-Match": fetch(server + "/static/js/bokeh.min.js").headers["etag"]}
    )
    assert unchanged.status == 304
    assert_headers(unchanged, NOTHING_RUNS)


def test_named_origins_may_frame_every_page(server: str) -> None:
    process._settings = replace(Settings(), embed_origins=frozenset({"https://wiki.example", "https://b.example:8443"}))
    for path in ("/page", "/healthz", "/nothing"):
        headers = fetch(server + path).headers
        assert headers["content-security-policy"].endswith(
            "frame-ancestors 'self' https://b.example:8443 https://wiki.example"
        )
        assert "x-frame-options" not in headers, "it cannot name them"
