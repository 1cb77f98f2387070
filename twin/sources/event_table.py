"""The SQL over the raw columns of a lakehouse's event table, in either generation of the schema."""

import json
import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

from twin.foundation.errors import SourceError
from twin.foundation.times import DAY
from twin.sources import queries, tables
from twin.sources.base import Window
from twin.sources.lives import Alive
from twin.sources.odd_values import ISO_DATE, OddValues
from twin.sources.queries.times import Column, Reading

REQUIRED = ("event_type", "ts", "order_id")
LOCATION_COLUMNS = ("location", "location_id", "gk_id")
"""Names of the column with the location, in the order of preference."""
MOST_IDS = 10_000
"""Most ids in one statement; where more orders live long, all rows in their reach are read instead."""
TEXTS = ("STRING", "VARCHAR", "CHAR")
"""Types of columns that hold texts, the last two in DuckDB."""
INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "BYTE", "SHORT", "INTEGER", "LONG")
"""Types of columns that hold whole numbers, as SQL and as Unity Catalog name them."""
MOST_INTEGER = 2**63 - 1
LATEST_NUMBER = 4_102_444_800
"""No number is read as a time from here on, which is 2100."""
SINCE_1970 = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""What a number may count since 1970, by its share of a second; which it is, its size says (queries/timed.sql)."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by lower-case name: their names as written, and their SQL types in capitals."""

    written: dict[str, str]
    types: dict[str, str]

    @classmethod
    def none(cls) -> "Columns":
        """Return the columns of a table that does not exist."""
        return cls({}, {})

    def location(self) -> list[str]:
        """Return the location columns, as written."""
        return [self.written[name] for name in LOCATION_COLUMNS if name in self.written]


