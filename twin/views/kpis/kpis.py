"""The KPI cards: orders per hour, delivery time, completion rate, active orders, revenue."""

import json
import math
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.analysis.baseline import Baseline
from twin.analysis.limits import completion_level, late_level, late_trend
from twin.analysis.metrics import BIN, BINS, SERIES_POINTS, SERIES_STEP, KpiSet, MetricIndex, metrics_of
from twin.foundation.cache import shared
from twin.foundation.settings import COMPLETION_TARGET, DELIVERY_TARGET_S
from twin.foundation.stages import COMPLETED, STAGES
from twin.replay.controller import ReplayController
from twin.timeline.timeline import Snapshot, Timeline
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView


class KpiCards(Component):
    """The cards in the browser.

    `state` is JSON text, because Bokeh takes ten times as long to serialize a dict. Durations are seconds, shares 0..1, money
    is in the data's currency, undefined values are null:

    - orders: now, before (the hour before), usual, words (the days that usual is made from), undated (excluded)
    - delivery: mean, p75, p95, usual, target, count, over (the target), level, trend ("worse", "better", "steady" or
      ""), long and undated (excluded), bins
    - completion: share, due, delivered and cancelled (parts of due), not_due (excluded), before (24 hours before),
      before_due, goal, level, day (number of the day before)
    - active: orders per open stage, null for a stage that the data does not have; cancelled and stalled (excluded)
    - ghost, only where another day stands beside this one: orders, late and count (of deliveries), completion, active, revenue
    - revenue: hour and today; unpriced and unpriced_today, the orders in them without a price (excluded)
    """

    state: str = param.String(default="{}", doc="The figures of every card, as JSON.")  # type: ignore[assignment]
    series: str = param.String(  # type: ignore[assignment]
        default="{}",
        doc="The 6 hours to the last full 10 minutes, as JSON: `orders` per hour and what is `usual`, null for gaps.",
    )
    bin_s: float = param.Number(default=BIN, constant=True, doc="Seconds of a bin of delivery times.")  # type: ignore[assignment]
    bins: int = param.Integer(default=BINS, constant=True, doc="Bins of delivery times; the last one is open.")  # type: ignore[assignment]

    shares: bool = param.Boolean(default=False, doc="Whether few late deliveries are told as a share, too.")  # type: ignore[assignment]
    explains: bool = param.Boolean(default=False, doc="Whether the page explains why deliveries were late.")  # type: ignore[assignment]

    _esm = module_source(Path(__file__).with_name("kpis.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("kpis.css"))]


class KpiView(ReplayView):
    """The KPIs at the playhead."""

    target = param.Number(default=DELIVERY_TARGET_S, bounds=(0, None), doc="Promised delivery time, seconds.")
    completion_target = param.Number(
        default=COMPLETION_TARGET, bounds=(0, 1), doc="Completion rate that is good enough, 0..1."
    )

    def __init__(
        self,
        controller: ReplayController,
        on_why: Callable[[], object] | None = None,
        shares: bool = False,
        **params: Any,
    ) -> None:
        """`on_why()` explains why deliveries were late; None: this page does not. `shares` is that of `KpiCards`."""
        settings = controller.settings
        usual = {"target": settings.delivery_target_s, "completion_target": settings.completion_target}
        super().__init__(**{**usual, **params})
        self._controller = controller
        self._on_why = on_why
        self._cards = KpiCards(sizing_mode="stretch_width", explains=on_why is not None, shares=shares)
        self._cards.join(controller)
        self._cards.on_msg(self._on_message)
        self._cards.retry_with(partial(self.retry, controller))
        self.reset()

    def __panel__(self) -> KpiCards:
        return self._cards

    def _on_message(self, event: Any) -> None:
        if event.data == {"why": True} and self._on_why is not None:
            self._on_why()

    def reset(self) -> None:
        """Use the controller's timeline; the next `show` sends its figures."""
        self._timeline: Timeline | None = self._controller.timeline
        self.learn()

    def learn(self) -> None:
        """Use the controller's baseline from the next `show` on."""
        insights = self._controller.insights
        self._usual = None if insights is None else _usual_of(insights.baseline)
        self._series_mark = math.nan

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]
        """Show the KPIs of the snapshot; sends only what changes the display."""
        if self._timeline is None:
            return
        index = metrics_of(self._timeline)
        mark = snapshot.t // SERIES_STEP * SERIES_STEP
        changed: dict[str, Any] = {}

        def make() -> str:
            return json.dumps(self._state(index.kpis(snapshot.t, snapshot.counts, self.target), index, snapshot, mark))

        # what the figures follow from, beside the moment
        key = KpiCards, self._usual, self.target, self.completion_target, self._controller.playing
        text = snapshot.once(key, make) if self._controller.ghost is None else make()
        if text != self._cards.state:
            changed["state"] = text
        if mark != self._series_mark:
            self._series_mark = mark
            series = snapshot.once((KpiCards, self._usual), lambda: self._series(index, mark))
            if series != self._cards.series:
                changed["series"] = series
        for name, value in changed.items():
            setattr(self._cards, name, value)

    def _state(self, kpis: KpiSet, index: MetricIndex, snapshot: Snapshot, mark: float) -> dict[str, dict[str, Any]]:
        # while playing, figures are rounded as displayed, so that an unchanged display sends nothing
        playing = self._controller.playing
        usual = self._usual
        before, before_due = (None, 0) if usual is None else usual.completion_before(kpis.t)
        return {
            "orders": {
                "now": kpis.orders_per_hour,
                "before": kpis.orders_per_hour_before,
                "usual": None if usual is None else usual.orders(mark),
                "words": "" if usual is None else usual.basis(mark),
                "undated": kpis.orders_undated,
            },
            "delivery": {
                "mean": _minutes(kpis.delivery_time, playing),
                "p75": _minutes(kpis.delivery_p75, playing),
                "p95": _minutes(kpis.delivery_p95, playing),
                "usual": None if usual is None else usual.delivery(mark),
                "target": kpis.target,
                "count": kpis.deliveries,
                "over": kpis.deliveries_over,
                "level": _late_level(kpis.deliveries_over, kpis.deliveries),
                "trend": late_trend(kpis.deliveries_over, kpis.deliveries, kpis.late_before),
                "long": kpis.deliveries_excluded,
                "undated": kpis.deliveries_undated,
                "dated": len(index.created) > 0,
                "recorded": index.delivers,
                "bins": kpis.delivery_bins,
            },
            "completion": {
                "share": _share(kpis.completion, playing),
                "due": kpis.completion_due,
                "delivered": kpis.completion_delivered,
                "cancelled": kpis.completion_cancelled,
                "not_due": kpis.not_due,
                "before": _share(before, playing),
                "before_due": before_due,
                "goal": self.completion_target,
                "level": completion_level(kpis.completion, self.completion_target),
                "day": self._controller.tz.day(kpis.t) - 1,
                "dated": len(index.created) > 0,
                "recorded": index.delivers,
            },
            "active": {
                **{key: kpis.active[key] if index.recorded[k] else None for k, key in enumerate(STAGES[:COMPLETED])},
                "cancelled": int(snapshot.counts["cancelled"]),
                "stalled": int(snapshot.counts["stalled"]),
            },
            "revenue": {
                "hour": _money(kpis.revenue, playing),
                "unpriced": kpis.unpriced,
                "today": _money(kpis.revenue_today, playing),
                "unpriced_today": kpis.unpriced_today,
            },
            **self._ghost(snapshot.t, playing),
        }

    def _ghost(self, t: float, playing: bool) -> dict[str, dict[str, Any]]:
        """Return the ghost's figures at its own moment beside t; the usual has those that are usual."""
        ghost = self._controller.ghost
        if ghost is None or ghost.problem:
            return {}
        label: dict[str, Any] = {"label": ghost.label}
        if (usual := self._usual) is not None and ghost.baseline is not None:
            mark = t // SERIES_STEP * SERIES_STEP
            return {"ghost": label | {"orders": usual.orders(mark), "mean": usual.delivery(mark)}}
        kpis = ghost.kpis(t, self.target)
        if kpis is None:
            return {}
        return {"ghost": label | {
            "orders": kpis.orders_per_hour, "late": kpis.deliveries_over, "count": kpis.deliveries,
            "mean": _minutes(kpis.delivery_time, playing), "completion": _share(kpis.completion, playing),
            "active": kpis.active_total, "revenue": _money(kpis.revenue, playing),
        }}  # fmt: skip

    def _series(self, index: MetricIndex, mark: float) -> str:
        values = [None if math.isnan(value) else int(value) for value in index.series(mark).orders_per_hour.tolist()]
        usual = self._usual
        marks = [mark + SERIES_STEP * k for k in range(1 - SERIES_POINTS, 1)]
        return json.dumps({"orders": values, "usual": [] if usual is None else [usual.orders(at) for at in marks]})


@shared()
def _usual_of(baseline: Baseline) -> "_Usual":
    return _Usual(baseline)


class _Usual:
    """Caches a baseline for ten minutes of data time: it changes slowly and takes longer than all figures of a tick."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._orders: dict[float, float | None] = {}
        self._delivery: tuple[float, float | None] = (math.nan, None)
        self._basis: tuple[float, str] = (math.nan, "")

    def orders(self, mark: float) -> float | None:
        if mark not in self._orders:
            self._orders[mark] = self._baseline.orders_per_hour(mark)
        return self._orders[mark]

    def delivery(self, mark: float) -> float | None:
        if self._delivery[0] != mark:
            self._delivery = (mark, self._baseline.delivery_time(mark))
        return self._delivery[1]

    def basis(self, mark: float) -> str:
        if self._basis[0] != mark:
            self._basis = (mark, self._baseline.basis(mark))
        return self._basis[1]

    def completion_before(self, t: float) -> tuple[float | None, int]:
        return self._baseline.completion_before(t)


@lru_cache(maxsize=64)
def _late_level(late: int, number: int) -> int:
    """Return the level of late deliveries, which is the same until one is delivered or an hour old."""
    return int(late_level(late, number))


def _minutes(seconds: float | None, playing: bool) -> float | None:
    if seconds is None:
        return None
    return math.floor(seconds / 60 + 0.5) * 60 if playing and seconds >= 60 else round(seconds, 3)


def _share(share: float | None, playing: bool) -> float | None:
    """Round down to the displayed precision, so that "100 %" means all of them."""
    return share if share is None or not playing else int(share * 1000 + 1e-6) / 1000


def _money(amount: float | None, playing: bool) -> float | None:
    return None if amount is None else round(amount, 0 if playing else 2)
