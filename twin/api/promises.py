"""Whether promises were fair, for an answer."""

import numpy as np
from numpy.typing import NDArray

from twin.analysis.promise import PromiseBook
from twin.api import models


def promises_of(book: PromiseBook, among: NDArray[np.bool_]) -> list[models.PromiseFigures]:
    """Return the figures of each kind of promise that the delivered orders `among` (n,) had been made."""
    return [
        models.PromiseFigures(
            kind=one.kind,
            orders=one.orders,
            promised_min=one.promised / one.orders / 60,
            took_min=one.took / one.orders / 60,
            kept_pct=100 * one.kept / one.orders,
            judged=one.judged,
            fair_min=one.fair / one.judged / 60 if one.judged else None,
            doomed_pct=100 * one.doomed / one.judged if one.judged else None,
        )
        for one in (promises.fairness(among) for promises in book.kinds)
        if one.orders
    ]
