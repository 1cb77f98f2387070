"""Growth of costs: the same figure for about 1, 10 and 100 times the work, and the exponent of the power law that fits."""

import functools
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

import twin
from benchmarks import data, dense
from benchmarks.load import run
from benchmarks.snapshot import ticks
from benchmarks.table import Row, exponent
from benchmarks.timing import milliseconds
from twin.timeline.timeline import Timeline
from twin.views.map import messages, wire

LINEAR, BELOW_LINEAR = 1.1, 1.0
"""Exponents allowed: linear with a margin for processor caches, and no more than linear in the number of drivers."""
FLAT = 0.25
"""Exponent allowed for a logarithm, which has about 0.1 over these sizes; processor caches add a little."""
SHARES = (0.01, 0.1, 1.0)
CROWDS = (20, 300, 2000)
METROPOLISES = (10_000, 100_000, 1_000_000)
BUSY, COPIES = 300, (1, 10, 100)
"""Drivers on the road, and the number of copies of their two hours that are loaded."""
MOMENTS, AGAIN = 300, 60
PEAK = "2025-10-16T18:40:00"


def measure(quick: bool) -> list[Row]:
    """Return one row per cost."""
    return [*_loading(quick), *_history(), *_drivers(), *([] if quick else [_dense()])]


def _row(
    what: str, goal: float, work: Sequence[float], cost: Sequence[float], of: str, unit: str, digits: int = 2
) -> Row:
    power = exponent(work, cost)
    points = ", ".join(f"{w:,.0f} {of} {c:,.{digits}f}" for w, c in zip(work, cost, strict=True))
    return Row(
        f"growth: {what}", f"exponent ≤ {goal:g}", f"{power:.2f}: {points} {unit}", power <= goal, power,
    )  # fmt: skip


def _loading(quick: bool) -> list[Row]:
    runs = []
    for share in SHARES:
        tries = [run(data.part(share) if share < 1 else data.week()) for _ in range(1 if quick else 3)]
        runs.append(min(tries, key=lambda one: one["open"] + one["load"]))
    events = [one["events"] for one in runs]
    return [
        _row("opening and loading", LINEAR, events, [one["open"] + one["load"] for one in runs], "events", "s"),
        _row("a timeline's memory", LINEAR, events, [one["bytes"] / 1e6 for one in runs], "events", "MB"),
    ]


def _history() -> list[Row]:
    """Return the rows for more and more history around the same times, open orders and drivers."""
    events, at, seek = [], [], []
    for copies in COPIES:
        timeline = _whole(data.history(BUSY, copies))
        moments = twin.foundation.times.seconds(PEAK) + np.random.default_rng(1).uniform(-900, 900, MOMENTS)
        events.append(timeline.event_count)
        at.append(_middle(partial(_located, timeline), moments))
        seek.append(statistics.median(ticks(timeline, moments)[0]))
    return [
        _row("snapshot, by history loaded, the same drivers", FLAT, events, at, "events", "ms", 3),
        _row("seek on the server, by history loaded", FLAT, events, seek, "events", "ms", 3),
    ]


def _drivers() -> list[Row]:
    busy, at, seek, windows = [], [], [], []
    for drivers in CROWDS:
        timeline = _whole(data.crowd(drivers))
        moments = twin.foundation.times.seconds(PEAK) + np.random.default_rng(1).uniform(-900, 900, MOMENTS)
        busy.append(statistics.median(len(timeline.at(t).drivers) for t in moments[:20].tolist()))
        at.append(_middle(partial(_located, timeline), moments))
        seek.append(statistics.median(ticks(timeline, moments)[0]))
        windows.append(_middle(partial(_window, timeline), moments[:AGAIN]))
    return [
        _row("snapshot, by drivers on the road", BELOW_LINEAR, busy, at, "drivers", "ms", 3),
        _row("seek on the server, by drivers on the road", BELOW_LINEAR, busy, seek, "drivers", "ms", 3),
        _row("a window of motion (4 s at 60x)", BELOW_LINEAR, busy, windows, "drivers", "ms"),
    ]


def _whole(folder: Path) -> Timeline:
    source = twin.open(folder).source
    place = source.locations()[0]
    return Timeline.load(source, place.id, place.start, place.end + 1)


def _window(timeline: Timeline, t: float) -> object:
    start, end = wire.window_at(t, 60)
    return messages.window_message(timeline.motion(start, end), timeline.orders, 60)


def _dense() -> Row:
    spent = []
    for drivers in METROPOLISES:
        source = twin.open(data.metropolis(drivers)).source
        timeline = Timeline.load(source, data.LOCATION, "2025-10-16T18:00:00", "2025-10-16T19:00:00")
        moments = timeline.window.start + np.arange(1, 20) * 6.0
        spent.append(_middle(functools.partial(dense.packed, timeline), moments, time.process_time))
    return _row("a dense frame's CPU", BELOW_LINEAR, METROPOLISES, spent, "drivers", "ms", 1)


def _located(timeline: Timeline, t: float) -> object:
    return timeline.at(t).drivers


def _middle(
    do: Callable[[float], object], moments: np.ndarray, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median milliseconds that something takes at each time; the first one, which compiles, is left out."""
    return statistics.median(milliseconds(do, moments.tolist(), clock)[1:])
