"""A session: one user's replay. It loads what the user chooses, and it alone updates the views.

While the replay plays, two ticks a second read the clock and show that time in every view, in one message. The effect of a
verb is shown at once. A session that is paused or not visible (a hidden tab, a lost connection) does no work.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import panel as pn
import param

from twin.analysis.insights import Insights
from twin.foundation import errand
from twin.foundation.address import Address
from twin.foundation.cache import shared
from twin.foundation.counters import TICKS
from twin.foundation.errors import CancelledError, SourceError, TwinError
from twin.foundation.progress import Task
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.replay.live import LiveKitchens, LiveState, grows
from twin.server import threads
from twin.server.process import process
from twin.sources.base import Location
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.session.address import Follow, LoadRequest, cut, loop_text, read
from twin.views.session.following import Following
from twin.views.session.ghosts import GhostFollower
from twin.views.session.unfolding import TroubleFollower
from twin.views.shared.component import Component, module_source
from twin.views.shared.rows import inserted_rows
from twin.views.shared.view import ReplayView

log = logging.getLogger(__name__)

MINUTE = 60.0
PROGRESS_EVERY_S = 0.3
"""Wall seconds between two progress texts while a timeline loads."""

TICK_MS = 500
"""Counts and charts change twice a second, which is still readable; clock, feed and motion run on the browser's own clock."""
LIVE_S = 2.0
"""Wall seconds without a batch of rows after which a page that follows a kitchen shows where its playhead has come since."""


class PageLink(Component):
    """The page itself: its address, its theme, and whether it is visible."""

    query = param.String(
        default="",
        doc="The address's query with its question mark. Its t is the playhead last set; the browser follows a running clock.",
    )
    settled = param.Boolean(
        default=False,
        doc="Whether the page shows what it was opened for: a replay, the choice of kitchens, or a problem.",
    )
    instance = param.String(default="", doc="The process that made this page; another one after a restart.")
    dark = param.Boolean(default=False, doc="Whether the page is dark; the browser sets it on the document.")
    was_dark = param.Boolean(
        default=None, allow_None=True, doc="Whether the document was dark when it opened; None: not reported yet."
    )
    seen = param.Boolean(default=True, doc="Whether the page is in a visible tab.")

    from_browser: ClassVar[tuple[str, ...]] = ("seen", "was_dark")
    _esm = module_source(Path(__file__).with_name("page.js"))
    _stylesheets: ClassVar[list[Any]] = []


