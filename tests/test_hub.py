"""The engine under many hands: what is loaded is loaded once, and what fails fails once, for all who waited."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import twin.hub as hub_module
from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.hub import Hub, open_source
from twin.sources import window_sizes
from twin.sources.base import Volume, Window
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

READERS = 6


class Gated(FileSource):
    """A source whose windows are answered, or fail, when the gate opens."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = threading.Event()
        self.reading = threading.Event()
        self.failing = False
        self.reads = 0

    def window(self, location: str, start: float, end: float) -> pa.Table:
        self.reads += 1
        self.reading.set()
        assert self.gate.wait(20)
        if self.failing:
            raise SourceError("The warehouse does not answer.")
        return super().window(location, start, end)


@pytest.fixture
def source(tmp_path: Path) -> Gated:
    return Gated(write_csv(tmp_path / "events.csv", ROWS))


def all_at_once(hub: Hub, source: Gated) -> list[Any]:
    """What each of six readers gets who want the same timeline while it is being read."""
    got: list[Any] = []

    def read() -> None:
        try:
            got.append(hub.timeline("sf"))
        except SourceError as error:
            got.append(str(error))

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    readers[0].start()
    assert source.reading.wait(20)
    for reader in readers[1:]:
        reader.start()
    threading.Event().wait(0.2)  # long enough for all of them to wait for the first
    source.gate.set()
    for reader in readers:
        reader.join(20)
    return got


def test_a_timeline_is_read_once_for_all_who_want_it(source: Gated) -> None:
    hub = Hub(source)
    got = all_at_once(hub, source)
    assert len(got) == READERS
    assert all(isinstance(one, Timeline) and one is got[0] for one in got)
    assert source.reads == 1


def test_a_load_that_fails_fails_once_for_all_who_waited_and_the_next_one_succeeds(source: Gated) -> None:
    hub = Hub(source)
    source.failing = True
    got = all_at_once(hub, source)
    assert got == ["The warehouse does not answer."] * READERS
    assert source.reads == 1, "ten viewers must not ask a broken warehouse ten times"
    source.failing = False
    assert isinstance(hub.timeline("sf"), Timeline)


def test_a_timeline_larger_than_all_that_may_be_held_is_held_alone(
    source: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.hub.TIMELINE_BYTES", 10)
    source.gate.set()
    hub = Hub(source)
    first = hub.timeline("sf")
    assert hub.timeline("sf") is first
    hub.timeline("sf", "2025-10-13", "2025-10-14")
    assert hub.kept("sf") is None


def test_of_two_centuries_only_the_days_with_data_are_left(source: Gated) -> None:
    hub = Hub(source)
    place, latest = hub.location("sf"), hub.last_hours("sf")
    window = hub.within("sf", "1900-01-01", "2100-01-01")
    assert window is not None
    assert window == hub.reach("sf")
    assert window.start == min((place.start - place.start % DAY), latest.start)
    assert window.end == max((place.end - place.end % DAY) + DAY, latest.end)


def test_what_is_within_the_data_stays_as_it_is_the_default_range_included(source: Gated) -> None:
    hub = Hub(source)
    place = hub.location("sf")
    for start, end in [(place.start, place.end), (place.end - 60, place.end + 60), hub_range(hub)]:
        assert hub.within("sf", start, end) == Window(start, end)


def hub_range(hub: Hub) -> tuple[float, float]:
    latest = hub.last_hours("sf")
    return latest.start, latest.end


def test_of_a_range_beside_the_data_nothing_is_left(source: Gated) -> None:
    hub = Hub(source)
    reach = hub.reach("sf")
    assert hub.within("sf", "1900-01-01", reach.start) is None
    assert hub.within("sf", reach.end, "2100-01-01") is None
    with pytest.raises(ValueError, match="must end after it starts"):
        hub.within("sf", reach.end, reach.start)


def test_whoever_opens_a_source_is_told_what_nobody_foresaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.sources.file_sorter.FileSorter.sort_out", lambda *_: 1 // 0)
    path = write_csv(tmp_path / "e.csv", ROWS)
    with pytest.raises(
        SourceError, match=r"e\.csv cannot be opened, for a reason that nobody foresaw \(ZeroDivisionError\)"
    ):
        open_source(path, Settings())


def test_large_ranges_are_loaded_within_one_budget_and_small_ones_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two whose memory together is more than half of the process's: the second waits, and a third, small one does not."""
    source = Gated(write_csv(tmp_path / "events.csv", ROWS))
    hub, place = Hub(source, Settings(memory_bytes=1 << 30)), source.locations()[0]
    size = {"large": 400 << 20, "small": 1 << 20}
    monkeypatch.setattr(
        window_sizes,
        "expected",
        lambda _volume, window: window_sizes.Size(0, size["small" if window.end % 2 else "large"]),
    )
    end = place.end + 2 - place.end % 2
    read = [
        threading.Thread(target=hub.timeline, args=("sf", place.start, end + more), daemon=True) for more in (0, 2, 1)
    ]
    read[0].start()
    assert source.reading.wait(20)
    read[1].start()
    while len(hub_module.LOADING._queue) < 1:
        time.sleep(0.01)
    source.reading.clear()
    read[2].start()
    assert source.reading.wait(20), "a small range waits for large ones"
    assert source.reads == 2
    assert hub_module.LOADING.held == size["large"]
    source.gate.set()
    for one in read:
        one.join(20)
    assert source.reads == 3
    assert hub_module.LOADING.held == 0


def test_what_a_range_takes_is_expected_by_its_orders() -> None:
    hours = np.arange(100.0) * 3600
    volume = Volume(hours, np.full(100, 10))
    size = window_sizes.expected(volume, Window(50 * 3600, 60 * 3600))
    assert size == window_sizes.Size.guessed(46 * 10 * window_sizes.EVENTS_OF_ORDER)
