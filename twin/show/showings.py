"""The shows of a process: each is made once for all its screens and can be paused and moved by a presenter."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from twin.foundation.cache import ByteCache, SingleFlight, one_each
from twin.hub import Hub
from twin.show.deriving import derive
from twin.show.options import Options
from twin.show.scene import Show, ShowAnchor

MOST_SHOWS = 32
"""Shows per process at most: options come from URLs, of which there can be any number."""
SKEW_S = 2.0
"""Seconds by which a stamp may be ahead of this server's clock: servers keep their clocks by NTP. A later stamp is made up."""
RESTORE_S = 120.0
"""Seconds from the first request of a show in which screens may restore what a presenter did before the server was restarted.
They come back within 15 seconds; after that the show is alive, and only its presenter changes it."""


@dataclass(slots=True)
class _Showing:
    """A show with its anchor.

    data: (location, end of its data) of every location when the show was made; begun: when it was first requested,
    `time.monotonic()`; presented: whether a presenter has changed it in this process.
    """

    show: Show
    data: tuple[tuple[str, float], ...]
    anchor: ShowAnchor
    begun: float
    presented: bool = False


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
            begun = showing.begun if showing else time.monotonic()
            self._showings.put(options, _Showing(show, data, anchor, begun, showing.presented if showing else False))
        return show

    def anchor(self, options: Options) -> ShowAnchor:
        """Return the anchor of a show, the default one for a show that was not requested yet."""
        with self._lock:
            showing = self._showings.get(options)
        return ShowAnchor() if showing is None else showing.anchor

    def restore(self, options: Options, anchor: ShowAnchor) -> None:
        """Take over the anchor that a screen remembers from before a restart of the server.

        It never overrides a show that a presenter has changed in this process, nor one that has played for `RESTORE_S`; of
        several screens the one with the latest stamp counts.
        """
        now = time.time()
        with self._lock:
            showing = self._showings.get(options)
            if showing is None or showing.presented or time.monotonic() - showing.begun > RESTORE_S:
                return
            if showing.anchor.stamp < anchor.stamp <= now + SKEW_S and _is_possible(anchor, now):
                showing.anchor = anchor

    def hold(self, options: Options) -> None:
        """Pause or resume the show on all its screens."""
        self._present(options, lambda showing, now: showing.anchor.hold(now))

    def move(self, options: Options, scenes: int) -> None:
        """Move the show by a number of scenes (negative: back) on all its screens."""
        self._present(options, lambda showing, now: showing.anchor.move(showing.show, scenes, now))

    def _present(self, options: Options, change: Callable[[_Showing, float], ShowAnchor]) -> None:
        """Carry out a presenter's command; its stamp is later than any before it, so that screens remember it."""
        with self._lock:
            if showing := self._showings.get(options):
                before = showing.anchor.stamp
                showing.anchor = change(showing, time.time())
                showing.anchor = replace(showing.anchor, stamp=max(showing.anchor.stamp, before))
                showing.presented = True


def _is_possible(anchor: ShowAnchor, now: float) -> bool:
    """Return whether a server with a right clock can have made this anchor: a show is a few rounds around the epoch or now."""
    numbers = (anchor.origin, anchor.held or 0.0)
    return all(math.isfinite(number) and abs(number) <= 2 * now for number in numbers)
