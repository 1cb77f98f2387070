"""A session on a live kitchen: what comes in is shown, and nothing that the user chose is lost."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.memory_source import MemorySource, row, table
from twin.analysis.baseline import Baseline
from twin.analysis.metrics import MetricIndex
from twin.analysis.moments.examination import Findings
from twin.analysis.moments.unfolding import KnownFrom, block_of
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.replay.clock import LAG_S
from twin.replay.controller import ReplayController
from twin.replay.live import LiveKitchens
from twin.views.feed.feed import FeedView
from twin.views.kpis.kpis import KpiView
from twin.views.live.live import LiveView
from twin.views.map.map import MapView
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.order.order import OrderView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.session import ReplaySession
from twin.views.shared.component import Component
from twin.views.shared.view import ReplayView
from twin.views.transport.transport import TransportView
from twin.views.trends.trends import TrendsView
from twin.views.why.why import WhyView

T0 = 1_760_612_400.0
"""2025-10-16 11:00 UTC, a Thursday."""
FIRST = 100


def order(n: int) -> str:
    """The order's id: as in life, later ones sort anywhere among earlier ones, which moves their rows."""
    return f"{n * 7919 % 1000:03d}-{n}"


def life(n: int) -> list[dict[str, Any]]:
    """An order each minute, in Cooking after a minute, delivered after twenty."""
    t = T0 + 60.0 * n
    steps = (("order_created", 0), ("gk_started", 60), ("gk_finished", 600), ("gk_ready", 700), ("driver_arrived", 720),
             ("driver_picked_up", 750), ("delivered", 1200))  # fmt: skip
    return [row(order(n), kind, t + after, lat=37.79, lon=-122.39) for kind, after in steps]


def until(t: float, first: int = 0) -> list[dict[str, Any]]:
    """All rows of orders from `first` on up to t."""
    rows = [one for n in range(first, 400) for one in life(n)]
    return [one for one in rows if one["ts"].astype(float) / 1e6 <= t]


class Kitchen:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.edge = T0 + 60.0 * FIRST
        self.source = MemorySource(table(until(self.edge)))
        self.hub = Hub(self.source, clock=lambda: T0 + 10 * DAY)
        monkeypatch.setattr(self.hub, "_baseline", lambda timeline: (Baseline.none(), ()))
        self.wall = [50.0]
        self.controller = ReplayController(wall=lambda: self.wall[0])
        self.session = ReplaySession(self.hub, self.controller)
        self.shared = self.hub.cached(LiveKitchens).kitchen("sf")

    def choose(self, **given):
        asyncio.run(self.session.choose("sf", **given))
        self.session.following.end()  # no thread: the test says when there is something new
        self.session.following._location = "sf"
        self.session.following._stop = lambda: None

    def pass_time(self, seconds: float, learn: bool = False, rows=()) -> None:
        """Let events come in for a while, at life's pace."""
        self.newer(seconds, rows)
        if learn:
            self.shared.learn()
        self.session.following.catch_up()

    def newer(self, seconds: float, rows=()):
        """Let events come in that no page has yet; return the timeline with them."""
        self.wall[0] += seconds
        self.source.send(
            table([one for one in until(self.edge + seconds) if one["ts"].astype(float) / 1e6 > self.edge] + list(rows))
        )
        self.edge += seconds
        self.hub.refresh()
        return self.shared.advance().timeline


@pytest.fixture
def kitchen(monkeypatch):
    return Kitchen(monkeypatch)


def test_a_kitchen_that_has_grown_opens_live_and_one_that_never_did_as_before(kitchen):
    kitchen.choose()
    assert (kitchen.controller.state, kitchen.controller.playing) == ("replay", False)
    kitchen.pass_time(10)
    kitchen.choose()
    assert kitchen.controller.state == "live"
    assert 0 <= kitchen.shared.state.edge - kitchen.controller.now() <= LAG_S
    assert "live=1" in kitchen.session.page.query
    assert not any(name in kitchen.session.page.query for name in ("start=", "end=", "t="))


def test_a_live_playhead_goes_along_and_one_that_is_behind_stays_while_the_range_grows(kitchen):
    kitchen.choose(follow="live")
    for _ in range(3):
        kitchen.pass_time(30)
    kitchen.wall[0] += LAG_S
    assert kitchen.controller.now() == pytest.approx(kitchen.shared.state.edge)
    kitchen.controller.pause()
    stopped, opened = kitchen.controller.now(), kitchen.controller.timeline
    for _ in range(20):
        kitchen.pass_time(30)
    assert (kitchen.controller.state, kitchen.controller.now()) == ("behind", stopped)
    assert kitchen.controller.timeline is not opened
    assert kitchen.controller.end == kitchen.shared.state.edge
    assert "live=0" in kitchen.session.page.query
    assert "t=" in kitchen.session.page.query


