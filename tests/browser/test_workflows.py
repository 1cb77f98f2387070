"""The user workflows, step by step, as a person goes through them on the demo data."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.operations import (
    CLOCK,
    DRAWN,
    MOTION,
    NUMBER,
    by_id,
    choose,
    clock,
    comes_to,
    counts,
    five,
    moves,
    speed,
    stands,
    until,
)
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.reports.card_text import card_html

pytestmark = pytest.mark.browser

SHORTAGE = (seconds("2025-10-16 18:10"), seconds("2025-10-16 18:50"))
"""When the demo's San Francisco lacks drivers; the page is not told."""
MOST_MS = 30_000
NUMBER_ATTRIBUTE = re.compile(r"^[\d.]+$")


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


def choose_day(page: Page, day: str) -> None:
    by_id(page, "range").click()
    by_id(page, "range-sheet").get_by_role("button", name=day, exact=True).click()
    expect(by_id(page, "range")).to_contain_text(f"{day} Oct 2025 00:00 – 24:00", timeout=MOST_MS)


def test_workflow_1_initial_demo_load(page: Page, address: str, source: Twin) -> None:
    page.goto(address)  # 1. the user opens the app and lands on the welcome screen
    expect(by_id(page, "welcome")).to_be_visible(timeout=MOST_MS)
    for place in source.locations:  # 2. the locations are there to choose from
        expect(by_id(page, f"city-{place.id}")).to_contain_text(place.display_name, timeout=MOST_MS)
    by_id(page, "city-sanfrancisco").click()  # 3. the user selects San Francisco
    expect(by_id(page, "stage-cooking-count")).to_have_text(NUMBER, timeout=MOST_MS)
    line = source.timeline("sanfrancisco")
    # 4. and 5. its range is asked for, and the last 24 hours of its data are loaded
    assert line.window.end - line.window.start == 24 * 3600
    assert line.window.start < (line.location.last_delivered or 0) < line.window.end
    span = page.evaluate(
        """() => {
          const { anchor } = [...globalThis.__twin.clocks.values()].find((clock) => clock.anchor);
          return [anchor.start, anchor.end];
        }"""
    )
    assert span == [line.window.start, line.window.end]
    # 6. the map is centred on the kitchen and shows its radius
    page.wait_for_function(DRAWN)
    kitchen = page.locator('[data-layer="kitchen"]').first
    expect(kitchen).to_be_visible()
    frame = page.locator(".bk-Figure").first.bounding_box()
    at = kitchen.bounding_box()
    assert frame is not None
    assert at is not None
    assert frame["x"] < at["x"] < frame["x"] + frame["width"]
    assert frame["y"] < at["y"] < frame["y"] + frame["height"]
    # 7. the range's summary
    created = line.orders.created
    orders = int(((created >= line.window.start) & (created <= clock(page))).sum())
    expect(by_id(page, "summary")).to_contain_text(f"{orders:,} orders")
    for figure in ("kpi-orders-hour-value", "kpi-delivery-time-value", "kpi-active-value"):
        expect(by_id(page, figure)).to_have_attribute("data-value", NUMBER_ATTRIBUTE)
    # 8. the feed shows the latest events
    expect(by_id(page, "feed-row")).to_be_visible(timeout=MOST_MS)


