"""The decoded rows of a source's files on the disk, with what opening them found out: not every process has to decode them.

They are a DuckDB database, named after the files as they are (path, size, time of change, inode), the settings that they are read
by and the code that reads them. So there is nothing to compare and nothing to keep in step: whatever has changed has another
name. It is opened to be read only, by any number of processes; what is asked of it need not be in memory.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from twin.foundation.disk_cache import DiskCache
from twin.foundation.errors import SourceError
from twin.foundation.lazily import at_first_use
from twin.foundation.settings import Settings
from twin.foundation.version import code
from twin.sources.database import Database
from twin.sources.kind_of_times import Kinds
from twin.sources.queries.times import Reading
from twin.sources.tables import Accounts

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = at_first_use("duckdb")

log = logging.getLogger(__name__)

ENDING = ".duckdb"
TABLES = ("events", "lives")
"""The tables of decoded rows, and of the lives of orders that are made of them."""
LEAST_BYTES = 8 << 20
"""Bytes of input below which files are decoded as fast as this finds them."""


@dataclass(frozen=True, slots=True)
class Results:
    """What opening files asks of their decoded rows: the results of the queries of these names."""

    volume: pa.Table
    locations: pa.Table
    long_orders: pa.Table
    reused: pa.Table


@dataclass(frozen=True, slots=True)
class Kept:
    """What the disk has beside the rows: `reading` and `kinds` are how their times were read, `accounts` the counts of all."""

    results: Results
    accounts: Accounts
    reading: Reading
    kinds: Kinds


NAMES = [one.name for one in fields(Results)]


class Prepared:
    """Where the decoded rows of files as they are now are on the disk. `content` is another one whenever an answer could be."""

    def __init__(self, of: object, settings: Settings) -> None:
        """`of` is what the rows depend on beside the settings and the code."""
        self.content = repr((of, settings.times, settings.dates, duckdb.__version__, code()))
        self._files = DiskCache(settings.cache_folder, settings.cache_bytes)

    def find(self) -> Path | None:
        """Return where the rows are on the disk, None if they are not."""
        return self._files.find(self.content, ENDING)

    def open(self, path: Path, database: Database) -> Kept | None:
        """Have a new database show the rows in a file, and return what else is there; None if they cannot be read."""
        try:
            database.attach(path, TABLES)
            results = Results(*(database.attached(name) for name in NAMES))
            about = json.loads(database.attached("about")["text"][0].as_py())
            reading = Reading(**{**about["reading"], "zones": tuple(about["reading"]["zones"])})
            return Kept(results, Accounts.read(about["accounts"]), reading, Kinds(**about["kinds"]))
        except (SourceError, LookupError, TypeError, ValueError) as error:
            log.warning("prepared rows cannot be read, and the files are read again: %s", error)
            return None

    def store(self, write: Callable[[Path], None]) -> Path | None:
        """Have `write(path)` write a database with the rows and `tables`; return where it is, None if that failed."""
        return self._files.store(self.content, ENDING, write)

    @staticmethod
    def tables(kept: Kept) -> dict[str, pa.Table]:
        """Return the tables that say what `open` returns."""
        about = {
            "reading": asdict(kept.reading), "kinds": asdict(kept.kinds), "accounts": kept.accounts.written(),
        }  # fmt: skip
        text = pa.table({"text": [json.dumps(about)]})
        return {**{name: getattr(kept.results, name) for name in NAMES}, "about": text}
