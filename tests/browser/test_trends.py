"""The trends as a person meets them: read a bar, go to a time, follow the playhead, sort the brands, choose a stage."""

import re
import threading
from collections.abc import Callable
from types import SimpleNamespace as Some

import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.browser.operations import comes_to
from tests.fake_timeline import DAY0, HOUR, FakeTimeline
from tests.views.test_trends import EVIL, day_of_orders, served
from twin.analysis.insights import Insights
from twin.replay.controller import ReplayController
from twin.views.shared import theme
from twin.views.trends.trends import TrendsView

pytestmark = pytest.mark.browser

SESSION = Some(view=None, controller=None, document=None, loaded=threading.Event())


def app(timeline: Callable[[], object], width: int, height: int, active: bool = True) -> Callable[[], pn.Column]:
    def make() -> pn.Column:
        SESSION.controller = ReplayController(timeline())
        SESSION.view = TrendsView(SESSION.controller, active=active)
        SESSION.document = pn.state.curdoc
        pn.state.onload(SESSION.loaded.set)
        return pn.Column(SESSION.view, width=width, height=height)

    return make


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    pages = {
        "narrow": app(day_of_orders, 408, 430),
        "wide": app(day_of_orders, 1400, 200),
        "behind": app(day_of_orders, 408, 430, active=False),
        "evil": app(lambda: day_of_orders(evil=True), 408, 430),
        "empty": app(lambda: served(FakeTimeline([])), 408, 430),
    }
    return serve(pages)


@pytest.fixture
def opened(visited: Page, address: str) -> Callable[[str], Page]:
    def go(path: str, figures: bool = True) -> Page:
        SESSION.loaded.clear()
        visit(visited, f"{address}/{path}")
        visited.get_by_test_id("trends").wait_for()
        assert SESSION.loaded.wait(timeout=10)
        if figures:
            visited.get_by_test_id("trends-stage-cooking").wait_for()
            visited.wait_for_function(DRAWN)
        return visited

    return go


TRENDS = "globalThis.__twin?.trends?.values().next().value"
DRAWN = f"() => {TRENDS}?.ready()"


def do(act: Callable[[], None]) -> None:
    """Let the session do something in its own turn, and wait until it is done."""
    done = threading.Event()

    def turn() -> None:
        act()
        done.set()

    SESSION.document.add_next_tick_callback(turn)
    assert done.wait(timeout=10)


