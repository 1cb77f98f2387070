"""The timeline against the slow, obvious computation over raw rows."""

import csv
import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import brute
from twin.foundation.errors import UnknownLocationError, UnknownOrderError
from twin.foundation.times import text
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

DAY = 1_760_572_800.0  # 2025-10-16 00:00
TYPES = [
    "order_created",
    "gk_started",
    "gk_finished",
    "gk_ready",
    "driver_arrived",
    "driver_picked_up",
    "driver_ping",
    "delivered",
]


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def body_of(kind: str, rng: random.Random) -> str:
    lat, lon = 37.79 + rng.uniform(-0.03, 0.03), -122.39 + rng.uniform(-0.03, 0.03)
    route = [[37.79, -122.39], [37.79, lon], [lat, lon]]
    return json.dumps(
        {
            "order_created": {"customer_lat": lat, "customer_lon": lon, "items": [{"id": 1, "price": "6.5", "qty": 2}]},
            "driver_picked_up": {"route_points": route, "eta_mins": 9.5},
            "driver_ping": {"progress_pct": 50.0, "loc_lat": 37.79, "loc_lon": lon},
            "delivered": {"delivered_lat": lat, "delivered_lon": lon},
        }.get(kind, {})
    )


@st.composite
def dirty_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Orders with any milestones at any times, then rows repeated, shuffled, torn and emptied."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows = []
    for number in range(draw(st.integers(1, 6))):
        kinds = draw(st.lists(st.sampled_from([*TYPES, "order_cancelled", "driver_sang"]), min_size=1, max_size=9))
        t = DAY + 20 * 3600 * rng.random()
        for sequence, kind in enumerate(kinds):
            t += rng.choice([0, 30, 400, 400, 3000, 18_000])
            rows.append(
                {
                    "event_type": kind,
                    "ts": text(t),
                    "location": "sf",
                    "order_id": f"order{number}",
                    "sequence": str(sequence),
                    "body": body_of(kind, rng),
                }
            )
    for row in list(rows):
        fate = rng.random()
        if fate < 0.08:
            rows.append(dict(row))
        elif fate < 0.2:
            row[rng.choice(["event_type", "ts", "location", "order_id", "body"])] = rng.choice([None, ""])
        elif fate < 0.25:
            row["body"] = row["body"][:-1]
        elif fate < 0.3:
            row["ts"] = rng.choice(["yesterday", "0001-01-01 00:00:00", "2999-01-01 00:00:00"])
    rng.shuffle(rows)
    return rows


