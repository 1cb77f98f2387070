"""docs/databricks.md: what it shows is what there is."""

import json
import re
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.app.files import ROOT, app_yaml, bundle

TEXT = (ROOT / "docs" / "databricks.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


class Spark:
    """What the page's code uses of a Spark session, on the files of a demo."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def table(self, name: str) -> "Table":
        pattern = {"all_events": "events_sanfrancisco"}.get(name.rsplit(".", 1)[1], "brands")
        return Table(duckdb.read_parquet(str(self._folder / f"{pattern}.parquet")))


class Table:
    """A Spark DataFrame, in DuckDB."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation
        self.toArrow = relation.to_arrow_table

    def where(self, condition: str) -> "Table":
        return Table(self._relation.filter(condition))


def test_the_code_of_a_notebook_shows_a_table_and_a_replay(
    demo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (code,) = [block for block in blocks("python") if "spark.table" in block]
    tables, pages = [], []
    names = {"spark": Spark(demo), "display": tables.append, "displayHTML": pages.append}
    exec(code.replace("/tmp/replay.html", str(tmp_path / "replay.html")), names)
    assert tables[0]["order"].is_unique
    assert "San Francisco" in pages[0]


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
