"""History rows against the raw rows of the same range, counted the slow way."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.sources.test_files import ROWS, write_csv
from twin.foundation.errors import UnknownLocationError
from twin.foundation.times import seconds
from twin.sources import queries
from twin.sources.files import FileSource
from twin.sources.queries import json_bodies

TYPE_OF = {
    "created": "order_created",
    "started": "gk_started",
    "finished": "gk_finished",
    "ready": "gk_ready",
    "arrived": "driver_arrived",
    "picked_up": "driver_picked_up",
    "pinged": "driver_ping",
    "delivered": "delivered",
    "cancelled": "order_cancelled",
}


def test_a_row_per_order_holds_the_first_time_of_each_milestone(demo: Path) -> None:
    source = FileSource(demo)
    start, end = seconds("2025-10-17 11:00"), seconds("2025-10-17 13:00")
    expected: dict[str, dict[str, object]] = {}
    for row in source.window("chicago", start, end + 4 * 3600).to_pylist():
        order = expected.setdefault(row["order_id"], dict.fromkeys((*TYPE_OF, "first")))
        named = [name for name, kind in TYPE_OF.items() if kind == row["event_type"]]
        for name in ("first", *named):
            order[name] = row["ts"] if order[name] is None else min(order[name], row["ts"])

    first, last = (datetime.fromtimestamp(t, UTC).replace(tzinfo=None) for t in (start, end))
    began = {order: row["created"] or row["first"] for order, row in expected.items()}
    expected = {order: row for order, row in expected.items() if first <= began[order] < last}

    rows = source.history("chicago", start, end).to_pylist()

    def sortable(row: dict[str, object]) -> str:
        return repr(sorted(row.items()))

    assert len(rows) > 50
    assert sorted(rows, key=sortable) == sorted(expected.values(), key=sortable)


def test_a_repeated_row_changes_nothing_and_a_rejected_one_does_not_count(tmp_path: Path) -> None:
    broken = {**ROWS[2], "order_id": "B", "ts": "never"}
    once = FileSource(write_csv(tmp_path / "once.csv", ROWS))
    dirty = FileSource(write_csv(tmp_path / "dirty.csv", [*ROWS, ROWS[1], broken]))
    whole = (seconds("2025-10-13"), seconds("2025-10-14"))

    assert dirty.history("sf", *whole).to_pylist() == once.history("sf", *whole).to_pylist()


def test_the_range_is_half_open(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "events.csv", ROWS))
    created, started = seconds(ROWS[0]["ts"]), seconds(ROWS[1]["ts"])

    (row,) = source.history("sf", created, started).to_pylist()

    assert (row["created"].isoformat(" "), row["delivered"].isoformat(" ")) == (ROWS[0]["ts"], ROWS[2]["ts"])
    assert len(source.history("sf", created - 60, created)) == 0
    assert len(source.history("sf", started, started + 3600)) == 0, "it belongs to the range in which it began"


def test_an_unknown_location_is_refused(tmp_path: Path) -> None:
    source = FileSource(write_csv(tmp_path / "events.csv", ROWS))
    with pytest.raises(UnknownLocationError, match="sf"):
        source.history("atlantis", 0.0, 1.0)


def test_the_query_for_a_warehouse_begins_with_the_one_decoding() -> None:
    text = queries.databricks("history", "SELECT * FROM all_events")
    assert text.startswith("WITH bronze AS")
    assert queries.text("events").replace(json_bodies.CALL, json_bodies.DATABRICKS) in text
    assert all(f":{name}" in text for name in ("location", "from_ts", "to_ts"))
    assert np.all([f"AS {name}" in text for name in TYPE_OF])
