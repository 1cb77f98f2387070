"""The lakehouse as a source: the tables of Casper's Kitchens, asked through a SQL warehouse.

Everything is pushed down: the warehouse runs the same .sql files as DuckDB does, over the decoded rows of `all_events`. Either
generation of the schema is recognised by its columns. A window is read in days, side by side, and what lies in the past is
kept on disk (day_cache.py).
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from twin.foundation import progress, telemetry
from twin.foundation.errors import ConfigError, SourceError
from twin.foundation.settings import Settings
from twin.sources import queries, tables
from twin.sources.base import Location, Quality, Volume
from twin.sources.day_cache import Chunks
from twin.sources.warehouse import CONNECTIONS, Warehouse

DAY = 86_400.0
EVENTS, GOLD = "all_events", "gold_order_header"
REQUIRED = ("event_type", "ts", "order_id")
PLACES = ("location", "location_id", "gk_id")
LIFE_S = DAY
"""An order's events lie within so much of its first one: aggregates over a range read so much more on both sides."""
MOST_ROWS = 20_000_000
"""Events of one window; beyond, an app of 6 GB could not hold it."""

NO_VOLUME = Volume(np.empty(0), np.empty(0, np.int64))

Progress = Callable[[str, float], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Schema:
    """Where the tables are."""

    catalog: str
    lakeflow: str
    simulator: str

    @classmethod
    def of(cls, name: str, settings: Settings) -> "Schema":
        """Read `databricks` (the settings' catalog and schemas) or `databricks://catalog.schema`.

        >>> Schema.of("databricks://shop.events", Settings())
        Schema(catalog='shop', lakeflow='events', simulator='simulator')
        """
        if name == "databricks":
            return cls(settings.catalog, settings.lakeflow_schema, settings.simulator_schema)
        catalog, dot, schema = name.removeprefix("databricks://").partition(".")
        if not (catalog and dot and schema) or "/" in schema:
            raise ConfigError(
                f"{name!r} names no schema: write databricks://catalog.schema, or databricks and set CATALOG."
            )
        return cls(catalog, schema, settings.simulator_schema)

    def table(self, name: str, simulator: bool = False) -> str:
        """Return a table's quoted name."""
        return ".".join(_quoted(part) for part in (self.catalog, self.simulator if simulator else self.lakeflow, name))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the table holds, as far as was told when it was last asked."""

    rows: int
    spelled: Mapping[str, list[str | None]]
    quality: Sequence[tuple[Any, ...]]
    flags: Sequence[tuple[Any, ...]]
    locations: Sequence[Location]
    volumes: Mapping[str, Volume]


class DatabricksSource:
    """The event table of a lakehouse. Raises SourceError with one sentence that says what to do."""

    def __init__(self, name: str, settings: Settings, progress: Progress | None = None) -> None:
        report = progress or (lambda _message, _share: None)
        self.name = name
        self._schema = Schema.of(name, settings)
        if not settings.warehouse_path:
            raise SourceError(
                "Which SQL warehouse? Set DATABRICKS_WAREHOUSE_ID (in its address, behind /sql/warehouses/) "
                "or DATABRICKS_HTTP_PATH."
            )
        self._warehouse = Warehouse(settings.warehouse_path)
        self._pool = ThreadPoolExecutor(2 * CONNECTIONS, thread_name_prefix="warehouse")
        self._names: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        report("Connecting to the SQL warehouse", 0.1)
        self._columns = self._find_columns(lambda words: report(words, 0.2))
        self._table = self._columns.get((self._schema.lakeflow.lower(), EVENTS), {})
        self._refuse_strange_table()
        report("Looking for the kitchens", 0.5)
        self.as_of: float | None = time.time()
        self._known = self._look()
        # another table or another decoding are other chunks; so are other rows, see `_day`
        self._chunks = Chunks(
            (self._schema.table(EVENTS), queries.databricks("window", "")), settings.cache_folder, settings.cache_bytes
        )

    # -- what a source answers ------------------------------------------------------------------------------------------
    def locations(self) -> list[Location]:
        return list(self._known.locations)

    def quality(self, location: str | None = None) -> Quality:
        return tables.account(self._known.quality, self._known.flags, location)

    def volume(self, location: str) -> Volume:
        self._place(location)
        return self._known.volumes[location]

    def refresh(self) -> bool:
        """Ask the table what it holds now, if it has grown; return whether it has. Raises SourceError.

        One statement, which a Delta table answers from its log, where nothing has come in.
        """
        asked = time.time()
        if self._count() == self._known.rows:
            self.as_of = asked
            return False
        self._known = self._look()  # at once, for whoever reads meanwhile
        self.as_of = asked
        with self._lock:
            self._names.clear()
        return True

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows; whole days of the past are fetched once per machine."""
        place = self._place(location)
        self._refuse_too_much(place, start, end)
        days = np.arange(np.floor(max(start, place.start) / DAY), np.floor(min(end, place.end) / DAY) + 1) * DAY
        parts = [self._later(partial(self._day, location, float(day))) for day in days]
        if not parts:
            return self._between("window", location, start, start)
        under_way, fetched = progress.current(), []
        for done, part in enumerate(parts, 1):
            fetched.append(part())
            under_way.step(done / len(parts))
        whole = pa.concat_tables(fetched)
        ts = whole["ts"].cast(pa.int64()).to_numpy()
        kept = (ts >= tables.moment(start).astype(np.int64)) & (ts < tables.moment(end).astype(np.int64))
        return whole if kept.all() else whole.filter(pa.array(kept))

    def history(self, location: str, start: float, end: float) -> pa.Table:
        self._place(location)
        return self._between("history", location, start, end)

    def ask(self, query: str, **parameters: str | int | float) -> pa.Table:
        given = {
            name: tables.moment(float(value)) if name.endswith("_ts") else value for name, value in parameters.items()
        }
        location = str(parameters.get("location", ""))
        where = ""
        more: dict[str, Any] = {}
        if location and {"from_ts", "to_ts"} <= set(parameters):
            margin = LIFE_S if queries.relations(query) else 0.0
            where, more = self._bounds(
                location, float(parameters["from_ts"]) - margin, float(parameters["to_ts"]) + margin
            )
        elif location:
            where, more = self._bounds(location)
        elif "order_id" in parameters:
            where, more = f"WHERE trim({_text(self._table['order_id'])}) = :order_id", {}
        return self._run(query, where, {**given, **more})

    def routes(self, location: str, most: int) -> pa.Table:
        self._place(location)
        return self.ask("routes", location=location, most=most)

    def gold(self) -> Mapping[str, int]:
        """Count the orders of gold_order_header. Raises SourceError."""
        columns = self._columns.get((self._schema.lakeflow.lower(), GOLD), {})
        places = [_text(columns[name]) for name in PLACES if name in columns]
        if not places or "order_id" not in columns:
            return {}
        rows = self._warehouse.query(
            f"SELECT coalesce({', '.join(places)}) AS location, count(DISTINCT {_text(columns['order_id'])}) AS orders\n"
            f"FROM {self._schema.table(GOLD)}\nGROUP BY 1",
            {},
        )
        return {(row["location"] or "").strip(): row["orders"] for row in rows.to_pylist()}

    def names(self, dimension: str) -> Mapping[str, str]:
        with self._lock:
            if dimension not in self._names:
                self._names[dimension] = tables.names(self._dimension(dimension), dimension)
            return self._names[dimension]

    def close(self) -> None:
        """End the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._warehouse.close()

    # -- opening ----------------------------------------------------------------------------------------------------------
    def _look(self) -> _Known:
        """Ask the table what it holds, all questions side by side. Raises SourceError where nothing of it can be used."""
        spelled = self._later(self._find_spellings)
        asked = {name: self._later(partial(self._whole, name)) for name in ("quality", "flags", "locations", "volume")}
        dimension = self._later(partial(self._dimension, "locations"))
        told = {name: answer() for name, answer in asked.items()}
        quality = _rows(told["quality"], "location", "reason", "rows_read", "rows_used")
        flags = _rows(told["flags"], "location", "flag", "rows_used")
        found = tables.kitchens(told["locations"], dimension())
        account = tables.account(quality, flags, None)
        if not found:
            raise SourceError(tables.nothing_usable(self._schema.table(EVENTS), account))
        return _Known(account.read, spelled(), quality, flags, found, tables.volumes(told["volume"], found))

    def _count(self) -> int:
        rows = self._warehouse.query(f"SELECT count(*) AS rows_read\nFROM {self._schema.table(EVENTS)}", {})
        return int(rows["rows_read"][0].as_py())

    def _find_columns(self, report: Callable[[str], None]) -> dict[tuple[str, str], dict[str, str]]:
        """Return by (schema, table) the columns as written, by their names in small letters; "ts" has its type besides."""
        rows = self._warehouse.query(
            "SELECT table_schema, table_name, column_name, data_type\n"
            f"FROM {_quoted(self._schema.catalog)}.information_schema.columns\n"
            "WHERE table_catalog = :catalog AND table_schema IN (:lakeflow, :simulator)",
            {"catalog": self._schema.catalog, "lakeflow": self._schema.lakeflow, "simulator": self._schema.simulator},
            report,
        )
        found: dict[tuple[str, str], dict[str, str]] = {}
        for row in rows.to_pylist():
            table = found.setdefault((row["table_schema"].lower(), row["table_name"].lower()), {})
            table[row["column_name"].lower()] = row["column_name"]
            if row["column_name"].lower() == "ts":
                table["ts type"] = row["data_type"].upper()
        return found

    def _refuse_strange_table(self) -> None:
        table = self._schema.table(EVENTS)
        if not self._table:
            raise SourceError(
                f"There is no table {table}, or the app may not see it: run the pipeline, grant SELECT, "
                "or set CATALOG and LAKEFLOW_SCHEMA."
            )
        if missing := [name for name in REQUIRED if name not in self._table]:
            raise SourceError(
                f"{table} has no column {', '.join(missing)}: event rows need event_type, ts and order_id "
                "(besides location or location_id, sequence, body)."
            )

    def _find_spellings(self) -> dict[str, list[str | None]]:
        """Return by location how its rows write it: what a predicate on the raw column names, so that files can be skipped."""
        place = self._place_columns()
        raw = place[0] if place else "CAST(NULL AS STRING)"
        rows = self._warehouse.query(
            f"SELECT {raw} AS raw, {self._place_expression()} AS place\nFROM {self._schema.table(EVENTS)}\nGROUP BY 1, 2",
            {},
        )
        spelled: dict[str, list[str | None]] = {}
        for row in rows.to_pylist():
            spelled.setdefault((row["place"] or "").strip(), []).append(row["raw"])
        return spelled

    def _dimension(self, name: str) -> list[dict[str, Any]]:
        """Return a dimension table's rows; none where there is no such table."""
        columns = self._columns.get((self._schema.simulator.lower(), name), {})
        chosen = [written for key, written in columns.items() if key != "ts type"]
        if not chosen:
            return []
        listed = ", ".join(f"{_text(written)} AS {_quoted(written.lower())}" for written in chosen)
        return self._warehouse.query(
            f"SELECT {listed}\nFROM {self._schema.table(name, simulator=True)}", {}
        ).to_pylist()

    # -- queries ----------------------------------------------------------------------------------------------------------
    def _bronze(self, where: str) -> str:
        """Return the SELECT that brings the table's columns under the contract's names."""
        column = {
            name: _text(self._table[name]) if name in self._table else "CAST(NULL AS STRING)"
            for name in ("sequence", "body")
        }
        return (
            f"SELECT {_text(self._table['event_type'])} AS event_type, {_quoted(self._table['ts'])} AS ts, "
            f"{self._place_expression()} AS location, {_text(self._table['order_id'])} AS order_id, "
            f"{column['sequence']} AS sequence, {column['body']} AS body\nFROM {self._schema.table(EVENTS)}\n{where}"
        )

    def _place_columns(self) -> list[str]:
        return [_text(self._table[name]) for name in PLACES if name in self._table]

    def _place_expression(self) -> str:
        columns = self._place_columns()
        if not columns:
            return "'kitchen'"  # a table of one kitchen that does not say so
        return columns[0] if len(columns) == 1 else f"coalesce({', '.join(columns)})"

    def _bounds(
        self, location: str, start: float | None = None, end: float | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return a WHERE over raw columns, and its parameters: nothing that is wanted lies outside, and files can be skipped."""
        parameters: dict[str, Any] = {}
        said: list[str] = []
        first = next((self._table[name] for name in PLACES if name in self._table), None)
        if first is not None:
            spelled = self._known.spelled.get(location, [location])
            parameters |= {
                f"place_{number}": text for number, text in enumerate(one for one in spelled if one is not None)
            }
            tests = [f"{_text(first)} IN ({', '.join(f':{name}' for name in parameters)})"] if parameters else []
            tests += [f"{_quoted(first)} IS NULL"] if None in spelled else []
            said.append(f"({' OR '.join(tests)})")
        if start is not None and end is not None:
            ts = _quoted(self._table["ts"])
            if "TIMESTAMP" in self._table["ts type"]:
                parameters |= {"bronze_from": tables.moment(start), "bronze_to": tables.moment(end)}
                said.append(f"{ts} >= :bronze_from AND {ts} < :bronze_to")
            else:  # text: days sort as they are written; what is written otherwise is let through and decoded
                parameters |= {"bronze_from": _day_text(start), "bronze_to": _day_text(end + DAY)}
                said.append(
                    f"({ts} >= :bronze_from AND {ts} < :bronze_to OR NOT {ts} RLIKE '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
                )
        return (f"WHERE {' AND '.join(said)}" if said else ""), parameters

    def _whole(self, query: str) -> pa.Table:
        return self._run(query, "", {})

    def _between(self, query: str, location: str, start: float, end: float) -> pa.Table:
        where, more = self._bounds(location, start, end)
        given = {"location": location, "from_ts": tables.moment(start), "to_ts": tables.moment(end), **more}
        return self._run(query, where, given)

    def _run(self, query: str, where: str, parameters: Mapping[str, Any]) -> pa.Table:
        sql = queries.databricks(query, self._bronze(where))
        used = {name: value for name, value in parameters.items() if re.search(rf":{name}\b", sql)}
        with telemetry.query(query):
            return self._warehouse.query(sql, used)

    def _day(self, location: str, day: float) -> pa.Table:
        """Return a day's rows, from the disk where they are there and the day has ended.

        Rows that are added to a day later bring orders; a kept day is known by the orders of its hours.
        """
        progress.current().check()  # it may have waited in the pool
        place, volume = self._place(location), self._known.volumes.get(location, NO_VOLUME)
        ended = day + 2 * DAY <= place.end
        near = (volume.hour >= day - DAY) & (volume.hour < day + 2 * DAY)
        key = (location, day, volume.hour[near].tolist(), volume.orders[near].tolist())
        return self._chunks.get(key, partial(self._between, "window", location, day, day + DAY), keep=ended)

    def _later(self, work: Callable[[], Answer]) -> Callable[[], Answer]:
        return self._pool.submit(copy_context().run, work).result

    def _place(self, location: str) -> Location:
        return tables.find_place(location, self._known.locations)

    def _refuse_too_much(self, place: Location, start: float, end: float) -> None:
        """Refuse a window that could not be held, before it is read."""
        volume = self._known.volumes[place.id]
        orders = int(volume.orders.sum()) or 1
        inside = int(volume.orders[(volume.hour >= start - 3600) & (volume.hour < end)].sum())
        used = sum(row[3] for row in self._known.quality if row[0] == place.id)
        rows = inside * used // orders
        if rows > MOST_ROWS:
            days = (end - start) / DAY
            raise SourceError(
                f"{days:.0f} days of {place.display_name} are some {rows / 1e6:.0f} million events, more than can be held: "
                f"choose at most {max(1, int(days * MOST_ROWS / rows))} days."
            )


def _rows(table: pa.Table, *columns: str) -> Sequence[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in table.to_pylist()]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(column: str) -> str:
    return f"CAST({_quoted(column)} AS STRING)"


def _day_text(seconds: float) -> str:
    return str(tables.moment(seconds).astype("datetime64[D]"))
