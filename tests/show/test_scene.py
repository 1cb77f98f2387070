"""The position of a show, compared with counting scene after scene."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.show import Scene, Show, ShowAnchor, ShowPosition

EPOCH = 1_795_000_000.0
"""A second of November 2026."""


def scene(duration: float, t: float = 0.0, speed: float = 60.0) -> Scene:
    return Scene(
        "sf", "San Francisco", 0.0, 86_400.0, t, speed, duration, "San Francisco, Thursday 18:10: drivers are short"
    )


durations = st.lists(st.integers(4, 90), min_size=1, max_size=6)


def walked(lengths: list[int], seconds: int) -> tuple[int, int, int]:
    """Scene number, index and elapsed seconds, found by walking through every scene since the origin."""
    number = 0
    while seconds >= lengths[number % len(lengths)]:
        seconds -= lengths[number % len(lengths)]
        number += 1
    return number, number % len(lengths), seconds


@given(durations, st.integers(0, 5000))
def test_a_position_is_the_one_found_by_walking_through_the_scenes(lengths: list[int], seconds: int) -> None:
    show = Show(tuple(scene(length) for length in lengths))
    assert show.position(seconds) == ShowPosition(*walked(lengths, seconds))


@given(durations, st.integers(0, 200))
def test_each_scene_begins_where_the_one_before_it_ends(lengths: list[int], number: int) -> None:
    show = Show(tuple(scene(length) for length in lengths))
    begin = show.start_of(number)
    assert show.position(begin) == ShowPosition(number, number % len(lengths), 0)
    assert show.start_of(number + 1) - begin == lengths[number % len(lengths)]


def test_without_a_loop_the_last_scene_stays_at_its_end() -> None:
    show = Show((scene(10), scene(20)), loop=False)
    assert show.position(-5) == ShowPosition(0, 0, 0)
    assert show.position(12) == ShowPosition(1, 1, 2)
    assert show.position(10_000) == ShowPosition(1, 1, 20)


def test_a_scene_plays_at_its_speed_and_stands_at_the_end_of_its_range() -> None:
    playing = scene(40, t=86_400.0 - 600, speed=60.0)
    assert playing.at(5) == 86_400.0 - 300
    assert playing.at(40) == 86_400.0


@given(durations, st.integers(0, 5000), st.integers(1, 9))
def test_a_loop_is_the_same_in_every_round(lengths: list[int], seconds: int, rounds: int) -> None:
    show = Show(tuple(scene(length) for length in lengths))
    first, later = show.position(seconds), show.position(seconds + rounds * sum(lengths))
    assert later == ShowPosition(first.number + rounds * len(lengths), first.index, first.elapsed)


@given(durations, st.floats(0, 900), st.integers(-7, 7))
def test_a_presenter_gets_to_the_beginning_of_the_requested_scene(lengths: list[int], later: float, steps: int) -> None:
    show, epoch = Show(tuple(scene(length) for length in lengths)), EPOCH + later
    before = show.position(ShowAnchor().seconds(epoch)).number
    moved = ShowAnchor().move(show, steps, epoch)
    # a thousandth later, because the sum of two large floats may fall short of the border by its last digit
    after = show.position(moved.seconds(epoch + 0.001))
    assert after.number == before + steps
    assert after.elapsed == pytest.approx(0.001, abs=1e-4)
    assert moved.stamp == epoch


def test_a_held_show_stands_still_and_goes_on_from_there() -> None:
    show = Show((scene(10), scene(20)))
    held = ShowAnchor().hold(EPOCH)
    assert show.position(held.seconds(EPOCH)) == show.position(held.seconds(EPOCH + 77))
    on = held.hold(EPOCH + 77)
    assert on.held is None
    assert on.seconds(EPOCH + 80) == pytest.approx(held.seconds(EPOCH) + 3)


def test_a_held_show_can_be_stepped_through() -> None:
    show = Show((scene(10), scene(20)))
    held = ShowAnchor().hold(EPOCH)
    number = show.position(held.seconds(EPOCH)).number
    on = held.move(show, 1, EPOCH + 5)
    assert show.position(on.seconds(EPOCH + 50)) == ShowPosition(number + 1, (number + 1) % 2, 0)
