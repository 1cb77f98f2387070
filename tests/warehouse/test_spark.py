"""Every statement that the product sends, also executed by Spark, which a warehouse runs: the same rows as DuckDB gives.

And the notebook that reads the tables through the session's Spark, with a session of this machine's.
"""

import datetime as dt
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F  # Spark's own name for it
from pyspark.sql.types import TimestampType

import twin
from tests import hostile_bodies as hostile
from tests.app.files import ROOT, cells
from tests.app.test_notebook import EXPLORE, Dbutils
from tests.warehouse import pipelines, year
from tests.warehouse.conftest import FORMS, tables
from tests.warehouse.double import Statement, Warehouse
from tests.warehouse.pipelines import transpiled
from tests.warehouse.test_answers import questions
from twin.foundation.times import DAY
from twin.notebook.door import Twin
from twin.sources import lives, pipeline, queries, similar_orders
from twin.sources.queries import json_bodies, times
from twin.sources.queries.times import Reading

ALL = sorted(path.stem for path in Path(queries.__file__).parent.glob("*.sql"))
FRAGMENTS = {"timed", "events", "told_apart", *queries.RELATIONS}
"""Not asked by themselves: they begin the others."""
OF_FILES = {"quality", "flags", "locations", "volume", "long_orders", "reused", "times"}
"""Asked of files only: a warehouse answers them at once (contents.sql)."""
OF_LONG_LIVES = {"2025": set[str](), "2026": set[str](), "typed": {"long_window"}}
"""Not asked, by form: of orders that live for days, which are among the odd rows."""
MAY_BE_EMPTY = {"unread_times"}
"""Whose answer has no row where everything was read; any other that has none was compared with nothing."""
ODD_ITEMS = [
    '[{"brand_id": 1, "price": 3, "price": 9, "qty": 2, "qty": 7}]',
    '[{"brand_id": "2", "brand_id": "3", "price": 4}]',
    '[{"brand_id": 1, "price": "2.5e1", "qty": "2"}]',
    '[5, "tea", null, [1], {"brand_id": 2, "price": 7.5}]',
    '{"brand_id": 2, "price": 11}',
    '"[{\\"brand_id\\": 3, \\"price\\": 13}]"',
    '[{"brand_id": 1, "price": true, "qty": false}]',
    '[{"brand_id": "", "price": 17}, {"brand_id": null, "price": 19}, {"brand_id": {"a": 1}, "price": [1]}]',
]
"""Items of an order that every engine reads, each by rules of its own unless the query says which."""
REJECTED = {
    "2025": {"duplicate", "broken JSON", "no order", "bad timestamp"},
    "2026": {"duplicate", "broken JSON", "no order", "bad timestamp"},
    "typed": {"duplicate", "broken JSON", "no order"},
}
"""Of the demo's spoiled rows, by form; a column of times has no text that is none."""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark beside this process, with a warehouse's settings: ANSI, UTC.

    Each statement runs once, over few rows. Compiling it, first to Java and then to the machine's best code, takes longer than
    running it does, so Spark interprets its expressions, and the JVM compiles what it must with its quick compiler only.
    """
    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(folder),
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
    }
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[2]").appName("twin-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def odd_rows() -> str:
    """Rows that nobody promised, as DuckDB's VALUES: blanks, other cases, offsets, broken JSON, strange numbers."""
    rows = [
        ("Order_Created ", "2025-10-16T12:00:00Z", " sanfrancisco ", " odd-1 ", "01", '{"items": []}'),
        (
            "order_created",
            "2025-10-16 12:01:00.123456",
            "sanfrancisco",
            "odd-2",
            "1.5",
            '{"items": [{"price": "x", "qty": 2}]}',
        ),
        (
            "order_created",
            "2025-10-16 12:02:00",
            "sanfrancisco",
            "odd-3",
            "abc",
            '{"items": "none", "customer_lat": "37.8"}',
        ),
        (
            "order_created",
            "2025-10-16 12:03:00",
            "sanfrancisco",
            "odd-4",
            "1",
            '{"items": [{"brand_id": 7, "price": 9.5}]}',
        ),
        ("delivered", "2025-10-16 12:30:00", "sanfrancisco", "odd-4", "2", '{"delivered_lat": 91, "delivered_lon": 0}'),
        ("delivered", "2025-10-16 11:00:00", "sanfrancisco", "odd-2", "2", "null"),
        (
            "driver_ping",
            "2025-10-16 12:10:00",
            "sanfrancisco",
            "odd-4",
            "3",
            '{"loc_lat": 0, "loc_lon": 0, "progress_pct": 101}',
        ),
        (
            "driver_ping",
            "2025-10-16 12:11:00",
            "sanfrancisco",
            "odd-4",
            "4",
            '{"lat": "37.79", "lon": 1, "progress_pct": "55"}',
        ),
        ("gk_started", "2025-10-16 12:05:00", "sanfrancisco", "odd-4", "6", "{broken"),
        ("gk_started", "2025-10-16 12:05:00", "sanfrancisco", "odd-4", "6", "[1, 2]"),
        ("gk_started", "2025-10-16 12:05:00", "sanfrancisco", "odd-4", "inf", '{"note": NaN}'),
        ("gk_finished", "2025-10-16 12:06:00", "sanfrancisco", "odd-4", "1e300", "{'note': 1}"),
        ("gk_finished", "2025-10-16 12:06:00", "sanfrancisco", "odd-4", "nan", '{"note": 1} and more'),
        ("order_created", "2025-10-16 12:04:00", "sanfrancisco", "odd-5", "1", '{"items":[],"note":"x",}'),
        (
            "order_created",
            "2025-10-16 12:04:00",
            "sanfrancisco",
            "odd-6",
            "1",
            '{"items": [{"price": 1e308, "qty": -1}]}',
        ),
        ("gk_started", "16.10.2025 12:05", "sanfrancisco", "odd-4", "6", "{}"),
        ("gk_started", "1760616300", "sanfrancisco", "odd-4", "6", "{}"),
        ("gk_started", "2025-13-45 99:99:99", "sanfrancisco", "odd-4", "6", "{}"),
        ("gk_ready", "2025-10-16 12:20:00+02:00", "sanfrancisco", "odd-4", "7", "{}"),
        ("gk_ready", "0001-01-01 00:00:00", "sanfrancisco", "odd-4", "7", "{}"),
        ("teleported", "2025-10-16 12:21:00", "sanfrancisco", "odd-4", "8", '{"emoji": "🍜 \\u00e9"}'),
        ("order_created", "2025-10-14 12:00:00", "sanfrancisco", "odd-7", "1", "{}"),
        ("delivered", "2025-10-18 12:00:00", "sanfrancisco", "odd-7", "2", "{}"),
        ("order_created", "2025-10-15 12:00:00", "sanfrancisco", "odd-8", "1", "{}"),
        ("order_created", "2025-10-16 18:00:00", "sanfrancisco", "odd-8", "2", "{}"),
        ("delivered", "2025-10-16 18:30:00", "sanfrancisco", "odd-8", "3", "{}"),
        ("", "2025-10-16 12:22:00", "", "", "", ""),
    ]
    rows += [
        ("order_created", f"2025-10-16 19:{at:02}:00", "sanfrancisco", f"items-{at}", "1", f'{{"items": {items}}}')
        for at, items in enumerate(ODD_ITEMS)
    ]
    texts = ["(" + ", ".join("'" + value.replace("'", "''") + "'" for value in row) + ")" for row in rows]
    return f"SELECT * FROM (VALUES {', '.join(texts)}) AS odd(event_type, ts, location, order_id, sequence, body)"


