"""The schedule of a run: which fault comes when and for how long. A seed determines all of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = (
    "kill",
    "stop",
    "cut",
    "half_open",
    "slow",
    "full_disk",
    "no_temporary_folder",
    "server_clock",
    "browser_clock",
    "source_gone",
)
"""Every kind of fault; `Machine`, `Network` and the page have one method each, see test_chaos.py."""

SHORTEST_S = 0.05
LONGEST_S = {"kill": 6.0, "stop": 12.0, "cut": 40.0, "half_open": 40.0, "slow": 15.0}
"""Most seconds that a fault lasts in the long form; others last 10."""
USUAL_LONGEST_S = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: how long it lasts, and a number of [-1, 1] for what else is chosen, such as how far a clock jumps."""

    kind: str
    lasts_s: float
    size: float


def schedule(seed: int, longest_s: float = 60.0) -> Iterator[Fault]:
    """Yield faults without end: every kind once in each round, in a new order; no fault lasts longer than `longest_s`.

    Short ones are as frequent as long ones (the logarithm is uniform): a blink and an outage break different things.
    """
    chance = random.Random(seed)
    while True:
        for kind in chance.sample(KINDS, len(KINDS)):
            most = min(longest_s, LONGEST_S.get(kind, USUAL_LONGEST_S))
            yield Fault(kind, SHORTEST_S * (most / SHORTEST_S) ** chance.random(), chance.uniform(-1, 1))
