"""One measure in a process of its own: its rows as they come, and an end for one that hangs.

`python -m benchmarks.apart NAME FD [--quick]` is that process: it writes each row to the open file FD as a line of JSON.
"""

import argparse
import contextlib
import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

from benchmarks.table import Row

MOST_S = 600.0
"""After so long a measure counts as stuck: it is ended with all that it started, and its rows until then are kept."""


def rows_of(name: str, quick: bool = False, most_s: float = MOST_S, package: str = "benchmarks") -> Iterator[Row]:
    """Run a measure and yield its rows as they are measured; the last one says what went wrong if anything did.

    `package` is where the module of that name is: its `measure(quick)` returns or yields rows.
    """
    read, write = os.pipe()
    command = [sys.executable, "-m", "benchmarks.apart", name, str(write), "--package", package]
    process = subprocess.Popen(
        command + ["--quick"] * quick, pass_fds=(write,), stdout=sys.stderr.fileno(), start_new_session=True
    )
    os.close(write)
    stuck = threading.Event()

    def end() -> None:
        stuck.set()
        _end_all(process)

    timer = threading.Timer(most_s, end)
    timer.start()
    try:
        with os.fdopen(read, encoding="utf-8") as lines:
            for line in lines:
                yield Row(**json.loads(line))
        code = process.wait()
    finally:
        timer.cancel()
        _end_all(process)
        process.wait()
    if stuck.is_set():
        yield broken(name, f"not over after {most_s:g} s")
    elif code:
        yield broken(name, f"its process ended with {code}")


def broken(name: str, why: str) -> Row:
    """The row of a measure that went wrong."""
    return Row(name, "", f"broken: {why}", False)


def _end_all(process: "subprocess.Popen[bytes]") -> None:
    """End what a measure has started: its process leads a group that its browsers and servers are in."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    """Run the measure; a failure of it is its last row."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("to", type=int)
    parser.add_argument("--package", default="benchmarks")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    with os.fdopen(given.to, "w", buffering=1, encoding="utf-8") as out:

        def tell(row: Row) -> None:
            print(json.dumps(dataclasses.asdict(row)), file=out)

        try:
            for row in importlib.import_module(f"{given.package}.{given.name}").measure(given.quick):
                tell(row)
        except Exception as error:
            first = next(iter(str(error).splitlines()), "")
            tell(broken(given.name, f"{type(error).__name__}: {first[:160]}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
