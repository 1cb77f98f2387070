"""A mapping applied: the same milestones as an independent reading of the file, and every row accounted for."""

import json
from collections.abc import Mapping as Dictionary
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.adapters import foreign
from twin.sources.adapters.adapt import Adaptation, check
from twin.sources.adapters.adapter import MappingAdapter
from twin.sources.adapters.guess import Choices
from twin.sources.adapters.mapping import Mapping
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline


def at(*parts: int) -> datetime:
    """Data time, which is naive."""
    return datetime(*parts)  # noqa: DTZ001


def mapping_of(path: Path, choices: Choices | None = None) -> Mapping:
    with closing(Adaptation(str(path))) as adaptation:
        mapping = adaptation.propose(choices or Choices(day=date(2024, 3, 1))).mapping
        assert mapping is not None
        return mapping


def wide(**milestones: Any) -> dict[str, Any]:
    return {
        "shape": "wide", "order_id": "id",
        "milestones": {kind: how if isinstance(how, dict) else {"column": how} for kind, how in milestones.items()},
    }  # fmt: skip


def events_of(
    folder: Path, rows: list[dict[str, str]], given: Dictionary[str, Any]
) -> tuple[list[dict[str, Any]], Any]:
    path = foreign.Record(rows, "wide", {}).write(folder)
    with closing(FileSource(path, adapter=MappingAdapter(Mapping.model_validate(given)))) as source:
        events = source.ask("SELECT order_id, event_type, ts, reason FROM events ORDER BY ALL").to_pylist()
        return events, source.quality()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(foreign.SHAPES))
def test_every_row_is_used_or_set_aside(tmp_path: Path, name: str) -> None:
    record = foreign.SHAPES[name]()
    path = record.write(tmp_path)
    checked = check(str(path), mapping_of(path))
    quality = checked.quality
    assert quality.read == quality.used + sum(quality.rejected.values()) == record.moments
    assert quality.used == record.moments
    assert checked.orders == record.orders
    assert len(checked.preview) == 20


def test_wide_times_are_those_of_the_file(tmp_path: Path) -> None:
    record = foreign.wide_shop()
    path = record.write(tmp_path)
    with closing(FileSource(path, adapter=MappingAdapter(mapping_of(path)))) as source:
        rows = source.ask("SELECT order_id, event_type, ts, location FROM events").to_pylist()
    found = {(row["order_id"], row["event_type"]): (row["ts"], row["location"]) for row in rows}
    expected = {
        (row["order_id"], kind): (datetime.fromisoformat(row[column]), row["store_id"])
        for row in record.rows
        for column, kind in record.roles.items()
        if kind in ("order_created", "gk_started", "driver_picked_up", "delivered") and row[column]
    }
    assert found == expected


def test_a_missing_milestone_stays_missing_and_an_unreadable_one_is_set_aside(tmp_path: Path) -> None:
    rows = [
        {"id": "A", "made": "2024-03-01 10:00:00", "gone": ""},
        {"id": "B", "made": "2024-03-01 10:05:00", "gone": "soon"},
        {"id": "C", "made": "", "gone": "null"},
        {"id": "", "made": "2024-03-01 10:05:00", "gone": ""},
    ]
    events, quality = events_of(tmp_path, rows, wide(order_created="made", delivered="gone"))
    assert [(e["order_id"], e["event_type"]) for e in events if e["reason"] is None] == [
        ("A", "order_created"), ("B", "order_created"),
    ]  # fmt: skip
    assert (quality.read, quality.used) == (5, 2)
    assert quality.rejected == {"bad timestamp": 2, "no order": 1}


def test_a_form_holds_for_the_whole_column(tmp_path: Path) -> None:
    rows = [
        {"id": "A", "made": "03/04/2024 10:00"}, {"id": "B", "made": "13/04/2024 10:00"}, {"id": "C", "made": "04/13/2024 10:00"},
    ]  # fmt: skip
    how = {"column": "made", "format": "%d/%m/%Y %H:%M"}
    events, quality = events_of(tmp_path, rows, wide(order_created=how))
    assert [e["ts"] for e in events if e["reason"] is None] == [at(2024, 4, 3, 10), at(2024, 4, 13, 10)]
    assert quality.rejected == {"bad timestamp": 1}  # never read the other way round, value by value


