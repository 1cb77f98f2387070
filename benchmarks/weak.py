"""Frames per second where drawing is dear: a browser slowed six times, as on an old tablet, and a wall screen of 3840×2160."""

from collections.abc import Iterator

from playwright.sync_api import Browser, ViewportSize

from benchmarks import data
from benchmarks.browser import SIZE, chromium, new_page, open_page
from benchmarks.playing import ALL_ALONE, FRAMES, FRAMES_S, SETTLE_S
from benchmarks.served import Served, serving
from benchmarks.table import Row

SLOWED, DRIVERS, LEAST = 6, 50, 24
WALL: ViewportSize = {"width": 3840, "height": 2160}
WALL_DRIVERS, WALL_LEAST = 300, 50


def measure(quick: bool) -> Iterator[Row]:
    """Yield a row for the slowed browser and one for the wall screen."""
    with serving(data.crowd(DRIVERS)) as server, chromium() as browser:
        yield _row(
            f"browser slowed {SLOWED} times, {DRIVERS} drivers with trails at 60x",
            LEAST,
            _frames(browser, server, SIZE, SLOWED),
        )
    with serving(data.crowd(WALL_DRIVERS)) as server, chromium() as browser:
        size = f"{WALL['width']}×{WALL['height']}"
        yield _row(
            f"{size} without a graphics card, {WALL_DRIVERS} drivers at 60x",
            WALL_LEAST,
            _frames(browser, server, WALL, 1),
        )


def _row(what: str, least: int, frames: dict[str, float]) -> Row:
    shown = f"{frames['moved']:.0f}, p95 gap {frames['gap']:.0f} ms; {frames['drivers']:,.0f} drivers"
    return Row(f"frames per second, {what}", f"≥ {least}", shown, frames["moved"] >= least, frames["moved"])


def _frames(browser: Browser, server: Served, size: ViewportSize, slowed: int) -> dict[str, float]:
    page = new_page(browser)
    page.set_viewport_size(size)
    open_page(page, server.page(location=data.LOCATION, t="2025-10-16T18:40:00", speed="60", layers=ALL_ALONE))
    page.wait_for_timeout(SETTLE_S * 1000)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.evaluate("() => globalThis.__bench.find('play').click()")
    page.wait_for_timeout(SETTLE_S * 1000)
    frames: dict[str, float] = page.evaluate(FRAMES, FRAMES_S * 1000)
    page.context.close()
    return frames
