"""The orders list: the open orders at the playhead, or those of one stage or group, the longest in their stage first."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import param
from numpy.typing import NDArray

from twin.analysis import wording
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import COMPLETED, STATES
from twin.replay.controller import ReplayController
from twin.timeline.membership import Members
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted, columns_of
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

MOST_ROWS = 300
"""Most rows of the list; more orders are only counted. 300 are enough for a list to read, and a message of about 5 KB.

Of completed, cancelled or stalled orders the newest are listed; of open ones, the first by the chosen sort."""

SEND_EVERY = 1.0
"""Wall seconds between two lists while playing: rows that change faster cannot be read or clicked."""

SORTS = ("since", "age", "stage", "id")
"""Longest in its stage, oldest, along the lifecycle, by id; a leading minus reverses the order."""


TEXT = ("row", "id", "short", "began", "delivered", "brands", "dated")
"""What does not change of an order: row number, id, short id, when it began, when it was delivered or None, its brands, and
whether the data has its creation."""


class OrderList(Component):
    """The list in the browser.

    `state` is {"rows", "stages", "since", "base", "texts", "counts", "more"}: the orders' row numbers as listed, the index of
    each one's state in `STATES`, and when it entered that, in seconds from `base`. "texts" has what does not change of the
    orders that are new in the list, in the columns of `TEXT`; a browser that lacks any requests all. "counts" is the number of
    orders in each state, "more" the number of orders that are not listed.
    """

    state: dict[str, Any] = param.Dict(default={}, doc="The list at the playhead.")  # type: ignore[assignment]
    sort: str = param.Selector(  # type: ignore[assignment]
        default="since", objects=[*SORTS, *(f"-{key}" for key in SORTS)], doc="What the rows are sorted by."
    )
    target = param.Number(default=DELIVERY_TARGET_S, doc="Promised delivery time, seconds.")
    active = param.Boolean(default=True, doc="Whether the list is visible; its ages are updated only then.")

    from_browser: ClassVar[tuple[str, ...]] = ("sort",)
    _esm = module_source(Path(__file__).with_name("order_list.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("order_list.css"))]


class OrderListView(ReplayView):
    """The orders at the playhead, one line each; the selection's stage or group is the filter.

    It is updated at most once a second while playing, and at once when the user seeks, selects or sorts.
    """

    active: bool = param.Boolean(  # type: ignore[assignment]
        default=True, doc="Whether the list is visible; otherwise it does nothing."
    )
    sort: str = param.Selector(  # type: ignore[assignment]
        default="since",
        objects=OrderList.param.sort.objects,
        doc="What the rows are sorted by: since, age, stage or id; a leading minus reverses the order.",
    )
    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")

    def __init__(self, controller: ReplayController, wall: Callable[[], float] = time.monotonic, **params: Any) -> None:
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._controller = controller
        self._wall = wall
        self._list = OrderList(sort=self.sort, target=self.target, active=self.active, sizing_mode="stretch_both")
        self._list.join(controller)
        self._list.retry_with(partial(self.retry, controller))
        self._list.on_msg(self._on_message)
        self._list.param.watch(lambda event: self.param.update(sort=event.new), "sort")
        self.param.watch(lambda event: self._list.param.update(**{event.name: event.new}), ["sort", "target", "active"])
        self.follow(self, ["active", "sort"], self._redraw)
        self.follow(controller.selection, ["stage", "group"], self._redraw)
        self.reset()

    def __panel__(self) -> OrderList:
        return self._list

    def reset(self) -> None:
        """Use the controller's timeline; the next `show` sends its orders."""
        self._timeline: Timeline | None = self._controller.timeline
        self._began = np.empty(0) if self._timeline is None else self._timeline.orders.began
        self._sent_rows: frozenset[int] = frozenset()
        self._shown: tuple[Any, ...] | None = None
        self._sent = -np.inf
        self._epoch = -1

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline; the next `show` sends what has changed."""
        assert self._controller.timeline is not None
        self._timeline = self._controller.timeline
        self._began = self._timeline.orders.began
        if len(inserted):
            self._sent_rows, self._shown = frozenset(), None

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the orders of the snapshot; sends nothing if the same orders are in the same stages."""
        if self._timeline is None or self._timeline is not self._controller.timeline or not self.active:
            return  # another timeline was loaded and shown before `reset` has been called for it
        anchor, wall = self._controller.anchor, self._wall()
        if anchor.playing and anchor.epoch == self._epoch and wall - self._sent < SEND_EVERY:
            return
        self._epoch, self._sent = anchor.epoch, wall
        self._draw(snapshot)

    def _draw(self, snapshot: Snapshot) -> None:
        timeline = self._timeline
        assert timeline is not None
        stage, group = self._controller.selection.stage, self._controller.selection.group
        if group is not None:
            listed = timeline.membership.of(group.rows, snapshot.t)
        else:
            listed = timeline.membership.at(snapshot.t, stage) if stage else snapshot.open_orders
        some = _newest(listed) if stage in STATES[COMPLETED:] else listed
        shown = some.take(self._sorted(some)[:MOST_ROWS])
        counts = snapshot.counts
        key = (shown.order.tobytes(), shown.state.tobytes(), shown.since.tobytes(), len(listed), tuple(counts.values()))
        if key == self._shown:
            return
        self._shown = key
        rows = shown.order.tolist()
        texts = columns_of(TEXT, (self._text(timeline, row) for row in rows if row not in self._sent_rows))
        self._sent_rows = frozenset(rows)
        self._list.state = {
            "rows": rows,
            "stages": shown.state.tolist(),
            "since": [round(since - timeline.window.start, 1) for since in shown.since.tolist()],
            "base": timeline.window.start,
            "texts": texts,
            "counts": counts,
            "more": len(listed) - len(rows),
        }

    def _sorted(self, listed: Members) -> NDArray[np.intp]:
        """Return the positions of the listed orders, sorted by `sort`; of equal ones, the longest in its stage first."""
        descending, by = self.sort.startswith("-"), self.sort.lstrip("-")
        keys: dict[str, NDArray[Any]] = {
            "since": listed.since,
            "age": self._began[listed.order],
            "stage": listed.state,
            "id": listed.order,  # rows are numbered in the order of their ids
        }
        return np.lexsort((listed.order, listed.since, -keys[by].astype(np.float64) if descending else keys[by]))

    def _text(self, timeline: Timeline, row: int) -> tuple[Any, ...]:
        orders = timeline.orders
        order_id = str(orders.ids[row].as_py())
        delivered = float(orders.delivered[row])
        return (
            row,
            order_id,
            wording.short_id(order_id),
            float(self._began[row]),
            None if np.isnan(delivered) else delivered,
            wording.brands_text(wording.brand_names(orders.items(row))),
            bool(np.isfinite(orders.created[row])),
        )

    def _redraw(self) -> None:
        """Show the orders at the playhead at once."""
        if self._timeline is None or not self.active:
            return
        self._sent = self._wall()
        self._draw(self._timeline.at(self._controller.now()))

    def _on_message(self, event: "DataEvent") -> None:
        if event.data == {"ask": "texts"}:
            self._sent_rows, self._shown = frozenset(), None
            self._redraw()


def _newest(listed: Members) -> Members:
    """Return the `MOST_ROWS` orders that entered their state last."""
    return listed.take(np.sort(np.argsort(-listed.since, kind="stable")[:MOST_ROWS]))
