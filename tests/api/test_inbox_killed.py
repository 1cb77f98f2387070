"""A server that is killed at random moments while events are sent to it: nothing that it acknowledged is lost or there twice."""

import json
import random
import threading
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.api.serving import fetch
from tests.api.test_inbox import BEARER, SECRET, comes_to, event
from tests.browser.app import Server

pytestmark = [pytest.mark.slow, pytest.mark.soak]


def test_a_server_that_is_killed_during_posts_loses_nothing_that_it_acknowledged(
    tmp_path: Path, lasting: Callable[[float, float], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a sender does it: a batch that nobody acknowledged is sent again to the server that comes next."""
    chance, folder = random.Random(22), tmp_path / "inbox"
    monkeypatch.setenv("TWIN_INBOX", str(folder))
    monkeypatch.setenv("TWIN_INBOX_TOKEN", SECRET)
    server = Server(folder, tmp_path / "log.txt")
    sent, unknown, cut, halves = list[str](), list[str](), 0, 0
    for _ in range(round(lasting(4, 200))):
        server.start()
        killer = threading.Timer(chance.uniform(0.0, 0.3), server.kill)
        killer.start()
        while True:
            batch = unknown or [f"o{len(sent) + one}" for one in range(chance.randint(1, 60))]
            try:
                answer = fetch(
                    f"http://127.0.0.1:{server.port}/api/v1/events",
                    BEARER,
                    "POST",
                    "\n".join(map(event, batch)).encode(),
                )
            except (OSError, HTTPException):
                cut += not unknown
                unknown = batch
                break
            receipt = json.loads(answer.body)
            assert (answer.status, receipt["accepted"] + receipt["repeated"]) == (202, len(batch)), receipt
            halves += 0 < receipt["repeated"] < len(batch)
            sent += batch
            unknown = []
        killer.join()
        there = written(folder)
        assert there[: len(sent)] == sent, "nothing that was acknowledged is lost, or there twice"
        assert there[len(sent) :] == unknown[: len(there) - len(sent)]
    server.start()
    address = f"http://127.0.0.1:{server.port}"
    if unknown:
        assert fetch(f"{address}/api/v1/events", BEARER, "POST", "\n".join(map(event, unknown)).encode()).status == 202
        sent += unknown
    comes_to(address, len(sent))
    quality = json.loads(fetch(f"{address}/api/v1/locations/sf/data-quality").body)
    assert (quality["rows_read"], quality["rows_used"]) == (len(sent), len(sent))
    server.kill()
    assert written(folder) == sent
    print(f"{len(sent)} events, {cut} batches cut off, {halves} of them half written")
    assert cut


def written(folder: Path) -> list[str]:
    """The ids of the orders in the inbox; half a line at its end is no event."""
    lines = "".join(path.read_text() for path in sorted(folder.glob("*.jsonl"))).splitlines(keepends=True)
    return [json.loads(line)["order_id"] for line in lines if line.endswith("\n")]
