"""How much memory a process may take: what its control group allows, else what the machine has.

A container is ended by the kernel when it takes more than its control group allows, whatever the machine has, so that limit is
what counts.
"""

import ctypes
import gc
import os
import re
import threading
from functools import cache
from pathlib import Path

import pyarrow as pa

USUAL_SHARE = 0.75
"""Share of the memory there is that a process takes at most; the rest is for the system and for what cannot be counted."""
PAGE = os.sysconf("SC_PAGE_SIZE")
"""Bytes of a memory page."""
LOOK_S, GROWN_BYTES, TRIES = 5.0, 16 << 20, 3
"""Seconds between two looks at how much the process has, bytes by which it has grown when memory is given back, and at how many
looks afterwards that is done again."""
_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


@cache
def usual() -> int:
    """Return the bytes that this process takes at most where no setting says otherwise."""
    return int(available() * USUAL_SHARE)


def available(process: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes of memory that there are for the process: the least of its control groups' limits and the machine's.

    Both versions of control groups are read: `memory.max` (2) and `memory.limit_in_bytes` (1), of the group and those above it.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * PAGE]
    for line in _text(process).splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            root, name = mounted, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = mounted / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = root / group.lstrip("/")
        while True:  # in a container the group's own path may not be mounted, but the root is then its own
            if (limit := _text(folder / name).strip()).isdecimal():
                limits.append(int(limit))
            if folder == root or root not in folder.parents:
                break
            folder = folder.parent
    return min(limits)


def resident() -> int:
    """Return the bytes of memory that the process has now; 0 where the system does not say."""
    fields = _text(Path("/proc/self/statm")).split()
    return int(fields[1]) * PAGE if fields else 0


def release() -> None:
    """Give memory back to the system that nothing uses any more; call it once what took much of it is done.

    Arrow and the C library keep what is freed, for the next who wants some. That takes some 10 ms, in which others go on.
    """
    pa.default_memory_pool().release_unused()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # glibc has it
        trim(0)


def release_as_it_grows(stopped: threading.Event, look_s: float = LOOK_S) -> None:
    """Call `release` when the process has grown by `GROWN_BYTES`, and for a while after, until `stopped` is set.

    Run it in a thread of its own. Loading a kitchen, its streets and its tiles takes ten times what stays of it. That it is freed
    cannot be seen from outside, so it is tried at the next `TRIES` looks, too.
    """
    least, tries = resident(), 0
    while not stopped.wait(look_s):
        now = resident()
        if now > least + GROWN_BYTES:
            tries = 1 + TRIES
        if tries:
            release()
            tries -= 1
            least = resident()
        else:
            least = min(least, now)


def keep() -> None:
    """Have the garbage collector go on, without what there is now: what is imported stays as long as the process.

    Looking through half a million such objects takes 0.3 s, every few dozen sessions. Call it before anything is opened that
    may be let go of: what refers to itself would never be.
    """
    gc.freeze()
    gc.enable()


def parse(text: str) -> int | None:
    """Return a size such as "6GB" or "800 MB" in bytes; None if the text is none.

    >>> parse("1.5 GB"), parse("512mb"), parse("lots")
    (1610612736, 536870912, None)
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE | re.ASCII)
    return round(float(match[1]) * _UNITS[f"{match[2].upper()}B"]) if match else None


def words(size: float) -> str:
    """Return a number of bytes in words.

    >>> words(3_221_225_472), words(12_582_912)
    ('3.0 GB', '12 MB')
    """
    return f"{size / (1 << 30):,.1f} GB" if size >= 1 << 30 else f"{size / (1 << 20):,.0f} MB"


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
