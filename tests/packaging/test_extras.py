"""The base, and each extra alone, start with nothing but what they declare.

Nothing is downloaded: a fresh interpreter refuses to import any package that installing the base and that extra would not
have brought (their declared dependencies and what these need, as installed here), and then does what the extra is for.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.declared import EXTRAS, ROOT, importable, installed_with, providers

pytestmark = pytest.mark.slow

REFUSE = """
import sys

class Refusing:
    '''Answers for every package that would not be installed: it is not.'''

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

refused = set(sys.argv[1].split())
sys.meta_path.insert(0, Refusing())
"""

TABLES = """
import twin
kitchen = twin.open(sys.argv[2]).kitchen("sanfrancisco")
print(sum(kitchen.at(kitchen.start).counts.values()), len(kitchen.orders))
"""

PAGES = """
import twin.serve, twin.api
assert twin.api.ROUTES
"""

NO_WAREHOUSE = """
try:
    twin.open("databricks")
except twin.foundation.errors.SourceError as error:
    print(error)
"""

WAREHOUSE = """
from databricks import sql
from databricks.sdk import WorkspaceClient
from twin.sources.warehouse import Warehouse
try:
    Warehouse("/sql/1.0/warehouses/none")._connect()
except Exception as error:
    print(error)
"""

PANES = """
import jupyterlab.labapp, ipykernel.kernelapp, hvplot.pandas
from twin.notebook import panes
"""

POINTS = """
import movingpandas, twin
k = twin.open(sys.argv[2]).kitchen("sanfrancisco", day="2025-10-16")
assert len(movingpandas.TrajectoryCollection(k.trajectories("1min").to_geopandas(), "order", t="t")) > 0
"""

NOTICES = """
from twin.alerts.notices import Notices
from twin.alerts.store import Store
assert Notices(Store("sqlite://"), "json://127.0.0.1", 1, None).channel
"""

COLLECTED = """
from twin.foundation.settings import Settings
from twin.server import otlp
otlp.start(Settings(otlp_endpoint="http://127.0.0.1:9")).close()
"""

REFERENCE = """
import furo, numpydoc
from sphinx.application import Sphinx
"""

TESTS = """
import pytest
alone = ["-p", "no:cacheprovider", "--override-ini=addopts="]
sys.exit(pytest.main(["--collect-only", "-q", *alone, "tests/timeline"]))
"""


def start(script: str, demo: Path, *extras: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python that has the base and `extras` only."""
    third_party = set(providers()) - set(sys.stdlib_module_names) - {"twin"}
    refused = third_party - importable(installed_with(*extras))
    assert refused, "nothing is refused: the test would not see a missing declaration"
    given = {key: value for key, value in os.environ.items() if not key.startswith(("DATABRICKS", "TWIN"))}
    command = [sys.executable, "-c", REFUSE + script, " ".join(sorted(refused)), str(demo)]
    return subprocess.run(
        command, cwd=ROOT, env={**given, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, text=True
    )


def test_the_base_has_tables_and_pages(demo: Path) -> None:
    done = start(TABLES + PAGES, demo)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[1]) > 0


def test_without_the_databricks_extra_a_warehouse_is_refused_with_what_to_do(demo: Path) -> None:
    done = start("import twin, twin.foundation.errors" + NO_WAREHOUSE, demo, DATABRICKS_WAREHOUSE_ID="none")
    assert done.returncode == 0, done.stderr
    assert "pip install 'caspers-twin[databricks]'" in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("extra", "script"),
    [
        ("alerts", NOTICES),
        ("databricks", WAREHOUSE),
        ("docs", REFERENCE),
        ("geo", POINTS),
        ("notebook", PANES),
        ("telemetry", COLLECTED),
        ("test", TESTS),
    ],
    ids=["alerts", "databricks", "docs", "geo", "notebook", "telemetry", "test"],
)
def test_an_extra_alone_starts(extra: str, script: str, demo: Path) -> None:
    done = start(script, demo, extra)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No module named" not in done.stdout + done.stderr
    assert "pip install" not in done.stdout


def test_every_extra_is_started() -> None:
    assert set(EXTRAS) == {"alerts", "databricks", "docs", "geo", "notebook", "telemetry", "test"}