def test_a_time_of_day_takes_its_date_and_not_todays(tmp_path: Path) -> None:
    rows = [
        {"id": "A", "day": "19-03-2024", "made": "23:50:00", "gone": "00:10:00"},
        {"id": "B", "day": "20-03-2024", "made": "08:00:00", "gone": "08:20:00"},
        {"id": "C", "day": "", "made": "08:00:00", "gone": ""},
    ]
    how = {"date": "day", "format": "%d-%m-%Y %H:%M:%S", "next_day": True}
    given = wide(order_created={"column": "made", **how}, delivered={"column": "gone", **how})
    events, quality = events_of(tmp_path, rows, given)
    assert [(e["order_id"], e["event_type"], e["ts"]) for e in events if e["reason"] is None] == [
        ("A", "delivered", at(2024, 3, 20, 0, 10)), ("A", "order_created", at(2024, 3, 19, 23, 50)),
        ("B", "delivered", at(2024, 3, 20, 8, 20)), ("B", "order_created", at(2024, 3, 20, 8, 0)),
    ]  # fmt: skip
    assert quality.rejected == {"bad timestamp": 1}


def test_times_of_day_without_a_date_are_of_the_chosen_day(tmp_path: Path) -> None:
    rows = [{"id": "A", "made": "23:50", "gone": "00:10"}]
    how = {"format": "%H:%M", "day": "2024-03-19", "next_day": True}
    given = wide(order_created={"column": "made", **how}, delivered={"column": "gone", **how})
    events, _ = events_of(tmp_path, rows, given)
    assert [e["ts"] for e in events] == [at(2024, 3, 20, 0, 10), at(2024, 3, 19, 23, 50)]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch seconds", "1709287200"),
        ("epoch milliseconds", "1709287200000"),
        ("epoch microseconds", "1709287200000000"),
    ],
)
def test_epochs_and_their_zeros(tmp_path: Path, form: str, value: str) -> None:
    rows = [{"id": "A", "made": value, "gone": "0"}, {"id": "B", "made": "1e300", "gone": ""}]
    given = wide(order_created={"column": "made", "format": form}, delivered={"column": "gone", "format": form})
    events, quality = events_of(tmp_path, rows, given)
    assert [(e["event_type"], e["ts"]) for e in events if e["reason"] is None] == [
        ("order_created", at(2024, 3, 1, 10))
    ]
    assert quality.rejected == {"bad timestamp": 1}  # 0 is how such data writes that there is no time


def test_counts_begin_with_the_chosen_day(tmp_path: Path) -> None:
    rows = [{"id": "A", "made": "61"}, {"id": "B", "made": "1500"}, {"id": "C", "made": "-"}]
    how = {"column": "made", "format": "counted minutes", "day": "2024-03-01"}
    events, _ = events_of(tmp_path, rows, wide(order_created=how))
    assert [e["ts"] for e in events if e["reason"] is None] == [at(2024, 3, 1, 1, 1), at(2024, 3, 2, 1)]


def test_rows_without_an_id_are_orders_by_their_number(tmp_path: Path) -> None:
    rows = [{"made": "2024-03-01 10:00:00", "gone": "2024-03-01 10:30:00"}, {"made": "2024-03-01 10:01:00", "gone": ""}]
    given = {**wide(order_created="made", delivered="gone"), "order_id": None}
    events, _ = events_of(tmp_path, rows, given)
    assert [(e["order_id"], e["event_type"]) for e in events] == [
        ("orders 1", "delivered"), ("orders 1", "order_created"), ("orders 2", "order_created"),
    ]  # fmt: skip


