"""What the times of files mean: instants with an offset, a kitchen's own clock without one, numbers since 1970, days first."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.foundation.times import text
from twin.sources import queries
from twin.sources.files import FileSource
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.timeline.timeline import Timeline

pytestmark = pytest.mark.slow

WITH_ZONE = "time with a zone, most have none: set TWIN_TIMES"
WITHOUT_ZONE = "time without a zone, most have one: set TWIN_TIMES"


def written(folder: Path, times: Sequence[Any], form: str = "csv") -> Path:
    """Write an event per time, each of an order of its own, which is called by its number."""
    rows = [{**ROWS[0], "ts": ts, "order_id": str(number)} for number, ts in enumerate(times)]
    path = folder / f"events.{form}"
    if form == "csv":
        return write_csv(path, rows)
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path, **settings: Any) -> tuple[str, list[str | None], dict[str, int]]:
    """Return the kind of a source's times, the time of each row (None if it is set aside), and the rows set aside by reason."""
    source = FileSource(path, settings=Settings(**settings))
    quality = source.quality()
    assert quality.read == quality.used + sum(quality.rejected.values())
    rows = source.window("sf", 0.0, 4e9).to_pylist()
    found = {int(row["order_id"]): row["ts"].isoformat(" ") for row in rows}
    source.close()
    return str(source.times), [found.get(number) for number in range(quality.read)], dict(quality.rejected)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("ts", "utc"),
    [
        ("2025-10-13T18:30:00Z", "2025-10-13 18:30:00"),
        ("2025-10-13t18:30:00z", "2025-10-13 18:30:00"),
        ("2025-10-13 18:30:00.123456789Z", "2025-10-13 18:30:00.123456"),
        ("2025-10-13T18:30:00-07:00", "2025-10-14 01:30:00"),
        ("2025-10-13 18:30:00.5+05:45", "2025-10-13 12:45:00.500000"),
        ("2025-10-13 18:30:00+0530", "2025-10-13 13:00:00"),
        ("2025-10-13 18:30:00 +0530", "2025-10-13 13:00:00"),
        ("2025-10-13 18:30:00-07", "2025-10-14 01:30:00"),
        ("2025-10-13 18:30-07", "2025-10-14 01:30:00"),
        ("2025-10-13 18:30+07", "2025-10-13 11:30:00"),
        ("2025-10-1 18:30:00Z", "2025-10-01 18:30:00"),
        ("2025-1-1 1:01:01+07", "2024-12-31 18:01:01"),
        ("2025-10-13 18:30:00 UTC", "2025-10-13 18:30:00"),
        ("2025-10-13 18:30:00 GMT+2", "2025-10-13 16:30:00"),
        ("2025-10-13 18:30:00 PDT", "2025-10-14 01:30:00"),
        ("2025-10-13 18:30:00 CEST", "2025-10-13 16:30:00"),
        ("2025-10-13 18:30:00 America/Los_Angeles", "2025-10-14 01:30:00"),
        ("2025-12-13 18:30:00 America/Los_Angeles", "2025-12-14 02:30:00"),
        ("2025-10-13 18:30:00[Asia/Kathmandu]", "2025-10-13 12:45:00"),
        ("2025-10-13T18:30:00+02:00[Europe/Berlin]", "2025-10-13 16:30:00"),
        ("2025-10-13 18:30:00 -0700 (Pacific Daylight Time)", "2025-10-14 01:30:00"),
        ("2025-11-02 01:30:00 America/Los_Angeles", "2025-11-02 08:30:00"),  # it comes twice: the first
        ("2025-03-09 02:30:00 America/Los_Angeles", "2025-03-09 10:30:00"),  # it never came
        ("2025-10-13-07:00", "2025-10-13 07:00:00"),
        ("1760380200", "2025-10-13 18:30:00"),
        ("1760380200.25", "2025-10-13 18:30:00.250000"),
        ("1760380200123", "2025-10-13 18:30:00.123000"),
        ("1760380200123456", "2025-10-13 18:30:00.123456"),
        ("1760380200123456789", "2025-10-13 18:30:00.123456"),
    ],
)
def test_a_text_that_fixes_an_instant_is_read_as_utc(tmp_path: Path, form: str, ts: str, utc: str) -> None:
    assert read(written(tmp_path, [ts] * 2, form)) == ("instants", [utc] * 2, {})


