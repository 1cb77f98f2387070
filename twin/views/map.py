"""The delivery map: a figure built once, and a motion engine in the browser that moves the drivers on it.

The server sends whole trips, a few times a minute at most, when the browser asks for what it does not hold yet; the browser
interpolates them at its own clock and draws every frame. So a frame costs no message at any speed, a slow client is never
flooded, and what is drawn is `Timeline.at(t)`'s position.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import panel as pn
import param
from panel.custom import Child

from twin.errors import ConfigError
from twin.replay.controller import ReplayController
from twin.stages import OUT_FOR_DELIVERY, STAGE_LABELS, STAGES
from twin.views import mapdata
from twin.views.component import Component, module_source, style_source
from twin.views.mapfigure import ONLINE, build_figure
from twin.views.view import ReplayView
from twin.words import short_id

if TYPE_CHECKING:
    from twin.timeline import Timeline

log = logging.getLogger(__name__)

NO_PLACE = "No coordinates in this data: without routes or a kitchen position there is nothing to draw on a map."


@dataclass(frozen=True, slots=True)
class BaseMap:
    """The streets of a location, and how many routes drew them.

    `url` is a tile address with {theme}, {dense}, {X}, {Y} and {Z}. Where no server answers for tiles it is None, and
    `image` is one picture (a data URL) over `extent` (x0, y0, x1, y1), Web Mercator metres.
    """

    url: str | None
    routes: int
    image: str | None = None
    extent: tuple[float, float, float, float] | None = None


class MapFrame(Component):
    """The figure in its frame: it moves the drivers, draws routes, trails and pins, and holds the map's buttons."""

    figure = Child(doc="The figure; it stays the same for the session's life.")
    scene = param.Dict(
        default={}, doc="The location: version, name, kitchen (x, y), home extent, ground scale, empty text."
    )
    base = param.Dict(
        default={}, doc="Base maps to choose from: `maps` key -> url, label, credit, link, max_zoom; and `chosen`."
    )
    layers = param.Dict(default={}, doc="Which of routes, customers and trails are shown; all unless told otherwise.")
    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )

    _esm = module_source("motion.js", "mapdraw.js", "map.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("map.css")]


class MapView(ReplayView):
    """Kitchen, radius, customers, routes and drivers at the playhead.

    `base_map(location id)` tells where a location's tiles are, None where there is no server to ask.
    """

    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )

    def __init__(
        self, controller: ReplayController, base_map: Callable[[str], BaseMap | None] | None = None, **params: Any
    ) -> None:
        super().__init__(**params)
        self._controller = controller
        self._base_map = base_map
        self._figure = build_figure()
        self._version = 0
        self._frame = MapFrame(
            figure=pn.pane.Bokeh(self._figure.figure, sizing_mode="stretch_both", margin=0),
            dark=self.dark, viewport=self.viewport, sizing_mode="stretch_both", margin=0,
        )  # fmt: skip
        self._frame.join(controller)
        self._frame.on_msg(self._on_message)
        self._frame.param.watch(lambda event: self.param.update(viewport=event.new), "viewport")
        self.param.watch(lambda event: self._frame.param.update({event.name: event.new}), ["viewport", "dark"])
        self.reset()

    def __panel__(self) -> MapFrame:
        return self._frame

    def reset(self) -> None:
        """Take the controller's timeline: its place, its streets; the browser then asks for its trips."""
        timeline = self._controller.timeline
        if timeline is None:
            return
        self._version += 1
        location, kitchen = timeline.location, mapdata.kitchen_of(timeline)
        if kitchen is None:
            self._figure.show_radius([], [])
            self._frame.scene = {"version": self._version, "empty": NO_PLACE}
            return
        radius = mapdata.radius_of(location)
        self._figure.show_radius(*(mapdata.circle(kitchen, radius) if radius else ([], [])))
        scale = mapdata.ground_scale(location.lat or 0.0)
        routes = self._choose_base(location.id)
        sparse = routes is not None and routes < mapdata.FEW_ROUTES
        rings = mapdata.ring_radii(location.radius_m or 4000.0) if sparse else []
        self._figure.show_rings([mapdata.circle(kitchen, ring / scale) for ring in rings])
        self._frame.scene = {
            "version": self._version,
            "kitchen": kitchen,
            "home": mapdata.first_view(timeline, kitchen),
            "scale": scale,
            "name": location.display_name,
            "empty": "",
        }

    def _choose_base(self, location: str) -> int | None:
        """Offer the base maps, ours first; TWIN_TILES names another to begin with. Return how many routes drew ours."""
        wanted = os.environ.get("TWIN_TILES", "streets")
        if wanted != "streets" and wanted not in ONLINE:
            raise ConfigError(f"TWIN_TILES is {wanted!r}; it can be streets, {', '.join(ONLINE)}.")
        maps: dict[str, dict[str, Any]] = {}
        streets = self._base_map(location) if self._base_map else None
        self._figure.show_image(streets.image if streets else None, streets.extent if streets else None)
        if streets is not None:
            credit = f"Streets drawn from {streets.routes:,} delivery route{'s' * (streets.routes != 1)}"
            maps["streets"] = {"url": streets.url, "label": "Streets", "credit": credit, "max_zoom": 18}
        for key, online in ONLINE.items():
            maps[key] = {
                "url": online.url, "label": online.label, "credit": online.credit, "link": online.link,
                "max_zoom": online.max_zoom,
            }  # fmt: skip
        chosen = self._frame.base.get("chosen", wanted)
        self._frame.base = {"maps": maps, "chosen": chosen if chosen in maps else "none"}
        return streets.routes if streets else None

    # -- what the browser asks ---------------------------------------------------------------------------------------------
    def _on_message(self, event: Any) -> None:
        message, timeline = event.data, self._controller.timeline
        if timeline is None or not isinstance(message, dict) or message.get("version") != self._version:
            return
        match message:
            case {"ask": "motion", "from": float() | int() as start, "to": float() | int() as end}:
                self._send_window(timeline, float(start), float(end), message.get("after"), message.get("number", 0))
            case {"ask": "order", "order": int() as order, "t": float() | int() as t} if (
                0 <= order < len(timeline.orders.ids)
            ):
                self._frame._send_msg({"tell": "order", "order": order, **describe(timeline, order, float(t))})
            case {"base": str() as chosen} if chosen in self._frame.base.get("maps", {}):
                self._frame.base = {**self._frame.base, "chosen": chosen}
            case _:
                log.warning("map: a message that makes no sense was left unanswered")

    def _send_window(self, timeline: "Timeline", start: float, end: float, after: Any, number: int) -> None:
        end = min(end, start + mapdata.LONGEST_WINDOW_S)
        since = float(after) if isinstance(after, float | int) else None
        window = mapdata.window_message(
            timeline.motion(start, end, after=since), timeline.orders, self._controller.speed
        )
        self._frame._send_msg(
            {
                "tell": "motion",
                "version": self._version,
                "number": number,
                "from": start,
                "to": end,
                "after": since,
                **window,
            }
        )


def describe(timeline: "Timeline", order: int, t: float) -> dict[str, Any]:
    """Return what a tooltip says of an order at t: plain texts; the browser puts them in as text, never as markup."""
    snapshot = timeline.at(t)
    items = timeline.orders.items(order)
    brands = ", ".join(dict.fromkeys(item.brand for item in items if item.brand))
    count = int(sum(item.qty for item in items))
    stage = snapshot.stage[snapshot.order == order]
    told: dict[str, Any] = {
        "id": short_id(timeline.orders.ids[order].as_py()),
        "items": f"{count} item{'s' * (count != 1)}{f' from {brands}' if brands else ''}" if count else "",
        "address": timeline.orders.address(order),
        "stage": STAGE_LABELS[STAGES[int(stage[0])]] if len(stage) else "",
    }
    mine = np.flatnonzero(snapshot.drivers.order == order)
    if len(stage) and int(stage[0]) == OUT_FOR_DELIVERY and len(mine):
        at = mine[0]
        eta = float(snapshot.drivers.eta[at])
        told |= {
            "progress": round(float(snapshot.drivers.progress[at]) * 100),
            "eta": None if np.isnan(eta) else eta,
            "measured": bool(snapshot.drivers.measured[at]),
        }
    return told
