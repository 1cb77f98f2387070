"""The orders in one stage at one time, as a list: their ids, since when they are in it, and their brands."""

from typing import Any

import numpy as np

from twin.foundation.stages import CANCELLED, COMPLETED, STATES
from twin.timeline.timeline import Timeline

MOST_ROWS = 200
"""Most orders of a list; more are only counted. Nobody reads further, and the list is sent every second."""

BRANDS_SHOWN = 2


class StageOrders:
    """Lists the orders of one timeline. The orders' texts are cached, because the browser requests a list every second."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._baskets: dict[int, str] = {}

    def at(self, stage: str, t: float) -> tuple[int, list[list[Any]]]:
        """Return how many orders are in a stage or state at t, and up to `MOST_ROWS` of them.

        A row: [order row, id, since (data seconds), total (s) or None, basket]. `since` is when it entered, was
        delivered, cancelled, or last heard of (stalled). Open orders come oldest first, closed ones newest first.
        `total` is the time from created to delivered.
        """
        found = self._timeline.membership.at(t, stage)
        rows, since = found.order, found.since
        newest_first = STATES.index(stage) in (COMPLETED, CANCELLED)
        chosen = np.argsort(-since if newest_first else since, kind="stable")[:MOST_ROWS]
        orders = self._timeline.orders
        totals = orders.delivered[rows[chosen]] - orders.created[rows[chosen]]
        completed = stage == STATES[COMPLETED]
        return len(rows), [
            [
                row,
                str(orders.ids[row].as_py()),
                at,
                total if completed and np.isfinite(total) else None,
                self._basket(row),
            ]
            for row, at, total in zip(rows[chosen].tolist(), since[chosen].tolist(), totals.tolist(), strict=True)
        ]

    def _basket(self, row: int) -> str:
        """Return "Pho Real, Green Machine +1"; empty where the data has no items."""
        if row not in self._baskets:
            brands = list(dict.fromkeys(item.brand for item in self._timeline.orders.items(row) if item.brand))
            more = f" +{len(brands) - BRANDS_SHOWN}" if len(brands) > BRANDS_SHOWN else ""
            self._baskets[row] = ", ".join(brands[:BRANDS_SHOWN]) + more
        return self._baskets[row]
