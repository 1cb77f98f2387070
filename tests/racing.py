"""Processes that do the same to one folder at the same time."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from twin.foundation.disk_cache import PART

Wrong: TypeAlias = "multiprocessing.Queue[str]"
"""Where a racer puts what it found wrong."""


def race(racer: Callable[[str, Wrong], None], folder: Path, number: int, most_bytes: int) -> None:
    """Run `racer(folder, wrong)` in so many processes; nothing may be wrong, half done or too much afterwards."""
    context = multiprocessing.get_context("spawn")
    wrong: multiprocessing.Queue[str] = context.Queue()
    racers = [context.Process(target=racer, args=(str(folder), wrong)) for _ in range(number)]
    for one in racers:
        one.start()
    for one in racers:
        one.join(120)
        assert one.exitcode == 0
    assert wrong.empty(), wrong.get()
    assert not list(folder.glob(f"*{PART}"))
    assert sum(file.stat().st_size for file in folder.iterdir()) <= most_bytes
