"""Reads Delta tables: folders of Parquet files with a log, which alone says which files and which rows in them are the table.

The folder also holds what was deleted, replaced or never committed, so its files are never read without the log. Reading it is
deltalake's work (delta-rs): checkpoints, deletion vectors, mapped column names, values of partitions.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from twin.foundation.errors import SourceError
from twin.sources import delta_paths
from twin.sources.database import reason
from twin.sources.event_files import READ, EventFile, EventFiles, Size, UnusableError, parquet_size

if TYPE_CHECKING:
    from deltalake import DeltaTable


def describe(path: str) -> tuple[str, EventFile, Size]:
    """Return the path of a table with the version looked up, what reading it depends on, and what it holds.

    Raises `UnusableError` if the table cannot be read, has no such version, or lacks a file.
    """
    table = _opened(path)
    sizes = [_footer(name) for name in table.file_uris()]
    schema = _arrow_schema(table.scan())
    described = EventFile("delta", tuple(schema.names), tuple(str(field.type) for field in schema))
    return delta_paths.path_at(delta_paths.folder_of(path), f"v{table.version()}"), described, sum(sizes, Size())


def scan(path: str, columns: Sequence[str]) -> Any:
    """Return a stream of the rows of a table, Arrow batches, which can be read once. Raises `SourceError`."""
    try:
        return _opened(path).scan(columns=list(columns))
    except UnusableError as error:
        raise SourceError(f"{Path(delta_paths.folder_of(path)).name} {error}.") from error


def streams(groups: Iterable[EventFiles]) -> dict[str, Any]:
    """Return the streams of the columns that events are made of, by the paths of the Delta tables among `groups`."""
    return {
        path: scan(path, [name for name in group.like.columns if group.like.adapter or name.strip().lower() in READ])
        for group in groups
        if group.like.kind == "delta"
        for path in group.paths
    }


def _opened(path: str) -> "DeltaTable":
    """Return a table at the version that its path names."""
    from deltalake import DeltaTable  # noqa: PLC0415  # takes 50 ms, for nothing where there is no such table
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    version = delta_paths.version_of(path)
    try:
        table = DeltaTable(delta_paths.folder_of(path))
        last = table.version()
        if version != delta_paths.LATEST:
            number = int(version[1:]) if version.startswith("v") else _version_at(table, version)
            if number > last:
                raise UnusableError(f"has no version {number}: its last is {last}. Name an earlier one, or none")
            table.load_as_version(number)
    except (DeltaError, OSError, ValueError) as error:
        raise UnusableError(
            f"is a Delta table whose log cannot be read: {reason(error)}: check what wrote it, or take it out"
        ) from error
    return table


def _version_at(table: "DeltaTable", text: str) -> int:
    """Return the last version that was committed up to a time, by what the commits say themselves.

    The times of the log's files, by which Delta chooses, are those of the copying where a table was copied.
    """
    at = delta_paths.moment(text).timestamp() * 1e3
    commits = [(entry["version"], entry["timestamp"]) for entry in table.history() if "timestamp" in entry]
    found = [version for version, committed in commits if committed <= at]
    if not found:
        first = min((committed for _, committed in commits), default=None)
        begins = (
            "its log has no times"
            if first is None
            else f"its log begins {datetime.fromtimestamp(first / 1e3, UTC):%Y-%m-%dT%H:%M:%S} UTC"
        )
        raise UnusableError(f"has no version of {text}: {begins}. Name a later time, or a version like @v0")
    return max(found)


def _footer(uri: str) -> Size:
    """Return what one of a table's files holds."""
    path = unquote(urlsplit(uri).path) if uri.startswith("file:") else uri
    if "://" in path:
        raise UnusableError(
            f"is a Delta table with files elsewhere, such as {uri}: only what lies on this disk is read. Export it"
        )
    try:
        return parquet_size(path)
    except FileNotFoundError as error:
        raise UnusableError(
            f"is a Delta table without its file {Path(path).name}, which its log lists: bring it back, or open an earlier "
            "version by adding @v and its number"
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise UnusableError(
            f"is a Delta table whose file {Path(path).name} cannot be read: {reason(error)}: bring it back, or take the "
            "table out"
        ) from error


def _arrow_schema(stream: Any) -> pa.Schema:
    return pa.schema(stream.schema)
