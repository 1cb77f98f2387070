"""The event feed: every event of the range up to the playhead, in words, newest first.

The browser asks for the rows it is about to need, by their numbers under the filter it shows, and lets them in by its own
clock; the server answers with pages and keeps nothing of where a browser is. So playing costs a message only when a page
has run out, and a tick of the session costs nothing here.
"""

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import param

from twin.analysis.event_index import GROUPS, EventFilter, Page, Positions, event_index_of
from twin.analysis.wording import describe
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import STAGE_LABELS, STATES
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Columns, columns_of
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

PAGE_ROWS = 200
"""Rows of a page: some 25 kB, half a minute of a busy city at 60x."""

ROWS_BEFORE = 60
"""Of the page at the playhead, the rows that lie before it: three screens to scroll before another page is needed."""

GROUP_LABELS = {
    "created": "Created",
    "kitchen": "Kitchen",
    "ready": "Ready",
    "driver": "Driver",
    "delivered": "Delivered",
    "problem": "Problems",
    "ping": "Driver pings",
}

log = logging.getLogger(__name__)


ROW = ("t", "order", "icon", "colour", "problem", "title", "detail")
"""What a row of the list has: data time, the order's row number, its sign, and its words."""


class FeedList(Component):
    """The list in the browser, which asks for pages: see `FeedView._on_message`."""

    query: str = param.String(default="", doc="The filter as `twin.analysis.event_index.EventFilter` writes it.")  # type: ignore[assignment]
    active: bool = param.Boolean(default=True, doc="Whether anybody can see the list.")  # type: ignore[assignment]
    version: int = param.Integer(default=0, doc="Counts the timelines: rows of an older one are forgotten.")  # type: ignore[assignment]
    groups: list[list[str]] = param.List(  # type: ignore[assignment]
        default=[[group, GROUP_LABELS[group]] for group in GROUPS], doc="What can be ticked: key and label."
    )
    stages: dict[str, str] = param.Dict(default=STAGE_LABELS, doc="Labels of the stages.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("feed.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("feed.css"))]


class FeedView(ReplayView):
    """The events up to the playhead, to scroll, to filter, and to go to."""

    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")
    query: str = param.String(  # type: ignore[assignment]
        default="",
        doc="What is listed, for the address: types=driver,problem;only;text=pho (`only`: of the selected order).",
    )
    active: bool = param.Boolean(default=True, doc="Whether the list can be seen; otherwise it asks for nothing.")  # type: ignore[assignment]

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._list = FeedList(query=str(EventFilter.parse(self.query)), active=self.active, sizing_mode="stretch_both")
        self._list.join(controller)
        self._list.on_msg(self._on_message)
        self._list.param.watch(lambda event: self.param.update(query=str(EventFilter.parse(event.new))), "query")
        self.param.watch(lambda event: self._list.param.update(query=str(EventFilter.parse(event.new))), "query")
        self.param.watch(lambda event: self._list.param.update(active=event.new), "active")
        self.param.watch(lambda _: self.reset(), "target")
        self.reset()

    def __panel__(self) -> FeedList:
        return self._list

    def reset(self) -> None:
        """Have the browser forget its rows and ask anew."""
        self._list.version += 1

    def _on_message(self, event: "DataEvent") -> None:
        """Answer {ask: "feed", serial, version, query, stage, row, t, first?} with a page.

        t: the moment whose events are asked for; first: number of the first row wanted, without it the page at t. With a
        stage, only the events up to t of the orders that are in it at t; with a row, only those of that order.
        """
        message, timeline = event.data, self._controller.timeline
        match message:
            case {"ask": "feed", "version": self._list.version, "query": str(), "t": int() | float()} if timeline:
                try:
                    self._list._send_msg(
                        {"tell": "feed", "serial": message.get("serial"), **self._page(timeline, message)}
                    )
                except (ValueError, TypeError) as error:
                    log.warning("feed: a message that makes no sense was left unanswered: %s", error)

    def _page(self, timeline: Timeline, message: dict[str, Any]) -> dict[str, Any]:
        index, t, first = event_index_of(timeline), float(message["t"]), message.get("first")
        found, until = self._find(timeline, message, t)
        page = index.page(found, t, PAGE_ROWS, None if first is None else int(first), ROWS_BEFORE)
        until = min(until, page.until)
        return {
            "version": self._list.version,
            "total": page.total,
            "top": page.top,
            "first": page.first,
            "until": None if math.isinf(until) else until,
            "oldest": float(index.ts[found[0]]) if len(found) else None,
            "rows": self._rows(timeline, page),
        }

    def _find(self, timeline: Timeline, message: dict[str, Any], t: float) -> tuple[Positions, float]:
        """Return the positions asked for, and until when they stand."""
        index, wanted = event_index_of(timeline), EventFilter.parse(message["query"])
        found = index.select(wanted.groups, wanted.text, self.target, self._controller.settings.late_after_s)
        row, stage = message.get("row", -1), message.get("stage", "")
        if wanted.only and isinstance(row, int) and 0 <= row < len(timeline.orders):
            found = index.of_orders(found, [row])
        if stage not in STATES:
            return found, math.inf
        # who is in a stage changes with the playhead: these rows hold for this moment alone
        found = index.of_orders(found[: index.before(found, t)], timeline.membership.at(t, stage).order)
        return found, t

    def _rows(self, timeline: Timeline, page: Page) -> Columns:
        """Return the page's rows as the browser takes them: see `ROW`."""
        events = event_index_of(timeline).events(page.positions)
        lines = describe(timeline, events, self.target, self._controller.settings.late_after_s)
        return columns_of(
            ROW,
            ((line.t, line.order, line.icon, line.colour, line.problem, line.title, line.detail) for line in lines),
        )
