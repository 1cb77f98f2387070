"""What was read from a warehouse, kept on this machine's disk: reopening a window of the past asks for nothing.

Files are written beside and moved into place, so processes may race and none reads half a file; a disk that is full or read-only
only makes the next opening slower. Names are hashes: nothing of the data is in them.
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


class Chunks:
    """Tables by key, at most so many bytes on disk, the longest unused dropped first. Thread-safe."""

    def __init__(self, of: object, folder: Path, most: int) -> None:
        """Keep at most `most` bytes of what is read `of` something in `folder`, 0 for nothing."""
        self._of = repr(of)
        self._folder = folder
        self._most = most
        self._making: SingleFlight[pa.Table] = SingleFlight()

    def get(self, key: object, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        """Return the table under `key`, made where it is not there; two who ask at once wait for one."""
        name = hashlib.blake2b(f"{self._of} {key!r}".encode(), digest_size=16).hexdigest()
        path = self._folder / f"{name}.parquet"
        return self._making.run(name, lambda: self._found(path, make, keep))

    def _found(self, path: Path, make: Callable[[], pa.Table], keep: bool) -> pa.Table:
        found = self._read(path)
        if found is None:
            found = make()
            if keep:
                self._write(path, found)
        return found

    def _read(self, path: Path) -> pa.Table | None:
        try:
            table = pq.read_table(path)
            path.touch()
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException) as error:
            log.warning("a kept chunk cannot be read and is fetched again: %s", type(error).__name__)
            return None
        return table

    def _write(self, path: Path, table: pa.Table) -> None:
        if not self._most:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, beside = tempfile.mkstemp(dir=self._folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as out:
                    pq.write_table(table, out, compression="zstd")
                os.replace(beside, path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
            self._make_room()
        except OSError as error:
            log.warning("a chunk is not kept: %s", error.strerror or type(error).__name__)

    def _make_room(self) -> None:
        files = sorted(
            ((file.stat(), file) for file in self._folder.glob("*.parquet")), key=lambda pair: pair[0].st_mtime
        )
        held = sum(stat.st_size for stat, _ in files)
        for stat, file in files:
            if held <= self._most:
                return
            file.unlink(missing_ok=True)
            held -= stat.st_size
