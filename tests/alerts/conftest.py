"""What the tests of alerts share: a store on the disk, and the clock that it goes by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.alerts.store import Store


class Clock:
    """A wall clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'alerts.db'}", clock)
    yield opened
    opened.close()
