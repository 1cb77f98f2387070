"""Makes plain files of those that DuckDB does not read as they are: other encodings, compressions and containers, odd endings.

Only a file whose columns were not found comes here, so that nothing is slower for the others. What it holds is recognised by its
first bytes, never by its name, and copied as plain text into a temporary folder: as a stream, within the limit of what files may
hold, and within what the disk has.
"""

import bz2
import gzip
import json
import lzma
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, cast

import pyarrow as pa

from twin.foundation import memory
from twin.sources import file_paths, file_states, text_encoding, workbooks
from twin.sources.event_files import UnusableError

FREE_DISK = 0.05
"""Share of the temporary folder's disk that copies leave free."""
DEEPEST = 3
"""Most wrappings around a text, such as a compressed file in a zip."""
SHOWN = 60
"""Most characters of a file's first line in a sentence."""
_COMPRESSED: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"(\xb5/\xfd", "zstd"), (b"\x04\"M\x18", "lz4"),
)  # fmt: skip
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Excel file", "save it as .xlsx without a password, or as CSV"),
    (b"SQLite format 3\x00", "a SQLite database", "export its table of events as CSV or Parquet"),
    (b"ARROW1", "an Arrow file (Feather)", "write it as Parquet"),
    (b"FEA1", "a Feather file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet or JSON lines"),
    (b"\x89HDF", "an HDF5 file", "write its table of events as Parquet"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the folder"),
    (b"Rar!", "a RAR archive", "unpack it and name the folder"),
    (b"%PDF", "a PDF document", "export the table behind it as CSV"),
)  # fmt: skip
_WRAPPED = re.compile(r'\s*\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,\s*)*"[^"\\]*"\s*:\s*(?=\[\s*\{)')
"""The beginning of an object that holds a list of rows, such as {"page": 1, "events": [{…"""
_ABOVE_HEADER = re.compile(r"[ \t]*(?:#[^\r\n]*|sep=.)?(?:\r\n|\r|\n)")
"""A line above a CSV header: an empty one, a comment, or what tells Excel the delimiter."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A copy of a file, or of a part of it. `name` is what to call it; `is_text` says that there is nothing more to unwrap.

    `assumed` is what was taken for granted to read it, as a sentence's end; "" for nothing.
    """

    path: str
    name: str
    is_text: bool = True
    assumed: str = ""


class FullError(Exception):
    """Copies take more than they may; the message is a sentence's end."""


class Copier:
    """Writes copies into temporary folders, at most `most` bytes in all."""

    def __init__(self, most: int, new_folder: Callable[[], Path], most_files: int) -> None:
        """`new_folder()` returns an empty folder that this user alone can read; `most_files` is for containers."""
        self.most_files = most_files
        self._most = self._left = most
        self._new_folder = new_folder

    def place(self, name: str, *parents: PurePath) -> Path:
        """Return where a copy called `name` goes: in a new folder, within those of its origin's parents that give columns."""
        folders = [part for parent in parents for part in parent.parts if "=" in part]
        path = self._new_folder().joinpath(*folders, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, path: Path, pieces: Iterator[bytes]) -> None:
        """Write a copy. Raises `FullError`."""
        room = shutil.disk_usage(path.parent)
        most = int(room.free - FREE_DISK * room.total)
        with path.open("wb") as out:
            for piece in pieces:
                self._left -= len(piece)
                most -= len(piece)
                if self._left < 0:
                    raise FullError(
                        f"holds more than {memory.words(self._most)} once it is uncompressed: take it away, or raise "
                        "TWIN_MAX_DECODED"
                    )
                if most < 0:
                    raise FullError(
                        "needs more room than the temporary folder has: make room there, or name another in TMPDIR"
                    )
                out.write(piece)


