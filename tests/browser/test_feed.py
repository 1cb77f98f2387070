"""The feed as a person meets it: follow it, read back to the first event, filter it, go to what it tells."""

import threading
from collections.abc import Callable
from pathlib import Path

import panel as pn
import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.again import visit
from tests.browser.operations import comes_to, settled
from twin.analysis.event_index import GROUPS, USUAL_GROUPS, EventIndex, event_index_of
from twin.analysis.wording import EventLine, describe, short_id
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import FeedView

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"document.title='owned'\">"

SET_CLOCK = "change => [...globalThis.__twin.clocks.values()].at(-1).predict(change)"
"""Move the browser's clock, as another view's verb would."""


class Kitchen:
    """A kitchen's timeline, and what the server side of the last opened page holds."""

    def __init__(self, source, timeline: Timeline) -> None:
        self.source, self.timeline, self.document = source, timeline, None
        self.busy = timeline.busiest()
        self.controller = ReplayController()
        self.view: FeedView | None = None
        self.asked: list[dict] = []
        self.loaded = threading.Event()

    def page(self) -> pn.Column:
        self.document = pn.state.curdoc
        self.controller = ReplayController(self.timeline)
        self.controller.seek(self.busy)
        self.view = FeedView(self.controller)
        self.asked = []
        shown = self.view.__panel__()
        shown.on_msg(lambda event: self.asked.append(event.data))
        pn.state.onload(self.loaded.set)
        return pn.Column(shown, width=408, height=440)

    @property
    def index(self) -> EventIndex:
        return event_index_of(self.timeline)

    def lines(self, t: float, groups=USUAL_GROUPS, text: str = "") -> list[EventLine]:
        """The lines that should be listed at t, newest first."""
        found = self.index.select(frozenset(groups), text)
        return describe(self.timeline, self.index.events(found[: self.index.before(found, t)][::-1]))


@pytest.fixture(scope="module")
def kitchen(demo: Path) -> Kitchen:
    source = twin.open(str(demo)).source
    place = next(place for place in source.locations() if place.id == "sanfrancisco")
    return Kitchen(source, Timeline.load(source, place.id, place.start, place.end))


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], kitchen: Kitchen) -> str:
    return serve({"feed": kitchen.page})


@pytest.fixture
def opened(visited: Page, address: str, kitchen: Kitchen) -> Page:
    kitchen.loaded.clear()
    visit(visited, f"{address}/feed")
    assert kitchen.loaded.wait(timeout=20), "what changes on the server before is lost"
    visited.get_by_test_id("feed-row").first.wait_for()
    return visited


def titles(page: Page, n: int) -> list[str]:
    return page.locator(".row .title").evaluate_all(
        "(nodes, n) => nodes.slice(0, n).map((node) => node.textContent)", n
    )


def expect_top(page: Page, lines: list[EventLine]) -> None:
    """Wait for the newest of these lines on top of the list, then compare a screenful."""
    expect(page.get_by_test_id("feed-row").first.locator(".title")).to_have_text(lines[0].title)
    expect(page.get_by_test_id("feed-row").first).to_have_attribute("data-t", str(lines[0].t).removesuffix(".0"))
    assert titles(page, 8) == [line.title for line in lines[:8]]


def test_the_newest_event_before_the_playhead_is_on_top_and_pings_are_left_out(opened, kitchen):
    expect_top(opened, kitchen.lines(kitchen.busy))


def test_while_it_plays_events_come_in_by_the_browsers_own_clock(opened, kitchen):
    row = opened.get_by_test_id("feed-row").first
    before, asked = float(row.get_attribute("data-t")), len(kitchen.asked)

    opened.evaluate(SET_CLOCK, {"playing": True, "speed": 100})
    expect(row).not_to_have_attribute("data-t", f"{before:.6f}".rstrip("0").rstrip("."))

    assert float(row.get_attribute("data-t")) > before
    assert len(kitchen.asked) == asked


def test_the_list_scrolls_down_to_the_first_event_of_the_range_and_back_to_now(opened, kitchen):
    rows, lines = opened.get_by_test_id("feed-rows"), kitchen.lines(kitchen.busy)

    rows.evaluate("node => { node.scrollTop = node.scrollHeight }")

    expect(opened.get_by_test_id("feed-row").last.locator(".title")).to_have_text(lines[-1].title)
    expect(opened.locator("[aria-posinset]").last).to_have_attribute("aria-posinset", str(len(lines)))
    opened.get_by_test_id("feed-now").click()
    expect_top(opened, lines)
    expect(opened.get_by_test_id("feed-now")).to_be_hidden()


def test_reading_back_stands_still_while_time_goes_on(opened, kitchen):
    opened.get_by_test_id("feed-rows").evaluate("node => { node.scrollTop = 40 * 46 }")
    expect(opened.get_by_test_id("feed-now")).to_be_visible()
    before = settled(opened, lambda: titles(opened, 8))

    later = kitchen.busy + 1800
    opened.evaluate(SET_CLOCK, {"t0": later})
    opened.wait_for_timeout(400)

    assert titles(opened, 8) == before
    opened.get_by_test_id("feed-now").click()
    expect_top(opened, kitchen.lines(later))


