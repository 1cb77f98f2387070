"""A hundred sessions that play at once: delay of their ticks, their cost, and that all of it is freed."""

import asyncio
import itertools
import statistics
import time
import urllib.request

from benchmarks import data
from benchmarks.client import Client, Session
from benchmarks.served import Served, serving, serving_plain
from benchmarks.table import Row, percentile, spread

SESSIONS, FROZEN = 100, 10
PLAY_S, QUICK_S, WARM_S = 300.0, 45.0, 60.0
LATE_MS, ON_TIME, OPENING_MS = 100.0, 0.95, 150.0
TICK_S = 0.5
"""Seconds between two ticks; a tick later than this after the one before is late by the difference."""
GROWTH = 0.02
FREED_S = 120.0
"""Seconds within which closed sessions must be freed: the server holds them for a minute in case the browser reconnects."""
DAY, FIRST_HOUR = "2025-10-16", 10
"""Sessions start within six hours from here. All measures take seven hours of data at 60x, within the day."""
FAST = 1000


def measure(quick: bool) -> list[Row]:
    """Return the rows of many sessions."""
    with serving_plain() as server:
        plain_s, plain_ms = asyncio.run(_plain(server))
    with serving(data.week()) as server:
        return asyncio.run(_measure(server, quick, plain_s, plain_ms))


async def _plain(server: Served) -> tuple[float, float]:
    """Return the median seconds and the CPU milliseconds of a session on a plain Panel page."""
    sessions = [Session(f"{server.address}/plain") for _ in range(SESSIONS)]
    await sessions[0].connect()
    used, spent = server.cpu(), []
    for session in sessions[1:]:
        began = time.monotonic()
        await session.connect()
        spent.append(time.monotonic() - began)
    cpu_ms = 1000 * (server.cpu() - used) / len(spent)
    for session in sessions:
        await session.close()
    return statistics.median(spent), cpu_ms


async def _measure(server: Served, quick: bool, plain_s: float, plain_ms: float) -> list[Row]:
    rows = []
    clients, opened, cpu_ms = await open_clients(server, SESSIONS, 60)
    rows.append(
        Row(
            "session opened: page, socket, document", f"≤ {OPENING_MS:g} ms of the server's CPU",
            f"{cpu_ms:.0f} ms of the server's CPU each; {spread(opened, 's', 2)}", cpu_ms <= OPENING_MS, cpu_ms,
            f"a plain Panel page of points, curve, number and slider {plain_s:.2f} s, {plain_ms:.0f} ms", plain_ms / cpu_ms,
        )
    )  # fmt: skip
    rows += await _playing(server, clients, QUICK_S if quick else PLAY_S, WARM_S if not quick else QUICK_S / 3)
    rows.append(await _hidden(server, clients))
    rows.append(await _freed(server, clients))
    rows.append(await _frozen(server, QUICK_S if quick else WARM_S))
    return rows


async def open_clients(server: Served, number: int, speed: float) -> tuple[list[Client], list[float], float]:
    """Open sessions one after the other at different times of the day; the first one loads the day and is not counted."""
    clients = [
        Client(
            server.page(
                location=data.LOCATION, t=f"{DAY}T{FIRST_HOUR + n % 6:02d}:{n:02d}:00", speed=str(speed),
                start=f"{DAY}T00:00:00", end=f"{DAY}T23:59:00",
            )
        )
        for n in range(number)
    ]  # fmt: skip
    await clients[0].open()
    await asyncio.sleep(5)  # usual values and moments are computed in the background
    used = server.cpu()
    opened = [await client.open() for client in clients[1:]]
    await asyncio.sleep(1)
    return clients, opened, 1000 * (server.cpu() - used) / len(opened)


