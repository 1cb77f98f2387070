"""The product as it is installed: the wheel has every file that the package reads, and serves without the checkout."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page

from tests.browser.app import free_port, wait_for_health
from tests.browser.operations import CLOCK, choose, clock, counts

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow

COMPILING_S = 240
"""A new installation compiles what is compiled: half a minute, more where other tests run beside it."""

WHO_AM_I = (
    "import json, os, sys, twin; print(json.dumps([twin.__file__, [os.path.abspath(folder) for folder in sys.path]]))"
)


def files_of_the_package() -> list[str]:
    """What Git holds of twin/, and what is new there, as paths relative to the checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "twin"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build/ folder of another time in the checkout would add what no longer is there."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in [*files_of_the_package(), "pyproject.toml", "README.md", "LICENSE"]:
        copy = source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(out), str(source)], check=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel in it; its dependencies are those that this test runs with.

    They come in as plain folders (a .pth file), whose own .pth files are not read: the editable install of the checkout,
    which is one of them, stays outside.
    """
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    there = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    (site / "dependencies.pth").write_text("\n".join(there) + "\n")
    return python


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """How to run a process elsewhere: another folder, and nothing in its environment that leads back to the checkout."""
    kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "TWIN_SOURCE", "TWIN_SCENES"}}
    return {"cwd": tmp_path_factory.mktemp("elsewhere"), "env": {**kept, "PYTHONUNBUFFERED": "1"}}


@pytest.fixture(scope="module")
def served(
    python: Path, outside: dict[str, object], demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of `twin serve`, run as an installed command from another folder."""
    port, log = free_port(), tmp_path_factory.mktemp("served") / "log.txt"
    command = [str(python.with_name("twin")), "serve", "--source", str(demo), "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **outside)  # type: ignore[call-overload]
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for_health(address, process, log, COMPILING_S)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def read(address: str) -> bytes:
    with urlopen(address, timeout=30) as answer:
        return answer.read()


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == set(files_of_the_package())


def test_the_checkout_is_out_of_reach(python: Path, outside: dict[str, object]) -> None:
    said = subprocess.run([python, "-c", WHO_AM_I], capture_output=True, text=True, check=True, **outside)  # type: ignore[call-overload]
    package, path = json.loads(said.stdout)
    assert Path(package).is_relative_to(python.parents[1])
    assert str(ROOT) not in path


def test_it_serves_the_pages_with_all_that_they_load(served: str) -> None:
    page = read(f"{served}/operations?location=sanfrancisco").decode()
    scripts = [read(f"{served}/{script}") for script in set(re.findall(r"assets/[0-9a-f]+\.js", page))]
    assert sorted(b"export" in script for script in scripts) == [False, True], (
        "what says why nothing comes, and all views"
    )
    assert "<style" in page
    assert b'data-testid="kiosk-notice"' in read(f"{served}/kiosk")
    assert read(f"{served}/tiles/sanfrancisco/dark/13/1310/3166.png").startswith(b"\x89PNG")
    assert json.loads(read(f"{served}/healthz")) == {"status": "ok"}
    assert b"sanfrancisco" in read(f"{served}/api/v1/locations")


def test_a_person_opens_the_page_and_plays(served: str, page: Page) -> None:
    choose(page, served, "sanfrancisco")
    assert sum(counts(page).values()) > 0
    before = clock(page)
    page.keyboard.press("Space")
    page.wait_for_function(f"before => ({CLOCK})() > before", arg=before)
