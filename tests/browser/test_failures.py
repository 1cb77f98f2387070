"""A panel whose JavaScript fails says so and offers a retry, and no other panel waits: by fault injection, on every panel."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.operations import by_id, choose, comes_to, counts, drawn, moves, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HELPERS = """
  globalThis.__test = {
    models: () => globalThis.Bokeh.documents.flatMap((one) => [...one.all_models])
      .filter((model) => model._esm_watchers && model.class_name !== "PageLink"),
    view(name) {
      const model = this.models().find((one) => one.class_name === name);
      return globalThis.Bokeh.index.find_one(model);
    },
    own(name) { // what this panel alone follows; guard.js itself follows `failure`, `renewals` and `posted`
      const { model } = this.view(name);
      const shared = ["anchor", "selection", "failure", "renewals", "posted", "clock", ...model.children];
      return Object.keys(model._esm_watchers).filter((one) => one in model.data.attributes && !shared.includes(one));
    },
    poison(name) {
      for (const one of this.own(name))
        Object.defineProperty(this.view(name).model.data, one,
          { get() { throw new Error("injected"); }, configurable: true });
    },
    heal(name) {
      const { data } = this.view(name).model;
      for (const one of Object.keys(data.attributes)) delete data[one];
    },
    failed: () => globalThis.__test.models().map((one) => one.class_name)
      .filter((name) => globalThis.__test.notice(name)),
    notice(name) { return this.view(name)?.container?.querySelector('[data-testid="panel-failure"]'); },
    shown(name) {
      const text = (node) => [...node.childNodes].map((one) => one.nodeType === 3 ? one.textContent
        : one.matches?.("style, .bk-Figure, [data-testid$=time]") ? "" : text(one.shadowRoot ?? one)).join("|");
      return text(this.view(name).container);
    },
  };
"""


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    uncaught: list[str] = []
    context.on("weberror", lambda error: uncaught.append(f"{error.error}: {error.error.stack}"))
    choose(page, address, "sanfrancisco", t="2025-10-17T18:30:00")
    expect(by_id(page, "alert")).not_to_contain_text("Looking for trouble", timeout=30_000)
    page.wait_for_function("() => globalThis.__twin.panel === undefined")
    page.evaluate(HELPERS)
    yield page
    context.close()
    assert uncaught == []


def test_a_panel_that_cannot_be_updated_or_drawn_says_so_and_comes_back_whole(opened: Page) -> None:
    def run(script: str, *given: Any) -> Any:
        return opened.evaluate(f"(given) => __test.{script}", *given)

    names = sorted(set(opened.evaluate("() => __test.models().map((one) => one.class_name)")))
    names = [name for name in names if run("own(given).length > 0", name)]
    assert len(names) >= 14
    listening = "() => [...globalThis.__twin.clocks.values()].map((clock) => clock.listeners.size)"
    listeners = opened.evaluate(listening)
    for name in names:
        before = run("shown(given)", name)
        for how in ("update", "draw"):
            run("poison(given)", name)
            if how == "draw":
                opened.evaluate("(name) => __test.view(name).render_esm()", name)
            else:  # as Bokeh does with a message of the server: one change after the other
                opened.evaluate(
                    "(name) => { for (const one of __test.own(name)) "
                    "__test.view(name).model.data.properties[one].change.emit(); }",
                    name,
                )
            until(opened, lambda name=name: run("failed()") == [name], f"{name}: {how}", 5)
            assert "injected" not in run("notice(given).textContent", name)
            assert run("notice(given).querySelector('button').textContent", name) == "Retry"
            run("heal(given)", name)
            run("notice(given).querySelector('button').click()", name)
            until(opened, lambda: run("failed()") == [], f"{name}: retry after {how}", 5)
            comes_to(opened, lambda name=name: run("shown(given)", name), before, 5)
    assert opened.evaluate(listening) == listeners  # what was drawn before has let go
    was, figures = drawn(opened), counts(opened)
    by_id(opened, "play").click()
    moves(opened)
    until(opened, lambda: drawn(opened) != was and counts(opened) != figures, "drivers and figures that go on")
