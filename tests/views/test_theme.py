"""Everybody can read the page: the contrast of every token, computed from the definition of WCAG 2.1."""

import colorsys
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from twin.foundation.stages import STAGES
from twin.views.shared import theme, typeface

ROOT = Path(__file__).parents[2]

READ = 4.5
"""WCAG 1.4.3, text of normal size."""

SEEN = 3.0
"""WCAG 1.4.11, marks and the borders of controls."""

THEMES = ("light", "dark")
GROUNDS = ("panel", "bg")


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself_agrees_with_known_pairs():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the grey that famously just fails


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", theme.TEXT)
@pytest.mark.parametrize("mode", THEMES)
def test_text_can_be_read(mode, name, ground):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens[name], tokens[ground]) >= READ


@pytest.mark.parametrize("ground", [*GROUNDS, "map"])
@pytest.mark.parametrize("name", theme.FILLS)
@pytest.mark.parametrize("mode", THEMES)
def test_marks_can_be_seen(mode, name, ground):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens[name], tokens[ground]) >= SEEN


@pytest.mark.parametrize("ground", ["#000000", "#ffffff"])
@pytest.mark.parametrize("name", [name for name, value in theme.CONTRAST.items() if value.startswith("#")])
def test_marks_in_the_users_own_colours_can_be_seen_on_black_and_on_white(name, ground):
    assert contrast(theme.CONTRAST[name], ground) >= SEEN


def test_a_drawing_in_the_users_own_colours_has_every_token_of_a_theme():
    assert {*theme.TOKENS["light"]} - {*theme.CONTRAST} == {
        "halo", "scrim", *(name for name in theme.TEXT if f"{name}-fill" in theme.FILLS)
    }  # fmt: skip


@pytest.mark.parametrize("mode", THEMES)
def test_text_on_the_accent_can_be_read(mode):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens["on-accent"], tokens["accent"]) >= READ


def test_every_stage_has_a_text_and_a_fill_that_are_checked():
    assert set(STAGES) <= set(theme.TEXT)
    assert {f"{stage}-fill" for stage in STAGES} <= set(theme.FILLS)


def test_both_themes_define_the_same_tokens():
    assert set(theme.TOKENS["light"]) == set(theme.TOKENS["dark"])
    assert not set(theme.SCALE) & set(theme.TOKENS["light"])


def test_the_style_sheet_holds_every_token_of_both_themes_and_the_sizes_once():
    css = theme.css()
    for mode in THEMES:
        for name, value in theme.TOKENS[mode].items():
            assert f"--tw-{name}:{value};" in css
    for name, value in theme.SCALE.items():
        assert len(re.findall(rf"--tw-{name}:{re.escape(value)}[;}}]", css)) == 1


def mixed(colour: str, ground: str, share: float) -> str:
    pairs = ((int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(share * one + (1 - share) * other):02x}" for one, other in pairs)


@pytest.mark.parametrize("name", ["accent", "bad", "warn", "good"])
@pytest.mark.parametrize("mode", THEMES)
def test_a_pressed_button_can_be_read_on_the_tint_of_its_own_colour(mode, name):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens[name], mixed(tokens[name], tokens["panel"], 0.12)) >= READ


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mode", THEMES)
def test_a_stage_can_be_read_on_its_own_chip(mode, stage):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens[stage], mixed(tokens[f"{stage}-fill"], tokens["panel"], 0.09)) >= READ


@pytest.mark.parametrize(("ground", "share"), [("accent", 0.16), ("bad", 0.10), ("warn", 0.10)])
@pytest.mark.parametrize("name", ["ink", "mute", "accent", "bad", "warn", "good"])
@pytest.mark.parametrize("mode", THEMES)
def test_text_can_be_read_on_a_selected_row_and_on_an_alert(mode, name, ground, share):
    tokens = theme.TOKENS[mode]
    assert contrast(tokens[name], mixed(tokens[ground], tokens["panel"], share)) >= READ


def hue(colour: str) -> float:
    """Degrees on the colour wheel."""
    return 360 * colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))[0]


def vividness(colour: str) -> float:
    """The saturation of HSV times the value: how far a colour is from grey and black, 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return max(channels) - min(channels)


@pytest.mark.parametrize("name", ["warn", "ready", "ready-fill", "risk-fill", "cooking", "cooking-fill"])
@pytest.mark.parametrize("mode", THEMES)
def test_amber_is_no_mud(mode, name):
    """A yellow that is darkened until it can be read is olive; an amber stays amber: between red and yellow, and vivid."""
    colour = theme.TOKENS[mode][name]
    assert 20 <= hue(colour) <= (50 if mode == "dark" else 41)
    assert vividness(colour) >= 0.55


@pytest.mark.parametrize("size", [name for name in theme.SCALE if name.startswith("text-")])
def test_no_text_is_written_smaller_than_twelve_pixels(size):
    assert float(theme.SCALE[size].removesuffix("px")) >= 12


SMALL = re.compile(r"font(?:-size)?:[^;{}]*?(?<![\d.])(\d+(?:\.\d+)?)px")


@pytest.mark.parametrize("sheet", sorted((ROOT / "twin").rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_of_a_view_writes_smaller(sheet):
    sizes = [float(size) for size in SMALL.findall(sheet.read_text("utf-8"))]
    assert [size for size in sizes if size < 12] == []


def test_the_font_has_every_letter_of_the_page_and_figures_of_one_width():
    font = TTFont(typeface.FILE)
    letters = {*font.getBestCmap()}
    texts = [path.read_text("utf-8") for kind in ("*.js", "*.html") for path in (ROOT / "twin").rglob(kind)]
    needed = {ord(letter) for text in texts for letter in text if letter.isprintable() and not letter.isspace()}
    assert sorted(map(chr, needed - letters)) == []
    assert "tnum" in {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
    assert typeface.FILE.stat().st_size < 120_000
    assert "OPEN FONT LICENSE" in typeface.FILE.with_name("OFL.txt").read_text("utf-8")
    assert theme.FONT.startswith(typeface.FAMILY)
