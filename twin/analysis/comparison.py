"""Two ranges side by side, of one kitchen or of two: which figures differ by more than chance would make them differ.

The ranges are laid on each other by the kitchens' own clocks, half hour by half hour, and by weekday where both have the same
ones; half hours that only one of them has are left out. Figures are per order, per hour or per driver, so that a small kitchen
can be held against a large one. The interval of a difference comes from the half hours: how much those of one range differ from
their counterparts, with what neighbours have in common (a rush lasts for hours), and from whole days where there are enough.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import History
from twin.analysis.limits import WHOLE_MINUTE
from twin.foundation import event_types as ev
from twin.foundation.lazily import at_first_use
from twin.foundation.stages import COMPLETED, COOKING, CREATED, OUT_FOR_DELIVERY, READY, STAGES, STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.sources.base import Location, Source, Window
from twin.timeline.orders import began

if TYPE_CHECKING:
    from scipy import special
else:
    special = at_first_use("scipy.special")

Floats = NDArray[np.float64]

BLOCK = 1_800.0
"""Seconds of a block: half an hour of the kitchen's clock."""
BLOCKS = int(DAY / BLOCK)
NEIGHBOURS = 6
"""Blocks over which what happens in one is still felt: three hours, as long as a rush with what it leaves behind."""
FEWEST_BLOCKS = 8
"""Blocks with orders in both ranges without which no interval is given."""
FEWEST_DAYS = 4
"""Days from which on whole days are compared as well."""
SURE = 0.95

ORDERS, DELIVERY, LATE, DELIVERED, CANCELLED = (
    "orders_per_hour",
    "delivery_min",
    "late_pct",
    "delivered_pct",
    "cancelled_pct",
)
DRIVERS, PER_DRIVER = "drivers_on_road", "orders_per_driver_hour"
STAGE_NAMES = {stage: f"{STAGES[stage]}_min" for stage in (CREATED, COOKING, READY, OUT_FOR_DELIVERY)}
LABELS = {
    ORDERS: "Orders per hour",
    DELIVERY: "Delivery time (min)",
    LATE: "Late deliveries (%)",
    DELIVERED: "Orders delivered (%)",
    CANCELLED: "Orders cancelled (%)",
    STAGE_NAMES[CREATED]: "Waiting to be started (min)",
    STAGE_NAMES[COOKING]: "Cooking (min)",
    STAGE_NAMES[READY]: "Waiting for pick-up (min)",
    STAGE_NAMES[OUT_FOR_DELIVERY]: "On the road (min)",
    DRIVERS: "Drivers on the road",
    PER_DRIVER: "Orders per driver and hour",
}
GOOD = {DELIVERY: -1, LATE: -1, DELIVERED: 1, CANCELLED: -1, **dict.fromkeys(STAGE_NAMES.values(), -1)}
"""Direction in which a figure gets better; the others are neither."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: the orders of a kitchen, at least those that began in the window, and the window in data seconds."""

    history: History
    window: Window

    @classmethod
    def read(cls, source: Source, place: Location, window: Window) -> "Side":
        """Read one from a source. Raises `SourceError`."""
        return cls(History.from_rows(source.history(place.id, window.start, window.end), place.tz), window)


def names_of(first: tuple[Location, Window], second: tuple[Location, Window]) -> tuple[str, str]:
    """Return what the two are called in a sentence: a kitchen with its day, or from when until when."""
    names = name_of(*first), name_of(*second)
    return ("the first", "the second") if names[0] == names[1] else names


def name_of(place: Location, window: Window) -> str:
    """Return a kitchen with its range: one day, or from when until when."""
    tz = place.tz
    if (window.start, window.end) == tz.whole_days(window.start, window.start):
        return f"{place.label}, {tz.date(window.start)}"
    return f"{place.label}, {tz.text(window.start)} to {tz.text(window.end)}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of both, and the second minus the first with its 95 % interval; None where the data does not tell.

    change: "better" or "worse" (the second than the first), "more" or "less" of what is neither, "" for no difference.
    """

    name: str
    label: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    change: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences, and how much of both ranges was compared: hours of the clock, and the orders that began in them.

    orders, left_out: of the first and the second; those left out began in a half hour that the other has not. by_weekday: whether
    each day was held against one of the same weekday.
    """

    differences: tuple[Difference, ...]
    hours: float
    orders: tuple[int, int]
    left_out: tuple[int, int]
    by_weekday: bool
    sentence: str

    def of(self, name: str) -> Difference:
        """Return one of them by its name, a key of `LABELS`."""
        return next(one for one in self.differences if one.name == name)


