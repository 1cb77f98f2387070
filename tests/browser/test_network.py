"""The page of all kitchens, as a regional manager uses it: from the first page to a kitchen in trouble, and back."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import free_port, running
from tests.browser.test_live import DAY, TOKEN, Feed
from twin.simulator.feed import simulated_lines

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
    expect(page.get_by_test_id("network-clock")).to_have_text("Fri 17 Oct 18:40", timeout=MS)


def test_keys_and_pointer_go_through_time(page: Page, address: str) -> None:
    opened(page, address)
    clock = page.get_by_test_id("network-clock")
    page.get_by_test_id("network-timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(clock).not_to_have_text("Fri 17 Oct 18:40")
    page.keyboard.press("ArrowLeft")
    expect(clock).to_have_text("Fri 17 Oct 18:40")
    page.keyboard.press("h")
    expect(page.get_by_test_id("network-hindsight")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("2")
    expect(page.get_by_test_id("network-speed")).to_have_value("10")
    page.keyboard.press(" ")
    expect(page.get_by_test_id("network-play")).to_have_attribute("aria-label", "Pause")
    expect(clock).not_to_have_text("Fri 17 Oct 18:40")
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


def test_a_moment_opens_its_kitchen_then_and_back_returns(page: Page, address: str) -> None:
    opened(page, address, f"t={T}&hindsight=1")
    moments = page.get_by_test_id("network-moment")
    expect(moments.first).to_be_visible(timeout=MS)
    clock = page.get_by_test_id("network-clock").inner_text()
    visited = moments.last.locator("b").inner_text(), moments.last.locator(".mute").inner_text()
    page.get_by_test_id("network-moment-here").last.click()
    expect(page.get_by_test_id("network-clock")).not_to_have_text(clock)
    # what goes on then stands first, as soon as the server has told it
    on = page.locator("li.is-now").filter(has_text=visited[0]).filter(has_text=visited[1])
    expect(on).to_be_visible(timeout=MS)
    assert "/network" in page.url
    again = page.get_by_test_id("network-clock").inner_text()
    link = moments.first
    title, name = link.locator("b").inner_text(), link.locator(".mute").inner_text()
    link.click()
    page.wait_for_url("**/operations?**", timeout=MS)
    at = query(page)["t"]
    expect(page.get_by_test_id("kitchen").locator("option:checked")).to_contain_text(name, timeout=MS)
    expect(page.get_by_test_id("moments-list")).to_contain_text(title, timeout=MS)
    assert query(page)["t"] == at
    page.go_back()
    expect(page.get_by_test_id("network-clock")).to_have_text(again, timeout=MS)


def test_a_brand_narrows_the_kitchens_and_is_in_the_address(page: Page, address: str) -> None:
    opened(page, address)
    brands = page.get_by_test_id("network-brand")
    expect(brands).to_be_visible(timeout=MS)
    first = rows(page).first.get_by_test_id("cell-orders").locator("b")
    name = brands.locator("option").nth(1).inner_text()
    before = {
        row.get_attribute("data-testid"): row.get_by_test_id("cell-orders").inner_text() for row in rows(page).all()
    }
    brands.select_option(name)
    note = page.get_by_test_id("network-brand-note")
    expect(note).to_contain_text(f"Kitchens that cook for {name}", timeout=MS)
    expect(first).to_be_visible(timeout=MS)
    assert query(page)["brand"] == name
    expect(rows(page).first.get_by_test_id("cell-state")).to_contain_text("Whole kitchen: ")
    after = {
        row.get_attribute("data-testid"): row.get_by_test_id("cell-orders").inner_text() for row in rows(page).all()
    }
    assert set(after) <= set(before)
    assert all(int(after[one].split()[0]) < int(before[one].split()[0]) for one in after)
    page.reload()  # all of it is there at once, before the page is drawn
    expect(note).to_contain_text(name, timeout=MS)
    expect(page.locator(".streets path")).to_have_count(4, timeout=MS)
    expect(brands).to_have_value(name)
    brands.select_option("")
    expect(note).to_be_hidden()
    expect(rows(page)).to_have_count(4)
    assert "brand" not in query(page)


def test_a_brand_that_nobody_cooks_for_is_said(page: Page, address: str) -> None:
    page.goto(f"{address}/network?t={T}&brand=atlantis")
    expect(page.get_by_test_id("network-brand-note")).to_contain_text("“atlantis”", timeout=MS)
    expect(rows(page)).to_have_count(4)


def test_the_maps_have_streets(page: Page, address: str) -> None:
    opened(page, address)
    expect(page.locator(".streets path")).to_have_count(4, timeout=MS)
    assert min(len(one.get_attribute("d") or "") for one in page.locator(".streets path").all()) > 500


def test_a_growing_source_is_followed_left_and_followed_again(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, port = tmp_path_factory.mktemp("grows"), free_port()
    command = ["twin.cli", "serve", "--source", str(folder / "inbox"), "--port", str(port)]
    environment = {"TWIN_INBOX": str(folder / "inbox"), "TWIN_INBOX_TOKEN": TOKEN}
    events = [json.loads(line) for line in simulated_lines(1, DAY, 7, 0.3, "2025")]
    with running(command, port, folder / "log.txt", **environment) as served:
        feed = Feed(served, events)
        feed.until("17:20")
        page.goto(f"{served}/network")
        clock, badge = page.get_by_test_id("network-clock"), page.get_by_test_id("network-live")
        expect(badge).to_contain_text("LIVE", timeout=MS)
        expect(clock).to_have_text("Fri 17 Oct 17:19", timeout=MS)
        assert query(page)["live"] == "1"
        assert "t" not in query(page)
        expect(rows(page).first.get_by_test_id("cell-orders")).to_be_visible(timeout=MS)
        feed.until("17:41")
        expect(clock).to_have_text("Fri 17 Oct 17:40", timeout=MS)
        for row in rows(page).all():
            location = (row.get_attribute("data-testid") or "").removeprefix("kitchen-")
            own = [one for one in events[: feed.sent] if one["location"] == location]
            end = max(one["ts"] for one in own)[:16]
            begin = f"{end[:11]}{int(end[11:13]) - 1:02}{end[13:]}:00"
            made = {
                one["order_id"]
                for one in own
                if one["event_type"] == "order_created" and begin < one["ts"] <= f"{end}:00"
            }
            expect(row.get_by_test_id("cell-orders").locator("b")).to_have_text(str(len(made)), timeout=MS)
        page.keyboard.press("ArrowLeft")
        expect(badge).to_contain_text("behind")
        assert query(page)["live"] == "0"
        assert query(page)["t"]
        stands = clock.inner_text()
        feed.until("17:52")
        expect(badge).not_to_contain_text("LIVE")
        expect(clock).to_have_text(stands)
        page.keyboard.press("l")
        expect(clock).to_have_text("Fri 17 Oct 17:51", timeout=MS)
        expect(badge).to_contain_text("LIVE")
        rows(page).first.click()
        page.wait_for_url("**/operations?**", timeout=MS)
        assert query(page)["live"] == "1"
        expect(page.get_by_test_id("live")).to_contain_text("LIVE", timeout=MS)
        page.go_back()
        expect(badge).to_contain_text("LIVE", timeout=MS)


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
