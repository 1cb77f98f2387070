"""Thousands of kitchens: the first page and the page's bar stay small, and are searched with keys alone."""

from collections.abc import Callable

import panel as pn
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.operations import by_id, comes_to
from tests.fake_timeline import DAY0, HOUR
from twin.pages.operations.choice import KitchenChoice, kitchen_rows
from twin.pages.operations.welcome import WelcomeView
from twin.sources.base import Location
from twin.sources.labels import qualified

pytestmark = pytest.mark.browser

CITIES = ("Łódź", "Oakland", "Perth", "San José")
KITCHENS = qualified(
    [
        Location(f"k{n:04d}", f"{CITIES[n % 4]} {'Central' if n % 100 < 4 else n}", None, None, None, 9000 - n, DAY0, DAY0 + HOUR,
                 city=CITIES[n % 4])
        for n in range(2000)
    ]
)  # fmt: skip
CHOSEN: list[str] = []
ELEMENTS = """() => {
  const count = (root) =>
    [...root.querySelectorAll("*")].reduce((n, one) => n + 1 + (one.shadowRoot ? count(one.shadowRoot) : 0), 0);
  return count(document);
}"""


def listed(page: Page, selected: bool | None = None) -> Locator:
    return page.get_by_role("listbox").get_by_role("option", selected=selected)


def first_page() -> pn.Column:
    CHOSEN.clear()
    view = WelcomeView(CHOSEN.append)
    view.show_locations(KITCHENS)
    return pn.Column(view, sizing_mode="stretch_width")


def bar() -> pn.Row:
    CHOSEN.clear()
    choice = KitchenChoice()

    def show() -> None:  # as the page does it, once a kitchen is chosen
        choice.param.update(kitchens=kitchen_rows(KITCHENS), value="k0007")
        choice.param.watch(lambda event: CHOSEN.append(event.new), "value")

    pn.state.onload(show)
    return pn.Row(choice, sizing_mode="stretch_width")


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    return serve({"welcome": first_page, "bar": bar})


def test_a_kitchen_is_found_among_two_thousand(page: Page, address: str, barriers: Callable[[Page], list[str]]) -> None:
    page.goto(f"{address}/welcome")
    rows = listed(page)
    expect(rows.first).to_contain_text("Łódź Central")
    expect(rows.first).to_have_attribute("aria-setsize", "2000")
    assert page.evaluate(ELEMENTS) < 600
    assert page.evaluate("() => document.documentElement.scrollHeight") < 1.6 * 900
    assert barriers(page) == []

    search = by_id(page, "welcome-search")
    page.get_by_role("listbox").press("End")
    expect(listed(page, selected=True)).to_have_attribute("aria-posinset", "2000")
    by_id(page, "welcome-group").select_option("city")
    by_id(page, "welcome-sort").select_option("name")
    search.fill("central lodz")
    expect(by_id(page, "welcome-found")).to_have_text("20 of 2,000 kitchens")
    expect(listed(page, selected=True)).to_contain_text("id k0000")
    search.press("ArrowDown")
    expect(listed(page, selected=True)).to_contain_text("id k0100")
    assert search.get_attribute("aria-activedescendant") == listed(page, selected=True).get_attribute("id")
    search.press("Enter")
    expect(by_id(page, "city-k0100")).to_contain_text("Opening")
    comes_to(page, lambda: CHOSEN, ["k0100"])
    by_id(page, "city-k0000").dispatch_event("click")
    page.wait_for_timeout(100)
    assert CHOSEN == ["k0100"], "one choice is enough"


def test_what_no_kitchen_has_is_said(page: Page, address: str) -> None:
    page.goto(f"{address}/welcome")
    by_id(page, "welcome-search").fill("<b>atlantis")
    expect(page.get_by_text("No kitchen has “<b>atlantis” in its name, city or id.")).to_be_visible()
    expect(listed(page)).to_have_count(0)


def test_the_bar_takes_what_is_typed(page: Page, address: str, barriers: Callable[[Page], list[str]]) -> None:
    page.goto(f"{address}/bar")
    field = page.get_by_role("combobox", name="Kitchen")
    expect(field).to_have_value("San José 7")
    field.click()
    expect(listed(page, selected=True)).to_have_text("San José 7")
    assert page.evaluate(ELEMENTS) < 200
    assert barriers(page) == []
    page.keyboard.type("perth 19")
    expect(listed(page, selected=True)).to_have_text("Perth 190")
    page.keyboard.press("Escape")
    expect(field).to_have_value("San José 7")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("oakland central")
    page.keyboard.press("ArrowDown")
    expect(listed(page, selected=True)).to_have_text("Oakland Centralid k0101")
    page.keyboard.press("Enter")
    expect(field).to_have_value("Oakland Central (id k0101)")
    expect(listed(page)).to_have_count(0)
    comes_to(page, lambda: CHOSEN, ["k0101"])
