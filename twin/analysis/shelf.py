"""The shelf clock: how long each finished meal stood before its driver took it, and whether it was cold by then.

A meal stands from the moment it is in Ready, as in the pipeline: its first `gk_finished` or `gk_ready`. It stands until it is
picked up or, at a time t, until t if it had not been by then: nothing later than t is used. Where the record has neither event
before the pick-up, or a delivery without one, nobody knows how long the meal stood, and it counts nowhere. Nor does one that was
cancelled and not picked up, or one of more than four hours, which is an anomaly of the record, as for every duration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis import brands
from twin.foundation.settings import COLD_AFTER_S
from twin.foundation.stages import OUT_FOR_DELIVERY, STALLED_AFTER
from twin.foundation.times import Time, seconds
from twin.timeline import events as ev
from twin.timeline.orders import Orders, drove_off
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NO_READY_EVENT = (
    "No order of this data has a gk_finished or gk_ready before its pick-up: how long meals stood is not known."
)
"""Why there is no shelf clock where the source records no ready event."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """How long some meals stood. median, p95: seconds, None where no meal counts; cold: how many stood over the limit."""

    meals: int
    cold: int
    median: float | None
    p95: float | None

    @property
    def cold_share(self) -> float | None:
        """Share of the meals that were cold, 0 to 1; None where no meal counts."""
        return self.cold / self.meals if self.meals else None


class ShelfClock:
    """When the meals of n orders were put on the shelf and taken off it; rows as in `Timeline.orders`.

    since: (n,) seconds, NaN where the record does not say. until: (n,) seconds of the pick-up, inf where there is none.
    """

    def __init__(self, orders: Orders, cold_after: float = COLD_AFTER_S) -> None:
        self.cold_after = cold_after
        made = np.fmin(orders.milestones[ev.GK_FINISHED], orders.milestones[ev.GK_READY])
        self.until: Floats = orders.enter[OUT_FOR_DELIVERY]
        with np.errstate(invalid="ignore"):
            self.since: Floats = np.where(made <= self.until, made, np.nan)
        self._unseen = np.isnan(drove_off(orders.milestones, orders.enter)) & np.isfinite(self.until)
        self._cancelled = orders.cancelled

    @property
    def recorded(self) -> bool:
        """Whether the record says of any meal when it was finished."""
        return bool(np.isfinite(self.since).any())

    def stood(self, t: float = np.inf) -> Floats:
        """Return how long each meal had stood by t, (n,) seconds; NaN where it counts nowhere. By default, in the record."""
        with np.errstate(invalid="ignore"):
            stood = np.minimum(self.until, t) - self.since
            dropped = ((self._cancelled <= t) & (self.until > t)) | (self._unseen & (self.until <= t))
            return np.where((stood >= 0) & (stood <= STALLED_AFTER) & ~dropped, stood, np.nan)

    def shelf(self, among: Bools | NDArray[np.int64] | None = None, t: float = np.inf) -> Shelf:
        """Return the figures of the orders `among` (a mask or rows), by default of all, as of t."""
        stood = self.stood(t)
        return _shelf(stood if among is None else stood[among], self.cold_after)

    def is_cold(self, t: float = np.inf) -> Bools:
        """Return whether each meal had stood longer than the limit by t, (n,)."""
        with np.errstate(invalid="ignore"):
            return self.stood(t) > self.cold_after


def by_brand(
    timeline: Timeline, t0: Time | None = None, t1: Time | None = None, cold_after: float = COLD_AFTER_S
) -> dict[str, Shelf]:
    """Return the figures of each brand's orders that began in [t0, t1) (default: the window).

    An order of several brands counts for each of them, as in `brands.performance`.
    """
    orders, window = timeline.orders, timeline.window
    start, end = window.start if t0 is None else seconds(t0), window.end if t1 is None else seconds(t1)
    names, order, brand = brands.pairs(orders)
    inside = ((orders.began >= start) & (orders.began < end))[order]
    order, brand = order[inside], brand[inside]
    stood = ShelfClock(orders, cold_after).stood()[order]
    return {names[k]: _shelf(stood[brand == k], cold_after) for k in np.unique(brand).tolist()}


def _shelf(stood: Floats, cold_after: float) -> Shelf:
    counted = stood[np.isfinite(stood)]
    if not len(counted):
        return Shelf(0, 0, None, None)
    median, p95 = np.quantile(counted, (0.5, 0.95)).tolist()
    return Shelf(len(counted), int(np.count_nonzero(counted > cold_after)), median, p95)
