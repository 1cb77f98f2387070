"""Rows on their way to the browser: a column for each name, which is shorter than an object for each row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Columns = dict[str, list[Any]]


def columns_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """Return rows, each with a value for each name, as columns; `rowsOf` in rows.js is the way back."""
    told = list(rows)
    return {name: [row[i] for row in told] for i, name in enumerate(names)}


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return columns as rows, as the browser reads them."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
