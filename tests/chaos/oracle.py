"""What a page, a wall screen, the API and the stream must say: the timelines asked directly, in the process of the test."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tests.browser.operations import five
from twin.api import event_log
from twin.api.position import StreamPosition
from twin.hub import Hub
from twin.timeline.timeline import Timeline


class Oracle:
    """One kitchen over one range."""

    def __init__(self, hub: Hub, location: str, start: float, end: float) -> None:
        self.timeline: Timeline = hub.timeline(location, start, end)
        self._hub, self._location, self._start, self._end = hub, location, start, end

    def counts(self, t: float) -> dict[str, int]:
        """Return the orders in the five stages at t."""
        return five(self.timeline.at(t).counts)

    def allows(self, counts: Mapping[str, int], t: float, behind_s: float) -> bool:
        """Return whether these counts are right at any time between `behind_s` data seconds before t and t.

        A page is told its counts twice a second, while its clock runs on.
        """
        first = max(t - behind_s, self._start)
        changes = self._changes[(self._changes > first) & (self._changes <= t)]
        return any(self.counts(float(one)) == counts for one in (t, first, *changes[::-1]))

    @cached_property
    def _changes(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """Every time at which an order goes from one stage to another."""
        orders = self.timeline.orders
        times = np.concatenate([np.asarray(orders.enter, np.float64).ravel(), orders.cancelled, orders.began])
        return np.unique(times[np.isfinite(times)])

    def positions(self) -> list[str]:
        """Return the ids of every event of the range, in their order, as a stream gives them."""
        after, end, found = StreamPosition(round(self._start * 1e6)), round(self._end * 1e6), list[str]()
        while True:
            read, ended = event_log.read(self._hub.source, self._location, after, end, 2000)
            entries = list(read)
            found += [str(entry.position) for entry in entries]
            if ended or not entries:
                return found
            after = entries[-1].position
