"""Write tables in every file format of event feeds, a piece at a time."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from twin.foundation.errors import ConfigError

FORMATS = ("parquet", "csv", "csv.gz", "jsonl", "json")


class TableFile:
    """A context manager that appends tables of one schema to a file. The same tables give the same bytes."""

    def __init__(self, path: Path, schema: pa.Schema, file_format: str) -> None:
        if file_format not in FORMATS:
            raise ConfigError(f"There is no file format {file_format!r}: use one of {', '.join(FORMATS)}.")
        self._path, self._schema, self._format = path, schema, file_format
        self._stack = ExitStack()
        self._append: Callable[[pa.Table], Any]
        self._sink: Any = None
        self._rows = 0

    def __enter__(self) -> "TableFile":
        if self._format == "parquet":
            writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")
            self._append = self._stack.enter_context(writer).write_table
        elif self._format.startswith("csv"):
            sink = self._open()
            self._append = self._stack.enter_context(pacsv.CSVWriter(sink, self._schema)).write_table
        else:
            self._sink = self._open()
            self._append = self._append_lines if self._format == "jsonl" else self._append_elements
        return self

    def _open(self) -> Any:
        if self._format.endswith(".gz"):
            return self._stack.enter_context(pa.CompressedOutputStream(str(self._path), "gzip"))
        return self._stack.enter_context(pa.OSFile(str(self._path), "wb"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._format == "json" and kind is None:
            self._sink.write(b"[]\n" if self._rows == 0 else b"\n]\n")
        self._stack.__exit__(kind, error, trace)

    def append(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        self._append(table)

    def _append_lines(self, table: pa.Table) -> None:
        for chunk in json_objects(table).chunks:
            if len(chunk):
                joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(chunk)], pa.int32()), chunk), "\n")
                self._sink.write(joined[0].as_buffer())
                self._sink.write(b"\n")

    def _append_elements(self, table: pa.Table) -> None:
        for chunk in json_objects(table).chunks:
            if len(chunk):
                joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(chunk)], pa.int32()), chunk), ",\n")
                self._sink.write(b"[\n" if self._rows == 0 else b",\n")
                self._sink.write(joined[0].as_buffer())
                self._rows += len(chunk)


def json_objects(table: pa.Table) -> pa.ChunkedArray:
    """Return each row as the text of a JSON object, built column by column."""
    parts: list[pa.ChunkedArray | pa.Scalar] = []
    for number, name in enumerate(table.column_names):
        column = table.column(name)
        if pa.types.is_string(column.type):
            escaped = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
            value = pc.binary_join_element_wise(pa.scalar('"'), escaped, pa.scalar('"'), pa.scalar(""))
        else:
            value = column.cast(pa.string())
        parts += [pa.scalar(f'{"{" if number == 0 else ", "}"{name}": '), pc.fill_null(value, "null")]
    joined = pc.binary_join_element_wise(*parts, pa.scalar("}"), pa.scalar(""))
    return joined if isinstance(joined, pa.ChunkedArray) else pa.chunked_array([joined])
