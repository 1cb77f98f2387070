"""The API over a million events: each endpoint with new and repeated requests, an unpaced stream, and 16 streams with a probe."""

import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlencode

import httpx

from benchmarks import data
from benchmarks.served import running, serving
from benchmarks.table import Row, percentile, spread

BASE = f"/api/v1/locations/{data.LOCATION}"
MIDNIGHT = 1_760_140_800
"""2025-10-11, the first day of the benchmark's week."""
NEW_MS, REPEATED_MS, PROBE_MS = 100, 10, 50
STREAMS = 16
PROBE_DELAY_S = 3.0


def measure(quick: bool) -> list[Row]:
    """Return the rows of the API."""
    n = 8 if quick else 30
    with (
        serving(data.week(), TWIN_CLIENT_STREAMS=str(STREAMS)) as server,
        httpx.Client(base_url=server.address, trust_env=False, timeout=120) as client,
    ):
        rows = [row for name, address in addresses(client).items() for row in _endpoint(client, name, address, n)]
        rows.append(_long_query(client, server.address))
        rows.append(_unpaced(server.address, _plain_rate(3 if quick else 10), 3 if quick else 10))
        rows.append(_pace(server.address, 60, 10 if quick else 60))
        rows.append(_pace(server.address, 1000, 10 if quick else 60))
        rows.append(_many(client, server.address, 5 if quick else 20))
        return rows


def _time(number: int, hours: float = 0) -> str:
    """Return the start of the number-th of many different ranges, spread over the week."""
    return _at(number % 6 * 24 + number * 97 / 3600 + hours)


