"""The order panel tells one order once; everything in it agrees with the raw rows, and says from when it was known."""

import json
from types import SimpleNamespace

import pytest

from tests.fake_timeline import FakeTimeline, send_message
from tests.raw_orders import EVIL, MINUTE, NOON, WHOLE, rows_of, timeline_of
from twin.analysis.baseline import Baseline, History
from twin.analysis.insights import Insights
from twin.analysis.lifecycle import lifecycle
from twin.replay.controller import ReplayController
from twin.views.order import order
from twin.views.order.order import OrderView


def panel_of(timeline, order="A1", **params):
    """(view, panel, controller) with an order selected."""
    controller = ReplayController(timeline)
    view = OrderView(controller, **params)
    controller.selection.select(order)
    return view, view.__panel__(), controller


def story_of(folder, minutes=WHOLE, **how):
    return panel_of(timeline_of(folder, rows_of("A1", minutes, **how), rows_of("B2", WHOLE)))[1].story


def facts(story):
    """Label → (value, note, minutes after noon from which it is known, tone)."""
    return {
        fact["label"]: (
            fact["value"],
            fact["note"],
            None if fact["at"] is None else (fact["at"] - NOON) / MINUTE,
            fact["tone"],
        )
        for fact in story["facts"]
    }


def test_no_order_no_panel(tmp_path):
    view = OrderView(ReplayController(timeline_of(tmp_path, rows_of("A1", WHOLE))))
    assert (view.__panel__().story, view.visible_order) == ({}, False)


def test_before_a_timeline_is_loaded_the_view_says_nothing():
    view = OrderView(ReplayController())
    assert (view.__panel__().story, view.visible_order) == ({}, False)


def test_the_facts_of_a_late_order(tmp_path):
    assert facts(story_of(tmp_path)) == {
        "Delivery time": ("43 min", "13 min over target 30 min", 43, "bad"),
        "Promised": ("10 min", "from pick-up", 32, ""),
        "Drive": ("11 min", "1 min longer than promised", 43, "bad"),
        "Driver came": ("16 min after", "the food was ready", 30, "bad"),
        "Distance": ("2.1 km", "along the route", 32, ""),
        "Address": ("1 Main Street", "", None, ""),
    }


def test_the_facts_of_an_order_in_time_whose_driver_waited(tmp_path):
    result = facts(story_of(tmp_path, WHOLE | {"arrived": 9, "picked_up": 15, "delivered": 25}))

    assert result["Delivery time"] == ("25 min", "within target 30 min", 25, "good")
    assert result["Drive"] == ("10 min", "as promised", 25, "good")
    assert result["Driver came"] == ("5 min before", "the food was ready", 14, "")


def test_the_target_is_a_setting(tmp_path):
    _, panel, _ = panel_of(timeline_of(tmp_path, rows_of("A1", WHOLE)), target=40 * MINUTE)
    assert facts(panel.story)["Delivery time"][1] == "3 min over target 40 min"


def test_a_cancelled_order_says_so_and_when(tmp_path):
    story = story_of(tmp_path, {"created": 0, "started": 2, "cancelled": 8})

    assert facts(story)["Delivery"] == ("cancelled", "8 min after it was made", 8, "bad")
    assert (story["cancelled"], story["delivered"]) == (NOON + 8 * MINUTE, None)


def test_what_the_data_lacks_is_said_to_be_lacking(tmp_path):
    no_creation = facts(story_of(tmp_path, {"started": 2, "picked_up": 32, "delivered": 43}, eta=None, places=False))

    assert no_creation["Delivery time"][:2] == ("not in the data", "its creation is missing")
    assert no_creation["Promised"][0] == "not in the data"
    assert no_creation["Address"][0] == "not in the data"
    assert no_creation["Drive"][:2] == ("11 min", "")


def test_an_order_without_coordinates_has_no_distance(tmp_path):
    _, panel, _ = panel_of(timeline_of(tmp_path, rows_of("A1", WHOLE, places=False)))

    assert facts(panel.story)["Distance"][0] == "not in the data"
    assert panel.story["arrivals"] == []


