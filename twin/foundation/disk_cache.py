"""Files that are made once and found again, by any process of this user: a folder that is bounded in bytes.

A file is made under a temporary name and then renamed, so that nobody reads half of one, whoever is ended when. Its name has a
digest of its key, which says nothing about the data, and a checksum of its contents: what a disk has damaged counts as missing,
and is made anew. Where the folder is full, read-only or another user's, nothing is stored, and whoever comes next is only slower.
"""

import hashlib
import logging
import os
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from twin.foundation.errors import TwinError

log = logging.getLogger(__name__)

PART = ".part"
"""Ending of the folder in which a file is made."""
ABANDONED_S = 24 * 3600.0
"""Seconds after which what was begun is taken for that of a process that was ended."""
DIGEST = "sha256"
LETTERS = 32
"""Letters of a digest in a file's name."""
READ_AT_ONCE = 1 << 18
"""Bytes of a file that are checked at once: what a processor has near."""


class DiskCache:
    """Files by key, limited in bytes together with all others of the folder; the least recently used are deleted first."""

    def __init__(self, folder: Path, most: int) -> None:
        """Store at most `most` bytes in `folder`; 0: neither store nor find there, as what others stored may be secret."""
        self._folder = folder
        self._most = most

    def find(self, key: object, ending: str) -> Path | None:
        """Return the file under `key`, undamaged, or None. It may be deleted at any time, but never changes."""
        if not self._most:
            return None
        try:
            if not _is_ours(self._folder):
                return None
            for path in self._folder.glob(f"{_digest(key)}-*{ending}"):
                if path.stem.endswith(_checksum(path)):
                    with suppress(OSError):  # in a folder that can only be read
                        path.touch()
                    return path
                log.warning("a cached file is damaged, and is made anew")
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("a cached file cannot be read: %s", error.strerror or type(error).__name__)
        return None

    def store(self, key: object, ending: str, write: Callable[[Path], object]) -> Path | None:
        """Have `write(path)` make the file under `key`, and return it. If that fails, the log says why, and it is None."""
        if not self._most:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _is_ours(self._folder):
                return None
            with tempfile.TemporaryDirectory(dir=self._folder, suffix=PART, ignore_cleanup_errors=True) as making:
                made = Path(making) / "file"
                write(made)
                made.chmod(0o600)
                if made.stat().st_size > self._most:
                    return None
                path = self._folder / f"{_digest(key)}-{_checksum(made)}{ending}"
                os.replace(made, path)
            self._make_room()
        except (OSError, pa.ArrowException, TwinError) as error:
            log.warning("nothing is cached: %s", getattr(error, "strerror", None) or type(error).__name__)
            return None
        return path

    def _make_room(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process makes room, too
                found.append((path.stat(), path))
        found.sort(key=lambda pair: pair[0].st_mtime)
        files = [(one.st_size, path) for one, path in found if stat.S_ISREG(one.st_mode)]
        size = sum(size for size, _ in files)
        for own, path in files:
            if size <= self._most:
                break
            path.unlink(missing_ok=True)
            size -= own
        for one, path in found:
            if path.suffix == PART and one.st_mtime < time.time() - ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Return whether nobody else can have put files there: another user may have made the folder before us."""
    found = folder.stat()
    return found.st_uid in (os.getuid(), 0) and not found.st_mode & stat.S_IWOTH


def _digest(key: object) -> str:
    return hashlib.new(DIGEST, repr(key).encode()).hexdigest()[:LETTERS]


def _checksum(path: Path) -> str:
    """Return what tells whether a disk has damaged a file, which a CRC does as well as a digest, in a third of the time."""
    found = 0
    with path.open("rb") as file:
        while part := file.read(READ_AT_ONCE):
            found = zlib.crc32(part, found)
    return f"{found:08x}"
