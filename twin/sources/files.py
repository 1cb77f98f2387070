"""Event files as a source: CSV, JSON lines, JSON arrays and Parquet, in either generation of the schema, read by DuckDB."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from twin.foundation import memory, telemetry
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources import (
    column_names,
    delta_tables,
    event_files,
    file_forms,
    file_paths,
    file_states,
    growth,
    kind_of_times,
    lives,
    long_lines,
    prepared,
    queries,
    tables,
    tails,
    time_zones,
    window_sizes,
)
from twin.sources.arrivals import COLUMNS
from twin.sources.base import Location, Quality, Times, Volume, Window
from twin.sources.batches import Batch
from twin.sources.database import Database, TooLargeError, UnreadableError
from twin.sources.decoding import create_events, rejected_lines
from twin.sources.event_files import Adapter, EventFile, EventFiles, Size
from twin.sources.file_paths import Found
from twin.sources.file_sorter import DimensionFile, FileSorter
from twin.sources.file_states import State
from twin.sources.growth import Known
from twin.sources.lives import LongOrders, Reused
from twin.sources.prepared import Kept, Prepared, Results
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.sources.tails import News, OtherwiseError, Tail

log = logging.getLogger(__name__)

ON_DISK_ABOVE = 1 << 30
"""Bytes of input above which the decoded events are stored in a temporary database on disk instead of in memory: with it ten
million events take a quarter of the memory, and no more time."""
DATABASE_SHARE = 0.25
"""Share of the process's memory that the database takes."""
STOP_SHARE = 0.8
"""Share of the process's memory at which decoding is stopped: it goes on growing for a moment, and not all is the database's."""
LOOKED_AT = 100
"""Rows of each group of files whose times are looked at before all are read."""

Progress = Callable[[str, float], None]
T = TypeVar("T")