def test_an_order_known_by_its_pings_alone_is_told_with_what_there_is(tmp_path):
    story = story_of(tmp_path, {}, pings={5.0: 10.0, 6.0: 20.0})

    assert [stage["key"] for stage in story["stages"]] == ["out_for_delivery"]
    assert (story["events"], story["items"], story["revenue"]) == ([], [], None)
    assert story["pings"] == [NOON + 5 * MINUTE, NOON + 6 * MINUTE]


def test_items_and_their_total_are_those_of_the_row(tmp_path):
    story = story_of(tmp_path)

    assert [item["name"] for item in story["items"]] == ["Pho", EVIL]
    assert [(item["qty"], item["price"]) for item in story["items"]] == [(2, 12.5), (1, 4.0)]
    assert story["revenue"] == 2 * 12.5 + 4.0


def test_the_events_are_told_in_order_without_their_pings(tmp_path):
    story = story_of(tmp_path, pings={33.0: 9.0, 34.0: 18.0})

    assert [(event["title"], (event["t"] - NOON) / MINUTE) for event in story["events"]] == [
        ("Order created", 0),
        ("Cooking started", 2),
        ("Cooked", 12),
        ("Ready", 14),
        ("Driver arrived late", 30),
        ("Picked up", 32),
        ("Delivered", 43),
    ]
    assert len(story["pings"]) == 2


def test_a_story_is_sent_once_and_a_tick_sends_nothing(tmp_path):
    timeline = timeline_of(tmp_path, rows_of("A1", WHOLE))
    view, panel, _ = panel_of(timeline)
    sent = []
    panel.param.watch(sent.append, ["story", "said"])

    for minute in range(0, 60, 5):
        view.show(timeline.at(NOON + minute * MINUTE))

    assert sent == []


def test_a_story_fits_into_a_message(tmp_path):
    json.dumps(story_of(tmp_path), allow_nan=False)


