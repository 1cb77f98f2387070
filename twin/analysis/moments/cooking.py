"""Troubles of the kitchen: it stands still, or it takes longer than usual to begin, to cook or to pack."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.evidence import Scene, spells
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import busiest, count, delivery_figures, minutes, severity
from twin.analysis.moments.slowness import Slow, slow
from twin.timeline import events as ev

LEAST_STILL = 10 * 60.0
"""Seconds without a start that make an outage, if enough orders waited meanwhile."""
LEAST_HELD = 4
"""Orders that should have been started meanwhile."""

_TITLES = {
    "queue": (
        "Orders wait to be started",
        "created",
        "Cooking began {took} min after the order against {usually} min usually",
    ),
    "cook": ("The kitchen is slow", "cooking", "Cooking took {took} min against {usually} min usually"),
    "pack": ("Packing is slow", "ready", "Packing took {took} min against {usually} min usually"),
}


def troubles(scene: Scene) -> list[tuple[Moment, NDArray[np.intp]]]:
    """Return the kitchen's moments, each with the orders that it met."""
    found = []
    for part in ("queue", "cook", "pack"):
        for run in slow(scene, part):
            still = _standstill(scene, run) if part == "queue" else None
            found.append((_outage(scene, run, *still), run.rows) if still else (_slow(scene, run), run.rows))
    return found


def _standstill(scene: Scene, run: Slow) -> tuple[float, float] | None:
    """Return the longest time without a start around a run of long queues, None if it is no standstill."""
    started = np.sort(scene.orders.milestones[ev.GK_STARTED])
    started = started[np.isfinite(started)]
    due = np.sort(spells(scene.orders, "queue").start[run.affected]) + run.usually
    first = max(0, int(started.searchsorted(run.start)) - 1)
    last = int(started.searchsorted(due[-1], "right"))
    around = started[first : last + 1]
    if len(around) < 2:
        return None
    gap = int(np.argmax(np.diff(around)))
    start, end = float(around[gap]), float(around[gap + 1])
    held = np.count_nonzero((due > start) & (due < end))
    return (start, end) if end - start >= LEAST_STILL and held >= LEAST_HELD else None


def _outage(scene: Scene, run: Slow, start: float, end: float) -> Moment:
    words, figures = delivery_figures(scene, run.affected)
    held = len(run.affected)
    return Moment(
        kind="outage",
        start=start,
        end=end,
        at=busiest(scene, "queue", run.rows, start, end),
        severity=severity(scene, run.excess),
        title="The kitchen stands still",
        sentence=f"Nothing was started for {minutes(end - start)} min while {count(held, 'order')} waited{words}",
        figures={"orders": float(held), "minutes": (end - start) / 60, "lost_minutes": run.excess / 60, **figures},
        stage="created",
    )


def _slow(scene: Scene, run: Slow) -> Moment:
    title, stage, sentence = _TITLES[run.part]
    words, figures = delivery_figures(scene, run.rows)
    said = sentence.format(took=minutes(run.took), usually=minutes(run.usually))
    return Moment(
        kind="slow_kitchen",
        start=run.start,
        end=run.end,
        at=busiest(scene, run.part, run.rows, run.start, run.end),
        severity=severity(scene, run.excess),
        title=title,
        sentence=f"{said} for {count(len(run.affected), 'order')}{words}",
        figures={
            "orders": float(len(run.affected)),
            "minutes": run.took / 60,
            "usual_minutes": run.usually / 60,
            "lost_minutes": run.excess / 60,
            **figures,
        },
        stage=stage,
    )
