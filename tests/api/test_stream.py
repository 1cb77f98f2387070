"""The replay stream as a client lives with it: nothing lost, nothing twice, at the pace asked for, over any number of cuts."""

import asyncio
import json
import random
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests import brute
from tests.api.conftest import World
from tests.api.serving import fetch
from twin.api import answers, parameters
from twin.api import stream as replay
from twin.api.instants import instant, seconds, write
from twin.foundation.settings import Settings
from twin.server.process import process

LOCATION = "ChIJvXT99PfCQIYROz3H0NrIctA"


@dataclass
class Message:
    id: str
    event: str
    data: Any


def read(lines: Iterator[str]) -> Generator[Message, None, None]:
    """Server-sent events as the standard reads them."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "data" in fields:
            yield Message(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
        if not line:
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def address(server: str, window: tuple[float, float], speed: float = 0, location: str = LOCATION, **more: Any) -> str:
    query = {"start": write(instant(window[0])), "end": write(instant(window[1])), "speed": speed, **more}
    return f"{server}/api/v1/locations/{location}/replay?{urlencode(query)}"


def messages(url: str, headers: dict[str, str] | None = None) -> Generator[Message, None, None]:
    with httpx.Client(trust_env=False, timeout=30) as client, client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        yield from read(answer.iter_lines())


def key(message: Message) -> tuple[str, str, float]:
    return (
        message.data["order_id"],
        message.data["event_type"],
        seconds(datetime.fromisoformat(message.data["timestamp"])),
    )


@pytest.fixture
def whole(demo_world: World) -> tuple[tuple[float, float], list[tuple[str, str, float]]]:
    """A location's whole range and its events in the log's order."""
    events = demo_world.events(LOCATION)
    return (events[0][0], events[-1][0] + 1), [(e[2], e[3], e[0]) for e in events]


def test_every_event_comes_exactly_once_in_the_logs_order(server: str, whole: Any) -> None:
    window, expected = whole
    found = list(messages(address(server, window)))
    assert [key(message) for message in found if message.event == "order_event"] == expected
    assert found[-1].event == "replay_complete"
    assert found[-1].data["events"] == len(expected)
    assert all(message.id for message in found)


@pytest.mark.slow
def test_a_client_that_is_cut_ten_times_goes_on_after_what_it_had(server: str, whole: Any) -> None:
    window, expected = whole
    chance = random.Random(11)
    found: list[Any] = []
    last = ""
    for number in range(11):
        stop = chance.randint(1, len(expected) // 6) if number < 10 else 10**9
        by_header = chance.random() < 0.5
        headers = {"Last-Event-ID": last} if last and by_header else {}
        more = {"from_time": last} if last and not by_header else {}
        with closing(messages(address(server, window, **more), headers)) as stream:
            for message in stream:
                if message.event == "order_event":
                    found.append(key(message))
                last = message.id  # whatever the message: its id goes on after the last event before it
                stop -= 1
                if not stop:
                    break
    assert found == expected


def test_any_messages_id_resumes_after_the_last_event_before_it(server: str, whole: Any) -> None:
    window, expected = whole
    middle = (window[0] + (window[1] - window[0]) / 2, window[0] + (window[1] - window[0]) / 2 + 900)
    events = [event for event in expected if middle[0] <= event[2] < middle[1]]
    sent = 0
    for message in list(messages(address(server, middle, speed=1000))):
        sent += message.event == "order_event"
        if message.event != "order_event" or sent % 9 == 0:
            rest = [key(m) for m in messages(address(server, middle, from_time=message.id)) if m.event == "order_event"]
            assert rest == events[sent:]


def test_the_pipeline_rebuilt_from_the_stream_alone_is_the_kitchens_status(
    server: str, demo_world: World, whole: Any
) -> None:
    """The first message lists who is open at the start; events do the rest. Twenty random moments are compared."""
    window, _ = whole
    day = window[0] - window[0] % 86400 + 86400
    start, end = day - 6 * 3600, day + 20 * 3600
    chance = random.Random(4)
    moments = sorted(round(chance.uniform(start, end), 3) for _ in range(20))
    stream = list(messages(address(server, (start, end))))
    first = next(message.data for message in stream if message.event == "metrics_update")
    stages = {order["order_id"]: order["stage"] for order in first["active_orders"]}
    seen = {order["order_id"]: datetime.fromisoformat(order["since"]).timestamp() for order in first["active_orders"]}
    completed = {start - start % 86400: first["orders_by_stage"]["completed"]}
    events = [message for message in stream if message.event == "order_event"]
    position = 0
    for t in moments:
        while position < len(events) and key(events[position])[2] <= t:
            order, kind, at = key(events[position])
            position += 1
            seen[order] = at
            stage = brute.STAGE_OF.get(kind, 0)
            if kind == "delivered":
                stages.pop(order, None)
                completed[at - at % 86400] = completed.get(at - at % 86400, 0) + 1
            elif kind == "order_cancelled":
                stages.pop(order, None)
            else:
                stages[order] = brute.ORDER[max(stage, brute.ORDER.index(stages.get(order, "created")))]
        result = answers.kitchen_status(demo_world.twin, LOCATION, parameters.AtTime(at_time=instant(t)))
        mine = {order: stage for order, stage in stages.items() if t < seen[order] + 4 * 3600}
        assert {order.order_id: order.stage for order in result.active_orders} == mine
        assert result.orders_by_stage.completed == completed.get(t - t % 86400, 0)


class Recorder:
    """A connection to a stream on a clock of its own, where a sleep is over at once; notes each message and when it came."""

    def __init__(self) -> None:
        self.now = 0.0
        self.messages: list[tuple[float, Message]] = []

    def write(self, text: str) -> None:
        self.messages += [(self.now, message) for message in read(iter(text.split("\n")))]

    async def flush(self) -> None:
        return None

    async def sleep(self, duration: float) -> None:
        self.now += duration


def record(world: World, start: float, end: float, speed: float) -> list[tuple[float, Message]]:
    """Return the messages of a replay and the seconds of the wall at which each was written; nobody waits for them."""
    connection, place = Recorder(), world.twin.location(LOCATION)
    query = parameters.ReplayQuery(start=instant(start), end=instant(end), speed=speed)
    begin = replay.StreamPosition(round(start * 1e6))
    stream = replay.Stream(
        connection, world.twin, place, query, begin, clock=lambda: connection.now, sleep=connection.sleep
    )
    asyncio.run(stream.run())
    return connection.messages


def test_metrics_in_the_stream_are_the_kitchens_status(demo_world: World, whole: Any) -> None:
    middle = whole[0][0] + 30_000
    found = record(demo_world, middle, middle + 2500, speed=1000)
    updates = [message.data for _, message in found if message.event == "metrics_update"]
    assert len(updates) >= 3
    for update in updates:
        query = parameters.AtTime(at_time=datetime.fromisoformat(update["timestamp"]))
        result = answers.kitchen_status(demo_world.twin, LOCATION, query).model_dump(mode="json")
        assert update.pop("throughput") == result["throughput_per_hour"]
        update.pop("active_orders", None)
        assert update == {name: result[name] for name in update}


@pytest.mark.parametrize("speed", [60.0, 1000.0])
def test_positions_follow_the_data_clock(whole: Any, demo_world: World, speed: float) -> None:
    """A minute of replay: where the stream says it is, is where speed × time leads, within 2 %."""
    start = whole[0][0] + 3600
    result = [
        (now, seconds(datetime.fromisoformat(message.data["current_time"])))
        for now, message in record(demo_world, start, start + 60.05 * speed, speed)
        if "current_time" in message.data
    ]
    assert result[-1][0] == pytest.approx(60.05, rel=0.02)
    assert len(result) >= 60
    for now, t in result[1:]:
        assert t - start == pytest.approx(speed * now, rel=0.02, abs=0.2 * speed)


def test_at_1000x_events_come_in_batches_paced_by_the_clock(demo_world: World, whole: Any) -> None:
    """Not before their time, nor more than a batch after it."""
    middle = whole[0][0] + 36_000
    found = record(demo_world, middle, middle + 3000, speed=1000)
    events = [(now, key(message)[2]) for now, message in found if message.event == "order_event"]
    assert len(events) > 100
    assert len({now for now, _ in events}) > 20
    for now, t in events:
        assert t < middle + 3000
        assert now - replay.BATCH_S - 0.01 <= (t - middle) / 1000 <= now + 0.01
    for _, message in found:
        if message.event == "replay_position":
            position = seconds(datetime.fromisoformat(message.data["current_time"]))
            assert message.data["progress_pct"] == pytest.approx((position - middle) / 30, abs=0.01)


def open_streams(server: str) -> int:
    text = fetch(server + "/metrics").body.decode()
    return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith("twin_streams "))))


def eventually(check: Any) -> None:
    for _ in range(200):
        if check():
            return
        time.sleep(0.05)
    assert check()


def test_over_the_limit_the_next_is_told_when_to_come_again(server: str, whole: Any) -> None:
    process.configure(Settings.from_environment({"TWIN_MAX_STREAMS": "2"}))
    url = address(server, whole[0], speed=1)
    streams = [messages(url) for _ in range(2)]
    for stream in streams:
        next(stream)
    refused = fetch(url)
    assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    streams[0].close()
    eventually(lambda: open_streams(server) == 1)
    with closing(messages(url)) as again:
        assert next(again).event == "metrics_update"
    streams[1].close()
    eventually(lambda: open_streams(server) == 0)


def test_one_client_does_not_take_all_replays(server: str, whole: Any) -> None:
    process.configure(Settings.from_environment({"TWIN_MAX_STREAMS": "4", "TWIN_CLIENT_STREAMS": "2"}))
    url = address(server, whole[0], speed=1)
    streams = [messages(url) for _ in range(2)]
    for stream in streams:
        next(stream)
    refused = fetch(url)
    assert refused.status == 503
    assert "your address" in json.loads(refused.body)["detail"]
    assert int(refused.headers["retry-after"]) > 0
    # behind a proxy that is not trusted nobody knows whose they are: only the limit of all holds
    forwarded = [messages(url, {"X-Forwarded-For": "198.51.100.7"}) for _ in range(2)]
    for stream in forwarded:
        next(stream)
    for stream in streams + forwarded:
        stream.close()
    eventually(lambda: open_streams(server) == 0)


@pytest.mark.slow
@pytest.mark.parametrize("speed", [0, 1000])
def test_a_reader_that_accepts_nothing_is_dropped(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch, speed: float
) -> None:
    """However many of them hold all places: they lose them by themselves."""
    monkeypatch.setattr(replay, "STUCK_S", 0.5)
    monkeypatch.setattr(replay, "SEND_BUFFER", 4096)
    process.configure(Settings(max_streams=3, client_streams=3))
    events = demo_world.events("sanfrancisco")
    url = address(server, (events[0][0], events[-1][0] + 1), speed=speed, location="sanfrancisco")
    host, port = url.split("/")[2].split(":")
    readers = [socket.socket() for _ in range(3)]
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((host, int(port)))
        reader.sendall(f"GET {url.partition(host + ':' + port)[2]} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    eventually(lambda: open_streams(server) == 3)
    eventually(lambda: open_streams(server) == 0)
    with closing(messages(url)) as stream:
        assert next(stream).event == "metrics_update"
    for reader in readers:
        reader.close()


def test_a_slow_reader_slows_its_stream_and_holds_no_memory(server: str, demo_world: World) -> None:
    """Unread, an unpaced stream stops when the sockets are full: far less is sent than there is."""
    events = demo_world.events("sanfrancisco")
    url = address(server, (events[0][0], events[-1][0] + 1), location="sanfrancisco")
    host, _, port = url.split("/")[2].partition(":")

    def sent() -> float:
        text = fetch(server + "/metrics").body.decode()
        return float(
            next(line.split()[1] for line in text.splitlines() if line.startswith("twin_streamed_events_total"))
        )

    before = sent()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((host, int(port)))
        reader.sendall(f"GET {url.partition(host + ':' + port)[2]} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        reader.recv(64)
        counts = [sent()]
        while len(counts) < 12 or counts[-1] > counts[-10]:
            assert len(counts) < 200
            time.sleep(0.05)
            counts.append(sent())
        assert before < counts[-1] < before + len(events)
        assert fetch(server + "/healthz").status == 200
    eventually(lambda: open_streams(server) == 0)


def test_while_the_source_thinks_the_connection_is_kept_alive(
    server: str, demo_world: World, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "HEARTBEAT_S", 0.05)
    thinking = threading.Event()
    ask_source = demo_world.twin.source.query

    def slow(query: str, **more: Any) -> Any:
        if query == "event_page":
            assert thinking.wait(20)
        return ask_source(query, **more)

    monkeypatch.setattr(demo_world.twin.source, "query", slow)
    beats = 0
    with httpx.Client(trust_env=False, timeout=30) as client, client.stream("GET", address(server, whole[0])) as answer:
        for line in answer.iter_lines():
            beats += line.startswith(":")
            if beats == 3:
                thinking.set()
            if line == "event: order_event":
                break
    assert beats >= 3


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"speed": "-1"}, "speed"),
        ({"speed": "1001"}, "speed"),
        ({"speed": "nan"}, "speed"),
        ({"from_time": "2001-01-01T00:00:00Z"}, "from_time"),
        ({"from_time": "yesterday"}, "from_time"),
        ({"from_time": "2025-10-17T18:50:00Z~x"}, "from_time"),
        ({"end": "1999-01-01T00:00:00Z"}, "start, end"),
        ({"start": "2025-10-17T18:50:00"}, "start"),
    ],
)
def test_a_wrong_parameter_is_named(server: str, whole: Any, more: dict[str, str], field: str) -> None:
    query = {"start": write(instant(whole[0][0])), "end": write(instant(whole[0][1])), **more}
    answer = fetch(f"{server}/api/v1/locations/{LOCATION}/replay?{urlencode(query)}")
    assert answer.status == 422
    assert [wrong["field"] for wrong in json.loads(answer.body)["errors"]] == [field]


def test_a_bad_last_event_id_is_refused(server: str, whole: Any) -> None:
    answer = fetch(address(server, whole[0]), {"Last-Event-ID": "17"})
    assert answer.status == 422
    assert json.loads(answer.body)["errors"][0]["field"] == "Last-Event-ID"


def test_a_range_without_data_and_an_unknown_kitchen_are_refused(server: str, whole: Any) -> None:
    assert fetch(address(server, (1e9, 1e9 + 60))).status == 422
    assert fetch(address(server, whole[0], location="nowhere")).status == 404
