"""The one statement that learns at opening what a whole table of raw events holds: queries/contents.sql over its decoded rows."""

from twin.sources import odd_values, queries
from twin.sources.queries import json_bodies, times
from twin.sources.queries.times import Column, Reading

_COLUMNS = "elsewhere, spelling, odd_time, odd_order, not_plain"
"""What contents.sql reads of the raw rows, besides what is decoded of them."""


def statement(bronze: str, column: Column, reading: Reading) -> str:
    """Return the statement in Databricks SQL; its parameter is `:kinds`.

    `bronze` is as for `queries.databricks`, with one column more, `elsewhere` (`EventTable.whole`). `reading` reads every form of
    texts, so that one pass finds what other forms there are.
    """
    timed, events = times.timed(column, reading), queries.text("events")
    events = events.replace(json_bodies.CALL, json_bodies.DATABRICKS)
    # the relations between the raw rows and `events` name their columns: these go through all of them
    timed = timed.replace("order_id, sequence, body", f"order_id, sequence, body, {_COLUMNS}")
    events = events.replace("ts, form, unread,", f"ts, form, unread, {_COLUMNS},")
    events = events.replace("    unread,\n", f"    unread, {_COLUMNS},\n")
    raw = f"WITH bronze AS (\nSELECT *,\n  {_of_raw(column)}\nFROM (\n{bronze}\n)\n)"
    return f"{raw},\n{timed},\n{events},\n{queries.text('contents')}"


def _of_raw(column: Column) -> str:
    """Return the expressions of `_COLUMNS` over the columns of `bronze`."""
    is_text = column == "text"
    return ",\n  ".join(
        [
            "CASE WHEN NOT elsewhere AND location <> trim(location) THEN location END AS spelling",
            f"{odd_values.odd_time('ts') if is_text else 'FALSE'} AS odd_time",
            f"{odd_values.odd_order('order_id')} AS odd_order",
            f"{times.is_not_plain() if is_text else 'FALSE'} AS not_plain",
        ]
    )
