"""All kitchens of a source by the hour: what the source adds up for all of them at once, however many there are.

Hours are half open at their begin, (end − 1 h, end], so that the figures of an hour are those that a kitchen's own page shows at
its end. What needs a loaded timeline (the state, meals that wait, drivers) is computed for the few kitchens that are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis.limits import LEAST_ORDERS, Levels, late_level
from twin.foundation.times import DAY, HOUR
from twin.sources.base import Window

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

UNKNOWN, QUIET = 9, 8
"""Levels of an hour without a delivery that counts: nothing was recorded, or orders only."""


@dataclass(frozen=True)
class NetworkHours:
    """What k kitchens did in h hours.

    ends: (h,) data seconds, ascending, every hour. orders, deliveries, late: (k, h); took_s: (k, h) sums of delivery times.
    """

    ends: Floats
    orders: Counts
    deliveries: Counts
    late: Counts
    took_s: Floats

    @classmethod
    def of(cls, ids: Sequence[str], window: Window, rows: pa.Table) -> "NetworkHours":
        """Return the hours of the locations `ids` in a window, the last one whole; `rows` are those of queries/network.sql."""
        first = np.floor(window.start / HOUR) + 1
        ends = np.arange(first, np.ceil(window.end / HOUR) + 1) * HOUR
        orders, deliveries, late = np.zeros((3, len(ids), len(ends)), np.int32)
        took = np.zeros((len(ids), len(ends)))
        number = {name: place for place, name in enumerate(ids)}
        codes = rows["location"].combine_chunks().dictionary_encode()
        named = np.array([number.get(name, -1) for name in codes.dictionary.to_pylist()], np.intp)
        row = named[codes.indices.to_numpy(zero_copy_only=False)] if len(rows) else np.empty(0, np.intp)
        began = rows["hour"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
        column = (began // 3_600_000_000 + 1 - first).astype(np.intp)
        inside = (row >= 0) & (column >= 0) & (column < len(ends))
        where = row[inside], column[inside]
        for name, values in (("orders", orders), ("timed", deliveries), ("late", late)):
            values[where] = rows[name].to_numpy()[inside]
        took[where] = np.nan_to_num(rows["took_us"].cast(pa.float64()).to_numpy()[inside]) / 1e6
        return cls(ends, orders, deliveries, late, took)

    @cached_property
    def levels(self) -> Levels:
        """The levels (k, h) of late deliveries in each hour: fine, amber, red as in limits.py, `QUIET` or `UNKNOWN`.

        Against what is usual, as a kitchen's state judges them: the median of the same hour on the other days of the range.
        """
        levels = late_level(self.late, self.deliveries, self._usual_share())
        empty = self.deliveries == 0
        return np.where(empty, np.where(self.orders > 0, QUIET, UNKNOWN), levels).astype(np.uint8)

    def _usual_share(self) -> Floats:
        """Return the late share (k, h) that is usual in each hour; NaN where no other day has one with enough deliveries."""
        kitchens, hours = self.late.shape
        days = -(-hours // 24)
        share = np.full((kitchens, days * 24), np.nan)
        enough = self.deliveries >= LEAST_ORDERS
        np.divide(self.late, self.deliveries, out=share[:, :hours], where=enough)
        by_day = share.reshape(kitchens, days, 24)
        usual = np.full_like(by_day, np.nan)
        for day in range(days) if days > 1 else ():
            others = np.sort(np.delete(by_day, day, axis=1), axis=1)  # NaN sorts last
            known = np.isfinite(others).sum(axis=1)
            middle = [np.maximum(known - 1, 0) // 2, known // 2 * (known > 0)]
            low, high = (np.take_along_axis(others, at[:, None], axis=1)[:, 0] for at in middle)
            usual[:, day] = np.where(known % 2, low, (low + high) / 2)
        return usual.reshape(kitchens, -1)[:, :hours]

    def last(self, t: float) -> int:
        """Return the place of the last hour that is over at t; -1: none is."""
        return int(self.ends.searchsorted(t, "right")) - 1

    def by_harm(self, t: float) -> list[int]:
        """Return the kitchens' places, those with most late deliveries in the last full hour before t first.

        Equal ones by the late deliveries of the three hours before, then by orders, then as the source has them.
        """
        at = self.last(t)
        if at < 0:
            return list(range(len(self.orders)))
        before = slice(max(0, at - 3), at)
        keys = (-self.orders[:, at], -self.late[:, before].sum(axis=1), -self.late[:, at])
        return [int(place) for place in np.lexsort(keys)]

    def harmed(self, start: float, end: float, most: int) -> list[int]:
        """Return the places of the kitchens with most late deliveries in the hours that touch [start, end], at most `most`."""
        some = (self.ends > start) & (self.ends - HOUR < end)
        keys = (-self.orders[:, some].sum(axis=1), -self.late[:, some].sum(axis=1))
        return sorted(int(place) for place in np.lexsort(keys)[:most])

    def worst(self, until: float) -> float:
        """Return the end of the hour with most late deliveries of all kitchens in the 24 hours to `until`; without one, that."""
        late = np.where((self.ends > until - DAY) & (self.ends <= until), self.late.sum(axis=0), 0)
        return float(self.ends[late.argmax()]) if late.any() else until
