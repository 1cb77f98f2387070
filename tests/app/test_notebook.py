"""The stage's notebook, run cell by cell in the demo's folders, against a workspace with the SDK's signatures."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.apps import (
    AppDeployment,
    AppDeploymentState,
    AppDeploymentStatus,
    AppResource,
    AppResourceSqlWarehouse,
    AppResourceSqlWarehouseSqlWarehousePermission,
    ComputeState,
    ComputeStatus,
)
from databricks.sdk.service.sql import EndpointInfo

from tests.app.files import NOTEBOOK, ROOT
from tests.app.workspace import HOST, PRINCIPAL, Signed, Workspace, must_be

NAME = "caspers-digital-twin"

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


def cells() -> list[str]:
    return [
        "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"
    ]


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace()
    monkeypatch.setattr("databricks.sdk.WorkspaceClient", made.client)
    return made


@pytest.fixture
def caspers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo's folders: the stages, its utils, and the app with the app.yaml that is shipped."""
    for folder in ("stages", "utils/uc_state", "apps/digital-twin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "utils/uc_state/__init__.py").write_text(UC_STATE)
    (tmp_path / "apps/digital-twin/app.yaml").write_text((ROOT / "app.yaml").read_text())
    monkeypatch.chdir(tmp_path / "stages")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("uc_state", None)


@pytest.fixture
def run(workspace: Workspace) -> Callable[..., None]:
    """Run the notebook as a job does, with its parameters."""

    def run_with(**parameters: str) -> None:
        names: dict[str, Any] = {"dbutils": Dbutils(parameters)}
        for number, source in enumerate(cells()):
            if not source.startswith("%"):  # a magic of the notebook's own
                exec(compile(source, f"{NOTEBOOK.name}[{number}]", "exec"), names)

    return run_with


def records(caspers: Path) -> list[list[Any]]:
    return [json.loads(line) for line in (caspers / "utils/uc_state/records.jsonl").read_text().splitlines()]


def environment(deployment: AppDeployment) -> dict[str, str | None]:
    return {entry.name or "": entry.value or entry.value_from for entry in deployment.env_vars or []}


def test_a_first_run_makes_grants_deploys_records_and_tells_the_address(
    workspace: Workspace, caspers: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    run(CATALOG="kitchens", DATABRICKS_WAREHOUSE_ID="w-1", LAKEFLOW_SCHEMA="flow")

    app = workspace.apps[NAME]
    assert [(one.name, one.sql_warehouse.id) for one in app.resources or [] if one.sql_warehouse] == [
        ("sql-warehouse", "w-1")
    ]
    assert workspace.grants == {
        ("CATALOG kitchens", PRINCIPAL): {"USE_CATALOG"},
        ("SCHEMA kitchens.flow", PRINCIPAL): {"USE_SCHEMA", "SELECT"},
        ("SCHEMA kitchens.simulator", PRINCIPAL): {"USE_SCHEMA", "SELECT"},
    }
    deployed = app.active_deployment
    assert deployed is not None
    assert deployed.source_code_path == str(caspers / "apps/digital-twin")
    assert deployed.command is None  # app.yaml's stands
    assert environment(deployed) == {
        "TWIN_SOURCE": "databricks",
        "CATALOG": "kitchens",
        "LAKEFLOW_SCHEMA": "flow",
        "SIMULATOR_SCHEMA": "simulator",
        "DATABRICKS_WAREHOUSE_ID": "sql-warehouse",
        "BOKEH_RESOURCES": "server",
        "BOKEH_ALLOW_WS_ORIGIN": HOST,
    }
    assert records(caspers) == [["kitchens", "apps", {"name": NAME, "id": "app-1", "url": f"https://{HOST}"}]]
    assert f"App: https://{HOST}" in capsys.readouterr().out


def test_the_permissions_are_there_before_the_app_starts(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    order = [name for name, _ in workspace.calls]
    assert order.index("AppsAPI.deploy_and_wait") > max(i for i, name in enumerate(order) if name == "GrantsAPI.update")


def test_running_it_again_changes_nothing_but_the_deployment(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    first = dataclasses.replace(workspace.apps[NAME], active_deployment=None)
    granted = {key: set(value) for key, value in workspace.grants.items()}
    workspace.calls.clear()
    run(DATABRICKS_WAREHOUSE_ID="w-1")

    assert dataclasses.replace(workspace.apps[NAME], active_deployment=None) == first
    assert workspace.grants == granted
    assert len(records(caspers)) == 1
    assert not workspace.called("AppsAPI.create_and_wait")
    assert not workspace.called("AppsAPI.update")
    assert len(workspace.called("AppsAPI.deploy_and_wait")) == 1


def test_another_warehouse_replaces_the_first_and_leaves_other_resources_alone(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    can_use = AppResourceSqlWarehouseSqlWarehousePermission.CAN_USE
    other = AppResource(name="other", sql_warehouse=AppResourceSqlWarehouse(id="w-9", permission=can_use))
    app = workspace.apps[NAME]
    app.resources = [*(app.resources or []), other]
    app.description = "Somebody wrote this"
    run(DATABRICKS_WAREHOUSE_ID="w-2")
    now = {one.name: one.sql_warehouse.id for one in workspace.apps[NAME].resources or [] if one.sql_warehouse}
    assert now == {"other": "w-9", "sql-warehouse": "w-2"}
    assert workspace.apps[NAME].description == "Somebody wrote this"


def test_a_stopped_app_is_started_and_a_running_deployment_is_waited_for(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    app = workspace.apps[NAME]
    app.compute_status = ComputeStatus(state=ComputeState.STOPPED)
    app.active_deployment = AppDeployment(
        deployment_id="other", status=AppDeploymentStatus(state=AppDeploymentState.IN_PROGRESS)
    )
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    assert workspace.called("AppsAPI.start_and_wait") == [{"name": NAME}]
    assert workspace.apps[NAME].active_deployment is not None
    assert workspace.apps[NAME].active_deployment.deployment_id != "other"


def test_without_a_warehouse_the_demos_own_is_used_and_else_one_is_made_once(
    workspace: Workspace, caspers: Path, run: Callable[..., None]
) -> None:
    run(CATALOG="kitchens")
    run(CATALOG="kitchens")
    assert [one.name for one in workspace.warehouses] == ["kitchens-warehouse"]
    assert [kind for _, kind, _ in records(caspers)] == ["warehouses", "apps"]

    workspace.warehouses[:] = [EndpointInfo(id="w-7", name="kitchens-warehouse")]
    run(CATALOG="kitchens")
    assert [one.sql_warehouse.id for one in workspace.apps[NAME].resources or [] if one.sql_warehouse] == ["w-7"]


def test_what_may_not_be_granted_is_printed_as_sql_and_the_app_is_deployed(
    workspace: Workspace, caspers: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.no_grants_on = {"caspers.lakeflow"}
    workspace.missing = {"caspers.simulator"}
    run(DATABRICKS_WAREHOUSE_ID="w-1")
    out = capsys.readouterr().out
    assert f"GRANT USE SCHEMA, SELECT ON SCHEMA `caspers`.`lakeflow` TO `{PRINCIPAL}`;" in out
    assert "There is no caspers.simulator" in out
    assert workspace.apps[NAME].active_deployment is not None


def test_in_its_own_bundle_the_project_is_around_the_notebook_and_uc_state_may_be_absent(
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "app.yaml").write_text((ROOT / "app.yaml").read_text())
    monkeypatch.chdir(tmp_path / "stages")
    monkeypatch.setattr(sys, "path", list(sys.path))
    run(DATABRICKS_WAREHOUSE_ID="w-1", CASPERS_ROOT=str(tmp_path / "nowhere"))
    assert workspace.called("AppsAPI.deploy_and_wait")[0]["app_deployment"].source_code_path == str(tmp_path)
    assert "will not be recorded" in capsys.readouterr().out


def test_the_notebook_installs_the_sdk_that_is_tested_here() -> None:
    pins = [line.strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    install = next(source for source in cells() if source.startswith("%pip"))
    assert next(pin for pin in pins if pin.startswith("databricks-sdk==")) in install.split()


def test_the_notebook_is_shipped_without_outputs() -> None:
    code = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_the_workspace_of_these_tests_refuses_what_the_sdk_would() -> None:
    client = Workspace().client()
    with pytest.raises(TypeError, match="missing a required argument"):
        client.apps.create_and_wait(name="as the first SDKs had it", description="…")
    with pytest.raises(AttributeError):
        client.apps.launch("app")
    with pytest.raises(TypeError, match=r"is no .*App"):
        client.apps.create_and_wait({"name": "a dictionary"})
    assert isinstance(client.apps, Signed)
    bad = AppResource(name="sql-warehouse", sql_warehouse=AppResourceSqlWarehouse(id="w", permission="CAN_USE"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="CAN_USE"):
        must_be(bad, AppResource, "resource")
