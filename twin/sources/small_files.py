"""Joins many small text files into few: DuckDB takes up to a millisecond to begin with each, which is more than to read it.

A generator that flushes a file every few seconds leaves a hundred thousand of them.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from twin.sources import text_encoding
from twin.sources.event_files import EventFiles

MANY = 500
"""Files of a group from which on they are joined: fewer take less than half a second."""
SMALL = 1 << 20
"""Bytes of the largest file that is joined with others."""
MOST = 4 << 30
"""Bytes of copies of one group; the files beyond stay as they are."""
JOINED = 64 << 20
"""Bytes after which another file begins, so that several threads can read them."""


def joined(group: EventFiles, folder: Path, latin1: Callable[[str], None]) -> list[EventFiles]:
    """Return the group, or if it has many files, those that stay as they are and the copies, made in `folder`, of the others.

    The caller deletes the copies; `latin1` is called with the path of each text that was taken for that. A file stays as it is if
    reading it depends on its path, or on where it ends.
    """
    if len(group.paths) < MANY or group.like.kind == "parquet" or group.like.folders:
        return [group]
    alone: list[str] = []
    copies: list[str] = []
    for rows, header in _parts(group, alone, latin1):
        copies.append(str(folder / f"{len(copies)}.{'csv' if header else 'jsonl'}"))
        with open(copies[-1], "wb") as out:
            out.writelines((header, *rows))
    kind = group.like.kind if group.like.kind == "csv" else "json lines"
    found = [EventFiles(tuple(copies), replace(group.like, kind=kind))] if copies else []
    return found + ([EventFiles(tuple(alone), group.like)] if alone else [])


def _parts(group: EventFiles, alone: list[str], latin1: Callable[[str], None]) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the rows of several files and their header, empty in JSON; add the files that cannot be joined to `alone`."""
    rows: list[bytes] = []
    size, total, header = 0, 0, b""
    for path in group.paths:
        raw = _bytes(path) if total < MOST else None
        text = None if raw is None else text_encoding.to_utf8(raw)
        found = None if text is None else _csv(text) if group.like.kind == "csv" else _json(text, group.like.kind)
        if found is None:
            alone.append(path)
            continue
        if raw is not None and text_encoding.is_western(raw):
            latin1(path)
        header = found[0]
        rows.append(found[1])
        size += len(found[1])
        total += len(found[1])
        if size > JOINED:
            yield rows, header
            rows, size = [], 0
    if rows:
        yield rows, header


def _bytes(path: str) -> bytes | None:
    """Return the bytes of a small file, uncompressed; None for one that is not, or that cannot be read to its end."""
    try:
        with gzip.open(path) if path.lower().endswith(".gz") else open(path, "rb") as file:
            text = file.read(SMALL + 1)
    except (OSError, EOFError, zlib.error):
        return None
    return None if len(text) > SMALL else text


def _csv(text: bytes) -> tuple[bytes, bytes] | None:
    """Return a CSV file's header and rows; None if a quote may be open at its end, or its lines end otherwise than usual."""
    header, newline, rows = text.partition(b"\n")
    if not newline or b"\r" in text or header.count(b'"') % 2 or rows.count(b'"') % 2:
        return None
    return header + b"\n", rows if rows.endswith(b"\n") or not rows else rows + b"\n"


def _json(text: bytes, kind: str) -> tuple[bytes, bytes] | None:
    """Return no header and the rows of a JSON file, one a line; None if it cannot be parsed."""
    if kind == "json lines":
        return b"", text + b"\n"
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return b"", b"".join(json.dumps(row).encode() + b"\n" for row in rows)
