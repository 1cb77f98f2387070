"""Days, times of day and weekdays of data times: the only place where the detectors of moments divide time."""

import numpy as np
from numpy.typing import NDArray

from twin.foundation.times import DAY, HOUR

Floats = NDArray[np.float64]
Days = NDArray[np.int64]

BIN = 60.0
"""Seconds of a bin of orders: start and end of a rush are accurate to a few bins."""
BINS = round(DAY / BIN)
HOUR_BINS = round(HOUR / BIN)
HOURS = 24
MONDAY = 4
"""The number of the first Monday since 1970."""


def day_of(time: Floats) -> Days:
    """Return the day (number since 1970) of each data time (seconds)."""
    return (time // DAY).astype(np.int64)


def midnight_of(day: int) -> float:
    """Return when a day begins, data seconds."""
    return day * DAY


def hour_of(time: Floats) -> Days:
    """Return the hour (0..23) of each data time."""
    return (time % DAY // HOUR).astype(np.int64)


def weekday_of(day: Days) -> Days:
    """Return the weekday of each day, 0 for Monday.

    >>> weekday_of(np.array([20_248])).tolist()
    [0]
    """
    return (day - MONDAY) % 7


def orders_per_bin(began: Floats, first: int, last: int) -> Floats:
    """Return (days, BINS) the orders of each minute of the days first..last, both inclusive. began: sorted data seconds."""
    start = midnight_of(first)
    inside = began[slice(*began.searchsorted((start, midnight_of(last + 1))))]
    bins = ((inside - start) // BIN).astype(np.int64)
    return np.bincount(bins, minlength=(last - first + 1) * BINS).astype(np.float64).reshape(-1, BINS)