def compare(
    first: Side, second: Side, target: float, names: tuple[str, str] = ("the first", "the second")
) -> Comparison:
    """Compare two ranges; `target` is the promised delivery time in seconds, `names` are for the sentence.

    Raises ValueError where they have no half hour of the day in common.
    """
    sides = _Blocks(first, target), _Blocks(second, target)
    days, by_weekday = _pairing(*sides)
    if days is None:
        cells = [side.collapsed() for side in sides]
    else:
        cells = [side.in_order(order) for side, order in zip(sides, days, strict=True)]
    shared = np.minimum(cells[0].covered, cells[1].covered)
    both = shared > 0
    if not both.any():
        raise ValueError(
            "The two ranges have no half hour of the day in common: choose ranges that overlap by the clock."
        )
    one, other = cells
    paired = days is not None
    differences = tuple(_difference(name, one.sums[name], other.sums[name], both, paired=paired) for name in LABELS)
    orders = [int(cell.sums[DELIVERED][1][both].sum()) for cell in cells]
    total = [side.orders for side in sides]
    return Comparison(
        differences,
        float(shared[both].sum()) / HOUR,
        (orders[0], orders[1]),
        (total[0] - orders[0], total[1] - orders[1]),
        by_weekday,
        sentence_of(differences, names),
    )


Sums = tuple[Floats, Floats]
"""What is summed up in each cell (days, blocks), and by what the sum is divided."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Sums by figure, and seconds that the range covers of each cell."""

    sums: dict[str, Sums]
    covered: Floats


