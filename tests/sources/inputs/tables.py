"""Tables that are folders with a log: Delta, Iceberg, Hudi. Logs that the library does not write are written by hand."""

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from tests.sources.inputs import Made, Row, makes

BEGIN = 1_760_000_000_000
"""When the first version of a table by hand was committed, milliseconds; one follows each hour."""
HOUR = 3_600_000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
"""Of base 85 as deletion vectors are written in a log (Z85)."""
GHOST = {"location": "nowhere", "order_id": "ghost"}
"""What rows have that no reader may see."""


def ghosts(rows: list[Row]) -> list[Row]:
    return [{**row, **GHOST} for row in rows[:5]]


def by_hand(
    folder: Path, versions: list[list[dict[str, Any]]], rows: list[Row], features: list[str], partition: str = ""
) -> Path:
    """Write the log of a table with the columns of `rows`; each version has actions, the first also what describes the table."""
    (folder / "_delta_log").mkdir(parents=True, exist_ok=True)
    fields = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in rows[0]]
    describes = [
        {
            "protocol": {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": features,
                "writerFeatures": features,
            }
        },
        {
            "metaData": {
                "id": "00000000-0000-4000-8000-000000000000",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [partition] if partition else [],
                "configuration": {},
                "createdTime": BEGIN,
            }
        },
    ]
    for number, actions in enumerate(versions):
        commit = [
            {"commitInfo": {"timestamp": BEGIN + number * HOUR, "operation": "WRITE"}},
            *(describes if number == 0 else []),
            *actions,
        ]
        (folder / "_delta_log" / f"{number:020}.json").write_text("\n".join(map(json.dumps, commit)))
    return folder


