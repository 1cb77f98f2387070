"""The panels as a person meets them: read the figures, look into the data's health, choose a city."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.again import visit
from tests.browser.conftest import Kept, kept_page
from tests.browser.operations import comes_to
from tests.fake_timeline import DAY0, HOUR, FakeController, FakeDataQuality, FakeItem, FakeTimeline
from tests.views.test_pipeline import Rows
from twin.pages.operations.welcome import WelcomeView
from twin.sources.base import Location, Quality, Volume
from twin.views.data_quality.data_quality import DataQualityView
from twin.views.kpis.kpis import KpiView
from twin.views.pipeline.pipeline import PipelineView

pytestmark = pytest.mark.browser

MINUTE = 60.0
EVIL = "<img src=x onerror=\"document.title='owned'\">"
NOON = DAY0 + 12 * HOUR


def busy_morning() -> FakeTimeline:
    """Ten orders delivered in 40 minutes before noon, three meals waiting since 20 minutes, one order just made."""
    rows = []
    for k in range(10):
        t = NOON - HOUR + MINUTE * k
        rows.append(
            {
                "created": t,
                "started": t + 120,
                "finished": t + 720,
                "ready": t + 840,
                "picked_up": t + 1200,
                "delivered": t + 2400,
            }
        )
    rows += [{"created": NOON - 40 * MINUTE, "finished": NOON - 20 * MINUTE, "ready": NOON - 20 * MINUTE}] * 3
    rows.append({"created": NOON - 5})
    ids = [f"AAA{k:03d}" for k in range(len(rows))]
    baskets = [[FakeItem("Soup", "Pho Real", 2)] for _ in rows]
    baskets[-1] = [FakeItem("Soup", EVIL)]
    timeline = FakeTimeline(rows, ids, baskets, extra=[(NOON - 30 * MINUTE, "driver_ping", 0, 50.0)])
    timeline.data_quality = FakeDataQuality(
        1037, 1000, {"no order": 25, "duplicate": 12}, {"unknown type": 4}, (f"{EVIL}.csv is empty",)
    )
    return timeline


@dataclass
class Session:
    """What the server side of the last opened page holds."""

    views: list = field(default_factory=list)
    timeline: FakeTimeline | None = None
    document: Any = None
    chosen: list = field(default_factory=list)
    retried: list = field(default_factory=list)
    loaded: threading.Event = field(default_factory=threading.Event)

    def show(self, t: float) -> None:
        """Show a moment, as the session's tick does."""
        self.document.add_next_tick_callback(lambda: [view.show(self.timeline.at(t)) for view in self.views])


SESSION = Session()


def panels() -> pn.Column:
    timeline = busy_morning()
    timeline.window = SimpleNamespace(start=NOON - 6 * HOUR, end=NOON + HOUR)
    controller = FakeController()
    controller.load(timeline, NOON)
    controller.selection.attach(SimpleNamespace(orders=Rows(timeline.orders.ids)))
    views = [view(controller) for view in (PipelineView, KpiView, DataQualityView)]
    SESSION.views, SESSION.timeline, SESSION.document = views, timeline, pn.state.curdoc
    for view in views:
        view.show(timeline.at(NOON))
    pipeline, kpis, health = views
    pn.state.onload(SESSION.loaded.set)
    return pn.Column(health, pipeline, pn.Column(kpis, width=408, height=620), sizing_mode="stretch_width")


def welcome() -> pn.Column:
    SESSION.chosen, SESSION.retried = [], []
    view = WelcomeView(SESSION.chosen.append, lambda: SESSION.retried.append(1))
    SESSION.views, SESSION.document = [view], pn.state.curdoc
    cities = [
        Location(
            "sanfrancisco", "San Francisco", 37.79, -122.39, 6437.0, 4213, DAY0 - 6 * 24 * HOUR, DAY0 + 24 * HOUR - 1
        ),
        Location("chicago", EVIL, None, None, None, 8, DAY0, DAY0 + HOUR),
    ]
    volume = Volume(DAY0 + HOUR * np.arange(24.0), np.arange(24))
    view.show_locations(cities, {"sanfrancisco": volume}, {"chicago": Quality(10, 7, {"no order": 3})})
    pn.state.onload(SESSION.loaded.set)
    return pn.Column(view, sizing_mode="stretch_width")


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    return serve({"panels": panels, "welcome": welcome})


