"""The figures that a rule can watch, each on a whole grid of times at once, as the page shows them (docs/figures.md).

At a time only what had happened by then counts. A figure is NaN where nothing is known: no value is not a good value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History
from twin.analysis.limits import LEAST_ORDERS, WHOLE_MINUTE
from twin.analysis.metrics import SERIES_STEP, TRAILING, MetricIndex
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import COMPLETED, COOKING, CREATED, OUT_FOR_DELIVERY, READY, STAGES, STALLED_AFTER
from twin.timeline import events as ev

Floats = NDArray[np.float64]

SILENT_S = TRAILING
"""Seconds without any milestone after which nothing is known of a kitchen: zero orders may be a line that is cut."""


class Record:
    """The orders of a kitchen as figures need them, n of them, and what is derived of them once.

    `target`: the promised delivery time, seconds.
    """

    def __init__(self, history: History, index: MetricIndex, target: float = DELIVERY_TARGET_S) -> None:
        self.history, self.index, self.target = history, index, target
        milestones = history.milestones
        self._events: Floats = np.sort(milestones[np.isfinite(milestones)])
        cancelled = np.nan_to_num(milestones[ev.ORDER_CANCELLED], nan=np.inf)
        enter = history.enter
        self._begin, self._end = [], []
        for stage in range(COMPLETED):
            end = np.minimum(np.minimum(enter[stage + 1], cancelled), enter[stage] + STALLED_AFTER)
            some = np.isfinite(enter[stage]) & (end > enter[stage])
            self._begin.append(enter[stage][some])
            self._end.append(end[some])

    def known(self, t: Floats) -> NDArray[np.bool_]:
        """Return whether anything happened in the hour to each of `t` (m,)."""
        return self._events.searchsorted(t, "right") > self._events.searchsorted(t - SILENT_S, "right")

    def open_in(self, stage: int, t: Floats) -> Floats:
        """Return how many orders are in a stage at each of `t` (m,). One that is there for four hours has stalled."""
        begun = np.sort(self._begin[stage]).searchsorted(t, "right")
        return (begun - np.sort(self._end[stage]).searchsorted(t, "right")).astype(np.float64)

    def oldest_in(self, stage: int, t: Floats) -> Floats:
        """Return for how long (s) the oldest order in a stage has been there at each of `t` (m,) ascending; 0 without any."""
        since = np.full(len(t), np.inf)
        first, last = t.searchsorted(self._begin[stage], "left"), t.searchsorted(self._end[stage], "left")
        for k in np.argsort(-self._begin[stage], kind="stable").tolist():  # the earliest is written last
            since[first[k] : last[k]] = self._begin[stage][k]
        return np.where(np.isfinite(since), t - since, 0.0)


def _mean_of_hour(record: Record, t: Floats, stage: int | None) -> Floats:
    times = record.index.deliveries if stage is None else record.index.stage_times[stage]
    first, last = times.position(t - TRAILING), times.position(t)
    return np.where(last - first >= LEAST_ORDERS, times.mean_of(first, last), np.nan)


def _late_share(record: Record, t: Floats) -> Floats:
    times = record.index.deliveries
    first, last = times.position(t - TRAILING), times.position(t)
    late, number = times.at_least(record.target + WHOLE_MINUTE, first, last), last - first
    share = np.full(len(t), np.nan)
    np.divide(late, number, out=share, where=number >= LEAST_ORDERS)
    return share


def _orders(record: Record, t: Floats) -> Floats:
    created = record.index.created
    number = (created.searchsorted(t, "right") - created.searchsorted(t - TRAILING, "right")).astype(np.float64)
    return np.where(record.known(t), number, np.nan)


def _completion(record: Record, t: Floats) -> Floats:
    shares = (record.index.completion(at)[0] for at in t.tolist())
    return np.array([np.nan if share is None else share for share in shares], np.float64)


def _open(*stages: int) -> Callable[[Record, Floats], Floats]:
    def number(record: Record, t: Floats) -> Floats:
        total = np.sum([record.open_in(stage, t) for stage in stages], axis=0)
        return np.where(record.known(t) | (total > 0), total, np.nan)

    return number


def _oldest(stage: int) -> Callable[[Record, Floats], Floats]:
    def age(record: Record, t: Floats) -> Floats:
        oldest = record.oldest_in(stage, t)
        return np.where(record.known(t) | (oldest > 0), oldest, np.nan)

    return age


def _service(stage: int) -> Callable[[Record, Floats], Floats]:
    return lambda record, t: _mean_of_hour(record, t, stage)


def _pressure(record: Record, t: Floats) -> Floats:
    waiting = _open(READY)(record, t)
    return waiting / np.maximum(record.open_in(OUT_FOR_DELIVERY, t), 1.0)


Usual = Callable[[Baseline, float, float], float | None]


@dataclass(frozen=True)
class Figure:
    """A figure that can be watched: `label` begins a sentence.

    unit: "min" (values are seconds), "%" (values are shares 0..1), else what is counted.
    at: its value at times; usual: what is usual of it by (baseline, t, target); None where the page has no usual either.
    """

    label: str
    unit: str
    at: Callable[[Record, Floats], Floats]
    usual: Usual | None = None

    @property
    def scale(self) -> float:
        """How much of the value one of the unit is."""
        return {"min": 60.0, "%": 0.01}.get(self.unit, 1.0)

    def said(self, value: float) -> str:
        """Return a value in words.

        >>> FIGURES["delivery_time"].said(2700.0), FIGURES["late_share"].said(0.255), FIGURES["orders_per_hour"].said(12)
        ('45 min', '26 %', '12')
        """
        number = value / self.scale
        text = f"{number:.0f}" if abs(number) >= 20 or number == round(number) else f"{number:.1f}"
        return f"{text} {self.unit}" if self.unit in ("min", "%") else text


def _stage_usual(stage: int) -> Usual:
    return lambda baseline, t, _: baseline.stage_time(STAGES[stage], t)


FIGURES: dict[str, Figure] = {
    "delivery_time": Figure(
        "Delivery time", "min", lambda record, t: _mean_of_hour(record, t, None), lambda b, t, _: b.delivery_time(t)
    ),
    "late_share": Figure(
        "Late deliveries", "%", _late_share, lambda b, t, target: b.late_share(target + WHOLE_MINUTE, t)
    ),
    "orders_per_hour": Figure("Orders per hour", "orders", _orders, lambda b, t, _: b.orders_per_hour(t)),
    "completion": Figure("Completion", "%", _completion),
    "in_kitchen": Figure("Orders in the kitchen", "orders", _open(CREATED, COOKING, READY)),
    "on_road": Figure("Orders on the road", "orders", _open(OUT_FOR_DELIVERY)),
    "meals_waiting": Figure("Meals waiting", "meals", _open(READY)),
    "meals_per_driver": Figure("Meals waiting per driver", "meals", _pressure),
    "time_to_start": Figure("Time until cooking starts", "min", _service(CREATED), _stage_usual(CREATED)),
    "time_to_cook": Figure("Cooking time", "min", _service(COOKING), _stage_usual(COOKING)),
    "time_to_pick_up": Figure("Time until pick-up", "min", _service(READY), _stage_usual(READY)),
    "time_on_road": Figure("Time on the road", "min", _service(OUT_FOR_DELIVERY), _stage_usual(OUT_FOR_DELIVERY)),
    "oldest_to_start": Figure("Longest wait for cooking to start", "min", _oldest(CREATED)),
    "oldest_cooking": Figure("Longest in cooking", "min", _oldest(COOKING)),
    "oldest_waiting": Figure("Longest waiting meal", "min", _oldest(READY)),
    "oldest_on_road": Figure("Longest on the road", "min", _oldest(OUT_FOR_DELIVERY)),
}
"""What a rule can watch, by name."""


def usual_at(figure: Figure, baseline: Baseline, t: Floats, target: float) -> Floats:
    """Return what is usual at each of `t` (m,), NaN where unknown: that of the last full 10 minutes, as the page shows."""
    if figure.usual is None:
        return np.full(len(t), np.nan)
    marks, place = np.unique(t // SERIES_STEP * SERIES_STEP, return_inverse=True)
    values = [figure.usual(baseline, mark, target) for mark in marks.tolist()]
    return np.array([np.nan if value is None else value for value in values], np.float64)[place]
