"""The events that the feed lists: filters over all events of a timeline, whose results are positions rather than rows.

A line of the feed does not depend on later events (see wording.py), so the result of a filter never changes: it is computed once
per timeline as an array of positions sorted by time, and a page of the feed is a slice of it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.analysis.wording import EventLine, describe, is_late, is_over_target
from twin.foundation.cache import ByteCache, one_each
from twin.foundation.settings import DELIVERY_TARGET_S, LATE_AFTER_S
from twin.timeline.events import MICROSECONDS, EventSlice
from twin.timeline.orders import Orders
from twin.timeline.timeline import Timeline

Positions = NDArray[np.int32]
Mask = NDArray[np.bool_]

GROUPS: dict[str, tuple[str, ...]] = {
    "created": ("order_created",),
    "kitchen": ("gk_started", "gk_finished"),
    "ready": ("gk_ready",),
    "driver": ("driver_arrived", "driver_picked_up"),
    "delivered": ("delivered",),
    "problem": (),
    "ping": ("driver_ping",),
}
"""The check boxes of the feed and their event types. An event is listed if any of its groups is checked.

"problem" spans types: late drivers, deliveries over the target, cancelled orders and unrecognised types.
"""

USUAL_GROUPS = frozenset(GROUPS) - {"ping"}
"""Groups checked at first. Pings are half of all events and rarely of interest, so they are not."""

LONGEST_TEXT = 80
MOST_LINES = 4000
"""Lines kept per timeline, some 500 bytes each: pages of one session overlap, and sessions look at the same minutes."""
REMEMBERED = 8
"""Results cached per timeline, 4 bytes per matching event: enough for a few users with a few filters each."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the feed lists: groups of events, a text that the order must contain, only the selected order.

    `str` gives its compact form for the address, in which the text comes last, because it may contain anything.

    >>> str(EventFilter.parse("types=problem,driver,nonsense;only;text= pho; real"))
    'types=driver,problem;only;text=pho; real'
    >>> str(EventFilter()), EventFilter.parse("") == EventFilter()
    ('', True)
    """

    groups: frozenset[str] = USUAL_GROUPS
    text: str = ""
    only: bool = False

    @classmethod
    def parse(cls, query: str) -> "EventFilter":
        """Return the filter of a compact text; invalid parts are ignored."""
        head, _, text = f";{query}".partition(";text=")
        groups, only = USUAL_GROUPS, False
        for part in head.split(";"):
            name, _, value = part.partition("=")
            if name == "types":
                groups = frozenset(value.split(",")) & frozenset(GROUPS)
            only = only or name == "only"
        return cls(groups, text.strip()[:LONGEST_TEXT], only)

    def __str__(self) -> str:
        parts = (
            [] if self.groups == USUAL_GROUPS else ["types=" + ",".join(name for name in GROUPS if name in self.groups)]
        )
        parts += ["only"] if self.only else []
        parts += [f"text={self.text}"] if self.text else []
        return ";".join(parts)


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a filter's result.

    total: the number of matching events in the whole range. top: the number of those with ts <= t. first: the index of the page's
    first event, counted from the oldest. positions: (m,) of the page's events, oldest first. until: the time of the next matching
    event after the page, inf if there is none.
    """

    total: int
    top: int
    first: int
    positions: Positions
    until: float


