"""The kitchen pipeline: five stages with their orders now, the times in them, and where orders pile up."""

import json
import logging
import math
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import param

from twin.analysis.baseline import Baseline
from twin.analysis.driver_supply import drivers_at
from twin.analysis.limits import AMBER, FINE, RED, Limits, age_level, level, service_level, stage_limits
from twin.analysis.metrics import SERIES_STEP, StageFigures, metrics_of
from twin.foundation.cache import shared
from twin.foundation.settings import COLD_AFTER_S, STAGE_AMBER, STAGE_RED
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, READY, STAGES, STATES
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.pipeline.stage_orders import StageOrders
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

log = logging.getLogger(__name__)


class PipelineStrip(Component):
    """The strip in the browser.

    `state` is JSON text, because Bokeh takes ten times as long to serialize a dict. It has, per stage key: count; flow, the
    orders that entered in 60 minutes; `told`, whether the data has this stage at all; service, usual, age and oldest, seconds
    or null; served and excluded, the orders in the average and excluded from it; levels of service, age and oldest: 0 fine,
    1 amber, 2 red; `lead`, where another day stands beside this one: by how many orders this one is ahead (negative: behind;
    null: not known). Completed has cancelled and stalled instead: the three are what was closed today; and `delivers`, whether
    the data ever tells of a delivery, without which nobody knows that an order is stalled. `drivers`,
    where the data tells of them: on_road, waiting (null: not told), ready and picked_up in 60 minutes, gap, level.
    """

    state: str = param.String(default="{}", doc="The figures of every stage, as JSON.")  # type: ignore[assignment]
    limits: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={}, doc="Per stage key: [amber, red], seconds in the stage from which an order is marked; None: never."
    )
    cold: float | None = param.Number(  # type: ignore[assignment]
        default=COLD_AFTER_S,
        allow_None=True,
        doc="Seconds that a finished meal stands until it is cold; None where the data never tells when meals go.",
    )
    ghost: str = param.String(default="", doc="The other day that `lead` is against; empty: none.")  # type: ignore[assignment]
    usual_words: str = param.String(default="", doc="The days that `usual` is made from, as text.")  # type: ignore[assignment]
    here: str = param.String(default="", doc="Key of the stage that the selected order is in; empty: none.")  # type: ignore[assignment]
    loads: int = param.Integer(default=0, doc="Counts the timelines; the browser closes a list of an older one.")  # type: ignore[assignment]
    extended: int = param.Integer(  # type: ignore[assignment]
        default=-1,
        doc="`loads` of a timeline that the one before was extended to, with other rows: the list stays open.",
    )

    _esm = module_source(Path(__file__).with_name("pipeline.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("pipeline.css"))]


class PipelineView(ReplayView):
    """The five stages at the playhead.

    A time over a limit is marked. The whole stage is tinted if one of its averages is over the limit, but not for its oldest
    order alone: one forgotten order must not colour the strip for hours.
    """

    amber = param.Dict(default=dict(STAGE_AMBER), doc="Seconds in a stage beyond which it is unusual, per stage.")
    red = param.Dict(
        default=dict(STAGE_RED),
        doc="Seconds in a stage beyond which it is out of the ordinary, per stage.",
    )

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        settings = controller.settings
        limits = {"amber": dict(settings.stage_amber_s), "red": dict(settings.stage_red_s)}
        super().__init__(**{**limits, **params})
        self._controller = controller
        self._strip = PipelineStrip(sizing_mode="stretch_width", cold=controller.settings.cold_after_s)
        self._strip.join(controller)
        self._strip.retry_with(partial(self.retry, controller))
        self._strip.on_msg(self._on_message)
        self._snapshot: Snapshot | None = None
        self._usual_mark = math.nan
        self._usual: dict[str, float | None] = {}
        self.follow(controller.selection, "version", self._mark)
        self.follow(self, ["amber", "red"], self._set_limits)
        self._set_limits()
        self.reset()

    def __panel__(self) -> PipelineStrip:
        return self._strip

    def reset(self) -> None:
        """Use the controller's timeline; the next `show` sends its figures."""
        self._timeline: Timeline | None = self._controller.timeline
        self._orders = None if self._timeline is None else StageOrders(self._timeline)
        goes = self._timeline is None or metrics_of(self._timeline).ends[READY]
        self._strip.cold = self._controller.settings.cold_after_s if goes else None
        self._snapshot = None
        self._usual_mark = math.nan
        self._strip.loads += 1

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline, without closing a list of orders that is open."""
        self._timeline = self._controller.timeline
        self._orders = None if self._timeline is None else StageOrders(self._timeline)
        if len(inserted):
            self._strip.extended = self._strip.loads = self._strip.loads + 1

    def learn(self) -> None:
        """Use the controller's baseline from the next `show` on."""
        self._usual_mark = math.nan

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the stages of the snapshot; sends only what changes the display."""
        if self._timeline is None:
            return
        self._snapshot = snapshot
        ghost, strip = self._controller.ghost, self._strip
        changed: dict[str, Any] = {}
        self._update_usual(snapshot.t, changed)
        # what the figures follow from, beside the moment
        key = PipelineStrip, self._controller.playing, *self._usual.values(), *self.amber.items(), *self.red.items()
        text = snapshot.once(key, partial(self._text, snapshot)) if ghost is None else self._text(snapshot)
        if text != strip.state:
            changed["state"] = text
        if (label := "" if ghost is None or ghost.problem else ghost.label) != strip.ghost:
            changed["ghost"] = label
        here = self._here()
        if here != strip.here:
            changed["here"] = here
        for name, value in changed.items():
            setattr(strip, name, value)

    def _text(self, snapshot: Snapshot) -> str:
        """Return the figures of the snapshot as JSON."""
        assert self._timeline is not None
        index = metrics_of(self._timeline)
        state: dict[str, dict[str, Any]] = {}
        # while playing, figures are rounded as displayed, so that an unchanged display sends nothing
        playing = self._controller.playing
        for number, (figures, present) in enumerate(zip(index.stages(snapshot), index.recorded, strict=True)):
            key = figures.key
            state[key] = {"count": int(snapshot.counts[key]), "flow": figures.entered, "told": present}
            if key == STAGES[COMPLETED]:
                state[key] |= {
                    "cancelled": int(snapshot.counts["cancelled"]),
                    "stalled": int(snapshot.counts["stalled"]),
                    "delivers": index.delivers,
                }
            else:
                amber, red = stage_limits(index.ends, number, self.limits)
                usual = self._usual.get(key)
                served = _service_level(figures.service, usual, figures.served, amber, red)
                levels = (served, *_age_levels(snapshot, number, figures.oldest, amber, red))
                state[key] |= self._times(figures, usual, playing, levels)
        ghost = self._controller.ghost
        if ghost is not None and not ghost.problem:
            for key, lead in zip(STAGES, ghost.leads(self._timeline, snapshot.t), strict=True):
                state[key]["lead"] = lead
        if (drivers := drivers_at(self._timeline, snapshot.t, self._usual_pressure())) is not None:
            state["drivers"] = asdict(drivers) | {"gap": drivers.gap}
        return json.dumps(state)

    def _times(
        self, figures: StageFigures, usual: float | None, playing: bool, levels: tuple[int, ...]
    ) -> dict[str, Any]:
        minutes = 60.0 if playing else None
        return {
            "service": _tidy(figures.service, minutes),
            "usual": _tidy(usual, minutes),
            "served": figures.served,
            "excluded": figures.excluded,
            "age": _tidy(figures.age, minutes),
            "oldest": _tidy(figures.oldest, minutes),
            "levels": levels,
        }

    def _update_usual(self, t: float, changed: dict[str, Any]) -> None:
        """Update the usual times once per ten minutes of data time: they change slowly and take longer than the rest."""
        mark = t // SERIES_STEP * SERIES_STEP
        if mark == self._usual_mark:
            return
        self._usual_mark = mark
        insights = self._controller.insights
        basis = ""
        if insights is None:
            self._usual = {}
        else:
            self._usual, basis = _usual_at(insights.baseline, mark)
        if basis != self._strip.usual_words:
            changed["usual_words"] = basis

    @property
    def limits(self) -> Limits:
        """The limits of the stages."""
        return Limits(amber=self.amber, red=self.red)

    def _usual_pressure(self) -> float | None:
        ready, out = (self._usual.get(STAGES[stage]) for stage in (READY, OUT_FOR_DELIVERY))
        return ready / out if ready and out else None

    def _set_limits(self) -> None:
        self._strip.limits = {key: [self.amber.get(key), self.red.get(key)] for key in STAGES[:COMPLETED]}

    def _mark(self) -> None:
        here = self._here()
        if here != self._strip.here:
            self._strip.here = here

    def _here(self) -> str:
        """Return the stage of the selected order at the time shown; empty if no order is selected or it is in no stage."""
        row, snapshot = self._controller.selection.row, self._snapshot
        if row < 0 or snapshot is None or self._timeline is None:
            return ""
        among = (snapshot.order == row).nonzero()[0]
        if len(among):
            return STAGES[int(snapshot.stage[among[0]])]
        return STAGES[COMPLETED] if self._timeline.orders.enter[COMPLETED, row] <= snapshot.t else ""

    def _on_message(self, event: "DataEvent") -> None:
        """Answer {ask: "stage", stage, t, loads} with the orders in a stage (or cancelled, or stalled) at t."""
        match event.data:
            case {"ask": "stage", "stage": str() as stage, "t": int() | float() as t, "loads": self._strip.loads} if (
                self._orders is not None
            ):
                if stage not in STATES or not math.isfinite(t):
                    log.warning("pipeline: a question that makes no sense was left unanswered: %r, %r", stage, t)
                    return
                total, rows = self._orders.at(stage, float(t))
                answer = {"tell": "stage", "stage": stage, "t": t, "total": total, "rows": rows}
                self._strip._send_msg({**answer, "loads": self._strip.loads})


@shared()
def _usual_at(baseline: Baseline, mark: float) -> tuple[dict[str, float | None], str]:
    """Return the usual times of the stages at a time, and the days that they are of as text."""
    return {key: baseline.stage_time(key, mark) for key in STAGES[:COMPLETED]}, baseline.basis(mark)


@lru_cache(maxsize=64)
def _service_level(*figures: Any) -> int:
    """Return the level of an average, which changes with the orders that leave the stage, and not in between."""
    return int(service_level(*figures))


def _age_levels(
    snapshot: Snapshot, stage: int, oldest: float | None, amber: float | None, red: float | None
) -> tuple[int, int]:
    """Return the levels of the ages of the orders in a stage and of the oldest one."""
    lowest = min((limit for limit in (amber, red) if limit is not None), default=math.inf)
    if oldest is None or oldest <= lowest:
        return FINE, FINE  # as nearly always, at no cost
    ages = level(snapshot.t - snapshot.since[snapshot.stage == stage], amber, red)
    over_amber, over_red = (int(np.count_nonzero(ages >= over)) for over in (AMBER, RED))
    return int(age_level(over_amber, over_red, len(ages))), int(ages.max())


def _tidy(seconds: float | None, step: float | None) -> float | None:
    """Round to milliseconds, or to multiples of `step` seconds, half up as the display does."""
    if seconds is None:
        return None
    # below a minute the display has seconds
    if step is None or (step >= 60 and seconds < 60):
        return round(seconds, 0 if step else 3)
    return math.floor(seconds / step + 0.5) * step