@pytest.mark.parametrize(
    ("ts", "time"),
    [
        ("2025-10-13 01:52:23.293453", "2025-10-13 01:52:23.293453"),
        ("2025-10-13T01:52:23", "2025-10-13 01:52:23"),
        ("2025-10-13 01:52", "2025-10-13 01:52:00"),
        ("2025-10-13", "2025-10-13 00:00:00"),
        ("2025/10/13 01:52:23,5", "2025-10-13 01:52:23.500000"),
        (" 2025-10-13 1:52:23 ", "2025-10-13 01:52:23"),
        ("2025-10-13 24:00:00", "2025-10-14 00:00:00"),
        ("2025-10-13 06:30 PM", "2025-10-13 18:30:00"),
    ],
)
def test_a_text_without_a_zone_is_read_as_it_is(tmp_path: Path, ts: str, time: str) -> None:
    assert read(written(tmp_path, [ts] * 2)) == ("naive", [time] * 2, {})


@pytest.mark.parametrize(
    "ts", ["never", "2025-13-45 99:99:99", "2025-10-13 25:00:00", "2025-10-13 13:30 PM", "20251013", "17603802", "-1760380200",
           "2025-10-13 18:30:00+77:00", "9" * 40, "1e400", "2025-02-30 10:00:00Z", "2025-10-13 18:30:00Z" + " " * 90 + "x"]
)  # fmt: skip
def test_what_is_no_time_is_set_aside(tmp_path: Path, ts: str) -> None:
    good = "2025-10-13 01:52:23"
    kind, times, rejected = read(written(tmp_path, [good, ts, good]))
    assert (kind, times) == ("naive", [good, None, good])
    assert sum(rejected.values()) == 1
    assert set(rejected) <= {"bad timestamp", "unknown time zone"}


def test_a_file_of_several_offsets_has_the_delivery_times_that_it_has(tmp_path: Path) -> None:
    """Written by drivers' phones in local time and by the kitchen in UTC, as the file of the report was."""
    rng = np.random.default_rng(18)
    rows, minutes = [], []
    pacific = timezone(timedelta(hours=-7))
    for number in range(200):
        created = datetime(2025, 10, 13, 12, tzinfo=UTC) + timedelta(seconds=int(rng.integers(0, 40_000)))
        minutes.append(float(rng.integers(15, 45)))
        times = (created, created + timedelta(minutes=2), created + timedelta(minutes=minutes[-1]))
        for row, at, zone in zip(ROWS, times, (UTC, UTC, pacific), strict=True):
            ts = at.astimezone(zone).isoformat().replace("+00:00", "Z")
            rows.append({**row, "ts": ts, "order_id": str(number)})
    source = FileSource(write_csv(tmp_path / "events.csv", rows))
    assert (source.times, source.quality().used) == ("instants", 600)
    timeline = Timeline.load(source, "sf", "2025-10-13", "2025-10-15")
    took = timeline.orders.delivered - timeline.orders.created
    assert np.mean(took) / 60 == pytest.approx(np.mean(minutes))
    assert (
        source.locations()[0].start
        == datetime.fromisoformat(min(row["ts"] for row in rows if "Z" in row["ts"])).timestamp()
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_kind_of_most_rows_is_the_sources_and_the_others_are_set_aside(tmp_path: Path, form: str) -> None:
    naive, zoned = "2025-10-13 12:00:00", "2025-10-13 12:00:00-07:00"
    kind, times, rejected = read(written(tmp_path, [naive, zoned, naive], form))
    assert (kind, times, rejected) == ("naive", [naive, None, naive], {WITH_ZONE: 1})
    kind, times, rejected = read(written(tmp_path, [zoned, zoned, naive, "1760380200"], form))
    assert (kind, rejected) == ("instants", {WITHOUT_ZONE: 1})
    assert times == ["2025-10-13 19:00:00", "2025-10-13 19:00:00", None, "2025-10-13 18:30:00"]


def test_a_setting_says_how_the_times_of_both_kinds_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, ["2025-10-13 12:00:00", "2025-10-13 13:00:00-07:00", "2025-10-13T14:00:00Z"])
    as_written = ["2025-10-13 12:00:00", "2025-10-13 13:00:00", "2025-10-13 14:00:00"]
    assert read(path, times="naive") == ("naive", as_written, {})
    assert read(path, times="instants") == ("instants", [as_written[0], "2025-10-13 20:00:00", as_written[2]], {})


