"""Ids like one that does not exist, for whoever mistyped it: looked for among so many orders that the cost has a bound."""

from collections.abc import Sequence

import numpy as np

from twin.foundation.times import DAY
from twin.sources import lives
from twin.sources.base import Source, Volume, Window
from twin.sources.tables import find_place

MOST_ORDERS = 100_000
"""Most orders among which a search looks, the latest: a table may have millions, and anyone with the link can mistype an id."""


def similar_orders(source: Source, wanted: str, most: int, location: str = "") -> list[str]:
    """Return at most `most` ids like `wanted`, the most similar first: of a location if that has any, else of all.

    Raises SourceError.
    """
    for place in dict.fromkeys((location, "")):
        latest = latest_orders(source, place)
        found = source.query("near_orders", wanted=wanted, most=most, location=place, **lives.bounds(latest))
        if len(found):
            ids: list[str] = found["order_id"].to_pylist()
            return ids
    return []


def latest_orders(source: Source, location: str = "") -> Window:
    """Return the longest range up to the end of a location, or ('') of all, in which at most `MOST_ORDERS` orders began.

    It has at least the last hour that has any.
    """
    places = [find_place(location, source.locations())] if location else source.locations()
    volumes = [source.volume(place.id) for place in places]
    begin, end = min(place.start for place in places), max(place.end for place in places)
    span = DAY
    while span < end - begin and sum(int(_since(one, end - span).orders.sum()) for one in volumes) <= MOST_ORDERS:
        span *= 2
    return Window(_first(volumes, end - span, begin), end + 1)


def _first(volumes: Sequence[Volume], since: float, begin: float) -> float:
    """Return the start of the first hour from `since` on from which at most `MOST_ORDERS` orders follow; `begin` if all do."""
    near = [_since(one, since) for one in volumes]
    hours, place = np.unique(np.concatenate([one.hour for one in near]), return_inverse=True)
    orders = np.bincount(place, np.concatenate([one.orders for one in near]), len(hours))
    too_many = np.flatnonzero(np.cumsum(orders[::-1])[::-1] > MOST_ORDERS)
    if not len(too_many):
        return begin
    return float(hours[min(too_many[-1] + 1, len(hours) - 1)])


def _since(volume: Volume, t: float) -> Volume:
    first = int(np.searchsorted(volume.hour, t))
    return Volume(volume.hour[first:], volume.orders[first:])
