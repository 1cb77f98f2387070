"""The figures of the trends: each built once with HoloViews; afterwards only its sources and ranges change.

They contain only geometry. Texts (labels, rows, tooltips) are HTML around them, and everything that moves with the playhead
is HTML over them, so that no figure is repainted while a replay plays. Colours are tokens, listed in a part's `tags` as
"property=token"; the browser sets the theme's values (see trends.js).
"""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
from bokeh.models import BasicTicker, FixedTicker, NumeralTickFormatter, PrintfTickFormatter
from bokeh.plotting import figure as Figure

from twin.analysis.brands import BrandFigures
from twin.foundation.stages import COMPLETED, STAGES
from twin.views.shared import figure_backend  # noqa: F401  # how figures are drawn
from twin.views.shared.theme import FONT, TOKENS
from twin.views.trends.data import Floats, StageTimes

MINUTE = 60.0
BAR = 0.36
"""Half the thickness of a brand's bar, in rows."""
BOX = 0.17
"""Half the thickness of a stage's middle half, in rows."""
LABEL_PX = "12px"


def coloured(model: Any, **tokens: str) -> None:
    """Set a model's colour properties to tokens."""
    model.tags = [f"{name}={token}" for name, token in tokens.items()]
    model.update(**{name: TOKENS["light"][token] for name, token in tokens.items()})


def _part(name: str, **tokens: str) -> Callable[[Any, Any], None]:
    """Return a HoloViews hook that names a renderer and sets its colours to tokens."""

    def hook(plot: Any, _element: Any) -> None:
        renderer = plot.handles["glyph_renderer"]
        renderer.name = name
        renderer.nonselection_glyph = renderer.selection_glyph = renderer.muted_glyph = None
        coloured(renderer.glyph, **tokens)

    return hook


def _render(overlay: hv.Overlay) -> Figure:
    """Return a bare figure, without tools, frame, title and margins; callers set up the axes."""
    plain = hv.opts.Overlay(toolbar=None, show_legend=False, show_frame=False, default_tools=[])
    figure: Figure = hv.render(overlay.opts(plain), backend="bokeh")
    figure.tools = []
    figure.toolbar.update(logo=None, active_drag=None, active_scroll=None, active_inspect=None, active_tap=None)
    figure.toolbar_location = None
    figure.js_event_callbacks = {}
    for extent in (figure.x_range, figure.y_range):
        extent.update(js_property_callbacks={}, js_event_callbacks={})
    for axis in figure.axis:
        axis.update(
            axis_label=None, axis_line_color=None, major_tick_line_color=None, minor_tick_line_color=None,
            major_label_text_font=FONT, major_label_text_font_size=LABEL_PX, major_label_standoff=4,
        )  # fmt: skip
        coloured(axis, major_label_text_color="mute")
    for grid in figure.grid:
        grid.grid_line_color = None
    figure.update(
        min_border=0, min_border_left=0, min_border_right=0, min_border_top=0, min_border_bottom=0,
        outline_line_color=None, background_fill_alpha=0.0, border_fill_alpha=0.0, title=None,
        sizing_mode="stretch_both", width=None, height=None, frame_width=None, frame_height=None, aspect_ratio=None,
        # HoloViews asks for WebGL, whose library makes code at run time, which the page's policy forbids, and is slower here
        output_backend="canvas",
    )  # fmt: skip
    return figure


def _named(figure: Figure, name: str) -> Any:
    (renderer,) = (renderer for renderer in figure.renderers if renderer.name == name)
    return renderer


def _write(figure: Figure, name: str, **columns: Any) -> None:
    _named(figure, name).data_source.data = columns


class VolumeFigure:
    """Orders created per bucket as bars, the usual number as a line, moments as faint bands."""

    def __init__(self) -> None:
        nothing = np.zeros(1)
        bands = hv.VSpans((nothing, nothing)).opts(
            fill_alpha=0.16, line_alpha=0, hooks=[_part("moments", fill_color="risk-fill", line_color="risk-fill")]
        )
        bars = hv.Histogram((np.array([0.0, 1.0]), nothing)).opts(
            line_width=0.7, hooks=[_part("bars", fill_color="accent", line_color="panel")]
        )
        usual = hv.Curve((nothing, nothing)).opts(line_width=1.6, hooks=[_part("usual", line_color="ink")])
        self.figure = _render(bands * bars * usual)
        self.figure.yaxis.ticker = BasicTicker(desired_num_ticks=3, mantissas=[1, 2, 5], min_interval=1)
        self.figure.yaxis.formatter = NumeralTickFormatter(format="0,0")
        # labels are set with the ticks as plain text; a `CustomJSTickFormatter` would need the page to allow unsafe-eval
        self.figure.xaxis.formatter = PrintfTickFormatter(format="")
        self._marks = FixedTicker(ticks=[])
        self.figure.xaxis.ticker = self._marks
        grid = self.figure.ygrid[0]
        coloured(grid, grid_line_color="line")
        self.figure.update(min_border_top=4, min_border_right=16)
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
        box = [(0.0, 0.0, 1.0, 1.0)]
        whole = hv.Segments(box).opts(line_width=2, hooks=[_part("whole", line_color="mute")])
        middle = hv.Rectangles(box).opts(line_alpha=0, hooks=[_part("middle")])
        mean = hv.Segments(box).opts(line_width=2, hooks=[_part("mean", line_color="ink")])
        self.figure = _render(whole * middle * mean)
        # fill colours are equal in both themes
        _named(self.figure, "middle").glyph.update(fill_color={"field": "colour"}, line_color=None)
        _named(self.figure, "whole").glyph.update(line_alpha=0.7, line_cap="round")
        self.figure.yaxis.visible = False
        self.figure.xaxis.ticker = BasicTicker(desired_num_ticks=5, mantissas=[1, 2, 5], min_interval=1)
        self.figure.xaxis.formatter = NumeralTickFormatter(format="0")
        coloured(self.figure.xgrid[0], grid_line_color="line")
        self.figure.y_range.update(start=COMPLETED - 0.5, end=-0.5)  # the first stage on top
        self.figure.update(min_border_left=104, min_border_right=62)  # space for the rows' texts

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
        bars = hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]).opts(
            fill_alpha=0.28, line_alpha=0, hooks=[_part("brands", fill_color="accent", line_color="accent")]
        )
        self.figure = _render(hv.Overlay([bars]))
        for axis in self.figure.axis:
            axis.visible = False

    def show(self, brands: list[BrandFigures]) -> None:
        """Draw the brands in the given order."""
        row = np.arange(len(brands), dtype=np.float64)
        orders = np.array([brand.orders for brand in brands], np.float64)
        _write(self.figure, "brands", left=np.zeros(len(row)), right=orders, bottom=row - BAR, top=row + BAR)
        self.figure.x_range.update(start=0.0, end=float(orders.max(initial=1.0)))
        self.figure.y_range.update(start=max(1, len(row)) - 0.5, end=-0.5)
