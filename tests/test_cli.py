"""The command line as a person meets it."""

from pathlib import Path

import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.api import answers, parameters
from twin.cli import main
from twin.hub import Hub
from twin.sources.files import FileSource


def test_check_tells_what_is_in_a_source(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(demo)]) == 0
    output = capsys.readouterr().out
    assert "San Francisco" in output
    numbers = [
        int(word.replace(",", ""))
        for word in output.splitlines()
        if "rows read" in word
        for word in word.split()
        if word[0].isdigit()
    ]
    read, used, aside = numbers
    assert read == used + aside > 0
    assert "set aside: duplicate" in output


@pytest.mark.parametrize("source", ["/no/such/folder", "empty.csv"])
def test_a_bad_source_is_one_sentence_and_exit_code_2(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    assert main(["check", source]) == 2
    output = capsys.readouterr().err
    assert source in output
    assert output.startswith("twin: ")
    assert output.count("\n") == 1


@pytest.mark.slow
def test_demo_writes_data_that_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert (
        main(["demo", "--out", str(out), "--days", "1", "--scale", "0.1", "--generation", "2026", "--format", "jsonl"])
        == 0
    )
    assert main(["check", str(out)]) == 0
    assert "Chicago" in capsys.readouterr().out


def test_a_wrong_configuration_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"location_name": "x", "orders_day_1": "many"}')
    assert main(["demo", "--out", str(tmp_path / "demo"), "--config", str(config)]) == 2
    assert "orders_day_1" in capsys.readouterr().err


def test_check_and_the_api_name_the_files_that_were_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "good.csv", ROWS)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "bad.csv").touch()
    assert main(["check", str(tmp_path)]) == 0
    assert "\n    left out: inside/bad.csv is empty.\n" in capsys.readouterr().out
    answer = answers.data_quality(Hub(FileSource(tmp_path)), "sf", parameters.Parameters())
    assert (answer.files_left_out, answer.left_out) == (1, ["inside/bad.csv is empty."])
    assert answer.rows_read == answer.rows_used == 3
