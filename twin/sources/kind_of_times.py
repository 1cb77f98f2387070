"""Decides what the times of a source are, from what a first reading found: docs/data.md has the rules in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources.base import Times
from twin.sources.queries.times import Reading

MOST_ZONES = 100
"""Zones that one source's times may name; kitchens of all the world have some forty."""


class UnreadRow(NamedTuple):
    """A row of queries/unread_times.sql."""

    day_or_month_first: bool
    zone: str | None
    rows: int
    example: str
    day_first: str | None
    month_first: str | None


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many rows have a usable time of each kind, and how many a text that is still to be read."""

    naive: int
    instants: int
    unread: int

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]]) -> "Kinds":
        """Add up the rows of queries/times.sql."""
        usable, unread = Counter[str](), 0
        for form, count, left in rows:
            usable[form.removeprefix("other ")] += count
            unread += left
        return cls(usable["naive"], usable["instant"], unread)

    def times(self, reading: Reading) -> Times:
        """Return the setting, else the kind of most rows."""
        return reading.times or ("instants" if self.instants > self.naive else "naive")


def first(settings: Settings) -> Reading:
    """Return how a source is read before anything is found out about it."""
    return Reading(times=settings.times, dates=settings.dates)


def better(source: str, reading: Reading, kinds: Kinds, unread: Iterable[Sequence[Any]]) -> Reading | None:
    """Return how the source must be read again, None if `reading` was right.

    Raises `SourceError` if most of the texts can only be read with a setting.
    """
    rows = [UnreadRow(*row) for row in unread]
    read = kinds.naive + kinds.instants
    better = reading
    if dates := [row for row in rows if row.day_or_month_first]:
        better = _with_dates(source, better, dates, read)
    if zones := [row for row in rows if not row.day_or_month_first]:
        named = {row.zone for row in zones if row.zone} & _zones()
        better = replace(better, zones=tuple(sorted({*better.zones, *named}))[:MOST_ZONES])
        if better.zones == reading.zones and better.dates == reading.dates and not read:
            raise SourceError(
                f"{source}: the zone of {zones[0].example!r} has no one meaning here. Write an offset such as -06:00, or the "
                "name of a zone such as America/Chicago; or set TWIN_TIMES=naive to take the times as they are written."
            )
    if better == reading and reading.times is None and kinds.naive and kinds.instants:
        better = replace(reading, aside="naive" if kinds.times(reading) == "instants" else "instants")
    return None if better == reading else better


def _with_dates(source: str, reading: Reading, rows: Sequence[UnreadRow], read: int) -> Reading:
    """Return the reading with the order of dates that all agree on."""
    day_first = next((row.day_first for row in rows if row.day_first), None)
    month_first = next((row.month_first for row in rows if row.month_first), None)
    if day_first and not month_first:
        return replace(reading, dates="day-first")
    if month_first and not day_first:
        return replace(reading, dates="month-first")
    if sum(row.rows for row in rows) <= read:  # a few among many others: they are set aside
        return reading
    if day_first and month_first:
        what = f"has dates that begin with the day, such as {day_first!r}, and with the month, such as {month_first!r}"
    else:
        what = f"has only dates that may begin with the day or with the month, such as {rows[0].example!r}"
    raise SourceError(f"{source} {what}: set TWIN_DATES to day-first or month-first.")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
