"""Every text of a page as an eye meets it: whether it is whole, large enough, inside the window and free of other texts."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

SLOP = 1.5
"""Pixels by which a text may stand over an edge: glyphs have side bearings, and browsers round."""

CUT_ON_PURPOSE = (
    ".detail, .brands, .basket, .id, .row .name, .row .qualifier, .user .name, .order .value, option, .sentence, "
    "[data-testid=range] .words, td, th.brand"
)
"""Elements whose text comes from data and is of any length: it may be cut, then with an ellipsis."""

LOOK = Path(__file__).with_name("texts.js").read_text("utf-8").partition("\n")[2].rstrip().rstrip(";")


def texts(page: Page | Frame) -> dict[str, Any]:
    """What is wrong with the texts seen now: `problems` (cut, on one another), `small` (below 12 px), and how many there are."""
    return dict(page.evaluate(LOOK, {"slop": SLOP, "loose": CUT_ON_PURPOSE}))