@pytest.mark.parametrize("zone", ["CST", "Mars/Olympus"])
def test_a_zone_that_is_not_certain_is_not_guessed(tmp_path: Path, zone: str) -> None:
    odd = f"2025-10-13 18:30:00 {zone}"
    path = written(tmp_path, [odd, "2025-10-13 18:30:00Z"])
    assert read(path) == ("instants", [None, "2025-10-13 18:30:00"], {"unknown time zone": 1})
    alone = written(tmp_path, [odd])
    with pytest.raises(SourceError, match=rf"'{odd}' has no one meaning .* TWIN_TIMES=naive"):
        FileSource(alone)
    assert read(alone, times="naive") == ("naive", ["2025-10-13 18:30:00"], {})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "+05:30", None])
def test_a_parquet_column_with_a_zone_holds_instants(tmp_path: Path, unit: str, zone: str | None) -> None:
    rows = [{**row, "ts": None} for row in ROWS]
    starts = datetime(2025, 3, 9, 9, 45, tzinfo=UTC)  # a quarter before the clocks of California go forward
    times = np.array([int(starts.timestamp()) + 60 * minutes for minutes in (0, 2, 30)], "datetime64[s]")
    table = pa.Table.from_pylist(rows)
    at = table.column_names.index("ts")
    column = pa.array(times.astype(f"datetime64[{unit}]")).cast(pa.timestamp(unit, zone))
    pq.write_table(table.set_column(at, "ts", column), tmp_path / "events.parquet")
    source = FileSource(tmp_path / "events.parquet")
    assert (source.times, source.quality().used) == ("naive" if zone is None else "instants", 3)
    assert source.locations()[0].start == starts.timestamp()
    timeline = Timeline.load(source, "sf", "2025-03-09", "2025-03-10")
    assert (timeline.orders.delivered - timeline.orders.created).tolist() == [1800.0]


def test_the_types_of_times_may_differ_between_files(tmp_path: Path) -> None:
    pacific = ZoneInfo("America/Los_Angeles")
    at = datetime(2025, 10, 13, 18, 30, tzinfo=UTC)
    columns = {
        "text": pa.array(["2025-10-13T18:30:00Z"]),
        "zoned": pa.array([at], pa.timestamp("ns", "America/Los_Angeles")),
        "offset": pa.array([at.astimezone(pacific).isoformat()]),
        "seconds": pa.array([int(at.timestamp())]),
        "milliseconds": pa.array([at.timestamp() * 1000.0]),
        "naive": pa.array([np.datetime64("2025-10-13T11:30", "us")]),
    }
    for number, (name, ts) in enumerate(columns.items()):
        row = {key: pa.array([value]) for key, value in ROWS[0].items()}
        pq.write_table(pa.table({**row, "order_id": pa.array([str(number)]), "ts": ts}), tmp_path / f"{name}.parquet")
    assert read(tmp_path) == ("instants", ["2025-10-13 18:30:00"] * 5 + [None], {WITHOUT_ZONE: 1})
    assert text(FileSource(tmp_path).locations()[0].start) == "2025-10-13 18:30:00"


