"""Event files as a source: CSV, JSON lines, JSON arrays and Parquet, in either generation of the schema, read by DuckDB."""

import csv
import glob
import gzip
import json
import logging
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from twin.foundation import progress, telemetry
from twin.foundation.errors import SourceError
from twin.sources import queries, tables
from twin.sources.base import Location, Quality, Volume

log = logging.getLogger(__name__)

FORMATS = {
    ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": "json", ".json.gz": "json",
    ".jsonl": "json", ".jsonl.gz": "json", ".ndjson": "json", ".ndjson.gz": "json",
}  # fmt: skip
REQUIRED = ("event_type", "ts", "order_id")
ON_DISK_ABOVE = 1 << 30
"""Bytes of input above which the decoded events are stored in a temporary database on disk instead of in memory."""
PACKED = 3
"""Factor by which the size of a compressed file (gzip, Parquet) is multiplied to estimate its uncompressed size."""
ON_DISK_MEMORY = "1GB"
"""Memory limit of the database on disk; with it ten million events can be read in a process of 6 GB."""

Progress = Callable[[str, float], None]


class _BrokenArrayError(Exception):
    """A JSON array that does not parse to its end."""


@dataclass(frozen=True, slots=True)
class _EventFiles:
    """Files with the same format and the same columns."""

    paths: tuple[str, ...]
    format: str
    columns: dict[str, str]  # lower-case name -> name as written


class FileSource:
    """Event files, decoded once into DuckDB; every request is then a query over the decoded rows.

    Raises `SourceError` if nothing is usable; the message names the file and what it lacks.
    """

    def __init__(self, source: str | Path, progress: Progress | None = None) -> None:
        self.name = str(source)
        report = progress or (lambda _message, _share: None)
        paths = _find(str(source))
        self._lock = threading.Lock()
        on_disk = sum(map(_size, paths)) > ON_DISK_ABOVE
        self._folder = tempfile.mkdtemp(prefix="twin-") if on_disk else None
        self._connection = (
            duckdb.connect(f"{self._folder}/events.duckdb", config={"memory_limit": ON_DISK_MEMORY})
            if self._folder
            else duckdb.connect(":memory:")
        )
        self._finalizer = weakref.finalize(self, _release, self._connection, self._folder)
        self._broken_lines = 0
        self._dimensions: dict[str, list[dict[str, str]]] = {}
        self._salvaged: list[str] = []
        try:
            self._open(paths, report)
        except BaseException:
            self.close()
            raise
        finally:  # copies of customers' data must not stay on disk, whether reading them succeeded or not
            for copy in self._salvaged:
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
            raise SourceError(f"{self.name} cannot be asked: {_first_line(error)}") from error

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
        groups, self._dimension_files = self._sort_out(paths)
        bronze = [self._bronze(group) for group in groups]
        self._execute(f"CREATE TABLE events AS {queries.decode_for_duckdb(' UNION ALL '.join(bronze))}")
        self._broken_lines += self._count_broken_lines()
        report("Looking for the kitchens", 0.8)
        self._locations = tables.kitchens(
            self._arrow(queries.for_duckdb("locations"), {}), self._dimension("locations")
        )
        for name, path in self._dimension_files.items():
            if path in self._salvaged:  # before the copy is deleted; other files are read when needed
                self._dimension(name)
        # counting all rows takes long and is rarely needed at once, so it runs in the background; `quality` waits for it
        background = ThreadPoolExecutor(1, "account")
        self._account = background.submit(self._count_rows)
        background.shutdown(wait=False)
        if not self._locations:
            raise SourceError(tables.nothing_usable(self.name, self.quality()))

    def _sort_out(self, paths: list[str]) -> tuple[list[_EventFiles], dict[str, str]]:
        """Separate event files from dimension files by their columns, and group event files that can be read in one query."""
        dimensions: dict[str, str] = {}
        groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        columns_of: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
        unusable: list[str] = []
        for path in paths:
            stem = _stem(path).lower().rsplit(".", 1)[-1]
            if Path(path).stat().st_size == 0:
                unusable.append(f"{Path(path).name} is empty")
                continue
            try:
                columns = self._columns(path)
            except _BrokenArrayError:
                path = self._salvage(path)
                columns = self._columns(path)
            lower = {name.lower(): name for name in columns}
            if all(name in lower for name in REQUIRED):
                key = (_kind(path), tuple(columns))
                groups.setdefault(key, []).append(path)
                columns_of[key] = lower
            elif stem in tables.DIMENSIONS:
                dimensions[stem] = path
            else:
                missing = [name for name in REQUIRED if name not in lower]
                unusable.append(f"{Path(path).name} has no column {', '.join(missing)}")
        if not groups:
            what = "; ".join(unusable[:3]) or "only dimension tables are there"
            raise SourceError(
                f"{self.name}: no usable event file: {what}. Event rows need the columns event_type, ts and order_id "
                "(besides location or location_id, sequence, body)."
            )
        for reason in unusable:
            log.warning("left out of the source: %s", reason)
        return [_EventFiles(tuple(files), key[0], columns_of[key]) for key, files in groups.items()], dimensions

    def _columns(self, path: str) -> list[str]:
        """Return a file's column names, in its order."""
        kind = _kind(path)
        try:
            if kind == "csv":
                header = _first_text(path)
                return next(csv.reader([header], delimiter=_delimiter(header)), [])
            reader = {
                "parquet": f"read_parquet({_literal(path)})",
                "json lines": f"read_json({_literal(path)}, format='newline_delimited', ignore_errors=true)",
                "json array": f"read_json({_literal(path)}, format='array', sample_size=-1)",
            }[kind]
            return [row[0] for row in self._connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]
        except (duckdb.Error, OSError) as error:
            if kind == "json array":
                raise _BrokenArrayError(path) from error
            raise SourceError(f"{path} cannot be read as {kind}: {_first_line(error)}") from error

    def _salvage(self, path: str) -> str:
        """Return a JSON lines file with the readable objects of a truncated JSON array; the rest counts as one broken line.

        Reading object by object is slow, but only a truncated file (a flush cut off by a crash) needs it.
        """
        with (gzip.open if path.lower().endswith(".gz") else open)(
            path, "rt", encoding="utf-8-sig", errors="replace"
        ) as file:
            text = file.read()
        decoder, at = json.JSONDecoder(), text.find("{")
        handle, salvaged = tempfile.mkstemp(prefix="twin-", suffix=".jsonl")
        self._salvaged.append(salvaged)
        with open(handle, "w", encoding="utf-8") as out:
            while at >= 0:
                try:
                    row, end = decoder.raw_decode(text, at)
                except ValueError:
                    break
                out.write(json.dumps(row) + "\n")
                at = text.find("{", end)
        self._broken_lines += 1
        log.warning("%s is a torn JSON array: read up to the tear", Path(path).name)
        return salvaged

    def _bronze(self, group: _EventFiles) -> str:
        """Return the SELECT that renames a group's columns to those that queries/events.sql reads."""

        def column(*names: str) -> str:
            present = [_quoted(group.columns[name]) for name in names if name in group.columns]
            texts = ", ".join(f"CAST({name} AS VARCHAR)" for name in present)
            return f"coalesce({texts})" if present else "NULL::VARCHAR"

        location = column("location", "location_id", "gk_id")
        if location.startswith("NULL"):
            location = "'kitchen'"  # the file of a single kitchen has no such column
        ts = _quoted(group.columns["ts"])
        files = _reader(group.paths, group.format, list(group.columns.values()))
        return (
            f"SELECT {column('event_type')} AS event_type, {ts} AS ts, {location} AS location, {column('order_id')} AS order_id, "
            f"{column('sequence')} AS sequence, {column('body')} AS body FROM {files}"
        )

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
            raise SourceError(f"{self.name} cannot be read: {_first_line(error)}") from error

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
                    f"SELECT COLUMNS(*)::VARCHAR FROM {_reader([path], _kind(path), self._columns(path))}"
                ).to_arrow_table()
            self._dimensions[name] = [{key.lower(): value for key, value in row.items()} for row in rows.to_pylist()]
        return self._dimensions[name]


