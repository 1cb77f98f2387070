"""The application as a user starts it: a process of its own on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.prepared import ROOT, Prepared

START_S = 90


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, log: Path, healthz: str = "/healthz", from_nothing: bool = False, **environment: str
) -> Iterator[str]:
    """Run `command` until the block is left; yields its address once `healthz` answers at all."""
    process = started(command, log, from_nothing, **environment)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for_health(address, process, log, healthz=healthz)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


PREPARED = {"twin.cli", "panel"}
"""What starts from a process that has imported it."""


def started(
    command: list[str], log: Path, from_nothing: bool = False, **environment: str
) -> subprocess.Popen[bytes] | Prepared:
    """Start `python -m` with a command, at the end of whose log it writes."""
    variables = {**os.environ, "BOKEH_RESOURCES": "server", "PYTHONUNBUFFERED": "1", **environment}
    if command[0] in PREPARED and not from_nothing:
        return Prepared(command[0], command[1:], variables, log)
    with log.open("a") as out:
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT
        )


def wait_for_health(
    address: str,
    process: subprocess.Popen[bytes] | Prepared,
    log: Path,
    patience: float = START_S,
    healthz: str = "/healthz",
) -> None:
    """Return when the server answers; fail with its last words when it ends or stays silent."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{address}{healthz}", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not answer within {patience:g} s:\n{log.read_text()[-2000:]}")


class Server:
    """`twin serve` on a port that stays the same over its lives."""

    def __init__(self, source: Path, log: Path, *options: str) -> None:
        self.port = free_port()
        self._command = ["twin.cli", "serve", "--source", str(source), "--port", str(self.port), *options]
        self._log = log
        self.process: subprocess.Popen[bytes] | Prepared | None = None

    def start(self, *others: str) -> None:
        self.process = started([*self._command, *others], self._log)
        wait_for_health(f"http://127.0.0.1:{self.port}", self.process, self._log)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Let it stand still, with all its connections open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after `stop`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
