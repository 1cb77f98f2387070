"""Parquet files, and folders whose names are columns."""

import json
from contextlib import chdir
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.sources.inputs import Made, Row, makes
from tests.sources.inputs.texts import csv_text, json_lines, written


def without(rows: list[Row], name: str) -> list[Row]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


def write(path: Path, rows: list[Row], body: pa.Array | None = None) -> Path:
    table = pa.Table.from_pylist(rows)
    if body is not None:
        table = table.set_column(table.column_names.index("body"), "body", body)
    pq.write_table(table, path)
    return path


@makes("Parquet", "text", "timestamps")
def parquet(folder: Path, rows: list[Row], variant: str) -> Path:
    table = pa.Table.from_pylist(rows)
    if variant == "timestamps":
        at = table["ts"].cast(pa.timestamp("us"))
        table = table.set_column(table.column_names.index("ts"), "ts", at)
    pq.write_table(table, folder / "events.parquet")
    return folder / "events.parquet"


@makes("a Parquet body that is a struct, a map or binary", "struct", "struct with NaN", "map", "binary")
def nested_body(folder: Path, rows: list[Row], variant: str) -> Made:
    bodies = [json.loads(row["body"]) for row in rows]
    if variant == "binary":
        array = pa.array([row["body"].encode() for row in rows])
    elif variant == "map":  # of texts: what is nested in a body is not
        rows = [
            row
            for row, body in zip(rows, bodies, strict=True)
            if not any(isinstance(one, list) for one in body.values())
        ]
        bodies = [{key: str(one) for key, one in json.loads(row["body"]).items()} for row in rows]
        rows = [{**row, "body": json.dumps(body)} for row, body in zip(rows, bodies, strict=True)]
        array = pa.array([list(body.items()) for body in bodies], pa.map_(pa.string(), pa.string()))
    elif variant == "struct with NaN":
        array = pa.array([{**body, "loc_lat": float("nan"), "note": 'a,NaN,"Infinity]'} for body in bodies])
        rows = [
            {**row, "body": json.dumps({**body, "loc_lat": None, "note": 'a,NaN,"Infinity]'})}
            for row, body in zip(rows, bodies, strict=True)
        ]
    else:
        array = pa.array(bodies)
    return Made(write(folder / "events.parquet", rows, array), rows)


@makes(
    "ids that are whole numbers with a fraction (`1.0`), as pandas has them beside missing ones",
    "alone",
    "beside integers",
)
def ids_of_pandas(folder: Path, rows: list[Row], variant: str) -> Made:
    """A column of numbers, of which one is missing, is one of floats."""
    places = {place: number for number, place in enumerate(sorted({row["location"] for row in rows}), 1)}
    orders = {order: number for number, order in enumerate(dict.fromkeys(row["order_id"] for row in rows), 1000)}
    named = [
        {**row, "location": str(places[row["location"]]), "order_id": str(orders[row["order_id"]])} for row in rows
    ]

    def table(chosen: list[Row], kind: pa.DataType) -> pa.Table:
        numbers = {
            name: pa.array([int(row[name]) for row in chosen], pa.int64()).cast(kind)
            for name in ("location", "order_id", "sequence")
        }
        return pa.table({name: numbers.get(name, [row[name] for row in chosen]) for name in chosen[0]})

    half = len(named) // 2 if variant == "beside integers" else 0
    (folder / "events").mkdir()
    if half:
        pq.write_table(table(named[:half], pa.int64()), folder / "events" / "a.parquet")
    pq.write_table(table(named[half:], pa.float64()), folder / "events" / "b.parquet")
    return Made(folder / "events", named)


@makes("a Parquet body that is a list")
def list_body(folder: Path, rows: list[Row]) -> Made:
    write(folder / "lists.parquet", rows[:4], pa.array([[1, 2]] * 4))
    write(folder / "events.parquet", rows)
    return Made(folder, read=len(rows) + 4)


@makes("folders such as `location=sf/` or `ts=2025-10-13/`", "csv", "jsonl", "json", "parquet", "from inside")
def hive(folder: Path, rows: list[Row], variant: str) -> Made:
    if variant == "from inside":  # a relative path below the folder that is the column
        mine = [row for row in rows if row["location"] == "chicago"]
        inside = folder / "location=chicago" / "day=13"
        inside.mkdir(parents=True)
        written(inside / "events.csv", csv_text(without(mine, "location")))
        return Made("events.csv", mine, within=lambda: chdir(inside))
    rows = [{**row, "location": {"chicago": "São Paulo/=x"}.get(row["location"], row["location"])} for row in rows]
    for place, name in (("São Paulo/=x", "S%C3%A3o Paulo%2F%3Dx"), ("sanfrancisco", "sanfrancisco")):
        inside = folder / f"location={name}" / "day=13"
        inside.mkdir(parents=True)
        mine = without([row for row in rows if row["location"] == place], "location")
        path = inside / f"part-0.{variant}"
        if variant == "parquet":
            write(path, mine)
        else:
            written(path, {"csv": csv_text, "jsonl": json_lines, "json": json.dumps}[variant](mine))
    return Made(folder, rows)


@makes("a folder `location=__HIVE_DEFAULT_PARTITION__/`", "csv", "jsonl", "parquet")
def hive_default(folder: Path, rows: list[Row], variant: str) -> Made:
    hive(folder, rows, variant)
    none = folder / "location=__HIVE_DEFAULT_PARTITION__"
    none.mkdir()
    if variant == "parquet":
        write(none / "part-0.parquet", without(rows[:4], "location"))
    else:
        written(
            none / f"part-0.{variant}", (csv_text if variant == "csv" else json_lines)(without(rows[:4], "location"))
        )
    used = [{**row, "location": {"chicago": "São Paulo/=x"}.get(row["location"], row["location"])} for row in rows]
    return Made(folder, used, read=len(rows) + 4)


@makes("a Parquet footer that cannot be read", "no footer", "half")
def damaged_footer(folder: Path, rows: list[Row], variant: str) -> Path:
    path = write(folder / "events.parquet", rows)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if variant == "half" else b"PAR1 is how it begins")
    return path
