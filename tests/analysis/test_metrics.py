"""Every KPI equals a count over the orders, one by one, whatever milestones are missing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_timeline import DAY0, HOUR, MILESTONES, FakeTimeline
from twin.analysis.metrics import SERIES_POINTS, MetricIndex, StageFigures, kpis, metrics_of

LONGEST = 4 * HOUR


def stages_at(timeline: FakeTimeline, t: float) -> list[StageFigures]:
    return metrics_of(timeline).stages(timeline.at(t))


# whole minutes make ties and exact edges of the trailing hour likely
MOMENT = st.integers(0, 40 * 60).map(lambda minute: DAY0 + 60.0 * minute)


@st.composite
def lifecycles(draw):
    """Orders with any milestones missing, out of order, and now and then longer than four hours."""
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        t, row = draw(MOMENT), {}
        for milestone in MILESTONES[:-1]:
            if draw(st.integers(0, 4)):
                row[milestone] = t
            t += 60.0 * draw(st.sampled_from((-3, 0, 1, 5, 20, 60, 250)))
        rows.append(row or {"created": t})
    return FakeTimeline(rows)


def mean(values):
    return sum(values) / len(values) if values else None


def percentile(values, share):
    return None if not values else float(np.percentile(values, share * 100))


def brute_deliveries(timeline, t):
    """Durations of the trailing hour's deliveries: those that count, and how many do not."""
    all_of_them = [
        row["delivered"] - row["created"]
        for row in timeline.rows
        if "created" in row and "delivered" in row and t - HOUR < row["delivered"] <= t
    ]
    kept = [duration for duration in all_of_them if 0 <= duration <= LONGEST]
    return kept, len(all_of_them) - len(kept)


