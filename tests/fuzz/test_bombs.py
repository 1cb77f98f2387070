"""Files that hold far more than their size says: judged by what they hold, and read within the memory that there is."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fuzz.test_files import MEMORY, opened
from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.sources.files import FileSource

SMALL = 1 << 20
"""Bytes that none of these files has."""
ROW = {"event_type": "gk_ready", "ts": "2025-10-13 01:00:00", "location": "sf", "order_id": "A", "body": "{}"}
CSV_HEADER, CSV_ROW = ",".join(ROW).encode() + b"\n", ",".join(ROW.values()).encode() + b"\n"
JSON_ROW = json.dumps(ROW).encode() + b"\n"


def members(path: Path, head: bytes, part: bytes, times: int) -> Path:
    """Write `head` and then `part` so many times, compressed: members of a gzip file may stand one after the other."""
    path.write_bytes(gzip.compress(head) + gzip.compress(part) * times)
    assert path.stat().st_size < SMALL
    return path


def parquet(path: Path, rows: int, body: str) -> Path:
    """Write rows that are all the same, a million a row group."""
    size = min(rows, 1_000_000)
    same = np.zeros(size, np.int32)
    table = pa.table(
        {name: pa.DictionaryArray.from_arrays(same, [text]) for name, text in ({**ROW, "body": body}).items()}
    )
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(rows // size):
            writer.write_table(table)
    assert path.stat().st_size < SMALL
    return path


def nested(path: Path, wrap: Callable[[pa.Array], pa.Array]) -> Path:
    """Write 100,000 rows whose bodies are no texts but hold one and the same of 1 MB."""
    rows = 100_000
    same = np.zeros(rows, np.int32)
    text = pa.DictionaryArray.from_arrays(same, ["y" * 1_000_000])
    plain = {name: pa.DictionaryArray.from_arrays(same, [value]) for name, value in ROW.items() if name != "body"}
    pq.write_table(pa.table({**plain, "body": wrap(text)}), path, compression="zstd")
    assert path.stat().st_size < SMALL
    return path


def mapped(text: pa.Array) -> pa.Array:
    names = pa.array(["x"] * len(text))
    return pa.MapArray.from_arrays(pa.array(np.arange(len(text) + 1, dtype=np.int32)), names, text)


BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "rows of Parquet": (
        lambda folder: parquet(folder / "e.parquet", 8_000_000, "{}"),
        "holds 8,000,000 rows, and at most 5,000,000 are read: open fewer files, or raise TWIN_MAX_ROWS.",
    ),
    "bodies of Parquet": (
        lambda folder: parquet(folder / "e.parquet", 100_000, json.dumps({"x": "y" * 1_000_000})),
        "holds 93.1 GB of data once it is uncompressed, and at most 100 MB are read",
    ),
    "structures of Parquet": (
        lambda folder: nested(folder / "e.parquet", lambda text: pa.StructArray.from_arrays([text], ["x"])),
        "holds 93.1 GB of data once it is uncompressed, and at most 100 MB are read",
    ),
    "maps of Parquet": (
        lambda folder: nested(folder / "e.parquet", mapped),
        "holds 93.1 GB of data once it is uncompressed, and at most 100 MB are read",
    ),
    "one member of CSV": (
        lambda folder: members(folder / "e.csv.gz", CSV_HEADER, CSV_ROW * 8_000_000, 1),
        "holds 282 MB of data once it is uncompressed, and at most 100 MB are read",
    ),
    "many members of CSV": (
        lambda folder: members(folder / "e.csv.gz", CSV_HEADER, CSV_ROW * 500_000, 12),
        "holds 6,000,000 rows, and at most 5,000,000 are read",
    ),
    "a header": (lambda folder: members(folder / "e.csv.gz", b"", b"x" * 10_000_000, 50), "more than 128 kB"),
    "an element of an array": (
        lambda folder: members(folder / "e.json.gz", b'[{"x":"', b"x" * 10_000_000, 50),
        "no usable event file",
    ),
    "elements of a torn array": (
        lambda folder: members(folder / "e.json.gz", b"[", (JSON_ROW.strip() + b",") * 200_000, 12),
        "has a file, e.json.gz, that holds more than 100 MB once it is uncompressed",
    ),
}


@pytest.fixture(scope="module")
def defused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The outcome of each bomb; all in one process, whose most memory is that of the worst."""
    paths = {kind: str(make(tmp_path_factory.mktemp("bomb"))) for kind, (make, _) in BOMBS.items()}
    outcomes, peak = opened(list(paths.values()), TWIN_MAX_ROWS="5000000", TWIN_MAX_DECODED="100MB")
    assert peak < MEMORY
    return {kind: outcomes[path] for kind, path in paths.items()}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_holds_more_than_is_allowed_is_refused_in_a_sentence(
    defused: dict[str, dict[str, Any]], kind: str
) -> None:
    assert BOMBS[kind][1] in defused[kind].get("refused", str(defused[kind]))


