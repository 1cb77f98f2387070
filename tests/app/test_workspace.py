"""The workspace of these tests refuses what the platform and its SDK refuse, and what the stages wait for may never come."""

import doctest
from typing import Any

import pytest
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, OperationFailed, ResourceAlreadyExists
from databricks.sdk.service.apps import (
    App,
    AppDeployment,
    AppResource,
    AppResourceSqlWarehouse,
    AppResourceSqlWarehouseSqlWarehousePermission,
)

from stages import databricks_app
from tests.app.workspace import Workspace

CAN_USE = AppResourceSqlWarehouseSqlWarehousePermission.CAN_USE


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace()
    monkeypatch.setattr("time.sleep", made.wait)
    return made


@pytest.fixture
def w(workspace: Workspace) -> Any:
    client = workspace.client()
    client.apps.create_and_wait(App(name="twin"))
    return client


def warehouse(number: str, permission: Any = CAN_USE) -> AppResource:
    return AppResource(name="sql-warehouse", sql_warehouse=AppResourceSqlWarehouse(id=number, permission=permission))


def test_calls_that_the_sdk_does_not_have_fail(w: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword"):
        w.apps.create(name="as the first SDKs had it", description="…")
    with pytest.raises(AttributeError):
        w.apps.launch("twin")
    with pytest.raises(AttributeError):
        w.apps.create({"name": "a dictionary"})
    with pytest.raises(AttributeError):
        w.apps.create(App(name="x", resources=[warehouse("w-1", "CAN_USE")]))


def test_what_does_not_fit_the_apps_state_is_refused(w: Any, workspace: Workspace) -> None:
    with pytest.raises(ResourceAlreadyExists):
        w.apps.create(App(name="twin"))
    with pytest.raises(InvalidParameterValue):
        w.apps.create(App(name="Twin_of_the_north"))
    with pytest.raises(NotFound):
        w.apps.create_update("twin", "resources", app=App(name="twin", resources=[warehouse("nowhere")]))
    with pytest.raises(InvalidParameterValue):
        w.apps.create_update("twin", "resources, name", app=App(name="twin"))
    with pytest.raises(BadRequest, match="ACTIVE"):
        w.apps.start("twin")
    workspace.put("twin", "DELETING", "GONE")
    for refused in (w.apps.start, w.apps.stop, lambda name: w.apps.deploy(name, AppDeployment())):
        with pytest.raises(BadRequest, match="DELETING"):
            refused("twin")
    with pytest.raises(ResourceAlreadyExists):
        w.apps.create(App(name="twin"))


def test_the_sdks_own_wait_gives_up_where_another_start_would_help(w: Any, workspace: Workspace) -> None:
    workspace.put("twin", "STARTING", "ERROR")
    with pytest.raises(OperationFailed):
        w.apps.wait_get_app_active("twin")
    assert databricks_app.running(w, "twin").compute_status.state.value == "ACTIVE"


def test_an_app_that_does_not_start_says_why(w: Any, workspace: Workspace) -> None:
    workspace.put("twin", "STOPPED")
    workspace.starts = ["ERROR"]
    with pytest.raises(RuntimeError, match=r"twin does not start: The compute is ERROR\."):
        databricks_app.running(w, "twin")


@pytest.mark.parametrize("state", ["STARTING", "STOPPING", "UPDATING", "DELETING"])
def test_a_state_that_does_not_end_ends_the_patience(w: Any, workspace: Workspace, state: str) -> None:
    workspace.put("twin", state)
    with pytest.raises(TimeoutError, match=f"twin has been {state} for 25 minutes"):
        databricks_app.settled(w, "twin")
    assert workspace.now >= databricks_app.PATIENCE_S - databricks_app.POLL_S


def test_a_deployment_that_does_not_end_ends_the_patience(w: Any, workspace: Workspace) -> None:
    workspace.ends = ["IN_PROGRESS"]
    with pytest.raises(TimeoutError, match="under way for 25 minutes"):
        databricks_app.deploy(w, "twin", AppDeployment(source_code_path="/x"))


def test_an_app_that_was_stopped_is_deployed_after_the_platform_has_deployed_it_again(
    w: Any, workspace: Workspace
) -> None:
    databricks_app.deploy(w, "twin", AppDeployment(source_code_path="/old"))
    workspace.put("twin", "STOPPED")
    databricks_app.running(w, "twin")
    databricks_app.deploy(w, "twin", AppDeployment(source_code_path="/new"))
    assert [one["source_code_path"] for one in workspace.deployments["twin"]] == ["/old", "/old", "/new"]
    assert workspace.apps["twin"]["active_deployment"]["source_code_path"] == "/new"


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("caspersdev", "caspers_dev"),
        ("kitchens_north", "kitchens-north"),
        ("a_catalog_with_a_very_long_name_1", "a_catalog_with_a_very_long_name_2"),
        ("köln", "koln"),
        ("_", "__"),
    ],
)
def test_two_catalogs_have_two_names_and_each_is_one_that_an_app_may_have(
    workspace: Workspace, one: str, another: str
) -> None:
    names = [databricks_app.name_for(one), databricks_app.name_for(another)]
    assert names[0] != names[1]
    assert databricks_app.name_for(one.upper()) == names[0]
    for name in names:
        workspace.client().apps.create(App(name=name))


def test_examples() -> None:
    assert doctest.testmod(databricks_app).failed == 0
