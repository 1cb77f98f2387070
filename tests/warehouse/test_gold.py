"""The pipeline's own count of orders, beside ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.warehouse.conftest import tables
from tests.warehouse.double import Warehouse
from twin.cli import main
from twin.notebook.door import Twin

Start = Callable[..., Warehouse]
Open = Callable[..., Twin]


@pytest.mark.parametrize(("form", "place"), [("2025", "location"), ("2026", "location_id")])
def test_check_tells_where_the_gold_table_counts_otherwise(
    form: str,
    place: str,
    demos: Callable[[str], Path],
    warehouse_of: Start,
    lakehouse: Open,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held = tables(demos(form))
    used = (
        f"SELECT DISTINCT trim(order_id) AS order_id, trim({place}) AS {place}, 9.5 AS order_revenue "
        f"FROM ({held['lakeflow.all_events']}) WHERE trim(order_id) NOT LIKE '%7' "
        f"AND nullif(trim(order_id), '') IS NOT NULL AND nullif(trim({place}), '') IS NOT NULL"
    )
    warehouse_of({**held, "lakeflow.gold_order_header": used})
    source = lakehouse()
    mine, gold = {one.id: one.orders for one in source.locations}, source.source.gold()
    assert gold.keys() == mine.keys()
    assert main(["check", "databricks"]) == 0
    lines = capsys.readouterr().out.partition("gold_order_header:")[2].splitlines()[1:]
    assert len(lines) == len(mine)
    for line in lines:
        name = line.split()[0]
        difference = mine[name] - gold[name]
        want = "the same" if not difference else f"{abs(difference):,} {'more' if difference > 0 else 'fewer'} here"
        assert f"{mine[name]:,}" in line
        assert line.endswith(want)


def test_without_a_gold_table_nothing_is_compared(
    demos: Callable[[str], Path], warehouse_of: Start, lakehouse: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse_of(tables(demos("2025")))
    assert lakehouse().source.gold() == {}
    assert main(["check", "databricks"]) == 0
    assert "gold" not in capsys.readouterr().out
