"""What do some orders share? The traits that are more frequent among them than among the rest, beyond what chance does.

Traits are whatever is known of an order when it is made, and whether its driver came before its food or late: brands, size,
distance and direction, hour and weekday, how busy the kitchen was. Many are looked at, so chance alone would name some: each is
tested exactly (Fisher), and what is named holds for all of them together (Holm). Where orders are alike nothing is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.analysis.brands import pairs
from twin.foundation.lazily import at_first_use
from twin.foundation.times import DAY, HOUR
from twin.timeline import events as ev
from twin.timeline.timeline import Timeline

if TYPE_CHECKING:
    from scipy import special
else:
    special = at_first_use("scipy.special")

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

CHANCE = 0.05
"""Probability that anything is named although all orders are alike."""
FEWEST = 5
"""Fewest of the orders that must have a trait for it to be named."""
LEAST_DIFFERENCE = 0.1
"""Smallest difference of the two shares that is worth a word, however sure it is."""
Z = 1.96
"""Standard deviations of the 95 % interval."""
MOST_BRANDS = 40
"""Brands that are looked at, those with most of the orders."""
MOST_HELD = 400
"""Brands of a timeline of which is stored who has them."""
SMALLEST_GROUP = 20
"""Orders that a quarter of them must be for distances and load to be split at quarters."""
DRIVER_LATE = 5 * 60.0
"""A driver who comes so many seconds after the food was ready comes late: as a rule he is there within a few minutes."""
DRIVER_LATE_LABEL = f"driver over {DRIVER_LATE / 60:.0f} min after the food"
DIRECTIONS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")


@dataclass(frozen=True, slots=True)
class Trait:
    """A property that orders have or have not: its `kind` and `label`; has: (n,) by order, known: (n,) where that is known.

    Of a trait that is the `quarter` (0 to 3) of `values`, `has` is by the quarters of all orders; those of other orders are taken
    from them, so that nothing depends on orders that are not looked at.
    """

    kind: str
    label: str
    has: Bools
    known: Bools
    values: Floats | None = None
    quarter: int = -1


@dataclass(frozen=True, slots=True)
class CommonTrait:
    """A trait that is more frequent among some orders than among the rest.

    share and rest: of the orders and of the rest, 0..1; low, high: the 95 % interval of their difference (Newcombe). number: the
    orders that have it, of `of`; chance: the probability of so many, corrected for all traits that were looked at.
    """

    kind: str
    label: str
    share: float
    rest: float
    low: float
    high: float
    number: int
    of: int
    chance: float
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp), repr=False, compare=False)
    """The orders that have it: rows of the timeline's."""

    @property
    def sentence(self) -> str:
        """The trait in words, as "brand Pho Real: 61 % of them, 20 % of the rest"."""
        return f"{self.label}: {100 * self.share:.0f} % of them, {100 * self.rest:.0f} % of the rest"


def common_traits(traits: list[Trait], orders: Bools, among: Bools) -> list[CommonTrait]:
    """Return what `orders` (n,) share that the others `among` (n,) do not, the largest difference first; often nothing.

    Of traits of one kind that overlap (hours, directions …) each stands for itself.
    """
    some, rest = orders & among, among & ~orders
    traits = [*_looked_at(traits, among)]
    counted = [(trait, _counts(trait, some), _counts(trait, rest)) for trait in traits]
    tested = [(trait, k, n, j, m) for trait, (k, n), (j, m) in counted if n and m and k + j not in (0, n + m)]
    if not tested:
        return []
    chances = np.array([_chance(k, n, j, m) for _, k, n, j, m in tested])
    found, worst = [], 0.0
    for rank, at in enumerate(np.argsort(chances, kind="stable").tolist()):
        worst = max(worst, min(1.0, float(chances[at]) * (len(tested) - rank)))
        if worst > CHANCE:
            break
        trait, k, n, j, m = tested[at]
        if k >= FEWEST and k / n - j / m >= LEAST_DIFFERENCE:
            rows, shares = np.flatnonzero(trait.has & trait.known & some), (k / n, j / m)
            found.append(CommonTrait(trait.kind, trait.label, *shares, *_difference(k, n, j, m), k, n, worst, rows))
    return sorted(found, key=lambda one: one.rest - one.share)


def _looked_at(traits: list[Trait], among: Bools) -> Iterator[Trait]:
    """Yield the traits as they are of the orders `among`: quarters of these, and the brands that most of them have."""
    brands = [trait for trait in traits if trait.kind == "brand"]
    if len(brands) > MOST_BRANDS:
        brands.sort(key=lambda trait: -np.count_nonzero(trait.has & among))
        brands = brands[:MOST_BRANDS]
    yield from brands
    edges: dict[str, Floats | None] = {}
    for trait in traits:
        if trait.values is None:
            if trait.kind != "brand":
                yield trait
            continue
        if trait.kind not in edges:
            edges[trait.kind] = _edges(trait.values, trait.known & among)
        found = edges[trait.kind]
        if found is not None:
            yield replace(trait, has=_quarter(trait.values, trait.known, found) == trait.quarter)


def _chance(k: int, n: int, j: int, m: int) -> float:
    """Return the probability of k or more of n where j of m have it, too, if both are alike: Fisher's exact test, one-sided.

    scipy.stats has it, and takes most of a second of CPU to import, in every process.
    """
    having = k + j
    more = np.arange(k, min(n, having) + 1)
    logs = _log_choices(n, more) + _log_choices(m, having - more) - _log_choices(n + m, np.array(having))
    return min(1.0, float(np.exp(logs).sum()))


def _log_choices(n: int, of: NDArray[np.int64]) -> Floats:
    """Return the logarithms of how many ways there are to choose so many of n."""
    return np.asarray(special.gammaln(n + 1) - special.gammaln(of + 1) - special.gammaln(n - of + 1))


