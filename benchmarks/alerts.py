"""How good alerts are on kitchens that nobody made for them: found, false, how soon after the first delayed order, flapping.

`python -m benchmarks.alerts` takes the seeds apart, `python -m benchmarks.alerts tuned` those on which thresholds were chosen;
`each` names every alert that is false, incident that is missed and rule that flaps.

What counts is harm. An incident counts if it hurt at least `LEAST_HURT` orders: delayed them by 150 s, or kept them away, or
brought as many too many. An alert is right if it is of a kind that the incident is, and began between its begin and half an hour
after its end, in which what it delayed is still delayed. All others are false: those that began before it, those of another
kind, and every alert in a week without an incident, in which nobody is delayed, however unusual its demand is.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from benchmarks.moments import AFTERMATH, MOST_FALSE
from benchmarks.table import Row
from benchmarks.worlds import CHANGES_DEMAND, DAY, FITTING, MINUTE, WORLDS, WORTH_S, World, with_incident, world
from twin.analysis.alerts import Evaluation, Firing, Machine, Rule, TroubleCondition
from twin.analysis.alerts.signs import PHASES
from twin.foundation import event_types as ev
from twin.foundation.times import text
from twin.sources.base import Window

TUNED, APART = range(6), range(2_000, 2_006)
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
"""A rule that fires again so soon after it recovered flaps; one that fires twice of one incident does so, too."""
LEAST_HURT = 5.0
"""Orders below which an incident harmed hardly anybody: it need not be told, but may."""
RECALL, PRECISION, DELAY_MIN = 0.9, 0.9, 6.0
"""The goals."""


@dataclass(frozen=True)
class Told:
    """An alert of a week: of which kind, from when to when, whether it is right, whether its rule flapped."""

    kind: str
    firing: Firing
    right: bool
    again: bool

    @property
    def sentence(self) -> str:
        until = "" if self.firing.ended is None else text(self.firing.ended)[11:16]
        return f"{self.kind} {text(self.firing.began)[5:16]}–{until}: {self.firing.text}"


@dataclass(frozen=True)
class Measured:
    """What the alerts of all kinds said in a week. at: when the first right one fired, NaN if none did."""

    told: tuple[Told, ...]

    @property
    def at(self) -> float:
        return min((one.firing.began for one in self.told if one.right), default=np.nan)

    @property
    def true(self) -> int:
        return sum(one.right for one in self.told)

    @property
    def false(self) -> int:
        return sum(not one.right for one in self.told)

    @property
    def again(self) -> int:
        return sum(one.again for one in self.told)

    @property
    def found(self) -> bool:
        """Whether the incident was told."""
        return bool(np.isfinite(self.at))


@dataclass(frozen=True)
class Week:
    """A kitchen-week: its world or the shape of its incident, and the minutes from its begin, or its first delayed order."""

    name: str
    seed: int
    measured: Measured
    counts: bool = True
    delay: float = np.nan
    about: str = ""


def measured(made: World, right: tuple[str, ...] = ()) -> Measured:
    """Return what alerts of all kinds say of a world, of which those of the kinds `right` may be about its incident."""
    told = []
    firings = _firings(made)
    for kind in PHASES:
        ended, was_right = -np.inf, False
        for firing in firings[kind]:
            is_right = kind in right and any(
                incident.start <= firing.began <= incident.end + AFTERMATH for incident in made.planted
            )
            again = firing.began - ended < FLAP_S or (is_right and was_right)
            told.append(Told(kind, firing, is_right, bool(again)))
            ended, was_right = firing.ended or made.window.end, is_right
    return Measured(tuple(told))


def _firings(made: World) -> dict[str, list[Firing]]:
    """Return the alerts of each kind in the week, as a rule that waits for nothing fires them."""
    evaluation, window = Evaluation(made.history, made.name), recorded(made)
    rules = {kind: Rule(TroubleCondition(kind), 0.0) for kind in PHASES}
    machines = {kind: Machine() for kind in PHASES}
    fired: dict[str, dict[float, Firing]] = {kind: {} for kind in PHASES}
    for begin in np.arange(window.start, window.end, DAY).tolist():
        for kind, rule in rules.items():
            machines[kind], changes = evaluation.run(rule, machines[kind], begin, min(begin + DAY, window.end))
            fired[kind] |= {one.began: one for one in changes}
    return {kind: list(of.values()) for kind, of in fired.items()}


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
    worth = float(np.nanmedian(took)) + WORTH_S
    with np.errstate(invalid="ignore"):
        late = (start >= incident.start) & (start < incident.end) & hit & (took >= worth)
    return float((start[late] + worth).min(initial=np.inf))


def hurt_week(seed: int, shape: str) -> Week:
    """Return a week with an incident."""
    made = with_incident(shape, seed)
    result = measured(made, KIND_OF[shape])
    (incident,) = made.planted
    reference = incident.start if shape in CHANGES_DEMAND else first_delayed(made)
    about = (
        f"{len(made.history) / len(np.unique(made.history.began // DAY)):.0f} a day, hurt {made.hurt:.0f}, "
        f"day {int((made.window.end - incident.start) // DAY)} before the end of "
        f"{len(np.unique(made.history.began // DAY))}, {text(incident.start)[5:16]}–{text(incident.end)[11:16]}"
    )
    delay = (result.at - reference) / MINUTE
    return Week(shape, seed, result, made.hurt >= LEAST_HURT, delay, about)


def calm_week(seed: int, name: str) -> Week:
    """Return a week without an incident."""
    return Week(name, seed, measured(world(name, seed)))


def weeks(seeds: range) -> tuple[list[Week], list[Week]]:
    """Return the weeks with an incident of each shape, and the calm weeks of each world."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        hurt = [pool.map(partial(hurt_week, shape=shape), seeds) for shape in FITTING]
        calm = [pool.map(partial(calm_week, name=name), seeds) for name in WORLDS]
        return [one for each in hurt for one in each], [one for each in calm for one in each]


