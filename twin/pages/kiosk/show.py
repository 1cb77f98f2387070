"""The live page of a wall screen: the views, laid out to be read from five metres, on a show that plays by itself."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn

from twin.api.user import user_url
from twin.foundation import errand
from twin.foundation.address import Address, notice
from twin.foundation.errors import SignInError, TwinError
from twin.pages.basemap import base_map
from twin.pages.kiosk.card import KioskCard
from twin.pages.kiosk.interruption import LONGEST_S, Interruptions
from twin.pages.kiosk.live_wall import LiveCaption, LiveWall, caption_of
from twin.replay.controller import ReplayController
from twin.replay.live import grows
from twin.server import threads
from twin.server.answering import answering_request
from twin.server.process import process
from twin.show.captions import captions_as_known
from twin.show.options import Options, panes_in
from twin.show.scene import Scene, Show, ShowAnchor, ShowPosition
from twin.show.showings import Showings
from twin.views.board.board import BoardView
from twin.views.feed.feed import FeedView
from twin.views.kpis.kpis import KpiView
from twin.views.live.live import LiveView
from twin.views.map.map import BaseMap, MapView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.race.race import RaceView
from twin.views.session.address import unknown_kitchens
from twin.views.session.session import ReplaySession
from twin.views.shared.component import style_text
from twin.views.shared.kitchen_state import states_to_browser
from twin.views.shared.stand_in import built
from twin.views.shared.view import ReplayView
from twin.views.trends.trends import TrendsView

if TYPE_CHECKING:
    from twin.alerts.store import Alert, Store

log = logging.getLogger(__name__)

STEP_MS = 200
"""Milliseconds between two checks of the show's position: enough for the ends of scenes; motion needs no checks."""
VEIL_S = 0.7
"""Seconds in which the title card covers the old scene before it is replaced: slightly longer than its transition in card.css."""
RETRY_S = 5.0
"""Seconds after which a scene that could not be loaded is retried."""


