"""What all sessions that follow a kitchen share: its newest timeline, made ready in one thread, at most once a second.

However many batches come in and however many pages look on, a timeline is extended, indexed and judged once. A page is told that
there is something new, and takes it when it can be seen.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twin.analysis.driver_supply import summarise
from twin.analysis.event_index import event_index_of
from twin.analysis.insights import Insights
from twin.analysis.metrics import metrics_of
from twin.analysis.silence import Rhythm, rhythm_of
from twin.foundation.errors import TwinError
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.replay.clock import Anchor
from twin.replay.followed import EVERY_S, SLOWEST_S, Followed, State
from twin.sources.base import Location
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

LEARN_EVERY_S = 20.0
"""Least seconds between two examinations of what stands out: its grid is minutes."""
IDLE = 20.0
"""What is made rests for so many times the CPU seconds that it took: following a kitchen costs a twentieth of a core at most."""
MOST_CORRECTED = 20
"""Stretches of time of which pages are told that they were corrected after their figures were final."""
GROWS_WITHIN_S = DAY
"""A source whose latest event is so near to the kitchen's clock is growing, if it can change at all."""


@dataclass(frozen=True, slots=True)
class LiveState(State):
    """A kitchen as it is now.

    edge: the time of its latest event, data seconds; came: when that was read, wall seconds of `time.monotonic`; final: events
    before this may be taken as complete (`Settings.final_after_s`); late: how many came after that all the same; corrected:
    [from, to] of the times of which something was unknown when they were final, the latest; rhythm: how often events come; t: the
    moment that pages which follow show when they take it, one for all, so that what is made of it is made once; insights: of this
    timeline or a slightly earlier one, None until there are any.
    """

    timeline: Timeline
    edge: float
    came: float
    final: float
    late: int
    corrected: list[list[float]]
    rhythm: Rhythm
    t: float
    pace: float = 1.0
    insights: Insights | None = None


def grows(hub: Hub, location: str, now: float | None = None) -> bool:
    """Return whether more events of a kitchen are to be expected: its source can change, and did so already or is of today.

    A folder of last year's files may change, too, but nobody would call it live.
    """
    return place_grows(hub, hub.location(location), now)


def place_grows(hub: Hub, place: Location, now: float | None = None) -> bool:
    """Return the same of a location that is at hand."""
    if hub.as_of is None:
        return False
    if hub.settings.inbox is not None:
        return True
    wall = time.time() if now is None else now
    return hub.version > 0 or abs(place.end - wall) < GROWS_WITHIN_S


class LiveKitchen(Followed[LiveState]):
    """One kitchen that somebody follows."""

    def __init__(self, hub: Hub, location: str, wall: Callable[[], float] = time.monotonic) -> None:
        super().__init__(hub, location, "live", wall)
        self._location = location
        self._insights: Insights | None = None
        self._learn_at = -math.inf
        self._playhead = Anchor()

    @property
    def kept(self) -> LiveState | None:
        """`state` if it is up to date, as while somebody follows; else None."""
        return None if self._thread is None else self._state

    def advance(self) -> LiveState:
        """Bring `state` up to what has been read, here and now; returns it. Raises `SourceError`."""
        with self._advancing:
            return self._advance()

    def _advance(self) -> LiveState:
        hub, before = self._hub, self._state
        timeline, edge = hub.newest(self._location), hub.edge(self._location)
        if before is not None and before.timeline is timeline and before.edge == edge and not before.problem:
            return before
        wall, moved = self._wall(), before is None or edge > before.edge
        hub.last_day(self._location)  # sessions want it, who must not wait for the source
        metrics_of(timeline)
        event_index_of(timeline)
        summarise(timeline)
        final = edge - hub.settings.final_after_s
        late = 0 if before is None else before.late + _late(before.timeline, timeline, before.final)
        if moved:
            self._moves.note(edge)
        if before is None:
            self._playhead = Anchor(t0=edge, wall0=wall, end=edge, edge=edge, playing=True, live=True)
        self._playhead = self._playhead.grow(wall, edge)
        t, came, pace = self._playhead.t0, self._moves.came, self._moves.pace
        corrected = timeline.corrected(hub.settings.final_after_s)[-MOST_CORRECTED:].tolist()
        rhythm = timeline.cached(rhythm_of)
        self._state = LiveState(timeline, edge, came, final, late, corrected, rhythm, t, pace, self._insights)
        return self._state

    def learn(self) -> None:
        """Examine the newest timeline for what stands out."""
        state = self._state
        if state is not None:
            self._insights = self._hub.insights(state.timeline)
            self._state = replace(state, insights=self._insights)

    def _renew(self) -> float:
        before, begun = self._state, time.thread_time()
        made = self.advance()
        spent = time.thread_time() - begun
        if made is not before:
            self._callbacks.call()
        learned = self._insights is not None and self._insights.timeline is made.timeline
        if not learned and self._wall() >= self._learn_at:
            self._examine()
        return min(max(EVERY_S, IDLE * spent), SLOWEST_S)

    def _examine(self) -> None:
        begun = time.thread_time()
        try:
            self.learn()
            self._callbacks.call()
        except TwinError as error:  # the replay works without insights
            log.warning("no insights of %s: %s", self._location, error)
        finally:
            self._learn_at = self._wall() + max(LEARN_EVERY_S, IDLE * (time.thread_time() - begun))


class LiveKitchens:
    """The kitchens of a hub that somebody follows: `hub.cached(LiveKitchens)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._kitchens: dict[str, LiveKitchen] = {}

    def kitchen(self, location: str) -> LiveKitchen:
        """Return what is shared of a kitchen. Raises `UnknownLocationError`."""
        self._hub.location(location)
        with self._lock:
            return self._kitchens.setdefault(location, LiveKitchen(self._hub, location))


def _late(before: Timeline, after: Timeline, final: float) -> int:
    """Return how many more events there are before `final` in the later timeline, in what both have."""
    start = max(before.window.start, after.window.start)
    if not final > start:
        return 0
    return max(0, _count(after, start, final) - _count(before, start, final))


def _count(timeline: Timeline, start: float, end: float) -> int:
    ts = event_index_of(timeline).ts
    first, last = np.searchsorted(ts, (start, end))
    return int(last - first)
