"""A replay from its first to its last moment, against SQL over the raw files."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

import twin
from tests import brute
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline

TICK = 0.25


class Wall:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def timeline(demo: Path) -> Timeline:
    opened = twin.open(demo)
    day = np.floor(opened.location("sanfrancisco").start / 86400) * 86400
    return opened.timeline("sanfrancisco", day, day + 86400)


def test_a_day_played_at_1000x_ends_with_the_delivered_and_open_orders_of_sql(demo: Path, timeline: Timeline) -> None:
    wall = Wall()
    controller = ReplayController(wall=wall)
    controller.load(timeline)
    controller.set_speed(1000)
    controller.play()
    seen = []
    while controller.playing:
        wall.now += TICK
        controller.settle()
        seen.append(controller.now())
        counts = timeline.at(controller.now()).counts
    assert seen[-1] == timeline.window.end
    assert seen == sorted(seen)
    ((delivered, opened),) = duckdb.execute(
        """
        WITH good AS (
          SELECT DISTINCT order_id, event_type, try_cast(ts AS TIMESTAMP) AS ts FROM read_parquet($files)
          WHERE location = 'sanfrancisco' AND order_id <> '' AND event_type <> '' AND json_valid(body)
            AND try_cast(ts AS TIMESTAMP) <= $end AND try_cast(ts AS TIMESTAMP) > TIMESTAMP '1990-01-01'
        ),
        orders AS (
          SELECT order_id, min(ts) FILTER (event_type = 'delivered') AS delivered, max(ts) AS last FROM good GROUP BY order_id
        )
        SELECT count(*) FILTER (delivered >= date_trunc('day', $end)),
               count(*) FILTER (delivered IS NULL AND last + INTERVAL 4 HOUR > $end)
        FROM orders
        """,
        {"files": str(demo / "events_*.parquet"), "end": np.datetime64(int(timeline.window.end), "s").item()},
    ).fetchall()
    assert counts["completed"] == delivered
    assert sum(counts[stage] for stage in brute.ORDER[:4]) == opened
    assert opened > 0


def test_seeking_to_a_moment_is_playing_to_it(timeline: Timeline) -> None:
    wall = Wall()
    played, sought = ReplayController(timeline, wall=wall), ReplayController(timeline, wall=wall)
    played.set_speed(1000)
    played.play()
    rng = np.random.default_rng(3)
    for _ in range(20):
        wall.now += float(rng.uniform(0, 4))
        t = played.now()
        sought.seek(t)
        one, other = timeline.at(played.now()), timeline.at(sought.now())
        assert one.counts == other.counts
        np.testing.assert_array_equal(one.order, other.order)
        np.testing.assert_array_equal(one.drivers.x, other.drivers.x)


@pytest.mark.slow
def test_random_moments_of_the_demo_agree_with_the_raw_rows(demo: Path) -> None:
    opened = twin.open(demo)
    rows = (
        duckdb.sql("SELECT * FROM read_parquet($1)", params=[str(demo / "events_*.parquet")])
        .to_arrow_table()
        .to_pylist()
    )
    used, rejected = brute.judge(rows)
    quality = opened.quality()
    assert (quality.read, quality.used, dict(quality.rejected)) == (len(rows), len(used), dict(rejected))
    for place in opened.locations:
        orders = brute.lifecycles(used, place.id)
        timeline = opened.timeline(place.id, place.start, place.end + 1)
        for t in np.random.default_rng(5).uniform(place.start, place.end, 6):
            assert timeline.at(t).counts == brute.counts(orders, t)


def test_what_the_browser_is_sent_is_where_at_says_the_drivers_are(timeline: Timeline) -> None:
    """Straight lines between the knots of `motion` give the positions of `at`, within a metre."""
    for t in np.random.default_rng(8).uniform(timeline.window.start, timeline.window.end, 60):
        motion, drivers = timeline.motion(t, t + 60), timeline.at(t).drivers
        for order, x, y in zip(drivers.order, drivers.x, drivers.y, strict=True):
            trip = int(np.flatnonzero(motion.order == order)[0])
            knots = slice(motion.offsets[trip], motion.offsets[trip + 1])
            since = t - motion.start[trip]
            reached = np.isfinite(motion.t[knots])
            mx, my = (np.interp(since, motion.t[knots][reached], axis[knots][reached]) for axis in (motion.x, motion.y))
            assert np.hypot(mx + timeline.location.x - x, my + timeline.location.y - y) < 1.5
