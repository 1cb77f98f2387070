"""CSV and JSON."""

import csv
import gzip
import io
import json
from pathlib import Path

from tests.sources.inputs import Made, Row, makes

DELIMITERS = {"commas": ",", "semicolons": ";", "tabs": "\t", "bars": "|", "commas .gz": ",", "tabs .tsv": "\t"}
BIG = 1 << 21
"""Bytes of the longest CSV line that is read."""


def csv_text(rows: list[Row], **options: object) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n", **options)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@makes("CSV with commas, semicolons, tabs or bars; also `.gz`", *DELIMITERS)
def delimited(folder: Path, rows: list[Row], variant: str) -> Path:
    ending = {"commas .gz": "csv.gz", "tabs .tsv": "tsv"}.get(variant, "csv")
    return written(folder / f"events.{ending}", csv_text(rows, delimiter=DELIMITERS[variant]))


@makes("CSV with quotes or a byte order mark", "quotes", "mark")
def quoted(folder: Path, rows: list[Row], variant: str) -> Path:
    if variant == "quotes":
        return written(folder / "events.csv", csv_text(rows, quoting=csv.QUOTE_ALL))
    return written(folder / "events.csv", csv_text(rows), "utf-8-sig")


@makes(
    'CSV with a backslash before quotes in quotes (`"{\\"items\\": …}"`), as Spark and MySQL write it',
    "plain", "gz", "later", "odd letters",
)  # fmt: skip
def escaped(folder: Path, rows: list[Row], variant: str) -> Made:
    if variant == "later":  # the first rows have nothing to escape
        rows = [row for row in rows if row["body"] == "{}"] + [row for row in rows if row["body"] != "{}"]
    if variant == "odd letters":
        rows = [
            {**row, "body": json.dumps({"customer_addr": 'C:\\new "Große" \u00e9\n', "items": []})}
            if row["event_type"] == "order_created"
            else row
            for row in rows
        ]
    text = csv_text(rows, doublequote=False, escapechar="\\")
    assert '"{\\"' in text
    return Made(written(folder / ("events.csv.gz" if variant == "gz" else "events.csv"), text), rows)


@makes("times or bodies of which none can be read", "times", "bodies", "jsonl")
def unreadable(folder: Path, rows: list[Row], variant: str) -> Path:
    if variant == "bodies":
        return written(folder / "e.csv", csv_text([{**row, "body": json.dumps(row["body"])} for row in rows]))
    rows = [{**row, "ts": "13-Oct-2025 " + row["ts"][11:]} for row in rows]
    return (
        written(folder / "e.jsonl", json_lines(rows))
        if variant == "jsonl"
        else written(folder / "e.csv", csv_text(rows))
    )


@makes("CSV columns without a name", "index", "end of the header", "end of the rows")
def nameless(folder: Path, rows: list[Row], variant: str) -> Path:
    header, *lines = csv_text(rows).splitlines()
    if variant == "index":
        lines = [f"{number},{line}" for number, line in enumerate(lines)]
        header = f",{header}"
    elif variant == "end of the header":
        header += ","
    else:
        lines = [f"{line}," for line in lines]
    return written(folder / "events.csv", "\n".join([header, *lines]))


@makes("other columns", "some", "doubled", "many")
def others(folder: Path, rows: list[Row], variant: str) -> Path:
    names = {"some": ["note", "_rescued_data"], "doubled": ["note", "Note"], "many": [f"c{n}" for n in range(1_990)]}
    header, *lines = csv_text(rows).splitlines()
    more = names[variant]
    return written(
        folder / "events.csv", "\n".join([",".join([header, *more]), *(line + ",x" * len(more) for line in lines)])
    )


@makes("CSV with line ends of Windows and Unix in one file", "ends", "breaks in quotes")
def mixed_ends(folder: Path, rows: list[Row], variant: str) -> Path:
    if variant == "breaks in quotes":
        rows = [{**row, "body": row["body"].replace("{", "{\n", 1)} for row in rows]
        return written(folder / "events.csv", csv_text(rows))
    lines = csv_text(rows).splitlines()
    return written(
        folder / "events.csv", "".join(line + ("\r\n" if number % 3 else "\n") for number, line in enumerate(lines))
    )


@makes("a CSV line with too many columns")
def too_many_columns(folder: Path, rows: list[Row]) -> Made:
    path = written(folder / "events.csv", csv_text(rows) + ",".join("abcdefghijkl") + "\n")
    return Made(path, read=len(rows) + 1)


@makes("a CSV line over 2 MB", "2 MB", "40 MB", "40 MB .gz")
def long_line(folder: Path, rows: list[Row], variant: str) -> Made:
    size = BIG + 1 if variant == "2 MB" else 40_000_000
    long = {**rows[0], "order_id": "long", "body": "x" * size}
    path = folder / ("events.csv.gz" if variant.endswith(".gz") else "events.csv")
    return Made(written(path, csv_text([*rows[:9], long, *rows[9:]])), read=len(rows) + 1)


@makes("`event_type`, `ts`, `order_id`, `location`, `sequence` or `body` twice (`ts` and `TS`)", "csv", "jsonl")
def doubled(folder: Path, rows: list[Row], variant: str) -> Path:
    rows = [{**row, "TS": row["ts"]} for row in rows]
    return written(folder / f"events.{variant}", csv_text(rows) if variant == "csv" else json_lines(rows))


@makes("a first line over 128 kB")
def long_header(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "events.csv", "x" * 200_000 + "\n" + csv_text(rows))


@makes("more than 2,000 columns")
def wide_header(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "events.csv", ",".join(f"c{n}" for n in range(2_500)) + "\n" + csv_text(rows))


@makes("JSON, one object a line or one array; also `.gz`", "jsonl", "json", "ndjson", "jsonl.gz", "json.gz")
def json_file(folder: Path, rows: list[Row], variant: str) -> Path:
    return written(
        folder / f"events.{variant}",
        json.dumps(rows) if variant.startswith("json.") or variant == "json" else json_lines(rows),
    )


@makes("a JSON body that is an object instead of text", "jsonl", "json")
def nested_body(folder: Path, rows: list[Row], variant: str) -> Path:
    rows = [{**row, "body": json.loads(row["body"])} for row in rows]
    return written(folder / f"events.{variant}", json.dumps(rows) if variant == "json" else json_lines(rows))


@makes("a JSON line that is none")
def broken_line(folder: Path, rows: list[Row]) -> Made:
    text = json_lines(rows[:5]) + '{"event_type": "gk_ready", "ts"\n' + json_lines(rows[5:])
    return Made(written(folder / "events.jsonl", text), read=len(rows) + 1)


@makes("a JSON array that is torn", "json", "json.gz")
def torn_array(folder: Path, rows: list[Row], variant: str) -> Made:
    return Made(written(folder / f"events.{variant}", json.dumps(rows)[:-20]), rows=rows[:-1], read=len(rows))


@makes("an empty file", "csv", "parquet", "json")
def empty(folder: Path, rows: list[Row], variant: str) -> Path:
    return written(folder / f"events.{variant}", "")


@makes("damaged compression", "csv.gz", "jsonl.gz")
def damaged_compression(folder: Path, rows: list[Row], variant: str) -> Path:
    path = folder / f"events.{variant}"
    path.write_bytes(b"\x1f\x8b\x08\x00" + b"no compressed text at all" * 20)
    return path
