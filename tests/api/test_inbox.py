"""POST /events: what is acknowledged is in the source; nobody without the token sends anything."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.serving import Answer, fetch
from twin.api import inbox as api
from twin.foundation.settings import Settings
from twin.server.login import FREE, Attempts
from twin.server.process import process

SECRET = "an inbox's own token"
BEARER = {"Authorization": f"Bearer {SECRET}"}


def event(order: str, minute: int = 0, kind: str = "order_created") -> str:
    at = f"2025-10-17 18:{minute:02d}:00"
    return json.dumps({"event_type": kind, "ts": at, "location": "sf", "order_id": order, "sequence": 1, "body": {}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(api, "attempts", Attempts())
    return tmp_path / "inbox"


@pytest.fixture
def server(routes: str, folder: Path) -> Iterator[str]:
    process.use(None)
    process.configure(Settings(source=str(folder), inbox=folder, inbox_token=SECRET))
    yield routes
    process.use(None)


def post(server: str, body: str | bytes, headers: dict[str, str] = BEARER) -> Answer:
    data = body if isinstance(body, bytes) else body.encode()
    return fetch(f"{server}/api/v1/events", headers, "POST", data)


def orders(server: str) -> int:
    answer = fetch(f"{server}/api/v1/locations")
    return sum(one["total_orders"] for one in json.loads(answer.body)["locations"]) if answer.status == 200 else 0


def comes_to(server: str, expected: int) -> None:
    deadline = time.monotonic() + 30
    while orders(server) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert orders(server) == expected


def test_what_was_sent_is_on_the_page(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.server.process.ARRIVED_S", 0.0)
    assert "no events so far" in json.loads(fetch(f"{server}/api/v1/locations").body)["detail"]
    answer = post(server, f"{event('a')}\n{event('b')}\r\n{event('a')}\nnonsense\n")
    assert answer.status == 202
    assert json.loads(answer.body) == {
        "accepted": 2, "repeated": 1, "rejected": 1, "examples": [{"line": 4, "reason": "is no JSON"}],
    }  # fmt: skip
    comes_to(server, 2)
    assert post(server, event("c", 5)).status == 202
    comes_to(server, 3)
    assert json.loads(post(server, event("c", 5)).body)["repeated"] == 1


def test_the_last_events_are_seen_though_none_follow(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.server.process.ARRIVED_S", 0.5)
    assert post(server, event("a")).status == 202
    comes_to(server, 1)
    for order in ("b", "c"):  # so soon after the last look that no other is due
        assert post(server, event(order)).status == 202
    comes_to(server, 3)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {SECRET}"},
        {"X-Inbox-Token": SECRET[:-1]},
        {"Cookie": SECRET},
    ],
)
def test_nobody_without_the_token_sends_anything(server: str, folder: Path, headers: dict[str, str]) -> None:
    answer = post(server, event("a"), headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert SECRET not in answer.body.decode()
    assert not list(folder.glob("*.jsonl"))


def test_the_token_also_comes_in_a_header_of_its_own(server: str) -> None:
    headers = {"X-Inbox-Token": SECRET, "Authorization": "Bearer the proxy's"}
    assert post(server, event("a"), headers).status == 202


def test_wrong_tokens_have_to_wait(server: str) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    assert [post(server, event("a"), wrong).status for _ in range(FREE)] == [401] * FREE
    answer = post(server, event("a"))
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", BEARER, 422),
        (b"\xff\xfe", BEARER, 400),
        (b"\n" * (api.MOST_EVENTS + 1), BEARER, 413),
        (b"x", BEARER | {"Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_cannot_be_read_is_refused(server: str, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = post(server, body, headers)
    assert answer.status == status
    assert json.loads(answer.body)["detail"]


def test_more_than_the_usual_request_is_taken_here_and_nowhere_else(server: str) -> None:
    lines = [event(f"o{number}") for number in range(2_000)]
    body = "\n".join(lines)
    assert len(body) > 200_000
    assert json.loads(post(server, body).body)["accepted"] == 2_000


def test_a_full_disk_takes_none_and_says_when_to_try_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("twin.sources.inbox.os.fsync", full)
    answer = post(server, event("a"))
    assert answer.status == 503
    assert "none of them was taken" in json.loads(answer.body)["detail"]
    assert answer.headers["retry-after"]


def test_without_an_inbox_there_is_nothing_to_send_to(routes: str) -> None:
    process.use(None)
    process.configure(Settings())
    answer = post(routes, event("a"))
    assert answer.status == 404
    process.use(None)


def test_another_method_is_not_allowed(server: str) -> None:
    answer = fetch(f"{server}/api/v1/events")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
