"""The DuckDB database of one source: within its share of the memory, and with errors that a user can act on.

This is the only place where files are read and decoded rows are queried, so that whatever DuckDB raises becomes a `SourceError`
here, without the paths and the several lines of its own messages.
"""

import contextlib
import gzip
import logging
import os
import re
import shutil
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from twin.foundation import memory, progress
from twin.foundation.errors import SourceError
from twin.foundation.lazily import at_first_use
from twin.sources.queries import json_bodies

if TYPE_CHECKING:
    import duckdb
else:  # which only who opens a source needs
    duckdb = at_first_use("duckdb")

log = logging.getLogger(__name__)

WATCH_S = 0.05
"""Time between two looks at how much a running decoding has taken, seconds."""
FREE_DISK = 0.05
"""Share of the temporary folder's disk that decoding leaves free."""
_ADVICE = {
    "read": "Check what wrote it, or take the damaged file out.",
    "asked": "Try again; if that does not help, open it again.",
}
ATTACHED = "attached"
"""Name of the database of a file that is attached."""
PACKING = {"body": " USING COMPRESSION zstd"}
"""How columns of a file are packed that DuckDB would pack in another way: it tries all, takes half as long again, and what it
chooses for long texts is half as large again."""
LONGEST_REASON = 200
"""Most characters of DuckDB's own message in a sentence of ours."""


class TooLargeError(SourceError):
    """What is read or asked for needs more memory than the database may take."""


class UnreadableError(SourceError):
    """What DuckDB, Arrow or the system says of files that it cannot read, or of a question that it cannot answer."""


