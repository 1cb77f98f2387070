"""What is made once and shared: a bounded cache, work that is never done twice at once, and what lives with its owner.

Everything here may be used by any number of threads.
"""

import functools
import itertools
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast
from weakref import WeakSet

from twin.foundation import progress
from twin.foundation.errors import CancelledError

LOOK_EVERY_S = 0.2
"""Seconds between two looks of one who waits for another's work whether he has given up meanwhile."""

T = TypeVar("T")
P = ParamSpec("P")


class SingleFlight(Generic[T]):
    """Work in progress by key: whoever wants what is being made waits for it and gets the same result, or the same error.

    Nothing is remembered of work that has ended: after a failure the next caller tries again.
    """

    def __init__(self) -> None:
        self._flying: dict[Hashable, Future[T]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are being made now."""
        return len(self._flying)

    def run(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return make(), called by the first of those who want `key` at the same time.

        Who gives up (`CancelledError`: the current task of one who waits was cancelled, or that of the one who makes it) does so
        for himself alone: another one then makes it.
        """
        while True:
            with self._lock:
                flight = self._flying.get(key)
                first = flight is None
                if flight is None:
                    flight = self._flying[key] = Future()
            if first:
                return self._lead(key, flight, make)
            while not wait((flight,), LOOK_EVERY_S).done:
                progress.current().check()
            try:
                return flight.result()
            except CancelledError:
                continue

    def _lead(self, key: Hashable, flight: "Future[T]", make: Callable[[], T]) -> T:
        try:
            made = make()
        except BaseException as error:
            self._land(key)
            flight.set_exception(error)
            raise
        self._land(key)
        flight.set_result(made)
        return made

    def _land(self, key: Hashable) -> None:
        """Take the flight off the list, before those who wait for it wake: they, and newcomers, may start the next one."""
        with self._lock:
            del self._flying[key]


_uses = itertools.count()
"""Numbers the uses of all caches."""


@dataclass(slots=True)
class _Held(Generic[T]):
    """A value in a cache, its size and the number of its last use."""

    value: T
    size: int
    used: int


class Budget:
    """Bytes that several caches share: where all hold more together, what was used least recently goes, whichever has it.

    So what nobody looks at makes room for what somebody does: an hour's tiles for a timeline, a kitchen of the morning for that
    of the evening. Thread-safe.
    """

    def __init__(self, most: Callable[[], float]) -> None:
        """`most()` returns the bytes, when they are first asked for: settings may not be known before."""
        self._most = most
        self._caches: WeakSet[ByteCache[Any]] = WeakSet()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes held now."""
        return sum(cache.size for cache in self._caches)

    def add(self, cache: "ByteCache[Any]") -> None:
        """Have another cache share these bytes."""
        with self._lock:
            self._caches.add(cache)

    def make_room(self) -> None:
        """Drop what was used least recently, until all fits; the value that was used last stays in any case."""
        with self._lock:
            most, caches = self._most(), list(self._caches)
            while sum(cache.size for cache in caches) > most and sum(map(len, caches)) > 1:
                min(caches, key=lambda cache: cache.oldest).drop()


class ByteCache(Generic[T]):
    """Least-recently-used cache of values, bounded by the sum of their sizes."""

    def __init__(
        self,
        most: int,
        size_of: Callable[[T], int] = len,  # type: ignore[assignment]  # of bytes
        budget: Budget | None = None,
    ) -> None:
        """Hold values of at most `most` bytes; with `size_of` another measure: `one_each` bounds their number.

        With a `budget`, all caches that share it are bounded together, too.
        """
        self.most = most
        self._size_of = size_of
        self._held: OrderedDict[Hashable, _Held[T]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._flights: SingleFlight[T] = SingleFlight()
        self._budget = budget
        if budget is not None:
            budget.add(self)

    @property
    def size(self) -> int:
        """Bytes held now."""
        return self._size

    @property
    def oldest(self) -> float:
        """When the value that was used least recently was used; infinity without any. Comparable between caches."""
        with self._lock:
            return next((held.used for held in self._held.values()), math.inf)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> T | None:
        """Return the value, now the most recently used, or None."""
        with self._lock:
            if (held := self._held.get(key)) is None:
                return None
            held.used = next(_uses)
            self._held.move_to_end(key)
            return held.value

    def put(self, key: Hashable, value: T) -> None:
        """Take a value; the least recently used ones leave until all fit. One larger than the cache is not taken."""
        size = self._size_of(value)
        with self._lock:
            if (held := self._held.pop(key, None)) is not None:
                self._size -= held.size
            if size > self.most:
                return
            self._held[key] = _Held(value, size, next(_uses))
            self._size += size
            while self._size > self.most:
                self._drop()
        if self._budget is not None:
            self._budget.make_room()

    def drop(self) -> None:
        """Forget the value that was used least recently."""
        with self._lock:
            if self._held:
                self._drop()

    def _drop(self) -> None:
        _, held = self._held.popitem(last=False)
        self._size -= held.size

    def load(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value, made where it is not there; those who want the same at the same time wait for one."""
        held = self.get(key)
        return held if held is not None else self._flights.run(key, lambda: self._missing(key, make))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._size = 0

    def _missing(self, key: Hashable, make: Callable[[], T]) -> T:
        held = self.get(key)  # another thread may have finished it since we looked
        if held is not None:
            return held
        made = make()
        self.put(key, made)
        return made


def one_each(_: object) -> int:
    """Count values instead of their bytes: `ByteCache(32, one_each)` holds 32 of them."""
    return 1


def shared(most: int = 4) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function of objects that never change: whoever comes with the same ones gets the same result, of the last few.

    For what many sessions make of one version of a timeline, one after the other. Objects are the same by identity, numbers by
    value; the result is not to be changed either.

    >>> @shared()
    ... def doubled(values: list[int]) -> list[int]:
    ...     return [2 * value for value in values]
    >>> one, other = [1, 2], [1, 2]
    >>> doubled(one) is doubled(one), doubled(one) is doubled(other)
    (True, False)
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        held: deque[tuple[tuple[Any, ...], T]] = deque(maxlen=most)

        @functools.wraps(make)
        def found(*given: P.args, **named: P.kwargs) -> T:
            wanted = (*given, *named.values())
            for had, result in tuple(held):
                if len(had) == len(wanted) and all(map(_is_same, had, wanted)):
                    return result
            made = make(*given, **named)
            held.append((wanted, made))
            return made

        return found

    return decorate


def _is_same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, float) and isinstance(other, float) and one == other)


class Owner:
    """What others derive from an object and want once: it lives as long as the object, and is gone with it."""

    def cached(self, make: Callable[[Self], T]) -> T:
        """Return make(self), made at the first call; `make` (a class, or a function of a module) names what is wanted."""
        held: dict[Any, Any] = self.__dict__.setdefault(
            "_derived", {}
        )  # atomic; a subclass need not call our constructor
        if make not in held:
            flights: SingleFlight[Any] = self.__dict__.setdefault("_deriving", SingleFlight())
            flights.run(make, lambda: held.setdefault(make, make(self)) if make not in held else held[make])
        return cast(T, held[make])

    def made(self, make: Callable[[Self], T]) -> T | None:
        """Return what `cached` has made already, else None."""
        return cast("T | None", self.__dict__.get("_derived", {}).get(make))
