"""The KPI cards show the figures of the moment, None where there are none, and speak only when something shown changes."""

import json
from types import SimpleNamespace

import numpy as np

from tests.fake_timeline import DAY0, HOUR, FakeController, FakeTimeline
from twin.views.kpis.kpis import KpiView

MINUTE = 60.0


def view_of(timeline, t, **params):
    view = KpiView(FakeController(timeline), **params)
    view.show(timeline.at(t))
    return view


def state_of(view):
    return json.loads(view.__panel__().state)


def cards_of(timeline, t, **params):
    return state_of(view_of(timeline, t, **params))


def learned(view, **usual):
    """Tell the view what is usual: orders_per_hour, delivery_time, completion_before."""
    baseline = SimpleNamespace(
        orders_per_hour=lambda t: usual.get("orders_per_hour"),
        delivery_time=lambda t: usual.get("delivery_time"),
        completion_before=lambda t: usual.get("completion_before", (None, 0)),
        basis=lambda t: "Thursdays at 0 h",
    )
    controller = view._controller
    controller.learn(SimpleNamespace(timeline=controller.timeline, baseline=baseline, moments=()))
    view.learn()


def test_the_cards_show_the_kpis_of_the_moment():
    rows = [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 35 + k)} for k in range(11)]
    rows += [{"created": DAY0 + 50 * MINUTE, "picked_up": DAY0 + 59 * MINUTE}, {"created": DAY0 + 55 * MINUTE}]

    state = cards_of(FakeTimeline(rows), DAY0 + HOUR)

    # deliveries of 35, 36 … 45 minutes, all in the first hour; the order created at DAY0 itself is 60 minutes old: outside
    delivery = state["delivery"]
    assert [delivery[name] / MINUTE for name in ("mean", "p75", "p95")] == [40, 42.5, 44.5]
    assert (delivery["target"], delivery["count"], delivery["over"]) == (1800, 11, 11)
    assert delivery["bins"] == [0] * 7 + [5, 5, 1, 0, 0, 0]
    assert (state["orders"]["now"], state["orders"]["before"]) == (12, 1)
    active = [state["active"][key] for key in ("created", "cooking", "ready", "out_for_delivery")]
    assert active == [1, None, None, 1], "no order was ever seen cooking or ready: unknown, not none"
    assert (state["completion"]["share"], state["completion"]["due"], state["completion"]["not_due"]) == (None, 0, 13)


def test_the_level_and_the_trend_are_of_the_late_share():
    """Ten in time, then ten late ones: a quarter, a half; worse, until nothing changes any more."""
    rows = [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 20)} for k in range(10)]
    rows += [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 40)} for k in range(10)]
    timeline = FakeTimeline(rows)

    told = [cards_of(timeline, DAY0 + MINUTE * at)["delivery"] for at in (39, 44, 49, 69)]

    assert [(one["over"], one["count"], one["level"]) for one in told] == [
        (0, 10, 0),
        (5, 15, 1),
        (10, 20, 2),
        (10, 20, 2),
    ]
    assert [one["trend"] for one in told] == ["", "worse", "worse", "steady"]


def test_the_completion_rate_is_the_delivered_share_of_the_orders_due():
    rows = [{"created": DAY0, "delivered": DAY0 + 60}] * 2 + [{"created": DAY0}, {"created": DAY0 + HOUR}]

    completion = cards_of(FakeTimeline(rows), DAY0 + 2 * HOUR)["completion"]

    assert (completion["share"], completion["due"], completion["not_due"]) == (2 / 3, 3, 1)


def test_the_orders_due_are_told_by_how_they_ended():
    created = {"created": DAY0}
    rows = [
        created | {"delivered": DAY0 + 60},
        created | {"cancelled": DAY0 + 60},
        created | {"cancelled": DAY0 + 60, "delivered": DAY0 + 600},  # delivered after all
        created | {"cancelled": DAY0 + 5 * HOUR},  # not yet
        created,
    ]

    completion = cards_of(FakeTimeline(rows), DAY0 + 2 * HOUR)["completion"]

    assert (completion["due"], completion["delivered"], completion["cancelled"]) == (5, 2, 1)


def test_while_it_plays_a_share_just_below_all_is_not_rounded_up_to_all():
    rows = [{"created": DAY0, "delivered": DAY0 + 60} for _ in range(2999)] + [{"created": DAY0}]
    timeline = FakeTimeline(rows)
    view = KpiView(FakeController(timeline))
    view._controller.load(SimpleNamespace(window=SimpleNamespace(start=DAY0, end=DAY0 + 9000), orders=timeline.orders))
    view._controller.play()

    view.show(timeline.at(DAY0 + 2 * HOUR))

    assert json.loads(view.__panel__().state)["completion"]["share"] == 0.999


