"""What the product asks of a lakehouse, on a year of 3, 30 and 300 kitchens: a million, ten and a hundred million events.

Spark and DuckDB run the very statements that a warehouse gets. For each purpose: rows read, bytes returned and time by size, and
the exponents of their growth with the number of kitchens. The largest year is opened as one kitchen's and then asked as a whole,
because opening decodes every row. The same is asked of the tables that the pipeline makes of it.
SCALE_ENGINES=duckdb leaves Spark out, SCALE_KITCHENS="3 30" the largest year.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from benchmarks.engines import CATALOG, EVENTS, DuckDB, Engine, Spark, Statement
from benchmarks.table import Row, exponent
from benchmarks.years import pipeline_tables, year
from twin.api import answers
from twin.api.parameters import OneOrder
from twin.foundation.errors import UnknownOrderError
from twin.foundation.settings import Settings
from twin.foundation.times import DAY
from twin.hub import Hub
from twin.sources.databricks import DatabricksSource
from twin.timeline.timeline import Timeline

KITCHENS: dict[str, Sequence[int]] = {
    "files by kitchen": (3, 30, 300),
    "files by arrival": (3, 30),
    "tables of the pipeline": (3, 30),
}
"""How the rows lie, and the sizes of the years."""
OPENED_UP_TO = 30
"""Kitchens up to which the source is opened over all of them."""
KITCHEN = "kitchen-001"
FLAT = 0.1
"""Exponent allowed for what concerns one kitchen: it must not grow with the number of others."""
OF_ALL = {"opening", "what is new", "an order by id", "a mistyped id"}
"""What concerns all kitchens, and may grow with them."""
LEAST = {"rows_read": 1.0, "bytes_returned": 1.0, "seconds": 0.001}
"""What figures count at least where their logarithms are taken."""
ENGINES: dict[str, Callable[[], Engine]] = {"duckdb": DuckDB, "spark": Spark}


@dataclass(frozen=True, slots=True)
class Asked:
    """The statements of one purpose on so many events."""

    events: int
    statements: list[Statement]

    def total(self, what: str, name: str = "") -> float:
        """Return the sum of a figure over the statements, or over those of a name."""
        return float(sum(getattr(one, what) for one in self.statements if name in ("", one.name)))


def measure(quick: bool) -> list[Row]:
    """Return a row per engine, layout of the files and purpose."""
    rows = []
    for name in os.environ.get("SCALE_ENGINES", "duckdb spark").split():
        engine = ENGINES[name]()
        wanted = [int(one) for one in os.environ.get("SCALE_KITCHENS", "3 30 300").split()]
        for layout, sizes in KITCHENS.items():
            found: defaultdict[str, list[Asked]] = defaultdict(list)
            for kitchens in [one for one in sizes if one in wanted][: 1 if quick else None]:
                print(f"  {name}, {kitchens} kitchens, {layout} …", file=sys.stderr, flush=True)
                for purpose, asked in _asked(name, engine, kitchens, layout):
                    found[purpose].append(asked)
            rows += [_row(f"{name}, {layout}: {purpose}", purpose, each) for purpose, each in found.items()]
    return rows


def _asked(name: str, engine: Engine, kitchens: int, layout: str) -> list[tuple[str, Asked]]:
    """Return what each purpose asked of a year of so many kitchens."""
    files = sorted(year(kitchens, "arrival" if layout == "files by arrival" else "kitchen").glob("*.parquet"))
    tables = {EVENTS: files} | (pipeline_tables(kitchens) if layout == "tables of the pipeline" else {})
    whole = kitchens <= OPENED_UP_TO
    engine.hold(tables if whole else {EVENTS: [file for file in files if file.stem.endswith(KITCHEN[-4:])]})
    engine.statements.clear()
    settings = replace(Settings(), catalog=CATALOG[name], warehouse_path="/none", cache_bytes=0)
    with mock.patch("twin.sources.databricks.Warehouse", return_value=engine):
        source = DatabricksSource("databricks", settings)
    opening = list(engine.statements)
    engine.hold(tables)
    events = source._rows_now() or 0
    found = [("opening", Asked(events, opening))] if whole else []
    for purpose, ask in _purposes(source).items():
        if purpose == "a mistyped id" and not whole:
            continue  # how far it looks depends on the orders that opening has counted
        engine.statements.clear()
        ask()
        found.append((purpose, Asked(events, list(engine.statements))))
    return found


def _purposes(source: DatabricksSource) -> dict[str, Callable[[], object]]:
    """Return how each purpose asks: what a page, a screen or the API asks of one kitchen, and what is asked of all."""
    place = next(one for one in source.locations() if one.id == KITCHEN)
    end = (place.end - 1) // DAY * DAY
    day: dict[str, Any] = {"location": KITCHEN, "from_ts": end - DAY, "to_ts": end}
    page: dict[str, Any] = {**day, "types": "", "order_id": "", "most": 100}
    order = source.query("event_page", **page)["order_id"][0].as_py()
    hub = Hub(source)
    figures: dict[str, dict[str, Any]] = {"totals": {}, "brands": {}, "buckets": {"granularity": "hour"}}
    return {
        "what is new": source.refresh,
        "a kitchen's day": lambda: Timeline.load(source, KITCHEN, end - DAY, end),
        "a kitchen's week": lambda: Timeline.load(source, KITCHEN, end - 7 * DAY, end),
        "28 days of history": lambda: source.history(KITCHEN, end - 28 * DAY, end),
        "routes for the base map": lambda: source.routes(KITCHEN, 20_000),
        "a day's figures (API)": lambda: [source.query(name, **day, **more) for name, more in figures.items()],
        "a page of events": lambda: source.query("event_page", **page),
        "capacity": lambda: source.query("capacity", location=KITCHEN),
        "an order by id": lambda: answers.order(hub, order, OneOrder()),
        "a mistyped id": lambda: _refused(lambda: answers.order(hub, order[:-1], OneOrder())),
    }


def _refused(ask: Callable[[], object]) -> None:
    with suppress(UnknownOrderError):
        ask()


def _row(what: str, purpose: str, asked: Sequence[Asked]) -> Row:
    """Return the row of one purpose: exponents, figures by size, and which of its statements read more as kitchens are added."""

    def growth(figure: str, name: str = "") -> float:
        return exponent([one.events for one in asked], [max(one.total(figure, name), LEAST[figure]) for one in asked])

    points = "; ".join(
        f"{one.events / 1e6:,.1f} M events: {len(one.statements)} statements, {one.total('rows_read'):,.0f} rows read, "
        f"{one.total('bytes_returned') / 1e3:,.0f} kB returned, {one.total('seconds'):.2f} s"
        for one in asked
    )
    if len(asked) == 1:
        return Row(what, "", points)
    read = growth("rows_read")
    names = dict.fromkeys(statement.name for one in asked for statement in one.statements)
    growing = [f"{name} {power:.2f}" for name in names if (power := growth("rows_read", name)) > FLAT]
    goal = "" if purpose in OF_ALL else f"rows read: exponent ≤ {FLAT:g}"
    return Row(
        what, goal,
        f"exponents: rows read {read:.2f}, bytes returned {growth('bytes_returned'):.2f}, time {growth('seconds'):.2f}; {points}"
        + (f"; growing: {', '.join(growing)}" if growing else ""),
        read <= FLAT if goal else None, read,
    )  # fmt: skip
