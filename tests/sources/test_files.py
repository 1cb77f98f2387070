"""Event files of every form, good and bad."""

import csv
import gc
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from twin.foundation.errors import SourceError
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

BODY = json.dumps(
    {"customer_lat": 37.8, "customer_lon": -122.4, "items": [{"name": "<b>Pie</b>", "price": 5, "qty": 2}]}
)
ROWS = [
    {"event_type": "order_created", "ts": "2025-10-13 01:00:00", "location": "sf", "order_id": "A", "sequence": "0",
     "body": BODY},
    {"event_type": "gk_started", "ts": "2025-10-13 01:02:00", "location": "sf", "order_id": "A", "sequence": "1", "body": "{}"},
    {"event_type": "delivered", "ts": "2025-10-13 01:30:00", "location": "sf", "order_id": "A", "sequence": "2", "body": "{}"},
]  # fmt: skip


def write_csv(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]], types: str = "*") -> Path:
    source = path.with_suffix(".tmp.jsonl")
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    duckdb.sql(f"COPY (SELECT {types} FROM read_json('{source}', convert_strings_to_integers=false)) TO '{path}'")
    source.unlink()
    return path


def make(folder: Path, form: str) -> Path:
    if form in ("csv", "csv.gz"):
        return write_csv(folder / f"events.{form}", ROWS)
    if form == "semicolons":
        return write_csv(folder / "events.csv", ROWS, delimiter=";")
    path = folder / f"events.{form.split()[0]}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    elif form == "json array":
        path.write_text(json.dumps(ROWS, indent=1))
    elif form == "jsonl.gz":
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    elif form == "parquet":
        write_parquet(path, ROWS)
    else:
        types = "* REPLACE (ts::TIMESTAMP AS ts, sequence::INT AS sequence)"
        write_parquet(folder / "events.parquet", ROWS, types)
        return folder / "events.parquet"
    return path


