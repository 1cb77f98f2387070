"""Finds the files and Delta tables of a source, and what their paths say about them."""

import glob
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twin.foundation.errors import SourceError
from twin.sources import delta_paths, tables

FORMATS = {
    ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": "json", ".json.gz": "json",
    ".jsonl": "json", ".jsonl.gz": "json", ".ndjson": "json", ".ndjson.gz": "json",
}  # fmt: skip

OTHERS = (
    ".txt", ".tab", ".psv", ".dat", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tar", ".tgz", ".7z", ".rar", ".xlsx", ".xlsm",
    ".xls", ".ods", ".arrow", ".feather", ".orc", ".avro", ".sqlite", ".h5",
)  # fmt: skip
"""Endings of files that may hold tables, too; what is in them only their contents say."""
DOCUMENTS = (
    "readme",
    "license",
    "notice",
    "copying",
    "authors",
    "changelog",
    "makefile",
    "dockerfile",
    "requirements.txt",
)
"""Names of files beside data that hold none."""
_ENDINGS = re.compile(
    r"(\.(csv|tsv|txt|tab|psv|dat|json|jsonl|ndjson|parquet|pq|gz|bz2|xz|zst|lz4|xlsx|xlsm|zip))+$", re.IGNORECASE
)


@dataclass(slots=True)
class Found:
    """The `paths` of a source's files and Delta tables, and a sentence for each that is `left_out`."""

    paths: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def find(source: str, most: int) -> Found:
    """Return the files of a source: a file, a folder, a Delta table or a pattern.

    Dimension tables are also found beside a file or a Delta table.
    Raises `SourceError` if there is nothing, or if there are more files than `most`.
    """
    name, version = delta_paths.asked(os.path.expanduser(source))
    search = _Search(source, version, most)
    if os.path.isdir(name):
        if delta_paths.is_table(name):
            search.found.paths = [
                delta_paths.path_at(name, version),
                *_dimensions_in(Path(name).absolute().parent, name),
            ]
        else:
            search.folder(name)
    elif os.path.isfile(name):
        if table := _table_around(name):
            raise SourceError(f"{source} {_is_part_of(table)}.")
        search.found.paths = [name, *_dimensions_in(Path(name).parent, name)]
        return search.found
    else:
        _check_allowed(name, source)
        if os.path.lexists(name):
            search.special(name)
        else:
            search.pattern(name)
    found = search.found
    if version != delta_paths.LATEST and not any(map(delta_paths.is_path, found.paths)):
        raise SourceError(f"{source} asks for a version, and there is no Delta table: name it without @{version}.")
    if not found.paths and not found.left_out:
        kind = "holds no event file" if os.path.isdir(name) else "does not exist"
        raise SourceError(
            f"{source} {kind}: name a file, a folder, a Delta table or a pattern of {', '.join(FORMATS)} files, or `demo`."
        )
    found.paths.sort()
    return found


def watched(source: str) -> str:
    """Return the folder or file in which something changes when a source does.

    >>> watched("data/2025-*/events.csv"), watched("*.csv")
    ('data', '.')
    """
    name, _ = delta_paths.asked(os.path.expanduser(source))
    while glob.has_magic(name) and not os.path.lexists(name):
        name = os.path.dirname(name)
    return name or "."


def adapter_beside(source: str) -> str:
    """Return where the adapter of a source is stored: beside a file, in a folder.

    >>> adapter_beside("data/orders.csv")
    'data/orders.csv.adapter.yml'
    """
    path = os.path.expanduser(source)
    return os.path.join(path, "adapter.yml") if os.path.isdir(path) else f"{path}.adapter.yml"


def format_of(path: str) -> str:
    """Return a file's format by its ending: csv, json, parquet; delta for a Delta table; "" for others."""
    if delta_paths.is_path(path):
        return "delta"
    name = os.path.basename(path).lower()
    return next((kind for ending, kind in FORMATS.items() if name.endswith(ending)), "")


