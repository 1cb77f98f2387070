"""What all pages of all kitchens share while a source grows: where its edge is. One thread looks, as long as a page does.

It makes no timeline: pages ask for those of the kitchens that they show, which the hub extends once for all.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from twin.hub import Hub
from twin.replay.followed import EVERY_S, Followed, State
from twin.replay.live import place_grows


@dataclass(frozen=True, slots=True)
class SourceState(State):
    """A source as it is now: the version, and the latest edge of its kitchens, data seconds.

    came: when that was read, wall seconds of `time.monotonic`; pace: data seconds per wall second.
    """

    version: int
    edge: float
    came: float
    pace: float = 1.0


class LiveSource(Followed[SourceState]):
    """The source of a hub, of which somebody follows all kitchens: `hub.cached(LiveSource)`."""

    def __init__(self, hub: Hub, wall: Callable[[], float] = time.monotonic) -> None:
        super().__init__(hub, "the source", "live-source", wall)

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

    def _renew(self) -> float:
        before = self._state
        if self.advance() is not before:
            self._callbacks.call()
        return EVERY_S
