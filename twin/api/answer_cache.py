"""Caches encoded answers: metadata for 15 minutes, aggregates for 5 minutes, events not at all (docs/api.md)."""

import asyncio
import gzip
import hashlib
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from twin.foundation.cache import Budget, ByteCache

METADATA_S, AGGREGATES_S = 900, 300
CACHE_BYTES = 64 << 20
GZIP_FROM = 1024
"""Smallest body, in bytes, that is compressed: below it, compressing saves no packet."""
GZIP_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Encoded:
    """A response body, plain and compressed; `packed` is None where compressing does not pay."""

    body: bytes
    packed: bytes | None
    etag: str

    @classmethod
    def of(cls, body: bytes) -> "Encoded":
        """Encode a body. The ETag is weak, because both encodings share it."""
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0) if len(body) >= GZIP_FROM else None
        return cls(body, packed, f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')

    @property
    def nbytes(self) -> int:
        """Size of both bodies in memory."""
        return len(self.body) + len(self.packed or b"")


class AnswerCache:
    """Least recently used cache of answers, at most `CACHE_BYTES`. Concurrent requests for one key compute it once.

    It belongs to one event loop, where waiting must not block a thread; hence futures instead of `SingleFlight`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, budget: Budget | None = None) -> None:
        self._clock = clock
        self._cache: ByteCache[tuple[float, Encoded]] = ByteCache(CACHE_BYTES, lambda entry: entry[1].nbytes, budget)
        self._pending: dict[Hashable, asyncio.Future[Encoded]] = {}

    async def get(self, key: Hashable, seconds: float, make: Callable[[], Awaitable[Encoded]]) -> Encoded:
        """Return the cached answer, or await `make()` and cache its result for `seconds`. Errors are not cached."""
        cached = self._cache.get(key)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = asyncio.ensure_future(self._make(key, seconds, make))
        return await asyncio.shield(pending)  # one cancelled request must not cancel it for the others

    async def _make(self, key: Hashable, seconds: float, make: Callable[[], Awaitable[Encoded]]) -> Encoded:
        try:
            answer = await make()
        finally:
            del self._pending[key]
        self._cache.put(key, (self._clock() + seconds, answer))
        return answer

    def clear(self) -> None:
        """Drop all answers."""
        self._cache.clear()
