"""The machine that a server runs on: its process, its disk, its temporary folder, its clock and its data can fail."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.app import ROOT, free_port, wait_for_health
from tests.browser.prepared import Prepared

CLOSED = ("tornado.websocket.WebSocketClosedError", "tornado.iostream.StreamClosedError: Stream is closed")
"""What Tornado logs of a write that a client did not wait for: the fault of its network, not the server's."""
SHIFTED_CLOCK = Path(__file__).with_name("shifted_clock")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process uses: the life it belongs to (a restart begins another), resident bytes, threads, open files."""

    life: int
    resident: int
    threads: int
    files: int


class Machine:
    """`twin serve` on a port that stays the same over its lives, in a folder of its own."""

    def __init__(self, data: Path, folder: Path, from_nothing: bool) -> None:
        """`from_nothing`: start it as users do, not from a process that has imported everything (nine seconds less of CPU)."""
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log.txt"
        self.life = 0
        self._data = data
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        self._clock = folder / "clock"
        self._clock.write_text("0")
        self._from_nothing = from_nothing
        self._process: subprocess.Popen[bytes] | Prepared | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | Prepared:
        """The process of this life."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Begin a life; returns when the server answers."""
        self.life += 1
        options = ["--source", str(self._data), "--port", str(self.port)]
        path = os.pathsep.join(filter(None, [str(SHIFTED_CLOCK), os.environ.get("PYTHONPATH", "")]))
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self._temporary),
            "TWIN_CACHE": str(self._temporary / "cache"),
            "CHAOS_CLOCK": str(self._clock),
        }
        if self._from_nothing:
            command = [sys.executable, "-m", "twin.cli", "serve", *options]
            with self.log.open("a") as out:
                self._process = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
                )
        else:
            self._process = Prepared("tests.chaos.serve", options, environment, self.log)
        wait_for_health(self.address, self._process, self.log)

    def kill(self) -> None:
        """End the process as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the process stand still, as a machine does that swaps or is moved to another host."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let the process write no more byte to any file."""
        process = self.process
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    @contextmanager
    def no_temporary_folder(self) -> Iterator[None]:
        """Let the temporary folder be none that one could write to. Root may write to any folder, so it is a file meanwhile."""
        aside = self._temporary.with_name("aside")
        self._temporary.rename(aside)
        self._temporary.write_text("")
        try:
            yield
        finally:
            self._temporary.unlink()
            aside.rename(self._temporary)

    @contextmanager
    def source_gone(self) -> Iterator[None]:
        """Let the data be elsewhere."""
        aside = self._data.with_name("elsewhere")
        self._data.rename(aside)
        try:
            yield
        finally:
            aside.rename(self._data)

    @contextmanager
    def clock_off(self, by_s: float) -> Iterator[None]:
        """Let the epoch time of the process jump, and jump back."""
        self._clock.write_text(f"{by_s:.3f}")
        try:
            yield
        finally:
            self._clock.write_text("0")

    def complaints(self) -> list[str]:
        """Return what the server has logged beside its requests, of all its lives."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if not line.startswith('{"time"')]

    def tracebacks(self) -> list[str]:
        """Return every traceback that the server has logged, with the line before it; none of a connection that was closed."""
        found, lines = list[str](), self.complaints()
        for at, line in enumerate(lines):
            if line.startswith("Traceback"):
                end = next((i for i in range(at + 1, len(lines)) if not lines[i].startswith(" ")), len(lines) - 1)
                found.append("\n".join(lines[max(0, at - 1) : end + 1]))
        return [traceback for traceback in found if not traceback.endswith(CLOSED)]

    def read(self) -> Reading:
        """Return what the process uses now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        files = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        return Reading(self.life, int(fields["VmRSS"].split()[0]) << 10, int(fields["Threads"]), files)
