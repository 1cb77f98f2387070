"""Thread pools for work that must not block the event loop, which serves every session, probe and stream of the process.

Each kind of work has a pool of its own, so that none waits for another. All are small, because their threads compete with the
event loop for the interpreter lock; and what waits for one is bounded, because an answer that comes after minutes helps nobody.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from twin.foundation.errors import BusyError

Result = TypeVar("Result")


class Pool:
    """Threads for one kind of work, used from the event loop."""

    def __init__(self, name: str, threads: int, most: int) -> None:
        """Run `threads` at once; at most `most` are accepted, those under way included."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name, self._most = name, most
        self._accepted = 0

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Run `work` in a thread. Raises `BusyError` if too much is waiting already."""
        if self._accepted >= self._most:
            raise BusyError(
                f"The server is busy: {self._accepted} requests are waiting for an answer. Try again later."
            )
        self._accepted += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self._accepted -= 1


answers = Pool("api", threads=3, most=100)
"""Answers of the API."""
insights = Pool("insights", threads=1, most=20)
"""Answers of the API that take seconds, because they need a loaded timeline and what is usual."""
streams = Pool("replay", threads=2, most=1000)
"""What replay streams read; their number is limited."""
drawings = Pool("map", threads=2, most=1000)
"""What sessions ask of the map, apart from loading; of each session only the newest question waits."""
probes = Pool("probe", threads=1, most=2)
"""Whether the source answers."""
