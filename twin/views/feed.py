"""The event feed: the latest events before the playhead, in words."""

from typing import TYPE_CHECKING, Any, ClassVar

import param

from twin.metrics import DELIVERY_TARGET
from twin.views.component import Component, module_source, style_source
from twin.views.view import ReplayView
from twin.words import EventLine, describe

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

    from twin.replay.controller import ReplayController
    from twin.timeline import EventSlice, Snapshot, Timeline

ROWS = 30
"""Rows sent at most in one tick: a screen shows seven to fifteen, the browser keeps the last sixty."""

Key = tuple[float, int, str]
"""What an event is recognised by: time, order, type."""


class FeedList(Component):
    """The list in the browser.

    `state` is a link of a chain: {"serial": this link, "base": the serial it goes on top of (0: replace all), "rows":
    new rows, newest first}. A browser that misses a link asks for everything.
    """

    state = param.Dict(default={"serial": 0, "base": 0, "rows": []}, doc="The latest link of rows.")
    pings = param.Boolean(default=False, doc="Whether driver pings are listed.")

    _esm = module_source("feed.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("feed.css")]


class FeedView(ReplayView):
    """The latest events at the playhead, newest first."""

    target = param.Number(default=DELIVERY_TARGET, bounds=(0, None), doc="Promised delivery time, seconds.")

    def __init__(self, controller: "ReplayController", **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._list = FeedList(sizing_mode="stretch_both")
        self._list.join(controller)
        self._list.on_msg(self._on_message)
        self._list.param.watch(self._on_pings, "pings")
        self.reset()

    def __panel__(self) -> FeedList:
        return self._list

    def reset(self) -> None:
        """Take the controller's timeline; its events follow with the next `show`."""
        self._timeline: Timeline | None = self._controller.timeline
        self._t: float | None = None
        self._keys: list[Key] | None = None

    def show(self, snapshot: "Snapshot") -> None:  # type: ignore[override]
        """Show the events up to the snapshot's moment; only rows that are new are sent."""
        self._show_at(snapshot.t)

    def _show_at(self, t: float) -> None:
        self._t = t
        if self._timeline is None:
            return
        events = self._timeline.latest(t, ROWS, pings=self._list.pings)
        keys = list(zip(events.ts.tolist(), events.order.tolist(), events.type, strict=True))
        if keys == self._keys:
            return
        new = _new_rows(keys, self._keys)
        self._keys = keys
        self._send(events, keys, new)

    def _send(self, events: "EventSlice", keys: list[Key], new: int | None) -> None:
        assert self._timeline is not None
        lines = describe(self._timeline, _head(events, len(keys) if new is None else new), self.target)
        serial = self._list.state["serial"]
        self._list.state = {
            "serial": serial + 1,
            "base": 0 if new is None else serial,
            "rows": [_row(key, line) for key, line in zip(keys, lines, strict=False)],
        }

    def _show_all(self) -> None:
        """Send every row anew."""
        self._keys = None
        if self._t is not None:
            self._show_at(self._t)

    def _on_message(self, event: "DataEvent") -> None:
        if event.data == {"ask": "all"}:
            self._show_all()

    def _on_pings(self, _: param.parameterized.Event) -> None:
        self._show_all()


def _new_rows(keys: list[Key], shown: list[Key] | None) -> int | None:
    """Return how many rows came on top of the shown ones; None if the list cannot be continued from them."""
    if not shown or shown[0] not in keys:
        return None
    # the timeline does not change: below the newest shown event follows what is shown already
    return keys.index(shown[0]) or None


def _head(events: "EventSlice", n: int) -> "EventSlice":
    return type(events)(events.ts[:n], events.type[:n], events.order[:n], events.progress[:n])


def _row(key: Key, line: EventLine) -> list[Any]:
    """Return a row as the browser takes it: key, icon, colour, title, detail, data time."""
    t, order, kind = key
    return [f"{order}.{t:.3f}.{kind}", line.icon, line.colour, line.title, line.detail, t]