def may_hold_rows(path: str) -> bool:
    """Return whether a file is one to look into, by its name: by its ending, or because it has none.

    >>> [may_hold_rows(name) for name in ("e.csv", "part-00000", "e.2025-10-13", "e.txt", "e.zip", "README", "e.py")]
    [True, True, True, True, True, False, False]
    """
    if format_of(path):
        return True
    name = os.path.basename(path).lower()
    if name in DOCUMENTS:
        return False
    ending = os.path.splitext(name)[1]
    return name.endswith(OTHERS) or not re.fullmatch(r"\.[a-z]\w*", ending)


def table_of(path: str) -> str:
    """Return the lower-case name of the table that a file or a Delta table's folder is named after.

    >>> table_of("data/casper.brands.csv.gz")
    'brands'
    """
    name = delta_paths.folder_of(path) if delta_paths.is_path(path) else path
    return _ENDINGS.sub("", os.path.basename(name)).lower().rsplit(".", 1)[-1]


def display_name(path: str, source: str) -> str:
    """Return the name of a source's file or Delta table for a sentence: its path within the source's folder."""
    name = delta_paths.folder_of(path) if delta_paths.is_path(path) else path
    folder = delta_paths.asked(os.path.expanduser(source))[0]
    inside = os.path.relpath(name, folder) if os.path.isdir(folder) else ""
    return os.path.basename(os.path.abspath(name)) if inside in ("", ".") or inside.startswith("..") else inside


def folder_columns(path: str) -> list[str]:
    """Return the names of columns whose values are in the names of a path's folders, as Hive and Spark write them.

    >>> folder_columns("events/location=sf/day=13/part-0.parquet")
    ['location', 'day']
    """
    if "=" not in path:
        return []
    pairs = (part.partition("=") for part in Path(path).parent.parts)
    return [key for key, equals, _ in pairs if key and equals]


