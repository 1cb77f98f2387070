"""What all sessions that follow a kitchen share: its newest timeline, made ready in one thread, at most once a second.

However many batches come in and however many pages look on, a timeline is extended, indexed and judged once. A page is told that
there is something new, and takes it when it can be seen.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twin.analysis.driver_supply import summarise
from twin.analysis.event_index import event_index_of
from twin.analysis.insights import Insights
from twin.analysis.metrics import metrics_of
from twin.analysis.silence import Rhythm, rhythm_of
from twin.foundation import errand
from twin.foundation.callbacks import Callbacks
from twin.foundation.errors import TwinError
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.replay.clock import Anchor
from twin.sources.base import Location
from twin.timeline.timeline import Timeline

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Least seconds between two timelines that sessions are given: more often, nobody sees a difference."""
LEARN_EVERY_S = 20.0
"""Least seconds between two examinations of what stands out: its grid is minutes."""
IDLE = 20.0
"""What is made rests for so many times the CPU seconds that it took: following a kitchen costs a twentieth of a core at most."""
LOOKING = 5.0
"""The source is looked at again after so many times the seconds that it took."""
SLOWEST_S = 5.0
"""... but a timeline is never older than this when there is a newer one."""
MOVES, PACE_S, LIFE = 64, 30.0, 2.0
"""Moves of the edge that are remembered; the wall seconds over which its pace is judged; up to twice as fast is life."""
GROWS_WITHIN_S = DAY
"""A source whose latest event is so near to the kitchen's clock is growing, if it can change at all."""


@dataclass(frozen=True)
class LiveState:
    """A kitchen as it is now.

    edge: the time of its latest event, data seconds; came: when that was read, wall seconds of `time.monotonic`; final: events
    before this may be taken as complete (`Settings.final_after_s`); late: how many came after that all the same; rhythm: how
    often events come; t: the moment that pages which follow show when they take it, one for all, so that what is made of it
    is made once; insights: of this timeline or a slightly earlier one, None until there are any.
    """

    timeline: Timeline
    edge: float
    came: float
    final: float
    late: int
    rhythm: Rhythm
    t: float
    pace: float = 1.0
    insights: Insights | None = None
    problem: str = ""
    """Why nothing newer can be had, a sentence; empty if it can."""


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


class LiveKitchen:
    """One kitchen that somebody follows. Its thread runs as long as somebody does."""

    def __init__(self, hub: Hub, location: str, wall: Callable[[], float] = time.monotonic) -> None:
        self._hub, self._location, self._wall = hub, location, wall
        self._lock = threading.Lock()
        self._advancing = threading.Lock()
        self._callbacks = Callbacks()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._state: LiveState | None = None
        self._insights: Insights | None = None
        self._learn_at = -math.inf
        self._look, self._moves = Look(hub, lambda: self._wall()), Moves(lambda: self._wall())
        self._playhead = Anchor()

    @property
    def state(self) -> LiveState | None:
        """The newest that is ready; None before the first."""
        return self._state

    def follow(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback()`, in this kitchen's thread, when `state` is another one; return the function that ends it."""
        with self._lock:
            remove = self._callbacks.add(callback)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()

        def end() -> None:
            remove()
            self._wake.set()

        return end

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
        self._state = LiveState(timeline, edge, came, final, late, timeline.cached(rhythm_of), t, pace, self._insights)
        return self._state

    def learn(self) -> None:
        """Examine the newest timeline for what stands out."""
        state = self._state
        if state is not None:
            self._insights = self._hub.insights(state.timeline)
            self._state = replace(state, insights=self._insights)

    # -- the thread ---------------------------------------------------------------------------------------------------------
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
        """Look for new rows, make what follows from them, and tell; returns the seconds from its begin to the next at least."""
        before, spent = self._state, 0.0
        try:
            self._look.take()
            self._wake.clear()
            begun = time.thread_time()
            made = self.advance()
            spent = time.thread_time() - begun
            if made is not before:
                self._callbacks.call()
            learned = self._insights is not None and self._insights.timeline is made.timeline
            if not learned and self._wall() >= self._learn_at:
                self._examine()
        except TwinError as error:
            log.warning("%s cannot be followed: %s", self._location, error)
            if before is not None and before.problem != str(error):
                self._state = replace(before, problem=str(error))
                self._callbacks.call()
        except Exception:  # whatever it is, those who follow must not be left behind for good
            log.exception("%s cannot be followed", self._location)
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
