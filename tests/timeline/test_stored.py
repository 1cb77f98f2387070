"""Timelines on the disk answer what those that were made of the rows do, and are made anew where they cannot be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.answers_of import answers, differences, digest
from tests.sources.test_growing_files import begin, order
from twin.foundation.disk_cache import DiskCache
from twin.foundation.settings import Settings
from twin.hub import Hub
from twin.sources import prepared
from twin.sources.changing_files import ChangingFiles
from twin.timeline import stored
from twin.timeline.timeline import Timeline

Open = Callable[[], Hub]


@pytest.fixture
def opened(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the demo as another process would."""
    monkeypatch.setattr(prepared, "LEAST_BYTES", 0)
    monkeypatch.setattr(stored, "LEAST_EVENTS", 0)
    settings = Settings(cache_folder=tmp_path / "cache")
    return lambda: Hub(ChangingFiles(demo, settings=settings), settings)


def load(hub: Hub) -> Timeline:
    timeline = hub.timeline(hub.locations[0].id)
    hub._stored._writing.submit(int).result()
    return timeline


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").glob(f"*{stored.ENDING}"))


def test_every_answer_is_the_same_and_nothing_is_made_again(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load(opened())
    assert len(files(tmp_path)) == 1
    monkeypatch.setattr(Timeline, "load", None)
    found = load(opened())
    assert differences(made, found) == []
    assert digest(answers(made)) == digest(answers(found))
    assert found.nbytes == pytest.approx(made.nbytes, rel=0.001)
    assert not found.events.ts.flags.owndata, "it is the file's memory"


def test_another_range_kitchen_or_content_is_another_timeline(opened: Open, tmp_path: Path) -> None:
    hub = opened()
    made = load(hub)
    window = made.window
    other = hub.timeline(hub.locations[0].id, window.start + 3600, window.end)
    elsewhere = hub.timeline(hub.locations[1].id, window.start, window.end)
    hub._stored._writing.submit(int).result()
    assert len(files(tmp_path)) == 3
    again = opened()
    assert differences(again.timeline(hub.locations[0].id, window.start + 3600, window.end), other) == []
    assert differences(again.timeline(hub.locations[1].id, window.start, window.end), elsewhere) == []


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut off", "one bit", "another's"])
def test_a_damaged_file_is_made_anew(
    opened: Open, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = opened()
    made = load(hub)
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut off": data[:-50]}.get(damage, data))
    if damage == "another's":  # whole, but not what it should be
        key = hub._stored._key(made.location, made.window)
        assert DiskCache(tmp_path / "cache", 1 << 30).store(key, stored.ENDING, lambda to: to.write_bytes(b"x" * 100))
    assert differences(made, load(opened())) == []
    if damage != "another's":
        monkeypatch.setattr(Timeline, "load", None)
        assert differences(made, load(opened())) == []


def test_a_kitchen_without_a_place_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its positions count from the middle of its customers, and nothing of it is drawn."""
    monkeypatch.setattr(prepared, "LEAST_BYTES", 0)
    monkeypatch.setattr(stored, "LEAST_EVENTS", 0)
    rows = [one for one in order("A") + order("B", 30) if one["event_type"] in ("order_created", "delivered")]
    path = begin(tmp_path, "jsonl", rows)
    settings = Settings(cache_folder=tmp_path / "cache")
    made, found = (load(Hub(ChangingFiles(path, settings=settings), settings)) for _ in range(2))
    assert len(files(tmp_path)) == 1
    assert made.origin == found.origin
    assert differences(made, found) == []


def test_shapes_come_back_as_they_were() -> None:
    cells: list[Any] = []
    given = (
        np.array([[1.5, np.nan], [np.inf, -0.0]]),
        np.array([True, False]),
        np.empty(0, np.int32),
        ("a", "é"),
        2.5,
        None,
    )
    back = stored._taken(stored._put(given, cells), cells)
    assert digest(list(back)) == digest(list(given))
    assert [getattr(one, "dtype", None) for one in back] == [getattr(one, "dtype", None) for one in given]
