"""When a figure is over its limit: the levels that colour stages, KPIs and the driver ribbon, and that make a kitchen's state.

Every mark, tint and state comes from here, so that no two of them can disagree. A level says how much customers are harmed, not
whether a number has risen or fallen: many orders are no harm, meals that get cold are.

The functions take numbers or arrays of one shape, None or NaN for what is unknown, which is never over a limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.foundation.settings import COMPLETION_TARGET, DELIVERY_TARGET_S, STAGE_AMBER, STAGE_RED, Settings
from twin.foundation.stages import STAGES

Floats = NDArray[np.float64]
Levels = NDArray[np.uint8]

FINE, AMBER, RED = range(3)
LEVELS = ("fine", "amber", "red")
"""Within the limits; beyond what is promised for some; beyond it for many."""

LEAST_ORDERS = 3
"""Fewest orders from which an average, a share or a mean age is judged: one slow order, or 40 seconds for 20, is no trouble."""
WELL_OVER = 1.5
LEAST_OVER = 60.0
"""A stage's average is well over the usual if it is at least 1.5 times as long and a minute (in seconds) longer."""

RAISED = 1.25, 1.5
"""Factors over the usual below which no time makes a kitchen's state amber, or red: what is always so is no trouble of today."""

MANY_LATE, HALF_LATE = 1 / 4, 1 / 2
"""Shares of an hour's deliveries from which late ones are amber, and red: of all, or of those that are usually in time. A mean on
target does not make up for them."""
WHOLE_MINUTE = 30.0
"""Seconds over the target from which a delivery counts as over it; less would be displayed as "0 over"."""

CHANGED = 0.05
"""Change of the late share from which it is worse or better."""

