"""Orders that live for days: whole in every range, and counted once, on the day on which they began."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import brute
from tests.fake_timeline import DAY0
from tests.sources.test_files import write_csv
from twin.analysis.baseline import History
from twin.foundation.times import DAY, HOUR, text
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

DAYS = 6
KINDS = [
    "order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "driver_ping",
    "delivered", "order_cancelled",
]  # fmt: skip
STEPS = [0.0, 40.0, 600.0, 3 * HOUR, 4 * HOUR, 4 * HOUR + 1, DAY, 2.5 * DAY]


def row(order: str, kind: str, t: float) -> dict[str, Any]:
    """A raw row without a body."""
    return {"event_type": kind, "ts": text(t), "location": "sf", "order_id": order, "sequence": "", "body": "{}"}


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Orders with some of their milestones, minutes or days apart, over a week and more."""
    rows = []
    ids = draw(st.sampled_from([2, 100]))  # with two ids, most are used again
    for number in range(draw(st.integers(1, 8))):
        t = DAY0 + draw(st.integers(0, DAYS * 48)) * 1800.0
        for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6, unique=True)):
            rows.append(row(f"order{number % ids}", kind, t))
            t += draw(st.sampled_from(STEPS))
    return rows


def told_apart(orders: brute.Lifecycles) -> brute.Lifecycles:
    """The orders where an id that is created again more than twelve hours after its event before that is another one."""
    found: brute.Lifecycles = {}
    for order, events in orders.items():
        name, life, before = order, 1, np.inf
        for t, kind in sorted(set(events), key=lambda event: (event[0], event[1] != "order_created")):
            if kind == "order_created" and t - before > 12 * HOUR:
                life += 1
                name = f"{order}~{life}"
            found.setdefault(name, []).append((t, kind))
            before = t
    return found


def test_numbers_that_begin_anew_every_morning_are_other_orders(tmp_path: Path) -> None:
    """As on a shop's receipts: no day lies between two orders of one number. They were one order of five days."""
    rows = [
        row(f"#{number}", kind, DAY0 + day * DAY + 9 * HOUR + number * (420 + 60 * day) + minutes * 60)
        for day in range(5)
        for number in range(50)
        for kind, minutes in (("order_created", 0), ("gk_started", 2), ("delivered", 35))
    ]
    source = FileSource(write_csv(tmp_path / "e.csv", rows))
    assert source.locations()[0].orders == 250
    for day in range(5):
        orders = Timeline.load(source, "sf", DAY0 + day * DAY, DAY0 + (day + 1) * DAY).orders
        assert np.count_nonzero(orders.created >= DAY0 + day * DAY) == 50
        assert (orders.delivered - orders.created == 2100).all()


