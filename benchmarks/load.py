"""A million events from Parquet to a ready timeline, each time in a new process: this module with the file as argument."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Row, spread

PAGE = 4096
"""Bytes of a memory page, the unit of /proc/self/statm."""


def measure(quick: bool) -> list[Row]:
    """Return the rows of loading: seconds and resident bytes per event."""
    import pandas as pd  # not above: the measured process times its own import of twin

    from benchmarks import data

    file = data.week()
    runs = [run(file) for _ in range(2 if quick else 5)]
    last = runs[-1]
    seconds = [run["open"] + run["load"] for run in runs]
    parts = ", ".join(
        f"{name} {statistics.median(run[name] for run in runs):.2f}" for name in ("import", "open", "load", "cpu")
    )
    plain = statistics.median(_plain(file) for _ in range(1 if quick else 3))
    frame = int(pd.read_parquet(file).memory_usage(deep=True).sum()) / last["events"]
    resident = last["bytes"] / last["events"]
    grown = statistics.median(run["grown"] for run in runs) / last["events"]
    return [
        Row(
            f"{last['events'] / 1e6:.2f} M events ({last['orders']:,} orders) Parquet → ready Timeline",
            "≤ 2 s",
            f"{spread(seconds, 's', 2)}; {parts} s",
            statistics.median(seconds) <= 2.0,
            statistics.median(seconds),
            f"pandas reads the file, pivots the milestones and parses the bodies in {plain:.1f} s",
            plain / statistics.median(seconds),
        ),
        Row(
            "resident per event",
            "≤ 64 bytes",
            f"{resident:.1f} bytes in the timeline; the process grew by {grown:,.0f} with the source's own rows",
            resident <= 64,
            resident,
            f"the rows as a pandas frame {frame:,.0f}",
            frame / resident,
        ),
    ]


def _plain(file: Path) -> float:
    from benchmarks import baselines, data

    began = time.perf_counter()
    baselines.pandas_load(file, data.LOCATION)
    return time.perf_counter() - began


def run(file: Path) -> dict[str, float]:
    """Load a file in a new process; return its seconds and sizes, see `_main`."""
    command = [sys.executable, "-m", "benchmarks.load", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _main(file: str) -> None:
    began = time.perf_counter()
    import twin
    from twin.timeline.timeline import Timeline

    imported, before = time.perf_counter(), _resident()
    opened = twin.open(file)
    read = time.perf_counter()
    place = opened.locations[0]
    timeline = Timeline.load(opened.source, place.id, place.start, place.end + 1)
    ready = time.perf_counter()
    result = {
        "import": imported - began,
        "open": read - imported,
        "load": ready - read,
        "cpu": time.process_time(),
        "events": timeline.event_count,
        "orders": len(timeline.orders),
        "bytes": timeline.nbytes,
        "grown": _resident() - before,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    _main(sys.argv[1])
