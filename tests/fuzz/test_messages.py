"""What a page's components send, mutated: a message is answered or refused with a line in the log, and the session goes on."""

import asyncio
import copy
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import twin
from tests.fake_timeline import send_message
from twin.alerts.store import Store
from twin.foundation.address import Address
from twin.pages.kiosk.card import KioskCard
from twin.pages.network.network import NetworkView
from twin.pages.operations.operations import _Operations
from twin.replay.controller import ReplayController
from twin.server.process import process
from twin.views.bell.bell import BellView
from twin.views.bell.rules import AlertRulesView
from twin.views.map.map import MapFrame
from twin.views.session.session import ReplaySession
from twin.views.shared.component import Component, views_of

pytestmark = pytest.mark.slow

T = 1_760_700_000.0
MESSAGES: list[dict[str, Any]] = [
    {"verb": "play", "at": T, "epoch": 3},
    {"verb": "pause", "at": T, "epoch": 3},
    {"verb": "stop", "epoch": 3},
    {"verb": "seek", "t": T, "epoch": 3},
    {"verb": "step", "n": -1, "at": T, "epoch": 3},
    {"verb": "set_speed", "speed": 60, "at": T, "epoch": 3},
    {"verb": "set_loop", "loop": True, "at": T, "epoch": 3},
    {"verb": "set_hindsight", "hindsight": True, "at": T, "epoch": 3},
    {"verb": "set_range", "start": T, "end": T + 3600, "epoch": 3},
    {"verb": "sync"},
    {"verb": "cancel"},
    {"verb": "range", "start": T, "end": T + 3600},
    {"selection": {"row": 5, "stage": "ready", "away": False, "loads": 0, "version": 9, "group": 1}},
    {"ask": "motion", "version": 0, "number": 1, "from": T, "to": T + 900, "after": T, "at": T, "t": T, "pushes": 0,
     "order": 4, "box": [-1e3, -1e3, 1e3, 1e3], "crowd": False},
    {"ask": "motion", "ghost": 1, "version": 0, "number": 1, "from": T - 86_400, "to": T - 85_500, "after": T, "at": None, "t": T,
     "pushes": 0, "order": -1, "box": [-1e3, -1e3, 1e3, 1e3], "crowd": False},
    {"ghost": "best"},
    {"ask": "crowd", "version": 0, "t": T, "box": [-5e3, -5e3, 5e3, 5e3], "pixel": 50.0},
    {"ask": "near", "version": 0, "t": T, "x": 10.0, "y": 20.0, "reach": 3000.0},
    {"ask": "order", "version": 0, "order": 5, "t": T},
    {"ask": "place", "version": 0, "order": 5},
    {"ask": "group", "version": 0, "number": 1},
    {"ask": "stage", "version": 0, "stage": "cooking", "from": T, "to": T + 600, "t": T, "loads": 0},
    {"ask": "density", "version": 0, "kind": "slow", "minutes": 30, "t": T},
    {"base": "osm", "version": 0},
    {"ask": "feed", "serial": 1, "version": 0, "query": "types=driver;text=pho", "stage": "", "row": -1, "t": T, "first": 0},
    {"ask": "texts"},
    {"neighbour": 1},
    {"close": True},
    {"act": "look"},
    {"act": "cancel"},
    {"choose": "sanfrancisco"},
    {"ask": "time", "sent": 12.5},
    {"part": "cook"},
    {"verb": "why", "part": "cook"},
    {"why": True},
    {"scope": "range"},
    {"go": T},
    {"go": T, "at": "sanfrancisco"},
    {"try": {"trouble": {"kind": "outage", "least_orders": 3}, "for_s": 60, "quiet": {"begin": 0, "end": 3600}}, "at": "chicago",
     "number": 1},
    {"try": {"figure": {"figure": "delivery_time", "limit": 600, "recovery": 300}}, "at": "chicago", "number": 2},
    {"stop": True},
]  # fmt: skip
"""One of each kind that the page's JavaScript sends."""

CHANGES: dict[str, Any] = {
    "sort": "-age", "seen": True, "was_dark": False, "viewport": [-122.4, 37.8, 12.0], "layers": {"routes": False},
    "density": {"kind": "slow", "minutes": 30, "strength": 70}, "query": "types=driver", "dark": True, "busy": False,
    "tab": "orders", "room": "wall", "value": "sf", "below": "late",
}  # fmt: skip
"""A value of each Param that the browser may change."""

