"""Other encodings, spellings, compressions and containers, and files whose names say little."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa

from tests.sources.inputs import Made, Row, makes
from tests.sources.inputs.texts import csv_text, json_lines, written

ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
SPELLINGS = {
    "camel": {"event_type": "eventType", "order_id": "orderId", "location": "locationId"},
    "words": {"event_type": "event type", "order_id": "Order ID", "ts": "TS"},
    "dashes": {"event_type": "EVENT-TYPE", "order_id": "Order.Id"},
    "invisible": {"event_type": "event_type\u00a0", "order_id": "\u200border_id", "ts": "\ufeffts"},
}


def wide_letters(rows: list[Row]) -> list[Row]:
    """Return the rows with a letter beyond ASCII in some of their bodies."""
    return [
        {**row, "body": json.dumps({**json.loads(row["body"]), "customer_addr": "Große Allee"}, ensure_ascii=False)}
        if row["event_type"] == "order_created"
        else row
        for row in rows
    ]


@makes("text in UTF-16 or UTF-32, with or without its mark", *ENCODINGS, *(f"{name} json" for name in ENCODINGS))
def wide_text(folder: Path, rows: list[Row], variant: str) -> Made:
    encoding, _, form = variant.partition(" ")
    rows = wide_letters(rows)
    return Made(written(folder / f"e.{form or 'csv'}", json.dumps(rows) if form else csv_text(rows), encoding), rows)


@makes("text that is neither UTF-8 nor UTF-16", "csv", "csv.gz", "jsonl", "json")
def western(folder: Path, rows: list[Row], variant: str) -> Made:
    rows = wide_letters(rows)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = {"jsonl": "\n".join(lines), "json": f"[{','.join(lines)}]"}.get(variant, csv_text(rows))
    return Made(written(folder / f"e.{variant}", text, "latin-1"), rows)


@makes("UTF-8 with damaged bytes")
def damaged_letters(folder: Path, rows: list[Row]) -> Made:
    rows = wide_letters(rows)
    path = written(folder / "e.csv", csv_text(rows))
    path.write_bytes(path.read_bytes() + b"gk_ready,2025-10-13 01:00:00,sf,\xff\xfe,1,{}\n")
    return Made(path, rows, read=len(rows) + 1)


@makes(
    "JSON with a byte order mark, or with lines that end with CR", "mark json", "mark jsonl", "cr jsonl", "crlf jsonl"
)
def odd_json(folder: Path, rows: list[Row], variant: str) -> Path:
    how, form = variant.split()
    text = json.dumps(rows) if form == "json" else json_lines(rows)
    end = {"cr": "\r", "crlf": "\r\n"}.get(how, "\n")
    return written(folder / f"e.{form}", text.replace("\n", end), "utf-8-sig" if how == "mark" else "utf-8")


@makes("names of columns in another spelling: `orderId`, `Order ID`, `event-type`", *SPELLINGS)
def spelled(folder: Path, rows: list[Row], variant: str) -> Path:
    names = SPELLINGS[variant]
    return written(folder / "e.csv", csv_text([{names.get(k, k): v for k, v in row.items()} for row in rows]))


@makes(
    "a file without an ending, `.txt`, or with one that is wrong", "e", "e.txt", "part-00000", "e.json", "json e.csv"
)
def named_otherwise(folder: Path, rows: list[Row], variant: str) -> Path:
    return written(folder / variant.split()[-1], json_lines(rows) if variant.startswith("json") else csv_text(rows))


@makes("gzip, bzip2, xz or zstd under any name", "e.csv", "e.csv.bz2", "e.xz", "e.json.zst", "plain.csv.gz")
def packed(folder: Path, rows: list[Row], variant: str) -> Path:
    text = (json_lines(rows) if "json" in variant else csv_text(rows)).encode()
    data = {
        "e.csv": gzip.compress, "e.csv.bz2": bz2.compress, "e.xz": lzma.compress, "plain.csv.gz": bytes,
        "e.json.zst": lambda text: pa.Codec("zstd").compress(text).to_pybytes(),
    }[variant](text)  # fmt: skip
    (folder / variant).write_bytes(data)
    return folder / variant


@makes("an Excel workbook (`.xlsx`)", "one sheet", "a sheet for each kitchen")
def workbook(folder: Path, rows: list[Row], variant: str) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for place in sorted({row["location"] for row in rows}) if "each" in variant else [""]:
        sheet = book.create_sheet(place or "Sheet1")
        sheet.append(list(rows[0]))
        for row in rows:
            if row["location"] == place or not place:
                sheet.append(list(row.values()))
    book.save(folder / "e.xlsx")
    return folder / "e.xlsx"


@makes("a zip", "one file", "a file for each kitchen")
def zipped(folder: Path, rows: list[Row], variant: str) -> Path:
    with zipfile.ZipFile(folder / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted({row["location"] for row in rows}) if "each" in variant else [""]:
            mine = [row for row in rows if row["location"] == place or not place]
            archive.writestr(f"{place or 'e'}.csv", csv_text(mine))
        archive.writestr("README.md", "what this is")
    return folder / "e.zip"


@makes(
    "JSON rows in an object, in several arrays, over several lines, or with nothing between them",
    "object", "arrays", "lines", "nothing", "nothing, large", "nothing but spaces", "nothing e.jsonl",
)  # fmt: skip
def other_json(folder: Path, rows: list[Row], variant: str) -> Made:
    if variant.endswith("large"):  # longer than what Python looks at
        rows = [{**row, "order_id": f"{row['order_id']}-{n}"} for n in range(40) for row in rows]
    each = list(map(json.dumps, rows))
    text = {
        "nothing but spaces": " ".join(each),
        "object": json.dumps({"page": 1, "events": rows}),
        "arrays": json.dumps(rows[:5]) + "\n" + json.dumps(rows[5:]),
        "lines": "\n".join(json.dumps(row, indent=1) for row in rows),
    }.get(variant, "".join(each))
    return Made(written(folder / ("e.jsonl" if "jsonl" in variant else "e.json"), text), rows)


@makes("lines above a CSV header", "sep", "comments")
def above(folder: Path, rows: list[Row], variant: str) -> Path:
    text = "sep=;\n" + csv_text(rows, delimiter=";") if variant == "sep" else "# by hand\n\n" + csv_text(rows)
    return written(folder / "e.csv", text)


@makes("`.xls`, SQLite, Arrow, ORC, Avro, HDF5, 7z, RAR, PDF, a web page", "xls", "sqlite", "arrow", "avro", "html")
def foreign(folder: Path, rows: list[Row], variant: str) -> Path:
    begin = {
        "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "sqlite": b"SQLite format 3\0", "arrow": b"ARROW1", "avro": b"Obj\x01",
        "html": b"<html><body>Sign in",
    }[variant]  # fmt: skip
    path = folder / {"html": "e.csv"}.get(variant, f"e.{variant}")
    path.write_bytes(begin + b" " * 100)
    return path


@makes("a tar archive", "e.tar", "e.tar.gz")
def tarred(folder: Path, rows: list[Row], variant: str) -> Path:
    data = csv_text(rows).encode()
    with tarfile.open(folder / variant, "w:gz" if variant.endswith("gz") else "w") as archive:
        info = tarfile.TarInfo("e.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return folder / variant


@makes("a text without the columns of events")
def other_table(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "e.txt", "milk,eggs\n2,12\n")


@makes("what is neither text nor a file of a kind that is read")
def noise(folder: Path, rows: list[Row]) -> Path:
    (folder / "e.dat").write_bytes(bytes(range(256)) * 20)
    return folder / "e.dat"