TIGHT_PRESSURE, SHORT_PRESSURE = 1.0, 1.5
"""Waiting meals per driver on the road from which drivers are tight, and short. On an ordinary day it is a third of a meal."""
FEWEST_MEALS = 8.0
"""Fewest waiting meals for either level: two meals and one driver at night are chance rather than a shortage."""
USUAL_FACTOR = 1.5
"""Factor over the usual pressure that counts as tight where drivers are always few (short ways, slow pick-ups)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a business promises: `delivery` seconds from created to delivered, `completion` a share, `amber` and `red` seconds in
    a stage by its key; a stage that is not named has no limit.
    """

    delivery: float = DELIVERY_TARGET_S
    completion: float = COMPLETION_TARGET
    amber: Mapping[str, float] = field(default_factory=lambda: STAGE_AMBER)
    red: Mapping[str, float] = field(default_factory=lambda: STAGE_RED)

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits that are configured."""
        return cls(settings.delivery_target_s, settings.completion_target, settings.stage_amber_s, settings.stage_red_s)


def level(seconds: ArrayLike | None, amber: float | None, red: float | None, usual: ArrayLike | None = None) -> Levels:
    """Return FINE, AMBER above the amber limit or RED above the red one; a limit of None is never exceeded.

    With `usual`, the usual time in seconds, limits that are exceeded on ordinary days are raised (`RAISED`).

    >>> [int(level(seconds, 60, 120)) for seconds in (None, 60, 61, 121)], int(level(999, None, None))
    ([0, 0, 1, 2], 0)
    >>> [int(level(seconds, 60, 120, usual=100)) for seconds in (121, 126, 151)]
    [0, 1, 2]
    """
    time, normal = _floats(seconds), _floats(usual)
    over_amber, over_red = time > raised(amber, AMBER, normal), time > raised(red, RED, normal)
    return np.where(over_red, RED, np.where(over_amber, AMBER, FINE)).astype(np.uint8)


def judged(levels: Levels, number: ArrayLike) -> Levels:
    """Return the levels of averages, FINE where they are of too few orders."""
    return np.where(np.asarray(number) >= LEAST_ORDERS, levels, FINE).astype(np.uint8)


def stage_limits(ends: Sequence[bool], stage: int, limits: Limits) -> tuple[float | None, float | None]:
    """Return the amber and the red limit (seconds) of a stage; None for none. `ends`: of which stages the data tells the end.

    Where it does not, orders stay in a stage beyond its end, and its limits do not apply.
    """
    if not ends[stage]:
        return None, None
    return limits.amber.get(STAGES[stage]), limits.red.get(STAGES[stage])


def raised(limit: float | None, level: int, usual: Floats) -> Floats:
    """Return the AMBER or RED `limit` (seconds; inf for none) raised where ordinary days exceed it, for `usual` times (n,)."""
    return np.fmax(np.inf if limit is None else limit, RAISED[level - AMBER] * usual)  # fmax: the limit where NaN


def age_level(over_amber: ArrayLike, over_red: ArrayLike, number: ArrayLike) -> Levels:
    """Return the level of a stage with `number` orders, by how many of them are older than its limits.

    Half of them decide: a mean would let one forgotten order colour its stage for hours.

    >>> [int(age_level(over, 0, 8)) for over in (1, 3, 4)], int(age_level(8, 4, 8)), int(age_level(2, 2, 2))
    ([0, 0, 1], 2, 0)
    """
    half = np.asarray(number) / 2
    over = np.where(np.asarray(over_red) >= half, RED, np.where(np.asarray(over_amber) >= half, AMBER, FINE))
    return judged(over.astype(np.uint8), number)


def service_level(
    service: ArrayLike | None,
    usual: ArrayLike | None,
    served: ArrayLike,
    amber: float | None,
    red: float | None,
    *,
    unusual: bool = False,
) -> Levels:
    """Return the level of a stage's average time (seconds) of the `served` orders that left it; RED, too, well over the usual.

    `unusual`: with limits raised where ordinary days exceed them.
    """
    time, normal = _floats(service), _floats(usual)
    well_over = (time >= WELL_OVER * normal) & (time - normal >= LEAST_OVER)  # false for NaN
    plain = level(time, amber, red, normal if unusual else None)
    return judged(np.where(well_over, RED, plain).astype(np.uint8), served)


def late_level(late: ArrayLike, number: ArrayLike, usual: ArrayLike | None = None) -> Levels:
    """Return the level of `late` deliveries among `number`; `usual` is the share that is usually late, and raises the limits.

    >>> [int(late_level(late, 20)) for late in (4, 5, 10)], [int(late_level(late, 20, usual=0.4)) for late in (10, 11, 14)]
    ([0, 1, 2], [0, 1, 2])
    """
    late, number, normal = np.asarray(late), np.asarray(number), np.nan_to_num(_floats(usual))
    more = (late > normal * number) | (normal == 0)  # where all are late on ordinary days, all are nothing new
    many, half = (more & (late >= (normal + share * (1 - normal)) * number) for share in (MANY_LATE, HALF_LATE))
    return judged(np.where(half, RED, np.where(many, AMBER, FINE)).astype(np.uint8), number)


def late_trend(late: int, number: int, before: float | None) -> str:
    """Return "worse", "better" or "steady" of a late share against the one `before`; "" where either is of too few orders.

    >>> late_trend(20, 40, 0.4), late_trend(20, 40, 0.48), late_trend(20, 40, 0.6), late_trend(2, 2, 0.4)
    ('worse', 'steady', 'better', '')
    """
    if before is None or number < LEAST_ORDERS:
        return ""
    change = late / number - before
    return "steady" if abs(change) < CHANGED else "worse" if change > 0 else "better"


def completion_level(share: float | None, goal: float) -> int:
    """Return AMBER below the goal. Never RED: it is of a day, and says little of this moment."""
    return AMBER if share is not None and share < goal else FINE


def pressure_level(waiting: ArrayLike, on_road: ArrayLike, usual: ArrayLike | None = None) -> Levels:
    """Return the level of `waiting` meals for the drivers `on_road`; `usual` is the usual number of meals per driver.

    Less than one driver counts as one.
    """
    pressure = np.asarray(waiting) / np.maximum(on_road, 1.0)
    pressure = pressure / np.fmax(USUAL_FACTOR * _floats(usual) / TIGHT_PRESSURE, 1.0)  # fmax: 1 where NaN
    over = np.where(pressure >= SHORT_PRESSURE, RED, np.where(pressure >= TIGHT_PRESSURE, AMBER, FINE))
    return np.where(np.asarray(waiting) >= FEWEST_MEALS, over, FINE).astype(np.uint8)


def _floats(values: ArrayLike | None) -> Floats:
    return np.asarray(np.nan if values is None else values, np.float64)
