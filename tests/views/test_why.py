"""Why late?: the last hour is the delivery time's card, the range has what began in it, and nothing after the playhead counts."""

from typing import Any

import pytest

from tests.fake_timeline import DAY0, HOUR, FakeTimeline, send_message
from twin.analysis.baseline import Baseline
from twin.analysis.insights import Insights
from twin.analysis.metrics import kpis
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.views.why.why import WhyView

MINUTE = 60.0
FIRST_LATE = 60
"""From this order on food waits 20 minutes longer."""


def rows_of_a_day() -> list[dict[str, float]]:
    rows = []
    for k in range(72):
        t = DAY0 + 10 * MINUTE * k
        late = 20 if k >= FIRST_LATE else 0
        minutes = {
            "created": 0, "started": 2, "finished": 10, "ready": 12, "arrived": 14 + late, "picked_up": 15 + late,
            "delivered": 28 + late,
        }  # fmt: skip
        rows.append({name: t + at * MINUTE for name, at in minutes.items()})
    return rows


def playing(rows: list[dict[str, float]]) -> ReplayController:
    """Nobody knows of other days."""
    timeline = FakeTimeline(rows)
    timeline.window = Window(DAY0, DAY0 + 24 * HOUR)
    controller = ReplayController(timeline)
    controller.learn(Insights(timeline, Baseline.none(), ()))
    return controller


@pytest.fixture
def controller() -> ReplayController:
    """An order every ten minutes of a day, each of 28 minutes; the last hours' drivers are late."""
    return playing(rows_of_a_day())


def shown(controller: ReplayController, view: WhyView, t: float) -> Any:
    controller.seek(t)
    view.show(controller.timeline.at(t))
    return view.__panel__().state


def step(state: Any, part: str) -> Any:
    (found,) = (one for one in state["steps"] if one["part"] == part)
    return found


