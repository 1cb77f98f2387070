"""A click on a stage or state speaks of the same orders in the stage's list, in the Orders tab and on the map."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.raw_orders import MINUTE, NOON, WHOLE, rows_of, timeline_of
from twin.replay.controller import ReplayController
from twin.views.map import answers
from twin.views.map.map import MapView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.shared.modules import module_source

pytestmark = pytest.mark.browser

T = NOON + 300 * MINUTE
"""17:00."""
MAP = "[...globalThis.__twin.motion.values()].at(-1)"
DONE = {f"DONE{k:02d}": -90 + 45 * k for k in range(7)}
"""Whole orders by the minute of their creation: delivered from 11:13 to 15:43, one of them within the last two hours."""


@dataclass
class Session:
    """The server side of the last opened page."""

    timeline: Any = None
    controller: ReplayController | None = None
    document: Any = None
    loaded: threading.Event = field(default_factory=threading.Event)

    def seek(self, t: float) -> None:
        self.document.add_next_tick_callback(lambda: self.controller.seek(t))


SESSION = Session()


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    orders = [rows_of(name, {m: at + by for m, at in WHOLE.items()}) for name, by in DONE.items()]
    orders.append(rows_of("STUCK1", {"created": 10, "started": 12}))  # stalls at 16:12
    orders.append(rows_of("BACK01", {"created": 280, "cancelled": 290, "delivered": 310}))
    orders.append(rows_of("COOKS1", {"created": 290, "started": 292}))
    timeline = SESSION.timeline = timeline_of(tmp_path_factory.mktemp("orders"), *orders)

    def views() -> pn.Column:
        controller = ReplayController(timeline)
        controller.seek(T)
        strip, listed, seen = PipelineView(controller), OrderListView(controller), MapView(controller)
        SESSION.controller, SESSION.document = controller, pn.state.curdoc

        def show() -> None:
            for view in (strip, listed, seen):
                view.show(timeline.at(controller.now()))

        def begin() -> None:
            show()
            SESSION.loaded.set()

        controller.param.watch(lambda _: show(), "anchor")
        pn.state.onload(begin)
        return pn.Column(
            strip, pn.Row(pn.Column(seen, width=700, height=420), pn.Column(listed, width=500, height=420))
        )

    return serve({"orders": views})


@pytest.fixture
def opened(visited: Page, address: str) -> Page:
    SESSION.loaded.clear()
    visit(visited, f"{address}/orders")
    assert SESSION.loaded.wait(timeout=20)
    visited.get_by_test_id("orders-row").first.wait_for()
    visited.wait_for_function(f"() => globalThis.__twin?.motion?.size && {MAP}.held")
    return visited


def said(page: Page, rows: set[str], *, capped: bool = False) -> None:
    """Wait until list, tab and map speak of these orders; of many, the map only of some."""
    numbers = sorted(SESSION.timeline.orders.row_of[name] for name in rows)
    for testid in ("stage-order", "orders-row"):
        expect(page.get_by_test_id(testid)).to_have_count(len(rows))
        found = page.get_by_test_id(testid).evaluate_all("(nodes) => nodes.map((node) => +node.dataset.row)")
        assert sorted(found) == numbers, testid
    if not capped:
        page.wait_for_function(
            f"(rows) => JSON.stringify({MAP}.pins().sort((a, b) => a - b)) === JSON.stringify(rows)", arg=numbers
        )


def test_completed_is_one_set_everywhere(opened: Page) -> None:
    opened.get_by_test_id("stage-completed-pick").click()

    said(opened, set(DONE))
    expect(opened.get_by_test_id("stage-completed-count")).to_have_text(str(len(DONE)))
    expect(opened.get_by_test_id("orders-filter-completed")).to_have_attribute(
        "title", f"Delivered: {len(DONE)} orders delivered since midnight"
    )
    expect(opened.get_by_test_id("map-capped")).to_be_hidden()


def test_a_stalled_order_is_under_stalled_alone(opened: Page) -> None:
    opened.get_by_test_id("stage-stalled").click()
    said(opened, {"STUCK1"})

    opened.get_by_test_id("stage-cooking-pick").click()
    said(opened, {"COOKS1"})


def test_a_cancelled_order_becomes_completed_when_it_is_delivered_after_all(opened: Page) -> None:
    opened.get_by_test_id("stage-cancelled").click()
    said(opened, {"BACK01"})

    SESSION.seek(T + 15 * MINUTE)
    expect(opened.get_by_test_id("stage-completed-count")).to_have_text(str(len(DONE) + 1))
    opened.get_by_test_id("stage-completed-pick").click()
    said(opened, {*DONE, "BACK01"})


def test_of_more_pins_than_can_be_seen_the_map_draws_the_newest_and_says_so(
    opened: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_PINS", 3)

    opened.get_by_test_id("stage-completed-pick").click()

    said(opened, set(DONE), capped=True)
    expect(opened.get_by_test_id("map-capped")).to_have_text("The newest 3 of 7 orders")
    newest = [SESSION.timeline.orders.row_of[name] for name in list(DONE)[-3:]]
    assert opened.evaluate(f"() => {MAP}.pins()") == newest


def test_a_picked_order_that_has_stalled_is_called_so_on_the_map(opened: Page) -> None:
    """The label is drawn, so its text is asked of the function that writes it, with what the server tells of the order."""
    source = module_source(Path(answers.__file__).with_name("questions.js"))
    place = answers.place_message(SESSION.timeline, SESSION.timeline.orders.row_of["STUCK1"])
    text = """([source, place, t]) =>
      import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))
        .then((made) => made.placeText(place, t, null))"""

    told = [opened.evaluate(text, [source, place, NOON + minute * MINUTE]) for minute in (9, 251, 252, 300)]

    assert told == [f"STUCK1 · {words}" for words in ("not ordered yet", "Cooking", "Stalled", "Stalled")]
