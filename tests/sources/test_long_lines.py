"""Lines that are longer than the buffer of the CSV reader."""

import gzip
import random
from pathlib import Path

import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.sources import long_lines
from twin.sources.files import FileSource


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@pytest.mark.parametrize("seed", range(8))
def test_long_lines_are_found_wherever_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, seed: int
) -> None:
    monkeypatch.setattr(long_lines, "LONG", 100)
    monkeypatch.setattr(long_lines, "_STEP", 50)
    monkeypatch.setattr(long_lines, "_PIECE", 30)
    rng = random.Random(seed)
    lines = [b"x" * rng.choice([0, 3, 40, 99, 100, 101, 150, 260]) for _ in range(60)]
    text, expected, at = b"\n".join(lines), [], 0
    for line in lines:
        if len(line) > 100:
            expected.append((at, at + len(line)))
        at += len(line) + 1
    path = tmp_path / f"e.{ending}"
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    assert list(long_lines.long_lines(str(path))) == expected
    counted = [(str(path), begin + 1) for begin, _ in expected[::2]] + [("another.csv", 1)]
    assert long_lines.uncounted([str(path)], counted) == len(expected) - len(expected[::2])


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_lines_that_end_as_those_of_an_old_mac_are_not_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(long_lines, "LONG", 100)
    monkeypatch.setattr(long_lines, "_STEP", 50)
    text = b"abc,def\r" * 40
    path = tmp_path / f"e.{ending}"
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    assert list(long_lines.long_lines(str(path))) == []


@pytest.mark.slow
def test_damaged_compression_that_duckdb_reads_is_no_error(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "e.csv.gz", ROWS * 100_000)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1  # of the checksum
    path.write_bytes(data)
    quality = FileSource(path).quality()
    assert (quality.read, quality.used) == (300_000, 3)
