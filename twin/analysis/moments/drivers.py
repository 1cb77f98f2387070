"""Troubles of the drivers: meals wait for them, some come late, or the drive itself takes longer than usual."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments import runs
from twin.analysis.moments.evidence import Scene, spells
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import busiest, count, delivery_figures, minutes, severity
from twin.analysis.moments.slowness import LEAST_AFFECTED, LEAST_MINUTES, Slow, slow
from twin.timeline import events as ev

Rows = NDArray[np.intp]

MOST_MEALS = 0.6
"""Share of the meals of a run that must wait long for it to be a shortage; fewer: some drivers are late."""
MOST_LATE = 0.5
"""Share of the waiting meals whose driver came late from which on it is the drivers that were missing."""
LEAST_LATE_USUAL, LEAST_LATE, MOST_LATE_TESTED = 0.02, 0.3, 0.9
"""A share of late drivers below 2 % is not believed; suspicious is three times the usual share, 30 % at least."""


def troubles(scene: Scene) -> list[tuple[Moment, Rows]]:
    """Return the drivers' moments, each with the orders that it met."""
    waits = [(_waiting(scene, run), run.rows) for run in slow(scene, "wait")]
    explained = np.concatenate([rows for _, rows in waits]) if waits else np.empty(0, np.intp)
    drives = [(_driving(scene, run), run.rows) for run in slow(scene, "drive")]
    return waits + _late(scene, explained) + drives


def _waiting(scene: Scene, run: Slow) -> Moment:
    arrived = scene.orders.milestones[ev.DRIVER_ARRIVED][run.affected]
    ready = spells(scene.orders, "wait").start[run.affected]
    known = np.isfinite(arrived)
    late = float(np.mean(arrived[known] - ready[known] > scene.late_after)) if known.any() else 0.0
    took, usually, meals = minutes(run.took), minutes(run.usually), count(len(run.affected), "meal")
    if late >= MOST_LATE and len(run.affected) >= MOST_MEALS * len(run.rows):
        kind, title, said = "driver_shortage", "Drivers are short", f"{meals} waited {took} min for drivers"
    elif late >= MOST_LATE:
        kind, title, said = "drivers_late", "Drivers come late", f"{meals} waited {took} min for late drivers"
    else:
        kind, title, said = "food_waiting", "Food is waiting", f"{meals} waited {took} min for pick-up"
    words, figures = delivery_figures(scene, run.affected)
    return Moment(
        kind=kind,
        start=run.start,
        end=run.end,
        at=busiest(scene, "wait", run.rows, run.start, run.end),
        severity=severity(scene, run.excess),
        title=title,
        sentence=f"{said} against {usually} min usually{words}",
        figures={
            "orders": float(len(run.affected)),
            "minutes": run.took / 60,
            "usual_minutes": run.usually / 60,
            "late_share": late,
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage="ready",
    )


def _driving(scene: Scene, run: Slow) -> Moment:
    words, figures = delivery_figures(scene, run.affected)
    took, usually = minutes(run.took), minutes(run.usually)
    return Moment(
        kind="slow_delivery",
        start=run.start,
        end=run.end,
        at=busiest(scene, "drive", run.rows, run.start, run.end),
        severity=severity(scene, run.excess),
        title="Drives take long",
        sentence=f"{count(len(run.affected), 'drive')} took {took} min against {usually} min usually{words}",
        figures={
            "orders": float(len(run.affected)),
            "minutes": run.took / 60,
            "usual_minutes": run.usually / 60,
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage="out_for_delivery",
    )


def _late(scene: Scene, explained: Rows) -> list[tuple[Moment, Rows]]:
    """Return the runs in which more drivers than usual come late, although the meals' mean wait tells nothing yet."""
    mine, theirs = _gap(scene.orders.milestones), _gap(scene.history.milestones)
    ready = scene.orders.milestones[ev.GK_READY]
    known = np.isfinite(mine) & (ready >= scene.since) & (ready < scene.end)
    known[explained] = False
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(ready[rows], kind="stable")]
    usual_gaps = theirs[np.isfinite(theirs)]
    if not len(rows) or not len(usual_gaps):
        return []
    share = max(float(np.mean(usual_gaps > scene.late_after)), LEAST_LATE_USUAL)
    tested = min(max(3 * share, LEAST_LATE), MOST_LATE_TESTED)
    if tested <= share:
        return []
    # Wald's likelihood ratio of a late and a punctual driver: its exponent is 1 by construction
    late = mine[rows] > scene.late_after
    score = np.where(late, math.log(tested / share), math.log((1 - tested) / (1 - share)))
    found = []
    for first, last in runs.runs(score, math.log(len(rows) / runs.CHANCE)):
        inside, ones = rows[first : last + 1], rows[first : last + 1][late[first : last + 1]]
        start, end = float(ready[rows[first]]), float(ready[rows[last]])
        if len(ones) < LEAST_AFFECTED or end - start < LEAST_MINUTES * 60:
            continue
        lost = float(np.sum(mine[ones] - scene.late_after))
        words, figures = delivery_figures(scene, ones)
        most = len(ones) >= MOST_MEALS * len(inside)
        moment = Moment(
            kind="driver_shortage" if most else "drivers_late",
            start=start,
            end=end,
            at=busiest(scene, "wait", ones, start, end),
            severity=severity(scene, lost),
            title="Drivers are short" if most else "Drivers come late",
            sentence=f"{len(ones)} of {count(len(inside), 'driver')} came more than {minutes(scene.late_after)} min after "
            f"the food was ready against {share:.0%} usually{words}",
            figures={
                "orders": float(len(ones)),
                "late_share": len(ones) / len(inside),
                "usual_late_share": share,
                "lost_minutes": lost / 60,
                **figures,
            },
            stage="ready",
        )
        found.append((moment, inside))
    return found


def _gap(milestones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds from food ready to driver arrived, negative where the driver was first."""
    return milestones[ev.DRIVER_ARRIVED] - milestones[ev.GK_READY]
