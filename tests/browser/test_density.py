"""A layer of density as a person uses it: chosen, read in the legend, made fainter, kept in a link, gone again."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.operations import DRAWN, MOTION, by_id, choose, clock, settled, until

pytestmark = pytest.mark.browser

MOMENT = "2025-10-17T18:40:00"


def violet(page: Page) -> int:
    """Count the map's pixels that have the density's hue, which nothing else there has."""
    picture = Image.open(io.BytesIO(by_id(page, "map").screenshot()))
    red, green, blue = np.asarray(picture.convert("RGB")).astype(int).transpose(2, 0, 1)
    return int(np.count_nonzero((red > green + 12) & (blue > red + 12)))


def drawn(page: Page, kind: str) -> None:
    """Wait until the picture of a kind is on the map."""
    page.wait_for_function(DRAWN)
    page.wait_for_function(
        f"(kind) => {{ const d = ({MOTION})().density; return d?.kind === kind && d.drawn; }}", arg=kind
    )
    settled(page, lambda: page.evaluate(f"() => ({MOTION})().frames"))


def test_a_layer_is_chosen_read_made_fainter_and_kept_in_a_link(page: Page, address: str) -> None:
    choose(page, address, "sanfrancisco", t=MOMENT)
    page.wait_for_function(DRAWN)
    none = violet(page)
    by_id(page, "map-layers").click()
    kind = page.get_by_role("combobox", name="Density", exact=True)
    expect(page.get_by_test_id("map-density-minutes")).to_be_hidden()
    expect(page.get_by_test_id("map-density-strength")).to_be_hidden()
    kind.select_option("Ways driven")
    page.get_by_role("combobox", name="Of the last").select_option("60 min")
    drawn(page, "ways")
    legend = page.get_by_test_id("map-legend").first
    expect(legend).to_contain_text("Driven in 60 min, once to often")
    full = violet(page)
    assert full > none + 2000
    strength = page.get_by_label("Strength")
    strength.fill("20")
    expect(page).to_have_url(re.compile("density=ways,60,20"))
    until(page, lambda: violet(page) < full / 2, "a fainter layer")
    page.goto(page.url)  # the link
    drawn(page, "ways")
    by_id(page, "map-layers").click()
    expect(page.get_by_label("Strength")).to_have_value("20")
    page.get_by_role("combobox", name="Density", exact=True).select_option("None")
    expect(page.get_by_test_id("map-legend").first).not_to_contain_text("Driven in")
    expect(page).not_to_have_url(re.compile("density="))
    page.goto("about:blank")


def test_ways_follow_the_playhead_and_range_wide_layers_do_not(page: Page, address: str) -> None:
    choose(page, address, "sanfrancisco", t=MOMENT, density="ways,15")
    drawn(page, "ways")
    first = page.evaluate(f"() => ({MOTION})().density.until")
    page.keyboard.press("ArrowRight")  # a step on
    moved = clock(page)
    page.wait_for_function(f"(t) => ({MOTION})().density.until === Math.floor(t / 60) * 60", arg=moved)
    assert moved - moved % 60 > first
    by_id(page, "map-layers").click()
    page.get_by_role("combobox", name="Density", exact=True).select_option("Where drivers wait")
    drawn(page, "waits")
    expect(page.get_by_test_id("map-density-minutes")).to_be_hidden()
    assert page.evaluate(f"() => ({MOTION})().density.until") is None
    expect(page.get_by_test_id("map-legend").first.locator("li").last).to_have_attribute(
        "title", re.compile(r"waited [\d.,]+ h at the kitchen")
    )
    page.goto("about:blank")
