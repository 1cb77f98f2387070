"""Event files as a source: CSV, JSON lines, JSON arrays and Parquet, in either generation of the schema, read by DuckDB."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.foundation import memory, telemetry
from twin.foundation.errors import SourceError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.sources import delta_tables, event_files, file_paths, kind_of_times, queries, tables, time_zones
from twin.sources.base import Location, Quality, Times, Volume
from twin.sources.database import Database, TooLargeError
from twin.sources.event_files import EventFiles, Size
from twin.sources.file_paths import Found
from twin.sources.file_sorter import DimensionFile, FileSorter
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Column, Reading

ON_DISK_ABOVE = 1 << 30
"""Bytes of input above which the decoded events are stored in a temporary database on disk instead of in memory: with it ten
million events take a quarter of the memory, and no more time."""
DATABASE_SHARE = 0.25
"""Share of the process's memory that the database takes."""
STOP_SHARE = 0.8
"""Share of the process's memory at which decoding is stopped: it goes on growing for a moment, and not all is the database's."""
WINDOW_SHARE = 1 / 3
"""Share of the process's memory that the rows of one range take while its timeline is built."""
WINDOW_ROW_BYTES = 250
"""Bytes that a row takes while its timeline is built, without its body: its texts and numbers in Arrow, then in columns."""
LOOKED_AT = 100
"""Rows of each group of files whose times are looked at before all are read."""

Progress = Callable[[str, float], None]


