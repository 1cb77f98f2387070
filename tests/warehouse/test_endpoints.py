"""The API over HTTP, and what a page asks: through a warehouse as from files, in few statements and within seconds."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bokeh.models.widgets import Div

import twin
from tests.api.serving import fetch, served
from tests.warehouse.conftest import add_orders, tables
from tests.warehouse.double import Warehouse
from twin import api
from twin.api.endpoints import BASE, ENDPOINTS
from twin.api.ledger import long_answer
from twin.foundation.times import text
from twin.notebook.door import Twin
from twin.server.process import process
from twin.sources.base import Window

pytestmark = pytest.mark.slow

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]
Demos = Callable[[str], Path]

OPENING = 4
"""Statements: the columns, the table's version, how the first rows write their times, and all that is learnt of the table."""
LONGEST_DAY_S = 86_400.0
PLACE = "chicago"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(lambda doc: doc.add_root(Div(text="page")), extra_patterns=list(api.ROUTES)) as address:
        yield address


@pytest.fixture(autouse=True)
def _own_source() -> Iterator[None]:
    yield
    process.use(None)


def addresses(source: Twin) -> list[str]:
    """Every endpoint of every kitchen, in its middle hours, and what is refused."""
    found = ["/locations", "/orders/nobody", "/locations/nowhere/brands"]
    for place in source.locations:
        middle = (place.start + place.end) / 2
        start, end = (text(middle + hours * 3600).replace(" ", "T") + "Z" for hours in (-8, 8))
        order = source.timeline(place.id).orders.ids[7].as_py()
        part, own = f"start={start}&end={end}", f"/locations/{place.id}"
        found += [
            f"/orders/{order}", f"{own}/kitchen-status?at_time={end}", f"{own}/data-quality", f"{own}/events?{part}&limit=100",
            f"{own}/time-range?{part}&granularity=hour", f"{own}/brands?{part}", f"{own}/moments?{part}",
            f"{own}/ledger?{part}&by=hour",
        ]  # fmt: skip
    found.append(f"/network?at_time={end}")  # of all kitchens
    kinds = {endpoint.path.rpartition("/")[2] for endpoint in ENDPOINTS if "{order_id}" not in endpoint.path}
    assert kinds <= {address.partition("?")[0].rpartition("/")[2] for address in found}, "an endpoint is left out"
    return found


def like(first: Any, second: Any) -> bool:
    """Equal, numbers to nine digits: sums run in another order."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(like(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(like(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, float) or isinstance(second, float):
        return bool(first == pytest.approx(second, rel=1e-9, abs=1e-9))
    return bool(first == second)


@pytest.mark.parametrize("form", ["2025", "2026"])
def test_every_endpoint_answers_as_it_does_from_files(
    form: str, server: str, demos: Demos, warehouse_of: Start, lakehouse: Open
) -> None:
    folder = demos(form)
    warehouse_of(tables(folder, form))
    direct, through = twin.open(folder), lakehouse()

    def answers_of(source: Twin) -> dict[str, tuple[int, Any]]:
        process.use(source)
        answers = {address: fetch(server + BASE + address) for address in asked}
        return {address: (answer.status, json.loads(answer.body)) for address, answer in answers.items()}

    asked = addresses(direct)
    files, warehouse = answers_of(direct), answers_of(through)
    for address, (status, body) in files.items():
        assert warehouse[address][0] == status, address
        for answer in (body, warehouse[address][1]):
            for own in ("request_id", "requestId", "instance"):  # of problems: each its own
                answer.pop(own, None)
        assert like(body, warehouse[address][1]), address
    assert {status for status, _ in files.values()} == {200, 404}


def test_a_page_costs_few_statements(demos: Demos, warehouse_of: Start, lakehouse: Open) -> None:
    warehouse = warehouse_of(tables(demos("2025"), "2025"))
    through = lakehouse()
    assert len(warehouse.statements) == OPENING
    place = through.locations[0]
    line = through.timeline(place.id, place.end - LONGEST_DAY_S, place.end)
    assert len(warehouse.statements) <= OPENING + 4, "three days that the window touches, and the names of brands"
    through.streets(place.id)
    through.insights(line)
    shown = len(warehouse.statements)
    assert shown <= OPENING + 7, "besides, the routes of the base map and what is usual"
    for hour in range(24):
        line.at(place.end - hour * 3600)
    assert through.timeline(place.id, place.end - LONGEST_DAY_S, place.end) is line
    assert len(warehouse.statements) == shown, "playing and a second visitor ask nothing"


DOCUMENT = Path(__file__).parents[2] / "docs" / "databricks.md"
COUNTED = re.compile(r"^\| (?P<what>[^|]+) \| (?P<statements>[\d,]+) \| (?P<rows>[\d,]+) \|", re.MULTILINE)


def documented() -> dict[str, tuple[int, int]]:
    """Statements and rows by what is done, from the table in the documentation."""
    part = DOCUMENT.read_text("utf-8").partition("### Statements and rows")[2].partition("\n#")[0]
    return {
        row["what"].strip(): (int(row["statements"].replace(",", "")), int(row["rows"].replace(",", "")))
        for row in COUNTED.finditer(part)
    }


def test_statements_and_rows_are_those_of_the_documentation(
    demos: Demos, warehouse_of: Start, lakehouse: Open, server: str
) -> None:
    warehouse = warehouse_of(tables(demos("2025"), "2025"))
    for days in (2, 4, 6):
        add_orders(warehouse, PLACE, 24 * days, "AND length(order_id) = 32")
    found: dict[str, tuple[int, int]] = {}

    def count(what: str, do: Callable[[], object]) -> None:
        before = len(warehouse.statements)
        do()
        asked = warehouse.statements[before:]
        found[what] = len(asked), sum(statement.rows for statement in asked)

    def show(start: float, end: float) -> None:
        through.insights(through.timeline(PLACE, start, end))
        through.streets(PLACE)

    def ten_minutes_later() -> None:
        through.source.as_of = 0.0
        through._freshen()  # what `freshen` does in a thread of its own
        through.insights(through.timeline(PLACE))

    count("Opening, for the first time", lakehouse)
    count("Opening again on this machine", lakehouse)
    through = lakehouse()
    end = through.location(PLACE).end
    count("A kitchen's day", lambda: show(end - LONGEST_DAY_S, end))
    count("The week around it", lambda: show(end - 7 * LONGEST_DAY_S, end))
    process.use(through)
    place = through.location(PLACE)
    order = through.timeline(PLACE).orders.ids[7].as_py()
    count("An order by its id", lambda: fetch(f"{server}{BASE}/orders/{order}"))
    count("A mistyped id", lambda: fetch(f"{server}{BASE}/orders/{order[:-1]}_"))
    count("The orders of all kitchens of a day", lambda: through.orders(end - LONGEST_DAY_S, end))
    months = Window(end - 62 * LONGEST_DAY_S, end)
    count("Two months of the delay ledger by brand", lambda: long_answer(through, place, months, "brand", None))
    through.insights(through.timeline(PLACE))
    count("Ten minutes of a wall screen, nothing new", ten_minutes_later)
    add_orders(warehouse, PLACE, 24 * 8, "AND length(order_id) = 32")
    count("Ten minutes of a wall screen, new orders", ten_minutes_later)
    counted = "\n".join(f"| {what} | {statements:,} | {rows:,} |" for what, (statements, rows) in found.items())
    assert found == documented(), f"now it is\n{counted}"
