"""`python -m scripts.screenshots`: take the pictures of README and guide from the running product, into docs/images."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium
from benchmarks.served import Served, serving
from twin.simulator import write_demo
from twin.twin import demo_folder

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
DESK, WALL, PHONE = (1440, 900), (1920, 1080), (390, 844)
BUSY = {
    "location": "sanfrancisco",
    "start": "2025-10-16T00:00:00",
    "end": "2025-10-17T00:00:00",
    "t": "2025-10-16T18:40:00",
}
"""The demo's driver shortage, in its thick."""
COLOURS = 256
"""A palette suffices for a page of flat colours, and the file is a third of the size."""
SETTLE_MS = 3500
PATIENCE_MS = 60_000


def main() -> int:
    """Take every picture; return the exit code."""
    folder = demo_folder()
    if not (folder.is_dir() and any(folder.iterdir())):
        write_demo(folder)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with serving(folder) as server, chromium() as browser:
        _take(browser, server, "operations-dark", DESK, dark=True)
        _take(browser, server, "operations-light", DESK)
        _take(browser, server, "wall-dark", WALL, dark=True)
        _take(browser, server, "phone-light", PHONE)
        _take(browser, server, "moments", DESK, dark=True, tab="moments")
        _take(browser, server, "trends", DESK, tab="trends")
        _take(browser, server, "order", DESK, dark=True, act=_open_order)
        _take(browser, server, "stage", DESK, act=lambda page: page.get_by_test_id("stage-ready-pick").click())
        page = _page(browser, DESK, dark=False)
        page.goto(server.page().rstrip("?"))
        page.get_by_test_id("city-sanfrancisco").wait_for(timeout=PATIENCE_MS)
        _save(page, "welcome")
    return 0


def _page(browser: Browser, size: tuple[int, int], dark: bool) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def _take(
    browser: Browser,
    server: Served,
    name: str,
    size: tuple[int, int],
    dark: bool = False,
    act: Callable[[Page], object] | None = None,
    **query: str,
) -> None:
    page = _page(browser, size, dark)
    page.goto(server.page(**BUSY, **query))
    page.get_by_test_id("alert").get_by_text("Drivers are short").first.wait_for()  # what stands out is told last
    dismiss = page.get_by_test_id("tour-dismiss")
    if dismiss.first.is_visible():
        dismiss.first.click()
    if act:
        act(page)
    _save(page, name)
    page.context.close()


def _open_order(page: Page) -> None:
    page.get_by_test_id("tab-orders").click()
    page.get_by_test_id("orders-row").nth(3).click()
    page.get_by_test_id("order-panel").wait_for()


def _save(page: Page, name: str) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(SETTLE_MS)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # the octree keeps rare colours (the stages'), which the median cut gives up
    small = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(IMAGES / f"{name}.png", optimize=True)
    print(f"docs/images/{name}.png {(IMAGES / f'{name}.png').stat().st_size / 1000:.0f} KB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
