"""`python -m benchmarks [--only NAME …] [--quick] [--keep]`: print the table of speed goals with what this machine reaches.

Each measure runs in a process of its own, and its rows are printed as they come. The table and facts about the machine are
written to build/bench/results.md, and to results.json for programs; --keep also makes them the run that later ones are compared
with (kept.json): what is worse than there, beyond what the repetitions vary by, is listed below the table.
"""

import argparse
import dataclasses
import json
import os
import sys

from benchmarks.apart import rows_of
from benchmarks.before import slipped
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
    "memory",
    "curves",
    "deckgl",
    "alerts",
    "api",
    "compare",
    "ghost",
    "growing",
    "ledger",
    "moments",
    "network",
    "opening",
    "scale",
    "weak",
)


def main() -> int:
    """Run the chosen measures; return 1 if one of them failed to run, 0 otherwise: a missed goal is a result, not an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=MEASURES, default=MEASURES, metavar="NAME", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a figure to quote")
    parser.add_argument("--keep", action="store_true", help="compare later runs with this one")
    options = parser.parse_args()
    machine = facts()
    rows: list[Row] = []
    for name in options.only:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        for row in rows_of(name, options.quick):
            print(f"  {row.what}: {row.measured}" + (f" (goal {row.goal})" if row.goal else ""), flush=True)
            rows.append(row)
    machine["load at the end"] = f"{os.getloadavg()[0]:.1f}"
    report = (
        f"{', '.join(f'{name} {fact}' for name, fact in machine.items())}\n\nmedian (least–most, n)\n\n{table(rows)}\n"
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / "kept.json"
    if kept.exists():
        worse = slipped(rows, {row["what"]: Row(**row) for row in json.loads(kept.read_text())["rows"]})
        report += "\n" + "\n".join(worse or ["nothing slipped since the kept run"]) + "\n"
    FOLDER.joinpath("results.md").write_text(report)
    results = {"machine": machine, "quick": options.quick, "rows": [dataclasses.asdict(row) for row in rows]}
    FOLDER.joinpath("results.json").write_text(json.dumps(results, indent=2))
    if options.keep:
        kept.write_text(json.dumps(results, indent=2))
    print(f"\n{report}")
    return 1 if any(row.measured.startswith("broken: ") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
