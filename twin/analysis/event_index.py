"""Which events the feed lists: filters over all events of a timeline, answered with positions, not with rows.

A line of the feed tells only what was known at its event's own time (see wording.py), so a filter's answer never changes:
it is found once per timeline, as an array of positions in the order of time, and a page of the feed is a slice of it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.analysis.wording import is_late, is_over_target
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
"""What can be ticked in the feed, and the event types under it. An event is listed if any of its groups is ticked.

"problem" is no type of its own: late drivers, deliveries over the target, cancelled orders and unknown types.
"""

USUAL_GROUPS = frozenset(GROUPS) - {"ping"}
"""Pings are half of all events and tell little: listed only when asked for."""

LONGEST_TEXT = 80
REMEMBERED = 8
"""Answers kept per timeline: a few readers with a few filters each; 4 bytes per matching event."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants listed: groups of events, a text that the order contains, only the selected order.

    Its compact text is for the address. The text searched for comes last in it and may contain anything.

    >>> str(Filter.parse("types=problem,driver,nonsense;only;text= pho; real"))
    'types=driver,problem;only;text=pho; real'
    >>> str(Filter()), Filter.parse("") == Filter()
    ('', True)
    """

    groups: frozenset[str] = USUAL_GROUPS
    text: str = ""
    only: bool = False

    @classmethod
    def parse(cls, query: str) -> "Filter":
        """Return the filter that a compact text tells; what makes no sense in it is left out."""
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
    """A slice of a filter's answer.

    total: events that match in the whole range. top: those of them with ts <= the moment asked about. first: number of
    the first event of the page, counted from the oldest. positions: (m,) of the page's events, oldest first. until: the
    time of the event after the page, inf if there is none: up to then no other event matches.
    """

    total: int
    top: int
    first: int
    positions: Positions
    until: float


class FeedIndex:
    """All events of a timeline's window as columns, and the answers to the latest filters.

    About 17 bytes per event. Made by `index_of`, shared by all who read the timeline.
    """

    def __init__(self, timeline: Timeline) -> None:
        # an event at the very end of the window can be seen with the playhead there
        events = timeline.between(timeline.window.start, timeline.window.end + 1 / MICROSECONDS)
        types = pa.array(events.type, pa.string()).dictionary_encode()
        self.names: list[str] = types.dictionary.to_pylist()
        self.ts: NDArray[np.float64] = events.ts
        self.code: NDArray[np.int32] = np.asarray(types.indices, np.int32)
        self.order: NDArray[np.int32] = np.asarray(events.order, np.int32)
        self._progress = events.progress
        self._orders = timeline.orders
        self._answers: ByteCache[Positions] = ByteCache(REMEMBERED, one_each)

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

    def select(
        self,
        groups: frozenset[str],
        text: str = "",
        target: float = DELIVERY_TARGET_S,
        late_after: float = LATE_AFTER_S,
    ) -> Positions:
        """Return the positions of the events that match, in the order of time."""
        key = (groups, text.casefold(), target, late_after)
        return self._answers.load(key, lambda: self._matching(groups, text, target, late_after))

    def _matching(self, groups: frozenset[str], text: str, target: float, late_after: float) -> Positions:
        matches = self._of_groups(groups, target, late_after)
        if text:
            matches &= matching(self._orders, text)[self.order]
        return np.flatnonzero(matches).astype(np.int32)

    def of_orders(self, positions: Positions, orders: Iterable[int] | NDArray[np.int32]) -> Positions:
        """Return those of the positions whose order is one of `orders` (row numbers)."""
        wanted = np.zeros(len(self._orders), dtype=bool)
        wanted[np.asarray(orders, np.int64)] = True
        return positions[wanted[self.order[positions]]]

    def page(self, positions: Positions, t: float, count: int, first: int | None = None, before: int = 0) -> Page:
        """Return `count` of the positions from number `first` on; without it, from `before` ahead of the last with ts <= t."""
        top = self.before(positions, t)
        start = max(0, top - before) if first is None else min(max(0, first), len(positions))
        stop = min(len(positions), start + count)
        until = float(self.ts[positions[stop]]) if stop < len(positions) else math.inf
        return Page(len(positions), top, start, positions[start:stop], until)

    def before(self, positions: Positions, t: float) -> int:
        """Return how many of the positions have ts <= t."""
        return int(np.searchsorted(positions, np.searchsorted(self.ts, t, side="right")))

    def _of_groups(self, groups: frozenset[str], target: float, late_after: float) -> Mask:
        ticked = {kind for group in groups for kind in GROUPS.get(group, ())}
        matches: Mask = np.array([name in ticked for name in self.names], bool)[self.code]
        return matches | self._problems(target, late_after) if "problem" in groups else matches

    def _problems(self, target: float, late_after: float) -> Mask:
        known = {kind for kinds in GROUPS.values() for kind in kinds}  # order_cancelled is in none: always a problem
        problem: Mask = np.array([name not in known for name in self.names], bool)[self.code]
        for kind, milestone, is_problem in (
            ("driver_arrived", self._orders.ready, lambda since: is_late(since, late_after)),
            ("delivered", self._orders.created, lambda since: is_over_target(since, target)),
        ):
            if kind in self.names:
                here = np.flatnonzero(self.code == self.names.index(kind))
                problem[here] = is_problem(self.ts[here] - milestone[self.order[here]])
        return problem


def matching(orders: Orders, text: str) -> Mask:
    """Return which orders (n,) contain the text in their id, address, an item's or a brand's name; case does not matter."""
    found = _contains(orders.ids, text) | _contains(orders.addresses, text)
    line = np.zeros(len(orders.item_qty), dtype=bool)
    for texts in (orders.item_names, orders.item_brands):
        names = np.append(_contains(texts.dictionary, text), False)  # the last stands for "no name"
        line |= names[pc.fill_null(texts.indices, len(names) - 1).to_numpy(zero_copy_only=False)]
    found[np.repeat(np.arange(len(orders)), np.diff(orders.item_offsets))[line]] = True
    return found


def _contains(texts: pa.Array, text: str) -> Mask:
    return np.array(pc.fill_null(pc.match_substring(texts, text, ignore_case=True), False))


def index_of(timeline: Timeline) -> FeedIndex:
    """Return the timeline's index, made at the first question and dropped together with the timeline."""
    return timeline.cached(FeedIndex)