def with_odd_rows(events: str, form: str) -> str:
    place = "location_id" if form == "2026" else "location"
    odd = odd_rows().replace("location,", f"{place},")
    if form == "2026":
        odd = odd.replace("'sanfrancisco'", "'1'")
    return f"({events}) UNION ALL BY NAME ({odd})"


def few_orders(events: str) -> str:
    """A sixteenth of the orders, and every row without an order, time or JSON: compared is which rows are taken."""
    odd = "coalesce(trim(order_id), '') = '' OR try_cast(ts AS TIMESTAMP) IS NULL OR NOT coalesce(json_valid(body), false)"
    return f"SELECT * FROM ({events}) WHERE hash(order_id) % 16 = 0 OR {odd}"


def asked_of(source: Twin) -> None:
    """Ask what pages and endpoints ask."""
    for place in source.locations[:1]:
        timeline = source.timeline(place.id)
        source.source.query("window_size", location=place.id, **lives.ranges(place.start, place.start + DAY, None))
        source.insights(timeline)
        source.streets(place.id)
        source.orders(day="2025-10-16")  # of all kitchens
        order = timeline.orders.ids[3].as_py()
        # orders that live for days make the record begin days before most orders; what has no rows compares nothing
        most = replace(place, start=float(np.median(timeline.orders.began)) - 21 * 3600)
        for query, parameters in questions(most, order).items():
            source.source.query(query, **parameters)
    cast(Any, source.source)._recent_rows()  # what a refresh asks for while somebody follows a kitchen
    for granularity in ("minute", "day", "week"):
        more = questions(source.locations[0], "")["buckets"] | {"granularity": granularity}
        source.source.query("buckets", **more)


