"""Trends over the whole range: order volume, the time in each stage, and how the brands compare.

The figures are drawn once per timeline. The browser moves the playhead over them by its own clock, and the marks of the last
hour are HTML, so that playing repaints no figure. Nothing is built before the trends are visible: three figures take some
200 ms, which a page with the trends in a hidden tab does not spend.
"""

import math
import time
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from panel.custom import Child

from twin.analysis.brands import BrandFigures, performance
from twin.analysis.insights import Insights
from twin.analysis.metrics import metrics_of
from twin.analysis.moments.moment import when_in
from twin.analysis.shelf import Shelf, by_brand
from twin.analysis.wording import in_minutes, minutes_text
from twin.foundation.stages import COMPLETED, STAGE_LABELS, STAGES
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.rows import Inserted
from twin.views.shared.view import ReplayView
from twin.views.trends import data
from twin.views.trends.figures import BrandsFigure, StagesFigure, VolumeFigure

MINUTE = 60.0

MOST_BRANDS = 60
"""Rows of the comparison; brands with fewer orders than these are counted in its last line."""

UPDATE_S = 0.5
"""The marks of the last hour move at most twice a second while a replay plays."""

USUAL_STEP = 600.0
"""Data seconds for which the usual times are cached: they change by the hour."""


class TrendsFrame(Component):
    """The figures with their texts, in the browser."""

    volume = Child(default=None, allow_None=True, doc="The figure of order volume; None until the trends are visible.")
    stages = Child(default=None, allow_None=True, doc="The figure of stage times; None until the trends are visible.")
    brands = Child(
        default=None, allow_None=True, doc="The figure of the brands' orders; None until the trends are visible."
    )
    summary = param.Dict(default={}, doc="Texts and numbers of the range: `volume`, `stages`, `brands`, `more` brands.")
    learnt = param.Dict(
        default={},
        doc="`usual`: whether it is drawn; `moments`: start, end (data seconds), title, when.",
    )
    now = param.List(default=[], doc="By stage [mean minutes, orders] of the last 60 minutes, and the usual minutes.")
    active = param.Boolean(default=True, doc="Whether the trends can be seen.")
    dark = param.Boolean(default=False, doc="Whether the page is dark; the colours themselves are the page's tokens.")

    _esm = module_source(Path(__file__).with_name("trends.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("trends.css"))]


class TrendsView(ReplayView):
    """Order volume, stage times and brands over the timeline's window.

    The layout follows its own size: side by side if wide, else one below the other.
    """

    active = param.Boolean(default=True, doc="Whether the trends are visible; otherwise nothing is built or sent.")
    wide = param.Boolean(
        default=False, doc="Whether they have a permanent place, in which they are visible without `active`."
    )
    dark = param.Boolean(default=False, doc="Whether the page is dark.")

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._timeline: Timeline | None = None
        self._figures: tuple[VolumeFigure, StagesFigure, BrandsFigure] | None = None
        self._filled = self._learnt = True
        self._updated_at = -UPDATE_S
        self._usual: tuple[Any, ...] = ()
        self._frame = TrendsFrame(sizing_mode="stretch_both", margin=0, dark=self.dark, active=self.seen)
        self._frame.join(controller)
        self._frame.retry_with(partial(self.retry, controller))
        self.param.watch(lambda event: self._frame.param.update(dark=event.new), "dark")
        self.param.watch(lambda _: self._frame.param.update(active=self.seen), ["active", "wide"])
        self.follow(self, ["active", "wide"], self._on_visibility)
        self.reset()

    def __panel__(self) -> TrendsFrame:
        return self._frame

    @property
    def seen(self) -> bool:
        """Whether the trends can be seen."""
        return self.active or self.wide

    def reset(self) -> None:
        """Use the controller's timeline; it is drawn when the trends are visible."""
        self._timeline = self._controller.timeline
        self._usual = ()
        self._filled = self._timeline is None
        self._learnt = False
        self._draw()

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline; what is drawn follows with `learn`."""
        self._timeline = self._controller.timeline
        self._filled = self._filled and self._timeline is None

    def learn(self) -> None:
        """Use the controller's insights: the usual figures and the moments."""
        self._usual = ()
        self._learnt = False
        self._draw()

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Update the marks of the last hour; the browser moves the playhead."""
        if not self.seen or self._timeline is None:
            return
        wall = time.monotonic()
        if self._controller.playing and wall - self._updated_at < UPDATE_S:
            return
        self._updated_at = wall
        now = self._last_hour(snapshot)
        if now != self._frame.now:
            self._frame.now = now

    # -- drawing ---------------------------------------------------------------------------------------------------------
    def _on_visibility(self) -> None:
        self._draw()
        if self.seen and self._timeline is not None:
            self.show(self._timeline.at(self._controller.now()))

    def _draw(self) -> None:
        """Draw what is not drawn yet, if the trends are visible."""
        timeline = self._timeline
        if not self.seen or timeline is None or (self._filled and self._learnt):
            return
        with pn.io.hold():
            volume, stages, brands = self._built()
            if not self._filled:
                self._fill(timeline, volume, stages, brands)
                self._filled = True
            if not self._learnt:
                self._explain(timeline, volume)
                self._learnt = True
            if self._frame.volume is None:  # only now, so that the browser never shows them empty
                shown = (
                    pn.pane.Bokeh(made.figure, sizing_mode="stretch_both", margin=0) for made in self._figures or ()
                )
                self._frame.param.update(dict(zip(("volume", "stages", "brands"), shown, strict=True)))

    def _built(self) -> tuple[VolumeFigure, StagesFigure, BrandsFigure]:
        if self._figures is None:
            self._figures = VolumeFigure(), StagesFigure(), BrandsFigure()
        return self._figures

    def _fill(self, timeline: Timeline, volume: VolumeFigure, stages: StagesFigure, brands: BrandsFigure) -> None:
        bucket = data.bucket_of(timeline.window.end - timeline.window.start)
        edges, counts = timeline.volume(bucket)
        volume.show(edges, counts, data.time_ticks(timeline.window.start, timeline.window.end, timeline.tz))
        times = data.stage_times(timeline)
        stages.show(times)
        compared = performance(timeline)
        cold_after = self._controller.settings.cold_after_s
        shelves = by_brand(timeline, cold_after=cold_after)
        brands.show(compared[:MOST_BRANDS])
        self._frame.summary = {
            "volume": {"bucket": bucket, "orders": int(counts.sum())},
            "stages": [_stage_texts(stage) for stage in times],
            "brands": [_brand_texts(brand, shelves[brand.brand]) for brand in compared[:MOST_BRANDS]],
            "cold_after": minutes_text(cold_after),
            "more": max(0, len(compared) - MOST_BRANDS),
        }

    def _explain(self, timeline: Timeline, volume: VolumeFigure) -> None:
        insights = self._insights(timeline)
        edges, _ = timeline.volume(data.bucket_of(timeline.window.end - timeline.window.start))
        middles = (edges[:-1] + edges[1:]) / 2
        if insights is None:
            volume.show_usual(middles[:0], middles[:0])
            volume.show_moments([])
            self._frame.learnt = {}
            return
        usual = data.usual_counts(edges, insights.baseline.orders_per_hour)
        volume.show_usual(middles, usual)
        volume.show_moments([(moment.start, moment.end) for moment in insights.moments])
        span = timeline.window.end - timeline.window.start
        self._frame.learnt = {
            "usual": bool(np.isfinite(usual).any()),
            "moments": [
                {"start": moment.start, "end": moment.end, "title": moment.title, "when": when_in(moment, span)}
                for moment in insights.moments
            ],
        }

    def _insights(self, timeline: Timeline) -> Insights | None:
        insights = self._controller.insights
        return insights if insights is not None and insights.timeline is timeline else None

    def _last_hour(self, snapshot: Snapshot) -> list[list[float | int | None]]:
        """Return by stage [mean minutes, orders, usual minutes] of the 60 minutes before the snapshot."""
        assert self._timeline is not None
        step = snapshot.t // USUAL_STEP
        insights = self._insights(self._timeline)
        if not self._usual or self._usual[0] != step:
            usual_time = insights.baseline.stage_time if insights else lambda _key, _t: None
            self._usual = (step, [_minutes(usual_time(key, snapshot.t)) for key in STAGES[:COMPLETED]])
        figures = metrics_of(self._timeline).stages(snapshot)[:COMPLETED]
        return [
            [_minutes(figure.service), figure.served, usual]
            for figure, usual in zip(figures, self._usual[1], strict=True)
        ]


def _minutes(seconds: float | None) -> float | None:
    """Return minutes in tenths, so that a mark does not jitter; cut, so that whole minutes are still those of the seconds."""
    minutes = in_minutes(seconds)
    if minutes is None or minutes < 1:
        return minutes
    return math.floor(10 * minutes + 1e-9) / 10


def _stage_texts(stage: data.StageTimes) -> dict[str, Any]:
    return {
        "key": stage.key,
        "label": STAGE_LABELS[stage.key],
        "quantiles": [minutes_text(seconds) for seconds in stage.quantiles],
        "mean": None if stage.mean is None else minutes_text(stage.mean),
        "number": stage.number,
        "excluded": stage.excluded,
    }


def _brand_texts(brand: BrandFigures, shelf: Shelf) -> dict[str, Any]:
    return {
        "brand": brand.brand,
        "orders": brand.orders,
        "revenue": None if brand.revenue is None else round(brand.revenue, 2),
        "minutes": _minutes(brand.delivery_time),
        "deliveries": brand.deliveries,
        "excluded": brand.excluded,
        "earlier": brand.earlier,
        "later": brand.later,
        "trend": brand.trend or "",
        "meals": shelf.meals,
        "chilled": shelf.cold,
        "cold": None if shelf.cold_share is None else math.floor(100 * shelf.cold_share + 0.5),
        "stood": "" if shelf.median is None else minutes_text(shelf.median),
    }
