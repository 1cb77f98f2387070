"""The orders in one stage at one time, as a list: their ids, since when they are in it, and their brands."""

import numpy as np

from twin.analysis.wording import brand_names, brands_text
from twin.foundation.stages import CANCELLED, COMPLETED, STATES
from twin.timeline.timeline import Timeline
from twin.views.shared.rows import Columns, columns_of

MOST_ROWS = 200
"""Most orders of a list; more are only counted. Nobody reads further, and the list is sent every second."""


ROW = ("row", "id", "since", "total", "basket")
"""The columns of the list: the order's row number, id, time in the stage, delivery time and brands."""


class StageOrders:
    """Lists the orders of one timeline. The orders' texts are cached, because the browser requests a list every second."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._baskets: dict[int, str] = {}

    def at(self, stage: str, t: float) -> tuple[int, Columns]:
        """Return how many orders are in a stage or state at t, and up to `MOST_ROWS` of them.

        The columns are those of `ROW`. `since` is when an order entered the stage, was delivered or cancelled, or had its last
        event (stalled), data seconds; `total` is the seconds from created to delivered, or None. Open orders are listed oldest
        first, closed ones newest first.
        """
        found = self._timeline.membership.at(t, stage)
        rows, since = found.order, found.since
        newest_first = STATES.index(stage) in (COMPLETED, CANCELLED)
        chosen = np.argsort(-since if newest_first else since, kind="stable")[:MOST_ROWS]
        orders = self._timeline.orders
        totals = orders.delivered[rows[chosen]] - orders.created[rows[chosen]]
        completed = stage == STATES[COMPLETED]
        listed = (
            (
                row,
                str(orders.ids[row].as_py()),
                at,
                total if completed and np.isfinite(total) else None,
                self._basket(row),
            )
            for row, at, total in zip(rows[chosen].tolist(), since[chosen].tolist(), totals.tolist(), strict=True)
        )
        return len(rows), columns_of(ROW, listed)

    def _basket(self, row: int) -> str:
        """Return "Pho Real, Green Machine +1"; empty where the data has no items."""
        if row not in self._baskets:
            self._baskets[row] = brands_text(brand_names(self._timeline.orders.items(row)), " +{}")
        return self._baskets[row]
