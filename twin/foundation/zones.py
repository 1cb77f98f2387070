"""The kitchen's clock: which day, hour and weekday a data time is at the kitchen, and how it is written.

The times of a source are one of two kinds (`twin.sources.base.Times`). Naive times are the kitchen's own wall clock already:
`NAIVE` takes them as they are. Instants are seconds in UTC, and whoever speaks of a day, an hour or a clock asks the kitchen's
`Zone`, which knows that two days of a year have 23 and 25 hours. Durations and order are those of the data seconds in both.
"""

import datetime as dt
import functools
import math
import zoneinfo
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.foundation import times
from twin.foundation.times import DAY, HOUR, UTC, WEEKDAYS, Time

Floats = NDArray[np.float64]
_Seconds = TypeVar("_Seconds", float, Floats)

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Before and after these a zone's clock is taken to stay as it was at their edge."""
SAMPLE = 2 * DAY
"""Changes of a clock are looked for at this distance; no zone has put its clock forth and back within two days since 1970."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A kitchen's clock: `name` is the IANA name of its zone, empty for naive times, which are the clock already.

    Functions of data seconds take one or an array of them, unless they return a text.

    >>> zone = Zone("America/Los_Angeles")
    >>> [zone.text(t) for t in (1762071000.0, 1762074600.0, 1762078200.0)]
    ['2025-11-02 01:10:00 PDT', '2025-11-02 01:10:00 PST', '2025-11-02 02:10:00']
    >>> [(end - start) / HOUR for start, end in [zone.whole_days(1762071000.0, 1762071000.0)]]
    [25.0]
    >>> Zone().text(1762071000.0)
    '2025-11-02 08:10:00'
    """

    name: str = ""
    origin: str = ""
    """Where the zone comes from, to be read after its name: "by the locations table"."""

    @property
    def naive(self) -> bool:
        """Whether data seconds count on the kitchen's own clock."""
        return not self.name

    def local(self, t: _Seconds) -> _Seconds:
        """Return what the kitchen's clock shows at data seconds, as seconds since 1970 on that clock."""
        if not self.name:
            return t
        changes = _changes(self.name)
        return t + _offset(changes.at, changes.offset, t)

    def from_local(self, local: _Seconds, later: bool = False) -> _Seconds:
        """Return the data seconds at which the kitchen's clock shows `local`.

        In the hour that a clock shows twice, the first of both, or the second with `later`. An hour that it leaves out is counted
        on from before it (PEP 495), so that a midnight that does not exist is the first moment of its day.
        """
        if not self.name:
            return local
        changes = _changes(self.name)
        return local - _offset(changes.low if later else changes.high, changes.offset, local)

    # -- days ---------------------------------------------------------------------------------------------------------------
    def day(self, t: Any) -> Any:
        """Return the number of the kitchen's day since 1970, int or int64."""
        number = self.local(t) // DAY
        return number.astype(np.int64) if isinstance(number, np.ndarray) else int(number)

    def start_of(self, day: Any) -> Any:
        """Return the data seconds at which a day begins, by its number; `start_of(day + 1)` is its end."""
        return self.from_local(day * DAY)

    def midnight(self, t: _Seconds) -> _Seconds:
        """Return the start of the day of data seconds."""
        local = self.local(t)
        return self.from_local(local - local % DAY)

    def next_midnight(self, t: _Seconds) -> _Seconds:
        """Return the end of the day of data seconds: 23 to 25 hours after its start."""
        local = self.local(t)
        return self.from_local(local - local % DAY + DAY)

    def whole_days(self, start: float, end: float) -> tuple[float, float]:
        """Return the start of the day of `start` and the end of the day of `end`: the days that have data."""
        return self.midnight(start), self.next_midnight(end)

    def days_later(self, t: float, days: NDArray[np.int64]) -> Floats:
        """Return the data seconds at which the clock shows so many days later what it shows at t."""
        later: Floats = self.local(t) + days * DAY  # type: ignore[assignment]  # numpy's types lose the width
        return self.from_local(later)

    def hour(self, t: Any) -> Any:
        """Return the hour of the kitchen's clock, 0 to 23."""
        hour = self.local(t) % DAY // HOUR
        return hour.astype(np.int64) if isinstance(hour, np.ndarray) else int(hour)

    def ticks(self, start: float, end: float, step: float) -> Floats:
        """Return the data seconds in [start, end] at which the clock shows multiples of `step` seconds, ascending.

        Steps of a day and more are counted in days since 1970, shorter ones must divide a day. Of an hour that the clock shows
        twice both are among them, of one that it leaves out none.
        """
        if self.naive:
            return (
                np.arange(np.ceil(start / step) * step, np.nextafter(end, np.inf), step)
                if end >= start
                else np.empty(0)
            )
        if step >= DAY:
            marks = self.from_local(
                np.arange(np.ceil(self.local(start) / step) * step, self.local(end) + 2 * DAY, step)
            )
            return marks[(marks >= start) & (marks <= end)]
        changes = _changes(self.name)
        first, last = (int(changes.at.searchsorted(t, "right")) for t in (start, end))
        parts = []
        for i in range(first - 1, last):
            since = max(float(changes.at[i]), start)
            until = float(changes.at[i + 1]) if i + 1 < last else np.nextafter(end, np.inf)
            offset = float(changes.offset[i])
            parts.append(np.arange(np.ceil((since + offset) / step) * step - offset, until, step))
        return np.concatenate(parts)

    def changes(self, start: float, end: float) -> Floats:
        """Return the data seconds in (start, end) at which the clock is put forward or back, ascending.

        >>> Zone("America/Los_Angeles").changes(1762000000.0, 1762100000.0).tolist(), Zone().changes(0.0, 1e9).tolist()
        ([1762074000.0], [])
        """
        if self.naive:
            return np.empty(0)
        at = _changes(self.name).at
        return at[(at > start) & (at < end)]

    # -- texts ----------------------------------------------------------------------------------------------------------------
    def weekday(self, t: float) -> str:
        """Return the name of the weekday."""
        return WEEKDAYS[(self.day(t) + 3) % 7]  # 1970 began on a Thursday

    def date(self, t: float) -> str:
        """Return the day and month, briefly.

        >>> Zone().date(1760639400.0)
        '16 Oct'
        """
        at = self.datetime(t)
        return f"{at.day} {at:%b}"

    def doubled(self, t: float) -> bool:
        """Whether the kitchen's clock shows the same twice on that day, so that its text needs the zone's abbreviation."""
        if self.naive:
            return False
        local = self.local(t)
        return self.from_local(local) != self.from_local(local, later=True)

    def label(self, t: float) -> str:
        """Return what stands beside a clock: the zone's abbreviation at that time, or "kitchen time" for naive times.

        >>> Zone("Asia/Kathmandu").label(0.0), Zone("America/Los_Angeles").label(0.0), Zone().label(0.0)
        ('UTC+5:30', 'PST', 'kitchen time')
        """
        if self.naive:
            return "kitchen time"
        changes = _changes(self.name)
        return changes.label[int(changes.at.searchsorted(t, "right")) - 1]

    def text(self, t: Time) -> str:
        """Return a time as the kitchen's clock shows it, to the second; with the zone where the clock shows it twice."""
        at = self.seconds(t)
        return times.text(self.local(at)) + (f" {self.label(at)}" if self.doubled(at) else "")

    def clock(self, t: float) -> str:
        """Return the time of day to the minute, with the zone where the clock shows it twice.

        >>> Zone("America/Los_Angeles").clock(1762074600.0)
        '01:10 PST'
        """
        text = self.text(t)
        return text[11:16] + text[19:]

    def iso(self, t: float) -> str:
        """Return a time for an address: naive ones without a zone, instants with the offset, which is unambiguous.

        >>> Zone("America/Los_Angeles").iso(1762074600.25), Zone().iso(1762074600.25)
        ('2025-11-02T01:10:00.25-08:00', '2025-11-02T09:10:00.25')
        """
        at = round(t * 1000) / 1000
        local = self.local(at)
        text = times.text(local).replace(" ", "T")
        text += f"{round(local % 1 * 1000) / 1000:.3f}"[1:].rstrip("0").rstrip(".") if local % 1 else ""
        return text if self.naive else text + _offset_text(local - at)

    def seconds(self, value: Time) -> float:
        """Return a time as data seconds. What has an offset is an instant, what has none is what the kitchen's clock shows.

        Raises ValueError, with a message for the user, if the value is not a time.

        >>> zone = Zone("America/Los_Angeles")
        >>> zone.seconds("2025-11-02 01:10"), zone.seconds("2025-11-02T01:10-08:00"), zone.seconds(1762074600)
        (1762071000.0, 1762074600.0, 1762074600.0)
        """
        at = times.seconds(value)
        return at if self.naive or _is_instant(value) else self.from_local(at)

    # -- for others -----------------------------------------------------------------------------------------------------------
    def datetime(self, t: float) -> dt.datetime:
        """Return the date and time of the kitchen's clock: naive, for its parts and for formatting."""
        return dt.datetime.fromtimestamp(math.floor(self.local(t)), UTC).replace(tzinfo=None)

    def to_browser(self, start: float, end: float) -> dict[str, Any]:
        """Return what the browser needs of this zone over a range, as JSON; empty for naive times.

        `changes` has [data seconds, offset in seconds, label], ascending; the first holds before it, too.
        """
        if self.naive:
            return {}
        changes = _changes(self.name)
        first = max(0, int(changes.at.searchsorted(start, "right")) - 1)
        last = int(changes.at.searchsorted(end, "right"))
        rows: list[list[Any]] = [
            [float(changes.at[i]), float(changes.offset[i]), changes.label[i]]
            for i in range(first, max(last, first + 1))
        ]
        if not math.isfinite(rows[0][0]):
            rows[0][0] = float(start)
        return {"name": self.name, "origin": self.origin, "changes": rows}


