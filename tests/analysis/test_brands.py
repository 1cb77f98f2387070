"""The brands' figures against a count by hand, row by row, and the trend against what chance does."""

from collections import defaultdict
from types import SimpleNamespace as Some

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.analysis.brands import TREND_ORDERS, performance, trend

HOUR = 3600.0
BRANDS = ["Pho Real", "Soup", None, "", "Soup"]
"""Two ids may carry one name, and a brand may have none."""


def timeline_of(rows):
    """A timeline of (created, delivered, [(brand number or None, qty, price)]) rows; one of unknown creation began at 5 s."""
    lines = [line for _, _, items in rows for line in items]
    created = np.array([np.nan if c is None else c for c, _, _ in rows], float)
    codes = pa.array([brand for brand, _, _ in lines], pa.int16())
    orders = Some(
        created=created,
        began=np.where(np.isnan(created), 5.0, created),
        delivered=np.array([np.nan if d is None else d for _, d, _ in rows], float),
        item_offsets=np.concatenate(([0], np.cumsum([len(items) for _, _, items in rows]))).astype(np.int32),
        item_brands=pa.DictionaryArray.from_arrays(codes, pa.array(BRANDS, pa.string())),
        item_qty=np.array([qty for _, qty, _ in lines], np.float32),
        item_price=np.array([price for _, _, price in lines], np.float32),
    )
    return Some(orders=orders, window=Some(start=0.0, end=10 * HOUR))


items = st.lists(
    st.tuples(st.sampled_from([None, 0, 1, 2, 3, 4]), st.integers(1, 3).map(float), st.integers(1, 20).map(float)),
    max_size=4,
)
orders = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 12 * 3600).map(float)),
        st.one_of(st.none(), st.integers(0, 18 * 3600).map(float)),
        items,
    ),
    max_size=30,
)


@settings(deadline=None)
@given(orders)
def test_every_figure_equals_a_count_row_by_row(rows):
    counts, money, times, excluded = defaultdict(int), defaultdict(float), defaultdict(list), defaultdict(int)
    for created, delivered, lines in rows:
        if not 0 <= (5.0 if created is None else created) < 10 * HOUR:
            continue
        named = [(BRANDS[brand], qty * price) for brand, qty, price in lines if brand is not None and BRANDS[brand]]
        for name, value in named:
            money[name] += value
        for name in {name for name, _ in named}:
            counts[name] += 1
            if created is not None and delivered is not None:
                taken = delivered - created
                if 0 <= taken <= 4 * HOUR:
                    times[name].append(taken)
                else:
                    excluded[name] += 1

    found = {figures.brand: figures for figures in performance(timeline_of(rows))}

    assert {name: figures.orders for name, figures in found.items()} == dict(counts)
    for name, figures in found.items():
        assert figures.revenue == pytest.approx(money[name])
        assert (figures.deliveries, figures.excluded) == (len(times[name]), excluded[name])
        assert figures.delivery_time == (pytest.approx(np.mean(times[name])) if times[name] else None)


def test_the_brand_with_most_orders_comes_first():
    found = performance(
        timeline_of([(0.0, None, [(0, 1.0, 9.0)]), (1.0, None, [(1, 1.0, 1.0)]), (2.0, None, [(4, 1.0, 1.0)])])
    )

    assert [(figures.brand, figures.orders) for figures in found] == [("Soup", 2), ("Pho Real", 1)]


def test_no_brands_no_figures():
    assert performance(timeline_of([])) == []
    assert performance(timeline_of([(0.0, None, [(None, 1.0, 9.0)])])) == []


def test_a_range_counts_its_start_and_not_its_end():
    rows = [(HOUR * k, None, [(0, 1.0, 10.0)]) for k in range(5)]

    (figures,) = performance(timeline_of(rows), HOUR, 3 * HOUR)

    assert figures.orders == 2


def test_a_brand_that_comes_later_than_the_kitchens_orders_improves_and_its_rival_declines():
    # the kitchen gets busier all the time; Soup takes a growing part of it
    rows = [
        (HOUR * 9 * np.sqrt(k / 400), None, [(1 if k % 10 < (2 if k < 200 else 6) else 0, 1.0, 10.0)])
        for k in range(400)
    ]

    found = {figures.brand: figures for figures in performance(timeline_of(rows))}

    assert (found["Soup"].earlier, found["Soup"].later) == (40, 120)
    assert found["Soup"].trend == "improving"
    assert found["Pho Real"].trend == "declining"


def test_a_kitchen_that_gets_busier_is_no_trend_of_its_brands():
    rows = [(HOUR * 9 * np.sqrt(k / 400), None, [(k % 2, 1.0, 10.0)]) for k in range(400)]

    assert {figures.trend for figures in performance(timeline_of(rows))} == {"flat"}


def test_chance_alone_is_called_a_trend_about_once_in_a_hundred_times():
    late = np.random.default_rng(3).hypergeometric(300, 300, 80, 4000)

    called = np.mean([trend(80 - n, int(n), 600) != "flat" for n in late])

    assert 0.001 < called < 0.02


def test_few_orders_have_no_trend_and_a_brand_in_every_order_has_none_of_its_own():
    assert trend(0, TREND_ORDERS - 1, 1000) is None
    assert trend(0, TREND_ORDERS, 1000) == "improving"
    assert trend(50, 50, 100) == "flat"
