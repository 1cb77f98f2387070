"""Every figure on records that no simulator of ours made: missing stages, no prices, holes, long lives. Held against brute force.

The figures are read where a page, a wall screen, the API and a notebook read them, from a file that a source decodes; what is
expected is computed from the raw rows and shares no code with the product but the states of `tests.brute`.
"""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import brute
from tests.raw_orders import rows_of, timeline_of
from twin.analysis.driver_supply import is_recorded
from twin.analysis.metrics import kpis, metrics_of
from twin.api import answers, parameters
from twin.foundation.stages import STAGES
from twin.foundation.times import text
from twin.hub import Hub
from twin.notebook import tables
from twin.replay.controller import ReplayController
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline
from twin.views.kpis.kpis import KpiView
from twin.views.transport.transport import TransportView

DAY0, DAY, HOUR, LONGEST = 1_760_572_800.0, 86_400.0, 3600.0, 4 * 3600.0
KINDS = ("order_created", "gk_started", "gk_finished", "gk_ready", "driver_arrived", "driver_picked_up", "delivered")
Row = dict[str, Any]


@st.composite
def records(draw: st.DrawFn) -> list[Row]:
    """The raw rows of one kitchen over three days: kinds and prices that the record never has, orders with holes, long lives."""
    never = draw(st.sets(st.sampled_from(KINDS), max_size=4))
    priced, rows = draw(st.booleans()), []
    for order in range(draw(st.integers(1, 14))):
        at = DAY0 + 60.0 * draw(st.integers(0, 3 * 24 * 60 - 900))
        items = [{"brand_id": "1", "qty": 1 + order % 3, **({"price": 7.5} if priced and order % 4 else {})}]
        told = []
        for kind in KINDS:
            if kind not in never and draw(st.integers(0, 6)):
                told.append((at, kind, json.dumps({"items": items}) if kind == "order_created" else "{}"))
            at += 60.0 * draw(st.sampled_from((-2, 0, 1, 4, 9, 35, 300)))
        if draw(st.integers(0, 9)) == 0:
            told.append((at, "order_cancelled", "{}"))
        rows += [
            {
                "event_type": kind,
                "ts": text(at),
                "location": "sf",
                "order_id": f"o{order}",
                "sequence": str(n),
                "body": body,
            }
            for n, (at, kind, body) in enumerate(told or [(at, "driver_ping", "{}")])
        ]
    return rows


class Brute:
    """The orders of raw rows: the first time of each kind, when each stage began, what was paid."""

    def __init__(self, rows: list[Row]) -> None:
        self.lives = brute.lifecycles(rows, "sf")
        self.first = {order: _firsts(events) for order, events in self.lives.items()}
        self.paid = {row["order_id"]: _paid(row["body"]) for row in rows if row["event_type"] == "order_created"}
        self.created = {
            order: first["order_created"] for order, first in self.first.items() if "order_created" in first
        }
        self.delivered = {order: first["delivered"] for order, first in self.first.items() if "delivered" in first}
        self.enter = {order: _stages(first) for order, first in self.first.items()}

    def took(self, t: float) -> list[float]:
        """Delivery times of the hour to t, also those that are left out."""
        ended = [order for order, at in self.delivered.items() if t - HOUR < at <= t and order in self.created]
        return [self.delivered[order] - self.created[order] for order in ended]

    def revenue(self, since: float, t: float) -> float | None:
        if not any(self.paid.get(order, 0) > 0 for order in self.created):
            return None
        return sum(self.paid[order] for order, at in self.created.items() if since < at <= t)

    def completion(self, t: float) -> float | None:
        due = [order for order, at in self.created.items() if t - DAY < at <= t - 1.5 * HOUR]
        if not due or not self.delivered:
            return None
        return sum(self.delivered.get(order, math.inf) <= t for order in due) / len(due)

    def service(self, stage: int, t: float) -> float | None:
        """Mean time in a stage of the orders that left it in the hour to t."""
        spent = [
            enter[stage + 1] - enter[stage]
            for enter in self.enter.values()
            if enter[stage] < enter[stage + 1] and t - HOUR < enter[stage + 1] <= t
        ]
        kept = [one for one in spent if one <= LONGEST]
        return sum(kept) / len(kept) if kept else None

    def oldest(self, stage: int, t: float) -> float | None:
        inside = [order for order, events in self.lives.items() if brute.state(events, t) == brute.ORDER[stage]]
        return max((t - self.enter[order][stage] for order in inside), default=None)

    def recorded(self, stage: int) -> bool:
        return any(enter[stage] < (enter[stage + 1] if stage < 4 else math.inf) for enter in self.enter.values())


