"""Every place that says which orders are in a state at a moment says the same: the raw rows' answer."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import brute
from tests.raw_orders import DAY, MINUTE, NOON, WHOLE, rows_of
from twin.foundation.stages import CANCELLED, COMPLETED, OUT_FOR_DELIVERY, STATES
from twin.notebook import saved, tables
from twin.render.densestore import DenseStore
from twin.replay.controller import ReplayController
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline
from twin.views.feed.feed import FeedView
from twin.views.map import answers, messages, wire
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.stage_orders import StageOrders

HOUR = 3600.0
OPEN = STATES[:COMPLETED]
EVERYTHING = "types=created,kitchen,ready,driver,delivered,problem,ping"

Ids = set[str]


def load(folder: Path, rows: list[dict[str, Any]], days: int = 2) -> Timeline:
    """A timeline of `days` days over raw rows."""
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Timeline.load(FileSource(path), "sf", DAY, DAY + days * 86_400)


def pinned(timeline: Timeline, state: str, start: float, end: float, t: float) -> list[int]:
    """The orders pinned at t on a map that asked for the pins of [start, end]; one that is pinned twice is in it twice."""
    message = answers.stage_message(timeline, state, start, end)
    pins = wire.unpack(message)
    return pins["order"][(pins["begin"] <= t) & (t < pins["until"])].tolist()


def driving(timeline: Timeline, t: float) -> list[int]:
    """The orders whose drivers a map shows at t, as motion.js reads the message."""
    trips = timeline.motion(t - 600, t + 600)
    message = messages.window_message(trips, timeline.orders, 60.0)
    columns = wire.unpack(message)
    stalled = set(columns["stall_trip"][(columns["stall_from"] <= t) & (t < columns["stall_to"])].tolist())
    on = np.flatnonzero((trips.start <= t) & (t < trips.end))
    return trips.order[[trip for trip in on.tolist() if trip not in stalled]].tolist()


class Callers:
    """Everything that says which orders are in a state, over one timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.controller = ReplayController(timeline)
        self.tab = OrderListView(self.controller)
        self.list = StageOrders(timeline)
        self.feed = FeedView(self.controller)
        self.table = tables.stages(timeline)
        self.placed = set(self.ids(timeline.trips.order.tolist()))
        """Orders whose driver's way is known, at least a place of it."""
        self.recorded = saved.spells(timeline, np.arange(len(timeline.orders)))

    def ids(self, rows: Iterable[int]) -> list[str]:
        return sorted(str(self.timeline.orders.ids[row].as_py()) for row in rows)

    def at(self, state: str, t: float) -> dict[str, list[str]]:
        """The orders in a state at t, by who says so."""
        timeline = self.timeline
        snapshot = timeline.at(t)
        self.controller.seek(t)
        self.controller.selection.filter("")
        self.controller.selection.filter(state)
        by_caller = {
            "stage list": self.ids(self.list.at(state, t)[1]["row"]),
            "orders tab": self.ids(self.tab.__panel__().state["rows"]),
            "saved page": self.ids(int(row) for row, begin, until, *_ in self.recorded[state] if begin <= t < until),
        }
        if state != STATES[OUT_FOR_DELIVERY]:  # of those the map shows the drivers, see `drivers`
            by_caller["map"] = self.ids(pinned(timeline, state, t, t, t))
            by_caller["map that asked before"] = self.ids(pinned(timeline, state, t - 600, t + 600, t))
        if state in OPEN:
            by_caller["snapshot"] = self.ids(snapshot.order[snapshot.stage == STATES.index(state)].tolist())
        if STATES.index(state) <= COMPLETED:
            by_caller["notebook's table"] = sorted(self._in_table(state, t))
        return by_caller

    def drivers(self, t: float) -> dict[str, list[str]]:
        """The orders whose drivers are shown on the road at t, by who shows them."""
        timeline = self.timeline
        everyone = DenseStore().fleet(timeline, t)
        return {
            "map": self.ids(driving(timeline, t)),
            "map of a crowd": self.ids(timeline.trips.order[everyone.trip].tolist()),
            "snapshot": self.ids(timeline.at(t).drivers.order.tolist()),
        }

    def numbers(self, state: str, t: float) -> dict[str, int]:
        """How many orders are in a state at t, by who says so."""
        self.at(state, t)
        return {
            "pipeline": self.timeline.at(t).counts[state],
            "counts": self.timeline.counts(t)[state],
            "stage list": self.list.at(state, t)[0],
            "orders tab": self.tab.__panel__().state["counts"][state],
        }

    def in_feed(self, state: str, t: float) -> list[str]:
        """The orders whose events the feed lists while a state is picked out."""
        page = self.feed._page(self.timeline, {"t": t, "query": EVERYTHING, "stage": state})
        return self.ids(set(json.loads(page["rows"])["order"]))

    def _in_table(self, state: str, t: float) -> list[str]:
        table, now = self.table, pd.Timestamp(t, unit="s").as_unit("us")
        inside = table[(table["stage"] == state) & (table["entered"] <= now) & ~(table["left"] <= now)]
        if state == STATES[COMPLETED]:
            inside = inside[inside["entered"] >= now.normalize()]
        return inside["order"].tolist()