NAIVE = Zone()
"""The clock of naive times."""


@functools.cache
def is_zone(name: str) -> bool:
    """Whether there is a zone of this IANA name.

    >>> is_zone("America/Los_Angeles"), is_zone("San Francisco"), is_zone("../etc/passwd")
    (True, False, False)
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """When a zone's clock changes: from `at` (UTC seconds, the first -inf) on, it is `offset` ahead and called `label`.

    high and low: what the clock shows when it changes, on the later and the earlier of both clocks.
    """

    at: Floats
    offset: Floats
    label: tuple[str, ...]
    high: Floats
    low: Floats


def _offset(since: Floats, offset: Floats, t: _Seconds) -> _Seconds:
    found = offset[since.searchsorted(t, "right") - 1]
    return found if isinstance(t, np.ndarray) else float(found)


@functools.lru_cache(maxsize=1024)
def _changes(name: str) -> _Changes:
    zone = zoneinfo.ZoneInfo(name)

    def state(t: float) -> tuple[float, str]:
        at = dt.datetime.fromtimestamp(t, zone)
        offset = at.utcoffset() or dt.timedelta()
        return offset.total_seconds(), at.tzname() or ""

    first, last = (dt.datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (FIRST_YEAR, LAST_YEAR))
    found = [(-math.inf, *state(first))]
    t, before = first, state(first)
    while t < last:
        after = state(t + SAMPLE)
        if after != before:
            low, high = t, t + SAMPLE
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if state(middle) == before else (low, middle)
            found.append((high, *after))
        t, before = t + SAMPLE, after
    at = np.array([row[0] for row in found])
    offset = np.array([row[1] for row in found])
    earlier = np.concatenate((offset[:1], offset[:-1]))
    labels = tuple(_label(name, offset) for _, offset, name in found)
    return _Changes(at, offset, labels, at + np.maximum(offset, earlier), at + np.minimum(offset, earlier))


def _label(name: str, offset: float) -> str:
    """Return a zone's abbreviation; many have none, and their offset in its place (+0545), which is written out."""
    if name[:1] not in "+-":
        return name
    minutes = round(abs(offset) / 60)
    return f"UTC{'−' if offset < 0 else '+'}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")


def _offset_text(offset: float) -> str:
    minutes = round(abs(offset) / 60)
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _is_instant(value: Time) -> bool:
    """Whether a time says by itself which instant it is: a number, or what has an offset."""
    if isinstance(value, str):
        return times.parse(value).tzinfo is not None
    if isinstance(value, dt.datetime):
        return value.tzinfo is not None
    return not isinstance(value, dt.date | np.datetime64)
