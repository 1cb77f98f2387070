"""Events that came in late: at a time before they came, nobody who followed the kitchen knew of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.timeline import events as ev
from twin.timeline.events import MICROSECONDS, Events

ON_TIME_S = 1.0
"""A row that comes in so many seconds behind the latest event is not counted as late: neighbours change places on any way."""
FOLLOWED_S = 2.0
"""A page that follows a kitchen shows a moment when the latest event is so much later, and with it what has come in by then."""
OTHER = len(ev.EVENT_TYPES)
"""The code of all types that are not recognised."""


@dataclass(frozen=True)
class LateEvents:
    """The late events of a timeline that grows, n of them, as they came.

    since: from which time on it is known what came late, data seconds; before it nobody followed. number: each one's order in the
    log; ts: its time, microseconds; type: its code, `OTHER` for all that are not recognised; edge: the time of the latest event
    when it came, data seconds.
    """

    since: float = np.inf
    number: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    ts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    type: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    edge: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.number.nbytes + self.ts.nbytes + self.type.nbytes + self.edge.nbytes

    @property
    def behind(self) -> NDArray[np.float64]:
        """By how many seconds each came in late, (n,)."""
        return self.edge - self.ts / MICROSECONDS

    def joined(self, events: Events, edge: float) -> "LateEvents":
        """Return these and those of `events`, which have just come, that are late; `order` of the events are their numbers."""
        late = np.flatnonzero(edge - events.ts / MICROSECONDS > ON_TIME_S)
        if not len(late) or not np.isfinite(edge):
            return self
        return LateEvents(
            self.since,
            np.concatenate((self.number, events.order[late].astype(np.int32))),
            np.concatenate((self.ts, events.ts[late])),
            np.concatenate((self.type, np.minimum(events.type[late], OTHER).astype(np.uint8))),
            np.concatenate((self.edge, np.full(len(late), edge))),
        )

    def renumbered(self, number_of: Callable[[int], int], since: float) -> "LateEvents":
        """Return those after `since` for a log that numbers orders anew; `number_of(number)` is -1 for one that is gone."""
        number = np.array([number_of(number) for number in self.number.tolist()], np.int32)
        kept = np.flatnonzero((number >= 0) & (self.ts / MICROSECONDS >= since))
        return LateEvents(max(self.since, since), number[kept], self.ts[kept], self.type[kept], self.edge[kept])

    def unknown_at(self, t: float) -> NDArray[np.intp]:
        """Return which of them had happened by t (data seconds) and were not known to who followed the kitchen then."""
        return np.flatnonzero((self.ts <= t * MICROSECONDS) & (self.edge >= t + FOLLOWED_S))

    def spans(self, behind_s: float) -> NDArray[np.float64]:
        """Return the times, (m, 2) data seconds ascending, of which something was unknown that came over `behind_s` late."""
        late = np.flatnonzero(self.behind > behind_s)
        begin, end = self.ts[late] / MICROSECONDS, self.edge[late]
        by_begin = np.argsort(begin, kind="stable")
        begin, end = begin[by_begin], np.maximum.accumulate(end[by_begin])
        first = np.flatnonzero(np.concatenate(([True], begin[1:] > end[:-1]))) if len(begin) else np.empty(0, np.intp)
        last = np.concatenate((first[1:], [len(begin)])).astype(np.intp) - 1
        return np.column_stack((begin[first], end[last])) if len(first) else np.empty((0, 2))
