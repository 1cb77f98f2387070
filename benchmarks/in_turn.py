"""Pages of one browser, each brought to the front in turn: what a frame costs, and how many come in a second.

Frames per second depend on who else uses the machine; pages that are looked at in turn have the same of it, so that their ratio
means something. What a frame costs is the CPU time of all processes of the browser: a map is drawn by several of them.
"""

import asyncio
import shutil
import statistics
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import panel as pn
from playwright.async_api import CDPSession, Page, async_playwright

from benchmarks.browser import CHROMIUM_NAMES

SPAN_MS, SETTLE_MS = 3000, 600
MOVERS = """() => [...globalThis.__twin?.motion?.values() ?? []].map((map) => map.positions().length + map.ghosts().length)"""
FRAMES = "() => [[...globalThis.__twin.motion.values()].map((map) => map.frames), performance.now()]"


@dataclass(frozen=True, slots=True)
class Frames:
    """What was seen of one page, a value a round. cpu_ms: of a frame, in all processes; per_second: frames of its slowest map.

    movers: drivers that are drawn at the end, all maps and ghosts together.
    """

    cpu_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    movers: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        cpu, seen = statistics.median(self.cpu_ms), statistics.median(self.per_second)
        return f"{cpu:.1f} ms of CPU a frame, {seen:.0f} frames a second, {self.movers[-1]} drivers"


def ratio(of: Frames, against: Frames) -> tuple[float, float]:
    """Return the frames of one page in multiples of another's: for the same CPU time, and in the same time as they were seen.

    Of both the median over the rounds, in each of which they stood beside each other.
    """
    cpu = statistics.median(b / a for a, b in zip(of.cpu_ms, against.cpu_ms, strict=True))
    seen = statistics.median(a / b for a, b in zip(of.per_second, against.per_second, strict=True))
    return cpu, seen


@contextmanager
def served(apps: Mapping[str, Any]) -> Iterator[str]:
    """Serve applications {name: function} until the end of the block; yields the address."""
    waiting = threading.Event()
    server = pn.serve(dict(apps), port=0, address="127.0.0.1", show=False, threaded=True, server_id="in turn")
    while "in turn" not in pn.state._servers:
        waiting.wait(0.1)
    yield f"http://127.0.0.1:{pn.state._servers['in turn'][0].port}"
    server.stop()


def in_turn(addresses: Sequence[str], movers: Sequence[int], rounds: int, size: tuple[int, int]) -> list[Frames]:
    """Open pages and return what is seen of each; a page counts as there when it has as many movers as are named for it.

    size: of the window, CSS pixels.
    """
    return asyncio.run(_in_turn(addresses, movers, rounds, size))


async def _in_turn(addresses: Sequence[str], movers: Sequence[int], rounds: int, size: tuple[int, int]) -> list[Frames]:
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        wire = await browser.new_browser_cdp_session()
        pages = []
        for address, least in zip(addresses, movers, strict=True):
            context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
            page = await context.new_page()
            await page.goto(address)
            await page.wait_for_function(
                f"(least) => ({MOVERS})().reduce((a, b) => a + b, 0) >= least", arg=0.8 * least, timeout=60_000
            )
            pages.append(page)
        found = [Frames() for _ in pages]
        for _ in range(rounds):
            for page, one in zip(pages, found, strict=True):
                await _look(page, wire, one)
        await browser.close()
        return found


async def _look(page: Page, wire: CDPSession, into: Frames) -> None:
    await page.bring_to_front()
    await page.wait_for_timeout(SETTLE_MS)
    (before, begun), used = await page.evaluate(FRAMES), await _cpu(wire)
    await page.wait_for_timeout(SPAN_MS)
    (after, ended), spent = await page.evaluate(FRAMES), await _cpu(wire) - used
    frames = max(1, min(b - a for a, b in zip(before, after, strict=True)))
    into.cpu_ms.append(1000 * spent / frames)
    into.per_second.append(1000 * frames / (ended - begun))
    into.movers.append(sum(await page.evaluate(MOVERS)))


async def _cpu(wire: CDPSession) -> float:
    """Return the CPU seconds that all processes of the browser have used so far."""
    return sum(one["cpuTime"] for one in (await wire.send("SystemInfo.getProcessInfo"))["processInfo"])
