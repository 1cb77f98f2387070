"""The pipeline strip shows the stages of the moment, lists their orders, and speaks only when something shown changes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from tests.fake_timeline import DAY0, FakeController, FakeItem, FakeTimeline, send_message
from twin.analysis.limits import AMBER, FINE, RED, service_level
from twin.foundation.settings import Settings
from twin.replay.controller import ReplayController
from twin.views.pipeline.pipeline import PipelineView
from twin.views.shared.rows import rows_of as rows_of_columns

MINUTE = 60.0


def view_of(timeline, t, **params):
    view = PipelineView(FakeController(timeline), **params)
    view.show(timeline.at(t))
    return view


def state_of(view):
    return json.loads(view.__panel__().state)


def strip_of(timeline, t, **params):
    return state_of(view_of(timeline, t, **params))


def waiting(n: int, since: float) -> list[dict[str, float]]:
    return [{"created": since - 900, "finished": since} for _ in range(n)]


def baseline(**stage_times):
    """What is usual, seconds per stage."""
    return SimpleNamespace(stage_time=lambda key, t: stage_times.get(key), basis=lambda t: "Thursdays at 0 h")


def learned(view, **stage_times):
    controller = view._controller
    controller.learn(SimpleNamespace(timeline=controller.timeline, baseline=baseline(**stage_times), moments=()))
    view.learn()


def test_every_stage_shows_its_orders_and_the_times_in_it():
    rows = [
        {"created": DAY0, "started": DAY0 + 2 * MINUTE, "finished": DAY0 + 12 * MINUTE},
        {"created": DAY0, "started": DAY0 + 4 * MINUTE},
        {"created": DAY0 + 10 * MINUTE},
    ]
    state = strip_of(FakeTimeline(rows), DAY0 + 15 * MINUTE)

    counts = [state[key]["count"] for key in ("created", "cooking", "ready", "out_for_delivery", "completed")]
    assert counts == [1, 1, 1, 0, 0]
    created, cooking = state["created"], state["cooking"]
    assert (created["service"], created["oldest"], created["flow"]) == (3 * MINUTE, 5 * MINUTE, 2 + 1)
    assert (cooking["service"], cooking["age"], cooking["served"]) == (10 * MINUTE, 11 * MINUTE, 1)


def test_what_was_closed_today_adds_up():
    rows = [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 30)} for k in range(9)]
    rows += [{"created": DAY0, "cancelled": DAY0 + 60}, {"created": DAY0}]

    completed = strip_of(FakeTimeline(rows), DAY0 + 5 * 3600)["completed"]

    assert (completed["count"], completed["cancelled"], completed["stalled"]) == (9, 1, 1)


def test_cancelled_orders_stand_beside():
    quiet = [{"created": DAY0}]
    troubled = [*quiet, {"created": DAY0, "cancelled": DAY0 + 60}]

    assert strip_of(FakeTimeline(quiet), DAY0 + 120)["completed"]["cancelled"] == 0
    assert strip_of(FakeTimeline(troubled), DAY0 + 120)["completed"]["cancelled"] == 1


def test_a_stage_without_any_order_in_the_data_is_told_apart_from_an_empty_one():
    state = strip_of(FakeTimeline([{"picked_up": DAY0, "delivered": DAY0 + 600}]), DAY0 + 700)

    assert [state[key]["told"] for key in ("created", "cooking", "ready", "out_for_delivery")] == [False] * 3 + [True]
    assert state["out_for_delivery"]["count"] == 0


def test_the_oldest_order_passes_amber_then_red():
    timeline = FakeTimeline(waiting(5, DAY0), delivered_before=True)

    levels = [strip_of(timeline, DAY0 + minutes * MINUTE)["ready"]["levels"] for minutes in (11, 14, 16)]

    assert levels == [[FINE, FINE, FINE], [FINE, AMBER, AMBER], [FINE, RED, RED]]


def test_one_forgotten_order_marks_itself_and_not_the_stage():
    timeline = FakeTimeline([*waiting(1, DAY0), *waiting(8, DAY0 + 110 * MINUTE)], delivered_before=True)

    assert strip_of(timeline, DAY0 + 112 * MINUTE)["ready"]["levels"] == [FINE, FINE, RED]
    assert strip_of(timeline, DAY0 + 111 * MINUTE)["ready"]["levels"] == [FINE, FINE, RED]


def test_the_limits_are_settings():
    timeline = FakeTimeline(waiting(5, DAY0), delivered_before=True)
    view = view_of(timeline, DAY0 + 5 * MINUTE, amber={"ready": 3 * MINUTE}, red={"ready": 4 * MINUTE})

    assert state_of(view)["ready"]["levels"][1] == RED
    assert view.__panel__().limits["ready"] == [3 * MINUTE, 4 * MINUTE]
    assert view.__panel__().limits["cooking"] == [None, None]


def test_when_a_meal_is_cold_is_a_setting():
    controller = ReplayController(settings=Settings(cold_after_s=8 * MINUTE))
    assert PipelineView(controller).__panel__().cold == 8 * MINUTE


def test_nothing_is_cold_or_stalled_where_the_data_never_tells_when_meals_go():
    told, untold = (FakeTimeline(waiting(5, DAY0), delivered_before=before) for before in (True, False))

    assert view_of(told, DAY0 + MINUTE).__panel__().cold == Settings().cold_after_s
    assert view_of(untold, DAY0 + MINUTE).__panel__().cold is None
    assert [strip_of(one, DAY0 + 5 * 3600)["completed"]["delivers"] for one in (told, untold)] == [True, False]


def test_an_average_well_over_the_usual_marks_the_stage():
    rows = [{"created": DAY0, "started": DAY0 + MINUTE, "finished": DAY0 + 10 * MINUTE} for _ in range(3)]
    timeline = FakeTimeline(rows)
    view = view_of(timeline, DAY0 + 11 * MINUTE)
    assert (state_of(view)["cooking"]["usual"], state_of(view)["cooking"]["levels"][0]) == (None, FINE)

    learned(view, cooking=5 * MINUTE)
    view.show(timeline.at(DAY0 + 11 * MINUTE))

    assert (state_of(view)["cooking"]["usual"], state_of(view)["cooking"]["levels"][0]) == (5 * MINUTE, RED)
    assert view.__panel__().usual_words == "Thursdays at 0 h"


@pytest.mark.parametrize(
    ("service", "usual", "served", "over"),
    [
        (600, 400, 3, True),
        (599, 400, 3, False),
        (600, 400, 2, False),
        (80, 40, 9, False),
        (100, 40, 9, True),
        (None, 400, 0, False),
        (600, None, 9, False),
    ],
)
def test_well_over_is_half_more_a_minute_more_and_three_orders(service, usual, served, over):
    assert bool(service_level(service, usual, served, None, None) == RED) is over


def test_the_same_moment_again_sends_nothing():
    timeline = FakeTimeline(waiting(3, DAY0))
    view = view_of(timeline, DAY0 + 60)
    sent = []
    names = ["state", "usual_words", "here"]
    view.__panel__().param.watch(lambda *events: sent.extend(event.name for event in events), names)

    view.show(timeline.at(DAY0 + 60))
    assert sent == []

    view.show(timeline.at(DAY0 + 180))
    assert sent == ["state"]


def test_while_it_plays_only_what_looks_different_is_sent():
    timeline = FakeTimeline(waiting(3, DAY0))
    view = PipelineView(FakeController(timeline))
    view._controller.load(SimpleNamespace(window=SimpleNamespace(start=DAY0, end=DAY0 + 9000), orders=timeline.orders))
    view._controller.play()
    view.show(timeline.at(DAY0 + 61))
    sent = []
    view.__panel__().param.watch(lambda event: sent.append(event.name), "state")

    view.show(timeline.at(DAY0 + 80))
    assert sent == []

    view.show(timeline.at(DAY0 + 180))
    assert sent == ["state"]


class Rows:
    """As much of a timeline's orders as a selection asks for."""

    def __init__(self, ids) -> None:
        self.ids, self.row_of = ids, {order.as_py(): row for row, order in enumerate(ids)}

    def __len__(self) -> int:
        return len(self.ids)


