"""Shared data and the order of the run: what every worker of pytest-xdist uses is made once, the longest files come first."""

import fcntl
import gc
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Every process of a run reads what the first has compiled: this one's workers, and some thirty servers that tests start."""

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
"""The same examples in every run, so that a change is red for its own faults only; HYPOTHESIS_PROFILE=default searches on."""

QUICK = {"HYPOTHESIS_PROFILE": "quick", "TWIN_EXAMPLES": "5"}
"""Fewer examples of each invariant in the quick run; TWIN_EXAMPLES is of those that read files for each example."""

ROOT = Path(__file__).parents[1]
os.environ.setdefault("TWIN_SECRETS", str(ROOT / "build" / "test-secrets"))
"""No test makes a secret in the home of who runs it."""

OWN_CACHE = "" if "TWIN_CACHE" in os.environ else tempfile.mkdtemp(prefix="twin-test-cache-")
"""The folder of what this run stores on the disk, which goes with it: no test finds, or fills, the one of who runs it."""
if OWN_CACHE:
    os.environ["TWIN_CACHE"] = OWN_CACHE  # of the workers, and of the servers that tests start

DEMO = {"days": 2, "scale": 0.5, "seed": 7}
"""What `twin.simulator` is asked for."""

LONGEST_FIRST = (
    "test_kiosk.py",
    "test_connection.py",
    "test_chaos.py",
    "test_page.py",
    "test_numbers.py",
    "test_map.py",
    "test_odd_data.py",
    "test_transport.py",
    "test_opening.py",
    "test_alerts.py",
    "test_databricks_app.py",
    "test_same_answers.py",
    "test_hosting.py",
    "test_texts.py",
    "test_panels.py",
    "test_axe.py",
    "test_dense.py",
    "test_jupyterlab.py",
    "test_wheel.py",
    "test_compare.py",
    "test_workflows.py",
    "test_live.py",
)
"""Browser test files that take longest: a worker that begins with one of them last leaves the others without work."""
NOT_QUICK = re.compile(r"^pytestmark = .*\bmark\.(browser|spark|slow)\b", re.MULTILINE)
"""In the text of a file none of whose tests is in the quick run."""

CHANGES_ITS_PROCESS = "test_saved.py"
"""Imports a library that gives Panel another design for good, so it comes last."""


CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
"""The shell first: without a window to draw around it a page opens in 1.6 s of CPU, not in 2.9."""

CHROMIUM_ARGUMENTS = (
    "--headless=new",
    "--font-render-hinting=none",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP twin.example 127.0.0.1",
)
"""No window, no graphics card, no traffic of the browser's own, and a name for this machine as a proxy in front would have.

Without hinting the shell's letters are the whole browser's: the golden pictures are the same.
"""


EXPECT_MS = 30_000
"""How long an expectation of a browser test may take to come true. A busy machine needs longer than Playwright's five seconds."""

MOST_WORKERS = 4
"""Each has a Chromium and a server, about 1.5 GB."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full-length`, for `make soak`; `--draw-golden`, for `make golden`."""
    parser.addoption(
        "--full-length", action="store_true", help="let tests that are about duration last as long as they should"
    )
    parser.addoption("--draw-golden", action="store_true", help="draw the golden pictures anew instead of comparing")


