"""The SQL files, written once in Databricks SQL: run verbatim on a warehouse, transpiled for DuckDB."""

from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

_FOLDER = Path(__file__).parent


@cache
def text(name: str) -> str:
    """Return the text of query file `name` (without .sql)."""
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


def databricks(name: str, bronze: str) -> str:
    """Return query `name` in Databricks SQL, begun by the decoding of `bronze` (a SELECT with the contract's columns)."""
    return f"WITH bronze AS (\n{bronze}\n),\n{text('events')}\n{text(name)}"


def decode_for_duckdb(bronze: str) -> str:
    """Return the DuckDB SELECT that decodes `bronze` (DuckDB SQL) into the `events` relation."""
    return _transpile(f"WITH bronze AS (SELECT * FROM bronze_rows),\n{text('events')}\nSELECT * FROM events").replace(
        "bronze_rows", f"({bronze})"
    )


@cache
def for_duckdb(name: str) -> str:
    """Return query `name` for DuckDB over a relation `events` that is decoded already; parameters are $name."""
    return _transpile(text(name))


def _transpile(sql: str) -> str:
    tree = sqlglot.parse_one(sql, read="databricks")
    return tree.transform(_tolerant_json).sql(dialect="duckdb", comments=False)


def _tolerant_json(node: exp.Expression) -> exp.Expression:
    """Replace get_json_object(x, '$'): NULL for broken JSON in Databricks, an error in DuckDB."""
    if isinstance(node, exp.JSONExtractScalar) and len(node.expression.expressions) == 1:  # the root alone
        valid = exp.func("json_valid", node.this.copy())
        return exp.Case(ifs=[exp.If(this=valid, true=node.this.copy())])
    return node