def check(timeline: Timeline, orders: brute.Lifecycles, moments: Iterable[float]) -> None:
    """Hold every caller to the raw rows' answer at some moments."""
    callers = Callers(timeline)
    for t in moments:
        truth = brute.members(orders, t)
        for state in STATES:
            expected = sorted(truth[state])
            for who, ids in callers.at(state, t).items():
                assert ids == expected, (who, state, t - DAY)
            if state == STATES[OUT_FOR_DELIVERY]:
                on_road = [order for order in expected if order in callers.placed]
                for who, ids in callers.drivers(t).items():
                    assert ids == on_road, (who, t - DAY)
            for who, number in callers.numbers(state, t).items():
                assert number == len(expected), (who, state, t - DAY)
            assert callers.in_feed(state, t) == expected, ("feed", state, t - DAY)


def test_a_stalled_order_is_pinned_once_and_under_stalled_alone(tmp_path: Path) -> None:
    timeline = load(tmp_path, rows_of("Z", {"created": 10, "started": 12}))
    stalled = NOON + (12 + 240 + 5) * MINUTE

    callers = Callers(timeline)
    assert {state: callers.at(state, stalled)["map"] for state in ("created", "cooking", "stalled")} == {
        "created": [],
        "cooking": [],
        "stalled": ["Z"],
    }
    assert set(callers.table.query("stage == 'cooking'")["left"]) == {pd.Timestamp(NOON + 252 * MINUTE, unit="s")}


def test_an_order_that_goes_on_after_a_stall_is_in_its_stage_again(tmp_path: Path) -> None:
    rows = rows_of("Z", {"created": 0, "started": 2, "arrived": 400, "finished": 410})
    timeline = load(tmp_path, rows)

    cooking = [(NOON + 2 * MINUTE, NOON + 242 * MINUTE), (NOON + 400 * MINUTE, NOON + 410 * MINUTE)]
    message = answers.stage_message(timeline, "cooking", DAY, DAY + 86_400)
    pins = wire.unpack(message)
    assert sorted(zip(pins["begin"], pins["until"], strict=True)) == cooking
    table = tables.stages(timeline).query("stage == 'cooking'")
    assert [(a, b) for a, b in zip(table["entered"], table["left"], strict=True)] == [
        (pd.Timestamp(a, unit="s"), pd.Timestamp(b, unit="s")) for a, b in cooking
    ]


def test_an_order_delivered_after_it_was_cancelled_is_cancelled_until_then_and_completed_from_then(
    tmp_path: Path,
) -> None:
    rows = rows_of("X", {"created": 0, "started": 2, "cancelled": 10, "delivered": 30})
    callers = Callers(load(tmp_path, rows))

    states = [
        {state for state in STATES if "X" in callers.at(state, NOON + minute * MINUTE)["stage list"]}
        for minute in (9, 10, 29, 30, 40)
    ]
    on_map = [
        {state for state in STATES if "X" in callers.at(state, NOON + minute * MINUTE).get("map", [])}
        for minute in (9, 10, 29, 30, 40)
    ]
    assert states == on_map == [{"cooking"}, {"cancelled"}, {"cancelled"}, {"completed"}, {"completed"}]