def open_in(page: Page, address: str, path: str) -> None:
    """Open a path and wait for its view."""
    SESSION.loaded.clear()
    visit(page, f"{address}/{path}")
    page.get_by_test_id("stage-cooking-count" if path == "panels" else "welcome").wait_for()
    assert SESSION.loaded.wait(timeout=10), "Panel takes changes of a page only once it has loaded"


@pytest.fixture
def opened(visited: Page, address: str) -> Callable[[str], Page]:
    """Open a path in a session of the test's own."""

    def go(path: str) -> Page:
        open_in(visited, address, path)
        return visited

    return go


@pytest.fixture(scope="module")
def kept(browser: Browser, address: str) -> Iterator[Kept]:
    with kept_page(browser, lambda page: open_in(page, address, "panels")) as kept:
        yield kept


@pytest.fixture
def shown(kept: Kept, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The panels for a test that only reads them: one page, 1440 x 900, for all of these."""
    with kept.used(request) as page:
        page.set_viewport_size({"width": 1440, "height": 900})
        yield page


def test_the_pipeline_and_the_cards_show_the_moment(shown):
    expect(shown.get_by_test_id("stage-created-count")).to_have_text("1")
    expect(shown.get_by_test_id("stage-ready-count")).to_have_text("3")
    expect(shown.get_by_test_id("stage-ready-oldest")).to_have_text("oldest 20 min")
    expect(shown.get_by_test_id("stage-completed-count")).to_have_text("10")
    expect(shown.get_by_test_id("kpi-orders-hour-value")).to_have_text("13")
    expect(shown.get_by_test_id("kpi-delivery-time-value")).to_have_text("40 min")
    expect(shown.get_by_test_id("kpi-delivery-time")).to_contain_text("10 min over target 30 min")
    expect(shown.get_by_test_id("kpi-completion-value")).to_have_text("–")
    expect(shown.get_by_test_id("kpi-delivery-time-p75")).to_have_text("P75 40")
    expect(shown.get_by_test_id("kpi-delivery-time-late")).to_have_text("10 of 10 late")
    expect(shown.get_by_test_id("kpi-completion")).to_contain_text("nothing due yet")
    expect(shown.get_by_test_id("kpi-active-value")).to_have_text("4")
    expect(shown.get_by_test_id("kpi-revenue-value")).to_have_text("–")


def test_the_drivers_and_the_gap_at_pick_up_stand_at_their_stages(shown):
    expect(shown.get_by_test_id("drivers-gap")).to_have_text("drivers 3/h behind")
    expect(shown.get_by_test_id("drivers-gap")).to_have_attribute("data-value", "3")
    expect(shown.get_by_test_id("drivers-road")).to_have_text("0 drivers")
    expect(shown.get_by_test_id("drivers-waiting")).to_have_text("")  # the data tells of no arrival


def test_colours_tell_of_harm_to_customers_and_not_of_a_change(shown):
    def colour(name: str) -> str:
        return shown.get_by_test_id(name).evaluate("element => getComputedStyle(element).color")

    assert shown.get_by_test_id("kpi-orders-hour-change").inner_text().startswith("▲")
    assert colour("kpi-orders-hour-change") == colour("kpi-orders-hour-value")
    assert colour("kpi-delivery-time-late") == colour("kpi-delivery-time-over") != colour("kpi-orders-hour-value")


def test_a_stage_in_trouble_stands_out_and_others_do_not(shown):
    colour = "element => getComputedStyle(element).backgroundColor"
    ready = shown.get_by_test_id("stage-ready").locator(".tile").evaluate(colour)
    cooking = shown.get_by_test_id("stage-cooking").locator(".tile").evaluate(colour)

    assert ready != cooking
    assert cooking == "rgba(0, 0, 0, 0)"


def test_every_number_tells_its_definition(shown):
    expect(shown.get_by_test_id("stage-ready-count")).to_have_attribute("title", re.compile("cooked, waiting"))
    expect(shown.get_by_test_id("stage-cooking-service")).to_have_attribute("title", re.compile("last 60 minutes"))
    expect(shown.get_by_test_id("kpi-completion-value")).to_have_attribute(
        "title", re.compile("^Since .* 24 hours to 90 minutes")
    )


def test_every_number_tells_exactly_what_it_is(shown):
    expect(shown.get_by_test_id("stage-ready-count")).to_have_attribute("data-value", "3")
    expect(shown.get_by_test_id("stage-ready-oldest")).to_have_attribute("data-value", "1200")
    expect(shown.get_by_test_id("stage-cooking-service")).to_have_attribute("data-value", "600")
    expect(shown.get_by_test_id("stage-completed-flow")).to_have_attribute("data-value", "10")
    expect(shown.get_by_test_id("kpi-delivery-time-value")).to_have_attribute("data-value", "2400")
    expect(shown.get_by_test_id("kpi-delivery-time-bin-8")).to_have_attribute("data-value", "10")
    expect(shown.get_by_test_id("kpi-orders-hour-change")).to_have_attribute("data-value", "12")


def test_a_click_on_a_stage_picks_it_out_and_lists_its_orders(opened):
    page = opened("panels")
    ready, orders = page.get_by_test_id("stage-ready-pick"), page.get_by_test_id("stage-orders")
    expect(orders).to_be_hidden()

    page.get_by_test_id("stage-ready-count").click()

    expect(ready).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("stage-ready-only")).to_be_visible()
    expect(orders).to_contain_text("Ready · 3 orders now")
    expect(page.get_by_test_id("stage-order")).to_have_count(3)
    expect(page.get_by_test_id("stage-order").first).to_have_text("AAA010Pho Real20 min")

    page.get_by_test_id("stage-ready-count").click()
    expect(ready).to_have_attribute("aria-pressed", "false")
    expect(orders).to_be_hidden()


def test_an_order_of_a_stage_is_pointed_at_and_selected(opened):
    page = opened("panels")
    page.get_by_test_id("stage-ready-count").click()
    order = page.get_by_test_id("stage-order").nth(1)
    chosen = "() => { const s = [...__twin.selections.values()].at(-1); return [s.hovered, s.row, s.stage]; }"

    order.hover()
    assert page.evaluate(chosen) == [11, -1, "ready"]

    order.click()
    expect(order).to_have_attribute("aria-current", "true")
    page.mouse.move(5, 700)
    assert page.evaluate(chosen) == [-1, 11, "ready"]


def test_the_keyboard_opens_a_stage_walks_its_orders_and_escape_closes_it_then_shows_all(opened):
    page = opened("panels")
    page.get_by_test_id("stage-ready-pick").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stage-order")).to_have_count(3)

    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("stage-order").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("stage-order").nth(1)).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_test_id("stage-orders")).to_be_hidden()
    expect(page.get_by_test_id("stage-ready-pick")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("stage-ready-pick")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stage-ready-pick")).to_have_attribute("aria-pressed", "false")


def test_what_an_order_holds_is_text_in_its_list(opened):
    page = opened("panels")

    page.get_by_test_id("stage-created-count").click()

    expect(page.get_by_test_id("stage-order")).to_contain_text(EVIL)
    assert page.title() != "owned"


def test_orders_flow_while_it_plays_and_stand_still_when_paused_or_when_motion_is_unwelcome(opened):
    page = opened("panels")
    dots = page.get_by_test_id("stage-cooking").locator(".dots")
    state = "node => getComputedStyle(node).animationPlayState"
    assert dots.evaluate(state) == "paused"

    page.evaluate("() => [...__twin.clocks.values()].at(-1).predict({ start: 0, end: 1e10, t0: 1, playing: true })")
    assert dots.evaluate(state) == "running"

    page.emulate_media(reduced_motion="reduce")
    assert dots.evaluate("node => getComputedStyle(node).animationName") == "none"


def test_a_report_can_be_told_the_stages_and_the_cards(shown):
    told = shown.evaluate(
        "() => Object.fromEntries([...__twin.reports].map(([key, tell]) => [key.split('/')[1], tell()]))"
    )

    ready = told["pipeline"][2]
    assert (ready["label"], ready["count"], ready["trouble"]) == ("Ready", "3", True)
    assert ready["lines"][0].endswith("oldest 20 min")
    assert told["kpis"][1]["heading"] == "Delivery time"
    assert (told["kpis"][1]["value"], told["kpis"][1]["tone"]) == ("40 min", "bad")


def test_nobody_is_kept_out_of_the_stages_and_the_cards(opened, barriers):
    page = opened("panels")
    page.get_by_test_id("stage-ready-count").click()
    expect(page.get_by_test_id("stage-order")).to_have_count(3)

    assert [line for line in barriers(page) if "stage" in line or "kpi" in line or "order" in line] == []


def test_the_health_chip_opens_its_account_and_escape_or_a_click_outside_closes_it(opened):
    page = opened("panels")
    chip, details = page.get_by_test_id("health"), page.get_by_test_id("health-details")
    expect(chip).to_contain_text("1,000 rows used · 37 set aside · 1 file left out")
    expect(details).to_be_hidden()

    chip.click()
    expect(details).to_be_visible()
    expect(page.get_by_test_id("health-sum")).to_have_text("1,000 used + 37 set aside = 1,037 rows read")
    expect(page.get_by_test_id("health-rejected").locator("tr").first).to_have_text("no order25")
    expect(page.get_by_test_id("health-files").locator("li")).to_have_text([f"{EVIL}.csv is empty."])
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(chip).to_be_focused()

    page.keyboard.press("Enter")
    expect(details).to_be_visible()
    page.mouse.click(1400, 880)
    expect(details).to_be_hidden()
    chip.click()
    chip.click()
    expect(details).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1920, 1080), (390, 844)])
def test_all_five_counts_are_on_the_screen_at_every_size(shown, width, height):
    shown.set_viewport_size({"width": width, "height": height})
    for stage in ("created", "cooking", "ready", "out_for_delivery", "completed"):
        box = shown.get_by_test_id(f"stage-{stage}-count").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_a_city_is_chosen_with_a_click_once(opened):
    page = opened("welcome")
    card = page.get_by_test_id("city-sanfrancisco")
    expect(card).to_contain_text("San Francisco7 days · 10 – 16 October 2025")
    expect(card).to_contain_text("4,213 orders")
    expect(page.get_by_test_id("city-chicago")).to_contain_text(EVIL)
    expect(page.get_by_test_id("city-chicago")).to_contain_text("3 rows set aside")

    card.click()
    card.click()

    expect(card).to_contain_text("Opening")
    comes_to(page, lambda: SESSION.chosen, ["sanfrancisco"])
    page.wait_for_timeout(200)
    assert SESSION.chosen == ["sanfrancisco"], "a second click chooses nothing more"


def test_a_city_is_chosen_with_the_keyboard(opened):
    page = opened("welcome")

    for way in ("welcome-compare", "welcome-all", "city-sanfrancisco"):
        page.keyboard.press("Tab")
        expect(page.get_by_test_id(way)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("city-chicago")).to_contain_text("Opening")
    comes_to(page, lambda: SESSION.chosen, ["chicago"])


def test_a_failure_can_be_tried_again(opened):
    page = opened("welcome")
    SESSION.document.add_next_tick_callback(lambda: SESSION.views[0].fail("No file matches x.csv.", "Check the path."))
    expect(page.get_by_test_id("welcome-error")).to_contain_text("No file matches x.csv.Check the path.")

    page.get_by_test_id("welcome-retry").click()

    expect(page.get_by_test_id("welcome-error")).to_have_count(0)
    comes_to(page, lambda: SESSION.retried, [1])
