"""Separates a source's event files from its dimension tables, and groups those that are read alike."""

import itertools
import logging
import shutil
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from twin.foundation import memory
from twin.foundation.errors import ForeignColumnsError, SourceError
from twin.sources import event_files, file_paths, json_salvage, small_files, tables
from twin.sources.database import Database, reason
from twin.sources.event_files import Adapter, EventFile, EventFiles, Size, UnusableError

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
    temporary copies, which `close` removes.
    """

    def __init__(self, source: str, most_memory: int, most_bytes: int, adapter: Adapter | None = None) -> None:
        """`most_memory` is what finding columns may take, `most_bytes` what a file may hold; in bytes."""
        self._adapter = adapter
        self.size = Size()
        self.broken_rows = 0
        self._copies: set[str] = set()
        self._number = itertools.count()
        self._folder: Path | None = None
        self._source = source
        self._most_memory = most_memory
        self._most_bytes = most_bytes
        self._sniffer: Database | None = None

    def sort_out(self, paths: Sequence[str]) -> tuple[list[EventFiles], dict[str, DimensionFile]]:
        """Return the event files, grouped by what reading them depends on, and the dimension tables by name."""
        dimensions: dict[str, DimensionFile] = {}
        groups: dict[EventFile, list[str]] = {}
        unusable: list[str] = []
        is_foreign = False
        for path in paths:
            try:
                readable, file, size = self._described(path)
                file = replace(file, adapter=self._adapter)
                if not (missing := file.missing()):
                    groups.setdefault(file.as_read(), []).append(readable)
                    self.size += size
                elif (table := file_paths.table_of(path)) in tables.DIMENSIONS:
                    dimensions[table] = DimensionFile(readable, file)
                else:
                    is_foreign = True
                    raise UnusableError(f"has no column {', '.join(missing)}")
            except UnusableError as error:
                unusable.append(f"{Path(path).name} {error}")
        if not groups:
            what = "; ".join(unusable[:NAMED]) or "only dimension tables are there"
            if self._adapter is not None:
                raise SourceError(f"{self._source}: no file with the columns of the adapter: {what}.")
            kind = ForeignColumnsError if is_foreign else SourceError
            hint = f" Columns of your own? `twin adapt {self._source}` finds out what they mean." if is_foreign else ""
            raise kind(
                f"{self._source}: no usable event file: {what}. Event rows need the columns event_type, ts and order_id "
                f"(besides location or location_id, sequence, body).{hint}"
            )
        for text in unusable:
            log.warning("left out of the source: %s", text)
        return [EventFiles(tuple(files), like) for like, files in groups.items()], dimensions

    def first_readable(self, paths: Sequence[str]) -> tuple[str, EventFile]:
        """Return the first file that can be read, or its readable copy, with its description. Raises `SourceError`."""
        unusable: list[str] = []
        for path in paths:
            try:
                readable, file, _ = self._described(path)
            except UnusableError as error:
                unusable.append(f"{Path(path).name} {error}")
            else:
                return readable, file
        raise SourceError(f"{self._source} cannot be adapted: {'; '.join(unusable[:NAMED]) or 'there is no file'}.")

    def join(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups with many small files joined into few."""
        return [
            part
            for group in groups
            for part in (
                [group] if len(group.paths) < small_files.MANY else small_files.joined(group, self._new_folder())
            )
        ]

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
                found.append(EventFiles(group.paths, replace(group.like, strict=False)))
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
        self._copies.add(str(copy))
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
            raise UnusableError(f"cannot be read: {reason(error)}") from error
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
