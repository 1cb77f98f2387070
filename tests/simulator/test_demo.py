"""The output of `write_demo`: the real schema, the generator's rules, the same bytes for the same seed."""

import csv
import gzip
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from twin.foundation.errors import ConfigError
from twin.simulator import DemoSummary, write_demo
from twin.simulator.config import CHICAGO, KITCHENS, SAN_FRANCISCO

SAN_FRANCISCO_ONLY = {
    "location_name": "sanfrancisco",
    "radius_mi": 4,
    "driver_mph": 25,
    "orders_day_1": 400,
    "orders_last": 400,
}


def write_config(folder: Path, **changes: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sanfrancisco.json"
    path.write_text(json.dumps({**SAN_FRANCISCO_ONLY, **changes}))
    return path


def events(summary: DemoSummary) -> pd.DataFrame:
    parts = [pq.read_table(file).to_pandas() for file in summary.files if file.name.startswith("events_")]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoSummary, pd.DataFrame]:
    """Two days of all four kitchens of the built-in demo, without dirt."""
    summary = write_demo(tmp_path_factory.mktemp("demo"), days=2, dq=0.0)
    table = events(summary)
    table["time"] = pd.to_datetime(table["ts"], format="%Y-%m-%d %H:%M:%S.%f")
    table["body"] = table["body"].map(json.loads)
    return summary, table


@pytest.fixture(scope="module")
def lives(week: tuple[DemoSummary, pd.DataFrame]) -> pd.DataFrame:
    """One row per order: location, and the time of each milestone in minutes since 1970."""
    _, table = week
    stages = table[table["event_type"] != "driver_ping"]
    wide = stages.pivot(index="order_id", columns="event_type", values="time")
    minutes = wide.apply(lambda column: column.astype("datetime64[us]").astype("int64") / 60e6)
    return minutes.join(table.groupby("order_id")["location"].first())


def test_same_arguments_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c")
    digests = []
    for name, seed in (("a", 7), ("b", 7), ("c2", 8)):
        summary = write_demo(tmp_path / name, config=config, days=1, seed=seed, dq=0.01)
        digests.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in summary.files})
    assert digests[0] == digests[1]
    assert digests[0]["events_sanfrancisco.parquet"] != digests[2]["events_sanfrancisco.parquet"]


def test_first_generation_has_the_columns_of_the_real_sample(week: tuple[DemoSummary, pd.DataFrame]) -> None:
    summary, table = week
    expected = ["body", "event_id", "event_type", "gk_id", "location", "order_id", "sequence", "ts", "_rescued_data"]
    file = next(file for file in summary.files if file.name == "events_sanfrancisco.parquet")
    schema = pq.read_schema(file)
    assert schema.names == expected
    assert {str(kind) for kind in schema.types} == {"string"}
    assert table["event_id"].str.fullmatch(r"[0-9a-f]{32}").all()
    assert table["event_id"].is_unique
    assert table["order_id"].str.fullmatch(r"[0-9a-f]{32}").all()
    assert set(table["location"]) == {kitchen.location_name for kitchen in KITCHENS}
    created = table[table["event_type"] == "order_created"]
    assert created["ts"].str.endswith(".000000").all()
    body = created["body"].iloc[0]
    assert list(body) == ["customer_lat", "customer_lon", "customer_addr", "items"]
    assert list(body["items"][0]) == ["id", "category_id", "menu_id", "brand_id", "name", "price", "qty"]
    assert isinstance(body["items"][0]["category_id"], str)