def test_problems_text_and_types_narrow_the_list_and_clear_brings_all_back(opened, kitchen):
    opened.get_by_test_id("feed-problems").click()
    expect_top(opened, kitchen.lines(kitchen.busy, {"problem"}))
    assert kitchen.view.query == "types=problem"

    brand = kitchen.timeline.orders.items(4)[0].brand[:5]
    opened.get_by_test_id("feed-search").fill(brand.upper())
    expect_top(opened, kitchen.lines(kitchen.busy, {"problem"}, brand))

    opened.get_by_test_id("feed-search").fill("no such order anywhere")
    expect(opened.get_by_test_id("feed-empty")).to_contain_text("Nothing matches")
    opened.get_by_test_id("feed-empty").get_by_role("button").click()
    expect_top(opened, kitchen.lines(kitchen.busy))
    assert kitchen.view.query == ""


def test_pings_are_listed_when_ticked(opened, kitchen):
    opened.get_by_test_id("feed-types").click()
    opened.get_by_test_id("feed-pings").click()

    expect_top(opened, kitchen.lines(kitchen.busy, GROUPS))
    opened.keyboard.press("Escape")
    expect(opened.get_by_test_id("feed-menu")).to_be_hidden()
    expect(opened.get_by_test_id("feed-types")).to_be_focused()


def test_a_click_goes_to_that_moment_and_selects_that_order(opened, kitchen):
    line = kitchen.lines(kitchen.busy)[3]

    opened.get_by_test_id("feed-row").nth(3).click()

    expect(opened.get_by_test_id("feed-row").first).to_have_attribute("aria-current", "true")
    expect_top(opened, kitchen.lines(line.t))
    comes_to(opened, kitchen.controller.now, line.t)
    comes_to(opened, lambda: kitchen.controller.selection.order, line.order_id)
    opened.get_by_test_id("feed-only").click()
    expect(opened.get_by_test_id("feed-row").nth(1)).to_contain_text(short_id(line.order_id))
    assert all(short_id(line.order_id) in title for title in titles(opened, 20))


def test_arrows_walk_the_rows_and_enter_goes_there(opened, kitchen):
    lines = kitchen.lines(kitchen.busy)
    opened.get_by_test_id("feed-row").first.focus()

    for _ in range(12):
        opened.keyboard.press("ArrowDown")
    focused = "() => { let n = document.activeElement; while (n.shadowRoot) n = n.shadowRoot.activeElement; return n.dataset.t }"
    assert float(opened.evaluate(focused)) == lines[12].t
    opened.keyboard.press("Enter")

    expect_top(opened, kitchen.lines(lines[12].t))


def test_before_the_first_event_it_says_so_and_offers_the_first(opened, kitchen):
    first = kitchen.lines(kitchen.timeline.window.end)[-1]

    opened.evaluate(SET_CLOCK, {"t0": first.t - 1})

    expect(opened.get_by_test_id("feed-empty")).to_contain_text("No events before this moment")
    opened.get_by_test_id("feed-first").click()
    expect(opened.get_by_test_id("feed-row")).to_have_count(len(kitchen.lines(first.t)))


def test_a_stage_lists_what_its_orders_went_through_and_leaving_it_lists_all(opened, kitchen):
    kitchen.timeline.at(kitchen.busy)  # compiled: the answer comes at once, as in a running server
    ready = kitchen.timeline.membership.at(kitchen.busy, "ready").order.tolist()
    inside = {short_id(kitchen.timeline.orders.ids[row].as_py()) for row in ready}
    assert inside

    opened.evaluate("() => [...globalThis.__twin.selections.values()].at(-1).filter('ready')")
    expect(opened.get_by_test_id("feed-stage")).to_contain_text("Ready now")
    expect(opened.get_by_test_id("feed-count")).to_contain_text("so far")
    assert {title.split(" · ")[1] for title in titles(opened, 100)} <= inside

    # leave it, and scroll while its rows are still there: they are on their way out
    leave = "node => { [...globalThis.__twin.selections.values()].at(-1).filter('ready'); node.scrollTop = 500 }"
    opened.get_by_test_id("feed-rows").evaluate(leave)
    expect_top(opened, kitchen.lines(kitchen.busy))


def test_another_timeline_shows_its_own_events(opened, kitchen):
    shorter = Timeline.load(kitchen.source, "sanfrancisco", kitchen.busy - 7200, kitchen.busy - 3600)

    def load() -> None:
        kitchen.controller.load(shorter, kitchen.busy - 3600)
        kitchen.view.reset()

    kitchen.document.add_next_tick_callback(load)

    lines = [line for line in kitchen.lines(kitchen.busy - 3600) if line.t >= kitchen.busy - 7200]
    expect_top(opened, lines)
    expect(opened.locator("[aria-setsize]").first).to_have_attribute("aria-setsize", str(len(lines)))


def test_what_the_data_tells_is_shown_as_text(opened, kitchen, monkeypatch):
    told = EventIndex.lines
    monkeypatch.setattr(
        EventIndex,
        "lines",
        lambda *args: [
            EventLine("plus", "created", f"{EVIL} · {EVIL}", EVIL, line.t, "x", line.order, "x") for line in told(*args)
        ],
    )
    opened.get_by_test_id("feed-problems").click()

    expect(opened.get_by_test_id("feed-row").first).to_contain_text(EVIL)
    assert opened.title() != "owned"
