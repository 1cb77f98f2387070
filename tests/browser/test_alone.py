"""Every view alone, on a controller of its own: no session, no page around it, as in a notebook."""

from collections.abc import Callable
from pathlib import Path

import panel as pn
import pytest
from playwright.sync_api import Page, expect

import twin
from tests.browser.again import visit
from tests.browser.operations import settled, until
from twin.foundation.times import seconds
from twin.notebook.door import Twin
from twin.notebook.kitchen import Kitchen
from twin.pages.operations.chrome import ChromeView
from twin.replay.controller import ReplayController
from twin.views.bell.bell import AlertBarView, BellView, FollowsStore
from twin.views.bell.rules import AlertRulesView
from twin.views.board.board import BoardView
from twin.views.data_quality.data_quality import DataQualityView
from twin.views.differences.differences import DifferencesView
from twin.views.feed.feed import FeedView
from twin.views.incident_card.incident_card import IncidentCardView
from twin.views.kpis.kpis import KpiView
from twin.views.live.live import LiveView
from twin.views.map.map import MapView
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.order.order import OrderView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.race.race import RaceView
from twin.views.shared.stand_in import _StandIn
from twin.views.shared.view import ReplayView
from twin.views.transport.transport import TransportView
from twin.views.trends.trends import TrendsView
from twin.views.why.why import WhyView

pytestmark = pytest.mark.browser

T0, T1 = seconds("2025-10-16 18:30"), seconds("2025-10-16 12:15")

VIEWS: dict[str, tuple[type[ReplayView], str]] = {
    "map": (MapView, "map-layers"),
    "pipeline": (PipelineView, "stage-cooking-count"),
    "kpis": (KpiView, "kpi-active-value"),
    "feed": (FeedView, "feed-row"),
    "moments": (MomentsView, "moments-list"),
    "alert": (AlertView, "alert"),
    "orders": (OrderListView, "orders-row"),
    "order": (OrderView, "order-gantt"),
    "trends": (TrendsView, "trends-volume"),
    "why": (WhyView, "why-steps"),
    "transport": (TransportView, "range"),
    "health": (DataQualityView, "health"),
    "chrome": (ChromeView, "help"),
}
"""Each view and something that it shows when it works."""
SHOWS_NOTHING_ALONE = {
    *(AlertBarView, AlertRulesView, BellView, FollowsStore),
    *(BoardView, DifferencesView, IncidentCardView, LiveView, RaceView, _StandIn),
}
"""The alerts of a server, their bar and their rules, a comparison that its page makes, a dialog that buttons of others open, the
badge of a kitchen that grows, a race or board that nobody has begun, and what has the place of a view that cannot be built."""
MOVES = {
    "pipeline": "stage-cooking-count",
    "kpis": "kpi-active-value",
    "feed": "feed-row",
    "orders": "orders-row",
    "transport": "clock",
}
"""What shows another text at another moment."""
MOST_MS = 30_000


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


class Alone:
    """The view of the page opened last and its controller."""

    replay: ReplayController
    view: ReplayView
    document: object


@pytest.fixture(scope="module")
def address(serve, source: Twin) -> str:
    def app(kind: type[ReplayView]):
        def build() -> pn.Column:
            line = source.timeline("sanfrancisco", "2025-10-16", "2025-10-17")
            replay = ReplayController()
            view = kind(replay)  # type: ignore[call-arg]  # each of the views takes a controller
            Alone.replay, Alone.view, Alone.document = replay, view, pn.state.curdoc

            def begin() -> None:
                replay.load(line, T0)
                view.reset()
                replay.learn(source.insights(line))
                view.learn()
                replay.selection.select(int(line.at(T0).order[0]))
                view.show(line.at(T0))

            pn.state.onload(begin)
            return pn.Column(view, width=900, height=600)

        return build

    return serve({name: app(kind) for name, (kind, _) in VIEWS.items()})


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_works_alone(visited: Page, address: str, name: str) -> None:
    page = visited
    visit(page, f"{address}/{name}")
    expect(page.get_by_test_id(VIEWS[name][1]).first).to_be_visible(timeout=MOST_MS)
    if name in MOVES:
        shown = page.get_by_test_id(MOVES[name]).first
        expect(shown).not_to_have_text("–", timeout=MOST_MS)
        before = settled(page, shown.inner_text)

        def seek() -> None:
            Alone.replay.seek(T1)
            Alone.view.show(Alone.replay.timeline.at(T1))  # type: ignore[union-attr]

        Alone.document.add_next_tick_callback(seek)  # type: ignore[attr-defined]
        expect(shown).not_to_have_text(before, timeout=MOST_MS)


def test_the_views_above_are_all_there_are() -> None:
    def below(kind: type) -> set[type]:
        return {kind} | {deeper for child in kind.__subclasses__() for deeper in below(child)}

    ours = {kind for kind in below(ReplayView) if kind.__module__.startswith(("twin.views.", "twin.pages."))} - {
        ReplayView
    }
    assert ours == {kind for kind, _ in VIEWS.values()} | SHOWS_NOTHING_ALONE


def test_two_kitchens_side_by_side_have_a_clock_each_and_the_panes_of_one_share_it(
    page: Page, serve: Callable[..., str], source: Twin
) -> None:
    kitchens: list[Kitchen] = []

    def side_by_side() -> pn.Column:
        kitchens[:] = [source.kitchen(place, day="2025-10-16") for place in ("sanfrancisco", "chicago")]
        return pn.Column(*(pane for kitchen in kitchens for pane in (kitchen.timeline(), kitchen.pipeline())))

    page.goto(f"{serve({'two': side_by_side})}/two")
    clocks, completed = page.get_by_test_id("clock"), page.get_by_test_id("stage-completed-count")
    expect(clocks).to_have_count(2, timeout=MOST_MS)
    expect(completed).to_have_count(2)
    first, second = kitchens
    still, shown = clocks.nth(1).inner_text(), completed.nth(1).inner_text()
    page.get_by_test_id("speed-1000").first.click()
    page.get_by_test_id("play").first.click()
    before = first.replay.now()
    until(page, lambda: first.replay.now() > before + 500, "the first kitchen's clock goes on")
    page.get_by_test_id("play").first.click()
    until(page, lambda: not first.replay.playing, "the server has heard the pause")
    expect(completed.first).to_have_text(f"{first.at(first.replay.now()).counts['completed']:,}")
    assert first.replay.now() > before + 500
    assert (clocks.nth(1).inner_text(), completed.nth(1).inner_text()) == (still, shown)
    assert not second.replay.playing
    second.replay.seek("2025-10-16 08:00")  # by code, as in a cell
    assert first.replay.now() > before + 500
    page.goto("about:blank")
