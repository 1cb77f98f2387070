"""The product's own tables, made by a pipeline: what they have is what the queries say of the raw rows."""

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from scripts import pipelines as script
from tests.warehouse import pipelines
from tests.warehouse.conftest import tables
from tests.warehouse.double import filled as lakehouse_of
from tests.warehouse.pipelines import PLACES, transpiled
from tests.warehouse.test_answers import same
from tests.warehouse.test_spark import with_odd_rows
from twin.sources import pipeline, queries
from twin.sources.queries.times import Reading


def test_the_files_are_those_that_the_command_writes() -> None:
    """A change of twin/sources/queries/*.sql, or of what composes them, needs `python -m scripts.pipelines`."""
    assert {path.name: path.read_text("utf-8") for path in script.FOLDER.iterdir()} == script.written()


def test_the_engine_fills_in_the_configuration_and_nothing_else() -> None:
    """`${` in a pattern would be taken for a name, a semicolon in a text for the end of the statement."""
    for text in script.written().values():
        assert set(re.findall(r"\$\{.*?\}", text)) <= set(pipeline.CONFIGURATION)
        statements = [re.sub(r"(?m)^--.*\n", "", part).strip() for part in text.split(";")]
        assert statements.pop() == ""
        assert all(part.startswith("CREATE OR REFRESH ") for part in statements)
        assert not re.search(r"--|:\w", re.sub(r"'[^']*'", "", "".join(statements))), "neither comment nor parameter"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["2025", "2026"])
def test_the_tables_have_what_the_queries_say_of_the_raw_rows(form: str, demos: Callable[[str], Path]) -> None:
    held = tables(demos(form), form)
    held["lakeflow.all_events"] = with_odd_rows(str(held["lakeflow.all_events"]), form)
    places = PLACES[form]
    with lakehouse_of(held) as connection:
        pipelines.run(connection, places)
        columns = f"event_type, ts, order_id, sequence, body, coalesce({', '.join(places)}) AS location"
        raw = f"SELECT {columns} FROM caspers.lakeflow.all_events"

        def rows(sql: str) -> pa.Table:
            return connection.sql(sql).to_arrow_table()

        # among the odd rows are times with a zone, most have none
        for aside, answers in (("instants", pipeline.ANSWERS), (None, ("times",))):
            decoded = queries.decode_for_duckdb(raw, reading=Reading(aside=aside))
            connection.execute(f"CREATE OR REPLACE TABLE events AS {decoded}")
            connection.execute(f"CREATE OR REPLACE TABLE lives AS {queries.for_duckdb('lives')}")
            # orders of which later lives are told apart: test_pipeline_answers.py
            for query in {*answers} - {"volume", "long_orders"} - ({"times"} if aside else set()):
                ours = pipeline.answered(query, f"caspers.lakeflow.{pipeline.answer(query)}")
                assert same(rows(transpiled(ours)), rows(queries.for_duckdb(query))), query
        read = rows(f"SELECT count(*) AS n FROM ({raw})").to_pylist()
        for counted in ("twin_quality", "twin_version"):
            assert rows(f"SELECT sum(rows_read)::BIGINT AS n FROM caspers.lakeflow.{counted}").to_pylist() == read
