"""Frames of many drivers, shared by all sessions of the process: each is computed once, even for simultaneous requests."""

from twin.foundation.cache import Budget, ByteCache, one_each
from twin.render import dense
from twin.render.dense import Extent
from twin.timeline import fleet
from twin.timeline.fleet import Fleet
from twin.timeline.timeline import Timeline

MOST_BYTES = 64 * 2**20
"""Total size of the cached frames: room for some hundreds."""

MOST_TIMES = 3
"""Times per timeline whose drivers are cached (20 MB each for a million). Moving or hovering over the map does not change t."""


class _FleetByTime:
    """The drivers of one timeline, by time. `key` identifies it in the cache of frames, which must not hold a reference to it."""

    def __init__(self, _: Timeline) -> None:
        self.key = object()
        self.at: ByteCache[Fleet] = ByteCache(MOST_TIMES, one_each)


class DenseStore:
    """Drivers by timeline and time, and frames by extent too. Thread-safe; the drivers are freed with their timeline."""

    def __init__(self, budget: Budget | None = None, most: int = MOST_BYTES) -> None:
        """Cache at most `most` bytes of frames, within a budget that others share."""
        self.frames: ByteCache[bytes] = ByteCache(most, budget=budget)

    def fleet(self, timeline: Timeline, t: float) -> Fleet:
        """Return all drivers on the road at t."""
        at = timeline.cached(_FleetByTime).at
        return at.load(t, lambda: fleet.gather(timeline.trips, t).without(timeline.stalled_trips(t)))

    def frame(self, timeline: Timeline, t: float, extent: Extent) -> bytes:
        """Return the packed frame (see `dense.pack`) of an extent at t."""
        key = (timeline.cached(_FleetByTime).key, t, extent)
        return self.frames.load(key, lambda: dense.pack(dense.counts(self.fleet(timeline, t), extent)))
