"""Rows that come from other tools, and tables that go to them: Arrow, DuckDB, Parquet, Spark."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import pyarrow as pa

from twin.foundation.lazily import at_first_use
from twin.sources.tables import DIMENSIONS

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
else:  # which only who opens a source needs, and tables
    duckdb, pd = at_first_use("duckdb"), at_first_use("pandas")

EVENTS = "events"
A_SOURCE = "a path, or a table of event rows (pandas, polars, Arrow, DuckDB, Spark)"


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
Tables = Mapping[str, Rows]
"""Tables by name: `events`, and any of `brands`, `menus`, `categories`, `items`, `locations`."""


def written(rows: object) -> "tempfile.TemporaryDirectory[str]":
    """Write a table of event rows, or `Tables`, to a folder that lasts as long as the object returned does.

    Raises TypeError, with a sentence, for what is no table. An index of pandas that has a name is a column.
    """
    given = rows if isinstance(rows, Mapping) else {EVENTS: rows}
    if EVENTS not in given or not set(given) <= {EVENTS, *DIMENSIONS}:
        names = ", ".join(DIMENSIONS)
        raise TypeError(
            f"A {type(rows).__name__} is no source: give {A_SOURCE}, or such tables by name, events and {names}."
        )
    streams = {name: _stream(table) for name, table in given.items()}
    folder = tempfile.TemporaryDirectory(prefix="twin-")
    with duckdb.connect() as connection:
        for name, stream in streams.items():
            connection.register("given", stream)
            connection.table("given").write_parquet(str(Path(folder.name) / f"{name}.parquet"))
            connection.unregister("given")
    return folder


def _stream(rows: object) -> object:
    """Return a table as DuckDB reads it."""
    if isinstance(rows, pd.DataFrame):
        return pa.Table.from_pandas(rows, preserve_index=any(name is not None for name in rows.index.names))
    if isinstance(rows, SparkTable):  # first, as Spark may learn the interface some day, and this collects in one go
        return rows.toArrow()
    if isinstance(rows, ArrowStream):
        return pa.RecordBatchReader.from_stream(cast(Any, rows))
    raise TypeError(f"A {type(rows).__name__} is no source: give {A_SOURCE}.")


def to_parquet(tables: "Mapping[str, pd.DataFrame]", folder: str | Path) -> Path:
    """Write each table as `folder/<name>.parquet`, its index as a column, and return the folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pd.DataFrame(table).to_parquet(target / f"{name}.parquet")
    return target


def to_duckdb(tables: "Mapping[str, pd.DataFrame]", database: str | Path) -> "duckdb.DuckDBPyConnection":
    """Return a connection to a database with these tables, which replace those of the same names, their index as a column."""
    connection = duckdb.connect(str(database))
    for name, table in tables.items():
        connection.register("given", pa.Table.from_pandas(table))
        connection.execute(f'create or replace table "{name}" as select * from given')  # noqa: S608  # our own names
        connection.unregister("given")
    return connection
