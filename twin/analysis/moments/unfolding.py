"""How troubles unfolded: what was known of them at every fifth minute.

It is computed once for a kitchen's hours and shared by all sessions: whoever plays these hours looks up what was known at the
last fifth minute, and asks nobody. `TroublesAsKnown.at` has any time in between.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.analysis.moments.examination import Findings
from twin.analysis.moments.known import TroublesAsKnown
from twin.foundation.cache import SingleFlight
from twin.foundation.times import HOUR
from twin.sources.base import Window

GRID_S = 300.0
"""Seconds between two looks. A trouble is known some 12 minutes after it began at the earliest, so less would say no more."""
BLOCK_S = HOUR
"""Seconds that are computed at once: a tenth of a second of work."""


@dataclass(frozen=True, slots=True)
class KnownFrom:
    """What was known from `t` (data seconds) until the next of these, or until the block's end."""

    t: float
    findings: Findings


def block_of(t: float) -> int:
    """Return the number of the block of hours that t is in; block n begins at n × `BLOCK_S`."""
    return math.floor(t / BLOCK_S)


def going_on(before: float, end: float) -> int | None:
    """Return the first block that has more looks in a range that ended at `before` and now ends at `end`; None: none has.

    >>> going_on(7500.0, 7560.0), going_on(7500.0, 7800.0), going_on(7500.0, 15000.0)
    (None, 2, 2)
    """
    return block_of(before) if end // GRID_S > before // GRID_S else None


class Unfolding:
    """What was known of a timeline's troubles, in blocks of hours. Each is computed once; thread-safe."""

    def __init__(self, troubles: TroublesAsKnown) -> None:
        self._troubles = troubles
        self._blocks: dict[int, tuple[KnownFrom, ...]] = {}
        self._computing: SingleFlight[tuple[KnownFrom, ...]] = SingleFlight()

    def block(self, number: int) -> tuple[KnownFrom, ...]:
        """Return what was known in a block: at its first look, and wherever it changed. Empty outside the window."""
        held = self._blocks.get(number)
        return self._computing.run(number, lambda: self._compute(number)) if held is None else held

    def _compute(self, number: int) -> tuple[KnownFrom, ...]:
        if number not in self._blocks:
            changes: list[KnownFrom] = []
            for t in self._looks(number):
                findings = self._troubles.at(t)
                if not changes or findings != changes[-1].findings:
                    changes.append(KnownFrom(t, findings))
            self._blocks[number] = tuple(changes)
        return self._blocks[number]

    def _looks(self, number: int) -> list[float]:
        """Return the times of a block at which it is looked, data seconds: the window's begin, and every fifth minute in it."""
        window, begin = self._troubles.window, number * BLOCK_S
        grid = np.arange(begin, begin + BLOCK_S, GRID_S)
        looks: list[float] = grid[(grid > window.start) & (grid <= window.end)].tolist()
        return [window.start, *looks] if begin <= window.start < begin + BLOCK_S else looks


class UnfoldingLive:
    """The same of a kitchen whose range grows, over the versions of its timeline: a block that has all its looks stays.

    A row that comes after its time was final changes nothing of what was known then.
    """

    def __init__(self, final_after: float) -> None:
        """`final_after`: seconds behind the latest event before which no more rows are to be expected."""
        self._final_after = final_after
        self._start = -math.inf
        self._blocks: dict[int, tuple[float, tuple[KnownFrom, ...]]] = {}  # with the range's end when it was computed
        self._computing: SingleFlight[tuple[KnownFrom, ...]] = SingleFlight()

    def block(
        self, number: int, window: Window, compute: Callable[[int], tuple[KnownFrom, ...]]
    ) -> tuple[KnownFrom, ...]:
        """Return what was known in a block of a range, by `compute(number)` where it is not known or has more looks since."""
        if window.start != self._start:
            self._start, self._blocks = window.start, {}
        if (held := self._held(number, window)) is not None:
            return held
        return self._computing.run((number, window), lambda: self._compute(number, window, compute))

    def _held(self, number: int, window: Window) -> tuple[KnownFrom, ...] | None:
        if number not in self._blocks:
            return None
        until, known = self._blocks[number]
        is_whole = until - self._final_after >= (number + 1) * BLOCK_S
        return known if is_whole or going_on(until, window.end) is None else None

    def _compute(
        self, number: int, window: Window, compute: Callable[[int], tuple[KnownFrom, ...]]
    ) -> tuple[KnownFrom, ...]:
        held = self._held(number, window)
        if held is None:
            held = compute(number)
            self._blocks[number] = window.end, held
        return held
