"""The KPI cards show rounded figures, None where there are none, and speak only when something shown has changed."""

from tests.fake_timeline import DAY0, HOUR, FakeController, FakeTimeline
from twin.views.kpis import KpiView

MINUTE = 60.0


def cards_of(timeline, t, **params):
    view = KpiView(FakeController(timeline), **params)
    view.show(timeline.at(t))
    return view.__panel__()


def test_the_cards_show_the_kpis_of_the_moment():
    rows = [{"created": DAY0 + MINUTE * k, "delivered": DAY0 + MINUTE * (k + 35 + k)} for k in range(11)]
    rows += [{"created": DAY0 + 50 * MINUTE, "picked_up": DAY0 + 59 * MINUTE}, {"created": DAY0 + 55 * MINUTE}]

    state = cards_of(FakeTimeline(rows), DAY0 + HOUR).state

    # deliveries of 35, 36 … 45 minutes, all in the first hour; the order created at DAY0 itself is 60 minutes old: outside
    assert (state["delivery"], state["p50"], state["p95"], state["target"]) == (40, 40, 45, 30)
    assert (state["orders"], state["orders_change"]) == (12, 11)
    assert state["active"] == [1, 0, 0, 1]
    assert (state["completion"], state["due"]) == (None, 0)


def test_the_completion_rate_is_a_percentage_of_the_orders_due():
    rows = [{"created": DAY0, "delivered": DAY0 + 60}] * 2 + [{"created": DAY0}]

    state = cards_of(FakeTimeline(rows), DAY0 + 2 * HOUR).state

    assert (state["completion"], state["due"]) == (66.6, 3)


def test_deliveries_left_out_are_told():
    rows = [{"created": DAY0 - 6 * HOUR, "delivered": DAY0 + 60}]

    state = cards_of(FakeTimeline(rows), DAY0 + HOUR).state

    assert (state["delivery"], state["excluded"]) == (None, 1)


def test_data_without_creations_shows_none_instead_of_zero():
    state = cards_of(FakeTimeline([{"picked_up": DAY0, "delivered": DAY0 + 600}]), DAY0 + HOUR).state

    assert (state["orders"], state["orders_change"], state["delivery"]) == (None, None, None)


def test_the_target_is_a_setting():
    assert cards_of(FakeTimeline([]), DAY0, target=25 * MINUTE).state["target"] == 25


def test_the_lines_show_gaps_where_nothing_was_delivered():
    rows = [{"created": DAY0, "delivered": DAY0 + 30 * MINUTE}]

    series = cards_of(FakeTimeline(rows), DAY0 + 3 * HOUR).series

    assert len(series["orders"]) == len(series["delivery"]) == 38
    # delivered at 00:30: in the trailing hour of the marks 00:30 … 01:20, and of no other
    assert [value for value in series["delivery"] if value is not None] == [30.0] * 6
    # created at 00:00: in the trailing hour of the marks 00:00 … 00:50
    assert series["orders"].count(1) == 6
    assert series["orders"].count(0) == 32


def test_nothing_is_sent_while_nothing_shown_changes():
    timeline = FakeTimeline([{"created": DAY0}, {"created": DAY0 + 900}])
    view = KpiView(FakeController(timeline))
    sent = []
    view.__panel__().param.watch(lambda event: sent.append(event.name), ["state", "series"], onlychanged=False)

    view.show(timeline.at(DAY0 + 60))
    view.show(timeline.at(DAY0 + 61))
    assert sorted(sent) == ["series", "state"]

    view.show(timeline.at(DAY0 + 901))
    assert sorted(sent) == ["series", "series", "state", "state"]


def test_reset_takes_the_new_timeline():
    controller = FakeController(FakeTimeline([]))
    view = KpiView(controller)
    controller.take(FakeTimeline([{"created": DAY0}]))

    view.reset()
    view.show(controller.timeline.at(DAY0))

    assert view.__panel__().state["orders"] == 1
