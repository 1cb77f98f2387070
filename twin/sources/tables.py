"""Turns query results into what sources return: the counts of all rows, the locations, the names. Shared by all sources."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.foundation.columns import numbers
from twin.foundation.errors import UnknownLocationError
from twin.foundation.times import EARLIEST, LATEST
from twin.sources import known_kitchens, time_zones
from twin.sources.base import Location, Quality, Volume
from twin.sources.labels import qualified

LEAST_RADIUS_M = 50.0
"""A smaller radius is "0.0 km" on the page: customers at the kitchen's own address, or one place for all."""
NAMED = 5
"""Most locations listed in an error message."""

DIMENSIONS = ("brands", "menus", "categories", "items", "locations")


class QualityRow(NamedTuple):
    """A row of queries/quality.sql: the rows read and used of one location, all rejected for `reason` if there is one."""

    location: str | None
    reason: str | None
    read: int
    used: int


class FlagRow(NamedTuple):
    """A row of queries/flags.sql: the number of used rows of one location with a flag."""

    location: str
    flag: str
    rows: int


class Accounts:
    """The counts of all rows and of each location's, made in one pass over the query results: there may be many locations."""

    def __init__(self, quality: Iterable[QualityRow], flags: Iterable[FlagRow], broken_lines: int = 0) -> None:
        """`broken_lines` is the number of rows that are in no query, because nothing could read them."""
        self._all = _Count()
        self._of: dict[str | None, _Count] = {}
        for row in quality:
            for count in (self._all, self._of.setdefault(row.location, _Count())):
                count.add(row.read, row.used, row.reason or "duplicate")
        if broken_lines:
            self._all.add(broken_lines, 0, "broken line")
        for place, flag, rows in flags:
            for count in (self._all, self._of.setdefault(place, _Count())):
                count.flagged[flag] = count.flagged.get(flag, 0) + rows

    def with_more(self, quality: Iterable[QualityRow], flags: Iterable[FlagRow], broken_lines: int = 0) -> "Accounts":
        """Return the counts with more rows; `broken_lines` is negative where a line turned out to be whole."""
        found = Accounts((), ())
        found._all, found._of = self._all.copy(), dict(self._of)
        more = Accounts(quality, flags)
        found._all.include(more._all)
        if broken_lines:
            found._all.add(broken_lines, 0, "broken line")
        for place, count in more._of.items():
            found._of[place] = found._of[place].copy() if place in found._of else _Count()
            found._of[place].include(count)
        return found

    def written(self) -> list[Any]:
        """Return the counts as JSON takes them, for `read`."""
        return [asdict(self._all), [[place, asdict(count)] for place, count in self._of.items()]]

    @classmethod
    def read(cls, written: Sequence[Any]) -> "Accounts":
        """Return the counts that were `written`."""
        found, (of_all, by_place) = cls((), ()), written
        found._all, found._of = _Count(**of_all), {place: _Count(**count) for place, count in by_place}
        return found

    def of(self, location: str | None) -> Quality:
        """Return one location's counts; None: those of all rows."""
        count = self._all if location is None else self._of.get(location, _Count())
        return Quality(count.read, count.used, dict(count.rejected), dict(count.flagged))


@dataclass(slots=True)
class _Count:
    """The counts of `Quality` while they are added up."""

    read: int = 0
    used: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)

    def add(self, read: int, used: int, reason: str) -> None:
        self.read += read
        self.used += used
        if read != used:
            self.rejected[reason] = self.rejected.get(reason, 0) + read - used
            if not self.rejected[reason]:
                del self.rejected[reason]

    def include(self, other: "_Count") -> None:
        self.read += other.read
        self.used += other.used
        for mine, more in ((self.rejected, other.rejected), (self.flagged, other.flagged)):
            for what, rows in more.items():
                mine[what] = mine.get(what, 0) + rows

    def copy(self) -> "_Count":
        return _Count(self.read, self.used, dict(self.rejected), dict(self.flagged))


def kitchens(rows: pa.Table, volume: pa.Table, dimension: Iterable[Mapping[str, Any]]) -> list[Location]:
    """Return the locations from the rows of queries/locations.sql and volume.sql; a dimension table of them takes precedence.

    Their zones are those that the table names: `time_zones.in_zones` chooses.
    """
    code, places = _codes(volume)
    counted = np.bincount(code, numbers(volume["orders"]), len(places)).astype(np.int64)
    orders = dict(zip(places, counted.tolist(), strict=True))
    table = {str(row.get("location_id") or row.get("id") or ""): row for row in dimension}
    table |= {str(row["location_code"]): row for row in table.values() if row.get("location_code")}
    found = []
    for row in rows.to_pylist():
        entry = table.get(row["location"], {})
        lat, lon = _number(entry.get("lat")), _number(entry.get("lon"))
        if lat is None or lon is None:
            lat, lon = row["lat"], row["lon"]
        miles = _number(entry.get("radius_mi")) or known_kitchens.KNOWN_RADIUS_MI.get(row["location"])
        last = row["last_delivered"]
        zone, remark = time_zones.of_entry(entry)
        found.append(
            Location(
                id=row["location"],
                display_name=str(entry.get("name") or "").strip() or known_kitchens.display_name(row["location"]),
                lat=lat,
                lon=lon,
                radius_m=miles * known_kitchens.METRES_PER_MILE if miles else _radius(row["radius_m"]),
                orders=orders[row["location"]],
                start=_seconds(row["first_ts"]),
                end=_seconds(row["last_ts"]),
                last_delivered=None if last is None else _seconds(last),
                zone=zone,
                zone_origin=remark,
                city=str(entry.get("city") or "").strip(),
            )
        )
    return qualified(sorted(found, key=lambda place: (-place.orders, place.display_name, place.id)))


