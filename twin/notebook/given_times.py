"""Times and steps as an analyst gives them: every place of the notebook API reads them here, so that all take the same things.

A time is ISO text, a time of day ("18:45", "6:45pm", `datetime.time`) of the range, a datetime, a date (its midnight), a
`pandas.Timestamp`, a `pandas.Period` (its begin), or data seconds. What has no zone is what the kitchen's clock shows. A step is
text such as "5min", a timedelta of Python, NumPy or pandas, an offset of pandas, or seconds.
"""

import datetime as dt
import math
import re
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from twin.foundation.lazily import at_first_use
from twin.foundation.times import DAY, HOUR, Time
from twin.foundation.zones import Zone
from twin.sources.base import Window

if TYPE_CHECKING:
    import pandas as pd

    AnyTime = Time | dt.time | pd.Period
    Step = float | str | dt.timedelta | np.timedelta64 | pd.offsets.BaseOffset
else:  # whoever gives no times of pandas does without it
    pd = at_first_use("pandas")
    AnyTime, Step = Time | dt.time, float | str | dt.timedelta | np.timedelta64

_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2})(?::(\d{2}))?)?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
_STEPS = "give seconds, a timedelta, or text such as 10s, 5min or 1h."


@dataclass(frozen=True, slots=True)
class GivenTimes:
    """Reads times that are given for a range of one kitchen. All methods raise ValueError, with a sentence that has the range.

    >>> day = GivenTimes(Window(1760572800.0, 1760659200.0), Zone())
    >>> day.at("6:45pm") == day.at("2025-10-16 18:45") == day.at(pd.Period("2025-10-16 18:45", "min"))
    True
    """

    window: Window
    tz: Zone

    def at(self, value: AnyTime) -> float:
        """Return a time in the range, its end included, as data seconds."""
        return self._inside(self.seconds(value), value)

    def between(self, start: AnyTime | None, end: AnyTime | None) -> Window:
        """Return the part [start, end) of the range; without one of them, from its start or to its end."""
        window = self.window
        first = window.start if start is None else self._inside(self.seconds(start), start)
        last = window.end if end is None else self._inside(self.seconds(end, closing=True), end)
        if not first < last:
            text = self.tz.text
            raise ValueError(f"A range must end after it starts, not run from {text(first)} to {text(last)}.")
        return Window(first, last)

    def seconds(self, value: AnyTime, closing: bool = False) -> float:
        """Return a time as data seconds, wherever it lies; only a time of day must be in the range, exactly once.

        The end of the range is not in it, so 00:00 is a day's begin and 24:00 its end; `closing`: of a time that ends something,
        it is the begin of the range that does not count.
        """
        clock = clock_seconds(value)
        if clock is None:
            return self.tz.seconds(getattr(value, "start_time", value))  # type: ignore[arg-type]
        found = self._on_clock(clock)
        if len(found) > 1:
            found = [t for t in found if t != (self.window.start if closing else self.window.end)]
        if len(found) != 1:
            days = ", ".join(self.tz.text(t)[:10] for t in found[:7]) or "never"
            raise ValueError(
                f"{value} comes {len(found)} times in this range ({days}), which is {self._range}: give the day, too, "
                "as in 2025-10-16 18:30."
            )
        return found[0]

    def _on_clock(self, clock: float) -> list[float]:
        """Return the data seconds in the range, its end included, at which the kitchen's clock shows a time of day."""
        window, tz = self.window, self.tz
        shown = np.arange(tz.day(window.start), tz.day(window.end) + 1) * DAY + clock
        both = np.unique(np.concatenate((tz.from_local(shown), tz.from_local(shown, later=True))))
        return [t for t in both.tolist() if window.start <= t <= window.end]

    def _inside(self, t: float, value: AnyTime) -> float:
        if not self.window.start <= t <= self.window.end:
            given = f"{value:g} (seconds since 1970)" if isinstance(value, Real) else str(value)
            raise ValueError(f"{given} is not in the range of this kitchen, which is {self._range}.")
        return t

    @property
    def _range(self) -> str:
        return f"{self.tz.text(self.window.start)} to {self.tz.text(self.window.end)}"


def clock_seconds(value: AnyTime) -> float | None:
    """Return a time of day as seconds since midnight, None for any other time. Raises ValueError for one that no clock shows.

    >>> clock_seconds("6:45pm"), clock_seconds("24:00"), clock_seconds(dt.time(7, 30)), clock_seconds("2025-10-16")
    (67500.0, 86400.0, 27000.0, None)
    """
    if isinstance(value, dt.time):
        if value.tzinfo is not None:
            raise ValueError(
                f"{value} is a time of day in a zone of its own: give one on the kitchen's clock, without."
            )
        return value.hour * HOUR + value.minute * 60.0 + value.second + value.microsecond / 1e6
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or (found[2] is None and found[4] is None):
        return None
    hours, minutes, seconds, half = int(found[1]), int(found[2] or 0), int(found[3] or 0), (found[4] or "").lower()
    in_day = hours < 24 or (hours == 24 and minutes == seconds == 0)
    if minutes > 59 or seconds > 59 or not (1 <= hours <= 12 if half else in_day):
        raise ValueError(f"“{value}” is no time of day: write it like 18:30 or 6:30pm.")
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    return hours * HOUR + minutes * 60.0 + seconds


def step_seconds(value: Step) -> float:
    """Return a step as seconds. Raises ValueError, with a sentence, for what is none, and for one of 0 seconds and less.

    >>> step_seconds("5min"), step_seconds(pd.Timedelta("1h")), step_seconds(90)
    (300.0, 3600.0, 90.0)
    """
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_ | np.timedelta64):
        seconds = float(value)
    else:
        seconds = _duration(value)
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"A step must be longer than 0 seconds, not {value}.")
    return seconds


def _duration(value: Step) -> float:
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, bool | np.bool_) or text.replace(".", "", 1).isdigit():  # which pandas takes for nanoseconds
        raise ValueError(f"“{value}” is no step: {_STEPS}")
    try:
        if text and not text[0].isdigit():
            text = f"1{text}"  # as pandas' offsets: "h"
        return pd.Timedelta(text or value).total_seconds()  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise ValueError(f"“{value}” is no step: {_STEPS}") from None
