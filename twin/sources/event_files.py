"""What is in a file of a source: its kind, its columns, how it is read. The data itself is read by DuckDB."""

import csv
import gzip
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import IO, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.sources import column_names, file_paths
from twin.sources.json_salvage import LONGEST_ROW
from twin.sources.queries.times import Column

REQUIRED = ("event_type", "ts", "order_id")
LOCATION = ("location", "location_id", "gk_id")
"""Names of the column with the location, in the order of preference."""
READ = (*REQUIRED, *LOCATION, "sequence", "body")
"""The columns that are read; a file may have others."""
LONGEST_HEADER = 1 << 17
"""Characters of the longest first line that is taken for the header of a CSV file."""
SEEN_ROWS = 1 << 16
"""Characters behind the first row of a CSV file in which its way of writing quotes is looked for."""
MOST_COLUMNS = 2_000
"""Columns of a CSV file; more take DuckDB gigabytes, and are no header of events."""
SMALL_JSON = 1 << 18
"""Characters up to which Python finds the columns of a JSON file; DuckDB takes a millisecond and more to begin."""
SAMPLED_LINES = 20_480
"""Lines of JSON in which columns are looked for, as many as DuckDB takes."""
PACKED = 3
"""Factor by which the size of compressed text is multiplied where nothing says what it holds."""
ROW_BYTES = 100
"""Bytes that a decoded row takes at least, however well its file is compressed."""
SMALL_DICTIONARY, PACKED_VALUE = 64 << 10, 16
"""Bytes of a column in a row group up to which no text in it is long, and bytes a value above which it is hardly packed."""
FLOATS = ("double", "float", "halffloat")
LARGEST_WHOLE = 1 << 53
"""Up to it a double tells whole numbers apart."""
_ESCAPED = re.compile(r'"[{\[]\s*\\"(?!")')
"""A quoted JSON value of CSV in which a backslash stands before the quotes; where these are doubled, two follow it."""
_FOLDER = "folder of the row"
"""Column in which DuckDB gives a row's path; no file has one of this name."""


class UnusableError(Exception):
    """A file cannot be used; the message is the rest of a sentence that begins with the file's name."""


@dataclass(frozen=True, slots=True)
class Size:
    """What files hold once they are uncompressed: bytes, and rows as far as the format says how many."""

    bytes: int = 0
    rows: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.bytes + other.bytes, self.rows + other.rows)


class Adapter(Protocol):
    """Reads files with columns of their own as events: `twin.sources.adapters.adapter`."""

    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read, as they are written."""

    def bronze(self, reader: str, types: Mapping[str, str], rows_name: str) -> str:
        """Return the SELECT of `EventFiles.bronze`; `types` are Arrow's where the format has them, `rows_name` numbers rows."""


@dataclass(frozen=True, slots=True)
class EventFile:
    """What reading a file depends on, apart from its path.

    `kind` is csv, parquet, json lines, json array (the generator flushes one array per file) or delta. `columns` are the names as
    written, `types` their types in Parquet and Delta tables, `folders` the names of columns that the path's folders give.
    `strict` says whether CSV is expected to follow the rules and to have no line breaks in quotes, which DuckDB reads faster.
    `escape` is what stands before a quote in quotes. `adapter`, the same for all files of a source, says what columns mean that
    are not those of events.
    """

    kind: str
    columns: tuple[str, ...]
    types: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    delimiter: str = ","
    escape: str = '"'
    strict: bool = True
    adapter: Adapter | None = field(default=None, compare=False)

    def written(self) -> dict[str, str]:
        """Return the names as written of the columns that are read, by ours. Raises `UnusableError` if one of them is doubled."""
        found = _written(self.columns)
        if doubled := next((name for name, columns in found.items() if len(columns) > 1), None):
            raise UnusableError(f"has the column {doubled} twice: remove or rename one of the two")
        return {name: columns[0] for name, columns in found.items()}

    def as_read(self) -> "EventFile":
        """Return the same without what does not matter for reading events, so that files which are read alike are equal."""
        if self.kind == "csv":  # columns are read by their place
            return self
        if self.adapter is not None and not self.adapter.columns():  # it reads whatever there is
            return self
        names = set(self.written().values()) if self.adapter is None else set(self.adapter.columns())
        read = [number for number, name in enumerate(self.columns) if name in names]
        read.sort(key=self.columns.__getitem__)
        types = tuple(self.types[number] for number in read) if self.types else ()
        return replace(self, columns=tuple(self.columns[number] for number in read), types=types)

    def type_of(self, column: str) -> str:
        """Return a column's type in Parquet, "" where columns have none."""
        written = self.written().get(column)
        return self.types[self.columns.index(written)] if self.types and written is not None else ""

    def missing(self) -> list[str]:
        """Return the required columns that neither the file nor its path has."""
        if self.adapter is not None:
            return [name for name in self.adapter.columns() if name not in self.columns]
        present = {*self.written(), *map(str.lower, self.folders)}
        return [name for name in REQUIRED if name not in present]


