"""Was the promise fair? What was promised against what it took, and what the promise should have been by what was known then.

Two promises are made. At its creation an order is promised the target; at its pick-up, in data that has it, the driver's estimate
of the drive (`eta_mins`). Each is compared with earlier orders that are like it: placed (or picked up) at that hour of the day
while about as many others were open. Only those count that had been delivered by the beginning of the hour in which the promise
was made, on that day or an earlier one: what came later cannot change it. Their times are an empirical distribution of what was
to be expected. Its 90 % quantile is the promise that nine of ten such orders would have kept, the fair one; and where fewer than
half of them, by more than chance, would have kept what was promised, the promise was doomed when it was made. For the estimate it
is the ratio of drive and estimate that is compared, because a drive's length is known when it begins.

Conditional quantiles from past cases are quantile regression (Koenker & Bassett, Econometrica 46, 1978) in its simplest form, by
cells: Meinshausen (JMLR 7, 2006) shows that averaging over like cases estimates them consistently. That the number of orders in
the system at arrival tells of the delay to come is from queueing (Ibrahim & Whitt, Manufacturing & Service Operations
Management 11, 2009).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.analysis.baseline import Baseline
from twin.analysis.metrics import WHOLE_MINUTE
from twin.foundation.settings import DELIVERY_TARGET_S
from twin.foundation.stages import CREATED, STALLED_AFTER
from twin.foundation.times import DAY, HOUR
from twin.foundation.zones import Zone
from twin.timeline import events as ev
from twin.timeline.timeline import Timeline

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FAIR = 0.9
"""Share of earlier orders like it that would have kept a fair promise."""
DOOMED = 0.5
"""A promise that fewer than this share of them would have kept was doomed when it was made."""
SURE_Z = 1.645
"""Standard deviations by which they must be fewer: half of fifty is missed by chance often, by so much once in twenty times."""
ENOUGH = 50
"""Fewest earlier orders that are compared; with fewer, less similar ones are taken, and in the end nothing is said."""
LOAD_STEPS = 2
"""Steps of load for each doubling: of 4 + the number of open orders, so that 0 and 1 are alike."""

TARGET, ESTIMATE = "target", "estimate"
MADE = {TARGET: "Target, at the order", ESTIMATE: "Estimate, at pick-up"}


@dataclass(frozen=True, slots=True)
class Fairness:
    """The promises of one kind that some delivered orders had been made; times are sums in seconds over `orders`.

    kept: how many were kept, to half a minute. judged: of how many enough was known when they were made; of these, `fair` is
    the sum of what would have been fair, and `doomed` could be expected to fail.
    """

    kind: str
    orders: int
    kept: int
    promised: float
    took: float
    judged: int
    fair: float
    doomed: int

    @property
    def sentence(self) -> str:
        """The promise in words; minutes are means."""
        if not self.orders:
            return "Nothing that was promised has been delivered here."
        promised, took = (value / self.orders / 60 for value in (self.promised, self.took))
        text = f"Promised {promised:.0f} min, took {took:.0f}; {100 * self.kept / self.orders:.0f} % kept"
        if not self.judged:
            return f"{text}. Fewer than {ENOUGH} earlier orders were known to judge it by"
        doomed = f"{100 * self.doomed / self.judged:.0f} % were doomed when made"
        return f"{text}. Fair would have been {self.fair / self.judged / 60:.0f} min; {doomed}"


@dataclass(frozen=True)
class Promises:
    """The promises of one kind to n orders; rows as in `Timeline.orders`, all but `kind` (n,).

    promised, took: seconds from when it was made; NaN where none was made, or it was not delivered within four hours. fair:
    seconds. keep: share of the `alike` earlier orders like it that took no longer. Both are NaN where too few were known.
    """

    kind: str
    promised: Floats
    took: Floats
    fair: Floats
    keep: Floats
    alike: Floats

    @property
    def doomed(self) -> Bools:
        """Whether fewer than half of the earlier orders like it would have kept it, by more than chance, (n,)."""
        with np.errstate(invalid="ignore"):
            return self.keep < DOOMED - SURE_Z * np.sqrt(DOOMED * (1 - DOOMED) / self.alike)

    def fairness(self, among: Bools | None = None) -> Fairness:
        """Return the sums over the delivered orders `among` (n,), by default all."""
        rows = np.isfinite(self.took) & np.isfinite(self.promised)
        rows = rows if among is None else rows & among
        judged = rows & np.isfinite(self.fair)
        return Fairness(
            kind=self.kind,
            orders=int(np.count_nonzero(rows)),
            kept=int(np.count_nonzero(self.took[rows] < self.promised[rows] + WHOLE_MINUTE)),
            promised=float(self.promised[rows].sum()),
            took=float(self.took[rows].sum()),
            judged=int(np.count_nonzero(judged)),
            fair=float(self.fair[judged].sum()),
            doomed=int(np.count_nonzero(self.doomed & judged)),
        )


class PromiseBook:
    """The promises of a timeline's orders of both kinds, made at the first use: it takes a while for a long history."""

    def __init__(self, timeline: Timeline, baseline: Baseline, target: float = DELIVERY_TARGET_S) -> None:
        orders, history = timeline.orders, baseline.history
        self.baseline, self.target, self._tz = baseline, target, timeline.tz
        self._milestones, self._first = orders.milestones, orders.first
        self._eta = orders.eta_mins.astype(np.float64) * 60
        self._earlier = (
            (orders.milestones, orders.first) if history is None else (history.milestones, history.enter[CREATED])
        )

    @cached_property
    def target_promises(self) -> Promises:
        """What orders were promised when they were created."""
        created = self._milestones[ev.ORDER_CREATED]
        earlier, first = self._earlier
        times, load = _lasted(earlier, ev.ORDER_CREATED), _under_way(earlier, first, earlier[ev.ORDER_CREATED])
        past = _Past(earlier[ev.ORDER_CREATED], earlier[ev.DELIVERED], load, times, self._tz)
        promised = np.where(np.isfinite(created), self.target, np.nan)
        expected = past.expected(
            created, _under_way(self._milestones, self._first, created), np.ones(len(created)), promised
        )
        return Promises(TARGET, promised, _lasted(self._milestones, ev.ORDER_CREATED), *expected)

    @cached_property
    def estimate_promises(self) -> Promises:
        """What drivers estimated at pick-up; it is compared with the estimates in the timeline itself, no history has them."""
        made = self._milestones[ev.DRIVER_PICKED_UP]
        promised = np.where(np.isfinite(made) & (self._eta > 0), self._eta, np.nan)
        took = np.where(np.isfinite(promised), _lasted(self._milestones, ev.DRIVER_PICKED_UP), np.nan)
        load = _under_way(self._milestones, made, made)
        past = _Past(made, self._milestones[ev.DELIVERED], load, took / promised, self._tz)
        expected = past.expected(np.where(np.isfinite(promised), made, np.nan), load, promised, promised)
        return Promises(ESTIMATE, promised, took, *expected)

    @property
    def kinds(self) -> Iterator[Promises]:
        """The kinds of promises that the data has, the target first."""
        yield self.target_promises
        if np.isfinite(self.estimate_promises.promised).any():
            yield self.estimate_promises


