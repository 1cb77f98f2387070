"""`python -m benchmarks [--only NAME …] [--quick]`: print the table of speed goals with what this machine reaches.

The table and facts about the machine are written to build/bench/results.md, and to results.json for programs.
"""

import argparse
import dataclasses
import importlib
import json
import os
import sys

from benchmarks.data import FOLDER
from benchmarks.machine import facts
from benchmarks.table import Row, table

MEASURES = (
    "load",
    "snapshot",
    "page",
    "playing",
    "dense",
    "sessions",
    "mix",
    "live",
    "curves",
    "deckgl",
    "api",
    "growing",
    "ledger",
    "moments",
    "network",
    "opening",
    "scale",
)


def main() -> int:
    """Run the chosen measures; return 1 if one of them failed to run, 0 otherwise: a missed goal is a result, not an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=MEASURES, default=MEASURES, metavar="NAME", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a figure to quote")
    options = parser.parse_args()
    machine = facts()
    rows: list[Row] = []
    broken = 0
    for name in options.only:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"benchmarks.{name}").measure(options.quick)
        except Exception as error:  # a failure must not hide the figures of other measures; it gets a row
            broken += 1
            rows.append(Row(name, "", f"broken: {type(error).__name__}: {str(error).splitlines()[0][:160]}", False))
    machine["load at the end"] = f"{os.getloadavg()[0]:.1f}"
    report = (
        f"{', '.join(f'{name} {fact}' for name, fact in machine.items())}\n\nmedian (least–most, n)\n\n{table(rows)}\n"
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    FOLDER.joinpath("results.md").write_text(report)
    results = {"machine": machine, "quick": options.quick, "rows": [dataclasses.asdict(row) for row in rows]}
    FOLDER.joinpath("results.json").write_text(json.dumps(results, indent=2))
    print(f"\n{report}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
