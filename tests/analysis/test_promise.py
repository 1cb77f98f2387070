"""Was the promise fair: by what was known when it was made, and nothing later, as a count case by case finds."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import worlds
from tests.fake_timeline import DAY0, HOUR, FakeTimeline
from twin.analysis import promise
from twin.analysis.baseline import Baseline, History
from twin.analysis.promise import PromiseBook
from twin.foundation.times import DAY
from twin.timeline.timeline import Timeline

MINUTE = 60.0


def timeline_of(orders: list[tuple[float, float | None]], eta: float | None = None) -> FakeTimeline:
    """Orders by creation (seconds) and delivery time (minutes); picked up half way, with an estimate of `eta` minutes."""
    rows = []
    for created, took in orders:
        row = {"created": created}
        if took is not None:
            row |= {"picked_up": created + took * MINUTE / 2, "delivered": created + took * MINUTE}
        rows.append(row)
    timeline = FakeTimeline(rows)
    if eta is not None:
        timeline.set_orders(eta_mins=np.full(len(rows), eta, np.float32))
    return timeline


def book_of(timeline: Timeline, **how: Any) -> PromiseBook:
    return PromiseBook(timeline, Baseline(History.from_timeline(timeline)), **how)


def a_week() -> list[tuple[float, float | None]]:
    """An order every four minutes from 18 to 22 h on eight days: 20 to 29 minutes, from 20 h on 20 more."""
    return [
        (DAY0 + day * DAY + 18 * HOUR + 4 * MINUTE * k, 20 + k % 10 + (20 if k >= 30 else 0))
        for day in range(8)
        for k in range(60)
    ]


def test_a_promise_that_most_orders_of_the_hour_break_was_doomed_when_it_was_made() -> None:
    timeline = timeline_of(a_week())
    promises = book_of(timeline).target_promises
    created = timeline.orders.created
    last_day = created >= DAY0 + 7 * DAY
    late = last_day & (created % DAY >= 20.5 * HOUR)
    early = last_day & (created % DAY < 19.5 * HOUR)
    assert (promises.fair[early] / MINUTE).tolist() == pytest.approx([28] * early.sum(), abs=1.5)
    assert (promises.fair[late] / MINUTE).tolist() == pytest.approx([48] * late.sum(), abs=1.5)
    assert promises.keep[late].max() == 0
    assert promises.doomed[late].all()
    assert promises.keep[early].min() == 1
    assert not promises.doomed[early].any()
    found = promises.fairness(late)
    assert (found.orders, found.kept, found.doomed, found.judged) == (late.sum(), 0, late.sum(), late.sum())
    assert (
        found.sentence == "Promised 30 min, took 45; 0 % kept. Fair would have been 49 min; 100 % were doomed when made"
    )


def test_the_load_is_told_apart_and_too_few_earlier_orders_say_nothing() -> None:
    """Every other day has a crowd of orders at once at 20 h, and these take twice as long."""
    orders: list[tuple[float, float | None]] = []
    for day in range(12):
        busy = day % 2
        start = DAY0 + day * DAY + 20 * HOUR
        orders += [(start + k * (20.0 if busy else 120.0), 40 if busy else 20) for k in range(29)]
    timeline = timeline_of(orders)
    promises, created = book_of(timeline).target_promises, timeline.orders.created
    crowd = (created - DAY0) // DAY == 11
    tail = crowd & (created % DAY > 20 * HOUR + 400)
    assert (promises.fair[tail] / MINUTE).tolist() == pytest.approx([40] * tail.sum())
    calm = ((created - DAY0) // DAY == 10) & (created % DAY > 20 * HOUR + 1500)
    assert promises.keep[calm].min() > 0.8  # the first of a crowd are as many as in calm hours
    assert promises.keep[tail].max() < 0.5
    first = (created - DAY0) // DAY == 0
    assert np.isnan(promises.fair[first]).all()
    assert promises.fairness(first).sentence == (
        "Promised 30 min, took 20; 100 % kept. Fewer than 50 earlier orders were known to judge it by"
    )
    assert (
        promises.fairness(np.zeros(len(created), bool)).sentence == "Nothing that was promised has been delivered here."
    )


def test_the_drivers_estimate_is_judged_by_the_ratio_of_earlier_ones() -> None:
    timeline = timeline_of([(t, None if took is None else 2 * took) for t, took in a_week()], eta=30)
    book = book_of(timeline)
    assert [one.kind for one in book.kinds] == ["target", "estimate"]
    estimates, late = book.estimate_promises, timeline.orders.created % DAY >= 20.7 * HOUR
    late &= timeline.orders.created >= DAY0 + 7 * DAY
    assert (estimates.promised == 30 * MINUTE).all()
    assert (estimates.fair[late] / MINUTE).tolist() == pytest.approx([48] * late.sum(), abs=1.5)
    assert estimates.doomed[late].all()
    assert [one.kind for one in book_of(timeline_of(a_week())).kinds] == ["target"]


def expected(timeline: Timeline, row: int, target: float) -> tuple[float, float]:
    """Fair and keep of one order, case by case."""
    created, delivered = timeline.orders.created.tolist(), timeline.orders.delivered.tolist()

    def load(at: float) -> int:
        spans = zip(created, delivered, strict=True)
        return sum(start < at and not min(end if end == end else 9e99, start + 4 * HOUR) <= at for start, end in spans)

    def like(at: float) -> tuple[int, int]:
        return int(at % DAY // HOUR), int(2 * np.log2(1 + load(at) / 4))

    hour, step = like(created[row])
    begin = created[row] // HOUR * HOUR
    past = [(*like(a), b - a) for a, b in zip(created, delivered, strict=True) if b <= begin and 0 <= b - a <= 4 * HOUR]
    ways = [
        lambda h, s: h == hour and s == step,
        lambda h, s: (h - hour) % 24 in (0, 1, 23) and s == step,
        lambda h, s: (h - hour) % 24 in (0, 1, 23) and abs(s - step) <= 1,
        lambda h, s: abs(s - step) <= 1,
        lambda h, s: h == hour,
        lambda h, s: True,
    ]
    for way in ways:
        values = [took for h, s, took in past if way(h, s)]
        if len(values) >= promise.ENOUGH:
            return float(np.quantile(values, 0.9)), float(np.mean(np.array(values) < target + 30))
    return float("nan"), float("nan")


cases = st.lists(
    st.tuples(st.integers(0, 3 * 1440), st.one_of(st.none(), st.integers(1, 300))), min_size=20, max_size=60
)


@settings(deadline=None, max_examples=25)
@given(cases, st.integers(0, 4 * 1440), st.integers(2, 6))
def test_it_is_what_a_count_finds_and_what_comes_later_changes_nothing(
    made: list[tuple[int, int | None]], cut: int, enough: int
) -> None:
    orders = [(DAY0 + at * MINUTE, took if took is None else float(took)) for at, took in made]
    before = promise.ENOUGH
    promise.ENOUGH = enough
    try:
        timeline = timeline_of(orders)
        promises = book_of(timeline).target_promises
        for row in range(0, len(orders), 5):
            found = (promises.fair[row], promises.keep[row])
            assert found == pytest.approx(expected(timeline, row, 1800.0), nan_ok=True)
        t = DAY0 + cut * MINUTE
        begun = [k for k, (at, _) in enumerate(orders) if at <= t]
        if begun:
            known = [
                (at, took if took and at + took * MINUTE <= t else None) for at, took in (orders[k] for k in begun)
            ]
            then = book_of(timeline_of(known)).target_promises
            np.testing.assert_array_equal(promises.fair[begun], then.fair)
            np.testing.assert_array_equal(promises.keep[begun], then.keep)
    finally:
        promise.ENOUGH = before


@pytest.mark.parametrize("name", ["steady", "small", "closed at night", "early peaks"])
def test_nine_of_ten_orders_keep_a_fair_promise_and_a_calm_kitchen_dooms_hardly_any(name: str) -> None:
    """Kitchens on which nothing was tuned: what was fair by what was known then holds for what came."""
    world = worlds.world(name, 3_000)
    milestones = world.timeline().orders.milestones
    orders = SimpleNamespace(
        milestones=milestones, first=np.nanmin(milestones, axis=0), eta_mins=np.full(milestones.shape[1], np.nan)
    )
    timeline: Any = SimpleNamespace(orders=orders, tz=world.timeline().tz)
    promises = PromiseBook(timeline, world.baseline()).target_promises
    judged = np.isfinite(promises.fair) & np.isfinite(promises.took)
    assert judged.sum() > 200
    assert 0.86 < (promises.took[judged] <= promises.fair[judged]).mean() < 0.94
    assert promises.doomed[judged].mean() < 0.02
