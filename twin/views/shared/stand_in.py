"""A view that cannot be built is one panel that says so and offers a retry: it takes no page along."""

import copy
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import param
from panel.custom import Child

from twin.replay.controller import ReplayController
from twin.timeline.timeline import Snapshot
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

_log = logging.getLogger(__name__)

V = TypeVar("V", bound=ReplayView)


class StandInPanel(Component):
    """The place of a view that could not be built, and its panel once it is."""

    panel = Child(default=None, allow_None=True, doc="The view's own panel; None until it is built.")

    _esm = module_source(Path(__file__).with_name("stand_in.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("stand_in.css"))]


class _StandIn(ReplayView):
    """Stands where a view should: with its Params, so that whoever connects the parts of a page need not know the difference."""

    def __init__(self, build: Callable[[], ReplayView], controller: ReplayController, error: Exception) -> None:
        super().__init__()
        self._build = build
        self._controller = controller
        self._view: ReplayView | None = None
        self._panel = StandInPanel(sizing_mode="stretch_both", margin=0)
        self._panel.retry_with(self._try_again)
        self._panel.fail(error)

    def __panel__(self) -> StandInPanel:
        return self._panel

    def begin_anew(self) -> None:
        """Another range is another chance."""
        if self._view is not None:
            self._view.begin_anew()
            return
        self._panel.failure = ""
        self.attempt(self._try_again)

    def learn(self) -> None:
        if self._view is not None:
            self._view.attempt(self._view.learn)

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        if self._view is not None:
            self._view.attempt(self._view.show, snapshot)

    def _try_again(self) -> None:
        """Build the view and show it here; its Params and ours are the same from now on. Raises what building it raises."""
        view = self._view = self._view or self._build()
        if self._panel.panel is None:
            names = [name for name in _own_params(type(view)) if not view.param[name].constant]
            view.param.update({name: getattr(self, name) for name in names})
            _follow(self, view, names)
            _follow(view, self, names)
            self._panel.panel = view.__panel__()
        view.attempt(partial(view.retry, self._controller))


def built(kind: type[V], controller: ReplayController, **params: Any) -> V:
    """Return a view on a controller; where its constructor raises, one that stands for it until a retry builds it."""
    build = partial(cast(Callable[..., V], kind), controller, **params)
    try:
        return build()
    except Exception as error:  # whatever it is, the other panels are there
        _log.error("%s cannot be built", kind.__name__)
        return cast(V, _stand_in_for(kind)(build, controller, error))


def _stand_in_for(kind: type[ReplayView]) -> type[_StandIn]:
    """Return a class with the Params and public properties of a view."""
    properties = {name: one for name, one in vars(kind).items() if isinstance(one, property) and name[0] != "_"}
    params = {name: copy.copy(kind.param[name]) for name in _own_params(kind)}
    return type(kind.__name__, (_StandIn,), {**properties, **params})


def _own_params(kind: type[ReplayView]) -> list[str]:
    return [name for name in kind.param if name not in ReplayView.param]


def _follow(one: param.Parameterized, other: param.Parameterized, names: list[str]) -> None:
    if names:
        other.param.watch(lambda event: one.param.update({event.name: event.new}), names)
