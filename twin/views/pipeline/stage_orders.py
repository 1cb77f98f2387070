"""The orders of one stage at a moment, as a list to read: who is there, since when, with what."""

from typing import Any

import numpy as np

from twin.analysis.wording import brand_names, brands_text
from twin.foundation.stages import CANCELLED, COMPLETED, STATES
from twin.timeline.timeline import Timeline

MOST_ROWS = 200
"""Orders of a list; more are counted, not listed: nobody reads further, and each second anew they would cost."""


class StageOrders:
    """Lists the orders of one timeline; the words about an order are kept, as a list is asked for anew every second."""

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
        """Return "Pho Real, Green Machine +1"; empty where the data tells of no items."""
        if row not in self._baskets:
            self._baskets[row] = brands_text(brand_names(self._timeline.orders.items(row)), " +{}")
        return self._baskets[row]
