"""The alert knows the troubles alone: a peak is no reason to worry."""

from types import SimpleNamespace

from tests.fake_timeline import DAY0, FakeController, FakeTimeline
from tests.views.test_moments import PEAK, SHORT, replay
from twin.analysis.insights import Insights
from twin.views.moments.alert import AlertView


def test_only_troubles_alert():
    shown = AlertView(replay(PEAK, SHORT)).__panel__().moments

    assert [moment["kind"] for moment in shown] == ["driver_shortage"]


def test_until_moments_are_known_there_is_neither_trouble_nor_peace():
    view = AlertView(FakeController(FakeTimeline([{"created": DAY0}])))

    assert view.__panel__().moments is None


def test_learning_brings_the_troubles():
    controller = FakeController(FakeTimeline([{"created": DAY0}]))
    view = AlertView(controller)
    controller.learn(Insights(controller.timeline, SimpleNamespace(days=6), (PEAK, SHORT)))
    assert view.__panel__().moments is None  # until the session says that there is something to learn

    view.learn()

    assert [moment["title"] for moment in view.__panel__().moments] == [SHORT.title]
