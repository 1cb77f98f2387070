"""What opening a source in a warehouse learns of its events: the kitchens, the counts of rows, orders per hour, long orders.

`Contents` is what the source then answers from, whichever tables it was learnt from: `RawTable` reads it from the raw events,
and `Contents.of` makes it from the rows of any other tables that hold the same figures.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from twin.foundation import telemetry
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.sources import kind_of_times, lives, queries, tables, time_zones
from twin.sources.base import Location, Times, Volume
from twin.sources.event_table import EventTable
from twin.sources.lives import LongOrders, Reused
from twin.sources.queries import json_bodies
from twin.sources.queries.times import Reading
from twin.sources.warehouse import Warehouse

Dimension = Sequence[Mapping[str, Any]]
"""The rows of the table of locations, their columns in lower case; empty where there is no such table."""
Answer = TypeVar("Answer")


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

    @classmethod
    def of(
        cls, table: EventTable, facts: "Facts", reading: Reading, times: Times, dimension: Dimension, settings: Settings
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
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What is read of the events, before anything is concluded from it.

    `places` has the columns of queries/locations.sql, and `volume` those of queries/volume.sql, in which later lives of `reused`
    ids are orders of their own.
    """

    quality: Sequence[tables.QualityRow]
    flags: Sequence[tables.FlagRow]
    places: pa.Table
    volume: pa.Table
    long_orders: LongOrders
    reused: Sequence[Reused]
    spellings: Mapping[str, list[str | None]]


class Submit(Protocol):
    """Runs work beside other work; what it returns waits for the result."""

    def __call__(self, work: Callable[[], Answer]) -> Callable[[], Answer]: ...


def counts(quality: pa.Table, flags: pa.Table) -> tuple[list[tables.QualityRow], list[tables.FlagRow]]:
    """Return the rows of queries/quality.sql and flags.sql."""
    return (
        [
            tables.QualityRow(row["location"], row["reason"], row["rows_read"], row["rows_used"])
            for row in quality.to_pylist()
        ],
        [tables.FlagRow(row["location"], row["flag"], row["rows_used"]) for row in flags.to_pylist()],
    )


def reused_flags(reused: Iterable[Reused], apart: bool) -> list[tables.FlagRow]:
    """Return the counts of later lives of ids by location; `apart`: they are orders of their own."""
    often = Counter(one.location for one in reused)
    flag = lives.FLAG_REUSED if apart else lives.FLAG_MERGED
    return [tables.FlagRow(place, flag, count) for place, count in often.items()]


class RawTable:
    """Reads the contents of a table of raw events."""

    def __init__(self, warehouse: Warehouse, table: EventTable, settings: Settings, submit: Submit) -> None:
        self._warehouse = warehouse
        self._table = table
        self._settings = settings
        self._submit = submit

    def read(self, dimension: Callable[[], Dimension]) -> Contents:
        """Return the table's contents, all queries in parallel, and again if its times turn out to need another reading.

        Raises SourceError if no row is usable.
        """
        spellings = self._submit(self._read_spellings)
        places = self._submit(dimension)
        names = ("quality", "flags", "locations", "volume", "long_orders")
        reading = replace(kind_of_times.first(self._settings), only_plain=self._table.times() == "text")
        while True:
            look = self._submit(partial(self._look_at_times, reading))
            results = {name: self._submit(partial(self._run, name, reading)) for name in names}
            answers = {name: result() for name, result in results.items()}
            times, better = look()
            if better is None:
                break
            reading = better
        quality, flags = counts(answers["quality"], answers["flags"])
        long_orders, reused = LongOrders.from_rows(answers["long_orders"]), list[Reused]()
        if long_orders.longest > lives.APART_S:
            reused = Reused.from_rows(self._run("reused", reading))
            apart = len(reused) <= lives.MOST_REUSED
            flags += reused_flags(reused, apart)
            reused = reused if apart else []
            if reused:
                again = {
                    name: self._submit(partial(self._run, name, reading, reused)) for name in ("volume", "long_orders")
                }
                answers |= {name: result() for name, result in again.items()}
                long_orders = LongOrders.from_rows(answers["long_orders"])
        facts = Facts(quality, flags, answers["locations"], answers["volume"], long_orders, reused, spellings())
        return Contents.of(self._table, facts, reading, times, places(), self._settings)

    def _look_at_times(self, reading: Reading) -> tuple[Times, Reading | None]:
        """Return what the times are, and how the table must be read again, None if `reading` was right.

        Raises SourceError if only a setting can say it.
        """
        if reading.only_plain:
            everything = replace(reading, only_plain=False)
            left = self._warehouse.query(queries.leftover(self._table.bronze(""), everything), {})
            return reading.times or "naive", everything if left["rows_read"][0].as_py() else None
        kinds = kind_of_times.Kinds.of(row.values() for row in self._run("times", reading).to_pylist())
        unread = self._run("unread_times", reading).to_pylist() if kinds.unread else []
        rows = [tuple(row.values()) for row in unread]
        return kinds.times(reading), kind_of_times.better(self._table.name, reading, kinds, rows)

    def _read_spellings(self) -> dict[str, list[str | None]]:
        """Return the raw values that stand for each location, for conditions on the raw column."""
        spellings: defaultdict[str, list[str | None]] = defaultdict(list)
        for row in self._warehouse.query(self._table.location_spellings(), {}).to_pylist():
            spellings[(row["place"] or "").strip()].append(row["raw"])
        return dict(spellings)

    def _run(self, query: str, reading: Reading, reused: Sequence[Reused] = ()) -> pa.Table:
        return run(self._warehouse, self._table, query, "", {}, reading, reused)


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
    with telemetry.query(query):
        return json_bodies.only_json(warehouse.query(sql, used))
