"""What a ghost costs the map: half of the drivers alone, all of them of this day, and half of this and half of another day.

Frames per second depend on who else uses the machine, so the CPU time of the browser's main thread per frame is compared, taken
in turn from both pages.
"""

import asyncio
import shutil
import statistics
import threading
from typing import Any

import panel as pn
from playwright.async_api import Page, async_playwright

from benchmarks.table import Row
from tests.conftest import CHROMIUM_NAMES
from tests.fake_roads import DAY0, RoadTimeline
from twin.analysis.ghost import Alignment, Ghost
from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE
from twin.replay.controller import ReplayController
from twin.views.map.map import MapView

CROWDS = (60, 300, 2000)
ROUNDS, SPAN_MS = 8, 3000
LEAST = 0.9
"""Frames that a second page of CPU time has to make of the first's."""
NAMES = ("half", "all", "haunted")
MAP = "[...globalThis.__twin.motion.values()][0]"


def _app(drivers: int, ghosts: int) -> Any:
    def build() -> pn.Column:
        line: Any = RoadTimeline(drivers)
        controller = ReplayController(line)
        controller.seek(DAY0 + 3600)
        view = MapView(controller, online=False)
        view.layers_text = "routes,customers,trails,radius"
        if ghosts:
            other: Any = RoadTimeline(ghosts, (DAY0 - DAY, DAY0 - DAY + 7200.0), seed=8)
            day = int(DAY0 // DAY)
            controller.set_ghost(Ghost("week", Alignment(NAIVE, day, day - 1), other, label="Before"))
        controller.play()
        return pn.Column(view, width=900, height=560, margin=0)

    return build


async def _cpu_per_frame(page: Page, wire: Any) -> float:
    """Return CPU milliseconds of the page's main thread per frame that the map drew, over `SPAN_MS`."""

    async def look() -> tuple[float, float]:
        metrics = {one["name"]: one["value"] for one in (await wire.send("Performance.getMetrics"))["metrics"]}
        return metrics["TaskDuration"], await page.evaluate(f"() => {MAP}.frames")

    begin = await look()
    await page.wait_for_timeout(SPAN_MS)
    end = await look()
    return 1000 * (end[0] - begin[0]) / max(1, end[1] - begin[1])


async def _compare(address: str, drivers: int, chromium: str, rounds: int) -> tuple[list[list[float]], list[int]]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        both: list[tuple[Page, Any]] = []
        for name in NAMES:
            page = await (await browser.new_context(viewport={"width": 920, "height": 580})).new_page()
            await page.goto(f"{address}/{name}{drivers}")
            await page.wait_for_function(
                f"() => globalThis.__twin?.motion?.size && {MAP}.positions().length", timeout=60_000
            )
            wire = await page.context.new_cdp_session(page)
            await wire.send("Performance.enable", {"timeDomain": "threadTicks"})
            both.append((page, wire))
        await both[-1][0].wait_for_function(f"() => {MAP}.ghosts().length", timeout=60_000)
        costs: list[list[float]] = [[] for _ in NAMES]
        for _ in range(rounds):
            for (page, wire), found in zip(both, costs, strict=True):
                await page.bring_to_front()
                found.append(await _cpu_per_frame(page, wire))
        shown = [await page.evaluate(f"() => {MAP}.positions().length + {MAP}.ghosts().length") for page, _ in both]
        await browser.close()
        return costs, shown


def measure(quick: bool) -> list[Row]:
    """Return a row for each crowd: frames of the haunted map for the CPU time of one without."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    sizes = {"half": (2, 0), "all": (1, 0), "haunted": (2, 2)}
    apps = {
        f"{name}{n}": _app(n // sizes[name][0], n // sizes[name][1] if sizes[name][1] else 0)
        for n in CROWDS
        for name in NAMES
    }
    ready = threading.Event()
    server = pn.serve(apps, port=0, address="127.0.0.1", show=False, threaded=True, server_id="ghost")
    while "ghost" not in pn.state._servers:
        ready.wait(0.1)
    address = f"http://127.0.0.1:{pn.state._servers['ghost'][0].port}"
    rows = []
    for n in CROWDS:
        costs, shown = asyncio.run(_compare(address, n, chromium, 3 if quick else ROUNDS))
        half, everyone, haunted = (statistics.median(one) for one in costs)
        # a larger crowd is drawn in a plainer way: with half of it the page may cost more than with all
        ratio = max(half, everyone) / haunted
        text = (
            f"{ratio:.2f}: {haunted:.2f} ms of CPU a frame, {half:.2f} without the ghost, {everyone:.2f} all of this day; "
            f"{shown} drivers"
        )
        rows.append(Row(f"frames with a ghost, {n:,} drivers in all", f"≥ {LEAST}", text, ratio >= LEAST, ratio))
    server.stop()
    return rows