def _counts(trait: Trait, orders: Bools) -> tuple[int, int]:
    """Return how many of the orders have a trait, and of how many that is known."""
    known = orders & trait.known
    return int(np.count_nonzero(known & trait.has)), int(np.count_nonzero(known))


def traits_of(timeline: Timeline) -> list[Trait]:
    """Return the traits of a timeline's orders; those that the data does not tell are left out. See `Timeline.cached`."""
    return [
        *_brands(timeline),
        *_sizes(timeline),
        *_places(timeline),
        *_times(timeline),
        *_load(timeline),
        *_driver(timeline),
    ]


def _brands(timeline: Timeline) -> Iterator[Trait]:
    n = len(timeline.orders)
    names, order, brand = pairs(timeline.orders)
    known = np.zeros(n, bool)
    known[order] = True
    number = np.bincount(brand, minlength=len(names))
    for k in np.argsort(-number, kind="stable")[:MOST_HELD].tolist():
        has = np.zeros(n, bool)
        has[order[brand == k]] = True
        yield Trait("brand", f"brand {names[k]}", has, known)
    yield Trait("brands", "several brands", np.bincount(order, minlength=n) > 1, known)


def _sizes(timeline: Timeline) -> Iterator[Trait]:
    items = timeline.orders.quantity
    known = items > 0
    for label, low, high in (
        ("one item", 0, 1),
        ("two items", 1, 2),
        ("three or four items", 2, 4),
        ("five items or more", 4, np.inf),
    ):
        yield Trait("items", label, (items > low) & (items <= high), known)


def _places(timeline: Timeline) -> Iterator[Trait]:
    x, y = timeline.orders.customer_x.astype(np.float64), timeline.orders.customer_y.astype(np.float64)
    known = np.isfinite(x) & np.isfinite(y) & (timeline.location.lat is not None)
    distance = np.hypot(x, y)
    yield from _quarters("distance", ("near by", "not far", "rather far", "far away"), distance, known)
    way = np.round(np.arctan2(y, x) / (np.pi / 4))
    sector = np.where(known, way, 0).astype(int) % 8
    for k, name in enumerate(DIRECTIONS):
        yield Trait("direction", f"{name} of the kitchen", sector == k, known)


def _times(timeline: Timeline) -> Iterator[Trait]:
    began = timeline.orders.began
    known = np.isfinite(began)
    local = np.asarray(timeline.tz.local(np.where(known, began, timeline.window.start)))
    hour, weekday = (local % DAY // HOUR).astype(int), (local // DAY).astype(int) % 7
    for k in np.unique(hour[known]).tolist():
        yield Trait("hour", f"ordered {k:02d}:00–{k + 1:02d}:00", hour == k, known)
    weekdays, first = np.unique(weekday[known], return_index=True)
    for k, t in zip(weekdays.tolist(), began[known][first].tolist(), strict=True) if len(weekdays) > 1 else ():
        yield Trait("weekday", f"on a {timeline.tz.weekday(t)}", weekday == k, known)


def _load(timeline: Timeline) -> Iterator[Trait]:
    orders = timeline.orders
    created = orders.created
    known = np.isfinite(created)
    ends = np.fmin(orders.delivered, orders.cancelled)
    first, last = np.sort(orders.began[np.isfinite(orders.began)]), np.sort(ends[np.isfinite(ends)])
    load = np.full(len(created), np.nan)
    load[known] = first.searchsorted(created[known], "left") - last.searchsorted(created[known], "right")
    yield from _quarters("load", ("while it was calm", "", "", "while it was busiest"), load, known)


def _driver(timeline: Timeline) -> Iterator[Trait]:
    milestones = timeline.orders.milestones
    ready, arrived = milestones[ev.GK_READY], milestones[ev.DRIVER_ARRIVED]
    known = np.isfinite(ready) & np.isfinite(arrived)
    yield Trait("driver", "driver there before the food", arrived < ready, known)
    yield Trait("driver", DRIVER_LATE_LABEL, arrived - ready > DRIVER_LATE, known)


def _quarters(kind: str, labels: tuple[str, ...], values: Floats, known: Bools) -> Iterator[Trait]:
    """Yield a trait for each quarter of the known values that has a label."""
    edges = _edges(values, known)
    if edges is None:
        return
    quarter = _quarter(values, known, edges)
    for k, label in enumerate(labels):
        if label:
            yield Trait(kind, label, quarter == k, known, values, k)


def _edges(values: Floats, known: Bools) -> Floats | None:
    """Return the three values between quarters, None if these would be too small."""
    if np.count_nonzero(known) < 4 * SMALLEST_GROUP:
        return None
    edges: Floats = np.quantile(values[known], (0.25, 0.5, 0.75))
    return edges


def _quarter(values: Floats, known: Bools, edges: Floats) -> NDArray[np.intp]:
    return np.where(known, np.searchsorted(edges, values, "left"), -1)


def _difference(k: int, n: int, j: int, m: int) -> tuple[float, float]:
    """Return the 95 % interval of k/n − j/m by Newcombe's method, which keeps to −1..1 for any counts."""
    low1, high1 = _wilson(k, n)
    low2, high2 = _wilson(j, m)
    p, q = k / n, j / m
    return p - q - sqrt((p - low1) ** 2 + (high2 - q) ** 2), p - q + sqrt((high1 - p) ** 2 + (q - low2) ** 2)


def _wilson(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of k in n."""
    p, square = k / n, Z * Z
    middle, width = p + square / (2 * n), Z * sqrt(p * (1 - p) / n + square / (4 * n * n))
    return (middle - width) / (1 + square / n), (middle + width) / (1 + square / n)
