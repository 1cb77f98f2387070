"""The live feed as its readers live with it: what arrives comes once, over any number of cuts, however late it is."""

import asyncio
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.api.serving import fetch
from tests.api.test_inbox import BEARER, SECRET, event
from tests.api.test_stream import Message, read
from twin.foundation.settings import Settings
from twin.server.process import process

pytestmark = pytest.mark.slow

Found = TypeVar("Found")
LIVE = "/api/v1/locations/sf/live"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("twin.server.process.ARRIVED_S", 0.0)
    return tmp_path / "inbox"


def start(folder: Path) -> None:
    process.use(None)
    process.configure(Settings(source=str(folder), inbox=folder, inbox_token=SECRET))


@pytest.fixture
def server(routes: str, folder: Path) -> Iterator[str]:
    start(folder)
    send(routes, [event("first")])
    comes(lambda: fetch(f"{routes}/api/v1/locations").status == 200)
    yield routes
    process.use(None)


def comes(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send(server: str, lines: list[str]) -> None:
    assert fetch(f"{server}/api/v1/events", BEARER, "POST", "\n".join(lines).encode()).status == 202


def before(deadline: float, lines: Iterator[str]) -> Iterator[str]:
    """The lines of a stream, whose heartbeats would let a test wait for ever."""
    for line in lines:
        assert time.monotonic() < deadline, "what was waited for did not come"
        yield line


def messages(server: str, after: str = "") -> Generator[Message, None, None]:
    headers = {"Last-Event-ID": after} if after else {}
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("GET", server + LIVE, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield from read(before(time.monotonic() + 30, answer.iter_lines()))


def until(stream: Iterator[Message], kind: str) -> Message:
    return next(message for message in stream if message.event == kind)


def test_it_begins_with_who_is_open_and_sends_what_arrives_however_late(server: str) -> None:
    with closing(messages(server)) as stream:
        first = until(stream, "metrics_update")
        assert [order["order_id"] for order in first.data["active_orders"]] == ["first"]
        assert until(stream, "live_position").data == {"current_time": "2025-10-17T18:00:00Z", "repeated": False}
        send(server, [event("b", 9), event("a", 5), event("b", 9)])
        send(server, [event("late", 1)])
        events = [until(stream, "order_event").data for _ in range(3)]
        assert [(one["order_id"], one["timestamp"][14:16]) for one in events] == [
            ("b", "09"),
            ("a", "05"),
            ("late", "01"),
        ]
        assert len({one["event_id"] for one in events}) == 3
        while (figures := until(stream, "metrics_update").data)["orders_by_stage"]["created"] < 4:
            pass
        assert figures["timestamp"] == "2025-10-17T18:09:00Z"
        assert figures["active_orders"] is None


def test_without_a_time_a_status_is_that_of_now(server: str) -> None:
    def now() -> str:
        return json.loads(fetch(f"{server}/api/v1/locations/sf/kitchen-status").body)["timestamp"]

    send(server, [event("first", 3, "delivered"), event("late", 2)])
    comes(lambda: now() == "2025-10-17T18:03:00Z")
    send(server, [event("b", 55)])
    comes(lambda: now() == "2025-10-17T18:55:00Z")  # and not the minute of the last delivery


def test_ten_cuts_and_a_restart_lose_nothing_and_double_nothing(server: str, folder: Path) -> None:
    chance = random.Random(3)
    sent = [event(f"o{number}", chance.randrange(60)) for number in range(120)]
    batches = [sent[at : at + 5] for at in range(0, 120, 5)]
    with closing(messages(server)) as stream:
        last = until(stream, "live_position").id
    found: list[str] = []
    for cut in range(10):
        if cut == 5:
            start(folder)
            comes(lambda: fetch(f"{server}/api/v1/locations").status == 200)
        for batch in batches[2 * cut : 2 * cut + 2] if cut < 9 else batches[18:]:
            send(server, batch)
        with closing(messages(server, last)) as stream:
            for _ in range(chance.randrange(1, 9) if cut < 9 else 10_000):
                message = next(stream)
                last = message.id
                if message.event == "order_event":
                    found.append(message.data["order_id"])
                if cut == 9 and len(found) == 120:
                    break
    assert found == [f"o{number}" for number in range(120)]


def test_another_source_sends_the_last_minutes_again_to_who_comes_back_too_late(routes: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    lines = [f"{event(f'o{minute}', minute)}\n" for minute in range(30)]
    file.write_text("".join(lines))
    process.use(None)
    process.configure(Settings(source=str(file)))
    comes(lambda: fetch(f"{routes}/api/v1/locations").status == 200)
    with closing(messages(routes)) as stream:
        last = until(stream, "live_position").id
        file.write_text("".join([f"{event('late', 3)}\n", *lines, f"{event('new', 31)}\n"]))  # not what was appended
        threading.Thread(target=process.hub().refresh).start()
        assert until(stream, "order_event").data["order_id"] == "new"
        figures = until(stream, "metrics_update")
        assert "late" in {order["order_id"] for order in figures.data["active_orders"]}
        assert until(stream, "live_position").data["repeated"], "what was sent may have changed"
    with closing(messages(routes, until(messages(routes), "live_position").id)) as stream:
        assert not until(stream, "live_position").data["repeated"], "the process knows where he was"
    log, _, rest = last.partition("~")
    with closing(messages(routes, f"{'0' * len(log)}~{rest}")) as stream:
        events = [until(stream, "order_event") for _ in range(12)]
        assert [one.data["order_id"] for one in events] == [*(f"o{minute}" for minute in range(19, 30)), "new"]
        assert "late" in {order["order_id"] for order in until(stream, "metrics_update").data["active_orders"]}
        assert until(stream, "live_position").data["repeated"]
    process.use(None)


@pytest.mark.parametrize(
    "given", ["x", "inbox~1", "inbox~1~yesterday", "in box~1~2025-10-17T18:00:00Z", "inbox~-1~2025-10-17T18:00:00Z"]
)
def test_what_is_no_position_is_refused(server: str, given: str) -> None:
    answer = fetch(server + LIVE, {"Last-Event-ID": given})
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["field"] == "Last-Event-ID"


def test_streams_are_limited_together(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    process.configure(replace(process.settings, max_streams=1))
    with closing(messages(server)) as stream:
        until(stream, "live_position")
        answer = fetch(server + LIVE)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    comes(lambda: not process.streams)


def over_websocket(server: str, count: int, query: str = "", **headers: str) -> list[dict[str, Any]]:
    """The first messages over a WebSocket."""

    async def talk() -> list[dict[str, Any]]:
        address = f"{server.replace('http', 'ws', 1)}/ws/v1/locations/sf/live{query}"
        with closing(await websocket_connect(HTTPRequest(address, headers=headers))) as connection:
            return [json.loads(await connection.read_message() or "") for _ in range(count)]

    return on_a_loop(talk)


def on_a_loop(talk: Callable[[], Awaitable[Found]]) -> Found:
    return asyncio.run(asyncio.wait_for(talk(), 30))


def test_a_websocket_sends_the_same(server: str) -> None:
    first, position = over_websocket(server, 2)
    assert (first["event"], position["event"]) == ("metrics_update", "live_position")
    send(server, [event("a", 4), event("b", 2)])
    events = over_websocket(server, 2, f"?after={position['id']}")
    with closing(messages(server, position["id"])) as stream:
        same = [until(stream, "order_event") for _ in range(2)]
    assert [(one["id"], one["data"]) for one in events] == [(one.id, one.data) for one in same]
    comes(lambda: not process.streams)


@pytest.mark.parametrize(
    ("place", "query", "headers", "status"),
    [
        ("sf", "", {"Origin": "https://elsewhere.example"}, 403),
        ("sf", "", {"Origin": "null"}, 403),
        ("nowhere", "", {}, 404),
        ("sf", "", {}, 101),
        ("sf", "?after=x", {}, 422),
        ("sf", "?until=x", {}, 422),
    ],
)
def test_who_may_open_a_websocket_and_how_others_are_refused(
    server: str, place: str, query: str, headers: dict[str, str], status: int
) -> None:
    where = urlsplit(server)
    headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    with closing(HTTPConnection(where.netloc, timeout=30)) as connection:
        connection.request("GET", f"{where.path}/ws/v1/locations/{place}/live{query}", headers=headers)
        with connection.getresponse() as answer:
            assert answer.status == status


def test_a_reader_who_says_too_much_is_cut_off(server: str) -> None:
    async def talk() -> int | None:
        address = f"{server.replace('http', 'ws', 1)}/ws/v1/locations/sf/live"
        with closing(await websocket_connect(address)) as connection:
            await connection.write_message("x" * 5000)
            while await connection.read_message() is not None:
                pass
            return connection.close_code

    assert on_a_loop(talk) == 1009  # too big
    comes(lambda: not process.streams)
