"""What opening learns of a table: in one pass, once per version of the table and machine, and the same as from files."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import twin
from tests.warehouse.double import Warehouse
from twin.foundation.errors import SourceError
from twin.notebook.door import Twin
from twin.sources import queries, whole_table

pytestmark = pytest.mark.slow

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
TABLE = "caspers.lakeflow.all_events"
COLUMNS = "event_type, ts, location, order_id, sequence, body"


def event(kind: str, ts: str | None, order: str, place: str | None = "loop", body: str = "{}") -> str:
    """A row as DuckDB's VALUES."""
    texts = (kind, ts, place, order, "1", body)
    return "(" + ", ".join("NULL" if text is None else "'" + text.replace("'", "''") + "'" for text in texts) + ")"


def day(hours: float, number: int = 16) -> str:
    return f"2025-10-{number:02} {int(hours):02}:{round(hours % 1 * 60):02}:00"


ROWS = [
    event("order_created", day(9), "a", body='{"customer_lat": 41.9, "customer_lon": -87.6}'),
    event("order_created", day(9), "a", body='{"customer_lat": 41.9, "customer_lon": -87.6}'),
    event("driver_picked_up", day(9.5), "a", body='{"route_points": [[41.88, -87.63], [41.9, -87.6]]}'),
    event("delivered", day(9.75), "a", body='{"delivered_lat": 41.9, "delivered_lon": -87.6}'),
    event("order_created", day(10.5), "b", place=" loop", body='{"customer_lat": 41.8, "customer_lon": -87.7}'),
    event("driver_picked_up", day(11), "b", body='{"route_points": [[41.89, -87.64], [41.8, -87.7]]}'),
    event("delivered", day(17), "b", body='{"delivered_lat": 0, "delivered_lon": 0}'),
    event("delivered", day(17), "b", body='{"delivered_lat": 95, "delivered_lon": 0}'),
    event("teleported", day(17), "b"),
    event("gk_started", day(17.5), " b "),
    event("gk_started", None, "b"),
    event("gk_started", "never", "b"),
    event("gk_started", day(12), "b", body="{broken"),
    event("order_created", day(9, 20), "a"),
    event("delivered", day(15, 20), "a"),
    event("order_created", day(9, 25), "a"),
    event("gk_started", day(8, 16), "c"),
    event("order_created", day(9.25, 18), "c"),
    event("order_created", day(9.25, 18), "c", place="pier"),
    event("order_created", day(9.25, 18), "", place="pier"),
]
"""Copies, odd spellings, ids that are used again, orders that live for hours, rows that are rejected."""


def held(rows: list[str]) -> dict[str, Path | str]:
    return {"lakeflow.all_events": f"SELECT * FROM (VALUES {', '.join(rows)}) AS rows({COLUMNS})"}


def in_files(warehouse: Warehouse, folder: Path) -> Twin:
    stored = folder / "events.parquet"
    with warehouse.connection.cursor() as cursor:
        cursor.execute(f"COPY {TABLE} TO '{stored}' (FORMAT parquet)")
    return twin.open(stored)


def same(ours: Twin, theirs: Twin) -> None:
    assert ours.locations == theirs.locations
    assert ours.quality() == theirs.quality()
    for place in theirs.locations:
        assert ours.quality(place.id) == theirs.quality(place.id)
        for name in ("hour", "orders"):
            volumes = (getattr(one.source.volume(place.id), name).tolist() for one in (ours, theirs))
            assert next(volumes) == next(volumes)
        ours_found, theirs_found = (
            sorted(one.source.window(place.id, place.start, place.end + 1).to_pylist(), key=repr)
            for one in (ours, theirs)
        )
        assert ours_found == theirs_found


def passes(warehouse: Warehouse) -> int:
    """How many statements have read the whole table's bodies so far."""
    return sum(sql.endswith(queries.text("contents")) for sql in warehouse.asked)


def reads_rows(sql: str) -> bool:
    return "information_schema" not in sql and not sql.startswith("DESCRIBE HISTORY")


def test_one_pass_learns_what_files_tell(warehouse_of: Start, lakehouse: Open, tmp_path: Path) -> None:
    warehouse = warehouse_of(held(ROWS))
    source = lakehouse()
    assert passes(warehouse) == 1
    assert [sql for sql in warehouse.asked if "LIMIT" not in sql and reads_rows(sql)] == [warehouse.asked[-1]]
    quality = source.quality()
    assert quality.read == quality.used + sum(quality.rejected.values()) == len(ROWS)
    assert quality.flagged["order id used again"] == 3
    same(source, in_files(warehouse, tmp_path))