async def _playing(server: Served, clients: list[Client], seconds: float, warm: float) -> list[Row]:
    for client in clients:
        await client.play()
        await asyncio.sleep(0.05)
    await asyncio.sleep(warm)
    before, used, began = server.resident(), server.cpu(), time.monotonic()
    late = await lateness(clients, seconds)
    share, grown = (server.cpu() - used) / (time.monotonic() - began), server.resident() / before - 1
    share_of_ticks = min(len(client.received.ticks) for client in clients) / (seconds / TICK_S)
    worst = percentile(late, ON_TIME)
    return [
        Row(
            f"{len(clients)} playing sessions, {seconds:.0f} s at 60x: ticks late, p95", f"≤ {LATE_MS:g} ms",
            f"{worst:.0f} ms (worst {max(late):.0f}, n={len(late):,}); of the session with the fewest {share_of_ticks:.0%} came; "
            f"{100 * share:.0f} % of a core, {100 * share / len(clients):.1f} a session",
            worst <= LATE_MS and share_of_ticks > ON_TIME,
        ),
        Row(
            f"{len(clients)} playing sessions: the server's memory meanwhile", f"≤ +{GROWTH:.0%}",
            f"{grown:+.1%} (from {before / 1e6:.0f} MB after {warm:.0f} s)", grown <= GROWTH,
        ),
    ]  # fmt: skip


async def lateness(clients: list[Client], seconds: float) -> list[float]:
    """Return by how many milliseconds each tick of the playing sessions came late in the next `seconds`.

    A session without a tick at the end was late by that long, at least.
    """
    for client in clients:
        client.received.ticks.clear()
    began = time.monotonic()
    await asyncio.sleep(seconds)
    now = time.monotonic()
    return [
        max(0.0, 1000 * (after - first - TICK_S))
        for client in clients
        for first, after in itertools.pairwise([*(client.received.ticks or [began]), *_missing(client, now)])
    ]


def _missing(client: Client, now: float) -> list[float]:
    """Return the present as a tick where the last one is so long ago that the next is overdue."""
    last = client.received.ticks[-1] if client.received.ticks else 0.0
    return [now] if now - last > 2 * TICK_S else []


async def _hidden(server: Served, clients: list[Client]) -> Row:
    for client in clients:
        await client.hide(True)
    await asyncio.sleep(3)
    messages, used = sum(client.received.messages for client in clients), server.cpu()
    await asyncio.sleep(15)
    share = (server.cpu() - used) / 15
    sent = sum(client.received.messages for client in clients) - messages
    return Row(
        f"{len(clients)} playing sessions in hidden tabs", "≤ 1 % of a core, 0 messages",
        f"{100 * share:.1f} % of a core, {sent} messages", share <= 0.01 and sent == 0,
    )  # fmt: skip


async def _freed(server: Served, clients: list[Client]) -> Row:
    """Close all, wait until they are freed, and open as many again: additional memory of the second round was not freed."""
    before = server.resident()
    await close_clients(server, clients)
    again, _, _ = await open_clients(server, len(clients), 60)
    for client in again:
        await client.play()
    await asyncio.sleep(10)
    after = server.resident()
    left = await close_clients(server, again)
    return Row(
        f"{len(clients)} sessions closed, and as many again", f"0 left, ≤ +{GROWTH:.0%}",
        f"{left} left; memory {after / before - 1:+.1%} (from {before / 1e6:.0f} MB)",
        left == 0 and after <= (1 + GROWTH) * before,
    )  # fmt: skip


async def close_clients(server: Served, clients: list[Client]) -> int:
    """Close the sessions; return how many of them the server still holds after `FREED_S`."""
    for client in clients:
        await client.close()
    deadline = time.monotonic() + FREED_S
    while (left := _open_sessions(server)) and time.monotonic() < deadline:
        await asyncio.sleep(1)
    return left


def _open_sessions(server: Served) -> int:
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("twin_sessions "))))


async def _frozen(server: Served, seconds: float) -> Row:
    clients, _, _ = await open_clients(server, FROZEN, FAST)
    for client in clients:
        await client.play()
    await asyncio.sleep(5)
    for client in clients:
        client.freeze()
    await asyncio.sleep(10)  # until the sockets are full
    before = server.resident()
    await asyncio.sleep(seconds)
    grown = server.resident() / before - 1
    left = await close_clients(server, clients)
    return Row(
        f"{FROZEN} clients frozen at {FAST}x for {seconds:.0f} s", f"≤ +{GROWTH:.0%}, 0 left",
        f"memory {grown:+.1%} (from {before / 1e6:.0f} MB); {left} left after they close", grown <= GROWTH and left == 0,
    )  # fmt: skip
