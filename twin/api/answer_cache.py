"""Encoded answers kept for a while: metadata 15 minutes, aggregates 5 minutes, events never (docs/api.md)."""

import asyncio
import gzip
import hashlib
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from twin.foundation.cache import ByteCache

METADATA_S, AGGREGATES_S = 900, 300
STORE_BYTES = 64 << 20
GZIP_FROM = 1024
"""Bytes from which compressing saves a packet."""
GZIP_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Encoded:
    """A body as it is sent; `packed` is None where compressing does not pay."""

    body: bytes
    packed: bytes | None
    etag: str

    @classmethod
    def of(cls, body: bytes) -> "Encoded":
        """Encode a body; the etag is weak, as the two encodings share it."""
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0) if len(body) >= GZIP_FROM else None
        return cls(body, packed, f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return len(self.body) + len(self.packed or b"")


class Store:
    """Answers by key, at most `STORE_BYTES`, the longest unused dropped first; equal questions wait for one.

    For one event loop, on which waiting must not hold a thread: hence futures of its own and no `SingleFlight`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: ByteCache[tuple[float, Encoded]] = ByteCache(STORE_BYTES, lambda kept: kept[1].nbytes)
        self._making: dict[Hashable, asyncio.Future[Encoded]] = {}

    async def get(self, key: Hashable, seconds: float, make: Callable[[], Awaitable[Encoded]]) -> Encoded:
        """Return the answer under `key`, made anew where there is none younger than `seconds`; errors are not kept."""
        found = self._kept.get(key)
        if found is not None and self._clock() < found[0]:
            return found[1]
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.ensure_future(self._make(key, seconds, make))
        return await asyncio.shield(making)  # who gives up waiting must not take it from the others

    async def _make(self, key: Hashable, seconds: float, make: Callable[[], Awaitable[Encoded]]) -> Encoded:
        try:
            answer = await make()
        finally:
            del self._making[key]
        self._kept.put(key, (self._clock() + seconds, answer))
        return answer

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
