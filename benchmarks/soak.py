"""`make soak` and `make kiosk-soak`: an hour of data played at 1000x in a loop for ten minutes;
browser heap and server memory must stay flat.

Flat means that the median of the last third of the readings is at most `GROWTH` above that of the second third; the first
third is warm-up (caches fill, code is compiled). The exit code is 1 if it is not flat or the console showed an error.
"""

import argparse
import statistics
import sys

from playwright.sync_api import CDPSession, Page

from benchmarks.browser import READY_MS, chromium, new_page, open_page
from benchmarks.served import Served, serving
from twin.foundation.settings import Settings
from twin.simulator import write_demo

MINUTES = 10.0
READ_EVERY_S = 15.0
GROWTH = 0.05
"""Above the scatter of single readings, far below what a leak in every loop (3.6 s) adds in ten minutes."""
HOUR = ("2025-10-16T18:00:00", "2025-10-16T19:00:00")
"""The busiest hour of the demo's busiest kitchen, with a driver shortage."""

KIOSK_SCENE_S = 20
"""Seconds of a scene of the tour: three changes of location per minute."""
KIOSK_PLAYS = (
    "() => { const { front, why } = globalThis.__kiosk; return why === '' && !front.beat.lost && !front.beat.stuck; }"
)
"""Whether the frame responds, its server answers, and its map is painted while the clock runs."""


def main() -> int:
    """Play, read, judge; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long to play (default {MINUTES:g})")
    parser.add_argument(
        "--kiosk", action="store_true", help="the wall screen on its tour at 1000x, instead of the operations page"
    )
    options = parser.parse_args()
    minutes = options.minutes
    folder = Settings.from_environment().demo.resolve()
    if not (folder.is_dir() and any(folder.iterdir())):
        write_demo(folder)
    problems: list[str] = []
    heap: list[float] = []
    memory: list[float] = []
    with serving(folder) as server, chromium() as browser:
        page = new_page(browser)
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        if options.kiosk:
            page.goto(f"{server.address}/kiosk?speed=1000&seconds={KIOSK_SCENE_S}")
            page.wait_for_function("() => globalThis.__kiosk?.front?.beat?.ready", timeout=READY_MS)
        else:
            open_page(page, server.page(location="sanfrancisco", start=HOUR[0], end=HOUR[1], t=HOUR[0], speed="1000"))
            page.evaluate("() => { for (const id of ['loop', 'play']) globalThis.__bench.find(id).click(); }")
        eyes = page.context.new_cdp_session(page)
        eyes.send("Performance.enable")
        for reading in range(max(6, round(minutes * 60 / READ_EVERY_S))):
            page.wait_for_timeout(READ_EVERY_S * 1000)
            _read(page, eyes, server, heap, memory)
            print(
                f"{(reading + 1) * READ_EVERY_S:5.0f} s  heap {heap[-1]:6.1f} MB  server {memory[-1]:7.1f} MB",
                flush=True,
            )
        playing = KIOSK_PLAYS if options.kiosk else "() => globalThis.__bench.clock.moving"
        moving = page.evaluate(playing)
    flat = _judge("browser heap", heap) & _judge("server memory", memory)
    print(f"console errors: {len(problems)}; still playing: {'yes' if moving else 'no'}")
    for problem in problems[:10]:
        print(f"  {problem[:300]}")
    return 0 if flat and not problems and moving else 1


def _read(page: Page, eyes: CDPSession, server: Served, heap: list[float], memory: list[float]) -> None:
    eyes.send("HeapProfiler.collectGarbage")  # so that only live objects are counted
    metrics = {metric["name"]: metric["value"] for metric in eyes.send("Performance.getMetrics")["metrics"]}
    heap.append(metrics["JSHeapUsedSize"] / 1e6)
    memory.append(server.resident() / 1e6)


def _judge(what: str, readings: list[float]) -> bool:
    third = len(readings) // 3
    before, after = (statistics.median(part) for part in (readings[third : 2 * third], readings[2 * third :]))
    growth = after / before - 1
    slope, _ = statistics.linear_regression(range(len(readings[third:])), readings[third:])
    an_hour = slope * 3600 / READ_EVERY_S
    print(
        f"{what}: {before:.1f} MB in the second third, {after:.1f} MB in the last: {growth:+.1%}; "
        f"slope of both {an_hour:+.1f} MB an hour"
    )
    return growth <= GROWTH


if __name__ == "__main__":
    sys.exit(main())
