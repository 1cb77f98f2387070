"""What aggregates read from: the relations in both dialects, and the questions of several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlglot

from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError
from twin.sources import queries
from twin.sources.files import FileSource

NAMES = (
    "totals",
    "buckets",
    "brands",
    "capacity",
    "find_order",
    "near_orders",
    "event_page",
    "ready",
    "lives",
    "long_orders",
    "long_window",
    "reused",
    "orders",
    "lines",
)


@pytest.mark.slow
@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_query_stands_on_its_relations_and_parses_in_both_dialects(name: str, reused: bool) -> None:
    whole = queries.databricks(name, "SELECT * FROM raw", reused=reused)
    assert (":reused" in whole) is reused
    assert len(sqlglot.parse(whole, read="databricks")) == 1
    assert [relation for relation in queries.RELATIONS if f"\n{relation} AS (" in whole] == list(
        queries.relations(name)
    )
    assert len(sqlglot.parse(queries.for_duckdb(name), read="duckdb")) == 1


def test_lines_hold_a_row_per_order_and_brand_whatever_the_bodies_look_like(tmp_path: Path) -> None:
    bodies = {
        "A": '{"items": [{"brand_id": 5, "price": 2.5, "qty": 2}, {"brand_id": "5", "price": 1}, {"name": "x", "price": 4}]}',
        "B": '{"items": "none"}',
        "E": '{"items": 5}',
        "F": '{"items": {"price": 1}}',
        "C": "{}",
        "D": '{"items": [{"brand_id": 7, "price": "n/a", "qty": null}]}',
    }
    rows = [{**ROWS[0], "order_id": order, "body": body} for order, body in bodies.items()]
    source = FileSource(write_csv(tmp_path / "events.csv", rows))
    source.query("totals", location="sf", from_ts=0.0, to_ts=4e9)
    found = source._database.rows("SELECT order_id, brand_id, revenue FROM lines ORDER BY ALL")
    assert found == [("A", "", 4.0), ("A", "5", 6.0), ("D", "7", 0.0)]


def test_threads_that_ask_at_once_get_the_same_answer(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "events.csv", ROWS))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(source.query, "totals", location="sf", from_ts=0.0, to_ts=4e9) for _ in range(32)]
        answers = {str(future.result().to_pylist()) for future in asked}
    assert len(answers) == 1


def test_a_question_that_the_engine_cannot_answer_is_the_sources_error(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "events.csv", ROWS))
    with pytest.raises(SourceError, match="cannot be asked"):
        source.query("totals", location="sf")
