"""The lakehouse as a source: the tables of Casper's Kitchens, queried through a SQL warehouse.

All work is pushed down: the warehouse runs the same .sql files as DuckDB, over the decoded rows of `all_events`. Either
generation of the schema is recognised by its columns. A window is read day by day in parallel, and past days are cached on disk
(table_cache.py).
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from twin.foundation import errand, progress, telemetry
from twin.foundation.cache import ByteCache, one_each
from twin.foundation.errors import ConfigError, SourceError
from twin.foundation.settings import Settings
from twin.foundation.times import DAY, HOUR, LATEST
from twin.sources import lives, pipeline_tables, queries, recent_rows, tables, whole_table, window_sizes
from twin.sources.arrivals import Arrivals
from twin.sources.base import Location, Quality, Times, Volume, Window
from twin.sources.contents import Contents, RawTable, run
from twin.sources.event_table import Columns, EventTable, as_text, quoted
from twin.sources.lives import Alive, Reused
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.sources.recent_rows import RecentRows
from twin.sources.table_cache import TableCache
from twin.sources.warehouse import CONNECTIONS, Warehouse
from twin.sources.window_sizes import Budget, Size

EVENTS, GOLD = "all_events", "gold_order_header"
COUNTED_FROM = 0.25
"""Share of the memory of a range from which on its rows are counted before they are read; below, orders per hour tell enough."""

OF_EVENTS = ("event_page", "happened", "near_orders")
"""Queries about the rows of a range, whatever orders they belong to."""
LOOKUPS = CONNECTIONS // 2
"""Most searches for an order id at once: each may read a column of the whole table, and what is shown must not wait for them."""

SHORT_DAYS = 3
"""Calendar days of a range that counts as short: the 24 hours of a first view touch two or three."""

NO_VOLUME = Volume(np.empty(0), np.empty(0, np.int64))

Progress = Callable[[str, float], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Schema:
    """The catalog, and the schemas of the pipeline's and the simulator's tables."""

    catalog: str
    lakeflow: str
    simulator: str

    @classmethod
    def of(cls, name: str, settings: Settings) -> "Schema":
        """Parse `databricks` (the settings' catalog and schemas) or `databricks://catalog.schema`.

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
        return ".".join(quoted(part) for part in (self.catalog, self.simulator if simulator else self.lakeflow, name))


class DatabricksSource:
    """The event table of a lakehouse. Raises SourceError with one sentence on what to do."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        progress: Progress | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        """`token()` returns the access token of the user with whose rights the tables are read; None: with this process's."""
        report = progress or (lambda _message, _share: None)
        self.name = name
        self._schema = Schema.of(name, settings)
        self._settings = settings
        if not settings.warehouse_path:
            raise SourceError(
                "Which SQL warehouse? Set DATABRICKS_WAREHOUSE_ID (in its address, behind /sql/warehouses/) "
                "or DATABRICKS_HTTP_PATH."
            )
        self._warehouse = Warehouse(
            settings.warehouse_path, settings.cloud_fetch, query_tags=settings.query_tags, token=token
        )
        self._pool = ThreadPoolExecutor(2 * CONNECTIONS, thread_name_prefix="warehouse")
        # the days of long ranges, however many there are, leave a place for short questions, and threads to ask them
        self._long_pool = ThreadPoolExecutor(CONNECTIONS - 1, thread_name_prefix="warehouse-long")
        self._names: ByteCache[dict[str, str]] = ByteCache(len(tables.DIMENSIONS), one_each)
        self._lookups = threading.Semaphore(LOOKUPS)
        report("Connecting to the SQL warehouse", 0.1)
        self._columns = self._read_columns(lambda message: report(message, 0.2))
        self._table = EventTable(self._schema.table(EVENTS), self._columns_of(EVENTS))
        self._pipeline = pipeline_tables.find(self._columns_of, self._schema.table, self._table, settings)
        report("Looking for the kitchens", 0.5)
        self.as_of: float | None = time.time()
        self.metered = True
        self.watched: tuple[str, ...] = ()
        self._raw = RawTable(self._warehouse, self._table, settings)
        self._contents = self._read_contents()
        self._read_at = time.monotonic()
        self._arrivals = Arrivals()
        self._recent: RecentRows | None = None
        self._is_followed = False
        # the key covers the table and the decoding; `_day` adds what changes with the rows
        self._days = TableCache(
            (self._schema.table(EVENTS), queries.databricks("window", "", self._table.times())),
            settings.cache_folder,
            settings.cache_bytes,
        )

    # -- the Source protocol ---------------------------------------------------------------------------------------------
    content = ""

    @property
    def times(self) -> Times:
        return self._contents.times

    @property
    def mark(self) -> int:
        return self._arrivals.mark

    def arrived(self, location: str, after: int) -> pa.Table | None:
        self._is_followed = True  # from now on a refresh finds out which rows are new
        return self._arrivals.of(location, after)

    def locations(self) -> list[Location]:
        return list(self._contents.locations)

    def quality(self, location: str | None = None) -> Quality:
        return self._contents.accounts.of(location)

    def volume(self, location: str) -> Volume:
        self._place(location)
        return self._contents.volumes[location]

    def refresh(self) -> bool:
        """Read the table's contents again if its number of rows has changed; return whether it has. Raises SourceError.

        If nothing has changed this takes one statement, which a Delta table answers from its log. For who follows a kitchen only
        the latest rows are read, in one more statement, as long as all that is new is among them; what only the whole table
        tells is read after the settings' `refresh_s` again.
        """
        now = time.time()
        rows = self._rows_now()
        if rows == self._contents.rows:
            self.as_of = now
            return False
        if not (self._is_followed and rows is not None and self._take_in(rows)):
            self._read_again()
        self.as_of = now
        self._names.clear()
        return True

    def _read_again(self) -> None:
        before = self._contents.rows
        contents = self._read_contents(self._contents.reading)
        self._recent = None
        self._contents = contents  # one assignment, because other threads read it
        self._read_at = time.monotonic()
        self._arrivals.restart(contents.rows - before)
        if self._is_followed:
            recent = self._recent_rows()
            if self._rows_now() == contents.rows:  # else some are in one and not in the other
                self._recent = recent

    def _take_in(self, rows: int) -> bool:
        """Add what is new among the latest rows to the contents; return whether that is all there is to `rows` rows now."""
        before = self._contents
        if rows < before.rows or time.monotonic() - self._read_at >= self._settings.refresh_s:
            return False
        recent = self._recent_rows()
        new = recent.new(self._recent, max(place.end for place in before.locations))
        found, more = len(new.rows), rows - before.rows
        # more than were counted have come in since; without knowing what was there, only as many are certainly the right ones
        if found < more or (self._recent is None and found > more):
            return False
        contents = recent_rows.with_new(before, recent, new)
        if contents is None:
            return False
        self._contents, self._recent = contents, recent
        self._arrivals.add(new.used(), found)
        return True

    def _recent_rows(self) -> RecentRows:
        """Return the latest rows of all locations, in one statement."""
        contents = self._contents
        since = max(place.end for place in contents.locations) - self._settings.late_s
        where, more = self._conditions.where(None, since, LATEST)
        parameters = {"from_ts": tables.moment(since), **more}
        if contents.table.version:
            rows = run(self._warehouse, contents.table, "arrived", where, parameters, contents.reading)
        else:
            table = contents.table
            reading = replace(contents.reading, only_plain=False)
            sql = whole_table.statement(table.whole(where), table.times(), reading, "arrived")
            with telemetry.query("arrived"), errand.on(purpose="arrived"):
                rows = json_bodies.only_json(self._warehouse.query(sql, parameters))
        return RecentRows(rows, since)

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows; past days are fetched once per machine, rows of long orders in a statement of their own."""
        place, close = self._place(location), lives.near(start, end)
        self._check_size(place, close, lives.ranges(start, end, self._alive(location, start, end)))
        beyond = self._submit(partial(self._long_window, location, start, end))
        budget = Budget(close, self._settings.memory_bytes)
        rows = self._days_between(place, close, budget)
        long = beyond()
        return rows if long is None else pa.concat_tables([rows, budget.add(long)])

    def _days_between(self, place: Location, window: Window, budget: Budget) -> pa.Table:
        start, end = window.start, window.end
        days = np.arange(np.floor(max(start, place.start) / DAY), np.floor(min(end, place.end) / DAY) + 1) * DAY
        pool = self._long_pool if len(days) > SHORT_DAYS else self._pool
        results = [self._submit(partial(self._day_within, budget, window, place.id, float(day)), pool) for day in days]
        if not results:
            return self._between("window", place.id, start, start)
        task, fetched = progress.current(), []
        for done, result in enumerate(results, 1):
            fetched.append(result())
            task.step(done / len(results))
        return pa.concat_tables(fetched)

    def _day_within(self, budget: Budget, window: Window, location: str, day: float) -> pa.Table:
        """Return the rows of a day that lie in the window. Raises `UnknownTimeError` if the budget is used up."""
        budget.check()  # days before this one may have had more than the estimate
        return budget.add(_within(self._day(location, day), window))

    def _long_window(self, location: str, start: float, end: float) -> pa.Table | None:
        """Return the rows of the long orders alive in [start, end) that are not near it; None if there is no such order."""
        alive = self._alive(location, start, end)
        if alive is None:
            return None
        where, more = self._conditions.where_long(self._spellings(location), alive)
        ranges = lives.ranges(start, end, alive)
        return self._run("long_window", where, {"location": location, **_arguments(ranges), **more})

    def history(self, location: str, start: float, end: float) -> pa.Table:
        whole = self._contents.long_orders.whole(self._place(location).id, start, end)
        ranges = lives.bounds(Window(start, end)) | lives.bounds(whole, "reach_")
        return self.query("history", location=location, **ranges)

    def begun(self, start: float, end: float) -> pa.Table:
        alive, close = self._alive(None, start, end), lives.near(start, end)
        where, more = self._conditions.where_lives(None, close, alive)
        reach = self._contents.long_orders.whole(None, start, end)
        return self._run(
            "begun", where, {**_arguments(lives.bounds(Window(start, end)) | lives.bounds(reach, "reach_")), **more}
        )

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        location = str(parameters.get("location", ""))
        where, more = "", dict[str, Any]()
        if {"from_ts", "to_ts"} <= set(parameters):
            start, end = float(parameters["from_ts"]), float(parameters["to_ts"])
            if name in OF_EVENTS:
                where, more = self._where(location, start, end)
            elif location:  # about orders, which have to be whole
                alive = self._alive(location, start, end)
                where, more = self._conditions.where_lives(self._spellings(location), lives.near(start, end), alive)
            else:  # about those of all kitchens that live for up to four hours
                near = lives.near(start, end)
                where, more = self._where("", near.start, near.end)
        elif "order_id" in parameters:
            spellings = self._spellings(location) if location else None
            where, more = self._conditions.where_order(self._raw_id(str(parameters["order_id"])), spellings)
            with self._lookups:
                return self._run(name, where, {**_arguments(parameters), **more})
        elif location:
            where, more = self._where(location)
        return self._run(name, where, {**_arguments(parameters), **more})

    def routes(self, location: str, most: int) -> pa.Table:
        self._place(location)
        most_bytes = window_sizes.most_routes(self._settings.memory_bytes)
        return self.query("routes", location=location, most=most, most_bytes=most_bytes)

    def gold(self) -> Mapping[str, int]:
        """Count the orders of gold_order_header. Raises SourceError."""
        columns = self._columns_of(GOLD)
        places = [as_text(name) for name in columns.location()]
        if not places or "order_id" not in columns.written:
            return {}
        order = as_text(columns.written["order_id"])
        rows = self._warehouse.query(
            f"SELECT coalesce({', '.join(places)}) AS location, count(DISTINCT {order}) AS orders\n"
            f"FROM {self._schema.table(GOLD)}\nGROUP BY 1",
            {},
        )
        return {(row["location"] or "").strip(): row["orders"] for row in rows.to_pylist()}

    def names(self, dimension: str) -> Mapping[str, str]:
        return self._names.load(dimension, lambda: tables.names(self._dimension(dimension), dimension))

    def close(self) -> None:
        """Close the connections."""
        self._long_pool.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._warehouse.close()

    # -- opening ----------------------------------------------------------------------------------------------------------
    def _read_contents(self, guess: Reading | None = None) -> Contents:
        """Return the contents of the pipeline's tables, else those of the raw table."""
        places = partial(self._dimension, "locations")
        if guess is not None:
            self._look_for_pipeline()
        made = self._pipeline and self._pipeline.read(self._warehouse, self._submit, places)
        return made or self._raw.read(places, guess)

    def _look_for_pipeline(self) -> None:
        """Look again for the pipeline's tables, which may have been made since the opening; one small statement."""
        if self._pipeline is None and self._settings.pipeline:
            self._columns = self._read_columns(lambda _: None)
            self._pipeline = pipeline_tables.find(self._columns_of, self._schema.table, self._table, self._settings)

    def _rows_now(self) -> int | None:
        """Return how many rows there are now where the contents come from; None if they cannot come from there any more."""
        version = self._contents.table.version
        if self._pipeline and version:
            return self._pipeline.rows(self._warehouse, version)
        rows = self._warehouse.query(f"SELECT count(*) AS rows_read\nFROM {self._table.name}", {})
        return int(rows["rows_read"][0].as_py())

    def _read_columns(self, report: Callable[[str], None]) -> dict[tuple[str, str], Columns]:
        """Return the columns of all tables by (schema, table), both in lower case, as Unity Catalog stores all names."""
        schema = self._schema
        rows = self._warehouse.query(
            "SELECT table_schema, table_name, column_name, data_type\n"
            f"FROM {quoted(schema.catalog)}.information_schema.columns\n"
            "WHERE table_catalog = :catalog AND table_schema IN (:lakeflow, :simulator)",
            {name: getattr(schema, name).lower() for name in ("catalog", "lakeflow", "simulator")},
            report,
        )
        found: defaultdict[tuple[str, str], Columns] = defaultdict(Columns.none)
        for row in rows.to_pylist():
            columns = found[row["table_schema"].lower(), row["table_name"].lower()]
            columns.written[row["column_name"].lower()] = row["column_name"]
            columns.types[row["column_name"].lower()] = row["data_type"].upper()
        return dict(found)

    def _columns_of(self, table: str, simulator: bool = False) -> Columns:
        schema = self._schema.simulator if simulator else self._schema.lakeflow
        return self._columns.get((schema.lower(), table), Columns.none())

    def _dimension(self, name: str) -> list[dict[str, Any]]:
        """Return a dimension table's rows; none if there is no such table."""
        written = self._columns_of(name, simulator=True).written.values()
        if not written:
            return []
        listed = ", ".join(f"{as_text(column)} AS {quoted(column.lower())}" for column in written)
        return self._warehouse.query(
            f"SELECT {listed}\nFROM {self._schema.table(name, simulator=True)}", {}
        ).to_pylist()

    # -- queries ----------------------------------------------------------------------------------------------------------
    @property
    def _conditions(self) -> EventTable:
        """The table with what is known of its odd values, which conditions must not miss."""
        return self._contents.table.holding(self._contents.odd)

    def _where(self, location: str, start: float | None = None, end: float | None = None) -> tuple[str, dict[str, Any]]:
        return self._conditions.where(self._spellings(location) if location else None, start, end)

    def _reused(self, location: str | None = None) -> Sequence[Reused]:
        """Return the later lives of ids at a location, or at all."""
        return [one for one in self._contents.reused if location in (None, one.location)]

    def _alive(self, location: str | None, start: float, end: float) -> Alive | None:
        """Return the long orders alive in [start, end) at a location, or at all, by the ids that the table has."""
        alive = self._contents.long_orders.alive(location, start, end)
        if alive is None or not self._reused(location):
            return alive
        raw = {one.name: one.id for one in self._reused(location)}
        return Alive(sorted({raw.get(order, order) for order in alive.ids}), alive.reach)

    def _spellings(self, location: str) -> list[str | None]:
        return self._contents.spellings.get(location, [location])

    def _between(self, query: str, location: str, start: float, end: float) -> pa.Table:
        where, more = self._where(location, start, end)
        arguments = {"location": location, "from_ts": tables.moment(start), "to_ts": tables.moment(end), **more}
        return self._run(query, where, arguments)

    def _raw_id(self, order: str) -> str:
        """Return the id that the table has for an order."""
        return next((one.id for one in self._contents.reused if one.name == order), order)

    def _run(self, query: str, where: str, parameters: Mapping[str, Any]) -> pa.Table:
        reading, reused = self._contents.reading, self._reused(parameters.get("location") or None)
        return run(self._warehouse, self._contents.table, query, where, parameters, reading, reused)

    def _day(self, location: str, day: float) -> pa.Table:
        """Return a day's rows, from the cache on disk if possible; days that may still grow are not cached.

        The key has the day's orders per hour, because rows that are added to a past day bring new orders.
        """
        progress.current().check()  # the task may have been cancelled while this waited in the pool
        place, volume = self._place(location), self._contents.volumes.get(location, NO_VOLUME)
        ended = day + 2 * DAY <= place.end
        near = (volume.hour >= day - DAY) & (volume.hour < day + 2 * DAY)
        hours = volume.hour[near].tolist(), volume.orders[near].tolist()
        made = self._contents.table.version
        key: tuple[object, ...] = (location, day, *hours, self._contents.reading, self._contents.odd, made)
        if reused := self._reused(location):
            key = (*key, lives.as_json(reused))
        return self._days.get(key, partial(self._between, "window", location, day, day + DAY), keep=ended)

    def _submit(self, work: Callable[[], Answer], pool: ThreadPoolExecutor | None = None) -> Callable[[], Answer]:
        """Run `work` in a pool, in a copy of this context; return a function that waits for its result."""
        return (pool or self._pool).submit(copy_context().run, work).result

    def _place(self, location: str) -> Location:
        return tables.find_place(location, self._contents.locations)

    def _check_size(self, place: Location, close: Window, ranges: Mapping[str, float]) -> None:
        """Raise `UnknownTimeError` if a window is too large for the memory, before its rows are read.

        The orders per hour tell how many rows to expect; only where these come near the limit are they counted.
        """
        volume, limit = self._contents.volumes[place.id], self._settings.memory_bytes
        inside = int(volume.orders[(volume.hour >= close.start - HOUR) & (volume.hour < close.end)].sum())
        expected = inside * self._contents.accounts.of(place.id).used // (int(volume.orders.sum()) or 1)
        if Size.guessed(expected).bytes <= window_sizes.most(limit) * COUNTED_FROM:
            return
        (row,) = self.query("window_size", location=place.id, **ranges).to_pylist()
        window_sizes.check(Size(row["events"], row["bodies"]), close, limit)


def _within(rows: pa.Table, window: Window) -> pa.Table:
    """Return the rows within a window: the table itself where all are, because a copy takes as much memory again."""
    ts = rows["ts"].cast(pa.int64()).to_numpy()
    inside = (ts >= tables.moment(window.start).astype(np.int64)) & (ts < tables.moment(window.end).astype(np.int64))
    return rows if inside.all() else rows.filter(pa.array(inside))


def _arguments(parameters: Mapping[str, str | int | float]) -> dict[str, Any]:
    """Return parameters as the connector takes them; those that end in `_ts` are data seconds."""
    return {key: tables.moment(float(value)) if key.endswith("_ts") else value for key, value in parameters.items()}
