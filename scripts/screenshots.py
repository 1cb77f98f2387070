"""`python -m scripts.screenshots`: take the screenshots of README and guide from the running product, into docs/images."""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize

from benchmarks.browser import chromium
from benchmarks.served import serving
from scripts.showing import PATIENCE_MS, demo, opened

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
DESK, WALL, PHONE = (1440, 900), (1920, 1080), (390, 844)
BUSY = {
    "location": "sanfrancisco",
    "start": "2025-10-16T00:00:00",
    "end": "2025-10-17T00:00:00",
    "t": "2025-10-16T18:40:00",
}
"""The middle of the demo's driver shortage."""
LARGE_WALL = (3840, 2160)
SHORTAGE = "locations=sanfrancisco&range=2025-10-16T18:00/2025-10-16T19:00&seconds=3600&speed=1"
"""The same on a wall screen, at a speed at which it does not change while a screenshot is taken."""
REPORT_WIDTH = 1440
COLOURS = 256
SETTLE_MS = 3500


def main() -> int:
    """Take all screenshots; return the exit code."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving(demo()) as server, chromium() as browser:

        def busy(size: tuple[int, int] = DESK, dark: bool = False, **query: str) -> Page:
            return opened(browser, server, size, dark, **BUSY, **query)

        _take("operations-dark", busy(dark=True))
        _take("operations-light", busy())
        _take("wall-dark", busy(WALL, dark=True))
        _take("phone-light", busy(PHONE))
        _take("moments", busy(dark=True, tab="moments"))
        _take("trends", busy(tab="trends"))
        page = busy(dark=True, tab="orders")
        page.get_by_test_id("orders-row").nth(3).click()
        page.get_by_test_id("order-gantt").wait_for()
        _take("order", page)
        page = busy()
        page.get_by_test_id("stage-ready-pick").click()
        page.get_by_test_id("stage-order").first.wait_for()
        _take("stage", page)
        page = busy()
        with page.expect_download() as download:
            page.get_by_test_id("report").click()
        _write("report", download.value.path().read_bytes(), REPORT_WIDTH)
        page.context.close()
        page = opened(browser, server, DESK)
        page.get_by_test_id("city-sanfrancisco").wait_for()
        _take("welcome", page)
        for name, size in (("kiosk-1080", WALL), ("kiosk-2160", LARGE_WALL)):
            page = browser.new_context(viewport=ViewportSize(width=size[0], height=size[1])).new_page()
            page.goto(f"{server.address}/kiosk?{SHORTAGE}")
            page.wait_for_function("() => globalThis.__kiosk?.front?.beat?.ready", timeout=PATIENCE_MS)
            _take(name, page)
    return 0


def _take(name: str, page: Page) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(SETTLE_MS)
    _write(name, page.screenshot())
    page.context.close()


def _write(name: str, png: bytes, width: int = 0) -> None:
    """Write a PNG with an optimal palette: a third of the size, and the page's flat colours stay exact."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    small = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    file = IMAGES / f"{name}.png"
    small.save(file, optimize=True)
    print(f"docs/images/{file.name} {file.stat().st_size / 1000:.0f} KB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
