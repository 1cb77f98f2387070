"""What a ghost costs the map: with the ghost on against off, and with as many drivers in all, half of them of another day."""

from typing import Any

import panel as pn

from benchmarks.in_turn import in_turn, ratio, served
from benchmarks.table import Row
from tests.fake_roads import DAY0, RoadTimeline
from twin.analysis.ghost import DayAlignment, Ghost
from twin.foundation.times import DAY
from twin.foundation.zones import NAIVE
from twin.replay.controller import ReplayController
from twin.views.map.map import MapView

CROWDS = (60, 300, 2000)
ROUNDS = 8
LEAST = 0.9
"""Frames with the ghost, of those without it."""
SIZE = (920, 580)
PAGES = {"off": (1, 0), "on": (1, 1), "shared": (2, 2)}
"""Drivers of this day and of the other, as parts of a crowd; 0: none."""


def _app(drivers: int, ghosts: int) -> Any:
    def build() -> pn.Column:
        line: Any = RoadTimeline(drivers)
        controller = ReplayController(line)
        controller.seek(DAY0 + 3600)
        view = MapView(controller, online=False)
        view.layers_text = "routes,customers,trails,radius"
        if ghosts:
            other: Any = RoadTimeline(ghosts, (DAY0 - DAY, DAY0 - DAY + 7200.0), seed=8)
            day = int(DAY0 // DAY)
            controller.set_ghost(Ghost("week", DayAlignment(NAIVE, day, day - 1), other, label="Before"))
        controller.play()
        return pn.Column(view, width=900, height=560, margin=0)

    return build


def measure(quick: bool) -> list[Row]:
    """Return two rows for each crowd."""
    rows = []
    for n in CROWDS:
        of = {name: [n // part if part else 0 for part in parts] for name, parts in PAGES.items()}
        with served({name: _app(*drivers) for name, drivers in of.items()}) as address:
            movers = [sum(drivers) for drivers in of.values()]
            off, on, shared = in_turn([f"{address}/{name}" for name in of], movers, 3 if quick else ROUNDS, SIZE)
        cpu, seen = ratio(on, off)
        rows.append(
            Row(
                f"frames with the ghost on, {n:,} drivers and as many of the other day, of those with it off",
                f"≥ {LEAST}",
                f"{seen:.2f} as seen, {cpu:.2f} for the same CPU time; on {on}; off {off}",
                seen >= LEAST,
                seen,
            )
        )
        cpu, seen = ratio(shared, off)
        rows.append(
            Row(
                f"… {n:,} drivers in all, half of them of the other day, of those of one day, CPU",
                f"≥ {LEAST}",
                f"{cpu:.2f} for the same CPU time, {seen:.2f} as seen; half each {shared}",
                cpu >= LEAST,
                cpu,
            )
        )
    return rows
