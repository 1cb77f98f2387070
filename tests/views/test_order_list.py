"""The orders list: the right orders in the right order, sent seldom and once."""

import pytest

from tests.fake_timeline import send_message
from tests.raw_orders import EVIL, MINUTE, NOON, WHOLE, rows_of, timeline_of
from twin.foundation.stages import STATES
from twin.replay.controller import ReplayController
from twin.views.order_list import order_list as module
from twin.views.order_list.order_list import OrderListView
from twin.views.shared.rows import rows_of as rows_of_columns

STARTS = {"D": 0, "B": 3, "C": 25, "A": 32.5}
"""Minutes after noon; at 12:33 D is on the road, B ready, C cooks, A was just made."""
T = NOON + 33 * MINUTE


class Wall:
    def __init__(self):
        self.time = 10.0

    def __call__(self):
        return self.time


def shifted(by, **changes):
    return {m: at + by for m, at in (WHOLE | changes).items()}


def list_of(folder, *orders, **params):
    """(view, list, controller, wall) of a list that has shown nothing yet."""
    orders = orders or [rows_of(name, shifted(by)) for name, by in STARTS.items()]
    wall = Wall()
    controller = ReplayController(timeline_of(folder, *orders), wall=wall)
    controller.seek(T)
    view = OrderListView(controller, wall=wall, **params)
    return view, view.__panel__(), controller, wall


def shown(controller, component):
    """(id, state) of each row in the order shown."""
    ids, state = controller.timeline.orders.ids, component.state
    return [(ids[r].as_py(), STATES[s]) for r, s in zip(state["rows"], state["stages"], strict=True)]


def test_the_open_orders_are_listed_longest_in_their_stage_first(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)

    view.show(controller.timeline.at(T))

    assert shown(controller, listed) == [
        ("B", "ready"),
        ("C", "cooking"),
        ("D", "out_for_delivery"),
        ("A", "created"),
    ]
    assert [(s + listed.state["base"] - NOON) / MINUTE for s in listed.state["since"]] == [15, 27, 32, 32.5]


@pytest.mark.parametrize(
    ("sort", "ids"),
    [("since", "BCDA"), ("-since", "ADCB"), ("age", "DBCA"), ("-age", "ACBD"), ("stage", "ACBD"), ("-stage", "DBCA"),
     ("id", "ABCD"), ("-id", "DCBA")],
)  # fmt: skip
def test_it_is_sorted_by_what_the_user_chose(tmp_path, sort, ids):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))

    listed.sort = sort

    assert "".join(name for name, _ in shown(controller, listed)) == ids
    assert view.sort == sort


def test_the_selections_stage_is_the_filter(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))

    controller.selection.filter("cooking")
    assert shown(controller, listed) == [("C", "cooking")]
    controller.selection.filter("")
    assert len(shown(controller, listed)) == 4


def test_completed_lists_the_day_so_far(tmp_path):
    orders = [rows_of("A", shifted(-60)), rows_of("B", shifted(-11)), rows_of("C", shifted(-800))]
    view, listed, controller, _ = list_of(tmp_path, *orders)
    controller.selection.filter("completed")

    view.show(controller.timeline.at(T))  # delivered at 11:43, 12:32 and the evening before

    assert shown(controller, listed) == [("A", "completed"), ("B", "completed")]
    assert listed.state["counts"]["completed"] == 2
    a = controller.timeline.orders.row_of["A"]
    (text,) = (text for text in rows_of_columns(listed.state["texts"]) if text["row"] == a)
    assert (text["began"], text["delivered"]) == (NOON - 60 * MINUTE, NOON - 17 * MINUTE)


def test_cancelled_and_silent_orders_have_lists_of_their_own(tmp_path):
    orders = [rows_of("A", {"created": 20, "cancelled": 30}), rows_of("B", {"created": -300}), rows_of("C", WHOLE)]
    view, listed, controller, _ = list_of(tmp_path, *orders)
    view.show(controller.timeline.at(T))
    assert shown(controller, listed) == [("C", "out_for_delivery")]

    controller.selection.filter("cancelled")
    assert shown(controller, listed) == [("A", "cancelled")]
    controller.selection.filter("stalled")
    assert shown(controller, listed) == [("B", "stalled")]


def test_texts_are_sent_when_an_order_comes_onto_the_list_and_not_again(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(NOON + 10 * MINUTE))
    assert sorted(listed.state["texts"]["id"]) == ["B", "D"]

    view.show(controller.timeline.at(T))

    assert sorted(listed.state["texts"]["id"]) == ["A", "C"]


def test_a_browser_that_lacks_a_text_asks_and_gets_all(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(NOON + 10 * MINUTE))
    view.show(controller.timeline.at(T))

    send_message(listed, {"ask": "texts"})

    assert sorted(listed.state["texts"]["id"]) == ["A", "B", "C", "D"]


