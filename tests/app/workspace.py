"""A workspace in memory behind the SDK's own signatures.

A call that the real client would not take (a name it lacks, a missing or unknown argument, a value of the wrong type) raises
TypeError or AttributeError here too. What is called is recorded.
"""

import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.apps import (
    App,
    AppDeployment,
    AppDeploymentState,
    AppDeploymentStatus,
    AppsAPI,
    ComputeState,
    ComputeStatus,
)
from databricks.sdk.service.catalog import GrantsAPI, PermissionsChange, UpdatePermissionsResponse
from databricks.sdk.service.sql import EndpointInfo, GetWarehouseResponse, WarehousesAPI

PRINCIPAL = "5d4c3b2a-0000-4000-8000-000000000001"
HOST = "caspers-digital-twin-1234567890123456.aws.databricksapps.com"


class Signed:
    """An API of the client: the methods of `api`, with its signatures, answered by the methods of `answers`."""

    def __init__(self, api: type, answers: object, calls: list[tuple[str, dict[str, Any]]]) -> None:
        self._api, self._answers, self._calls = api, answers, calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._api, name)  # AttributeError for what the SDK does not have
        signature = inspect.signature(real)
        hints = typing.get_type_hints(real)

        def call(*arguments: Any, **named: Any) -> Any:
            given = signature.bind(self, *arguments, **named).arguments
            given.pop("self")
            for argument, value in given.items():
                if argument in hints:
                    must_be(value, hints[argument], f"{self._api.__name__}.{name}({argument})")
            self._calls.append((f"{self._api.__name__}.{name}", given))
            return getattr(self._answers, name)(**given)

        return call


def must_be(value: Any, hint: Any, where: str) -> None:
    """Raise TypeError unless `value`, and what it is made of, is what the SDK's annotation says."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or origin is collections.abc.Callable:
        return
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inner:
            return
        must_be(value, next(part for part in inner if part is not type(None)), where)
    elif origin in (list, dict):
        if not isinstance(value, origin):
            raise TypeError(f"{where}: {value!r} is no {hint}")
        if origin is list:
            for part in value:
                must_be(part, inner[0], where)
    elif not isinstance(value, hint):
        raise TypeError(f"{where}: {value!r} is no {hint}")
    elif dataclasses.is_dataclass(value):
        for name, part in typing.get_type_hints(type(value)).items():
            must_be(getattr(value, name), part, f"{where}.{name}")


class Workspace:
    """What there is and what was asked; `client` stands for `WorkspaceClient()`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.apps: dict[str, App] = {}
        self.warehouses: list[EndpointInfo] = []
        self.grants: dict[tuple[str, str], set[str]] = {}
        self.no_grants_on: set[str] = set()
        self.missing: set[str] = set()
        self.busy = False

    def client(self) -> Any:
        """A new client of this workspace, with the three APIs that a stage needs."""
        parts = {"apps": (AppsAPI, Apps), "grants": (GrantsAPI, Grants), "warehouses": (WarehousesAPI, Warehouses)}
        assert set(parts) <= set(dir(WorkspaceClient))
        return types.SimpleNamespace(
            **{name: Signed(api, answers(self), self.calls) for name, (api, answers) in parts.items()}
        )

    def called(self, name: str) -> list[dict[str, Any]]:
        """The arguments of each call of `name`, as in "AppsAPI.update"."""
        return [arguments for called, arguments in self.calls if called == name]


@dataclasses.dataclass
class Apps:
    """Answers of the apps service."""

    workspace: Workspace

    def get(self, name: str) -> App:
        if name not in self.workspace.apps:
            raise NotFound(f"App with name {name} does not exist or is deleted.")
        return self.workspace.apps[name]

    def create_and_wait(self, app: App) -> App:
        made = dataclasses.replace(
            app,
            id="app-1",
            url=f"https://{HOST}",
            service_principal_client_id=PRINCIPAL,
            compute_status=ComputeStatus(state=ComputeState.ACTIVE, message="App's compute is running."),
        )
        self.workspace.apps[app.name] = made
        return made

    def update(self, name: str, app: App) -> App:
        before = self.get(name)
        # a full replacement of what can be set; the rest is the service's own
        kept = dataclasses.replace(before, resources=app.resources, description=app.description)
        kept.compute_size = app.compute_size
        self.workspace.apps[name] = kept
        return kept

    def start_and_wait(self, name: str) -> App:
        app = self.get(name)
        app.compute_status = ComputeStatus(state=ComputeState.ACTIVE)
        return app

    wait_get_app_active = start_and_wait

    def wait_get_deployment_app_succeeded(self, app_name: str, deployment_id: str) -> AppDeployment:
        app = self.get(app_name)
        assert app.active_deployment is not None
        assert app.active_deployment.deployment_id == deployment_id
        app.active_deployment.status = AppDeploymentStatus(state=AppDeploymentState.SUCCEEDED)
        return app.active_deployment

    def deploy_and_wait(self, app_name: str, app_deployment: AppDeployment) -> AppDeployment:
        app = self.get(app_name)
        state = app.active_deployment and app.active_deployment.status and app.active_deployment.status.state
        if state is AppDeploymentState.IN_PROGRESS:
            raise InvalidParameterValue("Cannot deploy app as there is an active deployment in progress.")
        if app.compute_status is None or app.compute_status.state is not ComputeState.ACTIVE:
            raise InvalidParameterValue("App compute is not running.")
        done = dataclasses.replace(
            app_deployment,
            deployment_id=f"deployment-{len(self.workspace.called('AppsAPI.deploy_and_wait'))}",
            status=AppDeploymentStatus(state=AppDeploymentState.SUCCEEDED),
        )
        app.active_deployment = done
        return done


@dataclasses.dataclass
class Grants:
    """Answers of Unity Catalog's grants."""

    workspace: Workspace

    def update(
        self, securable_type: str, full_name: str, changes: list[PermissionsChange]
    ) -> UpdatePermissionsResponse:
        if full_name in self.workspace.missing:
            raise NotFound(f"{full_name} does not exist.")
        if full_name in self.workspace.no_grants_on:
            raise PermissionDenied("User does not have MANAGE.")
        for change in changes:
            granted = self.workspace.grants.setdefault((f"{securable_type} {full_name}", change.principal or ""), set())
            granted.update(privilege.value for privilege in change.add or [])
        return UpdatePermissionsResponse()


@dataclasses.dataclass
class Warehouses:
    """Answers of the SQL warehouses' service."""

    workspace: Workspace

    def list(self) -> list[EndpointInfo]:
        return self.workspace.warehouses

    def create_and_wait(self, name: str, **_: Any) -> GetWarehouseResponse:
        self.workspace.warehouses.append(EndpointInfo(id="made-1", name=name))
        return GetWarehouseResponse(id="made-1", name=name)
