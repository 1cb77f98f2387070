"""What all pages of all kitchens share while a source grows: where its edge is. One thread looks, as long as a page does.

It makes no timeline: pages ask for those of the kitchens that they show, which the hub extends once for all.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from twin.foundation import errand
from twin.foundation.callbacks import Callbacks
from twin.foundation.errors import TwinError
from twin.hub import Hub
from twin.replay.live import EVERY_S, Look, Moves, place_grows

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as it is now: the version, and the latest edge of its kitchens, data seconds.

    came: when that was read, wall seconds of `time.monotonic`; pace: data seconds per wall second; problem: why nothing newer can
    be had, a sentence; empty if it can.
    """

    version: int
    edge: float
    came: float
    pace: float = 1.0
    problem: str = ""


class LiveSource:
    """The source of a hub, of which somebody follows all kitchens: `hub.cached(LiveSource)`."""

    def __init__(self, hub: Hub, wall: Callable[[], float] = time.monotonic) -> None:
        self._hub, self._wall = hub, wall
        self._lock = threading.Lock()
        self._advancing = threading.Lock()
        self._callbacks = Callbacks()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._look, self._moves = Look(hub, lambda: self._wall()), Moves(lambda: self._wall())
        self._state: SourceState | None = None

    @property
    def state(self) -> SourceState | None:
        """The newest; None before the first, and where nothing grows."""
        return self._state

    def follow(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback()`, in the source's thread, when `state` is another one; return the function that ends it."""
        with self._lock:
            remove = self._callbacks.add(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-source", daemon=True)
                self._thread.start()

        def end() -> None:
            remove()
            self._wake.set()

        return end

    def advance(self) -> SourceState | None:
        """Bring `state` up to what has been read, here and now; returns it. Raises `SourceError`."""
        with self._advancing:
            hub, before = self._hub, self._state
            version = hub.version
            edges = [hub.edge_of(place) for place in hub.locations if place_grows(hub, place)]
            if not edges:
                return before
            edge = max(edges)
            if before is None or edge > before.edge:
                self._moves.note(edge)
            state = SourceState(version, edge, self._moves.came, self._moves.pace)
            if before is None or replace(before, came=0.0, pace=1.0) != replace(state, came=0.0, pace=1.0):
                self._state = state
            return self._state

    def _run(self) -> None:
        end = self._hub.on_change(self._wake.set)
        try:
            with errand.on(page="live"):
                while True:
                    begun = self._wall()
                    self._step()
                    with self._lock:
                        if not self._callbacks:
                            self._thread = None
                            return
                    time.sleep(max(0.0, begun + EVERY_S - self._wall()))  # what comes in bursts is taken together
                    self._wake.wait(max(0.0, self._look.due - self._wall()))
        finally:
            end()

    def _step(self) -> None:
        before = self._state
        try:
            self._look.take()
            self._wake.clear()
            if self.advance() is not before:
                self._callbacks.call()
        except TwinError as error:
            log.warning("the source cannot be followed: %s", error)
            if before is not None and before.problem != str(error):
                self._state = replace(before, problem=str(error))
                self._callbacks.call()
        except Exception:  # whatever it is, those who follow must not be left behind for good
            log.exception("the source cannot be followed")
