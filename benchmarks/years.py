"""A year of many kitchens as Parquet: the simulator's week, repeated under other ids, by statements over columns."""

from pathlib import Path
from typing import Literal

import duckdb

from benchmarks.data import made
from benchmarks.engines import CONFIG
from twin.simulator import write_demo
from twin.sources import pipeline, queries
from twin.sources.queries import json_bodies

Order = Literal["kitchen", "arrival"]
"""How the rows lie: a file per kitchen with its rows by time, as in a table that is clustered by location and time; or a file per
week with the rows of all kitchens by time, as they come in."""

WEEKS = 52
SCALE = 0.105
"""Multiple of the demo's orders with which a kitchen has 6,400 rows a week, and 300 kitchens a hundred million a year."""
GROUP_ROWS = 30_720
"""Rows of a row group: a month of a kitchen. Engines skip these by their least and largest values."""

_COLUMNS = """
    body, event_type, 'kitchen-' || lpad(k::VARCHAR, 3, '0') AS location,
    CASE WHEN order_id IS NOT NULL THEN md5(order_id || '-' || k || '-' || w) END AS order_id, sequence,
    coalesce(strftime(moment - to_days(CAST(7 * w AS INTEGER)), '%Y-%m-%d %H:%M:%S.%f'), ts) AS ts
"""


def year(kitchens: int, order: Order = "kitchen") -> Path:
    """Return a folder with a year of so many kitchens; each has the week of one of the demo's four, every week."""
    return made(f"year-{kitchens}-{order}", lambda folder: _write(kitchens, order, folder))


def _write(kitchens: int, order: Order, folder: Path) -> None:
    week = made("year-week", lambda into: write_demo(into, scale=SCALE))
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            "CREATE TABLE week AS "
            "SELECT *, try_cast(ts AS TIMESTAMP) AS moment, dense_rank() OVER (ORDER BY location) - 1 AS base "
            f"FROM read_parquet('{week}/events_*.parquet')"
        )
        parts = range(kitchens if order == "kitchen" else WEEKS)
        for part in parts:
            ks, ws = (
                (f"{part}, {part + 1}", f"0, {WEEKS}")
                if order == "kitchen"
                else (f"0, {kitchens}", f"{part}, {part + 1}")
            )
            connection.execute(
                f"""
                COPY (
                  SELECT {_COLUMNS}
                  FROM range({ks}) AS a(k) JOIN week ON week.base = k % 4, range({ws}) AS b(w)
                  ORDER BY moment - to_days(CAST(7 * w AS INTEGER)) NULLS LAST
                ) TO '{folder}/{order}-{part:03}.parquet' (
                  FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS}, STRING_DICTIONARY_PAGE_SIZE_LIMIT 8388608
                )
                """
            )


def pipeline_tables(kitchens: int) -> dict[str, list[Path]]:
    """Return the files of the tables that the pipeline makes of the year of so many kitchens, by their names."""
    folder = made(f"year-{kitchens}-pipeline", lambda into: _run_pipeline(kitchens, into))
    return {table.name: [folder / f"{table.name}.parquet"] for table in (pipeline.events("text"), *pipeline.others())}


def _run_pipeline(kitchens: int, folder: Path) -> None:
    """Run the queries of the pipeline one after the other, and lay out each table as its definition says."""
    year_of = year(kitchens)
    marks = {pipeline.LOCATION: "location", pipeline.OTHER_LOCATION: "location"}
    marks |= {pipeline.TIMES: pipeline.UNSET, pipeline.DATES: pipeline.UNSET}
    marks |= {pipeline.CATALOG: "memory", pipeline.SCHEMA: "main", pipeline.TABLE: "all_events"}
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute("SET enable_progress_bar = false")
        json_bodies.register(connection)
        connection.execute(f"CREATE VIEW all_events AS FROM read_parquet('{year_of}/*.parquet')")
        for table in (pipeline.events("text"), *pipeline.others()):
            sql = table.select.replace("FROM STREAM ", "FROM ")
            for mark, value in marks.items():
                sql = sql.replace(mark, value)
            laid_out = f" ORDER BY {', '.join(table.cluster)}" if table.cluster else ""
            file = folder / f"{table.name}.parquet"
            connection.execute(
                f"COPY (SELECT * FROM ({queries.transpile(sql)}){laid_out}) TO '{file}' "
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP_ROWS})"
            )
            connection.execute(f"CREATE VIEW {table.name} AS FROM read_parquet('{file}')")
