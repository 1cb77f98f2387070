"""A real `twin serve` on loopback, with its CPU time and memory as the operating system reports them."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import FOLDER

START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    address: str
    pid: int

    def cpu(self) -> float:
        """Return the CPU seconds that all threads of the server have used so far."""
        # split after the name in parentheses, which may contain blanks: utime and stime are fields 14 and 15
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Return the server's resident memory in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def page(self, **query: str) -> str:
        """Return the address of the operations page with a query."""
        return f"{self.address}/operations?" + "&".join(f"{key}={value}" for key, value in query.items())


@contextmanager
def serving(source: Path, **environment: str) -> Iterator[Served]:
    """Serve `source` in a separate process, with settings in its environment, until the end of the block."""
    log = source.parent / "serve.log" if source.is_dir() else source.with_name("serve.log")
    with running(["twin.cli", "serve", "--source", str(source)], "/healthz", log, **environment) as server:
        yield server


@contextmanager
def serving_plain(name: str = "plain", **environment: str) -> Iterator[Served]:
    """Serve a plain Panel page, a module of this package, at /name until the end of the block."""
    page = Path(__file__).with_name(f"{name}.py")
    command = ["panel", "serve", str(page), "--address", "127.0.0.1", "--log-level", "error"]
    with running(command, f"/{name}", FOLDER / f"{name}.log", **environment) as server:
        yield server


@contextmanager
def running(command: Sequence[str], ready: str, log: Path, **environment: str) -> Iterator[Served]:
    """Run a Python module as server on a free port until the end of the block; it is ready when it answers at `ready`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)], stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, "BOKEH_RESOURCES": "server", **environment},
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address + ready, log)
            yield Served(address, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(ready, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not come up; it said:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.1)
