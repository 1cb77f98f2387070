"""An address with a slip in it: the slip is said in one notice that can be dismissed, and the rest of the address works."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

import twin
from tests.browser.operations import MOST_S, NUMBER, by_id, choose, clock
from twin.foundation.times import seconds, text

pytestmark = pytest.mark.browser

AT = "2025-10-17T18:30:00"


def notice(page: Page) -> str:
    expect(by_id(page, "banner-message")).not_to_have_text("", timeout=1000 * MOST_S)
    return by_id(page, "banner-message").inner_text()


def test_all_that_is_mistyped_is_one_notice_and_the_rest_is_shown(page: Page, address: str) -> None:
    choose(page, address, "sanfrancisco", t=AT, speed="1e9", tab="ordrs", sped="10", order="")
    assert notice(page) == (
        "“1e9” for “speed” is not a number from 0.001 to 1000: the usual one is used. "
        "There is no parameter “sped”. Did you mean “speed”? There is no tab “ordrs”. Did you mean “orders”?"
    )
    expect(by_id(page, "banner")).to_have_attribute("role", "status")
    assert clock(page) == seconds(AT)
    by_id(page, "banner-close").click()
    expect(by_id(page, "banner")).to_be_hidden()


def test_a_range_of_two_centuries_shows_the_days_with_data_and_says_so(page: Page, address: str, demo: str) -> None:
    reach = twin.open(demo).reach("chicago")
    choose(page, address, "chicago", start="1900-01-01", end="2100-01-01")
    assert notice(page) == f"The range was cut to the days with data, {text(reach.start)} to {text(reach.end)}."


def test_a_mistyped_kitchen_is_said_above_the_choice(page: Page, address: str) -> None:
    page.goto(f"{address}/operations?location=chicgo&t={AT}")
    expect(by_id(page, "city-chicago")).to_be_visible()
    assert notice(page) == "There is no kitchen “chicgo”. Did you mean “chicago”?"
    by_id(page, "city-chicago").click()
    expect(by_id(page, "stage-cooking-count")).to_have_text(NUMBER)


def test_a_mistyped_order_is_said_with_the_one_that_is_similar(page: Page, address: str, demo: str) -> None:
    order = twin.open(demo).timeline("sanfrancisco").orders.ids[5].as_py()
    mistyped = order[:-1] + ("x" if order[-1] != "x" else "y")
    choose(page, address, "sanfrancisco", t=AT, order=mistyped)
    assert notice(page) == f"There is no order “{mistyped}”. Did you mean “{order}”?"


@pytest.mark.parametrize(
    "query", [{}, {"o": "1234", "utm_source": "mail"}, {"theme": "dark", "tab": "trends", "layers": "none"}]
)
def test_about_an_address_that_is_right_nothing_is_said(page: Page, address: str, query: dict[str, str]) -> None:
    choose(page, address, "sanfrancisco", t=AT, speed="100", **query)
    expect(by_id(page, "tab-moments")).to_have_text(re.compile(r"\d"))  # the last that the page waits for
    expect(by_id(page, "banner")).to_be_hidden()


def test_a_wall_screen_says_what_its_address_asks_for_in_vain(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(f"{address}/kiosk?locations=chicgo,chicago&speed=5000&seconds=60&pane=map")
    page.wait_for_function("() => __kiosk.front?.beat?.ready === true", timeout=60_000)
    expect(page.get_by_test_id("kiosk-notice")).to_have_text(
        "There is no parameter “pane”. Did you mean “panes”? “5000” for “speed” is not a number from 0.1 to 1000: 1000 is used. "
        "There is no kitchen “chicgo”. Did you mean “chicago”?",
        timeout=10_000,
    )
    context.close()
