"""ARCHITECTURE.md names what there is: every path exists, every layer and folder is in its table, in the linter's order."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
DOCUMENTS = ["ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md", "README.md", *(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))
)]  # fmt: skip

TABLE = [
    (Path(path), words)
    for path, words in re.findall(
        r"^\| `(twin/[\w.]+)` \| (.+?) \|$", TEXT.split("## Where do I change")[0], re.MULTILINE
    )
]


def layers() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [set(layer.split(" | ")) for layer in found]


def test_every_path_in_it_exists() -> None:
    paths = set(re.findall(r"`((?:twin|tests|docs|dashboards|scripts|benchmarks|stages|examples)\b[\w./-]*)`", TEXT))
    assert len(paths) > 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_its_table_has_the_layers_in_the_order_that_the_linter_holds() -> None:
    listed = iter(path.stem for path, _ in TABLE)
    for floor in layers():
        assert {next(listed) for _ in floor} == floor
    assert list(listed) == []


def test_every_folder_of_the_package_is_in_the_table() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "twin").glob("*/__init__.py")}
    assert folders <= {path for path, _ in TABLE}


@pytest.mark.parametrize(("path", "words"), TABLE, ids=lambda value: str(value) if isinstance(value, Path) else "")
def test_a_layers_line_is_the_beginning_of_what_it_says_of_itself(path: Path, words: str) -> None:
    file = ROOT / path / "__init__.py" if path.suffix == "" else ROOT / path
    said = " ".join((ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split())
    assert said.startswith(words.rstrip(".")), f"{file.relative_to(ROOT)} says: {said[:120]}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_of_a_document_leads_to_a_file(name: str) -> None:
    document = ROOT / name
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]*)?\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
