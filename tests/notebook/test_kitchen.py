"""The notebook's tables against the raw files, and against what the timeline says."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.notebook.conftest import DAY
from twin.analysis import long_ledger
from twin.foundation.errors import UnknownLocationError
from twin.notebook import tables
from twin.notebook.door import Twin
from twin.notebook.kitchen import Kitchen


def raw(demo: Path, sql: str) -> list[tuple[object, ...]]:
    return duckdb.sql(sql.replace("EVENTS", f"'{demo}/events_sanfrancisco.parquet'")).fetchall()


def test_a_day_of_orders_is_what_the_files_hold(kitchen: Kitchen, demo: Path) -> None:
    (expected,) = raw(
        demo,
        "select count(distinct order_id) from EVENTS where event_type = 'order_created' and order_id <> '' "
        f"and try_cast(ts as timestamp) >= '{DAY}' and try_cast(ts as timestamp) < timestamp '{DAY}' + interval 1 day",
    )[0]
    created = kitchen.orders["created"].notna()
    assert int(created.sum()) == expected
    assert kitchen.orders.loc[created, "created"].dt.strftime("%Y-%m-%d").unique().tolist() == [DAY]


def test_delivery_minutes_are_the_difference_of_the_two_times(kitchen: Kitchen) -> None:
    orders = kitchen.orders.dropna(subset=["created", "delivered"])
    expected = (orders["delivered"] - orders["created"]).dt.total_seconds() / 60
    np.testing.assert_allclose(orders["delivery_min"], expected, atol=1e-6)
    assert len(orders) > 50


def test_stage_rows_of_an_order_follow_each_other_without_gap(kitchen: Kitchen) -> None:
    order = kitchen.orders.query("status == 'completed'").index[3]
    rows = kitchen.stages.query("order == @order")
    assert rows["stage"].is_monotonic_increasing
    assert (rows["left"].iloc[:-1].to_numpy() == rows["entered"].iloc[1:].to_numpy()).all()
    pd.testing.assert_frame_equal(kitchen.order(order).stages, rows.drop(columns="order").reset_index(drop=True))


def test_a_moment_counts_the_same_orders_as_the_stage_table(kitchen: Kitchen) -> None:
    now = kitchen.at("18:30")
    stages = kitchen.stages
    inside = stages[(stages["entered"] <= now.time) & (stages["left"].isna() | (stages["left"] > now.time))]
    expected = inside.groupby("stage", observed=False).size()
    for stage in ("created", "cooking", "ready", "out_for_delivery"):
        assert now.counts[stage] == expected[stage]
        assert (now.orders["stage"] == stage).sum() == now.counts[stage]
    assert len(now.drivers) == now.counts["out_for_delivery"]


def test_history_is_the_same_as_asking_each_moment(kitchen: Kitchen) -> None:
    history = kitchen.history(3600)
    pd.testing.assert_series_equal(history.loc[f"{DAY} 18:00"], kitchen.at("18:00").kpis, check_names=False)
    assert len(history) == 24


def test_a_time_of_day_must_be_clear(source: Twin) -> None:
    two_days = source.kitchen("sanfrancisco", start=f"{DAY} 12:00", end="2025-10-17 14:00")
    assert two_days.at("18:30").time == pd.Timestamp(f"{DAY} 18:30")
    with pytest.raises(ValueError, match="comes 2 times"):
        two_days.at("13:00")
    with pytest.raises(ValueError, match="no time of day"):
        two_days.at("18:75")


def test_a_range_without_data_and_an_unknown_kitchen_are_said(source: Twin) -> None:
    with pytest.raises(ValueError, match="the data covers"):
        source.kitchen("sanfrancisco", day="2031-01-01")
    with pytest.raises(ValueError, match="either a day"):
        source.kitchen("sanfrancisco", day=DAY, start=DAY)
    with pytest.raises(UnknownLocationError):
        source["atlantis"]


def test_a_notebook_completes_the_kitchens(source: Twin) -> None:
    assert "sanfrancisco" in source._ipython_key_completions_()


def test_what_a_notebook_shows_is_escaped() -> None:
    shown = tables.html("<script>", ["a < b"], pd.DataFrame({"<i>": ["<img src=x>"]}, index=["&"]))
    assert "<script>" not in shown
    assert "<img" not in shown
    assert "<i>" not in shown
    assert "a &lt; b" in shown


def test_all_that_is_rejected_is_listed(kitchen: Kitchen, source: Twin) -> None:
    rejects = kitchen.rejects.query("what == 'set aside'").set_index("reason")["rows"].to_dict()
    assert rejects == dict(source.quality("sanfrancisco").rejected)
    assert sum(rejects.values()) > 0


def test_the_selection_is_the_order_clicked_else_the_section_brushed(source: Twin) -> None:
    kitchen = source.kitchen("sanfrancisco", day=DAY)
    assert len(kitchen.selection) == len(kitchen.orders)
    kitchen.replay.set_range(f"{DAY} 18:00", f"{DAY} 19:00")
    assert kitchen.selection.index.tolist() == kitchen.orders[kitchen.orders["created"].dt.hour == 18].index.tolist()
    kitchen.replay.seek(f"{DAY} 18:30")
    kitchen.replay.selection.filter("cooking")
    cooking = kitchen.at("18:30").orders.query("stage == 'cooking'").index
    created = kitchen.orders.loc[cooking, "created"]
    assert set(kitchen.selection.index) == set(created[created.dt.hour == 18].index)
    kitchen.replay.selection.select(kitchen.orders.index[5])
    assert kitchen.selection.index.tolist() == [kitchen.orders.index[5]]


def test_the_curves_hold_what_the_tables_tell(kitchen: Kitchen) -> None:
    volume = kitchen.volume(3600)
    first = kitchen.orders[["created", "started", "finished", "ready", "arrived", "picked_up", "delivered"]].min(axis=1)
    expected = kitchen.orders["created"].fillna(first).dt.floor("h").value_counts()
    drawn = dict(zip(pd.to_datetime(volume["time"]), volume["orders"], strict=True))
    assert {time: count for time, count in drawn.items() if count} == expected[expected > 0].to_dict()
    assert kitchen.curve("active", 3600)["active"].tolist() == kitchen.history(3600)["active"].tolist()
    with pytest.raises(ValueError, match="no KPI"):
        kitchen.curve("nonsense")


def test_a_range_too_long_to_load_has_the_ledger_of_loaded_orders(
    source: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = source.kitchen("sanfrancisco", day="2025-10-16")
    expected, whole = loaded.ledger, loaded.why().table
    monkeypatch.setattr(long_ledger, "LOADED_DAYS", 0.5)
    long = source.kitchen("sanfrancisco", day="2025-10-16")
    monkeypatch.setattr(source, "timeline", None)  # nothing is loaded
    pd.testing.assert_frame_equal(long.ledger, expected, atol=1e-5)
    pd.testing.assert_frame_equal(long.why().table, whole, atol=1e-5)
    assert (long.start, long.end, long.location) == (loaded.start, loaded.end, loaded.location)
    assert repr(long) == "<Kitchen San Francisco, 2025-10-16 00:00:00 to 2025-10-17 00:00:00>"
    assert "not recorded" in long._repr_html_() or "not_recorded" in long._repr_html_()
    assert long.why("18:00", "20:00").account.orders == loaded.why("18:00", "20:00").account.orders
    monkeypatch.undo()
    assert long.orders.equals(loaded.orders)  # loaded when it is needed
