"""Run every test; what failed in a browser runs once more, alone, before it counts.

Two workers with a Chromium and servers each share the machine, and a browser starved for seconds fails tests that say nothing
about the product; a thread starved so does it now and then, too. So a few failures, nearly all in the browser, get a second run
with the machine to themselves. Those that pass then are printed by name, for such a test waits for a time where it could wait
for a condition: mend it. More failures count at once.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
MOST, MOST_OTHERS = 6, 1
"""More failures than these are no accident: in all, and without a browser."""
TESTS_FAILED = 1
"""pytest's exit code when tests ran and some failed."""
PYTEST = (sys.executable, "-m", "pytest", "-m")


def retried(failed: Mapping[str, bool]) -> list[str]:
    """Return the tests to run once more of those that failed, by their ids: all of them, or none."""
    others = [name for name in failed if not name.startswith(("tests/browser/", "tests/chaos/"))]
    return sorted(failed) if len(failed) <= MOST and len(others) <= MOST_OTHERS else []


def main() -> int:
    """Run the suite; return the exit code."""
    code = subprocess.run([*PYTEST, "", "tests"], check=False).returncode
    if code != TESTS_FAILED:
        return code
    names = retried(json.loads(LAST_FAILED.read_text()))
    if not names:
        return code
    print(f"\n{len(names)} failed; once more, alone:", *names, sep="\n  ", flush=True)
    code = subprocess.run([*PYTEST, "", "--numprocesses=0", *names], check=False).returncode
    if code == 0:
        print("Passed alone, failed beside others (flaky):", *names, sep="\n  ")
    return code


if __name__ == "__main__":
    sys.exit(main())
