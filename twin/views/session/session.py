"""A session: one user's replay. It loads what the user chooses and ticks the views; nobody else touches them.

While it plays, two ticks a second sample the clock and show that moment in every view, all in one message. A verb
shows its moment at once. A session that nobody sees (a hidden tab, a lost connection) or that is paused does no work.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import panel as pn
import param

from twin.analysis.insights import Insights
from twin.foundation.errors import CancelledError, TwinError
from twin.foundation.progress import Task
from twin.foundation.stages import STATES
from twin.foundation.telemetry import TICKS
from twin.foundation.times import seconds, text
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.sources.base import Location
from twin.timeline.timeline import Timeline
from twin.views.shared.component import Component, module_source
from twin.views.shared.view import ReplayView

log = logging.getLogger(__name__)

Asked = tuple[str, float | None, float | None, float | None, float | None]
"""What is to be loaded: location, start, end, playhead, speed; None: as it comes."""

LONGEST_ID = 200
"""Characters of an order id that is taken from an address; real ones have 32."""

TOLD_EVERY_S = 0.3
"""Between two words of how far the loading is."""

TICK_MS = 500
"""Counts and charts twice a second, where the eye still reads them; clock, feed and motion go by the browser's own clock."""


class PageLink(Component):
    """The page itself: its address, and whether it can be seen."""

    query = param.String(
        default="", doc="The address's query with its question mark; the address is replaced, not pushed."
    )
    dark = param.Boolean(default=False, doc="Whether the page is dark; told to the document, where the tokens hang.")
    was_dark = param.Boolean(
        default=None, allow_None=True, doc="Whether the document was dark when it opened; None: not told yet."
    )
    seen = param.Boolean(default=True, doc="Whether the page is in a visible tab.")

    _esm = module_source(Path(__file__).with_name("page.js"))
    _stylesheets: ClassVar[list[Any]] = []