class _Blocks:
    """The sums of one side by day and half hour of its kitchen's clock."""

    def __init__(self, side: Side, target: float) -> None:
        history, window, self._tz = side.history, side.window, side.history.tz
        start = began(history.created, history.enter[CREATED])
        inside = (start >= window.start) & (start < window.end)
        self.orders = int(np.count_nonzero(inside))
        milestones, enter, start = history.milestones[:, inside], history.enter[:, inside], start[inside]
        # a source returns orders in any order, and sums of the same numbers in another order differ by their rounding
        order = np.lexsort((*milestones, *enter))
        milestones, enter, start = milestones[:, order], enter[:, order], start[order]
        self._first_day = int(self._tz.day(window.start))
        self._days = int(self._tz.day(window.end - 1e-6)) - self._first_day + 1
        self._covered = self._coverage(window)
        self.days = np.arange(self._days)[(self._covered > 0).any(axis=1)]
        ones = np.ones(len(start))
        created, delivered, cancelled = (
            milestones[kind] for kind in (ev.ORDER_CREATED, ev.DELIVERED, ev.ORDER_CANCELLED)
        )
        took = delivered - created
        timed = (took >= 0) & (took <= STALLED_AFTER)
        count = self._sum(start, ones)
        self._sums: dict[str, Sums] = {
            ORDERS: (count, self._covered / HOUR),
            DELIVERY: self._mean(start, took / 60, timed),
            LATE: self._mean(start, np.where(took >= target + WHOLE_MINUTE, 100.0, 0.0), timed),
            DELIVERED: self._share(start, np.isfinite(delivered)),
            CANCELLED: self._share(start, np.isfinite(cancelled)),
        }
        for stage, name in STAGE_NAMES.items():
            length = np.where(np.isfinite(enter[stage + 1]), enter[stage + 1], np.nan) - enter[stage]
            told = (length > 0) & (length <= STALLED_AFTER)
            self._sums[name] = self._mean(start, length / 60, told)
        self._drivers(enter, cancelled, window, count)

    def _drivers(self, enter: Floats, cancelled: Floats, window: Window, count: Floats) -> None:
        """Drivers are those who carry an order: who is free the data does not tell."""
        out, back = enter[OUT_FOR_DELIVERY], np.fmin(enter[COMPLETED], np.where(np.isnan(cancelled), np.inf, cancelled))
        driven = np.isfinite(out) & np.isfinite(back) & (back > out) & (back - out <= STALLED_AFTER)
        spent = np.zeros_like(self._covered)
        out, back = np.maximum(out[driven], window.start), np.minimum(back[driven], window.end)
        # in pieces of a minute at most an error of half of it; a drive takes some ten
        steps = np.maximum(np.ceil((back - out) / 60), 0).astype(np.int64)
        of = np.repeat(np.arange(len(out)), steps)
        at = np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)
        length = (back - out) / np.maximum(steps, 1)
        day, block = self._cell(out[of] + (at + 0.5) * length[of])
        np.add.at(spent, (day, block), length[of])
        self._sums[DRIVERS] = spent, self._covered.copy()
        self._sums[PER_DRIVER] = (count if spent.any() else np.zeros_like(count)), spent / HOUR

    def _coverage(self, window: Window) -> Floats:
        covered = np.zeros((self._days, BLOCKS))
        edges = self._tz.ticks(window.start, window.end, BLOCK)
        edges = np.concatenate(([window.start], edges[(edges > window.start) & (edges < window.end)], [window.end]))
        day, block = self._cell((edges[:-1] + edges[1:]) / 2)
        np.add.at(covered, (day, block), np.diff(edges))
        return covered

    def _cell(self, t: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        local = np.asarray(self._tz.local(t), np.float64)
        day = np.floor(local / DAY).astype(np.int64)
        block = np.clip(((local - day * DAY) // BLOCK).astype(np.int64), 0, BLOCKS - 1)
        return np.clip(day - self._first_day, 0, self._days - 1), block

    def _sum(self, t: Floats, values: Floats) -> Floats:
        sums = np.zeros((self._days, BLOCKS))
        np.add.at(sums, self._cell(t), values)
        return sums

    def _mean(self, t: Floats, values: Floats, known: NDArray[np.bool_]) -> Sums:
        return self._sum(t[known], values[known]), self._sum(t[known], np.ones(int(known.sum())))

    def _share(self, t: Floats, such: NDArray[np.bool_]) -> Sums:
        return self._sum(t, np.where(such, 100.0, 0.0)), self._sum(t, np.ones(len(t)))

    @property
    def weekdays(self) -> list[int]:
        """The weekdays of the days that the range touches."""
        return [int((self._first_day + day) % 7) for day in self.days.tolist()]

    def in_order(self, order: NDArray[np.intp]) -> _Cells:
        """Return the sums of some days, by their positions in `days`."""
        days = self.days[order]
        return _Cells({name: (a[days], b[days]) for name, (a, b) in self._sums.items()}, self._covered[days])

    def collapsed(self) -> _Cells:
        """Return the sums of all days together."""
        return _Cells(
            {name: (a.sum(0, keepdims=True), b.sum(0, keepdims=True)) for name, (a, b) in self._sums.items()},
            self._covered.sum(0, keepdims=True),
        )


def _pairing(first: _Blocks, second: _Blocks) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]] | None, bool]:
    return held_against(np.array(first.weekdays), np.array(second.weekdays))


def held_against(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]] | None, bool]:
    """Return in which order the days of both are held against each other, by their weekdays (any numbers for them), None for all
    together; and whether each is held against one of the same weekday."""
    if len(first) != len(second):
        return None, False
    by_weekday = np.argsort(first, kind="stable"), np.argsort(second, kind="stable")
    if np.array_equal(first[by_weekday[0]], second[by_weekday[1]]):
        return by_weekday, True
    return (np.arange(len(first)), np.arange(len(second))), False


