"""The shows of a process: made once for all screens that ask for the same, and where a presenter has moved them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from twin.foundation.cache import ByteCache, SingleFlight, one_each
from twin.hub import Hub
from twin.show.deriving import derive
from twin.show.options import Options
from twin.show.scene import Anchor, Show

MOST_SHOWS = 32
"""Kept per process. Options come from addresses, which anybody may vary."""
MOST_AHEAD_S = 60.0
"""A screen's memory may be this far ahead of this server's clock; more is no presenter's word but a wrong clock."""


@dataclass(slots=True)
class _Kept:
    show: Show
    data: tuple[tuple[str, float], ...]
    anchor: Anchor


class Stage:
    """Makes and keeps shows. Thread-safe; `show` may load data, the rest answers at once."""

    def __init__(self, source: Callable[[], Hub], script: Callable[[Hub], Show | None]) -> None:
        """`source()` opens the data; `script(twin)` returns a rehearsed show, None where there is none."""
        self._source = source
        self._script = script
        self._kept: ByteCache[_Kept] = ByteCache(MOST_SHOWS, one_each)
        self._lock = threading.Lock()
        self._making: SingleFlight[Show] = SingleFlight()

    def show(self, options: Options) -> Show:
        """Return the show of these options, made anew when the source has got other data. Raises `TwinError`."""
        hub = self._source()
        data = tuple((place.id, place.end) for place in hub.locations)
        kept = self._kept.get(options)
        if kept is not None and kept.data == data:
            return kept.show
        return self._making.run((options, data), lambda: self._make(hub, options, data))

    def _make(self, hub: Hub, options: Options, data: tuple[tuple[str, float], ...]) -> Show:
        kept = self._kept.get(options)
        if kept is not None and kept.data == data:  # another thread may have finished since we looked
            return kept.show
        show = (self._script(hub) if options.scripted else None) or derive(hub, options)
        with self._lock:
            kept = self._kept.get(options)
            # one that plays once begins when it is first asked for; one that loops has no begin
            anchor = kept.anchor if kept else Anchor() if show.loop else Anchor(origin=time.time())
            self._kept.put(options, _Kept(show, data, anchor))
        return show

    def anchor(self, options: Options) -> Anchor:
        """Return what ties a show to epoch time."""
        with self._lock:
            kept = self._kept.get(options)
        return Anchor() if kept is None else kept.anchor

    def offer(self, options: Options, anchor: Anchor) -> None:
        """Take an anchor that a screen remembers, if it is later than ours: so a show survives a restart of the server."""
        with self._lock:
            kept = self._kept.get(options)
            if kept is not None and kept.anchor.stamp < anchor.stamp <= time.time() + MOST_AHEAD_S:
                kept.anchor = anchor

    def hold(self, options: Options) -> None:
        """Pause the show on all its screens, or let it go on."""
        with self._lock:
            if kept := self._kept.get(options):
                kept.anchor = kept.anchor.hold(time.time())

    def move(self, options: Options, scenes: int) -> None:
        """Go so many scenes on (negative: back) on all screens of the show."""
        with self._lock:
            if kept := self._kept.get(options):
                kept.anchor = kept.anchor.move(kept.show, scenes, time.time())
