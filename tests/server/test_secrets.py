"""The secret of an installation: made once, whole, private."""

import logging
import multiprocessing
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.foundation.errors import ConfigError
from twin.server import secrets
from twin.server.secrets import COOKIES, FILE, SESSIONS, key


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    yield
    secrets.key.cache_clear()
    secrets._secret.cache_clear()


def forget() -> None:
    secrets.key.cache_clear()
    secrets._secret.cache_clear()


def test_the_first_start_makes_a_secret_that_its_owner_alone_can_read_and_says_where(tmp_path: Path, caplog) -> None:
    folder = tmp_path / "state" / "twin"
    os.umask(before := os.umask(0))  # whatever the umask
    with caplog.at_level(logging.INFO):
        made = key(folder, SESSIONS)
    os.umask(before)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == [FILE], "nothing half written is left"
    assert str(folder / FILE) in caplog.text
    for confidential in (made.decode(), (folder / FILE).read_text()):
        assert confidential not in caplog.text


def test_a_later_start_has_the_same_keys_and_each_purpose_its_own(tmp_path: Path) -> None:
    first = key(tmp_path, SESSIONS), key(tmp_path, COOKIES)
    forget()
    assert (key(tmp_path, SESSIONS), key(tmp_path, COOKIES)) == first
    assert len({*first, (tmp_path / FILE).read_bytes()}) == 3
    assert key(tmp_path / "other", SESSIONS) not in first


def _start(folder: Path, queue: "multiprocessing.Queue[bytes]") -> None:
    queue.put(key(folder, SESSIONS))


@pytest.mark.slow
def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    started = [context.Process(target=_start, args=(tmp_path / "s", queue)) for _ in range(12)]
    for one in started:
        one.start()
    keys = {queue.get(timeout=60) for _ in started}
    for one in started:
        one.join(60)
    assert len(keys) == 1
    assert [file.name for file in (tmp_path / "s").iterdir()] == [FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    key(tmp_path, SESSIONS)
    (tmp_path / FILE).chmod(mode)
    forget()
    with pytest.raises(ConfigError, match="chmod 600"):
        key(tmp_path, SESSIONS)


def test_a_torn_secret_a_link_and_a_folder_are_refused(tmp_path: Path) -> None:
    for name, spoil in {
        "torn": lambda file: file.write_text("abc"),
        "link": lambda file: file.symlink_to("/etc/hostname"),
        "folder": lambda file: file.mkdir(mode=0o700),
    }.items():
        (tmp_path / name).mkdir()
        spoil(tmp_path / name / FILE)
        (tmp_path / name / FILE).chmod(0o600) if name == "torn" else None
        with pytest.raises(ConfigError):
            key(tmp_path / name, SESSIONS)


def test_where_nothing_can_be_written_the_secret_lasts_as_long_as_the_process(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "below"  # not even root can make this folder
    assert key(folder, SESSIONS) == key(folder, SESSIONS)
    assert len(key(folder, SESSIONS)) == 64
    assert "TWIN_SECRETS" in caplog.text
