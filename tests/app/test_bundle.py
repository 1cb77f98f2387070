"""databricks.yml and what it includes: against classes that are generated from the CLI's schema, and resolved as the CLI does.

The whole of it was once held against the schema that the CLI publishes, of the oldest version that it accepts and of a later one.
"""

import json
import re
from collections import Counter
from typing import Any

import pytest
from databricks.bundles.apps import App as BundleApp
from databricks.bundles.jobs import Job
from databricks.bundles.pipelines import Pipeline
from databricks.bundles.schemas import Schema
from databricks.bundles.version import __version__ as NEWEST_CLI
from databricks.sdk.service.apps import App, AppManifest, EnvVar
from databricks.sdk.service.jobs import JobSettings
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.app.files import NOTEBOOK, ROOT, app_yaml, bundle, bundle_files, cells, manifest, parameters_read, resolved
from twin.foundation.settings import Settings
from twin.sources.databricks import EVENTS

CLASSES: dict[str, Any] = {"apps": BundleApp, "jobs": Job, "pipelines": Pipeline, "schemas": Schema}

KEYS = {
    "bundle": {"name", "databricks_cli_version"},
    "workspace": {"root_path", "file_path", "state_path"},
    "sync": {"exclude", "include", "paths"},
    "target": {"default", "mode", "presets", "workspace", "variables", "resources", "permissions", "run_as"},
    "variable": {"description", "default", "type", "lookup"},
}
"""Of the keys that the CLI's schema (1.10.0) has in these places, those that we have a use for."""

NOT_RESOURCES = {"bundle", "include", "variables", "workspace", "sync", "targets", "definitions"}
"""Of the keys at the top, those in use; `definitions` holds anchors of YAML, and the CLI does not look into it."""

LONGEST_NAME = 30
"""Characters in the name of an app."""

DIMENSIONS = {"locations", "brands", "menus", "categories", "items"}

CASPERS_CATALOG = "caspersdev"
"""The default of Casper's own bundle (main, 2026)."""

TARGETS = list(bundle()["targets"])


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def resources(target: str, kind: str, **given: Any) -> dict[str, Any]:
    return resolved(target, **given).get("resources", {}).get(kind, {})


def the_app(target: str = "app", **given: Any) -> dict[str, Any]:
    return resources(target, "apps", **given)["digital_twin"]


def test_each_section_has_keys_of_the_clis_schema_only() -> None:
    for part in bundle_files().values():
        assert set(part) <= NOT_RESOURCES | {"resources"}
        assert set(part.get("bundle", {})) <= KEYS["bundle"]
        assert set(part.get("sync", {})) <= KEYS["sync"]
        for variable in part.get("variables", {}).values():
            assert set(variable) <= KEYS["variable"]
        for target in part["targets"].values():
            assert set(target) <= KEYS["target"]
            assert set(target.get("workspace", {})) <= KEYS["workspace"]
            assert target.get("mode") in (None, "development", "production")


@pytest.mark.parametrize("target", TARGETS)
def test_every_resource_is_one_of_the_clis_schema_before_and_after_its_variables_are_put_in(target: str) -> None:
    for given in (bundle()["targets"][target], resolved(target)):
        assert set(given["resources"]) <= set(CLASSES)
        for kind, named in given["resources"].items():
            for one in named.values():
                CLASSES[kind].from_dict(one)  # ValueError for a key or a value that there is not


def test_the_schemas_classes_refuse_what_the_cli_would() -> None:
    app = the_app()
    for wrong in (
        {"health_check": {"path": "/healthz"}},  # not in a bundle's app, though the SDK's deployment has it
        {"compute_size": "HUGE"},
        {"lifecycle": {"prevent_delete": True}},
        {"resources": [{"name": "x", "uc_securable": {"securable_full_name": "a.b.c", "securable_type": "SCHEMA"}}]},
    ):
        with pytest.raises((ValueError, TypeError)):
            BundleApp.from_dict(app | wrong)  # type: ignore[typeddict-item]


@pytest.mark.parametrize("target", TARGETS)
def test_the_service_takes_every_field_of_what_is_deployed(target: str) -> None:
    of_the_bundle = {"source_code_path", "config", "lifecycle", "permissions"}
    for app in resources(target, "apps").values():
        given = {key: value for key, value in app.items() if key not in of_the_bundle and value not in ("", [])}
        assert App.from_dict(given).as_dict() == given
        for entry in app["config"]["env"]:
            assert EnvVar.from_dict(entry).as_dict() == entry
        assert re.fullmatch(rf"[a-z0-9-]{{2,{LONGEST_NAME}}}", app["name"])
    for job in resources(target, "jobs").values():
        assert JobSettings.from_dict(job).as_dict() == job


