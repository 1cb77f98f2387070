"""Rows as messages to the browser: one column per name, which is shorter than one object per row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Columns = dict[str, list[Any]]


def columns_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """Return rows, each with one value per name, as columns; `rowsOf` in rows.js is the inverse."""
    listed = list(rows)
    return {name: [row[i] for row in listed] for i, name in enumerate(names)}


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return columns as rows, as the browser reads them."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
