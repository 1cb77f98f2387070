"""Whoever writes to the files of a source is noticed, whatever the file system tells."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from tests.sources.test_growing_files import append, begin, order, text
from twin.foundation.settings import Settings
from twin.server import noticing
from twin.server.noticing import Watch
from twin.server.process import process

pytestmark = pytest.mark.slow

MOUNTS = "36 25 {device} / {path} rw,relatime - {kind} somewhere rw\n"


class Bell:
    """Counts how often it is rung, and waits for the next time."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        self.rung.set()

    def rings(self, after: Callable[[], object]) -> bool:
        """Return whether it rings within a while after something is done."""
        self.rung.clear()
        after()
        return self.rung.wait(20)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def watch(tmp_path: Path, bell: Bell) -> Iterator[Watch]:
    (tmp_path / "source").mkdir()
    watch = Watch([str(tmp_path / "source")], bell, poll_s=0.05)
    assert bell.rings(lambda: _until_watched(tmp_path / "source" / "first.jsonl", bell))
    time.sleep(2 * noticing.GATHER_MS / 1000)  # what was gathered of the first change
    yield watch
    watch.close()
    watch._thread.join(10)
    assert not watch._thread.is_alive()


def _until_watched(path: Path, bell: Bell) -> None:
    """Change a file until that is noticed: a thread begins to watch when it comes to it."""
    for _ in range(200):
        append(path, "\n")
        if bell.rung.wait(0.1):
            return


def test_a_change_in_a_folder_is_noticed_and_one_of_a_hidden_file_is_not(
    tmp_path: Path, bell: Bell, watch: Watch
) -> None:
    assert not watch.polls
    folder = tmp_path / "source"
    assert bell.rings(lambda: append(folder / "first.jsonl", "more\n"))
    (folder / "below").mkdir()
    assert bell.rings(lambda: append(folder / "below" / "new.csv", "a\n"))
    time.sleep(2 * noticing.GATHER_MS / 1000)
    bell.rung.clear()
    append(folder / ".inbox-lock", "x")
    append(tmp_path / "beside.csv", "x")
    assert not bell.rung.wait(0.5)


def test_a_file_is_watched_with_whatever_takes_its_place(tmp_path: Path, bell: Bell) -> None:
    path = begin(tmp_path, "jsonl", order("A"))
    watch = Watch([str(path)], bell, poll_s=0.05)
    assert bell.rings(lambda: _until_watched(path, bell))
    assert bell.rings(lambda: begin(tmp_path, "jsonl", order("B"), ".new").replace(path))
    watch.close()


def test_a_folder_that_comes_later_is_watched(tmp_path: Path, bell: Bell) -> None:
    watch = Watch([str(tmp_path / "later")], bell, poll_s=0.05)
    assert bell.rung.wait(20), "until then it is looked now and then"
    (tmp_path / "later").mkdir()
    assert bell.rings(lambda: _until_watched(tmp_path / "later" / "first.jsonl", bell))
    watch.close()


@pytest.mark.parametrize(("kind", "polls"), [("nfs4", True), ("fuse.s3fs", True), ("ext4", False)])
def test_where_the_file_system_says_nothing_it_is_looked_now_and_then(
    tmp_path: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, kind: str, polls: bool
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / ".mounts"
    mounts.write_text(
        MOUNTS.format(device="0:1", path="/proc", kind="proc")
        + MOUNTS.format(device=f"{device >> 8 & 0xFFF}:{device & 0xFF}", path=tmp_path, kind=kind)
    )
    monkeypatch.setattr(noticing, "MOUNTS", mounts)
    assert noticing.is_silent(str(tmp_path)) is polls
    if polls:
        watch = Watch([str(tmp_path)], bell, poll_s=0.01)
        assert bell.rings(lambda: None)
        watch.close()


def test_without_watches_it_says_so_once_and_polls(
    tmp_path: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    watch = Watch([str(tmp_path)], bell, poll_s=0.01)
    assert bell.rings(lambda: None)
    assert bell.rings(lambda: None)
    watch.close()
    assert len([one for one in caplog.messages if "inotify limit reached" in one]) == 1


def test_the_served_source_has_what_was_written_without_anybody_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("twin.server.process.REST", 0.0)
    path = begin(tmp_path, "jsonl", order("A"))
    process.use(None)
    process.configure(Settings(source=str(tmp_path)))
    try:
        hub = process.hub()
        changed = threading.Event()
        hub.on_change(changed.set)
        while not changed.wait(0.2):  # until it is watched
            append(path, "\n")
        changed.clear()
        append(path, text(order("B", 60), "jsonl"))
        assert changed.wait(20)
        deadline = time.monotonic() + 20
        while hub.quality().read < 12 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (hub.quality().read, hub.locations[0].orders, hub.stale) == (12, 2, "")
        path.unlink()
        while not hub.stale and time.monotonic() < deadline:
            time.sleep(0.05)
        assert hub.stale, "it is said, and what was read stays"
        assert "new events cannot be read" in caplog.text
        assert hub.quality().read == 12
        watch = process._watch
    finally:
        process.use(None)
    assert watch is not None
    watch._thread.join(10)
    assert not watch._thread.is_alive()
