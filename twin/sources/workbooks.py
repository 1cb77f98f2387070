"""Reads the sheets of Excel workbooks (.xlsx) as CSV."""

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from twin.foundation import memory
from twin.sources.event_files import UnusableError

MOST = 1 << 30
"""Bytes of the largest workbook once it is unpacked; a sheet has at most a million rows, which take a third of it."""
MOST_TEXTS = 256 << 20
"""Bytes of a workbook's table of texts, which has to be in memory, where it takes several times as much."""
_TEXTS = "xl/sharedStrings.xml"
_ROWS = 1_000
"""Rows that are handed on at a time."""


def sheets(path: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the name of each sheet and its rows as pieces of CSV, which are to be read before the next; empty rows are left out.

    Raises `UnusableError`. `archive` is the same file, opened as what it is.
    """
    size = sum(one.file_size for one in archive.infolist())
    texts = sum(one.file_size for one in archive.infolist() if one.filename == _TEXTS)
    if size > MOST or texts > MOST_TEXTS:
        raise UnusableError(f"is an Excel workbook that holds {memory.words(size)}: save it as CSV")
    import openpyxl  # noqa: PLC0415  # takes a third of a second and 8 MB, and few sources have workbooks

    with _explained(), open(path, "rb") as file:  # of a path, openpyxl would look at the ending
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # what a sheet says of its size may be wrong, and cuts rows
                yield sheet.title, _pieces(sheet.iter_rows(values_only=True))
        finally:
            book.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        # openpyxl has no class of errors for what it cannot parse
        raise UnusableError(
            "is an Excel workbook that is damaged: open it and save it again, or save it as CSV"
        ) from error


def _pieces(rows: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    written = 0
    with _explained():
        for row in rows:
            texts = [_text(value) for value in row]
            while texts and texts[-1] == "":  # of cells that only have a colour
                texts.pop()
            if not texts:
                continue
            writer.writerow(texts)
            written += 1
            if written % _ROWS == 0:
                yield out.getvalue().encode("utf-8", errors="replace")
                out.seek(0)
                out.truncate()
    yield out.getvalue().encode("utf-8", errors="replace")


def _text(value: object) -> object:
    """Return a cell as CSV has it: times without a T, whole numbers without a point."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return "" if value is None else value
