"""The alert: what is wrong at the playhead, since when and how badly, in one card; else a quiet line."""

from pathlib import Path
from typing import Any, ClassVar

import param

from twin.replay.controller import ReplayController
from twin.views.moments.moments import to_browser
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView

JUST_ENDED = 10 * 60.0
"""Seconds after a trouble's end for which it is still told: who comes a little late shall learn what happened."""


class AlertCard(Component):
    """The card in the browser, which chooses by its own clock what to show."""

    moments: list[dict[str, Any]] | None = param.List(  # type: ignore[assignment]
        default=None, allow_None=True, doc="The troubles, ranked, as `to_browser` gives them; None while looked for."
    )
    empty: bool = param.Boolean(
        default=False, doc="Whether the range has no orders: then there is no peace to tell of."
    )  # type: ignore[assignment]
    tail: float = param.Number(default=JUST_ENDED, doc="Seconds for which a trouble that has ended is shown.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("alert.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("alert.css"))]


class AlertView(ReplayView):
    """The most severe trouble at the playhead; while there is none, the next one."""

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._card = AlertCard(sizing_mode="stretch_width")
        self._card.join(controller)
        self.learn()

    def __panel__(self) -> AlertCard:
        return self._card

    def reset(self) -> None:
        """Forget the troubles of another timeline."""
        self.learn()

    def learn(self) -> None:
        """Take the troubles that the controller knows of."""
        insights = self._controller.insights
        known = None if insights is None else [moment for moment in to_browser(insights.moments) if moment["trouble"]]
        timeline = self._controller.timeline
        self._card.param.update(moments=known, empty=timeline is not None and not timeline.has_orders)