def test_a_driver_is_on_no_road_while_the_order_has_stalled(tmp_path: Path) -> None:
    life = {"created": 0, "started": 2, "finished": 10, "picked_up": 20, "delivered": 400}
    callers = Callers(load(tmp_path, rows_of("S", life, pings={25.0: 30.0, 390.0: 80.0})))

    for minute, expected in ((264, ["S"]), (265, []), (389, []), (390, ["S"])):
        by_caller = callers.drivers(NOON + minute * MINUTE)
        assert {who: ids for who, ids in by_caller.items() if ids != expected} == {}, minute


@pytest.mark.parametrize("hours_later", [0.25, 0.75, 2, 11])
def test_a_click_on_completed_shows_one_set_of_orders_until_midnight(tmp_path: Path, hours_later: float) -> None:
    callers = Callers(load(tmp_path, rows_of("A", WHOLE)))
    t = NOON + WHOLE["delivered"] * MINUTE + hours_later * HOUR

    assert {who: ids for who, ids in callers.at("completed", t).items() if ids != ["A"]} == {}
    assert {who: n for who, n in callers.numbers("completed", t).items() if n != 1} == {}


@pytest.mark.parametrize(
    ("state", "minutes"),
    [("completed", WHOLE), ("cancelled", {"created": 0, "cancelled": 5}), ("stalled", {"created": -10})],
)
def test_a_closed_order_leaves_every_list_at_midnight(tmp_path: Path, state: str, minutes: dict[str, float]) -> None:
    callers = Callers(load(tmp_path, rows_of("A", minutes)))
    midnight = DAY + 86_400

    for t, expected in ((midnight - 1, ["A"]), (midnight, []), (midnight + HOUR, [])):
        assert {who: ids for who, ids in callers.at(state, t).items() if ids != expected} == {}


@st.composite
def lives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Orders that stall and go on, stall for good, are cancelled early or late, and are delivered after that."""
    steps = st.sampled_from([0, 0, 1, 30, 30, 200, 241, 300, 700])
    kinds = st.lists(
        st.sampled_from(["created", "started", "finished", "arrived", "picked_up", "cancelled", "delivered"]),
        unique=True,
        max_size=6,
    )
    rows = []
    for number in range(draw(st.integers(1, 6))):
        at = draw(st.sampled_from([-700, -300, 0, 300, 650]))
        minutes: dict[str, float] = {}
        if draw(st.booleans()):
            minutes["created"] = at
        for kind in draw(kinds):
            minutes.setdefault(kind, at := at + draw(steps))
        pings = {at + 30.0: 50.0, at + 400.0: 70.0} if draw(st.integers(0, 4)) == 0 else {}
        rows += rows_of(f"order{number}", minutes or {"created": at}, pings=pings)
    return rows


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("TWIN_EXAMPLES", "20")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=lives(), data=st.data())
def test_all_callers_agree_with_the_raw_rows(tmp_path: Path, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    used, _ = brute.judge(rows)
    orders = brute.lifecycles(used, "sf")
    turns = {ts + later for events in orders.values() for ts, _ in events for later in (0.0, brute.FOUR_HOURS)}
    turns |= {DAY, DAY + 86_400.0}
    inside = sorted(t for t in turns if DAY <= t < DAY + 2 * 86_400)
    moments = data.draw(st.lists(st.sampled_from(inside), min_size=1, max_size=5, unique=True))
    moments += data.draw(st.lists(st.floats(DAY, DAY + 2 * 86_400 - 1), max_size=3))
    check(load(tmp_path, rows), orders, moments)


def test_cancelled_is_newest_first_in_the_stage_list(tmp_path: Path) -> None:
    orders = [rows_of(name, {"created": at, "cancelled": at + 5}) for name, at in {"A": 0, "B": 40, "C": 20}.items()]
    timeline = load(tmp_path, [row for rows in orders for row in rows])

    total, rows = StageOrders(timeline).at(STATES[CANCELLED], NOON + 90 * MINUTE)

    assert total == 3
    assert rows["id"] == ["B", "C", "A"]