def test_clocks_that_differ_by_zones_make_no_second_order(tmp_path: Path) -> None:
    """The kitchen's display writes its own clock, the shop UTC: the creation seems to come seven hours after the cooking."""
    rows = [
        row("A", "gk_started", DAY0),
        row("A", "order_created", DAY0 + 7 * HOUR),
        row("A", "delivered", DAY0 + 7.6 * HOUR),
    ]
    assert FileSource(write_csv(tmp_path / "e.csv", rows)).locations()[0].orders == 1


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("TWIN_EXAMPLES", "25")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=lives(), hour=st.integers(0, 23))
def test_every_order_is_whole_in_every_range_and_counts_once(
    tmp_path: Path, rows: list[dict[str, Any]], hour: int
) -> None:
    orders = told_apart(brute.lifecycles(rows, "sf"))
    began = {
        order: min((t for t, kind in events if kind == "order_created"), default=min(events)[0])
        for order, events in orders.items()
    }
    source = FileSource(write_csv(tmp_path / "e.csv", rows))
    counted: Counter[str] = Counter()
    first, last = min(t for events in orders.values() for t, _ in events), max(began.values())
    for start in np.arange(first // DAY * DAY + (hour - 24) * HOUR, last + DAY, DAY).tolist():
        line = Timeline.load(source, "sf", start, start + DAY)
        inside = {order for order, t in began.items() if start <= t < start + DAY}
        for order, t in zip(line.orders.ids.to_pylist(), line.orders.began, strict=True):
            assert t == began[order], "its beginning is known though it lies before the range"
            life = line.order(order)
            assert sorted(life.events.ts.tolist()) == sorted(t for t, _ in orders[order])
            assert (life.status == "completed") is any(kind == "delivered" for _, kind in orders[order])
        counted.update(
            line.orders.ids.filter((line.orders.began >= start) & (line.orders.began < start + DAY)).to_pylist()
        )
        assert line.volume(HOUR)[1].sum() == len(inside)
        history = History.from_rows(source.history("sf", start, start + DAY))
        assert sorted(history.began.tolist()) == sorted(began[order] for order in inside)
        assert np.isfinite(history.delivered).sum() == sum(
            brute.state(orders[order], np.inf) == "completed" for order in inside
        )
        (total,) = source.query("totals", location="sf", from_ts=start, to_ts=start + DAY).to_pylist()
        assert (total["orders"], total["delivered"]) == (len(history), np.isfinite(history.delivered).sum())
        for t in [
            start,
            start + 1,
            start + 12 * HOUR,
            start + DAY - 1,
            *(t for events in orders.values() for t, _ in events),
        ]:
            if start <= t < start + DAY:
                assert line.counts(t) == brute.counts(orders, t), text(t)
    assert counted == Counter(orders.keys())
    assert source.volume("sf").orders.sum() == len(orders) == source.locations()[0].orders


def test_an_order_delivered_days_later_is_delivered_and_counts_on_its_first_day_alone(tmp_path: Path) -> None:
    """Four hours beyond the range, such an order was "not delivered"; its delivery was another order on another day."""
    noon = DAY0 + 12 * HOUR
    rows = [
        row("A", "order_created", noon),
        row("A", "delivered", noon + 2 * DAY),
        row("B", "order_created", noon + 2 * DAY),
    ]
    source = FileSource(write_csv(tmp_path / "e.csv", rows))
    first, third = (Timeline.load(source, "sf", DAY0 + n * DAY, DAY0 + (n + 1) * DAY) for n in (0, 2))
    assert first.order("A").status == "completed"
    assert third.order("A").created == noon
    assert third.volume(HOUR)[1].sum() == 1
    assert third.at(noon + 2 * DAY).counts["completed"] == 1
    assert not Timeline.load(source, "sf", DAY0 + DAY, DAY0 + 2 * DAY).has_orders, "it has stalled the day before"
    empty = Timeline.load(source, "sf", DAY0 + 5 * DAY, DAY0 + 6 * DAY)
    assert (len(empty.orders), empty.event_count) == (0, 0)


def test_an_id_that_is_used_again_days_later_is_another_order(tmp_path: Path) -> None:
    """Merged, the two were one order of three days, and the second day had none."""
    noon = DAY0 + 12 * HOUR
    rows = [
        row("A", kind, noon + day * DAY + minutes * 60)
        for day in (0, 3, 6)
        for kind, minutes in (("order_created", 0), ("gk_started", 2), ("delivered", 30))
    ]
    shifted = [
        row("B", "order_created", noon),
        row("B", "gk_started", noon + DAY + 60),
        row("B", "delivered", noon + DAY + 600),
    ]
    source = FileSource(write_csv(tmp_path / "e.csv", [*rows, *shifted]))
    assert source.locations()[0].orders == 4
    assert source.quality("sf").flagged["order id used again"] == 2
    assert source.quality("sf").used == len(rows) + len(shifted)
    week = Timeline.load(source, "sf", DAY0, DAY0 + 7 * DAY)
    assert week.orders.ids.to_pylist() == ["A", "A~2", "A~3", "B"], "what a replay shifts by a day stays one order"
    second = Timeline.load(source, "sf", DAY0 + 3 * DAY, DAY0 + 4 * DAY).order("A~2")
    assert (second.created, second.delivered) == (noon + 3 * DAY, noon + 3 * DAY + 1800)
    found = source.query("find_order", order_id="A~3", location="")
    assert found["event_type"].to_pylist() == ["order_created", "gk_started", "delivered"]
