"""The example notebooks run from top to bottom, in a kernel of their own."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DEMO", str(demo))
    monkeypatch.delenv("TWIN_SOURCE", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
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
