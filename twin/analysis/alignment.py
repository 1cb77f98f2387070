"""Lays the time of one range on that of another, by the clocks of their kitchens: the same time of day, on the day that is held
against it. The page of two sides and the ghost of another day have it from here.

It is a function from data seconds to data seconds in pieces: in each the second range goes on as fast as the first, or stands
still where it has nothing to show. Clocks that change (two days of a year) and days in another order are borders of pieces. The
browser evaluates the same pieces (`twin/views/shared/alignment.js`), so that neither side needs to be told where the other is.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.analysis.comparison import held_against
from twin.foundation.times import DAY
from twin.foundation.zones import Zone
from twin.sources.base import Window

SAME = 1e-3
"""Seconds within which two times are the same: what a browser sends has gone through decimals."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """`since`: data seconds of the first range, ascending, at which a piece begins; `shown`: where the second is then; `moves`:
    whether it goes on from there; `end`: where the first range ends."""

    since: tuple[float, ...]
    shown: tuple[float, ...]
    moves: tuple[bool, ...]
    end: float

    def second(self, t: float) -> float:
        """Return the time of the second range at one of the first."""
        i = max(bisect_right(self.since, t) - 1, 0)
        return self.shown[i] + (t - self.since[i] if self.moves[i] else 0.0)

    def first(self, t: float, near: float) -> float:
        """Return a time of the first range at which the second is at t: `near` if that is one, else the closest to it.

        Where the second never is at t, the time is that at which it comes closest.
        """
        if abs(self.second(near) - t) < SAME:
            return near
        best = (math.inf, math.inf, near)
        for i, (since, shown, moves) in enumerate(zip(self.since, self.shown, self.moves, strict=True)):
            # a piece ends before the next one begins; the last has no end
            length = self.since[i + 1] - since - SAME if i + 1 < len(self.since) else math.inf
            ahead = min(max(t - shown, 0.0), max(length, 0.0)) if moves else 0.0
            at = since + ahead
            missed = abs(shown + ahead - t)
            best = min(best, (0.0 if missed < SAME else missed, abs(at - near), at))
        return best[2]

    def stretches(self) -> list[tuple[float, float, float]]:
        """Return the stretches [start, end) of the first range in which the second moves: start, end, seconds it is ahead."""
        until = (*self.since[1:], self.end)
        pieces = zip(self.since, until, self.shown, self.moves, strict=True)
        return [(since, end, shown - since) for since, end, shown, moves in pieces if moves]

    def to_browser(self) -> dict[str, Any]:
        """Return the pieces as JSON."""
        moves = [float(one) for one in self.moves]
        return {"since": list(self.since), "shown": list(self.shown), "moves": moves, "end": self.end}


def align(first: tuple[Window, Zone], second: tuple[Window, Zone]) -> Alignment:
    """Lay one range on another, each with the clock of its kitchen. What the second does not cover it stands still for.

    An hour that only the first's clock leaves out the second leaves out, too; in one that only the second's clock leaves out it
    stands. An hour that a clock shows twice is the same hour of the other, which is there twice or once.

    >>> day, week_before = Window(7 * DAY, 8 * DAY), Window(0.0, DAY)
    >>> align((day, Zone()), (week_before, Zone())).second(7 * DAY + 3600)
    3600.0
    """
    (window, tz), (other, other_tz) = first, second
    days, others = _days(window, tz), _days(other, other_tz)
    pieces: list[tuple[float, float, bool]] = []
    for day, against in zip(days.tolist(), _against(days, others).tolist(), strict=True):
        start = max(float(tz.start_of(day)), window.start)
        end = min(float(tz.start_of(day + 1)), window.end)
        if end > start:
            pieces += _of_day(start, end, (against - day) * DAY, tz, other, other_tz)
    joined = pieces[:1]
    for piece in pieces[1:]:
        (before, was, moved), (at, there, goes) = joined[-1], piece
        if goes != moved or abs(was + (at - before if moved else 0.0) - there) > SAME:
            joined.append(piece)
    since, shown, moves = zip(*joined, strict=True)
    return Alignment(since, shown, moves, window.end)


def _days(window: Window, tz: Zone) -> NDArray[np.int64]:
    return np.arange(tz.day(window.start), tz.day(window.end - SAME) + 1)


def _against(days: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each day of the first range the day that is shown beside it: the one that it is compared with, where there is
    one; else one of the same weekday, else of the same place in its range."""
    pairs, _ = held_against(days % 7, others % 7)
    if pairs is not None:
        found = np.empty_like(days)
        found[pairs[0]] = others[pairs[1]]
        return found
    seen: dict[int, int] = {}
    chosen = []
    for i, day in enumerate(days.tolist()):
        same = others[others % 7 == day % 7]
        n = seen[day % 7] = seen.get(day % 7, -1) + 1
        chosen.append(int(same[n % len(same)]) if len(same) else int(others[i % len(others)]))
    return np.array(chosen, np.int64)


def _of_day(
    start: float, end: float, shift: float, tz: Zone, other: Window, other_tz: Zone
) -> list[tuple[float, float, bool]]:
    """Return the pieces of one day; `shift` is what the other's clock is ahead, whole days in seconds."""
    changes = tz.changes(start, end).tolist()
    low, high = tz.local(start) + shift, tz.local(end - SAME) + shift + SAME
    seen_at = [other_tz.local(other.start), other_tz.local(other.end - SAME) + SAME]
    for at in other_tz.changes(other_tz.from_local(low) - DAY, other_tz.from_local(high) + DAY).tolist():
        seen_at += [other_tz.local(at - SAME) + SAME, other_tz.local(at)]
    for local in seen_at:
        changes += [tz.from_local(local - shift), tz.from_local(local - shift, later=True)]
    borders = sorted({start, *(at for at in changes if start < at < end)})
    pieces = []
    for since, until in zip(borders, [*borders[1:], end], strict=True):
        # asked in the middle of a piece, so that no border is on the wrong side of it
        middle = (since + until) / 2
        local = tz.local(middle) + shift
        shown = other_tz.from_local(local, later=_is_later(tz, middle))
        left_out = abs(other_tz.local(shown) - local) > SAME
        if left_out:
            (gap,) = other_tz.changes(shown - DAY / 4, shown + SAME)[-1:].tolist() or (shown,)
            pieces.append((since, min(max(gap, other.start), other.end), False))
        elif shown < other.start or shown > other.end:
            pieces.append((since, min(max(shown, other.start), other.end), False))
        else:
            pieces.append((since, shown - (middle - since), True))
    return pieces


def _is_later(tz: Zone, t: float) -> bool:
    """Whether a time is in the second of two hours in which the clock shows the same."""
    local = tz.local(t)
    return tz.doubled(t) and abs(tz.from_local(local, later=True) - t) < SAME
