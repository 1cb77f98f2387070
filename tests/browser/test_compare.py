"""Two sides on one clock, as a person sees them: workflow 3 of the specification without "mentally"."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import free_port, running
from tests.browser.operations import by_id, comes_to, until
from twin.simulator.demo import write_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_MS = 40_000
BOTH = """() => [...__twin.clocks.values()].filter((clock) => clock.anchor?.end > clock.anchor?.start)
  .sort((a, b) => !!a.lead - !!b.lead).map((clock) => clock.now())"""
FRAMES = """(n) => new Promise((done) => {
  const clocks = [...__twin.clocks].filter(([, { anchor }]) => anchor?.end > anchor?.start);
  clocks.sort(([, a], [, b]) => !!a.lead - !!b.lead);
  const seen = [];
  const look = () => {
    // what the maps have drawn, and what the clocks say, now and some work later in the same frame
    const drawn = clocks.map(([id]) => __twin.motion.get(id).t);
    const before = clocks.map(([, clock]) => clock.now());
    for (const until = performance.now() + 4; performance.now() < until; );
    const after = clocks.map(([, clock]) => clock.now()).reverse();
    seen.push([drawn, before, after.reverse(), clocks.map(([, clock]) => clock.moving)]);
    if (seen.length < n) requestAnimationFrame(look);
    else done(seen);
  };
  requestAnimationFrame(look);
})"""


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over two weeks of two kitchens, the first of which ends on a Friday."""
    folder = tmp_path_factory.mktemp("fortnight")
    write_demo(folder / "data", days=14, scale=0.05, seed=7)
    port = free_port()
    with running(
        ["twin.cli", "serve", "--source", str(folder / "data"), "--port", str(port)], port, folder / "log"
    ) as at:
        yield at


def compared(page: Page) -> None:
    """Wait until both sides are there and held against each other."""
    expect(by_id(page, "differences-table")).to_be_visible(timeout=MOST_MS)
    page.wait_for_function(f"() => ({BOTH})().length === 2", timeout=MOST_MS)
    expect(page.get_by_test_id("differences")).to_have_attribute("aria-busy", "false", timeout=MOST_MS)


def kitchens(page: Page) -> list[str]:
    return [page.get_by_test_id("kitchen").nth(i).input_value() for i in (0, 1)]


def both_shown(page: Page) -> None:
    for i in (0, 1):
        count = page.get_by_test_id("stage-completed-count").nth(i)
        expect(count).to_have_text(re.compile(r"^[\d,]+$"), timeout=MOST_MS)


def test_san_francisco_against_chicago_in_three_clicks(page: Page, address: str) -> None:
    page.goto(address)
    by_id(page, "welcome-compare").click(timeout=MOST_MS)  # one
    page.wait_for_url(re.compile("/compare"))
    compared(page)
    page.get_by_test_id("kitchen").nth(0).select_option("sanfrancisco")  # two
    page.get_by_test_id("kitchen").nth(1).select_option("chicago")  # three
    comes_to(page, lambda: kitchens(page), ["sanfrancisco", "chicago"])
    compared(page)
    expect(by_id(page, "differences-sentence")).to_contain_text("Chicago", timeout=MOST_MS)
    both_shown(page)
    until(page, lambda: "with=chicago" in page.url, "the address names both sides")


def test_last_friday_against_the_one_before_in_three_clicks(page: Page, fortnight: str) -> None:
    page.goto(f"{fortnight}/compare")  # one: from the first page
    compared(page)
    assert kitchens(page)[0] == kitchens(page)[1]  # of one kitchen, a week before is what comes first
    friday = by_id(page, "days-a").locator("option", has_text="Last Friday").first
    by_id(page, "days-a").select_option(friday.get_attribute("value"))  # two
    expect(by_id(page, "days-b").locator("option", has_text="The week before").first).to_be_attached()
    before = by_id(page, "days-b").locator("option", has_text="Friday before").first
    by_id(page, "days-b").select_option(before.get_attribute("value"))  # three
    until(page, lambda: "with_start=" in page.url and "with_end=" in page.url, "the address names both sides")
    compared(page)
    first, second = page.evaluate(BOTH)
    until(page, lambda: apart(page) == 7 * 86_400, "a week lies between the two clocks")
    assert first > second


def apart(page: Page) -> float:
    first, second = page.evaluate(BOTH)
    return float(first - second)


