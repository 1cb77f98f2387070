"""Two kitchens of a notebook side by side: their panes on one clock, and what differs between them."""

import html

import panel as pn

from twin.analysis.comparison import Comparison
from twin.hub import Hub
from twin.notebook.panes import NotebookReplay
from twin.timeline.timeline import Timeline
from twin.views.differences.differences import DifferencesView

SHOWN = ("pipeline", "kpis", "map")
"""The panes of each side."""


def side_by_side(
    first: tuple[Hub, Timeline], second: tuple[Hub, Timeline], comparison: Comparison, names: tuple[str, str]
) -> pn.Column:
    """Return both sides beside each other, what differs below them, and the one transport of both."""
    one = NotebookReplay(*first)
    other = NotebookReplay(*second, lead=one.controller)
    sides = [
        pn.Column(
            pn.pane.HTML(f"<b>{html.escape(name)}</b>", margin=(0, 0, 4, 4)),
            *(replay.pane(pane) for pane in SHOWN),
            sizing_mode="stretch_width",
            margin=(0, 8, 0, 0),
        )
        for replay, name in zip((one, other), names, strict=True)
    ]
    differences = DifferencesView(one.controller)
    differences.show_comparison(comparison, names)
    return pn.Column(
        pn.Row(*sides, sizing_mode="stretch_width", margin=0), one.pane("timeline"), differences.__panel__(),
        sizing_mode="stretch_width", margin=0,
    )  # fmt: skip
