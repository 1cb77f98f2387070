"""The user's selection: one order, and one stage or one group of orders. All views of a controller share it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import param
import pyarrow as pa

from twin.foundation.cache import shared
from twin.foundation.stages import STATES
from twin.timeline.timeline import Timeline

MAX_VERSION = 2**53
"""Browsers count versions too, and their integers are exact up to this."""
EARLIER = 3
"""Extensions of a timeline within which a click on a row of before still counts: it was on its way."""


@dataclass(frozen=True, slots=True)
class Group:
    """Orders that were picked out together, as those of a bar of Why late?: `rows` in the timeline, and what they are in words.

    `number` tells it from other groups.
    """

    number: int
    label: str
    rows: tuple[int, ...]

    def neighbour(self, row: int, step: int) -> int | None:
        """Return the row after (`step` 1) or before (−1) one of the group, None at its ends; of others the group's first."""
        if row not in self.rows:
            return self.rows[0] if self.rows else None
        at = self.rows.index(row) + step
        return self.rows[at] if 0 <= at < len(self.rows) else None


class Selection(param.Parameterized):
    """The selected order, and what all views are narrowed to: the orders of a stage or of a group. Any may be none.

    A browser applies a selection at once and sends it with its new `version`; of two selections the higher version is newer.
    An order is selected by its id, so that it stays selected when another range of the same kitchen is loaded; `row` is its
    number in the current timeline, which views and browsers work with. A row is valid in its own timeline only: a browser
    sends the number of the timeline (`loads`) that it showed, and a row of an earlier timeline is ignored.

    >>> chosen = Selection()
    >>> chosen.filter("ready")
    >>> chosen.to_browser()
    {'row': -1, 'stage': 'ready', 'away': False, 'loads': 0, 'version': 1}
    """

    order: str = param.String(default="", constant=True, doc="Id of the selected order; empty: none.")  # type: ignore[assignment]
    row: int = param.Integer(default=-1, constant=True, doc="Its row in `timeline.orders`; -1: none, or not loaded.")  # type: ignore[assignment]
    stage: str = param.Selector(  # type: ignore[assignment]
        default="", objects=["", *STATES], constant=True, doc="The only stage whose orders are shown; empty: all."
    )
    group: Group | None = param.ClassSelector(  # type: ignore[assignment]
        class_=Group, default=None, allow_None=True, constant=True, doc="The only orders that are shown; None: all."
    )
    version: int = param.Integer(
        default=0, constant=True, doc="Increases with every change; watch this to see them all."
    )  # type: ignore[assignment]
    loads: int = param.Integer(  # type: ignore[assignment]
        default=0,
        constant=True,
        doc="Numbers the timelines whose rows have other numbers than those of the one before.",
    )

    def __init__(self) -> None:
        super().__init__()
        self._timeline: Timeline | None = None
        self._earlier: dict[int, pa.StringArray] = {}  # ids by row, of the timelines that were extended last
        self._groups = 0

    @property
    def away(self) -> bool:
        """Whether the selected order is not in the current timeline."""
        return bool(self.order) and self.row < 0

    def select(self, order: str | int | None) -> None:
        """Select an order by its id or its row; None selects nothing. Raises ValueError for a row that does not exist."""
        if isinstance(order, int):
            row, name = self._row_and_id(order)
        else:
            name = order or ""
            row = -1 if self._timeline is None else self._timeline.orders.row_of.get(name, -1)
        self._take(order=name, row=row)

    def filter(self, stage: str) -> None:
        """Show the orders of one stage only; empty shows all. Raises ValueError for an unknown stage."""
        if stage not in ("", *STATES):
            raise ValueError(f"There is no stage {stage!r}: it can be {', '.join(STATES)}.")
        self._take(stage=stage, group=None)

    def gather(self, label: str, rows: Sequence[int]) -> Group:
        """Show these orders only, and no stage. Raises ValueError for a row that does not exist."""
        for row in rows:
            self._row_and_id(row)
        self._groups += 1
        group = Group(self._groups, label, tuple(rows))
        self._take(stage="", group=group)
        return group

    def show_all(self) -> None:
        """Show the orders of all stages; the order stays selected."""
        self._take(stage="", group=None)

    def clear(self) -> None:
        """Select nothing and show every stage."""
        self._take(order="", row=-1, stage="", group=None)

    def attach(self, timeline: Timeline | None) -> None:
        """Set the timeline that rows refer to, and look up the selected order in it. The controller calls this."""
        self._timeline = timeline
        self._earlier = {}
        rows = getattr(getattr(timeline, "orders", None), "row_of", {})
        self._take(loads=self.loads + 1, row=rows.get(self.order, -1) if self.order else -1, group=None)

    def move_to(self, timeline: Timeline) -> None:
        """Set a later timeline of the same kitchen, in which rows may have other numbers: order and group stay selected.

        Where nothing is selected, no more than `loads` changes, and nothing at all if no order came.
        """
        rows, before = timeline.orders.row_of, self._timeline
        self._timeline = timeline
        if before is not None and _are_same(before.orders.ids, timeline.orders.ids):
            return
        group = self.group
        if before is not None:
            if group is not None:
                named = [str(before.orders.ids[row].as_py()) for row in group.rows]
                group = Group(group.number, group.label, tuple(rows[name] for name in named if name in rows))
            recent = {loads: ids for loads, ids in self._earlier.items() if loads > self.loads - EARLIER}
            self._earlier = {**recent, self.loads: before.orders.ids}
        if self.order or group is not None:
            self._take(loads=self.loads + 1, row=rows.get(self.order, -1) if self.order else -1, group=group)
        else:
            with param.edit_constant(self):
                self.loads += 1

    def to_browser(self) -> dict[str, Any]:
        """Return the selection as JSON for the browser; `loads` is the number of the timeline that `row` refers to."""
        selected = {name: getattr(self, name) for name in ("row", "stage", "away")}
        if self.group is not None:
            selected["group"] = {
                "number": self.group.number,
                "label": self.group.label,
                "orders": len(self.group.rows),
            }
        return {**selected, "loads": self.loads, "version": self.version}

    def handle_message(self, message: Any) -> None:
        """Carry out a browser's message {row, stage, version, + away, loads, group}.

        `group` is the number of the group that stays; without it, or with another one, none does.

        Raises ValueError for an invalid message, after sending the current selection again. A row of a timeline that has been
        replaced since is ignored, but the stage applies: it does not depend on the timeline.
        """
        sent = 0
        try:
            match message:
                case {"row": int() as row, "stage": str() as stage, "version": int() as version} if (
                    version < MAX_VERSION
                ):
                    sent = version
                    if stage not in ("", *STATES):
                        raise ValueError(f"There is no stage {stage!r}.")
                    stays = self.group is not None and message.get("group") == self.group.number and not stage
                    group = self.group if stays else None
                    self._take(sent, stage=stage, group=group, **self._order_change(row, message))
                case _:
                    raise ValueError(f"A selection is row, stage and version, not {message!r}.")
        except ValueError:
            self._take(sent)
            raise

    def _order_change(self, row: int, message: dict[str, Any]) -> dict[str, Any]:
        """Return the new order and row; nothing for a row of an earlier timeline, or if an order that is away stays selected."""
        if row < 0:
            return {} if message.get("away") else {"order": "", "row": -1}
        loads = message.get("loads", self.loads)
        if loads != self.loads and loads in self._earlier and self._timeline is not None:
            ids = self._earlier[loads]
            name = str(ids[row].as_py()) if row < len(ids) else ""
            return (
                {"order": name, "row": self._timeline.orders.row_of[name]}
                if name in self._timeline.orders.row_of
                else {}
            )
        if loads != self.loads:
            return {}
        number, name = self._row_and_id(row)
        return {"order": name, "row": number}

    def _row_and_id(self, row: int) -> tuple[int, str]:
        if self._timeline is None or not 0 <= row < len(self._timeline.orders):
            raise ValueError(f"There is no order in row {row} of this timeline.")
        return row, str(self._timeline.orders.ids[row].as_py())

    def _take(self, sent: int = 0, **changes: Any) -> None:
        with param.parameterized.batch_call_watchers(self), param.edit_constant(self):
            self.param.update(version=max(self.version + 1, sent), **changes)


@shared(most=2)
def _are_same(ids: pa.StringArray, others: pa.StringArray) -> bool:
    return bool(ids.equals(others))
