"""The bell in the page's header: how many alerts of the kitchen fire, and a list of those that do and those that have."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.foundation.errors import TwinError
from twin.replay.controller import ReplayController
from twin.server import threads
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from twin.alerts.store import Alert, Store

MOST_LISTED = 100


class Bell(Component):
    """The bell in the browser. What it changes goes to the API, which knows who asks."""

    alerts: list[dict[str, Any]] | None = param.List(  # type: ignore[assignment]
        default=None,
        allow_None=True,
        doc="Alerts of the kitchen, the newest first, see `to_browser`; None: not known yet.",
    )
    place: str = param.String(default="", doc="The id of the kitchen that they are of.")  # type: ignore[assignment]
    problem: str = param.String(default="", doc="Why the alerts are not known; empty if they are.")  # type: ignore[assignment]
    api: str = param.String(default="", doc="Address of the alerts' API, relative to the page.")  # type: ignore[assignment]
    user: str = param.String(default="", doc="Address of the signed-in user's name, relative to the page.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("bell.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("bell.css"))]


class AlertBar(Component):
    """The bar for an alert that fires and nobody has acknowledged; the bell in the same page says which."""

    _esm = module_source(Path(__file__).with_name("bar.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("bar.css"))]


class FollowsStore(ReplayView):
    """A view of what a store has: `load` reads it when the view is reset, and after each change."""

    def __init__(self, store: "Store") -> None:
        super().__init__()
        self._store, self._told = store, False
        self._document = pn.state.curdoc
        if self._document is not None and self._document.session_context is not None:
            end = store.changed.add(self._tell)
            pn.state.on_session_destroyed(lambda _context: end())

    def reset(self) -> None:
        """Read what the store has of the controller's kitchen."""
        self._tell()

    def extend(self, inserted: Inserted) -> None:
        """What the store has comes by itself."""

    def _tell(self) -> None:
        """Read it soon, in a page; called in any thread."""
        if not self._told and self._document is not None and self._document.session_context is not None:
            self._told = True
            self._document.add_next_tick_callback(partial(pn.state.execute, self._load))

    async def _load(self) -> None:
        self._told = False
        await self.attempt_answer(self.load)

    async def load(self) -> None:
        """Read what the store has, and show it."""
        raise NotImplementedError


class BellView(FollowsStore):
    """The alerts of the kitchen shown, whatever the playhead's time: they are of now."""

    def __init__(
        self, controller: ReplayController, store: "Store", on_go: Callable[[float], object], **addresses: str
    ) -> None:
        """`on_go(t)` shows the kitchen at a time outside of the range; `addresses` are `api` and `user` of `Bell`."""
        super().__init__(store)
        self._controller, self._on_go = controller, on_go
        self._bell = Bell(margin=0, **addresses)
        self._bell.join(controller)
        self._bell.on_msg(self._on_message)
        self._bell.retry_with(partial(self.retry, controller))
        self.reset()

    def __panel__(self) -> Bell:
        return self._bell

    async def load(self) -> None:
        """Read the alerts of the kitchen, and show them unless another is shown by then."""
        timeline = self._controller.timeline
        if timeline is None:
            return
        location = timeline.location.id
        try:
            alerts = await threads.to_source(partial(self._store.alerts, location, most=MOST_LISTED))
        except TwinError as error:
            self._bell.problem = str(error)
            return
        current = self._controller.timeline
        if current is not None and current.location.id == location:
            self._bell.param.update(place=location, alerts=[to_browser(alert) for alert in alerts], problem="")

    def _on_message(self, event: Any) -> None:
        match event.data:
            case {"go": float() | int() as t} if not isinstance(t, bool):
                self._on_go(float(t))


class AlertBarView(ReplayView):
    """The bar's place in the page: its words come from the bell, in the browser."""

    def __init__(self, controller: ReplayController) -> None:
        super().__init__()
        self._bar = AlertBar(margin=0, sizing_mode="stretch_width")
        self._bar.join(controller)
        self._bar.retry_with(partial(self.retry, controller))

    def __panel__(self) -> AlertBar:
        return self._bar


def to_browser(alert: "Alert") -> dict[str, Any]:
    """Return an alert as the page shows it: times are data seconds, `seen_at` is UTC in words."""
    return {
        "id": alert.id,
        "title": alert.title,
        "sentence": alert.sentence,
        "text": alert.text,
        "since": alert.since,
        "began": alert.began,
        "ended": alert.ended,
        "seen_by": alert.acknowledged_by if alert.acknowledged_at is not None else None,
        "seen_at": alert.acknowledged_at,
        "note": alert.note or "",
    }
