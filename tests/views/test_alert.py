"""The alert knows the troubles alone: a peak is no reason to worry."""

from tests.fake_timeline import DAY0, FakeController, FakeTimeline
from tests.views.test_moments import PEAK, SHORT, replay
from twin.views.moments.alert import AlertView


def test_only_troubles_alert():
    shown = AlertView(replay(PEAK, SHORT)).__panel__().moments

    assert [moment["kind"] for moment in shown] == ["driver_shortage"]


def test_until_moments_are_known_there_is_neither_trouble_nor_peace():
    view = AlertView(FakeController(FakeTimeline([{"created": DAY0}])))

    assert view.__panel__().moments is None


def test_learning_brings_the_troubles():
    controller = replay(SHORT)
    view = AlertView(controller)
    before = view.__panel__().moments

    view.learn()

    assert [moment["title"] for moment in before] == [moment["title"] for moment in view.__panel__().moments] != []
