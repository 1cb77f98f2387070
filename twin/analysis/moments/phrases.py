"""What moments of slow orders share: how bad it was, what the deliveries took, and how minutes and orders are said."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.evidence import Scene, spells

WORST_SHARE = 0.5
"""Work lost, as a share of all delivery minutes of a usual hour, at which severity has made two thirds of its way up."""
UNCHANGED = 0.05
"""A delivery time within 5 % of the usual is said to be as usual."""
TROUBLE_FROM, TROUBLE_SPAN = 0.35, 0.6
"""Troubles rank from 0.35 to 0.95, so that a peak (below 0.3) never stands above one."""


def severity(scene: Scene, lost: float) -> float:
    """Return the rank of a trouble that cost `lost` seconds of the customers' time in all, at this kitchen's size."""
    share = lost / (scene.usual_delivery * scene.pace)
    return TROUBLE_FROM + TROUBLE_SPAN * (1 - math.exp(-share / WORST_SHARE))


def deliveries(scene: Scene, rows: NDArray[np.intp]) -> tuple[float, float] | None:
    """Return mean delivery time of orders `rows` and what is usual at their hours, seconds; None where unknown."""
    mine = spells(scene.orders, "total")
    length = mine.length[rows]
    rows, length = rows[np.isfinite(length)], length[np.isfinite(length)]
    if not len(rows):
        return None
    centre, _ = scene.usual("total").at(mine.start[rows])
    if not np.isfinite(centre).any():
        return None
    return float(length.mean()), float(np.nanmean(centre))


def delivery_figures(scene: Scene, rows: NDArray[np.intp]) -> tuple[str, dict[str, float]]:
    """Return ", their delivery time 41 min against 27 min usually" (or "… as usual") and its figures; nothing where unknown."""
    told = deliveries(scene, rows)
    if told is None:
        return "", {}
    took, usually = minutes(told[0]), minutes(told[1])
    words = f", their delivery time {took} min against {usually} min usually"
    if abs(told[0] - told[1]) < UNCHANGED * told[1]:
        words = f", their delivery time {took} min as usual"
    return words, {"delivery_minutes": told[0] / 60, "usual_delivery_minutes": told[1] / 60}


def minutes(seconds: float) -> int:
    """Whole minutes, half up."""
    return math.floor(seconds / 60 + 0.5)


def count(number: int, noun: str) -> str:
    """Return "1 meal", "14 meals"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def busiest(scene: Scene, part: str, rows: NDArray[np.intp], start: float, end: float) -> float:
    """Return when, in [start, end], most of the orders `rows` were in `part` at once: where a moment is worst."""
    spell = spells(scene.orders, part)
    begin, finish = np.sort(spell.start[rows]), np.sort(spell.end[rows])
    times = np.append(begin[(begin >= start) & (begin <= end)], end)
    inside = begin.searchsorted(times, "right") - finish.searchsorted(times, "right")
    return float(times[int(np.argmax(inside))])
