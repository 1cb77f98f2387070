"""The pipeline strip shows the stages of the moment, and speaks only when something shown has changed."""

import pytest

from tests.fake_timeline import DAY0, FakeController, FakeTimeline
from twin.views.pipeline import PipelineView

MINUTE = 60.0


def strip_of(timeline, t, **params):
    view = PipelineView(FakeController(timeline), **params)
    view.show(timeline.at(t))
    return view.__panel__()


def waiting(n: int, since: float) -> list[dict[str, float]]:
    return [{"created": since - 900, "finished": since} for _ in range(n)]


def test_every_stage_shows_its_orders_and_the_times_in_it():
    rows = [
        {"created": DAY0, "started": DAY0 + 2 * MINUTE, "finished": DAY0 + 12 * MINUTE},
        {"created": DAY0, "started": DAY0 + 4 * MINUTE},
        {"created": DAY0 + 10 * MINUTE},
    ]
    state = strip_of(FakeTimeline(rows), DAY0 + 15 * MINUTE).state

    assert [state[key]["count"] for key in ("created", "cooking", "ready", "out_for_delivery", "completed")] == [
        1,
        1,
        1,
        0,
        0,
    ]
    assert (state["created"]["service"], state["created"]["oldest"], state["created"]["flow"]) == (
        "3.0 min",
        "5 min",
        3,
    )
    assert (state["cooking"]["service"], state["cooking"]["age"]) == ("10.0 min", "11 min")
    assert (state["out_for_delivery"]["service"], state["out_for_delivery"]["oldest"]) == (None, None)


def test_completed_counts_the_day_and_tells_the_share_of_the_due_orders():
    rows = [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 30)} for k in range(9)]
    rows.append({"created": DAY0})

    completed = strip_of(FakeTimeline(rows), DAY0 + 3 * 3600).state["completed"]

    assert (completed["count"], completed["share"], completed["due"]) == (9, "90.0 %", 10)


def test_a_share_just_below_all_is_not_rounded_up_to_all():
    rows = [{"created": DAY0, "delivered": DAY0 + 60} for _ in range(2999)] + [{"created": DAY0}]

    assert strip_of(FakeTimeline(rows), DAY0 + 2 * 3600).state["completed"]["share"] == "99.9 %"


def test_cancelled_orders_stand_beside_only_when_there_are_any():
    quiet = [{"created": DAY0}]
    troubled = [*quiet, {"created": DAY0, "cancelled": DAY0 + 60}]

    assert strip_of(FakeTimeline(quiet), DAY0 + 120).state["beside"] == {}
    assert strip_of(FakeTimeline(troubled), DAY0 + 120).state["beside"] == {"cancelled": 1}


def test_a_stage_is_marked_when_its_orders_are_there_too_long():
    timeline = FakeTimeline(waiting(5, DAY0))

    calm = strip_of(timeline, DAY0 + 14 * MINUTE).state["ready"]["over"]
    late = strip_of(timeline, DAY0 + 16 * MINUTE).state["ready"]["over"]

    assert not any(calm.values())
    assert late == {"service": False, "age": True, "oldest": True}


def test_one_forgotten_order_marks_itself_and_not_the_stage():
    timeline = FakeTimeline([*waiting(1, DAY0), *waiting(8, DAY0 + 110 * MINUTE)])

    over = strip_of(timeline, DAY0 + 112 * MINUTE).state["ready"]["over"]

    assert over == {"service": False, "age": False, "oldest": True}


def test_the_limits_are_settings():
    state = strip_of(FakeTimeline(waiting(5, DAY0)), DAY0 + 5 * MINUTE, limits={"ready": 4 * MINUTE}).state

    assert state["ready"]["over"]["age"]
    assert (state["ready"]["limit"], state["cooking"]["limit"]) == ("4 min", None)


def test_the_same_moment_again_sends_nothing():
    timeline = FakeTimeline(waiting(3, DAY0))
    view = PipelineView(FakeController(timeline))
    sent = []
    view.__panel__().param.watch(lambda event: sent.append(event.new), "state", onlychanged=False)

    view.show(timeline.at(DAY0 + 60))
    view.show(timeline.at(DAY0 + 60))
    view.show(timeline.at(DAY0 + 60.2))
    assert len(sent) == 1

    view.show(timeline.at(DAY0 + 180))
    assert len(sent) == 2


def test_reset_takes_the_new_timeline():
    controller = FakeController(FakeTimeline(waiting(3, DAY0)))
    view = PipelineView(controller)
    controller.take(FakeTimeline(waiting(7, DAY0)))

    view.reset()
    view.show(controller.timeline.at(DAY0 + 60))

    assert view.__panel__().state["ready"]["count"] == 7


@pytest.mark.parametrize("t", [DAY0 - 1e6, DAY0, DAY0 + 1e6])
def test_no_timeline_and_no_orders_show_no_figures(t):
    view = PipelineView(FakeController(None))
    view.show(FakeTimeline([]).at(t))
    assert view.__panel__().state == {}

    assert strip_of(FakeTimeline([]), t).state["created"]["service"] is None