@settings(
    max_examples=int(os.environ.get("TWIN_EXAMPLES", "40")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # the seed of a failure says enough; shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=dirty_rows(), data=st.data())
def test_every_row_is_accounted_for_and_every_moment_agrees_with_the_raw_rows(
    tmp_path: Path, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    used, rejected = brute.judge(rows)
    if not used:
        return
    source = FileSource(write(tmp_path, rows))
    quality = source.quality()
    assert quality.read == len(rows) == quality.used + sum(quality.rejected.values())
    assert quality.used == len(used)
    assert quality.rejected == rejected

    orders = brute.lifecycles(used, "sf")
    timeline = Timeline.load(source, "sf", DAY, DAY + 2 * 86400)
    moments = [ts for events in orders.values() for ts, _ in events]
    moments += [data.draw(st.floats(DAY, DAY + 2 * 86400 - 1)) for _ in range(10)]
    for t in moments:
        snapshot = timeline.at(t)
        assert snapshot.counts == brute.counts(orders, t)
        states = {
            timeline.orders.ids[row].as_py(): brute.ORDER[stage]
            for row, stage in zip(snapshot.order, snapshot.stage, strict=True)
        }
        truth = {order: brute.state(events, t) for order, events in orders.items()}
        assert states == {order: name for order, name in truth.items() if name in brute.ORDER[:4]}


def test_shuffled_rows_give_the_same_timeline(tmp_path: Path, real_data: Path) -> None:
    with open(real_data / "casper_sample_events.csv") as file:
        rows = list(csv.DictReader(file))
    random.Random(4).shuffle(rows)
    shuffled = FileSource(write(tmp_path, rows))
    straight = FileSource(real_data / "casper_sample_events.csv")
    place = straight.locations()[0]
    one, other = (Timeline.load(s, place.id, place.start, place.end + 1) for s in (straight, shuffled))
    for t in np.linspace(place.start, place.end, 50):
        a, b = one.at(t), other.at(t)
        assert a.counts == b.counts
        np.testing.assert_array_equal(a.order, b.order)
        np.testing.assert_allclose(a.drivers.x, b.drivers.x)


def test_the_real_sample_has_eight_orders_and_seven_delivered(real_data: Path) -> None:
    source = FileSource(real_data / "casper_sample_events.csv")
    (place,) = source.locations()
    assert (round(place.lat or 0, 4), round(place.lon or 0, 4)) == (37.7910, -122.3929)
    assert place.orders == 8
    timeline = Timeline.load(source, place.id, place.start, place.end + 1)
    assert timeline.at(place.end).counts["completed"] == 7


def test_an_order_whose_driver_came_before_the_food_stays_in_its_kitchen_stage(real_data: Path) -> None:
    timeline = load_all(FileSource(real_data / "casper_sample_events.csv"))
    early = np.flatnonzero(timeline.orders.arrived < timeline.orders.ready)
    assert len(early)
    for row in early:
        t = float(timeline.orders.arrived[row])
        snapshot = timeline.at(t)
        stage = int(snapshot.stage[snapshot.order == row][0])
        assert stage == (t >= timeline.orders.started[row]) + (t >= timeline.orders.finished[row])


@pytest.mark.parametrize(
    "name", ["casper_sample_events.csv", pytest.param("sf_cabs_2008-05-24.csv.gz", marks=pytest.mark.slow)]
)
def test_random_moments_of_real_data_agree_with_the_raw_rows(real_data: Path, name: str) -> None:
    import gzip

    opener = gzip.open if name.endswith("gz") else open
    with opener(real_data / name, "rt") as file:
        used, _ = brute.judge(list(csv.DictReader(file)))
    timeline = load_all(FileSource(real_data / name))
    orders = brute.lifecycles(used, timeline.location.id)
    for t in np.random.default_rng(1).uniform(timeline.window.start, timeline.window.end, 12):
        assert timeline.at(t).counts == brute.counts(orders, t)


@pytest.mark.slow
def test_the_cab_day_shows_its_drivers(real_data: Path) -> None:
    timeline = load_all(FileSource(real_data / "sf_cabs_2008-05-24.csv.gz"))
    drivers = timeline.at("2008-05-24 20:00").drivers
    assert len(drivers) > 50
    assert np.isfinite(drivers.x).all()
    assert timeline.data_quality.flagged["impossible speed"] > 0


def test_a_driver_is_where_the_pings_say(real_data: Path) -> None:
    """At each ping of a plain trip the drawn position is the measured one."""
    with open(real_data / "casper_sample_events.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["event_type"] == "driver_ping"]
    timeline = load_all(FileSource(real_data / "casper_sample_events.csv"))
    assert rows
    for row in rows:
        body = json.loads(row["body"])
        drivers = timeline.at(row["ts"]).drivers
        mine = drivers.order == timeline.orders.row_of[row["order_id"]]
        metres = np.hypot(drivers.lat[mine] - body["loc_lat"], (drivers.lon[mine] - body["loc_lon"]) * 0.79) * 111_195
        assert metres[0] < 1.0
        assert drivers.measured[mine][0]


def test_the_estimated_arrival_knows_nothing_of_the_delivery(tmp_path: Path, real_data: Path) -> None:
    """Cutting the data off at t changes nothing about what was estimated at t."""
    with open(real_data / "casper_sample_events.csv") as file:
        rows = list(csv.DictReader(file))
    whole = load_all(FileSource(real_data / "casper_sample_events.csv"))
    t = brute.when(next(row["ts"] for row in rows if row["event_type"] == "driver_ping")) or 0.0
    known = [row for row in rows if row["event_type"] != "delivered" or (brute.when(row["ts"]) or 0) <= t]
    cut = load_all(FileSource(write(tmp_path, known)))
    for moment in (t + 1, t + 45):
        mine, theirs = whole.at(moment).drivers, cut.at(moment).drivers
        np.testing.assert_allclose(mine.eta, theirs.eta, rtol=0, atol=1)


def test_an_order_tells_its_whole_lifecycle(real_data: Path) -> None:
    timeline = load_all(FileSource(real_data / "casper_sample_events.csv"))
    order = timeline.order("d861a9e955e04105ab525f15a4c31c7a")
    assert order.status == "completed"
    assert [name for name, _, _ in order.stages] == brute.ORDER
    assert order.address == "550 Avenue H"
    assert order.items[0].name == "Chocolate Lava Crunch Cakes"
    assert order.revenue == pytest.approx(3 * 6.29 + 5.29 + 3 * 8.99, abs=0.01)
    assert order.events.type[0] == "order_created"
    with pytest.raises(UnknownOrderError, match="No order 'nope'"):
        timeline.order("nope")


def test_windows_select_whole_lifecycles(real_data: Path) -> None:
    source = FileSource(real_data / "casper_sample_events.csv")
    whole = load_all(source)
    row = 0
    middle = float(whole.orders.first[row] + whole.orders.last[row]) / 2
    part = Timeline.load(source, whole.location.id, middle, middle + 60)
    order_id = whole.orders.ids[row].as_py()
    assert len(part.order(order_id).events) == len(whole.order(order_id).events)
    assert part.at(middle).counts == whole.at(middle).counts


def test_events_between_two_moments_are_half_open(real_data: Path) -> None:
    timeline = load_all(FileSource(real_data / "casper_sample_events.csv"))
    everything = timeline.between(timeline.window.start, timeline.window.end)
    assert len(everything) == timeline.event_count == 100
    t = float(everything.ts[10])
    assert len(timeline.between(timeline.window.start, t)) + len(timeline.between(t, timeline.window.end)) == 100
    assert timeline.between(t, t + 1e-3).ts[0] == t
    newest = timeline.latest(t, 3, pings=True)
    assert newest.ts[0] == t
    assert list(newest.ts) == sorted(newest.ts, reverse=True)


def test_an_unknown_location_is_named_with_what_there_is(real_data: Path) -> None:
    with pytest.raises(UnknownLocationError, match="sanfrancisco"):
        Timeline.load(FileSource(real_data / "casper_sample_events.csv"), "atlantis", 0, 1)


def load_all(source: FileSource) -> Timeline:
    place = source.locations()[0]
    return Timeline.load(source, place.id, place.start, place.end + 1)
