"""Tables of all kitchens are those of each, one after the other, from one statement a week in place of every timeline."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import twin
from tests.notebook.conftest import DAY
from twin.foundation.times import DAY as DAY_S
from twin.foundation.zones import Zone
from twin.notebook import all_kitchens, tables
from twin.notebook.door import Twin
from twin.sources.base import Window
from twin.sources.files import FileSource
from twin.timeline.timeline import Timeline


@pytest.mark.parametrize(("of_all", "of_one"), [("orders", "orders"), ("order_items", "items"), ("events", "events")])
def test_all_are_those_of_each(source: Twin, of_all: str, of_one: str) -> None:
    found = getattr(source, of_all)(day=DAY)
    assert found["kitchen"].cat.categories.tolist() == list(source)
    for name in source:
        kitchen = source.kitchen(name, day=DAY)
        expected = getattr(kitchen, of_one)
        mine = found[found["kitchen"] == name].drop(columns="kitchen")
        if mine.index.name is None:
            mine = mine.reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, expected() if callable(expected) else expected, check_categorical=False)


def test_a_range_in_parts_has_the_same_rows_once(source: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("2025-10-15", "2025-10-18")
    whole = source.orders(*days), source.order_items(*days), source.events(*days)
    monkeypatch.setattr(all_kitchens, "WEEK", 0.4 * DAY_S)
    parts = source.orders(*days), source.order_items(*days), source.events(*days)
    for part, one in zip(parts, whole, strict=True):
        pd.testing.assert_frame_equal(part, one)


def test_a_day_of_all_kitchens_is_one_statement_and_loads_none(source: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    answer = FileSource.query

    def query(self: FileSource, name: str, **parameters: Any) -> pa.Table:
        found = answer(self, name, **parameters)
        asked.append((name, found.num_rows))
        return found

    monkeypatch.setattr(FileSource, "query", query)
    monkeypatch.setattr(Timeline, "load", None)
    orders = source.orders(day=DAY)
    assert asked == [("begun", len(orders))]
    items, events = source.order_items(day=DAY), source.events(day=DAY)
    assert [name for name, _ in asked[1:]] == ["begun", "happened"]
    assert asked[1][1] == len(orders) < len(items)
    assert len(events) <= asked[2][1] <= len(events) * 1.01  # copies of rows
    del asked[:]
    source.to_duckdb(day=DAY).close()
    assert [name for name, _ in asked] == ["begun", "happened"]
    del asked[:]
    source.orders()  # the last 24 hours of each, which end at other minutes
    assert [name for name, _ in asked] == ["begun"]


def test_an_order_that_lives_for_days_is_whole_and_in_the_day_it_began_in() -> None:
    lives = [
        ("long", "order_created", "2025-10-14 18:00"),
        ("long", "delivered", "2025-10-16 19:00"),
        ("uncreated", "gk_started", "2025-10-15 09:00"),
        ("uncreated", "delivered", "2025-10-15 22:00"),
        ("late", "gk_started", "2025-10-14 23:50"),
        ("late", "order_created", "2025-10-15 00:10"),
    ]
    rows = pd.DataFrame(lives, columns=["order_id", "event_type", "ts"]).assign(location="oslo", body="{}")
    t = twin.open(rows)
    days = [t.orders(day=f"2025-10-{day}") if day != 16 else None for day in (14, 15, 16)]
    assert [list(one.index) for one in days[:2]] == [["long"], ["late", "uncreated"]]
    assert days[0].loc["long", "delivered"] == pd.Timestamp("2025-10-16 19:00")
    assert days[1].loc["uncreated", "delivered"] == pd.Timestamp("2025-10-15 22:00")
    for day, orders in zip((14, 15), days, strict=False):
        pd.testing.assert_frame_equal(orders.drop(columns="kitchen"), t.kitchen("oslo", day=f"2025-10-{day}").orders)
    with pytest.raises(ValueError, match="No orders in this range"):
        t.orders(day="2025-10-16")
    assert t.events(day="2025-10-16")["order"].tolist() == ["long"]


def test_kitchens_whose_ranges_overlap_are_asked_for_together(source: Twin) -> None:
    places = source.locations
    ranges = [Window(50, 60), Window(0, 10), Window(5, 20), Window(20, 30)]
    groups = all_kitchens._overlapping(list(zip(places, ranges, strict=True)))
    assert [[window for _, window in group] for group in groups] == [
        [Window(0, 10), Window(5, 20)], [Window(20, 30)], [Window(50, 60)],
    ]  # fmt: skip


def test_times_of_several_zones_are_in_utc(source: Twin) -> None:
    place = source.location("chicago")
    parts = []
    for zone in ("America/Chicago", "America/Los_Angeles"):
        times = pd.DataFrame({"ts": tables.stamps([1760639400.0, float("nan")], Zone(zone)), "n": [1, 2]})
        parts.append((replace(place, id=zone, zone=zone), times))
    joined = tables.of_kitchens(parts)
    assert joined["ts"].dt.tz is not None
    assert joined["ts"].dropna().tolist() == [pd.Timestamp("2025-10-16 18:30", tz="UTC")] * 2
    assert joined["kitchen"].tolist() == ["America/Chicago"] * 2 + ["America/Los_Angeles"] * 2


def test_a_range_without_an_order_says_what_there_is(source: Twin) -> None:
    with pytest.raises(ValueError, match="the data covers 2025-10-1"):
        source.orders(day="2031-01-01")
    with pytest.raises(ValueError, match="either a day"):
        source.events(day=DAY, start=DAY)
