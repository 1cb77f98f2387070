"""The pipeline's tables, made by the double's engine: the same queries as the pipeline has, as batches."""

from functools import cache

import duckdb

from twin.sources import pipeline, queries
from twin.sources.pipeline import Table
from twin.sources.queries.times import Column

PLACES = {"2025": ("location", "gk_id"), "2026": ("location_id", "location_id"), "typed": ("location", "gk_id")}
"""The columns with the location by form."""

transpiled = cache(queries.transpile)
"""DuckDB's text of a statement: each takes up to a tenth of a second, and most are those of the test before."""


def filled(table: Table, locations: tuple[str, str], times: str = pipeline.UNSET, dates: str = pipeline.UNSET) -> str:
    """Return a table's query as the engine reads it: configured, and of all rows instead of the new ones."""
    given = {"CATALOG": "caspers", "SCHEMA": "lakeflow", "TABLE": "all_events"}
    given |= {"LOCATION": locations[0], "OTHER_LOCATION": locations[1], "TIMES": times, "DATES": dates}
    sql = table.select.replace("FROM STREAM ", "FROM ")
    for name, value in given.items():
        sql = sql.replace(getattr(pipeline, name), value)
    return sql


def run(
    connection: duckdb.DuckDBPyConnection,
    locations: tuple[str, str],
    column: Column = "text",
    times: str = pipeline.UNSET,
    dates: str = pipeline.UNSET,
) -> None:
    """Run the pipeline once: every table anew."""
    with connection.cursor() as cursor:
        cursor.execute("USE caspers.lakeflow")
        for table in (pipeline.events(column), *pipeline.others()):
            sql = transpiled(filled(table, locations, times, dates))
            cursor.execute(f"CREATE OR REPLACE TABLE {table.name} AS {sql}")
