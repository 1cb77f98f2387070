"""The figures of a kitchen's brands over a time range: orders, revenue, delivery time and trend.

An order of several brands counts for each of them, with its whole delivery time; its revenue is split by item. Brands are
identified by name. The trend compares a brand with its kitchen: the kitchen's orders in the range are split into an earlier and a
later half, and a brand whose share has not changed has as many orders in one half as in the other. Effects of the hour, the
weekday and the growth of the whole kitchen, which concern all brands, are thus not a trend of one, and the rule suits a day and a
month.
"""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.analysis.metrics import MetricIndex
from twin.foundation.stages import COMPLETED, STAGES, STALLED_AFTER
from twin.foundation.times import Time, seconds
from twin.timeline.orders import Orders
from twin.timeline.timeline import Snapshot, Timeline

TREND_Z = 2.58
"""Standard deviations beyond which a difference is a trend: one stable brand in a hundred exceeds them by chance."""

TREND_ORDERS = 20
"""Fewest orders for a trend; with fewer, even three quarters of them in one half can be chance."""


@dataclass(frozen=True, slots=True)
class BrandFigures:
    """One brand over a range. `delivery_time` is a mean in seconds of `deliveries` orders, None where there are none;
    `excluded` deliveries took over 4 h, or a negative time, and are left out of it. `revenue` is None where no item of the
    brand has a price.

    `earlier` and `later` are its orders in the two halves of the kitchen's orders; `trend` is "improving", "flat" or
    "declining", None where the brand has too few orders for one.
    """

    brand: str
    orders: int
    revenue: float | None
    delivery_time: float | None
    deliveries: int
    excluded: int
    earlier: int
    later: int
    trend: str | None


def performance(timeline: Timeline, t0: Time | None = None, t1: Time | None = None) -> list[BrandFigures]:
    """Return the figures of each brand with orders in [t0, t1) (default: the window), the one with most orders first.

    An order belongs to the range if it began in it; its delivery counts whenever it was.
    """
    orders = timeline.orders
    start = timeline.window.start if t0 is None else seconds(t0)
    end = timeline.window.end if t1 is None else seconds(t1)
    began = orders.began
    inside = (began >= start) & (began < end)
    names, order, brand, revenue = _pairs(orders, inside)
    if not len(order):
        return []
    n = len(names)

    duration = orders.delivered[order] - orders.created[order]
    delivered = np.isfinite(duration)
    valid = delivered & (duration >= 0) & (duration <= STALLED_AFTER)
    deliveries = np.bincount(brand[valid], minlength=n)
    time = np.bincount(brand[valid], weights=duration[valid], minlength=n)
    excluded = np.bincount(brand[delivered & ~valid], minlength=n)
    number = np.bincount(brand, minlength=n)
    money = np.bincount(brand, weights=revenue, minlength=n)

    half = _halves(began, inside)[order]
    earlier = np.bincount(brand[half < 0], minlength=n)
    later = np.bincount(brand[half > 0], minlength=n)
    kitchen = int(np.count_nonzero(inside)) // 2 * 2
    figures = [
        BrandFigures(
            brand=names[k],
            orders=int(number[k]),
            revenue=float(money[k]) or None,
            delivery_time=float(time[k] / deliveries[k]) if deliveries[k] else None,
            deliveries=int(deliveries[k]),
            excluded=int(excluded[k]),
            earlier=int(earlier[k]),
            later=int(later[k]),
            trend=trend(int(earlier[k]), int(later[k]), kitchen),
        )
        for k in np.flatnonzero(number).tolist()
    ]
    return sorted(figures, key=lambda brand: (-brand.orders, -(brand.revenue or 0.0), brand.brand))


@dataclass(frozen=True)
class BrandOrders:
    """The orders of a timeline with an item of one brand: `has` (n,) says which, `index` has their figures."""

    has: NDArray[np.bool_]
    index: MetricIndex

    def counts(self, snapshot: Snapshot) -> dict[str, int]:
        """Return how many of the open orders are in each stage."""
        stages = snapshot.stage[self.has[snapshot.order]]
        return dict(zip(STAGES[:COMPLETED], np.bincount(stages, minlength=COMPLETED).tolist(), strict=True))


