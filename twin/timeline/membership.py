"""Which orders are in which state at a time. Counts, lists, map pins, tables and saved pages all use this module.

At any time an order is in one state or in none, so its life is a sequence of spells [begin, end):

- in a stage before Completed, from entering it until it enters the next stage, is cancelled, or stalls; when a stalled order has
  an event again, a second spell in its stage begins;
- completed from its delivery, cancelled from its cancellation (until its delivery, if that still comes), stalled while it has had
  no event for `STALLED_AFTER`. Each of the three ends at the following midnight at the latest, so that it counts "today".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.foundation.stages import CANCELLED, COMPLETED, CREATED, STALLED, STATES
from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE, Zone
from twin.timeline.merging import Merge, places, resorted
from twin.timeline.orders import Orders

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

BUCKET = 600.0
"""Width in seconds of the buckets of open orders: at 1,000 orders an hour a bucket lists some 700, which is fast to filter."""
MOST_BUCKETS = 200_000


@dataclass(frozen=True, slots=True)
class Members:
    """Orders at a time, (n,) each: `order` is the row, `state` the index in `STATES`, `since` when the order entered the state.

    `since` is in data seconds; for an order that stalled and resumed it is when the order first entered its stage.
    """

    order: Rows
    state: NDArray[np.uint8]
    since: Floats

    def __len__(self) -> int:
        return len(self.order)

    def take(self, positions: NDArray[np.intp]) -> "Members":
        """Return the members at some positions."""
        return Members(self.order[positions], self.state[positions], self.since[positions])


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of orders in states, (n,) each: `order` is the row, `state` the index in `STATES`, [begin, end) are data seconds."""

    order: Rows
    state: NDArray[np.uint8]
    begin: Floats
    end: Floats

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True)
class _Times:
    """The sorted times at which orders enter and leave a state, so that counting its orders takes two binary searches."""

    begins: Floats
    ends: Floats

    @classmethod
    def of(cls, spells: Spells) -> "_Times | None":
        return cls(np.sort(spells.begin), np.sort(spells.end)) if len(spells) else None

    def inside(self, t: ArrayLike) -> NDArray[np.intp]:
        return self.begins.searchsorted(t, "right") - self.ends.searchsorted(t, "right")


@dataclass(frozen=True, slots=True)
class Grown:
    """What the orders of a membership grew from, and where its orders are among them."""

    before: "Membership"
    merge: Merge


