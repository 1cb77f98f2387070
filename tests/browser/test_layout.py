"""Nothing lies upon anything else: at every width of a window each control can be seen whole and pressed."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.operations import DRAWN, choose, settled

pytestmark = pytest.mark.browser

AT = "2025-10-17T18:30:00"
STEP = 80
WIDTHS = sorted({*range(320, 1921, STEP), *range(740, 901, 10), 761, 1000, 1001, 1161, 1321, 1799})
"""In steps from a small phone to a wall, every ten pixels where a tablet stands upright, and where the layout changes."""
HEIGHT = 900
SLOP = 1.0
"""Pixels by which two boxes may overlap: browsers round."""

CONTROLS = """(slop) => {
  const found = [];
  const names = "button, input, select, textarea, a[href], summary, [role=slider]:not([data-testid=scrubber])";
  const walk = (root, hosts, clip) => {
    for (const node of root.children ?? []) {
      const style = getComputedStyle(node);
      if (style.display === "none") continue;
      const box = node.getBoundingClientRect();
      // what an ancestor cuts off is not there; a layout of contents has no box of its own
      const cuts = style.overflow !== "visible" && style.display !== "contents" && style.position !== "fixed";
      const inner = cuts ? meet(clip, box) : clip;
      if (node.matches(names) && node.checkVisibility({ visibilityProperty: true, opacityProperty: true })
          && style.pointerEvents !== "none") {
        const seen = meet(clip, box);
        if (seen.right - seen.left > 2 && seen.bottom - seen.top > 2)
          found.push({ node, name: node.dataset.testid || node.getAttribute("aria-label") || node.title
            || node.textContent.trim().slice(0, 30) || node.tagName, ...seen, hosts: [...hosts, node] });
      }
      walk(node.shadowRoot ?? node, [...hosts, node], inner);
    }
  };
  const meet = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
  walk(document.body, [], { left: 0, top: 0, right: innerWidth, bottom: innerHeight });
  const apart = (a, b) => a.hosts.includes(b.node) || b.hosts.includes(a.node);
  const overlaps = [];
  found.forEach((a, i) => found.slice(i + 1).forEach((b) => {
    const both = meet(a, b);
    const [wide, tall] = [both.right - both.left, both.bottom - both.top];
    if (wide > slop && tall > slop && !apart(a, b))
      overlaps.push(`${a.name} and ${b.name} by ${wide.toFixed(0)} x ${tall.toFixed(0)}`);
  }));
  const cut = found.filter(({ left, right, node }) => right - left < node.getBoundingClientRect().width - slop)
    .map(({ name }) => name);
  return { overlaps, cut, count: found.length };
}"""
"""Every control that can be pressed, without what is cut off: which overlap, which are cut at a side, how many there are.

The scrubber is left out: its marks and handles lie upon it on purpose.
"""


@pytest.fixture(scope="module")
def laid_out(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": HEIGHT})
    page = context.new_page()
    choose(page, address, "sanfrancisco", t=AT)
    page.wait_for_function(DRAWN)
    yield page
    context.close()


def controls(page: Page, width: int) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    return settled(page, lambda: page.evaluate(CONTROLS, SLOP), still_s=0.3)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_two_controls_overlap(laid_out: Page, width: int) -> None:
    found = controls(laid_out, width)
    assert found["count"] > 12
    assert found["overlaps"] == []
