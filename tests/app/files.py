"""The files that a workspace reads, as it reads them."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "stages" / "digital_twin.ipynb"


def app_yaml() -> dict[str, Any]:
    """How the app starts."""
    return yaml.safe_load((ROOT / "app.yaml").read_text())


def bundle() -> dict[str, Any]:
    """The asset bundle, its variables unresolved."""
    return yaml.safe_load((ROOT / "databricks.yml").read_text())


def app_environment(warehouse_id: str) -> dict[str, str]:
    """The environment that the platform gives the command, the warehouse filled in."""
    given = {"sql-warehouse": warehouse_id}
    return {entry["name"]: entry.get("value") or given[entry["valueFrom"]] for entry in app_yaml()["env"]}
