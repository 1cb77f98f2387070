"""Separates a source's event files from its dimension tables, and groups those that are read alike."""

import itertools
import logging
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from twin.foundation import memory
from twin.foundation.errors import SourceError
from twin.sources import delta_tables, event_files, file_paths, json_salvage, small_files, tables
from twin.sources.database import Database, TooLargeError, reason
from twin.sources.event_files import EventFile, EventFiles, Size, UnusableError
from twin.sources.file_paths import Found

log = logging.getLogger(__name__)

NAMED = 3
"""Most unusable files that an error message names."""


@dataclass(frozen=True, slots=True)
class DimensionFile:
    """The file of a dimension table."""

    path: str
    like: EventFile


class FileSorter:
    """Sorts the files of one source by their columns.

    `size` is what the event files hold. `broken_rows` counts rows of JSON files that DuckDB cannot read; the others are in
    temporary copies, which `close` removes. `left_out` has a sentence for each file that cannot be used.
    """

    def __init__(self, source: str, most_memory: int, most_bytes: int) -> None:
        """`most_memory` is what finding columns may take, `most_bytes` what a file may hold; in bytes."""
        self.size = Size()
        self.broken_rows = 0
        self.left_out: list[str] = []
        self._copies: dict[str, str] = {}
        self._number = itertools.count()
        self._folder: Path | None = None
        self._source = source
        self._most_memory = most_memory
        self._most_bytes = most_bytes
        self._sniffer: Database | None = None

    def sort_out(self, found: Found) -> tuple[list[EventFiles], dict[str, DimensionFile]]:
        """Return the event files, grouped by what reading them depends on, and the dimension tables by name."""
        dimensions: dict[str, DimensionFile] = {}
        groups: dict[EventFile, list[str]] = {}
        for text in found.left_out:
            self._leave_out("", text)
        for path in found.paths:
            try:
                readable, file, size = self._described(path)
                if not (missing := file.missing()):
                    groups.setdefault(file.as_read(), []).append(readable)
                    self.size += size
                elif (table := file_paths.table_of(path)) in tables.DIMENSIONS:
                    dimensions[table] = DimensionFile(readable, file)
                else:
                    raise UnusableError(f"has no column {', '.join(missing)}")
            except UnusableError as error:
                self._leave_out(path, error)
        if not groups:
            raise self._nothing_left()
        return [EventFiles(tuple(files), like) for like, files in groups.items()], dimensions

    def join(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups with many small files joined into few."""
        return [
            part
            for group in groups
            for part in (
                [group] if len(group.paths) < small_files.MANY else small_files.joined(group, self._new_folder())
            )
        ]

    def without_damaged(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups without the files that cannot be read to their end, which are left out.

        For files that cannot be read together. It reads all of them again. Raises `SourceError` if no file is left.
        """
        found = []
        for group in groups:
            damaged = dict(self._damaged(group.like, group.paths))
            for path, error in damaged.items():
                self._leave_out(
                    self._copies.get(path, path), UnusableError(f"{error}: bring an undamaged copy, or take it out")
                )
            if paths := tuple(path for path in group.paths if path not in damaged):
                found.append(replace(group, paths=paths))
        if not found:
            raise self._nothing_left()
        return found

    def _damaged(self, like: EventFile, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the files that cannot be read, with the rest of a sentence; halves are tried while both may have some."""
        group = EventFiles(tuple(paths), like)
        database = Database(self._source, self._most_memory)  # one that has met an error of its own can do nothing more
        try:
            columns = ", ".join(("event_type", "ts", "location", "order_id", "sequence", "body"))
            database.execute(f"SELECT max(hash({columns})) FROM ({group.bronze()})", delta_tables.streams([group]))
        except TooLargeError:
            raise
        except SourceError as error:
            if len(paths) == 1:
                yield paths[0], f"cannot be read to its end: {reason(error.__cause__ or error)}"
            else:
                yield from self._damaged(like, paths[: len(paths) // 2])
                yield from self._damaged(like, paths[len(paths) // 2 :])
        finally:
            database.close()

    def _leave_out(self, path: str, why: UnusableError | str) -> None:
        text = f"{file_paths.display_name(path, self._source)} {why}" if path else str(why)
        self.left_out.append(text)
        log.warning("left out of the source: %s", text)

    def _nothing_left(self) -> SourceError:
        what = "; ".join(self.left_out[:NAMED]) or "only dimension tables are there"
        columns = (
            " Event rows need the columns event_type, ts and order_id (besides location or location_id, sequence, body)."
            if not self.left_out or any(" has no column " in text for text in self.left_out)
            else ""
        )
        return SourceError(f"{self._source}: no usable event file: {what}.{columns}")

    def is_copy(self, path: str) -> bool:
        """Return whether a file is one of the temporary copies."""
        return path in self._copies

    def close(self) -> None:
        """Remove the temporary copies."""
        if self._sniffer is not None:
            self._sniffer.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def salvage(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups as they can be read after all: CSV against the rules, and JSON without its unreadable rows."""
        found: list[EventFiles] = []
        for group in groups:
            if not group.like.kind.startswith("json"):
                # only CSV has slower rules
                found.append(EventFiles(group.paths, replace(group.like, strict=group.like.kind != "csv")))
                continue
            copies = [self._salvaged(path, group.like.kind == "json array") for path in group.paths]
            lines = replace(group.like, kind="json lines")
            for like, is_copied in ((group.like, False), (lines, True)):
                chosen = [copy for copy, path in zip(copies, group.paths, strict=True) if (copy != path) is is_copied]
                found += [EventFiles(tuple(chosen), like)] if chosen else []
        return found

    def _salvaged(self, path: str, is_array: bool) -> str:
        if self.is_copy(path):
            return path
        # folders such as location=sf give columns
        folders = [part for part in Path(path).parent.parts if "=" in part]
        copy = self._new_folder().joinpath(*folders, "rows.jsonl")
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            left_out = json_salvage.copy_readable(path, is_array, copy, self._most_bytes)
        except json_salvage.TooMuchError as error:
            raise SourceError(
                f"{self._source} has a file, {Path(path).name}, that holds more than {memory.words(self._most_bytes)} once it "
                "is uncompressed. Take it away, or raise TWIN_MAX_DECODED."
            ) from error
        if not left_out and not is_array:
            copy.unlink()
            return path
        self._copies[str(copy)] = path
        self.broken_rows += left_out
        log.warning("%s is torn or has rows that cannot be read: %d left out", Path(path).name, left_out)
        return str(copy)

    def _new_folder(self) -> Path:
        """Return an empty folder for copies, which only this user can read."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="twin-"))
        folder = self._folder / str(next(self._number))
        folder.mkdir()
        return folder

    def _described(self, path: str) -> tuple[str, EventFile, Size]:
        """Return a file, or its readable copy, with its description. Raises `UnusableError`."""
        if file_paths.format_of(path) == "delta":
            return delta_tables.describe(path)
        try:
            try:
                described = event_files.describe(path) or self._sniffed(path)
            except (ValueError, RecursionError, SourceError):
                if file_paths.format_of(path) != "json":
                    raise
                copy = self._salvaged(path, event_files.json_kind(path) == "json array")
                described = event_files.describe(copy) or self._sniffed(copy)
                path = copy
        except (OSError, EOFError, ValueError, RecursionError, zlib.error, pa.ArrowException, SourceError) as error:
            advice = "allow it" if isinstance(error, PermissionError) else "check what wrote it"
            raise UnusableError(f"cannot be read: {reason(error)}: {advice}, or take it out") from error
        return path, *described

    def _sniffed(self, path: str) -> tuple[EventFile, Size]:
        """Return the description of a JSON file that is too large for Python. Raises `SourceError` if it cannot be parsed."""
        kind = event_files.json_kind(path)
        like = EventFile(kind, ())
        if self._sniffer is None:
            self._sniffer = Database(self._source, self._most_memory)
        try:
            rows = self._sniffer.rows(f"DESCRIBE SELECT * FROM {event_files.sniffer(path, like)}")
        except SourceError:
            if kind == "json array":
                raise
            columns = event_files.columns_of_lines(path)
        else:
            columns = tuple(str(row[0]) for row in rows)
        return replace(like, columns=columns, folders=event_files.folders_of(path)), Size(
            event_files.uncompressed(path)
        )
