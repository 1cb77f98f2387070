"""The moments list: the range's moments, ranked, each with its sentence; a click seeks to it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.analysis.insights import Insights
from twin.analysis.moments import KINDS, TROUBLES, Moment
from twin.analysis.moments.moment import when_in
from twin.foundation.cache import shared
from twin.replay.controller import ReplayController
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

ICON_OF = {
    "driver_shortage": "car",
    "drivers_late": "clock",
    "food_waiting": "box",
    "slow_kitchen": "flame",
    "outage": "bolt",
    "demand_spike": "rise",
    "slow_delivery": "arrow",
    "unusual_deliveries": "check",
    "peak": "peak",
}
"""Kind of moment -> name of its icon; any other kind has the alert icon."""


@shared(most=16)
def to_browser(moments: Sequence[Moment], span: float = 0.0) -> list[dict[str, Any]]:
    """Return ranked moments as JSON; `rank` counts from 1, `trouble` is false for moments that are only busy.

    `span` is the length of the range that they are of, seconds: beyond a week `when` has the date.
    """
    return [
        {
            "rank": rank,
            "kind": moment.kind,
            "stage": moment.stage,
            "label": KINDS.get(moment.kind, moment.kind),
            "icon": ICON_OF.get(moment.kind, "alert"),
            "trouble": moment.kind in TROUBLES,
            "start": moment.start,
            "end": moment.end,
            "at": moment.at,
            "settled": max(moment.end, moment.settled),
            "when": when_in(moment, span),
            "severity": moment.severity,
            "title": moment.title,
            "sentence": moment.sentence,
            "why": moment.why,
        }
        for rank, moment in enumerate(moments, 1)
    ]


def span_of(controller: ReplayController) -> float:
    """Return the length of the loaded range, seconds; 0 without one."""
    window = None if controller.timeline is None else controller.timeline.window
    return 0.0 if window is None else window.end - window.start


def judged_by(insights: Insights) -> str:
    """Return as text what the moments of a timeline were compared with."""
    days = insights.baseline.days
    if not days:
        return "the rest of this range, because there is no history before it"
    return "the same hours of one other day" if days == 1 else f"the same hours of {days} other days"


class MomentsList(Component):
    """The list in the browser, which follows the playhead by its own clock."""

    moments: list[dict[str, Any]] | None = param.List(  # type: ignore[assignment]
        default=None, allow_None=True, doc="As `to_browser` returns them; None while they are computed."
    )
    problem: str = param.String(default="", doc="Why no moments could be computed; empty if they can.")  # type: ignore[assignment]
    unexamined: list[str] = param.List(  # type: ignore[assignment]
        default=[], item_type=str, doc="What could not be examined because a detector failed."
    )
    judged: str = param.String(default="", doc="What they were compared with.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("moments.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("moments.css"))]


class MomentsView(ReplayView):
    """The moments of the range; a click seeks to one."""

    count: int = param.Integer(default=0, bounds=(0, None), doc="Moments in the list, for a tab's label.")  # type: ignore[assignment]

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._list = MomentsList(sizing_mode="stretch_both")
        self._list.join(controller)
        self._list.retry_with(partial(self.retry, controller))
        self.follow(controller, "insights_problem", self.learn)
        self.learn()

    def __panel__(self) -> MomentsList:
        return self._list

    def reset(self) -> None:
        """Drop the moments of the previous timeline."""
        self.learn()

    def extend(self, inserted: Inserted) -> None:
        """Keep the moments: those of the later timeline come with `learn`."""

    def learn(self) -> None:
        """Show the moments of the controller's insights."""
        insights = self._controller.insights
        if insights is None:
            self.count = 0
            self._list.param.update(moments=None, judged="", problem=self._controller.insights_problem, unexamined=[])
            return
        self.count = len(insights.moments)
        self._list.tell(
            moments=to_browser(insights.moments, span_of(self._controller)),
            judged=judged_by(insights),
            problem="",
            unexamined=insights.unexamined,
        )