HOSTILE = st.sampled_from([
    None, True, False, 0, -1, 1, 2**31, -(2**63), 2**53, 2**53 + 1, 10**400, -0.0, 0.5, 5e-324, 1e15, -1e15, 1e308, -1e308,
    math.nan, math.inf, -math.inf, T, "", "ready", "NaN", "1e400", "9" * 5_000, "x" * 20_000, "\x00", "\ud800", "<b>",
    "constructor", [], [[]], [None] * 4, ["a"] * 4, [0, 0, 0, 0], [-1e15, -1e15, 1e15, 1e15], [math.nan] * 4, [1] * 2_000, {},
    {"": {}}, {"a": {"b": {"c": {}}}}, b"bytes", {1: 2}, object,
]).map(copy.deepcopy)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, sane: Any) -> Any:
    """A value with some of its parts replaced, left out or added."""
    value = copy.deepcopy(sane)
    for _ in range(draw(st.integers(0, 3))):
        if not isinstance(value, dict | list) or draw(st.integers(0, 9)) == 0:
            return draw(HOSTILE)
        inside = value
        keys = list(range(len(inside))) if isinstance(inside, list) else list(inside)
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(inside[key], dict | list) and inside[key] and draw(st.booleans()):
            inside = inside[key]
            key = draw(st.sampled_from(list(range(len(inside))) if isinstance(inside, list) else list(inside)))
        match draw(st.integers(0, 3)):
            case 0 if isinstance(inside, dict):
                del inside[key]
            case 1 if isinstance(inside, dict):
                inside[draw(st.sampled_from(["extra", "order", "t", "version", "loads"]))] = draw(HOSTILE)
            case _:
                inside[key] = draw(HOSTILE)
    return value


