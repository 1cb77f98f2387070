"""Thread pools for work that must not block the event loop, which serves every session, probe and stream of the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ANSWER_THREADS = 4
STREAM_THREADS = 2
"""Streams have a pool of their own, so that slow queries cannot delay replays, nor replays the answers. Both are small, because
their threads compete with the event loop for the interpreter lock."""

Result = TypeVar("Result")

_answers = ThreadPoolExecutor(ANSWER_THREADS, thread_name_prefix="api")
_streams = ThreadPoolExecutor(STREAM_THREADS, thread_name_prefix="replay")


def answering(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Compute an answer in a worker thread."""
    return asyncio.get_running_loop().run_in_executor(_answers, work)


def streaming(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Read for a stream in a worker thread."""
    return asyncio.get_running_loop().run_in_executor(_streams, work)
