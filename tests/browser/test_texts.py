"""Every text is whole, large enough and free of others, in every usual window, magnified, and in every panel."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.operations import DRAWN, by_id, choose, settled, until
from tests.browser.texts import texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AT = "2025-10-17T18:40:00"
"""In a rush of orders: the alert, the marks and every figure are there."""
SCREENS = [(1280, 720), (1366, 768), (1440, 900), (1920, 1080), (820, 1180), (390, 844)]
ZOOMS = [1.25, 2.0]
NARROWEST = 300
"""No phone's browser makes its 390 pixels 195: two fingers magnify there, and nothing is laid out anew."""
NARROW = 760
"""Up to here the page is one column that scrolls, and a phone's texts may be smaller than 12 px."""
MAGNIFIED = [
    (round(width / zoom), round(height / zoom))
    for zoom in ZOOMS
    for width, height in SCREENS
    if width / zoom > NARROWEST
]

SCROLL = """(y) => {
  let node = document.body;
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? walk(one.shadowRoot) : [])]);
  const page = walk(document).find((one) => one.shadowRoot?.querySelector(".order-panel, [class*=order-panel]"));
  page.scrollTop = y;
  return [page.scrollTop, page.scrollHeight, page.clientHeight];
}"""
"""Scroll the page's one column; where it stands then, how high it is, how much of it is seen."""


@pytest.fixture(scope="module")
def replay(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    choose(page, address, "sanfrancisco", t=AT)
    page.wait_for_function(DRAWN)
    expect(page.locator(".scrubber .mark").first).to_be_visible()
    yield page
    context.close()


def faults(page: Page, width: int, height: int) -> set[str]:
    """What is wrong with the texts in a window of that size, wherever the page is scrolled to."""
    page.set_viewport_size({"width": width, "height": height})
    settled(page, lambda: texts(page)["count"])
    found: set[str] = set()
    y = 0
    while True:
        at, whole, seen = page.evaluate(SCROLL, y)
        here = settled(page, lambda: texts(page), still_s=0.1)
        assert here["count"] > 10, "there are texts at all"
        found |= {*here["problems"]} | ({*here["small"]} if width > NARROW else set())
        y = at + seen // 2
        if at + seen >= whole - 1:
            page.evaluate(SCROLL, 0)
            return found


def test_the_font_is_there(replay: Page) -> None:
    loaded = "() => [...document.fonts].filter((one) => one.status === 'loaded').map((one) => one.family.replaceAll('\\\"', ''))"
    replay.wait_for_function(f"() => ({loaded})().includes('Inter')")
    widths = replay.evaluate("""() => {
      const spot = document.body.appendChild(document.createElement("span"));
      spot.style.cssText = "position:absolute;font:40px var(--tw-font);font-variant-numeric:tabular-nums";
      const widths = [..."0123456789"].map((digit) => { spot.textContent = digit; return spot.getBoundingClientRect().width; });
      spot.remove();
      return widths;
    }""")
    assert max(widths) - min(widths) < 0.01, "figures of one width"


@pytest.mark.parametrize(("width", "height"), [*SCREENS, *MAGNIFIED])
def test_no_text_is_cut_or_covered(replay: Page, width: int, height: int) -> None:
    assert faults(replay, width, height) == set()


@pytest.mark.parametrize("panel", ["moments", "orders", "trends", "order"])
def test_no_text_of_a_panel_is_cut_or_covered(replay: Page, panel: str) -> None:
    replay.set_viewport_size({"width": 1440, "height": 900})
    if panel == "order":
        by_id(replay, "tab-events").click()
        by_id(replay, "feed-row").click()
        expect(by_id(replay, "order-panel")).to_be_visible()
    else:
        by_id(replay, f"tab-{panel}").click()
    try:
        assert {f"{width}: {fault}" for width, height in SCREENS for fault in faults(replay, width, height)} == set()
    finally:
        replay.set_viewport_size({"width": 1440, "height": 900})
        until(replay, lambda: nothing_is_open(replay), "the tabs, after Escape")
        by_id(replay, "tab-events").click()


def nothing_is_open(page: Page) -> bool:
    """Whether the tabs are seen; else close what opened last."""
    if by_id(page, "tab-events").is_visible():
        return True
    page.keyboard.press("Escape")
    return False


ROWS = """() => {
  const list = document.querySelector("body");
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? walk(one.shadowRoot) : [])]);
  const all = walk(list);
  const box = all.find((one) => one.matches("[data-testid=feed] .rows")).getBoundingClientRect();
  return all.filter((one) => one.matches("[data-testid=feed-row]")).map((one) => one.getBoundingClientRect())
    .filter(({ top, bottom }) => top >= box.top - 1 && bottom <= Math.min(box.bottom, innerHeight) + 1).length;
}"""
"""The rows of the feed that are seen whole."""


@pytest.mark.parametrize(("width", "height", "least"), [(1440, 900, 6), (1366, 768, 4), (1280, 720, 4)])
def test_the_feed_has_room_for_its_rows(replay: Page, width: int, height: int, least: int) -> None:
    replay.set_viewport_size({"width": width, "height": height})
    assert settled(replay, lambda: replay.evaluate(ROWS)) >= least


def test_on_a_wide_screen_the_map_is_as_high_as_it_can_be_and_no_strip(replay: Page) -> None:
    replay.set_viewport_size({"width": 1920, "height": 1080})
    by_id(replay, "trends").wait_for()
    box = settled(replay, lambda: by_id(replay, "map").bounding_box())
    assert box is not None
    assert box["height"] >= 640
    assert 1 < box["width"] / box["height"] < 1.6
