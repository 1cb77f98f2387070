"""Shared by the scripts that record the product: the demo data, and a page that is ready."""

from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.served import Served
from twin.foundation.settings import Settings
from twin.simulator import write_demo

PATIENCE_MS = 60_000


def demo() -> Path:
    """Return the folder of the demo data, which is made on first use."""
    folder = Settings.from_environment().demo.resolve()
    if not (folder.is_dir() and any(folder.iterdir())):
        write_demo(folder)
    return folder


def opened(browser: Browser, server: Served, size: tuple[int, int], dark: bool = False, **query: str) -> Page:
    """Return the page of a new visitor in a theme; with a query it shows that location, and the tour is dismissed."""
    context = browser.new_context(
        viewport=ViewportSize(width=size[0], height=size[1]), color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(server.page(**query).rstrip("?"))
    if query:
        page.get_by_test_id("moment").first.wait_for(state="attached")  # moments are shown last
        dismiss = page.get_by_test_id("tour-dismiss").first
        if dismiss.is_visible():  # a phone has no tour
            dismiss.click()
    else:
        page.get_by_test_id("welcome").first.wait_for()
    theme = "dark" if dark else "light"
    if page.evaluate("() => document.documentElement.dataset.theme") != theme:
        page.keyboard.press("t")
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    return page
