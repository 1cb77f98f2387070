"""A session gets what was known of troubles around its playhead: a day in two messages, of a month what is near."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fake_timeline import DAY0, HOUR, FakeController, FakeTimeline
from twin.analysis.insights import Insights
from twin.analysis.moments.examination import UNEXAMINED
from twin.analysis.moments.unfolding import KnownFrom, block_of
from twin.foundation.times import DAY
from twin.sources.base import Window
from twin.views.session.unfolding import AT_ONCE, MOST_SENT, TroubleFollower


class Played:
    """A controller, what computes its blocks, and how many blocks it had after each message."""

    def __init__(self, days: float, hour: float) -> None:
        self.controller = FakeController()
        self.asked: list[int] = []
        self.messages: list[int] = []
        self.load(days, hour)
        self.controller.param.watch(lambda event: self.messages.append(len(event.new)), "unfolded")
        self.follower = TroubleFollower(self, self.controller)  # type: ignore[arg-type]

    def load(self, days: float, hour: float) -> None:
        timeline = FakeTimeline([{"created": DAY0}])
        timeline.window = Window(DAY0, DAY0 + days * DAY)
        self.controller.load(timeline, DAY0 + hour * HOUR)
        self.controller.learn(Insights(timeline, SimpleNamespace(days=1), ()))  # type: ignore[arg-type]

    def unfolding(self, _: object, number: int) -> tuple[KnownFrom, ...]:
        self.asked.append(number)
        return ()

    @property
    def hours(self) -> list[int]:
        return [number - block_of(DAY0) for number in self.asked]

    def follow(self) -> None:
        asyncio.run(self.follower.follow())


def test_a_day_is_sent_whole_the_hour_that_is_looked_at_first_and_playing_it_sends_nothing() -> None:
    played = Played(days=1, hour=18.6)
    played.follow()
    assert played.hours == [18, *range(19, 25), *range(18)]
    assert played.messages == [1, 25]
    played.controller.seek(DAY0 + 20 * HOUR)
    played.follow()
    assert played.messages == [1, 25]
    assert played.follower.missing() == []


def test_of_a_month_only_what_is_near_is_computed_before_the_playhead_comes_there() -> None:
    played = Played(days=28, hour=100)
    played.follow()
    assert played.hours == [100, *range(101, 108)]
    assert played.messages == [1, 8]
    played.controller.seek(DAY0 + 101.5 * HOUR)
    assert played.follower.missing() == []
    played.controller.seek(DAY0 + 102.5 * HOUR)
    assert played.follower.missing() == [block_of(DAY0) + hour for hour in range(108, 108 + AT_ONCE)]


def test_a_browser_has_so_many_hours_and_those_around_the_playhead() -> None:
    played = Played(days=28, hour=1)
    for hour in range(0, 100, AT_ONCE):
        played.controller.seek(DAY0 + hour * HOUR)
        played.follow()
    assert max(played.messages) == MOST_SENT
    assert block_of(played.controller.now()) in played.controller.unfolded
    assert block_of(DAY0) not in played.controller.unfolded


def test_a_range_that_was_left_meanwhile_gets_nothing_of_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(days=1, hour=12)
    asked: list[Any] = []

    def unfolding(timeline: Any, number: int) -> tuple[KnownFrom, ...]:
        if not asked:
            played.load(days=1, hour=3)
        asked.append((timeline, number))
        return ()

    monkeypatch.setattr(played, "unfolding", unfolding)
    played.follow()
    assert [number - block_of(DAY0) for _, number in asked[:3]] == [12, 3, 4]
    assert all(timeline is played.controller.timeline for timeline, _ in asked[1:])
    assert len(played.controller.unfolded) == 25


def test_what_cannot_be_computed_is_said_to_be_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(days=1, hour=12)
    monkeypatch.setattr(played, "unfolding", lambda *_: 1 // 0)
    played.follow()
    assert {known.findings for (known,) in played.controller.unfolded.values()} == {UNEXAMINED}


def test_without_orders_or_insights_nothing_is_computed() -> None:
    played = Played(days=1, hour=12)
    played.controller.load(played.controller.timeline)
    assert played.follower.missing() == []
