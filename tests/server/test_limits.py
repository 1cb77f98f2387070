"""What a hostile or broken client can do to a server: each attack with limits small enough that it takes a moment."""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.models.widgets import Div
from tornado.httpserver import HTTPServer

import twin.api as api
from tests.api.serving import fetch, served
from tests.server.open_servers import handshake, token_in
from twin.foundation import counters
from twin.foundation.errors import SourceError
from twin.foundation.loglimit import LogLimit
from twin.foundation.settings import Settings
from twin.server.limits import FEWEST, RequestLimits, apply_limits
from twin.server.process import process
from twin.server.watchdog import HANG_S, Watchdog

SOON = 20.0
"""Seconds within which a server answers on a busy machine, too."""


class Held:
    """What a page does while it is made: nothing, or hold the event loop until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, document: Document) -> None:
        if b"hold" in document.session_context.request.arguments.get("do", []):  # type: ignore[union-attr]
            self.reached.set()
            assert self.go_on.wait(60)
        document.add_root(Div(text="page"))


@contextmanager
def limited(settings: Settings, limits: RequestLimits, page: Any = None, **options: Any) -> Iterator[str]:
    """A server with our routes and these limits."""
    saved = HTTPServer._save_configuration()
    process.configure(settings)
    apply_limits(limits)
    try:
        with served(page or Held(), extra_patterns=list(api.ROUTES), **options) as address:
            yield address
    finally:
        HTTPServer._restore_configuration(saved)
        for handler in logging.getLogger().handlers:  # those of pytest last longer than this server
            handler.filters = [one for one in handler.filters if not isinstance(one, LogLimit)]
        process.use(None)


def connect(address: str) -> socket.socket:
    host, port = address.removeprefix("http://").split("/")[0].split(":")
    connection = socket.create_connection((host, int(port)), timeout=SOON)
    return connection


def answer_to(address: str, request: bytes) -> bytes:
    """What the server says to these bytes before it closes the connection, or waits for more of them."""
    with connect(address) as connection:
        connection.sendall(request)
        return connection.recv(4096)


SHORT = RequestLimits(first_s=0.4, body_s=0.4, idle_s=0.4)


@pytest.fixture(scope="module")
def hasty() -> Iterator[str]:
    """A server that waits for nobody."""
    with limited(Settings(), SHORT) as address:
        yield address


def test_a_large_body_is_refused_before_it_is_read(hasty: str) -> None:
    head = b"POST /page HTTP/1.1\r\nHost: twin\r\nContent-Length: 100000000\r\n\r\n"
    assert answer_to(hasty, head).startswith(b"HTTP/1.1 400")
    chunked = b"POST /api/v1/locations HTTP/1.1\r\nHost: twin\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n"
    assert answer_to(hasty, chunked).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /page HTT",
        b"GET /page HTTP/1.1\r\nHost: twin\r\nX-Long",
        b"POST /page HTTP/1.1\r\nHost: twin\r\nContent-Length: 100\r\n\r\nuser=",
    ],
)
def test_half_a_request_is_not_waited_for(hasty: str, half: bytes) -> None:
    assert answer_to(hasty, half) == b""


def test_a_connection_without_a_further_request_is_closed(hasty: str) -> None:
    with connect(hasty) as connection:
        connection.sendall(b"GET /api/v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while part := connection.recv(4096):  # ends when the server closes it
            received += part
    assert received.startswith(b"HTTP/1.1 404")


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection on which it answers nothing."""
    connection.settimeout(0.01)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_half_requests_lock_nobody_out_however_many() -> None:
    patient = RequestLimits(first_s=60, body_s=60, idle_s=60)
    begun = b"GET /page HT", b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", b""
    with limited(Settings(max_connections=FEWEST), patient) as address, contextlib.ExitStack() as stack:
        halves = []
        for number in range(4 * FEWEST):
            halves.append(stack.enter_context(connect(address)))
            with contextlib.suppress(ConnectionError):
                halves[-1].sendall(begun[number % 3])
        assert fetch(address + "/page").status == 200
        deadline = time.monotonic() + SOON
        while (
            left := sum(not is_closed(half) for half in halves)
        ) > 2 * FEWEST:  # as many are served, or wait at the door
            assert time.monotonic() < deadline, f"{left} are open"


