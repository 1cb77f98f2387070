"""Threads for what must not block the event loop, which serves every session, probe and stream of the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ANSWER_THREADS = 4
STREAM_THREADS = 2
"""Of their own, so that a few slow queries over months cannot hold up every replay, nor replays the answers; few, because they
compete with the event loop for the interpreter."""

Result = TypeVar("Result")

_answers = ThreadPoolExecutor(ANSWER_THREADS, thread_name_prefix="api")
_streams = ThreadPoolExecutor(STREAM_THREADS, thread_name_prefix="replay")


def answering(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Run the making of an answer in a worker thread."""
    return asyncio.get_running_loop().run_in_executor(_answers, work)


def streaming(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Run a stream's reading in a worker thread."""
    return asyncio.get_running_loop().run_in_executor(_streams, work)