def _release(connection: duckdb.DuckDBPyConnection, folder: str | None) -> None:
    connection.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


# -- files --------------------------------------------------------------------------------------------------------------
def _find(source: str) -> list[str]:
    path = Path(source).expanduser()
    if path.is_file():
        folder, found = path.parent, [str(path)]
        dimensions = [
            str(p)
            for p in sorted(folder.iterdir())
            if _stem(str(p)).lower().rsplit(".", 1)[-1] in tables.DIMENSIONS and _format(str(p))
        ]
        return found + [p for p in dimensions if p != str(path)]
    if path.is_dir():
        found = sorted(
            str(p) for p in path.rglob("*") if p.is_file() and _format(str(p)) and not p.name.startswith(("_", "."))
        )
    else:
        found = sorted(p for p in glob.glob(str(path), recursive=True) if Path(p).is_file() and _format(p))
    if not found:
        kind = "holds no event file" if path.is_dir() else "does not exist"
        raise SourceError(
            f"{source} {kind}: name a file, a folder or a pattern of {', '.join(FORMATS)} files, or `demo`."
        )
    return found


def _size(path: str) -> int:
    """Return the approximate size of a file without compression, bytes."""
    return Path(path).stat().st_size * (PACKED if path.endswith((".gz", ".parquet", ".pq")) else 1)


def _format(path: str) -> str:
    name = Path(path).name.lower()
    return next((kind for ending, kind in FORMATS.items() if name.endswith(ending)), "")


def _kind(path: str) -> str:
    """Return a file's kind: csv, parquet, json lines or json array (the generator flushes one array per file)."""
    kind = _format(path)
    return kind if kind != "json" else "json array" if _first_text(path).lstrip().startswith("[") else "json lines"


def _stem(path: str) -> str:
    return re.sub(r"(\.(csv|tsv|json|jsonl|ndjson|parquet|pq|gz))+$", "", Path(path).name, flags=re.IGNORECASE)


def _reader(paths: Sequence[str], kind: str, columns: Sequence[str] = ()) -> str:
    """Return the DuckDB table function that reads files of one kind, with all values as text.

    Dialect and columns are given rather than sniffed, because one broken row can mislead the sniffer.
    """
    files = "[" + ", ".join(_literal(path) for path in paths) + "]"
    if kind == "parquet":
        return f"read_parquet({files}, union_by_name=true)"
    types = "{" + ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in columns) + "}"
    if kind == "csv":
        delimiter = _literal(_delimiter(_first_text(paths[0])))
        return (
            f"read_csv({files}, columns={types}, auto_detect=false, header=true, delim={delimiter}, quote='\"', escape='\"', "
            "null_padding=true, store_rejects=true)"
        )
    if kind == "json array":
        return f"read_json({files}, format='array', columns={types})"
    return f"read_json({files}, format='newline_delimited', ignore_errors=true, columns={types})"


def _first_text(path: str) -> str:
    """Return the first line of a text file, without a byte order mark."""
    opener = gzip.open if path.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
        return file.readline(1 << 20)


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
