"""Frames of crowds, shared by all sessions of the process: each made once, even when asked for twice at the same time."""

import itertools
import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary

from twin.foundation.cache import ByteCache, SingleFlight
from twin.render import dense
from twin.render.dense import Extent
from twin.timeline import fleet
from twin.timeline.fleet import Fleet
from twin.timeline.timeline import Timeline

MOST_BYTES = 64 * 2**20
"""Of frames: some hundreds."""

MOMENTS = 3
"""Moments of a timeline whose crowds are kept (20 MB each for a million drivers): the map is moved, or pointed at, at one."""


class DenseStore:
    """Crowds and frames by timeline, moment and extent. Any thread may ask; a timeline's are gone with it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Keep at most `most` bytes of frames."""
        self.frames: ByteCache[bytes] = ByteCache(most)
        self._gathering: SingleFlight[Fleet] = SingleFlight()
        self._numbers = itertools.count()
        self._known: WeakKeyDictionary[Timeline, tuple[int, OrderedDict[float, Fleet]]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def _of(self, timeline: Timeline) -> tuple[int, OrderedDict[float, Fleet]]:
        with self._lock:
            if timeline not in self._known:
                self._known[timeline] = next(self._numbers), OrderedDict()
            return self._known[timeline]

    def crowd(self, timeline: Timeline, t: float) -> Fleet:
        """Return everyone on the road at t."""
        number, moments = self._of(timeline)

        def make() -> Fleet:
            made = fleet.gather(timeline.trips, t).without(timeline.stalled_trips(t))
            with self._lock:
                moments[t] = made
                while len(moments) > MOMENTS:
                    moments.popitem(last=False)
            return made

        with self._lock:
            if t in moments:
                moments.move_to_end(t)
                return moments[t]
        return self._gathering.run((number, t), make)

    def frame(self, timeline: Timeline, t: float, extent: Extent) -> bytes:
        """Return the packed frame (see `dense.pack`) of a moment and an extent."""
        key = (self._of(timeline)[0], t, extent)

        return self.frames.load(key, lambda: dense.pack(dense.counts(self.crowd(timeline, t), extent)))