class Database:
    """A database in memory, or with `on_disk` in a temporary folder that goes with it, for what memory cannot hold.

    Thread-safe: each question has a cursor of its own. All methods raise `SourceError`.
    """

    def __init__(self, name: str, most_memory: int, on_disk: bool = False) -> None:
        """`name` is the source's name in error messages, `most_memory` are bytes."""
        self.name = name
        self.most_memory = most_memory
        self.on_disk = on_disk
        self.folder = Path(tempfile.mkdtemp(prefix="twin-")) if on_disk else None
        # without a folder of our own, DuckDB would write to the current one what memory cannot hold
        spill = "" if self.folder is None else str(self.folder / "spill")
        try:
            self._connection = duckdb.connect(
                ":memory:" if self.folder is None else str(self.folder / "events.duckdb"),
                config={"memory_limit": f"{most_memory >> 20}MiB", "temp_directory": spill},
            )
        except BaseException:
            _remove(self.folder)
            raise
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")  # it would be this machine's
        # else what is freed would never be given back to the system
        self._connection.execute("SET GLOBAL allocator_background_threads = true")
        json_bodies.register(self._connection)
        _silence(self._connection)
        self._finalizer = weakref.finalize(self, _release, self._connection, self.folder)

    def execute(self, sql: str, streams: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return a statement's rows; on the connection that `watched` can interrupt, and that has the tables of rejects.

        `streams` are Arrow streams by the name under which the statement may read each once.
        """
        with self._explained("read"):
            for name, stream in (streams or {}).items():
                self._connection.register(name, stream)
            return list(self._connection.execute(sql).fetchall())

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        with self._explained("asked"), self._cursor() as cursor:
            return list(cursor.execute(sql, parameters or {}).fetchall())

    def table(
        self, sql: str, parameters: Mapping[str, Any] | None = None, streams: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """Return a query's result. The current task can be cancelled meanwhile. `streams` are as in `execute`."""
        with (
            self._explained("asked"),
            self._cursor() as cursor,
            progress.current().stopping(cursor.interrupt),
        ):
            for name, stream in (streams or {}).items():
                cursor.register(name, stream)
            return cursor.sql(sql, params=parameters or {}).to_arrow_table()

    def rename_lives(self, reused: pa.Table) -> None:
        """Give the later lives of ids that are used again their names; columns as in queries/reused.sql, and `name`."""
        with self._explained("read"), self._connection.cursor() as cursor:
            cursor.register("reused_ids", reused)
            cursor.execute(
                "UPDATE events SET order_id = r.name FROM reused_ids AS r WHERE events.reason IS NULL "
                "AND r.location = events.location AND r.order_id = events.order_id AND events.ts >= r.began "
                "AND (events.ts < r.next_began OR r.next_began IS NULL)"
            )

    @contextmanager
    def changing(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """Yield a cursor in a transaction, which counts if the block ends without an error; others see all of it or nothing."""
        with self._explained("read"), self._cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                cursor.rollback()
                raise
            cursor.commit()

    def store(self, path: Path, names: Sequence[str], results: Mapping[str, pa.Table]) -> None:
        """Write a file with the tables of these names, as of one moment, and with results by theirs; `attach` takes it."""
        with self._explained("asked"), self._cursor() as cursor:
            cursor.execute(f"ATTACH {_literal(path)} AS storing")
            try:
                cursor.begin()
                for name, result in results.items():
                    cursor.register("result", result)
                    cursor.execute(f"CREATE TABLE storing.{name} AS SELECT * FROM result")
                    cursor.unregister("result")
                for name in names:
                    columns = ", ".join(
                        f"{column} {kind}{PACKING.get(column, '')}"
                        for column, kind, *_ in cursor.execute(f"DESCRIBE {name}").fetchall()
                    )
                    cursor.execute(f"CREATE TABLE storing.{name} ({columns})")
                    cursor.execute(f"INSERT INTO storing.{name} SELECT * FROM {name}")
                cursor.commit()
            finally:
                cursor.execute("DETACH storing")

    def attach(self, path: Path, names: Sequence[str]) -> None:
        """Have the tables of these names on the disk, in a file that `store` has written, in place of those in memory."""
        self.rows(f"ATTACH {_literal(path)} AS {ATTACHED} (READ_ONLY)")
        with self.changing() as cursor:
            for name in names:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
                cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM {ATTACHED}.{name}")

    def attached(self, name: str) -> pa.Table:
        """Return another table of the file that is attached."""
        return self.table(f"SELECT * FROM {ATTACHED}.{name}")

    def own(self, cursor: "duckdb.DuckDBPyConnection") -> None:
        """Within the transaction of `cursor`, have what is attached as tables that can be changed."""
        views = cursor.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary").fetchall()
        for (name,) in views:
            cursor.execute(f"DROP VIEW {name}")
            cursor.execute(f"CREATE TABLE {name} AS SELECT * FROM {ATTACHED}.{name}")

    def not_utf8(self) -> list[str]:
        """Return the paths of CSV files with lines that were left out because they are no UTF-8."""
        if not self.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'"):
            return []  # DuckDB creates this table only when it reads CSV
        rows = self.execute(
            "SELECT DISTINCT file_path FROM reject_scans JOIN reject_errors USING (scan_id, file_id) "
            "WHERE error_type = 'INVALID ENCODING'"
        )
        return [str(path) for (path,) in rows]

    @contextmanager
    def watched(self, most_disk: int, most_memory: int) -> Iterator[None]:
        """Interrupt `execute` within the block once the database has taken `most_disk` bytes, or the process `most_memory`.

        A compressed file may hold a thousand times its size, and no header says so that could be trusted.
        """
        ended, reasons = threading.Event(), list[str]()

        def watch() -> None:
            while not ended.wait(WATCH_S):
                if excess := self._excess(most_disk, most_memory):
                    reasons.append(excess)
                    self._connection.interrupt()
                    return

        watcher = threading.Thread(target=watch, name="watch-decoding", daemon=True)
        watcher.start()
        try:
            yield
            if excess := self._excess(most_disk, most_memory):  # the last look may have been a while ago
                raise TooLargeError(f"{self.name} {excess}")
        except SourceError as error:
            if reasons:
                raise TooLargeError(f"{self.name} {reasons[0]}") from error
            raise
        finally:
            ended.set()
            watcher.join()

    def close(self) -> None:
        """Close the connection and remove the folder; otherwise this happens with the object's end."""
        self._finalizer()

    def _excess(self, most_disk: int, most_memory: int) -> str:
        """Return why decoding must stop, as the end of a sentence; "" while it may go on."""
        if (resident := memory.resident()) > most_memory:
            return (
                f"needs more memory than there is: reading it has taken {memory.words(resident)} of "
                f"{memory.words(most_memory)}. Raise TWIN_MEMORY, or open fewer files."
            )
        if self.folder is None:
            return ""
        size = sum(entry.stat().st_size for entry in self.folder.rglob("*") if entry.is_file())
        if size > most_disk:
            return f"holds more than {memory.words(most_disk)} of decoded events. Raise TWIN_MAX_DECODED, or open fewer files."
        disk = shutil.disk_usage(self.folder)
        if disk.free < FREE_DISK * disk.total:
            return (
                f"needs more room than the temporary folder has: its events take {memory.words(size)} so far. "
                "Make room there, name another one in TMPDIR, or open fewer files."
            )
        return ""

    def _cursor(self) -> "duckdb.DuckDBPyConnection":
        cursor = self._connection.cursor()
        _silence(cursor)
        return cursor

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise TooLargeError(
                f"{self.name} needs more memory than the {memory.words(self.most_memory)} that reading it may take. "
                "Raise TWIN_MEMORY, or open fewer files."
            ) from error
        except (duckdb.Error, pa.ArrowException, OSError, OverflowError) as error:
            raise UnreadableError(f"{self.name} cannot be {doing}: {reason(error)}. {_ADVICE[doing]}") from error


def reason(error: BaseException) -> str:
    """Return what an error of DuckDB or the system says, in one line and without folders, for a sentence of ours."""
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "its compression is damaged"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # Arrow puts folders into its own
    text = str(error).split("\n", 1)[0]
    text = re.sub(r"^CSV Error on Line: (\d+)", r"line \1 is no valid CSV", text)
    text = re.sub(r"^(?:[A-Z]\w*[ -])*Error: ", "", text)
    text = re.sub(r"(?<![\w.])/(?:[^/\"'\n]+/)+", "", text)
    text = re.sub(r"\s+", " ", text).strip().rstrip(".:")
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"


def _silence(connection: "duckdb.DuckDBPyConnection") -> None:
    """Have no bar drawn into the standard output of whoever uses us, two seconds after a query's beginning."""
    with contextlib.suppress(
        duckdb.InvalidInputException
    ):  # in a notebook without ipywidgets, which has none then anyway
        connection.execute("SET enable_progress_bar = false")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _release(connection: "duckdb.DuckDBPyConnection", folder: Path | None) -> None:
    connection.close()
    _remove(folder)