class KioskShow(pn.viewable.Viewer):
    """The views of one screen, and the logic that moves them from scene to scene.

    The show is shared with other screens, so nothing in an address changes it: only messages of the live page do, which no
    page of another site can send.
    """

    def __init__(self, options: Options, address: Address, mounted: bool = False) -> None:
        """`mounted`: whether the page's server serves our routes."""
        super().__init__()
        query = address.query
        self._address = address
        self._mounted = mounted
        self._options = options
        self._remembered: ShowAnchor | None = None
        self._controller = ReplayController(settings=process.settings_or_default)
        self._session: ReplaySession | None = None
        self._show: Show | None = None
        self._showings: Showings | None = None
        self._wall: LiveWall | None = None
        self._stop_at = 0.0
        self._alerts: Store | None = None
        self._alerts_changed = False
        self._interruptions = Interruptions(options.locations)
        self._alert: Alert | None = None
        self._interrupted = 0
        self._live = built(LiveView, self._controller, large=True)
        self._race = built(RaceView, self._controller)
        self._board = built(BoardView, self._controller)
        self._refusal = ""
        try:
            self._visitor = process.visitor_of(answering_request())
        except SignInError as error:
            self._visitor, self._refusal = None, str(error)
        self._number: int | None = None
        self._captions: list[list[Any]] | None = None
        self._anchor: ShowAnchor | None = None
        self._busy = False
        self._retry_at = 0.0
        self._stepper: Any = None
        self._dark = query.get("theme", "").strip().lower() != "light"
        self._card = KioskCard(
            heading=query.get("title", "").strip()[:80], logo=query.get("logo", "").strip(),
            user=user_url() if mounted and process.settings_or_default.on_behalf_of_user else "",
            logo_origins=sorted(self._controller.settings.logo_origins), sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        self._card.join(self._controller)
        self._card.on_msg(self._on_message)
        self._controller.param.watch(self._show_states, "insights")
        self._views = self._build(panes_in(address))
        self._card.remark = notice(address.remarks)
        self._page = self._arrange()
        pn.state.onload(self._begin)

    def __panel__(self) -> pn.Column:
        return self._page

    def _build(self, panes: tuple[str, ...]) -> dict[str, ReplayView]:
        controller = self._controller
        views: dict[str, ReplayView] = {}
        for pane in panes:
            match pane:
                case "map":
                    views[pane] = built(
                        MapView, controller, base_map=self._base_map if self._mounted else None, dark=self._dark
                    )
                case "pipeline":
                    views[pane] = built(PipelineView, controller)
                case "kpis":
                    views[pane] = built(KpiView, controller)
                case "trends":
                    views[pane] = built(TrendsView, controller, dark=self._dark)
                case "feed":
                    views[pane] = built(FeedView, controller)
        return views

    def _show_states(self, _: Any) -> None:
        self._card.states = states_to_browser(self._controller.insights)

    def _base_map(self, location: str) -> BaseMap | None:
        return None if self._session is None else base_map(self._session.hub, location)

    def _arrange(self) -> pn.Column:
        parts: list[Any] = [self._card]
        self._card.styles = {"grid-area": "card"}
        for pane, view in self._views.items():
            shown = view.__panel__()
            shown.styles = {**shown.styles, "grid-area": pane, "min-width": "0", "min-height": "0"}
            shown.stylesheets = [*shown.stylesheets, style_text(Path(__file__).with_name("panes.css"))]
            shown.css_classes = [
                *shown.css_classes,
                f"pane-{pane}",
                *(["tight"] if {"feed", "trends"} & set(self._views) else []),
                *(["beside"] if "map" in self._views and {"kpis", "feed"} & set(self._views) else []),
            ]
            shown.margin = 0
            parts.append(shown)
        for cover in (self._race.__panel__(), self._board.__panel__()):
            cover.margin = 0
            cover.styles = {"grid-row": "2 / -1", "grid-column": "1 / -1", "z-index": "6", "min-height": "0"}
            parts.append(cover)
        badge = self._live.__panel__()
        area = "map" if "map" in self._views else "card"
        badge.styles = {"grid-area": area, "justify-self": "end", "align-self": "end", "z-index": "5", "margin": "10px"}
        parts.append(badge)
        return pn.Column(
            *parts,
            stylesheets=[style_text(Path(__file__).with_name("kiosk.css"))],
            css_classes=[f"with-{pane}" for pane in self._views],
            sizing_mode="stretch_both",
            margin=0,
        )

    async def _begin(self) -> None:
        self._stepper = pn.io.PeriodicCallback(callback=self._step, period=STEP_MS, background=True, log=False)
        self._stepper.start()

    # -- position in the show -------------------------------------------------------------------------------------------
    def _step(self) -> None:
        """Compare the screen with the show's position and start the work to catch up, one piece of work at a time."""
        if self._busy or time.monotonic() < self._retry_at:
            return
        if self._show is None or self._showings is None:
            self._start(self._open())
            return
        if self._is_interrupted():
            return
        if self._wall is not None:
            if time.monotonic() >= self._stop_at:
                self._start(self._change_stop(self._wall))
            return
        anchor, epoch = self._showings.anchor(self._options), time.time()
        position = self._show.position(anchor.seconds(epoch))
        if anchor != self._anchor:
            self._anchor = anchor
            self._card.remember = [anchor.origin, anchor.held, anchor.stamp]
            if position.number == self._number:
                self._set_clock(position, epoch)
        if position.number != self._number:
            self._start(self._change_scene(position))

    def _start(self, work: Any) -> None:
        self._busy = True
        pn.state.execute(partial(self._run_guarded, work))

    async def _run_guarded(self, work: Any) -> None:
        try:
            with errand.on(page="kiosk"):
                await work
        except TwinError as error:
            self._fail(str(error))
        except Exception:  # an error in one scene must not end the show: it is shown, logged and retried
            log.exception("show: a scene could not be shown")
            self._fail("This scene cannot be shown; the server's log says why.")
        finally:
            self._busy = False

    def _fail(self, problem: str) -> None:
        self._retry_at = time.monotonic() + RETRY_S
        self._card.problem = problem

    async def _open(self) -> None:
        """Open the source and build the show, in a thread, because either may take long."""
        if self._refusal:
            raise SignInError(self._refusal)
        hub = await threads.to_source(process.hub, self._visitor)
        showings = process.showings(hub)
        show = await threads.to_source(showings.show, self._options)
        for sentence in await threads.to_source(unknown_kitchens, hub, self._options.locations):
            self._address.remark(sentence)
        self._card.remark = notice(self._address.remarks)
        if self._remembered is not None:
            showings.restore(self._options, self._remembered)
        self._showings, self._show = showings, show
        self._session = ReplaySession(hub, self._controller, prepare=partial(process.tileset, hub), page="kiosk")
        self._session.watch([*self._views.values(), self._live, self._race, self._board])
        self._session.start()
        self._session.following.param.watch(self._tell_now, "now")
        scripted = self._options.scripted and process.settings_or_default.scenes is not None
        wall = await threads.to_source(LiveWall.of, hub, self._options, scripted)
        if wall is not None and pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.on_session_destroyed(lambda _context: wall.end())
        self._wall = wall
        if not scripted:
            self._hear_alerts()
        self._card.problem = ""

    # -- alerts -------------------------------------------------------------------------------------------------------------
    def _hear_alerts(self) -> None:
        """Be interrupted by what fires, where the server has alerts; a rehearsed show is not."""
        store = process.alerts
        if store is None or pn.state.curdoc is None or pn.state.curdoc.session_context is None:
            return
        self._alerts, self._alerts_changed = store, True
        end: Callable[[], None] = store.changed.add(self._note_alerts)
        pn.state.on_session_destroyed(lambda _context: end())

    def _note_alerts(self) -> None:
        self._alerts_changed = True

    def _is_interrupted(self) -> bool:
        """Return whether an alert has the screen, and start the work for one that begins or ends to."""
        if self._alerts is None or self._showings is None:
            return False
        if self._alerts_changed:
            self._alerts_changed = False
            self._start(self._read_alerts(self._alerts))
            return True
        if self._alert is None and self._showings.anchor(self._options).held is not None:
            return False  # a presenter has stopped the show, and speaks
        alert, before = self._interruptions.at(time.monotonic()), self._alert
        if alert is not None and (before is None or alert.id != before.id):
            self._start(self._interrupt(alert))
            return True
        if alert is None and before is not None:
            self._alert, self._stop_at = None, 0.0
            self._number = None  # the show's scene is loaded again
        return alert is not None

    async def _read_alerts(self, store: "Store") -> None:
        assert self._session is not None
        hub = self._session.hub
        firing = await threads.to_source(partial(store.alerts, state="firing"))
        growing = {place.id for place in hub.locations if grows(hub, place.id)}
        here = [alert for alert in firing if alert.location in growing]
        edges = {alert.location: await threads.to_source(hub.edge, alert.location) for alert in here}
        self._interruptions.take(here, edges.__getitem__)

    async def _interrupt(self, alert: "Alert") -> None:
        """Show an alert's kitchen as it is now."""
        session = self._session
        assert session is not None
        place, shown = session.hub.location(alert.location), session.place
        moves = shown is None or shown.id != place.id or session.following.now is None
        self._alert, self._interrupted = alert, self._interrupted + 1
        self._number = -1 - self._interrupted  # no scene of a show has it
        self._stop_at = time.monotonic() + LONGEST_S
        self._send_stop(self._alert_caption(alert), moves)
        if moves:
            await asyncio.sleep(VEIL_S)
            await session.choose(place.id, follow="live")
            if session.problem:
                self._interruptions.leave()
                self._fail(session.problem)
                return
        self._tell_now()
        self._card.param.update(arrived=self._number, problem="")

    def _alert_caption(self, alert: "Alert") -> LiveCaption:
        assert self._session is not None
        name = self._session.hub.location(alert.location).display_name
        return LiveCaption(f"{name}: {alert.title}", alert.text or alert.sentence, True)

    # -- live ---------------------------------------------------------------------------------------------------------------
    async def _change_stop(self, wall: LiveWall) -> None:
        """Show the next kitchen as it is now, behind the title card if it is another one."""
        session = self._session
        assert session is not None
        place, shown = session.hub.location(wall.next()), session.place
        self._stop_at = time.monotonic() + self._options.scene_s
        moves = shown is None or shown.id != place.id
        if moves:
            self._number = 0 if self._number is None else self._number + 1
            self._send_stop(LiveCaption(place.display_name, "", False), True)
            await asyncio.sleep(VEIL_S)
            await session.choose(place.id, follow="live")
            if session.problem:
                self._fail(session.problem)
                return
        elif self._controller.state == "behind":
            self._controller.follow()
        self._tell_now()
        self._card.param.update(arrived=self._number, problem="")

    def _tell_now(self, *_: Any) -> None:
        """Say what is the case at the kitchen that is followed."""
        now = None if self._session is None else self._session.following.now
        self._live.now = now
        if now is not None and self._alert is not None:
            self._send_stop(self._alert_caption(self._alert), bool(self._card.scene.get("moves")))
        elif now is not None and self._wall is not None:
            self._send_stop(caption_of(now), bool(self._card.scene.get("moves")))

    def _send_stop(self, said: LiveCaption, moves: bool) -> None:
        lasts = self._options.scene_s if self._alert is None else LONGEST_S
        began = time.time() + self._stop_at - time.monotonic() - lasts
        edge = self._controller.anchor.edge or 0.0
        self._card.scene = {
            "number": self._number, "index": 0, "count": 1, "name": said.headline, "headline": said.headline,
            "detail": said.detail, "t": edge, "end": edge, "speed": 1.0, "captions": [], "duration": lasts,
            "since": None, "until": None, "trouble": said.trouble, "moves": moves, "mapped": "map" in self._views,
            "began": round(began, 1), "live": True,
        }  # fmt: skip

    # -- scenes -------------------------------------------------------------------------------------------------------------
    async def _change_scene(self, position: ShowPosition) -> None:
        """Begin a scene: load its data behind the title card, if it needs other data, and play from its current position."""
        showings, session = self._showings, self._session
        if showings is None or session is None:
            return
        self._show = await threads.to_source(showings.show, self._options)
        epoch = time.time()
        position = self._show.position(showings.anchor(self._options).seconds(epoch))
        scene = self._show.scenes[position.index]
        moves, self._captions = self._needs_loading(scene), await self._caption(scene)
        self._send_scene(position, epoch, moves)
        self._number = position.number
        if moves:
            await asyncio.sleep(VEIL_S)
            await session.choose(scene.location, scene.start, scene.end, scene.t, scene.speed)
            if session.problem:
                self._number = None
                self._fail(session.problem)
                return
        if self._captions is None:
            self._captions = await self._caption(scene)
        self._show_target(scene)
        epoch = time.time()
        self._set_clock(self._show.position(showings.anchor(self._options).seconds(epoch)), epoch)
        self._card.param.update(arrived=position.number, problem="")

    async def _caption(self, scene: Scene) -> list[list[Any]] | None:
        """Return what the scene's caption says by time, as its Param has it; None while its data is not loaded."""
        hub = None if self._session is None else self._session.hub
        timeline = None if hub is None else hub.kept(scene.location, scene.start, scene.end)
        if hub is None or timeline is None:
            return None
        found = await threads.to_source(captions_as_known, hub, timeline, scene)
        return [[t, asdict(one)] for t, one in found]

    def _needs_loading(self, scene: Scene) -> bool:
        timeline = self._controller.timeline
        if timeline is None or timeline.location.id != scene.location:
            return True
        return (timeline.window.start, timeline.window.end) != (scene.start, scene.end)

    def _set_clock(self, position: ShowPosition, epoch: float) -> None:
        """Set the clock to the scene's current position; it plays unless the show is paused."""
        if self._show is None or self._showings is None or position.number != self._number:
            return
        scene, controller = self._show.scenes[position.index], self._controller
        held = self._showings.anchor(self._options).held is not None
        with pn.io.hold():
            if controller.speed != scene.speed:
                controller.set_speed(scene.speed)
            t = scene.at(position.elapsed)
            if held or t >= scene.end:
                controller.pause(at=t)
            else:
                controller.play(at=t)
            self._send_scene(position, epoch, self._card.scene.get("moves", True))

    def _show_target(self, scene: Scene) -> None:
        """Select the scene's order and zoom the map to the scene's zoom."""
        self._controller.selection.select(scene.order or None)
        if isinstance(self._race, RaceView):  # not what stands for one that could not be built
            self._race.begin(scene.race, scene.t)
        if isinstance(self._board, BoardView):
            self._board.begin(scene.board)
        view, timeline = self._views.get("map"), self._controller.timeline
        if view is None or timeline is None:
            return
        place = timeline.location
        has_viewport = scene.zoom is not None and place.lat is not None and place.lon is not None
        view.param.update(viewport=[place.lon, place.lat, scene.zoom] if has_viewport else [])

    def _send_scene(self, position: ShowPosition, epoch: float, moves: bool) -> None:
        if self._show is None or self._showings is None:
            return
        scene = self._show.scenes[position.index]
        held = self._showings.anchor(self._options).held is not None
        view = self._views.get("map")
        fields = {
            "number": position.number, "index": position.index, "count": len(self._show.scenes), "name": scene.name,
            "headline": scene.headline, "detail": scene.detail, "t": scene.t, "end": scene.end, "speed": scene.speed,
            "captions": self._captions, "duration": scene.duration, "since": scene.since, "until": scene.until,
            "trouble": scene.trouble, "moves": moves, "mapped": view is not None,
        }  # fmt: skip
        self._card.scene = fields | ({"held": position.elapsed} if held else {"began": epoch - position.elapsed})

    def _on_message(self, event: Any) -> None:
        """Carry out a presenter's key press, on every screen of the show; restore what the screen remembers of it.

        A key also ends what interrupts this screen.
        """
        match event.data:
            case {"show": "next" | "back" | "pause"}:
                self._interruptions.leave()
        match event.data:
            case {"show": "restore", "anchor": [float() | int() as origin, held, float() | int() as stamp]} if (
                isinstance(held, float | int | None)
            ):
                self._restore(origin, held, stamp)
            case {"show": "next" | "back"} if self._wall is not None:
                self._stop_at = 0.0
            case {"show": "next"} if self._showings is not None:
                self._showings.move(self._options, 1)
            case {"show": "back"} if self._showings is not None:
                self._showings.move(self._options, -1)
            case {"show": "pause"} if self._showings is not None:
                self._showings.hold(self._options)

    def _restore(self, origin: float, held: float | None, stamp: float) -> None:
        """Pass on the anchor that this screen has stored, now or as soon as there is a show."""
        with contextlib.suppress(OverflowError):  # an integer that no float holds
            self._remembered = ShowAnchor(float(origin), None if held is None else float(held), float(stamp))
            if self._showings is not None:
                self._showings.restore(self._options, self._remembered)
