"""Base class of the browser components, each of which is one ES module, resolved from files that import each other."""

import functools
import hashlib
import inspect
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import param
from bokeh.core.property.validation import validate
from bokeh.model import Model
from panel.config import config
from panel.custom import Child, Children, JSComponent, ReactiveESM
from panel.io.document import hold
from panel.models.esm import ReactiveESM as BokehESM
from param.parameterized import no_instance_params

from twin.replay.controller import ReplayController
from twin.server.assets import publish
from twin.server.attach import is_answering
from twin.views.shared.incoming import is_plain
from twin.views.shared.lean import lean, lean_kind
from twin.views.shared.modules import ModuleText, bundle_source, module_source
from twin.views.shared.theme import contrast_css

__all__ = ["Component", "bundle_url", "module_source", "style_source", "style_text"]

_log = logging.getLogger(__name__)

POSTED_S = 0.5
"""Seconds for which a message that is sent as a value goes along with those after it."""


def bundle_url() -> str:
    """Return the address of all views as one module on our own server, relative to its prefix."""
    views = (view for view in views_of(Component) if not view.apart)
    return _published(tuple(sorted(views, key=lambda view: view.__name__)))


def views_of(base: "type[Component]") -> "set[type[Component]]":
    inherited = {one for view in base.__subclasses__() for one in views_of(view)}
    return inherited | {view for view in base.__subclasses__() if view.__module__.startswith("twin.")}


@functools.cache
def _published(views: "tuple[type[Component], ...]") -> str:
    """Publish one module that contains every file of these views once."""
    entries = {view.__name__: view._esm.entry for view in views if isinstance(view._esm, ModuleText)}
    return publish(bundle_source(entries))


@functools.cache
def _children_of(view: "type[Component]") -> frozenset[str]:
    """Return the Params of a view that are other components."""
    return frozenset(name for name in view.param if isinstance(view.param[name], Child | Children))


@functools.cache
def _synced(view: "type[Component]") -> list[str]:
    """Return the Params of a view that are told to its model; the list is not to be changed."""
    return [
        name for name in view.param if name not in (*view._manual_params, "default_layout", "loading", "background")
    ]


@functools.cache
def _data_of(view: "type[Component]") -> type[Model]:
    """Return the class of a view's data."""
    return lean(view._data_model)


@functools.cache
def style_source(path: Path) -> str:
    """Return the style sheet of a view, preceded by the rules that every view shares."""
    return style_text(Path(__file__).with_name("shared.css")) + contrast_css() + style_text(path)


@functools.cache
def style_text(path: Path) -> str:
    """Return a style sheet without the shared rules, for a layout container."""
    return path.read_text("utf-8")


class _Change(functools.partial[None]):
    """A callback on a changed property, which tells its parameters."""

    __signature__ = inspect.signature(lambda attr, old, new: None)


class _Event(functools.partial[None]):
    """A callback on an event, which tells its parameters."""

    __signature__ = inspect.signature(lambda event: None)


