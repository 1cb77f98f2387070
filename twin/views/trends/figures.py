"""The figures of the trends: each drawn once with HoloViews (`drawing.py`); afterwards only its sources and ranges change.

They contain only geometry. Texts (labels, rows, tooltips) are HTML around them, and everything that moves with the playhead
is HTML over them, so that no figure is repainted while a replay plays. Colours are tokens, listed in a part's `tags` as
"property=token"; the browser sets the theme's values (see trends.js).
"""

from typing import Any

import numpy as np
from bokeh.plotting import figure as Figure

from twin.analysis.brands import BrandFigures
from twin.foundation.stages import STAGES
from twin.views.shared.drawn import Drawn
from twin.views.shared.theme import TOKENS
from twin.views.trends.data import Floats, StageTimes

MINUTE = 60.0
BAR = 0.36
"""Half the thickness of a brand's bar, in rows."""
BOX = 0.17
"""Half the thickness of a stage's middle half, in rows."""
_DRAWN = Drawn("twin.views.trends.drawing")


def _named(figure: Figure, name: str) -> Any:
    (renderer,) = (renderer for renderer in figure.renderers if renderer.name == name)
    return renderer


def _write(figure: Figure, name: str, **columns: Any) -> None:
    _named(figure, name).data_source.data = columns


class VolumeFigure:
    """Orders created per bucket as bars, the usual number as a line, moments as faint bands."""

    def __init__(self) -> None:
        self.figure = _DRAWN.copy("volume")
        self._marks: Any = self.figure.xaxis[0].ticker
        self.show_usual(np.empty(0), np.empty(0))
        self.show_moments([])

    def show(self, edges: Floats, counts: Any, ticks: list[tuple[float, str]]) -> None:
        """Draw `counts` (n,) between `edges` (n + 1,), data seconds."""
        start, end = float(edges[0]), float(edges[-1])
        self._top = float(max(counts.max(initial=0), 1))
        _write(self.figure, "bars", left=edges[:-1], right=edges[1:], top=counts.astype(np.float64))
        self.figure.x_range.update(start=start, end=end)
        self.figure.y_range.update(start=0, end=self._top * 1.1)
        self._marks.ticks = [t for t, _ in ticks]
        self.figure.xaxis[0].major_label_overrides = dict(ticks)

    def show_usual(self, x: Floats, y: Floats) -> None:
        """Draw the usual number at `x` (n,) data seconds; NaN is a gap."""
        _write(self.figure, "usual", x=x, y=y)
        if len(y) and not np.isnan(y).all():
            self.figure.y_range.update(end=max(self._top, float(np.nanmax(y))) * 1.1)

    def show_moments(self, spells: list[tuple[float, float]]) -> None:
        """Draw a band for each (start, end), data seconds."""
        _write(self.figure, "moments", x0=[start for start, _ in spells], x1=[end for _, end in spells])


class StagesFigure:
    """The times in each stage: a thin line from P5 to P95, a box over the middle half, the mean across it; minutes."""

    def __init__(self) -> None:
        self.figure = _DRAWN.copy("stages")

    def show(self, stages: list[StageTimes]) -> None:
        """Draw the stages that have times."""
        timed = [stage for stage in stages if stage.quantiles]
        row = np.array([STAGES.index(stage.key) for stage in timed], np.float64)
        low, first, third, high = np.array([s.quantiles for s in timed]).reshape(-1, 4).T / MINUTE
        mean = np.array([s.mean for s in timed], np.float64) / MINUTE
        _write(self.figure, "whole", x0=low, x1=high, y0=row, y1=row)
        colour = [TOKENS["dark"][f"{stage.key}-fill"] for stage in timed]
        _write(self.figure, "middle", left=first, right=third, bottom=row - BOX, top=row + BOX, colour=colour)
        _write(self.figure, "mean", x0=mean, x1=mean, y0=row - 1.6 * BOX, y1=row + 1.6 * BOX)
        self.figure.x_range.update(start=0.0, end=float(high.max(initial=1.0)) * 1.06)


class BrandsFigure:
    """A bar of orders per brand, row by row from the top; the browser moves the rows when they are sorted."""

    def __init__(self) -> None:
        self.figure = _DRAWN.copy("brands")

    def show(self, brands: list[BrandFigures]) -> None:
        """Draw the brands in the given order."""
        row = np.arange(len(brands), dtype=np.float64)
        orders = np.array([brand.orders for brand in brands], np.float64)
        _write(self.figure, "brands", left=np.zeros(len(row)), right=orders, bottom=row - BAR, top=row + BAR)
        self.figure.x_range.update(start=0.0, end=float(orders.max(initial=1.0)))
        self.figure.y_range.update(start=max(1, len(row)) - 0.5, end=-0.5)