def plain(path: str, name: str, copier: Copier) -> list[Plain]:
    """Return plain copies of what a file holds; none if it is plain already.

    Raises `UnusableError` with what was found and what to do, and `FullError`.
    """
    with open(path, "rb") as file:
        head = file.read(text_encoding.SEEN)
    if not head:
        raise UnusableError("is empty")
    for magic, what, advice in _FOREIGN:
        if head.startswith(magic):
            raise UnusableError(f"is {what}: {advice}")
    if head.startswith(b"PAR1"):
        return _linked(path, name, ".parquet", copier)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _unzipped(path, name, copier)
    for magic, compression in _COMPRESSED:
        if head.startswith(magic):
            if compression == "gzip" and _holds_plain_text(path):
                return []
            return _uncompressed(path, name, compression, copier)
    if tarfile.is_tarfile(path):
        raise UnusableError("is a tar archive: unpack it and name the folder")
    return _text(path, name, head, copier)


def with_one_line_end(path: str, copier: Copier) -> str:
    """Return a copy of a CSV file whose lines all end alike, if they do not; else the file itself.

    After a first line that ends as on Windows, DuckDB loses the first letter of a line behind a lone carriage return.
    """
    with text_encoding.opened(path) as file:
        if not re.match(rb"[^\r\n]*\r\n", file.read(text_encoding.SEEN)):
            return path
        file.seek(0)
        if not any(re.search(rb"\r(?!\n)", piece) for piece in _whole_ends(file)):
            return path
    copy = copier.place(re.sub(r"\.gz$", "", os.path.basename(path), flags=re.IGNORECASE), Path(path).parent)
    with text_encoding.opened(path) as file:
        copier.write(copy, (piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for piece in _whole_ends(file)))
    return str(copy)


def without_half_line(path: str, copier: Copier) -> str:
    """Return a copy of a text without its last line if that is half-written, else "". Raises OSError and `FullError`."""
    left = file_states.end_of_lines(path)
    if left is None:
        return ""
    return _up_to(left, path, copier)


def as_it_is(path: str, copier: Copier) -> str:
    """Return a copy of a text as it is now, to which somebody adds. Raises OSError and `FullError`."""
    return _up_to(os.stat(path).st_size, path, copier)


def _up_to(end: int, path: str, copier: Copier) -> str:
    copy = copier.place(os.path.basename(path), Path(path).parent)
    with open(path, "rb") as file:
        pieces = (file.read(min(text_encoding.PIECE, end - at)) for at in range(0, end, text_encoding.PIECE))
        copier.write(copy, pieces)
    return str(copy)


