"""Rows that come from other tools, and tables that go to them: Arrow, DuckDB, Parquet, Spark."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import duckdb
import pandas as pd
import pyarrow as pa

FILE = "events.parquet"


@runtime_checkable
class ArrowStream(Protocol):
    """What hands over a table by Arrow's PyCapsule interface: polars, pandas, pyarrow, DuckDB's relations, Ibis."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the stream's capsule."""


@runtime_checkable
class SparkTable(Protocol):
    """A Spark DataFrame, which collects its rows as Arrow."""

    def toArrow(self) -> pa.Table:  # Spark's name
        """Return all rows."""


Rows = ArrowStream | SparkTable


def written(rows: object) -> "tempfile.TemporaryDirectory[str]":
    """Write a table of event rows to a folder that lasts as long as the object returned does.

    Raises TypeError, with a sentence, for what is no table. An index of pandas that has a name is a column.
    """
    stream: object
    if isinstance(rows, pd.DataFrame):
        stream = pa.Table.from_pandas(rows, preserve_index=any(name is not None for name in rows.index.names))
    elif isinstance(rows, SparkTable):  # first, as Spark may learn the interface some day, and this collects in one go
        stream = rows.toArrow()
    elif isinstance(rows, ArrowStream):
        stream = pa.RecordBatchReader.from_stream(cast(Any, rows))
    else:
        raise TypeError(
            f"A {type(rows).__name__} is no source: give a path, or a table of event rows (pandas, polars, Arrow, DuckDB, Spark)."
        )
    folder = tempfile.TemporaryDirectory(prefix="twin-")
    with duckdb.connect() as connection:
        connection.register("given", stream)
        connection.table("given").write_parquet(str(Path(folder.name) / FILE))
    return folder


def to_parquet(tables: Mapping[str, pd.DataFrame], folder: str | Path) -> Path:
    """Write each table as `folder/<name>.parquet`, its index as a column, and return the folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pd.DataFrame(table).to_parquet(target / f"{name}.parquet")
    return target


def to_duckdb(tables: Mapping[str, pd.DataFrame], database: str | Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to a database with these tables, which replace those of the same names, their index as a column."""
    connection = duckdb.connect(str(database))
    for name, table in tables.items():
        connection.register("given", pa.Table.from_pandas(table))
        connection.execute(f'create or replace table "{name}" as select * from given')  # noqa: S608  # our own names
        connection.unregister("given")
    return connection
