"""Notices that somebody writes to the files of a source, so that the source looks at them then and not only when it is asked.

The system says so where it can. On a network's file system it cannot know what other machines write: there it is looked now and
then, which costs a call of the system for each file.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import watchfiles

log = logging.getLogger(__name__)

POLL_S = 2.0
"""Seconds between two looks where the file system says nothing."""
ALIVE_MS = 5_000
"""Milliseconds after which it is made sure that what is watched is still what its name means."""
GATHER_MS, STEP_MS = 200, 50
"""Milliseconds for which changes are gathered at most, and without any before they are told."""
SILENT = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse", "virtiofs", "vboxsf")
"""Beginnings of the names of file systems to which other machines write, of which the system says nothing."""
MOUNTS = Path("/proc/self/mountinfo")


class Watch:
    """Calls `arrived()` whenever something changes in folders or files, from a thread of its own until it is closed."""

    def __init__(self, paths: Sequence[str], arrived: Callable[[], object], poll_s: float = POLL_S) -> None:
        """`arrived` returns at once and raises nothing."""
        self._paths = [os.path.abspath(os.path.expanduser(path)) for path in paths]
        self._arrived = arrived
        self._poll_s = poll_s
        self._ended = threading.Event()
        self.polls = any(map(is_silent, self._paths))
        """Whether it looks now and then, as the file system says nothing."""
        self._thread = threading.Thread(target=self._run, name="watch-files", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread. Returns at once."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self.polls or not all(map(os.path.exists, self._paths)):
                if not self._ended.wait(self._poll_s):
                    self._arrived()
                continue
            try:
                self._until_replaced()
            except (OSError, RuntimeError) as error:  # as of a limit of watches
                self.polls = True
                log.warning(
                    "the files of the source cannot be watched, they are looked at every %g s: %s", self._poll_s, error
                )

    def _until_replaced(self) -> None:
        """Tell of changes until another folder or file has the name of what is watched."""
        watched = _identities(self._paths)
        folders = {path if os.path.isdir(path) else os.path.dirname(path) for path in self._paths}
        for changes in watchfiles.watch(
            *folders,
            recursive=any(map(os.path.isdir, self._paths)),
            watch_filter=self._concerns,
            debounce=GATHER_MS,
            step=STEP_MS,
            rust_timeout=ALIVE_MS,
            yield_on_timeout=True,
            stop_event=self._ended,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if changes:
                self._arrived()
            if _identities(self._paths) != watched:
                self._arrived()
                return

    def _concerns(self, _change: watchfiles.Change, path: str) -> bool:
        """Return whether a path may be one of the source's; hidden files are none, such as those that are still being written."""
        if os.path.basename(path).startswith("."):
            return False
        return any(path == one or path.startswith(one + os.sep) for one in self._paths)


def is_silent(path: str) -> bool:
    """Return whether a path lies on a file system of whose changes the system does not tell."""
    try:
        device = os.stat(path).st_dev
        mounts = MOUNTS.read_text("utf-8", "replace")
    except OSError:
        return False
    for line in mounts.splitlines():
        mount, _, kind = line.partition(" - ")
        if mount.split()[2] == f"{os.major(device)}:{os.minor(device)}":
            return kind.startswith(SILENT)
    return False


def _identities(paths: Sequence[str]) -> list[int | None]:
    """Return the inodes of paths, None of one that is gone. A file is replaced by many who write it; a folder hardly ever."""
    return [os.stat(path).st_ino if os.path.isdir(path) else None for path in paths]
