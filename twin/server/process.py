"""What one server process holds: its settings, one open source for all its pages and routes, and what is made for them all.

A page or a route asks `process.hub()`; under `twin serve` the source was opened before the port, under a plain `panel serve
dashboards/*.py` it opens with the first page. What lives as long as the process and is shared by its sessions is here, and
nowhere else; what belongs to a source or a timeline lives with that (`twin.foundation.cache.Owner`).
"""

import threading
from weakref import WeakSet

from bokeh.server.contexts import ApplicationContext

from twin.foundation.cache import ByteCache, one_each
from twin.foundation.errors import TwinError
from twin.foundation.settings import Settings
from twin.hub import Hub, open_source
from twin.render.densestore import DenseStore
from twin.render.streets import Streets
from twin.render.tiles import CACHE_BYTES, TileSet, warm
from twin.show import Show, scenefile
from twin.show.showings import Showings

MOST_TILESETS = 32
"""Base maps in memory per process; their pictures are capped by bytes."""
MOST_COMPRESSED = 32 * 2**20
"""Bytes of compressed files kept: all scripts of Bokeh, Panel and ours have some 2 MB."""


class Process:
    """The state of one server process. Thread-safe."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._settings: Settings | None = None
        self._hub: Hub | None = None
        self._failure: TwinError | None = None
        self._step = ""
        self._tilesets: ByteCache[TileSet] = ByteCache(MOST_TILESETS, one_each)
        self._tiles: ByteCache[bytes] = ByteCache(CACHE_BYTES)
        self.crowds = DenseStore()
        """Frames of crowds, which sessions that look at the same share."""
        self.showings = Showings(self.hub, self.rehearsed_show)
        """The shows of wall screens: those that ask for the same see the same."""
        self.scripts: dict[str, bytes] = {}
        """Scripts made at run time, by the name they are asked for under: see `twin.server.assets`."""
        self.compressed: ByteCache[bytes] = ByteCache(MOST_COMPRESSED)
        """Compressed files, by address and ETag."""
        self.attached: WeakSet[ApplicationContext] = WeakSet()
        """Pages whose server answers our routes."""
        self.open_streams = 0
        """Replays that are being streamed; counted on the event loop alone."""

    @property
    def settings(self) -> Settings:
        """What the process was configured with, else its environment, read once. Raises `ConfigError`."""
        if self._settings is None:
            self._settings = Settings.from_environment()
        return self._settings

    def configure(self, settings: Settings) -> None:
        """Take the settings to open and to serve with; `twin serve` gives those of its command line."""
        self._settings = settings

    def hub(self) -> Hub:
        """Return the open source, opening what the settings name at the first call; then it returns at once.

        Raises the `TwinError` that opening ended with; the next call tries again.
        """
        hub = self._hub
        if hub is not None:
            return hub
        with self._opening:
            if self._hub is None:
                try:
                    self._hub = Hub(open_source(None, self.settings, self.report), self.settings)
                except TwinError as error:
                    self._failure = error
                    raise
                self._failure = None
                # a plain `panel serve` did not warm up: the renderer compiles while the first page is being drawn
                threading.Thread(target=warm, name="warm-tiles", daemon=True).start()
            return self._hub

    def use(self, hub: Hub | None) -> None:
        """Serve an already open source instead, with its settings; None: open the configured one at the next call."""
        with self._opening:
            self._settings = None if hub is None else hub.settings
            self._hub, self._failure, self._step = hub, None, ""
            self._tilesets.clear()

    @property
    def is_open(self) -> bool:
        """Whether the source is open, so that `hub` answers at once."""
        return self._hub is not None

    @property
    def opening_step(self) -> str:
        """What opening the source is doing, in words; "" before it begins."""
        return self._step

    @property
    def failure(self) -> str | None:
        """Why the source could not be opened, a sentence fit for anyone's eyes; None when nothing is wrong."""
        return None if self._failure is None else str(self._failure)

    def tileset(self, location: str) -> TileSet:
        """Return a location's base map; whoever wants one that is being made waits for it, and nobody else.

        Raises `UnknownLocationError`, and `SourceError` where its routes cannot be read.
        """
        hub = self.hub()
        hub.location(location)
        return self._tilesets.load(location, lambda: TileSet(Streets(*hub.streets(location)), self._tiles))

    def has_tileset(self, location: str) -> bool:
        """Return whether a location's base map is ready, so that `tileset` answers at once."""
        return location in self._tilesets

    def rehearsed_show(self, hub: Hub) -> Show | None:
        """Return the rehearsed show that the settings name, None where they name none. Raises `ConfigError`."""
        path = self.settings.scenes
        return None if path is None else scenefile.load(path, hub)

    def report(self, step: str, share: float) -> None:
        """Note and print what opening is doing; `share` (0..1) is how far it is."""
        self._step = step
        print(f"{step} … {share:.0%}", flush=True)


process = Process()
"""This process's. Tests put a source of their own into it with `use`."""