def test_an_order_without_creation_items_or_brand_is_listed_with_what_there_is(tmp_path):
    view, listed, controller, _ = list_of(tmp_path, rows_of("A", {"started": 20}), rows_of("B", WHOLE))

    view.show(controller.timeline.at(T))

    text = rows_of_columns(listed.state["texts"])[listed.state["texts"]["row"].index(0)]
    assert text == {
        "row": 0, "id": "A", "short": "A", "began": NOON + 20 * MINUTE, "delivered": None, "brands": "", "dated": False,
    }  # fmt: skip


def test_brands_are_plain_text_and_many_are_counted(tmp_path):
    items = [{"brand_id": str(n), "name": EVIL, "price": 1, "qty": 1} for n in (1, 2, 3, 4, 1)]
    view, listed, controller, _ = list_of(tmp_path, rows_of("A", WHOLE, items=items))

    view.show(controller.timeline.at(T))

    assert listed.state["texts"]["brands"] == ["brand 1, brand 2 and 2 more"]


def test_a_moment_without_change_sends_nothing(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))
    sent = []
    listed.param.watch(sent.append, "state")

    view.show(controller.timeline.at(T + 5))

    assert sent == []


def test_while_it_plays_at_most_one_list_a_second_is_sent(tmp_path):
    view, listed, controller, wall = list_of(tmp_path)
    controller.set_speed(600)
    controller.seek(NOON)
    controller.play()
    sent = []
    listed.param.watch(sent.append, "state")

    for _ in range(12):  # four seconds of ticks, each 200 data seconds on
        view.show(controller.timeline.at(controller.now()))
        wall.time += 1 / 3

    assert len(sent) == 4


def test_a_jump_and_a_pause_are_shown_at_once(tmp_path):
    view, listed, controller, wall = list_of(tmp_path)
    controller.seek(NOON + 5 * MINUTE)
    controller.play()
    view.show(controller.timeline.at(controller.now()))
    wall.time += 0.1

    controller.seek(T)
    view.show(controller.timeline.at(controller.now()))
    assert len(listed.state["rows"]) == 4
    controller.pause(NOON + 1 * MINUTE)
    view.show(controller.timeline.at(controller.now()))
    assert shown(controller, listed) == [("D", "created")]


def test_a_hidden_list_does_nothing_until_it_is_seen(tmp_path):
    view, listed, controller, _ = list_of(tmp_path, active=False)

    view.show(controller.timeline.at(T))
    controller.selection.filter("cooking")
    assert listed.state == {}
    assert not listed.active

    view.active = True
    assert shown(controller, listed) == [("C", "cooking")]
    assert listed.active


def test_more_orders_than_can_be_read_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    view, listed, controller, _ = list_of(tmp_path)

    view.show(controller.timeline.at(T))

    assert ([name for name, _ in shown(controller, listed)], listed.state["more"]) == (["B", "C", "D"], 1)


def test_another_timeline_replaces_the_list_and_its_texts(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))
    controller.load(timeline_of(tmp_path, rows_of("NEW", WHOLE)), T)

    view.reset()
    view.show(controller.timeline.at(T))

    assert listed.state["texts"]["id"] == ["NEW"]
    assert shown(controller, listed) == [("NEW", "out_for_delivery")]


def test_before_anything_is_loaded_the_list_is_silent():
    view = OrderListView(ReplayController())
    view.__panel__().sort = "age"
    assert view.__panel__().state == {}


def test_a_group_lists_its_orders_whatever_state_they_are_in(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))
    rows = [controller.timeline.orders.row_of[name] for name in ("A", "D")]
    controller.selection.gather("Some", rows)
    assert shown(controller, listed) == [("D", "out_for_delivery"), ("A", "created")]
    controller.seek(NOON + 31 * MINUTE)
    view.show(controller.timeline.at(NOON + 31 * MINUTE))
    assert shown(controller, listed) == [("D", "ready")]
    controller.selection.show_all()
    assert len(listed.state["rows"]) > 1


def test_a_snapshot_of_another_timeline_waits_until_the_view_has_that(tmp_path):
    view, listed, controller, _ = list_of(tmp_path)
    view.show(controller.timeline.at(T))
    before = listed.state
    (tmp_path / "more").mkdir()
    more = [rows_of(name, shifted(30)) for name in "EFGHIJ"]
    controller.load(timeline_of(tmp_path / "more", *more))
    controller.seek(T)

    view.show(controller.timeline.at(T))

    assert listed.state == before
    view.begin_anew()
    view.show(controller.timeline.at(T))
    assert len(listed.state["rows"]) == len(more)
