"""`import twin` stays light, and so do tables: nobody waits for what he does not use."""

import os
import subprocess
import sys
from pathlib import Path

DRAWS = {"param", "panel", "bokeh", "holoviews", "geoviews", "hvplot", "datashader", "PIL", "shapely", "jinja2"}
"""What panes, pictures and pages need."""
SERVES = {"tornado", "pydantic", "sqlalchemy", "watchfiles", "rapidfuzz"}
READS = {"duckdb", "sqlglot", "deltalake", "openpyxl", "prometheus_client"}
"""What opening a source takes, or some sources."""
TABLES_ARE_OF = {"pandas"}
"""What a table takes."""
COMPILES = {"numba", "llvmlite", "scipy"}
"""What judges and places the rows of a source, and computes the chances of a comparison."""
NEVER = {"sklearn", "matplotlib", "dask", "xarray"}
"""What others bring along, and nobody wants here."""

TABLES = """
t = twin.open(sys.argv[1])
k = t.kitchen("sanfrancisco")
assert len(k.orders) and len(k.items) and len(k.events()) and len(k.stages) and len(k.at(k.start).kpis) and len(t.orders())
"""


PREPARED = """
from twin.sources import prepared
from twin.timeline import stored
prepared.LEAST_BYTES = stored.LEAST_EVENTS = 0
t = twin.open(sys.argv[1])
assert t.timeline("sanfrancisco").at("2025-10-16 18:30").counts
t.source.close()
t._stored._writing.shutdown()
"""
"""Opens a source and makes a timeline; the second time both are found on the disk."""


def loaded(demo: Path, *then: str, **variables: str) -> set[str]:
    """Return the top-level packages that a new interpreter has loaded after `import twin` and what follows."""
    script = "\n".join(["import sys, twin", *then, "print(*{name.partition('.')[0] for name in sys.modules})"])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), **variables}
    command = [sys.executable, "-c", script, str(demo)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_loads_no_more_than_arrays_need(demo: Path) -> None:
    assert not loaded(demo) & (DRAWS | SERVES | READS | TABLES_ARE_OF | COMPILES | NEVER)


def test_what_is_found_on_the_disk_takes_neither_what_decodes_nor_what_compiles(demo: Path, tmp_path: Path) -> None:
    assert loaded(demo, PREPARED, TWIN_CACHE=str(tmp_path)) >= {"duckdb", "sqlglot", "numba", "pandas"}
    again = loaded(demo, PREPARED, TWIN_CACHE=str(tmp_path))
    assert "duckdb" in again
    assert not again & (DRAWS | SERVES | TABLES_ARE_OF | COMPILES | NEVER | {"sqlglot"})


def test_tables_need_nothing_that_draws_or_serves(demo: Path) -> None:
    assert not loaded(demo, TABLES) & (DRAWS | SERVES | NEVER)


def test_a_pane_loads_what_it_needs_then(demo: Path) -> None:
    assert {"panel", "bokeh"} <= loaded(demo, TABLES, "k.kpis()")
