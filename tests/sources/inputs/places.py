"""Links, and what may not or cannot be read."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from tests.sources.inputs import Made, Row, makes
from tests.sources.inputs.parquet import write
from tests.sources.inputs.texts import csv_text, json_lines, written

CAPABILITIES = 0x20080522
"""The version of the structures that capget and capset take."""


@contextmanager
def like_others() -> Iterator[None]:
    """Let this thread meet permissions as anybody does, also where the tests run as root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = struct.pack("Ii", CAPABILITIES, 0), ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    words = list(struct.unpack("6I", before.raw))
    words[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH are not in effect
    assert libc.capset(header, struct.pack("6I", *words)) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before.raw) == 0


@makes("links to files and folders", "folder", "file", "loops", "twice", "pattern with loops")
def links(folder: Path, rows: list[Row], variant: str) -> Path:
    source, elsewhere = folder / "source", folder / "elsewhere"
    (source / "a").mkdir(parents=True)
    elsewhere.mkdir()
    written(source / "a" / "events.csv", csv_text(rows[:20]))
    more = written(elsewhere / "more.csv", csv_text(rows[20:]))
    if variant == "file":
        (source / "b.csv").symlink_to(more)
        return source
    (source / "b").symlink_to(elsewhere)
    if variant in ("loops", "pattern with loops"):
        (source / "a" / "up").symlink_to(source)
        (elsewhere / "itself").symlink_to(elsewhere)
    if variant == "twice":
        (source / "c").symlink_to(elsewhere)
        (source / "d.csv").symlink_to(more)
        (source / "e.csv").symlink_to(source / "a" / "events.csv")
    return source / "**" / "*.csv" if variant.startswith("pattern") else source


@makes("a link to what is not there")
def dangling(folder: Path, rows: list[Row]) -> Path:
    (folder / "events.csv").symlink_to(folder / "gone.csv")
    return folder / "events.csv"


@makes("a pipe")
def pipe(folder: Path, rows: list[Row]) -> Path:
    os.mkfifo(folder / "events.csv")
    return folder / "events.csv"


@makes("a file or folder that may not be read", "csv", "csv.gz", "jsonl", "parquet", "folder", "Delta")
def forbidden(folder: Path, rows: list[Row], variant: str) -> Made:
    path = folder / ("events" if variant in ("folder", "Delta") else f"events.{variant}")
    match variant:
        case "folder":
            path.mkdir()
        case "Delta":
            write_deltalake(path, pa.Table.from_pylist(rows))
            next(path.glob("part-*")).chmod(0)
            return Made(path, within=like_others)
        case "parquet":
            write(path, rows)
        case "jsonl":
            written(path, json_lines(rows))
        case _:
            written(path, csv_text(rows))
    path.chmod(0)
    return Made(path, within=like_others)


@makes("damage inside a file that shows only while it is read", "parquet", "csv.gz", "Delta")
def damaged(folder: Path, rows: list[Row], variant: str) -> Path:
    path = folder / ("events" if variant == "Delta" else f"events.{variant}")
    if variant == "csv.gz":
        data = bytearray(written(path, csv_text(rows * 20)).read_bytes())
        data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
        path.write_bytes(data)
        return path
    if variant == "Delta":
        write_deltalake(path, pa.Table.from_pylist(rows))
        inside = next(path.glob("part-*"))
    else:
        inside = path
        pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
    data = bytearray(inside.read_bytes())
    column = pq.read_metadata(inside).row_group(0).column(5)
    begin = column.dictionary_page_offset or column.data_page_offset
    data[begin + 60 : begin + column.total_compressed_size] = b"\xff" * (column.total_compressed_size - 60)
    inside.write_bytes(data)
    return path
