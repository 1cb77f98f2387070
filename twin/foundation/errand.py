"""What a question to the source is for: which part of the product asks, about which kitchen, and what it wants to know.

Sources that cost money by the question pass it on, so that an operator sees what the costs are for. It is a context variable,
like the current task (progress.py): whoever starts the work says so once, and no function between passes it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Errand:
    """Why the source is asked. `kitchen` is a location's id, empty where it is about none or all."""

    page: str = "python"
    """The part of the product; "python": a notebook or a script."""
    kitchen: str = ""
    purpose: str = "contents"
    """The name of a query; "contents": what the tables are and hold."""


_NONE = Errand()
_current: ContextVar[Errand] = ContextVar("errand", default=_NONE)


def current() -> Errand:
    """Return the errand of this context.

    >>> with on(page="kiosk"), on(kitchen="chicago", purpose="window"):
    ...     current()
    Errand(page='kiosk', kitchen='chicago', purpose='window')
    """
    return _current.get()


def begin(**changes: str) -> None:
    """Change fields of the errand to the end of the current asyncio task: that of a request, which does nothing else."""
    _current.set(replace(_current.get(), **changes))


@contextmanager
def on(**changes: str) -> Iterator[None]:
    """Change fields of the errand within the block, and in what runs in a copy of its context."""
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield
    finally:
        _current.reset(token)