@pytest.mark.parametrize(
    ("given", "deciding", "times"),
    [
        ("04/05/2025 18:30", "13/10/2025 18:30:00", ["2025-05-04 18:30:00", "2025-10-13 18:30:00"]),
        ("04/05/2025 18:30", "10/13/2025 18:30:00", ["2025-04-05 18:30:00", "2025-10-13 18:30:00"]),
        ("4.5.2025 6:30 PM", "13.10.2025", ["2025-05-04 18:30:00", "2025-10-13 00:00:00"]),
        ("04-05-2025 12:30:00.5 am", "10-13-2025, 12:30 PM", ["2025-04-05 00:30:00.500000", "2025-10-13 12:30:00"]),
    ],
)
def test_one_date_that_can_only_be_one_of_the_two_decides_for_all(
    tmp_path: Path, given: str, deciding: str, times: list[str]
) -> None:
    assert read(written(tmp_path, [given] * 150 + [deciding])) == ("naive", [times[0]] * 150 + [times[1]], {})


def test_dates_with_an_offset_are_instants(tmp_path: Path) -> None:
    path = written(tmp_path, ["13/10/2025 18:30:00 -07:00", "04/05/2025 18:30Z"])
    assert read(path) == ("instants", ["2025-10-14 01:30:00", "2025-05-04 18:30:00"], {})


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (
            ["04/05/2025 18:30"],
            r"has only dates that may begin with the day or with the month, such as '04/05/2025 18:30'",
        ),
        (
            ["13/10/2025", "10/13/2025"],
            r"has dates that begin with the day, such as '13/10/2025', and with the month, such as '10/13/2025'",
        ),
    ],
)
def test_dates_that_do_not_say_their_order_are_asked_for(tmp_path: Path, times: list[str], says: str) -> None:
    path = written(tmp_path, times)
    with pytest.raises(SourceError, match=rf"^\S+events.csv {says}.*: set TWIN_DATES to day-first or month-first\.$"):
        FileSource(path)
    _, day_first, rejected = read(path, dates="day-first")
    assert day_first[0] in ("2025-05-04 18:30:00", "2025-10-13 00:00:00")
    assert rejected == ({"bad timestamp": 1} if len(times) > 1 else {})


def test_a_few_dates_of_unknown_order_among_other_times_are_set_aside(tmp_path: Path) -> None:
    good = "2025-10-13 12:00:00"
    path = written(tmp_path, [good, "04/05/2025 18:30", good])
    assert read(path) == ("naive", [good, None, good], {"day or month first: set TWIN_DATES": 1})
    assert read(path, dates="month-first")[1] == [good, "2025-04-05 18:30:00", good]


@pytest.mark.parametrize("odd", ["13/10/2025 12:00:00", "2025-10-13 12:00:00 Asia/Kathmandu", "1760356800"])
def test_other_forms_far_behind_plain_ones_are_found(tmp_path: Path, odd: str) -> None:
    good = "2025-10-13 12:00:00"
    kind, times, rejected = read(written(tmp_path, [good] * 300 + [odd]))
    assert kind == "naive"
    assert times == [good] * 300 + [good if "/2025" in odd else None]
    assert sum(rejected.values()) == ("/2025" not in odd)


def test_broken_lines_are_counted_once_however_often_the_file_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, ["2025-10-13 12:00:00", "13/10/2025 12:00:00", "2025-10-13 12:00:00Z"])
    path.write_text(path.read_text() + "gk_ready,2025-10-13 01:12:00,sf,A,9,{},one,two\n")
    _, _, rejected = read(path)
    assert rejected == {"broken line": 1, WITH_ZONE: 1}


