"""Caches what was read from a warehouse on the local disk, so that it needs no query when it is opened again: days of the past,
and what opening learnt of a table.

A file is written under a temporary name and then renamed, so that concurrent processes never read half a file. If the disk is
full or read-only, the next opening is only slower. File names are hashes and reveal nothing about the data.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twin.foundation.cache import SingleFlight

log = logging.getLogger(__name__)


class TableCache:
    """Tables by key on disk, limited in bytes; the least recently used are deleted first. Thread-safe."""

    def __init__(self, of: object, folder: Path, most: int) -> None:
        """Store at most `most` bytes in `folder`; 0: neither store nor read there. `of`, the origin, is part of every key."""
        self._of = repr(of)
        self._folder = folder
        self._most = most
        self._making: SingleFlight[pa.Table] = SingleFlight()

    def get(self, key: object, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        """Return the table under `key`, made if missing and stored if `keep`; concurrent callers share one `make`."""
        name = hashlib.blake2b(f"{self._of} {key!r}".encode(), digest_size=16).hexdigest()
        path = self._folder / f"{name}.parquet"
        return self._making.run(name, lambda: self._load(path, make, keep))

    def _load(self, path: Path, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        table = self._read(path)
        if table is None:
            table = make()
            if keep:
                self._write(path, table)
        return table

    def _read(self, path: Path) -> pa.Table | None:
        if not self._most:  # what others stored in the folder may be more than this user may read
            return None
        try:
            table = pq.read_table(path)
            path.touch()
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException) as error:
            log.warning("a cached table cannot be read and is fetched again: %s", type(error).__name__)
            return None
        return table

    def _write(self, path: Path, table: pa.Table) -> None:
        if not self._most:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, partial = tempfile.mkstemp(dir=self._folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as out:
                    pq.write_table(table, out, compression="zstd")
                os.replace(partial, path)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
            self._make_room()
        except OSError as error:
            log.warning("a table is not cached: %s", error.strerror or type(error).__name__)

    def _make_room(self) -> None:
        files = sorted(
            ((file.stat(), file) for file in self._folder.glob("*.parquet")), key=lambda pair: pair[0].st_mtime
        )
        size = sum(stat.st_size for stat, _ in files)
        for stat, file in files:
            if size <= self._most:
                return
            file.unlink(missing_ok=True)
            size -= stat.st_size
