"""The shows of a process: each is made once for all its screens and can be paused and moved by a presenter."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from twin.foundation.cache import ByteCache, SingleFlight, one_each
from twin.hub import Hub
from twin.show.deriving import derive
from twin.show.options import Options
from twin.show.scene import Show, ShowAnchor

MOST_SHOWS = 32
"""Shows per process at most: options come from URLs, of which there can be any number."""
MOST_AHEAD_S = 60.0
"""Seconds by which the anchor of a screen may be ahead of this server's clock; beyond that its clock is wrong."""


@dataclass(slots=True)
class _Showing:
    """A show with its anchor. data: (location, end of its data) of every location when the show was made."""

    show: Show
    data: tuple[tuple[str, float], ...]
    anchor: ShowAnchor


class Showings:
    """The shows by their options. Thread-safe; only `show` may load data, all other methods return at once."""

    def __init__(self, source: Callable[[], Hub], script: Callable[[Hub], Show | None]) -> None:
        """`source()` returns the hub; `script(hub)` returns the rehearsed show, None if there is none."""
        self._source = source
        self._script = script
        self._showings: ByteCache[_Showing] = ByteCache(MOST_SHOWS, one_each)
        self._lock = threading.Lock()
        self._making: SingleFlight[Show] = SingleFlight()

    def show(self, options: Options) -> Show:
        """Return the show of these options; it is made again when the source has new data. Raises `TwinError`."""
        hub = self._source()
        data = tuple((place.id, place.end) for place in hub.locations)
        showing = self._showings.get(options)
        if showing is not None and showing.data == data:
            return showing.show
        return self._making.run((options, data), lambda: self._make(hub, options, data))

    def _make(self, hub: Hub, options: Options, data: tuple[tuple[str, float], ...]) -> Show:
        showing = self._showings.get(options)
        if showing is not None and showing.data == data:  # another thread may have finished since we looked
            return showing.show
        show = (self._script(hub) if options.scripted else None) or derive(hub, options)
        with self._lock:
            showing = self._showings.get(options)
            # a show that plays once begins with the first request; one that loops has no beginning
            anchor = showing.anchor if showing else ShowAnchor() if show.loop else ShowAnchor(origin=time.time())
            self._showings.put(options, _Showing(show, data, anchor))
        return show

    def anchor(self, options: Options) -> ShowAnchor:
        """Return the anchor of a show, the default one for a show that was not requested yet."""
        with self._lock:
            showing = self._showings.get(options)
        return ShowAnchor() if showing is None else showing.anchor

    def offer(self, options: Options, anchor: ShowAnchor) -> None:
        """Adopt a screen's anchor if it is later than ours, so that the state of a show survives a restart of the server."""
        with self._lock:
            showing = self._showings.get(options)
            if showing is not None and showing.anchor.stamp < anchor.stamp <= time.time() + MOST_AHEAD_S:
                showing.anchor = anchor

    def hold(self, options: Options) -> None:
        """Pause or resume the show on all its screens."""
        with self._lock:
            if showing := self._showings.get(options):
                showing.anchor = showing.anchor.hold(time.time())

    def move(self, options: Options, scenes: int) -> None:
        """Move the show by a number of scenes (negative: back) on all its screens."""
        with self._lock:
            if showing := self._showings.get(options):
                showing.anchor = showing.anchor.move(showing.show, scenes, time.time())
