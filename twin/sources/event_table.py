"""The SQL over the raw columns of a lakehouse's event table, in either generation of the schema."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twin.foundation.errors import SourceError
from twin.foundation.times import DAY
from twin.sources import queries, tables
from twin.sources.base import Window
from twin.sources.lives import Alive
from twin.sources.queries.times import Column, Reading

REQUIRED = ("event_type", "ts", "order_id")
LOCATION_COLUMNS = ("location", "location_id", "gk_id")
"""Names of the column with the location, in the order of preference."""
MOST_IDS = 10_000
"""Most ids in one statement; where more orders live long, all rows in their reach are read instead."""
TEXTS = ("STRING", "VARCHAR", "CHAR")
"""Types of columns that hold texts, the last two in DuckDB."""


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

    def __init__(self, name: str, columns: Columns) -> None:
        """Take the table's quoted name."""
        self.name = name
        self._columns = columns
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

    def whole(self) -> str:
        """Return `bronze` of all rows, with `elsewhere`: whether a row has its location in another column than the first."""
        columns = self._columns.location()
        elsewhere = f"{quoted(columns[0])} IS NULL" if len(columns) > 1 else "FALSE"
        return self.bronze("", f", {elsewhere} AS elsewhere")

    def where_lives(
        self, spellings: Sequence[str | None], close: Window, alive: Alive | None
    ) -> tuple[str, dict[str, Any]]:
        """Return a condition like `where`, which lets the rows in `close` and all rows of the orders in `alive` pass."""
        if alive is None:
            return self.where(spellings, close.start, close.end)
        if len(alive.ids) > MOST_IDS:
            return self.where(spellings, min(close.start, alive.reach.start), max(close.end, alive.reach.end))
        where, parameters = self.where(spellings)
        if (near := self._between(close, "bronze")) is None:
            return where, parameters
        long, more = self._long(alive)
        return f"{where or 'WHERE 1 = 1'} AND ({near[0]} OR {long})", parameters | near[1] | more

    def where_long(self, spellings: Sequence[str | None], alive: Alive) -> tuple[str, dict[str, Any]]:
        """Return a condition like `where`, which lets all rows of the orders in `alive` pass."""
        if len(alive.ids) > MOST_IDS:
            return self.where(spellings, alive.reach.start, alive.reach.end)
        where, parameters = self.where(spellings)
        long, more = self._long(alive)
        return f"{where or 'WHERE 1 = 1'} AND {long}", parameters | more

    def where_order(self) -> str:
        """Return the condition that selects the rows of the order id `:raw_order_id`."""
        return f"WHERE trim({as_text(self._columns.written['order_id'])}) = :raw_order_id"

    def where(
        self, spellings: Sequence[str | None], start: float | None = None, end: float | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return a condition on raw columns, so that the warehouse can skip files, and its parameters.

        `spellings` are the raw values of the location. The condition lets all rows of the location in [start, end) pass, and
        may let others pass: texts from a day earlier and later, because their offset may lead there.
        """
        parameters: dict[str, Any] = {}
        conditions: list[str] = []
        if columns := self._columns.location():
            parameters |= {
                f"place_{number}": text for number, text in enumerate(one for one in spellings if one is not None)
            }
            tests = [f"{as_text(columns[0])} IN ({', '.join(f':{name}' for name in parameters)})"] if parameters else []
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
        ts = quoted(self._columns.written["ts"])
        if self.times() != "text":
            moments = {f"{name}_from": tables.moment(window.start), f"{name}_to": tables.moment(window.end)}
            return f"({ts} >= :{name}_from AND {ts} < :{name}_to)", moments
        if self._columns.types["ts"] not in TEXTS:
            return None
        # ISO dates sort as text; a text that begins with none is decoded
        days = {f"{name}_from": _day_text(window.start - DAY), f"{name}_to": _day_text(window.end + 2 * DAY)}
        iso = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}'"
        return f"({ts} >= :{name}_from AND {ts} < :{name}_to OR NOT {ts} RLIKE {iso})", days

    def _long(self, alive: Alive) -> tuple[str, dict[str, Any]]:
        """Return the condition that lets all rows of long orders pass, and its parameters."""
        order = f"trim({as_text(self._columns.written['order_id'])})"
        condition = f"{order} IN (SELECT explode(from_json(:long_ids, 'ARRAY<STRING>')))"
        parameters: dict[str, Any] = {"long_ids": json.dumps(alive.ids)}
        if (within := self._between(alive.reach, "long")) is None:
            return condition, parameters
        return f"({within[0]} AND {condition})", parameters | within[1]

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
