"""What brings the ghost to a session: nothing without a choice, each day once, and a sentence where there is none."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from twin.foundation.times import DAY, seconds
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.sources.files import FileSource
from twin.views.kpis.kpis import KpiView
from twin.views.map.map import MapView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.session.ghosts import GhostFollower, is_choice
from twin.views.transport.transport import TransportView

T = seconds("2025-10-17 18:40")


class Counted(Hub):
    """A hub that counts the timelines that are asked of it."""

    asked: list[tuple[Any, ...]]

    def timeline(self, *window: Any) -> Any:
        self.asked.append(window)
        return super().timeline(*window)


@pytest.fixture(scope="module")
def hub(demo: Path) -> Counted:
    hub = Counted(FileSource(demo))
    hub.asked = []
    return hub


@pytest.fixture
def controller(hub: Counted) -> ReplayController:
    line = hub.timeline("sanfrancisco", "2025-10-17", "2025-10-18")
    controller = ReplayController(line)
    controller.seek(T)
    controller.learn(hub.insights(line))
    hub.asked.clear()
    return controller


@pytest.fixture
def follower(hub: Counted, controller: ReplayController) -> GhostFollower:
    return GhostFollower(hub, controller, nullcontext)


def test_without_a_choice_nothing_is_loaded_and_nothing_sent(
    hub: Counted, controller: ReplayController, follower: GhostFollower
) -> None:
    views = [
        MapView(controller, online=False),
        KpiView(controller),
        PipelineView(controller),
        TransportView(controller),
    ]
    ghosts = []
    controller.param.watch(ghosts.append, "ghost")
    for t in (T, T + 600, T - DAY / 4):
        controller.seek(t)
        follower.notice()
        for view in views:
            view.show(controller.timeline.at(t))
    assert (hub.asked, ghosts) == ([], [])
    panels: list[Any] = [view.__panel__() for view in views]
    map_, kpis, pipeline, transport = panels
    assert "ghost" not in kpis.state
    assert "lead" not in pipeline.state
    assert transport.ghost == {}
    assert map_.ghost == {}


def test_a_choice_brings_its_day_once_and_none_takes_it_away(
    hub: Counted, controller: ReplayController, follower: GhostFollower
) -> None:
    follower.choose("best")
    ghost = controller.ghost
    assert ghost is not None
    assert ghost.label == "Best day, Thu 16 Oct"
    assert ghost.at(T) == T - DAY
    for t in (T - 100, T + 100):
        controller.seek(t)
        follower.notice()
    assert controller.ghost is ghost
    assert len(hub.asked) == 1
    follower.choose("2025-10-16")
    assert controller.ghost is not ghost
    assert controller.ghost.label == "Thu 16 Oct"
    follower.choose("")
    assert controller.ghost is None


def test_another_day_of_the_range_has_another_ghost(hub: Counted) -> None:
    line = hub.timeline("sanfrancisco", "2025-10-16", "2025-10-18")
    controller = ReplayController(line)
    follower = GhostFollower(hub, controller, nullcontext)
    controller.seek(T)
    follower.choose("2025-10-16")
    assert controller.ghost.align is not None
    controller.seek(T - DAY)
    follower.notice()
    assert controller.ghost.problem == "This is that day itself."
    assert controller.ghost.at(T - DAY) != controller.ghost.at(T - DAY), "NaN"


def test_what_is_no_choice_is_none(controller: ReplayController, follower: GhostFollower) -> None:
    for text in ("worst", "2025-13-01", "<b>", "best "):
        assert not is_choice(text)
        follower.choose(text)
        assert follower.choice == ""
    follower.choice = "worst"  # as an address may have it
    assert controller.ghost is None
    follower.choose("week")
    assert controller.ghost is not None
    assert controller.ghost.problem == "There are no orders on Fri 10 Oct."
    follower.choose("1999-01-01")
    assert controller.ghost.problem == "There are no orders on Fri 1 Jan."


def test_best_and_usual_wait_until_the_days_around_are_known(hub: Counted) -> None:
    line = hub.timeline("sanfrancisco", "2025-10-17", "2025-10-18")
    controller = ReplayController(line)
    controller.seek(T)
    follower = GhostFollower(hub, controller, nullcontext)
    follower.choose("usual")
    assert controller.ghost is None
    controller.learn(hub.insights(line))
    follower.notice()
    assert controller.ghost is not None
    assert controller.ghost.baseline is not None
    assert controller.ghost.timeline is None
