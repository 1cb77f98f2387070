"""Trajectories are the drivers' positions of every single moment, and go into GeoPandas and movingpandas as they are."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import twin
from twin.notebook.kitchen import Kitchen
from twin.timeline.sampled import sampled

DAY = "2025-10-16"


@pytest.fixture(scope="module")
def kitchen(demo: Path) -> Kitchen:
    return twin.open(demo).kitchen("sanfrancisco", start=f"{DAY} 11:03:07", end=f"{DAY} 20:41:11")


def test_every_row_is_where_the_driver_was_at_that_moment(kitchen: Kitchen) -> None:
    ways = kitchen.trajectories("20s")
    moments = ways["t"][ways["t"].dt.second.isin([0, 20, 40]) & (ways["t"].dt.microsecond == 0)].unique()
    assert len(moments) > 1000
    standing = 0
    for moment in moments[::17]:
        here = ways[ways["t"] == moment].set_index("order").sort_index()
        drivers = kitchen.at(moment).drivers.sort_index()
        assert set(here.index) <= set(drivers.index)
        drivers = drivers.loc[here.index]
        np.testing.assert_allclose(here[["lat", "lon"]], drivers[["lat", "lon"]], atol=1e-9)
        assert here["measured"].tolist() == drivers["measured"].tolist()
        moving = here["speed"] > 0
        np.testing.assert_allclose(here["heading"][moving], drivers["heading"][moving], atol=1e-6)
        assert here["heading"][~moving].isna().all()
        standing += int((~moving).sum())
    assert standing < len(ways) / 2


def test_each_trip_is_whole_from_its_start_to_its_end_or_the_edge(kitchen: Kitchen) -> None:
    found = kitchen.trajectories("1min")
    assert all(times.is_monotonic_increasing for _, times in found.groupby("order")["t"])
    ways = found.groupby("order")["t"].agg(["min", "max"])
    road = kitchen.stages.query("stage == 'out_for_delivery'").set_index("order")
    road = road[road["left"].notna() & (road["entered"] < kitchen.end) & (road["left"] > kitchen.start)]
    assert set(road.index) <= set(ways.index)
    ways = ways.loc[road.index]
    second = pd.Timedelta("1s")
    assert ((ways["min"] - road["entered"].clip(lower=kitchen.start)).abs() < second).all()
    assert ((ways["max"] - road["left"].clip(upper=kitchen.end)).abs() < second).all()


def test_speed_is_the_way_driven_on_the_ground(kitchen: Kitchen) -> None:
    ways = kitchen.trajectories("1s")
    lat, lon = np.radians(ways["lat"]), np.radians(ways["lon"])
    north, east = lat.diff() * 6_371_008.8, lon.diff() * 6_371_008.8 * np.cos(lat)
    walked = np.hypot(north, east)[ways["order"] == ways["order"].shift()]
    driven = (ways["speed"].shift() * ways["t"].diff().dt.total_seconds())[walked.index]
    assert driven.sum() == pytest.approx(walked.sum(), rel=0.02)


def test_a_timeline_without_trips_has_no_rows(kitchen: Kitchen) -> None:
    begin = kitchen.data.window.start
    assert len(sampled(kitchen.data.trips, begin - 1e6, begin - 9e5, 10.0).t) == 0


def test_pings_have_the_places_of_the_file(kitchen: Kitchen, demo: Path) -> None:
    found = kitchen.events()
    pings = found[found["type"] == "driver_ping"]
    expected = duckdb.sql(
        f"""select (body->>'loc_lat')::double, (body->>'loc_lon')::double from '{demo}/events_sanfrancisco.parquet'
            where event_type = 'driver_ping' and try_cast(ts as timestamp) >= '{kitchen.start}'
              and try_cast(ts as timestamp) < '{kitchen.end}' and json_valid(body)"""
    ).fetchall()
    mine = np.unique(pings[["lat", "lon"]].dropna().to_numpy(), axis=0)
    theirs = np.unique([place for place in expected if place[0] is not None], axis=0)
    assert len(theirs) > 200
    np.testing.assert_allclose(mine, theirs, atol=6e-8)  # a ten-millionth of a degree, rounded
    assert found[found["type"] != "driver_ping"][["lat", "lon"]].isna().all(axis=None)


def test_movingpandas_takes_them_as_they_are(kitchen: Kitchen) -> None:
    movingpandas = pytest.importorskip("movingpandas")
    ways = kitchen.trajectories("10s")
    points = ways.to_geopandas()
    assert points.crs.to_epsg() == 4326
    assert (points.geometry.y.tolist(), points.geometry.x.tolist()) == (ways["lat"].tolist(), ways["lon"].tolist())
    collection = movingpandas.TrajectoryCollection(points, "order", t="t")
    assert len(collection) > 50
    longest = collection.trajectories[0]
    assert longest.get_length() > 100
    assert "lat" in ways  # the table stays as it was
