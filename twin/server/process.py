"""What one server process holds: one open source for all its pages and routes, and the base maps drawn from it.

A page or a route asks `process.hub()`; under `twin serve` the source was opened before the port, under a plain `panel serve
dashboards/*.py` it opens with the first page.
"""

import os
import threading
from collections import OrderedDict

from twin.foundation.errors import TwinError
from twin.hub import Hub, open_source
from twin.render.streets import Streets
from twin.render.tiles import TileSet, warm
from twin.show import Show, scenefile

MOST_TILESETS = 32
"""Base maps in memory per process; their pictures are capped by bytes in the renderer's own cache."""


class Process:
    """The state of one server process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hub: Hub | None = None
        self._failure: TwinError | None = None
        self._step = ""
        self._tilesets: OrderedDict[str, TileSet] = OrderedDict()

    def hub(self) -> Hub:
        """Return the open source, opening what TWIN_SOURCE names (else the demo) at the first call.

        Raises the `TwinError` that opening ended with; the next call tries again.
        """
        with self._lock:
            if self._hub is None:
                try:
                    self._hub = Hub(open_source(progress=self.report))
                except TwinError as error:
                    self._failure = error
                    raise
                self._failure = None
                # a plain `panel serve` did not warm up: the renderer compiles while the first page is being drawn
                threading.Thread(target=warm, name="warm-tiles", daemon=True).start()
            return self._hub

    def use(self, hub: Hub | None) -> None:
        """Serve an already open source instead; None: open the configured one at the next call."""
        with self._lock:
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
        """Return a location's base map. Raises `UnknownLocationError`."""
        hub = self.hub()
        hub.location(location)
        with self._lock:
            if location not in self._tilesets:
                self._tilesets[location] = TileSet(Streets(*hub.streets(location)))
                while len(self._tilesets) > MOST_TILESETS:
                    self._tilesets.popitem(last=False)
            self._tilesets.move_to_end(location)
            return self._tilesets[location]

    def has_tileset(self, location: str) -> bool:
        """Return whether a location's base map is ready, so that `tileset` answers at once."""
        return location in self._tilesets

    def rehearsed_show(self, hub: Hub) -> Show | None:
        """Return the rehearsed show that TWIN_SCENES names, None where it names none. Raises `ConfigError`."""
        path = os.environ.get("TWIN_SCENES")
        return scenefile.load(path, hub) if path else None

    def report(self, step: str, share: float) -> None:
        """Note and print what opening is doing; `share` (0..1) is how far it is."""
        self._step = step
        print(f"{step} … {share:.0%}", flush=True)


process = Process()
"""This process's. Tests put a source of their own into it with `use`."""
