"""Which bytes of a source's files are new: what was appended to text that grows, and files that came.

Somebody writes to these files while they are read. So it is written down up to which byte each was read, and what stood before
that place tells whether the file was only added to. Where it was not, there is a reason to read everything again.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import IO

from twin.sources import file_paths, file_states
from twin.sources.event_files import LONGEST_HEADER, READ, EventFile
from twin.sources.file_states import State

REMEMBERED = 4096
"""Bytes at a file's beginning, and before the place up to which it was read, that must still be the same."""
MOST_BYTES = 64 << 20
"""Bytes of new text that are read by themselves; from there on reading everything again hardly takes longer."""
STANDS_S = 10.0
"""Seconds after which a half-written line of CSV is taken for a whole one, as nothing tells; a writer sends more before that."""
TEXTS = ("csv", "json lines")
"""Kinds of files whose rows are lines, so that whatever is appended can be read by itself."""
_SEPARATORS = b" \t_.-"


@dataclass(frozen=True, slots=True)
class Tail:
    """Up to where a file was read, bytes: `first` and `last` stand at its beginning and before `end`, `like` is how it is read.

    `is_open`: the last row that was read has no end of line. `is_torn`: a half-written line behind `end` was counted as broken.
    """

    like: EventFile
    inode: int
    end: int
    first: bytes
    last: bytes
    is_open: bool = False
    is_torn: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new in a file: whole lines, behind the header that CSV needs. `tail` is what holds once they are read."""

    path: str
    header: bytes
    lines: bytes
    tail: Tail


@dataclass(frozen=True, slots=True)
class News:
    """What is new in the files of a source. `broken_lines` are those counted as broken now, less those that are not any more.

    `torn` are half-written lines that wait: when each was seen first.
    """

    states: Mapping[str, State]
    pieces: tuple[Piece, ...] = ()
    new: tuple[str, ...] = ()
    tails: Mapping[str, Tail] = field(default_factory=dict)
    torn: Mapping[str, float] = field(default_factory=dict)
    broken_lines: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is anything to read or to count."""
        return bool(self.pieces or self.new or self.broken_lines)


class OtherwiseError(Exception):
    """Files have changed otherwise than by growing; the message, the rest of a sentence, says how."""


def begin(path: str, like: EventFile, state: State, end: int | None = None) -> Tail | None:
    """Return where a file that was read up to `end`, by default as it was in `state`, goes on; None if nothing tells.

    A line without an end counts as read: in JSON as a broken one if it is only half there.
    """
    if like.kind not in TEXTS or path.lower().endswith(".gz"):
        return None
    size, _, inode = state
    read_to = size if end is None else end
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_ino != inode:
                return None
            header = file.readline(LONGEST_HEADER)
            if b"\0" in header or (like.kind == "csv" and not header.endswith(b"\n")):
                return None
            if end is None and (torn := _torn_json(file, like, size)) is not None:
                return _tail(file, Tail(like, inode, torn, b"", b"", is_torn=True))
            file.seek(read_to - 1)
            return _tail(file, Tail(like, inode, read_to, b"", b"", is_open=file.read(1) != b"\n"))
    except (OSError, ValueError):
        return None


def look(
    before: Mapping[str, State],
    now: Mapping[str, State],
    tails: Mapping[str, Tail],
    torn: Mapping[str, float],
    source: str,
) -> News:
    """Return what is new in files whose states are `now`. `tails` and `torn` are what the look before left.

    Raises `OtherwiseError` if they have changed in a way that only reading everything again takes into account.
    """
    if gone := next((path for path in before if path not in now), None):
        raise OtherwiseError(f"{file_paths.display_name(gone, source)} is gone")
    new = tuple(path for path, state in now.items() if _is_new(path, before, tails) and before.get(path) != state)
    pieces, after, waiting, broken = list[Piece](), dict(tails), dict[str, float](), 0
    for path, state in now.items():
        earlier = before.get(path, state)
        if _is_new(path, before, tails) or (earlier == state and path not in torn):
            continue
        name = file_paths.display_name(path, source)
        tail = _checked(name, tails.get(path), earlier, state)
        piece, rest = behind(path, name, tail, state[0])
        if rest and not piece.lines and earlier == state and tail.like.kind != "csv":
            piece = replace(
                piece, tail=replace(piece.tail, is_torn=True)
            )  # nobody has completed it since the last look
        elif rest:
            waiting[path] = since = time.monotonic() if piece.lines or earlier != state else torn[path]
            if tail.like.kind == "csv" and time.monotonic() - since >= STANDS_S:
                piece = _with_rest(piece, rest)
                del waiting[path]
        broken += piece.tail.is_torn - tail.is_torn
        after[path] = piece.tail
        if piece.lines.strip():
            pieces.append(piece)
    if sum(len(piece.lines) for piece in pieces) > MOST_BYTES:
        raise OtherwiseError(f"they have grown by more than {MOST_BYTES >> 20} MB")
    return News(dict(now), tuple(pieces), new, after, waiting, broken)


def _is_new(path: str, before: Mapping[str, State], tails: Mapping[str, Tail]) -> bool:
    """Return whether a file has come since the last look, or was empty then."""
    return path not in before or (before[path][0] == 0 and path not in tails)


