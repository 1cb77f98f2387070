"""The event feed: every event of the range up to the playhead as a sentence, newest first.

The browser requests pages of rows ahead of time, by their numbers under its filter, and shows each row by its own clock. The
server stores nothing about a browser's position. So playing needs a message only at the end of a page, and a tick of the
session does nothing here.
"""

import json
import logging
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import param
from numpy.typing import NDArray

from twin.analysis.event_index import GROUPS, EventFilter, Page, Positions, event_index_of
from twin.foundation.cache import shared
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import STAGE_LABELS, STATES
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Columns, Inserted, columns_of
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

PAGE_ROWS = 200
"""Rows per page: some 25 kB, half a minute of a busy city at 60x."""

ROWS_BEFORE = 60
"""Rows before the playhead in the page at the playhead: three screens to scroll before another page is needed."""

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
"""The columns of the list: data time, the order's row number, icon and colour, whether it is a problem, and the texts."""


class FeedList(Component):
    """The list in the browser, which requests pages: see `FeedView._on_message`."""

    query: str = param.String(default="", doc="The filter as `twin.analysis.event_index.EventFilter` writes it.")  # type: ignore[assignment]
    active: bool = param.Boolean(default=True, doc="Whether the list is visible.")  # type: ignore[assignment]
    version: int = param.Integer(default=0, doc="Counts the timelines; the browser drops rows of older ones.")  # type: ignore[assignment]
    grown: list[float] = param.List(  # type: ignore[assignment]
        default=[0, 0],
        doc="How often the timeline was extended, from when on rows have come since the last time, data seconds, and the rows of "
        "the orders that were inserted (rows.py).",
    )
    groups: list[list[str]] = param.List(  # type: ignore[assignment]
        default=[[group, GROUP_LABELS[group]] for group in GROUPS],
        doc="The groups of events that can be chosen: key and label.",
    )
    stages: dict[str, str] = param.Dict(default=STAGE_LABELS, doc="Labels of the stages.")  # type: ignore[assignment]

    from_browser: ClassVar[tuple[str, ...]] = ("query",)
    _esm = module_source(Path(__file__).with_name("feed.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("feed.css"))]


class FeedView(ReplayView):
    """The events up to the playhead, to scroll, to filter, and to seek to."""

    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")
    query: str = param.String(  # type: ignore[assignment]
        default="",
        doc="The filter, for the address: types=driver,problem;only;text=pho (`only`: of the selected order).",
    )
    active: bool = param.Boolean(default=True, doc="Whether the list is visible; otherwise it requests nothing.")  # type: ignore[assignment]

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._list = FeedList(query=str(EventFilter.parse(self.query)), active=self.active, sizing_mode="stretch_both")
        self._list.join(controller)
        self._list.retry_with(partial(self.retry, controller))
        self._list.on_msg(self._on_message)
        self._list.param.watch(lambda event: self.param.update(query=str(EventFilter.parse(event.new))), "query")
        self.param.watch(lambda event: self._list.param.update(query=str(EventFilter.parse(event.new))), "query")
        self.param.watch(lambda event: self._list.param.update(active=event.new), "active")
        self.follow(self, "target", self.reset)
        self.reset()

    def __panel__(self) -> FeedList:
        return self._list

    def reset(self) -> None:
        """Make the browser drop its rows and request them again."""
        self._times: NDArray[np.float64] = np.empty(0)
        self._list.version += 1

    def extend(self, inserted: Inserted) -> None:
        """Make the browser request the rows that came, and show those that it has until the answer is there."""
        timeline, before = self._controller.timeline, self._times
        if timeline is None:
            return
        self._times = event_index_of(timeline).ts
        same = _goes_on(before, self._times)
        self._list.grown = [self._list.grown[0] + 1, float(before[-1]) if same else 0.0, *inserted.tolist()]

    def _on_message(self, event: "DataEvent") -> None:
        """Answer {ask: "feed", serial, version, query, stage, row, t, first?, group?} with a page.

        t: the time up to which events are listed; first: number of the first row, by default that of the page at t. With a
        stage, only the events up to t of the orders in it at t; with a row and the filter's `only`, those of that order; with the
        number of the selection's group, those of its orders. The rows are JSON text: as lists, Bokeh would encode value by value.
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
            "rows": json.dumps(self._rows(timeline, page), separators=(",", ":")),
        }

    def _find(self, timeline: Timeline, message: dict[str, Any], t: float) -> tuple[Positions, float]:
        """Return the positions of the requested events, and until what data time they are valid."""
        index, wanted = event_index_of(timeline), EventFilter.parse(message["query"])
        found = index.select(wanted.groups, wanted.text, self.target, self._controller.settings.late_after_s)
        row, stage = message.get("row", -1), message.get("stage", "")
        if wanted.only and isinstance(row, int) and 0 <= row < len(timeline.orders):
            found = index.of_orders(found, [row])
        group = self._controller.selection.group
        if group is not None and message.get("group") == group.number:
            found = index.of_orders(found, group.rows)
        if stage not in STATES:
            return found, math.inf
        # the orders in a stage change with the playhead: these rows are valid only at t
        found = index.of_orders(found[: index.before(found, t)], timeline.membership.at(t, stage).order)
        return found, t

    def _rows(self, timeline: Timeline, page: Page) -> Columns:
        """Return the page's rows in the columns of `ROW`."""
        late_after = self._controller.settings.late_after_s
        lines = event_index_of(timeline).lines(timeline, page.positions, self.target, late_after)
        return columns_of(
            ROW,
            ((line.t, line.order, line.icon, line.colour, line.problem, line.title, line.detail) for line in lines),
        )


@shared(most=2)
def _goes_on(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether the first of the times are those of before."""
    return 0 < len(before) <= len(after) and np.array_equal(before, after[: len(before)])
