"""The files that a workspace reads, as it reads them."""

import copy
import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "stages" / "digital_twin.ipynb"
USER = {"userName": "maya.okafor@caspers.example", "domain_friendly_name": "maya-okafor"}


def app_yaml() -> dict[str, Any]:
    """How the app starts."""
    return yaml.safe_load((ROOT / "app.yaml").read_text())


def manifest() -> dict[str, Any]:
    """What the project asks for as a template of an app."""
    return yaml.safe_load((ROOT / "manifest.yaml").read_text())


@functools.cache
def bundle_files() -> dict[str, dict[str, Any]]:
    """databricks.yml and what it includes, by name, in the order in which the CLI merges them."""
    main = yaml.safe_load((ROOT / "databricks.yml").read_text())
    included = [path for pattern in main["include"] for path in sorted(ROOT.glob(pattern))]
    return {"databricks.yml": main} | {
        str(path.relative_to(ROOT)): yaml.safe_load(path.read_text()) for path in included
    }


@functools.cache
def bundle() -> dict[str, Any]:
    """The bundle, its variables and targets unresolved; shared, so not to be changed."""
    whole: dict[str, Any] = {}
    for part in bundle_files().values():
        whole = merged(whole, part)
    return whole


def resolved(target: str, **given: Any) -> dict[str, Any]:
    """The bundle as the CLI deploys it to a target with these variables: overrides merged, references replaced.

    What is looked up is "id of NAME", what only the workspace knows stays as it is.
    """
    whole = bundle()
    own = whole["targets"][target]
    whole = merged({key: value for key, value in whole.items() if key not in ("targets", "definitions")}, own)
    root = whole["workspace"]["root_path"]
    known: dict[str, Any] = {
        "bundle.name": whole["bundle"]["name"],
        "bundle.target": target,
        "workspace.root_path": root,
        "workspace.file_path": whole["workspace"].get("file_path", f"{root}/files"),
        "workspace.state_path": whole["workspace"].get("state_path", f"{root}/state"),
        **{f"workspace.current_user.{name}": value for name, value in USER.items()},
    }
    for name, variable in whole["variables"].items():
        if name in given:
            known[f"var.{name}"] = given[name]
        else:
            known[f"var.{name}"] = variable.get("default", f"id of {variable.get('lookup', {}).get('warehouse')}")
    whole["workspace"] |= {path: f"${{workspace.{path}}}" for path in ("file_path", "state_path")}
    return _replaced(whole, known)


def merged(below: Any, above: Any) -> Any:
    """What the CLI makes of a value and one that comes later: maps are merged, lists joined, elements of one name merged."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: merged(below[key], above[key]) for key in below.keys() & above.keys()}
        return {**copy.deepcopy(below), **copy.deepcopy(above), **both}
    if isinstance(below, list) and isinstance(above, list):
        joined = copy.deepcopy(below)
        for element in copy.deepcopy(above):
            name = element.get("name") if isinstance(element, dict) else None
            same = next((i for i, one in enumerate(joined) if name and one.get("name") == name), None)
            if same is None:
                joined.append(element)
            else:
                joined[same] = merged(joined[same], element)
        return joined
    return copy.deepcopy(above)


def _replaced(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(part, known) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, known) for part in value]
    if not isinstance(value, str):
        return value
    if (whole := re.fullmatch(r"\$\{([\w.]+)\}", value)) and whole[1] in known:
        return _replaced(known[whole[1]], known)  # may be a list or a map
    text = re.sub(r"\$\{([\w.]+)\}", lambda found: str(known.get(found[1], found[0])), value)
    return text if text == value else _replaced(text, known)


def app_environment(warehouse_id: str) -> dict[str, str]:
    """The environment that the platform gives the command, the warehouse filled in."""
    given = {"sql-warehouse": warehouse_id}
    return {entry["name"]: entry.get("value") or given[entry["valueFrom"]] for entry in app_yaml()["env"]}


def cells(notebook: Path = NOTEBOOK) -> list[str]:
    """The code of a notebook, cell by cell."""
    return [
        "".join(cell["source"]) for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"
    ]


def parameters_read(notebook: Path) -> set[str]:
    """The names of the parameters that a notebook reads."""
    return set(re.findall(r'widgets\.get\("(\w+)"\)', "\n".join(cells(notebook))))
