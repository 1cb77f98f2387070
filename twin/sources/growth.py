"""Adds decoded rows to those that a database of files has, and to what is known of them all, at a cost that follows the new rows.

Whatever is counted is counted by order: an order with new rows is taken out and put back in, all others stay. So only the rows of
these orders are looked at again, which lie near the end of the table. The result is what reading everything again would give;
where only that would tell, `OtherwiseError` says why.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.sources import lives, queries, tables
from twin.sources.arrivals import COLUMNS
from twin.sources.base import Location, Volume
from twin.sources.landmarks import Landmarks
from twin.sources.lives import LongOrders, Reused
from twin.sources.tails import OtherwiseError

if TYPE_CHECKING:
    import duckdb

Place = dict[str, Any]
"""A row of queries/locations.sql, times as datetime."""
PLACED = ("order_created", "driver_picked_up")
"""Types of events that tell where a kitchen is and how far it delivers."""
_START = "try_cast(get_json_object(body, '$.route_points[0][{axis}]') AS DOUBLE)"
"""A coordinate of the beginning of a route; as in queries/locations.sql."""
_STARTS = ", ".join(
    f"CASE WHEN event_type = 'driver_picked_up' THEN {_START.format(axis=axis)} END AS start_{name}"
    for axis, name in enumerate(("lat", "lon"))
)
_USED_ROWS = f"SELECT location, {', '.join(COLUMNS.names)}, {_STARTS} FROM {{table}} WHERE reason IS NULL{{where}}"
_PLACES = pa.schema(
    [
        ("location", pa.string()),
        *((name, pa.timestamp("us")) for name in ("first_ts", "last_ts", "last_delivered")),
        *((name, pa.float64()) for name in ("lat", "lon", "radius_m")),
    ]
)
USED = COLUMNS.append(pa.field("location", pa.string()))
"""The columns of the used rows of a batch."""
_USED = "order_id, event_type, ts, sequence"
"""What makes two rows of a location copies of each other."""


_in_duckdb = cache(queries.transpile)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of all decoded rows: one value, which a batch replaces by another. `places` are by location."""

    rows: int
    input_bytes: int
    long_orders: LongOrders
    reused: Sequence[Reused]
    places: Mapping[str, Place]
    volumes: Mapping[str, Volume]
    locations: Sequence[Location]
    landmarks: Mapping[str, Landmarks] = field(default_factory=dict)
    """By location, once rows have been added."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a batch adds to the counts of all rows: those of quality.sql and flags.sql."""

    quality: Sequence[tables.QualityRow]
    flags: Sequence[tables.FlagRow]


@dataclass(frozen=True, slots=True)
class Grown:
    """What came of a batch: what is known with it except for the locations, its counts, and its used rows."""

    known: Known
    counts: Counts
    used: pa.Table


def add(cursor: "duckdb.DuckDBPyConnection", batch: pa.Table, known: Known, relations: Iterable[str]) -> Grown:
    """Add decoded rows, within the transaction of `cursor`, to the table `events` and the tables of `relations`.

    Raises `OtherwiseError`; the transaction is then to be rolled back.
    """
    cursor.register("batch_rows", batch)
    cursor.execute("CREATE OR REPLACE TEMP TABLE batch AS SELECT * FROM batch_rows")
    cursor.unregister("batch_rows")
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT location, order_id FROM batch WHERE reason IS NULL"
    )
    before = _lives(cursor)
    _gather(cursor, before)
    counts = _counts(cursor)
    cursor.execute("INSERT INTO events BY NAME SELECT * FROM batch")
    after = _lives(cursor, f"WITH events AS (SELECT * FROM of_touched) {queries.for_duckdb('lives')}")
    for relation in relations:
        _replace(cursor, relation)
    _check_ids(cursor, after, known)
    long_orders = known.long_orders
    if any(_seconds(life) > lives.LONG_S for life in after.values()):  # none becomes shorter
        long_orders = LongOrders.from_rows(cursor.sql(queries.for_duckdb("long_orders")).to_arrow_table())
    used = cursor.sql(_in_duckdb(_USED_ROWS.format(table="batch", where=""))).to_arrow_table()
    marks = _landmarks(cursor, used, known.landmarks)
    grown = replace(
        known,
        rows=known.rows + len(batch),
        long_orders=long_orders,
        places=_places(used, known.places, marks),
        landmarks=marks,
        volumes=_volumes(known.volumes, before, after),
    )
    return Grown(grown, counts, used.select(USED.names))


