"""Moments of the drivers: meals wait for them, some arrive late, or the drive itself takes longer than usual."""

import math
from dataclasses import dataclass

import numpy as np

from twin.analysis.moments import runs
from twin.analysis.moments.evidence import Evidence, Floats
from twin.analysis.moments.moment import Finding, Moment, Rows
from twin.analysis.moments.phrases import (
    busiest,
    count,
    delivery_figures,
    minutes,
    severity,
    still_going_on,
    told_times,
)
from twin.analysis.moments.slowness import LEAST_AFFECTED, LEAST_MINUTES, SlowRun, slow_runs, uneven_runs
from twin.foundation import event_types as ev

SHORTAGE_SHARE = 0.6
"""Share of a run's meals that must wait long for it to be a shortage; below it, some drivers are late."""
LATE_SHARE = 0.5
"""Share of the waiting meals with a late driver from which the drivers are the cause of the wait."""
LEAST_LATE_USUAL, LEAST_LATE, MOST_LATE_TESTED = 0.02, 0.3, 0.9
"""A usual share of late drivers below 2 % is taken as 2 %. A run is tested against three times the usual share, at least 30 %
and at most 90 %."""


COLD_SHARE = 0.25
"""Share of a moment's meals that were cold from which its sentence says so."""


def waits(evidence: Evidence) -> list[Finding]:
    """Return the moments in which meals wait longer than usual, each with the orders that it affected."""
    return [(_waiting(evidence, run), run.rows) for run in slow_runs(evidence, "wait")]


def drives(evidence: Evidence) -> list[Finding]:
    """Return the moments in which drives take longer than usual, each with the orders that it affected."""
    return [(_driving(evidence, run), run.rows) for run in slow_runs(evidence, "drive")]


def uneven_drives(evidence: Evidence) -> list[Finding]:
    """Return the moments in which some drives take much longer than usual and the others do not, as where one zone is slow."""
    return [(_driving(evidence, run), run.rows) for run in uneven_runs(evidence, "drive")]


def late_drivers(evidence: Evidence, explained: Rows) -> list[Finding]:
    """Return moments in which more drivers than usual are late although the mean wait of the meals is not unusual yet.

    Orders in `explained` are excluded: their wait is a moment already.
    """
    return [(_late_moment(evidence, run), run.rows) for run in _late_runs(evidence, explained)]


