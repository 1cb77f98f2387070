"""app.yaml and databricks.yml against the SDK's own classes: what these do not know would be dropped or refused over there."""

import json
import re
from typing import Any

import pytest
from databricks.sdk.service.apps import App, AppDeployment, EnvVar
from databricks.sdk.service.jobs import JobSettings

from tests.app.files import NOTEBOOK, ROOT, app_environment, app_yaml, bundle

BUNDLE_KEYS = {"bundle", "variables", "workspace", "sync", "targets"}
"""Of those that the CLI's schema allows at the top of a bundle, the ones in use."""

BUNDLE_APP_KEYS = {"source_code_path", "config"}
"""What the CLI's schema (resources.App) has beside the fields of the service's App; `config` has `command` and `env`."""

LONGEST_NAME = 30
"""Characters in the name of an app."""

LARGEST_FILE = 10 * 2**20
"""Bytes that the platform takes per file of an app."""


def known_to(kind: Any, given: dict[str, Any]) -> bool:
    """Whether `kind` keeps all of `given`: its from_dict() drops what it does not know."""
    return kind.from_dict(given).as_dict() == given


def bundled_app() -> dict[str, Any]:
    return bundle()["targets"]["app"]["resources"]["apps"]["digital_twin"]


def job() -> dict[str, Any]:
    return bundle()["targets"]["stage"]["resources"]["jobs"]["caspers"]


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


def test_the_bundles_app_is_one_that_the_service_knows() -> None:
    given = bundled_app()
    assert set(bundle()) == BUNDLE_KEYS
    assert known_to(App, {key: value for key, value in given.items() if key not in BUNDLE_APP_KEYS})
    assert set(given["config"]) <= {"command", "env"}
    assert all(known_to(EnvVar, entry) for entry in given["config"]["env"])
    assert re.fullmatch(rf"[a-z0-9-]{{1,{LONGEST_NAME}}}", bundle()["variables"]["app_name"]["default"])


def test_the_bundle_sets_the_variables_of_app_yaml_with_its_own_values() -> None:
    inside = {entry["name"]: entry.get("value_from") for entry in bundled_app()["config"]["env"]}
    assert inside == {entry["name"]: entry.get("valueFrom") for entry in app_yaml()["env"]}
    assert {name for name in inside.values() if name} == {one["name"] for one in bundled_app()["resources"]}


def test_the_stage_runs_after_the_pipeline_with_the_parameters_that_the_notebook_reads() -> None:
    given = job()
    assert known_to(JobSettings, given)
    tasks = {task["task_key"]: task for task in given["tasks"]}
    assert tasks["Digital_Twin_App"]["depends_on"] == [{"task_key": "Spark_Declarative_Pipeline"}]
    path = tasks["Digital_Twin_App"]["notebook_task"]["notebook_path"]
    assert path == f"${{workspace.root_path}}/{NOTEBOOK.relative_to(ROOT).with_suffix('')}"
    source = "".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"])
    assert {one["name"] for one in given["parameters"]} == set(re.findall(r'widgets\.get\("(\w+)"\)', source))


def test_every_variable_of_the_bundle_is_declared_described_and_used() -> None:
    used = {name for text in strings(bundle()) for name in re.findall(r"\$\{var\.(\w+)\}", text)}
    assert used == set(bundle()["variables"])
    assert all(variable["description"] for variable in bundle()["variables"].values())


def test_one_target_has_the_app_and_the_other_the_stage_so_that_an_app_has_one_owner() -> None:
    assert {name: set(target["resources"]) for name, target in bundle()["targets"].items()} == {
        "app": {"apps"},
        "stage": {"jobs"},
    }


def test_the_uploaded_folder_has_what_the_command_names_and_no_file_too_large() -> None:
    left_out = [pattern.split("/")[0] for pattern in bundle()["sync"]["exclude"]]
    for name in ("twin", "dashboards", "scripts", "stages", "app.yaml", "requirements.txt"):
        assert name not in left_out
        files = (
            [ROOT / name] if (ROOT / name).is_file() else [path for path in (ROOT / name).rglob("*") if path.is_file()]
        )
        assert files
        assert max(path.stat().st_size for path in files) < LARGEST_FILE


def test_no_secret_is_written_into_the_files() -> None:
    for name in ("app.yaml", "databricks.yml", str(NOTEBOOK.relative_to(ROOT))):
        assert not re.search(r"dapi[0-9a-f]{8}|CLIENT_SECRET|Bearer |_TOKEN", (ROOT / name).read_text())


@pytest.mark.parametrize("name", ["DATABRICKS_HOST", "DATABRICKS_CLIENT_ID", "DATABRICKS_APP_PORT"])
def test_what_the_platform_sets_itself_is_left_to_it(name: str) -> None:
    assert name not in app_environment("w")