@lru_cache(maxsize=1_024)
def _written(columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the columns that are read, by our names; files of one source are mostly alike, and there may be many."""
    return column_names.recognised(columns, READ)


@dataclass(frozen=True, slots=True)
class EventFiles:
    """Files that are alike and read in one query."""

    paths: tuple[str, ...]
    like: EventFile

    def times(self) -> Column:
        """Return what the column of times holds; numbers are read as texts."""
        if self.like.adapter is not None:
            return "text"
        kind = self.like.type_of("ts")
        if not kind.startswith(("timestamp", "date")):
            return "text"
        return "instants" if "tz=" in kind else "naive"

    def bronze(self) -> str:
        """Return the SELECT that renames the files' columns to those that queries/events.sql reads."""
        if self.like.adapter is not None:
            types = dict(zip(self.like.columns, self.like.types, strict=False))
            return self.like.adapter.bronze(reader(self.paths, self.like), types, file_paths.table_of(self.paths[0]))
        written = self.like.written()
        folders = {name.lower(): name for name in self.like.folders}

        def values(name: str) -> list[str]:
            if name in written:  # a folder never replaces what the rows themselves say
                return [_quoted(written[name])]
            return [_value_in_path(folders[name])] if name in folders else []

        types = dict(zip(self.like.columns, self.like.types, strict=True)) if self.like.types else {}

        def column(*names: str) -> str:
            texts = ", ".join(
                _as_text(value, types.get(written.get(name, ""), "")) for name in names for value in values(name)
            )
            return f"coalesce({texts})" if texts else "NULL::VARCHAR"

        location = column(*LOCATION)
        ts = values("ts")[0]
        if self.times() == "instants":  # CAST knows no nanoseconds with a zone
            ts = f"timezone('UTC', {ts})"
        elif self.like.type_of("ts") in FLOATS:
            ts = f"CAST(TRY_CAST({ts} AS DECIMAL(28, 6)) AS VARCHAR)"  # seconds or more since 1970, without an exponent
        elif self.times() == "text":
            ts = f"CAST({ts} AS VARCHAR)"
        if location.startswith("NULL"):
            location = "'kitchen'"  # the file of a single kitchen has no such column
        return (
            f"SELECT {column('event_type')} AS event_type, {ts} AS ts, {location} AS location, "
            f"{column('order_id')} AS order_id, {column('sequence')} AS sequence, {column('body')} AS body "
            f"FROM {reader(self.paths, self.like)}"
        )


def describe(path: str) -> tuple[EventFile, Size] | None:
    """Return what reading a file depends on and what it holds; None for JSON whose columns only DuckDB can find in time.

    Raises `UnusableError`, and `ValueError` or `RecursionError` for JSON that Python cannot read to its end.
    """
    size = os.stat(path).st_size
    if size == 0:
        raise UnusableError("is empty")
    match file_paths.format_of(path):
        case "parquet":
            file, holds = _parquet(path)
        case "csv":
            file, holds = _csv(path), Size(uncompressed(path))
        case "":
            raise UnusableError("has no ending that says what it holds")
        case _:
            columns = _columns_of_small_json(path)
            if columns is None:
                return None
            file, holds = EventFile(json_kind(path), columns), Size(uncompressed(path))
    return replace(file, folders=folders_of(path)), holds


def folders_of(path: str) -> tuple[str, ...]:
    """Return the columns among `READ` that a path's folders give, those above the source's own included."""
    return tuple(name for name in file_paths.folder_columns(absolute(path)) if name.lower() in READ)


def json_kind(path: str) -> str:
    """Return json lines or json array, by the first character. Raises `UnusableError` for lines behind a byte order mark."""
    with _opened(path, "utf-8") as file:
        begin = file.read(LONGEST_HEADER)
    kind = "json array" if begin.lstrip("\ufeff \t\r\n").startswith("[") else "json lines"
    if kind == "json lines" and begin.startswith("\ufeff"):  # DuckDB would lose the first line
        raise UnusableError("begins with a byte order mark")
    return kind


def uncompressed(path: str) -> int:
    """Return the size of a text file without compression, bytes; of a compressed one a guess, as nothing in it can be trusted."""
    size = os.stat(path).st_size
    if not path.lower().endswith(".gz"):
        return size
    with open(path, "rb") as file:
        file.seek(max(0, size - 4))
        return max(int.from_bytes(file.read(4), "little"), PACKED * size)


def reader(paths: Sequence[str], like: EventFile) -> str:
    """Return the DuckDB table function that reads files which are alike, text with all values as text.

    Dialect and columns are given rather than sniffed, because one broken row can mislead the sniffer.
    """
    if like.kind == "delta":  # the caller provides the rows of each table under its path
        return f"({' UNION ALL BY NAME '.join(f'SELECT * FROM {_quoted(path)}' for path in paths)})"
    options = ["hive_partitioning=false"]  # it would replace columns of the rows
    if like.folders:
        options.append(f"filename={_literal(_FOLDER)}")
    types = "{" + ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in like.columns) + "}"
    match like.kind:
        case "parquet":
            function = "read_parquet"
        case "csv":
            function = "read_csv"
            options += [
                f"columns={types}", "auto_detect=false", "header=true", f"delim={_literal(like.delimiter)}", "quote='\"'",
                f"escape={_literal(like.escape)}", "null_padding=true", "store_rejects=true",
            ]  # fmt: skip
            if not like.strict:  # in parallel, line breaks in quotes cannot be told from others
                options += ["strict_mode=false", "parallel=false"]
        case "json array":
            function = "read_json"
            options += ["format='array'", f"columns={types}"]
        case _:
            function = "read_json"
            options += ["format='newline_delimited'", "ignore_errors=true", f"columns={types}"]
    files = "[" + ", ".join(_literal(_exactly(path)) for path in paths) + "]"
    return f"{function}({files}, {', '.join(options)})"


