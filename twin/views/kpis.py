"""The four KPI cards: orders per hour, delivery time, completion rate, active orders."""

import math
from typing import TYPE_CHECKING, Any, ClassVar

import param

from twin.metrics import DELIVERY_TARGET, KpiSet, Series, index_of
from twin.stages import COMPLETED, STAGES
from twin.views.component import Component, module_source, style_source
from twin.views.view import ReplayView
from twin.words import whole_minutes

if TYPE_CHECKING:
    from twin.replay.controller import ReplayController
    from twin.timeline import Snapshot, Timeline


class KpiCards(Component):
    """The cards in the browser: numbers in `state`, the sparklines' points in `series`."""

    state = param.Dict(default={}, doc="Minutes, counts and percentages as they are shown; None where there is none.")
    series = param.Dict(default={}, doc="The last 6 hours: `orders` per hour, `delivery` minutes, None for gaps.")

    _esm = module_source("kpis.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("kpis.css")]


class KpiView(ReplayView):
    """The KPIs at the playhead."""

    target = param.Number(default=DELIVERY_TARGET, bounds=(0, None), doc="Promised delivery time, seconds.")

    def __init__(self, controller: "ReplayController", **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._cards = KpiCards(sizing_mode="stretch_width")
        self._cards.join(controller)
        self.reset()

    def __panel__(self) -> KpiCards:
        return self._cards

    def reset(self) -> None:
        """Take the controller's timeline; the numbers follow with the next `show`."""
        self._timeline: Timeline | None = self._controller.timeline

    def show(self, snapshot: "Snapshot") -> None:  # type: ignore[override]
        """Show the KPIs at the snapshot's moment; nothing is sent unless something shown changes."""
        if self._timeline is None:
            return
        index = index_of(self._timeline)
        state = _state(index.kpis(snapshot.t, snapshot.counts, self.target))
        if state != self._cards.state:
            self._cards.state = state
        series = _series(index.series(snapshot.t))
        if series != self._cards.series:
            self._cards.series = series


def _state(kpis: KpiSet) -> dict[str, Any]:
    """Round to what is shown, so that equal states look equal and unequal ones do not."""
    before = kpis.orders_per_hour_before
    return {
        "orders": kpis.orders_per_hour,
        "orders_change": None if kpis.orders_per_hour is None or before is None else kpis.orders_per_hour - before,
        "delivery": _minutes(kpis.delivery_time),
        "p50": _minutes(kpis.delivery_p50),
        "p95": _minutes(kpis.delivery_p95),
        "target": whole_minutes(kpis.target),
        "deliveries": kpis.deliveries,
        "excluded": kpis.deliveries_excluded,
        # rounded down, so that "100 %" means all of them
        "completion": None if kpis.completion is None else int(kpis.completion * 1000) / 10,
        "due": kpis.completion_due,
        "active": [kpis.active[key] for key in STAGES[:COMPLETED]],
    }


def _series(series: Series) -> dict[str, list[float | None]]:
    return {
        "orders": [None if math.isnan(v) else int(v) for v in series.orders_per_hour.tolist()],
        "delivery": [None if math.isnan(v) else round(v / 60, 1) for v in series.delivery_time.tolist()],
    }


def _minutes(seconds: float | None) -> int | None:
    return None if seconds is None else whole_minutes(seconds)
