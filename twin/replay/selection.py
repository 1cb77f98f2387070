"""What the user looks at: one order, one stage. Every view on a controller shows the same selection."""

from typing import Any

import param

from twin.foundation.stages import STATES
from twin.timeline.timeline import Timeline

MAX_VERSION = 2**53
"""Versions are counted in the browser too, where whole numbers end here."""


class Selection(param.Parameterized):
    """The order and the stage that are picked out; either may be none.

    A browser applies a choice at once and tells it with the `version` it gave it; the higher version is the newer one.
    An order is kept by its id, so that it stays selected when another range of the same kitchen is loaded; `row` is its
    number in the timeline that is shown, which is what views and browsers work with. Rows mean something in their own
    timeline only: a browser says which one (`loads`) it was looking at, and a row of an earlier one is not taken.

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
    version: int = param.Integer(
        default=0, constant=True, doc="Grows with every change; watch this to follow them all."
    )  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._timeline: Timeline | None = None
        self._loads = 0

    @property
    def away(self) -> bool:
        """Whether the selected order is not in the timeline that is loaded."""
        return bool(self.order) and self.row < 0

    def select(self, order: str | int | None) -> None:
        """Select an order by its id or its row; None selects nothing. Raises ValueError for a row that is not there."""
        if isinstance(order, int):
            row, name = self._known(order)
        else:
            name = order or ""
            row = -1 if self._timeline is None else self._timeline.orders.row_of.get(name, -1)
        self._take(order=name, row=row)

    def filter(self, stage: str) -> None:
        """Show the orders of one stage only; empty shows all. Raises ValueError for a stage that does not exist."""
        if stage not in ("", *STATES):
            raise ValueError(f"There is no stage {stage!r}: it can be {', '.join(STATES)}.")
        self._take(stage=stage)

    def clear(self) -> None:
        """Select nothing and show every stage."""
        self._take(order="", row=-1, stage="")

    def attach(self, timeline: Timeline | None) -> None:
        """Take the timeline that rows count in; the selected order is looked up in it. For the controller."""
        self._timeline = timeline
        self._loads += 1
        rows = getattr(getattr(timeline, "orders", None), "row_of", {})
        self._take(row=rows.get(self.order, -1) if self.order else -1)

    def to_browser(self) -> dict[str, Any]:
        """Return the selection as JSON for the browser; `loads` counts the timelines that rows have counted in."""
        told = {name: getattr(self, name) for name in ("row", "stage", "away")}
        return {**told, "loads": self._loads, "version": self.version}

    def obey(self, message: Any) -> None:
        """Carry out a browser's message {row, stage, version, + away, loads}.

        ValueError, and the browser put right, if it makes no sense. A row of a timeline that has been replaced since is
        not taken, but the stage is: the user chose before the new rows came.
        """
        asked = 0
        try:
            match message:
                case {"row": int() as row, "stage": str() as stage, "version": int() as version} if (
                    version < MAX_VERSION
                ):
                    asked = version
                    if stage not in ("", *STATES):
                        raise ValueError(f"There is no stage {stage!r}.")
                    self._take(asked, stage=stage, **self._asked_order(row, message))
                case _:
                    raise ValueError(f"A selection is row, stage and version, not {message!r}.")
        except ValueError:
            self._take(asked)
            raise

    def _asked_order(self, row: int, message: dict[str, Any]) -> dict[str, Any]:
        """Return what changes about the order: nothing for a row of an earlier timeline, or where one that is away stays."""
        if row < 0:
            return {} if message.get("away") else {"order": "", "row": -1}
        if message.get("loads", self._loads) != self._loads:
            return {}
        number, name = self._known(row)
        return {"order": name, "row": number}

    def _known(self, row: int) -> tuple[int, str]:
        if self._timeline is None or not 0 <= row < len(self._timeline.orders):
            raise ValueError(f"There is no order in row {row} of this timeline.")
        return row, str(self._timeline.orders.ids[row].as_py())

    def _take(self, asked: int = 0, **changes: Any) -> None:
        with param.parameterized.batch_call_watchers(self), param.edit_constant(self):
            self.param.update(version=max(self.version + 1, asked), **changes)
