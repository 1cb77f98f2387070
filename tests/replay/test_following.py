"""LIVE, BEHIND and REPLAY: what leaves the edge of a growing range, what comes back to it, and how the playhead gets there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_timeline import FakeTimeline
from tests.replay.test_clock import COMMANDS, END, START, programs
from twin.replay.clock import LAG_S, MAX_SPEED, Anchor
from twin.replay.controller import ReplayController
from twin.replay.following import state_of
from twin.sources.base import Window

steps = st.lists(st.tuples(st.floats(0.01, 30), st.floats(0, 3000)), min_size=1, max_size=30)
"""Wall seconds that pass, and data seconds by which the edge moves then."""


def growing(t0=END - 60.0, **others):
    return Anchor(**{"t0": t0, "start": START, "end": END, "edge": END, "speed": 60.0, **others})


def kitchen(end, *ids):
    timeline = FakeTimeline([{"created": START + 10.0 * i} for i in range(len(ids) or 1)], ids=list(ids) or None)
    timeline.window = Window(START, end)
    return timeline


def test_a_range_that_does_not_grow_is_a_replay_and_cannot_be_followed():
    still = Anchor(t0=START, start=START, end=END)
    assert state_of(still) == "replay"
    assert still.follow(1.0) is still
    assert still.grow(1.0, END + 5) is still
    controller = ReplayController(kitchen(END))
    with pytest.raises(ValueError, match="nothing to follow"):
        controller.follow()


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_every_command_leaves_the_edge(verb):
    left = COMMANDS[verb](growing().follow(0.0), 0.5, 7.0)
    assert state_of(left) == "behind"


def test_the_switch_of_hindsight_does_not():
    seen = growing().follow(0.0).set_hindsight(True, 0.5)
    assert (state_of(seen), seen.at(0.5)) == ("live", growing().follow(0.0).at(0.5))


@given(steps)
def test_a_playhead_that_follows_never_goes_back_nor_past_the_edge_and_is_there_after_the_lag(moves):
    wall, anchor = 0.0, growing().follow(0.0)
    t, edge = anchor.at(wall), END
    for wait, by in moves:
        for part in (0.25, 0.5, 1.0):
            assert t <= (t := anchor.at(wall + part * wait)) <= edge
        wall, edge = wall + wait, edge + by
        anchor = anchor.grow(wall, edge)
        assert state_of(anchor) == "live"
        assert anchor.at(wall) == pytest.approx(t) or edge - t > MAX_SPEED * LAG_S
        assert anchor.at(wall + LAG_S) == pytest.approx(edge)
        t = anchor.at(wall)


@pytest.mark.parametrize("pace", [1.0, 60.0])
def test_even_batches_make_an_even_motion(pace):
    anchor, edge, rates = growing().follow(0.0), END, []
    for second in range(1, 30):
        edge += pace
        anchor = anchor.grow(float(second), edge)
        rates.append(anchor.rate)
    assert rates[-5:] == pytest.approx([pace] * 5, rel=0.02)


@given(programs, steps)
def test_a_growing_range_changes_nothing_of_a_playhead_that_is_behind(commands, moves):
    still = growing(t0=START + 1000.0)
    for name, wall, x in commands:
        still = COMMANDS[name](still, wall, x)
    wall = max([0.0, *(at for _, at, _ in commands)])
    if state_of(still) == "live":  # it was played at the edge
        return
    grown, edge = still, END
    for wait, by in moves:
        wall, edge = wall + wait, edge + by
        before = grown.at(wall)
        grown = grown.grow(wall, edge)
        assert grown.at(wall) == pytest.approx(before, abs=1e-5)
        assert (grown.playing, grown.speed, grown.epoch) == (still.playing, still.speed, still.epoch)
        assert grown.end == (max(edge, still.end) if still.end >= END else still.end)


def test_a_pause_of_ten_minutes_stays_where_it_was_and_goes_on_from_there():
    anchor = growing(speed=1.0).follow(0.0).pause(3.0)
    stopped = anchor.at(3.0)
    for second in range(4, 604):
        anchor = anchor.grow(float(second), END + second)
    assert (anchor.at(604.0), state_of(anchor)) == (stopped, "behind")
    assert anchor.play(604.0).at(610.0) == stopped + 6


def test_playing_up_to_the_edge_follows_it_from_there():
    now = [0.0]
    controller = ReplayController(wall=lambda: now[0])
    controller.load(kitchen(END), END - 120, edge=END - 30)
    assert (controller.end, controller.state) == (END - 30, "behind")
    controller.play()
    now[0] = 2.0
    assert controller.settle()
    assert (controller.state, controller.playing, controller.now()) == ("live", True, END - 30)
    now[0] = 3.0
    controller.extend(kitchen(END + 60), END)
    assert (controller.state, controller.now(), controller.end) == ("live", END - 30, END)
    now[0] = 3.0 + LAG_S
    assert controller.now() == pytest.approx(END)


def test_jumping_to_live_leaves_a_loop_of_a_part_and_keeps_the_chosen_speed():
    controller = ReplayController(wall=lambda: 0.0)
    controller.load(kitchen(END), START + 50, edge=END)
    controller.set_speed(10)
    controller.set_range(START + 10, START + 100)
    controller.set_loop(True)
    controller.handle_message({"verb": "follow", "epoch": 40})
    anchor = controller.anchor
    assert (anchor.start, anchor.end, anchor.loop, anchor.speed, controller.state) == (START, END, False, 10, "live")
    assert (controller.now(), anchor.epoch) == (END - LAG_S, 40)
    assert controller.to_browser()["live"] is True


def test_a_later_timeline_keeps_order_group_speed_and_what_is_known():
    controller = ReplayController(wall=lambda: 0.0)
    controller.load(kitchen(END, "b", "d"), START + 50, edge=END)
    controller.set_speed(10)
    controller.selection.select("d")
    controller.selection.gather("both", (0, 1))
    controller.extend(kitchen(END + 60, "a", "b", "c", "d"), END + 7)
    chosen = controller.selection
    assert (chosen.order, chosen.row, chosen.group.rows, chosen.group.label) == ("d", 3, (1, 3), "both")
    assert (controller.now(), controller.speed, controller.end) == (START + 50, 10, END + 7)


def test_a_click_that_was_on_its_way_when_orders_came_selects_what_was_clicked():
    controller = ReplayController(wall=lambda: 0.0)
    controller.load(kitchen(END, "b", "d"), START + 50, edge=END)
    clicked = {"row": 1, "stage": "", **{k: controller.selection.to_browser()[k] for k in ("loads",)}, "version": 90}
    controller.extend(kitchen(END + 60, "a", "b", "c", "d"), END + 7)
    controller.selection.handle_message(clicked)
    assert (controller.selection.order, controller.selection.row) == ("d", 3)
    for n in range(4):
        controller.extend(kitchen(END + 60, "a", "b", "c", "d", *"efgh"[: n + 1]), END + 8)
    controller.selection.handle_message({**clicked, "row": 0, "version": 99})
    assert controller.selection.order == "d", "a row of long ago means nothing"