class Page:
    """The operations page of one session, all its components, and a loop that what they start runs in."""

    def __init__(self, hub: Any, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.faults: list[dict[str, Any]] = []
        runner.get_loop().set_exception_handler(lambda _, context: self.faults.append(context))
        self.session = ReplaySession(hub, ReplayController(settings=hub.settings))
        self.session.start = lambda: None  # type: ignore[method-assign]  # it ticks when the test says so
        runner.run(self._open())
        self.answers: list[tuple[Component, dict[str, Any]]] = []

    @property
    def standing(self) -> set[asyncio.Task[Any] | None]:
        """Tasks that go on for as long as the page is open."""
        return {
            asyncio.current_task(),
            *(task for task in asyncio.all_tasks() if "_async_repeat" in repr(task.get_coro())),
        }

    async def _open(self) -> None:
        self.parts = _Operations(self.session, pn.Column(), {}, mounted=False)
        await asyncio.sleep(0)
        place = self.session.hub.location("sanfrancisco")
        await self.session.choose(place.id, place.end - 6 * 3600, place.end, place.end - 3 * 3600)
        parts = self.parts
        bell = BellView(self.session.controller, Store("sqlite://"), parts._go)
        rules = AlertRulesView(self.session.controller, Store("sqlite://"), self.session.hub, parts._go)
        views = (parts.data_quality, parts.chrome, parts.welcome, parts.banner, bell, rules)
        shown = [*parts.replay, *(view.__panel__() for view in views), self.session.page, KioskCard()]
        self.components = [part for part in shown if isinstance(part, Component)]
        for component in self.components:
            component._send_msg = lambda data, who=component: self.answers.append((who, data))  # type: ignore[method-assign]

    def play(self, acts: list[tuple[str, int, Any]]) -> None:
        """Send messages and change Params as a browser would: (kind or the Param's name, number of the component, value)."""
        self.runner.run(self._play(acts))

    async def _play(self, acts: list[tuple[str, int, Any]]) -> None:
        for what, number, value in acts:
            if what == "message":
                component = self.components[number // 4 % len(self.components)]
                if isinstance(value, dict) and number % 4:
                    value = {**value, **self._current(component, value)}
                send_message(component, value)
            else:
                for component in self.components:
                    if what in component.from_browser:
                        component._process_events({what: value})
            self.session.tick(force=True)
            assert [component.failure for component in self.components if component.failure] == []
        while others := [task for task in asyncio.all_tasks() if task not in self.standing]:
            done, waiting = await asyncio.wait(others, timeout=20)
            assert not waiting, waiting
            for task in done:
                if not task.cancelled() and task.exception() is not None:
                    self.faults.append({"exception": task.exception()})

    def _current(self, component: Component, message: dict[str, Any]) -> dict[str, Any]:
        """Return the numbers of what the component shows, without which it leaves a message unread."""
        current = {"version": getattr(component, "version", None), "loads": getattr(component, "loads", None)}
        if isinstance(component, MapFrame):
            current["version"] = component.scene["version"]
        if isinstance(component, MapFrame) and message.get("ask") == "motion" and "ghost" in message:
            self.session.ghosts.choose("2025-10-16")
            current["ghost"] = component.ghost.get("number")
        if message.get("ask") == "group":
            current["number"] = self.session.controller.selection.gather("Some", [0, 1]).number
        return {name: number for name, number in current.items() if name in message and number is not None}

    def works(self) -> None:
        """Check that the session goes on: a seek is followed, a question answered with what is true."""
        controller, timeline = self.session.controller, self.session.controller.timeline
        assert timeline is not None
        t = (timeline.window.start + timeline.window.end) / 2
        controller.set_range(timeline.window.start, timeline.window.end)
        strip = self.parts.pipeline.__panel__()
        self.play([])
        send_message(strip, {"verb": "seek", "t": t, "epoch": 0})
        send_message(strip, {"verb": "pause", "at": t, "epoch": 0})
        assert controller.now() == pytest.approx(t)
        self.answers.clear()
        send_message(strip, {"ask": "stage", "stage": "cooking", "t": t, "loads": strip.loads})
        ((_, answer),) = self.answers
        assert answer["total"] == timeline.at(t).counts["cooking"]


@pytest.fixture(scope="module")
def page(demo: Path) -> Iterator[Page]:
    hub = twin.open(demo)
    process.use(hub)
    with asyncio.Runner() as runner:
        yield Page(hub, runner)
    process.use(None)


message = st.sampled_from(MESSAGES).flatmap(mutated)
change = st.sampled_from(sorted(CHANGES)).flatmap(
    lambda name: st.tuples(st.just(name), st.just(0), mutated(CHANGES[name]))
)
acts = st.lists(st.tuples(st.just("message"), st.integers(0, 79), message) | change, min_size=4, max_size=12)


@given(acts=acts)
@settings(max_examples=80, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_no_message_breaks_a_session(
    page: Page, acts: list[tuple[str, int, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    page.play(acts)
    page.works()
    assert page.faults == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("sane", MESSAGES, ids=str)
def test_the_messages_that_are_mutated_are_the_pages_own(
    page: Page, sane: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Else the fuzzing above would try only what nobody reads."""
    page.answers.clear()
    page.play([("message", number, sane) for number in range(4 * len(page.components))])
    assert bool(page.answers) == (
        "try" in sane or ("ask" in sane and sane["ask"] != "texts")
    )  # the texts come with the list's next state
    page.works()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_every_param_that_a_browser_changes_is_tried_and_no_other_is_open(page: Page) -> None:
    declared = {name for view in views_of(Component) for name in view.from_browser}
    assert declared == set(CHANGES)
    for component in page.components:
        assert set(component._linked_properties) == set(component.from_browser)


NETWORK: list[dict[str, Any]] = [
    *MESSAGES[:9],
    {"view": ["sanfrancisco", "chicago"]},
    {"ask": True},
    {"listens": True},
    {"brand": "Taco Casa"},
]
"""One of each kind that the page of all kitchens sends."""


@pytest.fixture(scope="module")
def network(page: Page) -> NetworkView:
    view = NetworkView(Address({}), page.session.hub)
    page.runner.run(view.begin())
    return view


@given(messages=st.lists(st.sampled_from(NETWORK).flatmap(mutated), min_size=4, max_size=12))
@settings(max_examples=40, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_no_message_breaks_the_page_of_all_kitchens(
    page: Page, network: NetworkView, messages: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    told: list[dict[str, Any]] = []
    component = network.__panel__()
    component._send_msg = told.append  # type: ignore[method-assign]
    for one in messages:
        send_message(component, one)
    page.runner.run(network._update())
    assert component.failure == ""
    assert {row["location"] for message in told for row in message.get("rows", ())} == set(network._places)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