def test_both_maps_show_the_same_instant_in_every_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago&speed=1000")
    compared(page)
    page.wait_for_function("() => [...__twin.motion.values()].filter((one) => one.held).length === 2", timeout=MOST_MS)
    by_id(page, "play").click()
    page.wait_for_function("() => [...__twin.clocks.values()].some((clock) => clock.moving)")
    page.wait_for_timeout(300)
    frames = page.evaluate(FRAMES, 50)
    assert len(frames) == 50
    for drawn, before, after, moving in frames:
        assert before[0] == before[1]  # both are naive and on the same dates: the very same number
        assert after == before
        assert drawn[0] == drawn[1]
        assert moving[0] == moving[1]
    assert frames[-1][1][0] > frames[0][1][0] + 100, "they have played"


def test_a_side_beside_itself_differs_in_nothing(page: Page, address: str) -> None:
    one = "location=chicago&start=2025-10-16&end=2025-10-17"
    two = "with=chicago&with_start=2025-10-16&with_end=2025-10-17"
    page.goto(f"{address}/compare?{one}&{two}")
    compared(page)
    rows = page.locator("[data-figure]")
    assert rows.count() >= 8
    assert set(rows.evaluate_all("(all) => all.map((row) => row.dataset.change)")) == {""}
    differences = rows.evaluate_all("(all) => all.map((row) => row.querySelector('.difference').dataset.value)")
    assert {float(value) for value in differences if value is not None} == {0.0}
    assert set(page.locator("[data-figure] .difference b").all_inner_texts()) <= {"0", "–"}
    expect(by_id(page, "differences-sentence")).to_have_text(re.compile("^No figure .* differs"))


def test_one_link_restores_both_sides_the_moment_and_the_speed_and_back_goes_back(page: Page, address: str) -> None:
    link = (
        "location=sanfrancisco&start=2025-10-16&end=2025-10-17&with=chicago&with_start=2025-10-16&with_end=2025-10-17"
        "&t=2025-10-16T12:34:56&speed=100"
    )
    page.goto(f"{address}/compare?{link}")
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-a").inner_text(), "12:34:56")
    assert by_id(page, "side-clock-b").inner_text() == "12:34:56"
    assert kitchens(page) == ["sanfrancisco", "chicago"]
    expect(by_id(page, "speed-100")).to_have_attribute("aria-pressed", "true")
    until(page, lambda: "12:34:56" in page.url and "speed=100" in page.url, "the address says the same")
    page.get_by_test_id("kitchen").nth(1).select_option("sanfrancisco")
    until(page, lambda: "with=sanfrancisco" in page.url, "another address")
    page.go_back()
    until(page, lambda: kitchens(page) == ["sanfrancisco", "chicago"], "what was compared before")
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-b").inner_text(), "12:34:56")
    assert page.evaluate("__twin.clocks.size") == 2, "the clocks of the session that is gone went with it"
    page.go_forward()
    until(page, lambda: kitchens(page) == ["sanfrancisco", "sanfrancisco"], "what came after")


def test_the_operations_page_leads_here_at_the_same_moment(page: Page, address: str) -> None:
    page.goto(
        f"{address}/operations?location=chicago&start=2025-10-16&end=2025-10-17&t=2025-10-16T11:22:33&view=-87.6,41.9,11"
    )
    by_id(page, "compare").click(timeout=MOST_MS)
    page.wait_for_url(re.compile("/compare"))
    compared(page)
    comes_to(page, lambda: by_id(page, "side-clock-a").inner_text(), "11:22:33")
    assert kitchens(page)[0] == "chicago"
    expect(page.get_by_test_id("banner-message")).to_be_hidden()  # it says nothing of what only the other page has


def test_a_side_that_fails_leaves_the_other_alone(page: Page, fortnight: str, tmp_path: Path) -> None:
    page.goto(f"{fortnight}/compare?with=nowhere")
    compared(page)
    expect(by_id(page, "banner-message")).to_contain_text("There is no kitchen “nowhere”")
    both_shown(page)


def test_on_a_phone_one_side_is_seen_at_a_time(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/compare?location=sanfrancisco&with=chicago")
    page.wait_for_function(f"() => ({BOTH})().length === 2", timeout=MOST_MS)
    counts = page.get_by_test_id("stage-completed-count")
    expect(counts.nth(0)).to_be_visible(timeout=MOST_MS)
    expect(counts.nth(1)).to_be_hidden()
    by_id(page, "tab-b").click()
    expect(counts.nth(1)).to_be_visible()
    expect(counts.nth(0)).to_be_hidden()
    by_id(page, "tab-differences").click()
    expect(by_id(page, "differences-table")).to_be_visible(timeout=MOST_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
