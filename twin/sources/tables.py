"""Turns query results into what sources return: the counts of all rows, the locations, the names. Shared by all sources."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from twin.foundation.errors import UnknownLocationError
from twin.sources import known_kitchens
from twin.sources.base import Location, Quality, Volume

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


def account(
    quality: Iterable[QualityRow], flags: Iterable[FlagRow], location: str | None, broken_lines: int = 0
) -> Quality:
    """Return the counts of all rows, or of one location's."""
    read = used = 0
    rejected: dict[str, int] = {}
    for row in quality:
        if location is not None and row.location != location:
            continue
        read += row.read
        used += row.used
        reason = row.reason or "duplicate"
        if row.read > row.used:
            rejected[reason] = rejected.get(reason, 0) + row.read - row.used
    if location is None and broken_lines:
        read += broken_lines
        rejected["broken line"] = rejected.get("broken line", 0) + broken_lines
    flagged: dict[str, int] = {}
    for place, flag, rows in flags:
        if location is None or place == location:
            flagged[flag] = flagged.get(flag, 0) + rows
    return Quality(read, used, rejected, flagged)


def kitchens(rows: pa.Table, dimension: Iterable[Mapping[str, Any]]) -> list[Location]:
    """Return the locations from the rows of queries/locations.sql; a dimension table of locations takes precedence."""
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
        found.append(
            Location(
                id=row["location"],
                display_name=entry.get("name") or known_kitchens.display_name(row["location"]),
                lat=lat,
                lon=lon,
                radius_m=miles * known_kitchens.METRES_PER_MILE if miles else row["radius_m"],
                orders=row["orders"],
                start=_seconds(row["first_ts"]),
                end=_seconds(row["last_ts"]),
                last_delivered=None if last is None else _seconds(last),
            )
        )
    return sorted(found, key=lambda place: (-place.orders, place.display_name))


def volumes(rows: pa.Table, found: Iterable[Location]) -> dict[str, Volume]:
    """Return orders per hour by location from the rows of queries/volume.sql."""
    names = np.asarray(rows["location"].to_pylist(), dtype=object)
    hours = rows["hour"].to_numpy().astype("datetime64[s]").astype(np.float64)
    orders = rows["orders"].to_numpy().astype(np.int64)
    return {place.id: Volume(hours[names == place.id], orders[names == place.id]) for place in found}


def names(rows: Iterable[Mapping[str, Any]], dimension: str) -> dict[str, str]:
    """Return id -> name from the rows of a dimension table, with the columns of either generation."""
    singular = {"categories": "category"}.get(dimension, dimension.rstrip("s"))
    found: dict[str, str] = {}
    for row in rows:
        key = row.get("id") or row.get(f"{singular}_id")
        name = row.get("name") or row.get(f"{singular}_name")
        if key and name:
            found[str(key)] = str(name)
    return found


def find_place(location: str, places: Sequence[Location]) -> Location:
    """Return the location with an id. Raises `UnknownLocationError` that names similar ids, or else the existing ones."""
    for place in places:
        if place.id == location:
            return place
    near = known_kitchens.near_matches(location, places)
    ids = [place.id for place in places]
    hint = f"did you mean {' or '.join(near[:NAMED])}?" if near else f"it has {', '.join(ids[:NAMED]) or 'none'}."
    raise UnknownLocationError(f"No location {location!r} in this source: {hint}", near=near[:NAMED] or ids)


def nothing_usable(name: str, quality: Quality) -> str:
    """Return the error message for a source without a usable row."""
    if quality.read == 0:
        return f"{name} is empty: no event row in it. Check what wrote it."
    why = ", ".join(f"{count:,} × {reason}" for reason, count in quality.rejected.items())
    return (
        f"{name}: all {quality.read:,} rows were set aside ({why}), so there is nothing to replay. "
        "Check that ts, order_id and body hold what their names say."
    )


def moment(seconds: float) -> np.datetime64:
    """Return data seconds as the parameter of a query, in microseconds."""
    return np.datetime64(round(seconds * 1e6), "us")


def _number(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _seconds(at: Any) -> float:
    return float(np.datetime64(at, "us").astype(np.int64) / 1e6)
