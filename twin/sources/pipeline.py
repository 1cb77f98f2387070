"""The tables that a pipeline of the lakehouse makes for the product: each defined by the query files that are asked everywhere.

`events` of events.sql becomes a table that grows with the raw one (each body is parsed once, rejected rows stay with their
reason), and what opening a source asks of all rows becomes a small table each. `python -m scripts.pipelines` writes the
definitions to `pipelines/`; pipeline_tables.py asks the tables. The engine fills in `CONFIGURATION`.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import get_args

import sqlglot

from twin.sources import lives, queries
from twin.sources.base import Times
from twin.sources.event_table import Columns, EventTable
from twin.sources.queries import json_bodies, times
from twin.sources.queries.times import Column, Reading

CATALOG, SCHEMA, TABLE, LOCATION, OTHER_LOCATION, TIMES, DATES = (
    f"${{twin.{name}}}" for name in ("catalog", "schema", "table", "location", "other_location", "times", "dates")
)
CONFIGURATION = {
    CATALOG: "the catalog of the raw table",
    SCHEMA: "its schema",
    TABLE: "its name",
    LOCATION: "its column with the location: location, or location_id",
    OTHER_LOCATION: "its column with the location where that has none: gk_id, or the same",
    TIMES: "naive or instants, as TWIN_TIMES says it of files, or auto",
    DATES: "day-first or month-first, as TWIN_DATES says it of files, or auto",
}
"""What the engine replaces in the SQL before it parses it, from the pipeline's configuration."""
UNSET = "auto"

EVENTS, ORDERS, VERSION = "twin_events", "twin_orders", "twin_version"
COLUMNS: tuple[Column, ...] = get_args(Column)
"""What the raw column of times may hold: there is a definition of `EVENTS` for each."""

DECODED = (
    "location", "order_id", "event_type", "ts", "form", "unread", "sequence", "lat", "lon", "progress", "body", "reason", "flag",
)  # fmt: skip
"""The columns of `events` in events.sql."""

