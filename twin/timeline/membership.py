"""Which orders are in which state at a moment: the one answer that counts, lists, pins, tables and saved pages share.

At any moment an order is in one state or in none, so its life is a row of spells [begin, end):

- in a stage before Completed, from its entry to the next stage, to being cancelled, or to stalling; an order that has an
  event again after it had stalled is in its stage again, in a second spell;
- completed from its delivery, cancelled from its cancellation until it is delivered after all, stalled while it has had no
  event for `STALLED_AFTER`; each of the three lasts at most until the following midnight, so that all of them count "today".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.foundation.stages import CANCELLED, COMPLETED, CREATED, STALLED, STATES
from twin.foundation.times import DAY, midnight
from twin.timeline.orders import Orders

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

BUCKET = 600.0
"""Seconds of the index of open orders: at 1,000 orders an hour a bucket lists some 700, quick to sift."""
MOST_BUCKETS = 200_000


@dataclass(frozen=True, slots=True)
class Members:
    """Orders at a moment, (n,) each: `order` row numbers, `state` its number in `STATES`, `since` when the order entered it.

    `since` is in data seconds; that of an order which stalled and went on is when it first entered its stage.
    """

    order: Rows
    state: NDArray[np.uint8]
    since: Floats

    def __len__(self) -> int:
        return len(self.order)

    def take(self, positions: NDArray[np.intp]) -> "Members":
        """Return the orders at some positions."""
        return Members(self.order[positions], self.state[positions], self.since[positions])


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of orders in states, (n,) each: `order` row numbers, `state` its number in `STATES`, [begin, end) data seconds."""

    order: Rows
    state: NDArray[np.uint8]
    begin: Floats
    end: Floats

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True)
class _Times:
    """When orders come into a state and leave it, sorted: the number of those in it is two binary searches."""

    begins: Floats
    ends: Floats

    @classmethod
    def of(cls, spells: Spells) -> "_Times | None":
        return cls(np.sort(spells.begin), np.sort(spells.end)) if len(spells) else None

    def inside(self, t: ArrayLike) -> NDArray[np.intp]:
        return self.begins.searchsorted(t, "right") - self.ends.searchsorted(t, "right")