def sniffer(path: str, like: EventFile) -> str:
    """Return the DuckDB table function that finds the columns of a JSON file, but not what is nested in them."""
    shape = "'array', sample_size=-1" if like.kind == "json array" else "'newline_delimited', ignore_errors=true"
    return f"read_json({_literal(_exactly(path))}, hive_partitioning=false, maximum_depth=1, format={shape})"


def _parquet(path: str) -> tuple[EventFile, Size]:
    schema = pq.read_schema(path)
    file = EventFile("parquet", tuple(schema.names), tuple(str(field.type) for field in schema))
    return file, parquet_size(path)


def parquet_size(path: str) -> Size:
    """Return what a Parquet file holds; a text of a dictionary counts as often as rows refer to it."""
    footer = pq.read_metadata(path)
    stored = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
    texts = sum(_unpacked(path, number, name) for number, name in _packed(footer))
    return Size(max(stored, footer.num_rows * ROW_BYTES, texts), footer.num_rows)


def _packed(footer: pq.FileMetaData) -> Iterator[tuple[int, str]]:
    """Yield the row groups and columns in which a few long texts may stand for many rows."""
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        for column in (group.column(index) for index in range(group.num_columns)):
            size = column.total_uncompressed_size
            if column.physical_type == "BYTE_ARRAY" and SMALL_DICTIONARY < size < PACKED_VALUE * column.num_values:
                yield number, column.path_in_schema


def _unpacked(path: str, row_group: int, column: str) -> int:
    """Return the bytes of a column's texts, each of which is in memory once."""
    with pq.ParquetFile(path, read_dictionary=[column]) as file:
        chunks = [_leaf(chunk) for chunk in file.read_row_group(row_group, columns=[column]).column(0).chunks]
    if not all(pa.types.is_dictionary(chunk.type) for chunk in chunks):
        return sum(chunk.nbytes for chunk in chunks)  # decimals, which may be stored as bytes
    lengths = (pc.take(pc.binary_length(chunk.dictionary), chunk.indices) for chunk in chunks)
    return sum(pc.sum(length.cast(pa.int64())).as_py() or 0 for length in lengths)


def _leaf(values: pa.Array) -> pa.Array:
    """Return the texts in structures and lists of which nothing else was read, so that each has one part."""
    while pa.types.is_nested(values.type):
        values = values.flatten()[0] if pa.types.is_struct(values.type) else values.flatten()
    return values


