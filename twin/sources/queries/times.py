"""How the times of rows are read: the SQL before events.sql, for a column that holds times and for one that holds texts.

Everything is decided per source, not per row: 04/05/2025 in one row means what it means in all. `Reading` is what is decided;
a source reads with one, looks at what that left (`times.sql`, `unread_times.sql`) and reads again if the look says more
(twin/sources/kind_of_times.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from twin.foundation.settings import Dates
from twin.sources.base import Times

Column = Literal["text", "naive", "instants"]

_MINUTES = {
    **dict.fromkeys(("Z", "UTC", "UT", "GMT", "Z[UTC]", "ETC/UTC", "ETC/GMT"), 0),
    "EST": -300, "EDT": -240, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
    "AKST": -540, "AKDT": -480, "HST": -600, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180,
    "MSK": 180, "SAST": 120, "PKT": 300, "WIB": 420, "HKT": 480, "AWST": 480, "JST": 540, "KST": 540, "ACST": 570,
    "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
}  # fmt: skip
"""Minutes from UTC of the abbreviations that stand for one offset in practice. CST (Chicago, Shanghai, Havana), IST, BST and AST
do not, so they are not here."""

_FORM = (
    r"^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})"
    r"(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)?"
    r" *([A-Za-z\[(+-].*)?$"
)
"""A day, perhaps a time of day with AM or PM, perhaps a zone. A locale may write no-break spaces before AM."""

_PLAIN_WAREHOUSE = (
    r"CASE WHEN ts RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?$' "
    "THEN try_cast(ts AS TIMESTAMP_NTZ) END"
)
"""Such a text begins with the day of its time: 24:00, which means the next one, is left to the general rules."""
_PLAIN_DUCKDB = (
    "CASE WHEN ts[-1] BETWEEN '0' AND '9' AND NOT contains(ts, '+') AND NOT ts LIKE '%:%-%' "
    "THEN TRY_CAST(ts AS TIMESTAMP) END"
)
"""Texts without a zone, told apart by three cheap looks, because a regular expression takes longer than the cast itself: they
end with a digit, and have no plus and no minus behind a colon. The rest is for the general rules."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the times of a source are read.

    `times` and `dates` are the settings, None where nothing is set; `dates` may also have been found. `aside` is the kind of
    time whose rows are set aside, because most rows have the other. `zones` are the names of zones that the texts have.
    With `only_plain` only plain texts are read, and `unread` has every other one: all that the rules for the rest take is a
    quarter of the decoding, even if there is no such text.
    """

    times: Times | None = None
    dates: Dates | None = None
    aside: Times | None = None
    zones: tuple[str, ...] = ()
    only_plain: bool = False


DATE_ORDERS: Mapping[Dates | None, str] = {
    None: "CAST(NULL AS STRING)",
    "day-first": "concat(third, '-', second, '-', first)",
    "month-first": "concat(third, '-', first, '-', second)",
}
"""The SQL of a date in ISO's order, from its three parts in the order that is written."""


def timed(
    column: Column, reading: Reading, plain: str = _PLAIN_WAREHOUSE, marks: Mapping[str, str] | None = None
) -> str:
    """Return the relations up to `timed` over `bronze`, in Databricks SQL; `column` is what its `ts` holds.

    `marks` has other SQL for some of what timed.sql leaves open, where more than one reading has to be in the text.
    """
    if column != "text":
        form = f"{'other ' if reading.aside == column else ''}{column.removesuffix('s')}"
        return (
            "timed AS (\n  SELECT event_type, location, order_id, sequence, body, CAST(ts AS TIMESTAMP_NTZ) AS ts,\n"
            f"    '{form}' AS form, CAST(NULL AS STRING) AS unread\n  FROM bronze\n)"
        )
    if reading.only_plain:
        return (
            "quick AS (\n  SELECT event_type, location, order_id, sequence, body, ts, plain_time(ts) AS plain FROM bronze\n),\n"
            "timed AS (\n  SELECT event_type, location, order_id, sequence, body, plain AS ts, 'naive' AS form,\n"
            "    CASE WHEN plain IS NULL THEN ts END AS unread\n  FROM quick\n)"
        ).replace("plain_time(ts)", plain)
    filled = {
        "plain_time(ts)": plain,
        "in_order()": DATE_ORDERS[reading.dates],
        "has_named_zone()": f"zone IN ({_names(reading.zones)})" if reading.zones else "FALSE",
        "in_named_zone()": _in_named_zone(reading.zones),
        "as_written()": "TRUE" if reading.times == "naive" else "FALSE",
        "other_kind()": (reading.aside or "none").removesuffix("s"),
    } | dict(marks or {})
    text = _template()
    for mark, sql in filled.items():
        text = text.replace(mark, sql)
    return text


def timed_for_duckdb(column: Column, reading: Reading) -> str:
    """Return the same with the look at plain texts that is cheap in DuckDB, still in Databricks SQL otherwise."""
    return timed(column, reading, "plain_time(ts)")


def not_plain(bronze: str) -> str:
    """Return the rows of `bronze` (Databricks SQL) whose texts are not plain."""
    return f"SELECT * FROM (\n{bronze}\n)\nWHERE {is_not_plain()}"


def is_not_plain() -> str:
    """Return the condition whether `ts`, a column with texts, holds one that is not plain."""
    return f"ts IS NOT NULL AND {_PLAIN_WAREHOUSE} IS NULL"


def in_duckdb(sql: str) -> str:
    """Replace what `timed_for_duckdb` left, in SQL that has been transpiled."""
    return sql.replace("PLAIN_TIME(ts)", _PLAIN_DUCKDB)


@cache
def _template() -> str:
    text = Path(__file__).with_name("timed.sql").read_text("utf-8")
    abbreviations = "\n".join(f"        WHEN '{name}' THEN {minutes}" for name, minutes in _MINUTES.items())
    return text.replace("@FORM", _FORM).replace("@ABBREVIATIONS", abbreviations)


def _in_named_zone(zones: tuple[str, ...]) -> str:
    """Return the time `clock` of the zone `zone` in UTC. `zones` are names that both engines have.

    Of an hour that comes twice the first is meant, as in Java; DuckDB means the second.
    """
    if not zones:
        return "CAST(NULL AS TIMESTAMP_NTZ)"
    cases = []
    for name in zones:
        utc = f"convert_timezone('{name}', 'UTC', clock)"
        earlier = f"timestampadd(HOUR, -1, ({utc}))"  # in DuckDB, AT TIME ZONE binds less than +
        cases.append(
            f"WHEN zone IN ({_names((name,))}) THEN "
            f"CASE WHEN convert_timezone('UTC', '{name}', {earlier}) = clock THEN {earlier} ELSE {utc} END"
        )
    return f"CASE {' '.join(cases)} END"


def _names(zones: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}', '[{name}]'" for name in zones)
