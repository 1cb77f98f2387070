"""Nobody is kept out: axe-core finds nothing serious or critical on the operations page, light or dark, in any state."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

NUMBER = re.compile(r"^[\d,]+$")
FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  if (!node || node === document.body) return null;
  const box = node.getBoundingClientRect(), area = node.closest("[data-testid]") ?? node;
  const styles = [node, node.parentElement].filter(Boolean).map((one) => getComputedStyle(one));
  const ring = styles.some((one) => one.outlineStyle !== "none" || one.boxShadow !== "none");
  const name = node.dataset.testid || area.dataset.testid || node.tagName;
  return { y: box.y, width: box.width, height: box.height, name, ring };
}"""
"""What has the focus, through all shadow roots: where it is and whether it shows."""


FADED = "() => !document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"
"""Colours fade from one theme to the other; true when they have."""


def open_replay(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=sanfrancisco")
    expect(page.get_by_test_id("stage-created-count").first).to_have_text(NUMBER)
    expect(page.get_by_test_id("skeleton")).to_be_hidden()
    expect(page.get_by_test_id("feed-row").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_welcome_is_open_to_all(
    page: Page, address: str, barriers: Callable[[Page], list[str]], theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(address)
    expect(page.locator(".city:not(.skeleton)").first).to_be_visible()
    assert barriers(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_replay_is_open_to_all_also_with_an_order_selected_and_with_help(
    page: Page, address: str, barriers: Callable[[Page], list[str]], theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    open_replay(page, address)
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    page.wait_for_function(FADED)
    assert barriers(page) == []
    page.get_by_test_id("feed-row").first.click()
    page.wait_for_function("() => [...globalThis.__twin.selections.values()].some((one) => one.row >= 0)")
    assert barriers(page) == []
    page.keyboard.press("?")
    expect(page.get_by_test_id("help-dialog")).to_be_visible()
    assert barriers(page) == []


def test_the_tab_key_leads_through_the_page_from_top_to_bottom_and_one_sees_where_it_is(
    page: Page, address: str
) -> None:
    open_replay(page, address)
    stops = []
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    landmarks = [
        name for stop in stops for name in ("link", "stage-created", "scrubber") if stop["name"].startswith(name)
    ]
    assert landmarks == ["link", "stage-created", "scrubber"]
    assert [stop["name"] for stop in stops if not stop["ring"]] == []
    assert [stop["name"] for stop in stops if stop["width"] == 0 or stop["y"] + stop["height"] < 0] == []


def test_twice_as_large_everything_is_still_there(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 720, "height": 450})  # 1440 x 900 at 200 %
    open_replay(page, address)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 720
    for part in ("stage-completed", "map", "kpi-active", "scrubber", "feed"):
        shown = page.get_by_test_id(part).first
        shown.scroll_into_view_if_needed()
        box = shown.bounding_box()
        assert box is not None
        assert -1 <= box["x"] <= 721 - box["width"], part


def test_nothing_moves_for_people_who_asked_for_stillness(page: Page, address: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_replay(page, address)
    page.keyboard.press("?")
    moving = page.evaluate(
        "() => document.getAnimations().filter((one) => one.playState === 'running')"
        ".map((one) => one.effect?.target?.className ?? '?')"
    )
    assert moving == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_sides_are_open_to_all_on_a_desk_and_on_a_phone(
    page: Page, address: str, barriers: Callable[[Page], list[str]], theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago")
    expect(page.get_by_test_id("differences-table")).to_be_visible(timeout=30_000)
    for i in (0, 1):
        expect(page.get_by_test_id("stage-created-count").nth(i)).to_have_text(NUMBER, timeout=30_000)
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    page.wait_for_function(FADED)
    assert barriers(page) == []
    page.get_by_test_id("tab-why").click()
    expect(page.get_by_test_id("why-steps").first).to_be_visible()
    assert barriers(page) == []
    page.get_by_test_id("tab-map").click()
    page.set_viewport_size({"width": 390, "height": 844})
    for tab in ("tab-b", "tab-differences", "tab-a"):
        page.get_by_test_id(tab).click()
        expect(page.get_by_test_id(tab)).to_have_attribute("aria-selected", "true")
        page.wait_for_function(FADED)
        assert barriers(page) == [], tab


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_replay_with_a_ghost_is_open_to_all_and_so_is_what_it_can_be_put_beside(
    page: Page, address: str, barriers: Callable[[Page], list[str]], theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(f"{address}/operations?location=sanfrancisco&ghost=best&t=2025-10-17T18:40")
    expect(page.get_by_test_id("ghost-label").first).to_have_text(re.compile("^Ghost: Best day"), timeout=30_000)
    expect(page.get_by_test_id("stage-cooking-lead")).to_have_text(re.compile("ahead|behind|level"), timeout=30_000)
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    page.wait_for_function(FADED)
    assert barriers(page) == []
    page.get_by_test_id("compare").click()
    expect(page.get_by_test_id("beside")).to_be_visible()
    assert barriers(page) == []
