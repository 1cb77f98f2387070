"""The golden pictures: the operations page in twelve states, as it looked when somebody last said that it looks right.

`make golden` draws them anew. Look at each before it is committed: a picture is the claim that the page should look like that.
They are drawn in the page's own font, paused at one moment of the demo, without motion, so that machines agree. What the map
draws is left out, and so is its scale: where a fit comes to rest depends on what came first.
"""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from skimage.metrics import structural_similarity

from tests.browser.operations import DRAWN, by_id, choose, settled

FOLDER = Path(__file__).with_name("golden")
SIZES = {"laptop": (1440, 900), "wall": (1920, 1080), "phone": (390, 844)}
THEMES = ("light", "dark")
KITCHEN, AT = "chicago", "2025-10-17T12:45:00"
"""The kitchen is slow: the alert, late drivers and every figure are there."""
COLOURS = 128
"""Of a golden picture, so that twelve of them stay small."""
SAME = 0.6
"""Structural similarity of a block below which it looks different: letters moved by two pixels have 0.5, other letters 0.2, the
palette's dithering none below 0.9."""
BLOCK = 32
"""Pixels at the side of a block."""
MOST_BLOCKS = 2
"""So many blocks may differ: where a line's antialiasing falls on the edge of one."""


UNDRAWN = """() => {
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? walk(one.shadowRoot) : [])]);
  for (const one of walk(document))
    if (one.matches(".map > .holder, .map > .edge .scale")) one.style.setProperty("visibility", "hidden", "important");
}"""
"""Hide what the map draws, and its scale."""

UNFOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  at?.blur();
}"""


class State(NamedTuple):
    """What a golden picture shows."""

    size: str
    theme: str
    panel: str

    @property
    def name(self) -> str:
        return "-".join(self)

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.png"


STATES = [State(size, theme, panel) for size in SIZES for theme in THEMES for panel in ("events", "moments")]


def opened(browser: Browser, address: str, theme: str) -> Page:
    """A page of the moment, which takes every size in turn; its context is the caller's to close."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=theme, reduced_motion="reduce", device_scale_factor=1
    )  # type: ignore[arg-type]
    page = context.new_page()
    choose(page, address, KITCHEN, t=AT)
    page.wait_for_function(DRAWN)
    expect(page.locator(".scrubber .mark").first).to_be_visible()
    expect(by_id(page, "alert")).to_have_attribute("data-state", "trouble")  # which takes seconds to work out
    page.evaluate("() => document.fonts.ready")
    page.evaluate(UNDRAWN)
    return page


def pictured(page: Page, state: State) -> Image.Image:
    """The page in that state, once it stands still. The pointer is away, and nothing has the focus."""
    width, height = SIZES[state.size]
    page.set_viewport_size({"width": width, "height": height})
    tab = by_id(page, f"tab-{state.panel}")
    tab.evaluate("(node) => node.click()")
    expect(tab).to_have_attribute("aria-selected", "true")
    if state.size == "phone":
        settled(page, tab.bounding_box)
    if state.size == "wall":  # the trends, which have a place of their own there, come with a message of the server
        expect(by_id(page, "trends-stage-created")).to_be_visible()
    page.mouse.move(0, 0)
    page.evaluate(UNFOCUSED)

    def taken() -> bytes:
        if state.size == "phone":  # the panels stand below the first screen: a picture of each half
            part = by_id(page, "tab-moments" if state.panel == "moments" else "alert")
            part.evaluate("(node) => node.scrollIntoView({ block: 'center', behavior: 'instant' })")
        return page.screenshot()

    shot = settled(page, taken, still_s=0.6)
    return Image.open(io.BytesIO(shot)).convert("RGB")


def similarity(one: Image.Image, other: Image.Image) -> NDArray[np.float64]:
    """How alike two pictures of one size look, by block: (rows, columns) of the mean structural similarity, 1 for equal."""
    grey = [np.asarray(picture.convert("L"), np.float64) for picture in (one, other)]
    colour = [np.asarray(picture, np.float64) for picture in (one, other)]
    _, local = structural_similarity(*grey, full=True, data_range=255)
    # a flat ground has no structure: there a change of colour counts
    local = np.minimum(local, 1 - np.abs(colour[0] - colour[1]).max(axis=2) / 80)
    rows, columns = (length // BLOCK for length in local.shape)
    blocks = local[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float64)


def small(picture: Image.Image) -> Image.Image:
    """A picture in a palette that has its rare colours, too: a late driver's red is a few pixels."""
    return picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def differences(now: Image.Image, golden: Image.Image) -> list[tuple[int, int]]:
    """The left top corners (x, y) of the blocks that look different."""
    if now.size != golden.size:
        return [(0, 0)] * (MOST_BLOCKS + 1)
    return [(int(x) * BLOCK, int(y) * BLOCK) for y, x in np.argwhere(similarity(now, golden) < SAME)]
