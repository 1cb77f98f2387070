"""Windows high contrast (forced colours): every mark that is nothing but a background is still seen, on black and on white."""

from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.browser.operations import DRAWN, by_id, choose, settled

pytestmark = pytest.mark.browser

AT = "2025-10-17T18:30:00"
SEEN = 40
"""Levels of grey by which a pixel of a mark differs from its ground at least; what is forced away differs by none."""


@pytest.fixture(scope="module", params=["light", "dark"])
def contrasting(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in forced colours, black on white or white on black."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session: CDPSession = context.new_cdp_session(page)
    features = [{"name": "forced-colors", "value": "active"}, {"name": "prefers-color-scheme", "value": request.param}]
    session.send("Emulation.setEmulatedMedia", {"features": features})
    choose(page, address, "sanfrancisco", t=AT)
    page.wait_for_function(DRAWN)
    assert page.evaluate("() => matchMedia('(forced-colors: active)').matches")
    yield page
    context.close()


def pixels(where: Locator) -> "np.ndarray[tuple[int, int, int], np.dtype[np.int16]]":
    """The picture of an element, (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(where.screenshot())).convert("RGB"), np.int16)


def stands_out(where: Locator) -> int:
    """By how many levels the pixels of an element differ from the most frequent colour in it, at most."""
    found = pixels(where).reshape(-1, 3)
    colours, counts = np.unique(found, axis=0, return_counts=True)
    return int(np.abs(found - colours[counts.argmax()]).max())


def test_the_playhead_and_the_bars_of_the_time_line_are_seen(contrasting: Page) -> None:
    page = contrasting
    box = by_id(page, "playhead").bounding_box()
    assert box is not None
    clip = {"x": box["x"] - 12, "y": box["y"] - 3, "width": 24, "height": 10}  # of the knob, below the range's summary
    found = np.asarray(Image.open(BytesIO(page.screenshot(clip=clip))).convert("L"), np.int16)  # type: ignore[arg-type]
    middle, beside = found[:, 11:13].mean(), found[:, [0, -1]].mean()
    assert abs(middle - beside) > SEEN, "the playhead's knob stands on its ground"
    assert stands_out(by_id(page, "scrubber")) > SEEN
    assert page.evaluate(
        "(node) => getComputedStyle(node, '::before').backgroundColor", by_id(page, "playhead").element_handle()
    )


@pytest.mark.parametrize("name", ["kpi-active-cooking", "kpi-active-ready", "kpi-active-out_for_delivery"])
def test_the_bars_of_the_figures_have_their_colours(contrasting: Page, name: str) -> None:
    background = by_id(contrasting, name).evaluate("(node) => getComputedStyle(node).backgroundColor")
    ground = contrasting.evaluate(GROUND)
    assert background not in (ground, "rgba(0, 0, 0, 0)")


GROUND = """() => {
  const node = document.body.appendChild(document.createElement("div"));
  node.style.backgroundColor = "Canvas";
  const { backgroundColor } = getComputedStyle(node);
  node.remove();
  return backgroundColor;
}"""

MARKS: dict[str, str] = {
    "the target on the meter of completion": ".goal",
    "the meter of completion": ".meter i",
    "the ribbon's legend, in time": ".swatches .fine",
    "the ribbon's legend, in short supply": ".swatches .tight",
    "the severity of a moment": ".moment .bar i",
}


@pytest.mark.parametrize("selector", MARKS.values(), ids=MARKS.keys())
def test_a_mark_that_is_a_background_is_no_ground(contrasting: Page, selector: str) -> None:
    by_id(contrasting, "tab-moments").click()
    mark = contrasting.locator(selector).first
    expect(mark).to_be_attached()
    found = mark.evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert found not in (contrasting.evaluate(GROUND), "rgba(0, 0, 0, 0)")


def test_the_legend_of_the_map_and_the_map_itself_have_their_own_ground(contrasting: Page) -> None:
    legend = contrasting.locator(".foot > .legend").first
    expect(legend).to_be_visible()
    for swatch in ("canvas", ".done", ".way"):
        assert stands_out(legend.locator(swatch).first) > SEEN or swatch == ".done"
    done = legend.locator(".done").evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert done not in (contrasting.evaluate(GROUND), "rgba(0, 0, 0, 0)")
    tokens = contrasting.locator(".map:not(.bone)").first.evaluate(
        "(node) => getComputedStyle(node).getPropertyValue('--tw-map').trim()"
    )
    ground = contrasting.locator(".map:not(.bone)").first.evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert ground == "rgb({}, {}, {})".format(*(int(tokens[at : at + 2], 16) for at in (1, 3, 5)))


def test_what_is_pressed_or_chosen_is_told_by_its_ground(contrasting: Page) -> None:
    style: Callable[[Locator], str] = lambda one: one.evaluate("(node) => getComputedStyle(node).backgroundColor")  # noqa: E731
    assert style(by_id(contrasting, "speed-60")) != style(by_id(contrasting, "speed-100"))
    by_id(contrasting, "tab-orders").click()
    chosen = settled(contrasting, lambda: style(by_id(contrasting, "tab-orders")))
    assert chosen != style(by_id(contrasting, "tab-events"))
