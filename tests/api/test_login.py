"""The routes under `panel serve` with a login: what the page hides, its tiles do not show."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.serving import ask

PAGE = "import panel as pn\npn.pane.Markdown('streets').servable()\n"
SETUP = """
from pathlib import Path
import twin
from tests.sources.test_files import ROWS, write_csv
from tests.render.pictures import wandering
from twin.api import set_source, set_tilesets
from twin.render.tiles import TileSet
tiles = TileSet(wandering(30))
set_tilesets(lambda location: tiles)
opened = twin.open(write_csv(Path("events.csv"), ROWS))
set_source(lambda: opened)
"""
TILE = "/tiles/sf/dark/13/1310/3166.png"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("login")
    (folder / "page.py").write_text(PAGE)
    (folder / "setup.py").write_text(SETUP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "page.py", "--setup", "setup.py", "--plugins", "twin.api"]
    command += ["--port", str(port), "--address", "127.0.0.1", "--prefix", "/under"]
    command += ["--basic-auth", "open sesame", "--cookie-secret", "a test's secret"]
    root = str(Path(__file__).parents[2])
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": root}, stdout=log, stderr=log
        ) as process,
    ):
        address = f"http://127.0.0.1:{port}/under"
        try:
            for _ in range(300):
                assert process.poll() is None, (folder / "log").read_text()
                try:
                    ask(address + "/healthz")
                    break
                except OSError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def log_in(address: str, password: str) -> str:
    """Fill in the login form as a browser does; return the cookies that come back."""
    form = ask(address + "/login")
    xsrf = re.search(rb'name="_xsrf"[^>]*value="([^"]+)"', form.body)
    fields = {"username": "mira", "password": password} | ({"_xsrf": xsrf[1].decode()} if xsrf else {})
    cookies = {"Cookie": "; ".join(form.cookies)}
    answer = ask(address + "/login", cookies, method="POST", data=urlencode(fields).encode())
    return "; ".join(form.cookies + answer.cookies)


def test_a_stranger_gets_neither_page_nor_tiles(guarded: str) -> None:
    assert ask(guarded + "/page").status == 302
    assert ask(guarded + TILE).status == 403
    assert ask(guarded + TILE, {"Cookie": "user=mira"}).status == 403, "a made-up cookie is no login"


def test_a_wrong_password_opens_nothing(guarded: str) -> None:
    assert ask(guarded + TILE, {"Cookie": log_in(guarded, "wrong")}).status == 403


def test_who_logged_in_sees_the_tiles(guarded: str) -> None:
    answer = ask(guarded + TILE, {"Cookie": log_in(guarded, "open sesame")})
    assert (answer.status, answer.body[:4]) == (200, b"\x89PNG")


def test_a_probe_needs_no_login(guarded: str) -> None:
    assert ask(guarded + "/healthz").status == 200
    assert ask(guarded + "/readyz").status in (200, 503)


CLOSED = (
    "/api/v1/locations",
    "/api/v1/orders/abc",
    "/api/v1/locations/sf/kitchen-status",
    "/api/v1/locations/sf/replay?start=2025-10-17T00:00:00Z&end=2025-10-18T00:00:00Z",
    "/api/v1/openapi.json",
    "/api/v1/docs",
    "/api/v1/nothing",
    "/metrics",
)


@pytest.mark.parametrize("address", CLOSED)
def test_a_stranger_gets_nothing_from_the_api(guarded: str, address: str) -> None:
    for headers in ({}, {"Cookie": "user=mira"}):
        answer = ask(guarded + address, headers)
        assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
        assert b"/under/login" in answer.body


def test_who_logged_in_is_answered(guarded: str) -> None:
    cookie = {"Cookie": log_in(guarded, "open sesame")}
    assert ask(guarded + "/api/v1/openapi.json", cookie).status == 200
    told = ask(guarded + "/api/v1/locations", cookie)
    assert (told.status, b'"location_name":"sf"' in told.body) == (200, True)
