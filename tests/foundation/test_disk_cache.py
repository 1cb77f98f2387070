"""Files on the disk that processes share: whole or not there, never half, never too many, never another's."""

import errno
import os
import time
from pathlib import Path

import pytest

from tests.racing import Wrong, race
from twin.foundation.disk_cache import ABANDONED_S, PART, DiskCache

MOST = 1 << 20


def put(cache: DiskCache, key: object, text: str) -> Path | None:
    return cache.store(key, ".txt", lambda path: path.write_text(text))


def test_what_was_stored_is_found_by_whoever_comes_next(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "by it"
    assert DiskCache(folder, MOST).find("a", ".txt") is None
    stored = put(DiskCache(folder, MOST), ("a", 1), "one")
    assert stored is not None
    assert DiskCache(folder, MOST).find(("a", 1), ".txt") == stored
    assert stored.read_text() == "one"
    assert DiskCache(folder, MOST).find(("a", 2), ".txt") is None
    assert DiskCache(folder, MOST).find(("a", 1), ".other") is None
    assert set(stored.stem) <= set("0123456789abcdef-"), "a name says nothing of the key"
    assert (folder.stat().st_mode & 0o777, stored.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("damage", ["cut off", "one bit", "empty", "another's"])
def test_what_the_disk_has_damaged_counts_as_missing_and_is_made_anew(tmp_path: Path, damage: str) -> None:
    cache = DiskCache(tmp_path, MOST)
    stored = put(cache, "a", "x" * 1000)
    assert stored is not None
    data = bytearray(stored.read_bytes())
    data[500] ^= 1
    stored.write_bytes({"cut off": data[:500], "one bit": data, "empty": b"", "another's": b"y" * 1000}[damage])
    assert cache.find("a", ".txt") is None
    assert put(cache, "a", "x" * 1000) == stored
    assert cache.find("a", ".txt") == stored


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 250)
    for number, key in enumerate("abc"):
        stored = put(cache, key, key * 80)
        assert stored is not None
        os.utime(stored, (time.time() - 100 + number,) * 2)
    assert cache.find("a", ".txt") is not None  # now the latest
    put(cache, "d", "d" * 80)
    assert [key for key in "abcd" if cache.find(key, ".txt")] == ["a", "c", "d"]
    assert put(cache, "e", "e" * 251) is None, "one that would push all others out"
    assert [key for key in "abcd" if cache.find(key, ".txt")] == ["a", "c", "d"]


def test_without_room_nothing_is_stored_or_found(tmp_path: Path) -> None:
    assert put(DiskCache(tmp_path, MOST), "a", "x") is not None
    assert DiskCache(tmp_path, 0).find("a", ".txt") is None
    assert put(DiskCache(tmp_path, 0), "b", "x") is None
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cache = DiskCache(tmp_path, MOST)
    assert cache.store("a", ".txt", full) is None
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_what_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert put(DiskCache(Path("/proc/self/twin"), MOST), "a", "x") is None
    stored = put(DiskCache(tmp_path, MOST), "a", "x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("pathlib.Path.touch", "pathlib.Path.mkdir", "os.replace", "tempfile.TemporaryDirectory"):
        monkeypatch.setattr(name, refuse)
    assert DiskCache(tmp_path, MOST).find("a", ".txt") == stored
    assert put(DiskCache(tmp_path, MOST), "b", "x") is None


def test_a_folder_in_which_others_can_write_is_not_believed(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, MOST)
    put(cache, "a", "x")
    tmp_path.chmod(0o777)
    assert cache.find("a", ".txt") is None
    assert put(cache, "b", "x") is None


def test_what_a_process_left_half_done_goes_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / f"old{PART}", tmp_path / f"new{PART}"
    for left in (old, new):
        left.mkdir()
        (left / "file").write_text("half")
    os.utime(old, (time.time() - ABANDONED_S - 60,) * 2)
    put(DiskCache(tmp_path, MOST), "a", "x")
    assert not old.exists()
    assert new.exists()


def racer(folder: str, wrong: Wrong) -> None:
    cache = DiskCache(Path(folder), 30_000)
    try:
        for turn in range(40):
            key = turn % 5
            found = cache.find(key, ".txt")
            text = found and found.read_text()
            if text not in (None, str(key) * 9000):
                wrong.put(f"{key}: {text!r:.40}")
            put(cache, key, str(key) * 9000)
    except FileNotFoundError:  # between being found and being read, another has made room
        racer(folder, wrong)
    except Exception as error:
        wrong.put(repr(error))


@pytest.mark.slow
def test_processes_that_race_read_whole_files(tmp_path: Path) -> None:
    race(racer, tmp_path, 2, 30_000)
