"""A panel that fails says so and offers a retry, and no other panel waits for it: by fault injection, on every panel."""

import asyncio
import importlib
import logging
import pkgutil
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import param
import pytest
from panel.custom import Child

import twin
import twin.pages
import twin.views
from twin.notebook.door import Twin
from twin.replay.controller import ReplayController
from twin.views.session.session import ReplaySession
from twin.views.shared.component import Component
from twin.views.shared.stand_in import StandInPanel, built
from twin.views.shared.view import ReplayView
from twin.views.trends.trends import TrendsView

for _package in (twin.views, twin.pages):
    for _module in pkgutil.walk_packages(_package.__path__, _package.__name__ + "."):
        if ".apps." not in _module.name:
            importlib.import_module(_module.name)
PANELS = sorted(
    (
        one
        for one in ReplayView.__subclasses__()
        if one.__module__.startswith("twin.") and ".shared." not in one.__module__ and "__panel__" in vars(one)
    ),
    key=lambda one: one.__name__,
)
every_panel = pytest.mark.parametrize(
    "kind",
    [pytest.param(one, id=one.__name__, marks=[pytest.mark.slow] * (one is TrendsView)) for one in PANELS],
)
"""The trends draw four figures each time, half a second of CPU; the quick run says the same of all others."""


class Recorder(ReplayView):
    """A panel that works, and notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def __panel__(self) -> Any:
        return SimpleNamespace(failure="")

    def reset(self) -> None:
        self.done.append("reset")

    def learn(self) -> None:
        self.done.append("learn")

    def show(self, snapshot: Any) -> None:  # type: ignore[override]
        self.done.append("show")


class Page:
    """Two panels that work, one before and one after the panel that fails."""

    def __init__(self, hub: Twin, kind: Callable[[ReplayController], ReplayView]) -> None:
        self.controller = ReplayController(settings=hub.settings)
        self.session = ReplaySession(hub, self.controller)
        self.panel: Any = kind(self.controller)
        self.component = self.panel.__panel__()
        self.others = Recorder(), Recorder()
        self.session.watch([self.others[0], self.panel, self.others[1]])
        self.load()
        self.told()

    def load(self) -> None:
        asyncio.run(self.session.choose("sanfrancisco"))
        assert self.controller.timeline is not None
        asyncio.run(self.session.learn(self.controller.timeline))

    def told(self) -> list[str]:
        """Return what both other panels were told alike since the last call."""
        first, second = ([*other.done] for other in self.others)
        for other in self.others:
            other.done.clear()
        assert first == second
        return first

    def from_browser(self, message: dict[str, Any]) -> None:
        for handle in self.component._msg__callbacks:
            handle(SimpleNamespace(data=message))


@pytest.fixture(scope="module")
def hub(demo: Path) -> Twin:
    return twin.open(demo)


def fails(*_: Any) -> None:
    raise ZeroDivisionError("injected")


def is_logged_once(caplog: pytest.LogCaptureFixture) -> bool:
    return [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def shown(component: Component) -> dict[str, Any]:
    """Return what a panel shows, without clock, selection and counters."""
    counters = {"name", "anchor", "selection", "renewals", "loads", "version", "scene"}
    return {name: value for name, value in component.param.values().items() if name not in counters}


UPDATES: dict[str, Callable[[Page], object]] = {
    "show": lambda page: page.session.tick(force=True),
    "learn": lambda page: page.session._learn(page.controller.insights),
    "reset": lambda page: page.load(),
}


@every_panel
@pytest.mark.parametrize("what", UPDATES)
def test_a_panel_that_fails_says_so_and_the_others_go_on(
    hub: Twin, kind: type[ReplayView], what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page = Page(hub, kind)
    before = shown(page.component)
    told: list[str] = []
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(kind, what, fails)
        for _ in range(3):
            UPDATES[what](page)
            told += page.told()
        assert told.count(what) >= 3
        assert "ZeroDivisionError" in page.component.failure
        assert page.session.problem == page.controller.insights_problem == ""
        assert is_logged_once(caplog)

        page.from_browser({"retry": True})  # in vain
        assert "ZeroDivisionError" in page.component.failure
        assert is_logged_once(caplog)
    page.from_browser({"retry": True})
    assert shown(page.component) == before
    page.session.tick(force=True)
    assert shown(page.component) == before


@every_panel
def test_another_range_is_another_chance(hub: Twin, kind: type[ReplayView], monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(hub, kind)
    with monkeypatch.context() as patched:
        patched.setattr(kind, "show", fails)
        page.session.tick(force=True)
        assert page.component.failure
    asyncio.run(page.session.choose("chicago"))
    assert page.component.failure == ""


@every_panel
def test_a_view_that_cannot_be_built_is_one_panel_that_says_so(
    hub: Twin, kind: type[ReplayView], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own = [name for name in kind.param if name not in ReplayView.param]
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(kind, "__init__", fails)
        page = Page(hub, partial(built, kind))
        assert "ZeroDivisionError" in page.component.failure
        assert {name: getattr(page.panel, name) for name in own} == {name: kind.param[name].default for name in own}
        page.session.tick(force=True)
        assert page.told() == ["show"]
        page.from_browser({"retry": True})  # in vain
        assert "ZeroDivisionError" in page.component.failure
        assert is_logged_once(caplog)
    whole = Page(hub, kind)
    page.from_browser({"retry": True})
    assert page.component.failure == ""
    assert isinstance(page.component, StandInPanel)
    assert type(page.component.panel) is type(whole.component)
    for one in (page, whole):
        one.controller.seek(whole.controller.now())
        one.session.tick(force=True)
    made, expected = shown(page.component.panel), shown(whole.component)
    children = {name for name in made if isinstance(type(whole.component).param[name], Child)}
    same = made.keys() - children - {"clock"}
    assert {name: made[name] for name in same} == {name: expected[name] for name in same}
    for name in own:  # whoever follows the Params of the one follows the other
        if isinstance(kind.param[name], param.Boolean):
            view = page.panel._view
            setattr(page.panel, name, not getattr(page.panel, name))
            assert getattr(view, name) == getattr(page.panel, name)


@every_panel
def test_what_the_user_selects_reaches_the_others(
    hub: Twin, kind: type[ReplayView], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(hub, kind)
    heard: list[str] = []
    page.controller.selection.param.watch(lambda event: heard.append(event.new), "order")
    timeline = page.controller.timeline
    assert timeline is not None
    for name in ("_send_story", "_redraw", "_mark"):  # what panels do then
        if hasattr(kind, name):
            monkeypatch.setattr(page.panel, name, fails)
    page.panel.follow(page.controller.selection, "order", fails)
    for row in (1, 2):
        page.controller.selection.select(row)
    assert heard == [str(timeline.orders.ids[row].as_py()) for row in (1, 2)]
    assert "ZeroDivisionError" in page.component.failure


@every_panel
def test_a_message_that_a_panel_cannot_answer_is_a_failure_of_that_panel(
    hub: Twin, kind: type[ReplayView], caplog: pytest.LogCaptureFixture
) -> None:
    page = Page(hub, kind)
    page.component.on_msg(fails)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            page.from_browser({"ask": "anything"})
    assert "ZeroDivisionError" in page.component.failure
    assert is_logged_once(caplog)
    page.from_browser({"retry": True})
    assert "ZeroDivisionError" in page.component.failure  # the handler that fails is asked, too


@every_panel
def test_an_answer_in_a_thread_that_fails_is_a_failure_of_the_panel(hub: Twin, kind: type[ReplayView]) -> None:
    async def answer() -> None:
        fails()

    page = Page(hub, kind)
    asyncio.run(page.panel.attempt_answer(answer))
    assert "ZeroDivisionError" in page.component.failure


def test_every_view_follows_others_within_its_guard() -> None:
    """A listener that throws stops those behind it: so a view's own on a controller or a selection are `follow`s."""
    folder = Path(twin.views.__file__).parent
    bare = [
        f"{path.name}: {line.strip()}"
        for path in folder.rglob("*.py")
        if path.parent.name not in ("shared", "session")
        for line in path.read_text("utf-8").splitlines()
        if "controller" in line and ".param.watch(" in line
    ]
    assert bare == []


def test_pages_build_their_views_within_a_guard() -> None:
    """A constructor that raises would end the page: so a page's views are `built`."""
    pages = {str(path): path.read_text("utf-8") for path in Path(twin.pages.__file__).parent.rglob("*.py")}
    bare = "|".join(kind.__name__ for kind in PANELS)
    assert {
        name: found for name, text in pages.items() if (found := re.findall(rf"(?:{bare})\(\s*controller", text))
    } == {}
    assert sum(text.count("built(") for text in pages.values()) >= 15
