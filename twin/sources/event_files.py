"""Finds the files of a source, detects their format, and separates event files from dimension tables."""

import csv
import glob
import gzip
import json
import logging
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from twin.foundation.errors import SourceError
from twin.sources import tables

log = logging.getLogger(__name__)

FORMATS = {
    ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": "json", ".json.gz": "json",
    ".jsonl": "json", ".jsonl.gz": "json", ".ndjson": "json", ".ndjson.gz": "json",
}  # fmt: skip
REQUIRED = ("event_type", "ts", "order_id")
PACKED = 3
"""Factor by which the size of a compressed file (gzip, Parquet) is multiplied to estimate its uncompressed size."""


class _BrokenArrayError(Exception):
    """A JSON array that does not parse to its end."""


@dataclass(frozen=True, slots=True)
class EventFiles:
    """Files with the same format and the same columns."""

    paths: tuple[str, ...]
    format: str
    columns: dict[str, str]  # lower-case name -> name as written

    def bronze(self) -> str:
        """Return the SELECT that renames the files' columns to those that queries/events.sql reads."""

        def column(*names: str) -> str:
            present = [_quoted(self.columns[name]) for name in names if name in self.columns]
            texts = ", ".join(f"CAST({name} AS VARCHAR)" for name in present)
            return f"coalesce({texts})" if present else "NULL::VARCHAR"

        location = column("location", "location_id", "gk_id")
        if location.startswith("NULL"):
            location = "'kitchen'"  # the file of a single kitchen has no such column
        ts = _quoted(self.columns["ts"])
        files = reader(self.paths, self.format, list(self.columns.values()))
        return (
            f"SELECT {column('event_type')} AS event_type, {ts} AS ts, {location} AS location, {column('order_id')} AS order_id, "
            f"{column('sequence')} AS sequence, {column('body')} AS body FROM {files}"
        )


class FileSorter:
    """Sorts the files of one source by their columns.

    `broken_lines` counts truncated JSON arrays. `salvaged` are temporary copies of their readable parts; the caller deletes them.
    """

    def __init__(self, source: str, connection: duckdb.DuckDBPyConnection) -> None:
        self.broken_lines = 0
        self.salvaged: list[str] = []
        self._source = source
        self._connection = connection

    def sort_out(self, paths: list[str]) -> tuple[list[EventFiles], dict[str, str]]:
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
                columns = self.columns(path)
            except _BrokenArrayError:
                path = self._salvage(path)
                columns = self.columns(path)
            lower = {name.lower(): name for name in columns}
            if all(name in lower for name in REQUIRED):
                key = (kind_of(path), tuple(columns))
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
                f"{self._source}: no usable event file: {what}. Event rows need the columns event_type, ts and order_id "
                "(besides location or location_id, sequence, body)."
            )
        for reason in unusable:
            log.warning("left out of the source: %s", reason)
        return [EventFiles(tuple(files), key[0], columns_of[key]) for key, files in groups.items()], dimensions

    def columns(self, path: str) -> list[str]:
        """Return a file's column names, in its order."""
        kind = kind_of(path)
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
            raise SourceError(f"{path} cannot be read as {kind}: {first_line(error)}") from error

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
        self.salvaged.append(salvaged)
        with open(handle, "w", encoding="utf-8") as out:
            while at >= 0:
                try:
                    row, end = decoder.raw_decode(text, at)
                except ValueError:
                    break
                out.write(json.dumps(row) + "\n")
                at = text.find("{", end)
        self.broken_lines += 1
        log.warning("%s is a torn JSON array: read up to the tear", Path(path).name)
        return salvaged


def find(source: str) -> list[str]:
    """Return the files of a source, a file, folder or pattern; a file's dimension tables are found beside it."""
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


def size_of(path: str) -> int:
    """Return the approximate size of a file without compression, bytes."""
    return Path(path).stat().st_size * (PACKED if path.endswith((".gz", ".parquet", ".pq")) else 1)


def _format(path: str) -> str:
    name = Path(path).name.lower()
    return next((kind for ending, kind in FORMATS.items() if name.endswith(ending)), "")


def kind_of(path: str) -> str:
    """Return a file's kind: csv, parquet, json lines or json array (the generator flushes one array per file)."""
    kind = _format(path)
    return kind if kind != "json" else "json array" if _first_text(path).lstrip().startswith("[") else "json lines"


def _stem(path: str) -> str:
    return re.sub(r"(\.(csv|tsv|json|jsonl|ndjson|parquet|pq|gz))+$", "", Path(path).name, flags=re.IGNORECASE)


def reader(paths: Sequence[str], kind: str, columns: Sequence[str] = ()) -> str:
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


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).split("\n", 1)[0]