def _waiting(evidence: Evidence, run: SlowRun) -> Moment:
    arrived = _arrived(evidence)[run.affected]
    ready = evidence.phase("wait").start[run.affected]
    measured = np.isfinite(arrived)
    late = float(np.mean(arrived[measured] - ready[measured] > evidence.late_after)) if measured.any() else 0.0
    at = busiest(evidence, "wait", run.rows, run.start, run.end)
    told, usual = told_times(evidence, run, at)
    took, usually, meals = minutes(told), minutes(usual), count(len(run.affected), "meal")
    if late >= LATE_SHARE and len(run.affected) >= SHORTAGE_SHARE * len(run.rows):
        kind, title, sentence = "driver_shortage", "Drivers are short", f"{meals} waited {took} min for drivers"
    elif late >= LATE_SHARE:
        kind, title, sentence = "drivers_late", "Drivers come late", f"{meals} waited {took} min for late drivers"
    else:
        kind, title, sentence = "food_waiting", "Food is waiting", f"{meals} waited {took} min for pick-up"
    delivery, figures = delivery_figures(evidence, run.affected, at)
    cold = _cold(evidence, run.affected)
    cold_text = f" ({cold} were cold)" if cold >= COLD_SHARE * len(run.affected) else ""
    return Moment(
        kind=kind,
        start=run.start,
        end=run.end,
        at=at,
        severity=severity(evidence, run.excess),
        title=title,
        sentence=f"{sentence} against {usually} min usually{still_going_on(evidence, run)}{cold_text}{delivery}",
        figures={
            "orders": float(len(run.affected)),
            "minutes": told / 60,
            "usual_minutes": usual / 60,
            "late_share": late,
            "cold": float(cold),
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage="ready",
    )


def _driving(evidence: Evidence, run: SlowRun) -> Moment:
    at = busiest(evidence, "drive", run.rows, run.start, run.end)
    delivery, figures = delivery_figures(evidence, run.affected, at)
    told, usual = told_times(evidence, run, at)
    took, usually = minutes(told), minutes(usual)
    drives_text = f"{len(run.affected)} of {count(run.of, 'drive')}" if run.of else count(len(run.affected), "drive")
    return Moment(
        kind="slow_delivery",
        start=run.start,
        end=run.end,
        at=at,
        severity=severity(evidence, run.excess),
        title="Some drives take long" if run.of else "Drives take long",
        sentence=f"{drives_text} took {took} min against {usually} min usually{still_going_on(evidence, run)}{delivery}",
        figures={
            "orders": float(len(run.affected)),
            "minutes": told / 60,
            "usual_minutes": usual / 60,
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage="out_for_delivery",
    )


@dataclass(frozen=True)
class _LateRun:
    """A run of orders with many late drivers.

    start, end: data seconds; rows: all its orders; late: those with a late driver; usual_share: usual share of late drivers;
    lost: seconds beyond the tolerance, summed over the late drivers.
    """

    start: float
    end: float
    rows: Rows
    late: Rows
    usual_share: float
    lost: float


def _late_runs(evidence: Evidence, explained: Rows) -> list[_LateRun]:
    ready = evidence.orders.milestones[ev.GK_READY]
    delay = _arrived(evidence) - ready
    usual_delay = evidence.history.milestones[ev.DRIVER_ARRIVED] - evidence.history.milestones[ev.GK_READY]
    usable = np.isfinite(delay) & (ready >= evidence.since) & (ready < evidence.end)
    usable[explained] = False
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(ready[rows], kind="stable")]
    usual_delay = usual_delay[np.isfinite(usual_delay)]
    if not len(rows) or not len(usual_delay):
        return []
    usual_share = max(float(np.mean(usual_delay > evidence.late_after)), LEAST_LATE_USUAL)
    tested = min(max(3 * usual_share, LEAST_LATE), MOST_LATE_TESTED)
    if tested <= usual_share:
        return []
    # Wald's likelihood ratio of a late and a punctual driver: its exponent is 1 by construction
    late = delay[rows] > evidence.late_after
    score = np.where(late, math.log(tested / usual_share), math.log((1 - tested) / (1 - usual_share)))
    found = []
    for first, last in runs.runs(score, math.log(len(rows) / runs.CHANCE)):
        inside = rows[first : last + 1]
        late_rows = inside[late[first : last + 1]]
        start, end = float(ready[rows[first]]), float(ready[rows[last]])
        if len(late_rows) >= LEAST_AFFECTED and end - start >= LEAST_MINUTES * 60:
            lost = float(np.sum(delay[late_rows] - evidence.late_after))
            found.append(_LateRun(start, end, inside, late_rows, usual_share, lost))
    return found


def _late_moment(evidence: Evidence, run: _LateRun) -> Moment:
    at = busiest(evidence, "wait", run.late, run.start, run.end)
    delivery, figures = delivery_figures(evidence, run.late, at)
    shortage = len(run.late) >= SHORTAGE_SHARE * len(run.rows)
    return Moment(
        kind="driver_shortage" if shortage else "drivers_late",
        start=run.start,
        end=run.end,
        at=at,
        severity=severity(evidence, run.lost),
        title="Drivers are short" if shortage else "Drivers come late",
        sentence=f"{len(run.late)} of {count(len(run.rows), 'driver')} came more than {minutes(evidence.late_after)} min "
        f"after the food was ready against {run.usual_share:.0%} usually{delivery}",
        figures={
            "orders": float(len(run.late)),
            "late_share": len(run.late) / len(run.rows),
            "usual_late_share": run.usual_share,
            "lost_minutes": run.lost / 60,
            **figures,
        },
        stage="ready",
    )


def _cold(evidence: Evidence, rows: Rows) -> int:
    """Return how many meals of the orders `rows` stood longer than the limit, until pick-up or so far (`twin.analysis.shelf`)."""
    made = np.fmin(evidence.orders.milestones[ev.GK_FINISHED], evidence.orders.milestones[ev.GK_READY])
    return int(np.count_nonzero(evidence.phase("wait").end[rows] - made[rows] > evidence.cold_after))


def _arrived(evidence: Evidence) -> Floats:
    """Return (n,) when the drivers arrived; one who is late already and not there yet arrives now at the earliest."""
    arrived = evidence.orders.milestones[ev.DRIVER_ARRIVED]
    if evidence.now is None or not evidence.remembered("arrivals", lambda: _records_arrivals(evidence)):
        return arrived
    wait = evidence.phase("wait")
    with np.errstate(invalid="ignore"):
        due = np.isnan(arrived) & (wait.end == evidence.now) & (evidence.now - wait.start > evidence.late_after)
    return np.where(due, evidence.now, arrived)


def _records_arrivals(evidence: Evidence) -> bool:
    return bool(np.isfinite(evidence.history.milestones[ev.DRIVER_ARRIVED]).any())
