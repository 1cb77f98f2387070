"""Decodes event files into the table `events` of a DuckDB database, and counts what could not be split into columns."""

from collections.abc import Sequence

from twin.sources import delta_tables, queries
from twin.sources.database import Database
from twin.sources.event_files import EventFiles
from twin.sources.queries.times import Column, Reading


def create_events(database: Database, groups: Sequence[EventFiles], reading: Reading) -> None:
    """Create the table `events` of the rows of files, in place of one that is there."""
    for table in ("events", "reject_errors", "reject_scans"):  # DuckDB adds to the rejects of what was read before
        database.execute(f"DROP TABLE IF EXISTS {table}")
    bronze: dict[Column, list[str]] = {}
    for group in groups:
        bronze.setdefault(group.times(), []).append(group.bronze())
    decoded = (
        f"({queries.decode_for_duckdb(' UNION ALL '.join(rows), column, reading)})" for column, rows in bronze.items()
    )
    streams = delta_tables.streams(groups)  # each can be read once
    database.execute(f"CREATE TABLE events AS {' UNION ALL '.join(decoded)}", streams)


def rejected_lines(database: Database) -> list[tuple[str, int]]:
    """Return the CSV lines that could not be split into columns at all: their files and positions, bytes."""
    if not database.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'"):
        return []  # DuckDB creates this table only when it reads CSV
    rows = database.execute(
        "SELECT min(s.file_path), min(e.byte_position) FROM reject_errors AS e "
        "JOIN reject_scans AS s USING (scan_id, file_id) GROUP BY scan_id, file_id, e.line"
    )
    return [(path, position) for path, position in rows]