def test_a_column_with_a_zone_does_not_depend_on_the_machines(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    made = datetime(2024, 3, 1, 10, tzinfo=UTC)
    zone = pa.timestamp("us", tz="America/New_York")
    pq.write_table(
        pa.table({"id": ["A"], "made": pa.array([made], zone), "gone": pa.array([made + timedelta(minutes=30)], zone)}),
        path,
    )
    mapping = Mapping.model_validate(wide(order_created="made", delivered="gone"))
    with closing(FileSource(path, adapter=MappingAdapter(mapping))) as source:
        rows = source.ask("SELECT ts FROM events ORDER BY ts").to_pylist()
    assert [row["ts"] for row in rows] == [at(2024, 3, 1, 10), at(2024, 3, 1, 10, 30)]


def test_places_route_and_goods_reach_the_timeline(tmp_path: Path) -> None:
    record = foreign.taxi()
    path = record.write(tmp_path)
    with closing(FileSource(path, adapter=MappingAdapter(mapping_of(path)))) as source:
        (place,) = source.locations()
        bodies = source.ask(
            "SELECT order_id, body FROM events WHERE event_type = 'driver_picked_up' AND body IS NOT NULL"
        ).to_pylist()
        ends = source.ask("SELECT order_id, lat, lon FROM events WHERE event_type = 'delivered'").to_pylist()
    assert place.lat == pytest.approx(41.15, abs=0.01)
    assert place.lon == pytest.approx(-8.61, abs=0.01)
    ways = {row["order_id"]: json.loads(row["body"])["route_points"] for row in bodies}
    to = {row["order_id"]: (row["lat"], row["lon"]) for row in ends}
    for row in record.rows:
        assert ways[str(row["TRIP_ID"])] == [[lat, lon] for lon, lat in json.loads(row["POLYLINE"])]
        assert to[str(row["TRIP_ID"])] == (float(row["dropoff_latitude"]), float(row["dropoff_longitude"]))


def test_prices_are_those_of_the_file(tmp_path: Path) -> None:
    record = foreign.wide_shop()
    path = record.write(tmp_path)
    with closing(FileSource(path, adapter=MappingAdapter(mapping_of(path)))) as source:
        row = record.rows[0]
        timeline = Timeline.load(source, row["store_id"], "2024-03-01", "2024-03-05")
        assert timeline.order(row["order_id"]).revenue == pytest.approx(float(row["subtotal"]), rel=1e-6)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_names_and_values_are_only_text(tmp_path: Path, form: str) -> None:
    odd = "made' \"x; --"
    rows = [{"id": "A'; --", odd: "2024-03-01 10:00:00"}]
    path = foreign.Record(rows, "wide", {}).write(tmp_path, f"orders.{form}")
    mapping = Mapping.model_validate(wide(order_created=odd))
    with closing(FileSource(path, adapter=MappingAdapter(mapping))) as source:
        assert source.ask("SELECT order_id FROM events").to_pylist() == [{"order_id": "A'; --"}]


@pytest.mark.parametrize(
    ("written", "form", "times", "expected"),
    [
        ("2024-03-01T10:00:00", "iso", "naive", (2024, 3, 1, 10)),
        ("2024-03-01T10:00:00-07:00", "iso", "instants", (2024, 3, 1, 17)),
        ("1709287200", "epoch seconds", "instants", (2024, 3, 1, 10)),
        ("01.03.2024 10:00", "%d.%m.%Y %H:%M", "naive", (2024, 3, 1, 10)),
    ],
)
def test_times_are_naive_or_instants_as_in_files_of_events(
    tmp_path: Path, written: str, form: str, times: str, expected: tuple[int, ...]
) -> None:
    path = foreign.Record([{"id": "A", "made": written}], "wide", {}).write(tmp_path)
    mapping = Mapping.model_validate(wide(order_created={"column": "made", "format": form}))
    with closing(FileSource(path, adapter=MappingAdapter(mapping))) as source:
        assert source.times == times
        assert source.ask("SELECT ts FROM events").to_pylist() == [{"ts": at(*expected)}]


def test_a_long_file_may_have_a_column_ts_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    made = pa.array([datetime(2024, 3, 1, 10, tzinfo=UTC)], pa.timestamp("ns", tz="Asia/Tokyo"))
    pq.write_table(pa.table({"id": ["A"], "what": ["placed"], "ts": made}), path)
    given = {
        "shape": "long",
        "order_id": "id",
        "activity": "what",
        "time": {"column": "ts"},
        "events": {"placed": "order_created"},
    }
    with closing(FileSource(path, adapter=MappingAdapter(Mapping.model_validate(given)))) as source:
        assert source.ask("SELECT event_type, ts FROM events").to_pylist() == [
            {"event_type": "order_created", "ts": at(2024, 3, 1, 10)}
        ]
        assert source.times == "instants"