@settings(deadline=None)
@given(lifecycles(), MOMENT)
def test_the_kpis_equal_a_count_over_the_orders(timeline, t):
    result = kpis(timeline, t, target=1800)

    created = [row["created"] for row in timeline.rows if "created" in row]
    assert result.orders_per_hour == (sum(t - HOUR < c <= t for c in created) if created else None)
    before = sum(t - 2 * HOUR < c <= t - HOUR for c in created)
    assert result.orders_per_hour_before == (before if created else None)

    durations, excluded = brute_deliveries(timeline, t)
    assert result.delivery_time == pytest.approx(mean(durations))
    assert result.delivery_p50 == pytest.approx(percentile(durations, 0.5))
    assert result.delivery_p75 == pytest.approx(percentile(durations, 0.75))
    assert result.delivery_p95 == pytest.approx(percentile(durations, 0.95))
    assert (result.deliveries, result.deliveries_excluded) == (len(durations), excluded)
    in_minutes = [math.floor((d - 1800) / 60 + 0.5) for d in durations]
    assert result.deliveries_over == sum(late > 0 for late in in_minutes)
    assert result.delivery_bins == [sum(min(d // 300, 12) == k for d in durations) for k in range(13)]

    undated = [row for row in timeline.rows if "created" not in row]
    assert result.deliveries_undated == sum(t - HOUR < row.get("delivered", math.inf) <= t for row in undated)
    entered = timeline.orders.enter[0]
    first_heard = [entered[i] for i, row in enumerate(timeline.rows) if "created" not in row]
    assert result.orders_undated == sum(t - HOUR < first <= t for first in first_heard)

    due = [row for row in timeline.rows if t - 24 * HOUR < row.get("created", math.inf) <= t - 1.5 * HOUR]
    assert result.completion_due == len(due)
    assert result.not_due == sum(t - 1.5 * HOUR < c <= t for c in created)
    delivers = any("delivered" in row for row in timeline.rows)  # else no share can be known
    assert result.completion == (mean([row.get("delivered", math.inf) <= t for row in due]) if delivers else None)

    assert result.active == {k: timeline.at(t).counts[k] for k in ("created", "cooking", "ready", "out_for_delivery")}
    assert result.in_kitchen + result.on_road == result.active_total


@settings(deadline=None)
@given(lifecycles(), MOMENT)
def test_the_time_in_each_stage_equals_a_walk_through_the_orders(timeline, t):
    enter = timeline.orders.enter
    snapshot = timeline.at(t)
    for stage, figures in enumerate(stages_at(timeline, t)):
        following = enter[stage + 1] if stage < 4 else np.full(enter.shape[1], np.inf)
        visits = [(e, f) for e, f in zip(enter[stage], following, strict=True) if e < f]
        assert figures.entered == sum(t - HOUR < e <= t for e, _ in visits)

        left = [f - e for e, f in visits if t - HOUR < f <= t]
        assert figures.service == pytest.approx(mean([d for d in left if d <= LONGEST]))
        assert figures.served + figures.excluded == len(left)

        ages = [t - s for s, k in zip(snapshot.since, snapshot.stage, strict=True) if k == stage]
        assert figures.age == pytest.approx(mean(ages))
        assert figures.oldest == (max(ages) if ages else None)


@settings(deadline=None)
@given(lifecycles(), MOMENT)
def test_a_sparkline_shows_what_the_kpis_were_at_its_marks(timeline, t):
    series = metrics_of(timeline).series(t)

    assert len(series.t) == SERIES_POINTS
    assert np.all(np.diff(series.t) == 600)
    assert np.all(series.t % 600 == 0)
    assert t - 600 < series.t[-1] <= t
    for at, volume, duration in zip(series.t, series.orders_per_hour, series.delivery_time, strict=True):
        there = kpis(timeline, float(at))
        assert (None if np.isnan(volume) else int(volume)) == there.orders_per_hour
        assert (None if np.isnan(duration) else float(duration)) == pytest.approx(there.delivery_time)


@settings(deadline=None)
@given(lifecycles(), MOMENT, st.data())
def test_revenue_is_a_sum_over_the_orders_created(timeline, t, data):
    prices = data.draw(
        st.lists(st.sampled_from((0.0, 9.5, 31.25, -4.5)), min_size=len(timeline.rows), max_size=len(timeline.rows))
    )
    timeline.set_orders(revenue=np.array(prices, np.float32))
    midnight = t - t % (24 * HOUR)

    result = kpis(timeline, t)

    dated = [(row["created"], price) for row, price in zip(timeline.rows, prices, strict=True) if "created" in row]
    hour = [price for created, price in dated if t - HOUR < created <= t]
    today = [price for created, price in dated if midnight <= created <= t]
    known = any(price for _, price in dated)
    assert (result.revenue, result.revenue_today) == ((sum(hour), sum(today)) if known else (None, None))
    assert (result.unpriced, result.unpriced_today) == (hour.count(0), today.count(0))


def test_of_a_stage_that_no_order_was_seen_in_the_data_tells_nothing():
    cabs = FakeTimeline([{"picked_up": DAY0, "delivered": DAY0 + 600}])

    assert metrics_of(cabs).recorded == (False, False, False, True, True)
    assert metrics_of(FakeTimeline([])).recorded == (True,) * 5


def test_nothing_to_average_is_none_and_never_zero_or_nan():
    result = kpis(FakeTimeline([]), DAY0)

    for value in (
        result.orders_per_hour,
        result.delivery_time,
        result.delivery_p50,
        result.completion,
        result.revenue,
    ):
        assert value is None
    for figures in stages_at(FakeTimeline([]), DAY0):
        assert (figures.service, figures.age, figures.oldest) == (None, None, None)


def test_an_empty_hour_in_known_data_is_zero_orders():
    timeline = FakeTimeline([{"created": DAY0}])

    assert kpis(timeline, DAY0 + 5 * HOUR).orders_per_hour == 0


def test_a_duration_over_four_hours_is_left_out_and_counted():
    timeline = FakeTimeline(
        [
            {"created": DAY0, "delivered": DAY0 + 30 * 60},
            {"created": DAY0 - 5 * HOUR, "delivered": DAY0 + 40 * 60},
        ]
    )

    result = kpis(timeline, DAY0 + HOUR)

    assert (result.delivery_time, result.deliveries, result.deliveries_excluded) == (1800, 1, 1)


def test_an_order_delivered_at_the_very_moment_is_complete():
    timeline = FakeTimeline([{"created": DAY0, "delivered": DAY0 + 2 * HOUR}])

    assert kpis(timeline, DAY0 + 2 * HOUR).completion == 1
    assert kpis(timeline, DAY0 + 2 * HOUR - 1).completion == 0


def test_an_order_that_skipped_a_stage_is_not_counted_in_it():
    timeline = FakeTimeline([{"created": DAY0, "picked_up": DAY0 + 600}])

    cooking = stages_at(timeline, DAY0 + 900)[1]

    assert (cooking.service, cooking.served, cooking.entered) == (None, 0, 0)


def test_the_future_does_not_change_the_past():
    early = {"created": DAY0, "started": DAY0 + 120, "picked_up": DAY0 + 900, "delivered": DAY0 + 1800}
    late = {"created": DAY0 + 3 * HOUR, "delivered": DAY0 + 3.5 * HOUR}
    t = DAY0 + HOUR

    assert kpis(FakeTimeline([early]), t) == kpis(FakeTimeline([early, late]), t)
    assert stages_at(FakeTimeline([early]), t) == stages_at(FakeTimeline([early, late]), t)


def test_the_index_is_made_once_per_timeline():
    timeline = FakeTimeline([{"created": DAY0}])

    assert metrics_of(timeline) is metrics_of(timeline)
    assert isinstance(metrics_of(timeline), MetricIndex)
