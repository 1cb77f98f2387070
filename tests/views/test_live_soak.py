"""A live kitchen followed for a day of wall time at sixty times life: what is held is what its range of 25 hours takes."""

import gc
from collections.abc import Callable
from typing import Any, cast

import pyarrow as pa
import pytest

from tests.memory_source import MemorySource, row, seconds_of, table
from twin.analysis.baseline import Baseline
from twin.foundation.memory import resident
from twin.foundation.settings import Settings
from twin.foundation.times import DAY, HOUR
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.replay.live import LiveKitchens
from twin.sources.base import Location, Source
from twin.views.feed.feed import FeedView
from twin.views.kpis.kpis import KpiView
from twin.views.live.live import LiveView
from twin.views.map.map import MapView
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.session import ReplaySession
from twin.views.transport.transport import TransportView
from twin.views.why.why import WhyView

pytestmark = [pytest.mark.slow, pytest.mark.soak]

T0 = 1_760_612_400.0
"""2025-10-16 11:00 UTC, a Thursday."""
PACE = 60.0
EVERY = 240.0
"""Data seconds between two orders."""
VIEWS = (
    MapView,
    PipelineView,
    KpiView,
    AlertView,
    FeedView,
    MomentsView,
    OrderListView,
    TransportView,
    WhyView,
    LiveView,
)
REPORTED = (1, 6, 12, 24)
"""Hours of wall time at which the full form prints what is held."""


def life(n: int, t: float) -> list[dict[str, Any]]:
    """An order with its seven events and a few pings, which began at t."""
    steps = (("order_created", 0), ("gk_started", 60), ("gk_finished", 400), ("gk_ready", 420), ("driver_arrived", 480),
             ("driver_picked_up", 520), ("driver_ping", 580), ("driver_ping", 640), ("delivered", 900))  # fmt: skip
    return [row(f"{n:06d}", kind, t + after, lat=37.79, lon=-122.39) for kind, after in steps]


class Forgetting(MemorySource):
    """A source that keeps two days, as one with a retention does, so that what grows is not the test."""

    _let_go = 0

    @property
    def mark(self) -> int:
        return self._let_go + len(self.rows)

    def arrived(self, location: str, after: int) -> pa.Table:
        return self.rows.slice(max(0, after - self._let_go))

    def refresh(self) -> bool:
        some = super().refresh()
        t = seconds_of(self.rows)
        if t.max() - t.min() > 3 * DAY:
            kept = t >= t.max() - 2 * DAY
            self._let_go += int((~kept).sum())
            self.rows = self.rows.filter(pa.array(kept)).combine_chunks()
        return some

    def locations(self) -> list[Location]:
        if self._known is None or self._known[0] is not self.rows:
            self._known = self.rows, super().locations()
        return self._known[1]

    _known: tuple[pa.Table, list[Location]] | None = None


def test_a_day_at_sixty_times_life_takes_no_more_memory_than_the_range(
    lasting: Callable[[float, float], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page with its views follows; the clock is injected. 24 hours are 60 days of data.

    In the short form a batch has what comes in three minutes of wall time, and it is four hours, ten days of data.
    """
    hours, every = lasting(4.0, 24.0), lasting(180.0, EVERY / PACE)
    wall = [0.0]
    first = int(DAY / EVERY)
    rows = [one for n in range(first) for one in life(n, T0 - DAY + EVERY * n)]
    source = Forgetting(table(rows))
    hub = Hub(cast(Source, source), Settings(final_after_s=60.0), clock=lambda: T0 + 365 * DAY)
    monkeypatch.setattr(hub, "_read_baseline", lambda timeline: (Baseline.none(), ()))
    controller = ReplayController(wall=lambda: wall[0])
    session = ReplaySession(hub, controller)
    session.watch([made(controller) for made in VIEWS])
    kitchen = hub.cached(LiveKitchens).kitchen("sf")
    monkeypatch.setattr(kitchen, "_wall", lambda: wall[0])
    monkeypatch.setattr(
        kitchen, "follow", lambda tell: lambda: None
    )  # no thread: the test says when there is something new
    session.show_live("sf")
    held, n, learn_at = list[tuple[float, int, int, int]](), first, 0.0
    while wall[0] < hours * HOUR:
        wall[0] += every
        batch = list[dict[str, Any]]()
        while (due := T0 - DAY + EVERY * n) <= T0 + PACE * wall[0] - 900:
            batch += life(n, due)
            n += 1
        if batch:
            source.send(table(batch))
            hub.refresh()
        kitchen.advance()
        if wall[0] >= learn_at:
            kitchen.learn()
            learn_at = wall[0] + 600
            gc.collect()
            state = kitchen.state
            assert state is not None
            held.append((wall[0], state.timeline.nbytes, len(gc.get_objects()), resident()))
            if any(one <= wall[0] / HOUR < one + 600 / HOUR for one in REPORTED):
                print(f"{wall[0] / HOUR:5.1f} h: {_told(held[-1])}", flush=True)
        session.following.catch_up()
        session.tick()
    assert controller.state == "live"
    assert controller.timeline is not None
    assert [view.__panel__().failure for view in session._views] == [""] * len(VIEWS)
    window = controller.timeline.window
    assert window.start > T0 + (hours / 24 * 60 - 2) * DAY
    assert window.end - window.start <= 25 * HOUR + 60
    early, late = (
        [max(one[k] for one in held if begin <= one[0] / HOUR <= end) for k in (1, 2, 3)]
        for begin, end in ((0.8, 2.4), (hours - 1.6, hours))
    )
    print(f"first hours {_told((0, *early))}, last hours {_told((0, *late))}")
    assert late[0] <= 1.05 * early[0]
    assert late[1] <= 1.02 * early[1]


def _told(one: tuple[float, int, int, int]) -> str:
    return f"timeline {one[1] / 1e6:.2f} MB, {one[2]:,} objects, process {one[3] / 1e6:.0f} MB"
