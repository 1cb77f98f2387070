"""The stage's notebook, run cell by cell in the demo's folders, with the genuine SDK, against a workspace in memory."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.apps import (
    AppDeployment,
    AppResource,
    AppResourceSqlWarehouse,
    AppResourceSqlWarehouseSqlWarehousePermission,
)

import twin
from tests.app.files import NOTEBOOK, ROOT, cells
from tests.app.workspace import ME, Workspace, host

NAME = "caspersdev-digital-twin"
HOURS = ROOT / "stages" / "app_hours.ipynb"
REPORT = ROOT / "stages" / "day_report.ipynb"
EXPLORE = ROOT / "stages" / "explore.ipynb"

UC_STATE = '''
"""Casper's own, in short: a record is JSON pasted into SQL between apostrophes."""
import json, pathlib

RECORDS = pathlib.Path(__file__).with_name("records.jsonl")

def add(catalog, resource_type, resource_obj, schema="_internal_state", table="resources"):
    data = json.dumps(resource_obj.as_dict() if hasattr(resource_obj, "as_dict") else resource_obj)
    assert "'" not in data, "the SQL statement ends here"
    with RECORDS.open("a") as out:
        out.write(json.dumps([catalog, resource_type, json.loads(data)]) + "\\n")

class UCState:
    def __init__(self, catalog):
        self.catalog = catalog
    def list(self, resource_type=None):
        rows = map(json.loads, RECORDS.read_text().splitlines()) if RECORDS.exists() else []
        return [{"resource_data": data} for catalog, kind, data in rows if (catalog, kind) == (self.catalog, resource_type)]

def create_state_manager(catalog, schema="_internal_state", table="resources"):
    return UCState(catalog)
