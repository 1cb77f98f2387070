"""How good alerts are on kitchens that nobody made for them: found, false, how soon after the first delayed order, flapping.

`python -m benchmarks.alerts` takes the seeds apart, `python -m benchmarks.alerts tuned` those on which thresholds were chosen.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.moments import AFTERMATH
from benchmarks.worlds import CHANGES_DEMAND, FITTING, MINUTE, WORLDS, World, with_incident, world
from twin.analysis.alerts import Evaluation, Rule, TroubleCondition
from twin.analysis.alerts.backtest import backtest
from twin.analysis.alerts.signs import LEAST_EXCESS_S, PHASES
from twin.foundation import event_types as ev
from twin.sources.base import Window

TUNED, APART = range(4), range(1_000, 1_006)
KIND_OF = {
    "rush": ("demand_spike",),
    "silence": ("outage",),
    "hardly any orders": ("outage",),
    "dead day": ("outage",),
    "half a day": ("outage",),
    "late start": ("outage",),
    "standstill": ("slow_kitchen", "outage"),
    "slow half hour": ("slow_kitchen",),
    "slow evening": ("slow_kitchen",),
    "one brand slow": ("slow_kitchen",),
    "drivers short": ("driver_shortage",),
    "every second driver late": ("driver_shortage",),
    "slow roads": ("slow_delivery",),
    "one zone slow": ("slow_delivery",),
}
"""Shape of an incident -> the kinds of alerts that are right."""
FLAP_S = 10 * MINUTE
"""A rule that fires again so soon after it recovered flaps."""


@dataclass(frozen=True)
class Measured:
    """What the alerts of all kinds said in a week with one incident.

    at: when the first right one fired, NaN if none did; false: alerts that have nothing to do with it; true: the others; again:
    firings of one rule within `FLAP_S` of its recovery.
    """

    at: float
    true: int
    false: int
    again: int

    @property
    def found(self) -> bool:
        """Whether it was told."""
        return bool(np.isfinite(self.at))


def measured(made: World, right: tuple[str, ...]) -> Measured:
    """Return what alerts of all kinds say of a world with one incident."""
    (incident,) = made.planted
    evaluation = Evaluation(made.history, made.name)
    times, true, false, again = [], 0, 0, 0
    for kind in PHASES:
        ended = -np.inf
        for fired in backtest(evaluation, Rule(TroubleCondition(kind), 0.0), recorded(made), ()).fired:
            firing = fired.firing
            until = made.window.end if firing.ended is None else firing.ended
            fits = firing.began <= incident.end + AFTERMATH and until >= incident.start
            again += firing.began - ended < FLAP_S
            ended = until
            true, false = true + fits, false + (not fits)
            if fits and kind in right and firing.began >= incident.start:
                times.append(firing.began)
    return Measured(min(times, default=np.nan), true, false, again)


def recorded(made: World) -> Window:
    """Return the week as far as it is recorded: alerts look no further than the last event."""
    began = made.history.enter[0]
    return Window(made.window.start, min(made.window.end, float(began[np.isfinite(began)].max())))


def first_delayed(made: World) -> float:
    """Return when the first order of an incident was two and a half minutes later in its phase than is usual; NaN for demand."""
    (incident,) = made.planted
    if incident.shape in CHANGES_DEMAND:
        return np.nan
    before, after = {
        "slow_kitchen": (ev.GK_STARTED, ev.GK_FINISHED),
        "driver_shortage": (ev.GK_READY, ev.DRIVER_PICKED_UP),
        "slow_delivery": (ev.DRIVER_PICKED_UP, ev.DELIVERED),
    }[KIND_OF[incident.shape][0]]
    if incident.shape == "standstill":
        before, after = ev.ORDER_CREATED, ev.GK_STARTED
    start = made.history.milestones[before]
    took = made.history.milestones[after] - start
    hit = np.ones(len(start), bool) if made.hit is None or not made.hit.any() else made.hit
    worth = float(np.nanmedian(took)) + LEAST_EXCESS_S
    with np.errstate(invalid="ignore"):
        late = (start >= incident.start) & (start < incident.end) & hit & (took >= worth)
    return float((start[late] + worth).min())


def _hurt(seed: int, shape: str) -> tuple[str, Measured, float]:
    made = with_incident(shape, seed)
    result = measured(made, KIND_OF[shape])
    reference = made.planted[0].start if shape in CHANGES_DEMAND else first_delayed(made)
    return shape, result, (result.at - reference) / MINUTE


def _calm(seed: int, name: str) -> tuple[str, int]:
    made = world(name, seed)
    evaluation = Evaluation(made.history, name)
    return name, sum(
        len(backtest(evaluation, Rule(TroubleCondition(kind), 0.0), recorded(made), ()).fired) for kind in PHASES
    )


def main() -> None:
    """Print what was found per shape, and what was false per world."""
    seeds = TUNED if "tuned" in sys.argv else APART
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        hurt = [one for shape in FITTING for one in pool.map(partial(_hurt, shape=shape), seeds)]
        calm = [one for name in WORLDS for one in pool.map(partial(_calm, name=name), seeds)]
    for shape in FITTING:
        of = [(result, delay) for name, result, delay in hurt if name == shape]
        delays = [delay for result, delay in of if result.found]
        print(
            f"{shape:26s} found {sum(r.found for r, _ in of)} of {len(of)}, {sum(r.false for r, _ in of)} false, "
            f"{sum(r.again for r, _ in of)} again, minutes {median(delays) if delays else float('nan'):.0f}"
        )
    for name in WORLDS:
        of_world = [number for world_name, number in calm if world_name == name]
        print(f"{name:26s} {sum(of_world) / len(of_world):.2f} false a week")
    true, false = sum(r.true for _, r, _ in hurt), sum(r.false for _, r, _ in hurt)
    timed = [delay for shape, r, delay in hurt if r.found and shape not in CHANGES_DEMAND]
    print(
        f"recall {sum(r.found for _, r, _ in hurt) / len(hurt):.3f}, precision {true / max(1, true + false):.3f}, "
        f"median delay {median(timed):.1f} min after the first delayed order, flaps {sum(r.again for _, r, _ in hurt)}, "
        f"false a calm week {sum(n for _, n in calm) / len(calm):.2f}"
    )


if __name__ == "__main__":
    main()
