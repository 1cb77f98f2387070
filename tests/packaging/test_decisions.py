"""The decision records: numbered without a gap, each with its four parts, all in the index under their titles."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_they_are_numbered_without_a_gap() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_its_number_and_its_four_parts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.name[:4]}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Rejected", "Consequences"]


def test_the_index_lists_them_all() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\(([\w.-]+)\) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    assert [name for _, name in listed] == [path.name for path in RECORDS]
    assert all(name.startswith(number) for number, name in listed)