def test_what_was_known_of_troubles_needs_no_version_examined_in_hindsight(kitchen, monkeypatch):
    """Each block of hours is computed with whatever version a page has then; to examine that as a whole takes far longer."""
    monkeypatch.setattr("twin.hub.detect", lambda *_: pytest.fail("it was examined in hindsight"))
    timeline = kitchen.newer(30)
    t = kitchen.edge - 600.0
    assert kitchen.hub.troubles_at(timeline, t).moments == ()
    assert kitchen.hub.unfolding(timeline, block_of(t)) != ()
    assert kitchen.hub.ledger(timeline) is not None
    assert kitchen.hub.promises(timeline) is not None


def test_a_page_that_looks_back_says_what_live_lacked(kitchen):
    kitchen.choose(follow="live")
    view = LiveView(kitchen.controller, wall=lambda: kitchen.wall[0])
    kitchen.session.watch([view])
    kitchen.session.following.param.watch(lambda event: view.param.update(now=event.new), "now")
    badge = view.__panel__()
    kitchen.pass_time(30)
    t = kitchen.edge - 400.0
    assert (badge.unknown, badge.now["corrected"]) == (0, [])
    edge = kitchen.edge
    kitchen.pass_time(30, rows=[row("LATE", "order_created", t), row("LATER", "order_created", kitchen.edge - 20)])
    assert badge.unknown == 0, "who follows is told nothing of the past"
    assert badge.now["corrected"] == [[t, edge]], "the other came before its time was final"
    for at, lacked in ((t - 1, 0), (t + 1, 1), (edge - 10, 2), (edge, 0)):
        kitchen.controller.seek(at)
        view.reset()
        kitchen.session.tick(force=True)
        assert (kitchen.controller.state, badge.unknown) == ("behind", lacked)


def test_a_chosen_range_stays_a_replay_and_is_left_alone(kitchen):
    kitchen.pass_time(10)
    kitchen.choose(start=T0, end=T0 + 3600.0)
    shown = kitchen.controller.timeline
    kitchen.pass_time(30)
    assert (kitchen.controller.state, kitchen.controller.timeline) == ("replay", shown)
    assert "live" not in kitchen.session.page.query
    asyncio.run(kitchen.session.go_live())
    assert kitchen.controller.state == "live"
    kitchen.session.following.end()


def test_speed_selection_filter_viewport_and_switch_outlive_what_comes_in(kitchen):
    kitchen.choose(follow="live")
    kitchen.controller.set_speed(10)
    kitchen.controller.set_hindsight(True)
    kitchen.session.viewport = [-122.4, 37.8, 12.0]
    chosen = kitchen.controller.selection
    chosen.select(order(99))
    chosen.filter("cooking")
    rows = kitchen.controller.timeline.orders.row_of
    group = chosen.gather("two", (rows[order(2)], rows[order(98)]))
    kitchen.pass_time(120)
    assert (kitchen.controller.speed, kitchen.controller.hindsight, kitchen.session.viewport[2]) == (10, True, 12.0)
    timeline = kitchen.controller.timeline
    assert str(timeline.orders.ids[chosen.row].as_py()) == chosen.order == order(99)
    assert (chosen.group.number, [str(timeline.orders.ids[row]) for row in chosen.group.rows]) == (
        group.number,
        [order(2), order(98)],
    )


VIEWS = (MapView, PipelineView, KpiView, AlertView, FeedView, MomentsView, OrderListView, TrendsView, WhyView, OrderView,
         TransportView)  # fmt: skip


@pytest.mark.parametrize("made", [pytest.param(one, marks=[pytest.mark.slow] * (one is TrendsView)) for one in VIEWS])
def test_a_view_that_was_extended_shows_what_one_shows_that_was_opened_then(kitchen, made):
    """Whatever a view kept of the timeline before must not differ from what it would have made of the later one."""
    view = made(kitchen.controller)
    kitchen.session.watch([view])
    kitchen.choose(follow="live")
    kitchen.controller.pause()
    kitchen.controller.selection.select(order(95))
    late = [row(order(50), "driver_ping", T0 + 60.0 * 55, lat=37.79, lon=-122.39, progress=10.0)]
    for n in range(3):
        kitchen.pass_time(45, learn=n == 2, rows=late if n == 1 else ())
        assert view.__panel__().failure == ""
    fresh = made(kitchen.controller)
    fresh.reset()
    fresh.learn()
    now = kitchen.controller.timeline.at(kitchen.controller.now())
    for each in (view, fresh):
        each.show(now)
    counted = {
        "name",
        "anchor",
        "selection",
        "clock",
        "loads",
        "version",
        "grown",
        "renewals",
        "visible",
        "scene",
        "extended",
    }
    own = {"figure"} | ({"volume", "stages", "brands"} if made is TrendsView else set())  # a figure each
    shown, expected = (each.__panel__().param.values() for each in (view, fresh))
    if made is OrderListView:  # it sends the texts of new rows only
        shown, expected = ({"state": {**one["state"], "texts": None}} for one in (shown, expected))
    differing = {name for name in shown if name not in counted | own and shown[name] != expected[name]}
    assert differing == set()