def _csv(path: str) -> EventFile:
    with _opened(path) as file:
        header, first_row = file.readline(LONGEST_HEADER + 1), file.readline(LONGEST_HEADER)
        escape = "\\" if _ESCAPED.search(first_row + file.read(SEEN_ROWS)) else '"'
    if len(header) > LONGEST_HEADER:
        raise UnusableError(f"has a first line of more than {LONGEST_HEADER >> 10} kB, which is no header of columns")
    delimiter = max(",;\t|", key=header.count)
    try:
        names, values = (next(csv.reader([line], delimiter=delimiter), []) for line in (header, first_row))
    except csv.Error as error:
        raise UnusableError("has a first line that is no header of columns") from error
    if len(names) > MOST_COLUMNS:
        raise UnusableError(f"has {len(names):,} columns; events have some ten, and at most {MOST_COLUMNS:,} are read")
    if len(values) == len(names) + 1 and not values[-1].strip():
        names.append("")  # the rows end with a delimiter that the header does not have
    return EventFile("csv", _distinct(names), delimiter=delimiter, escape=escape)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return column names that DuckDB takes: those without a name (as pandas' index has none) and doubled ones get another.

    Doubled ones that are read keep theirs, and are refused with it.
    """
    taken: set[str] = set()
    distinct = []
    doubled = {name for columns in _written(tuple(names)).values() if len(columns) > 1 for name in columns}
    for number, name in enumerate(names):
        key = name.strip().lower()
        if not key or (key in taken and name not in doubled):
            name = f"column {number} without a name of its own"
        taken.add(key)
        distinct.append(name)
    return tuple(distinct)


def _columns_of_small_json(path: str) -> tuple[str, ...] | None:
    with _opened(path) as file:
        text = file.read(SMALL_JSON + 1)
    if len(text) > SMALL_JSON:
        return None
    return _keys(json.loads(text)) if text.lstrip().startswith("[") else _keys(_objects(text.split("\n")))


def columns_of_lines(path: str) -> tuple[str, ...]:
    """Return the columns of a JSON lines file; slower than DuckDB, but lines that cannot be parsed do not matter."""
    with _opened(path) as file:
        return _keys(_objects(file.readline(LONGEST_ROW) for _ in range(SAMPLED_LINES)))


def _objects(lines: Iterable[str]) -> Iterator[object]:
    for line in lines:
        with suppress(ValueError, RecursionError):  # it is counted when the file is read
            yield json.loads(line)


def _keys(rows: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))


def _opened(path: str, encoding: str = "utf-8-sig") -> IO[str]:
    """Open a text file, by default without a byte order mark."""
    opener = gzip.open if path.lower().endswith(".gz") else open
    return cast(IO[str], opener(path, "rt", encoding=encoding, errors="replace"))


def _value_in_path(name: str) -> str:
    """Return the expression for a column whose values are in the path."""
    value = f"url_decode(regexp_extract({_quoted(_FOLDER)}, {_literal(f'/{re.escape(name)}=([^/]*)/')}, 1))"
    return f"nullif({value}, '__HIVE_DEFAULT_PARTITION__')"


def _as_text(value: str, arrow_type: str) -> str:
    """Return the SQL for a column's text, given its type in Arrow: JSON of what is nested, as it is the JSON of a body."""
    if arrow_type.startswith(("struct", "map", "list", "large_list", "fixed_size_list")):
        return _nested_as_json(value)
    if "binary" in arrow_type:  # text by a writer that does not say so; what is no text is no JSON either
        return f"CASE WHEN {value} IS NOT NULL THEN coalesce(try(decode({value})), '?') END"
    text = f"CAST({value} AS VARCHAR)"
    if arrow_type in FLOATS:  # an id in it is a whole number; pandas has such columns where one is missing
        whole = f"{value} = trunc({value}) AND abs({value}) <= {LARGEST_WHOLE}"
        return f"CASE WHEN {whole} THEN CAST(TRY_CAST({value} AS BIGINT) AS VARCHAR) WHEN NOT isnan({value}) THEN {text} END"
    return text


def texts(like: EventFile) -> str:
    """Return the SELECT list of all columns as text, under their names."""
    if not like.types:
        return "COLUMNS(*)::VARCHAR"
    named = zip(like.columns, like.types, strict=True)
    return ", ".join(f"{_as_text(_quoted(name), kind)} AS {_quoted(name)}" for name, kind in named)


def _nested_as_json(value: str) -> str:
    """Return the SQL for the JSON of a nested column, in which numbers that JSON has none for are null."""
    text = f"CAST(to_json({value}) AS VARCHAR)"
    return f"CASE WHEN {text} SIMILAR TO '.*(NaN|Infinity).*' THEN null_for_nan({text}) ELSE {text} END"


def _exactly(path: str) -> str:
    """Return the pattern that matches a path and nothing else: DuckDB takes every path for a pattern."""
    return re.sub(r"[\[*?]", r"[\g<0>]", absolute(path))


def absolute(path: str) -> str:
    """Return a path as DuckDB names it."""
    return path if os.path.isabs(path) else os.path.join(os.getcwd(), path)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
