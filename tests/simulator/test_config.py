"""The generator's configuration files: accepted as they are, or rejected with a sentence that says what to change."""

import json
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from twin.foundation.errors import ConfigError
from twin.simulator import write_demo
from twin.simulator.config import load_configs, parse_config
from twin.simulator.incidents import plan

FULL = {
    "start_days_ago": 2, "end_days_ahead": 1, "speed_up": 60, "orders_day_1": 40, "orders_last": 60, "noise_pct": 12,
    "svc": {"cs": [3, 1.5], "sf": [12, 4], "fr": [2, 1], "rp": [8, 3]},
    "driver_arrival": {"alpha": 3, "beta": 3, "after_ready_pct": 0.4},
    "brand_momentum": {"improving": 0.15, "flat": 0.25, "declining": 0.6},
    "momentum_rates": {"growth": 0.8, "decline": 0.2},
    "dq": {"order_created": {"customer_lat": 0.1}},
    "gk_location": "LaSalle & Hubbard, Chicago, IL", "location_name": "chicago_loop", "radius_mi": 3, "driver_mph": 22,
    "batch_rows": 10, "batch_seconds": 1, "ping_sec": 30, "random_seed": 42,
}  # fmt: skip


def test_a_full_configuration_is_read() -> None:
    kitchen = parse_config(FULL, "chicago.json")
    assert (kitchen.city, kitchen.location_name, kitchen.radius_mi, kitchen.ping_sec) == (
        "chicago",
        "chicago_loop",
        3.0,
        30,
    )
    assert (kitchen.queue, kitchen.cook, kitchen.pack, kitchen.wait) == (
        (3.0, 1.5),
        (12.0, 4.0),
        (2.0, 1.0),
        (8.0, 3.0),
    )
    assert (kitchen.after_ready, kitchen.improving, kitchen.flat, kitchen.growth) == (0.4, 0.15, 0.25, 0.8)
    assert kitchen.dq == {"order_created": {"customer_lat": 0.1}}
    assert kitchen.unknown == ()


def test_its_days_and_unknown_keys_reach_the_summary(tmp_path: Path) -> None:
    path = tmp_path / "chicago.json"
    path.write_text(json.dumps({**FULL, "orders_per_moon": 3}))
    summary = write_demo(tmp_path / "d", config=path)
    placed = pq.read_table(tmp_path / "d" / "events_chicago_loop.parquet").filter(
        pc.field("event_type") == "order_created"
    )
    assert sorted({ts[:10] for ts in placed["ts"].to_pylist()}) == ["2025-10-16", "2025-10-17", "2025-10-18"]
    assert summary.notes == ("chicago_loop: the key 'orders_per_moon' is not known and was ignored.",)
    assert summary.incidents == ()


def test_a_kitchen_elsewhere_gets_a_plain_town() -> None:
    kitchen = parse_config({"location_name": "oslo", "gk_location": "59.91, 10.75"}, "oslo.json")
    assert (kitchen.city, kitchen.lat, kitchen.lon) == ("generic", 59.91, 10.75)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"location_name": None}, "location_name is missing"),
        ({"driver_mph": "fast"}, "driver_mph is 'fast': give a number"),
        ({"radius_mi": 400}, "radius_mi is 400: give a number from"),
        ({"ping_sec": 2.5}, "ping_sec is 2.5: give a whole number"),
        ({"svc": {"cs": 3}}, r"svc.cs is 3: give \[mean"),
        ({"svc": {"xx": [1, 1]}}, "svc.xx is not a stage"),
        ({"brand_momentum": {"improving": 1, "flat": 1, "declining": 1}}, "must add up to 1"),
        ({"dq": {"order_created": {"customer_lat": 7}}}, "dq.order_created.customer_lat is 7"),
        ({"dq": [1]}, "dq is"),
        ({"driver_arrival": 5}, "driver_arrival is 5"),
        ({"gk_location": "Atlantis", "location_name": "atlantis"}, "not a place the simulator knows"),
        ({"gk_location": "99, 10", "location_name": "pole"}, "not on the map"),
    ],
)
def test_invalid_values_give_a_sentence_with_place_fault_and_remedy(change: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        parse_config({**FULL, **change}, "chicago.json")
    assert "chicago.json" in str(error.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No configuration"):
        load_configs(tmp_path / "missing.json")
    with pytest.raises(ConfigError, match=r"no \.json"):
        load_configs(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ConfigError, match=r"a\.json is not valid JSON"):
        load_configs(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(FULL))
    with pytest.raises(ConfigError, match="chicago_loop"):
        load_configs(tmp_path)


def test_the_incident_plan_is_a_pure_function_of_seed_and_days() -> None:
    names, end = ["a", "b", "c", "d"], date(2025, 10, 17)
    assert plan(names, end, 7, 1) == plan(names, end, 7, 1)
    assert plan(names, end, 7, 1) != plan(names, end, 7, 2)
    assert plan(names, end, 2, 1) == plan(names, end, 2, 2)  # the last two days are the story
    assert len(plan(names, end, 7, 1)) == 10


@pytest.mark.parametrize("file_format", ["parquet", "json"])
def test_a_kitchen_without_orders_writes_an_empty_file(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / "oslo.json"
    path.write_text(
        json.dumps(
            {
                "location_name": "oslo",
                "gk_location": "59.91, 10.75",
                "radius_mi": 1.5,
                "orders_day_1": 0,
                "orders_last": 0,
            }
        )
    )
    summary = write_demo(tmp_path / "d", config=path, days=2, dq=0.1, file_format=file_format)
    assert (summary.orders, summary.events) == (0, 0)
    if file_format == "json":
        assert json.loads((tmp_path / "d" / "events_oslo.json").read_text()) == []
