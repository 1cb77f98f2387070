"""Finds what waits on the event loop: calls that may wait for a source, made by our code in the thread of a running loop."""

import asyncio
import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from twin.hub import Hub
from twin.server.process import Process
from twin.show.showings import Showings
from twin.sources.changing_files import ChangingFiles
from twin.sources.databricks import DatabricksSource
from twin.sources.files import FileSource
from twin.sources.warehouse import Warehouse

_ASKS = ("refresh", "quality", "window", "history", "query", "routes", "gold", "names")
MAY_WAIT: dict[type, tuple[str, ...]] = {
    Hub: ("timeline", "insights", "streets", "refresh", "quality"),
    Process: ("tileset", "adaptation", "rehearsed_show"),
    Showings: ("show",),
    FileSource: _ASKS,
    ChangingFiles: _ASKS,
    DatabricksSource: tuple(name for name in _ASKS if name != "quality"),
    Warehouse: ("query",),
}
"""By class, what may wait for a query, a lock that is held during one, or files. A warehouse's counts are in memory."""


@contextmanager
def guarded_loop() -> Iterator[list[str]]:
    """Collect the stacks of such calls on a loop; nothing of a server may make any."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in MAY_WAIT.items():
            for name in names:
                patch.setattr(owner, name, _noted(getattr(owner, name), found))
        yield found


def _noted(method: Callable[..., Any], found: list[str]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        if asyncio._get_running_loop() is not None:
            stack = traceback.format_stack(limit=8)
            found.append(f"{method.__qualname__} on the event loop:\n{''.join(stack[:-1])}")
        return method(*arguments, **named)

    return call
