"""The table of differences between two ranges: each figure of both, how far they differ, and whether chance explains it."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.analysis.comparison import LABELS, Comparison
from twin.replay.controller import ReplayController
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

RULE = (
    "Of the whole ranges, wherever the playhead is: half hour by half hour of the kitchens’ clocks. The bar is the 95 % interval "
    "of the difference; where it holds zero, chance explains it."
)


class DifferencesPanel(Component):
    """The table in the browser."""

    rows: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[],
        doc="Each figure as [name, label, first, second, difference, low, high, change], as in `Difference`; empty: none yet.",
    )
    sentence = param.String(default="", doc="What differs, in one sentence; empty: nothing is compared yet.")
    names: list[str] = param.List(default=["First", "Second"], item_type=str, doc="What the two are called.")  # type: ignore[assignment]
    coverage = param.String(default="", doc="How much was compared, a sentence.")
    rule = param.String(default=RULE, doc="What the figures are of.")
    busy = param.Boolean(default=False, doc="Whether the figures are being worked out.")
    problem = param.String(default="", doc="Why nothing is compared, a sentence; empty: it is, or will be.")

    _esm = module_source(Path(__file__).with_name("differences.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("differences.css"))]


class DifferencesView(ReplayView):
    """Shows a comparison, which who made it hands over; it does not change with the playhead."""

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._shown: tuple[Comparison, tuple[str, str]] | None = None
        self._panel = DifferencesPanel(sizing_mode="stretch_width", margin=0)
        self._panel.join(controller)
        self._panel.retry_with(partial(self.retry, controller))

    def __panel__(self) -> DifferencesPanel:
        return self._panel

    def reset(self) -> None:
        """Show again what is shown."""
        if self._shown is not None:
            self.show_comparison(*self._shown)

    def wait(self) -> None:
        """Show that the figures are being worked out; those before stay, marked."""
        self._panel.param.update(busy=True, problem="")

    def fail(self, problem: str) -> None:
        """Show why nothing can be compared."""
        self._shown = None
        self._panel.param.update(busy=False, problem=problem, rows=[], sentence="", coverage="")

    def show_comparison(self, comparison: Comparison, names: tuple[str, str]) -> None:
        """Show a comparison; `names` are short, for the heads of the columns."""
        self._shown = comparison, names
        self._panel.param.update(
            rows=rows_of(comparison), sentence=comparison.sentence, names=list(names), busy=False, problem="",
            coverage=coverage_text(comparison),
        )  # fmt: skip


def rows_of(comparison: Comparison) -> list[list[Any]]:
    """Return `DifferencesPanel.rows`: the figures that the data tells of either, in the order of `LABELS`."""
    found = sorted(comparison.differences, key=lambda one: list(LABELS).index(one.name))
    return [
        [one.name, one.label, one.first, one.second, one.difference, one.low, one.high, one.change]
        for one in found
        if one.first is not None or one.second is not None
    ]


def coverage_text(comparison: Comparison) -> str:
    """Return how much was compared, and what was left out."""
    first, second = comparison.orders
    left = sum(comparison.left_out)
    days = "by weekday" if comparison.by_weekday else "by time of day"
    out = f"; {left:,} orders at times that only one of them covers are left out" if left else ""
    return f"{comparison.hours:g} hours {days}, {first:,} and {second:,} orders{out}."
