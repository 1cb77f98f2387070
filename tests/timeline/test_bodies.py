"""Numbers that no kitchen has: they count as not recorded, the order is flagged, and SQL counts as the timeline does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.raw_orders import DAY, WHOLE, rows_of, timeline_of
from twin.analysis.lifecycle import lifecycle
from twin.sources.files import FileSource
from twin.views.order.order import UNKNOWN, story_of


def item(**changes: Any) -> list[dict[str, Any]]:
    return [{"brand_id": "7", "name": "Pho", "price": 10.0, "qty": 2, **changes}]


@pytest.mark.parametrize("eta", [1e308, -1e308, 1e30, 1440.5, -1.0, "inf", "-inf", "nan"])
def test_promised_minutes_beyond_a_day_are_not_recorded(tmp_path: Path, eta: Any) -> None:
    timeline = timeline_of(tmp_path, rows_of("a", WHOLE, eta=eta), rows_of("b", WHOLE, eta=1440.0))
    a, b = (timeline.orders.row_of[name] for name in "ab")
    assert timeline.orders.eta_mins[[a, b]].tolist() == pytest.approx([np.nan, 1440.0], nan_ok=True)
    assert timeline.data_quality.flagged["odd number"] == 1
    facts = {
        fact["label"]: fact["value"] for fact in story_of(timeline, lifecycle(timeline, a), 1800.0, 300.0)["facts"]
    }
    assert facts["Promised"] == UNKNOWN


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "revenue", "odd"),
    [
        ({"qty": 1e308}, 10.0, 1),
        ({"qty": -1}, 10.0, 1),
        ({"qty": "nan"}, 10.0, 1),
        ({"qty": 10_000}, 100_000.0, 0),
        ({"price": -1e308}, 0.0, 1),
        ({"price": 100_001}, 0.0, 1),
        ({"price": "-inf"}, 0.0, 1),
        ({"price": -2.5}, -5.0, 0),
        ({"price": None}, 0.0, 0),
        ({"qty": None}, 10.0, 0),
        ({"price": {}, "qty": []}, 0.0, 0),
    ],
)
def test_quantities_and_prices_that_no_kitchen_has(
    tmp_path: Path, changes: dict[str, Any], revenue: float, odd: int
) -> None:
    timeline = timeline_of(tmp_path, rows_of("a", WHOLE, items=item(**changes)), rows_of("b", WHOLE, items=item()))
    a, b = (timeline.orders.row_of[name] for name in "ab")
    assert timeline.orders.revenue[[a, b]].tolist() == [revenue, 20.0]
    assert timeline.data_quality.flagged.get("odd number", 0) == odd
    bounds: dict[str, Any] = {"location": "sf", "from_ts": DAY, "to_ts": DAY + 86_400}
    (total,) = FileSource(tmp_path / "events.jsonl").query("totals", **bounds).to_pylist()
    assert total["revenue"] == revenue + 20.0
