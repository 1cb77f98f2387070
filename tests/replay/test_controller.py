"""The controller: verbs, and nothing but verbs, without a browser or a server."""

import datetime as dt
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.replay.clock import Anchor
from twin.replay.controller import ReplayController

START, END = 1_760_572_800.0, 1_760_659_200.0
DINNER = START + 18.5 * 3600


class Wall:
    """A wall clock that the test moves."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def timeline(start=START, end=END):
    return SimpleNamespace(window=SimpleNamespace(start=start, end=end))


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def replay(wall):
    return ReplayController(timeline(), wall=wall)


def test_a_new_controller_has_nothing_to_play():
    replay = ReplayController()
    replay.play()
    assert (replay.timeline, replay.playing, replay.now()) == (None, False, 0.0)


def test_loading_takes_the_window_paused_at_its_start(replay):
    assert (replay.start, replay.end, replay.now(), replay.playing) == (START, END, START, False)


def test_loading_another_timeline_forgets_the_old_playhead_but_keeps_speed_and_loop(replay):
    replay.set_speed(500)
    replay.set_loop(True)
    replay.play()
    other = timeline(0.0, 7200.0)
    replay.load(other, playhead=1800.0)
    assert replay.timeline is other
    assert (replay.start, replay.end, replay.now(), replay.playing) == (0.0, 7200.0, 1800.0, False)
    assert (replay.speed, replay.loop) == (500, True)


def test_a_day_at_1000x_is_over_after_86_seconds(replay, wall):
    replay.set_speed(1000)
    replay.play()
    wall.time += 86.3
    assert replay.now() == pytest.approx(START + 86_300)
    assert not replay.settle()
    wall.time += 0.1
    assert replay.settle()
    assert (replay.now(), replay.playing) == (END, False)
    assert not replay.settle()


def test_in_a_loop_nothing_settles(replay, wall):
    replay.set_loop(True)
    replay.play()
    wall.time += 86_400 / 60 * 2.5
    assert not replay.settle()
    assert replay.now() == pytest.approx(START + 43_200)


@given(st.floats(START, END), st.sampled_from(ReplayController.SPEEDS), st.floats(0, 50))
def test_speed_changed_on_the_way_keeps_the_playhead(t, speed, wait):
    wall = Wall()
    replay = ReplayController(timeline(), wall=wall)
    replay.seek(t)
    replay.play()
    wall.time += wait
    before = replay.now()
    replay.set_speed(speed)
    assert replay.now() == before
    assert replay.speed == speed


@pytest.mark.parametrize(
    "moment",
    [DINNER, "2025-10-16 18:30", np.datetime64("2025-10-16T18:30"), pd.Timestamp("2025-10-16 18:30"),
     dt.datetime(2025, 10, 16, 18, 30, tzinfo=dt.UTC)],
)  # fmt: skip
def test_any_form_of_a_moment_can_be_sought(replay, moment):
    replay.seek(moment)
    assert replay.now() == DINNER


def test_steps_are_a_minute_in_a_day(replay):
    replay.seek(DINNER)
    replay.play()
    replay.step(-10)
    assert (replay.now(), replay.playing) == (DINNER - 600, False)


def test_a_part_of_the_window_can_be_played(replay):
    replay.set_range("2025-10-16 17:00", "2025-10-16 20:00")
    assert (replay.start, replay.end, replay.now()) == (START + 17 * 3600, START + 20 * 3600, START + 17 * 3600)
    assert replay.step_length == 10.0


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda r: r.seek(float("nan")), "nan is no time"),
        (lambda r: r.seek("tea time"), "“tea time” is no time"),
        (lambda r: r.play(at="soon"), "“soon” is no time"),
        (lambda r: r.set_speed(0), "over 0 and at most 1000 .* not 0"),
        (lambda r: r.set_speed(5000), "not 5000"),
        (lambda r: r.set_speed(float("nan")), "must be a number"),
        (lambda r: r.set_speed("fast"), "must be a number"),
        (lambda r: r.step(float("inf")), "must be a number"),
        (lambda r: r.set_range(END, START), "must end after it starts"),
        (lambda r: r.set_range(START, END + 1), "not within the loaded range"),
        (lambda r: r.load(timeline(5.0, 5.0)), "must end after it starts"),
        (lambda r: r.load(timeline(), playhead="x"), "is no time"),
    ],
)
def test_invalid_input_is_rejected_in_a_sentence_and_changes_nothing(replay, act, sentence):
    before = (replay.anchor, replay.timeline)
    with pytest.raises(ValueError, match=sentence):
        act(replay)
    assert (replay.anchor, replay.timeline) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("timeline", object()), ("start", 1.0), ("end", 2.0), ("speed", 10.0), ("loop", True), ("playing", True),
     ("anchor", Anchor()), ("key", "mine")],
)  # fmt: skip
def test_nothing_can_be_assigned_past_the_verbs(replay, name, value):
    with pytest.raises(TypeError, match=r"[Cc]onstant"):
        setattr(replay, name, value)


def test_watchers_are_called_once_per_change_and_cannot_assign_either(replay):
    heard = []

    def watch(*events):
        heard.append({event.name: event.new for event in events})
        with pytest.raises(TypeError):
            replay.speed = 1.0

    replay.param.watch(watch, ["anchor", "playing", "start"])
    replay.play()
    assert [sorted(change) for change in heard] == [["anchor", "playing"]]


def test_every_param_is_documented():
    assert [name for name, p in ReplayController.param.objects().items() if name != "name" and not p.doc] == []


def test_two_controllers_are_two_clocks_in_one_page():
    assert ReplayController().key != ReplayController().key


@given(st.floats(START, END), st.booleans(), st.booleans(), st.floats(0, 2000))
def test_the_browser_can_work_out_the_playhead_from_the_json(t, playing, loop, wait):
    wall = Wall()
    replay = ReplayController(timeline(), wall=wall)
    replay.set_loop(loop)
    replay.seek(t)
    if playing:
        replay.play()
    wall.time += wait
    a = json.loads(json.dumps(replay.to_browser()))
    assert set(a) == {"t0", "speed", "playing", "start", "end", "loop", "hindsight", "epoch", "age", "step"}
    there = a["t0"] + a["speed"] * a["age"] if a["playing"] else a["t0"]
    if there >= a["end"] and a["playing"]:
        there = a["start"] + (there - a["start"]) % (a["end"] - a["start"]) if a["loop"] else a["end"]
    assert there == replay.now()


class TestObey:
    """Messages of the browser."""

    @pytest.mark.parametrize(
        ("message", "playhead", "playing"),
        [
            ({"verb": "play", "at": DINNER}, DINNER, True),
            ({"verb": "pause", "at": DINNER}, DINNER, False),
            ({"verb": "stop"}, START, False),
            ({"verb": "seek", "t": DINNER}, DINNER, True),
            ({"verb": "step", "n": 10, "at": DINNER}, DINNER + 600, False),
            ({"verb": "set_speed", "speed": 500, "at": DINNER}, DINNER, True),
            ({"verb": "set_loop", "loop": True, "at": DINNER}, DINNER, True),
            ({"verb": "set_hindsight", "hindsight": True, "at": DINNER}, DINNER, True),
        ],
    )
    def test_each_verb_is_carried_out_where_the_user_saw_the_playhead(self, replay, wall, message, playhead, playing):
        replay.play()
        wall.time += 3.0
        replay.handle_message(message)
        assert (replay.now(), replay.playing) == (playhead, playing)

    def test_hindsight_is_off_until_somebody_chooses_it(self, replay):
        assert replay.hindsight is replay.to_browser()["hindsight"] is False
        replay.handle_message({"verb": "set_hindsight", "hindsight": True})
        assert replay.hindsight is replay.to_browser()["hindsight"] is True

    def test_the_answer_carries_the_epoch_of_the_prediction(self, replay):
        replay.handle_message({"verb": "seek", "t": DINNER, "epoch": 40})
        assert replay.anchor.epoch == 40
        replay.seek(START)
        assert replay.anchor.epoch == 41

    def test_a_prediction_that_lags_does_not_turn_the_count_back(self, replay):
        replay.handle_message({"verb": "seek", "t": DINNER, "epoch": 40})
        replay.handle_message({"verb": "play", "epoch": 3})
        assert replay.anchor.epoch == 41

    @pytest.mark.parametrize(
        "message",
        [{}, {"verb": "explode"}, {"verb": "seek"}, {"verb": "seek", "t": None}, {"verb": "set_speed", "speed": "1e9"},
         {"verb": "load", "timeline": 1}, {"verb": "pause", "at": float("nan")}],
    )  # fmt: skip
    def test_an_invalid_message_is_rejected_and_the_anchor_sent_again(self, replay, message):
        replay.seek(DINNER)
        with pytest.raises(ValueError, match=r"\.$"):
            replay.handle_message({**message, "epoch": 50})
        assert (replay.now(), replay.speed, replay.anchor.epoch) == (DINNER, 60, 50)

    @pytest.mark.parametrize("epoch", [None, "7", 2.5, True, 1e300, 2**60])
    def test_an_invalid_epoch_is_ignored(self, replay, epoch):
        before = replay.anchor.epoch
        replay.handle_message({"verb": "play", "epoch": epoch})
        assert replay.anchor.epoch == before + 1


@pytest.mark.slow
@pytest.mark.parametrize("module", ["twin.replay.clock", "twin.replay.controller", "twin.foundation.times"])
def test_the_replay_works_without_the_libraries_of_the_page(module):
    probe = f"import sys, {module}; print({{'panel', 'bokeh', 'holoviews'}} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.strip()
        == "set()"
    )


@pytest.mark.slow
@pytest.mark.parametrize("module", ["twin.replay.clock", "twin.foundation.times"])
def test_the_clock_works_without_param(module):
    probe = f"import sys, {module}; print('param' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.strip()
        == "False"
    )
