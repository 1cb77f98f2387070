"""The pipeline's tables as what a source asks: the same queries with the same answers as over the raw table, and nothing decoded.

They are used where all of them are there, made by this version's rules and configured as the app is; else the raw table is.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import pyarrow as pa

from twin.foundation.settings import Settings
from twin.sources import kind_of_times, lives, pipeline, queries, tables
from twin.sources.base import Times
from twin.sources.contents import Contents, Dimension, run
from twin.sources.event_table import Columns, EventTable
from twin.sources.lives import LongOrders, Reused
from twin.sources.odd_values import OddValues
from twin.sources.queries.times import Reading
from twin.sources.warehouse import Warehouse
from twin.sources.whole_table import Facts, reused_flags

log = logging.getLogger(__name__)

FIRST_ASKED = tuple(query for query in pipeline.ANSWERS if query != "times")
"""What opening asks beside the times."""


OF_BEGUN = ("totals", "brands")
"""Queries about the orders of one location that began in a range, and about nothing else."""
BEGUN = "\n  WHERE location = :location AND began >= :from_ts AND began < :to_ts"
"""Which these are; what they make of the orders keeps DuckDB from finding it out, and it would read those of all locations."""

NOTHING_ODD = OddValues(times=False, other_days=False, orders=False)
"""What a table holds whose columns are decoded."""
Answer = TypeVar("Answer")


class Submit(Protocol):
    """Runs work beside other work; what it returns waits for the result."""

    def __call__(self, work: Callable[[], Answer]) -> Callable[[], Answer]: ...


class PipelineTables(EventTable):
    """Builds SQL over the pipeline's tables; conditions are those on a table whose columns have types.

    Orders and what is made of them come from their own table, so that no range and no list of long orders limits what is read.
    """

    def __init__(self, name_of: Callable[[str], str], columns: Columns, version: str) -> None:
        """Take the quoted name of each table, the columns of the events, and by what rules their rows must be decoded."""
        super().__init__(name_of(pipeline.EVENTS), columns)
        self.version = version
        self._name_of = name_of

    def statement(self, query: str, where: str, reading: Reading, reused: bool = False) -> str:
        """Return query `query` in Databricks SQL over the rows of `where`, as `queries.databricks` does over a raw table."""
        if query in pipeline.ANSWERS:
            return pipeline.answered(query, self._name_of(pipeline.answer(query)))
        orders = self._name_of(pipeline.ORDERS)
        if query == "history":
            return pipeline.history(orders)
        used = queries.relations(query)
        begun = BEGUN if query in OF_BEGUN else ""
        relations = [pipeline.relation(name, orders, begun) for name in used if name in pipeline.OF_ORDERS]
        relations += [f"{name} AS (\n{queries.text(name)})" for name in used if name not in pipeline.OF_ORDERS]
        if "FROM events" in queries.text(query):
            relations.insert(0, self._events(where, reading, reused))
        return (f"WITH {', '.join(relations)}\n" if relations else "") + queries.text(query)

    def _events(self, where: str, reading: Reading, reused: bool) -> str:
        reason = "reason"
        if reading.aside:
            aside = "'" + reading.aside.removesuffix("s") + "'"
            reason = f"coalesce(reason, {pipeline.set_aside('form', aside)}) AS reason"
        columns = ", ".join(reason if column == "reason" else column for column in pipeline.DECODED)
        name = "decoded" if reused else "events"
        events = f"{name} AS (\n  SELECT {columns}\n  FROM {self.name}\n  {where}\n)"
        return f"{events},\n{queries.text('told_apart')}" if reused else events


@dataclass(frozen=True, slots=True)
class State:
    """What the pipeline has made at a moment: how many rows are decoded, how their times were read, and their stamp."""

    rows: int
    reading: Reading
    version: str


class Pipeline:
    """The tables that were found, whose rows may turn out to be decoded by other rules."""

    def __init__(self, raw: EventTable, columns: Columns, name_of: Callable[[str], str], settings: Settings) -> None:
        """Take the raw table, and the columns of the decoded events."""
        self._raw = raw
        self._columns = columns
        self._name_of = name_of
        self._settings = settings
        locations = [name.lower() for name in raw.location_columns()]
        self._locations = locations[0], locations[-1]

    def read(self, warehouse: Warehouse, submit: Submit, dimension: Callable[[], Dimension]) -> Contents | None:
        """Return the contents of the tables, all queries in parallel; None if these cannot be used.

        Raises SourceError if no row is usable.
        """
        if (state := self.state(warehouse)) is None:
            return None
        made = PipelineTables(self._name_of, self._columns, state.version)

        def ask(query: str) -> pa.Table:
            return run(warehouse, made, query, "", {}, state.reading)

        places = submit(dimension)
        results = {name: submit(partial(ask, name)) for name in FIRST_ASKED}
        looked = self._look_at_times(state, ask)
        answers = {name: result() for name, result in results.items()}
        if looked is None:
            return None
        times, reading = looked
        quality = [
            tables.QualityRow(row["location"], row["reason"], row["rows_read"], row["rows_used"])
            for row in answers["quality"].to_pylist()
        ]
        flags = [tables.FlagRow(row["location"], row["flag"], row["rows_used"]) for row in answers["flags"].to_pylist()]
        reused = Reused.from_rows(answers["reused"])
        apart = len(reused) <= lives.MOST_REUSED  # as in the definition of the orders
        facts = Facts(
            quality=quality,
            flags=[*flags, *reused_flags(reused, apart)],
            places=answers["locations"],
            volume=answers["volume"],
            long_orders=LongOrders.from_rows(answers["long_orders"]),
            reused=reused if apart else [],
            spellings={},
        )
        return Contents.of(made, facts, reading, times, NOTHING_ODD, places(), self._settings)

    def rows(self, warehouse: Warehouse, version: str) -> int | None:
        """Return how many rows are decoded now; None if they are not of this version any more, or cannot be used."""
        state = self.state(warehouse)
        return state.rows if state and state.version == version else None

    def state(self, warehouse: Warehouse) -> State | None:
        """Return what has been made; None if it cannot be used.

        All rows have to be decoded by this version's rules: the table of events keeps the rows that it had when the pipeline is
        deployed anew. What the pipeline is configured to is as good as a setting of ours; one that says otherwise wins.
        """
        raw = self._raw.name
        rows = warehouse.query(
            f"SELECT decoding, tables, rows_read, (SELECT count(*) FROM {raw}) AS raw_rows\n"
            f"FROM {self._name_of(pipeline.VERSION)}",
            {},
        ).to_pylist()
        if not rows:
            return None
        reading = pipeline.read_by(rows[0]["decoding"], self._raw.times(), self._locations)
        if reading is None or len(rows) > 1 or rows[0]["tables"] != pipeline.made_by():
            log.warning(
                "The pipeline's tables were made by another version, or of other columns, so %s is read: deploy the pipeline of "
                "this version, and refresh it in full.",
                raw,
            )
            return None
        if self._settings.times not in (None, reading.times) or self._settings.dates not in (None, reading.dates):
            log.warning("The pipeline is not configured as TWIN_TIMES and TWIN_DATES say, so %s is read.", raw)
            return None
        decoded = rows[0]["rows_read"]
        waiting = rows[0]["raw_rows"] - decoded
        if waiting < 0:
            log.warning("%s was made anew, so it is read: refresh the pipeline of its tables in full.", raw)
            return None
        if waiting:
            log.info("%d rows of %s wait for the pipeline's next run.", waiting, raw)
        return State(decoded, reading, rows[0]["decoding"])

    def _look_at_times(self, state: State, ask: Callable[[str], pa.Table]) -> tuple[Times, Reading] | None:
        """Return what the times are and how the rows are read; None if these times need rules that the pipeline does not have.

        That is so where texts name zones, and where days come before months (or the other way) and no configuration says it.
        `ask` takes the name of a query. Raises SourceError if only a setting can say how the times are to be read.
        """
        kinds = kind_of_times.Kinds.of(row.values() for row in ask("times").to_pylist())
        unread = ask("unread_times").to_pylist() if kinds.unread else []
        rows = [tuple(row.values()) for row in unread]
        better = kind_of_times.better(self._raw.name, state.reading, kinds, rows) or state.reading
        if better == replace(state.reading, aside=better.aside):
            return kinds.times(state.reading), better
        log.warning(
            "%s has times that the pipeline is not made for, so it is read: %s. Configure the pipeline's twin.dates, or write "
            "offsets.",
            self._raw.name,
            f"dates are {better.dates}"
            if better.dates != state.reading.dates
            else f"zones are {', '.join(better.zones)}",
        )
        return None


def find(
    columns_of: Callable[[str], Columns], name_of: Callable[[str], str], raw: EventTable, settings: Settings
) -> Pipeline | None:
    """Return the pipeline's tables if all are there with the columns that this version asks for."""
    if not settings.pipeline:
        return None
    there = {name: set(columns_of(name).written) for name in pipeline.columns()}
    readable = 1 <= len(raw.location_columns()) <= 2 and not raw.has_float_times()
    if not readable or not all(there[name] >= columns for name, columns in pipeline.columns().items()):
        if any(there.values()):
            log.warning("Not all tables of the pipeline are there as this version makes them, so %s is read.", raw.name)
        return None
    return Pipeline(raw, columns_of(pipeline.EVENTS), name_of, settings)