class ReplaySession(param.Parameterized):
    """Loads locations and ranges into a controller, and updates the views as the playhead moves.

    `place` is the location shown, None before the first is loaded; `problem` is a sentence if loading failed.
    """

    place = param.ClassSelector(class_=Location, default=None, allow_None=True, doc="The location shown.")
    problem = param.String(default="", doc="Why the last choice could not be loaded; empty if it could.")
    viewport = param.List(
        default=[], doc="Centre and zoom of the map that the user chose: [lon, lat, zoom]; empty: the first view."
    )
    waiting = param.String(default="", doc="What is being loaded; empty when nothing is.")
    as_of = param.Number(
        default=None,
        allow_None=True,
        doc="The minute in which the source was last checked, wall time in seconds since 1970; None: never.",
    )
    stale = param.String(default="", doc="Why the last check for newer events failed; empty if it did not.")
    remarks: list[str] = param.List(  # type: ignore[assignment]
        default=[], item_type=str, doc="What the address or a range asked for in vain, a sentence each."
    )
    newer = param.Number(
        default=None,
        allow_None=True,
        doc="End of the newer data that is not shown yet, data seconds; None: there is none.",
    )

    def __init__(
        self,
        hub: Hub,
        controller: ReplayController,
        prepare: Callable[[str], object] | None = None,
        prepared: Callable[[str], bool] = lambda _: True,
        page: str = "operations",
        on_address: Callable[[], None] | None = None,
    ) -> None:
        """`prepare(location id)` is called in the loading thread, for what else a location wants before it is shown. It is
        shown without that if the source fails there.

        `prepared(location id)` returns, at once, whether that is done already. `page` names who asks the source (errand.py).
        `on_address()` is called in place of writing the page's address, when what it says may have changed: a page with two
        sessions has one address.
        """
        super().__init__()
        self._errand = partial(errand.on, page=page)
        self._on_address = on_address
        self.hub = hub
        self._prepare = prepare
        self._prepared = prepared
        self.controller = controller
        self.page = PageLink(width=0, height=0, margin=0, sizing_mode="fixed", instance=process.instance)
        self.page.join(controller)
        self._views: Sequence[ReplayView] = ()
        self._troubles = TroubleFollower(hub, controller, lambda: self.page.seen)
        self.ghosts = GhostFollower(hub, controller, self._errand)
        self.following = Following(hub, self._visible, self._extend)
        self._shown: tuple[int, float] | None = None
        self._shown_at = -math.inf
        self._written = ""
        self._requested: LoadRequest | None = None
        self._loaded: LoadRequest | None = None
        self._section: tuple[float, float] | None = None  # what the next range is played in a loop of; None: of all
        self._task = Task()
        self._unprepared = ""
        self._reported_at = 0.0
        self._is_latest = False
        self._saved_params: dict[str, tuple[param.Parameterized, str, str]] = {}
        self._ticker: Any = None
        self._newest = 0
        self._fresh: tuple[int, float | None, str] | None = None
        self.extending = False
        """Whether the timeline is being replaced by a later one of the same kitchen."""
        self._examined: Insights | None = None  # the last that came with a live kitchen
        controller.param.watch(self._on_anchor, "anchor")
        controller.param.watch(lambda _: self.tick(force=True), "ghost")
        controller.selection.param.watch(self._on_state, "version")
        self.param.watch(self._on_state, "viewport")
        self.page.param.watch(self._on_visibility, "seen")
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.on_session_destroyed(lambda _context: self._end())

    def _end(self) -> None:
        self._task.cancel()
        self.following.end()

    def save_in_address(self, **states: tuple[param.Parameterized, str]) -> None:
        """Save string Params of views in the page's address, under each given name: (view, Param's name).

        A Param's current value is its default, which the address omits.
        """
        self._saved_params = {name: (view, state, getattr(view, state)) for name, (view, state) in states.items()}
        for view, name in states.values():
            view.param.watch(self._on_state, name)

    def watch(self, views: Sequence[ReplayView]) -> None:
        """Set the views that are updated as the playhead moves."""
        self._views = views

    def start(self) -> None:
        """Start the ticks; in a served session, after the page is built."""
        self._ticker = pn.io.PeriodicCallback(callback=self.tick, period=TICK_MS, background=True, log=False)
        if self.page.seen:  # a page may open in a background tab
            self._ticker.start()

    async def choose(
        self,
        location: str,
        start: float | None = None,
        end: float | None = None,
        at: float | None = None,
        speed: float | None = None,
        follow: Follow = "",
    ) -> None:
        """Load a location over [start, end) (default: its last 24 hours) and show it at `at` (default: its busiest time).

        With `follow` its newest events are followed instead; so they are by default where more are to be expected.

        Loading runs in a thread, and the page stays responsive. A second call cancels the first. Errors that the user can
        cause are not raised but set as `problem`.
        """
        self._newest += 1
        number = self._newest
        self._task.cancel()
        self.hub.freshen()
        self._task = loading = Task(partial(self._progress, pn.state.curdoc, number))
        self.problem = ""
        self._requested = (location, start, end, at, speed, follow)
        try:
            place = self.hub.location(location)
            if start is None and end is None and at is None and not follow and grows(self.hub, location):
                follow = "live"
                self._requested = (location, start, end, at, speed, follow)
            self.waiting = f"Loading {place.label} …"
            with loading.as_current(), self._errand():
                timeline, missing, now = await threads.to_source(self._load, location, start, end, follow)
        except (TwinError, ValueError) as error:
            problem = str(error)
        except Exception as error:  # whatever it is, nobody may wait for ever
            log.exception("a range cannot be loaded")
            problem = (
                f"This could not be loaded, for a reason that nobody foresaw ({type(error).__name__}): the log has it."
            )
        else:
            problem = ""
        if problem:
            if number == self._newest:
                self.problem, self.waiting = problem, ""
                self.page.settled = True
            return
        if number == self._newest:
            self._take(place, timeline, at, speed, follow, now)
            self._unprepared = missing
            if self._unprepared and self._unprepared not in self.remarks:
                self.remarks = [*self.remarks, self._unprepared]
            # what is followed comes with its insights
            if now is None and pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
                pn.state.execute(partial(self.learn, timeline))

    def cancel(self) -> None:
        """Cancel loading; what is shown stays."""
        if self.waiting:
            self._newest += 1
            self._task.cancel()
            self._requested = self._loaded
            self.waiting = ""
            self.page.settled = True

    def _progress(self, document: Any, number: int, share: float, step: str) -> None:
        """Report the progress of load `number` in the session's own thread; may be called in any thread."""
        now = time.monotonic()
        if now - self._reported_at < PROGRESS_EVERY_S and not step:
            return
        self._reported_at = now
        report = partial(self._show_progress, number, share, step)
        if document is None or document.session_context is None:
            report()
        else:
            document.add_next_tick_callback(report)

    def _show_progress(self, number: int, share: float, step: str) -> None:
        if number == self._newest and self.waiting and self._requested is not None:
            name = self.hub.location(self._requested[0]).label
            self.waiting = f"{step} …" if step else f"Loading {name} … {100 * share:.0f} %"

    async def retry(self) -> None:
        """Load the last request again."""
        if self._requested is not None:
            await self.choose(*self._requested)

    async def check_for_newer(self) -> str:
        """Check the source for newer events, in a thread; return the result as a sentence."""
        try:
            with self._errand():
                changed, more = await threads.to_source(self._refresh)
        except TwinError as error:
            self._update_freshness()
            return str(error)
        self._update_freshness()
        if self.newer is not None:
            return "Newer orders have come in."
        if more:
            return "More rows have come in, none newer than what is shown."
        return "The data has changed, with nothing newer than what is shown." if changed else "There is nothing newer."

    def _refresh(self) -> tuple[bool, bool]:
        """Return whether the source has changed, and whether it has more rows than before."""
        before = self.hub.quality().read
        changed = self.hub.refresh()
        return changed, changed and self.hub.quality().read > before

    def _update_freshness(self) -> None:
        """Update `as_of`, `stale` and `newer`; what is shown stays until the user chooses the newer data.

        The place is updated at most once a minute while its latest events are followed, as is the time of the check.
        """
        as_of = None if self.hub.as_of is None else self.hub.as_of // MINUTE * MINUTE
        fresh = self.hub.version, as_of, self.hub.stale
        if fresh == self._fresh:
            return
        self._fresh = fresh
        with pn.io.hold():
            if (as_of, self.hub.stale) != (self.as_of, self.stale):
                self.param.update(as_of=as_of, stale=self.hub.stale)
            place, timeline = self.place, self.controller.timeline
            if place is None or timeline is None or place.id not in {location.id for location in self.hub.locations}:
                return
            updated = self.hub.location(place.id)
            followed = self.following.now is not None
            if updated != place and not (followed and place.end <= updated.end < place.end + MINUTE):
                self.place = updated
            if not self._is_latest:
                return
            latest = self.hub.last_hours(place.id)
            if latest.end > timeline.window.end:
                self.newer = latest.end

    @property
    def is_moving(self) -> bool:
        """Whether another location than the one shown is being loaded."""
        return self._requested is not None and (self.place is None or self._requested[0] != self.place.id)

    def _load(
        self, location: str, start: float | None, end: float | None, follow: Follow = ""
    ) -> tuple[Timeline, str, LiveState | None]:
        """Return the timeline, what could not be prepared for it as a sentence, "" if all was, and what is followed, if it is."""
        missing = ""
        if self._prepare is not None:
            try:
                self._prepare(location)
            except SourceError as error:  # a kitchen is worth seeing without its streets
                log.warning("%s is shown without its base map: %s", location, error)
                missing = f"The map has no streets: {error}"
        if follow:
            now = self.hub.cached(LiveKitchens).kitchen(location).advance()
            return now.timeline, missing, now
        return self.hub.timeline(location, start, end), missing, None

    def _take(
        self,
        place: Location,
        timeline: Timeline,
        at: float | None,
        speed: float | None,
        follow: Follow = "",
        now: LiveState | None = None,
    ) -> None:
        with pn.io.hold():
            if self.place is not None and place.id != self.place.id:
                self.viewport = []  # it was chosen for another city
                self.controller.selection.clear()
            self._loaded = self._requested
            if now is None:
                self.controller.load(timeline, timeline.busiest() if at is None else at)
            else:
                self.controller.load(timeline, now.edge if at is None else at, now.edge)
                if follow == "live":
                    self.controller.follow()
            section, self._section = self._section, None
            if section is not None and self.controller.start <= section[0] < section[1] <= self.controller.end:
                self.controller.set_range(*section)
            if speed is not None:
                self.controller.set_speed(speed)
            self.place = place
            self.newer = self._fresh = None
            self._is_latest = now is None and timeline.window == self.hub.last_hours(place.id)
            self.following.begin(place.id, now)
            for view in self._views:
                view.begin_anew()
            self.waiting = ""
            self.page.settled = True
            self.tick(force=True)
            self._examined = None if now is None else now.insights
            if now is not None and now.insights is not None:
                self._learn(replace(now.insights, timeline=timeline))

    @contextmanager
    def _extending(self) -> Iterator[None]:
        self.extending = True
        try:
            yield
        finally:
            self.extending = False

    def show_live(self, location: str) -> Timeline:
        """Follow a location's latest events, here and now, for a page that no server serves; returns the timeline so far."""
        now = self.hub.cached(LiveKitchens).kitchen(location).advance()
        self._requested = (location, None, None, None, None, "live")
        self._take(self.hub.location(location), now.timeline, None, None, "live", now)
        return now.timeline

    async def go_live(self) -> None:
        """Follow the latest events of the kitchen shown."""
        if self.controller.state != "replay":
            self.controller.follow()
        elif self.place is not None:
            await self.choose(self.place.id, follow="live")

    def _extend(self, now: LiveState) -> None:
        """Take what has come in: the playhead, and whatever the user chose, stay."""
        before = self.controller.timeline
        if before is None or self.controller.state == "replay":
            return
        with pn.io.hold(), self._extending():
            if now.timeline is not before:
                inserted = inserted_rows(before.orders.ids, now.timeline.orders.ids)
                self.controller.extend(now.timeline, now.edge)
                for view in self._views:
                    if inserted is None:  # the range begins later now
                        view.begin_anew()
                    else:
                        view.attempt(view.extend, inserted)
            if now.insights is not None and now.insights is not self._examined:
                self._examined = now.insights
                self._learn(replace(now.insights, timeline=now.timeline), show=False)
            self.tick(force=True, followed=now.t)

    async def learn(self, timeline: Timeline) -> None:
        """Compute the timeline's insights in a thread, and pass them, or why there are none, to the controller and the views."""
        try:
            with self._task.as_current(), self._errand():
                insights = await threads.to_source(self.hub.insights, timeline)
            if timeline is self.controller.timeline:
                self._learn(insights)
        except CancelledError:
            return
        except TwinError as error:  # the replay works without insights
            log.warning("no insights: %s", error)
            self.controller.fail_to_learn(timeline, str(error))
        except Exception as error:  # whatever it is, nobody may wait for ever
            log.exception("insights cannot be computed")
            reason = f"For a reason that nobody foresaw ({type(error).__name__}): the log has it."
            self.controller.fail_to_learn(timeline, reason)

    def _learn(self, insights: Insights, show: bool = True) -> None:
        """Pass insights to the controller and the views; without `show` the caller has them show the playhead's moment after."""
        with pn.io.hold():
            self.controller.learn(insights)
            for view in self._views:
                view.attempt(view.learn)
            if show:
                self.tick(force=True)

    def unfold(self) -> None:
        """Compute here and now what was known of troubles all over the range, for a page that no server serves."""
        self._troubles.compute()

    async def range(self, start: float, end: float) -> None:
        """Load another range of the location shown, cut to the days with data. Raises ValueError where there is none in it."""
        place = self.place
        if place is None:
            return
        window = self.hub.within(place.id, start, end)
        if window is None:
            raise ValueError(
                f"No orders in this range: the data covers {place.tz.text(place.start)} to {place.tz.text(place.end)}."
            )
        await self.choose(place.id, window.start, window.end)
        if self.problem:
            raise ValueError(self.problem)
        asked_for = (window.start, window.end) == (start, end)
        self.remarks = [remark for remark in (self._unprepared, "" if asked_for else cut(window, place.tz)) if remark]

    def tick(self, force: bool = False, followed: float | None = None) -> None:
        """Show the playhead's time in every view, if it differs from the one shown and the page is visible.

        A page that follows a kitchen shows it with every batch of rows (`_extend`), about as often as a tick would: then the
        moment `followed`, which is that of all who follow, unless it has shown a later one.
        """
        if self.controller.timeline is None or not (force or self._visible()):
            return
        self._update_freshness()
        with pn.io.hold():
            self.controller.settle()
            anchor, t, wall = self.controller.anchor, self.controller.now(), self.controller.wall()
            if not force and (self._shown == (anchor.epoch, t) or (anchor.live and wall < self._shown_at + LIVE_S)):
                return
            if followed is not None and anchor.live:
                t = max(followed, self._shown[1]) if self._shown and self._shown[0] == anchor.epoch else t
            self._shown, self._shown_at = (anchor.epoch, t), wall
            TICKS.inc()
            self.ghosts.notice()
            snapshot = _state_at(self.controller.timeline, t) if anchor.live else self.controller.timeline.at(t)
            for view in self._views:
                if getattr(view, "active", True):
                    view.attempt(view.show, snapshot)
            if force:  # what it says changes with what somebody does, not with the time that passes
                self._write_address()
            self._troubles.notice()

    def _on_visibility(self, event: param.parameterized.Event) -> None:
        """Stop the ticks while the page's tab is hidden; when it becomes visible, show the current time at once."""
        if self._ticker is None:
            return
        if not event.new:
            self._ticker.stop()
            self.following.rest()
        elif not self._ticker.running:
            self.following.wake()
            self.following.catch_up()
            self.tick()
            self._ticker.start()

    def _on_anchor(self, *_: param.parameterized.Event) -> None:
        if self._shown is not None and self.controller.anchor.epoch != self._shown[0]:
            self.tick(force=True)

    def _on_state(self, *_: param.parameterized.Event) -> None:
        self._write_address()

    def _visible(self) -> bool:
        context = pn.state.curdoc.session_context if pn.state.curdoc else None
        connected = getattr(getattr(context, "_session", None), "connection_count", 1)
        return self.page.seen and connected > 0

    # -- the address ----------------------------------------------------------------------------------------------------
    def _write_address(self) -> None:
        """Write location, range, playhead, speed, loop, hindsight, selection and the views' saved Params into the page's address.

        The playhead is the one that was last set; page.js replaces it with that of a running clock.
        """
        if self._on_address is not None:
            self._on_address()
            return
        if self.place is None or self.controller.timeline is None:
            return
        timeline, anchor, state = self.controller.timeline, self.controller.anchor, self.controller.state
        window, tz = timeline.window, timeline.tz
        whole = (anchor.start, anchor.end) == self.controller.whole
        fields = {
            "location": self.place.id,
            "start": tz.iso(window.start) if state == "replay" else "",
            "end": tz.iso(window.end) if state == "replay" else "",
            "live": {"live": "1", "behind": "0", "replay": ""}[state],
            "t": "" if state == "live" else tz.iso(anchor.t0),
            "speed": f"{anchor.speed:g}",
            "loop": loop_text(None if whole else (anchor.start, anchor.end), tz) if anchor.loop else "",
            "hindsight": "1" if anchor.hindsight else "",
        }
        if self.viewport:
            fields["view"] = ",".join(f"{number:.5f}" for number in self.viewport)
        chosen = self.controller.selection
        fields |= {"order": chosen.order, "stage": chosen.stage}
        fields = {name: value for name, value in fields.items() if value}
        now = {name: getattr(view, state) for name, (view, state, _) in self._saved_params.items()}
        fields |= {name: now[name] for name, (_, _, first) in self._saved_params.items() if now[name] != first}
        query = "?" + urlencode(fields, safe=":,")
        if query != self._written:
            self._written = self.page.query = query

    def restore(self, query: dict[str, str]) -> bool:
        """Restore the state of an address if everything it needs is in memory; return whether it was.

        A page that is being built then already contains the replay; otherwise the browser first draws it empty. Insights may
        still be missing, see `learn`.
        """
        request = self._read_address(query)
        if request is None:
            return False
        now = self.hub.cached(LiveKitchens).kitchen(request[0]).kept if request[5] else None
        timeline = self.hub.kept(*request[:3]) if not request[5] else None if now is None else now.timeline
        if timeline is None or not self._prepared(request[0]):
            return False
        self._requested = request
        self._take(self.hub.location(request[0]), timeline, *request[3:], now)
        insights = self.hub.kept_insights(timeline)
        if insights is not None:
            self._learn(insights)
        return True

    async def follow_address(self, query: dict[str, str], fallback: Callable[[], Awaitable[None]]) -> None:
        """Load and restore the state of an address, ignoring invalid parts; without a valid location await `fallback()`."""
        request = self._read_address(query)
        if request is None:
            await fallback()
            self.page.settled = True
        else:
            await self.choose(*request)

    def _read_address(self, query: dict[str, str]) -> LoadRequest | None:
        """Apply an address's viewport, saved Params and selection; return what is to be loaded, None without a valid location."""
        address = Address(query)
        wish = read(address, self.hub)
        self.remarks = address.remarks
        if wish is None:
            return None
        self.viewport = wish.viewport
        if wish.loop:
            self.controller.set_loop(True)
        if wish.hindsight:
            self.controller.set_hindsight(True)
        self._section = wish.section
        for name, (view, state, _) in self._saved_params.items():
            if name in query:
                view.param.update({state: query[name]})
        self.controller.selection.select(wish.order)
        if wish.stage:
            self.controller.selection.filter(wish.stage)
        return wish.load


@shared()
def _state_at(timeline: Timeline, t: float) -> Snapshot:
    return timeline.at(t)