def volumes(rows: pa.Table, found: Iterable[Location]) -> dict[str, Volume]:
    """Return orders per hour by location from the rows of queries/volume.sql."""
    hours, orders = times(rows["hour"]), numbers(rows["orders"]).astype(np.int64)
    code, places = _codes(rows)
    by_place = np.argsort(code, kind="stable")  # hours stay in their order
    ends = np.cumsum(np.bincount(code, minlength=len(places)))
    rows_of = dict(zip(places, np.split(by_place, ends[:-1]), strict=True)) if len(code) else {}
    none = np.zeros(0, dtype=np.intp)
    chosen = ((place.id, rows_of.get(place.id, none)) for place in found)
    return {place: Volume(hours[of_place], orders[of_place]) for place, of_place in chosen}


def _codes(volume: pa.Table) -> tuple[NDArray[np.int32], list[str]]:
    """Return the location of each row, (n,), as a number into the list of them."""
    encoded = pc.dictionary_encode(volume["location"].combine_chunks())
    return numbers(encoded.indices), encoded.dictionary.to_pylist()


def is_dimension(table: str, columns: Iterable[str]) -> bool:
    """Return whether columns are those of a dimension table of this name: at least an id and a name."""
    found = set(columns)
    keys, labels = _columns(table)
    return bool(found.intersection(keys)) and (table == "locations" or bool(found.intersection(labels)))


def _columns(dimension: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a dimension table's columns of ids and of names, in either generation."""
    singular = {"categories": "category"}.get(dimension, dimension.rstrip("s"))
    return ("id", f"{singular}_id"), ("name", f"{singular}_name")


def names(rows: Iterable[Mapping[str, Any]], dimension: str) -> dict[str, str]:
    """Return id -> name from the rows of a dimension table, with the columns of either generation."""
    keys, labels = _columns(dimension)
    found: dict[str, str] = {}
    for row in rows:
        key = row.get(keys[0]) or row.get(keys[1])
        name = row.get(labels[0]) or row.get(labels[1])
        if key and name:
            found[str(key)] = str(name)
    return found


def find_place(location: str, places: Sequence[Location]) -> Location:
    """Return the location with exactly this id: the one look-up of pages, screens, API and notebooks.

    Raises `UnknownLocationError` that names similar ids, or else the first ones.
    """
    for place in places:
        if place.id == location:
            return place
    near = known_kitchens.near_matches(location, places)
    ids = [place.id for place in places]
    hint = f"did you mean {' or '.join(near[:NAMED])}?" if near else f"it has {', '.join(ids[:NAMED]) or 'none'}."
    message = f"No location {location!r} in this source: {hint}"
    raise UnknownLocationError(message, near=(near or ids)[:NAMED], similar=bool(near))


def nothing_usable(name: str, quality: Quality, example: Mapping[str, str] | None = None) -> str:
    """Return the error message for a source without a usable row; `example` are some columns of a row as it is written."""
    if quality.read == 0:
        return f"{name} is empty: no event row in it. Check what wrote it."
    why = ", ".join(f"{count:,} × {reason}" for reason, count in quality.rejected.items())
    return (
        f"{name}: all {quality.read:,} rows were set aside ({why}), so there is nothing to replay. {_shown(example or {})}"
        "Check that ts, order_id and body hold what their names say."
    )


def _shown(example: Mapping[str, str]) -> str:
    if not example:
        return ""
    *some, last = (f"{name} {value!r}" for name, value in example.items())
    return f"Its first row has {', '.join(some)} and {last}. "


def moment(seconds: float) -> np.datetime64:
    """Return data seconds as the parameter of a query, in microseconds.

    Times before the year 1 and after 9999 become these limits: a range may be widened beyond what a calendar has.
    """
    return np.datetime64(round(min(max(seconds, EARLIEST), LATEST) * 1e6), "us")


def times(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return timestamps as data seconds, (n,) float64, NaN where NULL."""
    if not column.null_count:
        return numbers(column.cast(pa.timestamp("us")).cast(pa.int64())) / 1e6
    found = column.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64) / 1e6)


def _radius(metres: float | None) -> float | None:
    """Return how far customers are; None where all are at the kitchen itself, which tells nothing of where it delivers."""
    return metres if metres is not None and metres >= LEAST_RADIUS_M else None


def _number(text: Any) -> float | None:
    try:
        number = None if text is None else float(text)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _seconds(at: Any) -> float:
    return float(np.datetime64(at, "us").astype(np.int64) / 1e6)
