"""What a page says of a kitchen at a moment: its views' messages, drawn without a browser, and what the API answers there.

`Scene` has what one moment shows. Its views are the product's own; what they send is drawn by their JavaScript in Node
(tests/javascript/shown.js), so that a test reads the words that a person reads.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scripts import javascript
from tests.fake_timeline import send_message
from twin.analysis.baseline import Baseline
from twin.analysis.insights import Insights
from twin.analysis.moments import TROUBLES
from twin.analysis.moments.unfolding import block_of
from twin.api import kitchen_status, models
from twin.foundation.stages import COMPLETED, STAGES, STATES
from twin.hub import Hub
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.kpis.kpis import KpiView
from twin.views.moments.alert import AlertView
from twin.views.moments.moments import MomentsView
from twin.views.order.order import OrderView
from twin.views.order_list.order_list import OrderListView
from twin.views.pipeline.pipeline import PipelineView
from twin.views.pipeline.stage_orders import StageOrders
from twin.views.shared.component import Component
from twin.views.transport.transport import TransportView
from twin.views.trends.trends import TrendsView

ROOT = Path(__file__).parents[2]
VIEWS = {
    "pipeline": PipelineView,
    "kpis": KpiView,
    "order": OrderView,
    "orders": OrderListView,
    "alert": AlertView,
    "moments": MomentsView,
    "transport": TransportView,
}
IN_TROUBLE = 3
"""Moments of a kitchen that lie in its troubles, at most."""


@dataclass(frozen=True)
class Figure:
    """An element of the page with a test id: its text, its title, the number behind it, and the window that it names."""

    id: str
    text: str
    title: str
    value: float | None
    window: str
    hidden: bool


@dataclass
class Scene:
    """One kitchen at one moment. `sent` has the parameters of each view; `figures` what they show, by view."""

    source: str
    hub: Hub
    timeline: Timeline
    baseline: Baseline
    t: float
    sent: dict[str, dict[str, Any]]
    trends: list[list[float | None]]
    stage_times: list[dict[str, Any]]
    lists: dict[str, tuple[int, int, list[float]]]
    """By state, as the list of a stage tells: how many orders, how many of them are listed, since when they are there."""
    status: models.KitchenStatus
    row: int
    """The selected order's row, -1 without one."""
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    picture: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What pipeline and cards tell the picture for a report."""
    tips: list[tuple[int, str]] = field(default_factory=list)
    """What the timeline says of meals and drivers where one points at some of its bars: the bar's number, and the words."""

    def __str__(self) -> str:
        return f"{self.source}, {self.timeline.location.id} at {self.timeline.tz.text(self.t)}"

    def figure(self, view: str, test_id: str) -> Figure | None:
        """Return the first element of a view with a test id, None without one."""
        return next((one for one in self.figures[view] if one.id == test_id), None)

    def text(self, view: str, test_id: str) -> str:
        """Return what stands there, "" where nothing does."""
        found = self.figure(view, test_id)
        return "" if found is None or found.hidden else found.text

    def value(self, view: str, test_id: str) -> float | None:
        """Return the number behind an element."""
        found = self.figure(view, test_id)
        return None if found is None else found.value

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """The pipeline's figures by stage."""
        return dict(json.loads(self.sent["pipeline"]["state"]))

    @property
    def kpis(self) -> dict[str, dict[str, Any]]:
        """The cards' figures by card."""
        return dict(json.loads(self.sent["kpis"]["state"]))


def scenes(source: str, hub: Hub, locations: Sequence[str], moments: int, seed: int) -> list[Scene]:
    """Return each location at random moments of the range that the page opens with."""
    random = np.random.default_rng(seed)
    found = []
    for location in locations:
        timeline = hub.timeline(location)
        found += _of_timeline(source, hub, timeline, random, moments)
    return found


