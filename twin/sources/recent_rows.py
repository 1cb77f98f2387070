"""What has come into a lakehouse's table since it was last asked: found among its latest rows, without a pass over the table.

A table tells how many rows it has, but not which are new. So its latest rows are asked for, and those that were among them before
are taken away. As many must be left as there are more rows: otherwise some came in late, or were changed or removed, and only the
whole table tells. What is then known of the table is exact in counts and ranges; what takes all rows of an order or of a kitchen
(ids that are used again, orders that live for hours, where a kitchen is) stays until the table is read as a whole again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.foundation.times import HOUR
from twin.sources import tables
from twin.sources.arrivals import COLUMNS
from twin.sources.base import Location, Volume
from twin.sources.contents import Contents

USED_ROWS = COLUMNS.append(pa.field("location", pa.string()))
_IDENTITY = ("location", "order_id", "event_type", "ts", "sequence", "lat", "lon", "progress", "body", "reason", "flag")
_COPY = ("location", "order_id", "event_type", "ts", "sequence")
"""What makes two rows copies of each other."""


@dataclass(frozen=True, slots=True)
class RecentRows:
    """The rows of queries/arrived.sql at one time, of all from `since` (data seconds) on."""

    rows: pa.Table
    since: float

    def new(self, before: "RecentRows | None", latest: float) -> "RecentRows":
        """Return the rows that were not there before; where that is not known, those later than any before, `latest`."""
        if before is None:
            later = tables.times(self.rows["ts"]) > latest
            return replace(self, rows=self.rows.filter(pa.array(later)))
        known = Counter(_tuples(before.rows, _IDENTITY))
        fresh = np.zeros(len(self.rows), np.bool_)
        for number, one in enumerate(_tuples(self.rows, _IDENTITY)):
            fresh[number] = known[one] <= 0
            known[one] -= 1
        return replace(self, rows=self.rows.filter(pa.array(fresh)))

    def used(self) -> pa.Table:
        """Return the used rows, `arrivals.COLUMNS` and `location`."""
        return self.rows.filter(pc.is_null(self.rows["reason"])).select(USED_ROWS.names).cast(USED_ROWS)


def with_new(contents: Contents, recent: RecentRows, new: RecentRows) -> Contents | None:
    """Return the contents of a table with its new rows, which are among the `recent` ones; None if only the whole table tells."""
    if not _is_as_before(contents, new.rows):
        return None
    all_rows, fresh = recent.rows.to_pylist(), new.rows.to_pylist()
    older = _without(all_rows, fresh)
    used, known = (_keys(rows, ()) for rows in (fresh, older))
    flagged, flagged_before = (_keys((row for row in rows if row["flag"]), ("flag",)) for rows in (fresh, older))
    read = Counter((row["location"], row["reason"]) for row in fresh)
    distinct = Counter(key[0] for key in used - known)
    flags = Counter((key[0], key[-1]) for key in flagged - flagged_before)
    accounts = contents.accounts.with_more(
        [
            tables.QualityRow(place, reason, rows, distinct[place] if reason is None else 0)
            for (place, reason), rows in read.items()
        ],
        [tables.FlagRow(place, flag, rows) for (place, flag), rows in flags.items()],
    )
    hours = _created(fresh) - _created(older)
    volumes = dict(contents.volumes)
    for place, hour, orders in _by_hour(hours):
        volumes[place] = _with_orders(volumes[place], hour, orders)
    locations = [
        _located(place, fresh, len([one for one in hours if one[0] == place.id])) for place in contents.locations
    ]
    return replace(contents, rows=contents.rows + len(fresh), accounts=accounts, volumes=volumes, locations=locations)


def _is_as_before(contents: Contents, rows: pa.Table) -> bool:
    """Return whether new rows are such as the table had: of its kitchens, and with values as odd as there were already."""
    used = rows.filter(pc.is_null(rows["reason"]))
    places = set(pc.unique(used["location"]).to_pylist())
    if not places <= {place.id for place in contents.locations}:
        return False
    forms = set(pc.unique(used["form"]).to_pylist())
    if contents.reading.times is None and not forms <= {contents.times.removesuffix("s")}:
        return False
    again = {(one.location, one.id) for one in contents.reused}
    if again and not again.isdisjoint(_tuples(used, ("location", "order_id"))):
        return False
    if "spelling" not in rows.column_names:  # a table whose columns are decoded
        return True
    for place, spelling, elsewhere in set(_tuples(rows, ("location", "spelling", "elsewhere"))):
        known = contents.spellings.get(place, [])
        if (spelling is not None and spelling not in known) or (elsewhere and None not in known):
            return False
    odd = contents.odd
    found_odd = any(
        pc.any(rows[name]).as_py() for name, known in (("odd_time", odd.times), ("odd_order", odd.orders)) if not known
    )
    return not found_odd and not (contents.reading.only_plain and pc.any(rows["not_plain"]).as_py())


def _tuples(rows: pa.Table, names: Iterable[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


def _without(rows: list[dict[str, Any]], some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without as many of each kind as `some` has."""
    left = Counter(tuple(row[name] for name in _IDENTITY) for row in some)
    kept = []
    for row in rows:
        one = tuple(row[name] for name in _IDENTITY)
        if left[one] > 0:
            left[one] -= 1
        else:
            kept.append(row)
    return kept


def _keys(rows: Iterable[Mapping[str, Any]], more: tuple[str, ...]) -> set[tuple[Any, ...]]:
    return {tuple(row[name] for name in (*_COPY, *more)) for row in rows if row["reason"] is None}


def _created(rows: Iterable[Mapping[str, Any]]) -> set[tuple[str, str, float]]:
    """Return place, id and hour of the orders that are created in rows."""
    first: dict[tuple[str, str], Any] = {}
    for row in rows:
        if row["reason"] is None and row["event_type"] == "order_created":
            key = row["location"], row["order_id"]
            first[key] = min(row["ts"], first.get(key, row["ts"]))
    return {(*key, _seconds(ts) // HOUR * HOUR) for key, ts in first.items()}


def _by_hour(created: Iterable[tuple[str, str, float]]) -> list[tuple[str, float, int]]:
    return [(place, hour, orders) for (place, hour), orders in Counter((one[0], one[2]) for one in created).items()]


def _with_orders(volume: Volume, hour: float, orders: int) -> Volume:
    at = int(np.searchsorted(volume.hour, hour))
    if at < len(volume.hour) and volume.hour[at] == hour:
        counts = volume.orders.copy()
        counts[at] += orders
        return Volume(volume.hour, counts)
    return Volume(np.insert(volume.hour, at, hour), np.insert(volume.orders, at, orders))


def _located(place: Location, rows: Iterable[Mapping[str, Any]], orders: int) -> Location:
    own = [row for row in rows if row["location"] == place.id and row["reason"] is None]
    if not own:
        return place
    times = [_seconds(row["ts"]) for row in own]
    delivered = [_seconds(row["ts"]) for row in own if row["event_type"] == "delivered"]
    last = max([*delivered, *([] if place.last_delivered is None else [place.last_delivered])], default=None)
    return replace(
        place,
        orders=place.orders + orders,
        start=min(place.start, *times),
        end=max(place.end, *times),
        last_delivered=last,
    )


def _seconds(ts: Any) -> float:
    return float(np.datetime64(ts, "us").astype(np.int64) / 1e6)
