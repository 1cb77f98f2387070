"""What opening a source in a warehouse learns of its events: the kitchens, the counts of rows, orders per hour, long orders.

`Contents` is what the source then answers from, whichever tables it was learnt from: `RawTable` reads it from the raw events,
and `Contents.of` makes it from the rows of any other tables that hold the same figures.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from twin.foundation import errand, telemetry
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.foundation.version import VERSION
from twin.sources import kind_of_times, lives, tables, time_zones, whole_table
from twin.sources.base import Location, Times, Volume
from twin.sources.event_table import EventTable
from twin.sources.lives import LongOrders, Reused
from twin.sources.odd_values import OddValues
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.sources.table_cache import TableCache
from twin.sources.warehouse import Warehouse
from twin.sources.whole_table import Facts, WholeTable

Dimension = Sequence[Mapping[str, Any]]
"""The rows of the table of locations, their columns in lower case; empty where there is no such table."""
READINGS = b"readings"
"""Where the file of what was learnt has how the table was read."""
LOOKED_AT = 1000
"""Rows whose times are looked at before all are read."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of the event table at the last refresh. `table` is what is asked, `spellings` are the raw values that stand
    for each location, `reading` is how its times are read, and `times` what they are."""

    table: EventTable
    rows: int
    spellings: Mapping[str, list[str | None]]
    accounts: tables.Accounts
    long_orders: LongOrders
    reused: Sequence[Reused]
    locations: Sequence[Location]
    volumes: Mapping[str, Volume]
    reading: Reading
    times: Times
    odd: OddValues

    @classmethod
    def of(
        cls,
        table: EventTable,
        facts: Facts,
        reading: Reading,
        times: Times,
        odd: OddValues,
        dimension: Dimension,
        settings: Settings,
    ) -> "Contents":
        """Return the contents of a table. Raises SourceError if no row is usable."""
        locations = tables.kitchens(facts.places, facts.volume, dimension)
        locations = time_zones.in_zones(locations, times, settings)
        accounts = tables.Accounts(facts.quality, facts.flags)
        if not locations:
            raise SourceError(tables.nothing_usable(table.name, accounts.of(None)))
        volumes = tables.volumes(facts.volume, locations)
        return cls(
            table=table,
            rows=accounts.of(None).read,
            spellings=facts.spellings,
            accounts=accounts,
            long_orders=facts.long_orders,
            reused=facts.reused,
            locations=locations,
            volumes=volumes,
            reading=reading,
            times=times,
            odd=odd,
        )


class RawTable:
    """Reads the contents of a table of raw events, in one pass over it."""

    def __init__(self, warehouse: Warehouse, table: EventTable, settings: Settings) -> None:
        self._warehouse = warehouse
        self._table = table
        self._settings = settings
        self._first = kind_of_times.first(settings)
        self._has_history = True
        # the key covers the table, the settings and the code; what is learnt of it is stored by the table's version
        of = (table.name, VERSION, self._statement(self._first), repr(self._first))
        self._learnt = TableCache(of, settings.cache_folder, settings.cache_bytes)

    def read(self, dimension: Callable[[], Dimension], guess: Reading | None = None) -> Contents:
        """Return the table's contents, from the disk if a process of this machine has learnt them of this version of the table.

        `guess` is how the table was read before, None for a first time. Raises SourceError if no row is usable.
        """
        version = self._version()  # before the table is read: rows that come in meanwhile make the next version
        found = self._learnt.get(version, partial(self._learn, guess), keep=True)
        reading, final = _readings(found) or _readings(found := self._learn(guess)) or (self._first, self._first)
        rows = WholeTable(found)
        odd = OddValues.found(final, rows.total("odd_times"), rows.total("odd_orders"))
        facts = rows.facts(final.aside)
        times = rows.kinds().times(reading)
        return Contents.of(self._table, facts, final, times, odd, dimension(), self._settings)

    def _version(self) -> str:
        """Return what changes whenever the table's rows do: a Delta table's version, else a sum of what it holds."""
        if self._has_history:
            try:
                (latest,) = self._warehouse.query(f"DESCRIBE HISTORY {self._table.name} LIMIT 1", {}).to_pylist()
            except SourceError:  # a view, another format, or no right to it
                self._has_history = False
            else:
                return f"{latest['version']} {latest['timestamp']}"
        return repr(self._warehouse.query(self._table.fingerprint(), {}).to_pylist())

    def _learn(self, guess: Reading | None) -> pa.Table:
        """Return the rows of queries/contents.sql with how they and the table are to be read, in one pass over the table.

        There are more only if the times turn out to need another reading than the first ones.
        """
        first = self._first
        reading = guess = self._guess() if guess is None else replace(guess, aside=None, only_plain=False)
        rows = WholeTable(self._read(reading))
        misread = guess.dates != first.dates and rows.total("untimed")
        if misread:  # dates the other way round would look like broken ones
            reading = replace(guess, dates=first.dates)
            rows = WholeTable(self._read(reading))
        while True:
            kinds = rows.kinds()
            unread = [tuple(row.values()) for row in self._run("unread_times", reading)] if kinds.unread else []
            better = kind_of_times.better(self._table.name, reading, kinds, unread)
            if better is None or replace(better, aside=None) == reading:
                break
            reading = replace(better, aside=None)
            rows = WholeTable(self._read(reading))
        final = better or reading
        if self._table.times() == "text" and final == first and not rows.total("other_texts"):
            final = replace(final, only_plain=True)
        readings = json.dumps([asdict(reading), asdict(final)])
        return rows.rows.replace_schema_metadata({READINGS: readings})

    def _guess(self) -> Reading:
        """Return how the first rows' times want to be read: nearly always all want it, so that one pass is enough."""
        first = self._first
        if self._table.times() != "text":
            return first
        rows = [tuple(row.values()) for row in self._run("unread_times", first, f"LIMIT {LOOKED_AT}")]
        try:
            better = kind_of_times.better(self._table.name, first, kind_of_times.Kinds(0, 0, len(rows)), rows)
        except SourceError:  # the whole table may tell more
            return first
        return first if better is None else replace(better, aside=None)

    def _read(self, reading: Reading) -> pa.Table:
        sql = self._statement(reading)
        with telemetry.query("contents"), errand.on(purpose="contents"):
            return self._warehouse.query(sql, {"kinds": "apart" if reading.times is None else "together"})

    def _statement(self, reading: Reading) -> str:
        return whole_table.statement(self._table.whole(), self._table.times(), reading)

    def _run(self, query: str, reading: Reading, where: str = "") -> list[dict[str, Any]]:
        return run(self._warehouse, self._table, query, where, {}, reading).to_pylist()


def _readings(found: pa.Table) -> tuple[Reading, Reading] | None:
    """Return what `RawTable._learn` wrote beside its rows; None where another wrote them."""
    try:
        reading, final = (
            Reading(**{**one, "zones": tuple(one["zones"])})
            for one in json.loads((found.schema.metadata or {})[READINGS])
        )
    except (KeyError, TypeError, ValueError):
        return None
    return reading, final


def run(
    warehouse: Warehouse,
    table: EventTable,
    query: str,
    where: str,
    parameters: Mapping[str, Any],
    reading: Reading,
    reused: Sequence[Reused] = (),
) -> pa.Table:
    """Return the result of queries/`query`.sql over a table of events; `where` is a condition on its rows, `reused` are the later
    lives of ids that are orders of their own."""
    sql = table.statement(query, where, reading, bool(reused))
    if reused:
        parameters = {**parameters, "reused": lives.as_json(reused)}
    used = {name: value for name, value in parameters.items() if re.search(rf":{name}\b", sql)}
    about = str(parameters.get("location", ""))
    with telemetry.query(query), errand.on(purpose=query, kitchen=about):
        return json_bodies.only_json(warehouse.query(sql, used, is_probe=query == "ready"))