def measure(quick: bool) -> list[Row]:
    """Return the goals with what is reached, then a row per shape of incident and per world."""
    began = time.perf_counter()
    hurt, calm = weeks(APART[:1] if quick else APART)
    number = len(hurt) + len(calm)
    return [
        *rows(hurt, calm),
        Row("kitchen-weeks of alerts", "", f"{number} in {time.perf_counter() - began:.0f} s"),
    ]


def rows(hurt: list[Week], calm: list[Week]) -> Iterator[Row]:
    """Yield the table."""
    counted = [week for week in hurt if week.counts]
    found = sum(week.measured.found for week in counted)
    true, false = sum(week.measured.true for week in hurt), sum(week.measured.false for week in hurt)
    delays = [week.delay for week in hurt if week.measured.found and week.name not in CHANGES_DEMAND]
    again = sum(week.measured.again for week in hurt + calm)
    a_week = sum(week.measured.false for week in calm) / len(calm)
    left_out = f", {len(hurt) - len(counted)} hurt too few to count" if len(hurt) > len(counted) else ""
    recall, precision, delay = found / len(counted), true / max(1, true + false), median(delays)
    for what, goal, said, met, value in (
        ("recall", f"≥ {RECALL}", f"{recall:.3f} ({found} of {len(counted)}{left_out})", recall >= RECALL, recall),
        ("precision", f"≥ {PRECISION}", f"{precision:.3f} ({true} right, {false} false)", precision >= PRECISION, precision),
        ("minutes after the first delayed order", f"≤ {DELAY_MIN:g}", f"{delay:.1f}", delay <= DELAY_MIN, delay),
        ("false in a calm kitchen-week", f"≤ {MOST_FALSE:g}", f"{a_week:.2f}", a_week <= MOST_FALSE, a_week),
        ("flaps", "0", f"{again} in {len(hurt) + len(calm)} weeks", again == 0, float(again)),
    ):  # fmt: skip
        yield Row(f"alerts: {what}", goal, said, met, value)
    for shape in FITTING:
        of = [week for week in hurt if week.name == shape]
        delays = [week.delay for week in of if week.measured.found]
        right = sum(week.measured.true for week in of)
        yield Row(
            f"alerts of {shape}",
            "",
            f"found {sum(week.measured.found for week in of)} of {len(of)}, {right} right, "
            f"{sum(week.measured.false for week in of)} false, after {median(delays) if delays else float('nan'):.1f} min",
        )
    for name in WORLDS:
        of = [week for week in calm if week.name == name]
        rate = sum(week.measured.false for week in of) / len(of)
        yield Row(f"false alerts a week: {name}", f"≤ {MOST_FALSE:g}", f"{rate:.2f}", rate <= MOST_FALSE, rate)


def main() -> None:
    """Print the table."""
    hurt, calm = weeks(TUNED if "tuned" in sys.argv else APART)
    for row in rows(hurt, calm):
        print(f"{row.what:48s} {row.measured}")
    if "each" in sys.argv:
        for week in hurt + calm:
            said = f"{week.name} {week.seed} ({week.about})"
            if week.about and not week.measured.found:
                print("missed", said)
            for one in week.measured.told:
                if one.again or not one.right:
                    print("again" if one.again else "false", said, one.sentence)


if __name__ == "__main__":
    main()
