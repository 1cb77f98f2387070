"""Another day laid over this one: by key, menu and link; its drivers are where they were, its figures are its own."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.operations import DRAWN, MOTION, by_id, choose, comes_to, drawn, seek, until
from tests.fake_timeline import DAY0, FakeTimeline
from twin.foundation.stages import STAGES
from twin.foundation.times import DAY, seconds
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.transport.transport import TransportView

pytestmark = pytest.mark.browser

SHOWN, OTHER = "2025-10-17", "2025-10-16"
T = seconds(f"{SHOWN} 18:40")
NEAR_M = 1.5
"""A driver is drawn from simplified knots, which are at most a metre off."""
MOST_MS = 30_000
RANGE = {"start": f"{SHOWN}T00:00", "end": "2025-10-18T00:00"}


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module")
def other(source: Twin) -> Timeline:
    return source.timeline("sanfrancisco", OTHER, SHOWN)


def ghosts(page: Page) -> dict[int, tuple[float, float]]:
    return {one["order"]: (one["x"], one["y"]) for one in page.evaluate(f"() => ({MOTION})().ghosts()")}


def truth(line: Timeline, t: float) -> dict[int, tuple[float, float]]:
    """Where the drivers of a timeline were at t: order -> Web Mercator metres."""
    found = line.at(t).drivers
    return dict(zip(found.order.tolist(), zip(found.x.tolist(), found.y.tolist(), strict=True), strict=True))


def assert_haunted(page: Page, line: Timeline, t: float) -> None:
    """The ghost's drivers are those of its own day at that moment, and where they were."""
    page.wait_for_function(f"(t) => ({MOTION})().ghostTime() === t", arg=t, timeout=MOST_MS)
    shown, expected = ghosts(page), truth(line, t)
    assert shown.keys() == expected.keys()
    assert expected
    for order, (x, y) in expected.items():
        assert np.hypot(shown[order][0] - x, shown[order][1] - y) < NEAR_M


def open_at(page: Page, address: str, **query: str) -> None:
    choose(page, address, "sanfrancisco", **RANGE, t=f"{SHOWN}T18:40", **query)
    page.wait_for_function(DRAWN)


def entered(line: Timeline, stage: int, midnight: float, t: float) -> int:
    enter = line.orders.enter
    after = enter[stage + 1] if stage + 1 < len(STAGES) else np.full(enter.shape[1], np.inf)
    return int(np.count_nonzero((enter[stage] >= midnight) & (enter[stage] <= t) & (after > enter[stage])))


def test_a_key_lays_another_day_over_this_one_and_takes_it_off(
    page: Page, address: str, source: Twin, other: Timeline
) -> None:
    open_at(page, address)
    assert ghosts(page) == {}
    expect(by_id(page, "ghost-line")).to_have_attribute("d", "")
    mine = drawn(page)
    page.keyboard.press("g")  # there is no week before: the best day
    expect(by_id(page, "ghost")).to_have_value("best")
    expect(by_id(page, "ghost-label")).to_have_text(
        "Ghost: Best day, Thu 16 Oct, at the same time of day", timeout=MOST_MS
    )
    assert_haunted(page, other, T - DAY)
    assert drawn(page) == mine, "the drivers of this day stay where they are"
    expect(by_id(page, "ghost-line")).to_have_attribute("d", re.compile("^M"))
    expect(by_id(page, "map-legend")).to_contain_text("Ghost: Best day, Thu 16 Oct")

    line = source.timeline("sanfrancisco", SHOWN, "2025-10-18")
    for stage, key in enumerate(STAGES):  # leads, counted
        lead = entered(line, stage, seconds(SHOWN), T) - entered(other, stage, seconds(OTHER), T - DAY)
        words = "level" if not lead else f"{abs(lead)} {'ahead' if lead > 0 else 'behind'}"
        expect(by_id(page, f"stage-{key}-lead")).to_have_text(words)
    created = np.count_nonzero((other.orders.created > T - DAY - 3600) & (other.orders.created <= T - DAY))
    expect(by_id(page, "kpi-orders-hour-ghost")).to_have_text(str(created))
    expect(by_id(page, "kpi-active-ghost")).to_have_text(str(sum(other.at(T - DAY).counts[key] for key in STAGES[:-1])))

    seek(page, T - 6 * 3600)
    assert_haunted(page, other, T - DAY - 6 * 3600)
    assert "ghost=best" in page.url

    page.keyboard.press("g")
    comes_to(page, lambda: ghosts(page), {})
    expect(by_id(page, "ghost-line")).to_have_attribute("d", "")
    expect(by_id(page, "stage-cooking-lead")).to_have_text("")
    expect(by_id(page, "kpi-orders-hour-ghost")).to_have_text("")
    until(page, lambda: "ghost" not in page.url, "the address forgets it")