def test_workflow_2_historical_replay(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "sanfrancisco")
    choose_day(page, "Thu 16")  # 1. the user adjusts the range to a day
    line = source.timeline("sanfrancisco", seconds("2025-10-16"), seconds("2025-10-17"))
    page.wait_for_function(f"(t) => Math.abs(({CLOCK})() - t) < 1", arg=line.busiest())
    page.wait_for_function(DRAWN)
    before, t0 = counts(page), clock(page)
    assert before == five(line.at(t0).counts)
    by_id(page, "play").click()  # 2. clicks Play
    moves(page)  # 3. the timeline advances, 4. at 60x
    assert speed(page, for_ms=2000) == pytest.approx(60, rel=0.05)
    # 5. drivers appear, move and complete; 6. and 7. counts and figures follow
    until(page, lambda: counts(page) != before, "other counts")
    by_id(page, "play").click()  # 8. the user pauses
    t3 = stands(page)
    comes_to(page, lambda: counts(page), five(line.at(t3).counts))
    page.wait_for_timeout(500)
    assert clock(page) == t3
    # 9. clicks an order on the map: its whole lifecycle is shown
    order = page.evaluate(
        f"""() => {{ const drivers = ({MOTION})().positions(); return drivers[Math.floor(drivers.length / 2)].order; }}"""
    )
    click_driver(page, order)
    expect(by_id(page, "order-panel")).to_be_visible(timeout=MOST_MS)
    chosen = line.order(line.orders.ids[order].as_py())
    expect(by_id(page, "order-id")).to_contain_text(chosen.id[:6])
    for stage, _, _ in chosen.stages[:4]:
        expect(by_id(page, f"lane-{stage}")).to_be_visible()
    for item in chosen.items:
        expect(by_id(page, "order-items")).to_contain_text(item.name)
    page.keyboard.press("Escape")
    expect(by_id(page, "order-panel")).to_be_hidden()
    by_id(page, "play").click()  # 10. resumes, and scrubs to another time
    until(page, lambda: clock(page) > t3, "it goes on")
    box = by_id(page, "scrubber").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 12.5 / 24, box["y"] + 20)
    until(page, lambda: abs(clock(page) - seconds("2025-10-16 12:30")) < 900, "the moment that was aimed at", most_s=10)


def click_driver(page: Page, order: int) -> None:
    """Click a driver where it is drawn."""
    place = page.evaluate(
        f"""(order) => {{
          const driver = ({MOTION})().positions().find((one) => one.order === order);
          const maps = [...Bokeh.documents[0]._all_models.values()].filter(({{ type }}) => type === "Figure");
          const view = Bokeh.index.find_one(maps.find(({{ renderers }}) => renderers.some(({{ name }}) => name === "tiles")));
          const {{ left, top, width, height }} = view.frame.bbox, {{ x_range: xr, y_range: yr }} = view.model;
          const canvas = view.canvas_view.el.getBoundingClientRect();
          return [canvas.x + left + (driver.x - xr.start) / (xr.end - xr.start) * width,
                  canvas.y + top + (yr.end - driver.y) / (yr.end - yr.start) * height];
        }}""",
        order,
    )
    page.mouse.move(*place)
    page.mouse.click(*place)


def test_workflow_3_location_comparison(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "sanfrancisco")
    by_id(page, "stage-ready-pick").click()
    page.keyboard.press("Escape")  # the list of its orders
    page.keyboard.press("Escape")  # and the stage
    first = {name: by_id(page, f"kpi-{name}-value").inner_text() for name in ("orders-hour", "active", "revenue")}
    page.get_by_role("combobox", name="Kitchen").select_option("Chicago")  # 1. the user selects Chicago
    line = source.timeline("chicago")
    # 2. the timeline is Chicago's range
    page.wait_for_function(f"(t) => Math.abs(({CLOCK})() - t) < 0.01", arg=line.busiest(), timeout=MOST_MS)
    page.wait_for_function(DRAWN, timeout=MOST_MS)
    # 3. the map shows Chicago's kitchen
    centre = page.evaluate(f"() => ({MOTION})().positions()[0]")
    assert abs(centre["x"] - (line.location.x or 0)) < 20_000
    # 4. the figures are Chicago's
    assert counts(page) == five(line.at(line.busiest()).counts)
    expect(by_id(page, "kpi-active-value")).to_have_attribute("data-value", str(len(line.at(line.busiest()).order)))
    assert {name: by_id(page, f"kpi-{name}-value").inner_text() for name in first} != first  # 5. they can be told apart


