"""Draws the figures of the trends with HoloViews, with nothing in their data sources.

Imported where figures are drawn, which servers leave to another process (`twin.views.shared.drawn`).
"""

from collections.abc import Callable
from typing import Any

import holoviews as hv
import numpy as np
from bokeh.models import BasicTicker, FixedTicker, NumeralTickFormatter, PrintfTickFormatter
from bokeh.plotting import figure as Figure

from twin.foundation.stages import COMPLETED
from twin.views.shared import figure_backend  # noqa: F401  # how figures are drawn
from twin.views.shared.theme import FONT, TOKENS

LABEL_PX = "12px"


def draw() -> dict[str, Figure]:
    """Return the figures."""
    figures = {"volume": _volume(), "stages": _stages(), "brands": _brands()}
    for figure in figures.values():
        parts: list[Any] = figure.renderers
        for part in parts:
            part.data_source.data = {name: [] for name in part.data_source.data}
    return figures


def _coloured(model: Any, **tokens: str) -> None:
    """Set a model's colour properties to tokens."""
    model.tags = [f"{name}={token}" for name, token in tokens.items()]
    model.update(**{name: TOKENS["light"][token] for name, token in tokens.items()})


def _part(name: str, **tokens: str) -> Callable[[Any, Any], None]:
    """Return a HoloViews hook that names a renderer and sets its colours to tokens."""

    def hook(plot: Any, _element: Any) -> None:
        renderer = plot.handles["glyph_renderer"]
        renderer.name = name
        renderer.nonselection_glyph = renderer.selection_glyph = renderer.muted_glyph = None
        _coloured(renderer.glyph, **tokens)

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
        _coloured(axis, major_label_text_color="mute")
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


def _volume() -> Figure:
    nothing = np.zeros(1)
    bands = hv.VSpans((nothing, nothing)).opts(
        fill_alpha=0.16, line_alpha=0, hooks=[_part("moments", fill_color="risk-fill", line_color="risk-fill")]
    )
    bars = hv.Histogram((np.array([0.0, 1.0]), nothing)).opts(
        line_width=0.7, hooks=[_part("bars", fill_color="accent", line_color="panel")]
    )
    usual = hv.Curve((nothing, nothing)).opts(line_width=1.6, hooks=[_part("usual", line_color="ink")])
    figure = _render(bands * bars * usual)
    figure.yaxis.ticker = BasicTicker(desired_num_ticks=3, mantissas=[1, 2, 5], min_interval=1)
    figure.yaxis.formatter = NumeralTickFormatter(format="0,0")
    # labels are set with the ticks as plain text; a `CustomJSTickFormatter` would need the page to allow unsafe-eval
    figure.xaxis.formatter = PrintfTickFormatter(format="")
    figure.xaxis.ticker = FixedTicker(ticks=[])
    _coloured(figure.ygrid[0], grid_line_color="line")
    figure.update(min_border_top=4, min_border_right=16)
    return figure


def _stages() -> Figure:
    box = [(0.0, 0.0, 1.0, 1.0)]
    whole = hv.Segments(box).opts(line_width=2, hooks=[_part("whole", line_color="mute")])
    middle = hv.Rectangles(box).opts(line_alpha=0, hooks=[_part("middle")])
    mean = hv.Segments(box).opts(line_width=2, hooks=[_part("mean", line_color="ink")])
    figure = _render(whole * middle * mean)
    parts: list[Any] = figure.renderers
    glyphs = {part.name: part.glyph for part in parts}
    # fill colours are equal in both themes
    glyphs["middle"].update(fill_color={"field": "colour"}, line_color=None)
    glyphs["whole"].update(line_alpha=0.7, line_cap="round")
    figure.yaxis.visible = False
    figure.xaxis.ticker = BasicTicker(desired_num_ticks=5, mantissas=[1, 2, 5], min_interval=1)
    figure.xaxis.formatter = NumeralTickFormatter(format="0")
    _coloured(figure.xgrid[0], grid_line_color="line")
    figure.y_range.update(start=COMPLETED - 0.5, end=-0.5)  # the first stage on top
    figure.update(min_border_left=104, min_border_right=62)  # space for the rows' texts
    return figure


def _brands() -> Figure:
    bars = hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]).opts(
        fill_alpha=0.28, line_alpha=0, hooks=[_part("brands", fill_color="accent", line_color="accent")]
    )
    figure = _render(hv.Overlay([bars]))
    for axis in figure.axis:
        axis.visible = False
    return figure