class EventTable:
    """Builds SQL over one event table. Raises SourceError if the table is missing or lacks a required column."""

    version = ""
    """What has been made of the raw rows in it; nothing."""

    def __init__(self, name: str, columns: Columns, odd: OddValues | None = None) -> None:
        """Take the table's quoted name, and what odd values it holds: unless that is known, all kinds of them."""
        self.name = name
        self._columns = columns
        self._odd = odd or OddValues()
        if not columns.written:
            raise SourceError(
                f"There is no table {name}, or the app may not see it: run the pipeline, grant SELECT, "
                "or set CATALOG and LAKEFLOW_SCHEMA."
            )
        if missing := [column for column in REQUIRED if column not in columns.written]:
            raise SourceError(
                f"{name} has no column {', '.join(missing)}: event rows need event_type, ts and order_id "
                "(besides location or location_id, sequence, body)."
            )

    def holding(self, odd: OddValues) -> Self:
        """Return the table with what has been found out about its values: its conditions are then no slower than they must be."""
        table = copy(self)
        table._odd = odd
        return table

    def times(self) -> Column:
        """Return what the column of times holds; numbers are read as texts. A TIMESTAMP is an instant, a TIMESTAMP_NTZ is not."""
        kind = self._columns.types["ts"]
        if kind.startswith("TIMESTAMP"):
            return "naive" if kind.startswith("TIMESTAMP_NTZ") else "instants"
        return "naive" if kind == "DATE" else "text"

    def has_float_times(self) -> bool:
        """Return whether the times are floating-point numbers, which as text would have an exponent."""
        return self._columns.types["ts"] in ("DOUBLE", "FLOAT")

    def location_columns(self) -> list[str]:
        """Return the columns with the location, as written."""
        return self._columns.location()

    def statement(self, query: str, where: str, reading: Reading, reused: bool = False) -> str:
        """Return query `query` in Databricks SQL over the rows of `where`."""
        return queries.databricks(query, self.bronze(where), self.times(), reading, reused)

    def bronze(self, where: str, more: str = "") -> str:
        """Return the SELECT that renames the table's columns to those that queries/timed.sql reads; `more` are further ones."""
        written = self._columns.written
        optional = {
            name: as_text(written[name]) if name in written else "CAST(NULL AS STRING)" for name in ("sequence", "body")
        }
        ts = quoted(written["ts"])
        if self.times() == "text":
            ts = f"CAST({f'try_cast({ts} AS DECIMAL(28, 6))' if self.has_float_times() else ts} AS STRING)"
        return (
            f"SELECT {as_text(written['event_type'])} AS event_type, {ts} AS ts, "
            f"{self._location()} AS location, {as_text(written['order_id'])} AS order_id, "
            f"{optional['sequence']} AS sequence, {optional['body']} AS body{more}\nFROM {self.name}\n{where}"
        )

    def fingerprint(self) -> str:
        """Return the query for what tells states of the table apart, even those of as many rows, by its thin columns."""
        columns = ", ".join(quoted(self._columns.written[name]) for name in REQUIRED)
        return f"SELECT count(*) AS rows_read, bit_xor(hash({columns})) AS content\nFROM {self.name}"

    def whole(self, where: str = "") -> str:
        """Return `bronze`, by default of all rows, with `elsewhere`: whether a row has its location in another column than the
        first."""
        columns = self._columns.location()
        elsewhere = f"{quoted(columns[0])} IS NULL" if len(columns) > 1 else "FALSE"
        return self.bronze(where, f", {elsewhere} AS elsewhere")

    def where_lives(
        self, spellings: Sequence[str | None] | None, close: Window, alive: Alive | None
    ) -> tuple[str, dict[str, Any]]:
        """Return a condition like `where`, which lets the rows in `close` and all rows of the orders in `alive` pass."""
        if alive is None:
            return self.where(spellings, close.start, close.end)
        # these orders are alive near the range, so that theirs and it make one; a list of ids skips nothing, a range does
        whole = Window(min(close.start, alive.reach.start), max(close.end, alive.reach.end))
        where, parameters = self.where(spellings, whole.start, whole.end)
        near = self._between(close, "close")
        if len(alive.ids) > MOST_IDS or near is None:
            return where, parameters
        long, more = self._long(alive)
        return f"{where} AND ({near[0]} OR {long})", parameters | near[1] | more

    def where_long(self, spellings: Sequence[str | None], alive: Alive) -> tuple[str, dict[str, Any]]:
        """Return a condition like `where`, which lets all rows of the orders in `alive` pass."""
        where, parameters = self.where(spellings, alive.reach.start, alive.reach.end)
        if len(alive.ids) > MOST_IDS:
            return where, parameters
        long, more = self._long(alive)
        return f"{where or 'WHERE 1 = 1'} AND {long}", parameters | more

    def where_order(self, order: str, spellings: Sequence[str | None] | None = None) -> tuple[str, dict[str, Any]]:
        """Return the condition that selects the rows of one order by the id that the table has, and its parameters.

        `spellings` are the raw values of its location; None: it may be at any.
        """
        where, parameters = self.where(spellings)
        if self._odd.orders and self._is_text("order_id"):
            test, more = f"{self._trimmed_order()} = :raw_order_id", {"raw_order_id": order}
        else:
            test, more = self._is_one_of("order_id", {"raw_order_id": order})
        return f"{where} AND {test}" if where else f"WHERE {test}", parameters | more

    def where(
        self, spellings: Sequence[str | None] | None, start: float | None = None, end: float | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return a condition on raw columns, so that the warehouse can skip files, and its parameters.

        `spellings` are the raw values of the location; None: all locations. The condition lets all rows of the location in
        [start, end) pass, and may let others pass: those of the same days, and of a day earlier and later where the texts of
        times have offsets that may lead there.
        """
        parameters: dict[str, Any] = {}
        conditions: list[str] = []
        if spellings is not None and (columns := self._columns.location()):
            texts = [one for one in spellings if one is not None]
            test, parameters = self._is_one_of(
                columns[0].lower(), {f"place_{number}": text for number, text in enumerate(texts)}
            )
            tests = [test] if texts or None not in spellings else []
            tests += [f"{quoted(columns[0])} IS NULL"] if None in spellings else []
            conditions.append(f"({' OR '.join(tests)})")
        inside = None if start is None or end is None else self._between(Window(start, end), "bronze")
        if inside is not None:
            conditions.append(inside[0])
            parameters |= inside[1]
        return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), parameters

    def _between(self, window: Window, name: str) -> tuple[str, dict[str, Any]] | None:
        """Return the condition that lets the rows in a range pass, and its parameters, whose names begin with `name`.

        None where the column's type allows none.
        """
        ts, kind = quoted(self._columns.written["ts"]), self._columns.types["ts"]
        if self.times() != "text":
            moments = {f"{name}_from": tables.moment(window.start), f"{name}_to": tables.moment(window.end)}
            if kind == "DATE":
                return f"({ts} >= CAST(:{name}_from AS DATE) AND {ts} <= CAST(:{name}_to AS DATE))", moments
            return f"({ts} >= :{name}_from AND {ts} < :{name}_to)", moments
        if kind in INTEGERS:
            return _numbers_between(ts, window, name)
        if not self._is_text("ts"):
            return None
        # ISO dates sort as text; a text that begins with none is decoded
        beside = DAY if self._odd.other_days else 0.0
        last = math.ceil(window.end / DAY) * DAY
        days = {f"{name}_from": _day_text(window.start - beside), f"{name}_to": _day_text(last + beside)}
        odd = f" OR NOT {ts} RLIKE {ISO_DATE}" if self._odd.times else ""
        return f"({ts} >= :{name}_from AND {ts} < :{name}_to{odd})", days

    def _long(self, alive: Alive) -> tuple[str, dict[str, Any]]:
        """Return the condition that selects the rows of long orders by their ids, and its parameters."""
        plain = self._is_text("order_id") and not self._odd.orders
        order = quoted(self._columns.written["order_id"]) if plain else self._trimmed_order()
        condition = f"{order} IN (SELECT explode(from_json(:long_ids, 'ARRAY<STRING>')))"
        return condition, {"long_ids": json.dumps(alive.ids)}

    def _is_one_of(self, column: str, values: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """Return the condition whether a column has one of these values, and its parameters: `values` in the column's own type.

        `column` is its lower-case name; the values are texts as SQL writes them. One that the type cannot hold is in no row.
        """
        kind, written = self._columns.types[column], self._columns.written[column]
        parameters: dict[str, Any] = dict(values)
        if kind in INTEGERS:
            numbers = {name: _whole(text) for name, text in values.items()}
            parameters = {name: number for name, number in numbers.items() if number is not None}
        plain = kind in INTEGERS or self._is_text(column)
        listed = ", ".join(f":{name}" for name in parameters)
        return (f"{quoted(written) if plain else as_text(written)} IN ({listed})" if listed else "FALSE"), parameters

    def _is_text(self, column: str) -> bool:
        return self._columns.types[column].partition("(")[0] in TEXTS

    def _trimmed_order(self) -> str:
        return f"trim({as_text(self._columns.written['order_id'])})"

    def _location(self) -> str:
        columns = [as_text(name) for name in self._columns.location()]
        if not columns:
            return "'kitchen'"  # the table of a single kitchen has no such column
        return columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})"


def quoted(name: str) -> str:
    """Return a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def as_text(column: str) -> str:
    """Return the expression that casts a column to text."""
    return f"CAST({quoted(column)} AS STRING)"


def _day_text(seconds: float) -> str:
    return str(tables.moment(seconds).astype("datetime64[D]"))


def _numbers_between(ts: str, window: Window, name: str) -> tuple[str, dict[str, Any]]:
    """Return the condition whether a number counts to a second of a range, whatever it counts, and its parameters."""
    first, last = math.floor(max(window.start, 0.0)), math.ceil(min(window.end, LATEST_NUMBER))
    parameters: dict[str, Any] = {}
    for unit, share in SINCE_1970.items():
        parameters |= {f"{name}_from_{unit}": first * share, f"{name}_to_{unit}": last * share}
    tests = [f"{ts} BETWEEN :{name}_from_{unit} AND :{name}_to_{unit}" for unit in SINCE_1970]
    return f"({' OR '.join(tests)})", parameters


def _whole(text: str) -> int | None:
    """Return a whole number from the text that SQL's cast writes for it; None for any other text."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and abs(number) <= MOST_INTEGER else None