def test_the_last_hour_is_that_of_the_delivery_times_card_and_names_the_cause(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    for hour in (2, 10.5, 11, 11.9):
        state, figures = shown(controller, view, DAY0 + hour * HOUR), kpis(controller.timeline, DAY0 + hour * HOUR)
        assert (state["orders"], state["late"]) == (figures.deliveries, figures.deliveries_over)
        assert state["mean"] == pytest.approx((figures.delivery_time or 0) / MINUTE, abs=0.05)
        parts = state["target"] + state["usual"] + sum(one["beyond"] for one in state["steps"])
        assert parts == pytest.approx(state["mean"])
    assert state["sentence"] == "108 late minutes in 6 of 6 deliveries: 100 % food waiting for drivers"
    assert [one["beyond"] for one in state["steps"]] == [0, 0, 0, 20, 0, 0]
    assert step(state, "food_waits") == {
        "part": "food_waits", "label": "Food waits", "beyond": 20, "mean": 22, "usual": 2,
        "late_min": 108, "late": 6, "alone": 6, "needed": 6,
    }  # fmt: skip


def test_the_card_says_what_was_promised_kept_and_known_when_it_was_promised(controller: ReplayController) -> None:
    """Each hour of the morning has six orders of 28 minutes: a promise of 30 was fair, and 50 of them are enough to say so."""
    view = WhyView(controller)
    view.learn()
    shown(controller, view, DAY0 + 5 * HOUR)
    (row,) = view.__panel__().promises
    assert (row["kind"], row["orders"], row["promised"], row["took"], row["kept"]) == ("target", 6, 30, 28, 100)
    assert (row["judged"], row["fair"], row["doomed"]) == (0, None, None)
    state = shown(controller, view, DAY0 + 11.9 * HOUR)
    (row,) = view.__panel__().promises
    assert (row["took"], row["kept"], row["judged"], row["fair"], row["doomed"]) == (48, 0, 6, 28, 0)
    assert (state["promise"], state["usual"]) == (0, -2)


def test_the_range_has_what_began_in_it_and_had_been_delivered(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    send_message(view.__panel__(), {"scope": "range"})
    assert shown(controller, view, DAY0 + 5 * HOUR)["orders"] == 28  # created until 4:30
    controller.set_range(DAY0 + 4 * HOUR, DAY0 + 6 * HOUR)
    assert shown(controller, view, DAY0 + 5 * HOUR)["orders"] == 4
    send_message(view.__panel__(), {"scope": "everything"})
    assert view.__panel__().scope == "range"


def test_a_part_lists_its_orders_worst_first(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    state = shown(controller, view, DAY0 + 11.2 * HOUR)
    send_message(view.__panel__(), {"part": "food_waits"})
    worst = view.__panel__().worst
    assert len(worst) == step(state, "food_waits")["late"] == state["late"] > 0
    assert [row for row, *_ in worst] == sorted((row for row, *_ in worst), key=lambda row: row)
    assert all(row >= FIRST_LATE and late == 18 for row, _, _, late in worst)
    send_message(view.__panel__(), {"part": "weather"})
    assert view.__panel__().part == "food_waits"
    send_message(view.__panel__(), {"part": ""})
    assert view.__panel__().worst == []


def test_nothing_is_computed_or_sent_while_hidden_and_a_new_timeline_begins_anew(controller: ReplayController) -> None:
    view = WhyView(controller, active=False)
    view.learn()
    assert shown(controller, view, DAY0 + 11.2 * HOUR) == {}
    view.active = True
    assert view.__panel__().state["orders"] > 0
    view.reset()
    assert view.__panel__().state == {}


def test_without_deliveries_it_says_so(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    assert shown(controller, view, DAY0) == {
        "sentence": "Nothing was delivered here.", "orders": 0, "late": 0, "steps": [], "hindsight": False,
    }  # fmt: skip


@pytest.mark.parametrize("scope", ["hour", "range"])
@pytest.mark.parametrize("minutes", [90, 10.5 * 60, 11 * 60, 11.5 * 60 + 7])
def test_as_it_was_known_nothing_depends_on_what_comes_after_the_playhead(scope: str, minutes: float) -> None:
    """The whole day and a record that ends at t say the same: also of what is usual, which the day's own deliveries tell here."""
    t = DAY0 + minutes * MINUTE
    known = [{name: at for name, at in row.items() if at <= t} for row in rows_of_a_day()]
    known[3]["started"] = t + 5 * MINUTE  # recorded after the delivery
    whole = rows_of_a_day()
    whole[3]["started"] = t + 5 * MINUTE
    del known[3]["started"]
    said = []
    for rows in (whole, [row for row in known if row]):
        view = WhyView(playing(rows))
        view.learn()
        send_message(view.__panel__(), {"scope": scope})
        send_message(view.__panel__(), {"part": "food_waits"})
        state = shown(view._controller, view, t)
        said.append((state, view.__panel__().shared, view.__panel__().worst, view.__panel__().promises))
    assert said[0] == said[1]
    assert said[0][0]["orders"] > 0


def test_with_hindsight_the_range_has_all_its_orders_and_says_so(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    send_message(view.__panel__(), {"scope": "range"})
    known = shown(controller, view, DAY0 + 5 * HOUR)
    assert (known["orders"], known["late"], known["hindsight"]) == (28, 0, False)
    controller.set_hindsight(True)
    later = shown(controller, view, DAY0 + 5 * HOUR)
    assert (later["orders"], later["late"], later["hindsight"]) == (72, 12, True)


def test_the_orders_of_a_part_are_a_group_of_all_views_until_it_goes(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    shown(controller, view, DAY0 + 11.2 * HOUR)
    panel, selection = view.__panel__(), controller.selection
    selection.filter("ready")
    send_message(panel, {"part": "food_waits"})
    assert selection.stage == ""
    assert selection.group is not None
    assert list(selection.group.rows) == [row for row, *_ in panel.worst]
    assert selection.group.label == "Food waits 10:12–11:12"
    frozen = panel.worst
    assert shown(controller, view, DAY0 + 11.5 * HOUR)["orders"] == 5  # the waterfall goes on, the list stays
    assert panel.worst == frozen
    selection.show_all()
    assert (panel.part, panel.worst) == ("", [])
    send_message(panel, {"part": "cook"})  # as usual in every order
    assert (panel.part, panel.worst, selection.group) == ("cook", [], None)


def test_what_the_late_ones_share_lists_them_and_narrows_all_views(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    panel, selection = view.__panel__(), controller.selection
    controller.set_hindsight(True)
    send_message(panel, {"scope": "range"})
    shown(controller, view, DAY0 + 12 * HOUR)
    one = panel.shared[0]
    assert one["sentence"].startswith(f"{one['label']}: ")
    send_message(panel, {"trait": "of no order"})
    assert (panel.trait, selection.group) == ("", None)
    send_message(panel, {"part": "food_waits"})
    send_message(panel, {"trait": one["label"]})
    assert (panel.part, panel.trait) == ("", one["label"])
    assert selection.group is not None
    late = [row for row, _, _, late in panel.worst if late > 0]
    assert late == [row for row, *_ in panel.worst] == list(selection.group.rows)
    assert one["surely"].startswith(f"{len(late)} of ")
    overs = [over for *_, over in panel.worst]
    assert overs == sorted(overs, reverse=True)
    selection.show_all()
    assert (panel.trait, panel.worst) == ("", [])


def test_what_a_group_shares_is_against_the_others_of_the_range(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    panel, selection = view.__panel__(), controller.selection
    controller.set_hindsight(True)
    shown(controller, view, DAY0 + 12 * HOUR)
    selection.gather("Picked out", list(range(FIRST_LATE, FIRST_LATE + 12)))
    send_message(panel, {"scope": "group"})
    assert panel.shared
    send_message(panel, {"trait": panel.shared[0]["label"]})
    assert selection.group is not None
    assert set(selection.group.rows) <= set(range(FIRST_LATE, FIRST_LATE + 12))


def test_before_an_order_is_delivered_its_line_has_no_figures(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    shown(controller, view, DAY0 + 11.2 * HOUR)
    send_message(view.__panel__(), {"part": "food_waits"})
    first = view.__panel__().worst[0]
    shown(controller, view, controller.timeline.orders.delivered[first[0]] - 1)
    assert view.__panel__().worst[0] == [*first[:2], None, None]


def test_the_waterfall_of_a_group_and_of_a_stage(controller: ReplayController) -> None:
    view = WhyView(controller)
    view.learn()
    panel, selection = view.__panel__(), controller.selection
    shown(controller, view, DAY0 + 11.2 * HOUR)
    selection.gather("Some", [5, 6, 70])
    send_message(panel, {"scope": "group"})
    assert (panel.state["orders"], panel.state["late"]) == (2, 0)  # the third is not created yet
    controller.set_hindsight(True)
    assert shown(controller, view, DAY0 + 11.2 * HOUR)["orders"] == 3
    selection.filter("ready")
    assert panel.scope == "hour"
    send_message(panel, {"scope": "stage"})
    assert panel.state["orders"] == len(controller.timeline.membership.at(controller.now(), "ready")) > 0
    controller.set_hindsight(False)
    assert "With hindsight" in shown(controller, view, DAY0 + 11.2 * HOUR)["sentence"]
    selection.filter("completed")
    assert panel.state["orders"] == controller.timeline.at(controller.now()).counts["completed"]
    selection.filter("")
    assert panel.scope == "hour"


def test_a_part_is_explained_as_soon_as_the_tab_is_seen(controller: ReplayController) -> None:
    view = WhyView(controller, active=False)
    controller.selection.select(3)
    controller.seek(DAY0 + 11.2 * HOUR)
    view.explain("food_waits")
    assert controller.selection.group is None
    view.active = True
    assert controller.selection.row == -1
    assert controller.selection.group is not None
    assert [row for row, *_ in view.__panel__().worst] == list(controller.selection.group.rows)
    view.explain("cook")
    assert (view.__panel__().part, controller.selection.group) == ("cook", None)
