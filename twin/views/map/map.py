"""The delivery map: a figure built once, and a motion engine in the browser that moves the drivers on it.

The server sends complete trips, a few times a minute at most, when the browser requests those it lacks. The browser
interpolates them by its own clock and draws every frame. So frames cost no messages at any speed, a slow client is never
flooded, and drivers are drawn exactly where `Timeline.at(t)` has them.
"""

import base64
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray
from panel.custom import Child

from twin.foundation.cache import shared
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import OUT_FOR_DELIVERY, STAGES, STATES
from twin.render.dense import Extent
from twin.replay.controller import ReplayController
from twin.server.newest import Newest
from twin.server.process import process
from twin.server.threads import drawings
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.map import answers, fleet, messages, wire
from twin.views.map import density as mapdensity
from twin.views.map.density import KINDS, MINUTES, Density
from twin.views.map.figure import ONLINE, build_figure
from twin.views.map.fleet import Viewed
from twin.views.map.layers import LAYERS, layers_of, layers_text
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

log = logging.getLogger(__name__)

WHOLE_S = 10.0
"""A live page is sent the trips of so many whole data seconds, so that a page beside it is sent the same."""
NO_PLACE = "No coordinates in this data, so no map."
NO_KITCHEN = "The data does not tell where the kitchen is. Choose a stage, an order or a density to see customers."


def viewport_of(values: list[Any]) -> list[float]:
    """Return a viewport, [lon, lat, zoom], as the browser reports it; empty if it is none on earth.

    >>> viewport_of([-122.4, 37.8, 12]), viewport_of([-122.4, "37.8", 12]), viewport_of([181, 0, 3])
    ([-122.4, 37.8, 12.0], [], [])
    """
    match values:
        case [int() | float() as lon, int() | float() as lat, int() | float() as zoom]:
            inside = abs(lon) <= 180 and abs(lat) <= 85.06 and 0 <= zoom <= 24  # false for NaN
            return [float(lon), float(lat), float(zoom)] if inside else []
    return []


@shared()
def _all_trips(timeline: Timeline, start: float, end: float, fast: bool) -> dict[str, Any]:
    return messages.window_message(
        timeline.motion(start, end), timeline.orders, messages.COARSE_FROM if fast else messages.COARSE_FROM / 2
    )


def _frame_of(timeline: Timeline, t: float, view: fleet.Box, extent: Extent) -> tuple[bytes, int]:
    return process.fleets.frame(timeline, t, extent), process.fleets.fleet(timeline, t).inside(view)


@dataclass(frozen=True, slots=True)
class OwnMap:
    """A map of a file of the user's own: its tile address, as in `BaseMap`, what it is called and who made it (plain texts)."""

    url: str
    label: str
    credit: str
    names: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class BaseMap:
    """The base map of a location, and the number of routes that it is drawn from.

    `url` is a tile address with {theme}, {dense}, {X}, {Y} and {Z}. Without a tile server it is None, and `image` is one
    picture (a data URL) over `extent` (x0, y0, x1, y1), Web Mercator metres.
    """

    url: str | None
    routes: int
    image: str | None = None
    extent: tuple[float, float, float, float] | None = None
    names: Sequence[Mapping[str, Any]] = ()
    """What the browser writes on it: text, kind, rank (1 is written first), and `at`, [x, y] or a line [x0, y0, x1, y1, …]."""
    problem: str = ""
    """Sentences about what could not be drawn, for the credit."""
    file: OwnMap | None = None
    """The map of the user's own file."""