class FileSource:
    """Event files, decoded once into DuckDB; every request is then a query over the decoded rows.

    Raises `SourceError` if nothing is usable, or if it is more than the settings allow; the message names the file and what it
    lacks, or the limit.
    """

    def __init__(
        self,
        source: str | Path,
        progress: Progress | None = None,
        settings: Settings | None = None,
        adapter: Adapter | None = None,
        previous: "FileSource | None" = None,
    ) -> None:
        """`previous` is the same source as it was before its files changed: names that are gone are taken from it."""
        self.name = str(source)
        self._settings = settings or Settings()
        self._dimension_files: dict[str, DimensionFile] = {}
        self._dimensions: dict[str, list[dict[str, str]]] = {}
        self._tables: set[str] = set()
        self._tables_lock = threading.Lock()
        self._dimensions_lock = threading.RLock()
        self._earlier = {} if previous is None else previous.dimensions()
        self._database_memory = int(self._settings.memory_bytes * DATABASE_SHARE)
        report = progress or (lambda _message, _share: None)
        found = file_paths.find(self.name, self._settings.max_files)
        self.states: Mapping[str, State] = file_states.of(
            found.paths
        )  # before they are read, so that what is written meanwhile is seen later
        growing = frozenset[str]() if previous is None else file_states.grown(previous.states, self.states)
        moving = frozenset[str]() if previous is None else previous.moving
        self._adapter = adapter
        self._staging: Database | None = None
        self._stored = _done(None)
        self._reopens = previous is not None
        sorter = self._new_sorter()
        try:
            self._open(sorter.without_half_lines(found, growing, moving), sorter, report)
        finally:  # copies of customers' data must not stay on disk, whether reading them succeeded or not
            sorter.close()

    _known: Known
    _stored: Future[None]
    _account: Future[tables.Accounts]
    _left_out: tuple[str, ...]
    _assumed: tuple[str, ...]

    # -- the Source protocol ---------------------------------------------------------------------------------------------
    times: Times
    content = ""
    as_of: float | None = None
    metered = False
    watched: tuple[str, ...] = ()
    mark = 0

    def arrived(self, location: str, after: int) -> pa.Table | None:
        """Return no rows: none come in, see `ChangingFiles`."""
        self._place(location)
        return COLUMNS.empty_table() if after == self.mark else None

    def refresh(self) -> bool:
        """Return False, because files are read once; see `ChangingFiles`."""
        return False

    def locations(self) -> list[Location]:
        return list(self._known.locations)

    def quality(self, location: str | None = None) -> Quality:
        return replace(self._account.result().of(location), left_out=self._left_out, assumed=self._assumed)

    def volume(self, location: str) -> Volume:
        return self._known.volumes.get(location) or self._known.volumes[self._place(location).id]

    def window(self, location: str, start: float, end: float) -> pa.Table:
        """Return the decoded rows. Raises `UnknownTimeError` if they would take more memory than a range may."""
        place, close = self._place(location).id, lives.near(start, end)
        alive = self._known.long_orders.alive(place, start, end)
        ranges = lives.ranges(start, end, alive)
        self._check_size(place, close, ranges)
        rows = self.query("window", location=place, **lives.bounds(close))
        if alive is None:
            return rows
        return pa.concat_tables([rows, self.query("long_window", location=place, **ranges)])

    def history(self, location: str, start: float, end: float) -> pa.Table:
        place = self._place(location).id
        whole = self._known.long_orders.whole(place, start, end)
        return self.query(
            "history", location=place, **lives.bounds(Window(start, end)), **lives.bounds(whole, "reach_")
        )

    def begun(self, start: float, end: float) -> pa.Table:
        whole = self._known.long_orders.whole(None, start, end)
        return self.query("begun", **lives.bounds(Window(start, end)), **lives.bounds(whole, "reach_"))

    def query(self, name: str, **parameters: str | int | float) -> pa.Table:
        self._create_tables(queries.relations(name))
        with telemetry.query(name):
            return self._database.table(queries.for_duckdb(name), _arguments(parameters))

    def routes(self, location: str, most: int) -> pa.Table:
        most_bytes = window_sizes.most_routes(self._settings.memory_bytes)
        return self.query("routes", location=location, most=most, most_bytes=most_bytes)

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the result of a DuckDB query over the table `events`; for what only files are asked."""
        return self._database.table(sql, parameters)

    def gold(self) -> Mapping[str, int]:
        return {}

    def names(self, dimension: str) -> Mapping[str, str]:
        return tables.names(self._dimension(dimension), dimension)

    def close(self) -> None:
        """Close the database and remove it; otherwise this happens with the source's end."""
        for work in (
            self._account,
            self._names_read,
            self._stored,
        ):  # in the background: a connection in use cannot be closed
            work.exception()
        self._database.close()
        if self._staging is not None:
            self._staging.close()

    @property
    def rows(self) -> int:
        """How many rows are decoded."""
        return self._known.rows

    @property
    def waits(self) -> bool:
        """Whether there are half-written lines, which are read even if nobody completes them."""
        return self.grows and bool(self._torn)

    # -- growing --------------------------------------------------------------------------------------------------------
    def look(self, found: Found, states: Mapping[str, State]) -> News:
        """Return what is new in the files since the last look. Raises `OtherwiseError` where that is not all there is to it."""
        if not self.grows:
            raise OtherwiseError("it is read in a way that takes all of it")
        if found.left_out != self._specials:
            raise OtherwiseError("what is left out of it has changed")
        return tails.look(self.states, states, self._tails, self._torn, self.name)

    def grow(self, news: News) -> tuple[pa.Table, int]:
        """Add what is new; return its used rows, `arrivals.COLUMNS` and `location`, and how many rows were read.

        Raises `OtherwiseError` if that takes reading everything again, and then nothing has changed.
        """
        batch, known = self._read_batch(news), self._known
        rows, size = known.rows + len(batch.rows), known.input_bytes + batch.size
        if rows > self._settings.max_rows or size > self._settings.max_decoded_bytes:
            raise OtherwiseError("it is more than may be read")
        accounts, names = self._account.result(), self._dimension("locations")
        broken = news.broken_lines + batch.broken_lines
        used = growth.USED.empty_table()
        if len(batch.rows):
            try:
                # a table that is made meanwhile would miss the batch
                with self._tables_lock, self._database.changing() as cursor:
                    self._database.own(cursor)
                    relations = [name for name in queries.RELATIONS if name in self._tables]
                    grown = growth.add(cursor, batch.rows, known, relations)
                    self._check_locations(len(grown.known.places))
                    locations = time_zones.in_zones(growth.kitchens(grown.known, names), self.times, self._settings)
            except SourceError as error:
                raise OtherwiseError(f"what is new cannot be added ({error})") from error
            accounts = accounts.with_more(grown.counts.quality, grown.counts.flags)
            used, known = grown.used, replace(grown.known, input_bytes=size, locations=locations)
        self._known, self.content = known, ""
        self._account = _done(accounts.with_more((), (), broken))
        self._kinds = batch.kinds
        self._left_out = tuple(text for text in self._left_out if text not in batch.filled) + batch.left_out
        self._assumed += batch.assumed
        states = {path: state for path, state in news.states.items() if path not in batch.waiting}
        self.note(replace(news, states=states, tails={**news.tails, **batch.tails}, torn={**news.torn, **batch.torn}))
        return used, len(batch.rows) + max(broken, 0)

    def _read_batch(self, news: News) -> Batch:
        if self._staging is None:
            self._staging = Database(self.name, self._database_memory // 4)
        sorter = self._new_sorter()
        try:
            batch = Batch(sorter, self._reading, self._kinds)
            batch.read(news, self._staging, self.name, self._torn)
        except (SourceError, OSError, file_forms.FullError) as error:
            self._staging.close()  # it can do nothing more once it has met an error of its own
            self._staging = None
            raise OtherwiseError(f"what is new cannot be read by itself ({error})") from error
        finally:
            sorter.close()
        return batch

    def note(self, news: News) -> None:
        """Note what files look like now that have nothing new to read."""
        self.states, self._tails, self._torn = news.states, news.tails, news.torn

    def _new_sorter(self) -> FileSorter:
        limits = self._settings
        return FileSorter(self.name, self._database_memory, limits.max_decoded_bytes, limits.max_files, self._adapter)

    def _begin_tails(self, likes: Mapping[str, EventFile], bounded: Mapping[str, str]) -> None:
        """Find out where files end whose rows have just been read."""
        settled = tails.settled(self.states, self.states)
        self._tails, self._torn = dict[str, Tail](), dict[str, float]()
        moving = set[str]()
        for path, state in self.states.items():
            copy = bounded.get(path)
            like = likes.get(copy or path)
            if like is None or like.kind not in tails.TEXTS:
                continue
            if copy is None and path not in settled:
                moving.add(path)
                continue
            end = None if copy is None else os.stat(copy).st_size
            if (tail := tails.begin(path, like, state, end)) is not None:
                self._tails[path] = tail
                if end is not None:
                    self._torn[path] = time.monotonic()
        self.moving = frozenset(moving)

    # -- opening --------------------------------------------------------------------------------------------------------
    def _open(self, found: Found, sorter: FileSorter, report: Progress) -> None:
        """Decode the files into the table `events` and find the locations."""
        report(f"Reading {len(found.paths):,} file{'s' * (len(found.paths) != 1)}", 0.1)
        self._specials = list(found.left_out)
        groups, self._dimension_files = sorter.sort_out(found)
        self._check_holds(sorter.size)
        likes = {path: group.like for group in groups for path in group.paths}
        said = [*sorter.left_out, *sorter.assumed]
        at = self._preparation(sorter)
        kept = None if at is None else self._open_prepared(at, sorter.size)
        joined: Sequence[EventFiles] = groups
        used = joined
        if kept is None:
            threading.Thread(target=json_bodies.warm, name="warm-json").start()  # while the files are joined and opened
            joined = sorter.join(groups)
            self._database, used = self._decode(joined, sorter)
        if at is not None and self._is_settled():
            self.content = at.content
        # whatever was read in a way that its rows themselves do not tell can only be read so as a whole
        self.grows = self._adapter is None and list(used) == joined and not sorter.broken_rows
        self._begin_tails(likes, sorter.bounded)
        try:
            rows = int(self._database.rows("SELECT count(*) FROM events")[0][0])
            self._check_holds(Size(0, rows))
            self._left_out = tuple(sorter.left_out)
            self._assumed = tuple(sorter.assumed)
            self.half_lines = sorter.half_lines
            rejected = rejected_lines(self._database)
            csv = [event_files.absolute(path) for path in self._csv]
            copies = set(filter(sorter.is_temporary, csv))  # they go soon
            broken_lines = sorter.broken_rows + len(rejected) + long_lines.uncounted(copies, rejected)
            lasting = [path for path in csv if path not in copies]
            report("Looking for the kitchens", 0.8)
            for name, file in self._dimension_files.items():
                if sorter.is_temporary(file.path):  # before the copy is deleted; other files are read when needed
                    self._dimension(name)
            results = self._ask() if kept is None else kept.results
            places, volume = results.locations, results.volume
            self._check_locations(len(places))
            locations = time_zones.in_zones(
                tables.kitchens(places, volume, self._dimension("locations")), self.times, self._settings
            )
            self._known = Known(
                rows=rows,
                input_bytes=sorter.size.bytes,
                long_orders=LongOrders.from_rows(results.long_orders),
                reused=Reused.from_rows(results.reused),
                places={row["location"]: row for row in places.to_pylist()},
                volumes=tables.volumes(volume, locations),
                locations=locations,
            )
            # counting all rows takes long and is rarely needed at once, so it runs in the background; `quality` waits for it
            background = ThreadPoolExecutor(1, "account")
            self._account = (
                background.submit(self._count_rows, broken_lines, lasting, rejected)
                if kept is None
                else _done(kept.accounts)
            )
            # names are read at once, too, so that a table which is taken away later is not missed
            self._names_read = background.submit(self.dimensions)
            if at is not None and kept is None and self.grows and [*sorter.left_out, *sorter.assumed] == said:
                self._stored = background.submit(self._store, at, results, self._known)
            background.submit(memory.release)
            background.shutdown(wait=False)
            if not locations:
                raise SourceError(tables.nothing_usable(self.name, self.quality(), self._first_row(joined)))
        except BaseException:
            self._database.close()
            raise

    def _preparation(self, sorter: FileSorter) -> Prepared | None:
        """Return where the decoded rows may be on the disk; None where they are few, or somebody writes to the files."""
        if self._adapter is not None or self._reopens or sorter.size.bytes < prepared.LEAST_BYTES:
            return None
        return Prepared(
            sorted((event_files.absolute(path), state) for path, state in self.states.items()), self._settings
        )

    def _open_prepared(self, at: Prepared, size: Size) -> Kept | None:
        """Open the rows that are on the disk; None if there are none."""
        if (path := at.find()) is None:
            return None
        self._database = Database(self.name, self._database_memory, self._is_large(size))
        kept = at.open(path, self._database)
        if kept is None:
            self._database.close()
            return None
        self._reading, self._kinds, self._csv = kept.reading, kept.kinds, list[str]()
        self.times = kept.kinds.times(kept.reading)
        self._tables.update(prepared.TABLES)
        return kept

    def _store(self, at: Prepared, results: Results, known: Known) -> None:
        """Write the rows to the disk for the next process, and have the database show those in place of its own."""
        kept = Kept(results, self._account.result(), self._reading, self._kinds)

        def write(path: Path) -> None:
            self._database.store(path, prepared.TABLES, at.tables(kept))
            if self._known is not known or not self._is_settled():
                raise SourceError("the files have changed meanwhile")

        path = at.store(write)
        with self._tables_lock:
            if path is not None and self._known is known:
                self._database.attach(path, prepared.TABLES)

    def _is_settled(self) -> bool:
        """Return whether all files are still as they were before they were read."""
        return tails.settled(self.states, self.states) == self.states.keys()

    def _ask(self) -> Results:
        """Return what the decoded rows tell of the source."""
        long_orders, reused = self._tell_lives_apart()
        volume, locations = (self._database.table(queries.for_duckdb(name)) for name in ("volume", "locations"))
        return Results(volume, locations, long_orders, reused)

    def _first_row(self, groups: Sequence[EventFiles]) -> dict[str, str]:
        """Return what a row has that cannot be used, for a sentence; nothing if no row can be read."""
        columns = ("ts", "order_id", "body")
        sql = f"SELECT {', '.join(columns)} FROM ({groups[0].bronze()}) LIMIT 1"
        with suppress(SourceError):
            for row in self._database.execute(sql, delta_tables.streams(groups[:1])):
                return {name: file_forms.shown(str(value)) for name, value in zip(columns, row, strict=True)}
        return {}

    def _decode(self, groups: Sequence[EventFiles], sorter: FileSorter) -> tuple[Database, Sequence[EventFiles]]:
        """Return a database with the decoded rows, on disk if they are many, and the files in the way they were read for it.

        Rows that DuckDB cannot read are set aside.
        """
        database, used = self._decode_or_salvage(groups, sorter)
        try:
            recoded = sorter.recoded(used, database)
        except BaseException:
            database.close()
            raise
        if recoded == list(used):
            return database, used
        on_disk = database.on_disk
        database.close()
        return self._decoded(recoded, on_disk), recoded

    def _decode_or_salvage(
        self, groups: Sequence[EventFiles], sorter: FileSorter
    ) -> tuple[Database, Sequence[EventFiles]]:
        on_disk = self._is_large(sorter.size)
        try:
            try:
                return self._decoded(groups, on_disk), groups
            except TooLargeError:
                if on_disk:
                    raise
                return self._decoded(groups, on_disk=True), groups  # it holds more than its size let expect
        except UnreadableError:
            readable = sorter.salvage(groups)
            if readable != list(groups):
                with suppress(UnreadableError):
                    return self._decoded(readable, on_disk), readable
            undamaged = sorter.without_damaged(readable)
            if undamaged == readable:
                raise
        return self._decoded(undamaged, on_disk), undamaged

    def _is_large(self, size: Size) -> bool:
        return size.bytes > min(ON_DISK_ABOVE, self._database_memory // 2)

    def _decoded(self, groups: Sequence[EventFiles], on_disk: bool) -> Database:
        database = Database(self.name, self._database_memory, on_disk)
        try:
            with database.watched(self._settings.max_decoded_bytes, int(self._settings.memory_bytes * STOP_SHARE)):
                self._read_events(database, groups)
        except BaseException:
            database.close()
            raise
        self._csv = [path for group in groups if group.like.kind == "csv" for path in group.paths]
        return database

    def _read_events(self, database: Database, groups: Sequence[EventFiles]) -> None:
        """Decode the files into the table `events`, again if their times turn out to need it, and find what their times are."""
        first = kind_of_times.first(self._settings)
        reading: Reading | None = first
        if {group.times() for group in groups} == {"text"} and self._begins_plain(database, groups):
            self.times = first.times or "naive"
            self._reading, self._kinds = replace(first, only_plain=True), kind_of_times.Kinds(1, 0, 0)
            create_events(database, groups, self._reading)
            # the rules for the rest, which are long, are only asked about texts that there are
            other = database.execute("SELECT 1 FROM events WHERE unread IS NOT NULL LIMIT 1")
            if not other or not database.execute(queries.leftover_for_duckdb(first)):
                reading = None
        while reading is not None:
            create_events(database, groups, reading)
            self._reading = reading
            self._kinds = kinds = kind_of_times.Kinds.of(database.execute(queries.for_duckdb("times")))
            unread = database.execute(queries.for_duckdb("unread_times")) if kinds.unread else []
            self.times = kinds.times(reading)
            reading = kind_of_times.better(self.name, reading, kinds, unread)
        for column in ("form", "unread"):
            database.execute(f"ALTER TABLE events DROP COLUMN {column}")

    def _begins_plain(self, database: Database, groups: Sequence[EventFiles]) -> bool:
        """Return whether the first times of each group of files are plain texts, as most are; a guess that saves time."""
        try:
            return all(
                database.execute(
                    queries.plain_in_duckdb(f"SELECT * FROM ({group.bronze()}) LIMIT {LOOKED_AT}"),
                    delta_tables.streams([group]),
                )[0][0]
                for group in groups
            )
        except SourceError:  # it will come again when the files are read
            return True

    def _check_holds(self, size: Size) -> None:
        """Raise `SourceError` if the files hold more than the settings allow."""
        limits = self._settings
        if size.rows > limits.max_rows:
            raise SourceError(
                f"{self.name} holds {size.rows:,} rows, and at most {limits.max_rows:,} are read: "
                "open fewer files, or raise TWIN_MAX_ROWS."
            )
        if size.bytes > limits.max_decoded_bytes:
            raise SourceError(
                f"{self.name} holds {memory.words(size.bytes)} of data once it is uncompressed, and at most "
                f"{memory.words(limits.max_decoded_bytes)} are read: open fewer files, or raise TWIN_MAX_DECODED."
            )

    def _check_locations(self, count: int) -> None:
        """Raise `SourceError` if there are more locations than the settings allow."""
        if count > self._settings.max_locations:
            raise SourceError(
                f"{self.name} has {count:,} locations, and at most {self._settings.max_locations:,} are opened: check that "
                "the column location holds kitchens, or raise TWIN_MAX_LOCATIONS."
            )

    def _find_long_orders(self) -> pa.Table:
        self._create_tables(["lives"])
        return self._database.table(queries.for_duckdb("long_orders"))

    def _tell_lives_apart(self) -> tuple[pa.Table, pa.Table]:
        """Give each later life of an id that is used again a name of its own; return the long orders then, and these lives."""
        long_orders = self._find_long_orders()
        if LongOrders.from_rows(long_orders).longest <= lives.APART_S:
            return long_orders, lives.COLUMNS_OF_REUSED.empty_table()
        reused = self._database.table(queries.for_duckdb("reused"))
        if found := Reused.from_rows(reused):
            self._database.rename_lives(reused.append_column("name", pa.array([one.name for one in found])))
            self._tables.clear()
            self._database.rows("DROP TABLE lives")
            long_orders = self._find_long_orders()
        return long_orders, reused

    def _count_rows(
        self, broken_lines: int, csv: Sequence[str], rejected: Sequence[tuple[str, int]]
    ) -> tables.Accounts:
        """Return the counts of all rows; `broken_lines` are no rows, and so are further ones in the `csv` files."""
        broken_lines += long_lines.uncounted(csv, rejected)
        quality = self._database.rows(queries.for_duckdb("quality"))
        flags = self._database.rows(queries.for_duckdb("flags"))
        reused = Counter(one.location for one in self._known.reused)
        flags += [(place, lives.FLAG_REUSED, count) for place, count in reused.items()]
        return tables.Accounts(
            [tables.QualityRow(*row) for row in quality], [tables.FlagRow(*row) for row in flags], broken_lines
        )

    # -- queries --------------------------------------------------------------------------------------------------------
    def _create_tables(self, relations: Sequence[str]) -> None:
        """Create the tables that aggregates read from, once: a second per million events."""
        with self._tables_lock:
            for relation in relations:
                if relation not in self._tables:
                    self._database.rows(f"CREATE TABLE {relation} AS {queries.for_duckdb(relation)}")
                    self._tables.add(relation)

    def _place(self, location: str) -> Location:
        return tables.find_place(location, self._known.locations)

    def _check_size(self, location: str, close: Window, ranges: Mapping[str, float]) -> None:
        limit = self._settings.memory_bytes
        if window_sizes.Size(self._known.rows, self._known.input_bytes).bytes <= window_sizes.most(limit):
            return  # all rows together are fewer, so it need not be counted
        ((rows, bodies),) = self._database.rows(
            queries.for_duckdb("window_size"), _arguments({"location": location, **ranges})
        )
        window_sizes.check(window_sizes.Size(rows, bodies), close, limit)

    def dimensions(self) -> dict[str, list[dict[str, str]]]:
        """Return the rows of all dimension tables that there are or were."""
        return {name: rows for name in tables.DIMENSIONS if (rows := self._dimension(name))}

    def _dimension(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a dimension table, as they were before if its file is gone or cannot be read any more."""
        with self._dimensions_lock:
            if name not in self._dimensions:
                self._dimensions[name] = self._read_dimension(name)
            return self._dimensions[name]

    def _read_dimension(self, name: str) -> list[dict[str, str]]:
        file, earlier = self._dimension_files.get(name), self._earlier.get(name, [])
        if file is not None:
            streams = {file.path: delta_tables.scan(file.path, file.like.columns)} if file.like.kind == "delta" else {}
            reader = event_files.reader([file.path], file.like)
            try:
                rows = self._database.table(
                    f"SELECT {event_files.texts(file.like)} FROM {reader}", streams=streams
                ).to_pylist()
            except SourceError as error:
                log.warning("a table of names cannot be read: %s", error)
            else:
                return [{column_names.plain(key): value for key, value in row.items()} for row in rows]
        if file is not None or earlier:
            outcome = "the names that it had are shown" if earlier else "ids are shown in place of names"
            self._left_out += (f"The table of {name} is gone or cannot be read: {outcome}",)
        return earlier


def _done(result: T) -> Future[T]:
    """Return what is there as the result of work that is done."""
    done: Future[T] = Future()
    done.set_result(result)
    return done


def _arguments(parameters: Mapping[str, str | int | float]) -> dict[str, Any]:
    """Return parameters as DuckDB takes them; those that end in `_ts` are data seconds."""
    return {
        key: tables.moment(float(value)).item() if key.endswith("_ts") else value for key, value in parameters.items()
    }
