"""The page looks as it did when somebody last said that it looks right: twelve states, compared as eyes compare."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Browser, Page

from tests.browser.golden import FOLDER, MOST_BLOCKS, STATES, State, differences, opened, pictured, small

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_BYTES = 1_500_000
SEEN = Path(__file__).parents[2] / "build" / "golden"
"""Where a page that looks different is left, with its differences marked."""


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[str, Page]]:
    page = opened(browser, address, request.param)
    yield request.param, page
    page.context.close()


@pytest.mark.parametrize(("size", "panel"), [(state.size, state.panel) for state in STATES if state.theme == "light"])
def test_the_page_looks_as_it_did(
    themed: tuple[str, Page], size: str, panel: str, request: pytest.FixtureRequest
) -> None:
    theme, page = themed
    state = State(size, theme, panel)
    now = pictured(page, state)
    if request.config.getoption("--draw-golden"):
        small(now).save(state.file, optimize=True)
        return
    found = differences(now, Image.open(state.file).convert("RGB"))
    if len(found) > MOST_BLOCKS:
        SEEN.mkdir(parents=True, exist_ok=True)
        marks = ImageDraw.Draw(now)
        for x, y in found:
            marks.rectangle((x, y, x + 31, y + 31), outline="#ff00ff")
        now.save(SEEN / state.file.name)
    assert len(found) <= MOST_BLOCKS, f"{state.name}: {len(found)} blocks look different: {SEEN / state.file.name}"


def test_every_golden_picture_is_of_a_state_and_all_of_them_are_small() -> None:
    assert {path.name for path in FOLDER.glob("*.png")} == {state.file.name for state in STATES}
    assert len(STATES) == 12
    assert sum(state.file.stat().st_size for state in STATES) < MOST_BYTES


@pytest.fixture
def golden() -> Image.Image:
    return Image.open(State("laptop", "light", "events").file).convert("RGB")


def test_what_looks_the_same_is_no_difference(golden: Image.Image) -> None:
    noise = Image.effect_noise(golden.size, 6).convert("RGB")
    assert differences(ImageChops.add(golden, noise, offset=-128), golden) == []


@pytest.mark.parametrize("by", [(2, 0), (0, 2), (0, 4)])
def test_a_panel_that_is_moved_is_seen(golden: Image.Image, by: tuple[int, int]) -> None:
    panel = golden.crop((1020, 150, 1420, 370))
    moved = golden.copy()
    moved.paste(panel, (1020 + by[0], 150 + by[1]))
    assert len(differences(moved, golden)) > MOST_BLOCKS


def test_a_panel_of_another_colour_or_one_that_is_gone_is_seen(golden: Image.Image) -> None:
    gone = golden.copy()
    gone.paste((255, 255, 255), (1020, 150, 1420, 370))
    assert len(differences(gone, golden)) > MOST_BLOCKS
    dark = golden.copy()
    dark.paste((120, 160, 220), (300, 300, 500, 400))
    assert len(differences(dark, golden)) > MOST_BLOCKS
    assert differences(golden.resize((1440, 899)), golden)