def _firsts(events: list[tuple[float, str]]) -> dict[str, float]:
    return {kind: min(at for at, other in events if other == kind) for _, kind in events}


def _stages(first: dict[str, float]) -> list[float]:
    def begin(stage: int) -> float:
        return min((at for kind, at in first.items() if brute.STAGE_OF.get(kind, 0) >= stage), default=math.inf)

    return [min(first.values()), *(begin(stage) for stage in range(1, 5))]


def _paid(body: str) -> float:
    return sum(item["qty"] * item.get("price", 0) for item in json.loads(body).get("items", []))


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(records(), st.lists(st.integers(0, 3 * 24 * 60), min_size=3, max_size=3))
def test_every_figure_of_a_foreign_record_equals_brute_force(rows: list[Row], minutes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        hub, expected = Hub(FileSource(path)), Brute(rows)
        timeline = hub.timeline("sf", DAY0, DAY0 + 3 * DAY)
        index, controller = metrics_of(timeline), ReplayController()
        controller.load(timeline, DAY0)
        view = KpiView(controller)
        assert list(index.recorded) == [expected.recorded(stage) for stage in range(5)]
        for t in (DAY0 + 60.0 * minute for minute in minutes):
            snapshot = timeline.at(t)
            assert snapshot.counts == brute.counts(expected.lives, t)
            view.show(snapshot)
            _check_cards(json.loads(view.__panel__().state), expected, t)
            for stage, figures in enumerate(index.stages(snapshot)):
                known = stage < 4
                assert figures.service == pytest.approx(expected.service(stage, t) if known else None)
                assert figures.oldest == pytest.approx(expected.oldest(stage, t) if known else None)
            row = tables.kpi_row(kpis(timeline, t))
            assert row["completion"] == pytest.approx(_nan(expected.completion(t)), nan_ok=True)
            assert row["revenue"] == pytest.approx(_nan(expected.revenue(t - HOUR, t)), nan_ok=True)
        _check_range(hub, expected)
        hub.source.close()


def _check_cards(state: dict[str, dict[str, Any]], expected: Brute, t: float) -> None:
    took, midnight = expected.took(t), t - t % DAY
    kept = [one for one in took if 0 <= one <= LONGEST]
    created = sum(t - HOUR < at <= t for at in expected.created.values())
    assert state["orders"]["now"] == (created if expected.created else None)
    assert state["delivery"]["mean"] == pytest.approx(np.mean(kept) if kept else None, abs=0.001)
    assert (state["delivery"]["count"], state["delivery"]["long"]) == (len(kept), len(took) - len(kept))
    assert state["completion"]["share"] == pytest.approx(expected.completion(t))
    assert state["completion"]["recorded"] == state["delivery"]["recorded"] == bool(expected.delivered)
    assert state["revenue"]["hour"] == pytest.approx(expected.revenue(t - HOUR, t), abs=0.01)
    assert state["revenue"]["today"] == pytest.approx(expected.revenue(midnight - 1e-6, t), abs=0.01)
    counts = brute.counts(expected.lives, t)
    for stage, key in enumerate(STAGES[:4]):
        assert state["active"][key] == (counts[key] if expected.recorded(stage) else None)


def _check_range(hub: Hub, expected: Brute) -> None:
    total = answers.time_range(hub, "sf", parameters.BucketedRange()).metrics
    window = hub.last_hours("sf")
    began = {order: expected.created.get(order, min(first.values())) for order, first in expected.first.items()}
    inside = [order for order, at in began.items() if window.start <= at < window.end]
    done = [order for order in inside if order in expected.delivered]
    paid = sum(expected.paid.get(order, 0.0) for order in inside)
    assert (total.total_orders, total.delivered_orders) == (len(inside), len(done))
    known = inside and expected.delivered
    assert total.completion_rate_pct == pytest.approx(100 * len(done) / len(inside) if known else None)
    assert total.total_revenue == (pytest.approx(paid) if paid or not inside else None)


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


WHOLE = {"created": 0.0, "started": 2.0, "finished": 12.0, "ready": 14.0, "picked_up": 20.0, "delivered": 40.0}


@pytest.mark.parametrize(
    ("missing", "recorded"),
    [((), True), (("finished", "ready"), False), (("picked_up",), False), (("picked_up", "delivered"), False)],
)
def test_the_ribbon_needs_meals_that_were_ready_and_picked_up(
    tmp_path: Path, missing: tuple[str, ...], recorded: bool
) -> None:
    minutes = {name: at for name, at in WHOLE.items() if name not in missing}
    timeline = timeline_of(tmp_path, *(rows_of(f"o{n}", minutes) for n in range(20)))
    assert is_recorded(timeline) == recorded
    controller = ReplayController()
    controller.load(timeline, timeline.window.start)
    told = TransportView(controller).__panel__().supply
    assert ("waiting" in told, told.get("unknown", False)) == (recorded, not recorded)
    assert recorded or "does not tell" in told["rule"]


def test_without_prices_there_is_no_revenue_of_an_order_a_brand_or_a_range(tmp_path: Path) -> None:
    items = [{"brand_id": "7", "name": "Pho", "qty": 2}]
    timeline_of(tmp_path, *(rows_of(f"o{n}", WHOLE, items=items) for n in range(3)))
    hub = Hub(FileSource(tmp_path / "events.jsonl"))
    timeline = hub.timeline("sf")
    assert answers.time_range(hub, "sf", parameters.BucketedRange()).metrics.total_revenue is None
    assert [brand.revenue for brand in answers.brands(hub, "sf", parameters.Range()).brands] == [None]
    order = answers.order(hub, "o1", parameters.OneOrder())
    assert (order.revenue, [item.price for item in order.items]) == (None, [None])
    assert np.isnan(tables.orders(timeline, np.arange(3))["revenue"]).all()


def test_what_a_display_of_the_kitchen_does_not_tell_is_not_said(tmp_path: Path) -> None:
    """It has when meals are ready, and never when they go: 20 of them are no meals that got cold, nor a trouble."""
    known = {name: at for name, at in WHOLE.items() if name in ("created", "started", "finished", "ready")}
    orders = [rows_of(f"o{n}", {name: at + 5 * n for name, at in known.items()}) for n in range(20)]
    timeline_of(tmp_path, *orders)
    hub = Hub(FileSource(tmp_path / "events.jsonl"))
    status = answers.kitchen_status(hub, "sf", parameters.AtTime(at_time="2025-10-16T13:45:00Z"))
    assert (status.orders_by_stage.ready, status.cold_meals, status.state, status.completion_rate_pct) == (
        19,
        None,
        "calm",
        None,
    )


ODD_ITEMS = {
    '[{"brand_id":1,"price":"1e2","qty":"2"}]': (200, {"brand 1"}),
    '[1,"tea",null,[2],{"brand_id":1,"price":2}]': (2, {"brand 1"}),
    '{"brand_id":1,"price":3}': (0, set()),
    '"[{\\"brand_id\\":1,\\"price\\":5,\\"qty\\":2}]"': (10, {"brand 1"}),
    '"[{\\"brand_id\\":1,\\"price\\":"': (0, set()),
    '"tea"': (0, set()),
    '[{"brand_id":1,"price":1,"price":2,"qty":3}]': (3, {"brand 1"}),
    '[{"brand_id":"","price":5},{"brand_id":null,"price":6}]': (11, set()),
    '[{"brand_id":1,"price":"5 EUR","qty":"many"}]': (0, {"brand 1"}),
    '[{"brand_id":1,"price":true,"qty":2},{"brand_id":1,"price":7, "qty" : false}]': (7, {"brand 1"}),
    '[{"brand_id":1,"name":"a \\"price\\": true story","price":4}]': (4, {"brand 1"}),
}
"""Items as some systems write them: numbers as text, JSON in a text, other things among them; their revenue and brands."""


def test_odd_items_are_the_same_on_the_page_and_in_the_figures_of_a_range(tmp_path: Path) -> None:
    bodies = [f'{{"items":{items}}}' for items in ODD_ITEMS]
    rows = [
        {
            "event_type": "order_created",
            "ts": f"2025-10-13 12:{at:02}:00",
            "location": "sf",
            "order_id": f"o{at:02}",
            "body": body,
        }
        for at, body in enumerate(bodies)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    source = FileSource(tmp_path / "events.jsonl")
    place = source.locations()[0]
    orders = Timeline.load(source, "sf", place.start, place.end + 1).orders
    for at, (revenue, brands) in enumerate(ODD_ITEMS.values()):
        minute = {"location": "sf", "from_ts": place.start + 60 * at, "to_ts": place.start + 60 * at + 1}
        items = slice(orders.item_offsets[at], orders.item_offsets[at + 1])
        assert float(orders.revenue[at]) == revenue
        assert set(orders.item_brands[items].drop_null().to_pylist()) == brands
        assert (source.query("totals", **minute)["revenue"][0].as_py() or 0) == revenue
        assert {f"brand {one}" for one in source.query("brands", **minute)["brand_id"].to_pylist()} == brands
