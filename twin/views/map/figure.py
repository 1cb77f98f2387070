"""The map's figure: built once with GeoViews, without toolbar, axes or margin; afterwards only its data sources change.

It contains what does not move: base map, delivery radius and range rings, which are rewritten in place at a change of
location, so that a session uses one figure for its life. The browser draws what moves over it (picture.js): glyphs that
change would make Bokeh repaint at every frame, and it could not dim, hollow or merge single ones at that rate.
"""

import functools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import geoviews as gv
import holoviews as hv
import numpy as np
from bokeh.core.property.validation import validate
from bokeh.models import ColumnDataSource, PanTool, WheelZoomTool, WMTSTileSource
from bokeh.models.renderers import GlyphRenderer, TileRenderer
from bokeh.plotting import figure as Figure

from twin.views.shared import figure_backend  # noqa: F401  # how figures are drawn
from twin.views.shared.lean import lean_copy
from twin.views.shared.theme import TOKENS

BLUE = TOKENS["dark"]["out_for_delivery-fill"]
"""Fill colours are equal in both themes, so that the figure need not be repainted when the theme changes."""

MIN_SPAN_M, MAX_SPAN_M = 250.0, 400_000.0
"""Zoom is limited to between a house and a region, in metres: the base map has no more to show."""

MAX_ZOOM = 19


@dataclass(frozen=True, slots=True)
class OnlineMap:
    """An online base map: `url` with {X} {Y} {Z}, and the credit that its terms require."""

    label: str
    url: str
    credit: str
    link: str
    max_zoom: int = 19


ONLINE: dict[str, OnlineMap] = {
    "osm": OnlineMap(
        "OpenStreetMap",
        hv.element.tiles.OSM().data,
        "© OpenStreetMap contributors",
        "https://www.openstreetmap.org/copyright",
    ),
    "esri-imagery": OnlineMap(
        "Esri World Imagery",
        hv.element.tiles.EsriImagery().data,
        "Tiles © Esri, Maxar, Earthstar Geographics and the GIS user community",
        "https://www.esri.com",
    ),
    "esri-gray": OnlineMap(
        "Esri Gray",
        "https://server.arcgisonline.com/ArcGIS/rest/services/Canvas/World_Light_Gray_Base/MapServer/tile/{Z}/{Y}/{X}",
        "Tiles © Esri, HERE, Garmin, © OpenStreetMap contributors and the GIS user community",
        "https://www.esri.com",
        16,
    ),
}
"""Online base maps; no tile is requested from one unless the user or `TWIN_TILES` chooses it."""

ONLINE_ORIGINS = frozenset("{0.scheme}://{0.netloc}".format(urlsplit(online.url)) for online in ONLINE.values())
"""Web origins of their tiles, which a page that offers them lets the browser load."""


@dataclass(frozen=True, slots=True)
class MapFigure:
    """The figure and the parts of it that change."""

    figure: Figure
    tiles: TileRenderer
    image: GlyphRenderer
    radius: GlyphRenderer
    rings: GlyphRenderer

    def show_radius(self, xs: Any, ys: Any) -> None:
        """Draw the delivery radius from two (n,) arrays in Web Mercator metres; empty ones hide it."""
        _write(self.radius, {"xs": [[[xs]]] if len(xs) else [], "ys": [[[ys]]] if len(xs) else []})

    def show_rings(self, rings: list[tuple[Any, Any]]) -> None:
        """Draw range rings, each a pair of arrays in Web Mercator metres."""
        _write(self.rings, {"xs": [x for x, _ in rings], "ys": [y for _, y in rings]})

    def show_image(self, url: str | None, extent: tuple[float, float, float, float] | None) -> None:
        """Show one image (data URL) over (x0, y0, x1, y1) in Web Mercator metres as the base map; None: no image."""
        if url is None or extent is None:
            _write(self.image, {"url": [], "x": [], "y": [], "w": [], "h": []})
            return
        x0, y0, x1, y1 = extent
        _write(self.image, {"url": [url], "x": [x0], "y": [y1], "w": [x1 - x0], "h": [y1 - y0]})


def _write(renderer: GlyphRenderer, data: dict[str, Any]) -> None:
    source = renderer.data_source
    assert isinstance(source, ColumnDataSource)
    source.data = data


def build_figure() -> MapFigure:
    """Return a new figure; every session needs its own, because Bokeh models belong to one document.

    GeoViews takes 0.2 s to draw a figure, so it draws only the first; the others are copies of it.
    """
    with validate(False):  # what it is copied from is checked
        figure = lean_copy(_drawn())
    parts: dict[Any, Any] = {renderer.name: renderer for renderer in figure.renderers}
    return MapFigure(figure, parts["tiles"], parts["image"], parts["radius"], parts["rings"])


@functools.cache
def _drawn() -> Figure:
    """Return the figure that all others are copied from."""
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
    tiles = parts["tiles"]
    tiles.visible = False
    tiles.tile_source = WMTSTileSource(url="", max_zoom=MAX_ZOOM, attribution="")
    for name in ("radius", "rings"):
        _write(parts[name], {"xs": [], "ys": []})
    return lean_copy(figure)  # which is copied in turn with less work


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
