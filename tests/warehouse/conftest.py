"""Warehouses that hold what files hold, in the shapes that the real ones have."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.warehouse.double import Warehouse, filled, running
from twin.foundation.settings import Settings
from twin.notebook.door import Twin
from twin.notebook.door import open as open_twin
from twin.simulator import write_demo

FORMS = ("2025", "2026", "typed")
"""Both generations of the schema with everything as text, as Auto Loader leaves it, and one whose table has types."""
TABLE = "caspers.lakeflow.all_events"
DIMENSIONS = ("brands", "menus", "categories", "items", "locations")


def tables(folder: Path, form: str = "") -> dict[str, Path | str]:
    """Return the lakehouse's tables from a demo's files."""
    kinds = "*" if form == "typed" else "COLUMNS(*)::VARCHAR"
    events = f"SELECT {kinds} FROM read_parquet('{folder}/events_*.parquet', union_by_name=true)"
    if form == "typed":
        events = (
            "SELECT * REPLACE (try_cast(ts AS TIMESTAMP) AS ts, try_cast(sequence AS INTEGER) AS sequence) "
            f"FROM ({events})"
        )
    found = {f"simulator.{name}": folder / f"{name}.parquet" for name in DIMENSIONS}
    return {"lakeflow.all_events": events, **{name: path for name, path in found.items() if path.exists()}}


def add_orders(warehouse: Warehouse, place: str, hours: float, like: str = "") -> None:
    """Let the orders of a place (those that `like` says) come in once more, so much later."""
    moved = f"strftime(ts::TIMESTAMP + to_seconds({hours * 3600}), '%Y-%m-%d %H:%M:%S.%f')"
    warehouse.connection.execute(
        f"INSERT INTO {TABLE} SELECT * REPLACE (order_id || '-{hours:g}' AS order_id, {moved} AS ts) FROM {TABLE} "
        f"WHERE location = '{place}' AND try_cast(ts AS TIMESTAMP) IS NOT NULL AND order_id IS NOT NULL {like}"
    )


@pytest.fixture(scope="session")
def demos(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Callable[[str], Path]:
    """A demo of two days by its form, made once."""

    def demo(form: str) -> Path:
        generation = "2026" if form == "2026" else "2025"
        return made_once(
            f"demo-{generation}",
            lambda folder: write_demo(folder, days=2, scale=0.2, seed=11, generation=generation, dq=0.01),
        )

    return demo


@pytest.fixture
def warehouse_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    """Run a warehouse over tables, and let the environment name it."""
    with ExitStack() as stack:

        def start(held: dict[str, Path | str]) -> Warehouse:
            warehouse = stack.enter_context(running(filled(held)))
            for name, value in warehouse.environment(TWIN_CACHE=str(tmp_path / "cache")).items():
                monkeypatch.setenv(name, value)
            return warehouse

        yield start


@pytest.fixture
def lakehouse() -> Iterator[Callable[[], Twin]]:
    """Open the source `databricks`; its connections are closed afterwards."""
    opened: list[Twin] = []

    def open_source(name: str = "databricks", settings: Settings | None = None) -> Twin:
        opened.append(open_twin(name, settings=settings))
        return opened[-1]

    yield open_source
    for one in opened:
        one.source.close()  # type: ignore[attr-defined]