'''


class Widgets:
    """dbutils.widgets: a job's parameter goes before the text of the widget."""

    def __init__(self, given: dict[str, str]) -> None:
        self._values = dict(given)

    def text(self, name: str, default: str) -> None:
        self._values.setdefault(name, default)

    def get(self, name: str) -> str:
        return self._values[name]


class Dbutils:
    """What the notebook uses of dbutils."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self.widgets = Widgets(parameters)
        self.library = self

    def restartPython(self) -> None:
        """Nothing to restart here."""


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace()
    monkeypatch.setattr("databricks.sdk.WorkspaceClient", made.client)
    monkeypatch.setattr("time.sleep", made.wait)
    return made


@pytest.fixture
def caspers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo's folders: the stages, its utils, and the app with the app.yaml that is shipped."""
    for folder in ("stages", "utils/uc_state", "apps/digital-twin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "utils/uc_state/__init__.py").write_text(UC_STATE)
    ship(tmp_path / "apps/digital-twin")
    yield from inside(tmp_path / "stages", monkeypatch)


def ship(folder: Path) -> None:
    """Put what the notebooks need of the project into a folder."""
    (folder / "stages").mkdir(exist_ok=True)
    shutil.copy(ROOT / "app.yaml", folder)
    shutil.copy(ROOT / "stages/databricks_app.py", folder / "stages")


def inside(stages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder around `stages`, in which a notebook runs; what it imports is forgotten afterwards."""
    monkeypatch.chdir(stages)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield stages.parent
    for module in ("uc_state", "databricks_app"):
        sys.modules.pop(module, None)


@pytest.fixture
def run(workspace: Workspace) -> Callable[..., None]:
    """Run the notebook as a job does, with its parameters."""

    def run_with(notebook: Path = NOTEBOOK, **parameters: str) -> None:
        names: dict[str, Any] = {"dbutils": Dbutils(parameters)}
        for number, source in enumerate(cells(notebook)):
            if not source.startswith("%"):  # a magic of the notebook's own
                exec(compile(source, f"{notebook.name}[{number}]", "exec"), names)

    return run_with


def records(caspers: Path) -> list[list[Any]]:
    return [json.loads(line) for line in (caspers / "utils/uc_state/records.jsonl").read_text().splitlines()]


def environment(deployment: AppDeployment) -> dict[str, str | None]:
    return {entry.name or "": entry.value or entry.value_from for entry in deployment.env_vars or []}


def test_a_first_run_makes_grants_deploys_records_and_prints_the_address(
    workspace: Workspace, caspers: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    run(CATALOG="kitchens", DATABRICKS_WAREHOUSE_ID="w-1", LAKEFLOW_SCHEMA="flow")

    app = workspace.app("kitchens-digital-twin")
    principal = app.service_principal_client_id
    assert [(one.name, one.sql_warehouse.id) for one in app.resources or [] if one.sql_warehouse] == [
        ("sql-warehouse", "w-1")
    ]
    assert workspace.grants == {
        ("CATALOG kitchens", principal): {"USE_CATALOG"},
        ("SCHEMA kitchens.flow", principal): {"USE_SCHEMA", "SELECT"},
        ("SCHEMA kitchens.simulator", principal): {"USE_SCHEMA", "SELECT"},
    }
    deployed = workspace.deployed(app.name)
    assert deployed.source_code_path == str(caspers / "apps/digital-twin")
    assert deployed.command is None  # app.yaml's stands
    assert environment(deployed) == {
        "TWIN_SOURCE": "databricks",
        "CATALOG": "kitchens",
        "LAKEFLOW_SCHEMA": "flow",
        "SIMULATOR_SCHEMA": "simulator",
        "DATABRICKS_WAREHOUSE_ID": "sql-warehouse",
        "BOKEH_RESOURCES": "server",
        "TWIN_ON_BEHALF_OF_USER": "off",
        "BOKEH_ALLOW_WS_ORIGIN": host(app.name),
    }
    assert deployed.health_check is not None
    assert deployed.health_check.path == "/healthz"
    assert records(caspers) == [
        ["kitchens", "apps", {"name": app.name, "id": "app-1", "url": f"https://{host(app.name)}"}]
    ]
    assert f"App: https://{host(app.name)}" in capsys.readouterr().out


def test_the_permissions_are_there_before_the_app_starts(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    order = [name for name, _ in workspace.calls]
    assert order.index("deploy_app") > max(i for i, name in enumerate(order) if name == "grant")


def test_running_it_again_changes_nothing_but_the_deployment(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    granted = {key: set(value) for key, value in workspace.grants.items()}
    workspace.calls.clear()
    run(DATABRICKS_WAREHOUSE_ID="w-1")

    assert workspace.grants == granted
    assert len(records(caspers)) == 1
    assert {name for name, _ in workspace.calls} == {"grant", "deploy_app"}
    assert len(workspace.called("deploy_app")) == 1


def test_another_warehouse_replaces_the_first_and_nothing_else_of_the_app(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    can_use = AppResourceSqlWarehouseSqlWarehousePermission.CAN_USE
    other = AppResource(name="other", sql_warehouse=AppResourceSqlWarehouse(id="w-9", permission=can_use))
    app = workspace.apps[NAME]
    app["resources"].append(other.as_dict())
    app |= {"description": "Somebody wrote this", "compute_size": "LARGE", "budget_policy_id": "b-1"}
    before = {key: value for key, value in app.items() if key != "resources"}

    run(DATABRICKS_WAREHOUSE_ID="w-2")

    after = workspace.apps[NAME]
    resources = {one["name"]: one["sql_warehouse"]["id"] for one in after["resources"]}
    assert resources == {"sql-warehouse": "w-2", "other": "w-9"}
    mine = {"active_deployment", "default_source_code_path", "_update"}
    assert {key: value for key, value in after.items() if key not in {*mine, "resources"}} == {
        key: value for key, value in before.items() if key not in mine
    }
    (update,) = workspace.called("update_app")
    assert update["update_mask"] == "resources"


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("ACTIVE", ""),
        ("STOPPED", ""),
        ("ERROR", ""),
        (None, ""),
        ("STARTING", "ACTIVE"),
        ("STARTING", "ERROR"),  # somebody's start fails: ours is tried
        ("STOPPING", "STOPPED"),
        ("UPDATING", "ACTIVE"),
        ("UPDATING", "STOPPED"),
        ("DELETING", "GONE"),
    ],
)
def test_whatever_the_app_is_doing_it_is_deployed_in_the_end(
    workspace: Workspace, caspers: Path, run: Callable[..., None], state: str | None, then: str
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    workspace.put(NAME, state, then)
    workspace.calls.clear()
    run(DATABRICKS_WAREHOUSE_ID="w-2")
    app = workspace.apps[NAME]
    assert app["compute_status"]["state"] == "ACTIVE"
    assert [one["sql_warehouse"]["id"] for one in app["resources"]] == ["w-2"]
    assert app["active_deployment"]["status"]["state"] == "SUCCEEDED"
    assert len(workspace.called("deploy_app")) == 1
    assert len(workspace.called("create_app")) == (then == "GONE")


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "CANCELLED"])
@pytest.mark.parametrize("which", ["active_deployment", "pending_deployment"])
def test_a_deployment_of_somebody_else_is_waited_for_however_it_ends(
    workspace: Workspace, caspers: Path, run: Callable[..., None], which: str, end: str
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    workspace.deploying(NAME, end, which)
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    assert [one["deployment_id"] for one in workspace.deployments[NAME]] == ["deployment-0", "other-1", "deployment-2"]
    assert workspace.apps[NAME]["active_deployment"]["deployment_id"] == "deployment-2"


def test_somebody_who_deploys_at_the_same_moment_comes_first(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    workspace.between = [lambda: workspace.deploying(NAME, "FAILED")]
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    assert workspace.apps[NAME]["active_deployment"]["deployment_id"] == "deployment-1"


@pytest.mark.parametrize("end", ["FAILED", "CANCELLED"])
def test_a_deployment_of_ours_that_does_not_succeed_fails_the_task_with_the_reason(
    workspace: Workspace, caspers: Path, run: Callable[..., None], end: str
) -> None:
    workspace.ends = [end]
    with pytest.raises(RuntimeError, match=f"deployment-0 of {NAME} is {end}: It is {end}"):
        run(DATABRICKS_WAREHOUSE_ID="w-1")


def test_a_colleagues_app_is_left_alone(workspace: Workspace, caspers: Path, run: Callable[..., None]) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    workspace.apps[NAME] |= {"creator": "li@caspers.example", "default_source_code_path": "/Workspace/Users/li/twin"}
    workspace.calls.clear()
    with pytest.raises(PermissionError, match=r"is li@caspers\.example's.*APP_NAME"):
        run(DATABRICKS_WAREHOUSE_ID="w-2")
    assert workspace.calls == []

    workspace.apps[NAME] |= {"default_source_code_path": str(caspers / "apps/digital-twin")}  # a folder of the team's
    run(DATABRICKS_WAREHOUSE_ID="w-2")
    assert workspace.apps[NAME]["creator"] != ME


def test_each_catalog_has_an_app_of_its_own_and_a_name_can_be_given(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(CATALOG="caspersdev", DATABRICKS_WAREHOUSE_ID="w-1")
    run(CATALOG="kitchens_north", DATABRICKS_WAREHOUSE_ID="w-2")
    run(CATALOG="kitchens_north", DATABRICKS_WAREHOUSE_ID="w-2", APP_NAME="north")
    assert len(workspace.apps) == 3
    assert {NAME, "north"} < set(workspace.apps)
    assert [one["sql_warehouse"]["id"] for one in workspace.apps[NAME]["resources"]] == ["w-1"]


def test_without_a_warehouse_the_demos_own_is_used_and_else_one_is_made_once(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(CATALOG="kitchens")
    run(CATALOG="kitchens")
    assert [one["name"] for one in workspace.warehouses if one["id"].startswith("made")] == ["kitchens-warehouse"]
    assert [kind for _, kind, _ in records(caspers)] == ["warehouses", "apps"]

    workspace.warehouses = [{"id": "w-7", "name": "kitchens-warehouse"}]
    run(CATALOG="kitchens")
    (resource,) = workspace.apps["kitchens-digital-twin"]["resources"]
    assert resource["sql_warehouse"]["id"] == "w-7"


def test_what_may_not_be_granted_is_printed_as_sql_and_the_app_is_deployed(
    workspace: Workspace, caspers: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.no_grants_on = {"caspersdev.lakeflow"}
    workspace.missing = {"caspersdev.simulator"}
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    out = capsys.readouterr().out
    principal = workspace.apps[NAME]["service_principal_client_id"]
    assert f"GRANT USE SCHEMA, SELECT ON SCHEMA `caspersdev`.`lakeflow` TO `{principal}`;" in out
    assert "There is no caspersdev.simulator" in out
    assert workspace.apps[NAME]["active_deployment"]["status"]["state"] == "SUCCEEDED"
    assert (
        workspace.deployed(NAME).health_check is None
    )  # without its grants it is not healthy, and says on its page why


def test_in_its_own_bundle_the_project_is_around_the_notebook_and_uc_state_may_be_absent(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    ship(tmp_path)
    for _ in inside(tmp_path / "stages", monkeypatch):
        run(DATABRICKS_WAREHOUSE_ID="w-1", CASPERS_ROOT=str(tmp_path / "nowhere"))
    assert workspace.deployed(NAME).source_code_path == str(tmp_path)
    out = capsys.readouterr().out
    assert "will not be recorded" in out
    assert "package.json" not in out


def test_a_package_json_among_the_apps_files_is_pointed_out(
    workspace: Workspace, caspers: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    (caspers / "apps/digital-twin/package.json").write_text("{}")
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    assert "Remove package.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "then", "stopped", "started"),
    [
        ("ACTIVE", "", True, False),
        ("STOPPED", "", False, True),
        ("ERROR", "", True, True),
        ("STARTING", "ACTIVE", True, False),
        ("STOPPING", "STOPPED", False, True),
        ("UPDATING", "ACTIVE", True, False),
    ],
)
@pytest.mark.parametrize("action", ["stop", "start"])
def test_the_hours_of_an_app_are_kept_whatever_it_is_doing(
    workspace: Workspace,
    caspers: Path,
    run: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    state: str,
    then: str,
    stopped: bool,
    started: bool,
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    workspace.put(NAME, state, then)
    workspace.calls.clear()
    monkeypatch.chdir(caspers / "apps/digital-twin/stages")
    run(HOURS, APP_NAME=NAME, ACTION=action)
    assert workspace.apps[NAME]["compute_status"]["state"] == {"stop": "STOPPED", "start": "ACTIVE"}[action]
    asked = {"stop": stopped, "start": started}[action]
    assert [name for name, _ in workspace.calls] == ([f"{action}_app"] if asked else [])


def test_hours_of_no_app_or_with_another_word_say_what_is_wrong(
    workspace: Workspace, caspers: Path, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(caspers / "apps/digital-twin/stages")
    with pytest.raises(LookupError, match="There is no app kitchens"):
        run(HOURS, APP_NAME="kitchens", ACTION="stop")
    with pytest.raises(ValueError, match="write start or stop"):
        run(HOURS, APP_NAME="kitchens", ACTION="pause")


@pytest.mark.parametrize("notebook", [NOTEBOOK, HOURS], ids=lambda path: path.stem)
def test_the_notebooks_install_the_sdk_that_is_tested_here(notebook: Path) -> None:
    pins = [line.strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    install = next(source for source in cells(notebook) if source.startswith("%pip"))
    assert next(pin for pin in pins if pin.startswith("databricks-sdk==")) in install.split()


@pytest.mark.parametrize("notebook", [NOTEBOOK, HOURS, REPORT, EXPLORE], ids=lambda path: path.stem)
def test_the_notebooks_are_shipped_without_outputs(notebook: Path) -> None:
    code = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_the_reports_of_all_kitchens_go_to_the_volume(
    demo: Path,
    tmp_path: Path,
    run: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened = twin.open(demo)
    monkeypatch.setattr(twin, "open", lambda source: opened if source == "databricks" else None)
    joined = Path.joinpath  # others ask it, too, such as the metadata of packages that are imported only now
    monkeypatch.setattr(
        Path, "joinpath", lambda path, *parts: joined(tmp_path if path == Path("/Volumes") else path, *parts)
    )
    monkeypatch.chdir(ROOT / "stages")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("CATALOG", "LAKEFLOW_SCHEMA", "SIMULATOR_SCHEMA", "DATABRICKS_WAREHOUSE_ID"):
        monkeypatch.setenv(name, "before")
    with pytest.raises(FileNotFoundError, match="grant WRITE VOLUME"):
        run(REPORT, VOLUME="kitchens.flow.reports", DATABRICKS_WAREHOUSE_ID="w-1")
    folder = tmp_path / "kitchens/flow/reports"
    folder.mkdir(parents=True)
    run(REPORT, VOLUME="kitchens.flow.reports", DATABRICKS_WAREHOUSE_ID="w-1", LINK="https://app/operations")
    assert os.environ["DATABRICKS_WAREHOUSE_ID"] == "w-1"
    printed = capsys.readouterr().out.split()
    assert printed == [str(path) for place in opened.locations for path in folder.glob(f"{place.id}-*.html")]
    assert len(printed) == len(opened.locations)
    assert 'href="https://app/operations?location=' in Path(printed[0]).read_text("utf-8")