_RAW = ("event_type", "ts", "location", "order_id", "sequence", "body")
_MARKS = {
    "in_order()": " ".join(
        ["CASE", *(f"WHEN '{DATES}' = '{name}' THEN {sql}" for name, sql in times.DATE_ORDERS.items() if name), "END"]
    ),
    "as_written()": f"'{TIMES}' = 'naive'",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the pipeline: its name, what it has, its query, and the columns by which its files are laid out."""

    name: str
    comment: str
    select: str
    cluster: tuple[str, ...] = ()
    streaming: bool = False

    def statement(self) -> str:
        """Return the statement that defines it."""
        kind = "STREAMING TABLE" if self.streaming else "MATERIALIZED VIEW"
        layout = f"CLUSTER BY ({', '.join(self.cluster)})\n" if self.cluster else ""
        return f"CREATE OR REFRESH {kind} {self.name}\n{layout}COMMENT '{self.comment}'\nAS\n{self.select};\n"


@cache
def events(column: Column) -> Table:
    """Return the table of decoded events, of a raw table whose column of times holds `column`."""
    stamp = decoded_by(column, (LOCATION, OTHER_LOCATION), TIMES, DATES)
    return Table(
        EVENTS,
        "One row per raw row, decoded: a rejected row has its reason",
        f"{_decoding(column)},\n  '{stamp}' AS decoding\nFROM events",
        ("location", "ts"),
        streaming=True,
    )


def decoded_by(column: Column, locations: tuple[str, str], kind: str, dates: str) -> str:
    """Return what a row's column `decoding` says: the version of the rules, and the configuration, by which it was decoded."""
    return f"{_digest(_decoding(column))} location={','.join(locations)} times={kind} dates={dates}"


def read_by(decoding: str, column: Column, locations: tuple[str, str]) -> Reading | None:
    """Return how times were read by what rows say of their decoding; None if it was by other rules or from other columns."""
    for kind in (None, *get_args(Times)):
        for dates in times.DATE_ORDERS:
            if decoding.lower() == decoded_by(column, locations, kind or UNSET, dates or UNSET):
                return Reading(times=kind, dates=dates)
    return None


def made_by() -> str:
    """Return what the column `tables` of `VERSION` says: the version of the other tables' definitions."""
    return _digest("".join(table.select for table in _made_of_events()))


@cache
def others() -> tuple[Table, ...]:
    """Return the tables that are made of the decoded events, each after those that it reads."""
    version = Table(
        VERSION,
        "The number of rows by what decoded them",
        f"SELECT decoding, '{made_by()}' AS tables, count(*) AS rows_read\nFROM {EVENTS}\nGROUP BY decoding",
    )
    return (*_made_of_events(), version)


@cache
def _made_of_events() -> tuple[Table, ...]:
    return (
        _answer("times", f"WITH {_events()}", "Usable and unread times by their form"),
        _answer("quality", f"WITH {_used()}", "All rows by location and reason"),
        _answer("flags", f"WITH {_used()}", "Used rows with an anomaly by location"),
        _answer("locations", f"WITH {_used()}", "Rows, range and place of each kitchen"),
        _answer(
            "reused", f"WITH {_used()},\nlives AS (\n{_text('lives')}\n)", "Later lives of ids that are used again"
        ),
        Table(
            ORDERS,
            "One row per order with its milestones",
            f"WITH {_used('decoded')},\n{_told_apart()}\n{order_columns()[0]}",
            ("location", "began"),
        ),
        _answer("volume", f"WITH {relation('lives')}", "Orders per hour and location"),
        _answer("long_orders", f"WITH {relation('lives')}", "Orders that live for more than four hours"),
    )


def _answer(query: str, relations: str, comment: str) -> Table:
    return Table(answer(query), comment, f"{relations}\n{_unsorted(query)[0]}")


def answer(query: str) -> str:
    """Return the name of the table that has the answer of a query that is asked of all rows.

    >>> answer("volume")
    'twin_volume'
    """
    return f"twin_{query}"


def answered(query: str, table: str) -> str:
    """Return the query that gives the answer of `query` from its table, whose quoted name is `table`."""
    return f"SELECT {', '.join(_columns(query))}\nFROM {table}{_unsorted(query)[1]}"


def relation(name: str, table: str = ORDERS, where: str = "") -> str:
    """Return one of the relations `OF_ORDERS` from the quoted name of `ORDERS`."""
    listed = ", ".join(
        sql if sql == column else f"{sql} AS {column}" for column, sql in order_columns()[1][name].items()
    )
    return f"{name} AS (\n  SELECT {listed}\n  FROM {table}{where}\n)"


OF_ORDERS = ("orders", "lives", "milestones")
"""Relations of one row per order, which `ORDERS` has the columns of."""
ANSWERS = ("times", "quality", "flags", "locations", "reused", "volume", "long_orders")
"""The queries whose whole answer is a table."""


@cache
def columns() -> dict[str, set[str]]:
    """Return the columns that are asked of each table."""
    found = {answer(query): set(_columns(query)) for query in ANSWERS}
    orders = {column for of_query in order_columns()[1].values() for column in of_query.values()}
    return {**found, EVENTS: {*DECODED, "decoding"}, ORDERS: orders, VERSION: {"decoding", "tables", "rows_read"}}


@cache
def history(table: str) -> str:
    """Return the query of history.sql from `ORDERS`, whose quoted name is `table`."""
    return (
        f"SELECT {_renamed('history')}\nFROM {table}\n"
        "WHERE location = :location AND began >= :from_ts AND began < :to_ts"
    )


@cache
def order_columns() -> tuple[str, dict[str, dict[str, str]]]:
    """Return the query of `ORDERS`, and by query (`OF_ORDERS`, history) which of its columns each of their columns is.

    All have one row per order, so one pass over the events answers them. What has a name already and another meaning gets
    the query's name in front.
    """
    names, found = dict[str, str](), dict[str, dict[str, str]]()
    for query in ("orders", "lives", "history", "milestones"):
        found[query] = {}
        for expression in sqlglot.parse_one(queries.text(query), read="databricks").expressions:
            column = expression.alias_or_name
            sql = expression.unalias().sql(dialect="databricks", comments=False)
            if sql not in names:
                names[sql] = column if column not in names.values() else f"{query}_{column}"
            found[query][column] = names[sql]
    listed = ",\n  ".join(sql if sql == name else f"{sql} AS {name}" for sql, name in names.items())
    return f"SELECT\n  {listed}\nFROM events\nWHERE reason IS NULL\nGROUP BY location, order_id", found


def set_aside(form: str = "form", aside: str = "aside") -> str:
    """Return the expression of the reason of rows whose times are of another kind than most, as in events.sql."""
    reasons = re.findall(r"WHEN form = 'other (\w+)' THEN ('[^']+')", queries.text("events"))
    return f"CASE WHEN {form} = {aside} THEN CASE {form} {' '.join(f'WHEN {one!r} THEN {why}' for one, why in reasons)} END END"


def _columns(query: str) -> list[str]:
    parsed = sqlglot.parse_one(queries.text(query), read="databricks")
    return [one.alias_or_name for one in parsed.expressions]


def _renamed(query: str) -> str:
    """Return the columns of one of the queries of `order_columns`, in its names."""
    return ", ".join(own if own == name else f"{own} AS {name}" for name, own in order_columns()[1][query].items())


def _used(name: str = "events") -> str:
    """Return the relation `name`: decoded events of which those with the other kind of time than most are rejected as well.

    Which kind that is depends on all rows, so it is no part of `EVENTS`; kind_of_times.py decides it in the same way.
    """
    kind = (
        "kind AS (\n  SELECT CASE\n"
        f"    WHEN '{TIMES}' <> '{UNSET}' OR naive = 0 OR instants = 0 THEN ''\n"
        "    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside\n"
        "  FROM (\n    SELECT\n"
        "      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,\n"
        "      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants\n"
        f"    FROM {answer('times')}\n  )\n)"
    )
    columns = ", ".join(f"e.{column}" for column in DECODED if column != "reason")
    return (
        f"{kind},\n{name} AS (\n  SELECT {columns},\n"
        f"    coalesce(e.reason, {set_aside('e.form', 'k.aside')}) AS reason\n"
        f"  FROM {EVENTS} AS e\n  CROSS JOIN kind AS k\n)"
    )


def _events() -> str:
    return f"events AS (\n  SELECT {', '.join(DECODED)}\n  FROM {EVENTS}\n)"


def _told_apart() -> str:
    """Return the relation `events`, in which later lives of an id have a name of their own, from `decoded` and the reused ids."""
    reused, name = answer("reused"), lives.life_name("order", 0).removeprefix("order").removesuffix("0")
    ids = (
        "reused_ids AS (\n"
        f"  SELECT location AS place, order_id AS id, concat(order_id, '{name}', CAST(life AS STRING)) AS name,\n"
        f"    began AS begin_ts, coalesce(next_began, CAST('9999-12-31' AS TIMESTAMP_NTZ)) AS end_ts\n  FROM {reused}\n"
        f"  WHERE (SELECT count(*) FROM {reused}) <= {lives.MOST_REUSED}\n)"
    )
    text = _text("told_apart")
    return f"{ids},\n{text[text.index('events AS (') :]}"


@cache
def _decoding(column: Column) -> str:
    """Return the query of `EVENTS` but for the rows' stamp."""
    table = f"STREAM `{CATALOG}`.`{SCHEMA}`.`{TABLE}`"
    names = {name: name for name in _RAW} | {"location": LOCATION, "gk_id": OTHER_LOCATION}
    kinds = {"text": "STRING", "naive": "TIMESTAMP_NTZ", "instants": "TIMESTAMP"}
    raw = EventTable(table, Columns(names, dict.fromkeys(names, "STRING") | {"ts": kinds[column]}))
    timed = _bare(times.timed(column, Reading(), marks=_MARKS))
    decoding = _text("events").replace(json_bodies.CALL, json_bodies.DATABRICKS)
    return f"WITH bronze AS (\n{raw.bronze('').strip()}\n),\n{timed},\n{decoding}\nSELECT {', '.join(DECODED)}"


def _unsorted(query: str) -> tuple[str, str]:
    """Return a query without the order of its rows, which a table does not have, and this order, '' if there is none."""
    text = _text(query)
    at = found.start() if (found := re.search(r"\nORDER BY [\w., ]+$", text)) else len(text)
    return text[:at], re.sub(r"\b\w+\.", "", text[at:])


def _text(query: str) -> str:
    return _bare(queries.text(query))


def _bare(sql: str) -> str:
    """Return SQL without its comments: some have quotes or semicolons, at which an engine might split a file."""
    return re.sub(r"[ \t]+--[ ].*", "", re.sub(r"(?m)^\s*--.*\n", "", sql)).strip()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