def rows(columns: list[str], found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, numbers rounded to nine digits."""

    def plain(value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.replace(tzinfo=None).isoformat()
        return (
            float(f"{float(value):.9g}")
            if isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            else value
        )

    return sorted((tuple(plain(row[name]) for name in columns) for row in found), key=repr)


def are_close(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> bool:
    """Whether rows differ only where numbers that were added in another order were rounded to the other side."""
    return len(ours) == len(theirs) and all(
        a == b or (isinstance(a, float) and a == pytest.approx(b, rel=1e-7))
        for one, other in zip(ours, theirs, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def bound(statement: Statement) -> dict[str, Column]:
    """Return a statement's parameters in their declared types, which Python's do not tell: BIGINT and INT are both `int`."""
    written = {"BIGINT": "{}L", "TIMESTAMP_NTZ": "TIMESTAMP_NTZ'{}'"}  # Spark binds literals only, no casts

    def literal(value: Any, declared: str) -> Column:
        return F.expr(written[declared].format(value)) if declared in written else F.lit(value)

    return {name: literal(value, statement.types[name]) for name, value in statement.parameters.items()}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets that pyspark's collect leaves
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("form", FORMS)
def test_every_statement_gives_the_same_rows_in_spark(
    form: str,
    demos: Callable[[str], Path],
    warehouse_of: Callable[..., Warehouse],
    lakehouse: Callable[..., Twin],
    spark: SparkSession,
    tmp_path: Path,
) -> None:
    held = tables(demos(form), form)
    held["lakeflow.all_events"] = few_orders(str(held["lakeflow.all_events"]))
    if form != "typed":
        held["lakeflow.all_events"] = with_odd_rows(str(held["lakeflow.all_events"]), form)
    warehouse = warehouse_of(held)
    with warehouse.connection.cursor() as cursor:
        for name in held:
            stored = tmp_path / f"{name}.parquet"
            cursor.execute(f"COPY caspers.{name} TO '{stored}' (FORMAT parquet)")
            spark.read.parquet(str(stored)).createOrReplaceTempView(name.replace(".", "_"))
    source = lakehouse()
    assert set(source.quality().rejected) >= REJECTED[form], "every kind of row that is set aside is among the few"
    asked_of(source)
    sent: dict[tuple[str, str], Statement] = {
        (one.sql, repr((one.parameters, one.types))): one
        for one in warehouse.statements
        if not re.search("information_schema|DESCRIBE HISTORY", one.sql)  # of a workspace, and of Delta tables
    }
    asked = {query for query in ALL if any(is_asked(query, one.sql) for one in sent.values())}
    unread = {"unread_times"} if form == "typed" else set()
    assert asked == set(ALL) - FRAGMENTS - OF_FILES - OF_LONG_LIVES[form] - unread
    answered = set[str]()
    for one in sent.values():
        number = compared(warehouse, spark, one)
        answered |= {query for query in ALL if number and is_asked(query, one.sql)}
    assert asked - answered <= MAY_BE_EMPTY, "compared nothing with nothing"


def compared(warehouse: Warehouse, spark: SparkSession, one: Statement) -> int:
    """Check that Spark gives the rows of a statement that DuckDB gives; return how many they are."""
    result = spark.sql(re.sub(r"`caspers`\.`(\w+)`\.`(\w+)`", r"\1_\2", one.sql), args=bound(one))
    with warehouse.connection.cursor() as cursor:
        expected = cursor.sql(transpiled(one.sql), params=one.parameters).to_arrow_table()
    assert result.columns == expected.column_names
    assert not [one.name for one in result.schema if isinstance(one.dataType, TimestampType)], "a time with a zone"
    if is_asked("contents", one.sql):
        plan = result._jdf.queryExecution().sparkPlan().toString()
        assert plan.count("FileScan") == 1, "opening passes over the table once, in a plan as well"
    ours = rows(result.columns, [row.asDict(recursive=True) for row in result.collect()])
    theirs = rows(result.columns, expected.to_pylist())
    assert ours == theirs or are_close(ours, theirs), one.sql[-1500:]
    return len(ours)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("form", ["2025", "2026"])
def test_every_statement_on_the_pipelines_tables_gives_the_same_rows_in_spark(
    form: str,
    demos: Callable[[str], Path],
    warehouse_of: Callable[..., Warehouse],
    lakehouse: Callable[..., Twin],
    spark: SparkSession,
    tmp_path: Path,
) -> None:
    held = tables(demos(form), form)
    held["lakeflow.all_events"] = with_odd_rows(str(held["lakeflow.all_events"]), form)
    warehouse = warehouse_of(held)
    pipelines.run(warehouse.connection, pipelines.PLACES[form], dates="day-first")
    with warehouse.connection.cursor() as cursor:
        made = [f"lakeflow.{pipeline.EVENTS}", *(f"lakeflow.{table.name}" for table in pipeline.others())]
        for name in (*held, *made):
            stored = tmp_path / f"{name}.parquet"
            cursor.execute(f"COPY caspers.{name} TO '{stored}' (FORMAT parquet)")
            spark.read.parquet(str(stored)).createOrReplaceTempView(name.replace(".", "_"))
    asked_of(lakehouse())
    sent = {
        (one.sql, repr((one.parameters, one.types))): one
        for one in warehouse.statements
        if "information_schema" not in one.sql
    }
    of_rows = [one for one in sent.values() if "`all_events`" in one.sql]
    assert len(of_rows) == 1, "the raw table is only counted"
    empty = [one.sql for one in sent.values() if not compared(warehouse, spark, one)]
    assert not empty, "compared nothing with nothing"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("form", ["2026", "typed"])
def test_the_notebook_explores_through_the_sessions_spark(
    form: str, demos: Callable[[str], Path], spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lakeflow", "simulator"):
        spark.sql(f"CREATE DATABASE {name}")
    try:
        for name, rows in tables(demos(form), form).items():
            stored = tmp_path / f"{name}.parquet"
            given = f"read_parquet('{rows}')" if isinstance(rows, Path) else f"({rows})"
            duckdb.sql(f"COPY (SELECT * FROM {given}) TO '{stored}' (FORMAT parquet)")
            spark.sql(f"CREATE TABLE {name} USING parquet LOCATION '{stored}'")
        displayed, pages = [], []
        monkeypatch.chdir(ROOT / "stages")
        monkeypatch.setattr(sys, "path", list(sys.path))
        for name in ("DATABRICKS_WAREHOUSE_ID", "DATABRICKS_HTTP_PATH", "TWIN_SOURCE"):
            monkeypatch.delenv(name, raising=False)
        names: dict[str, Any] = {
            "dbutils": Dbutils({"CATALOG": "spark_catalog", "DAYS": "1"}),
            "spark": spark,
            "display": displayed.append,
            "displayHTML": pages.append,
        }
        for number, source in enumerate(cells(EXPLORE)):
            if not source.startswith("%"):  # a magic of the notebook's own
                exec(compile(source, f"explore[{number}]", "exec"), names)
    finally:
        for name in ("lakeflow", "simulator"):
            spark.sql(f"DROP DATABASE {name} CASCADE")
    kitchen, whole = names["k"], twin.open(demos(form))
    # what the notebook reads begins amid orders
    later = {"location": kitchen.location.id, "start": kitchen.start + pd.Timedelta("4h"), "end": kitchen.end}
    mine, theirs = names["t"].kitchen(**later), whole.kitchen(**later)
    pd.testing.assert_frame_equal(mine.orders, theirs.orders)
    pd.testing.assert_frame_equal(mine.order_brands, theirs.order_brands)  # with the brands' names
    assert kitchen.location.end - kitchen.location.start < 1.1 * DAY
    places, orders, _why, _moments, brands = displayed
    assert (len(places), len(orders)) == (len(whole.locations), len(kitchen.orders))
    assert {row.brand: row.orders for row in brands.collect()} == kitchen.brands()["orders"].to_dict()
    (page,) = pages
    assert len(page) < 15_000_000
    assert kitchen.location.label in page


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_spark_takes_the_bodies_that_we_take(spark: SparkSession) -> None:
    """By another text than DuckDB's, because each engine's parser takes other things that are no JSON."""
    plain = ['{"a": 1}', "{}", ' {"it\'s": "l\'été", "n": [1, -2.5e3]} ', '{"a": "x\\\\", "b": "\\"\'"}', '{"a":\n1}']
    odd = [f'{{"a":{value}}}' for value in (*hostile.GOOD, *hostile.BAD)]
    bodies = [*plain, *odd, *(body for body in hostile.AROUND if body.startswith("{"))]
    frame = spark.createDataFrame(list(enumerate(bodies)), "number INT, body STRING")
    frame.createOrReplaceTempView("bodies")
    found = spark.sql(f"SELECT number, coalesce({json_bodies.DATABRICKS}, false) AS taken FROM bodies").collect()
    theirs = {bodies[row["number"]] for row in found if row["taken"]}
    judged = json_bodies.judge(pa.array(bodies)).to_pylist()
    ours = {body for body, taken in zip(bodies, judged, strict=True) if taken}
    assert ours >= set(plain)
    # brackets that close between those that open hide the depth from a regular expression: such a body is dropped when it comes
    assert theirs - ours == {f'{{"a":{hostile.HIDDEN_DEPTH}}}'}
    assert ours - theirs == set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    "reading",
    [
        Reading(),
        Reading(dates="day-first", zones=("America/Los_Angeles", "Asia/Kathmandu"), aside="naive"),
        Reading(dates="month-first", times="naive", aside="instants"),
    ],
)
def test_spark_reads_times_as_we_do(spark: SparkSession, reading: Reading) -> None:
    days = ["2025-10-13", "2025/3/9", "13/10/2025", "04.05.2025", "10-13-2025", "2025-02-30", "1989-12-31"]
    clocks = ["", " 18:30", "T02:30:00", " 12:05:06.123456789 AM", ", 06:30 PM", " 24:00:00", " 25:00", " 1:2:3,5"]
    zones = [
        "",
        "Z",
        " +0530",
        "-07:00",
        "+5:45",
        "-07",
        " UTC",
        " GMT-2",
        " pdt",
        " CST",
        "[Asia/Kathmandu]",
        "+99:00",
    ]
    texts = [
        day + clock + zone
        for day in days
        for clock in clocks
        for zone in (*zones, " America/Los_Angeles", "+02:00[Europe/Berlin]")
    ]
    texts += [
        "2025-11-02 01:30:00 America/Los_Angeles",
        "1760380200",
        "1760380200.25",
        "1760380200123",
        "1.76038e9",
        "-5",
    ]
    texts += [
        "1760380200123456",
        "1760380200123456789",
        "9" * 30,
        "never",
        " 2025-10-13 01:00:00 ",
        "",
        "1e400",
        "x" * 100,
    ]
    spark.createDataFrame(list(enumerate(texts)), "sequence INT, ts STRING").createOrReplaceTempView("texts")
    columns = "'gk_ready' AS event_type, ts, 'sf' AS location, 'A' AS order_id, sequence, '{}' AS body"
    timed = times.timed("text", reading)
    chosen = "SELECT sequence, ts, form, unread FROM timed ORDER BY sequence"
    sql = f"WITH bronze AS (SELECT {columns} FROM texts),\n{timed}\n{chosen}"
    theirs = [tuple(row) for row in spark.sql(sql).collect()]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE texts AS SELECT unnest($texts) AS ts, unnest(range(len($texts))) AS sequence",
            {"texts": texts},
        )
        for ours in (sql, sql.replace(timed, times.timed_for_duckdb("text", reading))):
            found = connection.execute(times.in_duckdb(queries.transpile(ours))).fetchall()
            assert [(texts[number], *rest) for number, *rest in found] == [
                (texts[number], *rest) for number, *rest in theirs
            ]


def scans(spark: SparkSession, statement: Statement, whole: bool = False) -> list[year.Scan]:
    """Run a statement on the year's files in Spark; unless it is `whole`, only what it does with the raw table."""
    sql = statement.sql if whole else re.sub(r"(?s)^WITH bronze AS \((.*?)\n\),\n.*", r"\1", statement.sql)
    parameters = {name: value for name, value in bound(statement).items() if re.search(rf":{name}\b", sql)}
    return year.scans(spark, sql.replace("`caspers`.`lakeflow`.`all_events`", "year_events"), parameters)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("form", year.FORMS)
def test_a_day_of_one_kitchen_is_read_without_the_rest_of_the_year(
    form: str,
    warehouse_of: Callable[..., Warehouse],
    lakehouse: Callable[..., Twin],
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouse = warehouse_of({"lakeflow.all_events": year.write(form, tmp_path / "year")})
    # smallest and largest values alone, which is what a Delta table has of its files
    frame = spark.read.option("parquet.filter.dictionary.enabled", "false").parquet(str(tmp_path / "year"))
    frame.createOrReplaceTempView("year_events")
    source = lakehouse().source
    place = source.locations()[3]

    def sent(ask: Callable[[], Any]) -> list[Statement]:
        before = len(warehouse.statements)
        ask()
        return warehouse.statements[before:]

    noon = place.start // DAY * DAY + 100 * DAY + 12 * 3600
    (window,) = sent(lambda: source.window(place.id, noon, noon + 60))
    assert [one.rows for one in scans(spark, window, whole=True)] == [year.BLOCK]
    week: dict[str, Any] = {"location": place.id, "from_ts": noon, "to_ts": noon + 7 * DAY}
    (totals,) = sent(lambda: source.query("totals", **week))
    assert [one.rows for one in scans(spark, totals)] == [8 * year.BLOCK]
    order = source.window(place.id, noon, noon + 60)["order_id"][0].as_py()
    (found,) = sent(lambda: source.query("find_order", order_id=order, location=""))
    assert f"EqualTo(order_id,{order})" in scans(spark, found)[0].pushed
    (found,) = sent(lambda: source.query("find_order", order_id=order, location=place.id))
    assert scans(spark, found)[0].rows <= year.ROWS // year.KITCHENS
    monkeypatch.setattr(similar_orders, "MOST_ORDERS", 60)  # three days of all kitchens, thirty of one
    mistyped = sent(lambda: similar_orders.similar_orders(source, "#", 5, place.id))
    read = [scans(spark, one)[0].rows for one in mistyped]
    assert read == [30 * year.BLOCK, 3 * year.KITCHENS * year.BLOCK]


def test_a_body_that_only_a_warehouse_takes_has_no_body_here() -> None:
    rows = pa.table({"order_id": ["a", "b", "c"], "body": [None, '{"a":1,}', '{"a":1}']})
    assert json_bodies.only_json(rows).to_pylist() == [
        {"order_id": "a", "body": None}, {"order_id": "b", "body": None}, {"order_id": "c", "body": '{"a":1}'},
    ]  # fmt: skip
    other = rows.select(["order_id"])
    assert json_bodies.only_json(other) is other


def is_asked(query: str, sql: str) -> bool:
    return sql.endswith(queries.text(query))


UNEQUAL = {
    r"\bunix_timestamp\(": "reads text by other rules",
    r"CAST\([^()]* AS TIMESTAMP\)": "depends on the session's time zone: use TIMESTAMP_NTZ",
    r"(?<!CAST\()date_trunc\(": "returns a TIMESTAMP, which has a zone: cast it to TIMESTAMP_NTZ at once",
    r"\bpercentile\(": "exists in Databricks alone: use percentile_cont",
    r"\w+:\w+\.": "the colon path reads other JSON than get_json_object",
    r"(?i)json_extract": "is not Databricks SQL",
}


@pytest.mark.parametrize("query", ALL)
def test_no_query_uses_what_the_engines_understand_differently(query: str) -> None:
    sql = re.sub(r"--.*", "", queries.text(query))
    for pattern, why in UNEQUAL.items():
        assert not re.search(pattern, sql), f"{query}.sql: {pattern} {why}"


def test_the_lint_would_find_them() -> None:
    guilty = [
        "unix_timestamp(ts)",
        "CAST(ts AS TIMESTAMP)",
        "date_trunc('HOUR', ts)",
        "percentile(x, 0.5)",
        "body:items.price",
        "JSON_EXTRACT_SCALAR(body)",
    ]
    assert all(any(re.search(pattern, sql) for pattern in UNEQUAL) for sql in guilty)
