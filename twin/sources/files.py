"""Event files as a source: CSV, JSON lines, JSON arrays and Parquet, in either generation of the schema, read by DuckDB."""

import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from twin.foundation import progress, telemetry
from twin.foundation.errors import SourceError
from twin.sources import queries, tables
from twin.sources.base import Location, Quality, Volume
from twin.sources.event_files import FileSorter, find, first_line, kind_of, reader, size_of
from twin.sources.queries import json_bodies

log = logging.getLogger(__name__)

ON_DISK_ABOVE = 1 << 30
"""Bytes of input above which the decoded events are stored in a temporary database on disk instead of in memory."""
ON_DISK_MEMORY = "1GB"
"""Memory limit of the database on disk; with it ten million events can be read in a process of 6 GB."""

Progress = Callable[[str, float], None]


class FileSource:
    """Event files, decoded once into DuckDB; every request is then a query over the decoded rows.

    Raises `SourceError` if nothing is usable; the message names the file and what it lacks.
    """

    def __init__(self, source: str | Path, progress: Progress | None = None) -> None:
        self.name = str(source)
        report = progress or (lambda _message, _share: None)
        threading.Thread(target=json_bodies.warm, name="warm-json").start()  # while the files are found and opened
        paths = find(str(source))
        self._lock = threading.Lock()
        on_disk = sum(map(size_of, paths)) > ON_DISK_ABOVE
        self._folder = tempfile.mkdtemp(prefix="twin-") if on_disk else None
        self._connection = (
            duckdb.connect(f"{self._folder}/events.duckdb", config={"memory_limit": ON_DISK_MEMORY})
            if self._folder
            else duckdb.connect(":memory:")
        )
        json_bodies.register(self._connection)
        self._finalizer = weakref.finalize(self, _release, self._connection, self._folder)
        self._files = FileSorter(self.name, self._connection)
        self._broken_lines = 0
        self._dimensions: dict[str, list[dict[str, str]]] = {}
        try:
            self._open(paths, report)
        except BaseException:
            self.close()
            raise
        finally:  # copies of customers' data must not stay on disk, whether reading them succeeded or not
            for copy in self._files.salvaged:
                Path(copy).unlink(missing_ok=True)
        self._volumes: dict[str, Volume] | None = None
        self._tables: set[str] = set()
        self._tables_lock = threading.Lock()

    # -- the Source protocol ---------------------------------------------------------------------------------------------
    as_of: float | None = None

    def refresh(self) -> bool:
        """Return False, because files are read once."""
        return False

    def locations(self) -> list[Location]:
        return list(self._locations)

    def quality(self, location: str | None = None) -> Quality:
        return tables.account(*self._account.result(), location, self._broken_lines)

    def volume(self, location: str) -> Volume:
        if self._volumes is None:
            self._volumes = tables.volumes(self._arrow(queries.for_duckdb("volume"), {}), self._locations)
        return self._volumes[tables.find_place(location, self._locations).id]

    def window(self, location: str, start: float, end: float) -> pa.Table:
        return self._between("window", location, start, end)

    def history(self, location: str, start: float, end: float) -> pa.Table:
        return self._between("history", location, start, end)

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        arguments = {
            key: tables.moment(float(value)).item() if key.endswith("_ts") else value
            for key, value in parameters.items()
        }
        try:
            self._create_tables(queries.relations(name))
            # a separate cursor lets several threads query in parallel
            with telemetry.query(name), self._connection.cursor() as cursor:
                return cursor.sql(queries.for_duckdb(name), params=arguments).to_arrow_table()
        except duckdb.Error as error:
            raise SourceError(f"{self.name} cannot be asked: {first_line(error)}") from error

    def routes(self, location: str, most: int) -> pa.Table:
        return self._arrow(queries.for_duckdb("routes"), {"location": location, "most": most})

    def gold(self) -> Mapping[str, int]:
        return {}

    def names(self, dimension: str) -> Mapping[str, str]:
        return tables.names(self._dimension(dimension), dimension)

    def close(self) -> None:
        """Close the connection and remove the temporary database; otherwise this happens with the source's end."""
        self._finalizer()

    # -- opening --------------------------------------------------------------------------------------------------------
    def _open(self, paths: list[str], report: Progress) -> None:
        """Decode the files into the table `events` and find the locations."""
        report(f"Reading {len(paths)} file{'s' * (len(paths) != 1)}", 0.1)
        groups, self._dimension_files = self._files.sort_out(paths)
        bronze = [group.bronze() for group in groups]
        self._execute(f"CREATE TABLE events AS {queries.decode_for_duckdb(' UNION ALL '.join(bronze))}")
        self._broken_lines = self._files.broken_lines + self._count_broken_lines()
        report("Looking for the kitchens", 0.8)
        self._locations = tables.kitchens(
            self._arrow(queries.for_duckdb("locations"), {}), self._dimension("locations")
        )
        for name, path in self._dimension_files.items():
            if path in self._files.salvaged:  # before the copy is deleted; other files are read when needed
                self._dimension(name)
        # counting all rows takes long and is rarely needed at once, so it runs in the background; `quality` waits for it
        background = ThreadPoolExecutor(1, "account")
        self._account = background.submit(self._count_rows)
        background.shutdown(wait=False)
        if not self._locations:
            raise SourceError(tables.nothing_usable(self.name, self.quality()))

    def _count_broken_lines(self) -> int:
        """Return how many CSV lines could not be split into columns at all."""
        try:
            ((lines,),) = self._connection.execute(
                "SELECT count(DISTINCT (file_id, line)) FROM reject_errors"
            ).fetchall()
        except duckdb.CatalogException:  # DuckDB creates this table only when it reads CSV
            return 0
        return int(lines)

    # -- queries --------------------------------------------------------------------------------------------------------
    def _create_tables(self, relations: Sequence[str]) -> None:
        """Create the tables that aggregates read from, once: a second per million events."""
        with self._tables_lock:
            for relation in relations:
                if relation not in self._tables:
                    with self._connection.cursor() as cursor:
                        cursor.execute(f"CREATE TABLE {relation} AS {queries.for_duckdb(relation)}")
                    self._tables.add(relation)

    def _execute(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            raise SourceError(f"{self.name} cannot be read: {first_line(error)}") from error

    def _arrow(self, sql: str, parameters: dict[str, Any]) -> pa.Table:
        with self._lock, self._connection.cursor() as cursor, progress.current().stopping(cursor.interrupt):
            return cursor.sql(sql, params=parameters).to_arrow_table()

    def _between(self, name: str, location: str, start: float, end: float) -> pa.Table:
        tables.find_place(location, self._locations)
        parameters = {"location": location, "from_ts": tables.moment(start).item(), "to_ts": tables.moment(end).item()}
        with telemetry.query(name):
            return self._arrow(queries.for_duckdb(name), parameters)

    def _count_rows(self) -> tuple[list[tables.QualityRow], list[tables.FlagRow]]:
        with self._connection.cursor() as cursor:
            quality = cursor.execute(queries.for_duckdb("quality")).fetchall()
            flags = cursor.execute(queries.for_duckdb("flags")).fetchall()
        return [tables.QualityRow(*row) for row in quality], [tables.FlagRow(*row) for row in flags]

    def _dimension(self, name: str) -> list[dict[str, str]]:
        path = self._dimension_files.get(name)
        if path is None:
            return []
        if name not in self._dimensions:
            with self._lock:
                rows = self._connection.sql(
                    f"SELECT COLUMNS(*)::VARCHAR FROM {reader([path], kind_of(path), self._files.columns(path))}"
                ).to_arrow_table()
            self._dimensions[name] = [{key.lower(): value for key, value in row.items()} for row in rows.to_pylist()]
        return self._dimensions[name]


def _release(connection: duckdb.DuckDBPyConnection, folder: str | None) -> None:
    connection.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