class FileSource:
    """Event files, decoded once into DuckDB; every request is then a query over the decoded rows.

    Raises `SourceError` if nothing is usable, or if it is more than the settings allow; the message names the file and what it
    lacks, or the limit.
    """

    def __init__(self, source: str | Path, progress: Progress | None = None, settings: Settings | None = None) -> None:
        self.name = str(source)
        self._settings = settings or Settings()
        self._zoned: tuple[Times, list[Location]] | None = None
        self._dimension_files: dict[str, DimensionFile] = {}
        self._dimensions: dict[str, list[dict[str, str]]] = {}
        self._database_memory = int(self._settings.memory_bytes * DATABASE_SHARE)
        report = progress or (lambda _message, _share: None)
        threading.Thread(target=json_bodies.warm, name="warm-json").start()  # while the files are found and opened
        found = file_paths.find(self.name, self._settings.max_files)
        sorter = FileSorter(self.name, self._database_memory, self._settings.max_decoded_bytes)
        try:
            self._open(found, sorter, report)
        finally:  # copies of customers' data must not stay on disk, whether reading them succeeded or not
            sorter.close()
        self._volumes: dict[str, Volume] | None = None
        self._tables: set[str] = set()
        self._tables_lock = threading.Lock()

    # -- the Source protocol ---------------------------------------------------------------------------------------------
    times: Times
    as_of: float | None = None

    def refresh(self) -> bool:
        """Return False, because files are read once."""
        return False

    def locations(self) -> list[Location]:
        if self._zoned is None or self._zoned[0] != self.times:
            self._zoned = self.times, time_zones.in_zones(self._locations, self.times, self._settings)
        return list(self._zoned[1])

    def quality(self, location: str | None = None) -> Quality:
        return replace(self._account.result().of(location), left_out=self._left_out)

    def volume(self, location: str) -> Volume:
        if self._volumes is None:
            self._volumes = tables.volumes(self._database.table(queries.for_duckdb("volume")), self._locations)
        return self._volumes.get(location) or self._volumes[self._place(location).id]

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows. Raises `UnknownTimeError` if they would take more memory than a range may."""
        self._check_size(location, start, end)
        return self._between("window", location, start, end)

    def history(self, location: str, start: float, end: float) -> pa.Table:
        return self._between("history", location, start, end)

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        arguments = {
            key: tables.moment(float(value)).item() if key.endswith("_ts") else value
            for key, value in parameters.items()
        }
        self._create_tables(queries.relations(name))
        with telemetry.query(name):
            return self._database.table(queries.for_duckdb(name), arguments)

    def routes(self, location: str, most: int) -> pa.Table:
        return self._database.table(queries.for_duckdb("routes"), {"location": location, "most": most})

    def gold(self) -> Mapping[str, int]:
        return {}

    def names(self, dimension: str) -> Mapping[str, str]:
        return tables.names(self._dimension(dimension), dimension)

    def close(self) -> None:
        """Close the database and remove it; otherwise this happens with the source's end."""
        self._account.exception()  # it counts in the background: a connection that is in use cannot be closed
        self._database.close()

    # -- opening --------------------------------------------------------------------------------------------------------
    def _open(self, found: Found, sorter: FileSorter, report: Progress) -> None:
        """Decode the files into the table `events` and find the locations."""
        report(f"Reading {len(found.paths):,} file{'s' * (len(found.paths) != 1)}", 0.1)
        groups, self._dimension_files = sorter.sort_out(found)
        self._check_holds(sorter.size)
        self._database = self._decode(sorter.join(groups), sorter)
        try:
            self._rows = int(self._database.rows("SELECT count(*) FROM events")[0][0])
            self._check_holds(Size(0, self._rows))
            self._input_bytes = sorter.size.bytes
            self._left_out = tuple(sorter.left_out)
            broken_lines = sorter.broken_rows + self._count_broken_lines()
            report("Looking for the kitchens", 0.8)
            for name, file in self._dimension_files.items():
                if sorter.is_copy(file.path):  # before the copy is deleted; other files are read when needed
                    self._dimension(name)
            self._locations = self._find_locations()
            # counting all rows takes long and is rarely needed at once, so it runs in the background; `quality` waits for it
            background = ThreadPoolExecutor(1, "account")
            self._account = background.submit(self._count_rows, broken_lines)
            background.shutdown(wait=False)
            if not self._locations:
                raise SourceError(tables.nothing_usable(self.name, self.quality()))
        except BaseException:
            self._database.close()
            raise

    def _decode(self, groups: Sequence[EventFiles], sorter: FileSorter) -> Database:
        """Return a database with the decoded rows, on disk if they are many; rows that DuckDB cannot read are set aside."""
        on_disk = sorter.size.bytes > min(ON_DISK_ABOVE, self._database_memory // 2)
        try:
            try:
                return self._decoded(groups, on_disk)
            except TooLargeError:
                if on_disk:
                    raise
                return self._decoded(groups, on_disk=True)  # it holds more than its size let expect
        except TooLargeError:
            raise
        except SourceError:
            readable = sorter.salvage(groups)
            if readable != list(groups):
                with suppress(SourceError):
                    return self._decoded(readable, on_disk)
            undamaged = sorter.without_damaged(readable)
            if undamaged == readable:
                raise
        return self._decoded(undamaged, on_disk)

    def _decoded(self, groups: Sequence[EventFiles], on_disk: bool) -> Database:
        database = Database(self.name, self._database_memory, on_disk)
        try:
            with database.watched(self._settings.max_decoded_bytes, int(self._settings.memory_bytes * STOP_SHARE)):
                self._read_events(database, groups)
        except BaseException:
            database.close()
            raise
        return database

    def _read_events(self, database: Database, groups: Sequence[EventFiles]) -> None:
        """Decode the files into the table `events`, again if their times turn out to need it, and find what their times are."""
        first = kind_of_times.first(self._settings)
        reading: Reading | None = first
        if {group.times() for group in groups} == {"text"} and self._begins_plain(database, groups):
            self.times = first.times or "naive"
            self._create_events(database, groups, replace(first, only_plain=True))
            if not database.execute(queries.leftover_for_duckdb(first)):
                reading = None
        while reading is not None:
            self._create_events(database, groups, reading)
            kinds = kind_of_times.Kinds.of(database.execute(queries.for_duckdb("times")))
            unread = database.execute(queries.for_duckdb("unread_times")) if kinds.unread else []
            self.times = kinds.times(reading)
            reading = kind_of_times.better(self.name, reading, kinds, unread)
        for column in ("form", "unread"):
            database.execute(f"ALTER TABLE events DROP COLUMN {column}")

    def _begins_plain(self, database: Database, groups: Sequence[EventFiles]) -> bool:
        """Return whether the first times of each group of files are plain texts, as most are; a guess that saves time."""
        try:
            return all(
                database.execute(
                    queries.plain_in_duckdb(f"SELECT * FROM ({group.bronze()}) LIMIT {LOOKED_AT}"),
                    delta_tables.streams([group]),
                )[0][0]
                for group in groups
            )
        except SourceError:  # it will come again when the files are read
            return True

    @staticmethod
    def _create_events(database: Database, groups: Sequence[EventFiles], reading: Reading) -> None:
        for table in ("events", "reject_errors", "reject_scans"):  # DuckDB adds to the rejects of what was read before
            database.execute(f"DROP TABLE IF EXISTS {table}")
        bronze: dict[Column, list[str]] = {}
        for group in groups:
            bronze.setdefault(group.times(), []).append(group.bronze())
        decoded = (
            f"({queries.decode_for_duckdb(' UNION ALL '.join(rows), column, reading)})"
            for column, rows in bronze.items()
        )
        streams = delta_tables.streams(groups)  # each can be read once
        database.execute(f"CREATE TABLE events AS {' UNION ALL '.join(decoded)}", streams)

    def _check_holds(self, size: Size) -> None:
        """Raise `SourceError` if the files hold more than the settings allow."""
        limits = self._settings
        if size.rows > limits.max_rows:
            raise SourceError(
                f"{self.name} holds {size.rows:,} rows, and at most {limits.max_rows:,} are read: "
                "open fewer files, or raise TWIN_MAX_ROWS."
            )
        if size.bytes > limits.max_decoded_bytes:
            raise SourceError(
                f"{self.name} holds {memory.words(size.bytes)} of data once it is uncompressed, and at most "
                f"{memory.words(limits.max_decoded_bytes)} are read: open fewer files, or raise TWIN_MAX_DECODED."
            )

    def _find_locations(self) -> list[Location]:
        rows = self._database.table(queries.for_duckdb("locations"))
        if len(rows) > self._settings.max_locations:
            raise SourceError(
                f"{self.name} has {len(rows):,} locations, and at most {self._settings.max_locations:,} are opened: check that "
                "the column location holds kitchens, or raise TWIN_MAX_LOCATIONS."
            )
        return tables.kitchens(rows, self._dimension("locations"))

    def _count_broken_lines(self) -> int:
        """Return how many CSV lines could not be split into columns at all."""
        if not self._database.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'"):
            return 0  # DuckDB creates this table only when it reads CSV
        return int(self._database.execute("SELECT count(DISTINCT (scan_id, file_id, line)) FROM reject_errors")[0][0])

    def _count_rows(self, broken_lines: int) -> tables.Accounts:
        quality = self._database.rows(queries.for_duckdb("quality"))
        flags = self._database.rows(queries.for_duckdb("flags"))
        return tables.Accounts(
            [tables.QualityRow(*row) for row in quality], [tables.FlagRow(*row) for row in flags], broken_lines
        )

    # -- queries --------------------------------------------------------------------------------------------------------
    def _create_tables(self, relations: Sequence[str]) -> None:
        """Create the tables that aggregates read from, once: a second per million events."""
        with self._tables_lock:
            for relation in relations:
                if relation not in self._tables:
                    self._database.rows(f"CREATE TABLE {relation} AS {queries.for_duckdb(relation)}")
                    self._tables.add(relation)

    def _place(self, location: str) -> Location:
        return tables.find_place(location, self._locations)

    def _between(self, name: str, location: str, start: float, end: float) -> pa.Table:
        with telemetry.query(name):
            return self._database.table(queries.for_duckdb(name), self._parameters(location, start, end))

    def _parameters(self, location: str, start: float, end: float) -> dict[str, Any]:
        place = self._place(location)
        return {"location": place.id, "from_ts": tables.moment(start).item(), "to_ts": tables.moment(end).item()}

    def _check_size(self, location: str, start: float, end: float) -> None:
        most = self._settings.memory_bytes * WINDOW_SHARE
        parameters = self._parameters(location, start, end)
        if self._rows * WINDOW_ROW_BYTES + self._input_bytes <= most:
            return  # all rows together are fewer, so it need not be counted
        ((rows, bodies),) = self._database.rows(queries.for_duckdb("window_size"), parameters)
        if (size := rows * WINDOW_ROW_BYTES + bodies) > most:
            raise UnknownTimeError(
                f"This range and the hours around it have {rows:,} events, which take {memory.words(size)} of memory, and a "
                f"range may take {memory.words(most)}: choose a shorter one, or raise TWIN_MEMORY."
            )

    def _dimension(self, name: str) -> list[dict[str, str]]:
        file = self._dimension_files.get(name)
        if file is None:
            return []
        if name not in self._dimensions:
            streams = {file.path: delta_tables.scan(file.path, file.like.columns)} if file.like.kind == "delta" else {}
            rows = self._database.table(
                f"SELECT COLUMNS(*)::VARCHAR FROM {event_files.reader([file.path], file.like)}", streams=streams
            )
            self._dimensions[name] = [{key.lower(): value for key, value in row.items()} for row in rows.to_pylist()]
        return self._dimensions[name]
