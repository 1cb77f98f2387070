"""A race on a wall: lanes as long and in the order of what was delivered by then, and who took the lead once it has lasted."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace as Some

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.operations import comes_to
from twin.analysis.race import HOLD_S, LATE, ON_TIME
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.notebook.racing import Racing
from twin.replay.controller import ReplayController
from twin.views.race.race import RaceView

pytestmark = pytest.mark.browser

START = seconds("2025-10-16")
SESSION = Some(loaded=threading.Event(), replay=None, document=None)


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module", params=[ON_TIME, LATE])
def race(source: Twin, request: pytest.FixtureRequest) -> Racing:
    days = [("sanfrancisco", "2025-10-16"), ("chicago", "2025-10-16"), ("sanfrancisco", "2025-10-17")]
    return twin.race(*(source.kitchen(place, day=day) for place, day in days), figure=request.param)


def lanes(page: Page) -> list[tuple[int, str]]:
    """Place and value of each lane, in the order of the lanes."""
    found = page.get_by_test_id("race-lane")
    return [
        (int(found.nth(k).locator(".rank").inner_text()), found.nth(k).locator(".value").inner_text())
        for k in range(found.count())
    ]


def test_lanes_stand_where_the_race_stands_at_the_clock_s_time(
    page: Page, serve: Callable[..., str], source: Twin, race: Racing, barriers: Callable[[Page], list[str]]
) -> None:
    def app() -> pn.Column:
        SESSION.replay = ReplayController(source.timeline("sanfrancisco", "2025-10-16", "2025-10-17"))
        SESSION.document = pn.state.curdoc
        view = RaceView(SESSION.replay)
        view.begin(race.race, START)
        pn.state.onload(SESSION.loaded.set)
        return pn.Column(view, width=960, height=480)

    SESSION.loaded.clear()
    page.goto(f"{serve({'race': app})}/race")
    expect(page.get_by_test_id("race-lane")).to_have_count(3, timeout=30_000)
    assert SESSION.loaded.wait(10)

    def expected(into: float) -> list[tuple[int, str]]:
        values = race.race.values(into)
        ranks = {lane: place + 1 for place, lane in enumerate(race.race.ranking(into))}

        def text(value: float) -> str:
            if np.isnan(value):
                return "–"
            return f"{value:.0f}" if race.race.figure == ON_TIME else f"{100 * round(value, 4):.1f} %"

        return [(ranks[lane], text(value)) for lane, value in enumerate(values.tolist())]

    for hour in (0.5, 9, 13.25, 20):
        into = hour * 3600
        SESSION.document.add_next_tick_callback(lambda at=START + into: SESSION.replay.seek(at))
        comes_to(page, lambda: lanes(page), expected(into))
        told = page.get_by_test_id("race-leads").locator("li")
        known = [one for one in race.race.leads if one.at + HOLD_S <= into]
        expect(told).to_have_count(min(4, len(known)))
        if known:
            expect(told.first).to_contain_text(race.race.lanes[known[-1].leader].name)
    assert [one for one in barriers(page) if "race" in one] == []
