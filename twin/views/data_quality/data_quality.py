"""The data quality chip: how many raw rows were used, how many were rejected, and why; which files could not be read."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import param

from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.timeline.timeline import DataQuality
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

MOST_NAMED = 20
"""Files that the sheet names; of more it says how many."""
LATE = "came after its time was final"
"""Why an event of a live kitchen is flagged that changed figures which had been final."""


class DataQualityChip(Component):
    """The chip and its popover in the browser."""

    state = param.Dict(
        default={},
        doc="`read` and `used` rows, `rejected` and `flagged` rows by reason, largest first; `left_out` files, of which "
        "`named` are sentences.",
    )
    age = param.Dict(
        default={}, doc="Of a source that grows: `as_of`, when it was last checked; `note`, the result; `stale`."
    )
    looking = param.Boolean(default=False, doc="Whether a check for newer events is running.")

    _esm = module_source(Path(__file__).with_name("data_quality.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("data_quality.css"))]


class DataQualityView(ReplayView):
    """The data quality of the controller's timeline, and the data's age; hidden while there is no timeline."""

    as_of: float | None = param.Number(  # type: ignore[assignment]
        default=None,
        allow_None=True,
        doc="When the source was last checked, seconds since 1970; None: it does not grow.",
    )
    stale: str = param.String(default="", doc="Why the last check for newer events failed; empty if it did not.")  # type: ignore[assignment]
    late: int = param.Integer(
        default=0, doc="Events of a live kitchen that came after the figures of their time were final."
    )  # type: ignore[assignment]

    def __init__(
        self, controller: ReplayController, on_refresh: Callable[[], Awaitable[str]] | None = None, **params: Any
    ) -> None:
        """`on_refresh()` checks for newer events and returns the result as a sentence."""
        super().__init__(**params)
        self._controller = controller
        self._on_refresh = on_refresh
        self._chip = DataQualityChip()
        self._chip.on_msg(self._on_message)
        self._chip.retry_with(partial(self.retry, controller))
        self._note = ""
        self._window: Window | None = None  # of the counts shown
        self.follow(self, "late", self.reset)
        self.reset()
        self._update_age()

    def __panel__(self) -> DataQualityChip:
        return self._chip

    @property
    def age(self) -> str:
        """When the source was last checked, as text; empty if it does not grow."""
        if self.as_of is None:
            return ""
        checked = datetime.fromtimestamp(self.as_of, UTC)
        return f"{checked:%a} {checked.day} {checked:%b %H:%M} UTC"

    def _on_message(self, event: Any) -> None:
        if event.data == {"act": "look"} and self._on_refresh is not None and not self._chip.looking:
            self._chip.looking = True
            pn.state.execute(self._refresh)

    async def _refresh(self) -> None:
        assert self._on_refresh is not None
        try:
            self._note = await self._on_refresh()
        finally:
            self._chip.looking = False
            self._update_age()

    @param.depends("as_of", "stale", watch=True)
    def _update_age(self) -> None:
        age = {"as_of": self.age, "note": self.stale or self._note, "stale": bool(self.stale)}
        self._chip.age = age if self.age else {}

    def reset(self) -> None:
        """Show the data quality of the controller's timeline."""
        timeline = self._controller.timeline
        self._window = None if timeline is None else timeline.window
        self._chip.visible = timeline is not None
        if timeline is not None:
            self._chip.state = _state(timeline.data_quality, self.late)

    def extend(self, inserted: Inserted) -> None:
        """Show the counts of the controller's timeline once a minute of its time: nobody counts along with every batch."""
        if self._controller.timeline is not None and self._controller.timeline.window != self._window:
            self.reset()


def _state(quality: DataQuality, late: int = 0) -> dict[str, Any]:
    flagged = {**quality.flagged, LATE: late} if late else quality.flagged
    return {
        "read": quality.read,
        "used": quality.used,
        "rejected": _largest_first(quality.rejected),
        "flagged": _largest_first(flagged),
        "left_out": len(quality.left_out),
        "named": [f"{text}." for text in quality.left_out[:MOST_NAMED]],
        "guessed": len(quality.assumed),
        "guesses": [f"{text}." for text in quality.assumed[:MOST_NAMED]],
    }


def _largest_first(counts: Mapping[str, int]) -> list[list[Any]]:
    """Return [reason, count] pairs, largest first, without reasons that no row has."""
    return [[reason, n] for reason, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n]
