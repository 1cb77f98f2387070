"""The state of one server process: its settings, its hub, and the caches that all its sessions share.

Pages and routes call `process.hub(visitor)`, with what `process.visitor_of(request)` returns: None where all read with the
rights of the process, else who has a hub of his own (`twin.server.visitors`). Under `twin serve` the source is opened before the
port; a Databricks app begins to open it when it starts (`open_until_it_is`), a plain `panel serve dashboards/*.py` with its first
page. All state of the process is here; state that belongs to a hub or a timeline is cached on that
(`twin.foundation.cache.Owner`).
"""

import asyncio
import logging
import math
import secrets
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession
from bokeh.util import serialization
from tornado.httputil import HTTPServerRequest

from twin.foundation import errand
from twin.foundation.cache import ByteCache
from twin.foundation.errors import ConfigError, ForeignColumnsError, SignInError, SourceError, TwinError
from twin.foundation.settings import Settings
from twin.hub import TIMELINE_SHARE, Hub, budget_of, open_source
from twin.render import places
from twin.render.densestore import DenseStore
from twin.render.filemap import FileMap
from twin.render.places import Places
from twin.render.streets import Streets
from twin.render.tiles import CACHE_BYTES, TileSet, warm
from twin.server.noticing import Watch
from twin.server.visitors import UNKNOWN, Visitor, Visitors
from twin.server.watchdog import Watchdog
from twin.show import Show, scenefile
from twin.show.showings import Showings
from twin.sources.inbox import Inbox

if TYPE_CHECKING:
    from twin.alerts.sender import Sender as AlertSender
    from twin.alerts.store import Store as AlertStore
    from twin.alerts.watch import Watch as AlertWatch
    from twin.sources.adapters.adapt import Adaptation

log = logging.getLogger(__name__)

