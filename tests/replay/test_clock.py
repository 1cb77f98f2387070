"""The anchor: where the playhead is after any sequence of commands."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.replay.clock import Anchor

START, END = 1_760_572_800.0, 1_760_659_200.0
"""Thursday 2025-10-16, the whole day."""
CLOSE = 1e-5
"""Seconds: float64 holds today's epochs to 2e-7, and a sum takes a few roundings."""

moments = st.floats(START, END)
walls = st.floats(0, 1e6)
speeds = st.floats(0.1, 1000)
waits = st.floats(0, 1e5)
anchors = st.builds(
    Anchor, t0=moments, wall0=walls, speed=speeds, playing=st.booleans(), start=st.just(START), end=st.just(END),
    loop=st.booleans(), epoch=st.integers(0, 10**6),
)  # fmt: skip
COMMANDS = {
    "play": lambda a, wall, x: a.play(wall),
    "play seen": lambda a, wall, x: a.play(wall, at=START + x),
    "pause": lambda a, wall, x: a.pause(wall),
    "pause seen": lambda a, wall, x: a.pause(wall, at=START + x),
    "stop": lambda a, wall, x: a.stop(wall),
    "seek": lambda a, wall, x: a.seek(wall, START + x),
    "step": lambda a, wall, x: a.step(wall, x - 50_000),
    "speed": lambda a, wall, x: a.set_speed(0.1 + abs(x) / 200, wall),
    "loop": lambda a, wall, x: a.set_loop(x > 50_000, wall),
    "range": lambda a, wall, x: a.set_range(START + x / 10, END - x / 10, wall),
}
programs = st.lists(
    st.tuples(st.sampled_from(sorted(COMMANDS)), st.floats(0, 1e5), st.floats(-1e4, 1.2e5)), max_size=20
)


def anchor(t0=START, **others):
    return Anchor(**{"t0": t0, "start": START, "end": END, "speed": 60.0, **others})


def test_playing_for_ten_seconds_at_60x_moves_ten_minutes():
    assert anchor().play(wall=5.0).at(15.0) == START + 600


@given(moments, speeds, waits)
def test_the_playhead_moves_speed_times_the_wait_and_stops_at_the_end(t, speed, wait):
    there = anchor(t, speed=speed, playing=True).at(wait)
    assert there == pytest.approx(min(t + speed * wait, END), abs=CLOSE)


@given(st.floats(START, END - 1), speeds, waits)
def test_a_loop_goes_on_from_the_start_as_if_laps_were_cut_off(t, speed, wait):
    there = anchor(t, speed=speed, playing=True, loop=True).at(wait)
    laps = (t + speed * wait - there) / (END - START)
    assert START <= there < END
    assert laps == pytest.approx(round(laps), abs=1e-6)
    assert laps >= -1e-9


@given(anchors, walls, moments)
def test_after_a_seek_the_playhead_is_there(a, wall, t):
    there = a.seek(wall, t)
    expected = START if t == END and a.loop and a.playing else t  # the end of a loop is its start
    assert there.at(wall) == expected
    assert there.playing == a.playing


@pytest.mark.parametrize(("t", "nearest"), [(START - 5, START), (END + 5, END)])
def test_a_seek_beyond_the_range_goes_to_its_nearest_moment(t, nearest):
    assert anchor().seek(0.0, t).at(0.0) == nearest


@given(anchors, waits, speeds)
def test_a_change_of_speed_keeps_the_position_exactly(a, wait, speed):
    wall = a.wall0 + wait
    assert a.set_speed(speed, wall).at(wall) in (a.at(wall), START if a.loop else None)
    assert a.set_speed(speed, wall).speed == speed


@given(anchors, waits)
def test_a_pause_holds_the_position_for_good(a, wait):
    wall = a.wall0 + wait
    held = a.pause(wall)
    assert held.at(wall) == held.at(wall + 1e6) == a.at(wall)


def test_a_pause_holds_what_the_user_saw_not_where_the_message_found_the_clock():
    assert anchor(playing=True).pause(wall=10.0, at=START + 570).at(99.0) == START + 570


def test_play_at_the_end_starts_from_the_beginning():
    assert anchor(END).play(0.0).at(1.0) == START + 60


def test_play_of_an_empty_range_stays_paused():
    assert not Anchor().play(0.0).playing


def test_stop_returns_to_the_start_paused():
    stopped = anchor(START + 99, playing=True, loop=True).stop(7.0)
    assert (stopped.at(50.0), stopped.playing, stopped.loop) == (START, False, True)


def test_a_step_moves_from_the_playhead_and_pauses():
    stepped = anchor(playing=True).step(wall=10.0, seconds=-60.0)
    assert stepped.at(99.0) == START + 540


def test_loop_switched_while_playing_changes_nothing_but_the_end():
    a = anchor(END - 600, playing=True)
    looping = a.set_loop(True, 5.0)
    assert looping.at(5.0) == a.at(5.0) == END - 300
    assert (a.at(15.0), looping.at(15.0)) == (END, START + 300)


def test_a_narrower_range_takes_the_playhead_along():
    assert anchor(START).set_range(START + 3600, END, 0.0).at(0.0) == START + 3600


def test_the_end_is_noticed_only_while_playing_without_loop():
    over = anchor(END - 60, playing=True)
    assert [over.ended(0.5), over.ended(1.0), over.set_loop(True, 0.0).ended(9.0), over.pause(0.5).ended(9.0)] == [
        False, True, False, False,
    ]  # fmt: skip


@given(anchors, programs)
def test_no_program_of_commands_leaves_the_range_or_forgets_to_count(a, program):
    wall = a.wall0
    for command, wait, x in program:
        before, wall = a, wall + wait
        a = COMMANDS[command](before, wall, x)
        assert a.epoch == before.epoch + 1
        for later in (0.0, 0.1, 1e4):
            assert a.start <= a.at(wall + later) <= a.end


@given(anchors, waits)
def test_a_wall_clock_that_lags_never_moves_the_playhead_back(a, wait):
    assert a.at(a.wall0 - wait) == a.at(a.wall0)


@pytest.mark.parametrize(
    ("hours", "step"), [(1 / 3, 1), (6, 30), (24, 60), (7 * 24, 600), (30 * 24, 1800), (9000, 21_600)]
)
def test_a_step_suits_the_range(hours, step):
    assert Anchor(end=hours * 3600.0).step_length() == step


def test_an_anchor_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        anchor().t0 = 0.0
