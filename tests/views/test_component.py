"""What our components do in Panel's place: with the same result, and with less work.

`Component` overrides methods of Panel that are not public, because a tick of a dashboard changes a dozen Params and Panel's own
way takes a millisecond for each, and because every session has twenty components. There is no public way to the same. So each
is held against Panel's own on every component that there is, and against the work that it saves: where Panel changes what it
does, a test here fails, and where Panel saves the work itself, another does, and the override can go.
"""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from types import MethodType
from typing import Any

import panel as pn
import panel.custom
import panel.io.document
import param
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.document import Document
from bokeh.document.events import ModelChangedEvent
from bokeh.model import Model
from panel.custom import Child, JSComponent, ReactiveESM
from panel.io.document import unlocked
from panel.io.state import set_curdoc
from panel.util import classproperty

import twin.notebook
import twin.views
from twin.views.shared import component
from twin.views.shared.component import Component

pytestmark = pytest.mark.slow

PANELS: Any = JSComponent
"""Whose descriptors are read as they are."""
OVERRIDDEN = ("_get_model", "_get_properties", "_update_properties", "_update_model")


def _components(base: type[Component]) -> Iterator[type[Component]]:
    for view in base.__subclasses__():
        if view.__module__.startswith("twin."):
            yield view
        yield from _components(view)


for _package in (twin.views, twin.notebook):
    for _module in pkgutil.walk_packages(_package.__path__, _package.__name__ + "."):
        importlib.import_module(_module.name)
COMPONENTS = sorted(set(_components(Component)), key=lambda view: view.__name__)
every_component = pytest.mark.parametrize("view", COMPONENTS, ids=lambda view: view.__name__)


def as_panel_does(view: Component, *names: str) -> Component:
    """Let a component do these methods in Panel's own way."""
    for name in names or OVERRIDDEN:
        setattr(view, name, MethodType(getattr(JSComponent, name), view))
    return view


class Shown:
    """A component on a page, and what the page's document was told to send to the browser since."""

    def __init__(self, view: Component) -> None:
        self.view, self.document = view, Document()
        self.root = view.get_root(self.document)
        self.document.add_root(self.root)
        self._sent: list[tuple[str, str, Any]] = []
        self.document.on_change(self._note)
        pn.state._connected[self.document] = True  # Panel drops what a page would be told before anybody looks at it

    def _note(self, event: Any) -> None:
        if isinstance(event, ModelChangedEvent):  # others are of the session
            self._sent.append((type(event.model).__name__.strip("0123456789"), event.attr, plain(event.new)))

    @property
    def sent(self) -> list[tuple[str, str, Any]]:
        """Model, property and value of each change so far; Panel holds them back until the event loop's next turn."""
        while self.document.callbacks.hold_value:
            self.document.unhold()
        return self._sent

    @property
    def held(self) -> dict[str, Any]:
        """All that the browser is told of the component."""
        return {"model": values(self.root), "data": values(self.root.data)}  # type: ignore[attr-defined]

    def from_browser(self, **changes: Any) -> None:
        """Take changes that the browser made."""
        with set_curdoc(self.document), unlocked():
            self.view._process_events(changes)


def values(model: HasProps) -> dict[str, Any]:
    told = model.properties_with_values(include_defaults=True)
    return {name: plain(value) for name, value in told.items() if name not in ("data", "_defs", "tags")}


def plain(value: Any) -> Any:
    """Return a value without the identity of the models in it, which differs from page to page."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Model):
        return type(value).__name__, {
            name: own
            for name, own in values(value).items()
            if name != "name" and isinstance(own, str | int | float | bool)
        }
    return value


def other_value(view: Component, name: str) -> Any:
    """Return a value that a Param does not have yet."""
    match view.param[name], getattr(view, name):
        case Child(), _:
            return pn.pane.HTML("<p>another child</p>")
        case param.Boolean(), held:
            return not held
        case param.Dict(), _:
            return {"a": [1, "é", None], "b": {"c": 0.5}}
        case param.List(item_type=kind), _:
            return {str: ["another"], float: [0.5, 2.0]}.get(kind, [{"id": "x", "n": 1}])
        case param.Selector(objects=[*choices]), held:
            return next(choice for choice in choices if choice != held)
        case param.Number(), held:
            return (held or 0) + 1
        case param.String(), _:
            return "another"
    raise AssertionError(f"{type(view).__name__}.{name} is of a kind that this test does not know: add it")


OF_EVERY_VIEW = {
    "visible": False,
    "width": 321,
    "css_classes": ["a"],
    "styles": {"color": "red"},
    "stylesheets": [":host{color:red}"],
}
"""Params that Panel gives every component; they lie on the model itself, not in its data."""


def changes_of(view: Component) -> list[dict[str, Any]]:
    """Return a change of every Param of a component's own, one by one and all at once, and of those that all components have."""
    own = [name for name in view.param if name not in JSComponent.param and not view.param[name].constant]
    each = {name: other_value(view, name) for name in own}
    alone = [{name: value} for name, value in (each | OF_EVERY_VIEW).items()]
    together = {name: value for name, value in each.items() if not isinstance(view.param[name], Child)}
    mixed = {"visible": True, "clock": "third", **({"figure": None} if "figure" in each else {})}
    return [*alone, {name: getattr(view, name) for name in together}, together, mixed]


