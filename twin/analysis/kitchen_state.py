"""The state of a kitchen, minute by minute: calm, building, trouble or recovering, from the limits that colour its figures.

Banner, cards, wall screens and API show this one state, so that none is green over a red figure. It is causal: the state of a
minute comes from events up to it alone. It is computed once per timeline, over a grid of whole minutes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline
from twin.analysis.driver_supply import is_recorded, recent_supply
from twin.analysis.durations import Durations
from twin.analysis.limits import (
    AMBER,
    FINE,
    LEAST_ORDERS,
    RED,
    WHOLE_MINUTE,
    Levels,
    Limits,
    age_level,
    late_level,
    pressure_level,
    raised,
    service_level,
    stage_limits,
)
from twin.analysis.metrics import SERIES_STEP, TRAILING, metrics_of
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, READY, STAGES
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

STATES: tuple[str, ...] = ("calm", "building", "trouble", "recovering")
CALM, BUILDING, TROUBLE, RECOVERING = range(4)
BY_HARM = TROUBLE, BUILDING, RECOVERING, CALM
"""The states by the harm that they stand for, the worst first: what kitchens are sorted by."""

SIGNALS: tuple[str, ...] = ("delivery", *STAGES[:COMPLETED], "drivers")
"""What has a limit: the hour's deliveries, the stages, and the meals that wait per driver."""

WORDS: dict[tuple[str, int], str] = {
    ("delivery", AMBER): "a quarter or more of deliveries late",
    ("delivery", RED): "half or more of deliveries late",
    ("created", AMBER): "orders wait to be cooked",
    ("created", RED): "orders wait long to be cooked",
    ("cooking", AMBER): "cooking is slow",
    ("cooking", RED): "cooking is very slow",
    ("ready", AMBER): "meals wait",
    ("ready", RED): "meals wait long",
    ("out_for_delivery", AMBER): "driving is slow",
    ("out_for_delivery", RED): "driving is very slow",
    ("drivers", AMBER): "drivers are few",
    ("drivers", RED): "drivers are short",
}
"""What is said of a signal at a level: true from the limit on, so that it agrees with any figure beyond it."""