def of_brand(timeline: Timeline, brand: str) -> BrandOrders:
    """Return the orders of a brand, by its name: an order of several brands is one of each."""
    made = timeline.cached(_ByBrand).made
    if brand not in made:
        made[brand] = _brand_orders(timeline, brand)
    return made[brand]


class _ByBrand:
    """The orders of the brands that were asked for."""

    def __init__(self, _: Timeline) -> None:
        self.made: dict[str, BrandOrders] = {}


def _brand_orders(timeline: Timeline, brand: str) -> BrandOrders:
    orders = timeline.orders
    names, order, number = pairs(orders)
    has = np.zeros(len(orders), bool)
    if brand in names:
        has[order[number == names.index(brand)]] = True
    some = SimpleNamespace(
        created=orders.created[has],
        delivered=orders.delivered[has],
        cancelled=orders.cancelled[has],
        revenue=orders.revenue[has],
        enter=orders.enter[:, has],
    )
    like = SimpleNamespace(orders=some, tz=timeline.tz, location=timeline.location)
    return BrandOrders(has, MetricIndex(cast(Timeline, like)))


def pairs(orders: Orders) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the brands' names, and the distinct pairs of an order's row and the number of a brand in it, (pairs,) each."""
    names, order, brand, _ = _pairs(orders, np.ones(len(orders), bool))
    return names, order, brand


def trend(earlier: int, later: int, kitchen: int) -> str | None:
    """Return the trend of a brand with `earlier` and `later` orders in the two halves of the kitchen's `kitchen` orders.

    If the brand's orders were distributed randomly among the kitchen's, `later` would be hypergeometric; it is a trend beyond
    `TREND_Z` standard deviations of that distribution. A brand that is in every order cannot have a trend.

    >>> trend(60, 110, 1000), trend(80, 90, 1000), trend(9, 2, 1000)
    ('improving', 'flat', None)
    """
    n = earlier + later
    if n < TREND_ORDERS:
        return None
    deviation = math.sqrt(n * (kitchen - n) / (4 * (kitchen - 1)))
    difference = (later - earlier) / 2
    if abs(difference) <= TREND_Z * deviation:
        return "flat"
    return "improving" if difference > 0 else "declining"


def _pairs(
    orders: Orders, inside: NDArray[np.bool_]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the brands' names and the distinct pairs of an order `inside` and a brand in it: order, brand, revenue (pairs,)."""
    lines = np.diff(orders.item_offsets)
    order = np.repeat(np.arange(len(lines)), lines)
    names, code = _codes(orders.item_brands)
    chosen = np.flatnonzero(inside[order] & (code >= 0))
    width = max(1, len(names))
    key = order[chosen] * width + code[chosen]
    value = np.asarray(orders.item_qty[chosen], np.float64) * orders.item_price[chosen]
    pairs, pair = np.unique(key, return_inverse=True)
    revenue = np.bincount(pair, np.nan_to_num(value), len(pairs)).astype(np.float64)
    return names, np.asarray(pairs // width, np.int64), np.asarray(pairs % width, np.int64), revenue


def _codes(brands: pa.DictionaryArray) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct names and each item's index in them, −1 where the item has no brand or one without a name."""
    dictionary = brands.dictionary.to_pylist()
    names = sorted({name for name in dictionary if name})
    number = {name: k for k, name in enumerate(names)}
    table = np.array([*(number.get(name, -1) for name in dictionary), -1], np.int64)  # the last is for a missing brand
    return names, table[brands.indices.fill_null(len(dictionary)).to_numpy(zero_copy_only=False)]


def _halves(began: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return −1 for the earlier half of the orders inside, 1 for the later, 0 for the middle one of an odd number."""
    rows = np.flatnonzero(inside)
    rows = rows[np.argsort(began[rows], kind="stable")]
    half = np.zeros(len(began), np.int8)
    middle = len(rows) // 2
    half[rows[:middle]] = -1
    half[rows[len(rows) - middle :]] = 1
    return half
