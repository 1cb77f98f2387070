"""Functions that want to be called when something has changed."""

import logging
import threading
from collections.abc import Callable
from functools import partial

log = logging.getLogger(__name__)


class Callbacks:
    """Callbacks of many who know nothing of each other: what one raises is logged, and hinders no other. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Callable[[], object]] = []

    def add(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback()` from now on; return the function that ends it.

        >>> called = []
        >>> callbacks = Callbacks()
        >>> end = callbacks.add(lambda: called.append("once"))
        >>> callbacks.call()
        >>> end()
        >>> callbacks.call()
        >>> called, bool(callbacks)
        (['once'], False)
        """
        once = partial(callback)  # an object of its own: the same function may be given twice, and ended once
        with self._lock:
            self._all.append(once)

        def end() -> None:
            with self._lock:
                if once in self._all:
                    self._all.remove(once)

        return end

    def __bool__(self) -> bool:
        """Whether anybody wants to be called."""
        with self._lock:
            return bool(self._all)

    def call(self) -> None:
        """Call all of them, in this thread."""
        with self._lock:
            callbacks = list(self._all)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                log.exception("what was to be done after a change failed")
