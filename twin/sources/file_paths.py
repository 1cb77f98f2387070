"""Finds the files of a source, and what their paths say about them."""

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path

from twin.foundation.errors import SourceError
from twin.sources import tables

FORMATS = {
    ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet", ".json": "json", ".json.gz": "json",
    ".jsonl": "json", ".jsonl.gz": "json", ".ndjson": "json", ".ndjson.gz": "json",
}  # fmt: skip


def find(source: str, most: int) -> list[str]:
    """Return the files of a source, a file, folder or pattern; a file's dimension tables are found beside it.

    Raises `SourceError` if there is none, or if there are more than `most`.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return [str(path), *(beside for beside in _dimensions_in(path.parent) if beside != str(path))]
    found = []
    for name in _within(path) if path.is_dir() else glob.iglob(str(path), recursive=True):
        if format_of(name) and os.path.isfile(name):
            found.append(name)
            if len(found) > most:
                raise SourceError(
                    f"{source} has more than {most:,} files: name a folder or a pattern with fewer, or raise TWIN_MAX_FILES."
                )
    if not found:
        kind = "holds no event file" if path.is_dir() else "does not exist"
        raise SourceError(
            f"{source} {kind}: name a file, a folder or a pattern of {', '.join(FORMATS)} files, or `demo`."
        )
    return sorted(found)


def adapter_beside(source: str) -> str:
    """Return where the adapter of a source is stored: beside a file, in a folder.

    >>> adapter_beside("data/orders.csv")
    'data/orders.csv.adapter.yml'
    """
    path = os.path.expanduser(source)
    return os.path.join(path, "adapter.yml") if os.path.isdir(path) else f"{path}.adapter.yml"


def format_of(path: str) -> str:
    """Return a file's format by its ending: csv, json or parquet; "" for others."""
    name = os.path.basename(path).lower()
    return next((kind for ending, kind in FORMATS.items() if name.endswith(ending)), "")


def table_of(path: str) -> str:
    """Return the lower-case name of the table that a file is named after.

    >>> table_of("data/casper.brands.csv.gz")
    'brands'
    """
    name = re.sub(r"(\.(csv|tsv|json|jsonl|ndjson|parquet|pq|gz))+$", "", os.path.basename(path), flags=re.IGNORECASE)
    return name.lower().rsplit(".", 1)[-1]


def folder_columns(path: str) -> list[str]:
    """Return the names of columns whose values are in the names of a path's folders, as Hive and Spark write them.

    >>> folder_columns("events/location=sf/day=13/part-0.parquet")
    ['location', 'day']
    """
    if "=" not in path:
        return []
    pairs = (part.partition("=") for part in Path(path).parent.parts)
    return [key for key, equals, _ in pairs if key and equals]


def _within(folder: Path) -> Iterator[str]:
    """Yield the paths in a folder and those below it, without hidden files."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(("_", ".")):
                yield os.path.join(parent, name)


def _dimensions_in(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            os.path.join(folder, entry.name)
            for entry in entries
            if format_of(entry.name) and table_of(entry.name) in tables.DIMENSIONS
        )
