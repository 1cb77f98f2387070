"""The data of the trend figures, as plain arrays; computed once per timeline, never while it plays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.foundation.stages import COMPLETED, STAGES, STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]


BUCKETS = (60.0, 300.0, 600.0, 900.0, 1800.0, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY)
MOST_BARS = 100
"""A bar stays three pixels wide in the narrow column: a day in quarters of an hour, a week in steps of two hours."""

TICKS = (
    60.0,
    300.0,
    600.0,
    1800.0,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    56 * DAY,
    364 * DAY,
)
MOST_TICKS = 7
"""Labels that fit under 350 pixels."""

SHARES = (0.05, 0.25, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class StageTimes:
    """The times that orders spent in one stage: `quantiles` are the P5, P25, P75, P95 in seconds, empty if there are
    none; `number` orders are in them, `excluded` ones over 4 h are not.
    """

    key: str
    quantiles: tuple[float, ...]
    mean: float | None
    """Seconds; the mean, as the pipeline's averages are: a median beside them would be another answer to one question."""
    number: int
    excluded: int


def bucket_of(span: float) -> float:
    """Return the seconds of a bar over `span` seconds.

    >>> bucket_of(86_400.0), bucket_of(7 * 86_400.0)
    (900.0, 7200.0)
    """
    return next((bucket for bucket in BUCKETS if span / bucket <= MOST_BARS), BUCKETS[-1])


def time_ticks(start: float, end: float, tz: Zone = NAIVE) -> list[tuple[float, str]]:
    """Return the ticks of the time axis with their labels: the hour; in ranges of several days, the day at midnight.

    >>> time_ticks(36_000.0, 86_400.0)[-3:]
    [(57600.0, '16:00'), (72000.0, '20:00'), (86400.0, '24:00')]
    """
    step = next((step for step in TICKS if (end - start) / step < MOST_TICKS), TICKS[-1])
    return [(t, _label(t, start, end, tz)) for t in tz.ticks(start, end, step).tolist()]


def _label(t: float, start: float, end: float, tz: Zone) -> str:
    midnight = t == tz.midnight(t)
    if not midnight or end <= tz.next_midnight(start) or end - start <= DAY:
        return "24:00" if t == end and midnight else tz.clock(t)
    day = tz.datetime(t)
    return f"{day:%a} {day.day}" if end - start <= 14 * DAY else f"{day.day} {day:%b}"


def usual_counts(edges: Floats, orders_per_hour: Callable[[float], float | None]) -> Floats:
    """Return the usual number of orders per bucket, (n,), NaN where it is unknown.

    `orders_per_hour(t)` covers the hour before t. So a bucket shorter than an hour uses the hour around its middle, a longer
    one the sum of its hours.
    """
    usual = np.full(len(edges) - 1, np.nan)
    for i, (start, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        if end - start <= HOUR:
            rates = [orders_per_hour((start + end) / 2 + HOUR / 2)]
        else:
            rates = [orders_per_hour(t) for t in np.arange(start + HOUR, end + 1, HOUR)]
        present = [rate for rate in rates if rate is not None]
        if len(present) == len(rates):
            usual[i] = sum(present) / len(present) * (end - start) / HOUR
    return usual


def stage_times(timeline: Timeline) -> list[StageTimes]:
    """Return the times in the four stages before Completed, of the orders that left the stage in the window."""
    enter, window = timeline.orders.enter, timeline.window
    figures = []
    for stage, key in enumerate(STAGES[:COMPLETED]):
        left = enter[stage + 1]
        # entered and left at the same time: the milestone is missing, and the order was never observed in this stage
        moved = (left >= window.start) & (left < window.end) & (enter[stage] < left)
        spent = left[moved] - enter[stage][moved]
        counted = spent[spent <= STALLED_AFTER]
        quantiles = tuple(np.quantile(counted, SHARES).tolist()) if len(counted) else ()
        mean = float(counted.mean()) if len(counted) else None
        figures.append(StageTimes(key, quantiles, mean, len(counted), len(spent) - len(counted)))
    return figures