def test_canonical_generation_differs_as_the_real_data_do(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c", orders_day_1=150, orders_last=150)
    summary = write_demo(tmp_path / "d", generation="2026", config=config, days=2)
    table = events(summary)
    assert list(table.columns) == [
        "event_id",
        "event_type",
        "ts",
        "location_id",
        "order_id",
        "sequence",
        "body",
        "_rescued_data",
    ]
    assert table["event_id"].str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").all()
    assert table["order_id"].str.fullmatch(r"[A-Z0-9]{6}").all()
    assert table["order_id"].nunique() == summary.orders
    assert table["ts"].str.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000").all()
    assert set(table["location_id"]) == {"1"}
    picked = json.loads(table.loc[table["event_type"] == "driver_picked_up", "body"].iloc[0])
    assert list(picked) == ["route_points"]
    item = json.loads(table.loc[table["event_type"] == "order_created", "body"].iloc[0])["items"][0]
    assert isinstance(item["category_id"], int)
    locations = pq.read_table(tmp_path / "d" / "locations.parquet").to_pylist()
    assert [(row["location_id"], row["lat"]) for row in locations] == [(1, 37.791024)]


@pytest.mark.parametrize(("generation", "brands", "items"), [("2025", 15, 144), ("2026", 24, 181)])
def test_dimension_tables_have_the_real_sizes_and_fit_together(
    tmp_path: Path, generation: str, brands: int, items: int
) -> None:
    write_demo(
        tmp_path / "d",
        generation=generation,
        config=write_config(tmp_path / "c", orders_day_1=20, orders_last=20),
        days=1,
    )
    tables = {
        name: pq.read_table(tmp_path / "d" / f"{name}.parquet").to_pandas()
        for name in ("brands", "menus", "categories", "items")
    }
    assert (len(tables["brands"]), len(tables["items"])) == (brands, items)
    assert set(tables["items"]["category_id"]) == set(tables["categories"]["id"])
    assert set(tables["items"]["menu_id"]) == set(tables["menus"]["id"])
    assert set(tables["items"]["brand_id"]) == set(tables["brands"]["brand_id" if generation == "2026" else "id"])


def test_sequence_is_the_writing_order_with_the_driver_after_ready(week: tuple[DemoSummary, pd.DataFrame]) -> None:
    table = week[1].assign(sequence=week[1]["sequence"].astype(int)).sort_values(["order_id", "sequence"])
    first = ["order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up"]
    for _, order in table.groupby("order_id"):
        kinds = order["event_type"].tolist()
        assert kinds[:6] == first
        assert kinds[-1] == "delivered"
        assert set(kinds[6:-1]) <= {"driver_ping"}
        assert order["sequence"].tolist() == list(range(len(kinds)))


@pytest.mark.slow
def test_pings_follow_the_generators_arithmetic(week: tuple[DemoSummary, pd.DataFrame]) -> None:
    table = week[1]
    for _, order in table[table["location"] == "sanfrancisco"].groupby("order_id"):
        rows = dict(iter(order.groupby("event_type")))
        start, end = rows["driver_picked_up"]["time"].iloc[0], rows["delivered"]["time"].iloc[0]
        points = rows["driver_picked_up"]["body"].iloc[0]["route_points"]
        hops = max(1, int((end - start).total_seconds() // 60))
        pings = rows.get("driver_ping", order.iloc[:0]).sort_values("time")
        assert len(pings) == hops - 1
        for h, (moment, body) in enumerate(zip(pings["time"], pings["body"], strict=True), start=1):
            assert abs((moment - start).total_seconds() - 60 * h) < 1e-4
            assert body["progress_pct"] == round(h / hops * 100, 1)
            assert [body["loc_lat"], body["loc_lon"]] == points[int(h / hops * (len(points) - 1))]


def test_routes_run_from_the_kitchen_to_the_customer_in_14_to_81_points(week: tuple[DemoSummary, pd.DataFrame]) -> None:
    table = week[1]
    homes = table[table["event_type"] == "order_created"].set_index("order_id")["body"]
    for kitchen in KITCHENS:
        trips = table[(table["event_type"] == "driver_picked_up") & (table["location"] == kitchen.location_name)]
        sizes = [len(body["route_points"]) for body in trips["body"]]
        assert min(sizes) >= 14
        assert max(sizes) <= 81
        assert 38 <= np.median(sizes) <= 46
        for order, body in zip(trips["order_id"], trips["body"], strict=True):
            home = homes[order]
            assert body["route_points"][0] == [round(kitchen.lat, 7), round(kitchen.lon, 7)]
            assert body["route_points"][-1] == [home["customer_lat"], home["customer_lon"]]
        north = np.array([abs(homes[order]["customer_lat"] - kitchen.lat) for order in trips["order_id"]]) * 111.195
        assert north.max() <= kitchen.radius_mi * 1.60934 + 0.05


def test_drive_time_is_road_distance_over_the_kitchens_speed(
    week: tuple[DemoSummary, pd.DataFrame], lives: pd.DataFrame
) -> None:
    table = week[1]
    for kitchen in KITCHENS:
        trips = table[(table["event_type"] == "driver_picked_up") & (table["location"] == kitchen.location_name)]
        speeds = []
        for order, body in zip(trips["order_id"], trips["body"], strict=True):
            lat, lon = np.radians(np.array(body["route_points"])).T
            step = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
            miles = float(np.sum(2 * 6371.0088 * np.arcsin(np.sqrt(step)))) / 1.60934
            drive = lives.loc[order, "delivered"] - lives.loc[order, "driver_picked_up"]
            speeds.append(miles / drive * 60)
            assert abs(body["eta_mins"] - drive) <= 0.0501
        # Thinning shortens the road a little and never lengthens it.
        assert 0.93 * kitchen.driver_mph < np.median(speeds) <= kitchen.driver_mph * 1.001
        assert max(speeds) < kitchen.driver_mph * 1.005


def test_service_times_match_the_real_means(week: tuple[DemoSummary, pd.DataFrame], lives: pd.DataFrame) -> None:
    calm = lives.copy()
    for item in week[0].incidents:  # the four hours around each incident are left out
        near = (calm["order_created"] > item.start / 60 - 90) & (calm["order_created"] < item.end / 60 + 90)
        calm = calm[~(near & (calm["location"] == item.location))]
    for kitchen in (SAN_FRANCISCO, CHICAGO):
        mine = calm[calm["location"] == kitchen.location_name]
        expected = {
            ("order_created", "gk_started"): (2, 1),
            ("gk_started", "gk_finished"): (10 if kitchen is SAN_FRANCISCO else 11, 3),
            ("gk_finished", "gk_ready"): (2, 1),
            ("gk_ready", "driver_picked_up"): (6 if kitchen is SAN_FRANCISCO else 5, 2),
        }
        for (start, end), (mean, spread) in expected.items():
            minutes = mine[end] - mine[start]
            assert minutes.mean() == pytest.approx(mean, abs=5 * spread / np.sqrt(len(minutes)) + 0.05)
            assert minutes.std() == pytest.approx(spread, rel=0.12)
            assert minutes.min() >= 0.0999
        early = (mine["driver_arrived"] < mine["gk_ready"]).mean()
        assert early == pytest.approx(0.5, abs=0.06)
        assert (mine["driver_arrived"] < mine["driver_picked_up"]).all()


def test_lunch_and_dinner_are_the_peaks(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c", orders_day_1=6000, orders_last=6000, noise_pct=0)
    table = events(write_demo(tmp_path / "d", config=config, days=1, end=date(2025, 10, 13)))
    clock = pd.to_datetime(table.loc[table["event_type"] == "order_created", "ts"])
    assert len(clock) == 6000
    minute = clock.dt.hour * 60 + clock.dt.minute
    night = ((minute >= 0) & (minute < 600)).sum() / 600
    lunch = ((minute >= 720) & (minute < 750)).sum() / 30
    dinner = ((minute >= 1095) & (minute < 1125)).sum() / 30
    assert lunch / night == pytest.approx(3.0, rel=0.2)
    assert dinner / night == pytest.approx(3.5, rel=0.2)


def test_weekdays_have_the_real_factors(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c", orders_day_1=100, orders_last=100, noise_pct=0)
    table = events(write_demo(tmp_path / "d", config=config, days=7, end=date(2025, 10, 19)))
    days = pd.to_datetime(table.loc[table["event_type"] == "order_created", "ts"]).dt.date.value_counts().sort_index()
    assert days.tolist() == [100, 105, 108, 110, 125, 135, 115]


def test_the_incidents_can_be_seen_in_the_data(week: tuple[DemoSummary, pd.DataFrame], lives: pd.DataFrame) -> None:
    summary, _ = week
    seen = {(item.location, item.kind): item for item in summary.incidents}
    shortage = seen["sanfrancisco", "driver_shortage"]
    assert datetime.fromtimestamp(shortage.start, UTC).strftime("%a %d %b %H:%M") == "Thu 16 Oct 18:10"

    def within(column: str, item: object) -> pd.DataFrame:
        mine = lives[lives["location"] == item.location]  # type: ignore[attr-defined]
        return mine[(mine[column] >= item.start / 60) & (mine[column] < item.end / 60)]  # type: ignore[attr-defined]

    stranded = within("gk_ready", shortage)
    wait = stranded["driver_picked_up"] - stranded["gk_ready"]
    assert len(wait) > 20
    assert wait.between(14.999, 25.001).all()
    assert (stranded["driver_arrived"] > stranded["gk_ready"] + 5).all()

    oven = within("gk_started", seen["chicago", "slow_oven"])
    assert (oven["gk_finished"] - oven["gk_started"]).mean() == pytest.approx(1.8 * 11, rel=0.1)

    rush = seen["sanfrancisco", "demand_spike"]
    placed = len(within("order_created", rush))
    day_before = lives[(lives["location"] == "sanfrancisco")]["order_created"] + 1440
    usual = ((day_before >= rush.start / 60) & (day_before < rush.end / 60)).sum()
    assert placed > 1.7 * usual

    outage = seen[KITCHENS[2].location_name, "outage"]
    assert within("gk_started", outage).empty
    assert len(within("order_created", outage)) > 5


def test_lifecycles_are_whole_past_midnight(week: tuple[DemoSummary, pd.DataFrame]) -> None:
    summary, table = week
    assert summary.end.isoformat() > "2025-10-18"
    assert table.groupby("order_id")["event_type"].apply(lambda kinds: "delivered" in set(kinds)).all()


def test_dirt_has_the_requested_share_and_is_counted(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c", orders_day_1=1500, orders_last=1500)
    clean = write_demo(tmp_path / "clean", config=config, days=1)
    dirty = write_demo(tmp_path / "dirty", config=config, days=1, dq=0.05)
    assert sum(clean.dirt.values()) == 0
    table = events(dirty)
    assert dirty.events == len(table) == clean.events + dirty.dirt["duplicated"]
    assert table["order_id"].isna().sum() == dirty.dirt["no_order_id"]
    assert table["event_id"].duplicated().sum() == dirty.dirt["duplicated"]
    assert (
        pd.to_datetime(table["ts"], errors="coerce", format="%Y-%m-%d %H:%M:%S.%f").isna().sum()
        == dirty.dirt["bad_timestamp"]
    )

    def broken(text: str) -> bool:
        try:
            json.loads(text)
        except json.JSONDecodeError:
            return True
        return False

    assert table["body"].map(broken).sum() == dirty.dirt["truncated_json"]
    for kind in ("duplicated", "no_order_id", "bad_timestamp"):
        assert dirty.dirt[kind] == pytest.approx(0.01 * clean.events, abs=1)
    assert dirty.dirt["truncated_json"] > 0
    assert dirty.dirt["null_field"] > 0


def test_null_probabilities_hit_the_named_fields_only(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "c", orders_day_1=1000, orders_last=1000, dq={"order_created": {"customer_lat": 0.3}}
    )
    table = events(write_demo(tmp_path / "d", config=config, days=1, dq={"driver_ping": {"loc_lon": 0.5}}))
    bodies = {kind: [json.loads(body) for body in group] for kind, group in table.groupby("event_type")["body"]}
    assert np.mean([body["customer_lat"] is None for body in bodies["order_created"]]) == pytest.approx(0.3, abs=0.06)
    assert np.mean([body["loc_lon"] is None for body in bodies["driver_ping"]]) == pytest.approx(0.5, abs=0.06)
    assert all(body["customer_lon"] is not None for body in bodies["order_created"])
    assert all(body["delivered_lat"] is not None for body in bodies["delivered"])


def test_the_built_in_demo_is_a_little_dirty(tmp_path: Path) -> None:
    summary = write_demo(tmp_path, days=1, scale=0.2)
    assert 0.001 < sum(summary.dirt.values()) / summary.events < 0.004


@pytest.mark.parametrize("file_format", ["csv", "csv.gz", "jsonl", "json"])
def test_every_file_format_has_the_same_rows(tmp_path: Path, file_format: str) -> None:
    config = write_config(tmp_path / "c", orders_day_1=60, orders_last=60)
    truth = events(write_demo(tmp_path / "p", config=config, days=2, dq=0.02))
    write_demo(tmp_path / "d", config=config, days=2, dq=0.02, file_format=file_format)
    path = tmp_path / "d" / f"events_sanfrancisco.{file_format}"
    raw = gzip.decompress(path.read_bytes()) if file_format.endswith("gz") else path.read_bytes()
    text = raw.decode()
    if file_format == "json":
        rows = json.loads(text)
    elif file_format == "jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = list(csv.DictReader(text.splitlines()))
    expected = (
        truth.astype(object).where(truth.notna(), "" if file_format.startswith("csv") else None).to_dict("records")
    )
    assert rows == expected
    assert (tmp_path / "d" / f"items.{file_format}").exists()


def test_scale_multiplies_the_orders(tmp_path: Path) -> None:
    config = write_config(tmp_path / "c", noise_pct=0)
    one = write_demo(tmp_path / "a", config=config, days=1)
    three = write_demo(tmp_path / "b", config=config, days=1, scale=3.0)
    assert three.orders == pytest.approx(3 * one.orders, abs=2)


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    heard: list[tuple[str, float]] = []
    write_demo(
        tmp_path / "d",
        config=write_config(tmp_path / "c"),
        days=2,
        progress=lambda words, share: heard.append((words, share)),
    )
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"generation": "2027"}, "2025 or 2026"),
        ({"days": 0}, "days is 0"),
        ({"scale": -1.0}, "scale is -1"),
        ({"dq": 2.0}, "dq is 2"),
        ({"file_format": "xlsx"}, "parquet"),
    ],
)
def test_invalid_arguments_are_rejected_in_one_sentence(
    tmp_path: Path, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        write_demo(tmp_path, **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_another_demos_files_are_not_mixed_in(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "events_elsewhere.parquet").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"events_elsewhere\.parquet"):
        write_demo(tmp_path / "d", config=write_config(tmp_path / "c"), days=1)


def test_the_place_file_knows_the_cities_that_the_demo_is_in(
    week: tuple[DemoSummary, pd.DataFrame], tmp_path: Path
) -> None:
    summary, _ = week
    (file,) = [file for file in summary.files if file.name == "places.geojson"]
    named = {feature["properties"].get("name") for feature in json.loads(file.read_text())["features"]}
    assert {"San Francisco Bay", "Mission District", "Market Street"} <= named
    assert {"Lake Michigan", "The Loop", "Michigan Avenue", "Sharpstown", "Westheimer Road", "Brays Bayou"} <= named
    assert "Rail yards" not in named, "no street crosses them, but they are no park"
    elsewhere = write_config(tmp_path / "elsewhere", location_name="hamburg", gk_location="53.55, 9.99")
    written = write_demo(tmp_path / "demo", config=elsewhere, days=1, scale=0.1).files
    assert "places.geojson" not in {file.name for file in written}
