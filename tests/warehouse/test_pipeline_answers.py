"""The source on the pipeline's tables: the answers of the raw table, without a look at it."""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

import twin
from tests.warehouse import pipelines
from tests.warehouse.conftest import FORMS, tables
from tests.warehouse.double import Warehouse
from tests.warehouse.pipelines import PLACES
from tests.warehouse.test_answers import long_lives, questions, same
from tests.warehouse.test_arrivals import insert, same_as_afresh
from tests.warehouse.test_spark import with_odd_rows
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.notebook.door import Twin
from twin.sources import pipeline_tables
from twin.sources.base import Location
from twin.sources.contents import Contents
from twin.sources.event_table import Columns, EventTable
from twin.sources.queries.times import Reading

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
Demos = Callable[[str], Path]


def dirty(demo: Path, form: str) -> tuple[dict[str, Path | str], Location]:
    """The lakehouse of a demo, with odd rows, orders that live for days and an id that is used three times; where these are."""
    held, place = tables(demo, form), twin.open(demo).locations[0]
    long = long_lives(place, PLACES[form][0])
    if form == "typed":
        long = f"SELECT * REPLACE (ts::TIMESTAMP AS ts, sequence::INT AS sequence) FROM ({long})"
    else:
        held["lakeflow.all_events"] = with_odd_rows(str(held["lakeflow.all_events"]), form)
    held["lakeflow.all_events"] = f"({held['lakeflow.all_events']}) UNION ALL BY NAME ({long})"
    return held, place


