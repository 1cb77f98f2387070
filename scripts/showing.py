"""What the scripts that show the product share: the demo data, and a page that is ready to be looked at."""

from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.served import Served
from twin.foundation.settings import Settings
from twin.simulator import write_demo

PATIENCE_MS = 60_000


def demo() -> Path:
    """Return the folder of the demo data, made on first use."""
    folder = Settings.from_environment().demo.resolve()
    if not (folder.is_dir() and any(folder.iterdir())):
        write_demo(folder)
    return folder


def opened(browser: Browser, server: Served, size: tuple[int, int], dark: bool = False, **query: str) -> Page:
    """Return a fresh visitor's page in that theme; with a query it is at that place, with the tour declined."""
    context = browser.new_context(
        viewport=ViewportSize(width=size[0], height=size[1]), color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(server.page(**query).rstrip("?"))
    if query:
        page.get_by_test_id("moment").first.wait_for(state="attached")  # what stands out is told last
        dismiss = page.get_by_test_id("tour-dismiss").first
        if dismiss.is_visible():  # a phone does not offer it
            dismiss.click()
    else:
        page.get_by_test_id("welcome").first.wait_for()
    theme = "dark" if dark else "light"
    if page.evaluate("() => document.documentElement.dataset.theme") != theme:
        page.keyboard.press("t")
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    return page