def test_a_link_restores_it_and_escape_takes_it_off_last(page: Page, address: str, other: Timeline) -> None:
    open_at(page, address, ghost=OTHER)
    assert_haunted(page, other, T - DAY)
    expect(by_id(page, "ghost")).to_have_value(OTHER)
    by_id(page, "stage-cooking-pick").click()
    page.keyboard.press("Escape")  # the list of the stage
    page.keyboard.press("Escape")  # what all is narrowed to
    expect(by_id(page, "ghost")).to_have_value(OTHER)
    page.keyboard.press("Escape")
    expect(by_id(page, "ghost")).to_have_value("")
    comes_to(page, lambda: ghosts(page), {})
    page.keyboard.press("g")  # again: what was on
    expect(by_id(page, "ghost")).to_have_value(OTHER)
    assert_haunted(page, other, T - DAY)


def test_while_it_plays_both_days_go_together(page: Page, address: str, other: Timeline) -> None:
    open_at(page, address, ghost=OTHER, speed="60")
    assert_haunted(page, other, T - DAY)
    page.keyboard.press("Space")
    frames = page.evaluate(
        f"""() => new Promise((done) => {{
          const map = ({MOTION})(), seen = [];
          const look = () => {{
            seen.push([map.time(), map.ghostTime(), map.ghosts().map((d) => [d.order, d.x, d.y])]);
            if (seen.length < 60) requestAnimationFrame(look); else done(seen);
          }};
          requestAnimationFrame(look);
        }})"""
    )
    assert frames[-1][0] > frames[0][0]
    assert all(ghost == t - DAY for t, ghost, _ in frames), "both show the same time of day in every frame"
    for t, _, shown in frames[::20]:
        expected = truth(other, t - DAY)
        for order, x, y in shown:
            assert np.hypot(expected[order][0] - x, expected[order][1] - y) < NEAR_M


def test_what_has_no_day_says_so(page: Page, address: str) -> None:
    open_at(page, address)
    by_id(page, "ghost").select_option("week")
    expect(by_id(page, "ghost-label")).to_have_text("There are no orders on Fri 10 Oct.", timeout=MOST_MS)
    by_id(page, "ghost").select_option("usual")
    expect(by_id(page, "ghost-label")).to_have_text("Ghost: Usual, at the same time of day", timeout=MOST_MS)
    expect(by_id(page, "ghost-line")).to_have_attribute("d", re.compile("^M"), timeout=MOST_MS)
    expect(by_id(page, "stage-created-lead")).to_have_text(re.compile("ahead|behind|level"))
    assert ghosts(page) == {}, "the usual is no day and has no drivers"


def test_a_kitchen_of_one_day_says_why_there_is_none(page: Page, serve: Callable[..., str]) -> None:
    def app() -> pn.Column:
        line = FakeTimeline([{"created": DAY0 + 36_000.0 + 60 * k} for k in range(50)])
        view = TransportView(ReplayController(line), on_ghost=lambda choice: None, days=["2025-10-16"])
        return pn.Column(view, width=1200)

    page.goto(f"{serve({'one': app})}/one")
    expect(by_id(page, "ghost").locator("option").nth(1)).to_have_text(re.compile("data of one day only"))
    page.keyboard.press("g")
    expect(by_id(page, "ghost")).to_have_value("")
