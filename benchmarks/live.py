"""A kitchen that is followed live: how soon what is sent is on the pages, and what it costs the server."""

import asyncio
import json
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from benchmarks import data
from benchmarks.client import Client
from benchmarks.served import Served, serving
from benchmarks.table import Row, percentile, spread

SESSIONS = 50
SEEN_S, CORE = 2.0, 0.05
"""Seconds within which what was sent is on a page, p95; share of a core at `ROWS` a second."""
ROWS = 50
POSTS, QUICK_POSTS, EVERY_S = 20, 6, 3.0
STEADY_S, QUICK_S = 40.0, 10.0
TOKEN = "a token of the benchmark"
"""Opens the inbox of a server on loopback, for the time of the measurement."""


def measure(quick: bool) -> list[Row]:
    """Return the rows of pages that follow a kitchen with a million events."""
    folder = _inbox()
    with serving(folder, TWIN_INBOX=str(folder), TWIN_INBOX_TOKEN=TOKEN) as server:
        return asyncio.run(_measure(server, quick))


def _inbox() -> Path:
    """Return an inbox with the week's events, fresh: the last measurement has written into it."""
    kept = data.made("live", _as_lines)
    folder = data.FOLDER / "live-inbox"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder)
    return folder


def _as_lines(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT event_type, ts::VARCHAR AS ts, location, order_id, sequence, body "
            f"FROM '{data.week()}' ORDER BY ts) TO '{folder / 'events-000001.jsonl'}' (FORMAT json)"
        )


@dataclass(slots=True)
class _Sender:
    """Sends events that go on where the record ends."""

    server: Served
    at: datetime
    number: int = 0
    spent: list[float] = field(default_factory=list)

    async def send(self, rows: int, seconds: float) -> None:
        """Send so many events over so many data seconds: orders that are created, started and finished."""
        lines = []
        for _ in range(rows):
            self.at += timedelta(seconds=seconds / rows)
            order, step = divmod(self.number, 3)
            kind = ("order_created", "gk_started", "gk_finished")[step]
            self.number += 1
            lines.append(
                json.dumps(
                    {
                        "event_type": kind, "ts": self.at.isoformat(" ", "milliseconds"), "location": data.LOCATION,
                        "order_id": f"live-{order}", "sequence": step, "body": {},
                    }
                )
            )  # fmt: skip
        began = time.monotonic()
        request = HTTPRequest(
            f"{self.server.address}/api/v1/events", "POST", {"Authorization": f"Bearer {TOKEN}"}, "\n".join(lines)
        )
        await AsyncHTTPClient().fetch(request)
        self.spent.append(time.monotonic() - began)


class _Follower(Client):
    """A session that follows the kitchen; `seen` are the times (monotonic) at which it was sent a newer edge."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.seen: list[float] = []

    def heard(self, event: dict[str, Any]) -> None:
        """Note when the badge is told of a newer edge."""
        if (
            event["kind"] == "ModelChanged"
            and event["attr"] == "now"
            and event["model"]["id"] == self._data["LiveBadge"]
        ):
            self.seen.append(time.monotonic())


async def _measure(server: Served, quick: bool) -> list[Row]:
    status = await AsyncHTTPClient().fetch(
        f"{server.address}/api/v1/locations/{data.LOCATION}/kitchen-status", request_timeout=120
    )
    now = datetime.fromisoformat(json.loads(status.body)["timestamp"])
    sender = _Sender(server, now.astimezone(UTC).replace(tzinfo=None))
    followers = [
        _Follower(server.page(location=data.LOCATION, t=sender.at.isoformat(), speed="1", live="1"))
        for _ in range(SESSIONS)
    ]
    for follower in followers:
        await follower.open()
        await follower.play()
    await asyncio.sleep(10)
    idle = await _cpu(server, QUICK_S)
    sent = []
    for _ in range(QUICK_POSTS if quick else POSTS):
        sent.append(time.monotonic())
        await sender.send(ROWS, EVERY_S)
        await asyncio.sleep(EVERY_S)
    late = [
        next((seen for seen in follower.seen if seen >= at), at + 10 * EVERY_S) - at
        for follower in followers
        for at in sent
    ]
    steady_s = QUICK_S if quick else STEADY_S
    used, began = server.cpu(), time.monotonic()
    while time.monotonic() - began < steady_s:
        await asyncio.gather(sender.send(ROWS, 1.0), asyncio.sleep(1.0))
    share = (server.cpu() - used) / (time.monotonic() - began)
    for follower in followers:
        await follower.close()
    worst, acknowledged = percentile(late, 0.95), [1000 * one for one in sender.spent]
    return [
        Row(
            f"sent to seen, {SESSIONS} pages that follow a kitchen of a million events, p95", f"≤ {SEEN_S:g} s",
            f"{worst:.2f} s (worst {max(late):.2f}, n={len(late):,}); acknowledged {spread(acknowledged, 'ms')}",
            worst <= SEEN_S, worst,
        ),
        Row(
            f"{ROWS} rows a second, {SESSIONS} pages follow: more of a core than without", f"≤ {CORE:.0%}",
            f"{share - idle:.1%} ({share:.1%} against {idle:.1%})", share - idle <= CORE, share - idle,
        ),
    ]  # fmt: skip


async def _cpu(server: Served, seconds: float) -> float:
    """Return the share of a core that the server uses."""
    used, began = server.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    return (server.cpu() - used) / (time.monotonic() - began)