MINUTE = 60.0
LEAD = 12 * 3600.0
"""Seconds before a window from which states are followed, so that its first one has a past. A timeline knows 24 hours of it."""
HOLD = 10
"""Minutes that a state lasts at least, unless it gets worse: it is left once nothing has called for it for so long."""
RECENT = 1200.0
"""Seconds whose orders say whether a trouble goes on: those of the whole hour tell of it for an hour after it is over."""
RECOVERY = 90
"""Most minutes of recovering. What is over its limit afterwards has happened since: the trouble has left the trailing hour."""
STEP = 30.0
"""Seconds to which raised limits of ages are rounded up."""
MOST_MINUTES = 100_000
"""Longest grid; a longer range (over two months) has states every second minute, or third …"""


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch [begin, end) of one state (an index in `STATES`), in data seconds, and the signals over their limits in it.

    `over` has (signal, level), those that call for the state first, then the worst; `near` those of them that are so on other
    days, too.
    """

    begin: float
    end: float
    state: int
    over: tuple[tuple[str, int], ...]
    near: tuple[tuple[str, int], ...] = ()

    @property
    def head(self) -> str:
        """The state in words; empty for a calm kitchen with nothing over its limits."""
        return head(self.state, tuple(one for one in self.over if one not in self.near), self.near)


@dataclass(frozen=True, slots=True)
class StateLog:
    """The states on a grid of m times `t`, ascending data seconds.

    state: (m,) uint8, indices in `STATES`. levels: (signals, m) uint8, the levels of `SIGNALS` as their figures show them. A calm
    kitchen may have some over their limits: those that are so on ordinary days. unusual: the same against ordinary days, by which
    the state is made; None: as `levels`.
    """

    t: Floats
    state: NDArray[np.uint8]
    levels: Levels
    unusual: Levels | None = None

    def at(self, t: float) -> tuple[int, tuple[tuple[str, int], ...]]:
        """Return the state at the last whole minute up to t, and the signals over their limits then, with their levels."""
        if not len(self.t):
            return CALM, ()
        place = self._place(t)
        return int(self.state[place]), self._over(place)[0]

    def head(self, t: float) -> str:
        """Return the state at t in words; empty for a calm kitchen with nothing over its limits."""
        if not len(self.t):
            return ""
        place = self._place(t)
        return Spell(t, t, int(self.state[place]), *self._over(place)).head

    def _place(self, t: float) -> int:
        return max(0, int(self.t.searchsorted(t, "right")) - 1)

    def _over(self, place: int) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
        """Return the signals over their limits with their levels, and those of them that are near the usual."""
        levels = self.levels[:, place]
        unusual = levels if self.unusual is None else self.unusual[:, place]
        over = sorted(np.flatnonzero(levels > FINE).tolist(), key=lambda k: (-int(unusual[k]), -int(levels[k])))
        named = [(SIGNALS[k], int(levels[k])) for k in over]
        return tuple(named), tuple(one for one, k in zip(named, over, strict=True) if unusual[k] == FINE)

    def since(self, t: float) -> float:
        """Return when the state at t began; the begin of the grid if it has lasted since before."""
        place = self._place(t)
        other = np.flatnonzero(self.state[:place] != self.state[place])
        return float(self.t[other[-1] + 1 if len(other) else 0])

    def spells(self, start: float, end: float) -> Iterator[Spell]:
        """Yield the stretches of one state with the same signals over their limits, from `start` until `end`."""
        if not len(self.t):
            return
        first = self._place(start)
        state, levels, t = self.state[first:], self.levels[:, first:], self.t[first:]
        changed = (state[1:] != state[:-1]) | (levels[:, 1:] != levels[:, :-1]).any(axis=0)
        if self.unusual is not None:  # what is near the usual, and what is worse
            against = np.where(levels > FINE, self.unusual[:, first:], FINE)
            changed |= (against[:, 1:] != against[:, :-1]).any(axis=0)
        begins = np.concatenate(([0], np.flatnonzero(changed) + 1))
        for begin, following in zip(begins.tolist(), [*begins[1:].tolist(), -1], strict=True):
            until = end if following < 0 else float(t[following])
            yield Spell(float(t[begin]), until, int(state[begin]), *self._over(first + begin))


def words(signal: str, level: int) -> str:
    """Return what is said of a signal that is over its limit."""
    return WORDS[signal, level]


def head(state: int, over: tuple[tuple[str, int], ...], near: tuple[tuple[str, int], ...] = ()) -> str:
    """Return a state and what is over its limits, in words; empty for a calm one without. `near` is so on other days, too.

    >>> head(TROUBLE, (("drivers", RED), ("delivery", AMBER)))
    'Trouble: drivers are short, a quarter or more of deliveries late'
    >>> head(BUILDING, (("drivers", AMBER),), (("delivery", AMBER),))
    'Building up: drivers are few; near the usual: a quarter or more of deliveries late'
    >>> head(TROUBLE, (), (("delivery", RED),)), head(TROUBLE, ())
    ('Trouble is easing; near the usual: half or more of deliveries late', 'Trouble is easing: back within the limits')
    >>> head(BUILDING, (), (("ready", AMBER),)), head(BUILDING, ())
    ('Calming down; near the usual: meals wait', 'Calming down: back within the limits')
    >>> head(CALM, (("delivery", RED),)), head(RECOVERING, ()), head(CALM, ())
    ('Near the usual: half or more of deliveries late', 'Recovering: back within the limits', '')
    """
    what, usual = (", ".join(words(signal, level) for signal, level in some) for some in (over, near))
    if state == CALM:
        return f"Near the usual: {', '.join(filter(None, (what, usual)))}" if what or usual else ""
    named = _HEADS[state] if what else _EASING[state]
    if not what and not usual:
        return f"{named}: back within the limits"
    return "; ".join(filter(None, (f"{named}: {what}" if what else named, usual and f"near the usual: {usual}")))


_HEADS = {BUILDING: "Building up", TROUBLE: "Trouble", RECOVERING: "Recovering"}
_EASING = {BUILDING: "Calming down", TROUBLE: "Trouble is easing", RECOVERING: "Recovering"}
"""The same of a state that nothing calls for any more, but that lasts its ten minutes."""


def states_of(timeline: Timeline, baseline: Baseline, limits: Limits) -> StateLog:
    """Return the states of a timeline's window; what is usual comes from `baseline`."""
    window = timeline.window
    first, last = np.floor((window.start - LEAD) / MINUTE), np.floor(window.end / MINUTE)
    step = max(1.0, np.ceil((last - first) / MOST_MINUTES))
    t = np.arange(np.floor(first / step), last / step + 1e-9) * step * MINUTE
    shown, unusual, now = _levels(timeline, baseline, limits, t)
    return StateLog(t, follow(unusual.max(axis=0), now.max(axis=0), int(step)), shown, unusual)


