"""Data time: float64 seconds since 1970 in UTC. The only module that parses and formats it.

The time zone of the machine or the browser never matters: naive values are taken as UTC, aware ones are converted to it.
"""

import datetime as dt
import math
from numbers import Real

import numpy as np

UTC = dt.UTC

HOUR, DAY = 3600.0, 86_400.0
"""Seconds. Data time has no leap seconds and no daylight saving time, so every day is this long."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Time = float | str | dt.date | dt.datetime | np.datetime64
"""The types accepted as a time (`pandas.Timestamp` is a `datetime`)."""

EARLIEST = dt.datetime(1, 1, 1, tzinfo=UTC).timestamp()
LATEST = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""Limits of the calendar, seconds; a number outside them is most likely milliseconds."""

_NOT_A_TIME = "NaT is no time: give seconds since 1970, a datetime, or text such as 2025-10-16 18:30."


def seconds(value: Time) -> float:
    """Return a time as seconds since 1970, UTC.

    >>> seconds("2025-10-16 18:30"), seconds("2025-10-16T20:30+02:00")
    (1760639400.0, 1760639400.0)

    Raises ValueError, with a message for the user, if the value is not a time.
    """
    if isinstance(value, str):
        return _from_datetime(parse(value))
    if isinstance(value, np.datetime64):
        return _from_datetime64(value)
    if isinstance(value, dt.datetime):
        return _from_datetime(value)
    if isinstance(value, dt.date):
        return _from_datetime(dt.datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        return _from_number(float(value))
    raise ValueError(f"{value!r} is no time: give seconds since 1970, a datetime, or text such as 2025-10-16 18:30.")


def text(value: Time) -> str:
    """Return a time in ISO 8601 with a space in place of the T, to the second.

    >>> text(1760639400.25)
    '2025-10-16 18:30:00'
    """
    moment = dt.datetime.fromtimestamp(math.floor(seconds(value)), UTC)
    return moment.replace(tzinfo=None).isoformat(" ")


def parse(value: str) -> dt.datetime:
    """Return the datetime that a text says, aware if it has an offset. Raises ValueError, with a message for the user."""
    try:
        return dt.datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"“{value}” is no time: write it like 2025-10-16 18:30 or 2025-10-16T18:30:00Z.") from None


def _from_number(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no time: give seconds since 1970.")
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"{value:g} is no time: give seconds since 1970, not milliseconds.")
    return value


def _from_datetime(value: dt.datetime) -> float:
    if value != value:  # pandas.NaT, a datetime in name only
        raise ValueError(_NOT_A_TIME)
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return _from_number(float(moment.timestamp()))


def _from_datetime64(value: np.datetime64) -> float:
    if np.isnat(value):
        raise ValueError(_NOT_A_TIME)
    return _from_number(int(value.astype("datetime64[us]").astype(np.int64)) / 1e6)
