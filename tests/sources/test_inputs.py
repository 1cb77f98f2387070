"""The table of inputs in docs/data.md, executed: every row is made from rows of the simulator, opened, and does what it says.

The second column is the outcome, one of `OUTCOMES`. In the third, a text in *italics* is the reason under which rows are set
aside, and one in “quotes” is what the user is told, in which … stands for anything.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from tests.sources.inputs import MAKERS, Made, Row
from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.simulator import write_demo
from twin.sources.base import Quality
from twin.sources.files import FileSource

pytestmark = pytest.mark.slow

OUTCOMES = ("read", "set aside", "left out", "refused", "asked")
DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
ORDERS = 3
"""Orders of each kitchen in the rows that inputs are made of."""


@dataclass(frozen=True, slots=True)
class Documented:
    """A row of the table."""

    outcome: str
    text: str

    @property
    def reasons(self) -> set[str]:
        return set(re.findall(r"\*([^*]+)\*", self.text))

    def says(self, sentence: str) -> bool:
        """Return whether a sentence has all that the row quotes, which is at least one text."""
        quoted = re.findall(r"“([^”]+)”", self.text)
        patterns = [".*?".join(map(re.escape, text.split("…"))) for text in quoted]
        return bool(quoted) and all(re.search(pattern, sentence) for pattern in patterns)


def documented() -> Iterator[tuple[str, Documented]]:
    """Yield the rows of the table by their first columns."""
    section = DOCUMENT.read_text("utf-8").split("\n## Inputs\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[1] in OUTCOMES:
            yield cells[0], Documented(*cells[1:])
        elif cells and cells[0] not in ("input", "---"):
            raise AssertionError(f"no row of the table: {line}")


TABLE = dict(documented())
CASES = [(row, variant) for row, variants in MAKERS.items() for variant in variants]


@pytest.fixture(scope="session")
def rows(made_once: Callable[[str, Callable[[Path], object]], Path]) -> list[Row]:
    """All events of some orders of two kitchens, as the simulator writes them."""
    demo = made_once(
        "inputs", lambda folder: write_demo(folder, days=1, scale=0.02, seed=3, dq=0.0, file_format="jsonl")
    )
    found: list[Row] = []
    for place in ("chicago", "sanfrancisco"):
        lines = map(json.loads, (demo / f"events_{place}.jsonl").read_text("utf-8").splitlines())
        events = [
            {key: row[key] for key in ("event_type", "ts", "location", "order_id", "sequence", "body")} for row in lines
        ]
        orders = list(dict.fromkeys(row["order_id"] for row in events))[:ORDERS]
        found += [row for row in events if row["order_id"] in orders]
    return found


@pytest.fixture(scope="session")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Row]], tuple[Path, dict[str, list[Any]]]]:
    """Write rows to a plain CSV file, and return it with its contents; the same rows are written once."""
    folder, written = tmp_path_factory.mktemp("plain"), dict[str, tuple[Path, dict[str, list[Any]]]]()

    def write(rows: list[Row]) -> tuple[Path, dict[str, list[Any]]]:
        key = json.dumps(rows)
        if key not in written:
            path = write_csv(folder / f"{len(written)}.csv", rows)
            written[key] = path, contents(FileSource(path))
        return written[key]

    return write


def contents(source: FileSource) -> dict[str, list[Any]]:
    """Return everything that the source says happened, by location. Null fields of a body are as good as none."""
    return {
        place.id: sorted(
            json.dumps(
                {**row, "ts": str(row["ts"]), "body": without_nulls(json.loads(row["body"] or "{}"))}, sort_keys=True
            )
            for row in source.window(place.id, 0.0, 4e9).to_pylist()
        )
        for place in source.locations()
    }


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def opened(made: Made, source: Path | str | None = None) -> FileSource:
    with made.within():
        return FileSource(
            made.source if source is None else source, settings=Settings.from_environment(made.environment)
        )


@pytest.mark.parametrize(("variant", "times"), [("times with a zone", "instants"), ("times without a zone", "naive")])
def test_a_delta_tables_timestamps_are_of_their_own_kind(
    tmp_path: Path, rows: list[Row], variant: str, times: str
) -> None:
    assert FileSource(MAKERS["a Delta table"][variant](tmp_path, rows).source).times == times


def test_a_question_about_the_times_is_asked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path / "e.csv", [{**ROWS[0], "ts": "03/04/2025 18:00"}])
    monkeypatch.setattr("twin.sources.file_sorter.FileSorter.salvage", lambda *_: pytest.fail("it is read again"))
    with pytest.raises(SourceError, match=r"set TWIN_DATES to day-first or month-first\.$"):
        FileSource(tmp_path)


def test_dimension_tables_may_be_delta_tables_beside_the_events(tmp_path: Path, rows: list[Row]) -> None:
    write_deltalake(tmp_path / "all_events", pa.Table.from_pylist(rows))
    write_deltalake(tmp_path / "brands", pa.table({"id": pa.array([7]), "name": ["Old"]}))
    write_deltalake(tmp_path / "brands", pa.table({"id": pa.array([7]), "name": ["Pho"]}), mode="overwrite")
    for source in (tmp_path, tmp_path / "all_events"):
        assert FileSource(source).names("brands") == {"7": "Pho"}


def test_ids_of_pandas_find_their_names(tmp_path: Path) -> None:
    """And a missing one is none."""
    ids = pa.array([1.0, 1.0, float("nan")], pa.float64())
    events = {"event_type": ["order_created"] * 3, "ts": ["2025-10-13 12:00:00"] * 3, "location_id": ids}
    pq.write_table(pa.table({**events, "order_id": pa.array([7.0, 1e15 + 2, 8.0])}), tmp_path / "events.parquet")
    places = {"location_id": pa.array([1.0, None]), "name": ["Mitte", "none"], "lat": [52.0, None], "lon": [13.0, None]}
    pq.write_table(pa.table(places), tmp_path / "locations.parquet")
    source = FileSource(tmp_path)
    assert [(place.id, place.display_name, place.lat) for place in source.locations()] == [("1", "Mitte", 52.0)]
    assert source.quality().rejected == {"no location": 1}
    ids_read = source.window("1", 0.0, 4e9)["order_id"].to_pylist()
    assert sorted(ids_read) == ["1000000000000002", "7"]


def balanced(quality: Quality) -> Quality:
    assert quality.used + sum(quality.rejected.values()) == quality.read
    return quality


def test_the_table_and_the_makers_are_of_the_same_inputs() -> None:
    assert len(TABLE) == len(list(documented())), "two rows have the same first column"
    assert TABLE.keys() == MAKERS.keys()


@pytest.mark.parametrize(("row", "variant"), CASES)
def test_an_input_does_what_the_table_says(
    tmp_path: Path,
    rows: list[Row],
    plainly: Callable[[list[Row]], tuple[Path, dict[str, list[Any]]]],
    row: str,
    variant: str,
) -> None:
    says, made = TABLE[row], MAKERS[row][variant](tmp_path, rows)
    plain, expected = plainly(made.rows or rows)
    match says.outcome:
        case "read" | "set aside":
            source = opened(made)
            quality = balanced(source.quality())
            assert quality.read == (len(made.rows or rows) if made.read is None else made.read)
            assert quality.left_out == ()
            if says.outcome == "read":
                assert quality.rejected == {}
            else:
                assert says.reasons >= quality.rejected.keys() > set()
            assert contents(source) == expected
        case "left out":
            with pytest.raises(SourceError) as refused:  # alone, so it is all that there is
                opened(made)
            assert says.says(str(refused.value)), str(refused.value)
            (tmp_path / "good.csv").write_bytes(plain.read_bytes())
            source = opened(made, tmp_path)
            (left_out,) = balanced(source.quality()).left_out
            assert says.says(left_out), left_out
            assert Path(made.source).name in left_out
            assert contents(source) == expected
        case _:
            with pytest.raises(SourceError) as refused:
                opened(made)
            assert says.says(str(refused.value)), str(refused.value)
            assert str(refused.value).endswith((".", "?"))
