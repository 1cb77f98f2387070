"""Caches what was read from a warehouse on the local disk, so that it needs no query when it is opened again: days of the past,
and what opening learnt of a table."""

import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twin.foundation.cache import SingleFlight
from twin.foundation.disk_cache import DiskCache

log = logging.getLogger(__name__)

ENDING = ".parquet"


class TableCache:
    """Tables by key on disk, limited in bytes; the least recently used are deleted first. Thread-safe."""

    def __init__(self, of: object, folder: Path, most: int) -> None:
        """Store at most `most` bytes in `folder`; 0: neither store nor read there. `of`, the origin, is part of every key."""
        self._of = repr(of)
        self._files = DiskCache(folder, most)
        self._making: SingleFlight[pa.Table] = SingleFlight()

    def get(self, key: object, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        """Return the table under `key`, made if missing and stored if `keep`; concurrent callers share one `make`."""
        return self._making.run(repr(key), lambda: self._load((self._of, key), make, keep))

    def _load(self, key: object, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        if (path := self._files.find(key, ENDING)) is not None:
            try:
                return pq.read_table(path)
            except FileNotFoundError:  # it has just made room for another
                pass
            except (OSError, pa.ArrowException) as error:
                log.warning("a cached table cannot be read and is fetched again: %s", type(error).__name__)
        table = make()
        if keep:
            self._files.store(key, ENDING, lambda path: pq.write_table(table, path, compression="zstd"))
        return table
