"""Waiting meals and drivers on the road, against counting them second by second; the summary, against counting by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, FakeTimeline
from twin.analysis.driver_supply import drivers_at, recent_supply, summarise, supply
from twin.analysis.limits import AMBER, FINE, RED, pressure_level

MINUTE, HOUR = 60.0, 3600.0


def kitchen(rows, start=DAY0, end=DAY0 + 24 * HOUR, revenue=()):
    timeline = FakeTimeline([{name: DAY0 + t for name, t in row.items()} for row in rows])
    timeline.window = SimpleNamespace(start=start, end=end)
    timeline.set_orders(revenue=np.array(revenue or [0.0] * len(rows), np.float32))
    return timeline


def mean_present(spells, begin, end):
    """Count who is there at every half second between begin and end."""
    moments = np.arange(begin + 0.5, end)
    return float(np.mean([sum(a <= t < b for a, b in spells) for t in moments]))


@st.composite
def lifecycles(draw):
    """Whole seconds, so that counting at half seconds is exact; some without gk_ready, some not picked up or not delivered."""
    at = [int(draw(st.integers(0, 900)))]
    for _ in range(3):
        at.append(at[-1] + draw(st.integers(0, 600)))
    names = ["finished", "ready", "picked_up", "delivered"][: draw(st.integers(2, 4))]
    row = dict(zip(names, at, strict=False))
    if draw(st.booleans()):
        del row["ready"]
    if "delivered" not in row and draw(st.booleans()):
        row["cancelled"] = at[len(names) - 1] + 30
    return row


@settings(deadline=None)  # counting second by second takes its time
@given(st.lists(lifecycles(), max_size=12))
def test_the_figures_are_means_of_counts(rows):
    edges = DAY0 + np.array([0.0, 100.0, 700.0, 1300.0])
    bars = supply(kitchen(rows), edges)
    never = math.inf
    meals, drives = [], []
    for row in rows:
        gone = min(row.get("picked_up", never), row.get("delivered", never), row.get("cancelled", never))
        meals.append((row["finished"], gone))  # when the order is in Ready, as the pipeline counts it
        if "picked_up" in row:
            drives.append((row["picked_up"], min(row.get("delivered", never), row.get("cancelled", never))))
    for i in range(3):
        span = (edges[i] - DAY0, edges[i + 1] - DAY0)
        assert bars.waiting[i] == pytest.approx(mean_present(meals, *span), abs=1e-5)
        assert bars.on_road[i] == pytest.approx(mean_present(drives, *span), abs=1e-5)


def shortage(meals, drivers, start=0.0, length=10 * MINUTE):
    """Return orders of which `meals` wait and `drivers` are out through the whole spell."""
    waiting = {"ready": start, "picked_up": start + length, "delivered": start + length + 1}
    driving = {"ready": start - 2, "picked_up": start - 1, "delivered": start + length}
    return [waiting] * meals + [driving] * drivers


@pytest.mark.parametrize(
    ("meals", "drivers", "level"),
    [(7, 0, FINE), (8, 9, FINE), (8, 8, AMBER), (8, 5, RED), (9, 6, RED), (30, 21, AMBER), (30, 20, RED)],
)
def test_drivers_are_short_where_many_meals_wait_for_few_of_them(meals, drivers, level):
    timeline = kitchen(shortage(meals, drivers))
    waiting, on_road = recent_supply(timeline, DAY0 + np.array([599.0]))
    assert (waiting[0], on_road[0], pressure_level(waiting, on_road)[0]) == (meals, drivers, level)
    now = drivers_at(timeline, DAY0 + 599.0)
    assert now is not None
    assert (now.on_road, now.level) == (drivers, level)


def test_where_waiting_is_usual_it_takes_more_than_usual():
    now = recent_supply(kitchen(shortage(20, 8)), DAY0 + np.array([599.0]))
    levels = [pressure_level(*now, np.array([usual]))[0] for usual in (math.nan, 0.4, 1.5, 2.0)]
    assert levels == [RED, RED, AMBER, FINE]


def test_a_long_bar_shows_its_worst_part():
    """An hour: at first ten meals and twelve drivers, later nine meals and three drivers, which is worse."""
    rows = shortage(10, 12, 0, 600) + shortage(9, 3, 2400, 600)
    bars = supply(kitchen(rows), DAY0 + np.array([0.0, HOUR]))
    assert (bars.waiting[0], bars.on_road[0]) == (9, 3)
    assert (bars.begin[0] - DAY0, bars.end[0] - DAY0) == (2400, 3000)


def test_a_meal_that_nobody_ever_fetches_stops_waiting_after_four_hours():
    edges = DAY0 + np.array([0.0, HOUR, 4 * HOUR, 5 * HOUR])
    assert supply(kitchen([{"ready": 0.0}]), edges).waiting.tolist() == [1, 1, 0]


def test_without_bars_there_is_nothing():
    assert len(supply(kitchen([]), np.empty(0)).waiting) == 0
    assert supply(kitchen([]), DAY0 + np.array([0.0, HOUR])).waiting.tolist() == [0]


def test_the_summary_counts_the_orders_created_in_the_window():
    rows = [
        {"created": -1.0, "delivered": 1200.0},  # before it
        {"created": 0.0, "delivered": 1200.0},
        {"created": 60.0, "delivered": 60.0 + 2400.0},
        {"created": 100.0, "delivered": 100.0 + 5 * HOUR},  # too long to count into the mean
        {"created": 200.0, "cancelled": 900.0},
        {"ready": 300.0},  # known by its first event
        {"created": HOUR, "delivered": 2 * HOUR},  # after it
    ]
    summary = summarise(kitchen(rows, end=DAY0 + HOUR, revenue=[1, 10, 20, 30, 40, math.nan, 1000]))
    assert (summary.orders, summary.delivered, summary.cancelled, summary.undelivered) == (5, 3, 1, 2)
    assert (summary.timed, summary.excluded, summary.delivery_time) == (2, 1, 1800.0)
    assert summary.delivery_p95 == pytest.approx(1200 + 0.95 * 1200)
    assert summary.revenue == 100.0


def test_the_summary_of_nothing_has_no_averages():
    summary = summarise(kitchen([]))
    assert (summary.orders, summary.delivery_time, summary.delivery_p95, summary.revenue) == (0, None, None, 0.0)


def test_the_drivers_of_a_moment_are_those_on_the_road_and_those_who_wait():
    rows = [{"created": 0, "ready": 600, "arrived": 900, "picked_up": 1200, "delivered": 1800}]  # on the road at 1500
    rows += [{"created": 0, "ready": 600, "arrived": 1400, "picked_up": 1600, "delivered": 2400}]  # waits for its meal
    rows += [{"created": 0, "ready": 700 + k} for k in range(3)]  # nobody has come
    rows += [{"created": 0, "ready": 800, "arrived": 1000, "cancelled": 1300}]  # gone with the order
    now = drivers_at(kitchen(rows), DAY0 + 1500)

    assert now is not None
    assert (now.on_road, now.waiting, now.ready, now.picked_up, now.gap) == (1, 1, 6, 1, 5)


@pytest.mark.parametrize("missing", ["ready", "picked_up"])
def test_where_the_data_does_not_tell_of_drivers_nothing_is_made_up(missing):
    row = {"created": 0, "ready": 600, "picked_up": 1200, "delivered": 1800}
    del row[missing]
    assert drivers_at(kitchen([row]), DAY0 + 1000) is None
    assert drivers_at(kitchen([]), DAY0) is None


def test_without_an_arrival_nobody_is_said_to_wait():
    now = drivers_at(kitchen([{"created": 0, "ready": 600, "picked_up": 1200, "delivered": 1800}]), DAY0 + 1500)
    assert now is not None
    assert (now.on_road, now.waiting) == (1, None)
