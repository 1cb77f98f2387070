"""Kept chunks under a race: processes that share the folder, and threads that want the same."""

import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from tests.racing import Wrong, race
from twin.foundation.errors import SourceError
from twin.sources.table_cache import TableCache

KEYS, ROUNDS, MOST_BYTES = 6, 40, 60_000


def table(key: int) -> pa.Table:
    return pa.table({"key": [key] * 20_000, "row": range(20_000)})


def racer(folder: str, wrong: Wrong) -> None:
    """Read and write the same few chunks again and again, with hardly room for two of them."""
    chunks = TableCache("race", Path(folder), MOST_BYTES)
    try:
        for turn in range(ROUNDS):
            key = turn % KEYS
            got = chunks.get(key, lambda key=key: table(key), keep=True)
            if got["key"][0].as_py() != key or got.num_rows != 20_000:
                wrong.put(f"{key}: {got.num_rows} rows of {got['key'][0]}")
    except Exception as error:
        wrong.put(repr(error))


@pytest.mark.slow
def test_processes_that_race_for_the_same_chunks_all_read_whole_ones(tmp_path: Path) -> None:
    race(racer, tmp_path, 3, MOST_BYTES)


def test_without_room_nothing_of_others_is_read_either(tmp_path: Path) -> None:
    """Somebody who reads with his own rights shares a disk with the app, which may read more."""
    of_the_app, of_a_user = TableCache("one", tmp_path, 1 << 20), TableCache("one", tmp_path, 0)
    of_the_app.get("day", lambda: table(1), keep=True)
    assert of_a_user.get("day", lambda: table(2), keep=True)["key"][0].as_py() == 2
    assert of_the_app.get("day", lambda: table(3), keep=True)["key"][0].as_py() == 1


def test_threads_that_want_the_same_chunk_wait_for_one(tmp_path: Path) -> None:
    chunks, made = TableCache("one", tmp_path, 1 << 20), []

    def make() -> pa.Table:
        made.append(1)
        time.sleep(0.2)
        return table(1)

    got: list[pa.Table] = []
    threads = [threading.Thread(target=lambda: got.append(chunks.get("k", make, keep=True))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert all(one.equals(got[0]) for one in got)


def test_a_day_that_could_not_be_fetched_fails_once_for_all_and_is_fetched_at_the_next_call(tmp_path: Path) -> None:
    chunks, tries = TableCache("one", tmp_path, 1 << 20), []
    inside, go_on = threading.Event(), threading.Event()

    def fail() -> pa.Table:
        tries.append(1)
        inside.set()
        assert go_on.wait(20)
        raise SourceError("The warehouse does not answer.")

    def ask() -> None:
        try:
            chunks.get("k", fail, keep=True)
        except SourceError as error:
            errors.append(str(error))

    errors: list[str] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert inside.wait(20)
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.2)  # long enough for them to wait for the first
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert errors == ["The warehouse does not answer."] * 4
    assert len(tries) == 1
    assert chunks.get("k", lambda: table(1), keep=True).equals(table(1))
