"""The SQL files, written once in Databricks SQL: a warehouse runs them as they are, for DuckDB they are transpiled."""

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from twin.foundation.lazily import at_first_use
from twin.sources.queries import json_bodies, times
from twin.sources.queries.times import Column, Reading

if TYPE_CHECKING:
    import sqlglot
    from sqlglot import exp
else:  # which only who transpiles needs
    sqlglot, exp = at_first_use("sqlglot"), at_first_use("sqlglot.expressions")

_FOLDER = Path(__file__).parent

_PLAIN = Reading()

_START = ("$.route_points[0][0]", "$.route_points[0][1]")
"""Where a body has the begin of its route, lat and lon. DuckDB parses a body, here the longest ones, for each question about it,
but answers several at once."""

RELATIONS = ("lives", "orders", "lines", "milestones", "order_parts")
"""Queries that other queries use like tables; each uses only `events` and those before it."""


@cache
def text(name: str) -> str:
    """Return the text of the query file `name`.sql."""
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


def databricks(name: str, bronze: str, column: Column = "text", reading: Reading = _PLAIN, reused: bool = False) -> str:
    """Return query `name` in Databricks SQL, including the decoding of `bronze`, a SELECT with the columns of timed.sql.

    `column` is what its `ts` holds, and `reading` how that is read. With `reused`, it takes the parameter of told_apart.sql, and
    later lives of an id are orders of their own.
    """
    used = "".join(f",\n{relation} AS (\n{text(relation)})" for relation in relations(name))
    events = text("events").replace(json_bodies.CALL, json_bodies.DATABRICKS)
    if reused:
        events = events.replace("\nevents AS (", "\ndecoded AS (") + f",\n{text('told_apart')}"
    return f"WITH bronze AS (\n{bronze}\n),\n{times.timed(column, reading)},\n{events}{used}\n{text(name)}"


@cache
def relations(name: str) -> tuple[str, ...]:
    """Return the `RELATIONS` that query `name` uses, directly or through others, in the order of their definition.

    >>> relations("totals"), relations("event_page")
    (('orders', 'lines'), ())
    """
    direct = [relation for relation in RELATIONS if re.search(rf"(FROM|JOIN) {relation}\b", text(name))]
    return tuple(dict.fromkeys(one for relation in direct for one in (*relations(relation), relation)))


def decode_for_duckdb(bronze: str, column: Column = "text", reading: Reading = _PLAIN) -> str:
    """Return the DuckDB SELECT that decodes `bronze` (DuckDB SQL) into the `events` relation; see `databricks`."""
    return _decoding(column, reading).replace("bronze_rows", f"({bronze})")


@cache
def _decoding(column: Column, reading: Reading) -> str:
    timed = times.timed_for_duckdb(column, reading)
    return times.in_duckdb(
        transpile(f"WITH bronze AS (SELECT * FROM bronze_rows),\n{timed},\n{text('events')}\nSELECT * FROM events")
    )


@cache
def leftover_for_duckdb(reading: Reading) -> str:
    """Return the DuckDB query whether `events`, decoded with `only_plain`, left a text that `reading` makes something of."""
    columns = "event_type, location, order_id, '' AS sequence, '' AS body, unread AS ts"
    timed = times.timed_for_duckdb("text", reading)
    bronze = f"WITH bronze AS (SELECT {columns} FROM events WHERE unread IS NOT NULL)"
    return times.in_duckdb(
        transpile(f"{bronze},\n{timed}\nSELECT 1 FROM timed WHERE ts IS NOT NULL OR unread IS NOT NULL LIMIT 1")
    )


def leftover(bronze: str, reading: Reading) -> str:
    """Return the same in Databricks SQL, over `bronze` with a text ts: how many other texts `reading` makes something of."""
    return (
        f"WITH bronze AS (\n{times.not_plain(bronze)}\n),\n{times.timed('text', reading)}\n"
        "SELECT count(CASE WHEN ts IS NOT NULL OR unread IS NOT NULL THEN 1 END) AS rows_read FROM timed"
    )


def plain_in_duckdb(bronze: str) -> str:
    """Return the DuckDB query whether at least half of the times of `bronze` are plain texts."""
    return f"SELECT count({times.in_duckdb('PLAIN_TIME(ts)')}) * 2 >= count(*) FROM ({bronze})"


@cache
def for_duckdb(name: str) -> str:
    """Return query `name` for DuckDB, for an existing relation `events`; parameters are written $name."""
    sql = transpile(text(name))
    for number, path in enumerate(_START, 1):
        sql = sql.replace(f"body ->> '{path}'", f"(body ->> {list(_START)})[{number}]")
    return sql


def transpile(sql: str) -> str:
    """Return the DuckDB form of a query in Databricks SQL; parameters are written $name.

    A database that decodes rows needs the function of `json_bodies.register`.
    """
    tree = sqlglot.parse_one(sql.replace(json_bodies.DATABRICKS, json_bodies.CALL), read="databricks")
    return tree.transform(_typed_json).sql(dialect="duckdb", comments=False)


def _typed_json(node: "exp.Expression") -> "exp.Expression":
    """Replace from_json(x, 'ARRAY<…>') by json_transform, for which DuckDB describes the type in JSON.

    Texts of an array that a path has found stay JSON, because a path is asked of them again.
    """
    if isinstance(node, exp.FromJson):
        shape = exp.DataType.build(node.expression.name, dialect="databricks")
        structure = _structure(shape)
        if structure == ["TEXT"] and isinstance(node.this, exp.JSONExtractScalar):
            structure = ["JSON"]
        # invalid JSON gives NULL in Databricks and an error in DuckDB
        valid = exp.Case(ifs=[exp.If(this=exp.func("json_valid", node.this.copy()), true=node.this.copy())])
        return exp.Anonymous(this="json_transform", expressions=[valid, exp.Literal.string(json.dumps(structure))])
    return node


def _structure(shape: "exp.DataType") -> object:
    if shape.this == exp.DataType.Type.ARRAY:
        return [_structure(shape.expressions[0])]
    if shape.this == exp.DataType.Type.STRUCT:
        return {field.name: _structure(field.args["kind"]) for field in shape.expressions}
    return shape.sql("duckdb")
