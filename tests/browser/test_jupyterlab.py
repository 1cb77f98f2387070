"""A real JupyterLab: the first example is run, its map plays, and what is clicked comes back to Python; all panes play together.

The console is watched: an update of a pane that is lost on the way is an error there, and nowhere else.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

import twin
from tests.browser.app import ROOT, free_port
from tests.browser.operations import DRAWN, by_id, clock, counts, five

pytestmark = pytest.mark.browser

EXAMPLE = ROOT / "examples" / "1-first-look.ipynb"
EVERYTHING = "everything.ipynb"
CELLS = [
    'import twin\nk = twin.open().kitchen("sanfrancisco")',
    'k.curve("active", "1h") * k.volume("1h")',
    'k.trajectories("1min").head()',
    "k.dashboard()",
]
"""Of the other notebook."""
WHOLE = ROOT / "twin" / "notebook" / "whole.js"
START_S, RUN_MS, SHOWN_MS, TRIES = 90, 120_000, 20_000, 3


@pytest.fixture(scope="module")
def lab(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on a copy of the example, without a token: it listens on this machine alone."""
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    (folder / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
    everything = nbformat.read(EXAMPLE, as_version=4)  # for its kernel
    everything.cells = [new_code_cell(code) for code in CELLS]
    nbformat.write(everything, folder / EVERYTHING)
    settings = folder / "settings"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "TWIN_DEMO": str(demo),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    environment.pop("TWIN_SOURCE", None)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    options = ["--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen([*command, *options], env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_S
            while True:
                assert process.poll() is None, log.read_text()[-2000:]
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2):
                        break
                except OSError:
                    assert time.monotonic() < deadline, log.read_text()[-2000:]
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running(browser: Browser, lab: str, name: str) -> Iterator[Page]:
    """A notebook in JupyterLab, run from top to bottom. No error in the console, and no request to another host."""
    context = browser.new_context(viewport={"width": 1400, "height": 1500})
    page = context.new_page()
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on(
        "request",
        lambda request: (
            problems.append(request.url) if request.url.startswith("http") and not request.url.startswith(lab) else None
        ),
    )
    page.goto(f"{lab}/lab/tree/{name}?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=60_000)  # cells run before the kernel is there are lost
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.get_by_text("Run All Cells", exact=True).click()
    yield page
    context.close()
    assert problems == []


def see_the_map(page: Page) -> None:
    """Wait until drivers are on the map."""
    by_id(page, "map").scroll_into_view_if_needed(timeout=RUN_MS)  # JupyterLab draws what is in sight
    page.wait_for_function(DRAWN, timeout=30_000)


def run_new_cell(page: Page, code: str) -> str:
    """Run code in a new cell at the notebook's end; return what it printed."""
    page.keyboard.press("Escape")
    last = page.locator(".jp-Notebook .jp-Cell").last
    last.scroll_into_view_if_needed()
    last.locator(".jp-InputPrompt").click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    cell = page.locator(".jp-Notebook .jp-CodeCell.jp-mod-active")  # what is last in the page need not be the last cell
    editor = cell.locator(".cm-content")
    expect(editor).to_be_focused()  # a slow JupyterLab makes the cell after the keys have come
    expect(editor).to_have_text("")
    page.keyboard.insert_text(code)
    expect(editor).to_have_text(code)
    output = cell.locator(".jp-OutputArea-output pre").last
    for attempt in range(TRIES):  # JupyterLab shows no output, now and then, of a cell that has run beside much else
        page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=RUN_MS)  # it has run
        try:
            output.scroll_into_view_if_needed(timeout=SHOWN_MS)  # JupyterLab draws what is in sight
        except PlaywrightTimeoutError:
            assert attempt < TRIES - 1, cell.inner_html()
            continue
        break
    return output.inner_text().strip()


def play_on(page: Page, seconds: float) -> None:
    """Let it play for so many seconds of data, and pause."""
    before = clock(page)
    by_id(page, "play").click()
    page.wait_for_function(
        "([t, more]) => [...globalThis.__twin.clocks.values()].some((clock) => clock.now() > t + more)",
        arg=[before, seconds],
        timeout=60_000,
    )
    by_id(page, "play").click()


def test_the_first_example_plays_and_gives_the_selection_back(browser: Browser, lab: str) -> None:
    with running(browser, lab, EXAMPLE.name) as page:
        see_the_map(page)
        play_on(page, 60)
        row = page.evaluate("() => [...globalThis.__twin.motion.values()][0].positions()[0].order")
        page.evaluate("(row) => [...globalThis.__twin.selections.values()][0].show(row)", row)
        page.wait_for_timeout(500)  # the click is on its way to the kernel
        now = clock(page)
        printed = run_new_cell(
            page,
            "print(k.selection.index.tolist() == [k.replay.selection.order], k.replay.selection.row, k.replay.now())",
        )
        same, told, t = printed.split()
        assert (same, int(told)) == ("True", row)
        assert abs(float(t) - now) < 1


def test_curves_trajectories_and_all_panes_are_shown_and_play_without_an_error(
    browser: Browser, lab: str, demo: Path
) -> None:
    with running(browser, lab, EVERYTHING) as page:
        expect(page.locator(".jp-OutputArea .bk-Figure").first).to_be_visible(timeout=RUN_MS)
        expect(page.locator(".jp-RenderedHTMLCommon table").filter(has_text="heading")).to_be_visible(timeout=RUN_MS)
        see_the_map(page)
        assert page.evaluate("PyViz.comm_manager.waits"), "whole.js is there"
        for _ in range(5):  # each click is answered while the panes are told the new moment
            play_on(page, 120)
        expect(by_id(page, "feed-rows").locator("li").first).to_be_visible()
        now = twin.open(demo).kitchen("sanfrancisco").at(clock(page))
        expect(by_id(page, "stage-ready-count")).to_have_text(str(now.counts["ready"]))
        assert counts(page) == five(now.counts)


def test_changes_come_whole_and_wait_until_a_pane_is_drawn(page: Page) -> None:
    """Panel's own handler takes piece by piece, from when the pane is there, though it be amid a change."""
    heard = page.evaluate(
        """async (script) => {
          const heard = [], targets = {};
          globalThis.Bokeh = { index: {} };
          globalThis.PyViz = { plot_index: {}, comm_manager: { register_target: (_, comm, hear) => (targets[comm] = hear) } };
          for (let i = 0; i < 2; i++) (0, eval)(script);  // once, however often a notebook shows it
          PyViz.comm_manager.register_target("plot", "comm", ({ content }) => heard.push(content.data));
          const tell = (...all) => { for (const data of all) targets.comm({ content: { data }, metadata: {} }); };
          const [one, two] = ['{"msgid": "1"}', '{"msgid": "2", "num_buffers": 1}'];
          tell(one, "{}", "content", two, "{}");
          const before = heard.length;
          Bokeh.index.plot = {};
          await new Promise((done) => setTimeout(done, 200));
          const drawn = heard.length;
          tell("content", '{"id": "3"}');
          const amid = heard.length;
          tell({});
          return [before, drawn, amid, heard.slice(3, 7), heard.length];
        }""",
        WHOLE.read_text("utf-8"),
    )
    assert heard == [0, 3, 3, ['{"msgid": "2", "num_buffers": 1}', "{}", "content", '{"id": "3"}'], 8]
