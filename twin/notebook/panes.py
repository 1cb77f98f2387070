"""The panes of one kitchen in a notebook: the page's views on one controller, updated by one session."""

import asyncio
import base64
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn

from twin.hub import Hub
from twin.notebook.given_times import AnyTime, GivenTimes
from twin.notebook.showing import prepare
from twin.render import places
from twin.render.streets import Streets
from twin.render.tiles import TileSet
from twin.replay.controller import ReplayController
from twin.replay.paired import PairedController
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import FeedView
from twin.views.kpis.kpis import KpiView
from twin.views.map import messages
from twin.views.map.map import BaseMap, MapView
from twin.views.moments.alert import AlertView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.session import ReplaySession
from twin.views.shared.component import Component, style_text
from twin.views.shared.view import ReplayView
from twin.views.transport.transport import TransportView
from twin.views.trends.trends import TrendsView

IMAGE_PX = 1600
"""Longest side of the inlined base map, pixels: sharp in the first view of a map 900 pixels wide, blurred two zoom steps in."""
IMAGE_MARGIN = 0.6
"""Share of the first view by which the image extends beyond it on every side, for panning and for wide maps."""
MOST_VIEWS = 40
"""Most panes that are updated. If cells are run again and again, the oldest panes stop. Each costs some 0.2 ms a tick."""

FIXED_RANGE = ".range { pointer-events: none; visibility: hidden; } .range .words { visibility: visible; }"
"""The range picker is hidden: another range is another `Kitchen`. The range itself stays visible."""

HEIGHTS = {"map": 480, "trends": 260, "feed": 420}
"""Heights in pixels of the panes that fill the space they get."""


class NotebookClock(ReplayController):
    """The clock of a kitchen in a notebook: its verbs take the times that the tables take, and refuse those outside the range."""

    def _read(self, t: AnyTime) -> float:
        return self._times.seconds(t)

    def _reach(self, t: AnyTime) -> float:
        return self._times.at(t)

    def set_range(self, start: AnyTime, end: AnyTime) -> None:
        """Play only a part of the kitchen's range."""
        part = self._times.between(start, end)
        super().set_range(part.start, part.end)

    @property
    def _times(self) -> GivenTimes:
        assert self.timeline is not None
        return GivenTimes(self.timeline.window, self.tz)


class NotebookReplay:
    """One kitchen's clock, selection and panes."""

    def __init__(self, hub: Hub, timeline: Timeline, lead: ReplayController | None = None) -> None:
        """`lead`: the controller beside which this kitchen is played; None: it has a clock of its own."""
        self._hub = hub
        self.timeline = timeline
        self._views: list[ReplayView] = []
        self._ticking = False
        self.controller: ReplayController
        if lead is None:
            self.controller = NotebookClock(timeline, settings=hub.settings)
            self.controller.seek(timeline.busiest())
        else:
            self.controller = PairedController(lead, settings=hub.settings)
            self.controller.load(timeline)
        self.controller.learn(hub.insights(timeline))
        self._session = ReplaySession(hub, self.controller)
        self._session.watch(self._views)
        self._session.tick(force=True)  # after the first tick the session shows the effect of a verb at once

    def pane(self, name: str) -> Any:
        """Return a new pane: map, pipeline, timeline, kpis, trends, feed or alert."""
        prepare()
        Component.posts = is_marimo()
        shown = self.shown(self._makers()[name]())
        if name == "timeline":
            shown.stylesheets = [*shown.stylesheets, FIXED_RANGE]
        if name in HEIGHTS:
            shown.param.update(height=HEIGHTS[name], sizing_mode="stretch_width")
        self._start()
        return shown

    def dashboard(self, feed: bool = True) -> pn.Column:
        """Return all panes, or all but the feed, arranged for a notebook's cell."""
        narrow = [self.pane(name) for name in ("kpis", "alert", "feed")[: 3 if feed else 2]]
        side = pn.Column(*narrow, width=360, margin=(0, 0, 0, 8))
        middle = pn.Row(self._pane_of_height("map", 660), side, sizing_mode="stretch_width", margin=(8, 0))
        return pn.Column(
            self.pane("pipeline"), middle, self.pane("timeline"), self.pane("trends"),
            stylesheets=[style_text(Path(__file__).with_name("panes.css"))], sizing_mode="stretch_width", margin=0,
        )  # fmt: skip

    def follow(self) -> "NotebookReplay":
        """Follow the kitchen's latest events, in all panes; returns itself."""
        self.timeline = self._session.show_live(self.timeline.location.id)
        return self

    def unfold(self) -> None:
        """Work out what was known of troubles all over the range, here and now; else it comes as the panes are played."""
        self._session.unfold()

    def _pane_of_height(self, name: str, height: int) -> Any:
        shown = self.pane(name)
        shown.height = height
        return shown

    def _makers(self) -> dict[str, Callable[[], ReplayView]]:
        controller, dark = self.controller, is_dark()
        return {
            "map": partial(MapView, controller, base_map=self._base_map, dark=dark, online=False, as_text=is_marimo()),
            "pipeline": partial(PipelineView, controller),
            "timeline": partial(TransportView, controller),
            "kpis": partial(KpiView, controller),
            "trends": partial(TrendsView, controller, dark=dark),
            "feed": partial(FeedView, controller),
            "alert": partial(AlertView, controller),
        }

    def shown(self, view: ReplayView) -> Any:
        """Return what shows a view, which follows the clock from now on."""
        view.attempt(view.learn)
        view.attempt(view.show, self.timeline.at(self.controller.now()))
        self._views.append(view)
        del self._views[:-MOST_VIEWS]
        return view.__panel__()

    def _start(self) -> None:
        """Begin to tick if an event loop runs: in a notebook's kernel or a server, not in a script."""
        if self._ticking:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        self._ticking = True
        self._session.start()

    def _base_map(self, location: str) -> BaseMap | None:
        tiles = _tileset(self._hub, location)
        kitchen = messages.kitchen_of(self.timeline)
        return None if kitchen is None or not tiles.routes else inlined(tiles, self.timeline, kitchen, is_dark())


def inlined(tiles: TileSet, timeline: Timeline, kitchen: tuple[float, float], dark: bool) -> BaseMap:
    """Return the base map around the first view as one image in a data URL, at most some 1.5 MB."""
    x0, y0, x1, y1 = messages.first_view(timeline, kitchen)
    reach = max(x1 - x0, y1 - y0) * (0.5 + IMAGE_MARGIN)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    extent = (middle_x - reach, middle_y - reach, middle_x + reach, middle_y + reach)
    png = tiles.image(extent, IMAGE_PX, IMAGE_PX, "dark" if dark else "light")
    picture = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return BaseMap(None, tiles.routes, picture, extent, tiles.names, tiles.places.problem)


def is_dark() -> bool:
    """Return whether Panel uses its dark theme: `pn.extension(theme="dark")`."""
    return bool(pn.config.theme == "dark")


def is_marimo() -> bool:
    """Return whether this is a marimo notebook, which passes on what values are, and no messages and no bytes."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and marimo.running_in_notebook()


def _tileset(hub: Hub, location: str) -> TileSet:
    return TileSet(Streets(*hub.streets(location)), places=places.find(hub.settings.places, hub.source.name))
