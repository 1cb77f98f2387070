"""What the pages of all kitchens share while a source grows: one edge, told once, and how old it is."""

import threading

import pytest

from tests.memory_source import MemorySource, row, table
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.replay.live_source import LiveSource

T0 = 1_760_612_400.0
"""2025-10-16 11:00 UTC."""


def orders(first: int, last: int):
    return [row(f"{n:05d}", "order_created", T0 + 20.0 * n, lat=37.79, lon=-122.39) for n in range(first, last)]


@pytest.fixture
def source() -> MemorySource:
    return MemorySource(table(orders(0, 200)))


@pytest.fixture
def hub(source: MemorySource) -> Hub:
    return Hub(source, Settings(), clock=lambda: T0 + 10 * DAY)


def test_nothing_is_followed_of_a_source_that_stands_still(hub: Hub) -> None:
    assert hub.cached(LiveSource).advance() is None


def test_the_edge_is_that_of_the_kitchen_with_the_latest_event(hub: Hub, source: MemorySource) -> None:
    wall = [100.0]
    shared = LiveSource(hub, lambda: wall[0])
    source.send(table(orders(200, 210)))
    hub.refresh()
    state = shared.advance()
    assert state is not None
    assert (state.edge, state.came, state.version) == (T0 + 209 * 20, 100.0, 1)
    wall[0] = 110.0
    assert shared.advance() is state
    source.send(table([row("late", "order_created", T0 + 15)]))
    hub.refresh()
    later = shared.advance()
    assert later is not None
    assert (later.edge, later.came, later.version) == (state.edge, 100.0, 2), "nothing newer has come"


@pytest.mark.slow
def test_who_follows_is_told_of_what_comes_and_of_what_fails(hub: Hub, source: MemorySource) -> None:
    told = threading.Event()
    shared = hub.cached(LiveSource)
    source.send(table(orders(200, 201)))
    hub.refresh()
    end = shared.follow(told.set)
    try:
        assert told.wait(20)
        assert shared.state is not None
        told.clear()
        source.send(table(orders(201, 220)))
        hub.refresh()
        assert told.wait(20)
        assert (shared.state.edge, shared.state.problem) == (T0 + 219 * 20, "")
        told.clear()
        source.failing = True
        assert told.wait(20)
        assert (shared.state.edge, shared.state.problem) == (T0 + 219 * 20, "The warehouse does not answer.")
        told.clear()
        source.failing = False
        assert told.wait(20)
        assert shared.state.problem == ""
    finally:
        end()
