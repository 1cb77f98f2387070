"""The whole product through the connector and its protocol: the same answers as from files."""

import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import twin
from tests.warehouse.conftest import FORMS, tables
from tests.warehouse.double import CLIENT_SECRET, TOKEN, Warehouse
from twin.analysis import long_ledger
from twin.analysis.ledger import PARTS
from twin.cli import main
from twin.foundation.errors import SourceError, UnknownLocationError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.foundation.times import text
from twin.notebook.door import Twin
from twin.sources import queries
from twin.sources.base import Location, Window
from twin.sources.similar_orders import similar_orders
from twin.sources.warehouse import CONNECTIONS
from twin.sources.window_sizes import Size
from twin.views.session.address import missing_order

pytestmark = pytest.mark.slow

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
Demos = Callable[[str], Path]


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """A table's rows in an order of their own, numbers as numbers."""
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def same(first: pa.Table, second: pa.Table) -> bool:
    ours, theirs = rows(first), rows(second)
    assert first.column_names == second.column_names
    return len(ours) == len(theirs) and all(
        len(a) == len(b)
        and all(x == y or (isinstance(x, float) and x == pytest.approx(y)) for x, y in zip(a, b, strict=True))
        for a, b in zip(ours, theirs, strict=True)
    )


def questions(place: Location, order: str) -> dict[str, dict[str, Any]]:
    """Every query that an endpoint or a page asks, over part of the range."""
    part: dict[str, Any] = {"location": place.id, "from_ts": place.start + 9 * 3600, "to_ts": place.start + 33 * 3600}
    clock = long_ledger.clock_of(place.tz, Window(part["from_ts"], part["to_ts"]))
    means = [{"hour": hour, **dict.fromkeys(PARTS, 100.0 * (hour % 7))} for hour in range(168)]
    return {
        "usual_parts": {**part, "clock": clock},
        "middle_parts": part,
        "ledger_orders": part,
        "ledger": {
            **part,
            "known_ts": place.start + 30 * 3600,
            "by": "brand",
            "clock": clock,
            "usual": json.dumps(means),
            "sets": long_ledger.SETS,
            "same": '[{"id": "2", "as_id": "1"}]',
            "target_us": 1_800_000_000,
            "first_day": 0,
            "last_day": -1,
        },
        "totals": part,
        "brands": part,
        "buckets": {**part, "granularity": "hour"},
        "capacity": {"location": place.id},
        "event_page": {**part, "types": "delivered,gk_ready", "order_id": "", "most": 50},
        "find_order": {"order_id": order, "location": ""},
        "near_orders": {
            "location": "",
            "from_ts": place.start,
            "to_ts": place.end + 1,
            "wanted": order[:-1],
            "most": 5,
        },
        "network": {"from_ts": part["from_ts"], "to_ts": part["to_ts"], "late_us": 1_830_000_000},
        "carried": {"from_ts": part["from_ts"], "to_ts": part["to_ts"]},
        "happened": {"from_ts": part["from_ts"], "to_ts": part["to_ts"]},
        "ready": {},
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_question_has_the_answer_that_the_files_give(
    form: str, demos: Demos, warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = demos(form)
    warehouse_of(tables(folder, form))
    if form == "typed":  # a column of type TIMESTAMP holds instants, unless a setting says that it is a kitchen's clock
        assert lakehouse().source.times == "instants"
        monkeypatch.setenv("TWIN_TIMES", "naive")
    through, direct = lakehouse(), twin.open(folder)
    assert through.locations == direct.locations
    # a column of times holds no text that is none: its rows are without a time, and rejected for it as well
    assert through.quality() == direct.quality()
    for place in direct.locations:
        ours, theirs = through.source, direct.source
        assert through.quality(place.id) == direct.quality(place.id)
        assert ours.volume(place.id).orders.tolist() == theirs.volume(place.id).orders.tolist()
        part = (place.id, place.start + 6 * 3600.5, place.start + 30 * 3600)
        assert same(ours.window(*part), theirs.window(*part))
        assert same(ours.history(*part), theirs.history(*part))
        assert same(ours.begun(*part[1:]), theirs.begun(*part[1:]))
        assert same(ours.routes(place.id, 20), theirs.routes(place.id, 20))
        with monkeypatch.context() as patch:
            patch.setattr("twin.sources.window_sizes.ROUTES_SHARE", 10_000 / Settings().memory_bytes)
            few = ours.routes(place.id, 20)
            assert 0 < len(few) < 20
            assert same(few, theirs.routes(place.id, 20))
    order = through.timeline(place.id).orders.ids[3].as_py()
    for query, parameters in questions(place, order).items():
        assert same(through.source.query(query, **parameters), direct.source.query(query, **parameters)), query
    assert through.source.query("near_orders", **questions(place, order)["near_orders"])["order_id"][0].as_py() == order
    for dimension in ("brands", "menus", "categories", "items"):
        assert through.source.names(dimension) == direct.source.names(dimension)


def long_lives(place: Location, location: str) -> str:
    """Rows, as DuckDB's VALUES, of orders that live across the middle day, and of an id that is used three times.

    Their ids need care in SQL and in JSON.
    """
    lives = {
        "long-1": {"order_created": -30.0, "gk_started": -29.5, "delivered": 40.0},
        "long \"2\", or \\ 'this'": {"gk_started": -3.0, "driver_ping": 3.0, "delivered": 30.0},
        "long-3": {"order_created": 5.0, "delivered": 500.0},
        "again": {"order_created": -20.0, "delivered": -19.5},
    }
    later = {"order_created": 7.0, "gk_started": 7.2, "delivered": 12.0}
    last = {"order_created": 70.0, "delivered": 70.5}
    noon = place.start // 86_400 * 86_400 + 36 * 3600
    values = [
        f"('{kind}', '{text(noon + hours * 3600)}', '{place.id}', '{order.replace(chr(39), 2 * chr(39))}', '1', '{{}}')"
        for order, life in [*lives.items(), ("again", later), ("again", last)]
        for kind, hours in life.items()
    ]
    columns = f"event_type, ts, {location}, order_id, sequence, body"
    return f"SELECT * FROM (VALUES {', '.join(values)}) AS long({columns})"


@pytest.mark.parametrize("form", FORMS)
def test_orders_that_live_for_days_are_whole_through_a_warehouse(
    form: str, demos: Demos, warehouse_of: Start, lakehouse: Open, tmp_path: Path
) -> None:
    held = tables(demos(form), form)
    place = twin.open(demos(form)).locations[0]
    events = str(held["lakeflow.all_events"])
    long = long_lives(place, "location_id" if form == "2026" else "location")
    if form == "typed":
        long = f"SELECT * REPLACE (ts::TIMESTAMP AS ts, sequence::INT AS sequence) FROM ({long})"
    held["lakeflow.all_events"] = f"({events}) UNION ALL BY NAME ({long})"
    warehouse = warehouse_of(held)
    stored = tmp_path / "events.parquet"
    with warehouse.connection.cursor() as cursor:
        cursor.execute(f"COPY caspers.lakeflow.all_events TO '{stored}' (FORMAT parquet)")
    through, direct = lakehouse(), twin.open(stored)
    assert [(one.id, one.orders) for one in through.locations] == [(one.id, one.orders) for one in direct.locations]
    assert through.quality() == direct.quality()
    assert through.source.volume(place.id).orders.tolist() == direct.source.volume(place.id).orders.tolist()
    for at in ("", place.id):
        answer = through.source.query("find_order", order_id="again~2", location=at)
        assert same(answer, direct.source.query("find_order", order_id="again~2", location=at))
        assert answer.num_rows == 3
        near = similar_orders(through.source, "again~", 5, at)
        assert near == similar_orders(direct.source, "again~", 5, at) == ["again", "again~2", "again~3"]
    midnight = place.start // 86_400 * 86_400
    before = len(warehouse.statements)
    for start, end in [(midnight + n * 43_200, midnight + (n + 2) * 43_200) for n in range(-1, 5)]:
        assert same(through.source.window(place.id, start, end), direct.source.window(place.id, start, end))
        assert same(through.source.history(place.id, start, end), direct.source.history(place.id, start, end))
        assert same(through.source.begun(start, end), direct.source.begun(start, end))
        for query in ("totals", "brands", "buckets"):
            part: dict[str, Any] = {"location": place.id, "from_ts": start, "to_ts": end}
            part |= {"granularity": "hour"} if query == "buckets" else {}
            assert same(through.source.query(query, **part), direct.source.query(query, **part)), query
    line = through.timeline(place.id, midnight + 86_400, midnight + 2 * 86_400)
    assert line.order("long-1").created == midnight + 6 * 3600
    assert line.order("long-3").status == "completed"
    assert [order for order in line.orders.ids.to_pylist() if order.startswith("again")] == ["again", "again~2"]
    asked = [one for one in warehouse.statements[before:] if "long_ids" in one.parameters]
    assert asked, "only the rows of these orders are read from far away"
    assert all(re.match(r'\["(again|long)', one.parameters["long_ids"]) for one in asked)


def test_the_real_sample_has_the_same_answers(real_data: Path, warehouse_of: Start, lakehouse: Open) -> None:
    sample = real_data / "casper_sample_events.csv"
    warehouse_of({"lakeflow.all_events": sample})
    through, direct = lakehouse(), twin.open(sample)
    assert (through.locations, through.quality()) == (direct.locations, direct.quality())
    place = direct.locations[0]
    assert same(
        through.source.window(place.id, place.start, place.end + 1),
        direct.source.window(place.id, place.start, place.end + 1),
    )


def test_twin_check_reports_the_same(demos: Demos, warehouse_of: Start, capsys: pytest.CaptureFixture[str]) -> None:
    folder = demos("2025")
    warehouse_of(tables(folder))

    def report_of(source: str) -> str:
        assert main(["check", source]) in (0, None)
        return capsys.readouterr().out.replace(source, "SOURCE")

    assert report_of("databricks").splitlines()[-8:] == report_of(str(folder)).splitlines()[-8:]


def test_an_address_names_catalog_and_schema(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of(tables(demos("2025")))
    assert [place.id for place in lakehouse("databricks://caspers.lakeflow").locations]
    with pytest.raises(SourceError, match=r"no table `caspers`\.`elsewhere`\.`all_events`"):
        lakehouse("databricks://caspers.elsewhere")


@pytest.mark.parametrize("name", ["databricks", "databricks://CASPERS.LakeFlow"])
def test_names_are_found_however_they_are_written(
    name: str, demos: Demos, warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse_of(tables(demos("2025")))
    for variable, value in {
        "CATALOG": "Caspers",
        "LAKEFLOW_SCHEMA": "LakeFlow",
        "SIMULATOR_SCHEMA": "SIMULATOR",
    }.items():
        monkeypatch.setenv(variable, value)
    source = lakehouse(name)
    assert source.locations == twin.open(demos("2025")).locations
    assert source.source.names("brands"), "the dimensions are found, too"


def test_no_time_of_an_answer_has_a_zone(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse_of(tables(demos("2025")))
    source = lakehouse().source
    place = source.locations()[0]
    answers = {"volume": source.query("volume")}
    for granularity in ("minute", "hour", "day", "week"):
        part = {"location": place.id, "from_ts": place.start, "to_ts": place.end, "granularity": granularity}
        answers[f"buckets by the {granularity}"] = source.query("buckets", **part)
    kinds = {name: kind for name, rows in answers.items() for kind in rows.schema.types if pa.types.is_timestamp(kind)}
    assert len(kinds) == len(answers)
    assert {kind.tz for kind in kinds.values()} == {None}, "Python's objects of it need a database of zones"


def test_hostile_names_are_only_values(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    evil = "x' OR '1'='1`; DROP TABLE all_events; --"
    folder = demos("2025")
    quoted = evil.replace("'", "''")
    events = (
        f"SELECT * REPLACE (CASE location WHEN 'chicago' THEN '  {quoted} ' ELSE location END AS location) "
        f"FROM read_parquet('{folder}/events_*.parquet', union_by_name=true)"
    )
    warehouse = warehouse_of({"lakeflow.all_events": events})
    source = lakehouse()
    assert evil in {place.id for place in source.locations}
    place = source.location(evil)
    assert source.source.window(evil, place.start, place.end).num_rows > 100
    assert source.source.query("find_order", order_id=evil, location=evil).num_rows == 0
    assert similar_orders(source.source, evil, 3, evil) == []
    with pytest.raises(UnknownLocationError):
        source.source.window(evil + "'", 0, 1)
    assert not any("DROP" in sql or "1'='1" in sql for sql in warehouse.asked)


def test_a_window_is_asked_for_by_place_and_time_and_only_once(
    demos: Demos, warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    source = lakehouse()
    opening = len(warehouse.statements)
    assert opening == 4, "the columns, the table's version, the first rows' times, and one pass over the table"
    place = source.locations[0]
    before = len(warehouse.statements)
    threads = [
        threading.Thread(target=source.source.window, args=(place.id, place.start, place.start + 3600))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.source.window(place.id, place.start, place.start + 3600)
    asked = warehouse.statements[before:]
    assert len(asked) == 1, "the day's rows come once, for whoever asks"
    assert re.search(r"WHERE \(`location` IN \(:place_0\)\) AND .*:bronze_from", asked[0].sql)
    assert asked[0].parameters["place_0"] == place.id


def test_the_past_comes_from_the_disk_the_next_time(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    place = lakehouse().locations[0]
    first = lakehouse().source.window(place.id, place.start, place.start + 3600)
    asked = len(warehouse.statements)
    again = lakehouse()
    opened = len(warehouse.statements)
    assert same(again.source.window(place.id, place.start, place.start + 3600), first)
    assert (opened - asked, len(warehouse.statements) - opened) == (2, 0)


def test_an_order_is_one_statement_and_a_mistyped_id_three_at_most(
    demos: Demos, warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    source = lakehouse()
    place = source.locations[0]
    order = source.timeline(place.id).orders.ids[3].as_py()

    of_ids = ("find_order", "near_orders")

    def sent(wanted: str) -> tuple[str, list[str]]:
        before = len(warehouse.statements)
        said = missing_order(source, wanted, place.id)
        return said, [name for sql in warehouse.asked[before:] for name in of_ids if sql.endswith(queries.text(name))]

    assert sent(order)[1] == ["find_order"]
    said, statements = sent(order[:-1] + "?")
    assert order in said
    assert statements == ["find_order", "near_orders"]
    assert sent("?" * 20)[1] == ["find_order", "near_orders", "near_orders"]


def test_searches_for_ids_leave_connections_for_what_is_shown(
    demos: Demos, warehouse_of: Start, lakehouse: Open
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    source = lakehouse().source
    held = warehouse.faults.hold = threading.Event()

    def sent(name: str) -> int:
        return sum(sql.endswith(queries.text(name)) for sql in warehouse.asked)

    def wait_for(name: str, number: int) -> None:
        deadline = time.monotonic() + 60
        while sent(name) < number and time.monotonic() < deadline:
            time.sleep(0.01)

    with ThreadPoolExecutor(5) as pool:
        try:
            lookups = [pool.submit(source.query, "find_order", order_id=f"x{n}", location="") for n in range(4)]
            wait_for("find_order", 2)
            shown = pool.submit(source.query, "capacity", location=source.locations()[0].id)
            wait_for("capacity", 1)
            assert (sent("find_order"), sent("capacity")) == (2, 1)
        finally:
            held.set()
        assert shown.result().num_rows == 1
        assert [one.result().num_rows for one in lookups] == [0, 0, 0, 0]


def test_a_day_that_memory_has_no_room_for_is_refused_with_its_size(
    demos: Demos, warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    place = twin.open(demos("2025")).locations[0]
    day = (place.id, place.end - 86_400, place.end)
    room = 700_000

    def with_memory(size: int) -> Twin:
        return lakehouse(settings=replace(Settings.from_environment(), memory_bytes=size))

    ample = with_memory(60 * room)
    before = len(warehouse.statements)
    rows = ample.source.window(*day)
    assert not any("AS bodies" in sql for sql in warehouse.asked[before:]), "what surely fits is not counted"
    source, before = with_memory(3 * room), len(warehouse.statements)
    before = len(warehouse.statements)
    with pytest.raises(
        UnknownTimeError, match=r"have [0-9,]+ events, which take \d MB of memory.* TWIN_MEMORY\.$"
    ) as refused:
        source.source.window(*day)
    (counted,) = warehouse.asked[before:]
    assert "AS bodies" in counted, "no row is read for it"
    assert f"have {len(rows):,} events" in str(refused.value)
    monkeypatch.setattr("twin.sources.window_sizes.SHARE", room / Settings().memory_bytes)
    with pytest.raises(UnknownTimeError) as from_files:
        twin.open(demos("2025")).source.window(*day)
    assert str(refused.value) == str(from_files.value)


def test_more_rows_than_orders_let_expect_stop_the_reading(
    demos: Demos, warehouse_of: Start, lakehouse: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    room = 100_000
    source = lakehouse(settings=replace(Settings.from_environment(), memory_bytes=3 * room))
    place = source.locations[0]
    monkeypatch.setattr(Size, "guessed", lambda _: Size(0, 0))
    before = len(warehouse.statements)
    with pytest.raises(UnknownTimeError, match="TWIN_MEMORY"):
        source.source.window(place.id, place.start, place.end + 60 * 86_400)
    assert 0 < len(warehouse.statements) - before <= CONNECTIONS * 2


def test_no_secret_is_told(
    demos: Demos, warehouse_of: Start, lakehouse: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    warehouse = warehouse_of(tables(demos("2025")))
    source = lakehouse()
    warehouse.faults.down = True
    with pytest.raises(SourceError) as caught:
        source.source.query("capacity", location=source.locations[0].id)
    out, err = capfd.readouterr()
    for secret in (TOKEN, CLIENT_SECRET):
        assert secret not in f"{caught.value} {source!r} {vars(source.source)} {out} {err}"


@pytest.mark.parametrize(
    ("ts", "kind"),
    [
        ("strftime(moment - INTERVAL 7 HOUR, '%Y-%m-%dT%H:%M:%S.%f') || '-07:00'", "instants"),
        ("strftime(moment + INTERVAL 345 MINUTE, '%Y-%m-%d %H:%M:%S.%f') || ' Asia/Kathmandu'", "instants"),
        ("moment AT TIME ZONE 'UTC'", "instants"),
        ("epoch_us(moment)", "instants"),
        ("epoch_us(moment) / 1e6", "instants"),
        ("strftime(moment, '%d/%m/%Y %H:%M:%S.%f')", "naive"),
    ],
)
def test_times_of_every_kind_are_those_of_the_plain_ones(
    ts: str, kind: str, demos: Demos, warehouse_of: Start, lakehouse: Open
) -> None:
    held = tables(demos("2025"))
    plain = f"(SELECT *, try_cast(ts AS TIMESTAMP) AS moment FROM ({held['lakeflow.all_events']}))"
    files = twin.open(demos("2025"))
    chosen = next(place for place in files.locations if place.id == "chicago")
    held["lakeflow.all_events"] = f"SELECT * EXCLUDE (ts, moment), {ts} AS ts FROM {plain} WHERE location = 'chicago'"
    warehouse_of(held)
    source = lakehouse()
    (place,) = source.locations
    assert source.source.times == kind
    assert (place.start, place.end, place.orders) == (chosen.start, chosen.end, chosen.orders)
    assert source.quality("chicago") == files.quality("chicago")
    midnight = place.start // 86400 * 86400 + 86400
    for start, end in ((midnight - 3600, midnight + 1800), (midnight, midnight + 86400)):
        ours, theirs = (one.source.window("chicago", start, end) for one in (source, files))
        assert len(ours) > 20
        assert same(ours, theirs)


def test_times_of_both_kinds_are_never_mixed(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    held = tables(demos("2025"))
    zoned = "CASE WHEN location = 'chicago' THEN ts || '-05:00' ELSE ts END"
    held["lakeflow.all_events"] = f"SELECT * REPLACE ({zoned} AS ts) FROM ({held['lakeflow.all_events']})"
    warehouse_of(held)
    source = lakehouse()
    quality = source.quality()
    assert source.source.times == "naive"
    assert "chicago" not in {place.id for place in source.locations}
    assert quality.rejected["time with a zone, most have none: set TWIN_TIMES"] > 1_000
    assert quality.read == quality.used + sum(quality.rejected.values())
    chosen = lakehouse(settings=replace(Settings.from_environment(), times="instants"))
    assert chosen.source.times == "instants"
    assert "chicago" in {place.id for place in chosen.locations}
