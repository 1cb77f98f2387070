"""One order looked at by a person: found in the list, read in its panel, visited, walked on from, put away."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from playwright.sync_api import Page, expect

from tests.browser.again import visit
from tests.browser.operations import comes_to
from tests.raw_orders import EVIL, MINUTE, NOON, WHOLE, rows_of, timeline_of
from twin.replay.controller import ReplayController
from twin.views.order.order import OrderView
from twin.views.order_list.order_list import OrderListView

pytestmark = pytest.mark.browser

T = NOON + 33 * MINUTE
LATE = "LATE01"


@dataclass
class Session:
    """The server side of the last opened page."""

    controller: ReplayController | None = None
    document: Any = None
    order: OrderView | None = None
    loaded: threading.Event = field(default_factory=threading.Event)

    def do(self, action: Callable[[], object]) -> None:
        """Let the server do something, as its own tick would."""
        self.document.add_next_tick_callback(action)


SESSION = Session()


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("orders")
    shift = {"EARLY1": -20, LATE: 0, "B": 3, "C": 25, "A": 32.5}
    orders = [
        rows_of(
            name,
            {m: at + by for m, at in WHOLE.items()},
            pings={by + 36.0: 36.0} if name == LATE else None,
            address=EVIL if name == LATE else None,
        )
        for name, by in shift.items()
    ]
    orders.append(rows_of("NEVER1", {"created": 10, "cancelled": 15}, items=[], address=None))
    timeline = timeline_of(folder, *orders)

    def views() -> pn.Row:
        controller = ReplayController(timeline)
        controller.seek(T)
        order, listed = OrderView(controller), OrderListView(controller)
        SESSION.controller, SESSION.document, SESSION.order = controller, pn.state.curdoc, order

        def show() -> None:
            for view in (order, listed):
                view.show(timeline.at(controller.now()))

        def begin() -> None:
            show()
            SESSION.loaded.set()

        controller.param.watch(lambda _: show(), "anchor")
        pn.state.onload(begin)
        sizes = {"width": 408, "height": 620}
        return pn.Row(pn.Column(order, **sizes), pn.Column(listed, **sizes))

    return serve({"orders": views})


@pytest.fixture
def opened(visited: Page, address: str) -> Page:
    SESSION.loaded.clear()
    visit(visited, f"{address}/orders")
    assert SESSION.loaded.wait(timeout=20)
    visited.get_by_test_id("orders-row").first.wait_for()
    return visited


def row(page: Page, name: str):
    return page.get_by_test_id("orders-row").filter(has=page.get_by_text(name, exact=True))


def at(page: Page, minute: float) -> None:
    """Wait until the playhead stands this many minutes after noon, in the browser and on the server."""
    clock = f"[...globalThis.__twin.clocks.values()].at(-1).now() === {NOON + minute * MINUTE}"
    page.wait_for_function(clock)


def test_a_click_in_the_list_opens_the_order_and_a_second_one_closes_it(opened):
    panel = opened.get_by_test_id("order-panel")
    expect(panel).to_be_hidden()

    row(opened, LATE).click()

    expect(panel).to_be_visible()
    expect(opened.get_by_test_id("order-id")).to_have_text(f"Order {LATE}")
    expect(row(opened, LATE)).to_have_attribute("aria-selected", "true")
    row(opened, LATE).click()
    expect(panel).to_be_hidden()
    comes_to(opened, lambda: SESSION.controller.selection.order, "")


def test_the_panel_tells_what_was_known_at_the_playhead_and_marks_the_rest_as_later(opened):
    row(opened, LATE).click()

    expect(opened.get_by_test_id("order-state")).to_have_text("Out for delivery")
    expect(opened.get_by_test_id("order-here")).to_have_text("for 1 min")
    expect(opened.get_by_test_id("order-verdict")).to_have_text("3 min over target")
    expect(opened.get_by_test_id("order-eta")).to_have_text("Arrives about 12:42, in 9 min")
    expect(opened.get_by_test_id("fact-driver-came")).to_contain_text("16 min")
    expect(opened.get_by_test_id("fact-driver-came").get_by_text("later")).to_be_hidden()
    delivery = opened.get_by_test_id("fact-delivery-time")
    expect(delivery).to_contain_text("not yet")
    expect(opened.get_by_test_id("order-event").filter(has_text="Delivered")).to_have_count(0)
    expect(opened.get_by_test_id("order-total")).to_have_text("$29.00")
    SESSION.do(lambda: SESSION.controller.set_hindsight(True))
    expect(delivery).to_contain_text("43 min")
    expect(delivery.get_by_text("later")).to_be_visible()
    expect(opened.get_by_test_id("order-event").filter(has_text="Delivered").get_by_text("later")).to_be_visible()


def test_the_same_panel_follows_the_playhead_by_itself(opened):
    row(opened, LATE).click()
    story = opened.get_by_test_id("order-state")
    expect(story).to_have_text("Out for delivery")
    said = []
    SESSION.order.__panel__().param.watch(said.append, "story")

    for minute, state, verdict in [
        (-5, "Not ordered yet", ""),
        (1, "Created", "1 min since ordered"),
        (10, "Cooking", "10 min since ordered"),
        (20, "Ready", "20 min since ordered"),
        (50, "Delivered", "13 min over target"),
    ]:
        SESSION.do(lambda minute=minute: SESSION.controller.seek(NOON + minute * MINUTE))
        expect(story).to_have_text(state)
        expect(opened.get_by_test_id("order-verdict")).to_have_text(verdict)
    expect(opened.get_by_test_id("fact-delivery-time").get_by_text("later")).to_be_hidden()
    assert said == []


def test_a_bar_a_mark_and_an_event_lead_to_their_moments(opened):
    SESSION.do(lambda: SESSION.controller.set_hindsight(True))  # to what comes later, too
    row(opened, LATE).click()

    opened.get_by_test_id("bar-cooking").click()
    at(opened, 2)
    opened.get_by_test_id("mark-arrived").click()
    at(opened, 30)
    opened.get_by_test_id("order-event").filter(has_text="Delivered").click()
    at(opened, 43)
    opened.get_by_test_id("order-event").filter(has_text="1 position report").click()
    at(opened, 36)
    assert not SESSION.controller.playing


def test_text_from_the_data_is_text(opened):
    row(opened, LATE).click()

    expect(opened.get_by_test_id("fact-address")).to_contain_text(EVIL)
    expect(opened.get_by_test_id("order-items")).to_contain_text(EVIL)
    assert opened.title() != "owned"


def test_a_cancelled_order_without_items_is_shown_with_what_there_is(opened):
    opened.get_by_test_id("orders-filter-cancelled").click()
    row(opened, "NEVER1").click()

    expect(opened.get_by_test_id("order-state")).to_have_text("Cancelled")
    expect(opened.get_by_test_id("fact-delivery")).to_contain_text("5 min after it was made")
    expect(opened.get_by_test_id("mark-cancelled")).to_be_visible()
    expect(opened.get_by_test_id("order-panel")).to_contain_text("Items: not in the data")


def test_next_and_previous_walk_through_the_orders(opened):
    row(opened, LATE).click()

    opened.get_by_test_id("order-next").click()
    expect(opened.get_by_test_id("order-id")).to_have_text("Order B")
    expect(row(opened, "B")).to_have_attribute("aria-selected", "true")
    opened.get_by_test_id("order-previous").click()
    expect(opened.get_by_test_id("order-id")).to_have_text(f"Order {LATE}")
    opened.get_by_test_id("order-previous").click()
    expect(opened.get_by_test_id("order-id")).to_have_text("Order EARLY1")
    opened.get_by_test_id("order-previous").click()
    expect(opened.get_by_role("status")).to_have_text("No earlier order in the loaded range.")


def test_the_keyboard_walks_the_list_and_chooses(opened):
    opened.get_by_test_id("orders-sort-id").click()
    names = opened.get_by_test_id("orders-row").locator(".id")
    expect(names).to_have_text(["A", "B", "C", LATE])
    opened.get_by_test_id("orders-sort-age").focus()

    opened.keyboard.press("Tab")
    expect(opened.get_by_test_id("orders-row").first).to_be_focused()
    opened.keyboard.press("End")
    opened.keyboard.press("ArrowUp")
    expect(opened.get_by_test_id("orders-row").nth(2)).to_be_focused()
    opened.keyboard.press("Enter")

    expect(opened.get_by_test_id("order-id")).to_have_text("Order C")


def test_a_stage_is_filtered_for_and_all_are_shown_again(opened):
    expect(opened.get_by_test_id("orders-row")).to_have_count(4)

    opened.get_by_test_id("orders-filter-ready").click()
    expect(opened.get_by_test_id("orders-row")).to_have_count(1)
    expect(opened.get_by_test_id("orders-filter-ready")).to_have_attribute("aria-pressed", "true")
    comes_to(opened, lambda: SESSION.controller.selection.stage, "ready")

    opened.get_by_test_id("orders-filter-all").click()
    expect(opened.get_by_test_id("orders-row")).to_have_count(4)


def test_late_orders_say_how_late_they_are(opened):
    expect(row(opened, LATE)).to_contain_text("3 min over")
    expect(row(opened, "C").locator(".late")).to_be_hidden()


def test_pointing_at_an_order_tells_the_other_views(opened):
    hovered = "[...globalThis.__twin.selections.values()].at(-1).hovered"
    row(opened, LATE).hover()
    assert opened.evaluate(hovered) == SESSION.controller.timeline.orders.row_of[LATE]

    opened.get_by_test_id("orders-sort-id").hover()
    assert opened.evaluate(hovered) == -1


def test_the_close_button_clears_the_order_and_keeps_the_stage(opened):
    opened.get_by_test_id("orders-filter-ready").click()
    row(opened, "B").click()
    expect(opened.get_by_test_id("order-panel")).to_be_visible()

    opened.get_by_test_id("order-close").click()

    expect(opened.get_by_test_id("order-panel")).to_be_hidden()
    expect(opened.get_by_test_id("orders-row")).to_have_count(1)


def test_an_order_outside_the_range_says_so_and_can_be_put_away(opened):
    SESSION.do(lambda: SESSION.controller.selection.select("0123456789abcdef0123456789abcdef"))
    expect(opened.get_by_test_id("order-away")).to_be_visible()
    expect(opened.get_by_test_id("order-id")).to_have_text("Order 012345")

    opened.get_by_test_id("orders-filter-ready").click()
    expect(opened.get_by_test_id("order-away")).to_be_visible()
    opened.get_by_test_id("order-close").click()

    expect(opened.get_by_test_id("order-panel")).to_be_hidden()
    chosen = SESSION.controller.selection
    comes_to(opened, lambda: (chosen.order, chosen.stage), ("", "ready"))


def test_the_ages_run_on_while_it_plays_without_a_message(opened):
    row(opened, LATE).click()
    expect(opened.get_by_test_id("order-here")).to_have_text("for 1 min")

    SESSION.do(lambda: SESSION.controller.play())

    expect(opened.get_by_test_id("order-here")).to_have_text(re.compile("for [2-9] min"))