# -- all four together ---------------------------------------------------------------------------------------------------
@every_component
def test_a_change_sends_what_panel_would_send(view: type[Component]) -> None:
    ours, panels = (
        Shown(view(name="a view")),
        Shown(as_panel_does(view(name="a view"), "_get_model", "_update_properties", "_update_model")),
    )
    assert ours.held == panels.held
    for change in changes_of(view()):
        for shown in (ours, panels):
            shown.view.param.update(**change)
        assert ours.sent == panels.sent, change
        assert ours.held == panels.held, change
        assert ours.view._changing == panels.view._changing == {}
    assert len(ours.sent) > len(changes_of(view())), "or nothing was compared"


@every_component
def test_a_value_that_stays_is_not_sent_again(view: type[Component]) -> None:
    ours = Shown(view(name="a view"))
    own = [name for name in view.param if name not in JSComponent.param and not isinstance(view.param[name], Child)]
    ours.view.param.trigger(*own)
    assert ours.sent == []


@every_component
def test_a_change_by_the_browser_is_taken_and_not_sent_back(view: type[Component]) -> None:
    ours, panels = (
        Shown(view(name="a view")),
        Shown(as_panel_does(view(name="a view"), "_get_model", "_update_properties", "_update_model")),
    )
    change = {"clock": "the browser's", "anchor": {"t0": 5.0}}
    for shown in (ours, panels):
        shown.from_browser(**change)
    assert (ours.view.clock, ours.view.anchor) == (panels.view.clock, panels.view.anchor) == tuple(change.values())
    assert ours.sent == panels.sent == []


@every_component
def test_an_answer_to_a_change_by_the_browser_is_sent(view: type[Component]) -> None:
    ours, panels = (
        Shown(view(name="a view")),
        Shown(as_panel_does(view(name="a view"), "_get_model", "_update_properties", "_update_model")),
    )
    for shown in (ours, panels):
        held = shown.view
        held.param.watch(
            lambda _, held=held: held.param.update(anchor={"t0": 7.0}, selection={"by": held.clock}), "clock"
        )
        shown.from_browser(clock="the browser's")
    assert ours.sent == panels.sent
    assert {name for _, name, _ in ours.sent} == {"anchor", "selection"}


def test_a_change_in_answer_to_a_change_is_sent_too() -> None:
    """What a document is told while it is being told something."""
    ours, panels = (
        Shown(COMPONENTS[0](name="a view")),
        Shown(as_panel_does(COMPONENTS[0](name="a view"), "_update_model")),
    )
    for shown in (ours, panels):
        held = shown.view
        shown.document.on_change(
            lambda event, held=held: (
                setattr(held, "anchor", {"t0": 1.0}) if getattr(event, "attr", "") == "clock" else None
            )
        )
        held.clock = "another"
    assert sorted(map(str, ours.sent)) == sorted(map(str, panels.sent))
    assert len(ours.sent) == 2
    assert ours.view._changing == panels.view._changing == {}


# -- _get_model ----------------------------------------------------------------------------------------------------------
@every_component
def test_the_model_is_panels(view: type[Component]) -> None:
    ours, panels = Shown(view(name="a view")), Shown(as_panel_does(view(name="a view"), "_get_model"))
    assert ours.held == panels.held
    assert ours.root.properties() == panels.root.properties()
    added = ours.root.__dict__.keys() - panels.root.__dict__.keys()
    assert added <= ours.root.data.properties(), (  # type: ignore[attr-defined]
        "names to be found, which are no properties of the model: nothing travels"
    )