class Membership:
    """The spells of a timeline's orders; never changed once made.

    What the columns of `Orders` hold already is derived from them. Held besides, some 80 bytes per order: for counting, the
    sorted times at which each stage was entered; for listing, the end of each order's first open spell, an index of those
    by time, and the orders as they were delivered. Those cancelled or stalled are few and held as they are.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        stalled, stall_begin, stall_end = orders.stalls
        self._stalled = _until_midnight(STALLED, stalled, stall_begin, stall_end)
        self._cancelled = self._of_cancelled()
        self._stalled_times, self._cancelled_times = _Times.of(self._stalled), _Times.of(self._cancelled)
        self._entered = [np.sort(times[np.isfinite(times)]) for times in orders.enter]
        deliveries = len(self._entered[COMPLETED])
        self._by_delivery = np.argsort(orders.enter[COMPLETED], kind="stable")[:deliveries].astype(np.int32)
        self._count_set_aside()
        self._split_open()
        self._index_open()

    # -- the questions -----------------------------------------------------------------------------------------------------
    def counts(self, t: float) -> dict[str, int]:
        """Return the number of orders in each state at t; completed, cancelled and stalled since midnight."""
        reached = [int(times.searchsorted(t, "right")) for times in self._entered]
        before_today = int(self._entered[COMPLETED].searchsorted(midnight(t), "left"))
        inside = [
            reached[stage] - reached[stage + 1] - _inside(self._set_aside[stage], t) for stage in range(COMPLETED)
        ]
        inside += [
            reached[COMPLETED] - before_today,
            _inside(self._cancelled_times, t),
            _inside(self._stalled_times, t),
        ]
        return dict(zip(STATES, inside, strict=True))

    def in_stage(self, stage: int, times: Floats) -> NDArray[np.intp]:
        """Return how many orders are in a stage before Completed at many moments, (n,)."""
        entered, following, aside = self._entered[stage], self._entered[stage + 1], self._set_aside[stage]
        inside = entered.searchsorted(times, "right") - following.searchsorted(times, "right")
        return inside if aside is None else inside - aside.inside(times)

    def at(self, t: float, state: str = "") -> Members:
        """Return the orders in a state at t, or the open ones (in a stage before Completed), by row number."""
        number = STATES.index(state) if state else -1
        if number < COMPLETED:
            order, stage = self._open_at(t)
            if state:
                inside = stage == number
                order, stage = order[inside], stage[inside]
            return Members(order, stage, self._orders.enter[stage, order])
        if number == COMPLETED:
            delivered = self._entered[COMPLETED]
            first, last = delivered.searchsorted(midnight(t), "left"), delivered.searchsorted(t, "right")
            order = np.sort(self._by_delivery[first:last])
            since = self._orders.enter[COMPLETED, order]
        else:
            spells = self._cancelled if number == CANCELLED else self._stalled
            now = (spells.begin <= t) & (spells.end > t)
            order, since = spells.order[now], spells.begin[now]
        return Members(order, np.full(len(order), number, np.uint8), since)

    def between(self, t0: float, t1: float, state: str = "") -> Spells:
        """Return the spells in one state, or in all, of which some moment is in [t0, t1]; by state."""
        parts = [
            self._between(t0, t1, number) for number in (range(len(STATES)) if not state else [STATES.index(state)])
        ]
        return Spells(*(np.concatenate([getattr(part, name) for part in parts]) for name in Spells.__slots__))

    @property
    def nbytes(self) -> int:
        """Bytes held beside the orders' own."""
        spells = (self._cancelled, self._stalled, self._again)
        held = [getattr(table, name) for table in spells for name in Spells.__slots__]
        sorted_times = (*self._set_aside, self._cancelled_times, self._stalled_times)
        held += [array for times in sorted_times if times is not None for array in (times.begins, times.ends)]
        held += [*self._entered, self._by_delivery, self._until, self._bucket_offsets, self._bucket_orders]
        return sum(array.nbytes for array in held)

    # -- closed states -----------------------------------------------------------------------------------------------------
    def _of_cancelled(self) -> Spells:
        """Return the spells of cancelled orders: none where the delivery came first."""
        orders = self._orders
        row = np.flatnonzero(orders.cancelled < orders.enter[COMPLETED]).astype(
            np.int32
        )  # NaN, never cancelled, is false
        return _until_midnight(CANCELLED, row, orders.cancelled[row], orders.enter[COMPLETED, row])

    def _between(self, t0: float, t1: float, number: int) -> Spells:
        if number < COMPLETED:
            return self._open_between(t0, t1, number)
        if number == COMPLETED:
            delivered = self._entered[COMPLETED]
            some = slice(int(delivered.searchsorted(t0 - DAY)), int(delivered.searchsorted(t1, "right")))
            order = self._by_delivery[some]
            spells = _until_midnight(number, order, delivered[some], np.full(len(order), np.inf))
        else:
            spells = self._cancelled if number == CANCELLED else self._stalled
        return _overlapping(spells, t0, t1)

    # -- open stages -------------------------------------------------------------------------------------------------------
    def _count_set_aside(self) -> None:
        """Sort, for each stage before Completed, when orders that have come this far are in none: cancelled, or stalled.

        Whoever has entered a stage and not the next is in it, but for those.
        """
        enter = self._orders.enter
        stalled, stall_begin, stall_end = self._orders.stalls
        order = np.concatenate((self._cancelled.order, stalled))
        begin = np.concatenate((self._cancelled.begin, stall_begin))
        end = np.concatenate((np.full(len(self._cancelled), np.inf), stall_end))
        self._set_aside: list[_Times | None] = []
        for stage in range(COMPLETED):
            spells = _real(
                order, stage, np.maximum(begin, enter[stage, order]), np.minimum(end, enter[stage + 1, order])
            )
            self._set_aside.append(_Times.of(spells))

    def _split_open(self) -> None:
        """Find when each order's first open spell ends, and the further ones of orders that stalled and went on."""
        orders = self._orders
        stalled, stall_begin, stall_end = orders.stalls
        closed = np.fmin(orders.delivered, orders.cancelled)  # an order that never closes stalls in the end
        until = np.where(np.isnan(closed), np.inf, closed)
        back = np.isfinite(stall_end)
        by_begin = np.lexsort((stall_begin, stalled))
        # an open spell after a stall ends with the order's next stall, else where the order closes
        order, begin = stalled[by_begin], stall_begin[by_begin]
        end = until[order]
        same = order[1:] == order[:-1]
        end[:-1][same] = begin[1:][same]
        np.minimum.at(until, order, begin)
        again = back[by_begin]
        self._until = until
        self._again = Spells(
            order[again], np.full(int(again.sum()), CREATED, np.uint8), stall_end[by_begin][again], end[again]
        )

    def _index_open(self) -> None:
        """List for every bucket of time the orders whose first open spell touches it."""
        begin, end = self._orders.first, self._until
        real = np.flatnonzero(end > begin)
        self._base, self._bucket = 0.0, BUCKET
        self._bucket_offsets, self._bucket_orders = np.zeros(1, np.int32), np.empty(0, np.int32)
        if not len(real):
            return
        begin, end = begin[real], end[real]
        self._base = float(begin.min())
        self._bucket = max(BUCKET, (float(end.max()) - self._base) / MOST_BUCKETS)
        low = ((begin - self._base) // self._bucket).astype(np.int64)
        high = ((end - self._base) // self._bucket).astype(np.int64)
        spans = high - low + 1
        order = np.repeat(real, spans)
        within = np.arange(len(order)) - np.repeat(np.cumsum(spans) - spans, spans)
        bucket = np.repeat(low, spans) + within
        self._bucket_orders = order[np.argsort(bucket, kind="stable")].astype(np.int32)
        self._bucket_offsets = np.concatenate(([0], np.cumsum(np.bincount(bucket)))).astype(np.int32)

    def _open_at(self, t: float) -> tuple[Rows, NDArray[np.uint8]]:
        """Return the orders in a stage before Completed at t, by row number, and the stage of each."""
        orders, bucket = self._orders, int((t - self._base) // self._bucket)
        order = self._bucket_orders[:0]
        if 0 <= bucket < len(self._bucket_offsets) - 1:
            order = self._bucket_orders[self._bucket_offsets[bucket] : self._bucket_offsets[bucket + 1]]
            order = order[(orders.first[order] <= t) & (self._until[order] > t)]
        if len(self._again):
            again = self._again.order[(self._again.begin <= t) & (self._again.end > t)]
            if len(again):
                order = np.sort(np.concatenate((order, again)))
        # an open order has entered Created and not Completed, so the three stages between tell which it is in
        stage = np.zeros(len(order), np.uint8)
        for entered in orders.enter[CREATED + 1 : COMPLETED]:
            stage += entered.take(order) <= t
        return order, stage

    def _open_between(self, t0: float, t1: float, stage: int) -> Spells:
        enter, again = self._orders.enter, self._again
        first = np.flatnonzero((enter[stage] <= t1) & (enter[stage + 1] > t0) & (self._until > t0)).astype(np.int32)
        order = np.concatenate((first, again.order))
        begin = np.maximum(np.concatenate((self._orders.first[first], again.begin)), enter[stage, order])
        end = np.minimum(np.concatenate((self._until[first], again.end)), enter[stage + 1, order])
        return _overlapping(_real(order, stage, begin, end), t0, t1)


def _until_midnight(number: int, order: Rows, begin: Floats, end: Floats) -> Spells:
    """Return spells in a closed state: each ends at the midnight after it began, if not before."""
    return Spells(order, np.full(len(order), number, np.uint8), begin, np.minimum(end, midnight(begin) + DAY))


def _real(order: Rows, number: int, begin: Floats, end: Floats) -> Spells:
    """Return those spells in a state that last at all."""
    some = begin < end
    return Spells(order[some], np.full(int(some.sum()), number, np.uint8), begin[some], end[some])


def _inside(times: _Times | None, t: float) -> int:
    return 0 if times is None else int(times.inside(t))


def _overlapping(spells: Spells, t0: float, t1: float) -> Spells:
    some = (spells.begin <= t1) & (spells.end > t0)
    return Spells(spells.order[some], spells.state[some], spells.begin[some], spells.end[some])