def kitchens(known: Known, dimension: Iterable[Mapping[str, Any]]) -> list[Location]:
    """Return the locations of what is known, as `tables.kitchens` makes them of the results of queries."""
    rows = pa.Table.from_pylist(list(known.places.values()), _PLACES)
    orders = {place: int(volume.orders.sum()) for place, volume in known.volumes.items()}
    volume = pa.table({"location": list(orders), "orders": pa.array(orders.values(), pa.int64())})
    return tables.kitchens(rows, volume, dimension)


@dataclass(frozen=True, slots=True)
class _Life:
    """An order's first and last event and when it began, datetime64[us]."""

    first: np.datetime64
    last: np.datetime64
    began: np.datetime64


_LIVES = "SELECT * FROM lives SEMI JOIN touched USING (location, order_id)"


def _lives(cursor: "duckdb.DuckDBPyConnection", rows: str = _LIVES) -> dict[tuple[str, str], _Life]:
    """Return lives, by default those of the touched orders as they were, by location and id."""
    found = cursor.sql(rows).to_arrow_table()
    times = (found[name].to_numpy().astype("datetime64[us]") for name in ("first_ts", "last_ts", "began"))
    keys = zip(found["location"].to_pylist(), found["order_id"].to_pylist(), strict=True)
    return {key: _Life(*life) for key, life in zip(keys, zip(*times, strict=True), strict=True)}


def _seconds(life: _Life) -> float:
    return float((life.last - life.first) / np.timedelta64(1, "s"))


def _gather(cursor: "duckdb.DuckDBPyConnection", before: Mapping[tuple[str, str], _Life]) -> None:
    """Make the tables `earlier`, the used rows that touched orders had, and `of_touched`, those with the new ones."""
    # constants, so that parts of the table without such times are passed over
    low = min((life.first for life in before.values()), default=np.datetime64(0, "us"))
    high = max((life.last for life in before.values()), default=np.datetime64(-1, "us"))
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE earlier AS SELECT * FROM events SEMI JOIN touched USING (location, order_id) "
        f"WHERE reason IS NULL AND ts BETWEEN TIMESTAMP '{_text(low)}' AND TIMESTAMP '{_text(high)}'"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP VIEW of_touched AS "
        "SELECT * FROM earlier UNION ALL BY NAME SELECT * FROM batch WHERE reason IS NULL"
    )


def _text(at: np.datetime64) -> str:
    return str(at).replace("T", " ")


def _check_ids(cursor: "duckdb.DuckDBPyConnection", after: Mapping[tuple[str, str], _Life], known: Known) -> None:
    """Raise `OtherwiseError` if one of the touched ids stands for more than one order."""
    again = {(one.location, one.id) for one in known.reused}
    if again and any(key in again for key in after):
        raise OtherwiseError("there are more rows of an order id that is used again")
    if any(_seconds(life) > lives.APART_S for life in after.values()):
        of_touched = f"WITH events AS (SELECT * FROM of_touched), lives AS ({queries.for_duckdb('lives')}) "
        if cursor.execute(of_touched + queries.for_duckdb("reused")).fetchall():
            raise OtherwiseError("an order id is used again")


def _counts(cursor: "duckdb.DuckDBPyConnection") -> Counts:
    """Return the counts of the batch; a copy of a row that was there before is none that is used."""
    fresh = dict(
        cursor.execute(
            f"SELECT location, count(*) FROM (SELECT DISTINCT location, {_USED} FROM batch WHERE reason IS NULL "
            f"EXCEPT SELECT location, {_USED} FROM earlier) GROUP BY location"
        ).fetchall()
    )
    read = cursor.execute("SELECT location, reason, count(*) FROM batch GROUP BY location, reason").fetchall()
    flags = cursor.execute(
        f"SELECT location, flag, count(*) FROM (SELECT DISTINCT location, flag, {_USED} FROM batch "
        f"WHERE reason IS NULL AND flag IS NOT NULL EXCEPT SELECT location, flag, {_USED} FROM earlier) "
        "GROUP BY location, flag"
    ).fetchall()
    quality = [
        tables.QualityRow(place, reason, rows, fresh.get(place, 0) if reason is None else 0)
        for place, reason, rows in read
    ]
    return Counts(quality, [tables.FlagRow(*row) for row in flags])