def pytest_unconfigure() -> None:
    """Remove what the run has stored."""
    if OWN_CACHE:
        shutil.rmtree(OWN_CACHE, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _own_cache() -> None:
    """Have settings that no environment is asked for store where those of the environment do."""
    from twin.foundation import settings as product

    product.CACHE_FOLDER = Path(os.environ["TWIN_CACHE"])


@pytest.fixture(scope="module", autouse=True)
def _own_process() -> Iterator[None]:
    """No file of tests finds the hub, the settings or the failure that one before it has left in the server's process."""
    yield
    server = sys.modules.get("twin.server.process")
    if server is not None:
        server.process.use(None)


@pytest.fixture(scope="session")
def lasting(pytestconfig: pytest.Config) -> Callable[[float, float], float]:
    """Choose a duration, seconds: short in every run, full under --full-length. Such tests are marked `soak`."""
    return lambda short, full: full if pytestconfig.getoption("--full-length") else short


def names_paths(config: pytest.Config) -> bool:
    """Whether the command line says which files to run."""
    return config.args_source is pytest.Config.ArgsSource.ARGS


def pytest_configure(config: pytest.Config) -> None:
    """Run everything in the files that the command line names: the quick selection of pyproject.toml is for `pytest` alone."""
    if any(argument.startswith("-m") for argument in config.invocation_params.args):
        return
    if names_paths(config):
        config.option.markexpr = ""
    else:
        for name, value in QUICK.items():  # in the environment, which the workers inherit
            os.environ.setdefault(name, value)
        settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out, in the quick run, the files that are not for it as a whole: even importing them takes seconds."""
    quick = "not" in config.option.markexpr
    return True if quick and collection_path.suffix == ".py" and NOT_QUICK.search(collection_path.read_text()) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Take what is imported out of the garbage collector's sight, which would look at a million objects time and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers: one a core; none for a single file, whose tests run one after another in any case."""
    if names_paths(config) and len(config.args) == 1 and not Path(config.args[0].partition("::")[0]).is_dir():
        return 0
    return min(os.cpu_count() or 1, MOST_WORKERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser or Spark by the fixtures that it uses, and put the browser's files last, the longest first.

    Playwright's event loop runs in the main thread for as long as Chromium is open, and `asyncio.run` fails there meanwhile:
    so a worker opens Chromium after its last test without one.
    """
    for item in items:
        for name in ("browser", "spark"):
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(name)
    in_browser = {item.path for item in items if item.get_closest_marker("browser")}

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        name = item.path.name
        rank = LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)
        return item.path in in_browser, name == CHANGES_ITS_PROCESS, rank

    items.sort(key=place)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive: $CHROMIUM, else the first one on the path."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.fail("The browser tests need Chromium: install it, or name it in the environment variable CHROMIUM.")
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator["Browser"]:
    """One Chromium for all browser tests of a worker; every test gets a profile of its own.

    While it is open Playwright's event loop runs in this thread, and a test that wants one of its own (`asyncio.run`) would
    fail: `pytest_collection_modifyitems` puts the browser tests last. It is here for tests of more than one folder.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=EXPECT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_ARGUMENTS))
        yield chromium
        chromium.close()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait until no other process is in such a block with this file."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return the folder that `make(folder)` fills, made by the first worker that wants it; the others wait for it.

    Tests share it, so they only read it. A name stands for one content in all files of tests.
    """
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent  # the workers' folders lie side by side in it

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / f"shared-{name}"
        with locked(shared / f"shared-{name}.lock"):
            if not folder.exists():
                part = shared / f"shared-{name}.part"
                make(part)
                part.rename(folder)  # whole or not at all
        return folder

    return once


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real samples; tests that want them are skipped where it is not set."""
    folder = os.environ.get("TWIN_TEST_DATA")
    if not folder:
        pytest.skip("TWIN_TEST_DATA names no folder of real samples")
    return Path(folder)


def fingerprint() -> str:
    """Of all that the simulator's files follow from: it imports the foundation and the packages that are pinned."""
    found = (path for name in ("simulator", "foundation") for path in sorted((ROOT / "twin" / name).rglob("*.*")))
    digest = hashlib.sha256(f"{sys.version} {DEMO}".encode())
    for path in (ROOT / "requirements.txt", *(path for path in found if "__pycache__" not in path.parts)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@pytest.fixture(scope="session")
def demo(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A demo of two days, which takes the simulator three seconds of CPU: as long as that is the same, the last run's is used."""
    store = ROOT / "build" / "test-demo"

    def make(folder: Path) -> None:
        store.parent.mkdir(exist_ok=True)
        with locked(store.with_suffix(".lock")):  # another run of this checkout may be about to make it
            stored = store / fingerprint()
            if not stored.exists():
                from twin.simulator import (
                    write_demo,
                )  # in a worker: the process that only hands tests out does without it

                shutil.rmtree(store, ignore_errors=True)
                write_demo(store / "part", **DEMO)
                (store / "part").rename(stored)
            shutil.copytree(stored, folder)

    return made_once("demo", make)
