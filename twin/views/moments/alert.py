"""The alert: a card with the trouble at the playhead, its begin and severity; without one, a quiet line.

As it was known then, unless the page is to show it with hindsight: then the card has the moments of the whole range.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.analysis.moments import Moment
from twin.analysis.moments.known import JUST_ENDED
from twin.analysis.moments.unfolding import KnownFrom
from twin.foundation.cache import shared
from twin.replay.controller import ReplayController
from twin.sources.base import Window
from twin.views.moments.known import known_to_browser
from twin.views.moments.moments import span_of, to_browser
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.kitchen_state import states_to_browser
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView


class AlertCard(Component):
    """The card in the browser, which chooses by its own clock what to show."""

    moments: list[dict[str, Any]] | None = param.List(  # type: ignore[assignment]
        default=None,
        allow_None=True,
        doc="The troubles with hindsight, ranked, as `to_browser` returns them; None while they are computed.",
    )
    known: list[dict[str, Any]] = param.List(  # type: ignore[assignment]
        default=[],
        item_type=dict,
        doc="What was known of troubles, by blocks of hours, as `known_to_browser` returns it.",
    )
    empty: bool = param.Boolean(
        default=False, doc="Whether the range has no orders, in which case “no trouble” is not shown either."
    )  # type: ignore[assignment]
    problem: str = param.String(default="", doc="Why no troubles could be computed; empty if they can.")  # type: ignore[assignment]
    partly: bool = param.Boolean(default=False, doc="Whether a detector failed, so that a trouble may be missing.")  # type: ignore[assignment]
    states: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={}, doc="The kitchen's states over the range (`states_to_browser`); empty while they are not known."
    )
    only_hindsight: bool = param.Boolean(
        default=False,
        doc="Whether nobody will work out what was known: then it always shows the whole range's troubles.",
    )  # type: ignore[assignment]
    tail: float = param.Number(default=JUST_ENDED, doc="Seconds for which a trouble that has ended is shown.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("alert.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("alert.css"))]


class AlertView(ReplayView):
    """The most severe trouble at the playhead; while there is none, the last one, or with hindsight the next one."""

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._unfolded: tuple[dict[int, tuple[KnownFrom, ...]], Window | None] | None = None  # what the card has
        self._card = AlertCard(sizing_mode="stretch_width")
        self._card.join(controller)
        self._card.retry_with(partial(self.retry, controller))
        self.follow(controller, "insights_problem", self.learn)
        self.follow(controller, "unfolded", self._unfold)
        self.learn()

    def __panel__(self) -> AlertCard:
        return self._card

    def reset(self) -> None:
        """Drop the troubles of the previous timeline."""
        self.learn()

    def extend(self, inserted: Inserted) -> None:
        """Keep the troubles: those of the later timeline come with `learn`."""

    def learn(self) -> None:
        """Show the troubles of the controller's insights."""
        insights = self._controller.insights
        timeline = self._controller.timeline
        self._card.tell(
            moments=None if insights is None else _troubles(insights.moments, span_of(self._controller)),
            states=states_to_browser(insights),
            empty=timeline is not None and not timeline.has_orders,
            problem="" if insights is not None else self._controller.insights_problem,
            partly=insights is not None and bool(insights.failed),
        )
        self._unfold()

    def _unfold(self) -> None:
        """Show what the controller has of how troubles unfolded."""
        timeline = self._controller.timeline
        what = self._controller.unfolded, None if timeline is None else timeline.window
        if self._unfolded is None or what[0] is not self._unfolded[0] or what[1] != self._unfolded[1]:
            self._unfolded = what
            self._card.known = known_to_browser(self._controller)


@shared()
def _troubles(moments: Sequence[Moment], span: float) -> list[dict[str, Any]]:
    return [one for one in to_browser(moments, span) if one["trouble"]]
