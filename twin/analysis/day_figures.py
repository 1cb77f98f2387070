"""A day's or week's figures against those before: what got better, what got worse, and what is within the usual.

A figure of a day is compared with where a further day like the others would lie: the 95 % prediction interval of their values
(Student's t). Days of the same weekday are the others if there are enough of them, else all days before; of a week, the weeks
before.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import SAME_WEEKDAYS, History
from twin.analysis.metrics import WHOLE_MINUTE
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import CREATED, STALLED_AFTER
from twin.timeline import events as ev
from twin.timeline.orders import began

if TYPE_CHECKING:
    from scipy import special
else:
    special = at_first_use("scipy.special")

Floats = NDArray[np.float64]

FEWEST_DAYS = 3
"""Days before without which nothing is compared."""
SURE = 0.95
ORDERS, DELIVERY, P95, LATE, DELIVERED = "orders", "delivery", "p95", "late", "delivered"
LABELS = {
    ORDERS: "Orders",
    DELIVERY: "Delivery time, mean (min)",
    P95: "Delivery time, P95 (min)",
    LATE: "Late deliveries (%)",
    DELIVERED: "Orders delivered (%)",
}
SHARES = (LATE, DELIVERED)
"""In percent; a share of 103 % is none."""
GOOD = {DELIVERY: -1, P95: -1, LATE: -1, DELIVERED: 1}
"""Direction in which a figure gets better; more orders are neither."""


@dataclass(frozen=True, slots=True)
class DayFigure:
    """A figure of the day; `usual`, `low` and `high` (None: not enough days) are the others' mean and where such a day would lie.

    change: "better", "worse", "other" (of a figure that is neither), or "" within the usual. days: how many others.
    """

    name: str
    label: str
    value: float | None
    usual: float | None
    low: float | None
    high: float | None
    change: str
    days: int


def day_figures(history: History, day: int, target: float, length: int = 1) -> list[DayFigure]:
    """Return the figures of the `length` days from `day` on, numbered since 1970 on the kitchen's clock.

    `target` is the promised delivery time, seconds. Several days are compared with as many days before each time, as far as the
    record has all of them.
    """
    day_of = history.tz.day(began(history.created, history.enter[CREATED]))
    if length > 1:
        recorded = set(history.days.tolist())
        starts = range(day - length, int(history.days.min(initial=day)) - 1, -length)
        whole = [first for first in starts if recorded.issuperset(range(first, first + length))]
        this, *earlier = (
            figures_of(history, (day_of >= first) & (day_of < first + length), target) for first in (day, *whole)
        )
        return [_compared(name, this[name], [one[name] for one in earlier]) for name in LABELS]
    days = {*(one for one in history.days.tolist() if one < day), day}
    values = {one: figures_of(history, day_of == one, target) for one in sorted(days)}
    before = [one for one in values if one < day]
    alike = [one for one in before if (day - one) % 7 == 0]
    others = alike if len(alike) >= SAME_WEEKDAYS else before
    return [_compared(name, values[day][name], [values[one][name] for one in others]) for name in LABELS]


def figures_of(history: History, inside: NDArray[np.bool_], target: float) -> dict[str, float | None]:
    """Return the figures of some of a history's orders, `inside` (n,) bool; `target` is the promised delivery time, seconds."""
    took = (history.delivered - history.created)[inside]
    took = took[(took >= 0) & (took <= STALLED_AFTER)]
    orders, delivered = int(np.count_nonzero(inside)), int(np.count_nonzero(np.isfinite(history.delivered[inside])))
    records = bool(np.isfinite(history.milestones[ev.DELIVERED]).any())
    return {
        ORDERS: float(orders),
        DELIVERY: float(took.mean()) / 60 if len(took) else None,
        P95: float(np.quantile(took, 0.95)) / 60 if len(took) else None,
        LATE: 100 * float(np.mean(took >= target + WHOLE_MINUTE)) if len(took) else None,
        DELIVERED: 100 * delivered / orders if orders and records else None,
    }


def _compared(name: str, value: float | None, others: list[float | None]) -> DayFigure:
    known = np.array([one for one in others if one is not None])
    n = len(known)
    if value is None or n < FEWEST_DAYS:
        return DayFigure(name, LABELS[name], value, None, None, None, "", n)
    mean, width = (
        float(known.mean()),
        float(known.std(ddof=1) * special.stdtrit(n - 1, (1 + SURE) / 2) * np.sqrt(1 + 1 / n)),
    )
    low, high = max(mean - width, 0.0), mean + width
    if name in SHARES:
        high = min(high, 100.0)
    change = ""
    if abs(value - mean) > width:
        better = GOOD.get(name, 0) * np.sign(value - mean)
        change = "other" if not better else "better" if better > 0 else "worse"
    return DayFigure(name, LABELS[name], value, mean, low, high, change, n)
