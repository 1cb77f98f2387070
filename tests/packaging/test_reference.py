"""The API reference is made of the docstrings without a warning, has everything public, and asks no other host for anything."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import twin

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` writes it."""
    folder = tmp_path_factory.mktemp("reference")
    (command,) = re.findall(r"\$\(BIN\)/python (-m sphinx .+)", (ROOT / "Makefile").read_text("utf-8"))
    words = [word.strip('"').replace("$(DOCS)", str(folder)) for word in command.split()]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


def test_everything_public_is_in_it(site: Path) -> None:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    listed = {name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names}
    wanted = {f"twin.{name}" for name in twin.__all__}
    for name in twin.__all__:
        thing = getattr(twin, name)
        if inspect.isclass(thing):
            members = {key for one in thing.__mro__ if one.__module__.startswith("twin.") for key in vars(one)}
            wanted |= {f"twin.{name}.{key}" for key in members if not key.startswith("_")}
    assert wanted - listed <= {"twin.OrderLife.of", "twin.Twin.cached", "twin.Twin.made"}


def test_its_examples_have_a_heading_and_its_arguments_are_listed(site: Path) -> None:
    page = (site / "kitchen.html").read_text("utf-8")
    assert page.count('<p class="rubric">Examples</p>') > 30
    assert "Parameters" in page


def test_it_needs_no_other_host(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.findall(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](?:https?:)?//[^"']+""", text), path.name
    assert not [path.name for path in site.rglob("*.css") if re.search(r"url\([\"']?https?:", path.read_text("utf-8"))]