def _at(hours: float) -> str:
    """Return a time `hours` after the beginning of the week."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MIDNIGHT + hours * 3600))


def addresses(client: httpx.Client) -> dict[str, Callable[[int], str]]:
    """Return the n-th request to each endpoint: all are different, so that no cached answer helps."""
    page = client.get(
        f"{BASE}/events", params={"start": _time(0), "end": _at(24), "limit": 1000, "type": "delivered"}
    ).json()
    orders = [event["order_id"] for event in page["events"]]
    return {
        "locations": lambda n: "/api/v1/locations",
        "time-range, a day": lambda n: f"{BASE}/time-range?start={_time(n)}&end={_time(n, 24)}",
        "time-range, the week": lambda n: f"{BASE}/time-range?start={_at(n / 60)}&end={_at(168)}",
        "orders": lambda n: f"/api/v1/orders/{orders[n * 17 % len(orders)]}",
        "kitchen-status": lambda n: f"{BASE}/kitchen-status?at_time={_time(n, 13)}",
        "brands, a day": lambda n: f"{BASE}/brands?start={_time(n)}&end={_time(n, 24)}",
        "brands, the week": lambda n: f"{BASE}/brands?start={_at(n / 60)}&end={_at(168)}",
        "moments of a day": lambda n: f"{BASE}/moments?start={_time(n % 6)}&end={_time(n % 6, 24)}",
        "events": lambda n: f"{BASE}/events?start={_time(n)}&end={_time(n, 6)}&limit=500",
        "data-quality": lambda n: f"{BASE}/data-quality",
    }


def _endpoint(client: httpx.Client, name: str, address: Callable[[int], str], n: int) -> Iterator[Row]:
    for number in range(7):  # load the timelines and tables of all days, once per process
        client.get(address(number + 1)).raise_for_status()
    new = [_timed(client, address(number + 10)) for number in range(n)]
    repeated = [_timed(client, address(10)) for _ in range(n)]
    middle = statistics.median(new)
    yield Row(f"API {name}", f"median ≤ {NEW_MS} ms", spread(new, "ms", 1), middle <= NEW_MS)
    if name != "events":  # never cached
        yield Row(
            "… repeated",
            f"median ≤ {REPEATED_MS} ms",
            spread(repeated, "ms", 1),
            statistics.median(repeated) <= REPEATED_MS,
        )


def _timed(client: httpx.Client, address: str) -> float:
    began = time.perf_counter()
    client.get(address).raise_for_status()
    return 1e3 * (time.perf_counter() - began)


def _long_query(client: httpx.Client, server: str) -> Row:
    """Probe while another connection runs queries over 90 days, one after the other."""
    stop = threading.Event()

    def query() -> None:
        with httpx.Client(base_url=server, trust_env=False, timeout=120) as other:
            number = 0
            while not stop.is_set():
                number += 1
                window = f"start=2025-08-01T00:00:{number % 60:02d}Z&end=2025-10-30T00:00:00.{number:06d}Z"
                other.get(f"{BASE}/brands?{window}").raise_for_status()
                other.get(f"{BASE}/time-range?{window}").raise_for_status()

    return _probed(client, "/healthz while 90-day queries run", [threading.Thread(target=query)], stop, 5.0)


def _probed(
    client: httpx.Client, what: str, threads: list[threading.Thread], stop: threading.Event, seconds: float
) -> Row:
    for thread in threads:
        thread.start()
    time.sleep(PROBE_DELAY_S)
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        took.append(_timed(client, "/healthz"))
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    p95 = percentile(took, 0.95)
    return Row(what, f"≤ {PROBE_MS} ms", f"{spread(took, 'ms', 1)}; p95 {p95:.1f} ms", p95 <= PROBE_MS)


def _stream(server: str, speed: float, start: str) -> Generator[bytes]:
    query = urlencode({"start": start, "end": _at(168), "speed": speed})
    yield from _chunks(f"{server}{BASE}/replay?{query}")


def _chunks(address: str) -> Generator[bytes]:
    with httpx.Client(trust_env=False, timeout=60) as client, client.stream("GET", address) as answer:
        yield from answer.iter_raw()


def _unpaced(server: str, plain: float, seconds: float) -> Row:
    rate, events = _rate(_stream(server, 0, _at(0)), seconds)
    return Row(
        "one unpaced SSE client", "≥ 40,000 events/s", f"{rate:,.0f} events/s ({events:,} events)", rate >= 40_000, rate,
        f"ours in a second, to a Tornado handler's that tells pandas' rows one by one ({plain:,.0f})", rate / plain,
    )  # fmt: skip


def _plain_rate(seconds: float) -> float:
    """Return events per second of a plain stream over the same file."""
    command = ["benchmarks.plainstream", "--source", str(data.week())]
    with running(command, "/up", data.FOLDER / "plainstream.log") as server:
        return _rate(_chunks(f"{server.address}/"), seconds)[0]


def _rate(stream: Generator[bytes], seconds: float) -> tuple[float, int]:
    """Read a stream for so many seconds; return events per second and the number of events."""
    events = 0
    began = time.perf_counter()
    with closing(stream):
        for chunk in stream:
            events += chunk.count(b"event: order_event")
            if time.perf_counter() - began > seconds:
                break
    return events / (time.perf_counter() - began), events


def _pace(server: str, speed: float, seconds: float) -> Row:
    """Compare the stream's positions with the wall clock, from the second position on."""
    positions: list[tuple[float, float]] = []
    rest = b""
    with closing(_stream(server, speed, _time(1))) as stream:
        for chunk in stream:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if b'"current_time"' in line:
                    current = json.loads(line.removeprefix(b"data: "))["current_time"].removesuffix("Z")
                    whole, _, part = current.partition(".")
                    at = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{part or 0}")
                    positions.append((time.perf_counter(), at))
            if len(positions) > 2 and positions[-1][0] - positions[1][0] > seconds:
                break
    (first_wall, first_data), (last_wall, last_data) = positions[1], positions[-1]
    wall, data_time = last_wall - first_wall, last_data - first_data
    error = 100 * (data_time / wall / speed - 1)
    return Row(f"pace of a replay at {speed:g}x over {wall:.0f} s", "within 2 %", f"{error:+.2f} %", abs(error) <= 2)


def _many(client: httpx.Client, server: str, seconds: float) -> Row:
    began = time.monotonic()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as readers:  # not in the interpreter that probes
        events = readers.submit(read_many, server, seconds + PROBE_DELAY_S, STREAMS, 1000)
        row = _probed(client, f"/healthz beside {STREAMS} streams at 1000x", [], threading.Event(), seconds)
        rate = events.result() / (time.monotonic() - began)
    return Row(row.what, row.goal, f"{row.measured}; {rate:,.0f} events/s in all", row.met)


def read_many(server: str, seconds: float, streams: int, speed: float) -> int:
    """Read so many streams for so many seconds; return the number of events."""
    end = time.monotonic() + seconds

    def read(number: int) -> int:
        events = 0
        with closing(_stream(server, speed, _time(number))) as stream:
            for chunk in stream:
                events += chunk.count(b"event: order_event")
                if time.monotonic() > end:
                    break
        return events

    with ThreadPoolExecutor(streams) as threads:
        return sum(threads.map(read, range(streams)))
