"""Answers the newest of a session's questions: one that was asked later supersedes those that still wait."""

import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class Newest:
    """Questions of one kind of one session, all on its event loop: one is being answered, at most one waits.

    A person wants the answer to what is on the screen now. A browser that sends questions faster than they are answered, be it
    broken or hostile, gets every so many answered, and holds up nobody else.
    """

    def __init__(self) -> None:
        self._waiting: Callable[[], Awaitable[None]] | None = None
        self._is_busy = False

    async def ask(self, answer: Callable[[], Awaitable[None]]) -> None:
        """Await `answer()` now, or after the one that is under way unless another is asked meanwhile."""
        self._waiting = answer
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._waiting is not None:
                current, self._waiting = self._waiting, None
                try:
                    await current()
                except Exception:  # one that fails must not keep the next from being answered
                    log.exception("a question could not be answered")
        finally:
            self._is_busy = False
