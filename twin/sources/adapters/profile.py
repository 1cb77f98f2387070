"""What a file's columns hold: kinds, samples, how times are written. DuckDB looks at all rows, as text, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from twin.foundation.errors import SourceError
from twin.sources.adapters import forms, names
from twin.sources.adapters.forms import Form
from twin.sources.adapters.sql import literal, text
from twin.sources.database import Database

MOST_COLUMNS = 200
"""Columns that are looked at; a file of orders has some thirty."""
SAMPLES = 5
"""Values of a column that are shown."""
TRIED = 200
"""Distinct values of a column from which the forms of its times are found; all values then decide between them."""
NEARLY_ALL = 0.98
"""Share of a column's values that must fit a kind: real columns have a few odd ones."""

Kind = Literal["time", "time of day", "date", "count", "number", "text", "path", "empty"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `filled`, `distinct` (about) and `numbers` are counts of rows; `low`, `high` the limits of its numbers.

    Of times, `format` is a mapping's format; `alternatives` are the formats that fit all values equally, which a person must
    choose from; `odd` is the number of values that are not written like that.
    """

    name: str
    kind: Kind
    filled: int
    distinct: int
    samples: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    whole: bool = False
    """All numbers are whole."""
    format: str = ""
    alternatives: tuple[Form, ...] = ()
    odd: int = 0
    has_year: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """The columns of a table, and how many rows it has."""

    rows: int
    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def of_kind(self, *kinds: Kind) -> list[Column]:
        """Return the columns of some kinds, in the order of the file."""
        return [column for column in self.columns if column.kind in kinds]


def profile(
    database: Database, table: str, columns: Sequence[str], types: Mapping[str, str], whole: str = ""
) -> Profile:
    """Return what the columns of a DuckDB table hold; `types` are Arrow's where the file says them. Raises `SourceError`.

    `whole` is what to read where the table's rows leave open whether day or month comes first: all rows, if it has not all.
    """
    if not columns:
        raise SourceError(f"{database.name} has no columns to adapt.")
    chosen = list(columns[:MOST_COLUMNS])
    parts = []
    for number in range(len(chosen)):
        value = f"c{number}"
        parts.append(
            f"count({value}), approx_count_distinct({value}), "
            f"count(n{number}), min(n{number}), max(n{number}), coalesce(bool_and(n{number} = floor(n{number})), false), "
            f"count(CASE WHEN regexp_matches({value}, '^\\s*\\d{{4}}[-/]\\d') THEN try_cast({value} AS TIMESTAMP) END), "
            f"count(CASE WHEN regexp_matches({value}, '^\\s*\\d{{4}}[-/]\\d{{1,2}}[-/]\\d{{1,2}}\\s*$') THEN 1 END), "
            f"count(CASE WHEN starts_with({value}, '[[') THEN 1 END)"
        )
    per = 9
    texts = ", ".join(f"{text(name)} AS c{number}" for number, name in enumerate(chosen))
    finite = ", ".join(
        f"CASE WHEN isfinite(try_cast(c{number} AS DOUBLE)) THEN try_cast(c{number} AS DOUBLE) END AS n{number}"
        for number in range(len(chosen))
    )
    ((rows, *values),) = database.rows(
        f"SELECT count(*), {', '.join(parts)} FROM (SELECT *, {finite} FROM (SELECT {texts} FROM {table}))"
    )
    found = []
    for number, name in enumerate(chosen):
        found.append(
            _column(database, table, name, types.get(name, ""), tuple(values[number * per : (number + 1) * per]), whole)
        )
    return Profile(int(rows), tuple(found))


def _column(database: Database, table: str, name: str, arrow: str, counts: tuple[Any, ...], everything: str) -> Column:
    filled, distinct, numbers, low, high, whole, iso, iso_days, paths = counts
    samples = _samples(database, table, name)

    def column(kind: Kind, **more: Any) -> Column:
        limits = {"low": low, "high": high, "whole": bool(whole)} if numbers >= NEARLY_ALL * filled else {}
        return Column(name, kind, filled, distinct, samples[:SAMPLES], **{**limits, **more})

    if not filled:
        return column("empty")
    if arrow.startswith("timestamp") or iso >= NEARLY_ALL * filled:
        only_days = iso_days >= NEARLY_ALL * filled or arrow.startswith("date")
        return column(
            "date" if only_days else "time", format="%Y-%m-%d" if only_days else "iso", odd=filled - max(iso, numbers)
        )
    if paths >= NEARLY_ALL * filled:
        return column("path")
    if numbers >= NEARLY_ALL * filled:
        if unit := _epoch(database, table, name):
            return column("time", format=unit)
        return column("number")
    if tried := forms.candidates(samples):
        return _written(database, table, name, tried, column("text"), everything)
    return column("text")


def _samples(database: Database, table: str, name: str) -> tuple[str, ...]:
    """Return some of the column's values, as they are written, from all over the table."""
    rows = database.rows(
        f"SELECT DISTINCT value FROM (SELECT {text(name)} AS value FROM {table}) WHERE value IS NOT NULL "
        f"ORDER BY hash(value) LIMIT {TRIED}"
    )
    return tuple(str(value)[:200] for (value,) in rows)


def _epoch(database: Database, table: str, name: str) -> str:
    """Return the epoch format of a column of numbers, "" if it has none: those of ids may have as many digits."""
    if (names.words(name) or [""])[-1] in ("id", "key", "number", "no", "phone", "code", "ref", "zip"):
        return ""
    number = f"nullif(try_cast({text(name)} AS DOUBLE), 0)"
    ((low, high),) = database.rows(
        f"SELECT quantile_cont(v, 0.01), quantile_cont(v, 0.99) FROM (SELECT {number} AS v FROM {table})"
    )
    if low is None:
        return ""
    for unit, factor in (("seconds", 1), ("milliseconds", 1e3), ("microseconds", 1e6)):
        if 631_152_000 * factor <= low <= high < 4_102_444_800 * factor:  # 1990 to 2100
            return f"epoch {unit}"
    return ""


def _written(database: Database, table: str, name: str, tried: list[Form], plain: Column, everything: str) -> Column:
    """Return the column as times if nearly all of its values are written in one form."""
    fitting = _fitting(database, table, name, tried)
    best = max(fitting)
    if best < NEARLY_ALL * plain.filled:
        return plain
    form = tried[fitting.index(best)]
    doubt = _doubt(tried, fitting, plain.filled)
    if doubt and everything:  # a later row may decide
        counts = _fitting(database, everything, name, list(doubt))
        form = doubt[counts.index(max(counts))]
        doubt = _doubt(doubt, counts, max(counts))
    kind: Kind = "time of day" if not form.has_day else "time" if form.has_clock else "date"
    return Column(
        name, kind, plain.filled, plain.distinct, plain.samples, format=form.pattern, alternatives=doubt,
        odd=plain.filled - best, has_year=form.has_year,
    )  # fmt: skip


def _fitting(database: Database, table: str, name: str, tried: Sequence[Form]) -> list[int]:
    """Return how many values each form fits."""
    counts = ", ".join(f"count({_read(text(name), form)})" for form in tried)
    return [int(count) for count in database.rows(f"SELECT {counts} FROM {table}")[0]]


def _doubt(tried: Sequence[Form], fitting: Sequence[int], filled: int) -> tuple[Form, ...]:
    """Return the forms between which only a person can choose: those that fit all values, or nearly all where none does."""
    best = max(fitting)
    least = best if best == filled else NEARLY_ALL * filled
    able = [form for form, count in zip(tried, fitting, strict=True) if form.first and count >= least]
    return tuple(able) if len({form.first for form in able}) > 1 else ()


def _read(value: str, form: Form) -> str:
    if form.has_day and not form.has_year:  # a leap year, so that the 29th of February fits
        return f"try_strptime('2024 ' || {value}, {literal('%Y ' + form.pattern)})"
    return f"try_strptime({value}, {literal(form.pattern)})"
