"""Encodings, spellings, compressions and containers of foreign files: read, or named in a sentence."""

import bz2
import codecs
import csv
import gzip
import io
import itertools
import json
import lzma
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources.file_forms import Copier, with_one_line_end
from twin.sources.files import FileSource

pytestmark = pytest.mark.slow

ADDRESS = "12 Rue de la Crème, Besançon"
BODY = json.dumps(
    {"customer_lat": 37.7, "customer_lon": -122.4, "customer_addr": ADDRESS, "items": []}, ensure_ascii=False
)
ROWS = [
    {
        "event_type": kind,
        "ts": f"2025-10-13 01:{minute:02}:00",
        "location": "sf",
        "order_id": "A",
        "sequence": n,
        "body": body,
    }
    for n, (kind, minute, body) in enumerate(
        [("order_created", 0, BODY), ("gk_started", 2, "{}"), ("delivered", 30, "{}")]
    )
]


def table(rows: list[dict[str, object]] = ROWS, delimiter: str = ",", end: str = "\n", **names: str) -> str:
    """Return rows as CSV; `names` are other names of columns."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(names.get(name, name) for name in rows[0])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def lines(rows: list[dict[str, object]] = ROWS) -> str:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


ARRAY = json.dumps(ROWS, ensure_ascii=False)


def parquet() -> bytes:
    """Return the rows as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), out)
    return out.getvalue()