def test_what_is_left_out_is_counted_by_its_reason():
    rows = [{"created": DAY0 - 6 * HOUR, "delivered": DAY0 + 60}, {"picked_up": DAY0, "delivered": DAY0 + 90}]

    state = cards_of(FakeTimeline(rows), DAY0 + 0.5 * HOUR)

    assert (state["delivery"]["mean"], state["delivery"]["long"], state["delivery"]["undated"]) == (None, 1, 1)
    assert state["orders"]["undated"] == 1


def test_data_without_creations_shows_none_instead_of_zero():
    state = cards_of(FakeTimeline([{"picked_up": DAY0, "delivered": DAY0 + 600}]), DAY0 + HOUR)

    assert (state["orders"]["now"], state["orders"]["before"], state["delivery"]["mean"]) == (None, None, None)
    assert (state["delivery"]["dated"], state["completion"]["dated"]) == (False, False)
    assert (state["revenue"]["hour"], state["revenue"]["today"]) == (None, None)


def test_revenue_is_of_the_last_hour_and_of_the_day():
    timeline = FakeTimeline([{"created": DAY0 + HOUR * k} for k in range(4)])
    timeline.set_orders(revenue=np.array([10.0, 20.5, 30.0, 0.0], np.float32))

    revenue = cards_of(timeline, DAY0 + 3 * HOUR)["revenue"]

    # (02:00, 03:00] holds only the order without a price; the day holds all four
    assert revenue == {"hour": 0.0, "unpriced": 1, "today": 60.5, "unpriced_today": 1}


def test_what_is_usual_stands_beside_once_it_is_known():
    timeline = FakeTimeline([{"created": DAY0, "delivered": DAY0 + 1800}])
    view = view_of(timeline, DAY0 + 1800)
    assert (state_of(view)["orders"]["usual"], state_of(view)["completion"]["before"]) == (None, None)

    learned(view, orders_per_hour=52.0, delivery_time=1600.0, completion_before=(0.98, 640))
    view.show(timeline.at(DAY0 + 1800))

    state = state_of(view)
    assert (state["orders"]["usual"], state["orders"]["words"]) == (52.0, "Thursdays at 0 h")
    assert state["delivery"]["usual"] == 1600.0
    assert (state["completion"]["before"], state["completion"]["before_due"]) == (0.98, 640)
    assert json.loads(view.__panel__().series)["usual"] == [52.0] * 37


def test_the_targets_are_settings():
    state = cards_of(FakeTimeline([]), DAY0, target=25 * MINUTE, completion_target=0.99)

    assert (state["delivery"]["target"], state["completion"]["goal"]) == (25 * MINUTE, 0.99)


def test_the_line_shows_the_six_hours_to_the_last_full_ten_minutes():
    timeline = FakeTimeline([{"created": DAY0, "delivered": DAY0 + 30 * MINUTE}])

    values = json.loads(view_of(timeline, DAY0 + 3 * HOUR + 599).__panel__().series)["orders"]

    # marks from 21:00 the day before to 03:00; created at 00:00: in the trailing hour of 00:00 … 00:50
    assert values == [0] * 18 + [1] * 6 + [0] * 13


def test_nothing_is_sent_while_nothing_shown_changes():
    timeline = FakeTimeline([{"created": DAY0}, {"created": DAY0 + 900}])
    view = view_of(timeline, DAY0 + 60)
    sent = []
    view.__panel__().param.watch(lambda *events: sent.extend(event.name for event in events), ["state", "series"])

    view.show(timeline.at(DAY0 + 61))
    assert sent == []

    view.show(timeline.at(DAY0 + 901))
    assert sorted(sent) == ["series", "state"]


def test_while_it_plays_averages_are_sent_in_whole_minutes():
    rows = [{"created": DAY0, "delivered": DAY0 + 1000 + 7 * k} for k in range(3)]
    timeline = FakeTimeline(rows)
    view = view_of(timeline, DAY0 + 1800)
    assert state_of(view)["delivery"]["mean"] == 1007

    view._controller.load(SimpleNamespace(window=SimpleNamespace(start=DAY0, end=DAY0 + 9000), orders=timeline.orders))
    view._controller.play()
    view.show(timeline.at(DAY0 + 1800))

    assert state_of(view)["delivery"]["mean"] == 17 * MINUTE


def test_reset_takes_the_new_timeline():
    controller = FakeController(FakeTimeline([]))
    view = KpiView(controller)
    controller.take(FakeTimeline([{"created": DAY0}]))

    view.reset()
    view.show(controller.timeline.at(DAY0))

    assert state_of(view)["orders"]["now"] == 1
