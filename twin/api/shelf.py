"""The shelf clock's figures for an answer."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.shelf import ShelfClock
from twin.analysis.wording import in_minutes
from twin.api import models


def shelf_of(clock: ShelfClock, among: NDArray[np.bool_], t: float = np.inf) -> models.ShelfFigures | None:
    """Return how long the meals of the orders `among` (n,) had stood by t; None where the data knows no ready event."""
    if not clock.recorded:
        return None
    shelf = clock.shelf(among, t)
    return models.ShelfFigures(
        meals=shelf.meals,
        cold=shelf.cold,
        cold_pct=None if shelf.cold_share is None else 100 * shelf.cold_share,
        cold_after_min=clock.cold_after / 60,
        median_min=in_minutes(shelf.median),
        p95_min=in_minutes(shelf.p95),
    )
