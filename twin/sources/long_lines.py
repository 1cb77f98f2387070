"""Finds the lines of CSV files that are longer than DuckDB's buffer: it passes over some of them without counting them.

Which ones depends on where they begin: from about 16 MB on a line may span more buffers than it looks at. So they are found here,
and those that it did count are told apart by their place.
"""

import gzip
import mmap
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from twin.sources.event_files import uncompressed

LONG = 8_000_000
"""Bytes of a line from which on it is found. DuckDB counts, or reads, all lines up to this length."""
_STEP = LONG // 2
"""A longer line contains one whole step, so only the beginnings of steps are looked at, which takes no time."""
_PIECE = 1 << 20
"""Bytes of a compressed file that are decompressed at a time."""


def uncounted(paths: Iterable[str], counted: Collection[tuple[str, int]]) -> int:
    """Return the number of long lines in files that are not among those `counted`: files, and positions in them from 1 on."""
    places: dict[str, list[int]] = {}
    for path, position in counted:
        places.setdefault(path, []).append(position - 1)
    return sum(
        not any(begin <= place < end for place in places.get(path, ()))
        for path in paths
        for begin, end in long_lines(path)
    )


def long_lines(path: str) -> Iterator[tuple[int, int]]:
    """Yield where each line longer than `LONG` begins and ends in a file, bytes once it is uncompressed.

    Damaged compression, which DuckDB does not always see, ends it.
    """
    if uncompressed(path) <= LONG:
        return
    if path.lower().endswith(".gz"):
        with suppress(EOFError, OSError, zlib.error):
            yield from _in_compressed(path)
    else:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from _in_bytes(data)


def _in_bytes(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    at, size = 0, len(data)
    while at + _STEP <= size:
        if data.find(b"\n", at, at + _STEP) >= 0:
            at += _STEP
            continue
        begin, found = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at + _STEP)
        end = size if found < 0 else found
        if end - begin > LONG and data.find(b"\r", begin, end - 1) < 0:  # an old Mac's lines end so
            yield begin, end
        at = end + 1


def _in_compressed(path: str) -> Iterator[tuple[int, int]]:
    begin, at, has_return = 0, 0, False
    with gzip.open(path) as file:
        while piece := file.read(_PIECE):
            first = piece.find(b"\n")
            has_return |= b"\r" in piece[: max(0, first - 1) if first >= 0 else None]
            if first >= 0:
                if at + first - begin > LONG and not has_return:
                    yield begin, at + first
                begin, has_return = at + piece.rfind(b"\n") + 1, False
            at += len(piece)
    if at - begin > LONG and not has_return:
        yield begin, at