def test_the_stage_of_the_selected_order_is_marked_also_while_paused():
    timeline = FakeTimeline([{"created": DAY0}, *waiting(1, DAY0), {"created": DAY0, "delivered": DAY0 + 30}])
    view = view_of(timeline, DAY0 + 60)
    controller, strip = view._controller, view.__panel__()
    controller.selection.attach(SimpleNamespace(orders=Rows(timeline.orders.ids)))

    marked = []
    for row in (0, 1, 2, None):
        controller.selection.select(row)
        marked.append(strip.here)

    assert marked == ["created", "ready", "completed", ""]


def answers_to(view, monkeypatch, **message):
    """What the browser is told when it asks."""
    answers, strip = [], view.__panel__()
    monkeypatch.setattr(strip, "_send_msg", answers.append)
    send_message(strip, {"ask": "stage", "loads": strip.loads, **message})
    return answers


def test_the_orders_of_a_stage_are_listed_oldest_first(monkeypatch):
    rows = [*waiting(1, DAY0 + 60), *waiting(1, DAY0), {"created": DAY0}]
    baskets = [[FakeItem("a", "Pho Real"), FakeItem("b", "<b>"), FakeItem("c", "Pho Real"), FakeItem("d", "x")], [], []]
    timeline = FakeTimeline(rows, ids=["A", "B", "C"], baskets=baskets)
    view = view_of(timeline, DAY0 + 120)

    (answers,) = answers_to(view, monkeypatch, stage="ready", t=DAY0 + 120)

    assert answers["total"] == 2
    assert rows_of_columns(answers["rows"]) == [
        {"row": 1, "id": "B", "since": DAY0, "total": None, "basket": ""},
        {"row": 0, "id": "A", "since": DAY0 + 60, "total": None, "basket": "Pho Real, <b> +1"},
    ]


