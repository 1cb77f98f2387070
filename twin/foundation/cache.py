"""Rendered pictures, shared by all sessions of the process: bounded in bytes, and never made twice at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class ByteCache:
    """Least-recently-used cache of bytes, for any number of threads."""

    def __init__(self, most: int) -> None:
        """Hold at most `most` bytes of values."""
        self.most = most
        self._held: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._size

    def get(self, key: Hashable) -> bytes | None:
        """Return the value, now the most recently used, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key]

    def put(self, key: Hashable, value: bytes) -> None:
        """Keep a value; the least recently used ones leave until all fit. One larger than the cache is not kept."""
        with self._lock:
            self._size -= len(self._held.pop(key, b""))
            if len(value) > self.most:
                return
            self._held[key] = value
            self._size += len(value)
            while self._size > self.most:
                self._size -= len(self._held.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._size = 0


class Flights(Generic[T]):
    """Work in progress by key: whoever asks for what is being made waits for it and gets the same result."""

    def __init__(self) -> None:
        self._flying: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return make(), called by the first of those who ask for `key` at the same time; an error reaches them all."""
        with self._lock:
            flight = self._flying.get(key)
            first = flight is None
            if flight is None:
                flight = self._flying[key] = Future()
        if first:
            try:
                flight.set_result(make())
            except BaseException as error:
                flight.set_exception(error)
                raise
            finally:
                with self._lock:
                    del self._flying[key]
        return flight.result()
