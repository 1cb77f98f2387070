"""The routes under `panel serve` with a login: what the page hides, its tiles do not show."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.api.serving import fetch
from tests.browser.prepared import Prepared

pytestmark = pytest.mark.slow

PAGE = "import panel as pn\npn.pane.Markdown('streets').servable()\n"
SETUP = """
from pathlib import Path
import twin
from tests.sources.test_files import ROWS, write_csv
from tests.render.pictures import wandering
from twin.render.tiles import TileSet
from twin.server.process import process
tiles = TileSet(wandering(30))
process.tileset = lambda hub, location: tiles
process.use(twin.open(write_csv(Path("events.csv"), ROWS)))
from twin.alerts.store import Store
from twin.analysis.alerts import FigureCondition, Firing, Machine, Rule
process.alerts = Store("sqlite:///alerts.db")
rule = process.alerts.add(Rule(FigureCondition("delivery_time", 2700.0, 2400.0)), "")
process.alerts.advance(rule, "sf", Machine(60.0), [Firing(0.0, 60.0, 3000.0)], [])
"""
TILE = "/tiles/sf/dark/13/1310/3166.png"


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[str]:
    """Serve a page and our routes with `panel serve` under /under, with a login by these options."""
    (folder / "page.py").write_text(PAGE)
    (folder / "setup.py").write_text(SETUP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/under"
    command = ["serve", "page.py", "--setup", "setup.py", "--plugins", "twin.api"]
    command += ["--port", str(port), "--address", "127.0.0.1", "--prefix", "/under"]
    command += [*(option.format(address=address) for option in options), "--cookie-secret", "a test's secret"]
    process = Prepared("panel", command, {**os.environ, **environment}, folder / "log", folder)
    try:
        for _ in range(900):
            assert process.poll() is None, (folder / "log").read_text()
            try:
                fetch(address + "/healthz")
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("login"), "--basic-auth", "open sesame") as address:
        yield address


def log_in(address: str, password: str) -> str:
    """Fill in the login form as a browser does; return the cookies that come back."""
    form = fetch(address + "/login")
    xsrf = re.search(rb'name="_xsrf"[^>]*value="([^"]+)"', form.body)
    fields = {"username": "mira", "password": password} | ({"_xsrf": xsrf[1].decode()} if xsrf else {})
    cookies = {"Cookie": "; ".join(form.cookies)}
    answer = fetch(address + "/login", cookies, method="POST", data=urlencode(fields).encode())
    return "; ".join(form.cookies + answer.cookies)


def test_a_stranger_gets_neither_page_nor_tiles(guarded: str) -> None:
    assert fetch(guarded + "/page").status == 302
    assert fetch(guarded + TILE).status == 403
    assert fetch(guarded + TILE, {"Cookie": "user=mira"}).status == 403, "a made-up cookie is no login"


def test_a_wrong_password_opens_nothing(guarded: str) -> None:
    assert fetch(guarded + TILE, {"Cookie": log_in(guarded, "wrong")}).status == 403


def test_who_logged_in_sees_the_tiles(guarded: str) -> None:
    answer = fetch(guarded + TILE, {"Cookie": log_in(guarded, "open sesame")})
    assert (answer.status, answer.body[:4]) == (200, b"\x89PNG")


def test_a_probe_needs_no_login(guarded: str) -> None:
    for base in ("", "/api/v1"):
        assert fetch(f"{guarded}{base}/healthz").status == 200
        assert fetch(f"{guarded}{base}/readyz").status in (200, 503)


CLOSED = (
    "/api/v1/locations",
    "/api/v1/orders/abc",
    "/api/v1/locations/sf/kitchen-status",
    "/api/v1/locations/sf/replay?start=2025-10-17T00:00:00Z&end=2025-10-18T00:00:00Z",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/nothing",
    "/metrics",
    "/api/v1/metrics",
)


@pytest.mark.parametrize("address", CLOSED)
def test_a_stranger_gets_nothing_from_the_api(guarded: str, address: str) -> None:
    for headers in ({}, {"Cookie": "user=mira"}):
        answer = fetch(guarded + address, headers)
        assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
        assert b"/under/login" in answer.body


def test_who_logged_in_is_answered(guarded: str) -> None:
    cookie = {"Cookie": log_in(guarded, "open sesame")}
    assert fetch(guarded + "/api/v1/openapi.json", cookie).status == 200
    told = fetch(guarded + "/api/v1/locations", cookie)
    assert (told.status, b'"location_name":"sf"' in told.body) == (200, True)


def test_who_logged_in_acknowledges_under_that_name_and_a_stranger_not_at_all(guarded: str) -> None:
    cookie = {"Cookie": log_in(guarded, "open sesame")}
    assert json.loads(fetch(guarded + "/user", cookie).body) == {"name": "mira"}
    (alert,) = json.loads(fetch(guarded + "/api/v1/alerts", cookie).body)["alerts"]
    address, body = f"{guarded}/api/v1/alerts/{alert['id']}/acknowledge", b'{"name": "Somebody else"}'
    own = {"X-Twin-Request": "1"}
    assert fetch(address, own, "POST", body).status == 403
    answer = fetch(address, own | cookie, "POST", body)
    assert (answer.status, json.loads(answer.body)["acknowledged_by"]) == (200, "mira")


class Provider(BaseHTTPRequestHandler):
    """A company's OAuth service, where everybody is Mira and the only code is `once`."""

    def do_GET(self) -> None:
        """Send the browser back with a code, or say who holds the token."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if self.path.startswith("/authorize"):
            self.send_response(302)
            self.send_header(
                "Location", asked["redirect_uri"] + "?" + urlencode({"code": "once", "state": asked["state"]})
            )
            self.end_headers()
        else:
            known = self.headers["Authorization"] == "Bearer mira-token"
            self._reply({"email": "mira@example.com"} if known else {"error": "who?"}, 200 if known else 401)

    def do_POST(self) -> None:
        """Give a token for the code."""
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = body.get("code") == ["once"] and body.get("client_secret") == ["shared secret"]
        self._reply(
            {"access_token": "mira-token", "token_type": "Bearer"} if good else {"error": "no"}, 200 if good else 400
        )

    def _reply(self, answer: dict[str, str], status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_companys_login_covers_the_api_too(provider: str, tmp_path: Path) -> None:
    options = ("--oauth-provider", "generic", "--oauth-key", "twin", "--oauth-secret", "shared secret")
    places = {f"PANEL_OAUTH_{name.upper()}_URL": f"{provider}/{name}" for name in ("authorize", "token", "user")}
    back = ("--oauth-redirect-uri", "{address}/login")
    with (
        served(tmp_path, *options, *back, PANEL_OAUTH_SCOPE="openid", **places) as address,
        httpx.Client(trust_env=False, follow_redirects=True, timeout=60) as browser,
    ):
        for path in (TILE, *CLOSED):
            assert browser.get(address + path).status_code == 403
        assert browser.get(address + "/healthz").status_code == 200
        assert browser.get(f"{address}/page").status_code == 200, "by way of the company's login"
        assert browser.get(address + TILE).content[:4] == b"\x89PNG"
        answer = browser.get(f"{address}/api/v1/locations")
        assert answer.json()["locations"][0]["location_name"] == "sf"
        assert "mira-token" not in answer.text
