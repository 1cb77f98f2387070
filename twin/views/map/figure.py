"""The map's figure: drawn once with GeoViews (`drawing.py`); afterwards only its data sources change.

It contains what does not move: base map, delivery radius and range rings, which are rewritten in place at a change of
location, so that a session uses one figure for its life. The browser draws what moves over it (picture.js): glyphs that
change would make Bokeh repaint at every frame, and it could not dim, hollow or merge single ones at that rate.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bokeh.models import ColumnDataSource
from bokeh.models.renderers import GlyphRenderer, TileRenderer
from bokeh.plotting import figure as Figure

from twin.views.shared.drawn import Drawn
from twin.views.shared.theme import TOKENS

_DRAWN = Drawn("twin.views.map.drawing")

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
        "https://c.tile.openstreetmap.org/{Z}/{X}/{Y}.png",
        "© OpenStreetMap contributors",
        "https://www.openstreetmap.org/copyright",
    ),
    "esri-imagery": OnlineMap(
        "Esri World Imagery",
        "https://server.arcgisonline.com/ArcGIS/rest/services/World_Imagery/MapServer/tile/{Z}/{Y}/{X}.jpg",
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
    """Return a new figure."""
    figure = _DRAWN.copy("map")
    parts: dict[Any, Any] = {renderer.name: renderer for renderer in figure.renderers}
    return MapFigure(figure, parts["tiles"], parts["image"], parts["radius"], parts["rings"])
