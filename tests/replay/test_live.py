"""What the sessions of a live kitchen share: one timeline for all, late rows counted, a failing source said."""

import threading

import pytest

from tests.memory_source import MemorySource, row, table
from twin.analysis.baseline import Baseline
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.replay.clock import LAG_S
from twin.replay.controller import ReplayController
from twin.replay.live import LiveKitchens, grows

pytestmark = pytest.mark.slow

T0 = 1_760_612_400.0
"""2025-10-16 11:00 UTC, a Thursday."""


def orders(first: int, last: int, every: float = 20.0, t0: float = T0):
    return [row(f"{n:05d}", "order_created", t0 + every * n, lat=37.79, lon=-122.39) for n in range(first, last)]


def until(told: threading.Event, met):
    """Wait until something is the case, which is looked at whenever one is told."""
    while not met():
        assert told.wait(20)
        told.clear()


@pytest.fixture
def source() -> MemorySource:
    return MemorySource(table(orders(0, 200)))


@pytest.fixture
def asked() -> list[float]:
    """The ends of the timelines for which the source was asked what is usual."""
    return []


@pytest.fixture
def hub(source: MemorySource, asked: list[float], monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub(source, Settings(final_after_s=60.0), clock=lambda: T0 + 10 * DAY)

    def baseline(timeline):
        asked.append(timeline.window.end)
        return Baseline.none(), ()

    monkeypatch.setattr(made, "_read_baseline", baseline)
    return made


def test_a_source_grows_once_it_has_grown_or_if_it_is_of_today(hub, source):
    now = T0 + 10 * DAY
    assert not grows(hub, "sf", now)
    assert grows(hub, "sf", T0 + 200 * 20.0 + 60)
    source.as_of = None
    assert not grows(hub, "sf", T0 + 200 * 20.0 + 60)
    source.as_of = 1.0
    source.send(table(orders(200, 201)))
    hub.refresh()
    assert grows(hub, "sf", now)


def test_late_rows_are_those_before_what_was_final_and_each_counts_once(hub, source):
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    first = kitchen.advance()
    assert (first.edge, first.final, first.late) == (T0 + 199 * 20, T0 + 199 * 20 - 60, 0)
    assert kitchen.advance() is first
    source.send(
        table([*orders(200, 210), row("late", "order_created", T0 + 15), row("soon", "order_created", first.edge - 30)])
    )
    hub.refresh()
    then = kitchen.advance()
    assert (then.edge, then.late) == (T0 + 209 * 20, 1)
    source.send(table([row("00003", "order_created", T0 + 60), row("later", "order_created", T0 + 25)]))
    hub.refresh()
    assert kitchen.advance().late == 2, "a copy is no late event"


def test_the_age_counts_from_the_last_event_not_from_the_last_look(hub, source):
    wall = [100.0]
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    kitchen._wall = lambda: wall[0]
    assert kitchen.advance().came == 100.0
    wall[0] = 110.0
    source.send(table([row("late", "order_created", T0 + 15)]))
    hub.refresh()
    assert kitchen.advance().came == 100.0
    source.send(table(orders(200, 201)))
    hub.refresh()
    assert kitchen.advance().came == 110.0


def test_a_demonstration_at_sixty_times_life_has_that_pace(hub, source):
    wall = [0.0]
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    kitchen._wall = lambda: wall[0]
    kitchen.advance()
    for n in range(200, 260, 3):
        wall[0] += 1.0
        source.send(table(orders(n, n + 3)))
        hub.refresh()
        pace = kitchen.advance().pace
    assert pace == pytest.approx(60.0)


def test_all_who_follow_are_given_one_timeline_and_told_when_there_is_a_newer_one(hub, source):
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    told = [threading.Event() for _ in range(50)]
    ends = [kitchen.follow(event.set) for event in told]
    until(told[0], lambda: kitchen.state is not None and kitchen.state.insights is not None)
    read, before = source.windows_read, kitchen.state.timeline
    for event in told[1:]:
        event.clear()
    source.send(table(orders(200, 205)))
    until(told[0], lambda: kitchen.state.timeline is not before)
    assert all(event.wait(20) for event in told[1:])
    assert kitchen.state.timeline is hub.newest("sf")
    assert source.windows_read <= read + 1
    for end in ends:
        end()
    thread = kitchen._thread
    assert thread is None or not thread.join(20)
    assert kitchen.kept is None


def test_a_failing_source_is_said_and_what_was_read_stays(hub, source):
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    first = kitchen.advance()
    source.failing = True
    told = threading.Event()
    end = kitchen.follow(told.set)
    until(told, lambda: kitchen.state.problem)
    assert kitchen.state.problem == "The warehouse does not answer."
    assert kitchen.state.timeline is first.timeline
    source.failing = False
    source.send(table(orders(200, 201)))
    hub.refresh()
    until(told, lambda: not kitchen.state.problem)
    end()


def test_what_is_usual_is_not_asked_for_with_every_batch(hub, source, asked):
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    kitchen.advance()
    kitchen.learn()
    assert len(asked) == 1
    for n in range(200, 204):
        source.send(table(orders(n, n + 1)))
        hub.refresh()
        kitchen.advance()
        kitchen.learn()
        assert kitchen.state.insights.timeline is kitchen.state.timeline
    assert len(asked) == 1


@pytest.mark.parametrize("playing", [False, True])
def test_ten_minutes_of_pause_and_then_playing_goes_on_where_it_was(hub, source, playing):
    """What comes in meanwhile makes the range longer, and is not shown before it is played."""
    wall = [1000.0]
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    controller = ReplayController(wall=lambda: wall[0])
    state = kitchen.advance()
    controller.load(state.timeline, state.edge, state.edge)
    controller.set_speed(1)
    controller.follow()
    if playing:  # it is behind already
        controller.seek(state.edge - 1800)
        controller.play()
    wall[0] += 5
    controller.pause()
    stood = controller.now()
    assert controller.state == "behind"
    for n in range(30):  # every 20 s for ten minutes
        wall[0] += 20
        source.send(table(orders(200 + n, 201 + n)))
        hub.refresh()
        state = kitchen.advance()
        controller.extend(state.timeline, state.edge)
        assert (controller.now(), controller.state) == (stood, "behind")
    controller.play()
    assert controller.now() == stood
    wall[0] += 60
    assert controller.now() == stood + 60
    assert (controller.state, controller.end) == ("behind", state.edge)
    controller.follow()
    assert (controller.now(), controller.state) == (state.edge - LAG_S, "live")
