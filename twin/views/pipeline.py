"""The kitchen pipeline: five stages with their orders now, the time they take, and where it is piling up."""

from typing import TYPE_CHECKING, Any, ClassVar

import param

from twin.metrics import StageFigures, index_of
from twin.stages import COMPLETED, STAGES
from twin.views.component import Component, module_source, style_source
from twin.views.view import ReplayView
from twin.words import average_text, minutes_text

if TYPE_CHECKING:
    from twin.replay.controller import ReplayController
    from twin.timeline import Snapshot, Timeline

STAGE_LIMITS: dict[str, float] = {
    "created": 5 * 60.0,
    "cooking": 20 * 60.0,
    "ready": 15 * 60.0,
    "out_for_delivery": 30 * 60.0,
}
"""Seconds in a stage after which an order is out of the ordinary: the kitchens' mean plus three standard deviations
(2 ± 1, 10 ± 3 and 8 ± 2 minutes), and the promised delivery time for the road."""


class PipelineStrip(Component):
    """The strip in the browser; `state` maps stage keys to the texts that it shows."""

    state = param.Dict(default={}, doc="Texts per stage, and `beside`: cancelled and stalled orders.")

    _esm = module_source("pipeline.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("pipeline.css")]


class PipelineView(ReplayView):
    """The five stages at the playhead.

    A time over the stage's limit is marked, and the whole stage is tinted when one of its averages is over, not when
    only its oldest order is: one forgotten order must not colour the strip for hours.
    """

    limits = param.Dict(default=STAGE_LIMITS, doc="Seconds in a stage beyond which it is marked, per stage key.")

    def __init__(self, controller: "ReplayController", **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._strip = PipelineStrip(sizing_mode="stretch_width")
        self._strip.join(controller)
        self.reset()

    def __panel__(self) -> PipelineStrip:
        return self._strip

    def reset(self) -> None:
        """Take the controller's timeline; the numbers follow with the next `show`."""
        self._timeline: Timeline | None = self._controller.timeline

    def show(self, snapshot: "Snapshot") -> None:  # type: ignore[override]
        """Show the stages at the snapshot's moment; nothing is sent unless a shown text changes."""
        if self._timeline is None:
            return
        index = index_of(self._timeline)
        counts = snapshot.counts
        state: dict[str, Any] = {
            figures.key: self._stage(figures, counts[figures.key]) for figures in index.stages(snapshot)
        }
        share, due = index.completion(snapshot.t)
        # one decimal, rounded down: "100 %" must mean all of them
        state[STAGES[COMPLETED]]["share"] = None if share is None else f"{int(share * 1000) / 10:.1f} %"
        state[STAGES[COMPLETED]]["due"] = due
        state["beside"] = {key: counts[key] for key in ("cancelled", "stalled") if counts[key]}
        if state != self._strip.state:
            self._strip.state = state

    def _stage(self, figures: StageFigures, count: int) -> dict[str, Any]:
        limit = self.limits.get(figures.key, float("inf"))
        return {
            "count": count,
            "service": None if figures.service is None else average_text(figures.service),
            "served": figures.served,
            "excluded": figures.excluded,
            "age": None if figures.age is None else minutes_text(figures.age),
            "oldest": None if figures.oldest is None else minutes_text(figures.oldest),
            "flow": figures.entered,
            "over": {
                "service": figures.service is not None and figures.service > limit,
                "age": figures.age is not None and figures.age > limit,
                "oldest": figures.oldest is not None and figures.oldest > limit,
            },
            "limit": minutes_text(limit) if limit < float("inf") else None,
        }