@pytest.mark.parametrize(
    ("rows", "passes_of"),
    [
        ([ts.replace("2025-10-16 ", "16/10/2025 ") for ts in ROWS if "2025-10-16" in ts and "NULL" not in ts], 2),
        ([event("order_created", f"{number}/10/2025 10:00:00", f"{number}") for number in range(1, 29)], 1),
        ([event("order_created", f"2025-10-16 1{n}:00:00 Asia/Kathmandu", f"{n}") for n in range(9)], 1),
        ([*ROWS, *(event("order_created", f"2025-10-16T1{n}:00:00Z", f"z{n}") for n in range(9))], 1),
        ([*ROWS[:1], *(event("order_created", f"2025-10-16T1{n}:00:00Z", f"z{n}") for n in range(9))], 1),
    ],
    ids=["days first, one broken", "days first", "named zones", "some instants", "mostly instants"],
)
def test_times_that_want_another_reading_cost_no_second_pass(
    rows: list[str], passes_of: int, warehouse_of: Start, lakehouse: Open, tmp_path: Path
) -> None:
    warehouse = warehouse_of(held(rows))
    source = lakehouse()
    assert passes(warehouse) <= passes_of
    same(source, in_files(warehouse, tmp_path))


def test_days_that_contradict_the_first_rows_are_found(warehouse_of: Start, lakehouse: Open) -> None:
    rows = [event("order_created", f"{number % 12 + 13}/10/2025 10:00:00", f"{number}") for number in range(1_000)]
    warehouse_of(held([*rows, *(event("order_created", "10/30/2025 10:00:00", f"m{n}") for n in range(3))]))
    with pytest.raises(SourceError, match=r"begin with the day, such as .* and with the month"):
        lakehouse()


def test_opening_again_reads_no_row(warehouse_of: Start, lakehouse: Open, tmp_path: Path) -> None:
    warehouse = warehouse_of(held(ROWS))
    lakehouse()
    before = len(warehouse.statements)
    again = lakehouse()
    assert not [sql for sql in warehouse.asked[before:] if reads_rows(sql)]
    assert len(warehouse.statements) == before + 2, "the columns and the table's version"
    same(again, in_files(warehouse, tmp_path))
    warehouse.connection.execute(f"UPDATE {TABLE} SET order_id = 'other' WHERE order_id = 'b'")
    lakehouse()
    assert passes(warehouse) == 2, "as many rows, and another version"


def test_a_view_is_known_by_what_it_holds(warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(held(ROWS))
    warehouse.faults.no_history = True
    lakehouse()
    lakehouse()
    assert passes(warehouse) == 1
    warehouse.connection.execute(f"UPDATE {TABLE} SET ts = '2025-10-26 09:00:00' WHERE ts = '{day(9, 25)}'")
    lakehouse()
    assert passes(warehouse) == 2


def test_a_refresh_is_one_pass_that_other_processes_share(warehouse_of: Start, lakehouse: Open, tmp_path: Path) -> None:
    warehouse = warehouse_of(held(ROWS))
    first, second = lakehouse(), lakehouse()
    warehouse.connection.execute(f"INSERT INTO {TABLE} VALUES {event('order_created', day(12, 26), 'new')}")
    before = passes(warehouse)
    assert first.refresh()
    assert second.refresh()
    assert passes(warehouse) == before + 1
    for one in (first, second):
        same(one, in_files(warehouse, tmp_path))


@pytest.mark.parametrize("damage", ["torn", "another's", "without its readings"])
def test_a_file_that_is_not_whole_is_not_believed(
    damage: str, warehouse_of: Start, lakehouse: Open, tmp_path: Path
) -> None:
    warehouse = warehouse_of(held(ROWS))
    lakehouse()
    (stored,) = (tmp_path / "cache").glob("*.parquet")
    if damage == "torn":
        stored.write_bytes(stored.read_bytes()[:-9])
    elif damage == "another's":
        pq.write_table(pa.table({"x": [1]}), stored)
    else:
        pq.write_table(pq.read_table(stored).replace_schema_metadata(None), stored)
    same(lakehouse(), in_files(warehouse, tmp_path))
    assert passes(warehouse) == 2


def test_locations_spelt_otherwise_are_found_by_their_raw_values(warehouse_of: Start, lakehouse: Open) -> None:
    rows = f"SELECT * FROM (VALUES {', '.join(ROWS)}) AS rows({COLUMNS})"
    warehouse = warehouse_of({"lakeflow.all_events": f"SELECT *, 'pier' AS gk_id FROM ({rows})"})
    warehouse.connection.execute(f"UPDATE {TABLE} SET location = NULL WHERE location = 'pier'")
    source = lakehouse()
    for place, found in {
        "loop": r"IN \(:place_0, :place_1\)\)",
        "pier": r"IN \(:place_0\) OR `location` IS NULL\)",
    }.items():
        chosen = source.location(place)
        assert source.source.window(place, chosen.start, chosen.end + 1).num_rows
        assert re.search(found, warehouse.asked[-1])


def test_what_is_counted_is_what_events_are_given() -> None:
    given = queries.text("events")
    flags = given[given.index("AS reason,") :]
    assert set(re.findall(r"THEN '([^']+)'", flags)) == set(whole_table.FLAGS.values())
    assert set(whole_table.ASIDE.values()) <= set(re.findall(r"THEN '([^']+)'", given))
