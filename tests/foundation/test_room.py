"""Work that takes much memory waits for its turn: a budget that several share, in order, with a way out for who gives up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from twin.foundation.errors import CancelledError
from twin.foundation.progress import Task
from twin.foundation.room import SMALL, WAITING, Room

SOON_S = 20.0


class Work:
    """One who takes bytes in a thread until he is told to end."""

    def __init__(self, room: Room, size: float, most: float = 100) -> None:
        self.inside, self.end = threading.Event(), threading.Event()
        self.waits = threading.Event()
        self.error: Exception | None = None
        self.task = Task(lambda _share, message: self.waits.set() if message == WAITING else None)

        def run() -> None:
            try:
                with self.task.as_current(), room.taken(size, most):
                    self.inside.set()
                    assert self.end.wait(SOON_S)
            except CancelledError as error:
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def done(self) -> None:
        self.end.set()
        self.thread.join(SOON_S)
        assert not self.thread.is_alive()


@contextmanager
def works(room: Room, *sizes: float) -> Iterator[list[Work]]:
    """Who takes these bytes, each begun when the one before is in or waits."""
    begun = []
    for size in sizes:
        full = room.held + size > 100 or any(not one.inside.is_set() for one in begun)
        begun.append(Work(room, size))
        assert (begun[-1].waits if full else begun[-1].inside).wait(SOON_S)
    yield begun
    for one in begun:
        one.done()
    assert room.held == 0


def test_what_fits_goes_on_at_once_and_the_rest_in_its_order() -> None:
    with works(Room(), 60, 40, 50, 50) as (first, second, third, fourth):
        assert not third.inside.is_set()
        assert not fourth.inside.is_set()
        first.done()
        assert third.inside.wait(SOON_S)
        assert not fourth.inside.is_set()
        second.done()
        assert fourth.inside.wait(SOON_S)


def test_one_that_is_larger_than_the_budget_gets_in_alone() -> None:
    with works(Room(), 60, 300) as (first, large):
        assert not large.inside.is_set()
        first.done()
        assert large.inside.wait(SOON_S)


def test_small_work_never_waits() -> None:
    room = Room()
    with works(room, 100), room.taken(100 * SMALL, 100):
        assert room.held == 100


def test_who_gives_up_leaves_the_queue_to_the_next() -> None:
    with works(Room(), 60, 90, 40) as (first, waiting, last):
        waiting.task.cancel()
        waiting.thread.join(SOON_S)
        assert isinstance(waiting.error, CancelledError)
        assert last.inside.wait(SOON_S)
        assert not first.end.is_set()


def test_what_fails_gives_its_room_back() -> None:
    room = Room()
    with pytest.raises(ValueError, match="no"), room.taken(80, 100):
        raise ValueError("no")
    assert room.held == 0
