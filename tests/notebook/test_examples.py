"""The example notebooks run from top to bottom, each with nothing that another one has defined.

They share a kernel, as starting one and importing takes as long as running them: a new kernel's first figure is in
test_fresh_kernel.py.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(scope="module")
def run(demo: Path) -> Iterator[Callable[[Path], nbformat.NotebookNode]]:
    """Run a notebook and return it with its outputs; fails where a cell of it does."""
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=180, kernel_name="python3")

    def run_all(path: Path) -> nbformat.NotebookNode:
        client.nb = nbformat.read(path, as_version=4)
        client.nb.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
        return client.execute(cleanup_kc=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_DEMO", str(demo))
        patch.delenv("TWIN_SOURCE", raising=False)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        yield run_all
        client._cleanup_kernel()


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path, run: Callable[[Path], nbformat.NotebookNode]) -> None:
    notebook = run(path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) >= 4
    assert not [output for output in outputs if output.output_type == "error"]
    bare = [output.data["text/plain"] for output in outputs if set(output.get("data", {})) == {"text/plain"}]
    assert bare == [], "a repr is shown in place of a picture or a table"
    panes = [output for output in outputs if "application/vnd.holoviews_exec.v0+json" in output.get("data", {})]
    assert panes, "no pane was shown"


def test_examples_are_kept_without_outputs() -> None:
    assert len(EXAMPLES) == 5
    for path in EXAMPLES:
        assert not [cell for cell in nbformat.read(path, as_version=4).cells if cell.get("outputs")]