def add(folder: Path, name: str, rows: list[Row], **more: Any) -> dict[str, Any]:
    """Write a file of a table, and return the action that adds it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    size, stats = path.stat().st_size, json.dumps({"numRecords": len(rows)})
    return {
        "add": {
            "path": name,
            "partitionValues": {},
            "size": size,
            "modificationTime": BEGIN,
            "dataChange": True,
            "stats": stats,
            **more,
        }
    }


def deletion_vector(deleted: list[int]) -> dict[str, Any]:
    """Return a deletion vector of row numbers below 65,536, written into the log itself: a Roaring bitmap with one container."""
    bitmap = struct.pack("<IIHHI", 12_346, 1, 0, len(deleted) - 1, 16) + b"".join(
        struct.pack("<H", row) for row in deleted
    )
    data = struct.pack("<IQI", 1_681_511_377, 1, 0) + bitmap
    text = ""
    for (word,) in struct.iter_unpack(">I", data + b"\0" * (-len(data) % 4)):
        text += "".join(DIGITS[word // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(data), "cardinality": len(deleted)}


DELTA = (
    "removed files",
    "deletion vectors",
    "partitions",
    "partitions by hand",
    "checkpoint",
    "among others",
    "uncommitted files",
    "times with a zone",
    "times without a zone",
    "body as a struct",
)


@makes("a Delta table", *DELTA)
def delta(folder: Path, rows: list[Row], variant: str) -> Path:
    table = folder / "events"
    match variant:
        case "removed files":
            write_deltalake(table, pa.Table.from_pylist([*rows, *ghosts(rows)]))
            assert DeltaTable(table).delete("order_id = 'ghost'")["num_deleted_rows"] == 5
        case "deletion vectors":
            actions = [
                add(table, "part-0.parquet", [*ghosts(rows), *rows], deletionVector=deletion_vector([0, 1, 2, 3, 4]))
            ]
            by_hand(table, [actions], rows, ["deletionVectors"])
        case "partitions" | "checkpoint":
            write_deltalake(table, pa.Table.from_pylist(ghosts(rows)), partition_by=["location"])
            write_deltalake(table, pa.Table.from_pylist(rows), mode="overwrite")
            if variant == "checkpoint":
                DeltaTable(table).create_checkpoint()
                for commit in (table / "_delta_log").glob("0*[0-9].json"):
                    commit.unlink()
        case "partitions by hand":  # the log counts, not the names of folders
            actions = []
            for number, place in enumerate(sorted({row["location"] for row in rows})):
                mine = [
                    {key: value for key, value in row.items() if key != "location"}
                    for row in rows
                    if row["location"] == place
                ]
                name = f"location=other {number}/part-0.parquet"
                actions.append(
                    add(table, name, mine, path=name.replace(" ", "%20"), partitionValues={"location": place})
                )
            by_hand(table, [actions], rows, [], "location")
        case "times with a zone" | "times without a zone":
            table_of_rows = pa.Table.from_pylist(rows)
            at = table_of_rows["ts"].cast(pa.timestamp("us"))
            if variant == "times with a zone":
                at = at.cast(pa.timestamp("us", "UTC"))
            write_deltalake(table, table_of_rows.set_column(table_of_rows.column_names.index("ts"), "ts", at))
        case "body as a struct":
            write_deltalake(table, pa.Table.from_pylist([{**row, "body": json.loads(row["body"])} for row in rows]))
        case "uncommitted files":
            write_deltalake(table, pa.Table.from_pylist(rows))
            pq.write_table(pa.Table.from_pylist(ghosts(rows)), table / "part-00000-a-writer-that-crashed.parquet")
        case "among others":
            write_deltalake(table, pa.Table.from_pylist(rows[:20]))
            write_deltalake(folder / "more" / "events", pa.Table.from_pylist(rows[20:]))
            write_deltalake(folder / "brands", pa.table({"id": ["1"], "name": ["Pho"]}))
            return folder
    return table


VERSIONS = ("v1", "2025-10-09T09:59:59", "2025-10-09T11:59:59+02:00", "20251009095959000", "2025-10-09 09:59:59")


@makes("a Delta table at a version, `folder@v3`, or at a time, `folder@2025-10-13T18:00:00`", *VERSIONS)
def delta_version(folder: Path, rows: list[Row], variant: str) -> Path:
    versions = [
        [add(folder / "events", "part-0.parquet", ghosts(rows))],
        [
            add(folder / "events", "part-1.parquet", rows),
            {"remove": {"path": "part-0.parquet", "deletionTimestamp": BEGIN, "dataChange": True}},
        ],
        [add(folder / "events", "part-2.parquet", ghosts(rows))],
    ]  # fmt: skip
    return Path(f"{by_hand(folder / 'events', versions, rows, [])}@{variant}")


@makes("a Delta table at a version that it does not have")
def delta_unknown_version(folder: Path, rows: list[Row]) -> Path:
    return delta_version(folder, rows, "v9")  # type: ignore[return-value]


@makes("a Delta table at a time before its first version")
def delta_too_early(folder: Path, rows: list[Row]) -> Path:
    return delta_version(folder, rows, "2001-01-01T00:00:00")  # type: ignore[return-value]


@makes("a version of what is no Delta table")
def no_table(folder: Path, rows: list[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), folder / "events.parquet")
    return Path(f"{folder}@v3")


@makes("a Delta table whose log is damaged", "no JSON", "empty", "half a protocol")
def delta_damaged(folder: Path, rows: list[Row], variant: str) -> Path:
    write_deltalake(folder / "events", pa.Table.from_pylist(rows))
    (commit,) = (folder / "events" / "_delta_log").glob("*.json")
    if variant == "empty":
        commit.unlink()
    else:
        commit.write_text("no JSON" if variant == "no JSON" else commit.read_text().split("\n", 1)[0])
    return folder / "events"


@makes("a Delta table without a file that its log lists")
def delta_lacks(folder: Path, rows: list[Row]) -> Path:
    write_deltalake(folder / "events", pa.Table.from_pylist(rows))
    next((folder / "events").glob("part-*.parquet")).unlink()
    return folder / "events"


@makes("a Delta table that needs what the reader does not have")
def delta_new(folder: Path, rows: list[Row]) -> Path:
    return by_hand(folder / "events", [[add(folder / "events", "part-0.parquet", rows)]], rows, ["somethingNew"])


@makes("a file of a Delta table, named by itself or by a pattern", "file", "pattern")
def part_of_delta(folder: Path, rows: list[Row], variant: str) -> Path:
    write_deltalake(folder / "events", pa.Table.from_pylist(rows))
    return next((folder / "events").glob("part-*.parquet")) if variant == "file" else folder / "**" / "*.parquet"


@makes("a table of Iceberg or Hudi", "Iceberg", "Hudi")
def other_tables(folder: Path, rows: list[Row], variant: str) -> Made:
    data = folder / "lake" / ("data" if variant == "Iceberg" else "2025")
    data.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ghosts(rows)), data / "part-0.parquet")
    log = folder / "lake" / ("metadata" if variant == "Iceberg" else ".hoodie")
    log.mkdir()
    (log / "v1.metadata.json").write_text("{}")
    return Made(folder / "lake")