class Component(JSComponent):
    """A `JSComponent` whose module is `module_source` of the JavaScript file in its folder.

    `join` connects it to a controller's clock and selection. Its module may then use verbs.js, whose messages this class
    handles.
    """

    _data_model: ClassVar[type[Model]]  # made by Panel's metaclass
    _data_model__initialized: ClassVar[bool]

    clock: str = param.String(default="", doc="Name of the replay clock in the browser, shared by all views on it.")  # type: ignore[assignment]
    anchor: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={}, doc="That clock, as `ReplayController.to_browser()` returns it."
    )
    selection: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={}, doc="The selection, as `Selection.to_browser()` returns it; empty: this view does not follow it."
    )
    failure: str = param.String(default="", doc="Why it is not up to date, a sentence; empty: it is. See guard.js.")  # type: ignore[assignment]
    renewals: int = param.Integer(default=0, doc="Counts how often it was made anew after a failure.")  # type: ignore[assignment]
    posted: list[Any] = param.List(default=[], doc="The latest messages, [number, message] each; see `posts`.")  # type: ignore[assignment]

    __abstract = True

    from_browser: ClassVar[tuple[str, ...]] = ()
    """The Params that the browser may change; all others are the server's, whatever comes over the socket."""

    posts: ClassVar[bool] = False
    """Whether messages are sent as the value of a Param, `posted`: marimo passes values on, and drops messages."""
    apart: ClassVar[bool] = False
    """Whether this view is a module of its own rather than in the one of all views: few pages have it."""

    _bokeh_model = lean_kind(BokehESM)
    _stylesheets: ClassVar[list[Any]] = []
    _bundle_path: ClassVar[Path | None] = None
    """Panel looks for a bundle on the disk, in every folder above the class, each time that one is shown."""
    _logged = ""

    def __init__(self, **params: Any) -> None:
        no_instance_params(type(self))  # no object changes a Param itself; Param would copy each that is set
        super().__init__(**params)
        self._retry: Callable[[], object] = lambda: None
        self._sent_at: list[float] = []
        self.on_msg(self._on_retry)

    @classmethod
    def _url(cls) -> str:
        return _published((cls,)) if cls.apart else bundle_url()

    # The next methods override private methods of Panel to save work at every change, and for every session. test_component.py
    # compares each with Panel's result on every view, and fails if Panel's method changes or saves that work itself.

    @property
    def _synced_params(self) -> list[str]:
        # Panel makes this list anew for each Param that it looks up in it
        return _synced(type(self))

    @classmethod
    def _render_esm(cls, *_: Any, **__: Any) -> str:
        # Panel takes the indentation off a text of thousands of lines, which has none
        return str(cls._esm)

    def _get_model(self, *args: Any, **kwargs: Any) -> Any:
        with validate(False):  # our Params have checked the values; Bokeh checks every default of its own, too
            model = super()._get_model(*args, **kwargs)
        # Panel looks up each changed Param on this model, which lacks it; Bokeh then composes an error with similar names,
        # which takes 0.2 ms at every change
        for name in model.data.properties():  # type: ignore[attr-defined]
            model.__dict__.setdefault(name, None)
        return model

    def _get_properties(self, doc: Any) -> dict[str, Any]:
        # Panel looks at each Param of each component to find out which of them are its module's data
        properties = super(ReactiveESM, self)._get_properties(doc)
        own = (self._data_model.properties() - Model.properties()) & properties.keys()
        told = {name: properties.pop(name) for name in own}
        told = {name: value for name, value in told.items() if name not in _children_of(type(self))}
        data = _data_of(type(self))(name=self.name, esm_constants=self._constants, **told)
        name = type(self).__name__
        properties |= {
            "_defs": [], "class_name": name, "name": name, "data": data, "events": [], "importmap": self._importmap,
            "css_bundle": None, "dev": config.autoreload or getattr(self, "_debug", False), "render_policy": self._render_policy,
        }  # fmt: skip
        # a browser that is connected already has to be told what the data are
        if not type(self)._data_model__initialized:
            properties["_defs"], type(self)._data_model__initialized = [self._data_model], True
        # unless a module is marked as a bundle, Panel compiles it in the browser before it is drawn; and as text, every view
        # would send the files that it shares with others again, over an uncompressed socket
        if is_answering(doc) and type(self).__module__.startswith("twin."):
            return properties | {"bundle": "url", "esm": f"{pn.state.rel_path or '.'}/{self._url()}"}
        module = self._render_esm()
        return properties | {"bundle": hashlib.sha256(module.encode()).hexdigest(), "esm": module}

    @classmethod
    def _patch_datamodel_ref(cls, props: Any, ref: str) -> None:
        # Panel walks the model tree for the data of children, which each of them marks itself
        if (mark := f"__ref:{ref}") not in props.tags:
            props.tags.append(mark)

    def _link_props(self, model: Any, properties: Any, doc: Any, root: Any, comm: Any = None) -> None:
        # Bokeh finds out the parameters of each callback, which takes longer than all else that it does with it
        if comm or config.embed:
            super()._link_props(model, properties, doc, root, comm)
            return
        for name in properties:
            model.on_change(name, _Change(self._server_change, doc, root.ref["id"], None))

    def _register_events(self, *event_names: str, model: Any, doc: Any, comm: Any) -> None:
        # as above
        for name in event_names:
            model.on_event(name, _Event(self._comm_event if comm else self._server_event, doc))

    def _get_children(self, *given: Any) -> Any:
        # as above
        return super()._get_children(*given) if _children_of(type(self)) else ({}, [])

    def _update_properties(self, *events: Any, doc: Any) -> dict[str, Any]:
        # Panel computes the design's styles at every change of any Param, which takes longer than the change itself
        if any(event.name == "stylesheets" for event in events):
            return super()._update_properties(*events, doc=doc)
        return self._process_param_change({event.name: event.new for event in events})

    def _update_model(self, events: Any, msg: dict[str, Any], root: Any, model: Any, doc: Any, comm: Any) -> None:
        # Panel walks the model tree at every change, for children and echoes; a value that only the server sets has neither
        plain = msg.keys() <= model.data.properties() and _children_of(type(self)).isdisjoint(msg)
        if comm or self._events or doc in self._in_process__events or not plain:
            super()._update_model(events, msg, root, model, doc, comm)
            return
        ref = root.ref["id"]
        before = self._changing.get(ref)
        self._changing[ref] = list(msg)
        try:
            model.data.update(**msg)
        finally:
            if before is None:
                del self._changing[ref]
            else:  # this change was triggered by another
                self._changing[ref] = before

    @property
    def _linked_properties(self) -> tuple[str, ...]:
        return tuple(name for name in super()._linked_properties if name in self.from_browser)

    def _process_events(self, events: dict[str, Any]) -> None:
        try:
            if not is_plain(events):
                raise ValueError("it is not plain JSON of a sensible size.")
            for name, value in events.items():
                self.param[name]._validate(value)  # Panel would log a traceback
            super()._process_events(events)
        except ValueError as error:
            _log.warning("%s: refused a change: %s", type(self).__name__, error)
        except Exception as error:  # whatever it is, the other panels go on
            self.fail(error)

    def on_msg(self, callback: Callable[[Any], None]) -> None:
        """Call `callback(event)` for the browser's messages, whose `data` is plain JSON then: others are refused here.

        A ValueError that it raises refuses the message, too. A refusal is a line in the log, and the session goes on. Any
        other error is a failure of this panel.
        """

        def handle(event: Any) -> None:
            try:
                if not is_plain(event.data):
                    raise ValueError("it is not plain JSON of a sensible size.")
                callback(event)
            except ValueError as error:
                _log.warning("%s: refused a message: %s", type(self).__name__, error)
            except Exception as error:  # whatever it is, the other panels go on
                self.fail(error)

        super().on_msg(handle)

    def _send_msg(self, msg: Any) -> None:
        """Send a message to the browser. Where it is posted, those before it go along for a moment: a value replaces another."""
        if not self.posts:
            super()._send_msg(msg)
            return
        now, number = time.monotonic(), self.posted[-1][0] + 1 if self.posted else 1
        late = [at for at in self._sent_at if now - at < POSTED_S]
        self._sent_at = [*late, now]
        self.posted = [*self.posted[len(self.posted) - len(late) :], [number, msg]]

    def tell(self, **values: Any) -> None:
        """Set those of some Params that are other objects than before; Param would compare long ones value by value."""
        self.param.update(**{name: value for name, value in values.items() if value is not getattr(self, name)})

    def fail(self, error: Exception) -> None:
        """Say in the panel's place that it failed and offer a retry; log the error, once while it stays the same."""
        reason = f"{type(error).__name__}: {error}"
        if reason != self._logged:
            self._logged = reason
            _log.error("%s failed", type(self).__name__, exc_info=error)
        self.failure = f"This panel could not be updated ({type(error).__name__}): see the server’s log."

    def retry_with(self, retry: Callable[[], object]) -> None:
        """Call `retry()`, which makes the panel whole again, when the user wants that after a failure."""
        self._retry = retry

    def _on_retry(self, event: Any) -> None:
        if event.data == {"retry": True}:
            with hold():
                self.failure = ""
                self.renewals += 1
                try:
                    self._retry()
                except Exception as error:  # it has failed again
                    self.fail(error)

    def join(self, controller: ReplayController) -> None:
        """Follow a controller's clock and selection, and carry out the verbs and selections that the browser sends.

        Views of one page share both in the browser. So what comes with events, once a second while a kitchen is live, is told
        by the controller's `lead` alone if there is one: a range that has grown, and rows that have other numbers.
        """
        chosen = controller.selection

        def choose(*events: Any) -> None:
            if controller.lead in (None, self) or any(one.name == "version" for one in events):
                self.selection = chosen.to_browser()

        def set_clock(event: Any) -> None:
            if controller.lead in (None, self) or event.new.epoch != event.old.epoch:
                self.anchor = controller.to_browser()

        def on_message(event: Any) -> None:
            match event.data:
                case {"selection": choice}:
                    chosen.handle_message(choice)
                case {"verb": str() as verb} if verb in controller.VERBS:
                    with hold():  # one message for the clocks and contents of all views
                        controller.handle_message(event.data)

        self.clock = controller.key
        controller.param.watch(set_clock, "anchor")
        chosen.param.watch(choose, ["version", "loads"])
        self.on_msg(on_message)
        self.anchor, self.selection = controller.to_browser(), chosen.to_browser()
