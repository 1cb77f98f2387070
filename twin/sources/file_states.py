"""What tells whether a file has changed, without reading it."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from twin.sources import delta_paths

State = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and inode, which is another one for a file that was replaced."""
LONGEST_LINE = 1 << 20
"""Bytes of the longest last line that is looked at."""


def of(paths: Iterable[str]) -> dict[str, State]:
    """Return the states of files; of a Delta table that of its log. A file that is gone meanwhile has none."""
    states = {}
    for path in paths:
        with suppress(OSError):
            is_delta = delta_paths.is_path(path)
            found = os.stat(os.path.join(delta_paths.folder_of(path), delta_paths.LOG) if is_delta else path)
            states[path] = found.st_size, found.st_mtime_ns, found.st_ino
    return states


def grown(before: Mapping[str, State], now: Mapping[str, State]) -> frozenset[str]:
    """Return the files that have grown, which somebody writes to."""
    return frozenset(
        path
        for path, (size, _, inode) in now.items()
        if path in before and before[path][2] == inode and before[path][0] < size
    )


def end_of_lines(path: str) -> int | None:
    """Return where the last line of a CSV or JSON lines file begins, bytes, if it is half-written; None if it is whole.

    A line of JSON is whole if it is valid. One of CSV is if it ends, as nothing tells how long its last field was to become.
    """
    with open(path, "rb") as file:
        header = file.readline(LONGEST_LINE)
        size = file.seek(0, os.SEEK_END)
        begin = file.seek(max(len(header), size - LONGEST_LINE))
        rest = file.read()
    at = rest.rfind(b"\n") + 1
    line = rest[at:]
    if not line.strip() or (at == 0 and begin > len(header)) or b"\0" in header:
        return None
    return None if header.lstrip(b"\xef\xbb\xbf \t").startswith(b"{") and _is_json(line) else begin + at


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