class Membership:
    """The spells of a timeline's orders, immutable.

    Most of it is derived from the columns of `Orders` when needed. Stored in addition, some 80 bytes per order: for counting, the
    sorted times at which each stage was entered; for listing, the end of each order's first open spell, an index of these spells
    by time, and the orders sorted by delivery. Spells of cancelled and stalled orders are few and stored as they are.
    """

    def __init__(self, orders: Orders, tz: Zone = NAIVE, grown: "Grown | None" = None) -> None:
        """`tz` is the kitchen's clock, which says when its days end. With `grown`, what is sorted is not sorted again."""
        self._orders, self._tz = orders, tz
        stalled, stall_begin, stall_end = orders.stalls
        self._stalled = _until_midnight(STALLED, stalled, stall_begin, stall_end, tz)
        self._cancelled = self._of_cancelled()
        self._stalled_times, self._cancelled_times = _Times.of(self._stalled), _Times.of(self._cancelled)
        self._entered: list[Floats]
        self._by_delivery: Rows
        if grown is None:
            self._entered = [np.sort(times[np.isfinite(times)]) for times in orders.enter]
            deliveries = len(self._entered[COMPLETED])
            self._by_delivery = np.argsort(orders.enter[COMPLETED], kind="stable")[:deliveries].astype(np.int32)
        else:
            self._sort_into(grown)
        self._index_not_in_stage()
        self._split_open()
        self._bucket_offsets, self._bucket_orders = np.zeros(1, np.int32), np.empty(0, np.int32)
        self._base, self._bucket = 0.0, BUCKET
        self._is_indexed = (
            grown is None
        )  # the index takes longer than all the rest, and a glance at all orders is short
        if self._is_indexed:
            self._index_open()

    def _sort_into(self, grown: "Grown") -> None:
        """Put the orders that came in, or changed, between the others."""
        before, merge, enter = grown.before, grown.merge, self._orders.enter
        was = before._orders.enter[:, merge.before[merge.changed]]
        now = enter[:, merge.rows]
        self._entered = [
            resorted(times, a[np.isfinite(a)], b[np.isfinite(b)])
            for times, a, b in zip(before._entered, was, now, strict=True)
        ]
        moved, gone = merge.moved[before._by_delivery].astype(np.int32), merge.touched[before._by_delivery]
        new = merge.rows[np.isfinite(now[COMPLETED])].astype(np.int32)
        new = new[np.argsort(enter[COMPLETED, new], kind="stable")]
        # all who were delivered before the first change stay as they are
        first = before._entered[COMPLETED].searchsorted(enter[COMPLETED, new[:1]])
        same = min([*np.flatnonzero(gone)[:1].tolist(), *first.tolist()], default=len(moved))
        kept = moved[same:][~gone[same:]]
        at = places(enter[COMPLETED, kept], kept, enter[COMPLETED, new], new)
        self._by_delivery = np.concatenate((moved[:same], np.insert(kept, at, new)))

    def counts(self, t: float) -> dict[str, int]:
        """Return the number of orders in each state at t; completed, cancelled and stalled since midnight."""
        reached = [int(times.searchsorted(t, "right")) for times in self._entered]
        before_today = int(self._entered[COMPLETED].searchsorted(self._tz.midnight(t), "left"))
        inside = [
            reached[stage] - reached[stage + 1] - _inside(self._not_in_stage[stage], t) for stage in range(COMPLETED)
        ]
        inside += [
            reached[COMPLETED] - before_today,
            _inside(self._cancelled_times, t),
            _inside(self._stalled_times, t),
        ]
        return dict(zip(STATES, inside, strict=True))

    def in_stage(self, stage: int, times: Floats) -> NDArray[np.intp]:
        """Return the number of orders in a stage before Completed at each of `times`, (n,)."""
        entered, following, not_in_stage = self._entered[stage], self._entered[stage + 1], self._not_in_stage[stage]
        inside = entered.searchsorted(times, "right") - following.searchsorted(times, "right")
        return inside if not_in_stage is None else inside - not_in_stage.inside(times)

    def at(self, t: float, state: str = "") -> Members:
        """Return the orders in `state` at t, or without a state the open ones (in a stage before Completed), sorted by row."""
        number = STATES.index(state) if state else -1
        if number < COMPLETED:
            order, stage = self._open_at(t)
            if state:
                inside = stage == number
                order, stage = order[inside], stage[inside]
            return Members(order, stage, self._orders.enter[stage, order])
        if number == COMPLETED:
            delivered = self._entered[COMPLETED]
            first, last = delivered.searchsorted(self._tz.midnight(t), "left"), delivered.searchsorted(t, "right")
            order = np.sort(self._by_delivery[first:last])
            since = self._orders.enter[COMPLETED, order]
        else:
            spells = self._cancelled if number == CANCELLED else self._stalled
            now = (spells.begin <= t) & (spells.end > t)
            order, since = spells.order[now], spells.begin[now]
        return Members(order, np.full(len(order), number, np.uint8), since)

    def of(self, rows: ArrayLike, t: float) -> Members:
        """Return those of some orders, by row, that have begun by t, each in its last state until t: closed ones also after their
        day."""
        row = np.unique(np.asarray(rows, np.int32))
        first = self._orders.first[row]
        row, first = row[first <= t], first[first <= t]
        if not len(row):
            return Members(row, np.empty(0, np.uint8), np.empty(0))
        spells = self.between(float(first.min()), t)
        mine = np.flatnonzero(np.isin(spells.order, row) & (spells.begin <= t))
        last = mine[np.lexsort((spells.begin[mine], spells.order[mine]))]
        is_last = np.ones(len(last), bool)
        is_last[:-1] = spells.order[last][1:] != spells.order[last][:-1]
        last = last[is_last]
        return Members(spells.order[last], spells.state[last], spells.begin[last])

    def between(self, t0: float, t1: float, state: str = "") -> Spells:
        """Return the spells in one state, or in all, that overlap [t0, t1]; sorted by state."""
        parts = [
            self._between(t0, t1, number) for number in (range(len(STATES)) if not state else [STATES.index(state)])
        ]
        return Spells(*(np.concatenate([getattr(part, name) for part in parts]) for name in Spells.__slots__))

    @property
    def nbytes(self) -> int:
        """Bytes held in addition to the orders' own."""
        spells = (self._cancelled, self._stalled, self._resumed)
        arrays = [getattr(table, name) for table in spells for name in Spells.__slots__]
        sorted_times = (*self._not_in_stage, self._cancelled_times, self._stalled_times)
        arrays += [array for times in sorted_times if times is not None for array in (times.begins, times.ends)]
        arrays += [*self._entered, self._by_delivery, self._until, self._bucket_offsets, self._bucket_orders]
        return sum(array.nbytes for array in arrays)

    # -- closed states -----------------------------------------------------------------------------------------------------
    def _of_cancelled(self) -> Spells:
        """Return the spells of cancelled orders; an order that was delivered first has none."""
        orders = self._orders
        row = np.flatnonzero(orders.cancelled < orders.enter[COMPLETED]).astype(
            np.int32
        )  # NaN, never cancelled, is false
        return _until_midnight(CANCELLED, row, orders.cancelled[row], orders.enter[COMPLETED, row], self._tz)

    def _between(self, t0: float, t1: float, number: int) -> Spells:
        if number < COMPLETED:
            return self._open_between(t0, t1, number)
        if number == COMPLETED:
            delivered = self._entered[COMPLETED]
            some = slice(int(delivered.searchsorted(t0 - 2 * DAY)), int(delivered.searchsorted(t1, "right")))
            order = self._by_delivery[some]
            spells = _until_midnight(number, order, delivered[some], np.full(len(order), np.inf), self._tz)
        else:
            spells = self._cancelled if number == CANCELLED else self._stalled
        return _overlapping(spells, t0, t1)

    # -- open stages -------------------------------------------------------------------------------------------------------
    def _index_not_in_stage(self) -> None:
        """Index, for each stage before Completed, the times in which its orders are cancelled or stalled.

        The orders in a stage are those that have entered it and not the next, minus the cancelled and stalled ones.
        """
        enter = self._orders.enter
        stalled, stall_begin, stall_end = self._orders.stalls
        order = np.concatenate((self._cancelled.order, stalled))
        begin = np.concatenate((self._cancelled.begin, stall_begin))
        end = np.concatenate((np.full(len(self._cancelled), np.inf), stall_end))
        self._not_in_stage: list[_Times | None] = []
        for stage in range(COMPLETED):
            spells = _non_empty(
                order, stage, np.maximum(begin, enter[stage, order]), np.minimum(end, enter[stage + 1, order])
            )
            self._not_in_stage.append(_Times.of(spells))

    def _split_open(self) -> None:
        """Find the end of each order's first open spell, and the later open spells of orders that stalled and resumed."""
        orders = self._orders
        stalled, stall_begin, stall_end = orders.stalls
        closed = np.fmin(orders.delivered, orders.cancelled)  # an order that never closes ends by stalling
        until = np.where(np.isnan(closed), np.inf, closed)
        resumed = np.isfinite(stall_end)
        by_begin = np.lexsort((stall_begin, stalled))
        # an open spell after a stall ends at the order's next stall or when the order closes
        order, begin = stalled[by_begin], stall_begin[by_begin]
        end = until[order]
        same = order[1:] == order[:-1]
        end[:-1][same] = begin[1:][same]
        np.minimum.at(until, order, begin)
        again = resumed[by_begin]
        self._until = until
        self._resumed = Spells(
            order[again], np.full(int(again.sum()), CREATED, np.uint8), stall_end[by_begin][again], end[again]
        )

    def _index_open(self) -> None:
        """Index, for each time bucket, the orders whose first open spell overlaps it."""
        begin, end = self._orders.first, self._until
        real = np.flatnonzero(end > begin)
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
        """Return the orders in a stage before Completed at t, sorted by row, and the stage of each."""
        orders, bucket = self._orders, int((t - self._base) // self._bucket)
        order = self._bucket_orders[:0]
        if not self._is_indexed:
            order = np.flatnonzero((orders.first <= t) & (self._until > t)).astype(np.int32)
        elif 0 <= bucket < len(self._bucket_offsets) - 1:
            order = self._bucket_orders[self._bucket_offsets[bucket] : self._bucket_offsets[bucket + 1]]
            order = order[(orders.first[order] <= t) & (self._until[order] > t)]
        resumed = self._resumed
        if len(resumed):
            again = resumed.order[(resumed.begin <= t) & (resumed.end > t)]
            if len(again):
                order = np.sort(np.concatenate((order, again)))
        # an open order has entered Created and not Completed, so its stage follows from the three in between
        stage = np.zeros(len(order), np.uint8)
        for entered in orders.enter[CREATED + 1 : COMPLETED]:
            stage += entered.take(order) <= t
        return order, stage

    def _open_between(self, t0: float, t1: float, stage: int) -> Spells:
        enter, again = self._orders.enter, self._resumed
        first = np.flatnonzero((enter[stage] <= t1) & (enter[stage + 1] > t0) & (self._until > t0)).astype(np.int32)
        order = np.concatenate((first, again.order))
        begin = np.maximum(np.concatenate((self._orders.first[first], again.begin)), enter[stage, order])
        end = np.minimum(np.concatenate((self._until[first], again.end)), enter[stage + 1, order])
        return _overlapping(_non_empty(order, stage, begin, end), t0, t1)


def _until_midnight(number: int, order: Rows, begin: Floats, end: Floats, tz: Zone) -> Spells:
    """Return spells in a closed state, each cut at the midnight after it began."""
    return Spells(order, np.full(len(order), number, np.uint8), begin, np.minimum(end, tz.next_midnight(begin)))


def _non_empty(order: Rows, number: int, begin: Floats, end: Floats) -> Spells:
    """Return the spells in a state without the empty ones."""
    some = begin < end
    return Spells(order[some], np.full(int(some.sum()), number, np.uint8), begin[some], end[some])


def _inside(times: _Times | None, t: float) -> int:
    return 0 if times is None else int(times.inside(t))


def _overlapping(spells: Spells, t0: float, t1: float) -> Spells:
    some = (spells.begin <= t1) & (spells.end > t0)
    return Spells(spells.order[some], spells.state[some], spells.begin[some], spells.end[some])
