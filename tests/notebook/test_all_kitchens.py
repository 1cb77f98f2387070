"""Tables of all kitchens are those of each, one after the other, whatever the range is split into."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import twin
from twin.foundation.zones import Zone
from twin.notebook import door, tables
from twin.notebook.door import Twin
from twin.sources.base import Window

DAY = "2025-10-16"


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


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


def test_a_range_in_parts_has_the_same_orders_once(source: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = source.orders("2025-10-16", "2025-10-18")
    halves = [Window(0, 0)]

    def split(window: Window, tz: Zone) -> list[Window]:
        middle = (window.start + window.end) / 2
        halves.append(window)
        return [Window(window.start, middle), Window(middle, window.end)]

    monkeypatch.setattr(door, "_weeks", split)
    parts = source.orders(start="2025-10-16", end="2025-10-18")
    assert len(halves) == 1 + len(source)
    pd.testing.assert_frame_equal(parts.sort_index(), whole.sort_index())


def test_a_long_range_is_split_at_midnights() -> None:
    zone = Zone("America/Los_Angeles")
    start, end = zone.seconds("2025-10-20 15:00"), zone.seconds("2025-11-12 09:00")
    parts = door._weeks(Window(start, end), zone)
    assert [(zone.text(part.start), zone.text(part.end)) for part in parts] == [
        ("2025-10-20 15:00:00", "2025-10-27 00:00:00"),
        ("2025-10-27 00:00:00", "2025-11-03 00:00:00"),
        ("2025-11-03 00:00:00", "2025-11-10 00:00:00"),
        ("2025-11-10 00:00:00", "2025-11-12 09:00:00"),
    ]
    assert door._weeks(Window(start, start + 3600), zone) == [Window(start, start + 3600)]


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