def _replace(cursor: "duckdb.DuckDBPyConnection", relation: str) -> None:
    """Make the rows of the touched orders in the table of a relation anew."""
    others = "".join(
        f", {one} AS (SELECT * FROM main.{one} SEMI JOIN touched USING (location, order_id))"
        for one in queries.relations(relation)
    )
    cursor.execute(
        f"DELETE FROM {relation} USING touched "
        f"WHERE {relation}.location = touched.location AND {relation}.order_id = touched.order_id"
    )
    cursor.execute(
        f"INSERT INTO {relation} BY NAME WITH events AS (SELECT * FROM of_touched){others} {queries.for_duckdb(relation)}"
    )


def _places(used: pa.Table, places: Mapping[str, Place], marks: Mapping[str, Landmarks]) -> dict[str, Place]:
    """Return the rows of locations.sql with the batch."""
    delivered = pc.if_else(pc.equal(used["event_type"], "delivered"), used["ts"], None)
    ranges = (
        used.select(["location", "ts"])
        .append_column("delivered", delivered)
        .group_by("location")
        .aggregate([("ts", "count"), ("ts", "min"), ("ts", "max"), ("delivered", "max")])
    )
    found = dict(places)
    for row in ranges.to_pylist():
        place = row["location"]
        before = found.get(place, {})
        found[place] = {
            "location": place,
            "rows_used": row["ts_count"] + before.get("rows_used", 0),
            "first_ts": min(row["ts_min"], before.get("first_ts", row["ts_min"])),
            "last_ts": max(row["ts_max"], before.get("last_ts", row["ts_max"])),
            "last_delivered": max(filter(None, (row["delivered_max"], before.get("last_delivered"))), default=None),
            **marks[place].figures(),
        }
    return found


def _landmarks(
    cursor: "duckdb.DuckDBPyConnection", used: pa.Table, marks: Mapping[str, Landmarks]
) -> dict[str, Landmarks]:
    """Return the landmarks with those of the batch; the first time those of all rows, the batch among them."""
    rows = used
    if not marks:
        placed = _USED_ROWS.format(table="events", where=f" AND event_type IN {PLACED}")
        rows = cursor.sql(_in_duckdb(placed)).to_arrow_table()
    found = dict(marks)
    for place in pc.unique(rows["location"]).to_pylist():
        found[place] = found.get(place, Landmarks()).with_more(rows.filter(pc.equal(rows["location"], place)))
    for place in pc.unique(used["location"]).to_pylist():
        found.setdefault(place, Landmarks())
    return found


def _volumes(
    volumes: Mapping[str, Volume],
    before: Mapping[tuple[str, str], _Life],
    after: Mapping[tuple[str, str], _Life],
) -> dict[str, Volume]:
    """Return orders per hour with the batch: an order may be new, or have begun earlier than was known."""
    changes: defaultdict[str, defaultdict[float, int]] = defaultdict(lambda: defaultdict(int))
    for key, life in after.items():
        changes[key[0]][_hour(life)] += 1
        if key in before:
            changes[key[0]][_hour(before[key])] -= 1
    found = dict(volumes)
    for place, of_place in changes.items():
        if any(of_place.values()):
            found[place] = _changed(found.get(place), of_place)
    return found


def _hour(life: _Life) -> float:
    return float(life.began.astype("datetime64[h]").astype("datetime64[s]").astype(np.int64))


def _changed(volume: Volume | None, changes: Mapping[float, int]) -> Volume:
    hours = np.fromiter(changes, np.float64)
    orders = np.fromiter(changes.values(), np.int64)
    if volume is not None:
        hours, orders = np.append(volume.hour, hours), np.append(volume.orders, orders)
    distinct, which = np.unique(hours, return_inverse=True)
    summed = np.zeros(len(distinct), np.int64)
    np.add.at(summed, which.reshape(-1), orders)
    return Volume(distinct[summed > 0], summed[summed > 0])
