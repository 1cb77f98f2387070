"""The states of a kitchen over days that nobody has loaded, from the times of its orders alone: no positions, no items.

They are those of loaded days (`kitchen_state.py`), by the same rule over the same milestones and the same usual. One thing the
times do not tell: a driver's later pings. An order that is pinged for hours and never delivered stalls earlier here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline, History, reach
from twin.analysis.kitchen_state import BY_HARM, LEAD, StateLog, states_of
from twin.analysis.limits import Limits
from twin.foundation.cache import Owner
from twin.foundation.stages import CREATED, STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.sources.base import Location, Source, Window
from twin.timeline import events as ev
from twin.timeline.membership import Membership
from twin.timeline.orders import Orders, began
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]

HARM = (len(BY_HARM) - 1 - np.argsort(BY_HARM)).astype(np.uint8)
"""The harm of each state, by its index: 0 calm, 1 recovering, 2 building, 3 trouble."""
NO_STATE = 9
"""An hour outside of the record, or that was not looked at."""


@dataclass(frozen=True)
class StateHours:
    """The worst state of each hour: `first`, data seconds of the first one's begin; harm: (h,) uint8, in `HARM` or `NO_STATE`."""

    first: float
    harm: NDArray[np.uint8]

    @classmethod
    def of(cls, log: StateLog, window: Window) -> "StateHours":
        """Return the hours of the states at whole minutes in a window, both ends included."""
        first = float(np.floor(window.start / HOUR))
        harm = np.full(max(1, int(np.ceil(window.end / HOUR) - first)), NO_STATE, np.uint8)
        inside = (log.t >= window.start) & (log.t <= window.end)
        hour = (np.ceil(log.t[inside] / HOUR) - first - 1).clip(0).astype(np.intp)
        worst = np.full(len(harm), -1, np.int16)
        np.maximum.at(worst, hour, HARM[log.state[inside]].astype(np.int16))
        return cls(first * HOUR, np.where(worst < 0, harm, worst).astype(np.uint8))

    def joined(self, others: Sequence["StateHours"]) -> "StateHours":
        """Return these hours with those of `others`: of an hour that several know of, the worst."""
        every = [self, *others]
        first = min(one.first for one in every)
        harm = np.full(int(max(one.first / HOUR + len(one.harm) for one in every) - first / HOUR), -1, np.int16)
        for one in every:
            at = int((one.first - first) / HOUR)
            part = harm[at : at + len(one.harm)]
            np.maximum(part, np.where(one.harm == NO_STATE, -1, one.harm.astype(np.int16)), out=part)
        return StateHours(first, np.where(harm < 0, NO_STATE, harm).astype(np.uint8))


class _Times(Owner):
    """The orders of a history as a timeline has them, as far as states ask."""

    def __init__(self, location: Location, window: Window, history: History) -> None:
        self.location, self.window = location, window
        self.orders = _Orders(history)
        self.membership = Membership(cast(Orders, self.orders), location.tz)

    @property
    def tz(self) -> Zone:
        return self.location.tz


class _Orders:
    """Milestones and stages as in `Orders`."""

    def __init__(self, history: History) -> None:
        self.milestones, self.enter = history.milestones, history.enter
        self.first = self.enter[CREATED]
        self.created, self.delivered = history.created, history.delivered
        self.cancelled = self.milestones[ev.ORDER_CANCELLED]

    def __len__(self) -> int:
        return self.milestones.shape[1]

    @cached_property
    def stalls(self) -> tuple[NDArray[np.int32], Floats, Floats]:
        """The stalls as `Orders` has them, by the milestones."""
        ended = np.fmin(self.delivered, self.cancelled)
        times = np.sort(np.vstack([self.first, self.milestones]), axis=0)  # NaN last
        some = np.flatnonzero(
            np.isnan(ended) | (np.nanmax(times, axis=0, initial=-np.inf) - self.first > STALLED_AFTER)
        )
        when, following = times[:, some], np.full((times.shape[0], len(some)), np.inf)
        following[:-1] = np.where(np.isnan(when[1:]), np.inf, when[1:])
        stalled = (following - when > STALLED_AFTER) & ~(when >= ended[some])  # false for NaN
        which, column = np.nonzero(stalled)
        return some[column].astype(np.int32), when[which, column] + STALLED_AFTER, following[which, column]


def past_states(source: Source, place: Location, windows: Sequence[Window], limits: Limits) -> StateHours:
    """Return the worst states of the hours of `windows`, ascending: as each is known once it is loaded. Raises `SourceError`.

    Windows that share what is usual are computed together.
    """
    spans = [_span(source, place, window) for window in windows]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    before = windows[0].start - 2 * DAY - LEAD
    rows = source.history(place.id, min(start, before) - STALLED_AFTER, end + STALLED_AFTER)
    history = History.from_rows(rows, place.tz)
    begun = began(history.created, history.enter[CREATED])

    def part(first: float, last: float) -> History:
        some = (begun >= first) & (begun < last)
        return replace(history, milestones=history.milestones[:, some], enter=history.enter[:, some])

    found = []
    edges = [0, *(k + 1 for k, (a, b) in enumerate(pairwise(spans)) if a != b), len(windows)]
    for low, high in pairwise(edges):
        window, span = Window(windows[low].start, windows[high - 1].end), spans[low]
        baseline = Baseline(part(span[0] - STALLED_AFTER, span[1] + STALLED_AFTER), window)
        times = _Times(place, window, part(window.start - 2 * DAY - LEAD, window.end))
        shown = Window(window.start, min(window.end, windows[high].start) if high < len(windows) else window.end)
        found.append(StateHours.of(states_of(cast(Timeline, times), baseline, limits), shown))
    return _within(found[0].joined(found[1:]), place)


def _span(source: Source, place: Location, window: Window) -> tuple[float, float]:
    """Return what is usual in a window comes from; ends beyond the record are the record's."""
    start, end = reach(source, place, window)
    return max(start, place.start), min(end, place.end)


def _within(hours: StateHours, place: Location) -> StateHours:
    """Return the hours without states where the record has nothing."""
    begin = hours.first + HOUR * np.arange(len(hours.harm))
    outside = (begin + HOUR < place.start) | (begin > place.end)
    return StateHours(hours.first, np.where(outside, NO_STATE, hours.harm).astype(np.uint8))