def _difference(name: str, first: Sums, second: Sums, both: NDArray[np.bool_], *, paired: bool) -> Difference:
    figures = [_figure(*(np.where(both, one, 0.0) for one in side)) for side in (first, second)]
    (a, e), (b, f) = figures
    if a is None or b is None:
        return Difference(name, LABELS[name], a, b, None, None, None, "")
    difference = b - a
    busy = (np.where(both, first[1], 0) > 0) & (np.where(both, second[1], 0) > 0)
    if np.count_nonzero(busy) < FEWEST_BLOCKS:
        return Difference(name, LABELS[name], a, b, difference, None, None, "")
    width = _width(f - e, paired=paired)
    change = ""
    if abs(difference) > width:
        better = GOOD.get(name, 0) * np.sign(difference)
        change = ("better" if better > 0 else "worse") if better else "more" if difference > 0 else "less"
    return Difference(name, LABELS[name], a, b, difference, difference - width, difference + width, change)


def _figure(sums: Floats, weights: Floats) -> tuple[float | None, Floats]:
    """Return the figure, and by how much each cell moves it: they add up to zero."""
    total = float(weights.sum())
    if total <= 0 or (not sums.any() and not weights.any()):
        return None, np.zeros_like(sums)
    value = float(sums.sum()) / total
    return value, (sums - value * weights) / total


def _width(moved: Floats, *, paired: bool) -> float:
    """Return half the width of the interval of a difference, from by how much each cell (days, blocks) moves it.

    Neighbouring cells count together (Bartlett's weights), as what makes one slow makes the next one slow.
    """
    series = moved.ravel()
    n = len(series)
    variance = float(series @ series)
    for lag in range(1, min(NEIGHBOURS, n - 1)):
        variance += 2 * (1 - lag / NEIGHBOURS) * float(series[lag:] @ series[:-lag])
    variance = max(variance, 0.0)
    squares = series**2
    if not squares.any():
        return 0.0
    effective = float(squares.sum()) ** 2 / float((squares**2).sum())
    freedom = max(effective / 2 - 1, 2.0)
    width = float(special.stdtrit(freedom, (1 + SURE) / 2)) * np.sqrt(variance * (1 + 1 / max(freedom, 1)))
    days = len(moved)
    if paired and days >= FEWEST_DAYS:
        by_day = moved.sum(axis=1)
        spread = float(np.sqrt(days / (days - 1) * (by_day @ by_day)))
        width = max(width, float(special.stdtrit(days - 1, (1 + SURE) / 2)) * spread)
    return float(width)


def sentence_of(differences: tuple[Difference, ...], names: tuple[str, str]) -> str:
    """Return what differs in one sentence, delivery time and late share first; what is not told of either is passed over."""
    told = [one for one in differences if one.change]
    alike = sum(one.low is not None and not one.change for one in differences)
    open_ = sum(one.low is None and (one.first is not None or one.second is not None) for one in differences)
    unclear = f"of {open_} figures there is too little to tell" if open_ > 1 else "of one there is too little to tell"
    if not told and not alike:
        return f"There is too little to tell whether {names[1]} differs from {names[0]}."
    if not told:
        rest = f"; {unclear}" if open_ else ""
        return f"No figure of {names[1]} differs from {names[0]} by more than chance{rest}."
    first = sorted(
        told, key=lambda one: (one.name not in (DELIVERY, LATE), not GOOD.get(one.name), list(LABELS).index(one.name))
    )
    parts = []
    for one in first:
        now, then = figure_texts(one.second, one.first)
        parts.append(f"{one.label[0].lower()}{one.label[1:]} {now} against {then} ({one.change})")
    text = f"{names[1][0].upper()}{names[1][1:]} against {names[0]}: {', '.join(parts)}"
    if alike:
        text += f"; {alike} other figures do not differ" if alike > 1 else "; one other figure does not differ"
        text += " by more than chance"
    return f"{text}; {unclear}." if open_ else f"{text}."


def figure_texts(*values: float | None) -> list[str]:
    """Return figures that stand beside each other with as many decimals each, as the table of the page writes them.

    >>> figure_texts(0.953, 1.04), figure_texts(9.5, 12.25), figure_texts(1234.6, None)
    (['0.95', '1.04'], ['9.5', '12.3'], ['1,235', '–'])
    """
    known = [abs(value) for value in values if value is not None]
    places = min(((0 if value >= 1000 else 1 if value >= 10 else 2) for value in known), default=0)
    step = Decimal(1).scaleb(-places)
    return [
        "–" if value is None else f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}" for value in values
    ]
