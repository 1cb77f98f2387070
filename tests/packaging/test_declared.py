"""Every third-party package that is imported is declared: what another package happens to bring along may go any day."""

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.declared import EXTRAS, ROOT, declared, providers

OUR_FOLDERS = {"twin", "tests", "benchmarks", "scripts", "stages"}


@functools.cache
def imported(path: Path) -> tuple[tuple[str, int, bool], ...]:
    """Every third-party module that a file imports: its dotted name, the line, and whether that is at the top of the file."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, int, bool]]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            if name.split(".")[0] not in sys.stdlib_module_names | OUR_FOLDERS:
                yield name, node.lineno, node in tree.body


def providers_of(module: str) -> set[str]:
    """The distributions that may provide a dotted module's top-level package."""
    return providers().get(module.split(".")[0], set())


def undeclared(folder: str, *extras: str, top_only: bool = False) -> list[str]:
    known = declared(*extras)
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, line, at_top in imported(path)
        if (at_top or not top_only) and not providers_of(name) & known
    ]


def test_what_the_package_imports_at_the_top_of_a_file_is_a_dependency_of_the_base() -> None:
    assert undeclared("twin", top_only=True) == []


def test_what_the_package_imports_where_it_is_wanted_belongs_to_an_extra_at_least() -> None:
    assert undeclared("twin", "alerts", "databricks", "geo", "notebook", "telemetry") == []


@pytest.mark.parametrize("folder", ["dashboards", "scripts", "stages", "benchmarks", "tests"])
def test_what_is_around_the_package_imports_what_the_test_extra_brings(folder: str) -> None:
    assert undeclared(folder, "test") == []


def test_every_dependency_of_the_base_and_of_databricks_is_imported_or_says_why_it_is_there() -> None:
    files = (ROOT / "twin").rglob("*.py")
    used = {name for path in files for module, _, _ in imported(path) for name in providers_of(module)}
    # cartopy: a bound for geoviews, which brings it; tzdata: zoneinfo reads it
    assert declared("databricks") - used == {"cartopy", "tzdata"}


def test_the_test_extra_has_all_the_others() -> None:
    assert declared(*EXTRAS) == declared("test")