@pytest.mark.parametrize("target", TARGETS)
def test_no_reference_is_left_but_to_what_the_deployment_makes(target: str) -> None:
    given = resolved(target)
    for left in (text for one in strings(given) for text in re.findall(r"\$\{([^}]*)\}", one)):
        where, kind, key, field = left.split(".")
        assert where == "resources"
        assert field in {"id", *given["resources"][kind][key], "service_principal_client_id"}


def test_the_targets_share_no_state_and_no_state_lies_among_an_apps_source_files() -> None:
    workspaces = [resolved(target)["workspace"] for target in TARGETS]
    for path in ("root_path", "state_path", "file_path"):
        assert len({workspace[path] for workspace in workspaces}) == len(TARGETS)
    for one in workspaces:
        assert not one["state_path"].startswith(one["file_path"] + "/")


def test_a_production_target_says_itself_where_its_one_copy_lies() -> None:
    for target in bundle()["targets"].values():
        assert target["mode"] != "production" or target["workspace"]["root_path"]  # the CLI refuses it otherwise


@pytest.mark.parametrize(
    ("kind", "identity"),
    [("apps", ("name",)), ("pipelines", ("catalog", "schema")), ("schemas", ("catalog_name", "name"))],
)
def test_nothing_is_made_by_two_targets(kind: str, identity: tuple[str, ...]) -> None:
    made = Counter(tuple(one.get(field) for field in identity) for t in TARGETS for one in resources(t, kind).values())
    assert max(made.values(), default=1) == 1


def test_the_app_that_people_use_is_not_deleted_by_a_deployment() -> None:
    assert the_app()["lifecycle"]["prevent_destroy"] is True
    assert the_app("dev")["lifecycle"]["prevent_destroy"] is False


@pytest.mark.parametrize("target", TARGETS)
def test_every_notebook_of_a_job_is_one_of_ours_and_is_there(target: str) -> None:
    files = resolved(target)["workspace"]["file_path"]
    for job in resources(target, "jobs").values():
        for task in (task for task in job["tasks"] if "notebook_task" in task):
            path = task["notebook_task"]["notebook_path"]
            assert path.startswith(f"{files}/stages/"), "a stage of Casper's would set up Casper's own pipeline anew"
            assert (ROOT / path.removeprefix(f"{files}/")).with_suffix(".ipynb").is_file()


def test_the_job_gives_the_notebook_every_parameter_that_it_reads() -> None:
    (job,) = resources("stage", "jobs").values()
    assert {one["name"] for one in job["parameters"]} == parameters_read(NOTEBOOK)


def test_everything_reads_the_catalog_that_caspers_kitchens_makes_unless_told_otherwise() -> None:
    widgets = dict(re.findall(r'widgets\.text\("(\w+)", "([^"]*)"\)', "\n".join(cells())))
    app = {entry["name"]: entry.get("value") for entry in app_yaml()["env"]}
    variables = bundle()["variables"]
    assert variables["catalog"]["default"] == CASPERS_CATALOG
    for name, setting in (
        ("CATALOG", "catalog"),
        ("LAKEFLOW_SCHEMA", "lakeflow_schema"),
        ("SIMULATOR_SCHEMA", "simulator_schema"),
    ):
        assert widgets[name] == app[name] == variables[setting]["default"] == getattr(Settings(), setting)


def test_the_bundle_sets_the_variables_of_app_yaml_with_its_own_values() -> None:
    inside = {entry["name"]: entry for entry in the_app(catalog="kitchens", lakeflow_schema="flow")["config"]["env"]}
    assert {name: entry.get("value_from") for name, entry in inside.items()} == {
        entry["name"]: entry.get("valueFrom") for entry in app_yaml()["env"]
    }
    assert (inside["CATALOG"]["value"], inside["LAKEFLOW_SCHEMA"]["value"]) == ("kitchens", "flow")
    named = {one["name"] for one in the_app()["resources"]}
    assert {entry["value_from"] for entry in inside.values() if "value_from" in entry} <= named


def test_the_app_is_granted_every_table_that_it_reads_and_nothing_more() -> None:
    granted = [one["uc_securable"] for one in the_app(catalog="kitchens")["resources"] if "uc_securable" in one]
    assert {one["securable_full_name"] for one in granted} >= {
        f"kitchens.lakeflow.{EVENTS}",
        *(f"kitchens.simulator.{name}" for name in DIMENSIONS),
    }
    assert {(one["securable_type"], one["permission"]) for one in granted} == {("TABLE", "SELECT")}


def test_the_warehouse_is_found_by_its_name_or_given_by_its_id() -> None:
    def warehouse(**given: str) -> str:
        (one,) = [one["sql_warehouse"] for one in the_app(**given)["resources"] if "sql_warehouse" in one]
        assert one["permission"] == "CAN_USE"
        return one["id"]

    assert warehouse() == "id of Serverless Starter Warehouse"
    assert warehouse(warehouse_name="kitchens-warehouse") == "id of kitchens-warehouse"
    assert warehouse(warehouse_id="abc123") == "abc123"


