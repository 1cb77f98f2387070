"""Servers that have imported and compiled before they start: nine tenths of what a start takes, and tests start some thirty.

One process for each worker of the tests imports what `twin serve` imports and compiles Datashader's code. Each server is forked
from it and runs its command as if a shell had started it. Starts from nothing are in test_wheel.py, test_databricks_app.py, the
half hour of chaos, and of `panel serve` in test_page.py.
"""

import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.browser.preload"])


class Prepared:
    """A forked `python -m module` with these arguments, as a `subprocess.Popen` of it would be."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        folder: Path = ROOT,
        open_files: int | None = None,
    ) -> None:
        """`open_files`: how many it may have at most, as `ulimit -n` says it."""
        command = (module, list(arguments), dict(environment), log, folder, open_files)
        self._process = _forks.Process(target=run, args=command, daemon=True)
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


def run(
    module: str,
    arguments: list[str],
    environment: dict[str, str],
    log: Path,
    folder: Path,
    open_files: int | None,
) -> None:
    """Become `python -m module` with these arguments, in an environment and a folder, writing to a log."""
    if open_files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for mine in (1, 2):
        os.dup2(out, mine)
    os.close(out)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    if module == "twin.cli":  # which has been imported, so that it cannot be run as a module
        sys.argv = ["twin", *arguments]
        from twin.cli import main

        sys.exit(main(arguments))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
