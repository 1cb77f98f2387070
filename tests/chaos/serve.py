"""`twin serve` with the clock of the chaos, in a process that has imported everything: `python -m tests.chaos.serve …`."""

import sys
import tempfile

import tests.chaos.shifted_clock.sitecustomize  # noqa: F401  # which a process from nothing imports by itself
from twin.cli import main

if __name__ == "__main__":
    tempfile.tempdir = None  # that of the process from which this one was forked
    sys.exit(main(["serve", *sys.argv[1:]]))