class ReplaySession(param.Parameterized):
    """Loads locations and ranges into a controller and keeps its views at the playhead.

    `place` is the location shown, None while there is the choice; `problem` a sentence when loading failed.
    """

    place = param.ClassSelector(class_=Location, default=None, allow_None=True, doc="The location shown.")
    problem = param.String(default="", doc="Why the last choice could not be loaded; empty if it could.")
    viewport = param.List(
        default=[], doc="Centre and zoom of the map that the user chose: [lon, lat, zoom]; empty: the first view."
    )
    waiting = param.String(default="", doc="What is being loaded; empty when nothing is.")
    as_of = param.Number(
        default=None, allow_None=True, doc="When the source was last asked, seconds since 1970 of the wall clock."
    )
    stale = param.String(default="", doc="Why it could not be asked again; empty if it could, or need not be.")
    newer = param.Number(
        default=None, allow_None=True, doc="Data seconds until which there is more than the last hours shown; None: no."
    )

    def __init__(
        self,
        hub: Hub,
        controller: ReplayController,
        prepare: Callable[[str], object] | None = None,
        prepared: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`prepare(location id)` is called in the thread that loads: what else a location needs before it is shown.

        `prepared(location id)` tells, at once, whether it need not be called.
        """
        super().__init__()
        self.hub = hub
        self._prepare = prepare
        self._prepared = prepared
        self.controller = controller
        self.page = PageLink(width=0, height=0, margin=0, sizing_mode="fixed")
        self._views: Sequence[ReplayView] = ()
        self._shown: tuple[int, float] | None = None
        self._written = ""
        self._asked: Asked | None = None
        self._taken: Asked | None = None
        self._task = Task()
        self._told = 0.0
        self._is_latest = False
        self._kept: dict[str, tuple[param.Parameterized, str, str]] = {}
        self._ticker: Any = None
        self._newest = 0
        controller.param.watch(self._verb, "anchor")
        controller.selection.param.watch(self._remember, "version")
        self.page.param.watch(self._rest, "seen")
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.on_session_destroyed(lambda _context: self._task.cancel())

    def keep(self, **states: tuple[param.Parameterized, str]) -> None:
        """Keep in the address, under each given name, a string Param of a view: (view, Param's name).

        What it is now goes without saying.
        """
        self._kept = {name: (view, state, getattr(view, state)) for name, (view, state) in states.items()}
        for view, name in states.values():
            view.param.watch(self._remember, name)

    def watch(self, views: Sequence[ReplayView]) -> None:
        """Take the views to keep at the playhead."""
        self._views = views

    def start(self) -> None:
        """Begin to tick; in a served session, after the page is built."""
        self._ticker = pn.io.PeriodicCallback(callback=self.tick, period=TICK_MS, background=True, log=False)
        if self.page.seen:  # a page may open in a tab behind
            self._ticker.start()

    async def choose(
        self,
        location: str,
        start: float | None = None,
        end: float | None = None,
        at: float | None = None,
        speed: float | None = None,
    ) -> None:
        """Load a location over [start, end) (default: its last 24 hours) and show it at `at` (default: its busiest moment).

        Loading runs in a thread, the page stays alive; of two choices in a row the later one wins, the other is given up.
        Raises nothing that the user can cause: `problem` says it.
        """
        self._newest += 1
        mine = self._newest
        self._task.cancel()
        self.hub.freshen()
        self._task = loading = Task(partial(self._progress, pn.state.curdoc, mine))
        self.problem = ""
        self._asked = (location, start, end, at, speed)
        try:
            place = self.hub.location(location)
            self.waiting = f"Loading {place.display_name} …"
            with loading.as_current():
                timeline = await asyncio.to_thread(self._load, location, start, end)
        except (TwinError, ValueError) as error:
            if mine == self._newest:
                self.problem, self.waiting = str(error), ""
            return
        if mine == self._newest:
            self._take(place, timeline, at, speed)
            if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
                pn.state.execute(partial(self.learn, timeline))

    def cancel(self) -> None:
        """Give up what is being loaded; what is shown stays."""
        if self.waiting:
            self._newest += 1
            self._task.cancel()
            self._asked = self._taken
            self.waiting = ""

    def _progress(self, document: Any, of: int, share: float, words: str) -> None:
        """Tell in the session's own thread how far the loading is; called in any."""
        now = time.monotonic()
        if now - self._told < TOLD_EVERY_S and not words:
            return
        self._told = now
        tell = partial(self._show_progress, of, share, words)
        if document is None or document.session_context is None:
            tell()
        else:
            document.add_next_tick_callback(tell)

    def _show_progress(self, of: int, share: float, words: str) -> None:
        if of == self._newest and self.waiting and self._asked is not None:
            name = self.hub.location(self._asked[0]).display_name
            self.waiting = f"{words} …" if words else f"Loading {name} … {100 * share:.0f} %"

    async def retry(self) -> None:
        """Try again to load what was asked for last."""
        if self._asked is not None:
            await self.choose(*self._asked)

    async def look(self) -> str:
        """Look for newer events, in a thread; return what came of it, a sentence."""
        try:
            changed = await asyncio.to_thread(self.hub.refresh)
        except TwinError as error:
            self._take_news()
            return str(error)
        self._take_news()
        if self.newer is not None:
            return "Newer orders have come in."
        return "More rows have come in, none newer than what is shown." if changed else "There is nothing newer."

    def _take_news(self) -> None:
        """Tell how old the data are, and whether there is more by now; what is shown stays until the user wants the other."""
        if (self.hub.as_of, self.hub.stale) == (self.as_of, self.stale):
            return
        with pn.io.hold():
            self.param.update(as_of=self.hub.as_of, stale=self.hub.stale)
            place, timeline = self.place, self.controller.timeline
            if place is None or timeline is None or place.id not in {known.id for known in self.hub.locations}:
                return
            if (known := self.hub.location(place.id)) != place:
                self.place = known
            latest = self.hub.last_hours(place.id)
            if self._is_latest and latest.end > timeline.window.end:
                self.newer = latest.end

    @property
    def is_moving(self) -> bool:
        """Whether what is being loaded is another location than the one shown."""
        return self._asked is not None and (self.place is None or self._asked[0] != self.place.id)

    def _load(self, location: str, start: float | None, end: float | None) -> Timeline:
        if self._prepare is not None:
            self._prepare(location)
        return self.hub.timeline(location, start, end)

    def _take(self, place: Location, timeline: Timeline, at: float | None, speed: float | None) -> None:
        with pn.io.hold():
            if self.place is not None and place.id != self.place.id:
                self.viewport = []  # where the user looked in another city
                self.controller.selection.clear()
            self._taken = self._asked
            self.controller.load(timeline, timeline.busiest() if at is None else at)
            if speed is not None:
                self.controller.set_speed(speed)
            self.place = place
            self.newer = None
            self._is_latest = timeline.window == self.hub.last_hours(place.id)
            for view in self._views:
                view.reset()
            self.waiting = ""
            self.tick(force=True)

    async def learn(self, timeline: Timeline) -> None:
        """Find out what is usual at the kitchen and what stands out in the timeline, in a thread, and tell the views."""
        try:
            with self._task.as_current():
                insights = await asyncio.to_thread(self.hub.insights, timeline)
        except CancelledError:
            return
        except TwinError as error:  # the replay goes on without them
            log.warning("no insights: %s", error)
            return
        if timeline is self.controller.timeline:
            self._learn(insights)

    def _learn(self, insights: Insights) -> None:
        with pn.io.hold():
            self.controller.learn(insights)
            for view in self._views:
                view.learn()
            self.tick(force=True)

    async def range(self, start: float, end: float) -> None:
        """Load another range of the location shown. Raises ValueError where the source has no data in it."""
        place = self.place
        if place is None:
            return
        if end <= place.start or start > place.end:
            raise ValueError(f"No orders in this range: the data covers {text(place.start)} to {text(place.end)}.")
        await self.choose(place.id, start, end)
        if self.problem:
            raise ValueError(self.problem)

    def tick(self, force: bool = False) -> None:
        """Show the playhead's moment in every view, if it is another than the one shown and somebody can see it."""
        if self.controller.timeline is None or not (force or self._visible()):
            return
        self._take_news()
        with pn.io.hold():
            self.controller.settle()
            anchor, t = self.controller.anchor, self.controller.now()
            if not force and self._shown == (anchor.epoch, t):
                self._write_address()
                return
            self._shown = (anchor.epoch, t)
            TICKS.inc()
            snapshot = self.controller.timeline.at(t)
            for view in self._views:
                if getattr(view, "active", True):
                    view.show(snapshot)
            if not anchor.playing:
                self._write_address()

    def _rest(self, event: param.parameterized.Event) -> None:
        """Not even look at the clock in a tab that nobody sees; when it is seen again, show the moment at once."""
        if self._ticker is None:
            return
        if not event.new:
            self._ticker.stop()
        elif not self._ticker.running:
            self.tick()
            self._ticker.start()

    def _verb(self, *_: param.parameterized.Event) -> None:
        if self._shown is not None and self.controller.anchor.epoch != self._shown[0]:
            self.tick(force=True)

    def _remember(self, *_: param.parameterized.Event) -> None:
        if not self.controller.anchor.playing:
            self._write_address()

    def _visible(self) -> bool:
        context = pn.state.curdoc.session_context if pn.state.curdoc else None
        connected = getattr(getattr(context, "_session", None), "connection_count", 1)
        return self.page.seen and connected > 0

    # -- the address ----------------------------------------------------------------------------------------------------
    def _write_address(self) -> None:
        """Put location, range, playhead, speed, selection and what the views keep into the page's address.

        The playhead is the one that was last set, not the running clock.
        """
        if self.place is None or self.controller.timeline is None:
            return
        window, anchor = self.controller.timeline.window, self.controller.anchor
        told = {
            "location": self.place.id,
            "start": _iso(window.start),
            "end": _iso(window.end),
            "t": _iso(anchor.t0),
            "speed": f"{anchor.speed:g}",
        }
        if self.viewport:
            told["view"] = ",".join(f"{number:.5f}" for number in self.viewport)
        chosen = self.controller.selection
        told |= {"order": chosen.order, "stage": chosen.stage}
        told = {name: value for name, value in told.items() if value}
        now = {name: getattr(view, state) for name, (view, state, _) in self._kept.items()}
        told |= {name: now[name] for name, (_, _, first) in self._kept.items() if now[name] != first}
        query = "?" + urlencode(told, safe=":,")
        if query != self._written:
            self._written = self.page.query = query

    def recall(self, query: dict[str, str]) -> bool:
        """Restore what an address tells, if all that needs is in memory; return whether it was.

        For a page that is being made: it is sent with its first picture, which else follows when the browser has drawn an
        empty one. What is usual may be told later (`learn`).
        """
        asked = self._read_address(query)
        timeline = self.hub.kept(*asked[:3]) if asked else None
        if asked is None or timeline is None or not self._prepared(asked[0]):
            return False
        self._asked = asked
        self._take(self.hub.location(asked[0]), timeline, *asked[3:])
        insights = self.hub.kept_insights(timeline)
        if insights is not None:
            self._learn(insights)
        return True

    async def follow_address(self, query: dict[str, str], fallback: Callable[[], None]) -> None:
        """Restore what an address tells; what in it makes no sense is left out, and without a location `fallback` is called."""
        asked = self._read_address(query)
        if asked is None:
            fallback()
        else:
            await self.choose(*asked)

    def _read_address(self, query: dict[str, str]) -> Asked | None:
        """Take over where an address looks and what it has selected; return what it wants loaded, None where that is nothing."""
        location = query.get("location")
        known = {place.id for place in self.hub.locations}
        if location not in known:
            return None
        start, end, at = (_time(query.get(name)) for name in ("start", "end", "t"))
        if start is None or end is None or end <= start:
            start = end = None
        speed = _speed(query.get("speed"))
        self.viewport = _viewport(query.get("view"))
        for name, (view, state, _) in self._kept.items():
            if name in query:
                view.param.update({state: query[name]})
        chosen = self.controller.selection
        chosen.select(query.get("order", "")[:LONGEST_ID])
        if query.get("stage") in STATES:
            chosen.filter(query["stage"])
        return location, start, end, at, speed


def _iso(t: float) -> str:
    return text(t).replace(" ", "T")


def _time(value: str | None) -> float | None:
    try:
        return None if value is None else seconds(value)
    except ValueError:
        return None


def _speed(value: str | None) -> float | None:
    try:
        speed = float(value or "")
    except ValueError:
        return None
    return speed if 0 < speed <= max(ReplayController.SPEEDS) else None


def _viewport(value: str | None) -> list[float]:
    try:
        lon, lat, zoom = (float(part) for part in (value or "").split(","))
    except ValueError:
        return []
    inside = abs(lon) <= 180 and abs(lat) <= 85 and 0 <= zoom <= 24  # false for NaN
    return [lon, lat, zoom] if inside else []