FORMS = ["csv", "csv.gz", "semicolons", "jsonl", "jsonl.gz", "json array", "parquet", "typed parquet"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_gives_the_same_order(tmp_path: Path, form: str) -> None:
    source = FileSource(make(tmp_path, form))
    assert (source.quality().read, source.quality().used) == (3, 3)
    order = Timeline.load(source, "sf", "2025-10-13", "2025-10-14").order("A")
    assert (order.status, order.revenue, order.items[0].name) == ("completed", 10.0, "<b>Pie</b>")


def test_columns_may_come_in_any_order_and_case_and_body_as_an_object(tmp_path: Path) -> None:
    rows = [
        {
            "Body": json.loads(row["body"]),
            "TS": row["ts"] + "Z",
            **{k: row[k] for k in ("order_id", "event_type")},
            "location_id": 4,
        }
        for row in ROWS
    ]
    (tmp_path / "e.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = FileSource(tmp_path / "e.jsonl")
    assert [place.id for place in source.locations()] == ["4"]
    assert source.quality().used == 3


def test_a_folder_reads_events_and_the_tables_beside_them(tmp_path: Path) -> None:
    rows = [{**row, "location_id": "7"} for row in ROWS]
    for row in rows:
        del row["location"]
    write_csv(tmp_path / "events_1.csv", rows[:2])
    write_csv(tmp_path / "events_2.csv", rows[2:])
    write_csv(
        tmp_path / "locations.csv",
        [{"location_id": "7", "location_code": "rio", "name": "Rio", "lat": "-22.9", "lon": "-43.2"}],
    )
    (place,) = FileSource(tmp_path).locations()
    assert (place.display_name, place.lat, place.lon, place.orders) == ("Rio", -22.9, -43.2, 1)
    (place,) = FileSource(f"{tmp_path}/events_*.csv").locations()
    assert place.orders == 1


def test_torn_lines_are_counted_and_the_good_ones_beside_them_used(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + '{"event_type": "gk_rea\n')
    quality = FileSource(path).quality()
    assert (quality.read, quality.used, quality.rejected) == (4, 3, {"broken line": 1})


def test_a_torn_json_array_is_read_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text(json.dumps(ROWS)[:-30])
    quality = FileSource(path).quality()
    assert (quality.read, quality.used, quality.rejected) == (3, 2, {"broken line": 1})


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_of_a_torn_json_array_no_copy_stays_behind_while_the_source_is_open(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps(ROWS)[:-30])
    (tmp_path / "brands.json").write_text(json.dumps([{"id": "7", "name": "Pho"}, {"id": "8", "name": "Pie"}])[:-3])
    source = FileSource(f"{tmp_path}/*.json")
    assert list(temporary.iterdir()) == []
    assert source.quality().rejected == {"broken line": 2}
    assert source.names("brands") == {"7": "Pho"}
    assert len(source.window("sf", 0, 2e9)) == 2


def test_of_a_torn_json_array_no_copy_stays_behind_when_it_cannot_be_used(tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps([{"ts": "2025-10-13", "order_id": "A"}, {"ts": 1}])[:-3])
    with pytest.raises(SourceError, match="no column event_type"):
        FileSource(path)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_what_was_decoded_on_disk_goes_with_the_source_and_when_reading_fails(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.files.ON_DISK_ABOVE", 10)
    source = FileSource(write_csv(tmp_path / "good.csv", ROWS))
    assert source.quality().used == 3
    assert list(temporary.iterdir()) != []
    del source
    deadline = time.monotonic() + 30
    # a thread that reads the names in the background holds the source until it is done
    while list(temporary.iterdir()):
        assert time.monotonic() < deadline
        gc.collect()
        time.sleep(0.01)
    with pytest.raises(SourceError) as caught:  # the error holds its traceback, and so the half-made source
        FileSource(write_csv(tmp_path / "bad.csv", [{**ROWS[0], "ts": "never"}]))
    assert list(temporary.iterdir()) == []
    assert "set aside" in str(caught.value)


@pytest.mark.slow
def test_a_process_that_ends_leaves_nothing_in_the_temporary_folder(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps(ROWS)[:-30])
    script = (
        "import sys, twin.sources.files as files\n"
        "files.ON_DISK_ABOVE = 10\n"
        "source = files.FileSource(sys.argv[1])\n"
        "source.quality()\n"
        "print(source._database.folder)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "events.json")], env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(temporary) in done.stdout
    assert list(temporary.iterdir()) == []


def test_csv_lines_with_too_many_columns_are_counted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "e.csv", ROWS)
    path.write_text(path.read_text() + "gk_ready,2025-10-13 01:12:00,sf,A,9,{},one,two\n")
    quality = FileSource(path).quality()
    assert (quality.read, quality.used, quality.rejected) == (4, 3, {"broken line": 1})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("event_type,ts,order_id\n", "no event row"),
        ("a,b\n1,2\n", "no column event_type, ts, order_id"),
        ("event_type,ts,order_id\ngk_ready,never,A\n", "all 1 rows were set aside"),
    ],
)
def test_a_bad_source_is_one_clear_sentence(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "e.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SourceError, match=says) as caught:
        FileSource(path)
    assert "\n" not in str(caught.value)
    assert "e.csv" in str(caught.value)


def test_a_quote_in_a_file_name_is_only_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's; DROP TABLE events"
    folder.mkdir()
    assert FileSource(write_csv(folder / "e'vents.csv", ROWS)).quality().used == 3


def test_the_hourly_volume_counts_each_order_once(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "e.csv", ROWS))
    volume = source.volume("sf")
    assert volume.orders.tolist() == [1]
    assert volume.hour.tolist() == [1760317200.0]


def test_large_input_is_decoded_on_disk_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.files.ON_DISK_ABOVE", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = FileSource(write_csv(tmp_path / "e.csv", ROWS))
    assert list(tmp_path.glob("twin-*/events.duckdb"))
    assert source.quality().used == 3
    source.close()
    assert not list(tmp_path.glob("twin-*"))