def written(view: Component) -> str:
    """Return the document that a browser pulls, once every Param has another value; ids are numbered."""
    view.param.update(**{name: value for change in changes_of(view)[-3:-1] for name, value in change.items()})
    text = json.dumps(Shown(view).document.to_json().content)
    for number, made in enumerate(dict.fromkeys(re.findall(r'"id": "(p[0-9]+|[0-9a-f-]{36})"', text))):
        text = text.replace(made, f"#{number}")
    return text


@every_component
def test_a_document_is_written_as_bokehs_models_write_it(
    view: type[Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = written(view(name="a view"))
    for method in ("__init__", "properties_with_values"):
        monkeypatch.delattr(view._data_model, method)
    monkeypatch.setattr(view, "_bokeh_model", JSComponent._bokeh_model)
    monkeypatch.setattr(component, "_data_of", lambda one: one._data_model)
    assert ours == written(view(name="a view"))
    assert "a view" in ours, "or nothing was compared"


def test_bokeh_makes_containers_and_compares_defaults_and_ours_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    look = PropertyDescriptor._get_default
    monkeypatch.setattr(
        PropertyDescriptor, "_get_default", lambda found, model: looked.append(found.name) or look(found, model)
    )

    def looks(view: Component) -> int:
        looked.clear()
        Shown(view).document.to_json()
        return len(looked)

    kind = COMPONENTS[0]
    ours = looks(kind())
    with monkeypatch.context() as patch:
        for method in ("__init__", "properties_with_values"):
            patch.delattr(kind._data_model, method)
        patch.setattr(kind, "_bokeh_model", JSComponent._bokeh_model)
        assert looks(kind()) > ours + 50


@every_component
def test_no_default_of_a_model_is_a_model(view: type[Component]) -> None:
    for kind in (view._bokeh_model, view._data_model):
        assert not [name for name in kind.properties() if isinstance(kind.lookup(name).class_default(kind), Model)]


def test_bokeh_looks_at_what_a_callback_takes_and_ours_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    look = inspect._signature_from_function  # type: ignore[attr-defined]
    monkeypatch.setattr(
        inspect, "_signature_from_function", lambda *given, **more: looked.append(1) or look(*given, **more)
    )

    def looks(view: Component) -> int:
        looked.clear()
        view.get_root(Document(), preprocess=False)
        return len(looked)

    kind = next(one for one in COMPONENTS if one.from_browser)
    assert looks(as_panel_does(kind(), "_link_props", "_register_events")) > 2
    assert looks(kind()) == 0


def test_panel_looks_params_up_where_they_are_not_and_ours_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    missed: list[str] = []
    look = HasProps.__getattr__  # type: ignore[attr-defined]
    monkeypatch.setattr(HasProps, "__getattr__", lambda model, name: missed.append(name) or look(model, name))

    def misses(view: Component) -> list[str]:
        """Return what a change by way of Panel's `_update_model` looks up in vain."""
        shown = Shown(as_panel_does(view, "_update_model"))
        missed.clear()
        shown.view.clock = "another"
        return list(missed)

    assert "clock" in misses(as_panel_does(COMPONENTS[0](name="a view"), "_get_model"))
    assert "clock" not in misses(COMPONENTS[0](name="a view"))


# -- _get_properties -----------------------------------------------------------------------------------------------------
@every_component
def test_only_the_modules_address_differs_from_panels(view: type[Component], monkeypatch: pytest.MonkeyPatch) -> None:
    made = view()
    panels = JSComponent._get_properties(made, None)
    assert panels["bundle"] is None, "Panel takes it for no bundle; else there is nothing to override"
    alone = made._get_properties(None)
    monkeypatch.setattr(component, "is_answering", lambda _: True)
    served = made._get_properties(None)
    for ours in (alone, served):
        assert ours.keys() == panels.keys()
        same = {"esm", "bundle", "data", "_defs", "stylesheets"} ^ panels.keys()
        assert {name: ours[name] for name in same} == {name: panels[name] for name in same}
        assert values(ours["data"]) == values(panels["data"])
        assert plain(ours["stylesheets"]) == plain(panels["stylesheets"])
    assert alone["esm"] == panels["esm"]
    assert alone["bundle"] not in (None, "url")
    address = component._published((view,)) if view.apart else component.bundle_url()
    assert (served["bundle"], served["esm"]) == ("url", f"./{address}")


# -- what is the same for every session --------------------------------------------------------------------------------
@every_component
def test_params_that_follow_and_module_are_panels(view: type[Component]) -> None:
    made = view()
    assert made._synced_params == PANELS._synced_params.fget(made)
    assert view._render_esm() == PANELS._render_esm.__func__(view)
    assert ReactiveESM.__dict__["_bundle_path"].__get__(None, view) is None, "no bundle lies on the disk"


def test_panel_does_anew_for_every_component_what_ours_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    dedent = panel.custom.textwrap.dedent
    monkeypatch.setattr(panel.custom.textwrap, "dedent", lambda text: done.append("dedent") or dedent(text))
    monkeypatch.setattr(ReactiveESM, "_bundle_path", classproperty(lambda cls: done.append("look for a bundle")))

    def does(view: type[Component]) -> set[str]:
        done.clear()
        Shown(view())
        return set(done)

    first = COMPONENTS[0]
    assert does(first) == set()
    monkeypatch.delattr(Component, "_bundle_path")
    monkeypatch.delattr(Component, "_render_esm")
    assert does(first) == {"dedent", "look for a bundle"}
    lists = [PANELS._synced_params.fget(first()) for _ in range(2)]
    assert lists[0] is not lists[1], "the list is made at each look"


def test_param_copies_each_param_that_is_used_and_ours_are_their_classs(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_view = next(type(view()) for view in COMPONENTS if not component._children_of(view))

    def copied(*panels: str) -> int:
        view = as_panel_does(plain_view(), *panels) if panels else plain_view()
        view.clock = "another"
        view.get_root(Document())
        return len(view._param__private.params)  # those that are the instance's own

    assert copied() == copied("_get_properties", "_get_children") == 0
    monkeypatch.setattr(component, "no_instance_params", lambda _: None)
    monkeypatch.setattr(plain_view._param__private, "disable_instance_params", False)
    assert copied("_get_properties", "_get_children") > 20
    assert copied() == 1


def test_what_one_view_is_told_no_other_is() -> None:
    for kind in COMPONENTS:
        one, other = kind(), kind()
        heard: list[str] = []
        other.param.watch(lambda event, heard=heard: heard.append(event.name), list(kind.param))
        for change in changes_of(kind())[:-3]:
            one.param.update(**change)
        assert heard == []
        assert {name: getattr(other, name) for name in kind.param if name != "name"} == {
            name: getattr(kind(), name) for name in kind.param if name != "name"
        }


# -- _update_properties --------------------------------------------------------------------------------------------------
@every_component
def test_the_properties_of_a_change_are_panels(view: type[Component]) -> None:
    made = view()
    for change in changes_of(view()):
        events = [
            param.parameterized.Event("value", made, view, name, None, new, "changed") for name, new in change.items()
        ]
        ours = made._update_properties(*events, doc=None)
        panels = JSComponent._update_properties(made, *events, doc=None)
        assert {name: plain(value) for name, value in ours.items()} == {
            name: plain(value) for name, value in panels.items()
        }


def test_panel_asks_the_design_at_every_change_and_ours_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def changed(view: Component) -> int:
        shown = Shown(view)
        find = type(view._design).params
        monkeypatch.setattr(
            type(view._design), "params", lambda design, *args, **more: asked.append(1) or find(design, *args, **more)
        )
        asked.clear()
        shown.view.clock = "another"
        monkeypatch.undo()
        return len(asked)

    assert changed(as_panel_does(COMPONENTS[0](name="a view"), "_update_properties")) > 0
    assert changed(COMPONENTS[0](name="a view")) == 0


# -- _update_model -------------------------------------------------------------------------------------------------------
def test_panel_walks_the_models_at_every_change_and_ours_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[Any] = []
    walk = panel.io.document.visit_immediate_value_references
    monkeypatch.setattr(
        panel.io.document,
        "visit_immediate_value_references",
        lambda *given: walked.append(1) or walk(*given),
    )

    def changed(view: Component) -> int:
        shown = Shown(view)
        walked.clear()
        shown.view.clock = "another"
        return len(walked)

    assert changed(as_panel_does(COMPONENTS[0](name="a view"), "_update_model")) > 0
    assert changed(COMPONENTS[0](name="a view")) == 0