def test_completed_orders_are_listed_newest_first_with_their_time(monkeypatch):
    rows = [{"created": DAY0 + k, "delivered": DAY0 + 600 + 2 * k} for k in range(300)]
    view = view_of(FakeTimeline(rows), DAY0 + 3600)

    (answers,) = answers_to(view, monkeypatch, stage="completed", t=DAY0 + 3600)

    rows = rows_of_columns(answers["rows"])
    assert (answers["total"], len(rows)) == (300, 200)
    assert [row["row"] for row in rows] == list(range(299, 99, -1))
    assert (rows[0]["since"], rows[0]["total"]) == (DAY0 + 600 + 598, 600 + 299)


@pytest.mark.parametrize(
    "message",
    [{"stage": "baking", "t": DAY0}, {"stage": "ready", "t": np.nan}, {"stage": "ready"}, {"stage": 3, "t": 0}],
)
def test_a_question_that_makes_no_sense_is_left_unanswered(message, monkeypatch):
    assert answers_to(view_of(FakeTimeline([{"created": DAY0}]), DAY0), monkeypatch, **message) == []


def test_a_question_about_an_earlier_timeline_is_left_unanswered(monkeypatch):
    view = view_of(FakeTimeline([{"created": DAY0}]), DAY0)
    loads = view.__panel__().loads
    view.reset()

    assert answers_to(view, monkeypatch, stage="created", t=DAY0, loads=loads) == []


def test_reset_takes_the_new_timeline():
    controller = FakeController(FakeTimeline(waiting(3, DAY0)))
    view = PipelineView(controller)
    controller.take(FakeTimeline(waiting(7, DAY0)))

    view.reset()
    view.show(controller.timeline.at(DAY0 + 60))

    assert state_of(view)["ready"]["count"] == 7


@pytest.mark.parametrize("t", [DAY0 - 1e6, DAY0, DAY0 + 1e6])
def test_no_timeline_and_no_orders_show_no_figures(t):
    view = PipelineView(FakeController(None))
    view.show(FakeTimeline([]).at(t))
    assert state_of(view) == {}

    assert strip_of(FakeTimeline([]), t)["created"]["service"] is None
