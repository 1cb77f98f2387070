"""`python -m benchmarks [--only NAME …] [--quick]`: print DESIGN's table of goals with what this machine reaches."""

import argparse
import importlib
import os
import sys

from benchmarks.table import Row, table

MEASURES = ("load", "snapshot", "page", "playing", "dense", "sessions", "api")


def main() -> int:
    """Measure what was asked for; return 1 if a measure broke, 0 otherwise: a goal that is missed is told, not an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=MEASURES, default=MEASURES, metavar="NAME", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a figure to quote")
    options = parser.parse_args()
    rows: list[Row] = []
    broken = 0
    for name in options.only:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"benchmarks.{name}").measure(options.quick)
        except Exception as error:  # one broken measure must not hide the others' figures; it is told in its place
            broken += 1
            rows.append(Row(name, "", f"broken: {type(error).__name__}: {str(error).splitlines()[0][:160]}", False))
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, load {load:.1f}; median (least–most, n)\n\n{table(rows)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
