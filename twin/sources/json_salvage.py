"""Copies what can be read of a JSON file in which something cannot: a torn array, a row that is too long, or one nested too deep.

DuckDB refuses the whole file for one such row. This is slow, but only such a file needs it. Files are read as a stream, so that
memory does not grow with them. What is too deep is for Python's parser to say, which gives up at a thousand levels or so.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from twin.sources import text_encoding

LONGEST_ROW = 1 << 24
"""Characters of the longest row that is read; DuckDB reads as many for sure."""
_PIECE = 1 << 20
"""Characters that are read at a time."""
_TOKEN = re.compile(r'\\.|["{}\[\]]', re.DOTALL)


class TooMuchError(Exception):
    """A file holds more than may be copied."""


def copy_readable(path: str, is_array: bool, copy: Path, most: int) -> int:
    """Write the readable rows of a file to a JSON lines file, and return the number of those left out.

    What follows a tear counts as one row. Raises `TooMuchError` if the file has more than `most` characters.
    """
    left_out = 0
    with copy.open("w", encoding="utf-8") as out, _opened(path) as opened:
        file = _Limited(opened, most)
        try:
            for row in _elements(file) if is_array else _lines(file):
                if row is None:
                    left_out += 1
                else:
                    out.write(f"{row}\n")
        except (EOFError, zlib.error, gzip.BadGzipFile):  # the compressed file is torn
            left_out += 1
    return left_out


class _Limited:
    """A text file of which at most `most` characters are read."""

    def __init__(self, file: IO[str], most: int) -> None:
        self._file = file
        self._left = most

    def read(self, size: int) -> str:
        """Return the next `size` characters."""
        return self._counted(self._file.read(size))

    def readline(self, size: int) -> str:
        """Return the rest of the line, at most `size` characters."""
        return self._counted(self._file.readline(size))

    def _counted(self, text: str) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise TooMuchError
        return text


def _opened(path: str) -> IO[str]:
    opener = gzip.open if path.lower().endswith(".gz") else open
    found = text_encoding.of_file(path)
    encoding = "utf-8-sig" if found == "utf-8" else found
    return cast(IO[str], opener(path, "rt", encoding=encoding, errors="replace", newline="\n"))


def _lines(file: _Limited) -> Iterator[str | None]:
    """Yield the lines that are not empty, None for one that is too long."""
    while line := file.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW and not line.endswith("\n"):
            while (rest := file.readline(_PIECE)) and not rest.endswith("\n"):
                pass
            yield None
        elif text := line.strip():
            yield text


def _elements(file: _Limited) -> Iterator[str | None]:
    """Yield the objects of an array, each in one line; None for one that is torn, not valid, too long or nested too deep."""
    decoder = json.JSONDecoder()
    text, at = file.read(_PIECE), 0
    while text:
        begin = text.find("{", at)
        if begin < 0:
            text, at = file.read(_PIECE), 0
            continue
        try:
            row, at = decoder.raw_decode(text, begin)
        except ValueError:  # not valid, or it goes on in the next piece
            more = file.read(_PIECE) if len(text) - begin <= LONGEST_ROW else ""
            if more:
                text, at = text[begin:] + more, 0
            else:
                yield None
                text, at = _skip(file, text, begin)
        except RecursionError:
            yield None
            text, at = _skip(file, text, begin)
        else:
            yield json.dumps(row)


def _skip(file: _Limited, text: str, at: int) -> tuple[str, int]:
    """Return the text and the position in it behind the object that begins at `at`.

    Returns an empty text, as at the file's end, if the object is so long that it is hardly one: the file is torn there.
    """
    depth, in_string, skipped = 0, False, 0
    while text and skipped <= LONGEST_ROW:
        skipped += len(text) - at
        if text.endswith("\\"):  # what it escapes belongs to it
            text += file.read(1)
        for match in _TOKEN.finditer(text, at):
            piece = match[0]
            if piece == '"':
                in_string = not in_string
            elif in_string or piece[0] == "\\":
                continue
            elif piece in "{[":
                depth += 1
            else:
                depth -= 1
                if depth <= 0:
                    return text, match.end()
        text, at = file.read(_PIECE), 0
    return "", 0
