"""The encoding of text files: UTF-8, or what spreadsheets and Windows programs write instead."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, cast

SEEN = 1 << 16
"""Bytes at a file's beginning by which its encoding is recognised, where that is possible."""
PIECE = 1 << 20
"""Bytes that are read at a time."""
SCANNED = 1 << 30
"""Bytes after which a text without anything beyond ASCII is taken for UTF-8."""
WESTERN = "cp1252"
"""What text is taken for that is neither UTF-8 nor UTF-16: Latin-1 as Windows extends it."""
NAMES = {
    "utf-8-sig": "UTF-8 with a byte order mark", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
    "utf-32": "UTF-32", WESTERN: "Windows-1252 (or Latin-1)",
}  # fmt: skip
"""What encodings are called in sentences."""
_MARKS = (  # in this order: the mark of UTF-32 begins with the one of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_INVALID = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as Python's error handler "surrogateescape" writes them."""
_WORD = re.compile(r"[^\W_]{0,20}[^\x00-\x7f][^\W_]{0,20}")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


def by_its_beginning(head: bytes) -> str:
    """Return utf-8-sig, utf-16 or utf-32 by the mark, utf-16-le or utf-16-be by where its zeros are; "" if nothing says.

    >>> by_its_beginning("ts,body".encode("utf-16-be")), by_its_beginning(b"ts,body")
    ('utf-16-be', '')
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    pairs = len(head) // 2
    first, second = (head[place : 2 * pairs : 2].count(0) for place in (0, 1))
    # the names, digits and punctuation of a table are ASCII, whatever else is in it
    if second > pairs * 0.3 and first < pairs * 0.05:
        return "utf-16-le"
    if first > pairs * 0.3 and second < pairs * 0.05:
        return "utf-16-be"
    return ""


def of_file(path: str) -> str:
    """Return the encoding of a text file, which may be compressed with gzip; utf-8 also for one that cannot be read."""
    try:
        with opened(path) as file:
            return of(file)
    except (OSError, EOFError, zlib.error):  # whoever reads it will say so
        return "utf-8"


def example(path: str) -> str:
    """Return the first word with a letter beyond ASCII of a text file that is `WESTERN`, so that a reader can judge it."""
    with suppress(OSError, EOFError, zlib.error), opened(path) as file:
        for text in decoded(file, WESTERN):
            if found := _WORD.search(text):
                return found[0]
    return ""


def opened(path: str) -> IO[bytes]:
    """Open a text file, which may be compressed with gzip."""
    return cast(IO[bytes], gzip.open(path) if path.lower().endswith(".gz") else open(path, "rb"))


def of(file: IO[bytes]) -> str:
    """Return the encoding of a text, which is read to its end unless its beginning says: utf-8 also if some bytes are damaged.

    Text with bytes that are no UTF-8, and with nothing beyond ASCII that is, is taken for `WESTERN`.
    """
    piece = file.read(SEEN)
    if found := by_its_beginning(piece):
        return found
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    invalid, scanned = False, 0
    while True:
        scanned += len(piece)
        text = decoder.decode(piece, final=not piece)
        if not text.isascii():
            if _BEYOND_ASCII.search(text):
                return "utf-8"
            invalid = invalid or bool(_INVALID.search(text))
        if not piece or scanned > SCANNED:
            return WESTERN if invalid else "utf-8"
        piece = file.read(PIECE)


def is_western(text: bytes) -> bool:
    """Return whether a short text is taken for `WESTERN`.

    >>> is_western("Café".encode("latin-1")), is_western("Café".encode()), is_western(b"Cafe")
    (True, False, False)
    """
    try:
        text.decode()
    except UnicodeDecodeError:
        return of(io.BytesIO(text)) == WESTERN
    return False


def decoded(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the pieces of a text, line ends as they are; what cannot be decoded becomes a replacement character."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    while piece := file.read(PIECE):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def to_utf8(text: bytes) -> bytes:
    """Return a short text as UTF-8 without a byte order mark.

    >>> to_utf8("Café".encode("latin-1")).decode()
    'Café'
    """
    try:
        text.decode()
    except UnicodeDecodeError:
        encoding = of(io.BytesIO(text))
        return text if encoding == "utf-8" else "".join(decoded(io.BytesIO(text), encoding)).encode()
    return text.removeprefix(codecs.BOM_UTF8)