def of_rows(warehouse: Warehouse, since: int = 0) -> list[str]:
    """The statements that read rows of the raw table."""
    return [
        sql
        for sql in warehouse.asked[since:]
        if "`all_events`" in sql and not sql.startswith("SELECT decoding, tables")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_question_has_the_answer_that_files_of_the_same_rows_give(
    form: str,
    demos: Demos,
    warehouse_of: Start,
    lakehouse: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, place = dirty(demos(form), form)
    warehouse, stored = warehouse_of(held), tmp_path / "events.parquet"
    if form == "typed":  # a column of type TIMESTAMP holds instants, unless a setting says that it is a kitchen's clock
        monkeypatch.setenv("TWIN_TIMES", "naive")
        pipelines.run(warehouse.connection, PLACES[form], "instants", times="naive")
    else:  # one of the odd rows begins with the day
        pipelines.run(warehouse.connection, PLACES[form], dates="day-first")
    with warehouse.connection.cursor() as cursor:
        cursor.execute(f"COPY caspers.lakeflow.all_events TO '{stored}' (FORMAT parquet)")
    through, direct = lakehouse(), twin.open(stored)
    assert [(one.id, one.orders) for one in through.locations] == [(one.id, one.orders) for one in direct.locations]
    assert through.quality() == direct.quality()
    assert through.source.times == direct.source.times
    for one in direct.locations:
        assert through.quality(one.id) == direct.quality(one.id)
        assert through.source.volume(one.id).orders.tolist() == direct.source.volume(one.id).orders.tolist()
    midnight = place.start // DAY * DAY
    for start, end in ((midnight + DAY / 4, midnight + 1.25 * DAY), (midnight + DAY, midnight + 2 * DAY)):
        assert same(through.source.window(place.id, start, end), direct.source.window(place.id, start, end))
        assert same(through.source.history(place.id, start, end), direct.source.history(place.id, start, end))
        assert same(through.source.begun(start, end), direct.source.begun(start, end))
    assert same(through.source.routes(place.id, 20), direct.source.routes(place.id, 20))
    asked = [
        *questions(place, "again~2").items(),
        ("find_order", {"order_id": "again", "location": ""}),
        *([("find_order", {"order_id": "odd-4", "location": ""})] if form != "typed" else []),
    ]
    for query, parameters in asked:
        answer = through.source.query(query, **parameters)
        assert same(answer, direct.source.query(query, **parameters)), query
        assert answer.num_rows
    assert of_rows(warehouse) == [], "no row of the raw table is read"


@pytest.fixture
def small(warehouse_of: Start, tmp_path: Path) -> Warehouse:
    """A lakehouse of one kitchen with two orders, and what the pipeline made of it."""
    rows = [
        ("order_created", "2025-10-13 12:00:00", "A", '{"customer_lat": 37.7, "customer_lon": -122.4}'),
        ("gk_ready", "2025-10-13 12:10:00", "A", "{}"),
        ("delivered", "2025-10-13 12:30:00", "A", '{"delivered_lat": 37.7, "delivered_lon": -122.4}'),
        ("order_created", "2025-10-13 13:00:00", "B", "{}"),
        ("gk_started", "soon", "B", "{}"),
    ]
    values = ", ".join(f"('{kind}', '{ts}', 'sf', '{order}', '1', '{body}')" for kind, ts, order, body in rows)
    columns = "event_type, ts, location_id, order_id, sequence, body"
    warehouse = warehouse_of({"lakeflow.all_events": f"SELECT * FROM (VALUES {values}) AS rows({columns})"})
    pipelines.run(warehouse.connection, PLACES["2026"])
    return warehouse


def test_opening_and_a_days_window_are_small_statements_on_the_tables(small: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    # columns, the version, then side by side: times and what the opening asks; no dimension table is there
    assert len(small.statements) == 9
    place = source.locations[0]
    before = len(small.statements)
    rows = source.source.window("sf", place.start, place.end)
    (asked,) = small.asked[before:]
    assert rows.num_rows == 4
    assert "twin_events" in asked
    assert not re.search(r"get_json_object|RLIKE|CAST\(`ts`", asked), "nothing is decoded"
    for query in ("totals", "brands"):
        source.source.query(query, location="sf", from_ts=place.start, to_ts=place.end)
        assert re.search(r"twin_orders`\s+WHERE location = :location AND began", small.asked[-1]), (
            "not those of all kitchens"
        )
    assert of_rows(small) == []


def test_what_the_pipeline_adds_is_found(small: Warehouse, lakehouse: Open) -> None:
    source = lakehouse()
    assert source.refresh() is False
    add(small, "2025-10-13 14:00:00")
    assert source.refresh() is False, "the pipeline has not run"
    assert source.quality().read == 5
    pipelines.run(small.connection, PLACES["2026"])
    assert source.refresh() is True
    assert source.quality().read == 6
    assert source.locations[0].orders == 3
    assert of_rows(small) == []


@pytest.mark.parametrize("form", ["2025", "2026"])
def test_who_follows_a_kitchen_is_told_what_the_pipeline_adds(
    form: str, demos: Demos, warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the latest rows of its table of events: no row of the raw table is read."""
    monkeypatch.setenv("TWIN_LATE_ROWS_S", "7200")
    warehouse = warehouse_of(tables(demos(form), form))
    pipelines.run(warehouse.connection, PLACES[form])
    source = lakehouse().source
    assert source.arrived(source.locations()[0].id, 0).num_rows == 0  # type: ignore[union-attr]
    added = insert(warehouse, 7200, "+1")
    assert source.refresh() is False, "the pipeline has not run"
    pipelines.run(warehouse.connection, PLACES[form])
    asked = len(warehouse.asked)
    assert source.refresh() is True
    (of_events,) = (one for one in warehouse.asked[asked:] if not one.startswith("SELECT decoding, tables"))
    assert "twin_events" in of_events
    assert of_rows(warehouse) == []
    assert source.mark == added
    told = [source.arrived(place.id, 0) for place in source.locations()]
    ids = {one for rows in told if rows is not None for one in rows["order_id"].to_pylist()}
    assert {one[-2:] for one in ids} == {"+1"}
    same_as_afresh(source, lakehouse().source)


def test_tables_that_appear_later_are_used_from_the_next_refresh_that_finds_rows(
    small: Warehouse, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small.connection.cursor() as cursor:
        names = [name for (name,) in cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'caspers' AND table_name LIKE 'twin_%'"
        ).fetchall()]  # fmt: skip
        assert names
        for name in names:
            cursor.execute(f"DROP TABLE caspers.lakeflow.{name}")
    source = lakehouse()
    assert of_rows(small)
    pipelines.run(small.connection, PLACES["2026"])
    add(small, "2025-10-13 14:00:00")
    pipelines.run(small.connection, PLACES["2026"])
    before = len(small.statements)
    assert source.refresh() is True
    assert (source.quality().read, source.locations[0].orders) == (6, 3)
    place = source.locations[0]
    assert source.source.window("sf", place.start, place.end).num_rows == 5
    counted = "SELECT count(*) AS rows_read"
    assert [sql for sql in of_rows(small, before) if not sql.startswith(counted)] == [], "the raw table is read no more"
    assert source.refresh() is False


def test_without_the_setting_or_with_other_rules_the_raw_table_is_read(
    small: Warehouse, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small.connection.cursor() as cursor:
        cursor.execute("UPDATE caspers.lakeflow.twin_version SET tables = 'older'")
    assert lakehouse().quality().read == 5
    assert of_rows(small)
    monkeypatch.setenv("TWIN_PIPELINE", "off")
    before = len(small.statements)
    assert lakehouse().quality().read == 5
    assert not [sql for sql in small.asked[before:] if "twin_" in sql]


class Direct:
    """A warehouse's `query` without the connection to it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def query(self, sql: str, parameters: dict[str, Any], is_probe: bool = False) -> pa.Table:
        return self._warehouse._execute(sql, parameters)


def found(warehouse: Warehouse, **settings: Any) -> pipeline_tables.Pipeline | None:
    """Look for the pipeline's tables as the source does."""
    columns: defaultdict[str, Columns] = defaultdict(Columns.none)
    sql = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_catalog = 'caspers'"
    for table, column, kind in warehouse.connection.sql(sql).fetchall():
        columns[table].written[column] = column
        columns[table].types[column] = kind

    def name_of(table: str) -> str:
        return f"`caspers`.`lakeflow`.`{table}`"

    raw = EventTable(name_of("all_events"), columns["all_events"])
    return pipeline_tables.find(lambda table: columns[table], name_of, raw, Settings(**settings))


def state(warehouse: Warehouse, **settings: Any) -> pipeline_tables.State | None:
    tables = found(warehouse, **settings)
    return tables and tables.state(cast(Any, Direct(warehouse)))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("UPDATE twin_events SET decoding = 'older rules' WHERE order_id = 'A'", "another version"),
        ("UPDATE twin_version SET tables = 'older'", "another version"),
        (
            "UPDATE twin_version SET decoding = replace(decoding, 'location_id,location_id', 'gk_id,gk_id')",
            "other columns",
        ),
        ("DELETE FROM all_events WHERE order_id = 'B'", "made anew"),
        ("DROP TABLE twin_flags", "Not all tables"),
        ("ALTER TABLE twin_orders DROP COLUMN picked_up", "Not all tables"),
        ("ALTER TABLE all_events ALTER ts TYPE DOUBLE USING 1.5", "Not all tables"),
        ("DELETE FROM twin_version", ""),
    ],
)
def test_tables_that_are_not_this_versions_are_not_read(
    spoil: str, why: str, small: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    first = state(small)
    assert first is not None
    assert (first.rows, first.reading) == (5, Reading())
    with small.connection.cursor() as cursor:
        cursor.execute("USE caspers.lakeflow")
        cursor.execute(spoil)
        if "twin_events" in spoil:  # what is made of the events has the rows as they are, from the next run on
            cursor.execute(
                "CREATE OR REPLACE TABLE twin_version AS SELECT e.decoding, any_value(v.tables) AS tables, "
                "count(*) AS rows_read FROM twin_events AS e, twin_version AS v GROUP BY ALL"
            )
    assert state(small) is None
    assert why in caplog.text


@pytest.mark.parametrize("settings", [{"times": "naive"}, {"times": "instants"}, {"dates": "day-first"}])
def test_the_pipeline_may_be_configured_instead_of_the_app_but_not_otherwise(
    settings: dict[str, Any], small: Warehouse
) -> None:
    assert state(small, **settings) is None
    pipelines.run(small.connection, PLACES["2026"], **settings)
    for given in ({}, settings):
        made = state(small, **given)
        assert made is not None
        assert made.reading == Reading(**settings)
    assert state(small, times="instants" if settings.get("times") == "naive" else "naive") is None


@pytest.mark.parametrize(
    ("ts", "what"),
    [
        ("2025-10-13 15:00:00 America/Chicago", "zones are America/Chicago"),
        ("25/12/2025 15:00:00", "dates are day-first"),
    ],
)
def test_times_that_need_other_rules_are_read_from_the_rows(
    ts: str, what: str, small: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    def read() -> Contents | None:
        tables = found(small)
        assert tables is not None
        return tables.read(cast(Any, Direct(small)), lambda work: work, list)

    assert read() is not None
    add(small, ts)
    pipelines.run(small.connection, PLACES["2026"])
    assert read() is None
    assert what in caplog.text


def add(warehouse: Warehouse, ts: str) -> None:
    """Let one more order come in."""
    with warehouse.connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO caspers.lakeflow.all_events VALUES ('order_created', '{ts}', 'sf', 'C', '1', '{{}}')"
        )
