"""A year of ten kitchens, laid out as a table that is clustered by kitchen and time, and what Spark reads of it.

Each kitchen's day has a row group of its own, with its own statistics, as it would have a file of its own in a Delta table: 3,650
files would only take longer to open.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from pyspark.sql import Column, SparkSession

DAYS, KITCHENS = 365, 10
BLOCK = 10
"""Rows of a kitchen's day: two orders of five events."""
ROWS = DAYS * KITCHENS * BLOCK
FILES = 5

_ROWS = f"""
SELECT
  ['order_created', 'gk_started', 'gk_ready', 'driver_picked_up', 'delivered'][n % 5 + 1] AS event_type,
  TS AS ts,
  PLACE,
  substr(md5(concat(day, '/', kitchen, '/', n // 5)), 1, 12) AS order_id,
  CAST(n AS VARCHAR) AS sequence,
  '{{}}' AS body
FROM (
  SELECT n, day, kitchen, TIMESTAMP '2025-01-01 11:00:00' + INTERVAL (day) DAY + INTERVAL (n * 8) MINUTE AS moment
  FROM range({DAYS}) AS days(day), range({KITCHENS}) AS kitchens(kitchen), range({BLOCK}) AS numbers(n)
)
ORDER BY kitchen, day, n
"""
FORMS = {
    "text": ("strftime(moment, '%Y-%m-%d %H:%M:%S.%f')", "concat('kitchen-', kitchen) AS location"),
    "typed": ("moment AT TIME ZONE 'UTC'", "CAST(kitchen AS INTEGER) AS location_id"),
}
"""The columns of time and location, in DuckDB."""


def write(form: str, folder: Path) -> str:
    """Write the year into Parquet files; return DuckDB's SELECT of the same rows."""
    folder.mkdir()
    ts, place = FORMS[form]
    sql = _ROWS.replace("TS AS", f"{ts} AS").replace("PLACE", place)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        table = connection.sql(sql).to_arrow_table()
    size = ROWS // FILES
    for number in range(FILES):
        pq.write_table(table.slice(number * size, size), folder / f"{number}.parquet", row_group_size=BLOCK)
    return f"SELECT * FROM read_parquet('{folder}/*.parquet')"


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan of a statement was asked for and has read."""

    pushed: str
    """The conditions that reach the files, as Spark writes them."""
    rows: int
    """Rows of the row groups that their statistics did not rule out."""


@contextmanager
def whole_plans(spark: SparkSession) -> Iterator[None]:
    """Let statements run by the plan that they begin with."""
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    yield
    spark.conf.unset("spark.sql.adaptive.enabled")


def scans(spark: SparkSession, sql: str, parameters: Mapping[str, Column]) -> list[Scan]:
    """Run a statement; return its scans of files."""
    with whole_plans(spark):
        frame = spark.sql(sql, args=dict(parameters))
        frame.collect()
    leaves = frame._jdf.queryExecution().executedPlan().collectLeaves()
    plans = [leaves.apply(number) for number in range(leaves.size())]
    return [
        Scan(one.metadata().apply("PushedFilters"), one.metrics().apply("numOutputRows").value())
        for one in plans
        if one.nodeName().startswith("Scan parquet")
    ]
