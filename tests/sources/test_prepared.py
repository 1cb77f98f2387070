"""Decoded rows on the disk: a second opening decodes nothing, and answers the same."""

import logging
import multiprocessing
import os
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.sources.test_growing_files import all_of, append, begin, order, row, text
from twin.foundation.disk_cache import DiskCache
from twin.foundation.settings import Settings
from twin.sources import files, prepared
from twin.sources.changing_files import ChangingFiles
from twin.sources.files import FileSource

ROWS = [
    *order("A"), *order("B", 30, "chi"), *order("B", 30 + 13 * 60, "chi"), *order("A")[:1],
    row("C", "made_up", 5), row("D", "order_created", 5), {**row("E", "order_created", 7), "body": "{"},
    row("", "delivered"), *order("L", 100)[:2], *order("L", 100 + 5 * 60)[2:],
]  # fmt: skip
"""Orders of two kitchens, an id that is used again, one that lives for hours, copies, rejects and flags."""


@pytest.fixture(autouse=True)
def even_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LEAST_BYTES", 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_folder=tmp_path / "cache")


@contextmanager
def opened(path: Path, settings: Settings) -> Iterator[FileSource]:
    with closing(FileSource(path, settings=settings)) as source:
        source._stored.result()
        yield source


def answers(path: Path, settings: Settings) -> dict[str, Any]:
    with opened(path, settings) as source:
        return all_of(source)


def stored(settings: Settings) -> list[Path]:
    return sorted(settings.cache_folder.glob(f"*{prepared.ENDING}"))


@contextmanager
def nothing_decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(files, "create_events", None)
        yield


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_second_opening_decodes_nothing_and_answers_the_same(
    tmp_path: Path, settings: Settings, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, form, ROWS)
    without = answers(path, Settings(cache_bytes=0))
    assert answers(path, settings) == without, "the first, which has stored them"
    assert len(stored(settings)) == 1
    with nothing_decoded(monkeypatch):
        assert answers(path, settings) == without
    assert len(stored(settings)) == 1


def test_nothing_is_stored_of_few_rows_or_with_the_setting(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    answers(path, Settings(cache_folder=settings.cache_folder, cache_bytes=0))
    monkeypatch.setattr(prepared, "LEAST_BYTES", 1 << 20)
    answers(path, settings)
    assert not settings.cache_folder.exists()


@pytest.mark.parametrize("change", ["longer", "same size", "touched", "replaced", "settings", "code"])
def test_whatever_has_changed_is_read_anew(
    tmp_path: Path, settings: Settings, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    answers(path, settings)
    if change == "longer":
        append(path, text(order("Z", 200), "jsonl"))
    elif change == "same size":
        path.write_text(path.read_text().replace('"A"', '"Q"'))
    elif change == "touched":
        os.utime(path, (1e9, 1e9))
    elif change == "replaced":
        other = path.with_suffix(".new")
        other.write_text(path.read_text().replace('"A"', '"R"'))
        os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        other.replace(path)
    elif change == "settings":
        settings = Settings(cache_folder=settings.cache_folder, dates="day-first")
    else:
        monkeypatch.setattr(prepared, "code", lambda: "another")
    assert answers(path, settings) == answers(path, Settings(cache_bytes=0, dates=settings.dates))
    assert len(stored(settings)) == 2


@pytest.mark.parametrize("damage", ["cut off", "one bit", "empty"])
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, settings: Settings, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    expected = answers(path, settings)
    (found,) = stored(settings)
    data = bytearray(found.read_bytes())
    data[len(data) // 2] ^= 1
    found.write_bytes({"cut off": data[:-100], "empty": b""}.get(damage, data))
    assert answers(path, settings) == expected
    with nothing_decoded(monkeypatch):
        assert answers(path, settings) == expected


@pytest.mark.parametrize("what", ["no database", "an empty database", "another's tables"])
def test_a_whole_file_that_is_not_what_it_should_be_is_no_hindrance(
    tmp_path: Path, settings: Settings, what: str
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    with opened(path, settings) as source:
        content = source.content
    (found,) = stored(settings)
    found.unlink()

    def write(to: Path) -> None:
        if what == "no database":
            to.write_bytes(b"x" * 1000)
            return
        with duckdb.connect(str(to)) as connection:
            for name in ("events", "lives", "about") if what == "another's tables" else ():
                connection.execute(f"CREATE TABLE {name} AS SELECT 1 AS text")

    assert DiskCache(settings.cache_folder, settings.cache_bytes).store(content, prepared.ENDING, write)
    assert answers(path, settings) == answers(path, Settings(cache_bytes=0))


def test_a_full_disk_only_makes_the_next_opening_slower(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    expected = answers(path, Settings(cache_bytes=0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with caplog.at_level(logging.WARNING):
            assert answers(path, settings) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "nothing is cached" in caplog.text
    assert list(settings.cache_folder.iterdir()) == []
    assert answers(path, settings) == expected
    assert len(stored(settings)) == 1


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path: Path) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    assert answers(path, Settings(cache_folder=Path("/proc/self/twin"))) == answers(path, Settings(cache_bytes=0))


def test_files_that_change_while_they_are_stored_are_not(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    store = files.Database.store

    def slowly(*arguments: Any) -> None:
        store(*arguments)
        append(path, text(order("Z", 200), "jsonl"))

    monkeypatch.setattr(files.Database, "store", slowly)
    answers(path, settings)
    assert stored(settings) == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_files_that_grow_are_read_on_from_what_is_stored(
    tmp_path: Path, settings: Settings, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(tmp_path, form, ROWS)
    answers(path, settings)
    with nothing_decoded(monkeypatch):
        source = ChangingFiles(path, settings=settings)
    source.query("ledger_orders", location="sf", from_ts=0.0, to_ts=4e9)
    assert source.content
    monkeypatch.setattr("twin.sources.changing_files.FileSource", None)
    for more in (order("X", 300), order("Y", 310, "chi")):
        append(path, text(more, form))
        assert source.refresh() is True
        assert source.content == "", "what was made of the files before is no answer any more"
        assert all_of(source) == answers(path, Settings(cache_bytes=0))
    source.close()


def open_it(path: str, folder: str, found: "multiprocessing.Queue[Any]") -> None:
    prepared.LEAST_BYTES = 0
    try:
        found.put(answers(Path(path), Settings(cache_folder=Path(folder))))
    except Exception as error:
        found.put(repr(error))


@pytest.mark.slow
def test_processes_that_race_all_answer_the_same(tmp_path: Path, settings: Settings) -> None:
    path = begin(tmp_path, "jsonl", ROWS)
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[Any] = context.Queue()
    racers = [context.Process(target=open_it, args=(str(path), str(settings.cache_folder), found)) for _ in range(3)]
    for racer in racers:
        racer.start()
    got = [found.get(timeout=120) for _ in racers]
    for racer in racers:
        racer.join(60)
    assert got == [answers(path, Settings(cache_bytes=0))] * 3
    assert stored(settings)
    assert not list(settings.cache_folder.glob("*.part"))
