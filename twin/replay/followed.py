"""What is shared by all who follow something that grows: one thread looks for news as long as anybody does, and tells them."""

import logging
import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from twin.foundation import errand
from twin.foundation.callbacks import Callbacks
from twin.foundation.errors import TwinError
from twin.hub import Hub

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Least seconds between two states that those who follow are given: more often, nobody sees a difference."""
LOOKING = 5.0
"""The source is looked at again after so many times the seconds that it took."""
SLOWEST_S = 5.0
"""... but a timeline is never older than this when there is a newer one."""
MOVES, PACE_S, LIFE = 64, 30.0, 2.0
"""Moves of the edge that are remembered; the wall seconds over which its pace is judged; up to twice as fast is life."""


@dataclass(frozen=True, slots=True)
class State:
    """What is followed as it is now."""

    problem: str = field(default="", kw_only=True)
    """Why nothing newer can be had, a sentence; empty if it can."""


Now = TypeVar("Now", bound=State)


class Look:
    """When the source was looked at for new rows, by one of those who want them."""

    def __init__(self, hub: Hub, wall: Callable[[], float]) -> None:
        self._hub, self._wall = hub, wall
        self.due = -math.inf
        """When the next look is due, wall seconds."""

    def take(self) -> None:
        """Have the source look for new rows. Where others do, as for an inbox, they are told of anyway. Raises `SourceError`."""
        hub, begun = self._hub, self._wall()
        looked = hub.as_of is not None and 0 <= time.time() - hub.as_of < EVERY_S
        if begun < self.due or looked:
            return
        try:
            if hub.source.metered:
                hub.freshen(hub.settings.live_s)
            else:
                hub.refresh()
        finally:
            self.due = self._wall() + min(max(EVERY_S, LOOKING * (self._wall() - begun)), SLOWEST_S)


class Moves:
    """When an edge moved, and how fast it does."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._moves: deque[tuple[float, float]] = deque(maxlen=MOVES)  # (wall, edge)

    def note(self, edge: float) -> None:
        """Take where the edge has moved to."""
        self._moves.append((self._wall(), edge))

    @property
    def came(self) -> float:
        """When it moved last, wall seconds."""
        return self._moves[-1][0]

    @property
    def pace(self) -> float:
        """How fast data time runs, data seconds per wall second: 1 in life, more in a demonstration."""
        recent = [one for one in self._moves if one[0] >= self._moves[-1][0] - PACE_S]
        (wall, edge), (now, latest) = recent[0], recent[-1]
        pace = (latest - edge) / (now - wall) if now > wall else 1.0
        return pace if pace > LIFE else 1.0


class Followed(ABC, Generic[Now]):
    """Something of a hub that somebody follows. Its thread runs as long as somebody does."""

    def __init__(self, hub: Hub, called: str, thread: str, wall: Callable[[], float]) -> None:
        """`called`: what it is in the log; `thread`: the name of its thread."""
        self._hub, self._called, self._named, self._wall = hub, called, thread, wall
        self._lock = threading.Lock()
        self._advancing = threading.Lock()
        self._callbacks = Callbacks()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._look, self._moves = Look(hub, lambda: self._wall()), Moves(lambda: self._wall())
        self._state: Now | None = None

    @property
    def state(self) -> Now | None:
        """The newest that is ready; None before the first, and where nothing grows."""
        return self._state

    def follow(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback()`, in its thread, when `state` is another one; return the function that ends it."""
        with self._lock:
            remove = self._callbacks.add(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._named, daemon=True)
                self._thread.start()

        def end() -> None:
            remove()
            self._wake.set()

        return end

    @abstractmethod
    def _renew(self) -> float:
        """Bring `state` up to what has been read, and tell; returns the seconds from the begin of this step to the next.

        Raises `TwinError` where nothing newer can be had.
        """

    def _run(self) -> None:
        end = self._hub.on_change(self._wake.set)
        try:
            with errand.on(page="live"):
                while True:
                    begun = self._wall()
                    rest = self._step()
                    with self._lock:
                        if not self._callbacks:
                            self._thread = None
                            return
                    time.sleep(max(0.0, begun + rest - self._wall()))  # what comes in bursts is taken together
                    self._wake.wait(max(0.0, self._look.due - self._wall()))
        finally:
            end()

    def _step(self) -> float:
        """Look for new rows, make what follows from them, and tell; returns as `_renew`."""
        before = self._state
        try:
            self._look.take()
            self._wake.clear()
            return self._renew()
        except TwinError as error:
            log.warning("%s cannot be followed: %s", self._called, error)
            if before is not None and before.problem != str(error):
                self._state = replace(before, problem=str(error))
                self._callbacks.call()
        except Exception:  # whatever it is, those who follow must not be left behind for good
            log.exception("%s cannot be followed", self._called)
        return EVERY_S