class _Search:
    """Gathers files; each is found once, by whichever of its names."""

    def __init__(self, source: str, version: str, most: int) -> None:
        self.found = Found()
        self._source = source
        self._version = version
        self._most = most

    def folder(self, top: str) -> None:
        """Gather what is in a folder and in those below it, linked ones included, but for hidden ones."""
        seen: set[tuple[int, int]] = set()
        todo, linked_folders, linked_files = deque([top]), deque[str](), list[str]()
        while todo or linked_folders:
            here = todo.popleft() if todo else linked_folders.popleft()
            try:
                key = _key(here)
                if key in seen:  # another link to it, or a loop
                    continue
                seen.add(key)
                with os.scandir(here) as opened:
                    entries = sorted(opened, key=lambda entry: entry.name)
            except OSError as error:
                self._leave_out(here, f"cannot be read: {error.strerror}: allow it, or take it out")
                continue
            self._check(len(seen))
            if self._is_other_table(here, {entry.name for entry in entries}):
                continue
            for entry in entries:
                if entry.is_dir():
                    if not _is_hidden(entry.name):
                        (linked_folders if entry.is_symlink() else todo).append(entry.path)
                elif may_hold_rows(entry.name) and not entry.name.startswith(("_", ".")):
                    if entry.is_symlink():
                        linked_files.append(entry.path)
                    elif entry.is_file():
                        self._add(entry.path)
                    else:
                        self.special(entry.path)
        known = {_key(path) for path in self.found.paths if os.path.isfile(path)} if linked_files else set()
        for path in linked_files:
            if not os.path.isfile(path):
                self.special(path)
            elif (key := _key(path)) not in known:
                known.add(key)
                self._add(path)

    def special(self, path: str) -> None:
        """Leave out what has a name and is neither a file nor a folder."""
        if os.path.islink(path) and not os.path.exists(path):
            target = os.path.basename(os.readlink(path))
            self._leave_out(path, f"is a link to {target}, which is not there: bring that back, or remove the link")
        else:
            self._leave_out(path, "is no regular file: put a copy of what it gives in its place")

    def pattern(self, pattern: str) -> None:
        """Gather what a pattern names: files and Delta tables."""
        seen: set[tuple[int, int]] = set()
        tables_named: set[str] = set()
        table_of_folder: dict[str, str] = {}
        for name in glob.iglob(pattern, recursive=True):
            is_table = delta_paths.is_table(name)
            if not is_table and not (may_hold_rows(name) and os.path.isfile(name)):
                continue
            if (key := _key(name)) in seen:
                continue
            seen.add(key)
            parent = os.path.dirname(name)
            if (table := table_of_folder.get(parent)) is None:
                table = table_of_folder[parent] = _table_around(name)
            if not table:
                self._add(delta_paths.path_at(name, self._version) if is_table else name)
            elif table not in tables_named:
                tables_named.add(table)
                self._leave_out(name, _is_part_of(table))

    def _is_other_table(self, folder: str, names: set[str]) -> bool:
        """Return whether a folder is a table with a log of its files; a Delta table is found, others are left out."""
        if delta_paths.LOG in names and delta_paths.is_table(folder):
            self._add(delta_paths.path_at(folder, self._version))
            return True
        kind = "Hudi" if ".hoodie" in names else "Iceberg" if "metadata" in names and _is_iceberg(folder) else ""
        if kind:
            self._leave_out(
                folder,
                f"is a table of {kind}, whose files may hold deleted rows: export it as Parquet or as a Delta table",
            )
        return bool(kind)

    def _add(self, path: str) -> None:
        self.found.paths.append(path)
        self._check(len(self.found.paths))

    def _check(self, count: int) -> None:
        if count > self._most:
            raise SourceError(
                f"{self._source} has more than {self._most:,} files: name a folder or a pattern with fewer, or raise "
                "TWIN_MAX_FILES."
            )

    def _leave_out(self, path: str, what: str) -> None:
        self.found.left_out.append(f"{display_name(path, self._source)} {what}")


def _check_allowed(name: str, source: str) -> None:
    """Raise `SourceError` if what is there may not be looked at; nothing is said about what is not there."""
    try:
        os.stat(name)
    except PermissionError as error:
        raise SourceError(f"{source} cannot be read: {error.strerror}. Allow it to who runs this.") from error
    except OSError:
        return


def _key(path: str) -> tuple[int, int]:
    """Return what tells a file or folder from others, whichever of its names is used."""
    entry = os.stat(path)
    return entry.st_dev, entry.st_ino


def _is_hidden(folder: str) -> bool:
    """Return whether a folder is one of a writer's own, such as _temporary; `_day=3` is a column."""
    return folder.startswith(("_", ".")) and "=" not in folder


def _is_iceberg(folder: str) -> bool:
    try:
        names = os.listdir(os.path.join(folder, "metadata"))
    except OSError:
        return False
    return any(name.endswith(".metadata.json") for name in names)


def _table_around(path: str) -> str:
    """Return the folder of the Delta table that a file lies in, "" if in none."""
    parents = Path(os.path.abspath(path)).parents
    return next((str(folder) for folder in parents if delta_paths.is_table(str(folder))), "")


def _is_part_of(table: str) -> str:
    return (
        f"is a file of the Delta table {os.path.basename(table)}, whose log alone says which of its rows are valid: open the "
        "table's folder"
    )


def _dimensions_in(folder: Path, named: str) -> Iterator[str]:
    """Yield the dimension tables in a folder, but for the file or table that is named itself."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = os.path.join(folder, entry.name)
            if table_of(entry.name) not in tables.DIMENSIONS or os.path.abspath(path) == os.path.abspath(named):
                continue
            if delta_paths.is_table(path):
                yield delta_paths.path_at(path, delta_paths.LATEST)
            elif entry.is_file() and may_hold_rows(entry.name):
                yield path