def _whole_ends(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a file, none of which ends within a line's end."""
    while piece := file.read(text_encoding.PIECE):
        while piece.endswith(b"\r") and (more := file.read(1)):
            piece += more
        yield piece


def oddity(path: str) -> str:
    """Return why `plain` reads a text better of which DuckDB read only a part, as a sentence's end; "" if it does not."""
    if text_encoding.of_file(path) == text_encoding.WESTERN:
        return taken_for_latin1(path)
    if path.lower().endswith(".gz"):
        return ""
    with open(path, "rb") as file:
        head = file.read(text_encoding.SEEN)
    is_old_mac = head.lstrip()[:1] == b"{" and b"\r" in head and b"\n" not in head
    return "has lines that end with a carriage return alone" if is_old_mac else ""


def taken_for_latin1(path: str) -> str:
    """Return the end of a sentence on a text whose encoding is a guess, with a word by which a reader can judge it."""
    return f"is not UTF-8, and was taken for Latin-1 (Windows-1252): “{text_encoding.example(path)}”"


def first_line(path: str) -> str:
    """Return the beginning of a plain text's first line, for a sentence; "" if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            head = file.read(4 * SHOWN)
    except OSError:
        return ""
    return shown("".join(head.decode("utf-8", errors="replace").lstrip("\ufeff\r\n").splitlines()[:1]))


def shown(text: str) -> str:
    """Return the beginning of a text from a file as it may stand in a sentence."""
    text = "".join(character if character.isprintable() else "\ufffd" for character in text[: SHOWN + 1])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _linked(path: str, name: str, ending: str, copier: Copier) -> list[Plain]:
    """Return the file itself under a name with another ending; none if it has that ending."""
    called = os.path.basename(path)
    if called.lower().endswith(ending):
        return []
    link = copier.place(called + ending, Path(path).parent)
    link.symlink_to(os.path.abspath(path))
    return [Plain(str(link), name)]


# -- containers ---------------------------------------------------------------------------------------------------------
def _uncompressed(path: str, name: str, compression: str, copier: Copier) -> list[Plain]:
    stem = re.sub(r"\.(gz|gzip|bz2|xz|zst|zstd|lz4)$", "", os.path.basename(path), flags=re.IGNORECASE)
    copy = copier.place(stem, Path(path).parent)
    try:
        with open(path, "rb") as packed, _decompressor(packed, compression) as file:
            copier.write(copy, iter(lambda: file.read(text_encoding.PIECE), b""))
    except (EOFError, zlib.error, lzma.LZMAError, OSError, pa.ArrowException, ValueError) as error:
        raise UnusableError("cannot be read: its compression is damaged. Fetch it again, or take it away") from error
    return [Plain(str(copy), name, is_text=False)]


def _holds_plain_text(path: str) -> bool:
    """Return whether a file is called `.csv.gz` or the like and holds just that, so that there is nothing to unpack it for."""
    kind = file_paths.format_of(path)
    if not path.lower().endswith(".gz") or not kind:
        return False
    try:
        with text_encoding.opened(path) as file:
            head = file.read(text_encoding.SEEN)
    except (OSError, EOFError, zlib.error):
        return False
    magics = (b"PAR1", b"PK", *(magic for magic, _ in _COMPRESSED))
    if b"\0" in head or head.startswith(magics) or text_encoding.by_its_beginning(head):
        return False
    begin = head.decode("utf-8", errors="ignore")
    is_json = begin.lstrip()[:1] in ("{", "[")
    as_is = _json_table(begin) == (0, "") if is_json else not _above_header(begin)
    return as_is and is_json == (kind == "json") and text_encoding.of_file(path) == "utf-8"


def _decompressor(packed: IO[bytes], compression: str) -> IO[bytes]:
    match compression:
        case "gzip":
            return cast(IO[bytes], gzip.open(packed))
        case "bzip2":
            return cast(IO[bytes], bz2.open(packed))
        case "xz":
            return cast(IO[bytes], lzma.open(packed))
        case _:
            return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(packed), compression))


def _unzipped(path: str, name: str, copier: Copier) -> list[Plain]:
    """Return the files in a zip, or the sheets of a workbook, which is one."""
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" in archive.namelist():
                return _sheets(path, name, archive, copier)
            if "content.xml" in archive.namelist():
                raise UnusableError("is an OpenDocument file: save its table as .xlsx or CSV")
            return list(_members(path, name, archive, copier))
    except (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise UnusableError(
            "is a zip file that is damaged: fetch it again, or unpack it and name the folder"
        ) from error
    except (NotImplementedError, RuntimeError) as error:  # a method that Python does not have; a password
        raise UnusableError(
            f"is a zip file that cannot be unpacked ({error}): unpack it and name the folder"
        ) from error


def _members(path: str, name: str, archive: zipfile.ZipFile, copier: Copier) -> Iterator[Plain]:
    members = [one for one in archive.infolist() if not one.is_dir() and _is_wanted(one.filename)]
    if not members:
        raise UnusableError("is a zip file in which no file looks like one of rows")
    if len(members) > copier.most_files:
        raise FullError(f"is a zip file of more than {copier.most_files:,} files: unpack it, or raise TWIN_MAX_FILES")
    for member in members:
        inside = PurePosixPath(member.filename.replace("\\", "/"))
        copy = copier.place(inside.name, Path(path).parent, inside.parent)
        with archive.open(member) as file:
            copier.write(copy, iter(lambda file=file: file.read(text_encoding.PIECE), b""))  # type: ignore[misc]
        yield Plain(str(copy), f"{name} ({member.filename})", is_text=False)


def _is_wanted(name: str) -> bool:
    """Return whether a path in a zip is one that would be looked into in a folder, too."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = not parts or parts[0] == "__MACOSX" or parts[-1] == ".." or parts[-1].startswith(("_", "."))
    return not hidden and file_paths.may_hold_rows(parts[-1])


def _sheets(path: str, name: str, archive: zipfile.ZipFile, copier: Copier) -> list[Plain]:
    sheets = []
    for sheet, rows in workbooks.sheets(path, archive):
        copy = copier.place(f"{sheet.replace('/', '-')}.csv", Path(path).parent)
        copier.write(copy, rows)
        if copy.stat().st_size:
            sheets.append(Plain(str(copy), f"{name} (sheet {sheet})"))
    if not sheets:
        raise UnusableError("is an Excel workbook without a row in it")
    if len(sheets) == 1:  # the book of one sheet is called as its file, as a table of names beside the events may be
        only = Path(sheets[0].path)
        sheets = [Plain(str(only.rename(only.with_name(f"{Path(path).stem}.csv"))), name)]
    return sheets


# -- text ---------------------------------------------------------------------------------------------------------------
def _text(path: str, name: str, head: bytes, copier: Copier) -> list[Plain]:
    """Return a text as UTF-8, from where its table begins, under a name with the ending of what it holds."""
    encoding = text_encoding.by_its_beginning(head)
    if not encoding:
        if b"\0" in head:
            raise UnusableError(
                "is neither text nor a file of a kind that is read: save its rows as CSV, JSON or Parquet"
            )
        with open(path, "rb") as file:
            encoding = text_encoding.of(file)
    begin = head.decode(encoding, errors="ignore")
    if begin.lstrip()[:200].lower().startswith(("<!doctype html", "<html")):
        raise UnusableError("is a web page, perhaps a sign-in page in place of the download: fetch the file itself")
    if begin.lstrip().startswith("<?xml"):
        raise UnusableError("is XML: export its rows as CSV or JSON")
    is_json = begin.lstrip()[:1] in ("{", "[")
    is_old_mac = is_json and "\r" in begin and "\n" not in begin
    skipped, prefix = _json_table(begin) if is_json else (_above_header(begin), "")
    stem = os.path.basename(path)
    ending = ".json" if is_json else ".csv"
    if encoding == "utf-8" and not skipped and not prefix and not is_old_mac:
        return _linked(path, name, ending, copier)
    copy = copier.place(stem if stem.lower().endswith(ending) else stem + ending, Path(path).parent)
    copier.write(copy, _rewritten(path, encoding, skipped, prefix, is_json))
    return [Plain(str(copy), name, assumed=taken_for_latin1(path) if encoding == text_encoding.WESTERN else "")]


def _rewritten(path: str, encoding: str, skipped: int, prefix: str, is_json: bool) -> Iterator[bytes]:
    yield prefix.encode()
    with open(path, "rb") as file:
        for text in text_encoding.decoded(file, encoding):
            if skipped:  # these lie within the first piece, which is longer than what was looked at
                text, skipped = text[skipped:], 0
            # a bare CR ends lines of CSV, too, but may stand in its quotes; in JSON it can only be between
            yield (text.replace("\r", "\n") if is_json else text).encode("utf-8", errors="replace")


def _json_table(begin: str) -> tuple[int, str]:
    """Return how many characters stand before the rows of a JSON text, and what is to stand there instead."""
    text = begin.lstrip()
    if text.startswith("["):
        return 0, ""
    if found := _WRAPPED.match(begin):
        return found.end(), ""
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return 0, ""
    # rows over several lines, or several on one, are read as a list whose commas are missing
    return (0, "[") if "\n" in text[:end] or text[end:].lstrip(" \t")[:1] == "{" else (0, "")


def _above_header(begin: str) -> int:
    """Return how many characters stand above the header of a CSV text."""
    at = 0
    while found := _ABOVE_HEADER.match(begin, at):
        at = found.end()
    return at
