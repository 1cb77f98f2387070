"""How much memory there is: control groups of both versions, in made-up file systems."""

import gc
import os
import threading
import time
import weakref
from pathlib import Path

import pytest

from twin.foundation import memory
from twin.foundation.errors import ConfigError
from twin.foundation.settings import Settings

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def available(folder: Path, groups: str, limits: dict[str, str]) -> int:
    """Return what `memory.available` finds where the process is in `groups` and the files of `limits` are mounted."""
    process, mounted = folder / "cgroup", folder / "mounted"
    process.write_text(groups)
    for name, limit in limits.items():
        (mounted / name).parent.mkdir(parents=True, exist_ok=True)
        (mounted / name).write_text(f"{limit}\n")
    return memory.available(process, mounted)


@pytest.mark.parametrize(
    ("groups", "limits", "least"),
    [
        (
            "0::/app/web\n",
            {"memory.max": "max", "app/memory.max": "300000000", "app/web/memory.max": "max"},
            300_000_000,
        ),
        ("0::/app/web\n", {"app/memory.max": "300000000", "app/web/memory.max": "200000000"}, 200_000_000),
        ("0::/\n", {"memory.max": "400000000"}, 400_000_000),
        ("0::/../outside\n", {"memory.max": "400000000"}, 400_000_000),
        ("5:cpu:/x\n4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "500000000"}, 500_000_000),
        ("4:memory:/not/mounted\n0::/\n", {"memory/memory.limit_in_bytes": "500000000"}, 500_000_000),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("", {}, MACHINE),
    ],
)
def test_the_least_limit_of_all_groups_and_the_machine_counts(
    tmp_path: Path, groups: str, limits: dict[str, str], least: int
) -> None:
    assert available(tmp_path, groups, limits) == min(least, MACHINE)


def test_a_process_of_its_own_takes_less_than_there_is() -> None:
    assert 0 < memory.resident() < memory.available()
    assert Settings().memory_bytes == int(memory.available() * memory.USUAL_SHARE)


@pytest.mark.parametrize("text", ["6", "6 bananas", "-1GB", "1e3MB", "10MB", "GB", "nan GB"])
def test_a_size_without_a_unit_or_too_small_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="TWIN_MEMORY"):
        Settings.from_environment({"TWIN_MEMORY": text})


def test_limits_are_read_with_their_units() -> None:
    settings = Settings.from_environment(
        {"TWIN_MEMORY": "1.5GB", "TWIN_MAX_DECODED": "800 MB", "TWIN_MAX_ROWS": "1000", "TWIN_MAX_FILES": "10",
         "TWIN_MAX_LOCATIONS": "5"}
    )  # fmt: skip
    assert (settings.memory_bytes, settings.max_decoded_bytes) == (3 << 29, 800 << 20)
    assert (settings.max_rows, settings.max_files, settings.max_locations) == (1000, 10, 5)


def test_what_nothing_uses_any_more_goes_back_to_the_system() -> None:
    """The C library keeps all that lies below something that is still used: here one block in a hundred."""
    blocks = [bytes(100_000) for _ in range(1000)]
    full = memory.resident()
    kept = blocks[::100]
    blocks.clear()
    memory.release()
    assert memory.resident() < full - 50_000_000
    assert len(kept) == 10


def test_what_is_there_is_kept_and_what_comes_later_collected() -> None:
    class Thing:
        """One that nothing but itself refers to, later."""

    def made() -> weakref.ref[Thing]:
        thing = Thing()
        thing.itself = thing  # type: ignore[attr-defined]
        return weakref.ref(thing)

    try:
        gc.disable()
        there = made()
        memory.keep()
        assert gc.isenabled()
        later = made()
        gc.collect()
        assert there() is not None
        assert later() is None
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_process_that_has_grown_gives_back_what_is_freed_meanwhile() -> None:
    stopped = threading.Event()
    watch = threading.Thread(target=memory.release_as_it_grows, args=(stopped, 0.05))
    watch.start()
    try:
        blocks = [bytes(100_000) for _ in range(1000)]
        full = memory.resident()
        kept = blocks[::100]
        blocks.clear()
        deadline = time.monotonic() + 30
        while memory.resident() > full - 40_000_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert memory.resident() < full - 40_000_000
        assert len(kept) == 10
    finally:
        stopped.set()
        watch.join()