def test_many_rows_are_read_in_little_memory(tmp_path: Path) -> None:
    path = str(members(tmp_path / "e.csv.gz", CSV_HEADER, CSV_ROW * 500_000, 4))
    outcomes, peak = opened([path])
    assert outcomes[path]["read"] == 2_000_000, outcomes[path]
    assert outcomes[path]["rejected"] == {"duplicate": 1_999_999}
    assert peak < MEMORY


def with_limits(path: Path, **limits: int) -> FileSource:
    """Open a source with other limits than usual."""
    return FileSource(path, settings=Settings(**limits))  # type: ignore[arg-type]


def test_limits_are_met_exactly(tmp_path: Path) -> None:
    rows = [{**row, "location": place} for place in ("sf", "chicago", "rio") for row in ROWS]
    for number in range(3):
        write_csv(tmp_path / f"{number}.csv", rows[3 * number : 3 * number + 3])
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    exactly = {"max_rows": 9, "max_files": 3, "max_locations": 3, "max_decoded_bytes": size}
    assert with_limits(tmp_path, **exactly).quality().used == 9
    for name, says in (
        ("max_rows", r"holds 9 rows, and at most 8 are read: .* TWIN_MAX_ROWS\.$"),
        ("max_files", r"has more than 2 files: .* TWIN_MAX_FILES\.$"),
        ("max_locations", r"has 3 locations, and at most 2 are opened: .* TWIN_MAX_LOCATIONS\.$"),
        ("max_decoded_bytes", r"are read: open fewer files, or raise TWIN_MAX_DECODED\.$"),
    ):
        with pytest.raises(SourceError, match=says):
            with_limits(tmp_path, **{**exactly, name: exactly[name] - 1})


def test_a_range_that_takes_too_much_memory_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "order_id": str(order)} for order in range(1_000) for row in ROWS]
    source = FileSource(write_csv(tmp_path / "e.csv", rows))
    begin = source.locations()[0].start
    monkeypatch.setattr("twin.sources.window_sizes.SHARE", (1 << 19) / Settings().memory_bytes)
    with pytest.raises(UnknownTimeError, match=r"have 3,000 events, which take 1 MB of memory.*TWIN_MEMORY\.$"):
        source.window("sf", begin, begin + 86_400)
    before = begin - 4 * 3600  # hours beyond the range are read, too
    assert len(source.window("sf", before, before + 60)) == 1_000


def test_routes_of_the_base_map_keep_to_their_share_of_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = json.dumps({"route_points": [[37.7, -122.4]] * 1_000})
    picked = {**ROWS[0], "event_type": "driver_picked_up", "body": route}
    source = FileSource(write_csv(tmp_path / "e.csv", [{**picked, "order_id": f"{order:02}"} for order in range(20)]))
    assert len(source.routes("sf", 20)) == 20
    monkeypatch.setattr("twin.sources.window_sizes.ROUTES_SHARE", 5.5 * len(route) / Settings().memory_bytes)
    assert source.routes("sf", 20)["body"].to_pylist() == [route] * 5
    assert len(source.routes("sf", 3)) == 3


def test_decoding_that_outgrows_its_folder_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.sources.files.ON_DISK_ABOVE", -1)
    monkeypatch.setattr("twin.sources.event_files.uncompressed", lambda _: 0)  # as a compressed file may pretend
    rows = [{**ROWS[0], "order_id": order.hex()} for order in np.random.default_rng(1).random(40_000)]
    with pytest.raises(SourceError, match=r"holds more than 1 MB of decoded events\. Raise TWIN_MAX_DECODED"):
        with_limits(write_csv(tmp_path / "e.csv", rows), max_decoded_bytes=1 << 20)
