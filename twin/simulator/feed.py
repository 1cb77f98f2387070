"""Sends simulated events while they happen: over HTTP into an inbox, or to the end of a file in a folder.

A feed of the world is not in order and not exactly once: some events come late, some twice, and neighbours change places. The
data clock runs from `begin` at `speed` times wall time; what lies before is sent first, as fast as it is taken.
"""

import json
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.foundation.errors import SourceError
from twin.simulator.demo import write_demo

MOST = 5_000
"""Events that are sent at once."""
TICK_S = 0.25
"""Seconds of wall time between two looks at what is due."""
LATE_S, REPEAT_S, SHUFFLE_S = 120.0, 60.0, 2.0
"""Seconds by which a late event is late on average, after which one comes again on average, and within which others change
places."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
TIMEOUT_S = 30.0

Sleep = Callable[[float], None]


class Sink(Protocol):
    """Takes events."""

    def send(self, lines: Sequence[str]) -> None:
        """Send events, JSON objects each; when this returns they have been taken. Raises `SourceError` if they never will be."""


@dataclass(frozen=True, slots=True)
class Disorder:
    """Shares (0..1) of the events that come late and that come twice, and whether neighbours change places."""

    late: float = 0.0
    repeated: float = 0.0
    shuffled: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """Events in the order in which they are sent: `due` (n,) float64, data seconds at which each is."""

    lines: Sequence[str]
    due: NDArray[np.float64]

    @classmethod
    def of(cls, lines: Sequence[str], disorder: Disorder, seed: int) -> "Schedule":
        """Schedule events at their times, as far as `disorder` lets them be. The same arguments give the same schedule."""
        chance = np.random.default_rng(seed)
        happens = np.array([datetime.fromisoformat(f"{json.loads(line)['ts']}+00:00").timestamp() for line in lines])
        due = happens + chance.uniform(0, SHUFFLE_S, len(lines)) * disorder.shuffled
        late = chance.random(len(lines)) < disorder.late
        due[late] += chance.exponential(LATE_S, int(late.sum()))
        again = np.flatnonzero(chance.random(len(lines)) < disorder.repeated)
        number = np.concatenate((np.arange(len(lines)), again))
        due = np.concatenate((due, due[again] + chance.exponential(REPEAT_S, len(again))))
        order = np.argsort(due, kind="stable")
        return cls([lines[k] for k in number[order].tolist()], due[order])


class Feed:
    """Sends a schedule. `clock` (seconds) and `sleep` are wall time by default."""

    def __init__(
        self,
        schedule: Schedule,
        sink: Sink,
        *,
        begin: float,
        speed: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._schedule, self._sink = schedule, sink
        self._begin, self._speed = begin, speed
        self._clock, self._sleep = clock, sleep

    def run(self, report: Callable[[float, int], None] = lambda t, sent: None) -> None:
        """Send everything, until the schedule's end; `report(t, sent)` is called with the data time and the number sent."""
        due, sent = self._schedule.due, 0
        sent = self._send(sent, self._begin)
        started = self._clock()
        while sent < len(due):
            t = self._begin + (self._clock() - started) * self._speed
            sent = self._send(sent, t)
            report(t, sent)
            self._sleep(TICK_S)

    def _send(self, sent: int, t: float) -> int:
        """Send what is due at t; return how many have been sent then."""
        until = int(self._schedule.due.searchsorted(t, "right"))
        for first in range(sent, until, MOST):
            self._sink.send(self._schedule.lines[first : min(until, first + MOST)])
        return until


class FileSink:
    """Writes events to the end of a file, as a program does that is not ours."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "events_live.jsonl"

    def send(self, lines: Sequence[str]) -> None:
        """Append the lines."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(chain.from_iterable((line, "\n") for line in lines))


class HttpSink:
    """Posts events to an inbox, and again until they are taken: a server may be restarted, full or gone for a while."""

    def __init__(self, address: str, token: str, sleep: Sleep = time.sleep) -> None:
        """`address` is the server's, such as http://localhost:5006."""
        self._url = f"{address.rstrip('/')}/api/v1/events"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        self._sleep = sleep

    def send(self, lines: Sequence[str]) -> None:
        """Post the lines until they are taken. Raises `SourceError` if the server refuses them for good."""
        body, pause = "\n".join(lines).encode(), FIRST_PAUSE_S
        while True:
            request = urllib.request.Request(self._url, body, self._headers, method="POST")  # noqa: S310  # the user's own
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                    receipt = json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code < 500 and error.code != 429:
                        detail = error.read(2000).decode("utf-8", "replace")
                        raise SourceError(f"{self._url} refuses the events ({error.code}): {detail}") from error
            except OSError:  # not there, or broken off: what was taken already is recognised
                pass
            else:
                if receipt["rejected"]:
                    raise SourceError(
                        f"{self._url} rejects {receipt['rejected']} events: {receipt['examples'][0]['reason']}."
                    )
                return
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def simulated_lines(days: int, end: date, seed: int, scale: float, generation: str) -> list[str]:
    """Return the events of the demo's kitchens as JSON lines, in the order of their times."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_demo(out, days=days, end=end, seed=seed, scale=scale, generation=generation, dq=0.0, file_format="jsonl")
        lines = [line for path in sorted(out.glob("events_*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return sorted(lines, key=lambda line: str(json.loads(line)["ts"]))
