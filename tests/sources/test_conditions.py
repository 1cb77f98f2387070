"""Conditions on raw columns: they let every row pass that the decoding finds in a range, and no more files than they must."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from twin.foundation.times import DAY
from twin.sources import queries, whole_table
from twin.sources.base import Window
from twin.sources.event_table import Columns, EventTable
from twin.sources.lives import Alive
from twin.sources.odd_values import OddValues
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.sources.whole_table import WholeTable

MIDNIGHT = 1_760_572_800.0
"""2025-10-16."""
ANY = Reading(dates="day-first", zones=("America/Los_Angeles", "Asia/Kathmandu"))
PLAIN = Reading(only_plain=True)
CLOCKS = ["00:00:00", "00:00:01.5", "11:59:59.999999", "23:59:59.999"]
DATES = ["2025-10-14", "2025-10-15", "2025-10-16", "2025-10-17", "2025-10-18"]
PLAINS = [f"{date}{between}{clock}" for date in DATES for between in " T" for clock in CLOCKS]
ZONES = ["Z", "+14:00", "-12:00", " +0545", " PDT", "[Asia/Kathmandu]", " America/Los_Angeles"]
ZONED = [f"{date} {clock}{zone}" for date in DATES for clock in (*CLOCKS, "24:00:00") for zone in ZONES]
DAY_FIRST = [f"{date[8:]}/{date[5:7]}/{date[:4]} {clock}" for date in DATES for clock in CLOCKS]
NUMBERS = [int(MIDNIGHT + hours * 3600) * share for hours in range(-40, 64, 3) for share in (1, 10**3, 10**6, 10**9)]
GARBAGE = ["", "never", "0000", "2025-99-99 00:00:00", "x" * 200]


@dataclass(frozen=True)
class Table:
    """A table whose rows differ in their times (SQL type and values); how they are read, and whether all are quick to find."""

    kind: str
    times: Sequence[Any]
    reading: Reading
    quick: bool = True

    def __str__(self) -> str:
        return f"{self.kind} {self.times[-1]}"


TABLES = [
    Table("VARCHAR", [*GARBAGE, *PLAINS], PLAIN),
    Table("VARCHAR", [*GARBAGE, *PLAINS, *ZONED], ANY),
    Table("VARCHAR", [*PLAINS, *ZONED, *DAY_FIRST], ANY, quick=False),
    Table("VARCHAR", [*PLAINS, *map(str, NUMBERS)], ANY, quick=False),
    Table("VARCHAR", [*PLAINS, " 2025-10-16 03:00:00"], ANY, quick=False),
    Table("TIMESTAMP", PLAINS, Reading()),
    Table("TIMESTAMP WITH TIME ZONE", PLAINS, Reading()),
    Table("DATE", DATES, Reading()),
    Table("BIGINT", [0, -5, 2**62, *NUMBERS], ANY),
    Table("DOUBLE", [float(number) for number in NUMBERS], ANY),
]
LOCATIONS = {
    "VARCHAR": [" sf ", "sf", "la", None],
    "INTEGER": ["7", "8", "9", None],
    "DOUBLE": ["7.5", "8.0", "9.0", None],
}


class World:
    """A table in DuckDB, each time at each location and for orders of both spellings."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, place: str, blanks: bool) -> None:
        ids = ["A", "A-long", *([" A", "A-long "] if blanks else [])]
        connection.execute("CREATE TABLE times AS SELECT unnest($1) AS ts", [list(table.times)])
        connection.execute("CREATE TABLE places AS SELECT unnest($1) AS place", [LOCATIONS[place]])
        connection.execute("CREATE TABLE ids AS SELECT unnest($1) AS id", [ids])
        connection.execute(
            f"""CREATE TABLE raw AS SELECT 'gk_ready' AS event_type, CAST(ts AS {table.kind}) AS ts,
            CAST(place AS {place}) AS location, 'other' AS gk_id, id AS order_id, row_number() OVER () AS sequence, '{{}}' AS body
            FROM times, places, ids"""
        )
        self._connection, self._decoded = connection, False
        described = connection.execute("DESCRIBE raw").fetchall()
        columns = Columns({one[0]: one[0] for one in described}, {one[0]: one[1] for one in described})
        table_of_rows = EventTable("raw", columns)
        sql = whole_table.statement(
            table_of_rows.whole(), table_of_rows.times(), replace(table.reading, only_plain=False)
        )
        found = WholeTable(connection.sql(queries.transpile(sql), params={"kinds": "together"}).to_arrow_table())
        self.spellings = found.facts(None).spellings
        odd = OddValues.found(table.reading, found.total("odd_times"), found.total("odd_orders"))
        self.table = table_of_rows.holding(odd)
        self._reading = table.reading

    def rows(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        found: pa.Table = self._connection.sql(queries.transpile(sql), params=parameters).to_arrow_table()
        return found.to_pylist()

    def numbers(self, where: tuple[str, dict[str, Any]], condition: str) -> list[float]:
        """The numbers of the rows that pass `where` and, decoded, have a time and meet a condition."""
        if not self._decoded:
            decoding = queries.databricks("ready", self.table.bronze(""), self.table.times(), self._reading)
            events = decoding.removesuffix(queries.text("ready")) + "SELECT * FROM events WHERE reason IS NULL"
            self._connection.execute(f"CREATE TABLE decoded AS {queries.transpile(events)}")
            self._decoded = True
        passed = f"SELECT sequence FROM raw {where[0]}"
        sql = f"SELECT sequence FROM decoded WHERE {condition} AND sequence IN ({passed}) ORDER BY sequence"
        return [row["sequence"] for row in self.rows(sql, where[1])]

    def raw(self, where: tuple[str, dict[str, Any]]) -> int:
        """How many raw rows pass."""
        counted = self.rows(f"SELECT count(*) AS n FROM raw {where[0]}", where[1])
        return int(counted[0]["n"])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        json_bodies.register(opened)
        yield opened


def between(start: float, end: float) -> str:
    return f"epoch_us(ts) >= {start * 1e6:.0f} AND epoch_us(ts) < {end * 1e6:.0f}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "place", "blanks"),
    [
        *((one, "VARCHAR", True) for one in TABLES),
        (TABLES[0], "VARCHAR", False),
        (TABLES[5], "INTEGER", True),
        (TABLES[5], "DOUBLE", False),
    ],
    ids=str,
)
def test_no_row_of_a_range_or_an_order_is_missed(
    table: Table, place: str, blanks: bool, connection: duckdb.DuckDBPyConnection
) -> None:
    world = World(connection, table, place, blanks)
    ranges = [
        (MIDNIGHT, MIDNIGHT + DAY), (MIDNIGHT - 3600, MIDNIGHT + 1), (MIDNIGHT + 0.5, MIDNIGHT + 43_200), (-1e12, 1e12)
    ]  # fmt: skip
    everywhere = ("", dict[str, Any]())
    assert set(world.spellings) >= {"other"}, "where the first column has none the second says it"
    for location, spellings in world.spellings.items():
        here = f"location = '{location}'"
        for start, end in ranges:
            condition = f"{here} AND {between(start, end)}"
            expected = world.numbers(everywhere, condition)
            assert expected or start != MIDNIGHT, "the day itself has rows in each table"
            assert world.numbers(world.table.where(spellings, start, end), condition) == expected
        close, alive = Window(MIDNIGHT, MIDNIGHT + DAY), Alive(["A-long"], Window(MIDNIGHT - DAY, MIDNIGHT + DAY / 2))
        long = f"order_id = 'A-long' AND {between(alive.reach.start, alive.reach.end)}"
        either = f"{here} AND ({between(close.start, close.end)} OR {long})"
        found = world.numbers(world.table.where_lives(spellings, close, alive), either)
        assert found == world.numbers(everywhere, either)
        found = world.numbers(world.table.where_long(spellings, alive), f"{here} AND {long}")
        assert found == world.numbers(everywhere, f"{here} AND {long}")
        found = world.numbers(world.table.where_order("A", spellings), f"{here} AND order_id = 'A'")
        assert found == world.numbers(everywhere, f"{here} AND order_id = 'A'")
    found = world.numbers(world.table.where_order("A"), "order_id = 'A'")
    assert found == world.numbers(everywhere, "order_id = 'A'")


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_only_a_table_with_odd_values_is_asked_slowly(table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    world = World(connection, table, "VARCHAR", blanks=False)
    where = world.table.where(world.spellings["sf"], MIDNIGHT, MIDNIGHT + DAY)
    assert bool("RLIKE" in where[0]) is not table.quick
    assert "CAST(`" not in where[0]
    assert "trim" not in world.table.where_order("A")[0]


def test_plain_texts_are_read_for_the_days_of_a_range_alone(connection: duckdb.DuckDBPyConnection) -> None:
    world = World(connection, TABLES[0], "VARCHAR", blanks=False)
    of_day = len([text for text in PLAINS if text.startswith("2025-10-16")]) * 2 * 2  # orders, spellings
    assert world.raw(world.table.where(world.spellings["sf"], MIDNIGHT, MIDNIGHT + DAY)) == of_day
    assert world.raw(world.table.where(world.spellings["sf"], MIDNIGHT + 1, MIDNIGHT + 2)) == of_day
    assert world.raw(world.table.where(None, MIDNIGHT, MIDNIGHT + DAY)) == 2 * of_day, "four values of locations"


def test_what_is_not_learnt_would_be_missed(connection: duckdb.DuckDBPyConnection) -> None:
    """The test above can fail: plain conditions do lose rows of a table with odd values."""
    world = World(connection, TABLES[2], "VARCHAR", blanks=True)
    blind = world.table.holding(OddValues(times=False, other_days=False, orders=False))
    spellings, inside = world.spellings["sf"], f"location = 'sf' AND {between(MIDNIGHT, MIDNIGHT + DAY)}"
    found = [world.numbers(one.where(spellings, MIDNIGHT, MIDNIGHT + DAY), inside) for one in (world.table, blind)]
    assert len(found[1]) < len(found[0])
    orders = [world.numbers(one.where_order("A"), "order_id = 'A'") for one in (world.table, blind)]
    assert len(orders[1]) < len(orders[0])


@pytest.mark.parametrize(
    ("order", "rows"), [("17", 1), ("017", 0), ("x", 0), (" 17", 0), ("1e1", 0), (str(2**63 - 1), 1), (str(2**80), 0)]
)
def test_numbers_are_found_by_their_text_and_by_no_other(
    order: str, rows: int, connection: duckdb.DuckDBPyConnection
) -> None:
    connection.execute("CREATE TABLE raw AS SELECT unnest([17, 10, 9223372036854775807])::BIGINT AS order_id")
    names = ("order_id", "ts", "event_type")
    columns = Columns({name: name for name in names}, dict.fromkeys(names, "LONG"))
    where, parameters = EventTable("raw", columns).where_order(order)
    assert "CAST" not in where
    found = connection.sql(queries.transpile(f"SELECT * FROM raw {where}"), params=parameters)
    assert len(found.fetchall()) == rows