class EventIndex:
    """All events of a timeline's window as columns, and the results of the latest filters.

    17 bytes per event. `event_index_of` returns the one that all users of a timeline share.
    """

    def __init__(self, timeline: Timeline) -> None:
        # the playhead may stand at the end of the window, so an event at that time is included
        events = timeline.coded(timeline.window.start, timeline.window.end + 1 / MICROSECONDS)
        self.names = events.names
        self.ts, self.code, self.order = events.ts, events.code, events.order
        self._progress = events.progress
        self._orders = timeline.orders
        self._answers: ByteCache[Positions] = ByteCache(REMEMBERED, one_each)
        self._lines: dict[tuple[int, float, float], EventLine] = {}

    def __len__(self) -> int:
        return len(self.ts)

    def events(self, positions: Positions) -> EventSlice:
        """Return the events at these positions."""
        names = self.names
        return EventSlice(
            ts=self.ts[positions],
            type=[names[code] for code in self.code[positions].tolist()],
            order=self.order[positions],
            progress=self._progress[positions],
        )

    def lines(self, timeline: Timeline, positions: Positions, target: float, late_after: float) -> list[EventLine]:
        """Return the lines about the events at these positions of the index's timeline, see `describe`."""
        keys = [(position, target, late_after) for position in positions.tolist()]
        found = {key: line for key in keys if (line := self._lines.get(key)) is not None}
        missing = [key for key in keys if key not in found]
        if missing:
            events = self.events(np.array([position for position, *_ in missing], np.int32))
            fresh = dict(zip(missing, describe(timeline, events, target, late_after), strict=True))
            found |= fresh
            if len(self._lines) + len(fresh) > MOST_LINES:
                self._lines = {}
            self._lines |= fresh
        return [found[key] for key in keys]

    def select(
        self,
        groups: frozenset[str],
        text: str = "",
        target: float = DELIVERY_TARGET_S,
        late_after: float = LATE_AFTER_S,
    ) -> Positions:
        """Return the positions of the matching events, sorted by time."""
        key = (groups, text.casefold(), target, late_after)
        return self._answers.load(key, lambda: self._matching(groups, text, target, late_after))

    def _matching(self, groups: frozenset[str], text: str, target: float, late_after: float) -> Positions:
        matches = self._of_groups(groups, target, late_after)
        if text:
            matches &= matching(self._orders, text)[self.order]
        return np.flatnonzero(matches).astype(np.int32)

    def of_orders(self, positions: Positions, orders: Iterable[int] | NDArray[np.int32]) -> Positions:
        """Return the positions whose order is one of `orders` (rows)."""
        wanted = np.zeros(len(self._orders), dtype=bool)
        wanted[np.asarray(orders, np.int64)] = True
        return positions[wanted[self.order[positions]]]

    def page(self, positions: Positions, t: float, count: int, first: int | None = None, before: int = 0) -> Page:
        """Return `count` positions from index `first` on, by default from `before` ahead of the last one with ts <= t."""
        top = self.before(positions, t)
        start = max(0, top - before) if first is None else min(max(0, first), len(positions))
        stop = min(len(positions), start + count)
        until = float(self.ts[positions[stop]]) if stop < len(positions) else math.inf
        return Page(len(positions), top, start, positions[start:stop], until)

    def before(self, positions: Positions, t: float) -> int:
        """Return the number of positions with ts <= t."""
        return int(np.searchsorted(positions, np.searchsorted(self.ts, t, side="right")))

    def _of_groups(self, groups: frozenset[str], target: float, late_after: float) -> Mask:
        checked = {kind for group in groups for kind in GROUPS.get(group, ())}
        matches: Mask = np.array([name in checked for name in self.names], bool)[self.code]
        return matches | self._problems(target, late_after) if "problem" in groups else matches

    def _problems(self, target: float, late_after: float) -> Mask:
        grouped = {
            kind for kinds in GROUPS.values() for kind in kinds
        }  # without order_cancelled, which is always a problem
        problem: Mask = np.array([name not in grouped for name in self.names], bool)[self.code]
        for kind, milestone, is_problem in (
            ("driver_arrived", self._orders.ready, lambda since: is_late(since, late_after)),
            ("delivered", self._orders.created, lambda since: is_over_target(since, target)),
        ):
            if kind in self.names:
                here = np.flatnonzero(self.code == self.names.index(kind))
                problem[here] = is_problem(self.ts[here] - milestone[self.order[here]])
        return problem


def matching(orders: Orders, text: str) -> Mask:
    """Return which orders (n,) contain the text, in any case, in their id, their address, or the name of an item or brand."""
    found = _contains(orders.ids, text) | _contains(orders.addresses, text)
    line = np.zeros(len(orders.item_qty), dtype=bool)
    for texts in (orders.item_names, orders.item_brands):
        names = np.append(_contains(texts.dictionary, text), False)  # the last entry is for items without a name
        line |= names[pc.fill_null(texts.indices, len(names) - 1).to_numpy(zero_copy_only=False)]
    found[np.repeat(np.arange(len(orders)), np.diff(orders.item_offsets))[line]] = True
    return found


def _contains(texts: pa.Array, text: str) -> Mask:
    return np.array(pc.fill_null(pc.match_substring(texts, text, ignore_case=True), False))


def event_index_of(timeline: Timeline) -> EventIndex:
    """Return the timeline's index, which is created at the first call and freed with the timeline."""
    return timeline.cached(EventIndex)