def test_workflow_4_ends_on_the_ledger_in_five_clicks(page: Page, address: str, source: Twin) -> None:
    """From a delivery time that is high to what it was made of, the worst orders, and one order's own ledger."""
    choose(page, address, "sanfrancisco", start="2025-10-16", end="2025-10-17", t="2025-10-16T19:10")
    line = source.timeline("sanfrancisco", seconds("2025-10-16"), seconds("2025-10-17"))
    late = by_id(page, "kpi-delivery-time-late")
    expect(late).to_have_class(re.compile("bad"), timeout=MOST_MS)  # the user notices that many were late
    by_id(page, "kpi-delivery-why").click()  # 1. and asks why
    expect(by_id(page, "why-sentence")).to_contain_text("food waiting for drivers", timeout=MOST_MS)
    expect(by_id(page, "why-by")).to_have_text("As it was known")
    by_id(page, "why-steps").get_by_role("button", name="Food waits").click()  # 2. of that cause
    rows = by_id(page, "why-orders").get_by_role("button")
    expect(rows.first).to_contain_text("min late", timeout=MOST_MS)
    worst = [float(one.split(" min")[0].split("+")[1]) for one in rows.all_inner_texts() if "late" in one]
    assert worst == sorted(worst, reverse=True)  # the orders, worst first
    expect(by_id(page, "map-only")).to_contain_text(f"Food waits 18:10–19:10 · {rows.count()} orders")
    pins = f"() => ({MOTION})().pins()"
    comes_to(page, lambda: len(set(page.evaluate(pins))), rows.count())  # the map has them alone, all delivered
    group = set(page.evaluate(pins))
    first = rows.first.inner_text().split()[0]
    rows.first.click()  # 3. the worst of them
    expect(by_id(page, "order-panel")).to_be_visible(timeout=MOST_MS)
    expect(by_id(page, "order-id")).to_contain_text(first[:6])
    expect(by_id(page, "lane-ready")).to_be_visible()  # its own ledger: how long its meal waited
    assert line.orders.row_of[first] in group
    # 4. and 5.: to the incident card
    page.keyboard.press("Escape")  # the order
    expect(by_id(page, "order-panel")).to_be_hidden()
    by_id(page, "tab-orders").click()
    expect(by_id(page, "orders-group")).to_be_visible()
    expect(by_id(page, "orders").locator("tbody tr")).to_have_count(len(group))
    page.keyboard.press("Escape")  # and the group
    expect(by_id(page, "orders-group")).to_be_hidden()
    expect(by_id(page, "map-only")).to_be_hidden()


def test_an_hour_of_late_minutes_goes_there_and_asks_why(page: Page, address: str) -> None:
    """By the keyboard alone, and back again."""
    choose(page, address, "sanfrancisco", start="2025-10-16", end="2025-10-17", t="2025-10-16T16:30")
    by_id(page, "late-toggle").click()
    strip = by_id(page, "late-strip")
    expect(by_id(page, "late-legend")).to_contain_text("Food waits", timeout=MOST_MS)
    strip.focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(strip).to_have_attribute("aria-label", re.compile(r"^18:00.*late minutes, food waits"))
    expect(by_id(page, "tip")).to_contain_text("later")  # the timeline is for finding: it may know the whole range
    page.keyboard.press("Enter")
    expect(by_id(page, "why-sentence")).to_contain_text("food waiting for drivers", timeout=MOST_MS)
    assert clock(page) == seconds("2025-10-16 19:00")
    minutes = re.search(r"([\d,]+) late minutes", strip.get_attribute("aria-label") or "")
    assert minutes is not None
    expect(by_id(page, "why-sentence")).to_contain_text(f"{minutes[1]} late minutes")  # the same as in the strip
    expect(by_id(page, "map-only")).to_contain_text("Food waits 18:00–19:00")
    page.keyboard.press("Escape")
    until(page, lambda: clock(page) == seconds("2025-10-16 16:30"), "back where the user was")
    expect(by_id(page, "map-only")).to_be_hidden()


