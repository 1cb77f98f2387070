"""app.yaml against the SDK's own classes: what these do not know would be dropped or refused over there. And what is uploaded."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.apps import AppDeployment, EnvVar

from tests.app.files import NOTEBOOK, ROOT, app_environment, app_yaml, bundle, bundle_files

LARGEST_FILE = 10 * 2**20
"""Bytes that the platform takes per file of an app."""


def known_to(kind: Any, given: dict[str, Any]) -> bool:
    """Whether `kind` keeps all of `given`: its from_dict() drops what it does not know."""
    return kind.from_dict(given).as_dict() == given


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def test_app_yaml_has_the_two_keys_that_there_are_and_each_variable_one_origin() -> None:
    given = app_yaml()
    assert set(given) == {"command", "env"}
    for entry in given["env"]:
        assert set(entry) in ({"name", "value"}, {"name", "valueFrom"})
        assert EnvVar.from_dict(entry).name == entry["name"]
    assert known_to(AppDeployment, {"command": given["command"]})
    assert all(isinstance(text, str) for text in strings(given))


def test_the_command_leaves_nothing_to_a_shell() -> None:
    command = app_yaml()["command"]
    assert [word for word in command if "$" in word] == ["$DATABRICKS_APP_PORT"]
    assert not [word for word in command if set(word) & set("*?~|&;<>`")]


OF_FILES = {"adapt.py"}
"""Pages that a source of the warehouse has no use for."""


def test_the_command_serves_every_page_that_a_warehouse_has() -> None:
    served = {word for word in app_yaml()["command"] if word.startswith("dashboards/")}
    pages = {page.name for page in (ROOT / "dashboards").glob("*.py")}
    assert pages > OF_FILES
    assert served == {f"dashboards/{name}" for name in pages - OF_FILES}


LEFT_OUT = {
    *{
        "package.json",
        "package-lock.json",
    },  # an app with a package.json counts as one of Node: `npm install`, and no port
    *{"build", "demo", "docs", "tests", "benchmarks", "examples", "node_modules", ".git", ".venv", ".ci"},
}


def test_the_uploaded_folder_has_what_the_command_names_and_no_file_too_large() -> None:
    left_out = {pattern.removesuffix("/**") for pattern in bundle()["sync"]["exclude"]}
    assert left_out >= LEFT_OUT
    for name in ("twin", "dashboards", "scripts", "stages", "app.yaml", "requirements.txt"):
        assert name not in left_out
        files = (
            [ROOT / name] if (ROOT / name).is_file() else [path for path in (ROOT / name).rglob("*") if path.is_file()]
        )
        assert files
        assert max(path.stat().st_size for path in files) < LARGEST_FILE


def test_the_folder_for_an_app_has_what_the_command_and_the_notebooks_need_and_nothing_of_node(tmp_path: Path) -> None:
    subprocess.run(["make", "-s", "app", f"APP={tmp_path / 'app'}"], cwd=ROOT, check=True)
    made = {path.name for path in (tmp_path / "app").iterdir()}
    left_out = {pattern.removesuffix("/**") for pattern in bundle()["sync"]["exclude"]}
    assert made >= {"app.yaml", "manifest.yaml", "requirements.txt", "twin", "dashboards", "scripts", "stages"}
    assert not made & left_out
    assert not list(tmp_path.rglob("__pycache__"))
    for word in app_yaml()["command"]:
        assert not word.endswith(".py") or (tmp_path / "app" / word).is_file()


def test_no_secret_is_written_into_the_files() -> None:
    for name in ("app.yaml", "manifest.yaml", *bundle_files(), str(NOTEBOOK.relative_to(ROOT))):
        assert not re.search(r"dapi[0-9a-f]{8}|CLIENT_SECRET|Bearer |_TOKEN", (ROOT / name).read_text())


@pytest.mark.parametrize("name", ["DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_APP_PORT"])
def test_what_the_platform_sets_itself_is_left_to_it(name: str) -> None:
    assert name not in app_environment("w")
