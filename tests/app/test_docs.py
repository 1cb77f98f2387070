"""docs/databricks.md: what it shows is what there is."""

import json
import re
from pathlib import Path

import pytest
import yaml

import twin
from tests.app.files import ROOT, app_yaml, bundle

TEXT = (ROOT / "docs" / "databricks.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_view_that_a_notebook_writes_into_a_file_is_there_with_its_figures(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = [block for block in blocks("python") if "TrendsView" in block]
    opened, shown = twin.open, []
    monkeypatch.setattr(twin, "open", {"databricks": opened(demo)}.__getitem__)
    exec(code.replace("/tmp/trends.html", str(tmp_path / "trends.html")), {"displayHTML": shown.append})
    assert "Order volume" in shown[0]
    assert "Bokeh.embed" in shown[0] or "embed_items" in shown[0]


def test_the_task_to_add_to_caspers_job_is_the_one_of_the_bundle() -> None:
    (task,) = yaml.safe_load(blocks("yaml")[0])
    (own,) = bundle()["targets"]["stage"]["resources"]["jobs"]["deploy_app"]["tasks"]
    assert task.pop("depends_on") == [
        {"task_key": "Spark_Declarative_Pipeline"}
    ]  # in Casper's job it has that task before it
    # Casper's own bundle puts its files into the root itself
    assert task.pop("notebook_task") == {"notebook_path": "${workspace.root_path}/stages/digital_twin"}
    assert task == {"task_key": own["task_key"]}


def test_every_setting_of_app_yaml_is_explained() -> None:
    for entry in app_yaml()["env"]:
        if entry["name"] != "BOKEH_RESOURCES":  # not a choice
            assert f"`{entry['name']}`" in TEXT


def test_every_variable_of_the_bundle_is_explained() -> None:
    for name in bundle()["variables"]:
        assert f"`{name}`" in TEXT


def test_the_commands_name_targets_resources_and_variables_that_there_are() -> None:
    commands = re.findall(r"databricks (?:bundle|apps) [^`#\n]*", TEXT)
    whole = bundle()
    made = {key for target in whole["targets"].values() for named in target["resources"].values() for key in named}
    assert len(commands) > 10
    assert {name for one in commands for name in re.findall(r" -t (\w+)", one)} <= set(whole["targets"])
    assert {name for one in commands for name in re.findall(r"bundle run (\w+)", one)} <= made
    assert set(re.findall(r"--var (\w+)=", TEXT)) <= set(whole["variables"])
    (overrides,) = blocks("json")
    assert set(json.loads(overrides)) <= set(whole["variables"])


def test_it_names_the_oldest_cli_that_the_bundle_takes() -> None:
    oldest = bundle()["bundle"]["databricks_cli_version"].removeprefix(">=")
    assert f"**The Databricks CLI**, {oldest} or later" in TEXT
