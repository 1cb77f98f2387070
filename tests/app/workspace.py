"""A workspace in memory, behind the genuine SDK: its calls, classes and waits run, and what it would send is answered here.

The platform is strict: an app's compute goes through its states as time passes (`wait`, in place of `time.sleep`), whatever does
not fit its state is refused, and only what a call may change changes.
"""

import re
import types
import uuid
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, PermissionDenied, ResourceAlreadyExists
from databricks.sdk.service.apps import App, AppDeployment, AppResource, AppsAPI
from databricks.sdk.service.catalog import GrantsAPI
from databricks.sdk.service.iam import CurrentUserAPI
from databricks.sdk.service.sql import WarehousesAPI

ME = "maya.okafor@caspers.example"
LONGEST_S = 2 * 60 * 60.0
WAREHOUSES = ("w-1", "w-2", "w-9")
CHANGEABLE = {
    *{"description", "budget_policy_id", "usage_policy_id", "resources", "user_api_scopes", "compute_size"},
    *{"forward_user_access_token", "git_repository", "telemetry_export_destinations"},
}
PRIVILEGES = {"CATALOG": {"USE_CATALOG"}, "SCHEMA": {"USE_SCHEMA", "SELECT"}, "TABLE": {"SELECT"}}


def host(app: str) -> str:
    """Where an app answers."""
    return f"{app}-1234567890123456.aws.databricksapps.com"