class _Made:
    """The promises of a timeline, made at first and again for another baseline or target."""

    def __init__(self, _: Timeline) -> None:
        self._made: PromiseBook | None = None

    def of(self, timeline: Timeline, baseline: Baseline, target: float) -> PromiseBook:
        made = self._made
        if made is None or made.baseline is not baseline or made.target != target:
            made = self._made = PromiseBook(timeline, baseline, target)
        return made


def promises_of(timeline: Timeline, baseline: Baseline, target: float = DELIVERY_TARGET_S) -> PromiseBook:
    """Return the timeline's promises, created at the first call and freed with the timeline."""
    return timeline.cached(_Made).of(timeline, baseline, target)


class _Past:
    """Earlier cases by hour of the day and load, each sorted by when it was over and so known.

    made, over, load, values: (m,) when the promise was made and when it was over (data seconds), how many orders were open, and
    what is compared; those where one of them is not known count nowhere.
    """

    def __init__(self, made: Floats, over: Floats, load: Ints, values: Floats, tz: Zone) -> None:
        rows = np.flatnonzero(np.isfinite(made) & np.isfinite(over) & np.isfinite(values))
        rows = rows[np.argsort(over[rows], kind="stable")]
        self._tz = tz
        self._over, self._values = over[rows], values[rows]
        cell = self._hour(made[rows]) * _CELLS + _step(load[rows])
        self._of_cell = {
            int(key): (self._over[cell == key], self._values[cell == key]) for key in np.unique(cell).tolist()
        }

    def expected(self, made: Floats, load: Ints, scale: Floats, promised: Floats) -> tuple[Floats, Floats, Floats]:
        """Return what is fair, (n,) seconds, the share that would have kept `promised`, and of how many cases.

        Their values are multiplied by `scale` (n,). NaN where fewer than `ENOUGH` cases were known when it was `made` (n,).
        """
        fair, keep, alike = (np.full(len(made), np.nan) for _ in range(3))
        rows = np.flatnonzero(np.isfinite(made))
        start = made[rows] - np.asarray(self._tz.local(made[rows])) % HOUR
        keys, inverse = np.unique(np.stack([start, _step(load[rows]).astype(np.float64)]), axis=1, return_inverse=True)
        order = np.argsort(inverse.ravel(), kind="stable")
        groups = np.split(rows[order], np.cumsum(np.bincount(inverse.ravel()))[:-1]) if len(rows) else []
        hours = self._hour(keys[0])
        for (begin, step), hour, some in zip(keys.T.tolist(), hours.tolist(), groups, strict=True):
            values = self._alike(begin, hour, int(step))
            if values is not None:
                fair[some] = scale[some] * np.quantile(values, FAIR)
                limit = (promised[some] + WHOLE_MINUTE) / scale[some]
                alike[some] = len(values)
                keep[some] = np.sort(values).searchsorted(limit, "left") / len(values)
        return fair, keep, alike

    def _alike(self, t: float, hour: int, step: int) -> Floats | None:
        """Return the values known by t of the most similar cases of which there are enough."""
        near, about = ((hour - 1) % 24, hour, (hour + 1) % 24), (step - 1, step, step + 1)
        ways = (((hour,), (step,)), (near, (step,)), (near, about), (range(24), about), ((hour,), range(_CELLS)))
        for hours, steps in ways:
            known = [
                values[: over.searchsorted(t, "right")]
                for over, values in (
                    self._of_cell[cell]
                    for cell in (h * _CELLS + s for h in hours for s in steps)
                    if cell in self._of_cell
                )
            ]
            if sum(map(len, known)) >= ENOUGH:
                return np.concatenate(known)
        count = int(self._over.searchsorted(t, "right"))
        return self._values[:count] if count >= ENOUGH else None

    def _hour(self, t: Floats) -> Ints:
        return np.asarray(self._tz.local(t) % DAY // HOUR, np.int64)


_CELLS = 64
"""More than there are steps of load."""


def _step(load: Ints) -> Ints:
    """Return the step of load of a number of open orders, 0 to `_CELLS` − 2."""
    return np.asarray(np.minimum(LOAD_STEPS * np.log2(1 + load / 4), _CELLS - 2), np.int64)


def _lasted(milestones: Floats, since: int) -> Floats:
    """Return the seconds from a milestone to the delivery, (n,); NaN where negative, over four hours or unknown."""
    took = milestones[ev.DELIVERED] - milestones[since]
    with np.errstate(invalid="ignore"):
        return np.where((took >= 0) & (took <= STALLED_AFTER), took, np.nan)


def _under_way(milestones: Floats, start: Floats, at: Floats) -> Ints:
    """Return how many orders had come under way before each time `at` (n,) and had not ended by then; 0 where it is not finite.

    start: (m,) when each came under way. One that was neither delivered nor cancelled in four hours counts as ended then.
    """
    end = np.fmin(milestones[ev.DELIVERED], milestones[ev.ORDER_CANCELLED])
    with np.errstate(invalid="ignore"):
        end = np.where((end >= start) & (end <= start + STALLED_AFTER), end, start + STALLED_AFTER)
    known, rows = np.isfinite(start), np.flatnonzero(np.isfinite(at))
    starts, ends = np.sort(start[known]), np.sort(end[known])
    load = np.zeros(len(at), np.int64)
    load[rows] = starts.searchsorted(at[rows], "left") - ends.searchsorted(at[rows], "right")
    return np.maximum(load, 0)
