"""The moments list takes what the insights tell, in their order, and knows when it does not know."""

from types import SimpleNamespace

import pytest

from tests.fake_timeline import DAY0, HOUR, FakeController, FakeTimeline
from twin.analysis.insights import Insights
from twin.analysis.moments import KINDS, TROUBLES, Moment
from twin.views.moments.moments import ICON_OF, MomentsView, to_browser

PEAK = Moment("peak", DAY0 + 12 * HOUR, DAY0 + 13 * HOUR, DAY0 + 12.5 * HOUR, 0.2, "Lunch peak", "60 orders an hour")
SHORT = Moment(
    "driver_shortage",
    DAY0 + 18 * HOUR,
    DAY0 + 19 * HOUR,
    DAY0 + 18.5 * HOUR,
    0.9,
    "<b>Drivers</b> are short",
    "14 wait",
)


def replay(*moments: Moment, days: int = 6, failed: tuple[str, ...] = ()) -> FakeController:
    controller = FakeController(FakeTimeline([{"created": DAY0}]))
    controller.learn(Insights(controller.timeline, SimpleNamespace(days=days), moments, failed))
    return controller


def test_moments_are_told_in_the_order_of_their_rank():
    shown = MomentsView(replay(SHORT, PEAK)).__panel__().moments

    assert [(m["rank"], m["title"], m["when"], m["trouble"]) for m in shown] == [
        (1, "<b>Drivers</b> are short", "Thu 18:00–19:00", True),
        (2, "Lunch peak", "Thu 12:00–13:00", False),
    ]
    assert (shown[0]["start"], shown[0]["at"], shown[0]["end"]) == (SHORT.start, SHORT.at, SHORT.end)


def test_the_count_is_of_what_the_list_shows():
    assert MomentsView(replay(SHORT, PEAK)).count == 2
    assert MomentsView(replay()).count == 0


def test_what_is_not_known_yet_is_not_nothing():
    view = MomentsView(FakeController(FakeTimeline([{"created": DAY0}])))
    assert view.__panel__().moments is None

    view = MomentsView(replay())
    assert view.__panel__().moments == []


def test_a_new_timeline_has_no_moments_until_they_are_learnt():
    controller = replay(SHORT)
    view = MomentsView(controller)
    timeline = FakeTimeline([{"created": DAY0}])
    timeline.window = SimpleNamespace(start=DAY0, end=DAY0 + HOUR)

    controller.load(timeline)
    view.reset()
    assert view.__panel__().moments is None
    assert view.count == 0

    controller.learn(Insights(timeline, SimpleNamespace(days=0), (SHORT,)))
    view.learn()
    assert view.count == 1


@pytest.mark.parametrize(("days", "words"), [(0, "the rest of this range"), (1, "one other day"), (6, "6 other days")])
def test_it_says_what_it_compared_with(days, words):
    assert words in MomentsView(replay(days=days)).__panel__().judged


def test_every_kind_has_an_icon_of_its_own_meaning():
    assert set(ICON_OF) == set(KINDS) >= TROUBLES


def test_the_moments_of_a_month_have_their_dates_and_those_of_a_week_their_weekdays():
    moment = Moment("peak", 1760638200.0, 1760724000.0, 1760639400.0, 0.1, "Peak", "60 orders an hour")
    assert [one["when"] for one in to_browser([moment], 7 * 86_400.0)] == ["Thu 18:10–Fri 18:00"]
    assert [one["when"] for one in to_browser([moment], 31 * 86_400.0)] == ["Thu 16 Oct 18:10–Fri 17 Oct 18:00"]
