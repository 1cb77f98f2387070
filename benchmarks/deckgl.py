"""Frames per second of the operations page and of deck.gl's TripsLayer with the same trips, Chromium and size.

The trips are those of deck.gl's example (taxis of New York, once, five and twenty times) if the folder TWIN_TEST_DATA contains
it, otherwise the benchmark's crowds. deck.gl is installed from npm. It draws only trails, our page everything.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, TimeoutError, ViewportSize

import twin
from benchmarks import data
from benchmarks.browser import chromium, new_page, open_page
from benchmarks.playing import ALL_ALONE, FRAMES
from benchmarks.served import serving
from benchmarks.table import Row
from twin.foundation import geo

VERSION = "9.4.0"
MOVERS = {600: 1, 3000: 5, 12_000: 20}
"""Drivers at once -> number of copies of the example's taxis."""
TIMES, SPEED, SECONDS, SETTLE_S = 10.0, 60, 6.0, 3.0
EXAMPLE = "nyc_trips_deckgl.json"
DAY = datetime(2025, 10, 16, 18, tzinfo=UTC)
FROM_S, TO_S = 1200.0, 1800.0
"""Seconds of the example in which most of its taxis are on the road."""
APART_DEGREES = 0.004
PATIENCE_MS = 90_000
VIEW = "-73.97,40.74,12"
HERE = Path(__file__).parent


def measure(quick: bool) -> Iterator[Row]:
    """Yield one row for each number of drivers."""
    library = _library()
    for movers, copies in list(MOVERS.items())[: 1 if quick else None]:
        yield _compare(movers, copies, library)


def _compare(movers: int, copies: int, library: Path) -> Row:
    folder = _taxis(copies) or data.crowd(movers)
    start = DAY.timestamp() + FROM_S
    with chromium(("--enable-unsafe-swiftshader",)) as browser:
        ours, drivers, size = _ours(browser, folder, start)
        theirs = _theirs(browser, folder, start, size, library)
    ratio = ours / max(theirs, 1 / SECONDS)  # without a frame in all that time: fewer than one
    return Row(
        f"frames per second beside deck.gl, {movers:,} drivers with trails at {SPEED}x", f"≥ {TIMES:g} times deck.gl's",
        f"{ours:.1f} of the whole page with {drivers:,.0f} drivers; deck.gl's TripsLayer alone {theirs:.1f} "
        f"({size['width']}×{size['height']})", ratio >= TIMES, ours, "deck.gl", ratio,
    )  # fmt: skip


def _ours(browser: Browser, folder: Path, start: float) -> tuple[float, float, ViewportSize]:
    place = twin.open(folder).locations[0].id
    with serving(folder) as server:
        page = new_page(browser)
        view = {"view": VIEW} if folder.name.startswith("taxis") else {}
        open_page(page, server.page(location=place, t=_iso(start), speed=str(SPEED), layers=ALL_ALONE, **view))
        page.evaluate("() => globalThis.__bench.find('play').click()")
        page.wait_for_timeout(SETTLE_S * 1000)
        frames = page.evaluate(FRAMES, SECONDS * 1000)
        box = page.get_by_test_id("map").bounding_box()
        page.context.close()
    assert box is not None
    return frames["moved"], frames["drivers"], {"width": round(box["width"]), "height": round(box["height"])}


