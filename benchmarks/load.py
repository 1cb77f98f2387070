"""A million events from Parquet to a ready timeline, each time in a new process: this module with the file as argument."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, spread

PAGE = 4096
"""Bytes of a memory page, the unit of /proc/self/statm."""
FIRST_S, AGAIN_S, EVENT_BYTES, GROWN_BYTES = 2.0, 0.5, 64, 200
REST_S = 0.5
"""A process whose threads use a tenth of a core for so long has done all that it does by itself."""


def measure(quick: bool) -> list[Row]:
    """Return the rows of loading: seconds the first time and again, and resident bytes per event."""
    import pandas as pd  # not above: the measured process times its own import of twin

    from benchmarks import data

    file = data.week()
    firsts, repeated = [], []
    for _ in range(2 if quick else 5):
        with tempfile.TemporaryDirectory() as cache:
            firsts.append(run(file, cache))
            repeated.append(run(file, cache))
    last = firsts[-1]
    plain = statistics.median(_plain(file) for _ in range(1 if quick else 3))
    frame = int(pd.read_parquet(file).memory_usage(deep=True).sum()) / last["events"]
    resident = last["bytes"] / last["events"]
    grown = [statistics.median(run["grown"] for run in runs) / last["events"] for runs in (firsts, repeated)]
    what = f"{last['events'] / 1e6:.2f} M events ({last['orders']:,} orders)"
    return [
        _seconds(f"{what} Parquet → ready Timeline", firsts, FIRST_S, plain),
        _seconds("… the same file again", repeated, AGAIN_S, plain),
        Row(
            "resident per event",
            f"≤ {EVENT_BYTES} bytes",
            f"{resident:.1f} bytes in the timeline",
            resident <= EVENT_BYTES,
            resident,
            f"the rows as a pandas frame {frame:,.0f}",
            frame / resident,
        ),
        Row(
            "… with all that the process grew by",
            f"≤ {GROWN_BYTES} bytes",
            f"{grown[0]:,.0f} bytes, the same file again {grown[1]:,.0f}",
            max(grown) <= GROWN_BYTES,
            max(grown),
        ),
    ]


def _seconds(what: str, runs: list[dict[str, float]], goal: float, plain: float) -> Row:
    seconds = [run["open"] + run["load"] for run in runs]
    parts = ", ".join(
        f"{name} {statistics.median(run[name] for run in runs):.2f}" for name in ("import", "open", "load", "cpu")
    )
    return Row(
        what, f"≤ {goal:g} s", f"{spread(seconds, 's', 2)}; {parts} s", statistics.median(seconds) <= goal,
        statistics.median(seconds), f"pandas reads the file, pivots the milestones and parses the bodies in {plain:.1f} s",
        plain / statistics.median(seconds),
    )  # fmt: skip


def _plain(file: Path) -> float:
    from benchmarks import baselines, data

    began = time.perf_counter()
    baselines.pandas_load(file, data.LOCATION)
    return time.perf_counter() - began


def run(file: Path, cache: str = "") -> dict[str, float]:
    """Load a file in a new process, which stores in the folder `cache`, if any; return its seconds and sizes, see `_main`."""
    command = [sys.executable, "-m", "benchmarks.load", str(file)]
    environment = {**os.environ, **({"TWIN_CACHE": cache} if cache else {"TWIN_CACHE_MB": "0"})}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _main(file: str) -> None:
    began = time.perf_counter()
    import twin

    imported, before = time.perf_counter(), _resident()
    opened = twin.open(file)
    read = time.perf_counter()
    place = opened.locations[0]
    timeline = opened.timeline(place.id, place.start, place.end + 1)
    ready, used = time.perf_counter(), time.process_time()
    result = {
        "import": imported - began,
        "open": read - imported,
        "load": ready - read,
        "cpu": used,
        "events": timeline.event_count,
        "orders": len(timeline.orders),
        "bytes": timeline.nbytes,
    }
    while True:  # what goes on in the background takes memory, and lets go of some
        time.sleep(REST_S)
        if time.process_time() - used < REST_S / 10:
            break
        used = time.process_time()
    print(json.dumps({**result, "cpu_in_all": used, "grown": _resident() - before}))


if __name__ == "__main__":
    _main(sys.argv[1])