def answers(folder: str) -> list[Any]:
    """Return what sources of both kinds say."""
    found: list[Any] = []
    for name in ("naive.csv", "offsets.csv", "zoned.parquet"):
        source = FileSource(Path(folder) / name)
        place = source.locations()[0]
        timeline = Timeline.load(source, "sf", "2025-11-02", "2025-11-03")
        snapshot = timeline.at("2025-11-02 09:20")
        found.append(
            [
                source.times, place.start, place.end, source.volume("sf").hour.tolist(), snapshot.counts,
                (timeline.orders.delivered - timeline.orders.created).tolist(), text(place.start),
            ]
        )  # fmt: skip
        source.close()
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kathmandu"])
def test_nothing_depends_on_the_zone_of_the_machine(tmp_path: Path, zone: str) -> None:
    pacific = ZoneInfo("America/Los_Angeles")
    first = datetime(2025, 11, 2, 8, 45, tzinfo=UTC)  # 01:45 in San Francisco, a quarter before the clocks go back
    moments = [first + timedelta(minutes=minutes) for minutes in (0, 2, 30)]
    forms = {
        "naive.csv": [at.replace(tzinfo=None).isoformat(" ") for at in moments],
        "offsets.csv": [at.astimezone(pacific).isoformat() for at in moments],
    }
    for name, times in forms.items():
        write_csv(tmp_path / name, [{**row, "ts": ts} for row, ts in zip(ROWS, times, strict=True)])
    table = pa.Table.from_pylist([{**row, "ts": at} for row, at in zip(ROWS, moments, strict=True)])
    pq.write_table(table, tmp_path / "zoned.parquet")
    script = "import json, sys; from tests.sources.test_times import answers; print(json.dumps(answers(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [one[0] for one in found] == ["naive", "instants", "instants"]
    for one in found:
        assert one[1:3] == [first.timestamp(), first.timestamp() + 1800]
        assert one[5:] == [[1800.0], "2025-11-02 08:45:00"]
    assert found[0][1:] == found[1][1:] == found[2][1:]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'Asia/Kathmandu'")  # it must not matter
        json_bodies.register(opened)
        yield opened


def decoded(connection: duckdb.DuckDBPyConnection, texts: Sequence[str], reading: Reading) -> list[tuple[Any, ...]]:
    """Return time, form and reason of each text."""
    bronze = (
        "SELECT 'gk_ready' AS event_type, ts, 'sf' AS location, 'A' AS order_id, '1' AS sequence, '{}' AS body "
        "FROM (SELECT unnest($texts::VARCHAR[]) AS ts)"
    )
    sql = f"SELECT ts, form, reason FROM ({queries.decode_for_duckdb(bronze, reading=reading)})"
    return connection.execute(sql, {"texts": list(texts)}).fetchall()


MOMENTS = st.datetimes(datetime(1990, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001  # naive ones are meant
OFFSETS = st.integers(-14 * 60, 14 * 60)


def offset_text(minutes: int, form: int) -> str:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return [f"{sign}{hours:02}:{rest:02}", f"{sign}{hours:02}{rest:02}", f" UTC{sign}{hours}:{rest:02}"][form]


@given(st.lists(st.tuples(MOMENTS, st.sampled_from(" T"), OFFSETS, st.integers(0, 2)), min_size=1, max_size=30))
def test_every_time_with_an_offset_is_what_python_makes_of_it(
    connection: duckdb.DuckDBPyConnection, cases: list[tuple[datetime, str, int, int]]
) -> None:
    texts = [f"{at.isoformat(between)}{offset_text(minutes, form)}" for at, between, minutes, form in cases]
    expected = [(at - timedelta(minutes=minutes), "instant", None) for at, _, minutes, _ in cases]
    assert decoded(connection, texts, Reading()) == expected


@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["%d/%m/%Y %H:%M:%S.%f", "%d.%m.%Y, %I:%M:%S %p"])), min_size=1))
def test_every_date_that_begins_with_its_day_is_what_python_makes_of_it(
    connection: duckdb.DuckDBPyConnection, cases: list[tuple[datetime, str]]
) -> None:
    texts = [at.strftime(form) for at, form in cases]
    expected = [
        (datetime.strptime(text, form), "naive", None)  # noqa: DTZ007
        for text, (_, form) in zip(texts, cases, strict=True)
    ]
    assert decoded(connection, texts, Reading(dates="day-first")) == expected


@given(st.lists(st.text("0123456789:-+/.TZ apmUTC[]", max_size=32), min_size=1, max_size=50))
def test_no_text_breaks_the_reading(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    for reading in (Reading(), Reading(dates="month-first", times="naive", zones=("UTC", "Asia/Kathmandu"))):
        found = decoded(connection, texts, reading)
        assert len(found) == len(texts)
        assert all((ts is None or not 1990 <= ts.year < 2100) <= (reason is not None) for ts, _, reason in found)
