"""`twin adapt` as a person meets it, and what it wrote as other commands use it."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

import twin
from tests.sources.adapters import foreign
from tests.sources.test_files import ROWS, write_csv
from twin.cli import main
from twin.foundation.errors import ConfigError, ForeignColumnsError
from twin.sources.files import FileSource

pytestmark = pytest.mark.slow


def day_month(folder: Path, rows: int = 30) -> Path:
    """Orders on the first days of months: nothing says that created_at is day first and delivered_at month first."""
    days = [(n % 9 + 1, n % 7 + 1) for n in range(rows)]
    lines = [
        {
            "order_id": f"A{n}",
            "created_at": f"0{day}/0{month}/2024 10:00",
            "delivered_at": f"0{month}/0{day}/2024 10:30",
        }
        for n, (day, month) in enumerate(days)
    ]
    return foreign.Record(lines, "wide", {}).write(folder)


def test_what_is_written_beside_the_data_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = foreign.wide_shop()
    path = record.write(tmp_path)
    assert main(["adapt", str(path)]) == 0
    said = capsys.readouterr().out
    assert f"{record.moments:,} rows read = {record.moments:,} used + 0 set aside" in said
    assert main(["check", str(path)]) == 0
    assert f"{record.moments:,} rows read = {record.moments:,} used + 0 set aside" in capsys.readouterr().out
    assert sum(place.orders for place in twin.open(path).locations) == record.orders


def test_another_adapter_is_named_by_option_argument_or_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = foreign.wide_shop().write(tmp_path), tmp_path / "mine.yml"
    assert main(["adapt", str(path), "--out", str(other), "--set", "kitchen="]) == 0
    assert f"--adapter {other}" in capsys.readouterr().out
    assert main(["check", str(path), "--adapter", str(other)]) == 0
    assert [place.id for place in twin.open(path, adapter=other).locations] == ["kitchen"]
    monkeypatch.setenv("TWIN_ADAPTER", str(other))
    assert [place.id for place in twin.open(path).locations] == ["kitchen"]


def test_nothing_that_is_there_is_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = foreign.wide_shop().write(tmp_path)
    beside = Path(f"{path}.adapter.yml")
    beside.write_text("mine")
    assert main(["adapt", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["adapt", str(path), "--dry-run"]) == 0
    assert beside.read_text() == "mine"
    assert main(["adapt", str(path), "--force"]) == 0
    assert yaml.safe_load(beside.read_text())["shape"] == "wide"


def test_day_or_month_is_asked_for_and_answered_by_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = day_month(tmp_path)
    assert main(["adapt", str(path)]) == 2
    said = capsys.readouterr().err
    assert "day first" in said
    assert "--day-first created_at" in said
    assert not Path(f"{path}.adapter.yml").exists()
    assert main(["adapt", str(path), "--day-first", "created_at"]) == 2
    assert "--day-first delivered_at" in capsys.readouterr().err
    assert main(["adapt", str(path), "--day-first", "created_at", "--month-first", "delivered_at"]) == 0
    milestones = yaml.safe_load(Path(f"{path}.adapter.yml").read_text())["milestones"]
    assert milestones["order_created"]["format"] == "%d/%m/%Y %H:%M"
    assert milestones["delivered"]["format"] == "%m/%d/%Y %H:%M"


def test_one_value_over_twelve_decides_for_its_whole_column(tmp_path: Path) -> None:
    path = day_month(tmp_path)
    text = path.read_text().replace("A7,08/01/2024 10:00,01/08/2024", "A7,18/01/2024 10:00,01/18/2024")
    assert "01/18" in text
    path.write_text(text)
    assert main(["adapt", str(path)]) == 0
    milestones = yaml.safe_load(Path(f"{path}.adapter.yml").read_text())["milestones"]
    assert milestones["order_created"]["format"] == "%d/%m/%Y %H:%M"
    assert milestones["delivered"]["format"] == "%m/%d/%Y %H:%M"


def test_a_terminal_is_asked_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = foreign.couriers_planar().write(tmp_path)
    monkeypatch.setattr("builtins.input", lambda question: "2024-03-01")
    assert main(["adapt", str(path), "--ask"]) == 0
    written = yaml.safe_load(Path(f"{path}.adapter.yml").read_text())
    assert {time["day"] for time in written["milestones"].values()} == {date(2024, 3, 1).isoformat()}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "kitchn=store_id"], "no role 'kitchn'"),
        (["--set", "kitchen=store"], "no column 'store'"),
        (["--set", "kitchen"], "ROLE=COLUMN"),
        (["--event", "X=gone"], "no event 'gone'"),
        (["--day-first", "--month-first"], "which is it"),
        (["--shape", "long", "--set", "activity="], "twin adapt --help"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(foreign.wide_shop(30).write(tmp_path)), *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shape: wide", "milestones"),
        ("[", "no YAML"),
        ("shape: tall", "shape"),
        ("shape: wide\nmilestones: {delivered: {column: a}, gk_ready: {column: a}}", "one milestone only"),
        ("shape: long\norder_id: a", "time"),
        ("shape: wide\nmilestones: {delivered: {column: a, format: counted minutes}}", "day"),
        ("shape: wide\nmilestones: {delivered: {column: a, format: soon}}", "no format"),
        ("shape: wide\nmilestones: {lost: {column: a}}", "milestones"),
        ("a: &a [*a]", "adapter"),
    ],
)
def test_a_wrong_adapter_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    adapter = tmp_path / "mine.yml"
    adapter.write_text(text)
    with pytest.raises(ConfigError, match=words) as raised:
        twin.open(foreign.wide_shop(30).write(tmp_path), adapter=adapter)
    assert "\n" not in str(raised.value)


def test_an_adapter_of_other_columns_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = foreign.wide_shop(30).write(tmp_path)
    assert main(["adapt", str(path)]) == 0
    path.write_text(path.read_text().replace("order_approved_at", "approved"))
    assert main(["check", str(path)]) == 2
    assert "no column order_approved_at" in capsys.readouterr().err


def test_a_source_without_event_columns_says_what_to_do(tmp_path: Path) -> None:
    path = foreign.wide_shop(30).write(tmp_path)
    with pytest.raises(ForeignColumnsError, match="twin adapt"):
        FileSource(path)


def test_events_need_no_adapter_and_are_read_as_before(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "events.csv", ROWS))
    assert source.quality().used == 3


@pytest.mark.parametrize("form", ["json", "parquet", "xlsx"])
def test_files_of_other_forms_are_adapted_like_csv(tmp_path: Path, form: str) -> None:
    record = foreign.wide_shop(40)
    frame = pd.DataFrame(record.rows)
    path = tmp_path / f"orders.{form}"
    if form == "json":
        frame.to_json(path, orient="records")
    elif form == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False)
    assert main(["adapt", str(path)]) == 0
    quality = twin.open(path).quality()
    assert (quality.read, quality.used) == (record.moments, record.moments)