TILESETS_BYTES = 64 << 20
"""Bytes of the streets of base maps in memory per process, some 1 MB for a kitchen; their tiles are limited separately."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 900.0
"""Seconds after which a server that could not open its source tries again by itself, twice as long each time."""
MOST_COMPRESSED = 32 * 2**20
"""Bytes of compressed files in memory: all scripts of Bokeh, Panel and ours have some 2 MB."""

ARRIVED_S = 0.2
"""Seconds after which the source is looked at when events have come: so long they are gathered."""
REST, LONGEST_REST_S = 20.0, 30.0
"""A look rests the CPU seconds that it took so many times, but never longer: all looks take a twentieth of a core."""
UNSEEN_REST, UNSEEN_S = 60.0, 5.0
"""... and a sixtieth while nobody follows what comes in, as long as it comes within so many seconds. Whoever begins to follow has
the source look at once (`twin.replay.followed`)."""

VISITOR_SHARE = TIMELINE_SHARE / 8
"""Share of the process's memory for the timelines of one visitor's hub that no page shows."""


class HubState:
    """What the sessions on one hub share beside it. It lives as long as the hub."""

    def __init__(self, hub: Hub) -> None:
        # one that is larger than the limit is cached alone
        self.tilesets: ByteCache[TileSet] = ByteCache(
            TILESETS_BYTES, lambda one: min(one.nbytes, TILESETS_BYTES), hub.budget
        )
        self._hub = hub
        self.showings = Showings(lambda: hub, _rehearsed_show)
        """The shows of wall screens; screens with equal options share one."""

    @cached_property
    def places(self) -> Places:
        """The water, parks and names of the base maps. Reads a file when it is first asked for."""
        return places.find(self._hub.settings.places, self._hub.source.name)


class Process:
    """The state of one server process. Thread-safe."""

    def __init__(self) -> None:
        self.instance = uuid.uuid4().hex
        """Another for every process: pages recognise by it that their server has been restarted."""
        self._opening = threading.Lock()
        self._beginning = threading.Lock()
        self._opened: dict[str | None, Future[Hub]] = {}
        self._settings: Settings | None = None
        self._hub: Hub | None = None
        self._failure: TwinError | None = None
        self._step = ""
        self.budget = budget_of(lambda: self.settings_or_default)
        """What the caches of the process share; those of a hub that was made elsewhere have one of their own."""
        self._tiles: ByteCache[bytes] = ByteCache(CACHE_BYTES, budget=self.budget)
        self._mapping = threading.Lock()
        self._mapped: Path | None = None
        self._map: FileMap | None = None
        self.file_map_problem = ""
        """Why the user's own map is not shown, a sentence; empty if it is, or if there is none."""
        self._receiving = threading.Lock()
        self._inbox: Inbox | None = None
        self._look: threading.Timer | None = None
        """The next look of the source at what has arrived; None while nothing has since the last."""
        self._looks_from = -math.inf
        self._watch: Watch | None = None
        """Notices what others write to the source's files."""
        self.alerts: AlertStore | None = None
        """Rules and alerts; None without TWIN_ALERTS, or before the source is open."""
        self._alert_watch: AlertWatch | None = None
        self._alert_senders: list[AlertSender] = []
        self._adaptation: Adaptation | None = None
        self.fleets = DenseStore(self.budget)
        """Fleets and their density frames, shared by sessions that show the same."""
        self.visitors = Visitors(self._open_of)
        """Who reads with his own rights."""
        self.assets: dict[str, bytes] = {}
        """Scripts assembled at run time and the font, by their name in the address: see `twin.server.assets`."""
        self.compressed: ByteCache[bytes] = ByteCache(MOST_COMPRESSED, budget=self.budget)
        """Compressed files, by address and ETag."""
        self.attached: WeakSet[ApplicationContext] = WeakSet()
        """Pages whose server has our routes."""
        self.outlived: WeakSet[ServerSession] = WeakSet()
        """Sessions that nobody may join any more: they hold what their users could read before their rights were read anew."""
        self.refused_hosts: set[str] = set()
        """Names in the Host header that were refused and logged; changed only on the event loop."""
        self.watchdog: Watchdog | None = None
        """Watches the event loop of the server; None where none was started."""
        self.streams: Counter[str | None] = Counter()
        """Replay streams that are open, by client (None: not known); changed only on the event loop."""

    @property
    def settings(self) -> Settings:
        """The settings given to `configure`, else those of the environment, read once. Raises `ConfigError`."""
        if self._settings is None:
            self._settings = Settings.from_environment()
        return self._settings

    @property
    def settings_or_default(self) -> Settings:
        """The settings; the defaults where the environment's are invalid, which the pages report."""
        try:
            return self.settings
        except ConfigError:
            return Settings()

    def configure(self, settings: Settings) -> None:
        """Set the settings of this process; `twin serve` passes those of its command line."""
        self._settings = settings

    def visitor_of(self, request: HTTPServerRequest | None) -> Visitor | None:
        """Return with whose rights a request reads; None: with those of the process. Raises `SignInError` if that is unknown."""
        settings = self.settings_or_default
        if not settings.on_behalf_of_user:
            return None
        if request is None or not settings.app_name:
            raise SignInError(UNKNOWN)
        return self.visitors.of(request)

    def open_hub(self, visitor: Visitor | None = None) -> Hub | None:
        """Return the hub if it is open, so that `hub` returns at once; else None."""
        return self._hub if visitor is None else self.visitors.opened(visitor)

    def hub(self, visitor: Visitor | None = None) -> Hub:
        """Return the hub of who reads. The first call opens the source that the settings name; later calls return at once.

        Raises the `TwinError` with which opening failed; the next call tries again. Raises `SignInError` without a visitor where
        nobody reads with the rights of the process.
        """
        if visitor is not None:
            return self.visitors.hub(visitor)
        hub = self._hub
        if hub is not None:
            return hub
        with self._opening:
            if self._hub is None:
                if self.settings_or_default.on_behalf_of_user:
                    raise SignInError(UNKNOWN)
                try:
                    if self.settings.inbox is not None:
                        self._check_inbox()
                    with errand.on(page="opening"):
                        self._hub = Hub(
                            open_source(None, self.settings, self.report), self.settings, budget=self.budget
                        )
                except TwinError as error:
                    self._failure = error
                    raise
                self._failure = None
                if paths := self._hub.source.watched:
                    self._watch = Watch(paths, self.events_arrived)
                self._begin_alerts(self._hub)
                if self._adaptation is not None:  # its rows are events from now on
                    self._adaptation.close()
                    self._adaptation = None
                # a plain `panel serve` does not warm up, so the renderer is compiled while the first page is drawn
                threading.Thread(target=warm, name="warm-tiles", daemon=True).start()
            return self._hub

    def _begin_alerts(self, hub: Hub) -> None:
        """Watch the hub's kitchens where there are alerts. The pages do without them if their database cannot be used."""
        settings = self.settings
        if not settings.alerts:
            return
        from twin.alerts.notices import Notices  # noqa: PLC0415  # for few servers
        from twin.alerts.store import Store  # noqa: PLC0415
        from twin.alerts.watch import Watch as AlertWatch  # noqa: PLC0415
        from twin.alerts.webhook import Webhook  # noqa: PLC0415

        try:
            self.alerts = store = Store(settings.alerts)
        except TwinError as error:
            log.error("there are no alerts: %s", error)
            return
        if settings.alerts_webhook:
            self._alert_senders.append(Webhook(store, settings.alerts_webhook, settings.alerts_secret))
        for number, url in enumerate(settings.alerts_notify, 1):
            try:
                self._alert_senders.append(Notices(store, url, number, hub))
            except TwinError as error:  # the others, and the pages, do without it
                log.error("alerts are not sent there: %s", error)
        for sender in self._alert_senders:
            sender.start()
        self._alert_watch = AlertWatch(hub, store, self._alert_senders)
        self._alert_watch.start()

    def alerts_changed(self) -> None:
        """Have new rules judged now."""
        if self._alert_watch is not None:
            self._alert_watch.wake()

    def _end_alerts(self) -> None:
        for one in (self._alert_watch, *self._alert_senders):
            if one is not None:
                one.stop()
        if self.alerts is not None:
            self.alerts.close()
        self.alerts, self._alert_watch, self._alert_senders = None, None, []

    async def hub_of(self, request: HTTPServerRequest) -> Hub:
        """Return the hub of who sends a request; those who wait until it is open take no thread. Raises as `hub` does."""
        visitor = self.visitor_of(request)
        hub = self.open_hub(visitor)
        return await asyncio.wrap_future(self.begin_opening(visitor)) if hub is None else hub

    def _open_of(self, visitor: Visitor) -> Hub:
        """Open the source with a visitor's rights. What he reads is not written to the disk, where it would outlast them."""
        settings = replace(self.settings, cache_bytes=0)
        with errand.on(page="opening"):
            source = open_source(None, settings, visitor.report, visitor.token)
        return Hub(source, self.settings, VISITOR_SHARE, budget=self.budget)

    def begin_opening(self, visitor: Visitor | None = None) -> "Future[Hub]":
        """Begin to open the source in a thread, and return at once: who waits for the result waits for the hub, or its error."""
        key = None if visitor is None else visitor.key
        with self._beginning:
            begun = self._opened.get(key)
            if begun is None or begun.done():
                begun = self._opened[key] = Future()
                begun.set_running_or_notify_cancel()  # whoever gives up waiting does so for himself alone
                threading.Thread(target=self._open_for, args=(visitor, begun), name="open-source", daemon=True).start()
            return begun

    def _open_for(self, visitor: Visitor | None, waiting: "Future[Hub]") -> None:
        try:
            hub = self.hub(visitor)
        except BaseException as error:
            waiting.set_exception(error)
        else:
            waiting.set_result(hub)
        if visitor is not None:  # the result would hold on to his hub
            with self._beginning:
                if self._opened.get(visitor.key) is waiting:
                    del self._opened[visitor.key]

    def open_until_it_is(self, sleep: Callable[[float], object] = time.sleep) -> None:
        """Open the source before the first page needs it; if that fails, log why and try again, less and less often.

        Visitors see the error meanwhile, and each has it tried at once. An error that only a person can mend ends it. Where each
        reads with his own rights there is nothing to open before somebody looks.
        """
        if self.settings_or_default.on_behalf_of_user:
            return
        pause = FIRST_RETRY_S
        while True:
            try:
                self.hub()
            except (ConfigError, ForeignColumnsError) as error:
                log.error("the source cannot be opened: %s", error)
                return
            except TwinError as error:
                log.error("the source cannot be opened, it is tried again in %.0f s: %s", pause, error)
            except ImportError:
                log.exception("the source cannot be opened")
                return
            else:
                return
            sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_S)

    def adaptation(self) -> "Adaptation":
        """Return the configured source as files whose columns are to be adapted; looked at once for all sessions.

        Raises `SourceError` if it cannot be, or if it is open, so that there is nothing to adapt.
        """
        with self._opening:
            if self._hub is not None:
                name = Path(self.settings.source).name
                raise SourceError(f"{name} is open: its columns are those of events, or have an adapter.")
            if self._adaptation is None:
                from twin.sources.adapters.adapt import Adaptation  # noqa: PLC0415  # for few servers

                self._adaptation = Adaptation(self.settings.source, self.settings)
            return self._adaptation

    def use(self, hub: Hub | None) -> None:
        """Serve an already open hub instead, with its settings; None: open the configured source at the next call."""
        with self._opening:
            self._end_alerts()
            self._settings = None if hub is None else hub.settings
            self._hub, self._failure, self._step = hub, None, ""
            self.visitors.forget()
            with self._receiving:
                if self._watch is not None:
                    self._watch.close()
                    self._watch = None
                if self._look is not None:
                    self._look.cancel()
                    self._look = None
                self._looks_from = -math.inf
                if self._inbox is not None:
                    self._inbox.close()
                    self._inbox = None
            if self._adaptation is not None:
                self._adaptation.close()
                self._adaptation = None

    @property
    def is_open(self) -> bool:
        """Whether the source is open, so that `hub()` returns at once."""
        return self._hub is not None

    @property
    def opening_step(self) -> str:
        """The current step of opening the source, a text to show; "" before it begins. Visitors have one each."""
        return self._step

    @property
    def needs_adapter(self) -> bool:
        """Whether the source could not be opened because its columns are not those of events."""
        return isinstance(self._failure, ForeignColumnsError)

    @property
    def failure(self) -> str | None:
        """Why the source could not be opened, a sentence without confidential details; None if it did not fail."""
        return None if self._failure is None else self.without_folder(str(self._failure))

    def without_folder(self, text: str) -> str:
        """Return a sentence without the source's folder: its name says what is meant, and where it lies is nobody's business."""
        if self._settings is None:
            return text
        return text.replace(f"{Path(self._settings.source).expanduser().parent}/", "")

    def inbox(self) -> Inbox:
        """Return the inbox of the settings, which the first call opens. Raises `SourceError`, and `ConfigError` without one."""
        with self._receiving:
            if self._inbox is None:
                folder = self.settings.inbox
                if folder is None:
                    raise ConfigError("TWIN_INBOX is not set: there is no inbox.")
                self._inbox = Inbox(folder)
            return self._inbox

    def inbox_of(self, hub: Hub) -> Inbox | None:
        """Return the inbox if it is the source of this hub, else None."""
        return self._inbox if hub is self._hub and self.settings.source == str(self.settings.inbox) else None

    def _check_inbox(self) -> None:
        """Raise `SourceError` if the inbox is the source and has no events so far."""
        inbox = self.inbox()  # made at once, which also says whether it can be written
        if self.settings.source == str(self.settings.inbox) and not inbox.has_events:
            raise SourceError(
                "The inbox has no events so far: send the first ones to /api/v1/events, and they open the page."
            )

    def events_arrived(self) -> None:
        """Have the source look for new events soon, or open it with the first ones. Returns at once.

        One look is for all events that arrive within `ARRIVED_S`; it comes after the last of them, whatever else looks meanwhile.
        """
        with self._receiving:
            if self._look is None:
                wait = max(ARRIVED_S, self._looks_from - time.monotonic())
                self._look = threading.Timer(wait, self._look_for_events)
                self._look.daemon = True
                self._look.start()
        if self._hub is None:
            self.begin_opening()

    def _look_for_events(self) -> None:
        with self._receiving:
            if self._look is not threading.current_thread():  # another source is served meanwhile
                return
            self._look = None  # what arrives from now on needs a look of its own
        begun = time.thread_time()
        try:
            with errand.on(page="refresh"):
                self.hub().refresh()
        except TwinError as error:
            log.warning("new events cannot be read: %s", error)
        finally:
            spent = time.thread_time() - begun
            rest = min(REST * spent, LONGEST_REST_S)
            if self._hub is not None and not self._hub.is_followed:
                rest = max(rest, min(UNSEEN_REST * spent, UNSEEN_S))
            self._looks_from = time.monotonic() + rest

    def tileset(self, hub: Hub, location: str) -> TileSet:
        """Return a location's base map. Concurrent calls for one location build it once; other locations do not wait.

        Raises `UnknownLocationError`, and `SourceError` if its routes cannot be read.
        """
        hub.location(location)
        tilesets = hub.cached(HubState).tilesets
        return tilesets.load(location, lambda: self._build(hub, location))

    def _build(self, hub: Hub, location: str) -> TileSet:
        tiles = TileSet(Streets(*hub.streets(location)), self._tiles, hub.cached(HubState).places)
        if (own := self.file_map()) is not None:
            tiles.names_of_file = [name.as_json() for name in own.names(tiles.surroundings)]
        return tiles

    def file_map(self) -> FileMap | None:
        """Return the base map of the user's own file, which the first call opens; None without one that can be used."""
        path = self.settings_or_default.tile_file
        with self._mapping:
            if path != self._mapped:
                self._mapped, self._map, self.file_map_problem = path, None, ""
                try:
                    self._map = None if path is None else FileMap(path, self._tiles)
                except ConfigError as error:
                    self.file_map_problem = str(error)
                    log.warning("%s", error)
            return self._map

    def built_tileset(self, hub: Hub, location: str) -> TileSet | None:
        """Return a location's base map if it is built, else None. Returns at once."""
        return hub.cached(HubState).tilesets.get(location)

    def has_tileset(self, hub: Hub, location: str) -> bool:
        """Return whether a location's base map is built, so that `tileset` returns at once."""
        return location in hub.cached(HubState).tilesets

    def showings(self, hub: Hub) -> Showings:
        """Return the shows of the wall screens on a hub."""
        return hub.cached(HubState).showings

    def rehearsed_show(self, hub: Hub) -> Show | None:
        """Return the show of the settings' scene file, None without one. Raises `ConfigError`."""
        return _rehearsed_show(hub)

    def report(self, step: str, share: float) -> None:
        """Record and print the current step of opening; `share` (0..1) is its progress."""
        self._step = step
        print(f"{step} … {share:.0%}", flush=True)


def _rehearsed_show(hub: Hub) -> Show | None:
    path = hub.settings.scenes
    return None if path is None else scenefile.load(path, hub)


def _number_models_apart() -> None:
    """Let Bokeh number the models of this process from a place of its own.

    Every process would begin at 1,000. When a server has been restarted, a page draws the new session behind the last picture
    of the old one; both are then in one page, and Panel looks up views by the numbers of their models.
    """
    serialization._simple_id += secrets.randbelow(10**11)


_number_models_apart()
process = Process()
"""The state of this process. Tests replace its hub with `use`."""
