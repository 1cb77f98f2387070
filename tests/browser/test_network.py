"""The page of all kitchens, as a regional manager uses it: from the first page to a kitchen in trouble, and back."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MS = 30_000
T = "2025-10-17T18:40:00"


def rows(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def opened(page: Page, address: str, query: str = f"t={T}") -> None:
    page.goto(f"{address}/network?{query}")
    expect(rows(page).first.get_by_test_id("cell-orders")).to_be_visible(timeout=MS)


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_from_the_first_page_to_a_kitchen_at_that_moment_and_back(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_test_id("welcome-all").click(timeout=MS)
    expect(rows(page)).to_have_count(4, timeout=MS)
    expect(page.get_by_test_id("network-found")).to_have_text("4 kitchens")
    page.keyboard.press("/")
    page.keyboard.type("houston fon")
    expect(rows(page)).to_have_count(1)
    row = rows(page).first
    orders = row.get_by_test_id("cell-orders").locator("b")
    expect(orders).to_be_visible(timeout=MS)
    said = orders.inner_text()
    clock = page.get_by_test_id("network-clock").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/operations?**", timeout=MS)
    expect(page.get_by_test_id("kitchen").locator("option:checked")).to_have_text("Houston Fondren", timeout=MS)
    assert query(page)["t"]
    expect(page.get_by_test_id("kpi-orders-hour-value")).to_have_text(said, timeout=MS)
    page.go_back()
    expect(rows(page)).to_have_count(1, timeout=MS)
    expect(page.get_by_test_id("network-clock")).to_have_text(clock)
    expect(page.get_by_test_id("network-filter")).to_have_value("houston fon")


def test_a_kitchens_selector_leads_here_at_its_moment(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=chicago&t={T}")
    choice = page.get_by_test_id("kitchen")
    expect(choice).to_be_visible(timeout=MS)
    choice.select_option(label="All kitchens on one clock …")
    page.wait_for_url("**/network?**", timeout=MS)
    expect(page.get_by_test_id("network-clock")).to_have_text("Fri 17 Oct 18:40:00", timeout=MS)


def test_keys_and_pointer_go_through_time(page: Page, address: str) -> None:
    opened(page, address)
    clock = page.get_by_test_id("network-clock")
    page.get_by_test_id("network-timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(clock).not_to_have_text("Fri 17 Oct 18:40:00")
    page.keyboard.press("ArrowLeft")
    expect(clock).to_have_text("Fri 17 Oct 18:40:00")
    page.keyboard.press("h")
    expect(page.get_by_test_id("network-hindsight")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    expect(page.get_by_test_id("network-speed")).to_have_value("10")
    page.keyboard.press(" ")
    expect(page.get_by_test_id("network-play")).to_have_attribute("aria-label", "Pause")
    expect(clock).not_to_have_text("Fri 17 Oct 18:40:00")
    page.keyboard.press(" ")
    expect(page.get_by_test_id("network-play")).to_have_attribute("aria-label", "Play")
    assert (query(page)["speed"], query(page)["hindsight"]) == ("10", "1")
    before = rows(page).first.get_by_test_id("cell-orders").inner_text()
    box = page.get_by_test_id("network-timeline").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + 8)
    expect(rows(page).first.get_by_test_id("cell-orders")).not_to_have_text(before, timeout=MS)
    page.reload()
    again = query(page)["t"]
    expect(rows(page).first.get_by_test_id("cell-orders")).to_be_visible(timeout=MS)
    assert query(page)["t"] == again
    strip = rows(page).first.locator("canvas")
    strip.click(position={"x": 2, "y": 5})
    assert "/network" in page.url, "a strip is a piece of the timeline"
    assert query(page)["t"] != again


def test_a_filter_that_nothing_matches_says_so_and_escape_takes_it_back(page: Page, address: str) -> None:
    page.goto(f"{address}/network?t={T}&q=atlantis")
    expect(page.get_by_text("No kitchen matches “atlantis”.")).to_be_visible(timeout=MS)
    page.get_by_test_id("network-filter").focus()
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(4)
    assert "q" not in query(page)


def test_nobody_is_kept_out_and_nothing_hangs_over(
    page: Page, address: str, barriers: Callable[[Page], list[str]]
) -> None:
    opened(page, address, f"t={T}&hindsight=1")
    expect(rows(page).nth(3).get_by_test_id("cell-orders")).to_be_visible(timeout=MS)
    for width, height in ((1280, 720), (1920, 1080), (900, 700), (390, 844)):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            assert barriers(page) == [], (width, theme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            boxes = [row.bounding_box() for row in rows(page).all()]
            for box in boxes:
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
