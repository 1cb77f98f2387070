"""The page as a browser has it, at a few moments: its texts hold the relations that Node's drawing of them holds at many."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

import twin
from tests.browser.operations import by_id, choose, settled
from tests.integration.relations import RELATIONS
from tests.integration.shown import Figure, Scene, scenes

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KITCHEN, MOMENTS, SEED = "sanfrancisco", 3, 8
HELD = (
    "a_stage_has_one_number",
    "the_open_orders_add_up",
    "what_was_closed_adds_up",
    "every_figure_says_its_window",
    "durations_are_written_in_one_way",
    "the_words_are_the_numbers",
    "the_alert_is_of_this_moment",
)
"""Relations between texts of panels that the page shows at first, and the Orders tab."""

READ = """() => {
  const found = [];
  const walk = (root, hidden) => { for (const node of root.children) {
    const off = hidden || node.hidden === true;
    const { testid, value, window } = node.dataset ?? {};
    if (testid) found.push({ id: testid, text: node.textContent.trim(), title: node.title ?? "",
      value: value === undefined ? null : Number(value), window: window ?? "", hidden: off });
    if (node.shadowRoot) walk(node.shadowRoot, off);
    walk(node, off);
  } };
  walk(document.body, false);
  return found;
}"""
PARTS = {"pipeline": "stage-", "kpis": "kpi-", "orders": "orders", "alert": "alert"}
"""View -> how the test ids of its elements begin."""


def figures(page: Page) -> dict[str, list[Figure]]:
    every = [Figure(**one) for one in page.evaluate(READ)]
    return {view: [one for one in every if one.id.startswith(begin)] for view, begin in PARTS.items()}


def shown(page: Page, address: str, scene: Scene) -> Scene:
    """Open a scene's moment, and let the scene have what the page shows."""
    window = scene.timeline.window
    moment = {name: datetime.fromtimestamp(t, UTC).isoformat()[:-6] for name, t in
              (("start", window.start), ("end", window.end), ("t", scene.t))}  # fmt: skip
    choose(page, address, KITCHEN, **moment)
    by_id(page, "tab-orders").click()
    page.wait_for_function(f"() => ({READ})().some(({{id, value}}) => id === 'stage-ready-usual' && value > 0)")
    page.wait_for_function(f"() => ({READ})().some(({{id, text}}) => id === 'orders-filter-all' && /\\d/.test(text))")
    scene.figures = settled(page, lambda: figures(page), still_s=0.6)
    return scene


def test_no_two_numbers_of_the_page_disagree(page: Page, address: str, demo: Path) -> None:
    hub = twin.open(demo)
    faults = []
    for scene in scenes("browser", hub, [KITCHEN], MOMENTS, SEED):
        told = shown(page, address, scene)
        assert len(told.figures["pipeline"]) > 30
        assert len(told.figures["kpis"]) > 30
        found = [(name, fault) for name in HELD for fault in RELATIONS[name](told)]
        assert len(found) > 100, "little was compared"
        faults += [f"{name} · {scene}: {fault}" for name, fault in found if fault is not None]
    assert not faults, "\n".join(faults[:40])