def follow(shown: Levels, now: Levels, step: int = 1) -> NDArray[np.uint8]:
    """Return the state at each of m times, `step` minutes apart.

    shown: (m,) the worst level of all figures; now: (m,) the same of what can get better at once: the orders that are open, and
    those that were done in the last `RECENT` seconds. A state gets worse at once and better after `HOLD` minutes without a cause.
    """
    hold, recovery = -(-HOLD // step), -(-RECOVERY // step)
    states = np.empty(len(shown), np.uint8)
    state, began, last_over, last_red = CALM, 0, -hold, -hold
    for place, (figure, live) in enumerate(zip(shown.tolist(), now.tolist(), strict=True)):
        last_over = place if figure >= AMBER else last_over
        last_red = place if live == RED else last_red
        held = place - began >= hold
        quiet = held and place - last_over >= hold
        before = state
        if state == TROUBLE:
            if held and place - last_red >= hold:
                state = RECOVERING
        elif state == RECOVERING:
            if live == RED:
                state = TROUBLE
            elif quiet:
                state = CALM
            elif place - began >= recovery:
                state = TROUBLE if figure == RED else BUILDING
        elif figure == RED:
            state = TROUBLE
        elif figure == AMBER:
            state = BUILDING
        elif quiet:
            state = CALM
        began = place if state != before else began
        states[place] = state
    return states


def _levels(timeline: Timeline, baseline: Baseline, limits: Limits, t: Floats) -> tuple[Levels, Levels, Levels]:
    """Return levels (signals, m) at t: of the figures as they are shown, the same against what is usual, and of what goes on."""
    index = metrics_of(timeline)
    shown, unusual, now = np.zeros((3, len(SIGNALS), len(t)), np.uint8)
    hour, recent = _slices(index.deliveries, t)
    usual = _usual(baseline.late_share, t, limits.delivery + WHOLE_MINUTE)
    for levels, slices, normal in ((shown, hour, None), (unusual, hour, usual), (now, recent, usual)):
        late = index.deliveries.at_least(limits.delivery + WHOLE_MINUTE, *slices)
        levels[0] = late_level(late, slices[1] - slices[0], normal)
    stage_times = [_usual_of_hours(baseline, t, stage) for stage in STAGES[:COMPLETED]]
    for stage in range(COMPLETED):
        times = index.stage_times[stage]
        amber, red = stage_limits(index.ends, stage, limits)
        usual = stage_times[stage]
        unknown = np.full(len(t), np.nan)
        aged, unusually = (_aged(timeline, stage, t, amber, red, normal) for normal in (unknown, usual))
        hour, recent = _slices(times, t)
        for levels, slices, old in ((shown, hour, aged), (unusual, hour, unusually), (now, recent, unusually)):
            number = slices[1] - slices[0]
            served = service_level(times.mean_of(*slices), usual, number, amber, red, unusual=levels is not shown)
            levels[1 + stage] = np.maximum(served, old)
    if is_recorded(timeline):
        ratio = stage_times[READY] / stage_times[OUT_FOR_DELIVERY]
        shown[-1] = unusual[-1] = now[-1] = pressure_level(*recent_supply(timeline, t), ratio)
    return shown, unusual, now


def _slices(times: Durations, t: Floats) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
    """Return the slices of what ended in the trailing hour, and of the recent ones among them, at least `LEAST_ORDERS`."""
    first, last = times.position(t - TRAILING), times.position(t)
    recent = np.maximum(first, np.minimum(times.position(t - RECENT), last - LEAST_ORDERS))
    return (first, last), (recent, last)


def _aged(timeline: Timeline, stage: int, t: Floats, amber: float | None, red: float | None, usual: Floats) -> Levels:
    """Return the level of the ages of the orders in a stage at each of `t`, its limits raised by what is `usual` then."""
    spells = timeline.membership.between(float(t[0]), float(t[-1]), STAGES[stage])
    since = timeline.orders.enter[stage, spells.order]

    def older(level: int, limit: float | None) -> NDArray[np.intp]:
        over = np.zeros(len(t), np.intp)
        at_least = raised(limit, level, usual)
        at_least = np.where(at_least == limit, at_least, np.ceil(at_least / STEP) * STEP)  # few different ones
        for age in np.unique(at_least[np.isfinite(at_least)]).tolist():
            begin = np.maximum(since + age, spells.begin)  # one that resumed may be too old from its begin on
            some, when = begin < spells.end, at_least == age
            begins, ends = np.sort(begin[some]), np.sort(spells.end[some])
            over[when] = begins.searchsorted(t[when], "left") - ends.searchsorted(t[when], "right")
        return over

    return age_level(older(AMBER, amber), older(RED, red), timeline.membership.in_stage(stage, t))


def _usual(figure: Callable[[Any, float], float | None], t: Floats, of: Any) -> Floats:
    """Return a figure of a baseline at each of `t`, NaN where unknown: as shown, that of the last full 10 minutes."""
    return _at_marks(partial(figure, of), t // SERIES_STEP * SERIES_STEP)


def _usual_of_hours(baseline: Baseline, t: Floats, stage: str) -> Floats:
    """Return the usual time in a stage at each of `t`, NaN where unknown: one for each hour of the clock."""
    marks = t // SERIES_STEP * SERIES_STEP
    return _at_marks(partial(baseline.stage_time, stage), baseline.hours(marks))


def _at_marks(figure: Callable[[float], float | None], t: Floats) -> Floats:
    marks, place = np.unique(t, return_inverse=True)
    usual = [figure(mark) for mark in marks.tolist()]
    return np.array([np.nan if value is None else value for value in usual], np.float64)[place]
