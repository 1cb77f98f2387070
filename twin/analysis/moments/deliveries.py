"""Deliveries that take long for no cause that the other detectors named."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.moments.evidence import Scene
from twin.analysis.moments.moment import Moment
from twin.analysis.moments.phrases import busiest, count, minutes, severity
from twin.analysis.moments.slowness import slow


def troubles(scene: Scene, explained: NDArray[np.intp]) -> list[tuple[Moment, NDArray[np.intp]]]:
    """Return the runs of slow deliveries among the orders that no other trouble explains."""
    return [
        (
            Moment(
                kind="unusual_deliveries",
                start=run.start,
                end=run.end,
                at=busiest(scene, "total", run.rows, run.start, run.end),
                severity=severity(scene, run.excess),
                title="Deliveries take long",
                sentence=f"{count(len(run.affected), 'order')} took {minutes(run.took)} min to the customer against "
                f"{minutes(run.usually)} usually",
                figures={
                    "orders": float(len(run.affected)),
                    "delivery_minutes": run.took / 60,
                    "usual_delivery_minutes": run.usually / 60,
                    "lost_minutes": run.excess / 60,
                },
            ),
            run.rows,
        )
        for run in slow(scene, "total", without=explained)
    ]
