"""What runs the measures: a broken or stuck one hides nothing and holds nobody up; what slipped since the kept run is named."""

import sys
from pathlib import Path

import pytest

from benchmarks.apart import rows_of
from benchmarks.before import slipped
from benchmarks.table import Row, spread

MEASURE = """
import os, time
from benchmarks.table import Row
def measure(quick):
    yield Row("first", "≤ 5 ms", f"{4 if quick else 3} ms (n=1)", True, 3.0)
    print("something that a library prints")
    %s
"""


@pytest.mark.parametrize(
    ("then", "last"),
    [
        ('yield Row("second", "", "done")', Row("second", "", "done")),
        ("raise ValueError()", Row("one", "", "broken: ValueError: ", False)),
        (r'raise ValueError("no room\nsecond line")', Row("one", "", "broken: ValueError: no room", False)),
        ("os._exit(7)", Row("one", "", "broken: its process ended with 7", False)),
        ("time.sleep(600)", Row("one", "", "broken: not over after 6 s", False)),
    ],
    ids=["fine", "broken without a word", "broken", "gone", "stuck"],
)
def test_a_measure_gives_its_rows_until_it_breaks(
    then: str, last: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "one.py").write_text(MEASURE % then, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}:{tmp_path}")
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    stuck = "sleep" in then
    rows = list(rows_of("one", quick=True, most_s=6 if stuck else 120, package="made"))
    assert rows[-1] == last
    if not stuck:  # which may be ended before it has begun, on a busy machine
        assert rows[0] == Row("first", "≤ 5 ms", "4 ms (n=1)", True, 3.0)


def test_what_is_worse_than_all_that_was_seen_before_has_slipped() -> None:
    def rows(fast: list[float], frames: list[float], words: str, alone: str) -> list[Row]:
        return [
            Row("load", "≤ 2 s", spread(fast, "s", 2) + "; 3 files"),
            Row("frames", "≥ 55", spread(frames, "frames/s", 1)),
            Row("found", "", words),
            Row("memory", "", alone),
        ]

    kept = {row.what: row for row in rows([1.8, 1.9, 2.0], [58, 60, 59], "12 of 14", "1,000 MB (n=1)")}
    assert slipped(rows([1.9, 2.0, 2.1], [57, 58, 59], "3 of 14", "1,100 MB (n=1)"), kept) == []
    assert slipped(rows([1.5, 1.6, 1.7], [70, 71, 72], "14 of 14", "600 MB (n=1)"), kept) == [], "better"
    worse = slipped(rows([2.1, 2.2, 2.3], [50, 51, 52], "3 of 14", "1,300 MB (n=1)"), kept)
    assert [line.partition(":")[0] for line in worse] == ["SLIPPED load", "SLIPPED frames", "SLIPPED memory"]
    assert worse[0] == "SLIPPED load: 2.20 s (2.10–2.30, n=3); 3 files, was 1.90 s (1.80–2.00, n=3); 3 files"
    assert slipped([Row("new", "≤ 1 s", "5 s (n=1)")], kept) == []
