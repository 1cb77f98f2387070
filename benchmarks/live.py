"""A kitchen that is followed live: how soon what is sent is on the pages, and what it costs the server.

What it costs is measured in parts, each of a core: rows that come while nobody looks (they are received, written and read); what
one page adds (its kitchen's newest timeline, made once however many look); hidden pages; pages without rows; and all together.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Callable
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
SEEN_S, CORE, JUMP_MS = 2.0, 0.05, 300.0
"""Seconds within which what was sent is on a page, p95; most of a core at `ROWS` a second; from a press of *Jump to live* until
the figures of the edge are on the page, p95."""
BACK_S, JUMPS, QUICK_JUMPS = 600.0, 20, 5
ROWS = 50
POSTS, QUICK_POSTS, EVERY_S = 20, 6, 3.0
STEADY_S, QUICK_S = 40.0, 10.0
SETTLED_S = 10.0
CALM, CALM_S = 0.15, 240.0
PLAYING = 0.008
"""Share of a core that a page which plays may take without rows (benchmarks/sessions.py)."""
STUCK_S = 60.0
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

    async def back(self, t: float) -> None:
        """Look back at a time, paused."""
        await self.act("TransportBar", verb="pause", at=t)

    async def jump(self) -> float:
        """Press *Jump to live*, from behind; return the milliseconds until the figures of the edge came."""
        ticks, began = len(self.received.ticks), time.monotonic()
        await self.act("TransportBar", verb="follow")
        return await _until(lambda: len(self.received.ticks) > ticks, began)

    async def replay(self, start: float, end: float) -> None:
        """Choose a range, which is no longer live."""
        ticks, began = len(self.received.ticks), time.monotonic()
        await self.act("TransportBar", verb="range", start=start, end=end)
        await _until(lambda: len(self.received.ticks) > ticks, began)

    async def go_live(self) -> float:
        """Press *Jump to live* in a range that does not grow; return the milliseconds until the edge was on the page."""
        seen, began = len(self.seen), time.monotonic()
        await self.act("LiveBadge", live=True)
        return await _until(lambda: len(self.seen) > seen, began)

    def heard(self, event: dict[str, Any]) -> None:
        """Note when the badge is told of a newer edge."""
        if (
            event["kind"] == "ModelChanged"
            and event["attr"] == "now"
            and event["model"]["id"] == self._data["LiveBadge"]
        ):
            self.seen.append(time.monotonic())


async def _until(happened: Callable[[], bool], began: float) -> float:
    """Return the milliseconds since `began` when it has happened."""
    while not happened():
        if time.monotonic() - began > STUCK_S:
            raise RuntimeError("The page does not answer.")
        await asyncio.sleep(0.002)
    return (time.monotonic() - began) * 1e3


async def _measure(server: Served, quick: bool) -> list[Row]:
    steady_s = QUICK_S if quick else STEADY_S
    status = await AsyncHTTPClient().fetch(
        f"{server.address}/api/v1/locations/{data.LOCATION}/kitchen-status", request_timeout=120
    )
    now = datetime.fromisoformat(json.loads(status.body)["timestamp"])
    sender = _Sender(server, now.astimezone(UTC).replace(tzinfo=None))
    nobody = await _cost(server, steady_s, sender)
    first = await _opened(server, sender, 1)
    await _calm(server)
    one = await _cost(server, steady_s, sender)
    followers = first + await _opened(server, sender, SESSIONS - 1)
    all_quiet = await _cost(server, steady_s)
    jumps, returns = await _jumps(followers[: QUICK_JUMPS if quick else JUMPS], sender)
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
    every = await _cost(server, steady_s, sender)
    for follower in followers:
        await follower.hide(True)
    await asyncio.sleep(SETTLED_S)
    hidden = await _cost(server, steady_s, sender)
    for follower in followers:
        await follower.close()
    worst, acknowledged = percentile(late, 0.95), [1000 * one for one in sender.spent]
    more, ours = every - all_quiet, one - all_quiet / SESSIONS
    return [
        _jump(f"jump to live from {BACK_S / 60:.0f} min behind, {SESSIONS} pages open, p95", jumps),
        _jump("... from another range of six hours, p95", returns),
        Row(
            f"sent to seen, {SESSIONS} pages that follow a kitchen of a million events, p95", f"≤ {SEEN_S:g} s",
            f"{worst:.2f} s (worst {max(late):.2f}, n={len(late):,}); acknowledged {spread(acknowledged, 'ms')}",
            worst <= SEEN_S, worst,
        ),
        _share(f"{ROWS} rows a second, nobody looks, of a core", nobody, CORE),
        _share("... a page follows: more of a core than it takes without rows", ours, CORE),
        _share(f"... {SESSIONS} hidden pages follow", hidden, CORE),
        _share(f"{SESSIONS} pages follow, no rows", all_quiet, SESSIONS * PLAYING),
        _share(f"{ROWS} rows a second, {SESSIONS} pages follow: more of a core than without rows", more, CORE),
        _share("... of that each page's own", (more - ours) / (SESSIONS - 1), None, digits=2),
    ]  # fmt: skip


def _share(what: str, share: float, most: float | None, digits: int = 1) -> Row:
    met = None if most is None else share <= most
    return Row(what, "" if most is None else f"≤ {most:.0%}", f"{share:.{digits}%}", met, share)


def _jump(what: str, took: list[float]) -> Row:
    worst = percentile(took, 0.95)
    return Row(what, f"≤ {JUMP_MS:g} ms", f"{worst:.0f} ms, {spread(took, 'ms')}", worst <= JUMP_MS, worst)


async def _jumps(followers: list[_Follower], sender: _Sender) -> tuple[list[float], list[float]]:
    """Return the milliseconds in which pages came back to live, one after the other: from behind, and from another range."""
    edge = sender.at.replace(tzinfo=UTC).timestamp()
    jumps, returns = [], []
    for follower in followers:
        await follower.back(edge - BACK_S)
        await asyncio.sleep(1.0)
        jumps.append(await follower.jump())
    for follower in followers:
        await follower.replay(edge - 30 * 3600.0, edge - 24 * 3600.0)
        await asyncio.sleep(1.0)
        returns.append(await follower.go_live())
    return jumps, returns


async def _opened(server: Served, sender: _Sender, pages: int) -> list[_Follower]:
    """Open pages that follow the kitchen, and wait until what each asks for at first has been answered."""
    address = server.page(location=data.LOCATION, t=sender.at.isoformat(), speed="1", live="1")
    followers = [_Follower(address) for _ in range(pages)]
    for follower in followers:
        await follower.open()
        await follower.play()
    await asyncio.sleep(SETTLED_S)
    return followers


async def _calm(server: Served) -> None:
    """Wait until what was known of troubles in the hours before is computed: once for all pages, with the first that opens."""
    begun = time.monotonic()
    while await _cost(server, 2.0) > CALM and time.monotonic() - begun < CALM_S:
        pass


async def _cost(server: Served, seconds: float, sender: _Sender | None = None) -> float:
    """Return the share of a core that the server uses, while rows are sent to it if there is a sender."""
    used, began = server.cpu(), time.monotonic()
    while time.monotonic() - began < seconds:
        await asyncio.gather(*([sender.send(ROWS, 1.0)] if sender else []), asyncio.sleep(1.0))
    return (server.cpu() - used) / (time.monotonic() - began)