def test_size_policy_viewers_and_telemetry_can_be_chosen_and_none_has_to_be() -> None:
    plain = the_app()
    assert (plain["compute_size"], plain["usage_policy_id"]) == ("MEDIUM", "")
    assert (plain["permissions"], plain["telemetry_export_destinations"]) == ([], [])
    tables = {kind: f"kitchens.app.{kind}" for kind in ("logs_table", "metrics_table", "traces_table")}
    chosen = the_app(
        compute_size="LARGE",
        usage_policy_id="p-1",
        permissions=[{"level": "CAN_USE", "group_name": "kitchens"}],
        telemetry=[{"unity_catalog": tables}],
        user_api_scopes=["sql"],
    )
    assert BundleApp.from_dict(chosen).as_dict() == chosen  # type: ignore[arg-type]


def test_everybody_reads_with_his_own_rights_only_where_the_bundle_is_told_so() -> None:
    def chosen(**given: Any) -> tuple[Any, bool]:
        app = the_app(**given)
        settings = {one["name"]: one.get("value", "") for one in app["config"]["env"]} | {"DATABRICKS_APP_NAME": "app"}
        return app["user_api_scopes"], Settings.from_environment(settings).on_behalf_of_user

    assert chosen() == ([], False)
    assert chosen(own_rights="on", user_api_scopes=["sql"]) == (["sql"], True)


def test_an_app_per_catalog_and_per_developer() -> None:
    names = {the_app(catalog=catalog)["name"] for catalog in ("caspersdev", "kitchens")} | {the_app("dev")["name"]}
    assert len(names) == 3


def test_the_oldest_cli_knows_every_feature_in_use() -> None:
    since = {
        "prevent_destroy": "0.267.0",
        "config": "0.283.0",
        "value_from": "0.284.0",
        "telemetry_export_destinations": "0.295.0",
        "usage_policy_id": "1.10.0",  # the first that leaves out an empty one
    }
    used = json.dumps(the_app())
    needed = max(Version(version) for feature, version in since.items() if f'"{feature}"' in used)
    (oldest,) = SpecifierSet(bundle()["bundle"]["databricks_cli_version"])
    assert oldest.operator == ">="
    assert needed <= Version(oldest.version) <= Version(NEWEST_CLI)


def test_every_variable_is_declared_once_described_and_used() -> None:
    parts = bundle_files().values()
    declared = [name for part in parts for name in part.get("variables", {})]
    used = {name for part in parts for text in strings(part) for name in re.findall(r"\$\{var\.(\w+)\}", text)}
    assert len(declared) == len(set(declared))
    assert used == set(declared)
    assert all(variable["description"] for part in parts for variable in part.get("variables", {}).values())


def test_the_app_keeps_its_hours_only_if_told_to() -> None:
    def pauses(**given: str) -> set[str]:
        return {
            job["schedule"]["pause_status"]
            for name, job in resources("app", "jobs", **given).items()
            if "schedule" in job and name != "write_reports"
        }

    assert pauses() == {"PAUSED"}
    assert pauses(app_hours="UNPAUSED") == {"UNPAUSED"}
    hours = {name: job for name, job in resources("app", "jobs").items() if name in ("start_app", "stop_app")}
    given = {name: job["tasks"][0]["notebook_task"]["base_parameters"] for name, job in hours.items()}
    assert {name: one["ACTION"] for name, one in given.items()} == {"start_app": "start", "stop_app": "stop"}
    for one in given.values():
        assert set(one) == parameters_read(ROOT / "stages/app_hours.ipynb")


def test_reports_are_written_only_if_told_to_with_what_the_notebook_reads() -> None:
    def job(**given: str) -> dict[str, Any]:
        return resources("app", "jobs", **given)["write_reports"]

    assert job()["schedule"]["pause_status"] == "PAUSED"
    assert job(app_hours="UNPAUSED")["schedule"]["pause_status"] == "PAUSED"
    assert job(report_hours="UNPAUSED")["schedule"]["pause_status"] == "UNPAUSED"
    (task,) = job(catalog="kitchens")["tasks"]
    given = task["notebook_task"]["base_parameters"]
    environment = {"CATALOG", "LAKEFLOW_SCHEMA", "SIMULATOR_SCHEMA", "DATABRICKS_WAREHOUSE_ID"}
    assert set(given) == parameters_read(ROOT / "stages/day_report.ipynb") | environment
    assert given["VOLUME"] == "kitchens.lakeflow.twin_reports"


def test_the_template_asks_for_what_a_workspace_can_give() -> None:
    given = manifest()
    assert AppManifest.from_dict(given).as_dict() == given
    assert given["version"] == 1
    asked = {one["name"] for one in given["resource_specs"]}
    assert asked >= {entry["valueFrom"] for entry in app_yaml()["env"] if "valueFrom" in entry}
    assert asked <= {one["name"] for one in the_app()["resources"]}
