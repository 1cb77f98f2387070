"""The delivery map: a figure built once, and a motion engine in the browser that moves the drivers on it.

The server sends whole trips, a few times a minute at most, when the browser asks for what it does not hold yet; the browser
interpolates them at its own clock and draws every frame. So a frame costs no message at any speed, a slow client is never
flooded, and what is drawn is `Timeline.at(t)`'s position.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from panel.custom import Child

from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import OUT_FOR_DELIVERY, STAGES, STATES
from twin.render.dense import Extent
from twin.replay.controller import ReplayController
from twin.server.process import process
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.map import answers, fleet, messages, wire
from twin.views.map import density as mapdensity
from twin.views.map.density import KINDS, MINUTES, Density
from twin.views.map.figure import ONLINE, build_figure
from twin.views.map.fleet import Look
from twin.views.map.layers import LAYERS, layers_of, layers_text
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

log = logging.getLogger(__name__)

NO_PLACE = "No coordinates in this data, so no map."


def _frame_of(timeline: Timeline, t: float, view: fleet.Box, extent: Extent) -> tuple[bytes, int]:
    return process.fleets.frame(timeline, t, extent), process.fleets.crowd(timeline, t).inside(view)


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
        default={}, doc="The location: version, name, kitchen (x, y), home extent, ground scale, target, empty text."
    )
    base = param.Dict(
        default={}, doc="Base maps to choose from: `maps` key -> url, label, credit, link, max_zoom; and `chosen`."
    )
    layers = param.Dict(default=dict(LAYERS), doc="Whether each of `LAYERS` is shown.")
    density = param.Dict(
        default=asdict(Density()),
        doc="The layer of density: kind (of `KINDS`, empty: none), minutes, strength in percent.",
    )
    densities = param.List(default=list(KINDS), doc="The kinds that there are answers for; a saved page has not all.")
    spans = param.List(default=list(MINUTES), doc="Minutes to choose from.")
    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )

    _esm = module_source(Path(__file__).with_name("map.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("map.css"))]


class MapView(ReplayView):
    """Kitchen, radius, customers, routes and drivers at the playhead.

    `base_map(location id)` tells where a location's tiles are, None where there is no server to ask.
    """

    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )
    layers_text = param.String(
        default="",
        doc="The layers shown, for an address: names of `LAYERS` with commas, `none`; empty: the usual ones.",
    )
    density_text = param.String(
        default="", doc="The layer of density, for an address: its kind, minutes, percent of strength; empty: none."
    )
    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")
    online = param.Boolean(default=True, doc="Whether base maps from elsewhere are offered, too.")
    has_place = param.Boolean(default=True, doc="Whether there is a kitchen to draw; a layout may give the room away.")

    def __init__(
        self, controller: ReplayController, base_map: Callable[[str], BaseMap | None] | None = None, **params: Any
    ) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._base_map = base_map
        self._figure = build_figure()
        self._version = 0
        self._epoch = -1
        self._held: tuple[float, float] | None = None  # what the browser has, as far as it told
        self._pushed: tuple[float, float] | None = None
        self._pushes = 0
        self._look = Look(0.0, None, -1, False)
        self._frame = MapFrame(
            figure=pn.pane.Bokeh(self._figure.figure, sizing_mode="stretch_both", margin=0),
            dark=self.dark, viewport=self.viewport, layers=layers_of(self.layers_text),
            density=asdict(Density.of(self.density_text)), sizing_mode="stretch_both", margin=0,
        )  # fmt: skip
        self._frame.join(controller)
        self._frame.on_msg(self._on_message)
        self._frame.param.watch(lambda event: self.param.update(viewport=event.new), "viewport")
        self._frame.param.watch(lambda event: self.param.update(layers_text=layers_text(event.new)), "layers")
        self._frame.param.watch(self._take_density, "density")
        self.param.watch(self._pass_on, ["viewport", "dark", "layers_text", "density_text"])
        self.reset()

    def __panel__(self) -> MapFrame:
        return self._frame

    def _pass_on(self, *events: param.parameterized.Event) -> None:
        for event in events:
            if event.name == "layers_text":
                self._frame.layers = layers_of(event.new)
            elif event.name == "density_text":
                self._frame.density = asdict(Density.of(event.new))
            else:
                self._frame.param.update({event.name: event.new})

    def _take_density(self, event: param.parameterized.Event) -> None:
        chosen = event.new
        told = ",".join(str(chosen.get(name, "")) for name in ("kind", "minutes", "strength"))
        self.density_text = Density.of(told).text  # as the browser tells it: only what makes sense

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]  # a moment, not a server
        """Send the trips of a moment to which the playhead has jumped, with everything else that shows it.

        The browser would ask for them a moment later; so it saves a round trip. While the clock runs, it asks in time.
        """
        epoch, t = self._controller.anchor.epoch, snapshot.t
        if epoch == self._epoch:
            return
        self._epoch = epoch
        timeline = self._controller.timeline
        if timeline is None or self._held is None or self._held[0] <= t <= self._held[1]:
            return
        start, end = wire.window_at(t, self._controller.speed)
        self._pushes += 1
        self._look = replace(self._look, t=t)
        window = self._window(timeline, start, end)
        self._held = self._pushed = start, window["to"]
        self._tell("motion", {"pushed": True, **window})

    def reset(self) -> None:
        """Take the controller's timeline: its place, its streets; the browser then asks for its trips."""
        timeline = self._controller.timeline
        if timeline is None:
            return
        self._version += 1
        self._held = self._pushed = None
        self._pushes = 0
        location, kitchen = timeline.location, messages.kitchen_of(timeline)
        self.has_place = kitchen is not None
        if kitchen is None:
            self._figure.show_radius([], [])
            self._frame.scene = {"version": self._version, "empty": NO_PLACE}
            return
        radius = messages.radius_of(location)
        self._figure.show_radius(*(messages.circle(kitchen, radius) if radius else ([], [])))
        scale = messages.ground_scale(location.lat or 0.0)
        routes = self._choose_base(location.id)
        sparse = routes is not None and routes < messages.FEW_ROUTES
        rings = messages.ring_radii(location.radius_m or 4000.0) if sparse else []
        self._figure.show_rings([messages.circle(kitchen, ring / scale) for ring in rings])
        self._frame.scene = {
            "version": self._version,
            "kitchen": kitchen,
            "home": messages.first_view(timeline, kitchen),
            "scale": scale,
            "target": self.target,
            "glyphs": self._controller.settings.glyphs_to,
            "name": location.display_name,
            "empty": "",
        }

    def _choose_base(self, location: str) -> int | None:
        """Offer the base maps, ours first; the settings may name another to begin with. Return how many routes drew ours."""
        maps: dict[str, dict[str, Any]] = {}
        streets = self._base_map(location) if self._base_map else None
        self._figure.show_image(streets.image if streets else None, streets.extent if streets else None)
        if streets is not None:
            credit = f"Streets drawn from {streets.routes:,} delivery route{'s' * (streets.routes != 1)}"
            maps["streets"] = {"url": streets.url, "label": "Streets", "credit": credit, "max_zoom": 18}
        for key, online in ONLINE.items() if self.online else ():
            maps[key] = {
                "url": online.url, "label": online.label, "credit": online.credit, "link": online.link,
                "max_zoom": online.max_zoom,
            }  # fmt: skip
        chosen = self._frame.base.get("chosen", self._controller.settings.tiles)
        self._frame.base = {"maps": maps, "chosen": chosen if chosen in maps else "none"}
        return streets.routes if streets else None

    # -- what the browser asks ---------------------------------------------------------------------------------------------
    def _on_message(self, event: Any) -> None:
        message, timeline = event.data, self._controller.timeline
        if timeline is None or not isinstance(message, dict) or message.get("version") != self._version:
            return
        rows = len(timeline.orders.ids)
        match message:
            case {"ask": "motion", "from": float() | int() as start, "to": float() | int() as end}:
                if not self._is_under_way(message):
                    self._send_window(timeline, float(start), float(end), message)
            case {"ask": "crowd", "t": float() | int() as t, "box": list() as box, "pixel": float() | int() as pixel}:
                if (view := fleet.box_of(box)) is not None and pixel > 0:
                    pn.state.execute(partial(self._send_crowd, timeline, float(t), view, float(pixel)))
            case {
                "ask": "near", "t": float() | int() as t, "x": float() | int() as x, "y": float() | int() as y,
                "reach": float() | int() as reach,
            }:  # fmt: skip
                pn.state.execute(partial(self._send_near, timeline, float(t), (float(x), float(y)), float(reach)))
            case {"ask": "order", "order": int() as order, "t": float() | int() as t} if 0 <= order < rows:
                self._tell("order", {"order": order, **answers.describe(timeline, order, float(t))})
            case {"ask": "place", "order": int() as order} if 0 <= order < rows:
                self._tell("place", answers.place_message(timeline, order))
            case {
                "ask": "stage",
                "stage": str() as stage,
                "from": float() | int() as start,
                "to": float() | int() as end,
            } if stage in STATES and stage != STAGES[OUT_FOR_DELIVERY]:
                self._tell("stage", answers.stage_message(timeline, stage, float(start), float(end)))
            case {"ask": "density", "kind": str() as kind, "minutes": int() as minutes, "t": float() | int() as t} if (
                kind in KINDS and minutes in MINUTES
            ):
                theme = "dark" if self.dark else "light"
                pn.state.execute(partial(self._send_density, timeline, kind, minutes, float(t), theme))
            case {"base": str() as chosen} if chosen in self._frame.base.get("maps", {}):
                self._frame.base = {**self._frame.base, "chosen": chosen}
            case {"selection": _} | {"verb": _}:
                pass  # for the controller, see `Component.join`
            case _:
                log.warning("map: a message that makes no sense was left unanswered")

    def _tell(self, what: str, answer: dict[str, Any]) -> None:
        self._frame._send_msg({"tell": what, "version": self._version, **answer})

    def _is_under_way(self, question: dict[str, Any]) -> bool:
        """Whether a window that was sent with a seek, and had not arrived when the browser asked, answers it."""
        at, pushes = question.get("at"), question.get("pushes", self._pushes)
        if self._pushed is None or not isinstance(at, float | int) or not isinstance(pushes, int):
            return False
        return pushes < self._pushes and self._pushed[0] <= at <= self._pushed[1]

    def _window(self, timeline: Timeline, start: float, end: float, after: float | None = None) -> dict[str, Any]:
        """Return the trips of a window for a browser that looks at `self._look`."""
        chosen = fleet.choose(timeline, start, end, after, self._look, self._controller.settings.dense_from)
        rows = chosen.trips
        motion = timeline.motion(start, end, after=after) if rows is None else timeline.motion_of(rows)
        told = messages.window_message(motion, timeline.orders, self._controller.speed)
        return {"from": start, "to": chosen.end, "after": after, "crowd": chosen.crowd, "within": chosen.within, **told}

    def _send_window(self, timeline: Timeline, start: float, end: float, question: dict[str, Any]) -> None:
        end = min(end, start + messages.LONGEST_WINDOW_S)
        after = question.get("after")
        since = float(after) if isinstance(after, float | int) else None
        self._look = Look.of(question, self._controller.now())
        window = self._window(timeline, start, end, since)
        self._tell("motion", {"number": question.get("number", 0), **window})
        end = window["to"]
        if since is None:
            self._held = start, end
        elif self._held is not None:  # the browser now forgets what has passed
            kept = self._controller.now() - max(wire.KEPT_S, wire.WINDOW_WALL_S * self._controller.speed)
            self._held = max(self._held[0], kept), max(self._held[1], end)

    async def _send_crowd(self, timeline: Timeline, t: float, view: fleet.Box, pixel: float) -> None:
        """Send how many drivers are where at t in a view, from a thread (or from another session's question for the same)."""
        extent = Extent.around(view, pixel)
        frame, inside = await asyncio.to_thread(_frame_of, timeline, t, view, extent)
        most = self._controller.settings.dense_from
        if timeline is self._controller.timeline:
            self._tell("crowd", {
                "t": t, "extent": extent.box, "columns": extent.columns, "rows": extent.rows, "few": fleet.few(inside, most),
                "inside": inside, "packed": np.frombuffer(frame, np.uint8),
            })  # fmt: skip

    async def _send_near(self, timeline: Timeline, t: float, place: tuple[float, float], reach: float) -> None:
        """Send who of a crowd is nearest to a place at t."""
        everyone = await asyncio.to_thread(process.fleets.crowd, timeline, t)
        found = everyone.nearest(*place, reach)
        at = np.flatnonzero(everyone.trip == found)
        if found >= 0 and timeline is self._controller.timeline:
            x, y, order = float(everyone.x[at[0]]), float(everyone.y[at[0]]), int(timeline.trips.order[found])
            self._tell("near", {"t": t, "asked": place, "order": order, "x": x, "y": y})
        elif timeline is self._controller.timeline:
            self._tell("near", {"t": t, "asked": place, "order": -1, "x": 0.0, "y": 0.0})

    async def _send_density(self, timeline: Timeline, kind: str, minutes: int, t: float, theme: str) -> None:
        """Draw a layer of density in a thread (the first of a process compiles for a second) and send it."""
        told = await asyncio.to_thread(mapdensity.message, timeline, kind, minutes, t, theme)
        if timeline is self._controller.timeline:
            self._tell("density", told)
