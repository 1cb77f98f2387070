"""The badge of a kitchen that is followed: LIVE with the age of the data, or how far the page is behind, with a way back."""

import math
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param

from twin.analysis.event_index import event_index_of
from twin.replay.controller import ReplayController
from twin.replay.live import LiveState
from twin.timeline.timeline import Snapshot
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

COUNT_EVERY_S = 1.0
"""Wall seconds between two counts of what has happened since a playhead that plays."""


class LiveBadge(Component):
    """The badge in the browser, which counts the seconds by its own clock; other views take from it what they say of the edge."""

    now: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="Of a kitchen that is followed: `age` of the newest event when this was sent, wall seconds; `pace`, data seconds per "
        "wall second; `gap`, `after`, `until`: how often events come, and when silence is worth a word, data seconds, null: no "
        "saying; `final`: figures before this time are final; `corrected`: [from, to] of times of which something came in after "
        "they were final; `problem`, a sentence.",
    )
    since: int = param.Integer(default=0, doc="Events between the playhead and the latest.")  # type: ignore[assignment]
    unknown: int = param.Integer(  # type: ignore[assignment]
        default=0, doc="Events that had happened by the playhead and of which those who followed did not know then."
    )
    offered: bool = param.Boolean(default=False, doc="Whether the kitchen shown can be followed.")  # type: ignore[assignment]
    large: bool = param.Boolean(default=False, doc="Whether it is read from afar, and not pressed.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("live.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("live.css"))]


class LiveView(ReplayView):
    """Shows in which of the three states a replay is (twin/replay/following.py); nothing for a kitchen that does not grow."""

    now: LiveState | None = param.Parameter(
        default=None, doc="The kitchen that is followed, as it is now; None: none is."
    )  # type: ignore[assignment]
    offered: bool = param.Boolean(default=False, doc="Whether the kitchen shown can be followed.")  # type: ignore[assignment]

    def __init__(
        self,
        controller: ReplayController,
        on_live: Callable[[], Coroutine[Any, Any, None]] | None = None,
        wall: Callable[[], float] = time.monotonic,
        large: bool = False,
        **params: Any,
    ) -> None:
        """`on_live()` follows the kitchen shown, from a range that does not grow, too; `large`: on a wall."""
        super().__init__(**params)
        self._controller, self._on_live, self._wall = controller, on_live, wall
        self._counted = -math.inf
        self._badge = LiveBadge(margin=0, large=large)
        self._badge.join(controller)
        self._badge.on_msg(self._on_message)
        self._badge.retry_with(partial(self.retry, controller))
        self.follow(self, ["now", "offered"], self._tell)
        self._tell()

    def __panel__(self) -> LiveBadge:
        return self._badge

    def reset(self) -> None:
        """Count anew with the next `show`."""
        self._counted = -math.inf

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Count what has happened since the snapshot, while the page is behind."""
        timeline, controller = self._controller.timeline, self._controller
        if timeline is None or controller.state != "behind" or controller.anchor.edge is None:
            return
        wall = self._wall()
        if controller.playing and wall - self._counted < COUNT_EVERY_S:
            return
        self._counted = wall
        first, last = np.searchsorted(event_index_of(timeline).ts, (snapshot.t, controller.anchor.edge), "right")
        self._badge.param.update(since=max(0, int(last - first)), unknown=timeline.unknown_at(snapshot.t))

    def _tell(self) -> None:
        now = self.now
        if now is None:
            self._badge.param.update(now={}, offered=self.offered)
            return
        rhythm = now.rhythm
        self._badge.param.update(
            now={
                "age": round(max(0.0, self._wall() - now.came), 2),
                "pace": now.pace,
                "gap": _finite(rhythm.gap),
                "after": _finite(rhythm.after),
                "until": _finite(rhythm.until),
                "final": now.final,
                "corrected": now.corrected,
                "problem": now.problem,
            },
            offered=True,
        )

    def _on_message(self, event: Any) -> None:
        if event.data == {"live": True} and self._on_live is not None:
            pn.state.execute(self._on_live)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