class MapFrame(Component):
    """The map in the browser: the figure, the moving drivers, routes, trails and pins over it, and the map's buttons."""

    figure = Child(doc="The figure; it stays the same for the session's life.")
    scene = param.Dict(
        default={}, doc="The location: version, name, kitchen (x, y), home extent, ground scale, target, empty text."
    )
    base = param.Dict(
        default={},
        doc="Base maps to choose from: `maps` key -> url, label, credit, link, max_zoom, names; and `chosen`.",
    )
    layers = param.Dict(default=dict(LAYERS), doc="Whether each of `LAYERS` is shown.")
    density = param.Dict(
        default=asdict(Density()),
        doc="The layer of density: kind (of `KINDS`, empty: none), minutes, strength in percent.",
    )
    densities = param.List(default=list(KINDS), doc="The kinds that can be chosen; a saved page does not have all.")
    spans = param.List(default=list(MINUTES), doc="Minutes to choose from.")
    ghost: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="The second, paler fleet: `number` (another one for each), `label`, and `beside`, how its day lies on this one "
        "(`Alignment.to_browser`). Empty: none.",
    )
    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )

    from_browser: ClassVar[tuple[str, ...]] = ("viewport", "layers", "density")
    _esm = module_source(Path(__file__).with_name("map.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("map.css"))]


class MapView(ReplayView):
    """Kitchen, radius, customers, routes and drivers at the playhead.

    `base_map(location id)` returns a location's base map; None without a server for tiles.
    """

    dark = param.Boolean(default=False, doc="Whether the page is dark.")
    viewport = param.List(
        default=[], doc="Centre and zoom that the user chose: [lon, lat, zoom]; empty: the first view."
    )
    layers_text = param.String(
        default="",
        doc="The layers shown, for an address: names of `LAYERS` with commas, `none`; empty: the default.",
    )
    density_text = param.String(
        default="", doc="The layer of density, for an address: its kind, minutes, percent of strength; empty: none."
    )
    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")
    online = param.Boolean(default=True, doc="Whether online base maps are offered, too.")
    as_text = param.Boolean(default=False, doc="Whether columns are sent as text, to a browser whom no bytes reach.")
    has_place = param.Boolean(default=True, doc="Whether anything has a position; without one, a layout hides the map.")

    def __init__(
        self, controller: ReplayController, base_map: Callable[[str], BaseMap | None] | None = None, **params: Any
    ) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._base_map = base_map
        self._figure = build_figure()
        self._version = 0
        self._epoch = -1
        self._browser_window: tuple[float, float] | None = None  # what the browser has received
        self._pushed_window: tuple[float, float] | None = None
        self._pushes = 0
        self._ghosts = 0
        self._viewed = Viewed(0.0, None, -1, False)
        self._questions = {kind: Newest() for kind in ("crowd", "near", "density")}
        self._frame = MapFrame(
            figure=pn.pane.Bokeh(self._figure.figure, sizing_mode="stretch_both", margin=0),
            dark=self.dark, viewport=self.viewport, layers=layers_of(self.layers_text),
            density=asdict(Density.of(self.density_text)), sizing_mode="stretch_both", margin=0,
        )  # fmt: skip
        self._frame.join(controller)
        self._frame.retry_with(partial(self.retry, controller))
        self._frame.on_msg(self._on_message)
        self._frame.param.watch(lambda event: self.param.update(viewport=viewport_of(event.new)), "viewport")
        self._frame.param.watch(lambda event: self.param.update(layers_text=layers_text(event.new)), "layers")
        self._frame.param.watch(self._take_density, "density")
        self.follow(controller, "ghost", self._show_ghost)
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
        text = ",".join(str(chosen.get(name, "")) for name in ("kind", "minutes", "strength"))
        self.density_text = Density.of(text).text  # parsed, because the browser's values are not trusted

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]  # Viewer.show starts a server
        """After a seek, send the trips of the new time in the same message as everything else.

        That saves the round trip in which the browser would request them. While the clock runs, it requests them in time.
        """
        epoch, t = self._controller.anchor.epoch, snapshot.t
        if epoch == self._epoch:
            return
        self._epoch = epoch
        timeline = self._controller.timeline
        if timeline is None or self._browser_window is None or self._browser_window[0] <= t <= self._browser_window[1]:
            return
        start, end = wire.window_at(t, self._controller.anchor.rate)
        self._pushes += 1
        self._viewed = replace(self._viewed, t=t)
        window = self._window(timeline, start, end)
        self._browser_window = self._pushed_window = start, window["to"]
        self._send("motion", {"pushed": True, **window})

    def _show_ghost(self) -> None:
        """Say which moments of another day its drivers are shown of; the browser then requests their trips."""
        ghost = self._controller.ghost
        if ghost is None or ghost.align is None or ghost.timeline is None:
            if self._frame.ghost:
                self._frame.ghost = {}
            return
        self._ghosts += 1
        self._frame.ghost = {"number": self._ghosts, "label": ghost.label, "beside": ghost.align.pieces.to_browser()}

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline: send the trips around the playhead anew."""
        timeline = self._controller.timeline
        if timeline is None or self._browser_window is None:
            return
        if len(inserted):
            self._version += 1
            self._frame.scene = {**self._frame.scene, "version": self._version, "inserted": inserted.tolist()}
        speed = self._controller.anchor.rate
        start, end = wire.window_at(self._controller.now(), speed)
        # pages that follow are at nearly the same moment, and what is sent to one is sent to all
        start, end = np.floor(start / WHOLE_S) * WHOLE_S, np.ceil(end / WHOLE_S) * WHOLE_S
        self._pushes += 1
        window = self._window(timeline, float(start), float(end))
        self._browser_window = self._pushed_window = window["from"], window["to"]
        self._send("motion", {"pushed": True, "grown": True, "inserted": inserted.tolist(), **window})

    def reset(self) -> None:
        """Use the controller's timeline: send its place and base map; the browser then requests its trips."""
        timeline = self._controller.timeline
        if timeline is None:
            return
        self._version += 1
        self._browser_window = self._pushed_window = None
        self._pushes = 0
        location, origin = timeline.location, timeline.origin
        kitchen = messages.origin_of(timeline)
        known = messages.kitchen_of(timeline) is not None
        self.has_place = kitchen is not None
        if kitchen is None or origin is None:
            self._figure.show_radius([], [])
            self._figure.show_rings([])
            self._frame.scene = {"version": self._version, "empty": NO_PLACE}
            return
        radius = messages.radius_of(location)
        self._figure.show_radius(*(messages.circle(kitchen, radius) if radius else ([], [])))
        scale = origin.scale
        routes = self._choose_base(location.id)
        sparse = known and routes is not None and routes < messages.FEW_ROUTES
        rings = messages.ring_radii(location.radius_m or 4000.0) if sparse else []
        self._figure.show_rings([messages.circle(kitchen, ring / scale) for ring in rings])
        self._frame.scene = {
            "version": self._version,
            "kitchen": kitchen,
            "known": known,
            "note": "" if known else NO_KITCHEN,
            "home": messages.first_view(timeline, kitchen),
            "scale": scale,
            "target": self.target,
            "glyphs": self._controller.settings.glyphs_to,
            "name": location.display_name,
            "empty": "",
        }

    def _choose_base(self, location: str) -> int | None:
        """Offer the base maps, ours first, and choose that of the settings. Return the number of routes in ours."""
        maps: dict[str, dict[str, Any]] = {}
        streets = self._base_map(location) if self._base_map else None
        self._figure.show_image(streets.image if streets else None, streets.extent if streets else None)
        if streets is not None:
            credit = f"Streets drawn from {streets.routes:,} delivery route{'s' * (streets.routes != 1)}" * (
                streets.routes > 0
            )
            maps["streets"] = {
                "url": streets.url, "label": "Streets", "credit": ". ".join(filter(None, [credit, streets.problem])),
                "max_zoom": 18, "names": streets.names,
            }  # fmt: skip
            if (own := streets.file) is not None:
                maps["file"] = {
                    "url": own.url, "label": own.label, "credit": own.credit, "max_zoom": 18, "names": own.names,
                }  # fmt: skip
        for key, online in ONLINE.items() if self.online else ():
            maps[key] = {
                "url": online.url, "label": online.label, "credit": online.credit, "link": online.link,
                "max_zoom": online.max_zoom,
            }  # fmt: skip
        chosen = self._frame.base.get("chosen", self._controller.settings.tiles)
        if chosen == "file" and chosen not in maps:  # it cannot be used, which the credit says
            chosen = "streets"
        self._frame.base = {"maps": maps, "chosen": chosen if chosen in maps else "none"}
        return streets.routes if streets else None

    # -- requests from the browser -----------------------------------------------------------------------------------------
    def _on_message(self, event: Any) -> None:
        message, timeline = event.data, self._controller.timeline
        if timeline is None or not isinstance(message, dict) or message.get("version") != self._version:
            return
        rows = len(timeline.orders.ids)
        match message:
            case {
                "ask": "motion", "ghost": int() as number, "from": float() | int() as start, "to": float() | int() as end,
            }:  # fmt: skip
                if number == self._frame.ghost.get("number"):
                    self._send_ghost(float(start), float(end), message)
            case {"ask": "motion", "from": float() | int() as start, "to": float() | int() as end}:
                if not self._is_under_way(message):
                    self._send_window(timeline, float(start), float(end), message)
            case {"ask": "crowd", "t": float() | int() as t, "box": list() as box, "pixel": float() | int() as pixel}:
                if (view := fleet.box_of(box)) is not None and pixel > 0:
                    self._answer("crowd", partial(self._send_crowd, timeline, float(t), view, float(pixel)))
            case {
                "ask": "near", "t": float() | int() as t, "x": float() | int() as x, "y": float() | int() as y,
                "reach": float() | int() as reach,
            }:  # fmt: skip
                self._answer("near", partial(self._send_near, timeline, float(t), (float(x), float(y)), float(reach)))
            case {"ask": "order", "order": int() as order, "t": float() | int() as t} if 0 <= order < rows:
                self._send("order", {"order": order, **answers.describe(timeline, order, float(t))})
            case {"ask": "place", "order": int() as order} if 0 <= order < rows:
                self._send("place", answers.place_message(timeline, order))
            case {
                "ask": "stage",
                "stage": str() as stage,
                "from": float() | int() as start,
                "to": float() | int() as end,
            } if stage in STATES and stage != STAGES[OUT_FOR_DELIVERY]:
                self._send("stage", answers.stage_message(timeline, stage, float(start), float(end)))
            case {"ask": "group", "number": int() as number}:
                if (group := self._controller.selection.group) is not None and group.number == number:
                    self._send("group", {"number": number, **answers.group_message(timeline, group.rows)})
            case {"ask": "density", "kind": str() as kind, "minutes": int() as minutes, "t": float() | int() as t} if (
                kind in KINDS and minutes in MINUTES
            ):
                theme = "dark" if self.dark else "light"
                self._answer("density", partial(self._send_density, timeline, kind, minutes, float(t), theme))
            case {"base": str() as chosen} if chosen in self._frame.base.get("maps", {}):
                self._frame.base = {**self._frame.base, "chosen": chosen}
            case {"selection": _} | {"verb": _}:
                pass  # handled by `Component.join`
            case _:
                log.warning("map: a message that makes no sense was left unanswered")

    def _answer(self, kind: str, answer: Callable[[], Awaitable[None]]) -> None:
        """Answer a question that takes long; a newer one of its kind supersedes it."""
        pn.state.execute(partial(self._questions[kind].ask, partial(self.attempt_answer, answer)))

    def _send(self, what: str, answer: dict[str, Any]) -> None:
        if self.as_text and "packed" in answer:
            answer = {**answer, "packed": base64.b64encode(answer["packed"].tobytes()).decode()}
        self._frame._send_msg({"tell": what, "version": self._version, **answer})

    def _is_under_way(self, question: dict[str, Any]) -> bool:
        """Return whether a window that was sent with a seek, but had not arrived when the browser sent this, answers it."""
        at, pushes = question.get("at"), question.get("pushes", self._pushes)
        if self._pushed_window is None or not isinstance(at, float | int) or not isinstance(pushes, int):
            return False
        return pushes < self._pushes and self._pushed_window[0] <= at <= self._pushed_window[1]

    def _window(self, timeline: Timeline, start: float, end: float, after: float | None = None) -> dict[str, Any]:
        """Return the trips of a window for a browser that shows `self._viewed`."""
        group = self._controller.selection.group
        picked = np.array([] if group is None else group.rows, np.int32)
        return self._trips_of(timeline, start, end, after, self._viewed, picked)

    def _trips_of(
        self,
        timeline: Timeline,
        start: float,
        end: float,
        after: float | None,
        viewed: Viewed,
        picked: NDArray[np.int32] = fleet.NO_ORDERS,
    ) -> dict[str, Any]:
        most = self._controller.settings.dense_from
        chosen = fleet.choose(timeline, start, end, after, viewed, most, picked)
        rows = chosen.trips
        rate = self._controller.anchor.rate
        if rows is None and after is None and self._controller.state != "replay":
            trips = _all_trips(timeline, start, end, rate >= messages.COARSE_FROM)
        else:
            motion = timeline.motion(start, end, after=after) if rows is None else timeline.motion_of(rows)
            trips = messages.window_message(motion, timeline.orders, rate)
        return {
            "from": start,
            "to": chosen.end,
            "after": after,
            "crowd": chosen.crowd,
            "within": chosen.within,
            **trips,
        }

    def _send_ghost(self, start: float, end: float, question: dict[str, Any]) -> None:
        """Send the trips of the ghost's day in a window of its own time."""
        ghost = self._controller.ghost
        if ghost is None or ghost.timeline is None:
            return
        after = question.get("after")
        since = float(after) if isinstance(after, float | int) else None
        viewed = replace(Viewed.of(question, start), order=-1)  # who is picked out is of the day shown
        end = min(end, start + messages.LONGEST_WINDOW_S)
        window = self._trips_of(ghost.timeline, start, end, since, viewed)
        self._send("ghost", {"number": question.get("number", 0), "ghost": question["ghost"], **window})

    def _send_window(self, timeline: Timeline, start: float, end: float, question: dict[str, Any]) -> None:
        end = min(end, start + messages.LONGEST_WINDOW_S)
        after = question.get("after")
        since = float(after) if isinstance(after, float | int) else None
        self._viewed = Viewed.of(question, self._controller.now())
        window = self._window(timeline, start, end, since)
        self._send("motion", {"number": question.get("number", 0), **window})
        end = window["to"]
        if since is None:
            self._browser_window = start, end
        elif self._browser_window is not None:  # the browser now drops what has passed
            first = self._controller.now() - max(wire.KEPT_S, wire.WINDOW_WALL_S * self._controller.anchor.rate)
            self._browser_window = max(self._browser_window[0], first), max(self._browser_window[1], end)

    async def _send_crowd(self, timeline: Timeline, t: float, view: fleet.Box, pixel: float) -> None:
        """Compute in a thread, or take from the shared cache, and send the density of drivers in a view at t."""
        extent = Extent.around(view, pixel)
        frame, inside = await drawings.run(partial(_frame_of, timeline, t, view, extent))
        most = self._controller.settings.dense_from
        if timeline is self._controller.timeline:
            self._send("crowd", {
                "t": t, "extent": extent.box, "columns": extent.columns, "rows": extent.rows, "few": fleet.few(inside, most),
                "inside": inside, "packed": np.frombuffer(frame, np.uint8),
            })  # fmt: skip

    async def _send_near(self, timeline: Timeline, t: float, place: tuple[float, float], reach: float) -> None:
        """Send the driver nearest to a place at t."""
        everyone = await drawings.run(partial(process.fleets.fleet, timeline, t))
        found = everyone.nearest(*place, reach)
        at = np.flatnonzero(everyone.trip == found)
        if found >= 0 and timeline is self._controller.timeline:
            x, y, order = float(everyone.x[at[0]]), float(everyone.y[at[0]]), int(timeline.trips.order[found])
            self._send("near", {"t": t, "asked": place, "order": order, "x": x, "y": y})
        elif timeline is self._controller.timeline:
            self._send("near", {"t": t, "asked": place, "order": -1, "x": 0.0, "y": 0.0})

    async def _send_density(self, timeline: Timeline, kind: str, minutes: int, t: float, theme: str) -> None:
        """Draw a density layer in a thread (the first of a process compiles for a second) and send it."""
        layer = await drawings.run(partial(mapdensity.message, timeline, kind, minutes, t, theme))
        if timeline is self._controller.timeline:
            self._send("density", layer)
