"""Which day of a record is worth seeing first: the last one that is about as full as days of this record are.

Counted back from the last row, "the last 24 hours" of a record that ends in stragglers shows one order and two outages that
nobody had. The rule is described in docs/figures.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import STALLED_AFTER
from twin.foundation.times import HOUR
from twin.foundation.zones import Zone
from twin.sources.base import Location, Volume

QUIET = 0.2
"""A stretch with less than this share of its usual orders is a gap in the record, not a quiet day; the same as in a baseline."""
REFERENCE_DAYS = 28
"""Days from which the usual orders of each hour are computed, the last ones that are no gaps."""
LEAST_HOURS, MOST_HOURS = 6, 24
"""Lengths of the stretches before the end that are looked at. An outage of a few hours is worth seeing, half a day's is a gap."""
LEAST_SHARE = 0.1
"""A stretch that usually has less than this share of a day's orders (a night) says nothing."""


@dataclass(frozen=True, slots=True)
class LastDay:
    """Where the last 24 hours that are worth seeing end, in data seconds.

    After `end`, `later_orders` begin, all before `later_end`; without any, it is `end`.
    """

    end: float
    later_orders: int
    later_end: float


def last_day(place: Location, volume: Volume) -> LastDay:
    """Return where the last day of a location that is worth seeing ends; `volume` is the location's.

    It ends in the whole minute after the last delivery, or after the last event if nothing is delivered, as long as this is
    near the last hour with orders that belongs to the record; otherwise with that hour.
    """
    last = place.end if place.last_delivered is None else place.last_delivered
    if len(volume.hour):
        hour = float(volume.hour[_last_full(volume, place.tz)])
        if not hour - STALLED_AFTER <= last <= hour + HOUR + STALLED_AFTER:
            last = min(hour + HOUR - 60, place.end)
    end = float(np.floor(last / 60) * 60 + 60)  # the next whole minute, so that [start, end) contains the delivery
    later = volume.hour >= end
    return LastDay(end, int(volume.orders[later].sum()), float(volume.hour[-1] + HOUR) if later.any() else end)


def _last_full(volume: Volume, tz: Zone) -> int:
    """Return the position in `volume` of the last hour that no gap separates from the record; without one, the fullest's."""
    usual = _usual_by_hour(volume, tz)
    if usual is None:
        return len(volume.hour) - 1
    before = np.concatenate(([0], np.cumsum(volume.orders)))
    lengths = np.arange(1, MOST_HOURS + 1)
    counted = (lengths >= LEAST_HOURS)[None, :]
    for stop in range(len(volume.hour), 0, -MOST_HOURS):  # from the end on; most records end at once
        number = np.arange(max(0, stop - MOST_HOURS), stop)
        hours = volume.hour[number]
        begins = hours[:, None] - (lengths - 1) * HOUR
        orders = before[number + 1][:, None] - before[volume.hour.searchsorted(begins)]
        expected = np.cumsum(usual[tz.hour(begins)], axis=1)
        gap = counted & (expected >= LEAST_SHARE * usual.sum()) & (orders < QUIET * expected)
        if len(full := np.flatnonzero(~gap.any(axis=1))):
            return int(number[full[-1]])
    return int(np.argmax(volume.orders))


def _usual_by_hour(volume: Volume, tz: Zone) -> NDArray[np.float64] | None:
    """Return the mean orders by hour of the kitchen's day, (24,), of the last days that are no gaps; None without orders.

    A gap is a day with less than `QUIET` of the orders of the day on which the middle one of all orders falls: many days with
    a straggler each do not count for more than the orders of a full one.
    """
    _, row = np.unique(tz.day(volume.hour), return_inverse=True)
    orders = np.bincount(row, weights=volume.orders)
    if not orders.sum():
        return None
    by_size = np.sort(orders)
    middle = by_size[int(np.searchsorted(np.cumsum(by_size), orders.sum() / 2))]
    full = np.flatnonzero(orders >= QUIET * middle)[-REFERENCE_DAYS:]
    chosen = np.isin(row, full)
    return np.bincount(tz.hour(volume.hour[chosen]), weights=volume.orders[chosen], minlength=24) / len(full)