def draw(scenes: Iterable[Scene], folder: Path) -> None:
    """Let Node draw the views of all scenes, and note what they show."""
    every = list(scenes)
    javascript.write()
    given, shown = folder / "given.json", folder / "shown.json"
    given.write_text(json.dumps([scene.sent for scene in every], default=_plain), "utf-8")
    subprocess.run(
        [os.environ.get("NODE", "node"), "tests/javascript/shown.js", str(given), str(shown)],
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    for scene, read in zip(every, json.loads(shown.read_text("utf-8")), strict=True):
        scene.figures = {view: [Figure(**one) for one in elements] for view, elements in read["figures"].items()}
        scene.picture, scene.tips = read["picture"], [(bar, words) for bar, words in read["tips"]]


def _of_timeline(source: str, hub: Hub, timeline: Timeline, random: np.random.Generator, moments: int) -> list[Scene]:
    controller = ReplayController(settings=hub.settings)
    controller.load(timeline)
    insights = hub.insights(timeline)
    views = {name: view(controller) for name, view in VIEWS.items()}
    trends = TrendsView(controller, active=True)
    controller.learn(insights)
    for view in (*views.values(), trends):
        view.learn()
    found: list[Scene] = []
    for t in _moments(insights, random, moments):
        controller.seek(t)
        if any(one.start <= t <= one.end for one in insights.moments if one.kind in TROUBLES):
            controller.unfold(timeline, {block_of(t): hub.unfolding(timeline, block_of(t))})
        _select(controller, timeline, t, random)
        snapshot = timeline.at(t)
        for view in (*views.values(), trends):
            view.show(snapshot)
        send_message(views["orders"].__panel__(), {"ask": "texts"})  # as a browser does that has none of them yet
        found.append(
            Scene(
                source=source,
                hub=hub,
                timeline=timeline,
                baseline=insights.baseline,
                t=t,
                sent={name: _parameters(view.__panel__(), controller) for name, view in views.items()},
                trends=[list(row) for row in trends.__panel__().now],
                stage_times=list(trends.__panel__().summary["stages"]),
                lists=_lists(timeline, t),
                status=kitchen_status.status(hub, timeline.location, t),
                row=controller.selection.row,
            )
        )
    return found


def _moments(insights: Insights, random: np.random.Generator, number: int) -> list[float]:
    """Return random times of a window, data seconds; a few of them in its troubles, which are short."""
    window = insights.timeline.window
    times = random.uniform(window.start + 1800, window.end, number)
    troubles = [one for one in insights.moments if one.kind in TROUBLES][:IN_TROUBLE]
    for i, one in enumerate(troubles):
        times[i] = random.uniform(one.start, one.end)
    return list(np.sort(times).round(1).tolist())


def _select(controller: ReplayController, timeline: Timeline, t: float, random: np.random.Generator) -> None:
    """Select an order that is open at t, or one that was delivered."""
    for state in random.permutation(STATES[: COMPLETED + 1]):
        some = timeline.membership.at(t, str(state)).order
        if len(some):
            controller.selection.select(int(random.choice(some)))
            return
    controller.selection.select(None)


def _lists(timeline: Timeline, t: float) -> dict[str, tuple[int, int, list[float]]]:
    orders, found = StageOrders(timeline), {}
    for state in STATES:
        total, columns = orders.at(state, t)
        found[state] = (total, len(columns["row"]), list(columns["since"]))
    return found


def _parameters(component: Component, controller: ReplayController) -> dict[str, Any]:
    """Return what a component's model has in the browser."""
    own = [name for name in type(component).param if name not in Component.param or name in ("clock", "selection")]
    sent = {name: getattr(component, name) for name in own}
    clock = f"{controller.timeline.location.id} at {controller.now()}"  # Node draws many pages, each with a clock of its own
    return sent | {"clock": clock, "anchor": controller.to_browser(), "selection": {}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(type(value))


__all__ = ["STAGES", "Figure", "Scene", "draw", "scenes"]
