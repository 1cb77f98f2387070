"""Separates a source's event files from its dimension tables, and groups those that are read alike."""

import filecmp
import itertools
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from twin.foundation import memory
from twin.foundation.errors import ForeignColumnsError, SourceError
from twin.sources import (
    column_names,
    delta_tables,
    event_files,
    file_forms,
    file_paths,
    json_salvage,
    small_files,
    tables,
    text_encoding,
)
from twin.sources.database import Database, UnreadableError, reason
from twin.sources.event_files import Adapter, EventFile, EventFiles, Size, UnusableError
from twin.sources.file_forms import Plain
from twin.sources.file_paths import Found

log = logging.getLogger(__name__)

SHOWN_COLUMNS = 8
"""Most columns that a sentence shows of a file which lacks others."""
NAMED = 3
"""Most unusable files that an error message names."""


def _is_same(one: str, other: str) -> bool:
    """Return whether two files have the same contents."""
    return os.path.isfile(one) and os.path.isfile(other) and filecmp.cmp(one, other, shallow=False)


@dataclass(frozen=True, slots=True)
class DimensionFile:
    """The file of a dimension table."""

    path: str
    like: EventFile


class FileSorter:
    """Sorts the files of one source by their columns.

    `size` is what the event files hold. `broken_rows` counts rows of JSON files that DuckDB cannot read; the others are in
    temporary copies, which `close` removes. `left_out` has a sentence for each file that cannot be used, `assumed` for
    each of which something was assumed to read it.
    """

    def __init__(
        self, source: str, most_memory: int, most_bytes: int, most_files: int, adapter: Adapter | None = None
    ) -> None:
        """`most_memory` is what finding columns may take, `most_bytes` what a file may hold; in bytes."""
        self._adapter = adapter
        self.size = Size()
        self.broken_rows = 0
        self.left_out: list[str] = []
        self.assumed: list[str] = []
        self.half_lines = 0
        self.bounded: dict[str, str] = {}
        """Copies of files that grow, by their paths: what is read of these, and no more."""
        self._copies: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._texts: set[str] = set()
        self._copier = file_forms.Copier(most_bytes, self._new_folder, most_files)
        self._number = itertools.count()
        self._folder: Path | None = None
        self._source = source
        self._most_memory = most_memory
        self._most_bytes = most_bytes
        self._sniffer: Database | None = None

    def without_half_lines(self, found: Found, growing: Collection[str], moving: Collection[str] = ()) -> Found:
        """Return the files with copies in place of those among `growing` whose last line is only half-written.

        Such a line is no error, and is counted once it is complete. `half_lines` is the number of them. Of files that are
        `moving`, to which somebody adds while they are read, there are copies in any case: then it is certain where they end.
        """
        for number, path in enumerate(found.paths if growing or moving else ()):
            if (
                (path in growing or path in moving)
                and file_paths.format_of(path) in ("csv", "json")
                and not path.lower().endswith(".gz")
            ):
                try:
                    copy = file_forms.without_half_line(path, self._copier)
                    whole = not copy and path in moving
                    if whole:
                        copy = file_forms.as_it_is(path, self._copier)
                except (OSError, file_forms.FullError):  # read as it is, with a line that is set aside
                    continue
                if copy:
                    self._plain[copy] = self._name(path)
                    found.paths[number] = self.bounded[path] = copy
                    self.half_lines += not whole
        return found

    def copy_of(self, path: str, text: Iterator[bytes]) -> str:
        """Return the path of a temporary file with a part of the text of a file. Raises OSError and `file_forms.FullError`."""
        copy = self._copier.place(os.path.basename(path), Path(path).parent)
        self._copier.write(copy, text)
        self._plain[str(copy)] = self._name(path)
        return str(copy)

    def sort_out(self, found: Found) -> tuple[list[EventFiles], dict[str, DimensionFile]]:
        """Return the event files, grouped by what reading them depends on, and the dimension tables by name.

        Raises `SourceError` if there is no event file.
        """
        groups, dimensions = self.sort(found)
        if not groups:
            raise self._nothing_left()
        return groups, dimensions

    def sort(self, found: Found) -> tuple[list[EventFiles], dict[str, DimensionFile]]:
        """Return the same, perhaps nothing."""
        dimensions: dict[str, DimensionFile] = {}
        groups: dict[EventFile, list[str]] = {}
        for text in found.left_out:
            self._leave_out("", text)
        for path in found.paths:
            self._sort(path, groups, dimensions)
        return [EventFiles(tuple(files), like) for like, files in groups.items()], dimensions

    def _sort(
        self, path: str, groups: dict[EventFile, list[str]], dimensions: dict[str, DimensionFile], depth: int = 0
    ) -> None:
        """Sort one file, or the plain copies of what it holds."""
        try:
            readable, file, size = self._described(path)
            file = replace(file, adapter=self._adapter)
            if not (missing := file.missing()):
                groups.setdefault(file.as_read(), []).append(readable)
                self.size += size
            elif (table := file_paths.table_of(path)) in tables.DIMENSIONS:
                if not tables.is_dimension(table, map(column_names.plain, file.columns)):
                    raise UnusableError(f"has no columns id and name{_shown(path, file)}")
                if file.kind not in ("parquet", "delta") and text_encoding.of_file(readable) == text_encoding.WESTERN:
                    raise UnusableError("is not UTF-8")  # DuckDB would leave out the rows with such letters
                if table in dimensions and not _is_same(dimensions[table].path, readable):
                    self._leave_out(path, f"is a second table of {table}: put all of them into one")
                dimensions.setdefault(table, DimensionFile(readable, file))
            else:
                raise UnusableError(f"has no column {', '.join(missing)}{_shown(path, file)}")
        except UnusableError as error:
            try:
                copies = self._copies_of_parts(path)
            except UnusableError as found:
                self._leave_out(path, found)
                return
            if not copies or depth == file_forms.DEEPEST:
                self._leave_out(path, f"is wrapped {depth} times: unpack it" if copies else error)
                return
            for copy in copies:
                self._plain[copy.path] = copy.name
                if copy.is_text:
                    self._texts.add(copy.path)
                self._sort(copy.path, groups, dimensions, depth + 1)

    def _copies_of_parts(self, path: str) -> list[Plain]:
        """Return plain copies of what a file holds that cannot be used as it is. Raises `UnusableError`."""
        if path in self._texts or file_paths.format_of(path) == "delta":
            return []
        try:
            copies = file_forms.plain(path, self._name(path), self._copier)
        except OSError as error:
            raise UnusableError(f"cannot be read: {reason(error)}") from error
        except file_forms.FullError as error:
            raise SourceError(f"{self._source} has a file, {self._name(path)}, that {error}.") from error
        for copy in copies:
            if copy.assumed:
                self._assume(copy.name, copy.assumed)
        return copies

    def _assume(self, name: str, what: str) -> None:
        text = f"{name} {what}"
        self.assumed.append(text)
        log.warning("%s", text)

    def _name(self, path: str) -> str:
        """Return what to call a file, or the one that a copy was made of."""
        origin = self._copies.get(path, path)
        return self._plain.get(origin) or file_paths.display_name(origin, self._source)

    def join(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups with many small files joined into few."""
        return [
            part
            for group in groups
            for part in (
                [group]
                if len(group.paths) < small_files.MANY
                else small_files.joined(group, self._new_folder(), self._assume_latin1)
            )
        ]

    def _assume_latin1(self, path: str) -> None:
        self._assume(self._name(path), file_forms.taken_for_latin1(path))

    def without_damaged(self, groups: Sequence[EventFiles]) -> list[EventFiles]:
        """Return the groups without the files that cannot be read to their end, which are left out.

        For files that cannot be read together. It reads all of them again. Raises `SourceError` if no file is left.
        """
        found = []
        for group in groups:
            damaged = dict(self._damaged(group.like, group.paths))
            for path, error in damaged.items():
                self._leave_out(path, f"{error}: bring an undamaged copy, or take it out")
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
        except UnreadableError as error:
            if len(paths) == 1:
                yield paths[0], f"cannot be read to its end: {reason(error.__cause__ or error)}"
            else:
                yield from self._damaged(like, paths[: len(paths) // 2])
                yield from self._damaged(like, paths[len(paths) // 2 :])
        finally:
            database.close()

    def _leave_out(self, path: str, why: UnusableError | str) -> None:
        text = f"{self._name(path)} {why}" if path else str(why)
        self.left_out.append(text)
        log.warning("left out of the source: %s", text)

    def _nothing_left(self) -> SourceError:
        what = "; ".join(self.left_out[:NAMED]) or "only dimension tables are there"
        if self._adapter is not None:
            return SourceError(f"{self._source}: no file that its adapter can read: {what}.")
        is_foreign = any(" has no column " in text for text in self.left_out)
        columns = (
            " Event rows need the columns event_type, ts and order_id (besides location or location_id, sequence, body)."
            if not self.left_out or is_foreign
            else ""
        )
        if is_foreign:
            hint = f" Columns of your own? `twin adapt {self._source}` finds out what they mean."
            return ForeignColumnsError(f"{self._source}: no usable event file: {what}.{columns}{hint}")
        return SourceError(f"{self._source}: no usable event file: {what}.{columns}")

    def is_copy(self, path: str) -> bool:
        """Return whether a file is one of the temporary copies."""
        return path in self._copies or path in self._plain

    def is_temporary(self, path: str) -> bool:
        """Return whether a file goes when this is closed."""
        return self._folder is not None and path.startswith(f"{self._folder}{os.sep}")

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
                is_csv = group.like.kind == "csv"  # only CSV has slower rules
                paths = tuple(map(self._with_one_line_end, group.paths)) if is_csv else group.paths
                found.append(EventFiles(paths, replace(group.like, strict=not is_csv)))
                continue
            copies = [self._salvaged(path, group.like.kind == "json array") for path in group.paths]
            lines = replace(group.like, kind="json lines")
            for like, is_copied in ((group.like, False), (lines, True)):
                chosen = [copy for copy, path in zip(copies, group.paths, strict=True) if (copy != path) is is_copied]
                found += [EventFiles(tuple(chosen), like)] if chosen else []
        return found

    def recoded(self, groups: Sequence[EventFiles], database: Database) -> list[EventFiles]:
        """Return the groups with UTF-8 copies of the files in which `database` has met other text; the same if there are none."""
        misread = set(database.not_utf8())
        is_broken = bool(database.rows("SELECT 1 FROM events WHERE reason = 'broken line' LIMIT 1"))
        found: list[EventFiles] = []
        for group in groups:
            if group.like.kind == "csv":
                suspects = {path for path in group.paths if event_files.absolute(path) in misread}
            else:
                suspects = set(group.paths if is_broken else ())
            if group.like.kind in ("csv", "json lines") and suspects:
                paths = [self._recoded(path) if path in suspects else path for path in group.paths]
                group = replace(group, paths=tuple(paths))
            found.append(group)
        return found

    def _with_one_line_end(self, path: str) -> str:
        try:
            return file_forms.with_one_line_end(path, self._copier)
        except (OSError, EOFError, zlib.error):  # whoever reads it will say so
            return path
        except file_forms.FullError as found:
            raise SourceError(f"{self._source} has a file, {self._name(path)}, that {found}.") from found

    def _recoded(self, path: str) -> str:
        """Return a UTF-8 copy of a text file; the file itself if it is one, damaged or not."""
        if path in self._copies or not (oddity := file_forms.oddity(path)):
            return path
        copy = Plain(path, self._name(path), is_text=False)
        try:
            while not copy.is_text:
                (copy,) = self._copies_of_parts(copy.path)
                self._plain[copy.path] = copy.name
        except (UnusableError, ValueError):  # it is worse than its encoding: what could be read of it stays
            return path
        if not copy.assumed:
            log.warning("%s %s", copy.name, oddity)
        return copy.path

    def _salvaged(self, path: str, is_array: bool) -> str:
        if path in self._copies:
            return path
        # folders such as location=sf give columns
        folders = [part for part in Path(event_files.absolute(path)).parent.parts if "=" in part]
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
        if left_out:
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


def _shown(path: str, file: EventFile) -> str:
    """Return what a file has in place of the columns of events, as a part of a sentence."""
    if names := ", ".join(name.strip() for name in file.columns[:SHOWN_COLUMNS] if name.strip()):
        return f" but {file_forms.shown(names)}"
    line = file_forms.first_line(path)
    return f"; its first line is {line!r}" if line else ""
