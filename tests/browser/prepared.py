"""Servers that have imported and compiled before they start: nine tenths of what a start takes, and tests start some thirty.

One process for each worker of the tests imports what `twin serve` imports and compiles Datashader's code. Each server is forked
from it and runs its command as if a shell had started it. Starts from nothing are in test_wheel.py, test_databricks_app.py, the
chaos, and wherever a test starts something other than `twin`.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.browser.preload"])


class Prepared:
    """A forked `twin` with these arguments, as a `subprocess.Popen` of it would be."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = _forks.Process(target=run, args=(list(arguments), dict(environment), log), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("twin", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Become `twin` with these arguments, in an environment, writing to a log."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for mine in (1, 2):
        os.dup2(out, mine)
    os.close(out)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["twin", *arguments]
    from twin.cli import main

    sys.exit(main(arguments))