def test_when_all_places_are_taken_the_page_says_so_and_tries_again() -> None:
    with limited(Settings(max_sessions=2), SHORT) as address:
        for _ in range(2):
            assert fetch(address + "/page").status == 200
        before = counters.REFUSED_SESSIONS._value.get()
        full = fetch(address + "/page")
        assert full.status == 503
        assert int(full.headers["retry-after"]) > 0
        assert b"All places" in full.body
        assert b'http-equiv="refresh"' in full.body
        assert fetch(address + "/page/autoload.js?bokeh-autoload-element=1").status == 503
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": "bokeh, made.up"}
        assert fetch(address + "/page/ws", upgrade).status == 503
        assert counters.REFUSED_SESSIONS._value.get() == before + 3
        assert fetch(address + "/healthz").status == 200
        assert fetch(address + "/static/js/bokeh.min.js").status == 200


def test_who_has_a_session_keeps_it_when_all_places_are_taken() -> None:
    with limited(Settings(max_sessions=1), SHORT) as address:
        token = token_in(fetch(address + "/page").body)
        assert fetch(address + "/page").status == 503
        assert handshake(address + "/page", token) == 101
        assert handshake(address + "/page", "made.up") == 503


def test_one_client_does_not_take_all_places() -> None:
    with limited(Settings(max_sessions=10, client_sessions=2), SHORT, use_xheaders=True) as address:
        first, second = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
        assert [fetch(address + "/page", first).status for _ in range(3)] == [200, 200, 503]
        assert b"your address" in fetch(address + "/page", first).body
        assert fetch(address + "/page", second).status == 200


def test_users_behind_a_proxy_that_is_not_trusted_are_not_one_client() -> None:
    with limited(Settings(max_sessions=4, client_sessions=1), SHORT) as address:
        forwarded = {"X-Forwarded-For": "198.51.100.7"}
        assert [fetch(address + "/page", forwarded).status for _ in range(4)] == [200] * 4
        assert fetch(address + "/page", forwarded).status == 503


@pytest.mark.parametrize("settings", [Settings(max_sessions=3), Settings(max_sessions=20, client_sessions=3)])
def test_pages_that_wait_for_their_turn_take_places_too(settings: Settings) -> None:
    page = Held()
    request = b"GET /page%s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
    with limited(settings, SHORT, page, use_xheaders=True) as address, ExitStack() as opened:
        host = address.removeprefix("http://").encode()
        connections = [opened.enter_context(connect(address)) for _ in range(9)]
        connections[0].sendall(request % (b"?do=hold", host))
        assert page.reached.wait(SOON)
        for one in connections[1:]:
            one.sendall(request % (b"", host))
        page.go_on.set()
        statuses = [one.makefile("rb").readline().split()[1] for one in connections]
    assert sorted(statuses) == [b"200"] * 3 + [b"503"] * 6


def test_health_is_told_while_the_event_loop_is_held_and_the_log_says_by_what(caplog: pytest.LogCaptureFixture) -> None:
    page = Held()
    stalls = counters.LOOP_STALLS._value.get()
    with caplog.at_level(logging.WARNING, "twin.server.watchdog"), limited(Settings(), SHORT, page) as address:
        deadline = time.monotonic() + SOON
        assert fetch(address + "/page").status == 200
        held = threading.Thread(target=fetch, args=(address + "/page?do=hold",), daemon=True)
        held.start()
        assert page.reached.wait(SOON)
        try:
            for path in ("/healthz", "/api/v1/healthz"):
                answer = fetch(address + path)
                assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
                assert answer.headers["cache-control"] == "no-store"
            time.sleep(0.6)
        finally:
            page.go_on.set()
        while counters.LOOP_STALLS._value.get() == stalls:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        held.join(SOON)
    assert "assert self.go_on.wait(60)" in caplog.text
    assert "held up for" in caplog.text


def test_a_loop_that_hangs_for_good_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    with limited(Settings(), SHORT) as address:
        assert fetch(address + "/healthz").status == 200
        monkeypatch.setattr(Watchdog, "silent_s", HANG_S + 5)
        answer = fetch(address + "/healthz")
        assert answer.status == 503
        assert "35 s" in json.loads(answer.body)["reason"]


def test_health_is_the_same_at_the_door_and_in_a_used_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with limited(Settings(), RequestLimits(), prefix="/under") as address:
        with connect(address) as connection:
            answers = []
            for path in ("/under/api/v1/nothing", "/under/healthz", "/under/healthz"):
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: twin\r\n\r\n".encode())
                answers.append(connection.recv(65536))
        assert answers[1].startswith(b"HTTP/1.1 200")
        assert answers[1].endswith(b'{"status": "ok"}')
        assert fetch(address + "/healthz").body == b'{"status": "ok"}'
        assert fetch(address + "/healthz", method="HEAD").status == 200
        monkeypatch.setattr(process, "_failure", SourceError("The source cannot be read."))
        assert (answer := fetch(address + "/healthz")).status == 503
        assert json.loads(answer.body)["reason"] == "The source cannot be read."
