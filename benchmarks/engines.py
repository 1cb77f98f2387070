"""The engines that answer the product's statements over Parquet files, in place of a SQL warehouse: Spark and DuckDB.

Each counts what a statement reads and returns. Both skip row groups by their least and largest values, as a warehouse does files.
"""

import json
import os
import re
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data import FOLDER
from twin.foundation.errors import SourceError
from twin.sources import queries
from twin.sources.queries import json_bodies

CATALOG = {"duckdb": "bench", "spark": "spark_catalog"}
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "4GB",
    "threads": 2,
    "temp_directory": str(FOLDER / "spilled"),
}
"""Of a DuckDB; what it cannot hold goes to the benchmarks' folder, else it went to the folder that one stands in."""
NAMES = sorted(
    (path.stem for path in Path(queries.__file__).parent.glob("*.sql")), key=lambda name: -len(queries.text(name))
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement did: rows and bytes that were read from the files, the size of its result, seconds."""

    name: str
    rows_read: int
    bytes_read: int
    bytes_returned: int
    rows_returned: int
    seconds: float


Tables = Mapping[str, Sequence[Path]]
"""The Parquet files of each table by its name."""
EVENTS = "all_events"


class Engine(ABC):
    """Stands for the product's `Warehouse`; runs one statement at a time, so that what is counted is that statement's."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self._lock = threading.Lock()
        self._tables: Tables = {}

    @abstractmethod
    def hold(self, tables: Tables) -> None:
        """Let tables be these files: `all_events`, and those that the pipeline makes of it, if any."""

    def close(self) -> None:  # noqa: B027  # an engine outlives the sources that ask it
        """Let the source close what it believes to be its warehouse."""

    @abstractmethod
    def _answer(self, sql: str, parameters: Mapping[str, Any]) -> tuple[pa.Table, int, int]:
        """Return a statement's result, and the rows and bytes that were read for it."""

    def query(self, sql: str, parameters: Mapping[str, Any], report: object = None, is_probe: bool = False) -> pa.Table:
        """Return the result of a statement, as `Warehouse.query` does."""
        with self._lock:
            if "information_schema" in sql:
                return _columns(self._tables)
            if sql.startswith("DESCRIBE"):
                raise SourceError("Parquet files have no history.")
            began = time.perf_counter()
            table, rows, size = self._answer(sql, parameters)
            seconds = time.perf_counter() - began
            self.statements.append(Statement(_name(sql), rows, size, table.nbytes, len(table), seconds))
            return table


def _name(sql: str) -> str:
    """Return the name of the query file that a statement is made of, else what it begins with."""
    return next((name for name in NAMES if sql.endswith(queries.text(name))), " ".join(sql.split()[:3]))


def _columns(tables: Tables) -> pa.Table:
    """Return what the schema says of tables: that the raw one has texts only, and the names of others' columns."""
    found = [
        ("lakeflow", name, column, "STRING")
        for name, files in tables.items()
        for column in pq.read_schema(files[0]).names
    ]
    names = ("table_schema", "table_name", "column_name", "data_type")
    return pa.table(dict(zip(names, map(list, zip(*found, strict=True)), strict=True)))


class DuckDB(Engine):
    """DuckDB; the rows read are those of the row groups that it scans."""

    def __init__(self) -> None:
        super().__init__()
        self._connection = duckdb.connect(config=CONFIG)
        for setting in ("SET enable_progress_bar = false", "SET parquet_metadata_cache = true"):
            self._connection.execute(setting)
        json_bodies.register(self._connection)
        self._connection.execute("ATTACH ':memory:' AS bench; CREATE SCHEMA bench.lakeflow")
        self._group: dict[str, float] = {}

    def hold(self, tables: Tables) -> None:
        for name in self._tables:
            self._connection.execute(f"DROP VIEW bench.lakeflow.{name}")
        self._tables = tables
        for name, files in tables.items():
            listed = ", ".join(f"'{file}'" for file in files)
            self._connection.execute(f"CREATE VIEW bench.lakeflow.{name} AS SELECT * FROM read_parquet([{listed}])")
            described = [pq.read_metadata(file) for file in files]
            groups = sum(one.num_row_groups for one in described)
            self._group[name] = sum(one.num_rows for one in described) / max(groups, 1)

    def _answer(self, sql: str, parameters: Mapping[str, Any]) -> tuple[pa.Table, int, int]:
        given = {key: value.item() if isinstance(value, np.datetime64) else value for key, value in parameters.items()}
        translated = queries.transpile(sql)
        self._connection.execute("PRAGMA enable_profiling = 'no_output'")
        self._connection.execute("PRAGMA profiling_mode = 'detailed'")
        table = self._connection.sql(translated, params=given).to_arrow_table()
        profile = json.loads(self._connection.get_profiling_information(format="json"))
        self._connection.execute("PRAGMA disable_profiling")
        size = profile["io"]["total_bytes_read"]
        groups = profile["query"].get("total_row_groups_scanned", 0) if size else 0  # count(*) comes from the metadata
        # of the pipeline's tables, a statement that counts the raw one as well reads none of its rows
        asked = next((name for name in reversed(list(self._tables)) if f"`{name}`" in sql), EVENTS)
        return _narrow(table), round(groups * self._group[asked]), size


class Spark(Engine):
    """Spark in this process, with a warehouse's settings: ANSI, UTC."""

    def __init__(self) -> None:
        super().__init__()
        from pyspark.sql import SparkSession  # of the tests, and slow

        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        settings = {
            "spark.sql.ansi.enabled": "true",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.warehouse.dir": tempfile.mkdtemp(prefix="twin-spark-"),
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "3g",
            "spark.log.level": "ERROR",
            "spark.ui.showConsoleProgress": "false",
        }
        builder = SparkSession.builder.master("local[2]").appName("twin-bench")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self._session = builder.getOrCreate()
        self._session.sql("CREATE SCHEMA lakeflow")
        self._stages = -1

    def hold(self, tables: Tables) -> None:
        for name in self._tables:
            self._session.sql(f"DROP VIEW {name}")
        self._tables = tables
        for name, files in tables.items():
            self._session.read.parquet(*map(str, files)).createOrReplaceTempView(name)

    def _answer(self, sql: str, parameters: Mapping[str, Any]) -> tuple[pa.Table, int, int]:
        from pyspark.sql import functions as F  # Spark's own name for it

        def literal(value: Any) -> Any:
            return F.expr(f"TIMESTAMP_NTZ'{value}'") if isinstance(value, np.datetime64) else F.lit(value)

        given = {name: literal(value) for name, value in parameters.items()}
        table = self._session.sql(re.sub(r"`spark_catalog`\.`lakeflow`\.`(\w+)`", r"\1", sql), args=given).toArrow()
        return (_narrow(table), *self._read())

    def _read(self) -> tuple[int, int]:
        """Return the rows and bytes that the stages since the last call have read."""
        context: Any = self._session.sparkContext
        java, scala = context._jvm, context._jsc.sc()
        scala.listenerBus().waitUntilEmpty()
        none, numbers = java.java.util.ArrayList(), context._gateway.new_array(java.double, 0)
        found = scala.statusStore().stageList(none, False, False, numbers, none)
        rows = size = 0
        last = self._stages
        for at in range(found.size()):
            stage = found.apply(at)
            if stage.stageId() > self._stages:
                rows, size, last = rows + stage.inputRecords(), size + stage.inputBytes(), max(last, stage.stageId())
        self._stages = last
        return rows, size


def _narrow(table: pa.Table) -> pa.Table:
    """Return a result in a warehouse's types: DuckDB's sums of integers are 128 bits wide."""
    for index, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return table
