"""The live feed: every event is sent once at least, in its time, and arrives however the server behaves."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.foundation.errors import SourceError
from twin.foundation.times import seconds
from twin.simulator import feed
from twin.simulator.demo import LAST_DAY
from twin.simulator.feed import Disorder, Feed, FileSink, HttpSink, Schedule, simulated_lines
from twin.sources.files import FileSource
from twin.sources.inbox import Inbox, Receipt

LINES = [
    json.dumps({"ts": f"2025-10-17 {18 + k // 3600:02d}:{k // 60 % 60:02d}:{k % 60:02d}", "k": k}) for k in range(7200)
]
START = seconds("2025-10-17 18:00")


class Listed:
    """Collects what it is sent, with the data time."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, Sequence[str]]] = []
        self.now = 0.0

    def send(self, lines: Sequence[str]) -> None:
        self.batches.append((self.now, lines))

    @property
    def lines(self) -> list[str]:
        return [line for _, batch in self.batches for line in batch]


def test_events_are_sent_when_they_happen_and_those_of_before_at_once() -> None:
    sink, wall = Listed(), [100.0]

    def sleep(pause: float) -> None:
        wall[0] += pause
        sink.now = wall[0] - 100

    Feed(
        Schedule.of(LINES, Disorder(), 1), sink, begin=START + 3600, speed=60, clock=lambda: wall[0], sleep=sleep
    ).run()
    assert sink.lines == LINES
    assert sum(len(batch) for at, batch in sink.batches if at == 0) == 3601, "one of them happens at the beginning"
    for at, batch in sink.batches:
        if at:
            happened = [json.loads(line)["k"] - 3600 for line in batch]
            assert max(happened) <= at * 60 < min(happened) + 2 * feed.TICK_S * 60


def test_disorder_loses_nothing_and_is_the_same_again() -> None:
    disorder = Disorder(late=0.1, repeated=0.2, shuffled=True)
    one, other = (Schedule.of(LINES, disorder, 7) for _ in range(2))
    assert one.lines == other.lines
    assert Counter(Counter(one.lines).values()).keys() == {1, 2}
    assert set(one.lines) == set(LINES)
    assert 0.15 < len(one.lines) / len(LINES) - 1 < 0.25
    assert (np.diff(one.due) >= 0).all()
    place = {line: k for k, line in reversed([*enumerate(one.lines)])}
    out_of_order = sum(place[a] > place[b] for a, b in pairwise(LINES)) / len(LINES)
    assert 0.1 < out_of_order < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("generation", ["2025", "2026"])
def test_a_source_and_an_inbox_have_each_event_of_a_disordered_feed_once(tmp_path: Path, generation: str) -> None:
    lines = simulated_lines(days=1, end=LAST_DAY, seed=3, scale=0.02, generation=generation)
    assert len(lines) > 300
    schedule = Schedule.of(lines, Disorder(0.1, 0.1, shuffled=True), 3)
    Feed(schedule, FileSink(tmp_path / "live"), begin=float(schedule.due[-1]), speed=1).run()
    source = FileSource(tmp_path / "live")
    quality = source.quality()
    assert (quality.read, quality.used) == (len(schedule.lines), len(lines))
    source.close()
    assert Inbox(tmp_path / "inbox").append(schedule.lines) == Receipt(len(lines), len(schedule.lines) - len(lines))


Moody = tuple[str, list[int], list[bytes], list[dict[str, Any]]]


@pytest.fixture
def moody() -> Iterator[Moody]:
    """A server that answers with the given statuses, then with 202; its address, the statuses, what it took, what it rejects."""
    statuses: list[int] = []
    taken: list[bytes] = []
    rejected: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if statuses else 202
            if status == 202:
                taken.append(body)
            answer = {"accepted": 1, "repeated": 0, "rejected": len(rejected), "examples": rejected}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", statuses, taken, rejected
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_a_server_cannot_take_now_is_sent_again(moody: Moody) -> None:
    address, statuses, taken, _ = moody
    statuses += [503, 500, 429]
    pauses: list[float] = []
    HttpSink(address, "token", pauses.append).send(LINES[:2])
    assert taken == ["\n".join(LINES[:2]).encode()]
    assert pauses == [0.5, 1.0, 2.0]


def test_a_refusal_for_good_is_an_error(moody: Moody) -> None:
    address, statuses, *_ = moody
    statuses.append(401)
    with pytest.raises(SourceError, match="refuses the events \\(401\\)"):
        HttpSink(address, "wrong").send(LINES[:1])


def test_rejected_events_are_an_error(moody: Moody) -> None:
    address, _, _, rejected = moody
    rejected.append({"line": 1, "reason": "has no order_id"})
    with pytest.raises(SourceError, match="rejects 1 events: has no order_id"):
        HttpSink(address, "token").send(LINES[:1])


def test_a_server_that_is_not_there_is_waited_for() -> None:
    pauses: list[float] = []

    def sleep(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        HttpSink("http://127.0.0.1:9", "token", sleep).send(LINES[:1])
    assert pauses == [0.5, 1.0, 2.0]
