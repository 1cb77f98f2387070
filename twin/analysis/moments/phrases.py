"""Shared by the detectors: severity, delivery times, and the phrases for minutes and orders."""

import math

import numpy as np

from twin.analysis.moments.evidence import Evidence, phase_of
from twin.analysis.moments.moment import Rows
from twin.analysis.moments.slowness import SlowRun
from twin.foundation.stages import READY, STALLED_AFTER

WORST_SHARE = 0.5
"""Time lost, as a share of all delivery time of a usual hour, at which severity reaches about two thirds of its span."""
UNCHANGED = 0.05
"""Relative difference from the usual delivery time below which the sentence says "as usual"."""
TROUBLE_FROM, TROUBLE_SPAN = 0.35, 0.6
"""Troubles have a severity of 0.35 to 0.95, so that a peak (below 0.3) never ranks above one."""


def severity(evidence: Evidence, lost: float) -> float:
    """Return the severity of a trouble that cost customers `lost` seconds in total, relative to the size of the kitchen."""
    share = lost / (evidence.usual_delivery * evidence.pace)
    return TROUBLE_FROM + TROUBLE_SPAN * (1 - math.exp(-share / WORST_SHARE))


STAGE_OF = {"queue": "created", "cook": "cooking", "wait": "ready", "drive": "out_for_delivery"}
"""Phase -> the stage of the pipeline that is as long. A meal waits from the moment it is cooked, as there."""


def told_times(evidence: Evidence, run: SlowRun, at: float) -> tuple[float, float]:
    """Return how long the affected orders of a run took, and what is usual, seconds, as the pipeline has them.

    So a sentence and the stage beside it speak of one wait with one usual: that of the hour of `at` (the kitchen's clock), when
    the run is worst; of what is known at a time, that of the hour of that time. Where the page shows none, the detector's own.
    """
    stage = STAGE_OF.get(run.phase)
    at = at if evidence.now is None else evidence.now
    usually = evidence.shown_usual(stage, at) if stage else None
    if usually is None:
        return run.took, run.usually
    if run.phase != "wait":
        return run.took, usually
    since = evidence.orders.enter[READY, run.affected]
    length = evidence.phase("wait").end[run.affected] - since
    valid = (length >= 0) & (length <= STALLED_AFTER)
    return (float(length[valid].mean()) if valid.any() else run.took), usually


_STILL = {
    "queue": "not started yet",
    "cook": "still cooking",
    "pack": "still being packed",
    "wait": "still waiting",
    "drive": "still on the road",
}


def still_going_on(evidence: Evidence, run: SlowRun) -> str:
    """Return ", 12 of them still waiting" of the affected orders whose time so far is in the mean; empty with hindsight.

    The pipeline's average is of orders that have moved on; without these words the two would seem to contradict each other.
    """
    if evidence.now is None:
        return ""
    going_on = int(np.count_nonzero(np.isnan(phase_of(evidence.orders, run.phase).end[run.affected])))
    if not going_on:
        return ""
    if len(run.affected) == 1:
        return f", {_STILL[run.phase]}"
    return f", {'all' if going_on == len(run.affected) else going_on} of them {_STILL[run.phase]}"


def deliveries(evidence: Evidence, rows: Rows, at: float) -> tuple[float, float] | None:
    """Return mean delivery time of orders `rows` and the usual one, seconds, as the page has it at `at`; None without data."""
    total = phase_of(evidence.orders, "total")
    length = total.length[rows]
    rows, length = rows[np.isfinite(length)], length[np.isfinite(length)]
    if not len(rows):
        return None
    usually = evidence.shown_usual_delivery(at if evidence.now is None else evidence.now)
    if usually is None:
        centre, _ = evidence.usual("total").at(total.start[rows])
        usually = float(np.nanmean(centre)) if np.isfinite(centre).any() else None
    return None if usually is None else (float(length.mean()), usually)


def delivery_figures(evidence: Evidence, rows: Rows, at: float) -> tuple[str, dict[str, float]]:
    """Return ", their delivery time 41 min against 27 min usually" (or "… as usual") and its figures; empty without data.

    Of what was known at a time it says of how many that is, if not all of the orders `rows` had been delivered.
    """
    times = deliveries(evidence, rows, at)
    if times is None:
        return "", {}
    took, usually = times
    delivered = int(np.count_nonzero(np.isfinite(phase_of(evidence.orders, "total").length[rows])))
    whose = "their delivery time"
    if evidence.now is not None and delivered < len(rows):
        whose = f"the {delivered} delivered took" if delivered > 1 else "the one delivered took"
    phrase = f", {whose} {minutes(took)} min against {minutes(usually)} min usually"
    if abs(took - usually) < UNCHANGED * usually:
        phrase = f", {whose} {minutes(took)} min as usual"
    return phrase, {"delivery_minutes": took / 60, "usual_delivery_minutes": usually / 60}


def minutes(seconds: float) -> int:
    """Return whole minutes, halves rounded up."""
    return math.floor(seconds / 60 + 0.5)


def stretch(start: float, end: float) -> int:
    """Return the whole minutes from one time (data seconds) to another as clocks show them: 30 from 18:10:50 to 18:40:10."""
    return int(end // 60) - int(start // 60)


def count(number: int, noun: str) -> str:
    """Return "1 meal", "14 meals"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def busiest(evidence: Evidence, phase: str, rows: Rows, start: float, end: float) -> float:
    """Return when, in [start, end], most of the orders `rows` were in a phase at once: the worst time of a moment."""
    times_in_phase = evidence.phase(phase)
    begin, finish = np.sort(times_in_phase.start[rows]), np.sort(times_in_phase.end[rows])
    times = np.append(begin[(begin >= start) & (begin <= end)], end)
    inside = begin.searchsorted(times, "right") - finish.searchsorted(times, "right")
    return float(times[int(np.argmax(inside))])