def test_what_comes_with_events_is_told_by_one_component_for_its_page(kitchen):
    """Clock and selection are shared in the browser: twenty components would tell it the same, once a second."""
    views = [made(kitchen.controller) for made in (PipelineView, KpiView, OrderListView)]
    kitchen.controller.lead = kitchen.session.page
    kitchen.session.watch(views)
    kitchen.choose(follow="live")
    told = []
    for one in (kitchen.session.page, *(view.__panel__() for view in views)):
        one.param.watch(lambda event: told.append((type(event.obj).__name__, event.name)), ["anchor", "selection"])
    kitchen.pass_time(120)
    assert set(told) == {("PageLink", "anchor"), ("PageLink", "selection")}
    told.clear()
    kitchen.controller.selection.select(order(99))
    kitchen.controller.set_speed(10)
    assert len(told) == 2 * 4
    told.clear()
    kitchen.pass_time(120)
    assert len(told) == 5, "the clock by one; the selection by all, as its row has another number"
    assert kitchen.session.page.selection["row"] == kitchen.controller.timeline.orders.row_of[order(99)]


def test_what_was_known_of_troubles_goes_on_with_the_hour_and_past_hours_are_computed_once(kitchen, monkeypatch):
    computed: list[tuple[int, float]] = []

    def unfold(timeline, block):
        computed.append((block, timeline.window.end))
        return (KnownFrom(timeline.window.end, Findings()),)

    monkeypatch.setattr(kitchen.hub, "_unfold", unfold)
    kitchen.shared.advance()
    kitchen.shared.learn()
    kitchen.choose(follow="live")
    hour = block_of(kitchen.edge)
    asyncio.run(kitchen.session._troubles.follow())
    assert {block for block, _ in computed} == set(range(hour - 24, hour + 1)) == set(kitchen.controller.unfolded)
    computed.clear()
    kitchen.pass_time(60)
    asyncio.run(kitchen.session._troubles.follow())
    assert computed == [], "no look has come since"
    kitchen.pass_time(240)
    assert hour not in kitchen.controller.unfolded, "what was known at 12:40 is not what is known at 12:45"
    asyncio.run(kitchen.session._troubles.follow())
    end = kitchen.controller.timeline.window.end
    assert (computed, kitchen.controller.unfolded[hour][0].t) == ([(hour, end)], end)
    other = ReplaySession(kitchen.hub, ReplayController(wall=lambda: kitchen.wall[0]))
    asyncio.run(other.choose("sf", follow="live"))
    other.following.end()
    asyncio.run(other._troubles.follow())
    assert len(computed) == 1, "what one page has had computed, all have"


def test_a_kitchen_that_goes_on_while_troubles_are_computed_hinders_nobody(kitchen, monkeypatch):
    computed: list[int] = []

    def unfold(timeline, block):
        computed.append(block)
        if len(computed) == 3:
            kitchen.session.controller.extend(kitchen.newer(30), kitchen.edge)
        return (KnownFrom(timeline.window.end, Findings()),)

    monkeypatch.setattr(kitchen.hub, "_unfold", unfold)
    kitchen.shared.advance()
    kitchen.shared.learn()
    kitchen.choose(follow="live")
    asyncio.run(kitchen.session._troubles.follow())
    assert len(computed) == len(set(computed)) == len(kitchen.controller.unfolded) == 25


