"""How good the moments are on worlds that nobody planted by the detectors' own rules: false ones, found ones, by kind and shape.

`python -m benchmarks.moments tuned` prints the same for the seeds on which thresholds were chosen.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from benchmarks.table import Row
from benchmarks.worlds import FITTING, MINUTE, WORLDS, Planted, World, with_incident, world
from twin.analysis.moments import KINDS, TROUBLES, Moment, find

TUNED, APART = range(10), range(1_000, 1_012)
"""Seeds on which thresholds were chosen, and those of the table in docs/moments.md, looked at only to fill it in."""
AFTERMATH = 30 * MINUTE
"""Seconds after an incident in which its backlog still belongs to it."""
MOST_FALSE = 1.0
"""False troubles per kitchen-week without incidents, at most, in every kind of world."""


@dataclass(frozen=True)
class Result:
    """What was found in one kitchen-week: troubles as (kind, sentence), whether each is true, whether the incident was found."""

    name: str
    troubles: tuple[tuple[str, str], ...]
    true: tuple[bool, ...] = ()
    found: bool | None = None


def quiet(seed: int, name: str) -> Result:
    """Return what is told in a week without incidents."""
    told = _troubles(world(name, seed))
    return Result(name, tuple((moment.kind, f"{moment.when}: {moment.sentence}") for moment in told))


def planted(seed: int, shape: str) -> Result:
    """Return what is told in a week with one incident: found if a fitting moment covers half of it, true if it touches it."""
    made = with_incident(shape, seed)
    (incident,) = made.planted
    told = _troubles(made)
    return Result(
        shape,
        tuple((moment.kind, f"{moment.when}: {moment.sentence}") for moment in told),
        tuple(_fits(moment, incident, 0.0, AFTERMATH) for moment in told),
        any(_fits(moment, incident, 0.5, 0.0) for moment in told),
    )


def _troubles(made: World) -> list[Moment]:
    return [moment for moment in find(made.timeline(), made.baseline()) if moment.kind in TROUBLES]


def _fits(moment: Moment, incident: Planted, share: float, after: float) -> bool:
    shared = min(moment.end, incident.end + after) - max(moment.start, incident.start)
    return moment.kind in FITTING[incident.shape] and shared > 0 and shared >= share * (incident.end - incident.start)


def results(seeds: range) -> tuple[list[Result], list[Result]]:
    """Return the results of all worlds without incidents, and of all with one, for each seed."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        calm = [pool.map(partial(quiet, name=name), seeds, chunksize=4) for name in WORLDS]
        hurt = [pool.map(partial(planted, shape=shape), seeds, chunksize=4) for shape in FITTING]
        return [one for each in calm for one in each], [one for each in hurt for one in each]


def measure(quick: bool) -> list[Row]:
    """Return a row per world, per shape of incident, and per kind of moment."""
    began = time.perf_counter()
    calm, hurt = results(APART[:3] if quick else APART)
    return [
        *_rows(calm, hurt),
        Row("kitchen-weeks of moments", "", f"{len(calm) + len(hurt)} in {time.perf_counter() - began:.0f} s"),
    ]


def _rows(calm: list[Result], hurt: list[Result]) -> Iterator[Row]:
    for name in WORLDS:
        weeks = [one for one in calm if one.name == name]
        rate = sum(len(one.troubles) for one in weeks) / len(weeks)
        kinds = Counter(kind for one in weeks for kind, _ in one.troubles)
        of = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        yield Row(
            f"false moments a week: {name}", f"≤ {MOST_FALSE:g}", f"{rate:.2f} (n={len(weeks)}{'; ' * bool(of)}{of})",
            rate <= MOST_FALSE, rate,
        )  # fmt: skip
    for shape in FITTING:
        weeks = [one for one in hurt if one.name == shape]
        share = sum(bool(one.found) for one in weeks) / len(weeks)
        yield Row(f"found: {shape}", "", f"{share:.0%} of {len(weeks)}", None, share)
    for kind in KINDS:
        true = [
            is_true for one in hurt for (told, _), is_true in zip(one.troubles, one.true, strict=True) if told == kind
        ]
        fitting = [one for one in hurt if kind in FITTING[one.name]]
        if true:
            found = sum(bool(one.found) for one in fitting) / max(1, len(fitting))
            yield Row(
                f"{kind}: precision, recall",
                "",
                f"{sum(true) / len(true):.0%} of {len(true)}, {found:.0%} of {len(fitting)}",
                None,
                sum(true) / len(true),
            )


def main() -> None:
    """Print the rows for the seeds on which thresholds were chosen, with examples of what is false and what is missed."""
    calm, hurt = results(TUNED if "tuned" in sys.argv else APART)
    for row in _rows(calm, hurt):
        print(f"{row.what:45s} {row.measured}")
    for one in calm:
        for kind, sentence in one.troubles[:3]:
            print("false", one.name, kind, sentence)
    for one in hurt:
        for (kind, sentence), is_true in zip(one.troubles, one.true, strict=True):
            if not is_true:
                print("false with", one.name, kind, sentence)
        if not one.found:
            print("missed", one.name, [kind for kind, _ in one.troubles])


if __name__ == "__main__":
    main()
