"""Moments of the kitchen: it stands still, or it takes longer than usual to start, to cook or to pack."""

import numpy as np

from twin.analysis.moments.evidence import Evidence
from twin.analysis.moments.moment import Finding, Moment
from twin.analysis.moments.phrases import (
    busiest,
    count,
    delivery_figures,
    minutes,
    severity,
    still_going_on,
    stretch,
    told_times,
)
from twin.analysis.moments.slowness import SlowRun, slow_runs, uneven_runs
from twin.foundation import event_types as ev

LEAST_STANDSTILL = 10 * 60.0
"""Seconds without a started order from which on it is an outage, if enough orders were due."""
LEAST_DUE = 4
"""Orders that should have been started during a standstill, at least."""

_SLOW = {
    "queue": (
        "Orders wait to be started",
        "created",
        "Cooking began {took} min after the order against {usually} min usually",
    ),
    "cook": ("The kitchen is slow", "cooking", "Cooking took {took} min against {usually} min usually"),
    "pack": ("Packing is slow", "ready", "Packing took {took} min against {usually} min usually"),
}


def troubles(evidence: Evidence) -> list[Finding]:
    """Return the moments of the kitchen, each with the orders that it affected."""
    found = []
    for phase in ("queue", "cook", "pack"):
        for run in slow_runs(evidence, phase):
            standstill = _standstill(evidence, run) if phase == "queue" else None
            moment = _outage(evidence, run, *standstill) if standstill else _slow(evidence, run)
            found.append((moment, run.rows))
    return found


def uneven(evidence: Evidence) -> list[Finding]:
    """Return the moments in which some meals cook much longer than usual and the others do not, as where one brand is slow."""
    return [(_slow(evidence, run), run.rows) for run in uneven_runs(evidence, "cook")]


def _standstill(evidence: Evidence, run: SlowRun) -> tuple[float, float] | None:
    """Return start and end of the longest time without a started order around a run of long queues, None if it is too short."""
    started = np.sort(evidence.orders.milestones[ev.GK_STARTED])
    started = started[np.isfinite(started)]
    if evidence.now is not None:
        started = np.append(started, evidence.now)  # until now nothing more was started
    due = np.sort(evidence.phase("queue").start[run.affected]) + run.usually
    first = max(0, int(started.searchsorted(run.start)) - 1)
    last = int(started.searchsorted(due[-1], "right"))
    around = started[first : last + 1]
    if len(around) < 2:
        return None
    gap = int(np.argmax(np.diff(around)))
    start, end = float(around[gap]), float(around[gap + 1])
    due_meanwhile = np.count_nonzero((due > start) & (due < end))
    return (start, end) if end - start >= LEAST_STANDSTILL and due_meanwhile >= LEAST_DUE else None


def _outage(evidence: Evidence, run: SlowRun, start: float, end: float) -> Moment:
    at = busiest(evidence, "queue", run.rows, start, end)
    delivery, figures = delivery_figures(evidence, run.affected, at)
    waited = len(run.affected)
    return Moment(
        kind="outage",
        start=start,
        end=end,
        at=at,
        severity=severity(evidence, run.excess),
        title="The kitchen stands still",
        sentence=f"Nothing was started for {stretch(start, end)} min while {count(waited, 'order')} waited unusually long"
        + delivery,
        figures={"orders": float(waited), "minutes": (end - start) / 60, "lost_minutes": run.excess / 60, **figures},
        stage="created",
    )


def _slow(evidence: Evidence, run: SlowRun) -> Moment:
    title, stage, sentence = _SLOW[run.phase]
    at = busiest(evidence, run.phase, run.rows, run.start, run.end)
    delivery, figures = delivery_figures(evidence, run.affected, at)
    told, usual = told_times(evidence, run, at)
    comparison = sentence.format(took=minutes(told), usually=minutes(usual))
    still = still_going_on(evidence, run)
    sentence = f"{comparison} for {count(len(run.affected), 'order')}{still}{delivery}"
    if run.of:
        title = "Some meals cook long"
        sentence = (
            f"{len(run.affected)} of {count(run.of, 'meal')} cooked {minutes(told)} min against {minutes(usual)} min "
            f"usually{still}{delivery}"
        )
    return Moment(
        kind="slow_kitchen",
        start=run.start,
        end=run.end,
        at=at,
        severity=severity(evidence, run.excess),
        title=title,
        sentence=sentence,
        figures={
            "orders": float(len(run.affected)),
            "minutes": told / 60,
            "usual_minutes": usual / 60,
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage=stage,
    )