def test_a_page_that_follows_shows_its_figures_with_every_batch_and_where_it_comes_to_rest(kitchen):
    shown: list[float] = []
    view = KpiView(kitchen.controller)
    view.show = lambda snapshot: shown.append(snapshot.t)  # type: ignore[method-assign]
    kitchen.session.watch([view])
    kitchen.choose(follow="live")
    kitchen.pass_time(60)
    shown.clear()
    for _ in range(6):  # ticks of three seconds
        kitchen.wall[0] += 0.5
        kitchen.session.tick()
    assert shown == [kitchen.edge], "once, when it has come to the edge"
    kitchen.pass_time(60)
    assert len(shown) == 2, "and with the batch"
    kitchen.controller.seek(kitchen.edge - 600)
    kitchen.controller.set_speed(1)
    shown.clear()
    for _ in range(6):
        kitchen.wall[0] += 0.5
        kitchen.session.tick()
    assert len(shown) == 6, "one that is behind plays as ever"


def test_pages_that_follow_show_one_moment_and_its_figures_are_made_once(kitchen, monkeypatch):
    """However far apart they take what came in; a page that has just jumped to live never goes back for it."""
    kitchen.choose(follow="live")
    made: list[float] = []
    kpis = MetricIndex.kpis

    def counted(index, t, *given):
        made.append(t)
        return kpis(index, t, *given)

    monkeypatch.setattr(MetricIndex, "kpis", counted)
    walls = [[50.0] for _ in range(3)]
    controllers = [ReplayController(wall=lambda own=own: own[0]) for own in walls]
    sessions = [ReplaySession(kitchen.hub, one) for one in controllers]
    shown: list[list[float]] = [[], [], []]
    for session, controller, own in zip(sessions, controllers, shown, strict=True):
        session.watch([KpiView(controller), Moments(own)])
        session.show_live("sf")
        session.following.end()
        session.following._location = "sf"
    for _ in range(6):
        state = kitchen.newer(1.0) and kitchen.shared.state
        made.clear()
        for late, session, wall in zip((0.0, 0.2, 0.4), sessions, walls, strict=True):
            wall[0] = kitchen.wall[0] + late
            session.following.catch_up()
        assert [own[-1] for own in shown] == [state.t] * 3
        assert made == [state.t], "by the first page, for all"
    assert all(own == sorted(own) for own in shown)
    controllers[0].seek(kitchen.edge - 600)
    controllers[0].follow()
    went = shown[0][-1]
    kitchen.newer(0.2)
    sessions[0].following.catch_up()
    assert shown[0][-1] >= went


def test_a_kitchen_that_only_hidden_pages_follow_rests_until_one_is_seen(kitchen, monkeypatch):
    session, ticker = kitchen.session, SimpleNamespace(running=True)
    ticker.stop = lambda: setattr(ticker, "running", False)
    ticker.start = lambda: setattr(ticker, "running", True)
    monkeypatch.setattr(session, "_ticker", ticker)
    asyncio.run(session.choose("sf", follow="live"))
    assert kitchen.shared._thread is not None
    session.page.seen = False
    thread = kitchen.shared._thread
    assert thread is None or not thread.join(20)
    assert kitchen.shared._thread is None, "nothing is made ready that nobody sees"
    before = kitchen.controller.timeline
    kitchen.newer(30)
    session.page.seen = True
    assert kitchen.shared._thread is not None
    session.following.catch_up()
    assert kitchen.controller.timeline is not before
    session.following.end()


class Moments(ReplayView):
    """A view that notes which moments it was shown."""

    def __init__(self, shown: list[float]) -> None:
        super().__init__()
        self._shown, self._panel = shown, Component()

    def __panel__(self) -> Component:
        return self._panel

    def show(self, snapshot) -> None:  # type: ignore[override]  # as in ReplayView
        self._shown.append(snapshot.t)


def test_a_page_that_nobody_sees_is_sent_nothing_and_catches_up(kitchen):
    kitchen.choose(follow="live")
    kitchen.session.page.seen = False
    shown = kitchen.controller.timeline
    kitchen.pass_time(30)
    assert kitchen.controller.timeline is shown
    kitchen.session.page.seen = True
    kitchen.session.following.catch_up()
    assert kitchen.controller.timeline is kitchen.shared.state.timeline


def test_an_address_comes_back_live_or_behind_where_it_was(kitchen):
    kitchen.pass_time(10)
    for query, state in (({"live": "1"}, "live"), ({"live": "0", "t": "2025-10-16T12:00:00"}, "behind")):
        asyncio.run(kitchen.session.follow_address({"location": "sf", **query}, None))
        kitchen.session.following.end()
        assert (kitchen.controller.state, kitchen.session.remarks) == (state, [])
    assert kitchen.controller.now() == T0 + 3600
    kitchen.source.as_of = None
    asyncio.run(kitchen.session.follow_address({"location": "sf", "live": "1"}, None))
    assert kitchen.controller.state == "replay"
    assert kitchen.session.remarks == ["Nothing newer comes from this source, so nothing can be followed live."]