def _theirs(browser: Browser, folder: Path, start: float, size: ViewportSize, library: Path) -> float:
    """Return the frames per second of deck.gl with a folder's trips."""
    opened = twin.open(folder)
    site = data.FOLDER / "deckgl" / "site"
    site.mkdir(exist_ok=True)
    shutil.copy(library, site)
    shutil.copy(HERE / "deckgl.html", site)
    site.joinpath("trips.json").write_text(json.dumps(_trips(opened, start)))
    kitchen = opened.locations[0]
    view = VIEW if folder.name.startswith("taxis") else f"{kitchen.lon},{kitchen.lat},12"
    with _files(site) as address:
        page = browser.new_context(viewport=size).new_page()
        page.goto(f"{address}/deckgl.html?view={view}&from=0&to={TO_S - FROM_S:g}&speed={SPEED}")
        try:
            page.wait_for_function("() => globalThis.__deck?.drawn > 1", timeout=PATIENCE_MS)
        except TimeoutError:  # it draws by the processor alone: on a busy machine not one frame in a minute
            page.context.close()
            return 0.0
        page.wait_for_timeout(SETTLE_S * 1000)
        drawn = page.evaluate(
            """(span) => new Promise((done) => {
              const before = globalThis.__deck.drawn, began = performance.now();
              const look = (now) => now - began < span ? requestAnimationFrame(look)
                : done((globalThis.__deck.drawn - before) / ((now - began) / 1000));
              requestAnimationFrame(look);
            })""",
            SECONDS * 1000,
        )
        page.context.close()
    return drawn


def _trips(opened: twin.Twin, start: float) -> list[dict[str, object]]:
    """Return the trips of the timeline that our page shows in deck.gl's format; timestamps are seconds from `start`."""
    place = opened.locations[0]
    timeline = opened.timeline(place.id)
    assert place.lat is not None
    assert place.lon is not None
    x0, y0 = geo.project(place.lat, place.lon)
    motion = timeline.motion(start, start + TO_S - FROM_S)
    lat, lon = geo.unproject(motion.x + x0, motion.y + y0)
    points = np.column_stack([lon, lat]).round(5)
    made: list[dict[str, object]] = []
    for begin, first, last in zip(motion.start, motion.offsets[:-1], motion.offsets[1:], strict=True):
        seconds = (motion.t[first:last] + (begin - start)).round(2).tolist()
        made.append({"path": points[first:last].tolist(), "timestamps": seconds})
    return made


def _taxis(copies: int) -> Path | None:
    """Return a folder with order events of the example's trips; None without the example."""
    example = Path(os.environ.get("TWIN_TEST_DATA", "")) / EXAMPLE
    if not example.is_file():
        return None
    return data.made(f"taxis-{copies}", lambda folder: _write(json.loads(example.read_text()), copies, folder))


def _write(trips: list[dict[str, list]], copies: int, folder: Path) -> None:
    rows = []
    for copy in range(copies):
        east, north = APART_DEGREES * (copy % 5), APART_DEGREES * (copy // 5)
        for number, trip in enumerate(trips):
            order = f"taxi-{copy}-{number}"
            path = [[round(lat + north, 6), round(lon + east, 6)] for lon, lat in trip["path"]]
            first, last = trip["timestamps"][0], trip["timestamps"][-1]
            rows += [
                (order, "order_created", first - 600, 1, "{}"),
                (order, "driver_picked_up", first, 2, json.dumps({"route_points": path})),
                *(
                    (order, "driver_ping", t, 3, json.dumps({"loc_lat": lat, "loc_lon": lon}))
                    for t, (lat, lon) in list(zip(trip["timestamps"], path, strict=True))[1:-1]
                ),
                (order, "delivered", last, 4, "{}"),
            ]
    table = pd.DataFrame(rows, columns=["order_id", "event_type", "ts", "sequence", "body"])
    table["ts"] = (pd.Timestamp(DAY).tz_localize(None) + pd.to_timedelta(table["ts"], unit="s")).dt.strftime(
        "%Y-%m-%d %H:%M:%S.%f"
    )
    table["location"] = "newyork"
    table.to_parquet(folder / "events_newyork.parquet")


def _library() -> Path:
    """Return deck.gl's script, installed from npm on first use."""
    script = data.FOLDER / "deckgl" / "node_modules" / "deck.gl" / "dist.min.js"
    if not script.exists():
        script.parents[2].mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", f"deck.gl@{VERSION}"],
            cwd=script.parents[2], check=True, capture_output=True,
        )  # fmt: skip
    return script


@contextmanager
def _files(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on loopback."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _iso(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S")