class Workspace:
    """What there is and what was asked; `client` stands for `WorkspaceClient()`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.now = 0.0
        self.apps: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, list[dict[str, Any]]] = {}
        self.warehouses: list[dict[str, Any]] = [{"id": one, "name": f"warehouse {one}"} for one in WAREHOUSES]
        self.grants: dict[tuple[str, str], set[str]] = {}
        self.no_grants_on: set[str] = set()
        self.missing: set[str] = set()
        self.ends: list[str] = []
        """How the next deployments end; SUCCEEDED if nothing is said."""
        self.starts: list[str] = []
        """Into which state compute comes on the next starts; ACTIVE if nothing is said."""
        self.between: list[Callable[[], None]] = []
        """What others do just before the next deployment is asked for."""
        self._changes: list[tuple[float, Callable[[], None]]] = []

    def client(self) -> Any:
        """A new client of this workspace, with the APIs that a stage needs."""
        parts = {"apps": AppsAPI, "grants": GrantsAPI, "warehouses": WarehousesAPI, "current_user": CurrentUserAPI}
        assert set(parts) <= set(dir(WorkspaceClient))
        return types.SimpleNamespace(**{name: api(self) for name, api in parts.items()})

    # -- what the SDK's classes need of a client ---------------------------------------------------------------------------
    _cfg = types.SimpleNamespace(workspace_id=None)

    def do(self, method: str, path: str, query: Any = None, headers: Any = None, body: Any = None) -> dict[str, Any]:
        """Answer a request."""
        for pattern, answer in ROUTES.items():
            verb, _, where = pattern.partition(" ")
            if verb == method and (found := re.fullmatch(where, path)):
                if method != "GET":
                    self.calls.append((answer.__name__, {"path": found.groups(), "body": deepcopy(body)}))
                return deepcopy(answer(self, *found.groups(), **({"body": deepcopy(body)} if body is not None else {})))
        raise NotFound(f"No API found for {method} {path}")

    # -- for tests ---------------------------------------------------------------------------------------------------------
    def wait(self, seconds: float) -> None:
        """Let time pass. Raises AssertionError for what would wait for ever."""
        self.now += seconds
        assert self.now < LONGEST_S, "still waiting"
        due = [change for at, change in self._changes if at <= self.now]
        self._changes = [(at, change) for at, change in self._changes if at > self.now]
        for change in due:
            change()

    def called(self, name: str) -> list[dict[str, Any]]:
        """The bodies of each change that was asked for by this name, such as "update_app"."""
        return [call["body"] or {} for called, call in self.calls if called == name]

    def app(self, name: str) -> App:
        """An app as the SDK's class."""
        return App.from_dict(self.apps[name])

    def deployed(self, name: str) -> AppDeployment:
        """The last deployment that was asked for."""
        return AppDeployment.from_dict(self.called("deploy_app")[-1])

    def put(self, name: str, state: str | None, then: str = "", after: float = 20, **fields: Any) -> None:
        """Put an app into a state of its compute, which ends in another; a state None is compute that never was."""
        app = self.apps[name]
        app |= fields
        app.pop("compute_status", None)
        if state:
            app["compute_status"] = {"state": state, "message": f"The compute is {state}."}
        if then:
            self.later(after, lambda: self._gone(name) if then == "GONE" else self.put(name, then))

    def deploying(self, name: str, end: str, which: str = "pending_deployment") -> None:
        """Somebody else's deployment to an app begins."""
        self._begin(name, {"deployment_id": f"other-{len(self.deployments[name])}"}, end, which)

    def later(self, seconds: float, change: Callable[[], None]) -> None:
        """Let something happen when time has passed."""
        self._changes.append((self.now + seconds, change))

    # -- the apps service --------------------------------------------------------------------------------------------------
    def get_app(self, name: str) -> dict[str, Any]:
        if name not in self.apps:
            raise NotFound(f"App with name {name} does not exist or is deleted.")
        return self.apps[name]

    def create_app(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body["name"]
        if not re.fullmatch("[a-z0-9-]{2,30}", name):
            raise InvalidParameterValue(f"{name}: an app's name has 2 to 30 lowercase letters, digits and hyphens.")
        if name in self.apps:
            raise ResourceAlreadyExists(f"An app with the same name already exists: {name}")
        self._check(body.get("resources", []))
        self.apps[name] = {
            **body,
            "id": f"app-{len(self.apps) + 1}",
            "url": f"https://{host(name)}",
            "creator": ME,
            "service_principal_client_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        }
        self.deployments[name] = []
        self._start(name)
        return self.apps[name]

    def update_app(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        app = self._still(name, "update")
        fields = body["update_mask"].split(",")
        if not set(fields) <= CHANGEABLE:
            raise InvalidParameterValue(f"update_mask: {body['update_mask']}")
        self._check(body["app"].get("resources", []))
        if (state := app.get("compute_status", {}).get("state")) == "ACTIVE":
            self.put(name, "UPDATING", state)
        for field in fields:
            app.pop(field, None)
            if field in body["app"]:
                app[field] = body["app"][field]
        app["_update"] = "IN_PROGRESS"
        self.later(20, lambda: app.update(_update="SUCCEEDED"))
        return self.get_update(name)

    def get_update(self, name: str) -> dict[str, Any]:
        return {"status": {"state": self.get_app(name).get("_update", "NOT_UPDATED"), "message": "…"}}

    def start_app(self, name: str, body: Any = None) -> dict[str, Any]:
        app = self._still(name, "start")
        if app.get("compute_status", {}).get("state") == "ACTIVE":
            raise BadRequest(f"Cannot start app {name} as it is in state ACTIVE.")
        self._start(name)
        return app

    def stop_app(self, name: str, body: Any = None) -> dict[str, Any]:
        app = self._still(name, "stop")
        if app.get("compute_status", {}).get("state") not in ("ACTIVE", "ERROR"):
            raise BadRequest(f"Cannot stop app {name}: its compute does not run.")
        self.put(name, "STOPPING", "STOPPED")
        return app

    def deploy_app(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.between:
            self.between.pop(0)()
        app = self._still(name, "deploy")
        if app.get("compute_status", {}).get("state") != "ACTIVE":
            raise BadRequest(f"Cannot deploy app {name}: its compute is not running.")
        if any(one["status"]["state"] == "IN_PROGRESS" for one in self.deployments[name]):
            raise BadRequest(f"Cannot deploy app {name} as there is an active deployment in progress.")
        deployment = {**body, "deployment_id": f"deployment-{len(self.deployments[name])}"}
        self._begin(name, deployment, self.ends.pop(0) if self.ends else "SUCCEEDED", "pending_deployment")
        return deployment

    def get_deployment(self, name: str, deployment: str) -> dict[str, Any]:
        found = [one for one in self.deployments[name] if one["deployment_id"] == deployment]
        if not found:
            raise NotFound(f"There is no deployment {deployment}.")
        return {**found[0], "env_vars": [{"name": one["name"]} for one in found[0].get("env_vars", [])]}  # no values

    def _still(self, name: str, what: str) -> dict[str, Any]:
        app = self.get_app(name)
        state = app.get("compute_status", {}).get("state")
        if state in ("STARTING", "STOPPING", "UPDATING", "DELETING"):
            raise BadRequest(f"Cannot {what} app {name} as it is not terminal with state {state}.")
        return app

    def _start(self, name: str) -> None:
        end = self.starts.pop(0) if self.starts else "ACTIVE"
        self.put(name, "STARTING", end)
        if self.deployments[name] and end == "ACTIVE":  # the last one is deployed again once compute runs
            again = {**self.deployments[name][-1], "deployment_id": f"again-{len(self.deployments[name])}"}
            self.later(20, lambda: self._begin(name, again, "SUCCEEDED", "pending_deployment"))

    def _begin(self, name: str, deployment: dict[str, Any], end: str, which: str) -> None:
        app = self.apps[name]
        deployment["status"] = {"state": "IN_PROGRESS", "message": "…"}
        self.deployments[name].append(deployment)
        app[which] = deployment

        def ended() -> None:
            deployment["status"] = {"state": end, "message": f"It is {end}."}
            if app.pop(which, None) is deployment and end == "SUCCEEDED":
                app["active_deployment"] = deployment
                app["default_source_code_path"] = deployment.get("source_code_path")

        self.later(40, ended)

    def _gone(self, name: str) -> None:
        self.apps.pop(name, None)

    def _check(self, resources: list[dict[str, Any]]) -> None:
        for one in resources:
            assert AppResource.from_dict(one).as_dict() == one
            warehouse = one.get("sql_warehouse")
            if warehouse and warehouse["id"] not in {known["id"] for known in self.warehouses}:
                raise NotFound(f"There is no warehouse {warehouse['id']}.")
        if len({one["name"] for one in resources}) < len(resources):
            raise InvalidParameterValue("Two resources have one name.")

    # -- others ------------------------------------------------------------------------------------------------------------
    def grant(self, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name in self.missing:
            raise NotFound(f"{name} does not exist.")
        if name in self.no_grants_on:
            raise PermissionDenied("User does not have MANAGE.")
        principals = {app["service_principal_client_id"] for app in self.apps.values()}
        for change in body["changes"]:
            if change.get("principal") not in principals:
                raise NotFound(f"Could not find principal with name {change.get('principal')}")
            if not set(change["add"]) <= PRIVILEGES[kind]:
                raise InvalidParameterValue(f"{change['add']} cannot be granted on a {kind}.")
            self.grants.setdefault((f"{kind} {name}", change["principal"]), set()).update(change["add"])
        return {}

    def list_warehouses(self) -> dict[str, Any]:
        return {"warehouses": self.warehouses}

    def create_warehouse(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["name"] in {one["name"] for one in self.warehouses}:
            raise InvalidParameterValue(f"The name {body['name']} is taken.")
        self.warehouses.append({**body, "id": f"made-{len(self.warehouses)}", "state": "STARTING"})
        self.later(20, lambda made=self.warehouses[-1]: made.update(state="RUNNING"))  # type: ignore[misc]
        return {"id": self.warehouses[-1]["id"]}

    def get_warehouse(self, number: str) -> dict[str, Any]:
        return next(one for one in self.warehouses if one["id"] == number)

    def me(self) -> dict[str, Any]:
        return {"userName": ME}


ROUTES: dict[str, Callable[..., dict[str, Any]]] = {
    "GET /api/2.0/apps/([^/]+)": Workspace.get_app,
    "POST /api/2.0/apps": Workspace.create_app,
    "POST /api/2.0/apps/([^/]+)/update": Workspace.update_app,
    "GET /api/2.0/apps/([^/]+)/update": Workspace.get_update,
    "POST /api/2.0/apps/([^/]+)/start": Workspace.start_app,
    "POST /api/2.0/apps/([^/]+)/stop": Workspace.stop_app,
    "POST /api/2.0/apps/([^/]+)/deployments": Workspace.deploy_app,
    "GET /api/2.0/apps/([^/]+)/deployments/([^/]+)": Workspace.get_deployment,
    "PATCH /api/2.1/unity-catalog/permissions/([^/]+)/([^/]+)": Workspace.grant,
    "GET /api/2.0/sql/warehouses": Workspace.list_warehouses,
    "POST /api/2.0/sql/warehouses": Workspace.create_warehouse,
    "GET /api/2.0/sql/warehouses/([^/]+)": Workspace.get_warehouse,
    "GET /api/2.0/preview/scim/v2/Me": Workspace.me,
}
