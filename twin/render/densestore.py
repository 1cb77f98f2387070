"""Frames of crowds, shared by all sessions of the process: each made once, even when asked for twice at the same time."""

from twin.foundation.cache import ByteCache, one_each
from twin.render import dense
from twin.render.dense import Extent
from twin.timeline import fleet
from twin.timeline.fleet import Fleet
from twin.timeline.timeline import Timeline

MOST_BYTES = 64 * 2**20
"""Of frames: some hundreds."""

MOMENTS = 3
"""Moments of a timeline whose crowds are kept (20 MB each for a million drivers): the map is moved, or pointed at, at one."""


class _Crowds:
    """The crowds of one timeline. `key` stands for it in the cache of frames, which must not hold it."""

    def __init__(self, _: Timeline) -> None:
        self.key = object()
        self.moments: ByteCache[Fleet] = ByteCache(MOMENTS, one_each)


class DenseStore:
    """Crowds and frames by timeline, moment and extent. Any thread may ask; a timeline's crowds are gone with it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Keep at most `most` bytes of frames."""
        self.frames: ByteCache[bytes] = ByteCache(most)

    def crowd(self, timeline: Timeline, t: float) -> Fleet:
        """Return everyone on the road at t."""
        moments = timeline.cached(_Crowds).moments
        return moments.load(t, lambda: fleet.gather(timeline.trips, t).without(timeline.stalled_trips(t)))

    def frame(self, timeline: Timeline, t: float, extent: Extent) -> bytes:
        """Return the packed frame (see `dense.pack`) of a moment and an extent."""
        key = (timeline.cached(_Crowds).key, t, extent)
        return self.frames.load(key, lambda: dense.pack(dense.counts(self.crowd(timeline, t), extent)))