@pytest.mark.parametrize("path", ["narrow", "wide"])
def test_a_click_on_the_volume_goes_to_that_time_and_the_playhead_stands_there(opened, path):
    page = opened(path)
    box = page.locator(".over").bounding_box()

    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    playhead = page.get_by_test_id("trends-playhead")
    expect(playhead).to_be_visible()
    at = playhead.bounding_box()
    assert at["x"] + at["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=1.5)
    do(lambda: None)  # a turn after the click's message
    assert SESSION.controller.now() == pytest.approx(DAY0 + 12 * HOUR, abs=1.5 * 24 * HOUR / box["width"])
    assert not SESSION.controller.playing


def test_a_bar_tells_its_time_its_orders_and_what_stands_out(opened):
    page = opened("narrow")

    def learn() -> None:
        moment = Some(start=DAY0 + 12 * HOUR, end=DAY0 + 13 * HOUR, title=EVIL, when="Thu 12:00–13:00")
        baseline = Some(orders_per_hour=lambda t: 8.0, stage_time=lambda key, t: 600.0)
        SESSION.controller.learn(Insights(SESSION.controller.timeline, baseline, (moment,)))
        SESSION.view.learn()

    do(learn)
    expect(page.get_by_label("Order volume").get_by_text("usual")).to_be_visible()
    box = page.locator(".over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * (12 * 60 + 7) / 1440, box["y"] + 10)

    tip = page.get_by_test_id("trends-tip")
    expect(tip).to_contain_text("Thu 12:00–12:15")
    expect(tip).to_contain_text("1 order")
    expect(tip).to_contain_text("usually 2.0")
    expect(tip).to_contain_text(EVIL)
    page.mouse.move(box["x"], box["y"] + 400)
    expect(tip.get_by_text("usually")).to_be_hidden()


def test_the_playhead_follows_the_clock_without_a_word_from_the_server(opened):
    page = opened("narrow")
    playhead = page.get_by_test_id("trends-playhead")
    do(lambda: (SESSION.controller.set_speed(1000), SESSION.controller.play()))
    before = playhead.bounding_box()["x"]

    page.wait_for_function(
        "([node, x]) => node.getBoundingClientRect().x > x + 2", arg=[playhead.element_handle(), before]
    )


def test_the_brands_are_sorted_by_a_click_and_their_bars_go_with_them(opened):
    page = opened("narrow")
    first = page.get_by_test_id("trends-brand").first
    expect(first).to_contain_text("Pho Real")
    expect(first).to_contain_text("20")
    expect(first).to_contain_text("$200")
    expect(first).to_contain_text("flat")

    page.get_by_test_id("trends-sort-orders").click()

    expect(first).to_contain_text("Green Ledger")
    expect(page.locator("th.orders")).to_have_attribute("aria-sort", "ascending")
    assert page.evaluate(f"[...{TRENDS}.data('brands', 'brands').right]") == [10, 20]


def test_a_stage_is_chosen_with_a_click_and_told_to_the_session(opened):
    page = opened("narrow")
    ready = page.get_by_test_id("trends-stage-ready")

    ready.click()

    expect(ready).to_have_attribute("aria-pressed", "true")
    comes_to(page, lambda: SESSION.controller.selection.stage, "ready")
    expect(page.get_by_test_id("trends-left-out")).to_have_text("1 over 4 h left out")


def test_trends_behind_a_tab_come_when_they_are_looked_at(opened):
    page = opened("behind", figures=False)
    expect(page.get_by_test_id("trends-stage-cooking")).to_have_count(0)

    do(lambda: SESSION.view.param.update(active=True))

    expect(page.get_by_test_id("trends-stage-cooking")).to_contain_text("10 min")
    page.wait_for_function("node => node.offsetWidth > 50", arg=page.locator(".over").element_handle())


def test_figures_take_the_colours_of_the_theme(opened):
    page = opened("narrow")
    style = page.add_style_tag(content=theme.css())
    colours = f"""async () => {{
      await new Promise((done) => setTimeout(done, 300));  // the theme is taken, and painted, in the frames after it is set
      const canvas = {TRENDS}.figure("volume").canvas_view.primary.canvas;
      const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
      for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) seen.add([d[i], d[i + 1], d[i + 2]].join());
      return [...seen];
    }}"""
    rgb = {
        name: ",".join(str(int(tokens["accent"][k : k + 2], 16)) for k in (1, 3, 5))
        for name, tokens in theme.TOKENS.items()
    }
    light = page.evaluate(colours)
    assert rgb["light"] in light
    assert rgb["dark"] not in light

    page.evaluate("document.documentElement.setAttribute('data-theme', 'dark')")

    dark = page.evaluate(colours)
    assert rgb["dark"] in dark
    assert rgb["light"] not in dark
    style.evaluate("(node) => node.remove()")


def test_a_brand_named_in_markup_is_text(opened):
    page = opened("evil")

    expect(page.get_by_test_id("trends-brand").first).to_contain_text(EVIL)
    expect(page.locator("img")).to_have_count(0)


def test_nothing_to_show_is_said(opened):
    page = opened("empty", figures=False)

    expect(page.get_by_test_id("trends-volume-empty")).to_have_text("No orders in this range")
    expect(page.get_by_test_id("trends-stages-empty")).to_have_text("No stage times in this data")
    expect(page.get_by_test_id("trends-brands-empty")).to_have_text("No brand names in this data")
    expect(page.get_by_test_id("trends-brand")).to_have_count(0)
    assert re.search("0 orders", page.get_by_test_id("trends-volume").get_attribute("aria-label") or "")
