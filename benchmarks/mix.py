"""Everything at once: playing sessions, replay streams and clients of the API; what each takes from the others.

The sessions' ticks and the probes are measured alone and then in the mix, in one run, because only their ratio means something
on a busy machine.
"""

import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import httpx

from benchmarks import api, data
from benchmarks.client import Client
from benchmarks.served import Served, serving
from benchmarks.sessions import close_clients, lateness, open_clients
from benchmarks.table import Row, percentile

SESSIONS, STREAMS, API_CLIENTS = 60, 5, 8
SPEED = 1000.0
"""Of the streams."""
LATE_MS, PROBE_MS = 500.0, 200.0
PLAY_S, QUICK_S, SETTLE_S = 60.0, 20.0, 5.0
PROBE_EVERY_S = 0.1


def measure(quick: bool) -> list[Row]:
    """Return the rows of the mix."""
    with serving(data.week()) as server:
        return asyncio.run(_measure(server, QUICK_S if quick else PLAY_S))


async def _measure(server: Served, seconds: float) -> list[Row]:
    clients, _, _ = await open_clients(server, SESSIONS, 60)
    for client in clients:
        await client.play()
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_S)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, context) as others:  # none in the interpreter that measures the ticks
        list(others.map(_ready, range(3)))
        alone, alone_probes, _ = await _window(server, clients, seconds, others)
        during = seconds + 2 * SETTLE_S
        reading = others.submit(_read_streams, server.address, during)
        asking = others.submit(_ask_api, server.address, during)
        await asyncio.sleep(SETTLE_S)
        mixed, mixed_probes, share = await _window(server, clients, seconds, others)
        events, (answered, refused, waited) = reading.result(), asking.result()
    await close_clients(server, clients)
    late, late_alone = percentile(mixed, 0.95), percentile(alone, 0.95)
    probe, probe_alone = percentile(mixed_probes, 0.95), percentile(alone_probes, 0.95)
    what = f"{SESSIONS} playing sessions, {STREAMS} streams at {SPEED:g}x, {API_CLIENTS} API clients"
    return [
        Row(
            f"{what}: ticks late, p95", f"≤ {LATE_MS:g} ms",
            f"{late:.0f} ms (median {percentile(mixed, 0.5):.0f}, worst {max(mixed):.0f}, n={len(mixed):,}); "
            f"{100 * share:.0f} % of a core", late <= LATE_MS, late,
            f"the sessions alone {late_alone:.0f} ms", late_alone / max(late, 1e-9),
        ),
        Row(
            f"{what}: /healthz, p95", f"≤ {PROBE_MS:g} ms",
            f"{probe:.0f} ms (median {percentile(mixed_probes, 0.5):.0f}, worst {max(mixed_probes):.0f}, "
            f"n={len(mixed_probes)})", probe <= PROBE_MS, probe,
            f"beside the sessions alone {probe_alone:.0f} ms", probe_alone / max(probe, 1e-9),
        ),
        Row(
            "the same: what the others got meanwhile", "–",
            f"{answered / during:.1f} answers/s of the API (p95 {waited:.0f} ms), {refused} refused; "
            f"{events / during:,.0f} events/s in the streams",
        ),
    ]  # fmt: skip


async def _window(
    server: Served, clients: list[Client], seconds: float, others: ProcessPoolExecutor
) -> tuple[list[float], list[float], float]:
    """Return the lateness of ticks, the milliseconds of probes, and the share of a core that the server used."""
    loop = asyncio.get_running_loop()
    used, began = server.cpu(), time.monotonic()
    probing = loop.run_in_executor(others, _probe, server.address, seconds)
    late = await lateness(clients, seconds)
    share = (server.cpu() - used) / (time.monotonic() - began)
    return late, await probing, share


def _ready(number: int) -> int:
    """Import everything in a worker process before it is measured."""
    time.sleep(1.0)
    return number


def _probe(address: str, seconds: float) -> list[float]:
    """Probe /healthz on a new connection each time, as platforms do; return the milliseconds of each."""
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        httpx.get(f"{address}/healthz", trust_env=False, timeout=60).raise_for_status()
        took.append(1000 * (time.monotonic() - began))
        time.sleep(PROBE_EVERY_S)
    return took


def _read_streams(address: str, seconds: float) -> int:
    """Read all streams for so many seconds; return the number of events."""
    return api.read_many(address, seconds, STREAMS, SPEED)


def _ask_api(address: str, seconds: float) -> tuple[int, int, float]:
    """Ask the API one question after the other in every client; return those answered and refused, and the p95 in ms."""
    end = time.monotonic() + seconds
    with httpx.Client(base_url=address, trust_env=False, timeout=120) as first:
        addresses = list(api.addresses(first).values())

    def ask(client_number: int) -> list[tuple[bool, float]]:
        results = []
        with httpx.Client(base_url=address, trust_env=False, timeout=120) as client:
            number = 0
            while time.monotonic() < end:
                number += 1
                began = time.monotonic()
                question = addresses[(number + client_number) % len(addresses)](number * API_CLIENTS + client_number)
                answer = client.get(question)
                results.append((answer.status_code == 200, 1000 * (time.monotonic() - began)))
                if answer.status_code == 503:
                    time.sleep(float(answer.headers["Retry-After"]))
        return results

    with ThreadPoolExecutor(API_CLIENTS) as threads:
        results = [one for client in threads.map(ask, range(API_CLIENTS)) for one in client]
    answered = [took for is_answered, took in results if is_answered]
    return len(answered), len(results) - len(answered), percentile(answered, 0.95)