def from_header(path: str, kind: str, name: str) -> tuple[Piece, bytes] | None:
    """Return what a new text file holds up to its last whole line, and the half-written line behind that.

    `kind` is one of `TEXTS`. None for text that does not consist of such lines. Raises `OtherwiseError`.
    """
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            header = file.readline(LONGEST_HEADER)
    except OSError as error:
        raise OtherwiseError(f"{name} cannot be read: {error.strerror}") from error
    if b"\0" in header or len(header) == LONGEST_HEADER:
        return None
    end = len(header) if kind == "csv" and header.endswith(b"\n") else 0
    return behind(path, name, Tail(EventFile(kind, ()), found.st_ino, end, b"", b""), found.st_size)


def _checked(name: str, tail: Tail | None, before: State, now: State) -> Tail:
    """Return the tail of a file that has only grown. Raises `OtherwiseError` for any other."""
    if tail is None:
        raise OtherwiseError(f"{name} has changed, and it is none that can be read from where it ended")
    if now[2] != tail.inode:
        raise OtherwiseError(f"{name} was replaced")
    if now[0] < tail.end or now[0] < before[0]:
        raise OtherwiseError(f"{name} has become shorter")
    if now[0] == before[0] and now != before:
        raise OtherwiseError(f"{name} was rewritten")
    return tail


def behind(path: str, name: str, tail: Tail, size: int) -> tuple[Piece, bytes]:
    """Return the whole lines behind a tail, and the half-written one behind these. Raises `OtherwiseError`."""
    if size - tail.end > MOST_BYTES:
        raise OtherwiseError(f"{name} has grown by more than {MOST_BYTES >> 20} MB")
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_ino != tail.inode:
                raise OtherwiseError(f"{name} was replaced")
            if file.read(len(tail.first)) != tail.first or _before(file, tail.end, len(tail.last)) != tail.last:
                raise OtherwiseError(f"{name} was rewritten")
            file.seek(0)
            header = file.readline(LONGEST_HEADER) if tail.like.kind == "csv" else b""
            file.seek(tail.end)
            more = file.read(size - tail.end)
            if tail.is_open and more and not more.startswith((b"\n", b"\r\n")):
                raise OtherwiseError(f"the last line of {name}, which was read as it was, goes on")
            at = more.rfind(b"\n") + 1
            lines, rest = more[:at], more[at:]
            if rest.strip() and tail.like.kind != "csv" and _is_json(rest):
                lines, rest = more, b""
            if tail.like.kind == "csv" and lines.count(b'"') % 2:
                raise OtherwiseError(f"{name} has a quote that does not end with its line")
            is_open = not lines.endswith(b"\n") if lines else tail.is_open
            after = replace(tail, end=tail.end + len(lines), is_open=is_open, is_torn=tail.is_torn and not lines)
            return Piece(path, header, lines, _tail(file, after)), rest if rest.strip() else b""
    except OSError as error:
        raise OtherwiseError(f"{name} cannot be read: {error.strerror}") from error


def _with_rest(piece: Piece, rest: bytes) -> Piece:
    """Return a piece with the half-written line behind it, taken for a whole one."""
    lines = piece.lines + rest
    last = (piece.tail.last + rest)[-REMEMBERED:]
    return replace(
        piece, lines=lines, tail=replace(piece.tail, end=piece.tail.end + len(rest), last=last, is_open=True)
    )


def may_have_other_columns(lines: bytes, like: EventFile) -> bool:
    """Return whether lines of JSON may have columns of events that a file had not so far; it is seldom and cheap."""
    squeezed = lines.translate(None, _SEPARATORS).lower()
    written = like.written()
    names = (name.replace("_", "").encode() for name in READ if written.get(name, "").strip().lower() != name)
    return any(b'"' + name + b'"' in squeezed for name in names)


def settled(paths: Iterable[str], states: Mapping[str, State]) -> frozenset[str]:
    """Return the files that are still as they were before they were read, so that where they ended is certain."""
    return frozenset(path for path, state in file_states.of(paths).items() if states.get(path) == state)


def in_pieces(piece: Piece) -> Iterator[bytes]:
    """Yield a piece as the text of a file."""
    lines = piece.lines[1:] if piece.lines.startswith(b"\n") else piece.lines.removeprefix(b"\r\n")
    return chain((piece.header, lines))


def _tail(file: IO[bytes], tail: Tail) -> Tail:
    """Return a tail with what stands at the beginning of its file and before its end."""
    first = _before(file, min(tail.end, REMEMBERED), REMEMBERED)
    return replace(tail, first=first, last=_before(file, tail.end, REMEMBERED))


def _before(file: IO[bytes], end: int, most: int) -> bytes:
    """Return at most `most` bytes before a place in a file."""
    begin_at = max(0, end - most)
    file.seek(begin_at)
    return file.read(end - begin_at)


def _torn_json(file: IO[bytes], like: EventFile, size: int) -> int | None:
    """Return where the half-written last line of JSON begins; None for CSV, or if the last line is whole."""
    if like.kind == "csv":
        return None
    last = _before(file, size, file_states.LONGEST_LINE)
    line = last[last.rfind(b"\n") + 1 :]
    return None if not line.strip() or _is_json(line) else size - len(line)


def _is_json(line: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(line), dict)
    return False