def test_what_is_usual_comes_with_the_insights(tmp_path):
    timeline = timeline_of(tmp_path, rows_of("A1", WHOLE))
    view, panel, controller = panel_of(timeline)
    assert [stage["usual"] for stage in panel.story["stages"]] == [[]] * 4

    hour = lambda t: (t // 3600 * 3600, t // 3600 * 3600 + 3600)  # noqa: E731
    usual = lambda key, _t: 480.0 if key == "ready" else None  # noqa: E731
    baseline = SimpleNamespace(stage_time=usual, hour=hour, history=None)
    controller.learn(Insights(timeline, baseline, ()))
    view.learn()

    assert [stage["usual"] for stage in panel.story["stages"]] == [[], [], [(NOON, 480.0)], []]


def test_the_ledger_is_what_was_known_from_each_turn_on_and_ends_with_the_delivery_time(tmp_path):
    story = story_of(tmp_path)
    whole = story["ledger"][-1]
    assert (whole["part"], whole["ended"], whole["gaps"], story["expected"]) == (None, "delivered", [], None)
    assert sum(whole["parts"].values()) == pytest.approx(story["delivered"] - story["created"])
    first = story["ledger"][0]
    assert (first["known"], first["parts"], first["part"], first["since"]) == (NOON, {}, "queue", NOON)
    assert [one["known"] for one in story["ledger"]] == sorted({one["known"] for one in story["ledger"]})


def test_what_was_to_be_expected_comes_once_it_is_known(tmp_path):
    """Sixty orders of the same hour of ten days before took 43 minutes each: a promise of 30 was doomed."""
    before = FakeTimeline(
        [
            {m: NOON + (at + 2 * k - 1440 * day) * MINUTE for m, at in WHOLE.items()}
            for day in range(1, 11)
            for k in range(6)
        ]
    )
    timeline = timeline_of(tmp_path, rows_of("A1", WHOLE))
    view, panel, controller = panel_of(timeline)
    assert "Fair promise" not in facts(panel.story)
    controller.learn(Insights(timeline, Baseline(History.from_timeline(before)), ()))
    view.learn()
    assert facts(panel.story)["Fair promise"] == (
        "43 min",
        "0 % of such orders kept 30 min: doomed when made",
        0,
        "bad",
    )
    assert panel.story["expected"] == pytest.approx(panel.story["ledger"][-1]["parts"] | {"not_recorded": 0})


def test_an_order_that_another_range_does_not_hold_is_said_to_be_outside(tmp_path):
    view, panel, controller = panel_of(timeline_of(tmp_path, rows_of("A1", WHOLE)))
    controller.load(timeline_of(tmp_path, rows_of("B2", WHOLE)))
    view.reset()

    assert panel.story == {"id": "A1", "short": "A1", "away": True}
    assert view.visible_order


def test_an_order_stays_in_the_panel_when_a_range_with_it_is_loaded(tmp_path):
    view, panel, controller = panel_of(timeline_of(tmp_path, rows_of("B2", WHOLE)), "B2")
    controller.load(timeline_of(tmp_path, rows_of("A1", WHOLE), rows_of("B2", WHOLE | {"delivered": 50})))
    view.reset()

    assert (panel.story["id"], panel.story["row"]) == ("B2", 1)
    assert facts(panel.story)["Delivery time"][0] == "50 min"


def three(folder):
    orders = [rows_of(name, {m: at + by for m, at in WHOLE.items()}) for name, by in {"C": 0, "A": 3, "B": 20}.items()]
    return timeline_of(folder, *orders)


def test_next_and_previous_go_by_creation_and_end_with_a_word(tmp_path):
    _, panel, controller = panel_of(three(tmp_path), "C")
    assert panel.story["place"] == {"number": 1, "of": 3}

    met = [controller.selection.order]
    for _ in range(3):
        send_message(panel, {"neighbour": 1})
        met.append(controller.selection.order)

    assert met == ["C", "A", "B", "B"]
    assert panel.said == [1, "No later order in the loaded range."]
    send_message(panel, {"neighbour": -1})
    assert controller.selection.order == "A"


def test_with_a_stage_next_is_the_next_in_that_stage_at_the_playhead(tmp_path):
    _, panel, controller = panel_of(three(tmp_path), "C")
    controller.seek(NOON + 30 * MINUTE)  # C and A are ready, B cooks
    controller.selection.filter("cooking")

    send_message(panel, {"neighbour": 1})

    assert controller.selection.order == "B"
    send_message(panel, {"neighbour": 1})
    assert panel.said[1] == "No later order in Cooking now."


def test_close_clears_the_order_and_leaves_the_stage(tmp_path):
    view, panel, controller = panel_of(timeline_of(tmp_path, rows_of("A1", WHOLE)))
    controller.selection.filter("ready")

    send_message(panel, {"close": True})

    assert (controller.selection.order, controller.selection.stage) == ("", "ready")
    assert (panel.story, view.visible_order) == ({}, False)


@pytest.mark.parametrize("message", [{"neighbour": 2}, {"neighbour": "1"}, {"close": 1}, "close", None, {"ask": "all"}])
def test_an_unasked_message_changes_nothing(tmp_path, message):
    _, panel, controller = panel_of(three(tmp_path), "A")

    send_message(panel, message)

    assert controller.selection.order == "A"
    assert panel.said == [0, ""]


def test_what_is_usual_is_that_of_each_hour_the_order_was_there(tmp_path):
    """Cooking from 12:50 to 13:05, packed until 13:20: the two hours of cooking have each its own usual time."""
    minutes = {"created": 40, "started": 50, "finished": 65, "picked_up": 80, "delivered": 90}
    timeline = timeline_of(tmp_path, rows_of("A1", minutes))
    baseline = SimpleNamespace(
        stage_time=lambda key, t: {"cooking": 600.0 if t < NOON + 3600 else 900.0}.get(key),
        hour=lambda t: (t // 3600 * 3600, t // 3600 * 3600 + 3600),
    )

    stages = order.story_of(timeline, lifecycle(timeline, 0), 1800.0, 300.0, baseline)["stages"]

    assert [stage["usual"] for stage in stages] == [[], [(NOON, 600.0), (NOON + 3600, 900.0)], [], []]
