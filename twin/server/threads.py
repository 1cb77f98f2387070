"""Thread pools for work that must not block the event loop, which serves every session, probe and stream of the process.

Each kind of work has a pool of its own, so that none waits for another. All are small, because their threads compete with the
event loop for the interpreter lock and for the machine's cores; and what waits for one is bounded, because an answer that comes
after minutes helps nobody. A page that plays is worth more than an answer of the API or the pace of a stream: while the loop
is late, threads for these begin nothing new for a moment.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from twin.foundation.errors import BusyError
from twin.server.process import process

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

SWITCH_S = 0.0005
"""Seconds after which a thread that computes gives the interpreter lock to one that waits for it. The event loop lets go of the
lock at every system call, some hundreds of times a second, and waits so long each time to get it back; Python's own 5 ms would
add up to seconds."""
LATE_S = 0.05
"""The event loop is late when its timers are late by so much: half of what a person notices."""
LOOK_EVERY_S = 0.02


def share_fairly() -> None:
    """Have threads that compute give way to the event loop sooner than Python's default."""
    sys.setswitchinterval(SWITCH_S)


class Pool:
    """Threads for one kind of work, used from the event loop."""

    def __init__(self, name: str, threads: int, most: int, gives_way_s: float = 0.0) -> None:
        """Run `threads` at once; at most `most` are accepted, those under way included.

        Before work begins, it waits while the event loop is late, for `gives_way_s` seconds at most.
        """
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most, self._gives_way_s = most, gives_way_s
        self._accepted = 0

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Run `work` in a thread, in a copy of this context. Raises `BusyError` if too much is waiting already."""
        if self._accepted >= self._most:
            raise BusyError(
                f"The server is busy: {self._accepted} requests are waiting for an answer. Try again later."
            )
        self._accepted += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, copy_context().run, self._give_way, work)
        future.add_done_callback(self._done)
        return future

    def _give_way(self, work: Callable[[], Result]) -> Result:
        until = time.monotonic() + self._gives_way_s
        while (watchdog := process.watchdog) is not None and watchdog.late_s > LATE_S and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
        return work()

    def _done(self, _: object) -> None:
        self._accepted -= 1


SOURCE_THREADS = 32
"""Threads of sessions that may wait for the source. The event loop's own are six on two cores: so many people who wait for one
kitchen of a slow warehouse would hold up all others, and whatever else is done in threads."""
_of_source = ThreadPoolExecutor(SOURCE_THREADS, thread_name_prefix="source")


async def to_source(
    work: Callable[Arguments, Result], /, *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Run what a session wants of the source, in a thread and in this context: it may wait for minutes."""
    run = partial(copy_context().run, work, *arguments, **named)
    return await asyncio.get_running_loop().run_in_executor(_of_source, run)


answers = Pool("api", threads=2, most=100, gives_way_s=1.0)
"""Answers of the API."""
insights = Pool("insights", threads=1, most=20, gives_way_s=1.0)
"""Answers of the API that take seconds, because they need a loaded timeline and what is usual."""
troubles = Pool("troubles", threads=1, most=1000, gives_way_s=0.5)
"""What was known of troubles in the hours around a session's playhead; each session waits for one block of them at a time."""
streams = Pool("replay", threads=2, most=1000, gives_way_s=0.5)
"""What replay streams read; their number is limited. A stream whose events are read late sends them late, all at once."""
drawings = Pool("map", threads=2, most=1000)
"""What sessions ask of the map, apart from loading; of each session only the newest question waits."""
inbox = Pool("inbox", threads=1, most=100)
"""Events that arrive: one thread, as one writes at a time."""
probes = Pool("probe", threads=2, most=4)
"""Whether the source answers, and how many rows it has; of each question one at a time."""
