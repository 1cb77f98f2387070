"""File names, folders and forms of text that were read wrongly, or ended the reading."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.test_files import BODY, ROWS, write_csv, write_parquet
from twin.foundation.errors import SourceError
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline

pytestmark = pytest.mark.slow

HEADER = "event_type,ts,location,order_id,sequence,body"
PLAIN = [
    "order_created,2025-10-13 01:00:00,sf,A,0,{}",
    "gk_started,2025-10-13 01:02:00,sf,A,1,{}",
    "delivered,2025-10-13 01:30:00,sf,A,2,{}",
]
ODD_NAMES = [
    "a[1].csv",
    "a*.csv",
    "a?.csv",
    "[a].csv",
    "a{1,2}.csv",
    "a]b[.csv",
    "a\\b.csv",
    "a[!b].csv",
    "ä 'x'.csv",
    "~.csv",
]


def order(source: FileSource) -> tuple[str, float]:
    """Return what the three rows of `ROWS` make of order A."""
    found = Timeline.load(source, source.locations()[0].id, "2025-10-13", "2025-10-14").order("A")
    return found.status, found.revenue


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_name_is_a_name_and_no_pattern(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / name, ROWS[:2])
    write_csv(tmp_path / "a1.csv", ROWS[2:])  # what most of the names match as patterns
    source = FileSource(tmp_path)
    assert (source.quality().read, source.quality().rejected) == (3, {})
    assert order(source) == ("completed", 10.0)
    assert FileSource(tmp_path / name).quality().read == 2


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_a_folder_name_is_a_name_and_no_pattern(tmp_path: Path, form: str) -> None:
    for folder, row in zip(("day[1]", "day1", "day*"), ROWS, strict=True):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / f"events.{form}"
        match form:
            case "csv":
                write_csv(path, [row])
            case "parquet":
                write_parquet(path, [row])
            case "json":
                path.write_text(json.dumps([row]))
            case _:
                path.write_text(json.dumps(row) + "\n")
    source = FileSource(tmp_path)
    assert (source.quality().read, source.quality().used) == (3, 3)
    assert order(source) == ("completed", 10.0)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    "folder", ["ts=2001-01-01", "order_id=B", "EVENT_TYPE=gk_ready", "body=x", "location=elsewhere"]
)
def test_a_folder_never_replaces_a_column_of_the_rows(tmp_path: Path, folder: str, form: str) -> None:
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / f"events.{form}"
    if form == "csv":
        write_csv(path, ROWS)
    elif form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    source = FileSource(tmp_path)
    assert [place.id for place in source.locations()] == ["sf"]
    assert order(source) == ("completed", 10.0)


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_folders_give_the_columns_that_the_rows_do_not_have(tmp_path: Path, form: str) -> None:
    for place in ("sf", "S%C3%A3o Paulo", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / f"location={place}" / "day=13"
        folder.mkdir(parents=True)
        rows = [{key: value for key, value in row.items() if key != "location"} for row in ROWS]
        path = folder / f"events.{form}"
        match form:
            case "csv":
                write_csv(path, rows)
            case "parquet":
                pq.write_table(pa.Table.from_pylist(rows), path)
            case "json":
                path.write_text(json.dumps(rows))
            case _:
                path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = FileSource(tmp_path)
    assert {place.id for place in source.locations()} == {"sf", "São Paulo"}
    assert (source.quality().read, source.quality().rejected) == (9, {"no location": 3})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join([f",{HEADER}", *(f"{n},{row}" for n, row in enumerate(PLAIN))]) + "\n", id="index"),
        pytest.param(
            "\n".join([f"Unnamed: 0,{HEADER}", *(f"{n},{row}" for n, row in enumerate(PLAIN))]), id="old index"
        ),
        pytest.param("\n".join([f",,{HEADER}", *(f"{n},{n},{row}" for n, row in enumerate(PLAIN))]), id="two indices"),
        pytest.param("\n".join([f"{HEADER},", *PLAIN]) + "\n", id="header ends with a comma"),
        pytest.param("\n".join([HEADER, *(f"{row}," for row in PLAIN)]) + "\n", id="rows end with a comma"),
        pytest.param("\n".join([f"{HEADER},", *(f"{row}," for row in PLAIN)]) + "\n", id="all end with a comma"),
        pytest.param(f"{HEADER}\r\n{PLAIN[0]}\n{PLAIN[1]}\r\n{PLAIN[2]}\n", id="mixed line ends"),
        pytest.param(f"{HEADER}\n{PLAIN[0]}\r\n{PLAIN[1]}\n{PLAIN[2]}\r\n", id="mixed line ends, other way"),
        pytest.param("\r\n".join([HEADER, *PLAIN]), id="Windows"),
        pytest.param(
            "\n".join([HEADER, PLAIN[0], PLAIN[1].replace("{}", '"{""a"":\n""b""}"'), PLAIN[2]]),
            id="line break in quotes",
        ),
        pytest.param("\r".join([HEADER, *PLAIN]) + "\r", id="old Mac"),
        pytest.param("\n".join([HEADER, *PLAIN[:2], "", PLAIN[2], "", ""]), id="empty lines"),
        pytest.param("\n".join([f"{HEADER},note,Note", *(f"{row},1,2" for row in PLAIN)]), id="doubled note"),
        pytest.param("\n".join([HEADER.replace("ts", " TS "), *PLAIN]), id="spaces in the header"),
        pytest.param(
            "\ufeff" + "\n".join([HEADER.replace(",", ";"), *(row.replace(",", ";") for row in PLAIN)]), id="BOM"
        ),
    ],
)
def test_csv_whose_meaning_is_certain_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "events.csv").write_bytes(text.encode())
    source = FileSource(tmp_path / "events.csv")
    quality = source.quality()
    assert (quality.read, quality.used, quality.rejected) == (3, 3, {})
    assert order(source)[0] == "completed"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_doubled_column_is_said_by_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"events.{kind}"
    if kind == "csv":
        path.write_text("\n".join([f"{HEADER},TS", *(f"{row},2025-10-13" for row in PLAIN)]))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps({**row, "Ts": "2025-10-13"}) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist([{**row, "TS": "2025-10-13"} for row in ROWS]), path)
    with pytest.raises(
        SourceError, match=rf"^\S+: no usable event file: events\.{kind} has the column ts twice: remove"
    ):
        FileSource(path)


def test_files_that_differ_in_their_delimiter_are_read_side_by_side(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ROWS[:1])
    write_csv(tmp_path / "b.csv", ROWS[1:2], delimiter=";")
    write_csv(tmp_path / "c.csv", ROWS[2:], delimiter="\t")
    source = FileSource(tmp_path)
    assert (source.quality().read, source.quality().used) == (3, 3)


def test_broken_lines_are_counted_in_every_group_of_files(tmp_path: Path) -> None:
    for name, delimiter in (("a.csv", ","), ("b.csv", ";")):
        path = write_csv(tmp_path / name, ROWS, delimiter=delimiter)
        path.write_text(path.read_text() + delimiter.join("abcdefghi") + "\n")
    quality = FileSource(tmp_path).quality()
    assert (quality.read, quality.used, quality.rejected) == (8, 3, {"broken line": 2, "duplicate": 3})


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("form", ["lines", "array", "torn array"])
@pytest.mark.parametrize("depth", [130, 5_000, 200_000])
def test_a_row_that_is_nested_deep_is_read_or_set_aside_alone(
    tmp_path: Path, form: str, depth: int, compressed: bool
) -> None:
    deep = '{"event_type": "gk_ready", "ts": "2025-10-13 01:10:00", "location": "sf", "order_id": "B", "x": '
    deep += "[" * depth + "]" * depth + "}"
    rows = [json.dumps(row) for row in ROWS]
    rows.insert(1, deep)
    text = "\n".join(rows) + "\n" if form == "lines" else f"[{','.join(rows)}]"
    if form == "torn array":
        text = text[:-30]
    path = tmp_path / ("events.json.gz" if compressed else "events.json")
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    source = FileSource(path)
    quality, torn = source.quality(), form == "torn array"
    assert quality.read == 4
    assert set(quality.rejected) <= {"broken line"}
    assert source.window("sf", 0, 2e9)["order_id"].to_pylist().count("A") == 3 - torn
    assert quality.used >= 3 - torn


def test_a_torn_array_that_ends_deep_inside_a_row_is_read_up_to_it(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps(ROWS)[:-1] + ', {"x": ' + '{"a": [' * 100_000)
    quality = FileSource(path).quality()
    assert (quality.read, quality.used, quality.rejected) == (4, 3, {"broken line": 1})


def test_a_row_that_is_too_long_is_set_aside_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    rows = [json.dumps(row) for row in ROWS]
    rows.insert(1, json.dumps({**ROWS[0], "note": "x" * (34 << 20)}))
    path.write_text("\n".join(rows) + "\n")
    quality = FileSource(path).quality()
    assert (quality.read, quality.used, quality.rejected) == (4, 3, {"broken line": 1})


def test_rows_that_are_set_aside_leave_the_columns_of_folders(tmp_path: Path) -> None:
    folder = tmp_path / "location=rio"
    folder.mkdir()
    rows = [{key: value for key, value in row.items() if key != "location"} for row in ROWS]
    (folder / "events.json").write_text(json.dumps(rows)[:-30])
    assert [place.id for place in FileSource(tmp_path).locations()] == ["rio"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (f"{HEADER},{'x' * 140_000}", "has a first line of more than 128 kB"),
        (f"{HEADER}," + ",".join(f"c{n}" for n in range(15_000)), "has 15,006 columns"),
        ("x" * 3_000_000, "has a first line of more than 128 kB"),
    ],
)
def test_a_header_that_is_none_is_one_sentence(tmp_path: Path, header: str, says: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text("\n".join([header, *PLAIN]))
    with pytest.raises(SourceError, match=says) as caught:
        FileSource(path)
    assert len(str(caught.value)) < 400


def test_one_unusable_file_beside_good_ones_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_csv(tmp_path / "good.csv", ROWS)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 is how it begins")
    (tmp_path / "long.csv").write_text("x" * 200_000)
    (tmp_path / "odd.json").write_text("nothing that is JSON")
    quality = FileSource(tmp_path).quality()
    assert replace(quality, left_out=()) == FileSource(tmp_path / "good.csv").quality()
    left_out = {"bad.parquet", "long.csv", "odd.json"}
    assert {text.split()[0] for text in quality.left_out} == left_out
    assert {record.getMessage().split()[5] for record in caplog.records} == left_out


def test_a_second_table_of_names_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    write_csv(tmp_path / "events.csv", ROWS)
    for folder, name in (("a", "Pho"), ("b", "Pho"), ("c", "Old")):
        (tmp_path / folder).mkdir()
        write_csv(tmp_path / folder / "brands.csv", [{"id": "7", "name": name}])
    source = FileSource(tmp_path)
    assert source.quality().left_out == ("c/brands.csv is a second table of brands: put all of them into one",)
    assert source.names("brands") == {"7": "Pho"}


def test_types_of_one_column_may_differ_between_files(tmp_path: Path) -> None:
    write_parquet(tmp_path / "text.parquet", ROWS[:2])
    write_parquet(tmp_path / "typed.parquet", ROWS[2:], "* REPLACE (ts::TIMESTAMP AS ts, sequence::INT AS sequence)")
    source = FileSource(tmp_path)
    assert (source.quality().read, source.quality().used) == (3, 3)
    assert order(source) == ("completed", 10.0)


@pytest.mark.parametrize("at", [-62_135_596_800.0, -62_135_596_800.0 - 1e6, 253_402_300_799.0 + 1e6, 1e300, -1e300])
def test_ranges_at_the_ends_of_the_calendar_have_an_answer(tmp_path: Path, at: float) -> None:
    source = FileSource(write_csv(tmp_path / "e.csv", ROWS))
    assert len(source.window("sf", at, at + 10)) == 0
    assert len(source.window("sf", min(at, 0.0), max(at, 2e9))) == (3 if at < 0 or at > 2e9 else 0)
    assert source.query("totals", location="sf", from_ts=at, to_ts=at + 10).num_rows <= 1


def test_many_locations_have_their_own_volume_and_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    places = rng.integers(0, 2_000, 20_000)
    hours = rng.integers(0, 200, 20_000)
    table = pa.table(
        {
            "event_type": ["order_created"] * len(places),
            "ts": (np.datetime64("2025-10-13", "us") + hours.astype("timedelta64[h]")).astype("datetime64[us]"),
            "location": places.astype(str),
            "order_id": [f"order {n}" for n in range(len(places))],
            "body": [BODY] * len(places),
        }
    )
    pq.write_table(table, tmp_path / "e.parquet")
    source = FileSource(tmp_path / "e.parquet")
    locations = source.locations()
    assert len(locations) == len(np.unique(places))
    for place in locations[::97]:
        mine, counts = np.unique(hours[places == int(place.id)], return_counts=True)
        volume = source.volume(place.id)
        begin = np.datetime64("2025-10-13", "s").astype(np.int64)
        assert volume.hour.tolist() == (begin + mine * 3600.0).tolist()
        assert volume.orders.tolist() == counts.tolist()
        assert (source.quality(place.id).read, source.quality(place.id).used) == (counts.sum(), counts.sum())


@pytest.mark.parametrize("form", ["csv.gz", "jsonl.gz"])
def test_a_torn_file_among_many_small_ones_is_not_the_end_of_all(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.small_files.MANY", 5)
    rows = [{**ROWS[0], "order_id": random.Random(n).randbytes(8).hex()} for n in range(200)]
    for number in range(20):
        mine = rows[number * 10 : number * 10 + 10]
        text = "".join(json.dumps(row) + "\n" for row in mine)
        if form == "csv.gz":
            write_csv(tmp_path / f"{number:02}.csv.gz", mine)
        else:
            (tmp_path / f"{number:02}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    torn = tmp_path / f"07.{form}"
    torn.write_bytes(torn.read_bytes()[:-20])
    source = FileSource(tmp_path)
    quality = source.quality()
    assert quality.used >= 190
    assert quality.used + sum(quality.rejected.values()) == quality.read
    assert quality.used == 200 or quality.left_out or quality.rejected


@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl", "json"])
def test_many_small_files_are_read_as_if_they_were_one(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.sources.small_files.MANY", 5)
    monkeypatch.setattr("twin.sources.small_files.JOINED", 2_000)
    texts = {
        "csv": lambda row: f"{HEADER}\n{row['event_type']},{row['ts']},sf,{row['order_id']},0,{{}}",
        "jsonl": json.dumps,
        "json": lambda row: json.dumps([row], indent=1),
    }
    for number in range(60):
        row = {**ROWS[number % 3], "order_id": str(number // 3)}
        text = texts[form.removesuffix(".gz")](row)
        if number == 7:
            text = text.replace("\n", "\r\n") + "\r\n"
        if number == 8 and "csv" in form:  # a quote that is never closed must not swallow the next file
            text += '\ngk_ready,2025-10-13 01:12:00,sf,8,0,"{}'
        data = (b"\xef\xbb\xbf" if number == 9 else b"") + text.encode()
        (tmp_path / f"{number:02}.{form}").write_bytes(gzip.compress(data) if form.endswith("gz") else data)
    (tmp_path / f"large.{form}").write_bytes((tmp_path / f"00.{form}").read_bytes())
    source = FileSource(tmp_path)
    quality = source.quality()
    assert quality.read == 61 + ("csv" in form)
    assert quality.rejected["duplicate"] == 1
    assert quality.used >= 60
    assert {place.orders for place in source.locations()} == {20}
