"""The pipeline run by Spark: every table has the rows that DuckDB gives for the same queries."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import twin
from scripts import pipelines as script
from tests.warehouse import pipelines
from tests.warehouse.conftest import tables
from tests.warehouse.double import filled as lakehouse_of
from tests.warehouse.pipelines import PLACES
from tests.warehouse.test_answers import long_lives
from tests.warehouse.test_spark import rows, with_odd_rows
from twin.sources import pipeline

ROOT = Path(__file__).parents[2]


@pytest.mark.spark
@pytest.mark.slow
def test_spark_makes_the_same_tables(demos: Callable[[str], Path], tmp_path: Path) -> None:
    """Of both generations, with odd rows, long lives and ids that are used again; the second update has new rows only."""
    plan, expected = {}, {}
    for form in ("2025", "2026"):
        name, places = f"form_{form}", PLACES[form]
        held, place = tables(demos(form), form), twin.open(demos(form)).locations[0]
        events = f"SELECT * FROM ({held['lakeflow.all_events']}) WHERE hash(order_id) % 16 = 0"  # what is asked is which rows
        odd = f"({with_odd_rows(events, form)}) UNION ALL BY NAME ({long_lives(place, places[0])})"
        with lakehouse_of({"lakeflow.all_events": odd}) as connection:
            later = form == "2026"
            middle = "(SELECT quantile_disc(ts, 0.5) FROM caspers.lakeflow.all_events)"
            newest = f"coalesce(ts >= {middle}, false)" if later else "false"
            parts = {"first": f"NOT {newest}", **({"second": newest} if later else {})}
            for part, chosen in parts.items():
                rows_of = f"SELECT * FROM caspers.lakeflow.all_events WHERE {chosen}"
                connection.execute(f"COPY ({rows_of}) TO '{tmp_path}/{name}-{part}.parquet' (FORMAT parquet)")
            pipelines.run(connection, places)
            made = [pipeline.EVENTS, *(table.name for table in pipeline.others())]
            expected[name] = {
                table: connection.sql(f"FROM caspers.lakeflow.{table}").to_arrow_table() for table in made
            }
        configuration = {
            "catalog": "spark_catalog",
            "schema": name,
            "table": "all_events",
            "times": "auto",
            "dates": "auto",
        }
        configuration |= {"location": places[0], "other_location": places[1]}
        plan[name] = {
            "raw": [str(tmp_path / f"{name}-{part}.parquet") for part in parts],
            "files": [str(script.FOLDER / file) for file in ("events_text.sql", "tables.sql")],
            "configuration": {f"twin.{key}": value for key, value in configuration.items()},
            "tables": made,
        }
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    command = [sys.executable, "-m", "tests.warehouse.spark_pipeline", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = "\n".join(line for line in f"{done.stdout}{done.stderr}".splitlines() if not line.lstrip().startswith("at "))
    assert done.returncode == 0, said[-5000:]
    for name, of_form in expected.items():
        for table, answer in of_form.items():
            theirs = duckdb.read_parquet(f"{tmp_path}/{name}/{table}/*.parquet").to_arrow_table()
            columns = answer.column_names
            assert theirs.column_names == columns
            assert rows(columns, theirs.to_pylist()) == rows(columns, answer.to_pylist()), (name, table)
            assert len(answer), (name, table)
