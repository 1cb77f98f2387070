"""Draws the map's figure with GeoViews: without toolbar, axes or margin, and with nothing in its data sources.

Imported where a figure is drawn, which servers leave to another process (`twin.views.shared.drawn`).
"""

from typing import Any

import geoviews as gv
import holoviews as hv
import numpy as np
from bokeh.models import ColumnDataSource, PanTool, WheelZoomTool, WMTSTileSource
from bokeh.plotting import figure as Figure

from twin.views.map.figure import BLUE, MAX_SPAN_M, MAX_ZOOM, MIN_SPAN_M
from twin.views.shared import figure_backend  # noqa: F401  # how figures are drawn
from twin.views.shared.theme import TOKENS


def draw() -> dict[str, Figure]:
    """Return the figure, with renderers named tiles, image, radius and rings."""
    parts: dict[str, Any] = {}

    def named(name: str, level: str) -> Any:
        def hook(plot: Any, _element: Any) -> None:
            renderer = plot.handles.get("glyph_renderer") or plot.handles["renderer"]
            renderer.name, renderer.level = name, level
            parts[name] = renderer

        return hook

    corner = np.array([0.0, 1000.0, 1000.0])
    streets = gv.WMTS("tiles/{X}/{Y}/{Z}").opts(hooks=[named("tiles", "image")])
    radius = hv.Polygons([{"x": corner, "y": corner}]).opts(
        fill_color=BLUE, fill_alpha=0.07, line_color=BLUE, line_alpha=0.75, line_dash="dashed", line_width=1.2,
        hooks=[named("radius", "underlay")],
    )  # fmt: skip
    rings = hv.Path([{"x": corner, "y": corner}]).opts(
        color=TOKENS["dark"]["created-fill"], alpha=0.45, line_width=1, hooks=[named("rings", "underlay")]
    )
    plain = hv.opts.Overlay(xaxis=None, yaxis=None, toolbar=None, show_legend=False, show_frame=False, default_tools=[])
    figure: Figure = hv.render((streets * radius * rings).opts(plain), backend="bokeh")

    nowhere = ColumnDataSource({"url": [], "x": [], "y": [], "w": [], "h": []})
    figure.image_url("url", "x", "y", "w", "h", source=nowhere, anchor="top_left", level="image", name="image")
    _strip(figure)
    for name in ("radius", "rings"):
        # selection does not change these glyphs: the browser draws what is selected
        parts[name].nonselection_glyph = parts[name].selection_glyph = parts[name].muted_glyph = None
        parts[name].data_source.data = {"xs": [], "ys": []}
    tiles = parts["tiles"]
    tiles.visible = False
    tiles.tile_source = WMTSTileSource(url="", max_zoom=MAX_ZOOM, attribution="")
    return {"map": figure}


def _strip(figure: Figure) -> None:
    """Remove everything but the map; the view draws its own buttons and credits."""
    figure.toolbar_location = None
    figure.toolbar.logo = None
    pan, wheel = PanTool(), WheelZoomTool(zoom_on_axis=False)
    figure.tools = [pan, wheel]
    figure.toolbar.update(active_drag=pan, active_scroll=wheel, active_inspect=None, active_tap=None)
    # axes and grids, each with models of its own that every session would have
    figure.update(left=[], below=[], center=[])
    figure.update(
        min_border=0, min_border_left=0, min_border_right=0, min_border_top=0, min_border_bottom=0,
        outline_line_color=None, background_fill_alpha=0.0, border_fill_alpha=0.0,
        match_aspect=False, sizing_mode="stretch_both", width=None, height=None, aspect_ratio=None,
        frame_width=None, frame_height=None, title=None, output_backend="canvas",
        stylesheets=[".bk-Panel { display: none; }"],  # the empty frame of Bokeh's tile credit would show in the corner
    )  # fmt: skip
    for extent in (figure.x_range, figure.y_range):
        extent.update(min_interval=MIN_SPAN_M, max_interval=MAX_SPAN_M, js_property_callbacks={}, js_event_callbacks={})
    figure.js_event_callbacks = {}
