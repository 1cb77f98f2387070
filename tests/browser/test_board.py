"""All kitchens on a wall: rows in the order of their harm, each saying what the kitchen's row says at that minute."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace as Some

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Browser, Page, expect

import twin
from tests.browser.app import Server
from tests.browser.operations import comes_to
from tests.browser.test_kiosk import hang, screens
from twin.analysis.board import Board
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.show.scenefile import load
from twin.views.board.board import BoardView

pytestmark = [pytest.mark.browser, pytest.mark.slow]

START = seconds("2025-10-16 16:00")
SESSION = Some(loaded=threading.Event(), replay=None, document=None)
SCENES = """
scenes:
  - {network: all, time: 2025-10-16 16:00, duration: 30, caption: All kitchens over dinner}
  - {place: chicago, time: 2025-10-17T12:00:00, duration: 4}
"""


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scenes") / "show.yaml"
    file.write_text(SCENES)
    return file


@pytest.fixture(scope="module")
def board(source: Twin, scenes: Path) -> Board:
    found = load(scenes, source).scenes[0].board
    assert found is not None
    return found


def shown(page: Page) -> list[tuple[str, str, str, str]]:
    """Name, words, late share and orders of the rows from the top."""
    found = []
    for row in page.get_by_test_id("board-row").all():
        texts = [row.get_by_test_id(f"board-{one}").inner_text() for one in ("head", "late", "orders")]
        place = int(row.evaluate("node => Number(node.style.getPropertyValue('--place'))"))
        found.append((place, (row.locator(".name").inner_text(), *texts)))
    return [said for _, said in sorted(found)]  # type: ignore[misc]


def expected(board: Board, at: int) -> list[tuple[str, str, str, str]]:
    def late(number: float, of: float) -> str:
        if np.isnan(of) or not of:
            return "–"
        return f"{number:.0f} of {of:.0f}" if of < 3 else f"{100 * number // of:.0f} %"

    return [
        (one.name, one.head[at] or "Calm", late(one.late[at], one.deliveries[at]), f"{one.orders[at]:.0f}")
        for one in (board.kitchens[place] for place in board.ranking(at))
    ]


def test_rows_say_what_is_the_case_at_the_clock_s_minute(
    page: Page, serve: Callable[..., str], source: Twin, board: Board
) -> None:
    def app() -> pn.Column:
        SESSION.replay = ReplayController(source.timeline("sanfrancisco", "2025-10-16", "2025-10-17"))
        SESSION.document = pn.state.curdoc
        view = BoardView(SESSION.replay)
        view.begin(board)
        pn.state.onload(SESSION.loaded.set)
        return pn.Column(view, width=960, height=480)

    SESSION.loaded.clear()
    page.goto(f"{serve({'board': app})}/board")
    expect(page.get_by_test_id("board-row")).to_have_count(len(board.kitchens), timeout=30_000)
    assert SESSION.loaded.wait(10)
    seen = set()
    for minute in (0, 75, 160, 230):
        at = START + 60 * minute + 30
        SESSION.document.add_next_tick_callback(lambda at=at: SESSION.replay.seek(at))
        comes_to(page, lambda: shown(page), expected(board, minute))
        seen.add(tuple(row[0] for row in expected(board, minute)))
    assert len(seen) > 1, "nobody passes anybody"


@pytest.fixture(scope="module")
def server(demo: Path, scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = Server(demo, tmp_path_factory.mktemp("wall") / "log.txt", "--scenes", str(scenes))
    served.start()
    yield served
    served.kill()


BOX = """row => { const { top, bottom } = row.getBoundingClientRect();
  const cut = [...row.querySelectorAll("b, small")].filter((one) => one.scrollWidth > one.clientWidth + 1);
  return { top, beyond: bottom - innerHeight, cut: cut.map((one) => one.textContent) }; }"""


def test_it_has_the_wall_for_itself_and_gives_it_back(browser: Browser, server: Server, board: Board) -> None:
    for width, height in ((1280, 720), (1920, 1080)):
        with screens(browser, size={"width": width, "height": height}) as (wall,):
            hang(wall, server.port)
            frame = wall.frames[-1]
            rows = frame.get_by_test_id("board-row")
            expect(rows).to_have_count(len(board.kitchens), timeout=60_000)
            expect(rows.first).to_be_visible(timeout=60_000)
            for row in rows.all():
                found = row.evaluate(BOX)
                assert found["top"] >= 0
                assert found["beyond"] <= 0
                assert found["cut"] == []
            wall.keyboard.press("n")
            expect(frame.get_by_test_id("board")).to_be_hidden(timeout=60_000)
            expect(frame.get_by_test_id("race")).to_be_hidden()
            wall.keyboard.press("p")
            expect(rows.first).to_be_visible(timeout=60_000)
