"""The alert knows the troubles alone: a peak is no reason to worry."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from tests.fake_timeline import DAY0, HOUR, FakeController, FakeTimeline
from tests.views.test_moments import PEAK, SHORT, replay
from twin.analysis.insights import Insights
from twin.analysis.kitchen_state import CALM, SIGNALS, TROUBLE, StateLog
from twin.analysis.limits import RED
from twin.analysis.moments import Findings
from twin.analysis.moments.unfolding import BLOCK_S, GRID_S, KnownFrom, block_of
from twin.sources.base import Window
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


def test_the_states_of_the_kitchen_come_with_what_is_learned_in_words():
    """Hand-made: calm, then drivers short for an hour."""
    timeline = FakeTimeline([{"created": DAY0}, {"created": DAY0 + 7200}])
    controller = FakeController(timeline)
    view = AlertView(controller)
    assert view.__panel__().states == {}
    levels = np.zeros((len(SIGNALS), 3), np.uint8)
    levels[-1, 1] = RED
    states = StateLog(DAY0 + np.array([0.0, 3600, 7200]), np.array([CALM, TROUBLE, CALM], np.uint8), levels)
    controller.learn(Insights(timeline, SimpleNamespace(days=6), (), (), states))

    view.learn()

    told = view.__panel__().states
    assert (told["t"], told["state"]) == ([DAY0, DAY0 + 3600, DAY0 + 7200], ["calm", "trouble", "calm"])
    assert [told["heads"][place] for place in told["head"]] == ["", "Trouble: drivers are short", ""]


def test_what_was_known_is_sent_once_it_is_computed_with_what_was_going_on_then():
    controller = replay(SHORT)
    controller.timeline.window = Window(DAY0, DAY0 + 24 * HOUR)
    card = AlertView(controller).__panel__()
    assert card.known == []
    number = block_of(SHORT.start)
    looks = [SHORT.start + minutes * 60 for minutes in (0, 20, 55)]
    told = [(), (replace(SHORT, end=looks[1]),), (replace(SHORT, end=looks[1]),)]
    failed = ((), (), ("drives",))
    changes = tuple(KnownFrom(t, Findings(*found)) for t, *found in zip(looks, told, failed, strict=True))

    controller.unfold(controller.timeline, {number: changes})

    (block,) = card.known
    assert block["start"] <= SHORT.start < block["end"] <= (number + 1) * BLOCK_S + GRID_S
    assert [(t, [one["going_on"] for one in troubles], partly) for t, troubles, partly in block["changes"]] == [
        (looks[0], [], False),
        (looks[1], [True], False),
        (looks[2], [False], True),
    ]
    assert json.loads(json.dumps(card.known)) == card.known