def test_workflow_4_a_performance_issue_is_found_through_the_moments(page: Page, address: str, source: Twin) -> None:
    choose(page, address, "sanfrancisco")
    choose_day(page, "Thu 16")
    by_id(page, "tab-moments").click()
    found = by_id(page, "moments-list").get_by_test_id("moment")
    expect(found.first).to_contain_text("short", timeout=MOST_MS)  # the worst of the day comes first
    found.first.click()  # 1. and 2. the user goes to where delivery takes long
    until(page, lambda: SHORTAGE[0] <= clock(page) <= SHORTAGE[1] + 900, "when drivers lacked")
    t = stands(page)
    line = source.timeline("sanfrancisco", seconds("2025-10-16"), seconds("2025-10-17"))
    comes_to(page, lambda: counts(page), five(line.at(t).counts))
    # 3. drivers are late on the map: its report of the order says so
    late = line.at(t).drivers.order
    assert len(late) > 0
    # 4. the pipeline shows the bottleneck at Ready, and nowhere before it
    expect(by_id(page, "stage-ready").locator(".service.red, .oldest.red")).not_to_have_count(0)
    for stage in ("created", "cooking"):
        expect(by_id(page, f"stage-{stage}").locator(".service.red")).to_have_count(0)
    # the alert names the trouble and when it was
    expect(by_id(page, "alert")).to_contain_text("short")
    expect(by_id(page, "alert")).to_contain_text("Thu 18:")
    # 5. the feed tells of drivers who arrived late
    by_id(page, "tab-events").click()
    by_id(page, "feed-problems").click()
    expect(by_id(page, "feed").get_by_text("Driver arrived late").first).to_be_visible(timeout=MOST_MS)
    # 6. and 7. the conclusion goes into a picture for the review
    with page.expect_download(timeout=MOST_MS) as download:
        by_id(page, "report").click()
    assert download.value.suggested_filename.startswith("casper-sanfrancisco-2025-10-16T18")
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    # 8. and from the delivery time that is high to the card of what made it so, in five clicks
    expect(by_id(page, "kpi-delivery-time-value")).to_be_visible()
    by_id(page, "tab-why").click()
    expect(by_id(page, "why")).to_contain_text("late minutes", timeout=MOST_MS)
    by_id(page, "tab-moments").click()
    opens = by_id(page, "moments").get_by_test_id("open-card").first
    expect(opens).to_be_visible(timeout=MOST_MS)
    opens.focus()
    page.keyboard.press("Enter")  # as a click does
    card = page.get_by_test_id("card-preview").content_frame
    expect(card.get_by_role("heading", name="Drivers are short")).to_be_visible(timeout=MOST_MS)
    page.get_by_test_id("card-notes").fill("<b>Two were ill</b>")
    expect(card.locator(".notes")).to_have_text("<b>Two were ill</b>", timeout=MOST_MS)
    with page.expect_download(timeout=MOST_MS) as saved:
        page.get_by_test_id("card-html").click()
    html = unescape(Path(saved.value.path()).read_text("utf-8"))
    known = source.troubles_at(line, t // 300 * 300).moments[0]
    assert known.sentence in html
    assert "<b>Two were ill</b>" in html
    assert (
        f"location=sanfrancisco&start=2025-10-16T00:00:00&end=2025-10-17T00:00:00&t={line.tz.iso(t // 300 * 300)}"
        in html
    )
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("card-dialog")).to_be_hidden()
    expect(opens).to_be_focused()


def test_the_card_is_one_page_however_much_is_on_it(page: Page, source: Twin) -> None:
    card = (
        source.kitchen("sanfrancisco", day="2025-10-16").moments[0].card(link="https://example.org/operations").content
    )
    words = "Cooking took longer than it does on other days, in every brand and every street of this town " * 2
    full = replace(card, sentence=words, shared=(words[:120], words[:120]), ended=words + words[:90])
    for notes in ("", "\n".join("n" * 95 for _ in range(20))):
        page.set_content(card_html(full.with_notes(notes)))
        assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
