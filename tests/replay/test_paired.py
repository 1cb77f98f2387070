"""Two controllers on one clock: whatever is done with either, the second is where the first puts it."""

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import NAIVE, Zone
from twin.replay.controller import ReplayController
from twin.replay.paired import PairedController
from twin.sources.base import Window

WEEK = 7 * DAY


class Wall:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def timeline(start: float, end: float, tz: Zone = NAIVE) -> Any:
    place = SimpleNamespace(start=start, end=end)
    return SimpleNamespace(window=Window(start, end), tz=tz, location=place)


def pair() -> tuple[Wall, ReplayController, PairedController]:
    """A day, and the same day a week before, of which only what is after six o'clock is there."""
    wall = Wall()
    first = ReplayController(wall=wall)
    second = PairedController(first)
    first.load(timeline(WEEK, WEEK + DAY))
    second.load(timeline(6 * HOUR, DAY), 8 * HOUR)
    return wall, first, second


def beside(first: ReplayController) -> float:
    return max(first.now() - WEEK, 6 * HOUR)


def test_every_verb_of_either_moves_both() -> None:
    wall, first, second = pair()
    acts = [
        lambda: first.seek(WEEK + 9 * HOUR),
        lambda: second.play(),
        lambda: first.set_speed(600),
        lambda: second.set_speed(60),
        lambda: second.seek(12 * HOUR),
        lambda: first.step(3),
        lambda: second.step(-2),
        lambda: second.set_range(9 * HOUR, 11 * HOUR),
        lambda: second.set_loop(True),
        lambda: second.play(),
        lambda: first.pause(),
        lambda: second.set_hindsight(True),
        lambda: second.pause(10 * HOUR),
        lambda: second.stop(),
    ]
    for act in acts:
        act()
        for _ in range(5):
            wall.now += 7.3
            assert second.now() == beside(first)
        for name in ("playing", "speed", "loop", "hindsight"):
            assert getattr(second, name) == getattr(first, name), name
        assert second.anchor.epoch == first.anchor.epoch
    assert (first.start, first.end, first.now()) == (WEEK + 9 * HOUR, WEEK + 11 * HOUR, WEEK + 9 * HOUR)
    assert (second.start, second.end) == (6 * HOUR, DAY)


VERBS = st.fixed_dictionaries(
    {"verb": st.sampled_from(["play", "pause", "stop", "seek", "step", "set_speed", "set_loop", "set_range"])},
    optional={
        "at": st.floats(0, DAY), "t": st.floats(-HOUR, DAY + HOUR), "n": st.integers(-5, 5), "epoch": st.integers(0, 99),
        "speed": st.floats(-1, 2000), "loop": st.booleans(), "start": st.floats(0, DAY), "end": st.floats(0, DAY),
    },
)  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), VERBS, st.floats(0, 5000)), max_size=8))
def test_no_message_of_a_browser_sets_them_apart(messages: list[tuple[bool, dict[str, Any], float]]) -> None:
    wall, first, second = pair()
    for of_second, message, passed in messages:
        sent = dict(message)
        if not of_second:
            sent |= {name: sent[name] + WEEK for name in ("at", "t", "start", "end") if name in sent}
        with contextlib.suppress(ValueError):  # a refused message must not set them apart either
            (second if of_second else first).handle_message(sent)
        wall.now += passed
        second.settle()
        assert second.now() == beside(first)
        assert second.anchor.epoch == first.anchor.epoch


def test_a_message_of_the_second_side_is_confirmed_with_its_epoch() -> None:
    _, first, second = pair()
    second.handle_message({"verb": "seek", "t": 9 * HOUR, "epoch": 40})
    assert (first.now(), second.now()) == (WEEK + 9 * HOUR, 9 * HOUR)
    assert first.anchor.epoch == second.anchor.epoch == 40


def test_the_browser_is_told_which_clock_the_second_follows() -> None:
    _, first, second = pair()
    follows = second.to_browser()["follows"]
    assert follows["clock"] == first.key
    assert (follows["since"], follows["shown"], follows["moves"]) == (
        [WEEK, WEEK + 6 * HOUR], [6 * HOUR, 6 * HOUR], [0.0, 1.0],
    )  # fmt: skip
    assert "follows" not in first.to_browser()


def test_a_side_without_the_other_plays_by_itself() -> None:
    wall = Wall()
    first = ReplayController(wall=wall)
    second = PairedController(first)
    second.load(timeline(0.0, DAY), HOUR)
    second.play()
    wall.now += 10
    assert second.now() == HOUR + 600
    assert "follows" not in second.to_browser()
    second.handle_message({"verb": "pause", "at": 2 * HOUR, "epoch": 1})
    assert second.now() == 2 * HOUR
    first.load(timeline(WEEK, WEEK + DAY), WEEK + 5 * HOUR)
    assert second.now() == 5 * HOUR
    assert not second.playing


def test_another_range_of_either_side_is_laid_on_anew() -> None:
    _, first, second = pair()
    first.seek(WEEK + 9 * HOUR)
    second.load(timeline(14 * DAY, 15 * DAY))
    assert second.now() == 14 * DAY + 9 * HOUR
    assert first.now() == WEEK + 9 * HOUR
    first.load(timeline(3 * DAY, 4 * DAY), 3 * DAY + 20 * HOUR)
    assert second.now() == 14 * DAY + 20 * HOUR


def test_no_param_can_be_set_from_outside() -> None:
    _, _, second = pair()
    with pytest.raises(TypeError):
        second.speed = 5.0
