"""Tables go to other tools and rows come from them, by Arrow where both know it."""

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import twin
from tests.notebook.conftest import DAY
from twin.notebook.door import Twin
from twin.notebook.kitchen import Kitchen

TABLES = ("orders", "items", "order_brands", "stages", "ledger", "shelf", "promises", "moments")


class Stream:
    """What only knows Arrow's interface, as a DataFrame of polars: its texts are string views, as polars' are."""

    def __init__(self, table: pa.Table) -> None:
        views = [
            field.with_type(pa.string_view()) if pa.types.is_string(field.type) else field for field in table.schema
        ]
        self.table = table.cast(pa.schema(views))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class Spark:
    """What Spark's DataFrames have of this."""

    def __init__(self, table: pa.Table) -> None:
        self.toArrow = lambda: table


@pytest.fixture(scope="module")
def rows(demo: Path) -> pa.Table:
    return duckdb.sql(f"select * from '{demo}/events_sanfrancisco.parquet'").to_arrow_table()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_handed_over_by_arrow(kitchen: Kitchen, name: str) -> None:
    table = getattr(kitchen, name)
    taken = pa.RecordBatchReader.from_stream(table).read_all()
    assert taken.num_rows == len(table)
    assert set(taken.column_names) >= {*table.columns, *([table.index.name] if table.index.name else [])}
    assert duckdb.from_arrow(taken).aggregate("count(*)").fetchall()[0] == (len(table),)


def test_an_id_is_a_column_of_the_arrow_table_without_a_copy(kitchen: Kitchen) -> None:
    orders = kitchen.orders
    taken = pa.table(orders)
    assert duckdb.sql('select count(distinct "order") from taken').fetchall()[0] == (len(orders),)
    for name in ("delivery_min", "revenue", "items"):
        (chunk,) = taken[name].chunks
        assert chunk.buffers()[1].address == orders[name].to_numpy().ctypes.data, name


FORMS: dict[str, Any] = {
    "pandas": lambda rows: rows.to_pandas(),
    "pandas with an index": lambda rows: rows.to_pandas().set_index("order_id"),
    "arrow": lambda rows: rows,
    "a stream": Stream,
    "spark": Spark,
    "duckdb": lambda rows: duckdb.from_arrow(rows),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_in_memory_are_a_source(kitchen: Kitchen, rows: pa.Table, form: str) -> None:
    opened = twin.open(FORMS[form](rows))
    assert list(opened) == ["sanfrancisco"]
    assert opened.quality().read == rows.num_rows
    expected = kitchen.orders.drop(columns=["address"])
    pd.testing.assert_frame_equal(opened.kitchen("sanfrancisco", day=DAY).orders.drop(columns=["address"]), expected)


def test_rows_with_timestamps_are_read_as_those_with_texts(kitchen: Kitchen, rows: pa.Table) -> None:
    typed = rows.to_pandas()
    typed["ts"] = pd.to_datetime(typed["ts"], errors="coerce", format="mixed")
    opened = twin.open(typed)
    assert len(opened.kitchen("sanfrancisco", day=DAY).orders) == len(kitchen.orders)


def test_the_copy_lasts_as_long_as_its_twin(rows: pa.Table) -> None:
    opened = twin.open(rows)
    folder = Path(opened.source.name)
    assert folder.is_dir()
    opened.kitchen("sanfrancisco", day=DAY)
    del opened
    assert not folder.exists()


def test_tables_that_give_names_come_along(kitchen: Kitchen, demo: Path, rows: pa.Table) -> None:
    given = {"events": rows, "brands": Spark(pa.parquet.read_table(demo / "brands.parquet"))}
    brands = twin.open(given).kitchen("sanfrancisco", day=DAY).brands()
    pd.testing.assert_frame_equal(brands, kitchen.brands())
    unnamed = twin.open({"events": rows}).kitchen("sanfrancisco", day=DAY)
    assert not set(unnamed.brands().index) & set(brands.index)


def test_what_is_no_table_is_refused(source: Twin, rows: pa.Table) -> None:
    for wrong in (
        5,
        ["events.csv"],
        {"ts": []},
        {"events": 5},
        {"events": rows, "drivers": rows},
        {"brands": rows},
        source,
    ):
        with pytest.raises(TypeError, match="is no source: give a path, or a table of event rows"):
            twin.open(wrong)


def test_parquet_has_every_table(kitchen: Kitchen, tmp_path: Path) -> None:
    folder = kitchen.to_parquet(tmp_path / "out")
    assert sorted(path.stem for path in folder.iterdir()) == sorted([*TABLES, "events"])
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "orders.parquet"), kitchen.orders)
    count, money = duckdb.sql(f"select count(*), sum(revenue) from '{folder}/orders.parquet'").fetchall()[0]
    assert (count, round(money, 2)) == (len(kitchen.orders), round(kitchen.orders["revenue"].sum(), 2))


def test_a_database_has_the_tables_of_all_kitchens(source: Twin, tmp_path: Path) -> None:
    for database in (
        ":memory:",
        tmp_path / "twin.duckdb",
        tmp_path / "twin.duckdb",
    ):  # the second time they are replaced
        with source.to_duckdb(database, day=DAY) as db:
            found = db.sql("select kitchen, count(*) from orders group by all").fetchall()
            assert dict(found) == source.orders(day=DAY)["kitchen"].value_counts().to_dict()
            lines = db.sql('select count(*) from order_items join orders using (kitchen, "order")').fetchall()[0]
            assert lines == (len(source.order_items(day=DAY)),)


def test_the_demo_says_where_it_is_written(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWIN_DEMO", str(demo))
    twin.open("demo")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TWIN_DEMO", str(tmp_path / "new"))
    monkeypatch.setattr("twin.hub._demo", lambda folder, progress: demo)
    twin.open("demo")
    assert capsys.readouterr().err.startswith(f"The demo's events are written to {tmp_path / 'new'}")