def zstd(data: bytes, codec: str = "zstd") -> bytes:
    """Return data compressed by Arrow."""
    out = io.BytesIO()
    with pa.CompressedOutputStream(out, codec) as packed:
        packed.write(data)
        packed.flush()
        return out.getvalue() if out.getvalue() else data


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    """Return an Excel workbook."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


def cells(rows: list[dict[str, object]] = ROWS) -> list[list[object]]:
    """Return rows as cells of a sheet, times as Excel's own."""
    texts = [[datetime.fromisoformat(str(v)) if k == "ts" else v for k, v in row.items()] for row in rows]
    return [list(rows[0]), *texts]


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def check(source: FileSource) -> None:
    """Check that the three rows are read, and every letter in them."""
    quality = source.quality()
    assert (quality.read, quality.used, quality.rejected) == (3, 3, {})
    rows = sorted(source.window("sf", 0, 2e9).to_pylist(), key=lambda row: row["ts"])
    assert [row["event_type"] for row in rows] == ["order_created", "gk_started", "delivered"]
    assert json.loads(rows[0]["body"])["customer_addr"].replace("\n", " ") == ADDRESS


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("utf16-le-mark.csv", codecs.BOM_UTF16_LE + table().encode("utf-16-le")),
        ("utf16-be-mark.csv", codecs.BOM_UTF16_BE + table().encode("utf-16-be")),
        ("utf16-le.csv", table().encode("utf-16-le")),
        ("utf16-be.csv", table().encode("utf-16-be")),
        ("utf16-tabs.txt", table(delimiter="\t", end="\r\n").encode("utf-16")),  # what Excel calls Unicode text
        ("utf16.jsonl", lines().encode("utf-16")),
        ("utf16.json", ARRAY.encode("utf-16-le")),
        ("utf32.csv", table().encode("utf-32")),
        ("utf16.csv.gz", gzip.compress(table().encode("utf-16"))),
        ("latin1.csv", table().encode("latin-1")),
        ("latin1-semicolons.csv", table(delimiter=";").encode("latin-1")),
        ("latin1.csv.gz", gzip.compress(table().encode("latin-1"))),
        ("latin1.jsonl", lines().encode("latin-1")),
        ("latin1.jsonl.gz", gzip.compress(lines().encode("latin-1"))),
        ("latin1.json", ARRAY.encode("latin-1")),
        ("mark.csv", codecs.BOM_UTF8 + table().encode()),
        ("mark.jsonl", codecs.BOM_UTF8 + lines().encode()),
        ("mark.json", codecs.BOM_UTF8 + ARRAY.encode()),
        ("mark-and-semicolons.csv", codecs.BOM_UTF8 + table(delimiter=";").encode()),
        ("tabs.csv", table(delimiter="\t").encode()),
        ("bars.csv", table(delimiter="|").encode()),
        ("carriage-returns.csv", table(end="\r").encode()),
        ("carriage-returns.jsonl", lines().replace("\n", "\r").encode()),
        ("windows.jsonl", lines().replace("\n", "\r\n").encode()),
        ("three-line-ends.csv", table().replace("\n", "\r\n", 1).replace(",{}\n", ",{}\r", 1).encode()),
        ("line-break-in-quotes.csv", table().replace("Crème, Bes", "Crème,\nBes").encode()),
    ],
)  # fmt: skip
def test_every_encoding_and_line_end_is_read(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    if "quotes" in name:  # a line break in a JSON text is none that JSON allows, so it is written as such
        data = data.replace("Crème,\n".encode(), "Crème,\\n".encode())
        (tmp_path / name).write_bytes(data.replace(b'"{""customer_lat""', b'"{\n""customer_lat""'))
        source = FileSource(tmp_path / name)
        assert (source.quality().read, source.quality().used) == (3, 3)
        return
    check(FileSource(tmp_path / name))


@pytest.mark.parametrize("piece", [3, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_mixed_line_ends_are_made_alike_where_they_would_cost_a_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool, piece: int
) -> None:
    monkeypatch.setattr("twin.sources.text_encoding.PIECE", piece)
    copier = Copier(1 << 20, lambda: Path(tempfile.mkdtemp(dir=tmp_path)), 10)
    path = tmp_path / ("mixed.csv.gz" if packed else "mixed.csv")
    for ends in itertools.product(("\n", "\r\n", "\r"), repeat=4):
        text = "".join(f"row {number}{end}" for number, end in enumerate(ends)).encode()
        path.write_bytes(gzip.compress(text) if packed else text)
        copy = Path(with_one_line_end(str(path), copier))
        if ends[0] == "\r\n" and "\r" in ends:
            assert copy.read_bytes() == b"row 0\nrow 1\nrow 2\nrow 3\n"
        else:
            assert copy == path


@pytest.mark.parametrize(
    "names",
    [
        {"order_id": "orderId", "event_type": "eventType"},
        {"order_id": "Order ID", "event_type": "event type", "ts": "TS"},
        {"order_id": "ORDER-ID", "event_type": "Event.Type", "location": "Location ", "body": " Body"},
        {"order_id": "OrderID", "event_type": "EVENTTYPE", "location": "locationId"},
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_the_names_of_columns_may_be_spelled_in_any_way(tmp_path: Path, form: str, names: dict[str, str]) -> None:
    rows = [{names.get(key, key): value for key, value in row.items()} for row in ROWS]
    path = tmp_path / f"events.{form}"
    match form:
        case "csv":
            path.write_text(table(**names), "utf-8")
        case "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case _:
            path.write_text(lines(rows) if form == "jsonl" else json.dumps(rows), "utf-8")
    check(FileSource(path))


def test_the_exact_name_goes_before_another_spelling_and_two_spellings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(table([{**row, "Order ID": "other"} for row in ROWS]), "utf-8")
    check(FileSource(path))
    path.write_text(table([{**row, "orderId": "other"} for row in ROWS], order_id="Order ID"), "utf-8")
    with pytest.raises(SourceError, match=r"events\.csv has the column order_id twice: remove or rename"):
        FileSource(path)
    path.write_text(table([{**row, "order id": "other"} for row in ROWS], order_id="Order ID"), "utf-8")
    with pytest.raises(SourceError, match=r"events\.csv has the column order_id twice: remove or rename"):
        FileSource(path)


def test_a_table_of_names_is_read_in_other_spellings_and_encodings(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(table(), "utf-8")
    (tmp_path / "brands.csv").write_bytes("Brand ID;Brand Name\n7;Crème\n8;Pho\n".encode("latin-1"))
    (tmp_path / "items.csv.gz").write_bytes(gzip.compress("itemId,itemName\n1,Soufflé\n".encode("utf-16")))
    source = FileSource(tmp_path)
    assert source.names("brands") == {"7": "Crème", "8": "Pho"}
    assert source.names("items") == {"1": "Soufflé"}


def test_damaged_utf8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_bytes(table().encode() + b"gk_ready,2025-10-13 01:12:00,sf,\xff\xfe,4,{}\n")
    quality = FileSource(tmp_path / "events.csv").quality()
    assert (quality.read, quality.used, quality.rejected) == (4, 3, {"broken line": 1})


def test_what_is_taken_for_windows_1252_is_said_with_an_example(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "events.csv").write_bytes(table().encode("latin-1"))
    source = FileSource(tmp_path / "events.csv")
    said = "events.csv is not UTF-8, and was taken for Latin-1 (Windows-1252): “Crème”"
    assert caplog.messages == [said]
    assert source.quality().assumed == source.quality("sf").assumed == (said,)


def test_a_file_in_the_folder_that_one_is_in_is_read_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events.csv").write_bytes(table().encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    check(FileSource("events.csv"))


@pytest.mark.parametrize("many", [2, 100])
def test_every_file_whose_encoding_is_a_guess_is_named(
    tmp_path: Path, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names beside the events, files in a zip, and small ones that are joined."""
    monkeypatch.setattr("twin.sources.small_files.MANY", many)
    (tmp_path / "brands.csv").write_bytes("id,name\n7,Brûlée\n".encode("latin-1"))
    for row, name in zip(ROWS, ("a", "b", "c"), strict=True):
        (tmp_path / f"{name}.csv").write_bytes(table([row]).encode("utf-8" if name == "c" else "latin-1"))
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("inside.csv", table([ROWS[0] | {"order_id": "other"}]).encode("latin-1"))
    source = FileSource(tmp_path)
    guessed = [sentence.partition(" is not UTF-8")[0] for sentence in source.quality().assumed]
    assert sorted(guessed) == ["a.csv", "brands.csv", "more.zip (inside.csv)"]


def test_files_of_several_encodings_are_read_side_by_side(tmp_path: Path) -> None:
    for row, encoding in zip(ROWS, ("latin-1", "utf-8", "utf-16"), strict=True):
        (tmp_path / f"{encoding}.csv").write_bytes(table([row]).encode(encoding))
    check(FileSource(tmp_path))


@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_many_small_files_are_joined_whatever_their_encoding(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.small_files.MANY", 3)
    texts: dict[str, Callable[[dict[str, object]], str]] = {
        "csv": lambda row: table([row]),
        "jsonl": lambda row: lines([row]),
        "json": lambda row: json.dumps([row], ensure_ascii=False),
    }
    for row, encoding in zip(ROWS, ("latin-1", "utf-8-sig", "utf-8"), strict=True):
        (tmp_path / f"{row['sequence']}.{form}").write_bytes(texts[form](row).encode(encoding))
    check(FileSource(tmp_path))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("packed.csv", gzip.compress(table().encode())),
        ("packed.jsonl", gzip.compress(lines().encode())),
        ("packed.json", gzip.compress(ARRAY.encode())),
        ("packed", gzip.compress(table().encode())),
        ("packed.gz", gzip.compress(table().encode())),
        ("unpacked.csv.gz", table().encode()),
        ("twice.csv.gz", gzip.compress(gzip.compress(table().encode()))),
        ("packed.csv.bz2", bz2.compress(table().encode())),
        ("packed.json.xz", lzma.compress(ARRAY.encode())),
        ("packed.csv.zst", pa.Codec("zstd").compress(table().encode()).to_pybytes()),
        ("packed.parquet.gz", gzip.compress(parquet())),
    ],
)
def test_compressed_files_are_read_whatever_they_are_called(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    check(FileSource(tmp_path / name))


def test_no_copy_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for name, data in (("a.csv", table().encode("utf-16")), ("b.csv", table().encode("latin-1"))):
        (tmp_path / name).write_bytes(data)
        check(FileSource(tmp_path / name))
        assert list(temporary.iterdir()) == []


def limited(path: Path, **limits: int) -> FileSource:
    """Open a source with other limits than usual."""
    return FileSource(path, settings=Settings(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_file_holds_no_more_than_files_may(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(packed(table().encode() + b"\n" * (4 << 20)))
    assert path.stat().st_size < 10_000
    with pytest.raises(
        SourceError, match=r"bomb, that holds more than 1 MB once it is uncompressed.*TWIN_MAX_DECODED\.$"
    ):
        limited(path, max_decoded_bytes=1 << 20)


NOTES: list[list[object]] = [["These are notes"], ["of nobody"]]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("events.txt", table().encode()),
        ("events", table().encode()),
        ("part-00000", lines().encode()),
        ("events.2025-10-13", table(delimiter="\t").encode()),
        ("events.dat", parquet()),
        ("lines.csv", lines().encode()),
        ("array.csv", ARRAY.encode()),
        ("table.json", table().encode()),
        ("parquet.csv", parquet()),
        ("table.parquet", table().encode()),
        ("excel-says.csv", b"sep=;\r\n" + table(delimiter=";", end="\r\n").encode()),
        ("comments.csv", b"# exported by hand\n\n# in October\n" + table().encode()),
        ("wrapped.json", json.dumps({"page": 1, "events": ROWS}, ensure_ascii=False).encode()),
        ("several-arrays.json", "\n".join(json.dumps([row], ensure_ascii=False) for row in ROWS).encode()),
        ("lines-in-brackets.jsonl", "[\n{}\n]\n".format(",\n".join(map(json.dumps, ROWS))).encode()),
        ("over-lines.json", "\n".join(json.dumps(row, indent=2) for row in ROWS).encode()),
        ("events.xlsx", workbook({"Sheet1": cells()})),
        ("book.csv", workbook({"Sheet1": cells()})),
        ("texts.xlsx", workbook({"Sheet1": [list(ROWS[0]), *(list(row.values()) for row in ROWS)]})),
        ("two-sheets.xlsx", workbook({"one": cells(ROWS[:1]), "two": cells(ROWS[1:])})),
        ("empty-rows.xlsx", workbook({"e": [[], *cells(ROWS[:2]), [None, ""], cells()[-1] + [None, ""]]})),
        ("events.zip", archive({"events.csv": table().encode()})),
        ("stored.zip", archive({"a/events.jsonl": lines().encode()}, zipfile.ZIP_STORED)),
        ("members.zip", archive({f"{n}.csv": table([row]).encode("utf-16") for n, row in enumerate(ROWS)})),
        ("deep.zip", archive({"events.csv.gz": gzip.compress(table().encode())})),
        ("book.zip", archive({"events.xlsx": workbook({"Sheet1": cells()})})),
        ("mac.zip", archive({"__MACOSX/._events.csv": b"\0\1", ".DS_Store": b"\0", "events.csv": table().encode()})),
        ("slip.zip", archive({"../../events.csv": table().encode(), "readme.md": b"read me"})),
        ("called.csv", archive({"events.parquet": parquet()})),
    ],
)
def test_files_are_read_for_what_they_hold(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    check(FileSource(tmp_path / name))
    assert FileSource(tmp_path).quality() == FileSource(tmp_path / name).quality(), "also as a file of its folder"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_tables_of_names_may_be_in_the_same_zip_or_workbook(tmp_path: Path) -> None:
    brands: list[list[object]] = [["id", "name"], [7, "Pho"], [8, "Pie"]]
    (tmp_path / "book.xlsx").write_bytes(workbook({"events": cells(), "Brands": brands}))
    source = FileSource(tmp_path / "book.xlsx")
    check(source)
    assert source.names("brands") == {"7": "Pho", "8": "Pie"}
    (tmp_path / "all.zip").write_bytes(archive({"e.csv": table().encode(), "brands.csv": b"id,name\n7,Pho\n"}))
    assert FileSource(tmp_path / "all.zip").names("brands") == {"7": "Pho"}


def test_folders_in_a_zip_give_columns_as_elsewhere(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "location"} for row in ROWS]
    folders = {f"location={place}/e.csv": table(rows).encode("utf-16") for place in ("rio", "oslo")}
    (tmp_path / "all.zip").write_bytes(archive(folders))
    assert {place.id for place in FileSource(tmp_path / "all.zip").locations()} == {"rio", "oslo"}


REFUSED = [
    ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "is an old or encrypted Excel file: save it as .xlsx"),
    ("events.sqlite", b"SQLite format 3\0" + b"\0" * 500, "is a SQLite database: export its table of events as CSV"),
    ("events.feather", b"ARROW1\0\0" + b"\0" * 500, "is an Arrow file (Feather): write it as Parquet"),
    ("events.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 500, "is a 7z archive: unpack it and name the folder"),
    ("events.tar", b"e.csv" + b"\0" * 252 + b"ustar\x0000" + b"\0" * 1000, "is neither text nor a file of a kind"),
    ("page.csv", b"\n<!DOCTYPE html><html><body>Sign in", "is a web page, perhaps a sign-in page in place of the download"),
    ("events.dat", bytes(range(256)) * 9, "is neither text nor a file of a kind that is read"),
    ("notes.txt", b"milk, eggs\n2, 12\n", "has no column event_type, ts, order_id but milk, eggs"),
    ("empty", b"", "is empty"),
    ("damaged.csv", gzip.compress(table().encode())[:60], "cannot be read: its compression is damaged"),
    ("damaged.zip", archive({"e.csv": table().encode()})[:-40], "is a zip file that is damaged: fetch it again, or unpack it"),
    ("damaged.xlsx", archive({"xl/workbook.xml": b"<a>"}), "is an Excel workbook that is damaged: open it and save it again"),
    ("empty.xlsx", workbook({"Sheet1": []}), "is an Excel workbook without a row in it"),
    ("notes.xlsx", workbook({"Sheet1": NOTES}), "has no column event_type, ts, order_id but These are notes"),
    ("nothing.zip", archive({"picture.png": b"\x89PNG"}), "is a zip file in which no file looks like one of rows"),
    ("sheet.ods", archive({"content.xml": b"<a/>"}), "is an OpenDocument file: save its table as .xlsx or CSV"),
    ("notes.zip", archive({"notes.txt": b"a\n"}), "notes.zip (notes.txt) has no column event_type, ts, order_id but a"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "says"), REFUSED, ids=[name for name, *_ in REFUSED])
def test_what_cannot_be_used_is_named_with_what_it_is_and_what_to_do(
    tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as refused:
        FileSource(tmp_path / name)
    assert f"no usable event file: {name}" in str(refused.value)
    assert says in str(refused.value)
    (tmp_path / "good.csv").write_text(table(), "utf-8")
    source = FileSource(tmp_path)
    check(source)
    (sentence,) = source.quality().left_out
    assert sentence.startswith(name)
    assert says in sentence


def test_an_archive_that_cannot_be_unpacked_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "secret.zip"
    data = bytearray(archive({"events.csv": table().encode()}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # as if it needed a password
        data[data.index(mark) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(
        SourceError, match=r"secret\.zip is a zip file that cannot be unpacked .*password.* unpack it and name"
    ):
        FileSource(path)
    packed = tmp_path / "events.tgz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(tmp_path / "secret.zip")
    with pytest.raises(SourceError, match=r"events\.tgz is a tar archive: unpack it and name the folder"):
        FileSource(packed)


def test_bombs_in_zips_and_workbooks_meet_the_limits_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(archive({"events.csv": table().encode() + b"\n" * (4 << 20)}))
    with pytest.raises(
        SourceError, match=r"bomb\.zip, that holds more than 1 MB once it is uncompressed.*TWIN_MAX_DECODED\.$"
    ):
        limited(path, max_decoded_bytes=1 << 20)
    path.write_bytes(archive({f"{n}.csv": table().encode() for n in range(9)}))
    with pytest.raises(SourceError, match=r"bomb\.zip, that is a zip file of more than 8 files.*TWIN_MAX_FILES\.$"):
        limited(path, max_files=8)
    inner = table().encode()
    for _ in range(5):
        inner = archive({"inside.zip": inner})
    path.write_bytes(inner)
    with pytest.raises(SourceError, match=r"bomb\.zip .* is wrapped 3 times: unpack it"):
        FileSource(path)
    monkeypatch.setattr("twin.sources.workbooks.MOST", 1_000)
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(workbook({"Sheet1": cells()}))
    with pytest.raises(SourceError, match=r"bomb\.xlsx is an Excel workbook that holds .* MB: save it as CSV"):
        FileSource(path)


def test_a_sheet_that_says_wrongly_how_large_it_is_is_read_to_its_end(tmp_path: Path) -> None:
    whole = io.BytesIO(workbook({"Sheet1": cells()}))
    with zipfile.ZipFile(whole) as book, zipfile.ZipFile(tmp_path / "e.xlsx", "w") as out:
        for name in book.namelist():
            out.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', book.read(name)))
    check(FileSource(tmp_path / "e.xlsx"))
